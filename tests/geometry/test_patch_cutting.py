"""Patches: their frames and their pixels, against turned and scaled pictures."""

import cv2
import kornia
import numpy as np
import pytest
import torch
from pictures import draw, noise, ramp

from corr import geometry
from corr.errors import ShapeError


def keypoint(x: float, y: float, scale: float, angle_deg: float) -> tuple[torch.Tensor, ...]:
    return torch.tensor([[x, y]]), torch.tensor([scale]), torch.tensor([angle_deg])


def test_frames_equal_kornia_whose_angles_turn_the_other_way() -> None:
    points = torch.tensor([[10.0, 20.0], [3.5, 7.0]])
    scale, angle = torch.tensor([2.0, 5.0]), torch.tensor([30.0, -100.0])
    ours = geometry.patch_frames(points, scale, angle, sigmas=16.0)
    theirs = kornia.feature.laf_from_center_scale_ori(
        points[None], 8 * scale.reshape(1, 2, 1, 1), -angle.reshape(1, 2, 1)
    )
    torch.testing.assert_close(ours, theirs[0], atol=1e-5, rtol=1e-5)


def test_a_patch_of_the_size_of_its_region_is_the_image_itself() -> None:
    """Side 32 px, patch 32 px: pixel i of the patch lies on pixel i of the image."""
    image = noise(40, 50)
    frames = geometry.patch_frames(*keypoint(20 + 15.5, 5 + 15.5, 2.0, 0.0), sigmas=16.0)
    patch = geometry.extract_patches(image, frames)
    expected = torch.nn.functional.pad(image, (0, 2, 0, 0), mode="replicate")[..., 5:37, 20:52]
    torch.testing.assert_close(patch, expected, atol=1e-5, rtol=0)


def test_patches_equal_kornia_where_no_level_is_skipped() -> None:
    image = noise(64, 96, 3)
    points = torch.tensor([[40.0, 30.0], [52.3, 28.7], [30.25, 33.5]])
    scale, angle = torch.tensor([1.0, 1.5, 1.9]), torch.tensor([0.0, 35.0, -120.0])
    frames = geometry.patch_frames(points, scale, angle, sigmas=16.0)
    ours = geometry.extract_patches(image, frames)
    theirs = kornia.feature.extract_patches_simple(image, frames[None], PS=32)
    torch.testing.assert_close(ours, theirs[0], atol=1e-4, rtol=0)


