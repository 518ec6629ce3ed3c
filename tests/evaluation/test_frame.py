"""The frame on a benchmark small enough to score by hand: guess the length of a word."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from corr import evaluation
from corr.errors import DatasetError, MissingExtraError, ModelError, OptionError
from corr.evaluation.benchmark import Benchmark, Column
from corr.evaluation.frame import run_benchmark
from corr.evaluation.report import protocol_hash


class WordLength(Benchmark[str, str, int, int]):
    name = "words"
    columns = (Column("error", ("error",)), Column("right %", ("right", "right"), 100.0, 0))

    def __init__(self):
        self.calls = []

    @property
    def protocol(self):
        return {"unit": "letters"}

    def items(self, root):
        return root.read_text().split()

    def label(self, item):
        return item

    def group(self, item):
        return item[0]

    def check(self, model):
        if not model.isdigit():
            raise ModelError(f"model '{model}' is no number")

    def prepare(self, model):
        return int(model)

    def read(self, item):
        if item == "bad":
            raise DatasetError("this word is damaged\nand more")
        return item

    def run(self, model, inputs):
        self.calls.append((model, inputs))
        return model

    def score(self, item, inputs, output):
        error = abs(len(inputs) - output)
        return {"error": float(error), "right": float(error == 0)}

    def worst(self):
        return {"error": float("inf"), "right": 0.0}

    def aggregate(self, scores):
        return {key: sum(s[key] for s in scores) / len(scores) for key in scores[0]}


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "words.txt"
    path.write_text("apple ant bee")
    return path


@pytest.fixture
def console() -> Console:
    return Console(record=True, width=160, file=io.StringIO())


def test_rows_are_groups_then_all_for_each_model(words, console):
    report = run_benchmark(WordLength(), words, ["3", "5", "3"], console=console)
    assert [(r.model, r.group, r.num_items, dict(r.scores)) for r in report.rows] == [
        ("3", "a", 2, {"error": 1.0, "right": 0.5}),
        ("3", "b", 1, {"error": 0.0, "right": 1.0}),
        ("3", "all", 3, {"error": 2 / 3, "right": 2 / 3}),
        ("5", "a", 2, {"error": 1.0, "right": 0.5}),
        ("5", "b", 1, {"error": 2.0, "right": 0.0}),
        ("5", "all", 3, {"error": 4 / 3, "right": 1 / 3}),
    ]


def test_each_model_is_warmed_up_once(words, console):
    benchmark = WordLength()
    run_benchmark(benchmark, words, ["3", "5"], console=console)
    expected = ["apple", "apple", "ant", "bee"]
    assert benchmark.calls == [(3, w) for w in expected] + [(5, w) for w in expected]


def test_a_failed_item_is_listed_counted_worst_and_does_not_stop(tmp_path, console):
    path = tmp_path / "words.txt"
    path.write_text("bad bee ant")
    report = run_benchmark(WordLength(), path, ["3"], tmp_path / "out", console=console)
    whole = report.rows[-1]
    assert (whole.num_items, whole.num_failed) == (3, 1)
    assert whole.scores == {"error": float("inf"), "right": 2 / 3}
    assert report.failures() == ["3, bad: DatasetError: this word is damaged"]
    assert "failed: 3, bad: DatasetError: this word is damaged" in console.export_text()
    assert "- 3, bad: DatasetError" in (tmp_path / "out" / "words.md").read_text()
    stored = json.loads((tmp_path / "out" / "words.json").read_text())
    assert stored["items"]["3"][0]["scores"] == {"error": None, "right": 0.0}
    assert stored["items"]["3"][0]["time_s"] is None


def test_json_and_markdown(words, tmp_path, console):
    out = tmp_path / "deep" / "out"
    report = run_benchmark(WordLength(), words, ["3"], out, console=console)
    assert sorted(path.name for path in out.iterdir()) == ["words.json", "words.md"]
    stored = json.loads((out / "words.json").read_text())
    assert stored["protocol"] == {"unit": "letters"}
    assert stored["protocol_hash"] == report.protocol_hash
    assert stored["environment"]["numpy"]
    items = [(i["item"], i["group"], i["scores"]["error"]) for i in stored["items"]["3"]]
    assert items == [("apple", "a", 2.0), ("ant", "a", 0.0), ("bee", "b", 0.0)]
    text = (out / "words.md").read_text()
    assert "| model | of | items | error | right % | s |" in text
    assert "| 3 | all | 3 | 0.7 | 67/67 | " in text
    assert "- unit: letters" in text


def test_table_and_protocol_are_shown(words, console):
    run_benchmark(WordLength(), words, ["3"], console=console)
    text = console.export_text()
    assert f"Protocol {protocol_hash('words', {'unit': 'letters'})}" in text
    assert "unit: letters" in text
    assert "67/67" in text


def test_hash_follows_the_protocol_and_not_its_order():
    first = protocol_hash("words", {"a": 1, "b": [1, 2]})
    assert first == protocol_hash("words", {"b": [1, 2], "a": 1})
    assert first != protocol_hash("words", {"a": 2, "b": [1, 2]})
    assert first != protocol_hash("other", {"a": 1, "b": [1, 2]})


class TestRefusals:
    def test_nothing_runs_when_one_model_is_unknown(self, words, console):
        benchmark = WordLength()
        with pytest.raises(ModelError, match="model 'x' is no number"):
            run_benchmark(benchmark, words, ["3", "x"], console=console)
        assert benchmark.calls == []

    def test_no_models(self, words, console):
        with pytest.raises(OptionError, match="no models were given"):
            run_benchmark(WordLength(), words, [], console=console)

    def test_folder_that_is_a_file_is_refused_before_running(self, words, console):
        benchmark = WordLength()
        with pytest.raises(OptionError, match=r"words.txt' cannot be made"):
            run_benchmark(benchmark, words, ["3"], words, console=console)
        assert benchmark.calls == []

    def test_a_model_whose_package_is_missing_ends_the_run(self, words, console):
        class Lacking(WordLength):
            def run(self, model, inputs):
                raise MissingExtraError("needs a package")

        with pytest.raises(MissingExtraError, match="needs a package"):
            run_benchmark(Lacking(), words, ["3"], console=console)

    def test_unknown_benchmark(self, tmp_path):
        with pytest.raises(OptionError, match="benchmark 'hpatch' is not known; use homographies"):
            evaluation.run("hpatch", tmp_path, ["sift"])
