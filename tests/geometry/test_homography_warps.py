"""Homographies move points and pictures as those of cv2 and kornia do, and as a drawn one is."""

import cv2
import kornia
import numpy as np
import pytest
import torch
from pictures import draw, noise, smooth

from corr import geometry

HOMOGRAPHY = torch.tensor([[1.1, 0.1, -3.0], [-0.05, 0.9, 4.0], [2e-3, -1e-3, 1.0]])


def test_transform_points_equals_cv2() -> None:
    points = torch.rand(50, 2, generator=torch.Generator().manual_seed(2)) * 100
    theirs = cv2.perspectiveTransform(points[None].numpy(), HOMOGRAPHY.numpy())[0]
    np.testing.assert_allclose(
        geometry.transform_points(HOMOGRAPHY, points).numpy(), theirs, rtol=1e-5, atol=1e-4
    )


def test_transform_points_does_each_of_a_batch_with_its_own() -> None:
    batch = torch.stack((HOMOGRAPHY, torch.eye(3)))
    points = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])
    moved = geometry.transform_points(batch, points)
    torch.testing.assert_close(moved[:1], geometry.transform_points(HOMOGRAPHY, points[0])[None])
    assert moved[1].tolist() == [[3.0, 4.0]]


@pytest.mark.parametrize("scale", [1.0, 1e-9, 1e6])
def test_points_on_and_behind_the_horizon_are_infinite(scale: float) -> None:
    homography = scale * torch.tensor([[1.0, 0, 0], [0, 1, 0], [-0.01, 0, 1]])
    points = torch.tensor([[50.0, 10.0], [100.0, 10.0], [150.0, 10.0]])
    moved = geometry.transform_points(homography, points)
    torch.testing.assert_close(moved[0], torch.tensor([100.0, 20.0]))
    assert moved[1:].isinf().all()


def test_the_inverse_of_a_homography_leads_back() -> None:
    points = torch.rand(50, 2, generator=torch.Generator().manual_seed(3)) * 100
    there = geometry.transform_points(HOMOGRAPHY, points)
    back = geometry.transform_points(torch.linalg.inv(HOMOGRAPHY), there)
    torch.testing.assert_close(back, points, atol=1e-3, rtol=0)


def test_half_a_pixel_shift_equals_cv2_and_kornia_and_the_mean_of_neighbours() -> None:
    image = noise(24, 32)
    shift = torch.tensor([[1.0, 0, 0.5], [0, 1, 0], [0, 0, 1]])
    ours = geometry.warp_homography(image, shift[None])
    by_hand = (image[..., 1:] + image[..., :-1]) / 2
    torch.testing.assert_close(ours[..., 1:], by_hand, atol=1e-6, rtol=0)
    of_cv2 = cv2.warpPerspective(image[0, 0].numpy(), shift.numpy(), (32, 24))
    np.testing.assert_allclose(ours[0, 0].numpy(), of_cv2, atol=1e-5)
    of_kornia = kornia.geometry.warp_perspective(image, shift[None], (24, 32))
    torch.testing.assert_close(ours, of_kornia, atol=1e-5, rtol=0)


def test_a_warp_equals_kornia_and_a_picture_drawn_there() -> None:
    image = draw(60, 80)
    ours = geometry.warp_homography(image, HOMOGRAPHY[None], (50, 70))
    of_kornia = kornia.geometry.warp_perspective(image, HOMOGRAPHY[None], (50, 70))
    torch.testing.assert_close(ours, of_kornia, atol=2e-4, rtol=0)
    source = geometry.transform_points(
        torch.linalg.inv(HOMOGRAPHY), geometry.pixel_grid(50, 70).reshape(-1, 2)
    )
    inside = ((source >= 0) & (source <= torch.tensor([79.0, 59.0]))).all(-1).reshape(50, 70)
    assert inside.float().mean() > 0.5
    error = (ours[0, 0] - smooth(source).reshape(50, 70)).abs()
    assert float(error[inside].max()) < 4e-3


def test_a_warp_repeats_the_border_where_asked() -> None:
    shift = torch.tensor([[1.0, 0, 5], [0, 1, 0], [0, 0, 1]])
    image = noise(6, 8)
    zeros = geometry.warp_homography(image, shift[None])
    border = geometry.warp_homography(image, shift[None], padding="border")
    assert float(zeros[..., :4].abs().max()) == 0
    torch.testing.assert_close(border[..., :5], image[..., :1].expand(-1, -1, -1, 5))
