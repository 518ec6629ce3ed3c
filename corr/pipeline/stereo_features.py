"""The similarity of a network's descriptors as a stereo cost."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from corr.errors import ModelError
from corr.extractors.dense import dense_descriptors
from corr.extractors.dense_tiles import describe_cells
from corr.formats.images import to_tensor
from corr.geometry import to_grey
from corr.machine.precision import multiplies_bfloat16
from corr.models.census_descriptor import CensusDescriptor
from corr.models.network import DenseDescriptor, Network, PatchDescriptor
from corr.pipeline.stereo_candidates import find_candidates, scatter
from corr.volume.correlation import correlate_rows
from corr.volume.sgm import FLOAT_LEVELS
from corr.volume.strips import RowsCost

PATCH_SIDE = 10.0
"""Side of the image region that a descriptor of a stereo pair covers, px: smaller ones take longer
and follow the edges of things better."""

EVERY = 2
"""Only each so many-th descriptor is computed, in x and in y; the others are interpolated."""

PRESET = "descriptors"
"""Settings that suit the cost, which is `FLOAT_LEVELS` for opposite vectors."""

CENSUS_PRESET = "learned-census"
"""Those for descriptors that are as sharp as a census."""

UNSEEN_COST = 40
"""Cost of a match outside the right image, as of an ordinary match."""

BAND = 32
"""Rows of the image that are scored at once."""


def feature_rows(
    network: Network,
    left: UInt8[np.ndarray, "H W 3"],
    right: UInt8[np.ndarray, "H W 3"],
    max_disparity: int,
    device: torch.device,
    *,
    search: str = "auto",
    candidates: int | None = None,
) -> RowsCost:
    """The cost volume of a pair by rows: `FLOAT_LEVELS * (1 - cosine) / 2`.

    The descriptors are read on a coarser grid and interpolated to each pixel.

    Args:
        network: describes patches, or every place of an image.
        left: left image.
        right: right image, of the same size.
        max_disparity: disparities 0 to this minus 1.
        device: where the network runs.
        search: who finds the candidates of a pixel; `auto` scores every disparity.
        candidates: of each pixel.

    Raises:
        MissingExtraError: FAISS was asked for and cannot be used.
        ModelError: the network describes neither.
    """
    if not isinstance(network, (PatchDescriptor, DenseDescriptor)):
        raise ModelError(
            f"{type(network).__name__} describes neither patches nor every place of an image, and "
            "so cannot score a stereo pair; use a network such as HardNet, or model 'census'"
        )
    width = left.shape[1]
    unseen = np.arange(max_disparity) > np.arange(width)[:, None]
    was_training = network.training
    with torch.inference_mode():
        network.to(device).eval()
        spacing = _spacing(network)
        # Maps as large as the images are kept in half the memory, in which they are compared.
        kept = torch.bfloat16 if spacing == 1 else torch.float32
        coarse_left, coarse_right = (
            _described(network, to_tensor(view).to(device)).to(kept) for view in (left, right)
        )
        network.train(was_training)

    @torch.inference_mode()
    def rows(top: int, bottom: int) -> UInt8[np.ndarray, "H W D"]:
        cost = np.empty((bottom - top, width, max_disparity), np.uint8)
        for start in range(top, bottom, BAND):
            stop = min(start + BAND, bottom)
            cost[start - top : stop - top] = _band(
                _rows(coarse_left, spacing, start, stop, width),
                _rows(coarse_right, spacing, start, stop, width),
                max_disparity,
                search=search,
                candidates=candidates,
            )
        _price_unseen(cost, unseen)
        return cost

    return rows


def _price_unseen(cost: UInt8[np.ndarray, "H W D"], unseen: Bool[np.ndarray, "W D"]) -> None:
    """Write the cost of matches outside the right image.

    Where all that is seen costs the same, as before a view without content, so does what is not:
    nothing is preferred, and the map has no confidence there.
    """
    columns = slice(0, int(unseen.any(1).sum()))  # the first ones
    seen, outside = cost[:, columns], unseen[columns]
    lowest = np.where(outside, 255, seen).min(2, keepdims=True)
    highest = np.where(outside, 0, seen).max(2, keepdims=True)
    price = np.where(lowest == highest, highest, np.minimum(highest, UNSEEN_COST))
    np.copyto(seen, price.astype(np.uint8), where=outside)


def preset_name(network: Network) -> str:
    """Settings that suit the cost of a network."""
    return CENSUS_PRESET if isinstance(network, CensusDescriptor) else PRESET


def _band(
    left: Float[Tensor, "C H W"],
    right: Float[Tensor, "C H W"],
    max_disparity: int,
    *,
    search: str,
    candidates: int | None,
) -> UInt8[np.ndarray, "H W D"]:
    """The costs of a few rows: of all disparities, or of the candidates that a search finds."""
    if search == "auto":
        # The error of bfloat16 is that of half a level of the cost.
        kind = torch.bfloat16 if multiplies_bfloat16(left.device.type) else torch.float32
        left, right = left.to(kind), right.to(kind)
        scores = correlate_rows(left, right, max_disparity).float()
        return _cost(scores).cpu().numpy()
    found = find_candidates(
        left.float().permute(1, 2, 0),
        right.float().permute(1, 2, 0),
        max_disparity,
        search=search,
        candidates=candidates,
        metric="cosine",
    )
    return scatter(found, max_disparity, _cost)


def _cost(scores: Float[Tensor, "H W _"]) -> UInt8[Tensor, "H W _"]:
    return ((1 - scores) * (FLOAT_LEVELS / 2)).round_().clamp_(0, FLOAT_LEVELS).to(torch.uint8)


def _described(
    network: PatchDescriptor | DenseDescriptor, image: Float[Tensor, "1 3 H W"]
) -> Float[Tensor, "1 D Hs Ws"]:
    """Unit-length vectors, one every `_spacing` px."""
    if isinstance(network, DenseDescriptor):
        return describe_cells(image, network)
    return dense_descriptors(network, to_grey(image), patch_side=PATCH_SIDE, every=EVERY)


def _spacing(network: PatchDescriptor | DenseDescriptor) -> float:
    return float(network.stride) if isinstance(network, DenseDescriptor) else EVERY * PATCH_SIDE / 8


def _rows(
    coarse: Float[Tensor, "1 D Hs Ws"], spacing: float, top: int, bottom: int, width: int
) -> Float[Tensor, "D _ W"]:
    """Unit-length vectors at the pixels of some rows of the image."""
    if spacing == 1:
        return coarse[0, :, top:bottom]
    rows = _interpolate(coarse[0], 1, torch.arange(top, bottom), spacing)
    return F.normalize(_interpolate(rows, 2, torch.arange(width), spacing), dim=0)


def _interpolate(coarse: Tensor, axis: int, pixels: Tensor, spacing: float) -> Tensor:
    """A coarse map read along one axis at pixels of the image; the border repeats."""
    last = coarse.shape[axis] - 1
    place = ((pixels + 0.5) / spacing - 0.5).clamp(0, last).to(coarse.device)
    before = place.floor().long()
    after = (before + 1).clamp(max=last)
    share = (place - before).view([-1 if k == axis else 1 for k in range(3)])
    return torch.lerp(coarse.index_select(axis, before), coarse.index_select(axis, after), share)
