"""Who finds mutual nearest neighbours: our search with each of its backends, and the field's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor

from corr.bench.truth import Answer
from corr.errors import OptionError
from corr.search import BACKENDS, Neighbors, nearest


@dataclass(frozen=True)
class Searcher:
    """One way to find what is nearest in both directions, of two tables as in `Tables`."""

    name: str
    search: Callable[[Tensor, Tensor], Any]
    """The part that is timed."""
    answer: Callable[[Any, int], Answer]
    """Reads its result, given the number of queries."""
    bytes_a_pair: int = 0
    """Memory that a pair of rows takes, of those that build the whole matrix."""
    cpu_only: bool = False
    takes_bits: bool = True


def _by_corr(backend: str) -> Searcher:
    with_second = not backend.startswith("faiss")

    def search(queries: Tensor, database: Tensor) -> Neighbors:
        return nearest(
            queries,
            database,
            metric="hamming" if queries.dtype == torch.uint8 else "dot",
            both_ways=True,
            return_second=with_second,
            backend=backend,
        )

    return Searcher(backend, search, _read_neighbors)


def _read_neighbors(found: Neighbors, _num_queries: int) -> Answer:
    back = found.reverse
    assert back is not None  # both ways were asked for
    rescored = found.num_rescored + back.num_rescored if found.backend == "exact" else None
    return Answer(found.index[:, 0], back.index[:, 0], rescored, found.backend)


def _cv2_search(queries: Tensor, database: Tensor) -> Any:
    import cv2

    norm = cv2.NORM_HAMMING if queries.dtype == torch.uint8 else cv2.NORM_L2
    return cv2.BFMatcher(norm, crossCheck=True).match(queries.numpy(), database.numpy())


def _cv2_answer(found: Any, num_queries: int) -> Answer:
    pairs = [(match.queryIdx, match.trainIdx) for match in found]
    return _from_pairs(torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2), num_queries)


def _kornia_search(queries: Tensor, database: Tensor) -> Any:
    from kornia.feature import match_mnn

    return match_mnn(queries, database)[1]


def _torch_search(queries: Tensor, database: Tensor) -> Any:
    distance = torch.cdist(queries, database)
    return tuple(distance.topk(1, dim=side, largest=False).indices for side in (1, 0))


def _from_pairs(pairs: Tensor, num_queries: int) -> Answer:
    forward = torch.full((num_queries,), -1, dtype=torch.int64)
    forward[pairs[:, 0].cpu()] = pairs[:, 1].cpu()
    return Answer(forward, None)


SEARCHERS = {
    **{name: _by_corr(name) for name in BACKENDS},
    "cv2": Searcher("cv2", _cv2_search, _cv2_answer, cpu_only=True),
    "kornia": Searcher("kornia", _kornia_search, _from_pairs, bytes_a_pair=4, takes_bits=False),
    "torch": Searcher(
        "torch",
        _torch_search,
        lambda found, _: Answer(found[0].flatten(), found[1].flatten()),
        bytes_a_pair=4,
        takes_bits=False,
    ),
}

LEGEND = (
    "exact: corr, both directions with second best; faiss: two flat searches with k=1; "
    "cv2: BFMatcher(crossCheck); kornia: match_mnn; torch: cdist and topk"
)


def choose(names: list[str] | None) -> list[Searcher]:
    """The searchers of these names, or those of this installation that suit a CPU.

    Raises:
        OptionError: a name is not known.
    """
    if names is None:
        faiss = ["faiss"] if find_spec("faiss") else []
        names = ["exact", *faiss, "cv2", "kornia", "torch"]
    for name in names:
        if name not in SEARCHERS:
            raise OptionError(f"backend '{name}' is not known; use some of {', '.join(SEARCHERS)}")
    return [SEARCHERS[name] for name in names]
