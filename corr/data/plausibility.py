"""Whether ground truth explains its images: a warp by it has to lower the photometric error.

The error is 1 less the correlation of local contrast: the grey value less its mean in a window, in
units of its deviation there, so that light and exposure do not count. The warp by the truth is
compared with no warp, and with the warps that common mistakes would leave better: a sign turned, a
factor off, images swapped.
"""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from corr.formats import to_tensor
from corr.geometry import pixel_grid, resize, sample, to_grey, transform_points

MOVED_PX = 1.0
"""Only points that move so far tell a warp from none."""

HIGHEST_DENSE_ERROR = 0.8
"""Right flow and disparity of the scenes tried stay below 0.4; unrelated images have 1."""

HIGHEST_HOMOGRAPHY_ERROR = 0.95
"""A right homography of Oxford's scenes leaves up to 0.72 (zoom, blur); unrelated images have 1."""

CLEARLY = 0.05
"""By so much must a mistake's remedy lower the error; those that differ by less are all named."""

_MAX_POINTS = 10_000
_MIN_POINTS = 100
_WINDOW = 15
_MAX_SIDE = 320
_TIMES = (1.5, 2.0, 4.0, 8.0, 16.0, 20.0, 64.0, 256.0)
_FACTORS = (*_TIMES, *(1 / times for times in _TIMES))

Values = Float[np.ndarray, " N"]
Picture = UInt8[np.ndarray, "_ _ 3"]


