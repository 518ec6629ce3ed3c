"""Scores of a descriptor within a window: cost volumes, their aggregation and read-out."""
