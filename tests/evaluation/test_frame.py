"""The frame around a benchmark: rows, files, intervals, memory, refusals."""

import csv
import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from word_length import WordLength, calls, evaluated

from corr import evaluation
from corr.errors import MissingExtraError, ModelError, OptionError
from corr.evaluation import measure
from corr.evaluation.frame import run_benchmark
from corr.evaluation.report import protocol_hash

pytestmark = pytest.mark.usefixtures("one_run")


def test_rows_are_groups_then_all_for_each_model(words, cache, console):
    report = run_benchmark(WordLength(), words, ["3", "5", "3"], cache, console=console)
    assert [(r.model, r.group, r.num_items, dict(r.scores)) for r in report.rows] == [
        ("3", "a", 2, {"error": 1.0, "right": 0.5}),
        ("3", "b", 1, {"error": 0.0, "right": 1.0}),
        ("3", "all", 3, {"error": 2 / 3, "right": 2 / 3}),
        ("5", "a", 2, {"error": 1.0, "right": 0.5}),
        ("5", "b", 1, {"error": 2.0, "right": 0.0}),
        ("5", "all", 3, {"error": 4 / 3, "right": 1 / 3}),
    ]


def test_each_model_is_warmed_up_once(words, cache, console):
    benchmark = WordLength()
    run_benchmark(benchmark, words, ["3", "5"], cache, console=console)
    once = ["apple", "ant", "bee"]
    assert benchmark.calls[:4] == [("3", "apple")] * 2 + [("5", "apple")] * 2
    assert benchmark.calls[4:] == [(model, word) for word in once[1:] for model in ("3", "5")]


def test_a_failed_item_is_listed_counted_worst_and_does_not_stop(tmp_path, cache, capsys):
    path = tmp_path / "words.txt"
    path.write_text("bad bee ant")
    report = evaluated(path, ["3"], cache, tmp_path / "out")
    whole = report.row("3")
    assert (whole.num_items, whole.num_failed) == (3, 1)
    assert whole.scores == {"error": float("inf"), "right": 2 / 3}
    assert report.failures() == ["3, bad: DatasetError: this word is damaged"]
    assert "failed: 3, bad: DatasetError: this word is damaged" in capsys.readouterr().out
    assert "- 3, bad: DatasetError" in (tmp_path / "out" / "words.md").read_text()
    assert "Failed: 3, bad: DatasetError" in (tmp_path / "out" / "words.html").read_text()
    stored = json.loads((tmp_path / "out" / "words.json").read_text())
    assert stored["items"]["3"][0]["scores"] == {"error": None, "right": 0.0}
    assert stored["items"]["3"][0]["time_s"] is None


def test_files(words, tmp_path, cache, capsys):
    out = tmp_path / "deep" / "out"
    report = evaluated(words, ["3"], cache, out)
    names = sorted(path.name for path in out.iterdir())
    assert names == ["words.csv", "words.html", "words.json", "words.md"]
    stored = json.loads((out / "words.json").read_text())
    assert stored["protocol"] == {"unit": "letters"}
    assert stored["protocol_hash"] == report.protocol_hash
    assert stored["environment"]["numpy"]
    assert stored["commit"] == report.commit
    items = [(i["item"], i["group"], i["scores"]["error"]) for i in stored["items"]["3"]]
    assert items == [("apple", "a", 2.0), ("ant", "a", 0.0), ("bee", "b", 0.0)]
    assert all(i["time_s"] >= 0 and i["memory_mb"] >= 0 for i in stored["items"]["3"])
    text = (out / "words.md").read_text()
    assert "| model | of | items | error | right % | s | x 3 | MiB |" in text
    assert "| 3 | all | 3 | 0.7 | 67/67 | " in text
    assert "- unit: letters" in text
    lines = list(csv.DictReader((out / "words.csv").read_text().splitlines()))
    assert [(line["group"], line["error"]) for line in lines] == [
        ("a", "1"),
        ("b", "0"),
        ("all", "0.666666667"),
    ]
    assert (lines[1]["right_low"], lines[2]["error_low"]) == ("", "0")
    shown = capsys.readouterr().out
    assert f"words, protocol {protocol_hash('words', {'unit': 'letters'})}" in shown
    assert "unit: letters" in shown
    assert "67/67" in shown


