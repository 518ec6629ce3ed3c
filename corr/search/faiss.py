"""The same search by FAISS's flat indices, on the CPU or on GPUs."""

from __future__ import annotations

from types import ModuleType

import torch
import torch.nn.functional as F
from jaxtyping import Float32, Int64
from torch import Tensor

from corr.search import faiss_gpu
from corr.search.faiss_library import faiss_library
from corr.search.neighbors import Neighbors

Found = tuple[Int64[Tensor, "N K"], Float32[Tensor, "N K"]]
"""Index and scores, best first."""


def search(
    queries: Tensor, database: Tensor, k: int, metric: str, both_ways: bool, *, gpu: bool = False
) -> Neighbors:
    """The nearest rows; the arguments are those of `nearest`, checked.

    Flat indices search exhaustively. Both ways are two searches. Of equal scores at the k-th place
    any may be found; those found are in the order of their index.

    With `gpu`, CUDA tensors are searched where they are; tensors on the CPU are sharded over all
    GPUs. The result is on the queries' device.

    Raises:
        MissingExtraError: FAISS is not installed or cannot be used.
        OptionError: k is above what a GPU selects.
    """
    library = faiss_library(gpu=gpu)
    name = "faiss-gpu" if gpu else "faiss"
    tables = as_rows(queries, metric), as_rows(database, metric)
    found = flat(library, *tables, k, metric, gpu=gpu)
    reverse = None
    if both_ways:
        reverse = Neighbors(*flat(library, *tables[::-1], k, metric, gpu=gpu), backend=name)
    return Neighbors(*found, reverse, backend=name)


def as_rows(table: Tensor, metric: str) -> Tensor:
    """Contiguous rows of the type that FAISS takes; for `cosine` of unit length."""
    if metric == "hamming":
        return table.contiguous()
    table = table.float()
    if metric == "cosine":
        length = torch.linalg.vector_norm(table, dim=1, keepdim=True)
        table = torch.where((length - 1).abs() < 1e-6, table, F.normalize(table, dim=1))
    return table.contiguous()


def flat(
    library: ModuleType, queries: Tensor, database: Tensor, k: int, metric: str, *, gpu: bool
) -> Found:
    """Index and scores of the k best, of all there are where the database is smaller.

    Args:
        library: FAISS.
        queries: (N, D) from `as_rows`.
        database: (M, D) likewise.
        k: how many.
        metric: as in `nearest`.
        gpu: search on GPUs.

    Raises:
        OptionError: k is above what a GPU selects.
    """
    k = min(k, len(database))
    if k == 0 or len(queries) == 0:
        empty = torch.zeros(len(queries), k, device=queries.device)
        return empty.long(), empty
    if gpu:
        faiss_gpu.check_k(k)
    rows, columns = queries, database
    if metric == "l2":  # FAISS expands |q - d|^2, whose terms are small about the median
        centre = columns.median(0).values
        rows, columns = rows - centre, columns - centre
    by = _on_cpu
    if gpu:
        by = faiss_gpu.flat_on_device if queries.is_cuda else _on_all_gpus
    values, index = by(library, rows, columns, k, faiss_metric(library, metric))
    if metric == "l2":
        values = true_distances(queries, database, index)
    return in_order(index, -values.float() if metric == "hamming" else values)


def in_order(index: Int64[Tensor, "N K"], scores: Float32[Tensor, "N K"]) -> Found:
    """Best first; equal scores by lowest index."""
    index, order = index.sort(dim=1)
    scores, best = scores.gather(1, order).sort(dim=1, descending=True, stable=True)
    return index.gather(1, best), scores


def true_distances(
    queries: Tensor, database: Tensor, index: Int64[Tensor, "N K"]
) -> Float32[Tensor, "N K"]:
    """Minus the Euclidean distances to the rows found, computed by differences."""
    return torch.stack(
        [-torch.linalg.vector_norm(queries - database[column], dim=1) for column in index.T], dim=1
    )


def faiss_metric(library: ModuleType, metric: str) -> int | None:
    """FAISS's number for a metric of floating rows; None for bits."""
    if metric == "hamming":
        return None
    return int(library.METRIC_L2 if metric == "l2" else library.METRIC_INNER_PRODUCT)


def _on_cpu(
    library: ModuleType, rows: Tensor, columns: Tensor, k: int, metric: int | None
) -> tuple[Tensor, Tensor]:
    tables = rows.cpu().numpy(), columns.cpu().numpy()
    if metric is None:
        found = library.knn_hamming(*tables, k)
    else:
        found = library.knn(*tables, k, metric=metric)
    values, index = (torch.from_numpy(x).to(rows.device) for x in found)
    return values, index


def _on_all_gpus(
    library: ModuleType, rows: Tensor, columns: Tensor, k: int, metric: int | None
) -> tuple[Tensor, Tensor]:
    """Rows on the CPU: each GPU holds a part of the database."""
    width = rows.shape[1]
    table = (
        library.IndexBinaryFlat(8 * width) if metric is None else library.IndexFlat(width, metric)
    )
    table.add(columns.numpy())
    return faiss_gpu.search_clone(library, faiss_gpu.clone_to_gpus(library, table), rows, k, None)
