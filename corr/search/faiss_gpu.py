"""FAISS on GPUs: torch's CUDA tensors are searched where they are, others over all GPUs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from corr.errors import OptionError

MAX_K = 2048
"""Most neighbours that FAISS selects on a GPU."""

_local = threading.local()


def check_k(k: int) -> None:
    """Refuse more neighbours than FAISS selects on a GPU.

    Raises:
        OptionError: says how many it does.
    """
    if k > MAX_K:
        raise OptionError(
            f"k is {k}, and FAISS finds at most {MAX_K} neighbours on a GPU; use a smaller k, "
            "or search 'exact' or 'faiss'"
        )


def resources(library: ModuleType, device: int) -> Any:
    """FAISS's temporary memory on a GPU: slow to make, so kept; not to be shared by threads."""
    kept: dict[int, Any] = _local.__dict__.setdefault("resources", {})
    if device not in kept:
        kept[device] = library.StandardGpuResources()
    return kept[device]


def flat_on_device(
    library: ModuleType, rows: Tensor, columns: Tensor, k: int, metric: int | None
) -> tuple[Tensor, Tensor]:
    """Exact search on the GPU that holds the rows, without a copy to the host.

    Args:
        library: FAISS with its bridge to torch, see `faiss_library`.
        rows: (N, D) CUDA, float32, or uint8 bits.
        columns: (M, D) likewise.
        k: how many, at most M and `MAX_K`.
        metric: FAISS's number for it; None for bits.

    Returns:
        FAISS's distances or products (N, k), and the index (N, k).
    """
    device = rows.device.index
    own = resources(library, device)
    with torch.cuda.device(device):  # FAISS orders its work on this device's current stream
        if metric is not None:
            values, index = library.knn_gpu(own, rows, columns, k, metric=metric, device=device)
            return values, index
        config = library.GpuIndexBinaryFlatConfig()
        config.device = device
        return _bits_on_device(
            library.GpuIndexBinaryFlat(own, 8 * rows.shape[1], config), own, rows, columns, k
        )


def _bits_on_device(
    index: Any, own: Any, rows: Tensor, columns: Tensor, k: int
) -> tuple[Tensor, Tensor]:
    """FAISS's bridge to torch leaves out binary indices, so the pointers are passed here."""
    from faiss.contrib import torch_utils as bridge

    values = torch.empty(len(rows), k, dtype=torch.int32, device=rows.device)
    places = torch.empty(len(rows), k, dtype=torch.int64, device=rows.device)
    with bridge.using_stream(own):
        index.add_c(len(columns), bridge.swig_ptr_from_UInt8Tensor(columns))
        index.search_c(
            len(rows),
            bridge.swig_ptr_from_UInt8Tensor(rows),
            k,
            bridge.swig_ptr_from_IntTensor(values),
            bridge.swig_ptr_from_IndicesTensor(places),
        )
    return values, places


def clone_to_gpus(library: ModuleType, index: Any, devices: Sequence[int] | None = None) -> Any:
    """A copy of an index on GPUs, all that there are when none are named; each holds a part.

    Raises:
        OptionError: a device that is not there, or an index of a kind that FAISS has not on GPUs.
    """
    count = library.get_num_gpus()
    chosen = list(range(count)) if devices is None else list(devices)
    if not chosen or any(not 0 <= device < count for device in chosen):
        raise OptionError(f"GPUs {chosen} were asked for; use some of {list(range(count))}")
    options = library.GpuMultipleClonerOptions()
    options.shard = True
    try:
        return library.index_cpu_to_gpus_list(index, co=options, gpus=chosen)
    except RuntimeError as error:
        raise OptionError(
            f"FAISS has no {type(index).__name__} on a GPU; use one such as Flat, IVF4096,Flat or "
            "IVF1024,PQ32"
        ) from error


def search_clone(
    library: ModuleType, index: Any, rows: Tensor, k: int, nprobe: int | None
) -> tuple[Tensor, Tensor]:
    """Search what `clone_to_gpus` made; CUDA rows on a single GPU's index are not copied.

    Args:
        library: FAISS.
        index: on GPUs.
        rows: (N, D) on any device, float32, or uint8 bits.
        k: how many.
        nprobe: lists to read of an inverted file; None where it is none.
    """
    check_k(k)
    if nprobe is not None:
        library.GpuParameterSpace().set_index_parameter(index, "nprobe", nprobe)
    single = hasattr(index, "getDevice") and rows.is_cuda
    if single and rows.device.index == index.getDevice() and rows.dtype != torch.uint8:
        with torch.cuda.device(rows.device):
            values, places = index.search(rows, k)
            return values, places
    values, places = (torch.from_numpy(x) for x in index.search(rows.cpu().numpy(), k))
    return values.to(rows.device), places.to(rows.device)
