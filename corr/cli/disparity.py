"""`corr disparity`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal, NamedTuple

from corr.cli.calibrated import Calibrated
from corr.cli.images import Search
from corr.cli.say import say
from corr.cli.targets import check_different, check_images, choose_targets
from corr.cli.truth import Truth


def disparity(
    left: Path,
    right: Path,
    *,
    output: Path | None = None,
    draw: Path | None = None,
    draw_confidence: Path | None = None,
    max_disparity: int | None = None,
    model: str | None = None,
    fill: bool = True,
    search: Search = "auto",
    candidates: int | None = None,
    calib: Path | None = None,
    calib_unit: Literal["m", "cm", "mm"] = "m",
    depth: Path | None = None,
    cloud: Path | None = None,
    draw_depth: Path | None = None,
    max_depth: float | None = None,
    truth: Path | None = None,
    truth_scale: float | None = None,
    draw_error: Path | None = None,
    bad_px: float = 2.0,
    device: str | None = None,
) -> int | None:
    """Measure how far each pixel of a rectified left image moved in the right one.

    Args:
        left: the left photograph; or a folder of them, or a quoted pattern such as 'x/*/im0.png'.
        right: the right one, of the same size; or the folder or pattern of the others.
        output: .pfm, .npy or .png (KITTI's: 16 bits, 256 a pixel, 0 unknown); of folders a folder,
            in which a run that was stopped goes on.
        draw: .png or .jpg in colour; disparity-drawn.png when neither this nor -o is given; of
            folders a folder.
        draw_confidence: .png or .jpg of how sure it is of each pixel; of folders a folder, as all
            that follow.
        max_disparity: search 0 to this minus 1; estimated when not given.
        model: the method; `corr models` lists them.
        fill: give every pixel a value; else unknown ones stay so.
        search: who finds the candidates of a pixel; auto scores every disparity.
        candidates: of each pixel, where they are searched; 32 when not given.
        calib: calibration of the pair: KITTI's, Middlebury's calib.txt or OpenCV's YAML; then
            depth.pfm and points.ply are written, unless other files of it are named. Of folders one
            for all, or the folder or pattern of those of each.
        calib_unit: of the lengths in OpenCV's file, which does not say.
        depth: .pfm, .npy (metres) or .png (KITTI's: 16 bits, 256 a metre, 0 unknown).
        cloud: .ply of the points that both views show, in colour, metres.
        draw_depth: .png or .jpg of the depth in colour, with its scale in metres.
        max_depth: leave out what is farther, metres.
        truth: .pfm, .npy or .png of the true disparity, to say how good the map is; of folders
            their folder or pattern, for a table.
        truth_scale: of a .png of 8 bits, what 1 px is stored as, such as Middlebury's 4; else 1.
        draw_error: .png or .jpg of where it is wrong, by --truth.
        bad_px: errors above this are drawn as wrong.
        device: such as cpu or cuda; the best one present when not given.
    """
    from corr.pipeline.image_pairs import is_one_pair

    options: dict[str, object] = {
        "max_disparity": max_disparity,
        "model": model,
        "fill": fill,
        "search": search,
        "candidates": candidates,
    }
    known = Truth(truth, truth_scale, bad_px).checked()
    calibrated = Calibrated(calib, calib_unit, depth, cloud, draw_depth, max_depth)
    if not is_one_pair(left, right):
        from corr.cli.disparity_folders import Folders, disparity_of_folders

        folders = Folders(output, draw, draw_confidence, depth, cloud, draw_depth, draw_error)
        return disparity_of_folders(left, right, folders, options, calibrated, known, device)
    _single(
        left,
        right,
        _Files(output, draw, draw_confidence, draw_error),
        options,
        calibrated.checked(),
        known,
        device,
    )
    return None


class _Files(NamedTuple):
    output: Path | None
    draw: Path | None
    draw_confidence: Path | None
    draw_error: Path | None


def _single(  # noqa: PLR0917 - what one pair takes
    left: Path,
    right: Path,
    files: _Files,
    options: dict[str, object],
    calibrated: Calibrated,
    truth: Truth,
    device: str | None,
) -> None:
    import numpy as np

    from corr.drawing import draw_confidence
    from corr.errors import OptionError
    from corr.formats import read_image, suffixes, write_picture
    from corr.formats.suffixes import PICTURE, check_output
    from corr.pipeline.catalog import DEFAULTS
    from corr.pipeline.stereo import disparity as measure_disparity

    check_images([left, right], [])
    if truth.path is None and files.draw_error:
        raise OptionError("--draw-error needs --truth FILE, the true disparity")
    only_others = any((files.draw_confidence, files.draw_error, calibrated.calib, truth.path))
    if files.output is None and files.draw is None and only_others:
        targets = None
    else:
        targets = choose_targets(
            files.output, files.draw, suffixes.DISPARITY, "disparity-drawn.png"
        )
    written: list[Path | None] = [*(targets or ())]
    for picture in (files.draw_confidence, files.draw_error):
        if picture is not None:
            written.append(check_output(picture, PICTURE))
    written += calibrated.files
    check_different(written)
    others = [path for path in (truth.path, calibrated.calib) if path is not None]
    check_images([left, right, *others], written)
    views = read_image(left), read_image(right)
    cameras = calibrated.cameras(left, views[0])
    known_truth = truth.read(views[0])
    start = time.perf_counter()
    found = measure_disparity(*views, **options, device=device)  # type: ignore[arg-type]  # by name
    seconds = time.perf_counter() - start
    if targets is not None and targets.output is not None:
        found.save(targets.output)
    if targets is not None and targets.draw is not None:
        found.draw(targets.draw)
    if files.draw_confidence is not None:
        write_picture(files.draw_confidence, draw_confidence(found.confidence))
    if files.draw_error is not None and known_truth is not None:
        truth.draw(files.draw_error, found.disparity, known_truth)
    known = found.disparity[np.isfinite(found.disparity)]
    span = f"{known.min():.1f} to {known.max():.1f} px" if known.size else "nothing known"
    matched = 100 * float((found.confidence > 0).mean())
    by = options["model"] or DEFAULTS["disparity"]
    about_depth = None if cameras is None else calibrated.write(found, cameras, views[0])
    names = " and ".join(str(path) for path in written if path is not None)
    wrote = f"; wrote {names}" if names else ""
    say(f"disparity by {by}: {span}, {matched:.0f} % matched, in {seconds:.2f} s{wrote}")
    if about_depth is not None:
        say(about_depth)
    if known_truth is not None:
        from corr.pipeline.disparity_scores import describe_scores, score_disparity

        say(describe_scores(score_disparity(found.disparity, known_truth)))
