"""Two images -> the points that correspond."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Shaped

from corr.classical.locality import keep_local
from corr.classical.verification import MODELS, verify_matches
from corr.errors import OptionError, ShapeError
from corr.formats import as_image
from corr.machine.threads import at_once
from corr.models.network import RATIO, DenseDescriptor, Network
from corr.pipeline import catalog
from corr.pipeline.extraction import extract
from corr.pipeline.rotations import (
    FEW_MATCHES,
    QUARTERS,
    check_rotations,
    turn_back,
    turn_image,
)
from corr.resources import resolve_device
from corr.results import Features, Matches
from corr.search import check_options, match_descriptors

LOCALITY = "locality"
VERIFIERS = (*MODELS, LOCALITY)
"""What `verify` accepts: models of the whole image, and `corr.classical.locality`."""

LEAST_RELAXED = 45
"""Fewer matches that the relaxed test and neighbours leave may be chance: one in forty pairs of
unrelated photographs has so many."""

RATIO_BINARY = 0.9
"""Largest distance to the nearest, in distances to the second nearest, of binary descriptors."""


def match(
    image0: Any,
    image1: Any,
    *,
    model: str | Path | Network | None = None,
    max_keypoints: int = 2048,
    scales: Sequence[float] | None = None,
    verify: str | None = None,
    verify_px: float = 3.0,
    mutual: bool = True,
    one_to_one: bool = False,
    ratio: float | None = None,
    inconsistent_px: float | None = None,
    min_score: float | None = None,
    search: str = "auto",
    rotations: str | None = None,
    device: str | torch.device | None = None,
) -> Matches:
    """The points of two images that correspond, best first.

    Two keypoints match when each is the other's nearest in descriptor space and they pass the ratio
    test.

    Args:
        image0: as in `corr.extract`, or its result, to match an image with many without extracting
            it again.
        image1: likewise.
        model: as in `corr.extract`.
        max_keypoints: detect at most so many in each image.
        scales: as in `corr.extract`. A network may have more of them for images with few matches.
        verify: keep only matches that agree on one `homography` or one `fundamental` matrix, which
            becomes `.model`; or with `locality` those that keep their neighbours, in any scene.
        verify_px: how far a match may be from it.
        mutual: leave out what is not the nearest of its own nearest; without this several keypoints
            of image 0 may match one of image 1.
        one_to_one: of such several keep the most similar only.
        ratio: largest distance to the nearest, in distances to the second nearest; 1 switches the
            test off; the model's own when not given. A network may have a relaxed one, too, for
            images with few matches: then neighbours decide which of them are kept.
        inconsistent_px: take as the second nearest one that is farther than this from the nearest
            in image 1, so that one point detected twice does not fail the test; the model's own
            when not given.
        min_score: smallest similarity of two descriptors, at most 1.
        search: who finds nearest neighbours: `auto`, `exact`, `faiss` or `faiss-gpu`.
        rotations: for networks that do not turn what they see. `auto` matches image 0 with image 1
            turned by each of four quarters of a circle and returns the turn with most matches, in
            the pixels of the image as it was given: it describes five images instead of two. `few`
            does so only where fewer than `rotations.FEW_MATCHES` are found without, `none` never;
            the model's own when not given, where image 1 is no `Features`.
        device: where networks and the search run; the best one present when not given.

    Raises:
        ImageError: an image cannot be read or used.
        ModelError: the model is unknown or cannot be loaded.
        OptionError: an option outside what is accepted.
        ShapeError: features of two different models were given.
        MissingExtraError: faiss was asked for and is not installed.
    """
    asked = RATIO if ratio is None else ratio
    check_options(None if asked == 1 else asked, min_score, search, inconsistent_px)
    place = resolve_device(device)
    chosen = catalog.resolve(model, "match")
    if verify is not None and verify not in VERIFIERS:
        raise OptionError(f"verify '{verify}' is not known; use one of {', '.join(VERIFIERS)}")
    check_rotations(rotations)
    turning = getattr(chosen, "rotations", "none") if rotations is None else rotations
    more_scales = getattr(chosen, "more_scales", None) if scales is None else None
    if isinstance(image1, Features):
        if rotations in ("few", "auto"):
            raise OptionError(f"rotations is '{rotations}' for features; give image 1 itself")
        turning = "none"
    if isinstance(image0, Features) or isinstance(image1, Features):
        more_scales = None

    def described(image: Any, scales: Sequence[float] | None = scales) -> Features:
        if isinstance(image, Features):
            return image
        return extract(
            image, model=model, max_keypoints=max_keypoints, scales=scales, device=device
        )

    def both(scales: Sequence[float] | None = scales) -> tuple[Features, Features]:
        # One that is being trained changes its mode for each image, and so takes them in turn.
        if isinstance(chosen, DenseDescriptor) and not chosen.training and place.type == "cpu":
            return at_once(partial(described, scales=scales), image0, image1)
        return described(image0, scales), described(image1, scales)

    def matched(features1: Features, ratio: float | None = ratio) -> Matches:
        tables = [x.descriptors for x in (features0, features1)]
        _check_alike(*tables)
        apart = inconsistent_px
        if apart is None:
            apart = getattr(chosen, "inconsistent_px", None)
        least = own_ratio(chosen, tables[0].dtype) if ratio is None else ratio
        pairs, scores = match_descriptors(
            *tables,
            mutual=mutual,
            one_to_one=one_to_one,
            ratio=None if least == 1 else least,
            inconsistent_px=None if least == 1 else apart,
            keypoints1=features1.keypoints,
            min_score=min_score,
            backend=search,
            device=place,
        )
        order = np.argsort(-scores, kind="stable")
        points0 = features0.keypoints[pairs[order, 0]]
        points1 = features1.keypoints[pairs[order, 1]]
        sizes = features0.image_size, features1.image_size
        return Matches(points0, points1, scores[order], *sizes)

    features0, features1 = both()
    found = matched(features1)
    if more_scales is not None and len(found) < FEW_MATCHES:
        scales = more_scales
        features0, features1 = both(scales)
        found = max(found, matched(features1), key=len)
    view = features1
    if turning == "auto" or (turning == "few" and len(found) < FEW_MATCHES):
        picture = as_image(image1)
        for quarters in QUARTERS[1:]:
            turned = turn_back(described(turn_image(picture, quarters), scales), quarters)
            matches = matched(turned)
            if len(matches) > len(found):
                view, found = turned, matches
    relaxed = getattr(chosen, "relaxed_ratio", None) if ratio is None else None
    if relaxed is not None and len(found) < FEW_MATCHES:
        more = _local(matched(view, relaxed))
        found = more if len(more) >= max(LEAST_RELAXED, len(found)) else found
    return found if verify is None else _verified(found, verify, verify_px)


def _verified(found: Matches, verify: str, verify_px: float) -> Matches:
    if verify == LOCALITY:
        return _local(found)
    matrix, agrees = verify_matches(
        found.keypoints0, found.keypoints1, verify, threshold_px=verify_px
    )
    return replace(_chosen(found, agrees), model=matrix)


def _local(found: Matches) -> Matches:
    return _chosen(found, keep_local(found.keypoints0, found.keypoints1))


def _chosen(found: Matches, rows: Bool[np.ndarray, " N"]) -> Matches:
    return replace(
        found,
        keypoints0=found.keypoints0[rows],
        keypoints1=found.keypoints1[rows],
        scores=found.scores[rows],
    )


def own_ratio(model: str | Network, dtype: np.dtype[Any]) -> float:
    """The ratio of the ratio test when none is given."""
    if dtype == np.uint8:
        return RATIO_BINARY
    return float(getattr(model, "ratio", RATIO))


def _check_alike(
    descriptors0: Shaped[np.ndarray, "N D"], descriptors1: Shaped[np.ndarray, "M E"]
) -> None:
    tables = descriptors0, descriptors1
    if tables[0].dtype != tables[1].dtype or tables[0].shape[1] != tables[1].shape[1]:
        raise ShapeError(
            f"descriptors are {tables[0].shape[1]} {tables[0].dtype} and {tables[1].shape[1]} "
            f"{tables[1].dtype} each; extract both images with the same model"
        )
