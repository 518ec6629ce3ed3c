"""`corr show`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from corr.cli.say import say
from corr.cli.targets import check_images

if TYPE_CHECKING:
    import numpy as np


def show(file: Path, *, output: Path | None = None, max_value: float | None = None) -> None:
    """Say what a file of flow or disparity holds, and draw it in colour.

    Args:
        file: .flo, .pfm (of one channel disparity, of three SceneFlow's flow), .npy or KITTI's .png
            of 16 bits.
        output: .png or .jpg; FILE-drawn.png beside where you are when not given.
        max_value: px at the rim of the colour wheel, or at the end of the scale of disparities; the
            largest one of the file when not given.
    """
    from corr.drawing import draw_disparity, draw_flow
    from corr.errors import OptionError
    from corr.formats import write_picture
    from corr.formats.maps import read_map
    from corr.formats.suffixes import PICTURE, check_output

    if max_value is not None and not 0 < max_value < float("inf"):
        raise OptionError(f"--max-value is {max_value}; use a number of pixels above 0")
    output = check_output(output or Path(f"{file.stem}-drawn.png"), PICTURE)
    check_images([file], [output])
    values = read_map(file)
    drawn = draw_flow if values.ndim == 3 else draw_disparity
    write_picture(output, drawn(values, max_value))
    say(f"{file}: {describe(values)}; wrote {output}")


def describe(values: np.ndarray) -> str:
    """Kind, size, share of known pixels and range, such as `flow, 320 x 240 px, 100 % known, ...`.

    Args:
        values: flow `(H, W, 2)` or disparity `(H, W)`, px; NaN where unknown.
    """
    import numpy as np

    is_flow = values.ndim == 3
    known = np.isfinite(values).all(axis=2) if is_flow else np.isfinite(values)
    size = f"{values.shape[1]} x {values.shape[0]} px"
    start = f"{'flow' if is_flow else 'disparity'}, {size}, {100 * known.mean():.1f} % known"
    if not known.any():
        return start
    seen = values[known]
    if not is_flow:
        return f"{start}, {seen.min():.2f} to {seen.max():.2f} px, median {np.median(seen):.2f}"
    length = np.hypot(seen[:, 0], seen[:, 1])
    x, y = (f"{part.min():.2f} to {part.max():.2f}" for part in seen.T)
    return (
        f"{start}, x {x}, y {y} px, length up to {length.max():.2f}, median {np.median(length):.2f}"
    )