def flow_fault(
    image0: Picture,
    image1: Picture,
    flow: Float[np.ndarray, "H W 2"],
    occluded: Bool[np.ndarray, "H W"] | None,
) -> str | None:
    """What is wrong with a flow field as the end of a sentence, or None if it explains the images.

    Args:
        image0: of H x W pixels.
        image1: of any size.
        flow: px, NaN where not known.
        occluded: pixels to leave out.
    """
    points, vectors = _known(flow, occluded)
    if len(points) == 0:
        return "holds no known value"
    size = torch.tensor([image1.shape[1] - 1, image1.shape[0] - 1])
    target = points + vectors
    inside = ((target >= 0) & (target <= size)).all(dim=1)
    if inside.sum() < max(1, len(points) // 20):
        share = 100 * (1 - float(inside.float().mean()))
        return f"leads {share:.0f} % of its pixels out of the other image"
    moved = inside & (vectors.norm(dim=1) >= MOVED_PX)
    chosen = moved if moved.sum() >= _MIN_POINTS else inside
    points, vectors = points[chosen], vectors[chosen]
    contrast0, contrast1 = _contrast(_grey(image0)), _contrast(_grey(image1))
    here, there = _read(contrast0, points), _read(contrast1, points)

    def forth(displacement: Tensor) -> float:
        return _error(here, _read(contrast1, points + displacement))

    def back(displacement: Tensor) -> float:
        return _error(there, _read(contrast0, points + displacement))

    remedies = {
        "the images are swapped": back(vectors),
        "its sign is turned": forth(-vectors),
        "it is of the other image": back(-vectors),
        "its two components are exchanged": forth(vectors.flip(1)),
        **{_off_by(factor): forth(factor * vectors) for factor in _FACTORS},
    }
    still = forth(torch.zeros_like(vectors)) if chosen is moved else None
    return _verdict(forth(vectors), still, remedies, HIGHEST_DENSE_ERROR)


def disparity_fault(
    left: Picture,
    right: Picture,
    disparity: Float[np.ndarray, "H W"],
    occluded: Bool[np.ndarray, "H W"] | None,
) -> str | None:
    """What is wrong with a disparity map as the end of a sentence, or None if it is right.

    Args:
        left: of H x W pixels.
        right: of any size.
        disparity: px, NaN where not known.
        occluded: pixels to leave out.
    """
    known = disparity[np.isfinite(disparity)]
    if known.size and np.median(known) < 0:
        share = 100 * float((known < 0).mean())
        return f"is below 0 at {share:.0f} % of its pixels: its sign is turned"
    return flow_fault(left, right, np.stack((-disparity, 0 * disparity), axis=2), occluded)


def homography_fault(
    image0: Picture, image1: Picture, homography_0to1: Float[np.ndarray, "3 3"]
) -> str | None:
    """What is wrong with a homography as the end of a sentence, or None if it is right.

    Args:
        image0: of any size.
        image1: of any size.
        homography_0to1: maps pixels of image 0 to image 1.
    """
    # Both images are reduced, and contrast is taken after the warp: it depends on the scale.
    grey0, to_small0 = _reduced(_grey(image0))
    grey1, to_small1 = _reduced(_grey(image1))
    grid = pixel_grid(*grey0.shape[-2:])

    def lead(homography: np.ndarray) -> Tensor:
        return _map(to_small1 @ homography @ np.linalg.inv(to_small0), grid)

    target = lead(homography_0to1)
    size = torch.tensor([grey1.shape[-1] - 1, grey1.shape[-2] - 1])
    inside = ((target >= 0) & (target <= size)).all(dim=2)
    if inside.sum() < _MIN_POINTS:
        return "leads all of the first image out of the second"
    contrast0 = _contrast(grey0)[0, 0][inside].numpy()

    def error(homography: np.ndarray) -> float:
        warped = sample(grey1, lead(homography).unsqueeze(0), padding="border")
        return _error(contrast0, _contrast(warped.permute(0, 3, 1, 2))[0, 0][inside].numpy())

    twice, half = np.diag([2.0, 2.0, 1.0]), np.diag([0.5, 0.5, 1.0])
    remedies = {
        "the images are swapped": error(np.linalg.inv(homography_0to1)),
        "it is of images of half the size": error(twice @ homography_0to1 @ half),
        "it is of images of twice the size": error(half @ homography_0to1 @ twice),
    }
    moved = float((target - lead(np.eye(3))).norm(dim=2)[inside].mean()) >= MOVED_PX
    still = error(np.eye(3)) if moved else None
    return _verdict(error(homography_0to1), still, remedies, HIGHEST_HOMOGRAPHY_ERROR)


def _verdict(
    truth: float, still: float | None, remedies: Mapping[str, float], highest: float
) -> str | None:
    """The fault that the errors tell, if any.

    Args:
        truth: error of the warp by the truth.
        still: error without a warp, where enough moves to compare with it.
        remedies: mistake -> error of the warp by what the truth would be without it.
        highest: error that right truth stays below.
    """
    least = min(remedies.values())
    if least < min(truth, truth if still is None else still) - CLEARLY:
        mistakes = [name for name, error in remedies.items() if error < least + CLEARLY]
        return (
            f"does not explain its images: {' or '.join(mistakes)} (photometric error {truth:.2f}, "
            f"{least:.2f} when corrected)"
        )
    if still is not None and (truth >= still or truth > highest):
        return (
            f"does not explain its images: a warp by it leaves a photometric error of {truth:.2f}, "
            f"no warp one of {still:.2f}"
        )
    return None


def _off_by(factor: float) -> str:
    times = f"{1 / factor:.3g} times too large" if factor < 1 else f"{factor:.3g} times too small"
    return f"its values are {times}"


def _known(
    flow: Float[np.ndarray, "H W 2"], occluded: Bool[np.ndarray, "H W"] | None
) -> tuple[Float[Tensor, "N 2"], Float[Tensor, "N 2"]]:
    """Some of the pixels with known flow that are not occluded, always the same; and their flow."""
    known = np.isfinite(flow).all(axis=2)
    if occluded is not None and (known & ~occluded).any():
        known &= ~occluded
    y, x = np.nonzero(known)
    if len(x) > _MAX_POINTS:
        drawn = np.random.default_rng(0).choice(len(x), _MAX_POINTS, replace=False)
        y, x = y[drawn], x[drawn]
    points = np.stack((x, y), axis=1).astype(np.float32)
    return torch.from_numpy(points), torch.from_numpy(flow[y, x].astype(np.float32))


def _grey(image: Picture) -> Float[Tensor, "1 1 H W"]:
    return to_grey(to_tensor(image))


def _reduced(grey: Float[Tensor, "1 1 H W"]) -> tuple[Tensor, Float[np.ndarray, "3 3"]]:
    """The image at most `_MAX_SIDE` px wide and high, and the map of its pixels to that size."""
    height, width = grey.shape[-2:]
    scale = min(1.0, _MAX_SIDE / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    x, y = size[1] / width, size[0] / height
    return resize(grey, size), np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def _map(matrix: np.ndarray, grid: Float[Tensor, "H W 2"]) -> Float[Tensor, "H W 2"]:
    signed = torch.from_numpy(-matrix if matrix[2, 2] < 0 else matrix).float()
    mapped = transform_points(signed, grid.reshape(-1, 2)).clamp(-1e5, 1e5)
    return mapped.reshape(grid.shape)


def _contrast(grey: Float[Tensor, "1 1 H W"]) -> Float[Tensor, "1 1 H W"]:
    values = grey[0, 0].numpy()

    def mean(values: np.ndarray) -> np.ndarray:
        blurred: np.ndarray = cv2.blur(values, (_WINDOW, _WINDOW), borderType=cv2.BORDER_REPLICATE)
        return blurred

    centre = mean(values)
    deviation = np.sqrt(np.maximum(mean(values * values) - centre * centre, 0))
    return torch.from_numpy((values - centre) / (deviation + 0.02))[None, None]


def _read(contrast: Float[Tensor, "1 1 H W"], points: Float[Tensor, "N 2"]) -> Values:
    read = sample(contrast, points.clamp(-1e5, 1e5).unsqueeze(0), padding="border")
    return read[0, :, 0].numpy()


def _error(first: Values, second: Values) -> float:
    first, second = first - first.mean(), second - second.mean()
    norm = max(1e-9, float(np.linalg.norm(first) * np.linalg.norm(second)))
    return 1 - float(first @ second) / norm
