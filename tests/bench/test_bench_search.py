"""`corr bench search` as it is typed: its numbers agree with each other; no time fails a test."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from corr.bench.descriptors import draw_tables
from corr.bench.searchers import SEARCHERS
from corr.cli import main
from corr.search import nearest


@pytest.fixture(autouse=True)
def small_probe(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("corr.bench.rates.PROBE", 256)
    monkeypatch.setattr("corr.bench.large.PROBE", 256)


def bench(*arguments: str, name: str = "search") -> dict:
    assert main(["bench", "search", *arguments, "--device", "cpu", "--out", "report"]) == 0
    return json.loads(Path(f"report/{name}.json").read_text(encoding="utf-8"))


def check(row: dict) -> None:
    """What has to hold between the numbers of a row, however long they took."""
    operations = 2 * row["n"] * row["m"] * row["d"]
    assert row["gflops"] == pytest.approx(operations / row["median_s"] / 1e9)
    assert 0 < row["median_s"] <= row["p90_s"]
    assert row["agreement"] == 1
    assert row["peak_bytes"] is None or row["peak_bytes"] >= 0
    if row["backend"] == "exact":
        assert row["rescored"] == row["num_rescored"] / (row["n"] + row["m"])
        assert 0 <= row["rescored"] <= 1
    else:
        assert row["rescored"] is None


def test_every_method_finds_the_same(capsys):
    pytest.importorskip("faiss")
    report = bench("--sizes", "300,120", "--dim", "32", "--rounds", "2", "--descriptors", "random")
    rows = report["rows"]
    names = ["exact", "faiss", "cv2", "kornia", "torch"]
    assert [(row["n"], row["backend"]) for row in rows] == [
        (size, name) for size in (120, 300) for name in names
    ]
    for row in rows:
        check(row)
        assert (row["m"], row["d"], row["num_rounds"]) == (row["n"], 32, 2)
        both_ways = row["backend"] in ("exact", "faiss", "torch")
        assert row["num_checked"] == row["n"] * (2 if both_ways else 1)
    for first in (rows[0], rows[5]):
        same = [row for row in rows if row["n"] == first["n"]]
        for row in same:
            assert row["ratio"] == pytest.approx(row["median_s"] / first["median_s"])
    environment = report["environment"]
    assert environment["device"] == "cpu"
    assert environment["precision"] in ("bf16", "float32")
    assert {"threads", "torch", "faiss-cpu", "load"} <= set(environment)
    shown = capsys.readouterr().out
    for name in names:
        assert len(re.findall(rf"^ random +{name} ", shown, re.MULTILINE)) == 2
    assert "wrote report/search.json" in shown
    assert "| random | exact | 120 | 120 | 32 |" in Path("report/search.md").read_text(
        encoding="utf-8"
    )


def test_descriptors_of_photographs(monkeypatch):
    monkeypatch.setattr("corr.bench.descriptors.MAX_KEYPOINTS", 200)
    backends = ["--backends", "exact,cv2,torch"]
    rows = bench("--descriptors", "rootsift,hardnet,orb", *backends, "--rounds", "1")["rows"]
    assert [row["descriptors"] for row in rows] == ["rootsift"] * 3 + ["hardnet"] * 3 + ["orb"] * 3
    for row in rows[:6]:
        check(row)
        assert (row["n"], row["m"], row["d"]) == (200, 200, 128)
    assert [row["d"] for row in rows[6:]] == [256] * 3
    assert rows[6]["agreement"] == 1
    assert rows[6]["gflops"] is None
    assert rows[7]["agreement"] > 0.9  # OpenCV chooses otherwise between equal ones
    assert rows[8]["skipped"] == "it does not compare bits"


def test_what_would_take_too_long_is_skipped(capsys):
    options = ["--sizes", "200", "--descriptors", "random", "--backends", "exact,cv2"]
    rows = bench(*options, "--limit", "0")["rows"]
    assert [row["backend"] for row in rows] == ["exact", "cv2"]
    assert all("median_s" not in row for row in rows)
    assert all(re.fullmatch(r"it would take about \d+ s", row["skipped"]) for row in rows)
    shown = capsys.readouterr().out
    assert shown.count("skipped: random exact, it would take") == 1
    assert len(re.findall(r"^ random .* skipped ", shown, re.MULTILINE)) == 2


def test_what_would_not_fit_is_skipped(monkeypatch):
    monkeypatch.setattr("corr.bench.rates.available_memory", lambda _: 300_000)
    options = ["--sizes", "200", "--descriptors", "random", "--backends", "exact,torch"]
    rows = bench(*options, "--rounds", "1")["rows"]
    check(rows[0])
    assert rows[1]["skipped"] == "it would take 0 GB, and 0 GB are free"


def test_large():
    report = bench("--large", "--sizes", "900", "--dim", "16", name="search-large")
    (row,) = report["rows"]
    check(row)
    assert (row["n"], row["m"], row["num_rounds"]) == (900, 900, 1)
    assert row["table_bytes"] == 2 * 900 * 16 * 4
    if row["peak_bytes"] is not None:
        assert any("below the limit of 1 GB" in note for note in report["notes"])


def test_rowband():
    report = bench("--rowband", "--sizes", "160", "--rounds", "1", name="search-rowband")
    band, free = report["rows"]
    num_pixels = 160 * 120
    possible = sum(min(x + 1, 128) for x in range(160)) * 120
    assert band["n"] == band["m"] == free["m"] == num_pixels
    assert possible <= band["num_products"] < num_pixels**2 / 100
    assert free["num_products"] == free["n"] * num_pixels
    assert band["agreement"] == 1
    assert free["whole_s"] == pytest.approx(free["median_s"] * num_pixels / free["n"])


def test_half_of_the_random_rows_have_a_partner():
    tables = draw_tables(400, 64)
    scores = tables.first @ tables.second.T
    assert int((scores.amax(1) > 0.8).sum()) == 200
    assert scores.amax() < 1
    assert (tables.first.norm(dim=1) - 1).abs().max() < 1e-6


def test_searchers_that_are_wrong_are_found_out(monkeypatch):
    """The check is not blind: a method that answers with the second best does not agree."""

    def second_best(queries, database):
        found = nearest(queries, database, 2, metric="dot", both_ways=True)
        return found.index[:, 1], found.reverse.index[:, 1]

    wrong = replace(SEARCHERS["torch"], search=second_best)
    monkeypatch.setitem(SEARCHERS, "torch", wrong)
    options = ["--sizes", "200", "--descriptors", "random", "--backends", "torch"]
    assert bench(*options, "--rounds", "1")["rows"][0]["agreement"] == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["searhc"], "invalid choice: 'searhc'"),
        (["search", "--sizes", "many"], "--sizes 'many' are not whole numbers of 1 to 10000000"),
        (["search", "--sizes", "10,,20"], "--sizes '10,,20' are not whole numbers"),
        (["search", "--sizes", "0"], "--sizes '0' are not whole numbers of 1"),
        (["search", "--sizes", "-5"], "--sizes"),
        (["search", "--sizes", "10000000", "--dim", "1000000"], "GB are free"),
        (["search", "--backends", "fais"], "backend 'fais' is not known; use some of auto, exact"),
        (["search", "--backends", "exact,"], "--backends 'exact,' has an empty name"),
        (["search", "--descriptors", "surf"], "descriptors 'surf' are not known"),
        (["search", "--dim", "0"], "--dim is 0; use 1 or more"),
        (["search", "--rounds", "0"], "--rounds is 0; use 1 or more"),
        (["search", "--limit", "nan"], "--limit is nan; use 0 or more"),
        (["search", "--models", "sift"], "--models is not for 'corr bench search', which takes"),
        (["search", "--large", "--rowband"], "there is no 'corr bench search --large --rowband'"),
        (["search", "--large", "--rounds", "3"], "--rounds is not for 'corr bench search --large'"),
        (["search", "--large", "--sizes", "10,20"], "--large takes one of --sizes, not 2"),
        (["search", "--rowband", "--dim", "8"], "--dim is not for 'corr bench search --rowband'"),
        (["search", "--device", "abacus"], "device 'abacus' is not known"),
        (["flow", "--large"], "there is no 'corr bench flow --large'"),
        (["match", "--sizes", "8"], "--sizes '8' are not whole numbers of 64 to 8192"),
        (["match", "--models", "sfit"], "model 'sfit' is not known"),
        (["match", "--models", "census"], "model 'census' does disparity, not match"),
        (["disparity", "--backends", "exact"], "--backends is not for 'corr bench disparity'"),
        (["flow", "--out", "taken"], "folder 'taken' cannot be made"),
    ],
    ids=" ".join,
)
def test_bad_input(arguments, sentence, capsys, tmp_path):
    (tmp_path / "taken").write_text("a file")
    assert main(["bench", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("corr: error: ")
    assert err.count("\n") == 1
    assert sentence in err
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_faiss_that_is_missing(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "faiss", None)
    assert main(["bench", "search", "--backends", "faiss", "--sizes", "64"]) == 2
    assert "pip install" in capsys.readouterr().err
