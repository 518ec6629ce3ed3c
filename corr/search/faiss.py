"""The same search by FAISS's flat indices, on the CPU or on GPUs."""

from __future__ import annotations

import threading
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float32, Int64
from torch import Tensor

from corr.errors import OptionError
from corr.search.faiss_library import faiss_library
from corr.search.neighbors import Neighbors

MAX_GPU_K = 2048
"""Most neighbours that FAISS selects on a GPU."""

Found = tuple[Int64[Tensor, "N K"], Float32[Tensor, "N K"]]
"""Index and scores, best first."""

_local = threading.local()


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
    if gpu and k > MAX_GPU_K:
        raise OptionError(
            f"k is {k}, and FAISS finds at most {MAX_GPU_K} neighbours on a GPU; use a smaller k, "
            "or search 'exact' or 'faiss'"
        )
    rows, columns = queries, database
    if metric == "l2":  # FAISS expands |q - d|^2, whose terms are small about the median
        centre = columns.median(0).values
        rows, columns = rows - centre, columns - centre
    by = _on_cpu
    if gpu:
        by = _on_device if queries.is_cuda else _on_all_gpus
    values, index = by(library, rows, columns, k, metric)
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


def gpu_resources(library: ModuleType, device: int) -> Any:
    """FAISS's temporary memory on a GPU: slow to make, so kept; not to be shared by threads."""
    kept: dict[int, Any] = _local.__dict__.setdefault("resources", {})
    if device not in kept:
        kept[device] = library.StandardGpuResources()
    return kept[device]


def faiss_metric(library: ModuleType, metric: str) -> int:
    """FAISS's number for a metric of floating rows."""
    return int(library.METRIC_L2 if metric == "l2" else library.METRIC_INNER_PRODUCT)


def _on_cpu(
    library: ModuleType, rows: Tensor, columns: Tensor, k: int, metric: str
) -> tuple[Tensor, Tensor]:
    tables = rows.cpu().numpy(), columns.cpu().numpy()
    if metric == "hamming":
        found = library.knn_hamming(*tables, k)
    else:
        found = library.knn(*tables, k, metric=faiss_metric(library, metric))
    values, index = (torch.from_numpy(x).to(rows.device) for x in found)
    return values, index.long()


def _on_device(
    library: ModuleType, rows: Tensor, columns: Tensor, k: int, metric: str
) -> tuple[Tensor, Tensor]:
    """On the GPU that holds the rows, without a copy to the host."""
    device = rows.device.index
    resources = gpu_resources(library, device)
    with torch.cuda.device(device):  # FAISS orders its work on this device's current stream
        if metric != "hamming":
            by = faiss_metric(library, metric)
            found = library.knn_gpu(resources, rows, columns, k, metric=by, device=device)
            return found[0], found[1]
        config = library.GpuIndexBinaryFlatConfig()
        config.device = device
        index = library.GpuIndexBinaryFlat(resources, 8 * rows.shape[1], config)
        return search_bits(index, resources, rows, k, columns)


def search_bits(
    index: Any, resources: Any, rows: Tensor, k: int, columns: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    """Search a binary index on a GPU by CUDA rows, after adding `columns`; distances and index.

    FAISS's bridge to torch has no binary indices, so the pointers are passed here.
    """
    from faiss.contrib import torch_utils as bridge

    values = torch.empty(len(rows), k, dtype=torch.int32, device=rows.device)
    places = torch.empty(len(rows), k, dtype=torch.int64, device=rows.device)
    with bridge.using_stream(resources):
        if columns is not None:
            index.add_c(len(columns), bridge.swig_ptr_from_UInt8Tensor(columns))
        index.search_c(
            len(rows),
            bridge.swig_ptr_from_UInt8Tensor(rows),
            k,
            bridge.swig_ptr_from_IntTensor(values),
            bridge.swig_ptr_from_IndicesTensor(places),
        )
    return values, places


def _on_all_gpus(
    library: ModuleType, rows: Tensor, columns: Tensor, k: int, metric: str
) -> tuple[Tensor, Tensor]:
    """Rows on the CPU: each GPU holds a part of the database."""
    width = rows.shape[1]
    if metric == "hamming":
        table = library.IndexBinaryFlat(8 * width)
    else:
        table = library.IndexFlat(width, faiss_metric(library, metric))
    table.add(columns.numpy())
    options = library.GpuMultipleClonerOptions()
    options.shard = True
    shards = library.index_cpu_to_all_gpus(table, co=options)
    values, index = (torch.from_numpy(x) for x in shards.search(rows.numpy(), k))
    return values, index
