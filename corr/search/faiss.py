"""The same search by faiss, on the CPU."""

from __future__ import annotations

from types import ModuleType

import torch
from torch import Tensor

from corr.errors import MissingExtraError
from corr.search.neighbors import Neighbors


def search(queries: Tensor, database: Tensor, k: int, metric: str, both_ways: bool) -> Neighbors:
    """The nearest rows; the arguments are those of `nearest`, checked.

    Flat indices search exhaustively. Both ways are two searches, and of equal scores any may win.

    Raises:
        MissingExtraError: faiss is not installed.
    """
    library = _library()
    forward = _one_way(library, queries, database, k, metric)
    reverse = _one_way(library, database, queries, k, metric) if both_ways else None
    return Neighbors(forward.index, forward.scores, reverse)


def _one_way(
    library: ModuleType, queries: Tensor, database: Tensor, k: int, metric: str
) -> Neighbors:
    k = min(k, len(database))
    if k == 0 or len(queries) == 0:
        empty = torch.zeros(len(queries), k, device=queries.device)
        return Neighbors(empty.long(), empty)
    kind = torch.uint8 if metric == "hamming" else torch.float32
    rows, columns = (x.to("cpu", kind).contiguous().numpy() for x in (queries, database))
    width = rows.shape[1]
    if metric == "hamming":
        table = library.IndexBinaryFlat(8 * width)
    else:
        table = library.IndexFlatIP(width) if metric == "dot" else library.IndexFlatL2(width)
    table.add(columns)
    values, index = (torch.from_numpy(x).to(queries.device) for x in table.search(rows, k))
    if metric == "l2":
        values = -values.clamp_min(0).sqrt()
    elif metric == "hamming":
        values = -values.float()
    return Neighbors(index, values)


def _library() -> ModuleType:
    try:
        import faiss
    except ImportError as error:
        raise MissingExtraError(
            "search 'faiss' needs faiss, which is not installed; run: pip install corr-toolkit[cpu]"
        ) from error
    library: ModuleType = faiss
    return library
