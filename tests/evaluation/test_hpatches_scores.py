"""HPatches' figures: worked out by hand, and as the published protocol defines them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from corr.data.hpatches_patches import LEVELS
from corr.data.hpatches_tasks import HPatchesTasks, PatchPairTable
from corr.evaluation.hpatches_scores import matching, pair_distances, retrieval, verification
from corr.metrics import average_precision, roc_area

TARGETS = range(1, 6)


def reference_area(scores: np.ndarray, labels: np.ndarray, total: int) -> float:
    """The published definition, one pair after another: trapezoids of precision over recall."""
    order = np.argsort(-scores, kind="stable")
    points, right, wrong = [(0.0, 1.0)], 0, 0
    for row in order:
        right, wrong = right + labels[row], wrong + 1 - labels[row]
        points.append((right / total, right / (right + wrong)))
    return sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points))


class TestAveragePrecision:
    def test_hand_answer(self):
        """Order + - + -: precision 1, 1, 1/2, 2/3 over recall 0, 1/2, 1/2, 1."""
        found = average_precision(np.array([0.1, 0.3]), np.array([0.2, 0.4]))
        assert found == pytest.approx(0.5 * (1 + 1) / 2 + 0.5 * (1 / 2 + 2 / 3) / 2)

    def test_it_is_that_of_the_published_loop(self):
        rng = np.random.default_rng(0)
        for _ in range(20):
            positive, negative = rng.random(9), rng.random(14)
            scores = -np.concatenate((negative, positive))
            labels = np.repeat([0, 1], [14, 9])
            expected = reference_area(scores, labels, 9)
            assert average_precision(positive, negative) == pytest.approx(expected, abs=1e-12)

    def test_positives_that_were_not_found_lower_it(self):
        assert average_precision(np.array([0.1]), np.array([]), num_positives=4) == 0.25

    def test_equal_and_missing_distances_count_against(self):
        same = np.ones(3)
        assert roc_area(same, same) == 0
        assert average_precision(same, same) < 0.4
        assert roc_area(np.array([np.nan, 0.0]), np.array([1.0])) == 0.5

    def test_roc_hand_answer(self):
        assert roc_area(np.array([1.0, 3.0]), np.array([2.0, 4.0])) == 0.75


def line(*places: float) -> np.ndarray:
    """Descriptors on a line, whose distances are easy to tell."""
    return np.array([[place, 0.0] for place in places], np.float32)


def sequence(reference: np.ndarray, *targets: np.ndarray) -> dict[str, np.ndarray]:
    """The same targets at every level."""
    described = {"ref": reference}
    for level in LEVELS:
        described |= {f"{level}{k}": target for k, target in zip(TARGETS, targets, strict=True)}
    return described


class TestByHand:
    def test_matching(self):
        """Three patches, each beside its nearest in the other image."""
        reference = line(0, 10, 20)
        wrong = line(0.1, 20.2, 9.7)
        # 0 -> 0 right at 0.1; 10 -> 9.7, the third, wrong at 0.3; 20 -> 20.2, the second, wrong.
        assert matching(sequence(reference, *[wrong] * 5))["e"] == pytest.approx(1 / 3)
        target = line(0.1, 10.3, 10.4)
        # 10 -> 10.3 right at 0.3; 20 -> 10.4 right, the nearest there is, at 9.6.
        assert matching(sequence(reference, *[target] * 5))["h"] == pytest.approx(1)
        target = line(0.3, 10.4, 10.2)
        # 0 right at 0.3; 10 -> 10.2 wrong at 0.2; 20 -> 10.4, the second, wrong at 9.6.
        expected = (0 / 1 + 1 / 2) / 2 / 3
        assert matching(sequence(reference, *[target] * 5))["t"] == pytest.approx(expected)

    def test_retrieval(self):
        """Five matches at 1 to 5; distractors of another sequence at 1.5 and 9, its own nearer."""
        own = sequence(line(0, 0.5), *(line(k, 50) for k in TARGETS))
        other = sequence(line(1.5, 9), *[line(1.5, 9)] * 5)
        nothing = PatchPairTable(np.zeros((0, 3), np.int64), np.zeros((0, 3), np.int64))
        tasks = HPatchesTasks(
            nothing, nothing, nothing,
            queries=np.array([[0, 0]]),
            distractors=np.array([[0, 1], [1, 0], [1, 1]]),
        )  # fmt: skip
        # Ranks 1, 3, 4, 5, 6 of the matches; precision before each: 1, 1/2, 2/3, 3/4, 4/5.
        before, at = [1, 1 / 2, 2 / 3, 3 / 4, 4 / 5], [1, 2 / 3, 3 / 4, 4 / 5, 5 / 6]
        expected = sum(before + at) / 2 / 5
        found = retrieval([own, other], tasks)
        assert found == {level: pytest.approx(expected) for level in LEVELS}

    def test_pools_grow(self):
        """The distractor that is nearest comes 300th: the pool of 100 has all matches first."""
        own = sequence(line(0), *(line(k) for k in TARGETS))
        places = np.full(600, 100.0)
        places[299] = 0.5
        other = sequence(line(*places), *[line(*places)] * 5)
        nothing = PatchPairTable(np.zeros((0, 3), np.int64), np.zeros((0, 3), np.int64))
        pool = np.stack((np.ones(600, np.int64), np.arange(600)), 1)
        tasks = HPatchesTasks(nothing, nothing, nothing, np.array([[0, 0]]), pool)
        late = sum(((k - 1) / k + k / (k + 1)) / 2 for k in TARGETS) / 5
        # Pools of 95, 495 and all 600 distractors.
        assert retrieval([own, other], tasks)["e"] == pytest.approx((1 + 2 * late) / 3)

    def test_verification(self):
        """Pairs of images 0 and 1: positives at 0.1 and 0.3, negatives at 0.2 and beyond."""
        first = sequence(line(0, 1), *[line(0.1, 1.3)] * 5)
        second = sequence(line(5, 0.2), *[line(5, 0.2)] * 5)
        anchor = np.array([[0, 0, 0], [0, 0, 1]] * 5)
        same = np.array([[0, 1, 0], [0, 1, 1]] * 5)
        within = np.array([[0, 1, 1], [0, 1, 0]] * 5)  # at 1.3 and 0.9
        between = np.array([[1, 2, 1], [1, 2, 0]] * 5)  # at 0.2 and 4
        tasks = HPatchesTasks(
            PatchPairTable(anchor, same), PatchPairTable(anchor, within),
            PatchPairTable(anchor, between), np.zeros((0, 2), np.int64),
            np.zeros((0, 2), np.int64),
        )  # fmt: skip
        distances = pair_distances([first, second], tasks.positives, "t")
        np.testing.assert_allclose(distances, [0.1, 0.3] * 5, rtol=1e-5)
        scores = verification([first, second], tasks)
        assert scores["balanced_within_e"] == scores["unbalanced_within_e"] == 1
        assert scores["balanced_between_h"] == pytest.approx(0.75)
        # Two of the positives are left, at 0.1 and 0.3; five negatives lie between them.
        expected = ((1 + 1) / 2 + (1 / 6 + 2 / 7) / 2) / 2
        assert scores["unbalanced_between_t"] == pytest.approx(expected)
