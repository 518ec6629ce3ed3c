"""`corr transfer`."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Literal

from corr.cli.images import Search
from corr.cli.say import say
from corr.cli.targets import check_images, choose_targets
from corr.errors import OptionError

_GRID = 8


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
    from corr.pipeline.warping import drawn_pixels, even_points, warp

    if points is not None and grid is not None:
        raise OptionError("--points and --grid are both given; give one of them")
    if grid is not None and grid < 1:
        raise OptionError(f"--grid is {grid}; use 1 or more")
    targets = choose_targets(output, draw, suffixes.POINTS, "transfer-drawn.png")
    check_images([image0, image1], [*targets])
    views = read_image(image0), read_image(image1)
    size0 = views[0].shape[:2]
    points0 = even_points(size0, grid or _GRID) if points is None else read_points(points)

    carried = partial(
        transfer_points,
        *views,
        model=model,
        size=size,
        support=support,
        readout=readout,
        flips=None if flips == "none" else flips,
        search=search,
        device=device,
    )
    start = time.perf_counter()
    points1 = carried(points0=points0)
    seconds = time.perf_counter() - start
    if targets.draw is not None:
        warped = warp(views[1], carried(points0=drawn_pixels(size0)), size0)
        write_picture(targets.draw, draw_transfer(*views, points0, points1, warped=warped))
    if targets.output is not None:
        write_transferred(targets.output, points0, points1)
    count = "1 point" if len(points0) == 1 else f"{len(points0)} points"
    by = model or DEFAULTS["transfer"]
    say(f"{count} by {by} in {seconds:.2f} s; {targets.wrote()}")
