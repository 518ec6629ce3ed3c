"""`corr stereo-check` and `corr rectify`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from corr.cli.say import say
from corr.cli.targets import check_images

if TYPE_CHECKING:
    from corr.pipeline.rectification_check import RectificationCheck


def stereo_check(left: Path, right: Path, *, draw: Path = Path("stereo-check.png")) -> int:
    """Say whether a pair is fit for disparity: its order, its rows, its range.

    The exit status is 0 when it is, 1 when it is not, 2 for input that cannot be read.

    Args:
        left: the left photograph.
        right: the right one, of the same size.
        draw: .png or .jpg of matched points on their rows.
    """
    from corr.formats import read_image
    from corr.formats.suffixes import PICTURE, check_output
    from corr.pipeline.rectification_check import check_rectified

    check_output(draw, PICTURE)
    check_images([left, right], [draw])
    found = check_rectified(read_image(left), read_image(right))
    found.draw(draw)
    _say_verdict(found)
    say(f"wrote {draw}")
    return 0 if found.fit else 1


def rectify(
    left: Path,
    right: Path,
    *,
    output: Path,
    calib: Path | None = None,
    calib_unit: Literal["m", "cm", "mm"] = "m",
) -> int:
    """Warp a pair so that every point is on one row in both images.

    The exit status is 1 when the result does not pass `corr stereo-check`.

    Args:
        left: the left photograph.
        right: the right one, of the same size.
        output: folder for left.png, right.png and rectification.yaml, which --calib of
            `corr disparity` reads if it came from a calibration.
        calib: OpenCV's YAML with M1, D1, M2, D2, R and T, or KITTI's calib_cam_to_cam.txt; without
            it the pair's own matches are used, and depth has no scale.
        calib_unit: of the lengths in OpenCV's file, which does not say.
    """
    from corr.formats import read_image
    from corr.formats.calibration import read_rig
    from corr.pipeline.rectification_check import check_rectified
    from corr.pipeline.rectify import rectify as rectify_images

    targets = [output / name for name in ("left.png", "right.png", "rectification.yaml")]
    check_images([left, right], targets)
    rig = None
    if calib is not None:
        in_colour = left.resolve().parent.name in ("image_02", "image_2")
        rig = read_rig(calib, unit=calib_unit, cameras=(2, 3) if in_colour else (0, 1))
    result = rectify_images(read_image(left), read_image(right), rig)
    paths = result.save(output)
    by = "from its own matches, so depth has no scale" if rig is None else f"by {rig.source}"
    height, width = result.left.shape[:2]
    say(f"rectified to {width} x {height} px {by}; wrote {', '.join(map(str, paths))}")
    found = check_rectified(result.left, result.right)
    _say_verdict(found)
    return 0 if found.fit else 1


def _say_verdict(found: RectificationCheck) -> None:
    say("fit for disparity" if found.fit else "NOT fit for disparity")
    for problem in found.problems:
        say(f"- {problem}")
    if found.offset is not None:
        say(
            f"{len(found.points_left)} points matched; off their rows by {found.median_px:.2f} px "
            f"(median), {found.most_px:.2f} px (nine in ten are within)"
        )
    if found.max_disparity is not None:
        low, high = found.disparity_range
        say(f"disparities from {low:.1f} to {high:.1f} px: --max-disparity {found.max_disparity}")
