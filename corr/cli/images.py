"""`corr extract` and `corr match`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Literal

from corr.cli.dense import check_options, match_dense, read_factors
from corr.cli.image_names import group_names, labels
from corr.cli.say import say
from corr.cli.targets import check_images, choose_targets

Search = Literal["auto", "exact", "faiss", "faiss-gpu"]


def extract(
    images: list[Path],
    *,
    output: Path | None = None,
    draw: Path | None = None,
    model: str | None = None,
    max_keypoints: int = 2048,
    scales: str | None = None,
    device: str | None = None,
) -> None:
    """Find keypoints and describe them.

    Args:
        images: the photographs.
        output: .h5 (one group an image), or .npz for a single image.
        draw: .png or .jpg for the keypoints on a single image; without this and -o, each image is
            drawn beside where you are.
        model: describes the keypoints; `corr models` lists them.
        max_keypoints: the strongest are kept, in each image.
        scales: a dense network looks in the image resized by each of these factors, such as 1,0.5;
            by those in its network.yaml when not given.
        device: such as cpu or cuda; the best one present when not given.
    """
    from corr.errors import OptionError
    from corr.formats import read_image, suffixes, write_features
    from corr.pipeline.catalog import DEFAULTS
    from corr.pipeline.extraction import extract as extract_features
    from corr.results import Features

    names = group_names(images)
    if draw is not None and len(images) > 1:
        raise OptionError(
            f"--draw takes one image, not {len(images)}; leave it out to draw each of them"
        )
    targets = [
        choose_targets(
            output,
            draw,
            suffixes.FEATURES if len(images) == 1 else (".h5",),
            f"{label}-keypoints.png",
        )
        for label in labels(names)
    ]
    check_images(images, [path for target in targets for path in target])
    factors = read_factors(scales)
    found: dict[str, Features] = {}
    for path, name, target in zip(images, names, targets, strict=True):
        image = read_image(path)
        start = time.perf_counter()
        found[name] = extract_features(
            image, model=model, max_keypoints=max_keypoints, scales=factors, device=device
        )
        seconds = time.perf_counter() - start
        if target.draw is not None:
            found[name].draw(image, target.draw)
        drawn = f"; {target.wrote([target.draw])}" if target.draw else ""
        by = model or DEFAULTS["extract"]
        say(f"{path}: {len(found[name])} keypoints by {by} in {seconds:.2f} s{drawn}")
    if output is not None:
        single = output.suffix.lower() == ".npz"
        write_features(output, found[names[0]] if single else found)
        say(f"wrote {output}")


def match(
    image0: Path,
    image1: Path,
    *,
    output: Path | None = None,
    draw: Path | None = None,
    model: str | None = None,
    max_keypoints: int = 2048,
    scales: str | None = None,
    dense: bool = False,
    stride: int | None = None,
    verify: Literal["none", "homography", "fundamental", "locality"] = "none",
    mutual: bool = True,
    one_to_one: bool = False,
    ratio: float | None = None,
    inconsistent_px: float | None = None,
    rotations: Literal["own", "none", "few", "auto"] = "own",
    search: Search = "auto",
    device: str | None = None,
) -> None:
    """Find the keypoints of two images that correspond, or with --dense where every place went.

    Args:
        image0: the first photograph.
        image1: the second.
        output: .npz, .h5 or .csv; of dense matches .npz, .h5, or the flow as .flo, .npy or .png.
        draw: .png or .jpg; matches-drawn.png when neither this nor -o is given.
        model: describes the keypoints; `corr models` lists them.
        max_keypoints: the strongest are kept, in each image.
        scales: a dense network looks in the images resized by each of these factors, such as
            1,0.5; by those in its network.yaml when not given.
        dense: match every place of the first image by a dense network, not keypoints.
        stride: of dense matches, px from one place to the next; the network's own when not given.
        verify: keep the matches that agree on such a model of the whole image, or that keep their
            neighbours.
        mutual: keep only keypoints that are each other's nearest; of dense matches those that the
            way back returns to.
        one_to_one: without mutual, match no keypoint of the second image twice.
        ratio: largest distance to the nearest, in distances to the second nearest; in (0, 1].
        inconsistent_px: the second nearest is sought farther than this from the nearest.
        rotations: auto tries four quarter turns of the second image: five descriptions, not two;
            few does where few matches are found without; own as the model says.
        search: who finds nearest neighbours.
        device: such as cpu or cuda; the best one present when not given.
    """
    of_keypoints = {
        "--max-keypoints": max_keypoints != 2048,
        "--scales": scales is not None,
        "--verify": verify != "none",
        "--one-to-one": one_to_one,
        "--ratio": ratio is not None,
        "--inconsistent-px": inconsistent_px is not None,
        "--rotations": rotations != "own",
    }
    check_options(dense, stride, of_keypoints)
    if dense:
        match_dense(
            image0,
            image1,
            output=output,
            draw=draw,
            model=model,
            stride=stride,
            mutual=mutual,
            search=search,
            device=device,
        )
        return
    import numpy as np

    from corr.formats import read_image, suffixes
    from corr.pipeline.catalog import DEFAULTS
    from corr.pipeline.matching import match as match_images

    targets = choose_targets(output, draw, suffixes.MATCHES, "matches-drawn.png")
    check_images([image0, image1], targets)
    first, second = read_image(image0), read_image(image1)
    start = time.perf_counter()
    matches = match_images(
        first,
        second,
        model=model,
        max_keypoints=max_keypoints,
        scales=read_factors(scales),
        verify=None if verify == "none" else verify,
        mutual=mutual,
        one_to_one=one_to_one,
        inconsistent_px=inconsistent_px,
        rotations=None if rotations == "own" else rotations,
        search=search,
        device=device,
        **({} if ratio is None else {"ratio": ratio}),
    )
    seconds = time.perf_counter() - start
    if targets.output is not None:
        matches.save(targets.output)
    if targets.draw is not None:
        matches.draw(first, second, targets.draw)
    score = f", median score {float(np.median(matches.scores)):.3f}" if len(matches) else ""
    count = "1 match" if len(matches) == 1 else f"{len(matches)} matches"
    by = model or DEFAULTS["match"]
    say(f"{count} by {by}{score}, in {seconds:.2f} s; {targets.wrote()}")