@pytest.mark.parametrize("angle_deg", [0.0, 25.0, 90.0, -140.0])
@pytest.mark.parametrize("scale", [0.5, 1.0, 1.9, 2.7, 5.0])
def test_a_patch_equals_that_of_the_turned_and_scaled_picture(
    scale: float, angle_deg: float
) -> None:
    """A keypoint of scale s and angle a sees what an upright one of scale 1.6 sees in a picture
    turned by -a and scaled by 1.6/s. Tolerance: a bilinear read and the pyramid's averages are
    off by less than 0.01 of this picture's range of 1."""
    x, y = 151.3, 148.6
    frames = geometry.patch_frames(*keypoint(x, y, scale, angle_deg), sigmas=16.0)
    patch = geometry.extract_patches(draw(300, 300), frames)
    turn = np.deg2rad(angle_deg)
    step = scale / 1.6  # one pixel of the other picture, in pixels of this one
    axes = step * torch.tensor([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    centre = torch.tensor([49.5, 49.5])
    to_source = torch.cat(
        (axes.float(), (torch.tensor([x, y]) - axes.float() @ centre).unsqueeze(1)), 1
    )
    upright = geometry.patch_frames(*keypoint(49.5, 49.5, 1.6, 0.0), sigmas=16.0)
    expected = geometry.extract_patches(draw(100, 100, to_source), upright)
    torch.testing.assert_close(patch, expected, atol=0.01, rtol=0)
    assert float(patch.std()) > 0.01 * scale  # there is something to see


@pytest.mark.parametrize("angle_deg", [0.0, 30.0, 200.0])
def test_support_region_of_an_opencv_keypoint(angle_deg: float) -> None:
    """A keypoint of size 8 has sigma 4: at 10 sigmas, its patch is a square with a side of 40 px,
    turned clockwise on the screen by its angle. The square is drawn by cv2."""
    keypoint_cv2 = cv2.KeyPoint(70.0, 60.0, 8.0, angle_deg)
    corners = cv2.boxPoints((keypoint_cv2.pt, (40.0, 40.0), keypoint_cv2.angle))
    drawn = np.zeros((8 * 120, 8 * 140), np.float32)
    cv2.fillConvexPoly(drawn, np.round((corners + 0.5) * 8 - 0.5).astype(np.int32), 1)
    image = torch.nn.functional.avg_pool2d(torch.from_numpy(drawn)[None, None], 8)
    frames = geometry.patch_frames(
        *keypoint(*keypoint_cv2.pt, keypoint_cv2.size / 2, keypoint_cv2.angle), sigmas=10.0
    )
    inside = geometry.extract_patches(image, frames, patch_size=40)
    assert float(inside[..., 1:-1, 1:-1].min()) > 0.95
    wider = geometry.patch_frames(
        *keypoint(*keypoint_cv2.pt, keypoint_cv2.size / 2, keypoint_cv2.angle), sigmas=20.0
    )
    half = geometry.extract_patches(image, wider, patch_size=80)[0, 0]
    assert float(half.mean()) == pytest.approx(0.25, abs=0.01)
    assert float(half[:18].max()) == 0.0
    assert float(half[:, :18].max()) == 0.0
    assert float(half[22:-22, 22:-22].min()) > 0.95


def test_the_x_axis_of_a_patch_points_along_the_angle() -> None:
    """At 90 degrees, clockwise on the screen, it points down: rows of the patch are columns."""
    frames = geometry.patch_frames(*keypoint(20.0, 20.0, 1.0, 90.0), sigmas=16.0)
    x, y = geometry.extract_patches(ramp(41, 41), frames, patch_size=8)[0]
    assert y[0, -1] - y[0, 0] == pytest.approx(14.0)
    assert x[0, -1] - x[0, 0] == pytest.approx(0.0, abs=1e-4)
    assert x[-1, 0] - x[0, 0] == pytest.approx(-14.0)


@pytest.mark.parametrize("size", [(127, 101), (128, 128), (65, 130), (33, 35)])
@pytest.mark.parametrize("scale", [3.0, 6.0, 12.0])
def test_no_level_of_the_pyramid_moves_what_is_read(size: tuple[int, int], scale: float) -> None:
    """Odd sizes too: inside, a ramp still says where each pixel of the patch lies."""
    height, width = size
    x, y = width / 2, height / 2
    frames = geometry.patch_frames(*keypoint(x, y, scale, 20.0), sigmas=16.0)
    read = geometry.extract_patches(ramp(height, width), frames)[0].permute(1, 2, 0)
    unit = (2 * geometry.pixel_grid(32, 32) + 1) / 32 - 1
    meant = unit @ frames[0, :, :2].T + frames[0, :, 2]
    margin = scale
    inside = (
        (meant >= margin) & (meant <= torch.tensor([width - 1.0, height - 1.0]) - margin)
    ).all(-1)
    assert inside.any()
    torch.testing.assert_close(read[inside], meant[inside], atol=1e-3, rtol=0)


def test_a_shrunk_patch_is_averaged_not_skipped() -> None:
    """Fine noise seen in a coarse patch comes out nearly flat: 4 x 4 pixels make one."""
    image = noise(256, 256)
    frames = geometry.patch_frames(*keypoint(127.5, 127.5, 8.0, 0.0), sigmas=16.0)
    patch = geometry.extract_patches(image, frames)
    torch.testing.assert_close(
        patch, torch.nn.functional.avg_pool2d(image[..., 64:192, 64:192], 4), atol=1e-5, rtol=0
    )


def test_patches_beyond_the_border_repeat_it() -> None:
    frames = geometry.patch_frames(*keypoint(0.0, 0.0, 2.0, 0.0), sigmas=16.0)
    patch = geometry.extract_patches(noise(40, 40), frames)[0, 0]
    assert float(patch[:16, :16].std()) == pytest.approx(0.0, abs=1e-6)
    assert float(patch[17:, 17:].std()) > 0.1


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (3, 2)])
def test_the_smallest_images_have_patches(size: tuple[int, int]) -> None:
    frames = geometry.patch_frames(*keypoint(0.0, 0.0, 3.0, 10.0))
    image = torch.full((1, 1, *size), 0.25)
    torch.testing.assert_close(
        geometry.extract_patches(image, frames), torch.full((1, 1, 32, 32), 0.25)
    )


def test_no_frames_give_no_patches_and_two_images_are_refused() -> None:
    frames = torch.zeros(0, 2, 3)
    assert geometry.extract_patches(noise(20, 20, 3), frames).shape == (0, 3, 32, 32)
    with pytest.raises(ShapeError, match="one image at a time, not 2"):
        geometry.extract_patches(noise(20, 20).expand(2, -1, -1, -1), frames)
