"""`corr match --dense`, and the options of dense networks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from corr.cli.say import say
from corr.cli.targets import check_images, choose_targets


def check_options(dense: bool, stride: int | None, of_keypoints: Mapping[str, bool]) -> None:
    """Refuse options of the other way to match.

    Args:
        dense: whether every place is matched, not keypoints.
        stride: of dense matching.
        of_keypoints: options of matching keypoints, and whether each was given.

    Raises:
        OptionError: names the option.
    """
    from corr.errors import OptionError

    if not dense and stride is not None:
        raise OptionError("--stride is for dense matching; give --dense, too, or leave it out")
    wrong = [name for name, given in of_keypoints.items() if given]
    if dense and wrong:
        raise OptionError(f"{wrong[0]} is for keypoints, not for --dense; leave one of them out")


def read_factors(scales: str | None) -> list[float] | None:
    """The numbers of a list with commas between, if there is one.

    Raises:
        OptionError: it holds what is no number.
    """
    from corr.errors import OptionError

    if scales is None:
        return None
    try:
        return [float(factor) for factor in scales.split(",")]
    except ValueError as error:
        raise OptionError(
            f"scales are '{scales}'; use numbers with commas between, such as 1,0.5"
        ) from error


def match_dense(
    image0: Path,
    image1: Path,
    *,
    output: Path | None,
    draw: Path | None,
    model: str | None,
    stride: int | None,
    mutual: bool,
    search: str,
    device: str | None,
) -> None:
    """Match every place of the first image, write and draw what was found, and say how many."""
    import numpy as np

    from corr.formats import read_image, suffixes
    from corr.pipeline.catalog import names
    from corr.pipeline.dense_matching import match_dense as match_images

    targets = choose_targets(output, draw, suffixes.DENSE_MATCHES, "matches-drawn.png")
    check_images([image0, image1], targets)
    views = read_image(image0), read_image(image1)
    start = time.perf_counter()
    with _progress() as on_progress:
        found = match_images(
            *views,
            model=model,
            stride=stride,
            mutual=mutual,
            search=search,
            device=device,
            on_progress=on_progress,
        )
    seconds = time.perf_counter() - start
    if targets.output is not None:
        found.save(targets.output)
    if targets.draw is not None:
        found.draw(*views, targets.draw)
    confidence = found.confidence[found.matched]
    middle = f", median confidence {np.median(confidence):.3f}" if confidence.size else ""
    count = f"{len(found)} of {found.confidence.size} places, every {found.stride} px, matched"
    say(f"{count} by {model or names('dense')[0]}{middle}, in {seconds:.2f} s; {targets.wrote()}")


@contextmanager
def _progress() -> Iterator[Callable[[float], None]]:
    """A bar on the standard error while a person looks at it."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("matching", total=1.0)
        yield lambda share: bar.update(task, completed=share)
