"""Find what corresponds between two images: learn descriptors, match, measure disparity and flow.

Every name is loaded when it is first used, so `import corr` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corr.errors import CorrError
    from corr.models.saved import load_network
    from corr.pipeline.dense_matching import match_dense
    from corr.pipeline.embedding import embed
    from corr.pipeline.extraction import extract
    from corr.pipeline.matching import match
    from corr.pipeline.optical_flow import flow
    from corr.pipeline.retrieval import retrieve
    from corr.pipeline.stereo import disparity
    from corr.pipeline.transfer import transfer
    from corr.results import (
        DenseMatches,
        DisparityMap,
        Embeddings,
        Features,
        FlowField,
        Matches,
        Ranking,
    )

    __version__: str

__all__ = [
    "CorrError",
    "DenseMatches",
    "DisparityMap",
    "Embeddings",
    "Features",
    "FlowField",
    "Matches",
    "Ranking",
    "__version__",
    "disparity",
    "embed",
    "extract",
    "flow",
    "load_network",
    "match",
    "match_dense",
    "retrieve",
    "transfer",
]

_HOMES = {
    "CorrError": "corr.errors",
    "DenseMatches": "corr.results",
    "DisparityMap": "corr.results",
    "Embeddings": "corr.results",
    "Features": "corr.results",
    "FlowField": "corr.results",
    "Matches": "corr.results",
    "Ranking": "corr.results",
    "disparity": "corr.pipeline.stereo",
    "embed": "corr.pipeline.embedding",
    "extract": "corr.pipeline.extraction",
    "flow": "corr.pipeline.optical_flow",
    "load_network": "corr.models.saved",
    "match": "corr.pipeline.matching",
    "match_dense": "corr.pipeline.dense_matching",
    "retrieve": "corr.pipeline.retrieval",
    "transfer": "corr.pipeline.transfer",
}

if not TYPE_CHECKING:

    def __getattr__(name):
        if name == "__version__":
            from importlib.metadata import version

            value = version("corr-toolkit")
        elif name in _HOMES:
            value = getattr(import_module(_HOMES[name]), name)
        else:
            raise AttributeError(f"module 'corr' has no attribute '{name}'")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
