"""Brute force against exact arithmetic, and what agreement with it means."""

from fractions import Fraction

import numpy as np
import pytest
import torch

from corr.bench.descriptors import Tables, draw_tables
from corr.bench.truth import Answer, find_truth, nearest_float64


def exact_nearest(queries: torch.Tensor, database: torch.Tensor) -> list[int]:
    """By rational numbers, which do not round; `index` gives the lowest of equal ones."""
    found = []
    for query in queries.tolist():
        scores = [
            sum(Fraction(a) * Fraction(b) for a, b in zip(query, row, strict=True))
            for row in database.tolist()
        ]
        found.append(scores.index(max(scores)))
    return found


def test_brute_force_equals_rational_arithmetic():
    tables = draw_tables(60, 8)
    database = torch.cat((tables.second, tables.second[:20], tables.first))  # ties
    queries = torch.cat((tables.first, torch.zeros(1, 8)))  # equal to all
    assert nearest_float64(queries, database).tolist() == exact_nearest(queries, database)


def test_the_order_of_adding_does_not_matter():
    """Two rows of one true score, which a sum from left to right tells apart."""
    values = torch.tensor([1.0, 2.0**-53, 2.0**-53, -1.0])
    database = torch.stack((values, values[[1, 2, 0, 3]])).float()
    queries = torch.ones(1, 4)
    assert float(sum(database[1].double())) > float(sum(database[0].double()))
    assert nearest_float64(queries, database).tolist() == [0]
    assert nearest_float64(queries, database.flip(0)).tolist() == [0]


def test_only_allowed_pairs_count():
    queries, database = torch.eye(3), torch.eye(3)
    allowed = torch.tensor([[0, 1, 1], [0, 1, 0], [0, 0, 0]], dtype=torch.bool)
    assert nearest_float64(queries, database, allowed).tolist() == [1, 1, -1]


def test_bits_are_compared_by_their_difference():
    rng = np.random.default_rng(0)
    first, second = (rng.integers(0, 256, (40, 2), dtype=np.uint8) for _ in "01")
    distance = np.bitwise_count(first[:, None] ^ second).sum(-1)
    truth = find_truth(Tables("orb", torch.from_numpy(first), torch.from_numpy(second)))
    assert truth.forward.tolist() == distance.argmin(1).tolist()  # the first of equal ones
    assert truth.backward.tolist() == distance.argmin(0)[truth.columns.numpy()].tolist()


@pytest.mark.parametrize("products", [10_000_000_000, 500 * 4 * 100])
def test_agreement_counts_what_is_wrong(monkeypatch, products):
    """On all rows, and on a sample of them."""
    monkeypatch.setattr("corr.bench.truth.MAX_PRODUCTS", products)
    tables = draw_tables(500, 4)
    scores = tables.first.double() @ tables.second.double().T
    forward, backward = scores.argmax(1), scores.argmax(0)
    truth = find_truth(tables)
    assert len(truth.rows) == min(500, products // 2000)
    assert truth.agreement(Answer(forward, backward)) == 1
    partner = torch.where(backward[forward] == torch.arange(500), forward, -1)
    assert truth.agreement(Answer(partner, None)) == 1
    assert truth.agreement(Answer(forward, None)) < 0.9

    wrong = forward.clone()
    wrong[truth.rows[:10]] = (wrong[truth.rows[:10]] + 1) % 500
    num_checked = len(truth.rows) + len(truth.columns)
    expected = 1 - 10 / num_checked
    assert truth.agreement(Answer(wrong, backward)) == pytest.approx(expected)
