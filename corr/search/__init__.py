"""Nearest neighbours of descriptors, anywhere: `nearest`, and what is built upon it."""

from corr.search.backends import BACKENDS
from corr.search.checks import METRICS
from corr.search.constraints import Constraint, EpipolarBand, RowBand, Window
from corr.search.exclusion import Exclusion
from corr.search.faiss_index import FaissIndex
from corr.search.interface import nearest
from corr.search.matcher import check_options, match_descriptors
from corr.search.mining import Negatives, hardest_negatives
from corr.search.neighbors import Neighbors

__all__ = [
    "BACKENDS",
    "METRICS",
    "Constraint",
    "EpipolarBand",
    "Exclusion",
    "FaissIndex",
    "Negatives",
    "Neighbors",
    "RowBand",
    "Window",
    "check_options",
    "hardest_negatives",
    "match_descriptors",
    "nearest",
]
