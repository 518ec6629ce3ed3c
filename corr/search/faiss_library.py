"""The FAISS package, or one sentence that says why it cannot be used."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType

from corr.errors import MissingExtraError
from corr.search import faiss_probe

TO_GPU = "run: pip uninstall faiss-cpu, then pip install corr-toolkit[gpu]"


def faiss_library(*, gpu: bool = False) -> ModuleType:
    """The module `faiss`; with `gpu`, one that takes torch's CUDA tensors as they are.

    Raises:
        MissingExtraError: it is not installed, does not work on this machine, or, with `gpu`, was
            built without CUDA or finds no CUDA device.
    """
    location = _location(gpu)
    if sys.modules.get("faiss") is None:  # what runs already needs no proof
        _check(location, gpu=False)
    try:
        import faiss
    except Exception as error:  # a wheel without its CUDA libraries raises RuntimeError
        raise MissingExtraError(
            f"faiss at '{location}' cannot be loaded: {error}; use backend 'exact'"
        ) from error
    library: ModuleType = faiss
    if gpu:
        _check_gpu(library)
        _check(location, gpu=True)
        # Its methods then also take torch tensors, ordered on torch's own CUDA stream.
        import faiss.contrib.torch_utils
    return library


def _location(gpu: bool) -> str:
    loaded = sys.modules.get("faiss")
    spec = loaded.__spec__ if loaded is not None else find_spec("faiss")
    if spec is None or spec.origin is None:
        name, extra = ("faiss-gpu", "gpu") if gpu else ("faiss", "cpu")
        raise MissingExtraError(
            f"search '{name}' needs faiss, which is not installed; "
            f"run: pip install corr-toolkit[{extra}]"
        )
    return spec.origin


def _check(location: str, *, gpu: bool) -> None:
    if found := faiss_probe.trouble(location, gpu):
        raise MissingExtraError(
            f"the faiss installed at '{location}' {found}; use backend 'exact', or install a build "
            "of faiss for this machine"
        )


def _check_gpu(library: ModuleType) -> None:
    import torch

    if not hasattr(library, "StandardGpuResources"):
        raise MissingExtraError(
            f"search 'faiss-gpu' needs a faiss built for CUDA, and the one installed "
            f"({library.__version__}) is for the CPU only; {TO_GPU}"
        )
    if not torch.cuda.is_available() or library.get_num_gpus() == 0:
        raise MissingExtraError(
            "search 'faiss-gpu' needs a CUDA device, and none is present; use 'faiss' or 'exact'"
        )
