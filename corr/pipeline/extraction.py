"""Image -> keypoints and descriptors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Shaped, UInt8

from corr.classical.binary import akaze, orb
from corr.classical.keypoints import Keypoints
from corr.classical.sift import describe_sift
from corr.errors import ModelError, OptionError
from corr.extractors.dense_keypoints import check_scales, extract_dense
from corr.extractors.keypoints import detect_keypoints, given_keypoints, grey_image
from corr.extractors.patches import describe_keypoints
from corr.formats import as_image
from corr.models.network import DenseDescriptor, Network, PatchDescriptor
from corr.pipeline import catalog
from corr.resources import resolve_device
from corr.results import Features

BINARY = {"orb": orb, "akaze": akaze}
"""Methods that find and describe keypoints in one step."""


def extract(
    image: Any,
    *,
    model: str | Path | Network | None = None,
    keypoints: Any = None,
    max_keypoints: int = 2048,
    scales: Sequence[float] | None = None,
    device: str | torch.device | None = None,
) -> Features:
    """Keypoints of an image, best first, and what describes them.

    Their angle is the detector's; that of a network which looks for the orientation itself, such as
    `hardnet-stn`, is the one it found.

    Args:
        image: a path, a uint8 array `(H, W, 3)` RGB or `(H, W)`, or a float tensor `(3, H, W)` in
            [0, 1].
        model: a name that `corr models` lists, a folder that training wrote, or a loaded network;
            `rootsift` when not given.
        keypoints: describe these, in their order, instead of detecting any: `Features`, or points
            (N, 2) in pixels, which are described upright at `extractors.keypoints.GIVEN_SCALE`.
        max_keypoints: detect at most so many.
        scales: for a dense network that finds its own keypoints: look in the image resized by each
            of these factors, and keep the best keypoints of all; the network's own when not given.
            Other models look at all scales themselves.
        device: where a network runs; where it is, or else the best one present, when not given.

    Raises:
        ImageError: the image cannot be read or used.
        ModelError: the model is unknown, does not describe given keypoints, or takes no scales.
        OptionError: an option outside what is accepted.
    """
    check_max_keypoints(max_keypoints)
    chosen = catalog.resolve(model, "extract")
    factors = check_scales(getattr(chosen, "scales", (1.0,)) if scales is None else scales)
    if scales is not None and factors != (1.0,):
        _check_takes_scales(chosen, factors, keypoints)
    picture = as_image(image)
    if isinstance(chosen, str) and chosen in BINARY:
        if keypoints is not None:
            raise ModelError(
                f"model '{chosen}' finds its own keypoints; leave `keypoints` out, or use sift, "
                "rootsift or a network"
            )
        return _features(*BINARY[chosen](grey_image(picture), max_keypoints), picture)
    if isinstance(chosen, DenseDescriptor):
        if device is not None or chosen is not model:
            chosen = chosen.to(resolve_device(device))
        return _features(*_dense(chosen, picture, keypoints, max_keypoints, factors), picture)
    if keypoints is None:
        oriented = not getattr(chosen, "upright", False)
        placed = detect_keypoints(picture, max_keypoints, oriented=oriented)
    else:
        placed = given_keypoints(keypoints, picture.shape[:2])
    if isinstance(chosen, str):
        root = chosen == "rootsift"
        return _features(placed, describe_sift(grey_image(picture), placed, root=root), picture)
    network = place_network(chosen, device, loaded_by_caller=chosen is model)
    return _features(*describe_keypoints(picture, placed, network), picture)


def _dense(
    network: DenseDescriptor,
    picture: UInt8[np.ndarray, "H W 3"],
    keypoints: Any,
    max_keypoints: int,
    scales: Sequence[float],
) -> tuple[Keypoints, Shaped[np.ndarray, "N D"]]:
    """Keypoints of the caller, of the network's own, or of SIFT where it finds none itself."""
    given = None if keypoints is None else given_keypoints(keypoints, picture.shape[:2])
    if given is None and not network.finds_keypoints:
        given = detect_keypoints(picture, max_keypoints, oriented=False)
    return extract_dense(picture, network, max_keypoints, given, scales)


def _check_takes_scales(chosen: str | Network, scales: Sequence[float], keypoints: Any) -> None:
    """Refuse to look at several scales with what does not find keypoints in one pass."""
    asked = f"scales are {', '.join(f'{factor:g}' for factor in scales)}, and"
    if keypoints is not None:
        raise OptionError(f"{asked} keypoints are given, too; give one of the two")
    if not (isinstance(chosen, DenseDescriptor) and chosen.finds_keypoints):
        name = f"model '{chosen}'" if isinstance(chosen, str) else f"a {type(chosen).__name__}"
        raise ModelError(
            f"{asked} {name} takes none: they are for dense networks that find their own "
            "keypoints, and other models look at all scales; leave `scales` out"
        )


def check_max_keypoints(max_keypoints: int) -> None:
    """Refuse to look for fewer than one keypoint.

    Raises:
        OptionError: says so.
    """
    if max_keypoints < 1:
        raise OptionError(f"max_keypoints is {max_keypoints}; use 1 or more")


def place_network(
    network: Network, device: str | torch.device | None, *, loaded_by_caller: bool
) -> PatchDescriptor:
    """The network on the device to run on.

    Raises:
        ModelError: it does not describe patches.
    """
    if not isinstance(network, PatchDescriptor):
        raise ModelError(
            f"a network of type {type(network).__name__} does not describe keypoints; "
            f"use a patch descriptor, or one of {', '.join(catalog.names('extract'))}"
        )
    if device is None and loaded_by_caller:
        return network
    return network.to(resolve_device(device))


def _features(
    keypoints: Keypoints,
    descriptors: Shaped[np.ndarray, "N D"],
    picture: UInt8[np.ndarray, "H W 3"],
) -> Features:
    return Features(
        keypoints.points,
        descriptors,
        keypoints.scores,
        keypoints.scale,
        keypoints.angle_deg,
        picture.shape[:2],
    )
