"""One threshold for the patches of many pairs, from the counts that each pair keeps."""

import numpy as np
import pytest

from corr.evaluation.aggregation import score_table
from corr.evaluation.pooled import count_distances, no_distances, pooled_fpr95
from corr.metrics import fpr95


def drawn(rng, num, positive, negative, num_negatives=100_000):
    first = rng.normal(positive, 0.15, num).clip(0, 2)
    return first, rng.normal(negative, 0.1, num_negatives).clip(0, 2)


def pooled(pairs):
    return pooled_fpr95(score_table([count_distances(*pair) for pair in pairs]))


def test_pairs_of_one_size_are_one_set():
    rng = np.random.default_rng(0)
    pairs = [drawn(rng, 3000, positive, 1.35) for positive in (0.5, 0.6, 0.7, 0.8, 1.1)]
    together = [np.concatenate(side) for side in zip(*pairs, strict=True)]
    exact = fpr95(*together)
    assert 0.005 < exact < 0.5
    assert pooled(pairs) == pytest.approx(exact, rel=0.05)
    mean = np.mean([fpr95(*pair) for pair in pairs])
    assert abs(mean - exact) > 0.1 * exact  # is another figure


def test_a_pair_counts_by_its_positives():
    """Ten times the patches of the easy pair, however many its negatives."""
    rng = np.random.default_rng(1)
    easy, hard = drawn(rng, 4000, 0.4, 1.4, 1_000_000), drawn(rng, 400, 1.2, 1.4)
    threshold = np.sort(np.concatenate((easy[0], hard[0])))[int(0.95 * 4400)]
    rates = [np.mean(pair[1] <= threshold) for pair in (easy, hard)]
    assert pooled([easy, hard]) == pytest.approx(np.average(rates, weights=[4000, 400]), rel=0.1)


def test_extremes_and_failures():
    rng = np.random.default_rng(2)
    near, far = rng.uniform(0, 0.3, 50), rng.uniform(1.2, 1.6, 2000)
    assert pooled([(near, far)]) == 0
    assert pooled([(far[:50], near)]) == 1
    assert pooled([(np.full(50, np.nan), far)]) == pytest.approx(1, abs=0.02)
    failed = score_table([no_distances()] * 3)
    assert pooled_fpr95(failed) == 1


def test_samples_of_the_pairs():
    rng = np.random.default_rng(3)
    pairs = [drawn(rng, 60, positive, 1.2) for positive in (0.4, 0.9)]
    table = score_table([count_distances(*pair) for pair in pairs])
    samples = np.array([[0, 0], [0, 1], [1, 1]])
    found = pooled_fpr95({key: values[samples] for key, values in table.items()})
    expected = [pooled([pairs[i] for i in sample]) for sample in samples]
    np.testing.assert_allclose(found, expected)
    assert found[0] < found[1] < found[2]
