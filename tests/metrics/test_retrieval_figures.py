"""Retrieval figures: hand answers, a naive loop, pytorch-metric-learning and the extremes."""

import numpy as np
import pytest
import torch
from pytorch_metric_learning.distances import CosineSimilarity
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN

from corr import metrics
from corr.errors import OptionError, ShapeError
from corr.metrics import retrieval


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def clustered(num: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Descriptors of a few labels, near their label's own direction but not clear of the others."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, max(num // 6, 2), num)
    return unit(
        rng.normal(size=(labels.max() + 1, 12))[labels] + rng.normal(size=(num, 12))
    ), labels


def figures(ranks) -> list[float]:
    return [
        metrics.recall_at_k(ranks, 1),
        metrics.recall_at_k(ranks, 5),
        metrics.mean_average_precision(ranks),
        metrics.mean_average_precision_at_r(ranks),
    ]


def test_hand_answer():
    # One number each: the query 1 ranks the gallery by its value.
    gallery = np.array([[0.9], [0.8], [0.7], [0.6], [0.5]], np.float32)
    ranks = metrics.relevant_ranks(
        np.ones((1, 1), np.float32), gallery, np.array([7]), np.array([3, 7, 3, 7, 7])
    )
    assert [list(found) for found in ranks] == [[2, 4, 5]]
    assert metrics.recall_at_k(ranks, 1) == 0.0
    assert metrics.recall_at_k(ranks, 2) == 1.0
    assert metrics.mean_average_precision(ranks) == pytest.approx((1 / 2 + 2 / 4 + 3 / 5) / 3)
    assert metrics.mean_average_precision_at_r(ranks) == pytest.approx((1 / 2 + 0 + 0) / 3)


def naive(queries, gallery, query_labels, gallery_labels, leave_self_out) -> list[float]:
    recall1, recall5, precision, at_r = [], [], [], []
    for i, query in enumerate(queries.astype(float)):
        scored = [
            (float(query @ item.astype(float)), gallery_labels[j] == query_labels[i])
            for j, item in enumerate(gallery)
            if not (leave_self_out and i == j)
        ]
        relevant = [right for _, right in sorted(scored, key=lambda entry: (-entry[0], entry[1]))]
        total = sum(relevant)
        if not total:
            continue
        at = [sum(relevant[: r + 1]) / (r + 1) for r in range(len(relevant)) if relevant[r]]
        first = [sum(relevant[: r + 1]) / (r + 1) for r in range(total) if relevant[r]]
        recall1.append(any(relevant[:1]))
        recall5.append(any(relevant[:5]))
        precision.append(sum(at) / total)
        at_r.append(sum(first) / total)
    return [float(np.mean(values)) for values in (recall1, recall5, precision, at_r)]


@pytest.mark.parametrize("leave_self_out", [False, True])
def test_equals_the_naive_loop(leave_self_out, monkeypatch):
    monkeypatch.setattr(retrieval, "_QUERIES_AT_ONCE", 7)
    queries, labels = clustered(40)
    queries[5] = queries[11]  # a tie
    gallery, gallery_labels = (queries, labels) if leave_self_out else clustered(60, 1)
    ranks = metrics.relevant_ranks(
        queries, gallery, labels, gallery_labels, leave_self_out=leave_self_out
    )
    expected = naive(queries, gallery, labels, gallery_labels, leave_self_out)
    assert figures(ranks) == pytest.approx(expected, abs=1e-12)
    assert 0.2 < expected[0] < 1


def test_equals_pytorch_metric_learning():
    descriptors, labels = clustered(120, 3)
    names = ("precision_at_1", "mean_average_precision", "mean_average_precision_at_r")
    calculator = AccuracyCalculator(
        include=names, k=len(labels) - 1, knn_func=CustomKNN(CosineSimilarity())
    )
    expected = calculator.get_accuracy(
        torch.from_numpy(descriptors), torch.from_numpy(labels), ref_includes_query=True
    )
    ranks = metrics.relevant_ranks(descriptors, descriptors, labels, labels, leave_self_out=True)
    found = figures(ranks)
    assert [found[0], *found[2:]] == pytest.approx([expected[name] for name in names], abs=1e-6)


def test_perfect_and_inverted():
    labels = np.repeat(np.arange(5), 3)
    perfect = np.eye(5, dtype=np.float32)[labels]
    ranks = metrics.relevant_ranks(perfect, perfect, labels, labels, leave_self_out=True)
    assert figures(ranks) == [1.0] * 4
    ranks = metrics.relevant_ranks(-perfect, perfect, labels, labels)
    assert [list(found) for found in ranks] == [[13, 14, 15]] * 15
    assert figures(ranks)[:2] == [0.0, 0.0]
    assert metrics.mean_average_precision_at_r(ranks) == 0.0


def test_a_constant_descriptor_gains_nothing():
    labels = np.repeat(np.arange(4), 2)
    constant = np.ones((8, 3), np.float32)
    ranks = metrics.relevant_ranks(constant, constant, labels, labels, leave_self_out=True)
    assert [list(found) for found in ranks] == [[7]] * 8


def test_queries_without_anything_relevant_are_left_out():
    ranks = [np.array([1]), np.zeros(0, int)]
    assert metrics.recall_at_k(ranks, 1) == 1.0
    with pytest.raises(ShapeError, match="nothing is relevant to any of the 1 queries"):
        metrics.mean_average_precision([np.zeros(0, int)])


def test_memory_does_not_grow_with_queries_times_gallery():
    """5000 x 5000 similarities would take 200 MB in float64."""
    import tracemalloc

    rows, labels = clustered(5000, 4)
    tracemalloc.start()
    metrics.relevant_ranks(rows, rows, labels, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6


def test_refusals():
    rows, labels = clustered(6)
    with pytest.raises(ShapeError, match="queries: 6 images and 5 labels; give one label an image"):
        metrics.relevant_ranks(rows, rows, labels[:5], labels)
    with pytest.raises(ShapeError, match="12 numbers each and the gallery 3"):
        metrics.relevant_ranks(rows, rows[:, :3], labels, labels)
    with pytest.raises(ShapeError, match="6 queries and 5 in the gallery are not the same"):
        metrics.relevant_ranks(rows, rows[:5], labels, labels[:5], leave_self_out=True)
    with pytest.raises(OptionError, match="k is 0; use 1 or more"):
        metrics.recall_at_k([np.array([1])], 0)
