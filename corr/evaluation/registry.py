"""The benchmarks by name, each imported when it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corr.evaluation.benchmark import Benchmark


def _homographies(search: str) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.homographies import HomographyBenchmark, HomographyProtocol

    return HomographyBenchmark(HomographyProtocol(search=search))


def _stereo(search: str) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.stereo import StereoBenchmark, StereoProtocol

    return StereoBenchmark(StereoProtocol(search=search))


def _flow(_search: str) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.flow import FlowBenchmark

    return FlowBenchmark()


def _patches(_search: str) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.patches import PatchBenchmark

    return PatchBenchmark()


def _normalization(_search: str) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.normalization import NormalizationBenchmark

    return NormalizationBenchmark()


def _hpatches(search: str) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.hpatches import HPatchesBenchmark, HPatchesProtocol

    return HPatchesBenchmark(HPatchesProtocol(search=search))


def _brown(_search: str) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.brown import BrownBenchmark

    return BrownBenchmark()


def _retrieval(search: str) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.retrieval import RetrievalBenchmark

    return RetrievalBenchmark(search=search)


def _verification(_search: str) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.verification import VerificationBenchmark

    return VerificationBenchmark()


def _semantic(search: str) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.semantic import SemanticBenchmark, SemanticProtocol

    return SemanticBenchmark(SemanticProtocol(search=search))


BENCHMARKS: Mapping[str, Callable[[str], Benchmark[Any, Any, Any]]] = {
    "homographies": _homographies,
    "stereo": _stereo,
    "flow": _flow,
    "patches": _patches,
    "normalization": _normalization,
    "hpatches": _hpatches,
    "brown": _brown,
    "retrieval": _retrieval,
    "verification": _verification,
    "semantic": _semantic,
}
"""What is measured on data that the user has; each is told who finds nearest neighbours, where it
seeks any."""

MINI = "mini"
"""Those that work on images that come with corr, which it brings."""
