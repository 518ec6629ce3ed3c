"""`corr bench`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Name = Literal["search", "extract", "match", "disparity", "flow"]


def bench(
    name: Name,
    *,
    sizes: str | None = None,
    models: str | None = None,
    backends: str | None = None,
    descriptors: str | None = None,
    dim: int | None = None,
    large: bool = False,
    rowband: bool = False,
    rounds: int | None = None,
    limit: float | None = None,
    device: str | None = None,
    out: Path | None = None,
) -> None:
    """Measure speed and memory on this machine, beside the methods in common use.

    Args:
        name: search (nearest neighbours of descriptors), or extract, match, disparity or flow
            (every model on photographs).
        sizes: rows of a table for search, widths of images in px for the others, such as 512,1024.
        models: names or folders with commas between; all that do the task when not given.
        backends: who searches, the first is compared with; exact,faiss,cv2,kornia,torch when not
            given.
        descriptors: what is searched, some of random,sift,rootsift,hardnet,orb.
        dim: numbers of a random descriptor; 128 when not given.
        large: search 100 000 x 100 000 rows instead, once.
        rowband: search along the rows of a rectified pair instead.
        rounds: timed calls of each; 5 when not given.
        limit: skip a search that would take more seconds; 10 when not given.
        device: such as cpu or cuda; the best one present when not given.
        out: folder for the report as JSON and Markdown.
    """
    from corr.bench import Options, run

    options = Options(
        sizes=sizes,
        dim=dim,
        backends=backends,
        descriptors=descriptors,
        models=models,
        rounds=rounds,
        limit=limit,
        large=large,
        rowband=rowband,
    )
    run(name, options, device=device, out=out)
