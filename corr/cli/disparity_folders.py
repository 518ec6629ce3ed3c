"""`corr disparity` of two folders: every pair, with progress, going on where it stopped."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corr.cli.claimed_folder import claim
from corr.cli.say import say

if TYPE_CHECKING:
    from corr.pipeline.image_pairs import ImagePair

_RECORD = "disparity.json"
"""Says by which settings the results of a folder were made."""


def disparity_of_folders(  # noqa: PLR0917 - the options of a command
    left: Path,
    right: Path,
    output: Path | None,
    draw: Path | None,
    options: Mapping[str, Any],
    device: str | None,
) -> int | None:
    """A `.pfm` for each pair below `output`, and a picture below `draw`; 1 where a pair failed.

    A pair whose files are there already is left out.

    Args:
        left: a folder or a pattern of left images.
        right: of right images with the same names.
        output: a folder; made when missing.
        draw: a folder; made when missing.
        options: of the function `disparity`.
        device: where a network runs.

    Raises:
        ImageError: there are no pairs.
        OptionError: neither folder is given, or one holds results of other settings.
    """
    from corr.data.progress import progress_bar
    from corr.errors import CorrError, OptionError
    from corr.pipeline.catalog import DEFAULTS
    from corr.pipeline.image_pairs import find_pairs

    if output is None and draw is None:
        raise OptionError("for folders give -o FOLDER for the maps, or --draw FOLDER for pictures")
    pairs = find_pairs(left, right)
    settings = {**options, "model": options["model"] or DEFAULTS["disparity"]}
    for folder in (output, draw):
        if folder is not None:
            claim(folder, _RECORD, settings)
    failed: list[str] = []
    done = 0
    with progress_bar() as progress, warnings.catch_warnings():
        warnings.simplefilter("always")
        bar = progress.add_task("pairs", total=len(pairs))
        try:
            for pair in pairs:
                try:
                    done += _one(pair, output, draw, options, device)
                except CorrError as error:
                    failed.append(f"failed: {pair.left}: {' '.join(str(error).split())}")
                progress.advance(bar)
        except KeyboardInterrupt:
            sys.stderr.write("what is done is kept: the same command goes on\n")
            raise
    for line in failed:
        say(line)
    kept = len(pairs) - done - len(failed)
    there = f", {kept} were there already" if kept else ""
    folders = " and ".join(f"'{folder}'" for folder in (output, draw) if folder is not None)
    bad = f", {len(failed)} failed" if failed else ""
    say(f"{done} of {len(pairs)} pairs measured{there}{bad}; in {folders}")
    return 1 if failed else None


def _one(
    pair: ImagePair,
    output: Path | None,
    draw: Path | None,
    options: Mapping[str, Any],
    device: str | None,
) -> bool:
    """Measure a pair, if a file of it is missing; whether it was."""
    from corr.formats import read_image
    from corr.formats.atomic import make_folder
    from corr.pipeline.stereo import disparity

    folders = {".pfm": output, ".png": draw}
    targets = {
        suffix: folder / pair.name.parent / f"{pair.name.name}{suffix}"
        for suffix, folder in folders.items()
        if folder is not None
    }
    missing = {suffix: path for suffix, path in targets.items() if not path.exists()}
    if not missing:
        return False
    found = disparity(read_image(pair.left), read_image(pair.right), **options, device=device)
    for suffix, path in missing.items():
        make_folder(path.parent)
        (found.save if suffix == ".pfm" else found.draw)(path)
    return True
