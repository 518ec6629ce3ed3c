"""`corr disparity` of two folders: every pair, with progress, going on where it stopped."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from corr.cli.calibrated import Calibrated
from corr.cli.claimed_folder import claim
from corr.cli.say import say, say_columns
from corr.cli.truth import Truth

if TYPE_CHECKING:
    from corr.pipeline.disparity_scores import DisparityScores
    from corr.pipeline.image_pairs import ImagePair

_RECORD = "disparity.json"
"""Says by which settings the results of a folder were made."""

_SUFFIXES = {"output": ".pfm", "depth": ".pfm", "cloud": ".ply"}
"""Of what is no picture."""


class Folders(NamedTuple):
    """Where the results of all pairs go; None where they are not asked for."""

    output: Path | None
    draw: Path | None
    draw_confidence: Path | None
    depth: Path | None
    cloud: Path | None
    draw_depth: Path | None
    draw_error: Path | None

    def checked(self, calib: Path | None, truth: Path | None) -> Mapping[str, Path]:
        """Those that are asked for, by name.

        Raises:
            OptionError: none is, one is given twice, or what it needs is not there.
        """
        from corr.errors import OptionError

        given = {name: folder for name, folder in self._asdict().items() if folder is not None}
        if not given:
            raise OptionError(
                "for folders give -o FOLDER for the maps, or --draw FOLDER for pictures"
            )
        if len({folder.resolve() for folder in given.values()}) < len(given):
            raise OptionError("one folder is given for two kinds of results; give each its own")
        of_depth = {"depth", "cloud", "draw_depth"} & given.keys()
        if calib is not None and not of_depth:
            raise OptionError(
                "for folders --calib needs --depth, --cloud or --draw-depth, a folder of its own"
            )
        if truth is not None and "output" not in given:
            raise OptionError("for folders --truth needs -o FOLDER, where the maps are kept")
        if "draw_error" in given and truth is None:
            raise OptionError("--draw-error needs --truth, the true disparity of the pairs")
        return given


def disparity_of_folders(  # noqa: PLR0917 - the options of a command
    left: Path,
    right: Path,
    folders: Folders,
    options: Mapping[str, Any],
    calibrated: Calibrated,
    truth: Truth,
    device: str | None,
) -> int | None:
    """A file for each pair below each folder, and a table of errors; 1 where a pair failed.

    A pair whose files are there already is left out; its map is judged again.

    Args:
        left: a folder or a pattern of left images.
        right: of right images with the same names.
        folders: made when missing.
        options: of the function `disparity`.
        calibrated: the calibration of all pairs, or where those of each are.
        truth: where the true disparities are.
        device: where a network runs.

    Raises:
        FormatError: calibrations or true disparities are missing.
        ImageError: there are no pairs.
        OptionError: no folder is given, or one holds results of other settings.
    """
    from corr.data.progress import progress_bar
    from corr.errors import CorrError, FormatError
    from corr.pipeline.catalog import DEFAULTS
    from corr.pipeline.image_pairs import find_pairs
    from corr.pipeline.partner_files import CALIBRATIONS, TRUTHS, find_partners

    calibrated.check_options()
    given = folders.checked(calibrated.calib, truth.path)
    pairs = find_pairs(left, right)
    calibs = find_partners(calibrated.calib, pairs, CALIBRATIONS) if calibrated.calib else {}
    for pair in pairs if calibs else ():
        if pair.name not in calibs:
            raise FormatError(f"'{pair.left}' has no calibration in '{calibrated.calib}'")
    truths = find_partners(truth.path, pairs, TRUTHS) if truth.path else {}
    settings = {**options, "model": options["model"] or DEFAULTS["disparity"]}
    for name, folder in given.items():
        claim(folder, _RECORD, {**settings, **_others(name, calibrated, truth)})
    failed: list[str] = []
    scores: dict[str, DisparityScores] = {}
    done = 0
    with progress_bar() as progress, warnings.catch_warnings():
        warnings.simplefilter("always")
        bar = progress.add_task("pairs", total=len(pairs))
        try:
            for pair in pairs:
                try:
                    calib = calibrated._replace(calib=calibs.get(pair.name))
                    known = truth._replace(path=truths.get(pair.name))
                    done += _one(pair, given, options, calib, known, device)
                    if known.path is not None:
                        scores[pair.name.as_posix()] = known.score(_target(given, "output", pair))
                except CorrError as error:
                    failed.append(f"failed: {pair.left}: {' '.join(str(error).split())}")
                progress.advance(bar)
        except KeyboardInterrupt:
            sys.stderr.write("what is done is kept: the same command goes on\n")
            raise
    for line in failed:
        say(line)
    if scores:
        from corr.pipeline.disparity_scores import tabulate_scores

        say_columns(tabulate_scores(scores))
    kept = len(pairs) - done - len(failed)
    there = f", {kept} were there already" if kept else ""
    names = " and ".join(f"'{folder}'" for folder in given.values())
    bad = f", {len(failed)} failed" if failed else ""
    say(f"{done} of {len(pairs)} pairs measured{there}{bad}; in {names}")
    return 1 if failed else None


def _others(name: str, calibrated: Calibrated, truth: Truth) -> dict[str, Any]:
    """The settings that some results depend on besides."""
    if name in ("depth", "cloud", "draw_depth"):
        most = calibrated.max_depth
        return {"calib": str(calibrated.calib), "unit": calibrated.unit, "max_depth": most}
    if name == "draw_error":
        return {"truth": str(truth.path), "scale": truth.scale, "bad_px": truth.bad_px}
    return {}


def _target(folders: Mapping[str, Path], name: str, pair: ImagePair) -> Path:
    suffix = _SUFFIXES.get(name, ".png")
    return folders[name] / pair.name.parent / f"{pair.name.name}{suffix}"


def _one(  # noqa: PLR0917 - what one pair takes
    pair: ImagePair,
    folders: Mapping[str, Path],
    options: Mapping[str, Any],
    calibrated: Calibrated,
    truth: Truth,
    device: str | None,
) -> bool:
    """Measure a pair, if a file of it is missing; whether it was."""
    from corr.drawing import draw_confidence
    from corr.formats import read_image, write_picture
    from corr.formats.atomic import make_folder
    from corr.pipeline.stereo import disparity

    asked = [name for name in folders if name != "draw_error" or truth.path is not None]
    targets = {name: _target(folders, name, pair) for name in asked}
    missing = {name: path for name, path in targets.items() if not path.exists()}
    if not missing:
        return False
    views = read_image(pair.left), read_image(pair.right)
    cameras = calibrated.cameras(pair.left, views[0])
    known = truth.read(views[0])
    found = disparity(*views, **options, device=device)
    for path in missing.values():
        make_folder(path.parent)
    if "output" in missing:
        found.save(missing["output"])
    if "draw" in missing:
        found.draw(missing["draw"])
    if "draw_confidence" in missing:
        write_picture(missing["draw_confidence"], draw_confidence(found.confidence))
    if "draw_error" in missing and known is not None:
        truth.draw(missing["draw_error"], found.disparity, known)
    if cameras is not None:
        calibrated._replace(
            depth=missing.get("depth"),
            cloud=missing.get("cloud"),
            draw_depth=missing.get("draw_depth"),
        ).write(found, cameras, views[0])
    return True
