"""`corr flow`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from corr.cli.say import say
from corr.cli.targets import check_different, check_images, choose_targets

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float

    from corr.results import FlowField, Picture


def flow(
    image0: Path,
    image1: Path | None = None,
    *,
    output: Path | None = None,
    draw: Path | None = None,
    warped: Path | None = None,
    draw_confidence: Path | None = None,
    model: str | None = None,
    both: bool = True,
    refine: Literal["none", "variational", "lk", "lk-variational"] | None = None,
    max_flow: float | None = None,
    format: Literal["flo", "png", "npy"] = "flo",  # noqa: A002 - the name of the option
    truth: Path | None = None,
    draw_error: Path | None = None,
    bad_px: float = 3.0,
    device: str | None = None,
) -> int | None:
    """Measure where each pixel of the first image went in the second.

    Args:
        image0: the first frame; or a folder of frames or a video, each with the next one; or of two
            folders or quoted patterns that of the first frames.
        image1: the second, of the same size; of two folders that of the second frames.
        output: .flo, .npy or .png (KITTI's: 16 bits, 64 a pixel plus 2^15); of many frames a
            folder, in which a run that was stopped goes on.
        draw: .png or .jpg in colour; flow-drawn.png when nothing else is asked for; of many frames
            a folder.
        warped: .png or .jpg of the second image brought back onto the first, with what is occluded
            shaded; of many frames a folder.
        draw_confidence: .png or .jpg of how sure it is of each pixel.
        model: the method; `corr models` lists them.
        both: compute the way back, too, to know what is occluded and how sure it is.
        refine: variational, by Lucas-Kanade, or by both; the model's own when not given.
        max_flow: px at the rim of the colour wheel; the longest vector when not given.
        format: of the files in the folder of many frames.
        truth: .flo, .npy, .png or .pfm of the true flow, to say how good this one is.
        draw_error: .png or .jpg of where it is wrong, by --truth.
        bad_px: errors above this are drawn as wrong.
        device: such as cpu or cuda; the best one present when not given.
    """
    from corr.errors import OptionError
    from corr.pipeline.image_pairs import is_one_pair

    options: dict[str, Any] = {"model": model, "both": both, "refine": refine}
    if max_flow is not None and not 0 < max_flow < float("inf"):
        raise OptionError(f"--max-flow is {max_flow}; use a number of pixels above 0")
    if not both and draw_confidence is not None:
        raise OptionError("--draw-confidence needs the way back; leave out --no-both")
    files = _Files(output, draw, warped, draw_confidence, truth, draw_error)
    if image1 is not None and is_one_pair(image0, image1):
        if format != "flo":
            raise OptionError("--format is for folders; the suffix of -o says it for one pair")
        _single(image0, image1, files, options, max_flow, bad_px, device)
        return None
    single = {
        "--draw-confidence": draw_confidence,
        "--truth": truth,
        "--draw-error": draw_error,
    }
    for flag, value in single.items():
        if value is not None:
            raise OptionError(f"{flag} takes one pair of images, not many frames; leave it out")
    from corr.cli.flow_folders import Folders, flow_of_many

    folders = Folders(output, draw, warped, format, max_flow)
    return flow_of_many(image0, image1, folders, options, device)


class _Files(NamedTuple):
    output: Path | None
    draw: Path | None
    warped: Path | None
    draw_confidence: Path | None
    truth: Path | None
    draw_error: Path | None

    def settled(self) -> _Files:
        """The same, with the picture that is drawn when nothing is asked for, all checked."""
        from corr.errors import OptionError
        from corr.formats import suffixes
        from corr.formats.suffixes import PICTURE, check_output

        if self.draw_error is not None and self.truth is None:
            raise OptionError("--draw-error needs --truth FILE, the true flow")
        others = (self.warped, self.draw_confidence, self.draw_error)
        files = self
        if self.output or self.draw or not (any(others) or self.truth):
            targets = choose_targets(self.output, self.draw, suffixes.FLOW, "flow-drawn.png")
            files = self._replace(output=targets.output, draw=targets.draw)
        for picture in others:
            if picture is not None:
                check_output(picture, PICTURE)
        check_different(files.written)
        return files

    @property
    def written(self) -> list[Path | None]:
        return [self.output, self.draw, self.warped, self.draw_confidence, self.draw_error]


def _single(  # noqa: PLR0917 - what one pair takes
    image0: Path,
    image1: Path,
    files: _Files,
    options: dict[str, Any],
    max_flow: float | None,
    bad_px: float,
    device: str | None,
) -> None:
    import numpy as np

    from corr.errors import OptionError
    from corr.formats import read_image
    from corr.pipeline.catalog import DEFAULTS
    from corr.pipeline.optical_flow import flow as measure_flow

    check_images([image0, image1], [])
    if not bad_px > 0:
        raise OptionError(f"--bad-px is {bad_px}; use a number of pixels above 0")
    files = files.settled()
    check_images([image0, image1, *([files.truth] if files.truth else [])], files.written)
    views = read_image(image0), read_image(image1)
    known_truth = _read_truth(files.truth, views[0])
    start = time.perf_counter()
    found = measure_flow(*views, **options, device=device)
    seconds = time.perf_counter() - start
    _write(found, files, views[1], known_truth, max_flow, bad_px)
    length = np.hypot(found.flow[..., 0], found.flow[..., 1])
    length = length[np.isfinite(length)]
    span = f"median {np.median(length):.2f}, largest {length.max():.1f} px" if length.size else ""
    hidden = f", {100 * found.occluded.mean():.0f} % occluded" if options["both"] else ""
    names = " and ".join(str(path) for path in files.written if path is not None)
    wrote = f"; wrote {names}" if names else ""
    by = options["model"] or DEFAULTS["flow"]
    say(f"flow by {by}: {span or 'nothing known'}{hidden}, in {seconds:.2f} s{wrote}")
    if known_truth is not None:
        from corr.pipeline.flow_scores import describe_flow_scores

        say(describe_flow_scores(found.flow, known_truth))


def _read_truth(path: Path | None, image: Picture) -> Float[np.ndarray, "H W 2"] | None:
    if path is None:
        return None
    import numpy as np

    from corr.errors import FormatError
    from corr.formats import read_flow

    truth = read_flow(path)
    if truth.shape[:2] != image.shape[:2]:
        sizes = [f"{shape[1]} x {shape[0]}" for shape in (truth.shape, image.shape)]
        raise FormatError(f"'{path}' has {sizes[0]} pixels, and the first image {sizes[1]}")
    if not np.isfinite(truth).all(axis=2).any():
        raise FormatError(f"'{path}' knows the flow of no pixel, so nothing can be judged")
    return truth


def _write(  # noqa: PLR0917 - what one pair takes
    found: FlowField,
    files: _Files,
    view1: Picture,
    truth: Float[np.ndarray, "H W 2"] | None,
    max_flow: float | None,
    bad_px: float,
) -> None:
    from corr.drawing import draw_confidence, draw_flow_error
    from corr.formats import write_picture

    if files.output is not None:
        found.save(files.output)
    if files.draw is not None:
        found.draw(files.draw, max_flow=max_flow)
    if files.warped is not None:
        found.draw_warped(view1, files.warped)
    if files.draw_confidence is not None:
        write_picture(files.draw_confidence, draw_confidence(found.confidence, "occluded"))
    if files.draw_error is not None and truth is not None:
        write_picture(files.draw_error, draw_flow_error(found.flow, truth, bad_px))
