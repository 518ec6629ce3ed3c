"""Nearest neighbours of descriptors, anywhere: `nearest`, and `match_descriptors` upon it."""

from corr.search.interface import BACKENDS, METRICS, nearest
from corr.search.matcher import check_options, match_descriptors
from corr.search.neighbors import Neighbors

__all__ = ["BACKENDS", "METRICS", "Neighbors", "check_options", "match_descriptors", "nearest"]
