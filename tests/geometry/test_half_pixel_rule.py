"""The half-pixel rule, against cv2 and kornia: where a point is read, and what a resize does."""

import cv2
import kornia
import numpy as np
import pytest
import torch
from pictures import noise, ramp

from corr import geometry


def test_a_point_is_read_where_it_lies() -> None:
    points = torch.tensor([[[0.0, 0.0], [3.25, 1.5], [6.0, 4.0], [2.0, 3.75]]])
    torch.testing.assert_close(geometry.sample(ramp(5, 7), points), points)


def test_an_image_ends_half_a_pixel_beyond_its_outermost_centres() -> None:
    ones = torch.ones(1, 1, 4, 4)
    points = torch.tensor([[[-0.5, 1.0], [-1.0, 1.0], [3.25, 1.0]]])
    assert geometry.sample(ones, points).flatten().tolist() == [0.5, 0.0, 0.75]
    assert geometry.sample(ones, points, padding="border").flatten().tolist() == [1.0, 1.0, 1.0]


def test_sample_keeps_every_shape_of_points() -> None:
    points = torch.rand(1, 2, 3, 4, 2) * 6
    read = geometry.sample(ramp(8, 9), points)
    torch.testing.assert_close(read, points)


def test_sample_equals_cv2_remap() -> None:
    image = noise(20, 30, 3)
    points = torch.rand(1, 200, 2, generator=torch.Generator().manual_seed(1)) * 32 - 2
    points = (points * 32).round() / 32  # cv2 keeps 5 bits of a fraction
    ours = geometry.sample(image, points)[0]
    x, y = points[0].T.numpy()
    theirs = cv2.remap(image[0].permute(1, 2, 0).numpy(), x, y, cv2.INTER_LINEAR)
    np.testing.assert_allclose(ours.numpy(), theirs.reshape(200, 3), atol=1e-5)


@pytest.mark.parametrize("size", [(34, 51), (60, 30), (23, 41)])
def test_resize_up_equals_cv2_and_kornia(size: tuple[int, int]) -> None:
    image = noise(20, 30, 3)
    ours = geometry.resize(image, size)
    theirs = kornia.geometry.resize(image, size, align_corners=False)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    of_cv2 = cv2.resize(image[0].permute(1, 2, 0).numpy(), size[::-1])
    np.testing.assert_allclose(ours[0].permute(1, 2, 0).numpy(), of_cv2, atol=1e-5)


def test_shrinking_by_two_averages_four_pixels() -> None:
    image = noise(20, 30)
    halved = geometry.resize(image, (10, 15), antialias=False)
    torch.testing.assert_close(halved, torch.nn.functional.avg_pool2d(image, 2))


@pytest.mark.parametrize("size", [(50, 60), (13, 22), (40, 90)])
def test_a_resized_ramp_says_where_each_pixel_came_from(size: tuple[int, int]) -> None:
    """`p' = (p + 0.5) s - 0.5`, on the inside, where no border is averaged in."""
    resized = geometry.resize(ramp(26, 44), size)
    came_from = resized[0].permute(1, 2, 0)
    again = geometry.resize_points(came_from, (26, 44), size)
    torch.testing.assert_close(
        again[4:-4, 4:-4], geometry.pixel_grid(*size)[4:-4, 4:-4], atol=1e-4, rtol=0
    )


def test_resize_points_by_hand() -> None:
    points = torch.tensor([[-0.5, -0.5], [0.0, 0.0], [9.5, 19.5]])
    resized = geometry.resize_points(points, (20, 10), (40, 5))
    assert resized.tolist() == [[-0.5, -0.5], [-0.25, 0.5], [4.5, 39.5]]


def test_grey_equals_cv2() -> None:
    image = noise(9, 11, 3)
    theirs = cv2.cvtColor(image[0].permute(1, 2, 0).numpy(), cv2.COLOR_RGB2GRAY)
    np.testing.assert_allclose(geometry.to_grey(image)[0, 0].numpy(), theirs, atol=1e-6)
