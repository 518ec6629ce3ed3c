"""`corr transfer`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

import numpy as np
from jaxtyping import Float32

from corr.cli.images import Search
from corr.cli.say import say
from corr.cli.targets import check_images, choose_targets
from corr.errors import OptionError

_GRID = 8
_WARP_PX = 320
"""Longer side of the picture of image 1 at the places of image 0, px."""


def transfer(
    image0: Path,
    image1: Path,
    *,
    points: Path | None = None,
    grid: int | None = None,
    output: Path | None = None,
    draw: Path | None = None,
    model: str | None = None,
    size: int | None = None,
    support: float | None = None,
    readout: Literal["soft", "nearest"] = "soft",
    flips: Literal["none", "auto"] = "none",
    search: Search = "auto",
    device: str | None = None,
) -> None:
    """Carry points over to an image of another thing of the same kind.

    Args:
        image0: the photograph that the points are in.
        image1: the photograph that they are sought in.
        points: .csv with x,y in each line, or .npy (N, 2), px.
        grid: instead, so many points along the longer side; 8 when neither is given.
        output: .csv with x0,y0,x1,y1 in each line, or .npy (N, 2) of the points found.
        draw: .png or .jpg; transfer-drawn.png when neither this nor -o is given.
        model: describes the images; `corr models` lists them.
        size: the longer side of both images as they are seen, px, 0 for their own; the model's own
            when not given.
        support: how far around a point others support it, as a share of the image; 0 seeks each for
            itself, and the model's own is taken when not given.
        readout: without support, the mean place around the most similar one, or that one.
        flips: auto also seeks in the second image mirrored, and takes what is more similar.
        search: who finds nearest neighbours.
        device: such as cpu or cuda; the best one present when not given.
    """
    from corr.drawing import draw_transfer
    from corr.formats import read_image, read_points, suffixes, write_picture, write_transferred
    from corr.pipeline.catalog import DEFAULTS
    from corr.pipeline.transfer import transfer as transfer_points

    if points is not None and grid is not None:
        raise OptionError("--points and --grid are both given; give one of them")
    if grid is not None and grid < 1:
        raise OptionError(f"--grid is {grid}; use 1 or more")
    targets = choose_targets(output, draw, suffixes.POINTS, "transfer-drawn.png")
    check_images([image0, image1], [*targets])
    views = read_image(image0), read_image(image1)
    size0 = views[0].shape[:2]
    points0 = _grid(size0, grid or _GRID) if points is None else read_points(points)

    def carried(places: np.ndarray) -> Float32[np.ndarray, "N 2"]:
        return transfer_points(
            *views,
            places,
            model=model,
            size=size,
            support=support,
            readout=readout,
            flips=None if flips == "none" else flips,
            search=search,
            device=device,
        )

    start = time.perf_counter()
    points1 = carried(points0)
    seconds = time.perf_counter() - start
    if targets.draw is not None:
        warped = _warp(views[1], carried(_cells(size0)), size0)
        write_picture(targets.draw, draw_transfer(*views, points0, points1, warped=warped))
    if targets.output is not None:
        write_transferred(targets.output, points0, points1)
    count = "1 point" if len(points0) == 1 else f"{len(points0)} points"
    by = model or DEFAULTS["transfer"]
    say(f"{count} by {by} in {seconds:.2f} s; {targets.wrote()}")


def _grid(size: tuple[int, int], most: int) -> Float32[np.ndarray, "N 2"]:
    """Points in the middle of square cells, so many along the longer side."""
    cell = max(size) / most
    axes = [np.arange(max(1, round(side / cell))) for side in size[::-1]]
    x, y = (
        (axis + 0.5) * side / len(axis) - 0.5 for axis, side in zip(axes, size[::-1], strict=True)
    )
    return np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2).astype(np.float32)


def _cells(size: tuple[int, int]) -> Float32[np.ndarray, "N 2"]:
    """Each pixel of image 0 as it is drawn warped, in its own pixels."""
    height, width = _warped_size(size)
    scale = np.array([size[1] / width, size[0] / height])
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).reshape(-1, 2)
    cells: Float32[np.ndarray, "N 2"] = ((grid + 0.5) * scale - 0.5).astype(np.float32)
    return cells


def _warped_size(size: tuple[int, int]) -> tuple[int, int]:
    scale = min(1.0, _WARP_PX / max(size))
    height, width = (max(1, round(scale * side)) for side in size)
    return height, width


def _warp(
    image1: np.ndarray, places: Float32[np.ndarray, "N 2"], size: tuple[int, int]
) -> np.ndarray:
    """Image 1 at the place of each pixel of image 0, which may be torn: each is sought alone."""
    import cv2

    where = places.reshape(*_warped_size(size), 2)
    warped: np.ndarray = cv2.remap(
        image1, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return warped
