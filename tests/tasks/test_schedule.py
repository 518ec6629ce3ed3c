"""Warm-up and decay, by hand."""

from __future__ import annotations

import pytest

from corr.tasks.schedule import learning_rate_factor, warm_up_and_decay


def test_up_to_one_then_down_to_nought_on_straight_lines():
    factor = warm_up_and_decay(3, 8)
    expected = [0.25, 0.5, 0.75, 1.0, 0.8, 0.6, 0.4, 0.2, 0.0]
    assert [factor(step) for step in range(9)] == pytest.approx(expected)


def test_without_warm_up_the_first_step_has_the_full_rate():
    factor = warm_up_and_decay(0, 4)
    assert [factor(step) for step in range(5)] == pytest.approx([1, 0.75, 0.5, 0.25, 0])


def test_a_warm_up_longer_than_training_takes_half_of_it():
    factor = warm_up_and_decay(1000, 6)
    values = [factor(step) for step in range(6)]
    assert max(values) == values[3] == 1
    assert min(values) > 0


def test_beyond_the_end_it_stays_at_nought():
    assert warm_up_and_decay(2, 5)(50) == 0
    assert warm_up_and_decay(0, 1)(0) == 1


@pytest.mark.parametrize(
    ("schedule", "halved"), [("short", (300, 400, 500)), ("long", (200, 300, 400, 500))]
)
def test_published_schedules_halve_where_they_were_published(schedule, halved):
    """S_short of 600 thousand steps, and S_long of 1200 scaled to as many."""
    factor = learning_rate_factor(schedule, 10, 600)
    assert [factor(step) for step in (0, 4, 9)] == pytest.approx([1 / 11, 5 / 11, 10 / 11])
    for number, step in enumerate(halved):
        assert factor(step - 1) == 0.5**number
        assert factor(step) == 0.5 ** (number + 1)
    assert factor(599) == 0.5 ** len(halved)