def test_commit_is_that_of_the_checkout(words, cache):
    checkout = Path(evaluation.__file__).parents[2]
    if not (checkout / ".git").exists():
        pytest.skip("corr does not run from a git checkout")
    command = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    head = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert evaluated(words, ["3"], cache).commit.removesuffix("+") == head


class TestRows:
    def test_items(self, words, cache):
        cells = list(evaluated(words, ["3"], cache).cells("item"))
        assert [row[1] for row in cells] == ["apple", "ant", "bee", "all", "± 95 %"]

    def test_groups_unless_they_are_many(self, tmp_path, cache):
        few, many = tmp_path / "few.txt", tmp_path / "many.txt"
        few.write_text("ant bee")
        many.write_text(" ".join("abcdefghijk"))
        assert [row[1] for row in evaluated(few, ["3"], cache).cells()][:2] == ["a", "b"]
        assert [row[1] for row in evaluated(many, ["3"], cache).cells()] == ["all", "± 95 %"]
        assert len(list(evaluated(many, ["3"], cache).cells("group"))) == 13

    def test_ratio_to_the_baseline(self, words, cache):
        cells = list(evaluated(words, ["5", "3"], cache).cells("all"))
        assert cells[2][-2] == "1.0"


def test_the_interval_is_that_of_the_mean(tmp_path, cache):
    """Of 400 words, half of them right, the share is known within 1.96 * sqrt(0.25 / 400)."""
    path = tmp_path / "words.txt"
    path.write_text(" ".join(f"{n:03}" if n % 2 else f"{n:04}" for n in range(400)))
    low, high = evaluated(path, ["3"], cache).row("3").intervals["right"]
    assert (high - low) / 2 == pytest.approx(0.049, abs=0.005)
    assert low < 0.5 < high


def test_models_share_what_is_read(words, cache):
    benchmark = WordLength()
    evaluated(words, ["3", "5"], cache, benchmark=benchmark)
    assert benchmark.reads == ["apple", "ant", "bee"]


def test_memory_is_the_peak_beyond_the_start(words, cache):
    class Hungry(WordLength):
        def run(self, model, inputs):
            np.ones(25_000_000).sum()
            return super().run(model, inputs)

    results = evaluated(words, ["3"], cache, benchmark=Hungry()).items["3"]
    if results[0].memory_mb is None:
        pytest.skip("this system does not say how much memory was used at most")
    assert [result.memory_mb for result in results] == pytest.approx([190.7] * 3, abs=10)


def test_quick_models_run_several_times_for_the_median(words, cache, monkeypatch):
    monkeypatch.setattr(measure, "MAX_RUNS", 5)
    assert len(calls(words, ["3"], cache, WordLength())) == 1 + 3 * 5


def test_hash_follows_the_protocol_and_not_its_order():
    first = protocol_hash("words", {"a": 1, "b": [1, 2]})
    assert first == protocol_hash("words", {"b": [1, 2], "a": 1})
    assert first != protocol_hash("words", {"a": 2, "b": [1, 2]})
    assert first != protocol_hash("other", {"a": 1, "b": [1, 2]})


class TestRefusals:
    def test_nothing_runs_when_one_model_is_unknown(self, words, cache, console):
        benchmark = WordLength()
        with pytest.raises(ModelError, match="model 'x' is no number"):
            run_benchmark(benchmark, words, ["3", "x"], cache, console=console)
        assert benchmark.calls == []

    def test_no_models(self, words, cache, console):
        with pytest.raises(OptionError, match="no models were given"):
            run_benchmark(WordLength(), words, [], cache, console=console)

    def test_folder_that_is_a_file_is_refused_before_running(self, words, cache, console):
        benchmark = WordLength()
        with pytest.raises(OptionError, match=r"words.txt' cannot be made"):
            evaluated(words, ["3"], cache, words, benchmark)
        assert benchmark.calls == []

    def test_a_model_whose_package_is_missing_ends_the_run(self, words, cache, console):
        class Lacking(WordLength):
            def run(self, model, inputs):
                raise MissingExtraError("needs a package")

        with pytest.raises(MissingExtraError, match="needs a package"):
            run_benchmark(Lacking(), words, ["3"], cache, console=console)

    def test_unknown_benchmark(self, tmp_path):
        with pytest.raises(OptionError, match="benchmark 'hpatch' is not known; use homographies"):
            evaluation.run("hpatch", tmp_path, ["sift"])
