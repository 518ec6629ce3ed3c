"""How well a ranking by similarity finds what shows the same thing.

All figures come from the ranks of the relevant items: 1 is the best answer. Of equal similarities
the relevant one comes last, so that a constant descriptor gains nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float, Int

from corr.errors import OptionError, ShapeError

Ranks = Sequence[Int[np.ndarray, " _"]]
"""Of each query the ranks of all that is relevant to it, ascending from 1; perhaps none."""

_QUERIES_AT_ONCE = 128
"""Similarities that are held at once, in galleries."""


def relevant_ranks(
    queries: Float[np.ndarray, "N D"],
    gallery: Float[np.ndarray, "M _"],
    query_labels: Int[np.ndarray, " _"],
    gallery_labels: Int[np.ndarray, " _"],
    *,
    leave_self_out: bool = False,
) -> list[Int[np.ndarray, " _"]]:
    """The ranks of the relevant items of each query, by inner product in float64.

    Memory grows with the gallery and with the relevant pairs, not with N x M.

    Args:
        queries: descriptors, of unit length where the cosine is meant.
        gallery: likewise.
        query_labels: what each query shows.
        gallery_labels: what each item of the gallery shows; relevant is what has the same label.
        leave_self_out: queries and gallery are the same table, and no query finds itself.

    Raises:
        ShapeError: labels of another number, descriptors of another length, or two tables of
            different size where they should be the same.
    """
    _check(queries, gallery, query_labels, gallery_labels, leave_self_out)
    whole = gallery.astype(np.float64).T
    ranks = []
    for start, block in _blocks(queries):
        for row, similarity in enumerate(block.astype(np.float64) @ whole, start):
            relevant = gallery_labels == query_labels[row]
            others = ~relevant
            if leave_self_out:
                relevant[row] = False
            above = np.sort(similarity[others])
            found = np.sort(similarity[relevant])[::-1]
            num_above = len(above) - np.searchsorted(above, found, side="left")
            ranks.append(num_above + np.arange(1, len(found) + 1))
    return ranks


def recall_at_k(ranks: Ranks, k: int) -> float:
    """Share of the queries with something relevant among their first `k` answers.

    Queries to which nothing is relevant are left out, here and below.

    Raises:
        OptionError: `k` is below 1.
        ShapeError: nothing is relevant to any query.

    Source: Jegou 2011, "Product quantization for nearest neighbor search", section V (recall@R).
    """
    if k < 1:
        raise OptionError(f"k is {k}; use 1 or more")
    return float(np.mean([found[0] <= k for found in _with_relevant(ranks)]))


def mean_average_precision(ranks: Ranks) -> float:
    """Mean over the queries of the precision at each relevant item, over the whole ranking.

    Raises:
        ShapeError: nothing is relevant to any query.

    Source: Manning 2008, "Introduction to Information Retrieval", equation 8.3.
    """
    return float(np.mean([np.mean(_precision(found)) for found in _with_relevant(ranks)]))


def mean_average_precision_at_r(ranks: Ranks) -> float:
    """The same, of the first R answers only, where R items are relevant; the others count 0.

    Raises:
        ShapeError: nothing is relevant to any query.

    Source: Musgrave 2020, "A Metric Learning Reality Check", section 3.2.
    """
    values = [
        np.mean(np.where(found <= len(found), _precision(found), 0.0))
        for found in _with_relevant(ranks)
    ]
    return float(np.mean(values))


def _precision(found: Int[np.ndarray, " R"]) -> Float[np.ndarray, " R"]:
    precision: Float[np.ndarray, " R"] = np.arange(1, len(found) + 1) / found
    return precision


def _with_relevant(ranks: Ranks) -> list[Int[np.ndarray, " _"]]:
    kept = [found for found in ranks if len(found)]
    if not kept:
        raise ShapeError(
            f"nothing is relevant to any of the {len(ranks)} queries; give two images or more of "
            "at least one label"
        )
    return kept


def _blocks(queries: Float[np.ndarray, "N D"]) -> Iterator[tuple[int, Float[np.ndarray, "_ D"]]]:
    for start in range(0, len(queries), _QUERIES_AT_ONCE):
        yield start, queries[start : start + _QUERIES_AT_ONCE]


def _check(
    queries: np.ndarray,
    gallery: np.ndarray,
    query_labels: np.ndarray,
    gallery_labels: np.ndarray,
    leave_self_out: bool,
) -> None:
    sides = (("queries", queries, query_labels), ("gallery", gallery, gallery_labels))
    for name, table, labels in sides:
        if len(table) != len(labels):
            raise ShapeError(
                f"{name}: {len(table)} images and {len(labels)} labels; give one label an image"
            )
    if queries.shape[1] != gallery.shape[1]:
        raise ShapeError(
            f"queries have {queries.shape[1]} numbers each and the gallery {gallery.shape[1]}; "
            "describe both by the same model"
        )
    if leave_self_out and len(queries) != len(gallery):
        raise ShapeError(
            f"{len(queries)} queries and {len(gallery)} in the gallery are not the same images"
        )
