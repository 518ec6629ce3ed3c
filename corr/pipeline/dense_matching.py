"""Two images -> for each place of the first the place of the second that looks like it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float, Float32
from torch import Tensor

from corr.errors import OptionError
from corr.extractors.dense_tiles import read_points
from corr.extractors.surroundings import AROUND, read_surroundings
from corr.formats import as_image, to_tensor
from corr.geometry import cell_centres, pixel_grid
from corr.models.network import Network
from corr.pipeline import catalog
from corr.pipeline.cell_peaks import find_cell_peaks
from corr.resources import resolve_device
from corr.results import DenseMatches
from corr.search import Exclusion, check_options, nearest

OTHER_PLACE_PX = 16.0
"""The runner-up is the most similar place farther than this from the match."""

LEAST_GAP = 0.01
"""A runner-up more similar than 1 less this counts as just so: rounding makes no confidence."""

ROUND_TRIP_STRIDES = 2
"""How far from its start the way there and back may end when no limit is given, in strides."""


@torch.no_grad()
def match_dense(
    image0: Any,
    image1: Any,
    *,
    model: str | Path | Network | None = None,
    stride: int | None = None,
    support_px: int | None = None,
    mutual: bool = True,
    round_trip_px: float | None = None,
    min_score: float | None = None,
    search: str = "auto",
    device: str | torch.device | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> DenseMatches:
    """For each place of image 0 the place of image 1 with the most similar descriptor, anywhere.

    It is found among all cells of image 1, then placed between them where the descriptor read there
    is most similar, see `corr.pipeline.cell_peaks`. The images may differ in size.

    The confidence of a match of similarity `s` whose runner-up, the best place of image 1 more than
    `OTHER_PLACE_PX` away, has similarity `r` is `(s - r) / (1 - r)`: 1 for equal descriptors, 0
    where two places are as similar, or image 1 has no other place. It is 1 less the square of
    Lowe's ratio of distances.

    Args:
        image0: as in `corr.extract`.
        image1: likewise.
        model: a folder that training wrote, or a loaded network, of the kind that describes every
            place of an image, such as `corr.models.UniversalCorrespondenceNetwork`.
        stride: px from one place of image 0 to the next; the network's own when not given. Below
            it, down to 1, descriptors are read between those of the network.
        support_px: how far around a place is looked at, too: its similarity is the mean of its own
            and of those so far right, left, below and above; 0 for nowhere, the network's own when
            not given.
        mutual: leave out places to which the way back does not return: from the cell matched, to
            the place of image 0 most similar to it.
        round_trip_px: how far from its start the way there and back may end, px; twice the stride
            or the network's, the larger one, when not given.
        min_score: leave out matches of a similarity below this, at most 1.
        search: who finds nearest neighbours: `auto`, `exact`, `faiss` or `faiss-gpu`.
        device: where the network and the search run; where a loaded network is, or else the best
            one present, when not given.
        on_progress: told the share of the search that is done, now and then.

    Raises:
        ImageError: an image cannot be read or used.
        ModelError: the model is unknown, or does not describe every place of an image.
        OptionError: an option outside what is accepted.
        MissingExtraError: faiss was asked for and is not installed.
    """
    _check(stride, support_px, mutual, round_trip_px)
    check_options(None, min_score, search)
    network = catalog.resolve_dense(model)
    if device is not None or network is not model:
        network = network.to(resolve_device(device))
    place = next((p.device for p in network.parameters()), torch.device("cpu"))
    views = as_image(image0), as_image(image1)
    size0, size1 = (view.shape[:2] for view in views)
    step = network.stride if stride is None else stride
    pixels0, pixels1 = (to_tensor(view).to(place) for view in views)
    places = cell_centres(size0, step)
    points = places.flatten(0, 1).to(place)
    support = network.support_px if support_px is None else support_px
    centres = _cell_centres(size1, network.stride).to(place)
    queries, database = (
        read_surroundings(partial(read_points, seen, network), where, support)
        for seen, where in ((pixels0, points), (pixels1, centres))
    )
    del pixels0, pixels1
    columns = -(-size1[1] // network.stride)
    found = nearest(
        queries,
        database,
        metric="dot",
        both_ways=mutual,
        backend=search,
        on_progress=on_progress and (lambda share: on_progress(share / 2)),
    )
    best, similarity = found.index[:, 0], found.scores[:, 0]
    keep = torch.ones_like(best, dtype=torch.bool)
    if min_score is not None:
        keep &= similarity >= min_score
    if found.reverse is not None:
        limit = round_trip_px
        if limit is None:
            limit = ROUND_TRIP_STRIDES * max(step, network.stride)
        back = points[found.reverse.index[best, 0]]
        keep &= torch.linalg.vector_norm(back - points, dim=1) <= limit
    rows = keep.nonzero().flatten()
    best = best[rows]
    confidence = torch.zeros_like(similarity)
    flow = points.new_full((len(points), 2), torch.nan)
    if len(rows):
        cell = torch.stack((best % columns, best // columns), dim=1)
        own, cells = (_own(table, network.descriptor_dim) for table in (queries[rows], database))
        peaks = find_cell_peaks(own, cells.view(-1, columns, network.descriptor_dim), cell)
        target = (peaks + 0.5) * network.stride - 0.5
        edge = target.new_tensor([size1[1] - 1, size1[0] - 1])
        flow[rows] = target.clamp_min(0).minimum(edge) - points[rows]
        others = nearest(
            queries[rows],
            database,
            metric="dot",
            constraint=Exclusion(points0=centres[best], points1=centres, radius=OTHER_PLACE_PX),
            backend=search,
            on_progress=on_progress and (lambda share: on_progress((1 + share) / 2)),
        )
        confidence[rows] = match_confidence(similarity[rows], others.scores[:, 0])
    grid = places.shape[:2]
    return DenseMatches(
        flow.view(*grid, 2).cpu().numpy(),
        confidence.view(grid).cpu().numpy(),
        step,
        (size0[0], size0[1]),
        (size1[0], size1[1]),
    )


def match_confidence(
    similarity: Float[Tensor, " N"], runner_up: Float[Tensor, " N"]
) -> Float32[Tensor, " N"]:
    """In [0, 1]: rises with the similarity of a match, falls with that of its runner-up.

    Args:
        similarity: cosines.
        runner_up: cosines of the best other place; -inf where there is none.
    """
    gap = (1 - runner_up).clamp_min(LEAST_GAP)
    share = ((similarity - runner_up) / gap).clamp(0, 1).float()
    return torch.where(runner_up.isfinite(), share, 0.0)


def _cell_centres(size: tuple[int, ...], stride: int) -> Float[Tensor, "M 2"]:
    """Of all cells, those that the border cuts too, row by row, px."""
    rows, columns = (-(-side // stride) for side in size)
    return (pixel_grid(rows, columns).reshape(-1, 2) + 0.5) * stride - 0.5


def _own(joined: Float[Tensor, "N E"], length: int) -> Float[Tensor, "N D"]:
    """The descriptors of the places themselves, of `read_surroundings`."""
    return joined if joined.shape[1] == length else joined[:, :length] * len(AROUND) ** 0.5


def _check(
    stride: int | None, support_px: int | None, mutual: bool, round_trip_px: float | None
) -> None:
    if stride is not None and stride < 1:
        raise OptionError(f"stride is {stride}; use 1 px or more")
    if support_px is not None and support_px < 0:
        raise OptionError(f"support_px is {support_px}; use 0 px or more")
    if round_trip_px is not None and not round_trip_px >= 0:
        raise OptionError(f"round_trip_px is {round_trip_px}; use 0 px or more")
    if round_trip_px is not None and not mutual:
        raise OptionError(
            f"round_trip_px is {round_trip_px}, and mutual, which it is for, is off; use one"
        )
