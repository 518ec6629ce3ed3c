"""`corr flow` of a folder, two folders or a video: every pair, going on where it stopped."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from corr.cli.claimed_folder import claim
from corr.cli.say import say

if TYPE_CHECKING:
    from corr.pipeline.flow_estimator import FlowEstimator
    from corr.pipeline.frames import Frame, FramePairs

_RECORD = "flow.json"
"""Says by which settings the results of a folder were made."""


class Folders(NamedTuple):
    """Where the results of many pairs go; each is made when missing."""

    output: Path | None
    draw: Path | None
    warped: Path | None
    format: str
    """Suffix of the files in `output`, without its dot."""
    max_flow: float | None

    @property
    def given(self) -> list[Path]:
        """Those that are asked for."""
        return [path for path in (self.output, self.draw, self.warped) if path is not None]


def flow_of_many(
    first: Path,
    second: Path | None,
    folders: Folders,
    options: Mapping[str, Any],
    device: str | None,
) -> int | None:
    """A file below each folder for each pair, named after its first frame; 1 where a pair failed.

    A pair whose files are there already is left out.

    Args:
        first: a folder, or a video; or with `second` a folder or pattern of first frames.
        second: of second frames with the same names.
        folders: where the results go.
        options: of `FlowEstimator`.
        device: where a network runs.

    Raises:
        ImageError: there are no pairs, or the video cannot be decoded.
        OptionError: no folder is given, or one holds results of other settings.
    """
    from corr.data.progress import progress_bar
    from corr.errors import CorrError, OptionError
    from corr.pipeline.catalog import DEFAULTS
    from corr.pipeline.flow_estimator import FlowEstimator

    found = _pairs(first, second)
    if not folders.given:
        raise OptionError("for many frames give -o, --draw or --warped a FOLDER to write to")
    if len({path.resolve() for path in folders.given}) < len(folders.given):
        raise OptionError("-o, --draw and --warped name one folder; give each a folder of its own")
    estimator = FlowEstimator(**options, device=device)
    settings = {**options, "model": options["model"] or DEFAULTS["flow"], "of": str(first)}
    settings |= {"format": folders.format, "max_flow": folders.max_flow}
    for folder in folders.given:
        claim(folder, _RECORD, settings)
    failed: list[str] = []
    done = count = 0
    with progress_bar() as progress:
        bar = progress.add_task("pairs", total=found.total)
        try:
            for frame0, frame1 in found.pairs:
                count += 1
                try:
                    done += _one(frame0, frame1, folders, estimator)
                except CorrError as error:
                    failed.append(f"failed: {frame0.name}: {' '.join(str(error).split())}")
                progress.advance(bar)
        except KeyboardInterrupt:
            sys.stderr.write("what is done is kept: the same command goes on\n")
            raise
    for line in failed:
        say(line)
    kept = count - done - len(failed)
    there = f", {kept} were there already" if kept else ""
    bad = f", {len(failed)} failed" if failed else ""
    names = " and ".join(f"'{folder}'" for folder in folders.given)
    say(f"{done} of {count} pairs measured{there}{bad}; in {names}")
    if found.total is not None and count != found.total:
        say(f"'{first}' says that it has {found.total + 1} frames; {count + 1} could be decoded")
    return 1 if failed else None


def _pairs(first: Path, second: Path | None) -> FramePairs:
    from corr.errors import ImageError, OptionError
    from corr.pipeline.frames import pairs_of_folder, pairs_of_folders, pairs_of_video
    from corr.pipeline.image_pairs import IMAGES, is_pattern

    if second is not None:
        return pairs_of_folders(first, second)
    if first.is_dir():
        return pairs_of_folder(first)
    if is_pattern(first):
        raise OptionError(f"'{first}' is a pattern; give the one of the second frames, too")
    if not first.exists():
        raise ImageError(f"there is no file '{first}'")
    if first.suffix.lower() in IMAGES:
        raise OptionError(f"'{first}' is one image; give the second one, too, a folder or a video")
    return pairs_of_video(first)


def _one(frame0: Frame, frame1: Frame, folders: Folders, estimator: FlowEstimator) -> bool:
    """Measure a pair, if a file of it is missing; whether it was."""
    from corr.formats.atomic import make_folder

    def target(folder: Path | None, suffix: str) -> Path | None:
        if folder is None:
            return None
        path = folder / frame0.name.parent / f"{frame0.name.name}.{suffix}"
        return None if path.exists() else path

    output = target(folders.output, folders.format)
    draw, warped = target(folders.draw, "png"), target(folders.warped, "png")
    missing = [path for path in (output, draw, warped) if path is not None]
    if not missing:
        return False
    found = estimator(frame0.image, frame1.image)
    for path in missing:
        make_folder(path.parent)
    if output is not None:
        found.save(output)
    if draw is not None:
        found.draw(draw, max_flow=folders.max_flow)
    if warped is not None:
        found.draw_warped(frame1.image, warped)
    return True
