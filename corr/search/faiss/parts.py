"""What a FAISS index is made of: how many vectors train it, and what may be set for a search."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

from corr.errors import OptionError

PER_CENTROID = 39
"""Training vectors for each centroid, below which FAISS calls a clustering poor."""


def parts(library: ModuleType, index: Any) -> Iterator[Any]:
    """The index and those inside it, each of its own class."""
    binary = isinstance(index, library.IndexBinary)
    part = (library.downcast_IndexBinary if binary else library.downcast_index)(index)
    yield part
    for name in ("index", "base_index", "quantizer"):
        inner = getattr(part, name, None)
        if isinstance(inner, library.IndexBinary if binary else library.Index):
            yield from parts(library, inner)


def num_centroids(library: ModuleType, index: Any) -> int:
    """Centroids of its largest clustering: the fewest vectors that can train it."""
    counts = [0]
    for part in parts(library, index):
        counts.append(getattr(part, "nlist", 0))
        counts.append(part.pq.ksub if hasattr(part, "pq") else 0)
        counts += [256 for step in _transforms(library, part) if hasattr(step, "niter_pq")]
    return max(counts)


def prepare(library: ModuleType, index: Any) -> None:
    """Set what trains an index without FAISS's print about few vectors (we say it), and sooner.

    The factory string also orders codes for a search by Hamming distance (polysemous codes), which
    takes most of the training's time and which no search here uses.
    """
    for part in parts(library, index):
        if hasattr(part, "do_polysemous_training"):
            part.do_polysemous_training = False
        for clustered in (part, getattr(part, "pq", part)):
            if hasattr(clustered, "cp"):
                clustered.cp.min_points_per_centroid = 1
        for step in _transforms(library, part):
            if hasattr(step, "niter_pq"):  # OPQ clusters with a quantizer of its own
                quantizer = library.ProductQuantizer(step.d_out, step.M, 8)
                quantizer.cp.min_points_per_centroid = 1
                quantizer.cp.niter = step.niter_pq
                step.pq = quantizer
                library.add_to_referenced_objects(step, quantizer)


def search_parameters(library: ModuleType, index: Any, given: Mapping[str, int]) -> Any:
    """FAISS's object that holds such settings for one search; None where none are given.

    Raises:
        OptionError: a name that this index does not know, or a value below 1.
    """
    if not given:
        return None
    for name, value in given.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise OptionError(f"{name} is {value}; use a whole number of 1 or more")
    known: list[str] = []
    built = _build(library, index, given, known)
    if unknown := sorted(set(given) - set(known)):
        accepted = ", ".join(known) or "none"
        raise OptionError(
            f"parameter '{unknown[0]}' does not fit this index; it accepts: {accepted}"
        )
    return built


def _build(library: ModuleType, index: Any, given: Mapping[str, int], known: list[str]) -> Any:
    part = next(parts(library, index))
    if isinstance(part, library.IndexPreTransform):
        inner = _build(library, part.index, given, known)
        return library.SearchParametersPreTransform(index_params=inner)
    if isinstance(part, library.IndexRefine):
        known.append("k_factor")
        return library.IndexRefineSearchParameters(
            k_factor=given.get("k_factor", part.k_factor),
            base_index_params=_build(library, part.base_index, given, known),
        )
    if hasattr(part, "nlist"):
        known.append("nprobe")
        lists = {"nprobe": given.get("nprobe", part.nprobe)}
        inner = _build(library, part.quantizer, given, known)
        if inner is not None:
            lists["quantizer_params"] = inner
        return library.SearchParametersIVF(**lists)
    if hasattr(part, "hnsw"):
        known.append("efSearch")
        candidates = given.get("efSearch", part.hnsw.efSearch)
        return library.SearchParametersHNSW(efSearch=candidates)
    return None


def _transforms(library: ModuleType, part: Any) -> list[Any]:
    """What an index does to its vectors first, such as OPQ."""
    if not isinstance(part, library.IndexPreTransform):
        return []
    return [library.downcast_VectorTransform(part.chain.at(k)) for k in range(part.chain.size())]
