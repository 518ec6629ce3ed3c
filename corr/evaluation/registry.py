"""The benchmarks by name, each imported when it is used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from corr.evaluation.benchmark import Benchmark


@dataclass(frozen=True)
class Choices:
    """What the command line lets one choose for every benchmark that can tell the difference."""

    search: str = "auto"
    """Who finds nearest neighbours."""
    rotations: str = "own"
    """When image 1 is also matched turned by quarters, as in `corr match`."""
    flips: str = "none"
    """Whether image 1 is also seen mirrored, as in `corr transfer`."""
    refine: str = "own"
    """How a flow is refined, as in `corr flow`."""


def _homographies(choices: Choices) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.homographies import HomographyBenchmark, HomographyProtocol

    return HomographyBenchmark(
        HomographyProtocol(search=choices.search, rotations=choices.rotations)
    )


def _pose(choices: Choices) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.pose import PoseBenchmark, PoseProtocol

    return PoseBenchmark(PoseProtocol(search=choices.search, rotations=choices.rotations))


def _pck(choices: Choices) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.pck import PckBenchmark, PckProtocol

    return PckBenchmark(PckProtocol(search=choices.search))


def _invariance(choices: Choices) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.invariance import InvarianceBenchmark, InvarianceProtocol

    return InvarianceBenchmark(
        InvarianceProtocol(search=choices.search, rotations=choices.rotations)
    )


def _unrelated(choices: Choices) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.unrelated import UnrelatedBenchmark, UnrelatedProtocol

    return UnrelatedBenchmark(UnrelatedProtocol(search=choices.search, rotations=choices.rotations))


def _stereo(choices: Choices) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.stereo import StereoBenchmark, StereoProtocol

    return StereoBenchmark(StereoProtocol(search=choices.search))


def _flow(choices: Choices) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.flow import FlowBenchmark, FlowProtocol

    return FlowBenchmark(FlowProtocol(refine=choices.refine))


def _patches(_choices: Choices) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.patches import PatchBenchmark

    return PatchBenchmark()


def _normalization(_choices: Choices) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.normalization import NormalizationBenchmark

    return NormalizationBenchmark()


def _hpatches(choices: Choices) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.hpatches import HPatchesBenchmark, HPatchesProtocol

    return HPatchesBenchmark(HPatchesProtocol(search=choices.search))


def _brown(_choices: Choices) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.brown import BrownBenchmark

    return BrownBenchmark()


def _retrieval(choices: Choices) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.retrieval import RetrievalBenchmark

    return RetrievalBenchmark(search=choices.search)


def _verification(_choices: Choices) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.verification import VerificationBenchmark

    return VerificationBenchmark()


def _semantic(choices: Choices) -> Benchmark[Any, Any, Any]:
    from corr.evaluation.semantic import SemanticBenchmark, SemanticProtocol

    return SemanticBenchmark(SemanticProtocol(search=choices.search, flips=choices.flips))


BENCHMARKS: Mapping[str, Callable[[Choices], Benchmark[Any, Any, Any]]] = {
    "homographies": _homographies,
    "pose": _pose,
    "pck": _pck,
    "invariance": _invariance,
    "unrelated": _unrelated,
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
"""What is measured; each is told what the command line chose, and takes what concerns it."""

MIRRORING = ("semantic",)
"""Those that compare things of one kind, which may face opposite sides."""

TURNING = ("homographies", "pose", "invariance", "unrelated")
"""Those that match whole images, and so can turn them."""

REFINING = ("flow",)
"""Those whose results `corr.pipeline.flow_refinement` can refine."""

MINI = "mini"
"""Those that work on images that come with corr, which it brings."""
