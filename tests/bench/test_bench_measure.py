"""Turns, rounds and what a report makes of numbers."""

import json
import time

import pytest
import torch

from corr.bench import measure as measuring
from corr.bench.measure import Method, Timing, measure
from corr.bench.report import TIMES, Column, Report, significant

CPU = torch.device("cpu")


def recorded(calls: list[str], name: str, seconds: float = 0.0) -> Method:
    def call() -> str:
        calls.append(name)
        time.sleep(seconds)
        return f"result of {name}"

    return Method(name, call)


def test_methods_take_turns_after_two_warm_ups():
    calls, shares = [], []
    timings = measure(
        [recorded(calls, "a"), recorded(calls, "b")], 3, CPU, lambda *done: shares.append(done)
    )
    assert "".join(calls) == "aabb" + "ab" * 3
    assert [len(timing.seconds) for timing in timings] == [3, 3]
    assert [timing.output for timing in timings] == ["result of a", "result of b"]
    assert shares[-1] == (10, 10)
    assert shares == sorted(shares)


def test_a_slow_method_has_fewer_rounds(monkeypatch):
    monkeypatch.setattr(measuring, "MAX_METHOD_S", 0.1)
    calls, shares = [], []
    methods = [recorded(calls, "slow", 0.2), recorded(calls, "quick")]
    slow, quick = measure(methods, 4, CPU, lambda *done: shares.append(done))
    assert (len(slow.seconds), len(quick.seconds)) == (1, 4)
    assert calls.count("slow") == 3
    assert shares[-1] == (12, 12)
    assert slow.seconds[0] >= 0.2


def test_median_and_p90():
    timing = Timing(Method("a", int), tuple(map(float, range(1, 12))), None, None)
    assert (timing.median_s, timing.p90_s) == (6, 10)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00314159, "0.00314"),
        (12.345, "12.3"),
        (2255.4, "2255"),
        (0.0, "0"),
        (float("inf"), "inf"),
    ],
)
def test_three_digits_that_count(value, text):
    assert significant(value) == text


def test_report_says_what_was_skipped_and_writes_only_json_numbers(tmp_path):
    rows = [
        {"model": "a|b", "size": 4, "num_rounds": 2, "median_s": 0.5, "p90_s": float("nan")},
        {"model": "c", "size": 8, "skipped": "it would take 70 s"},
    ]
    columns = (Column("model", "model", numeric=False), Column("size", "size"), *TIMES)
    report = Report("x", {"cores": 2}, {"sizes": [4, 8]}, columns, rows, ["a note"])
    assert report.cells(rows[1]) == ["c", "8", "-", "skipped", "-"]
    assert report.lines() == ["a note", "skipped: c 8, it would take 70 s"]
    assert [path.name for path in report.write(tmp_path)] == ["x.json", "x.md"]
    written = json.loads((tmp_path / "x.json").read_text())
    assert written["rows"][0]["median_s"] == 0.5
    assert written["rows"][0]["p90_s"] is None
    text = (tmp_path / "x.md").read_text()
    assert "| a\\|b | 4 | 2 | 0.500 | nan |" in text
    assert "cores 2" in text
    assert len(list(tmp_path.iterdir())) == 2
