"""The demo's steps on small pictures, the page that they make, and the whole demo once."""

import re
import time
from html import unescape
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from corr import demo
from corr.demo import scenes, steps
from corr.demo.story import Outcomes, compose
from corr.errors import OptionError
from corr.formats import read_image, write_image
from corr.formats.page import Figure, write_page
from corr.models import HardNet
from corr.models.saved import save_network


@pytest.fixture(scope="module")
def pair() -> scenes.StereoScene:
    left, right, truth = (view[150:330, 200:480] for view in skimage.data.stereo_motorcycle())
    left, right = np.ascontiguousarray(left), np.ascontiguousarray(right)
    locate = scenes.locate_by_disparity(truth)
    return scenes.StereoScene("small", "Small", "Two views.", left, right, locate, truth)


def test_matches_are_counted_and_drawn(pair, tmp_path):
    found = steps.match_scene(pair, "rootsift", tmp_path)
    assert found.num_matches >= found.num_judged > 20
    assert found.correct > 0.8
    assert 0 < found.time_s < 10
    drawn = read_image(tmp_path / found.figure.file)
    assert drawn.shape[1] > 2 * pair.image0.shape[1]
    assert found.figure.numbers.startswith(f"{found.num_matches} matches")


def test_thinning_out_keeps_the_share():
    correct = np.arange(400) % 10 != 0  # 360 right, 40 wrong
    drawn = steps.thin_out(correct, 4)
    assert (len(drawn), int(correct[drawn].sum())) == (100, 90)
    assert np.array_equal(drawn, np.unique(drawn))
    assert steps.thin_out(correct, 1).tolist() == list(range(400))


def test_a_network_is_named_by_its_folder(pair, tmp_path):
    save_network(HardNet(), tmp_path / "descriptor")
    found = steps.match_scene(pair, "mine", tmp_path, model_path=tmp_path / "descriptor")
    assert found.figure.file == "small-matches-mine.png"
    assert "--model descriptor " in found.figure.command


def test_disparity_is_measured_against_the_truth(pair, tmp_path):
    found = steps.measure_disparity(pair, "sgbm", tmp_path)
    assert 0.02 < found.bad2 < 0.5
    assert found.figures[1].numbers.startswith(f"{found.bad2:.1%}")
    assert all((tmp_path / figure.file).is_file() for figure in found.figures)


def test_wrong_disparity_is_found(pair, tmp_path):
    twice = scenes.StereoScene(
        "twice", "", "", pair.image0, pair.image1, pair.locate, 2 * pair.truth
    )
    assert steps.measure_disparity(twice, "sgbm", tmp_path).bad2 > 0.9


def test_the_fastest_run_is_timed():
    pauses = iter((0.2, 0.0, 0.1))
    calls = []

    def work() -> int:
        time.sleep(next(pauses))
        calls.append(len(calls))
        return len(calls)

    result, seconds = steps.timed(work, runs=3)
    assert result == 3
    assert seconds < 0.1


def test_what_is_no_run_is_not_removed(tmp_path):
    (tmp_path / "descriptor").mkdir()
    (tmp_path / "descriptor" / "thesis.txt").write_text("mine")
    with pytest.raises(OptionError, match="descriptor' is in the way and no training run"):
        steps.train_descriptor("smoke/patch", tmp_path / "descriptor", tmp_path)
    assert (tmp_path / "descriptor" / "thesis.txt").read_text() == "mine"


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OptionError, match="file' cannot be made"):
        demo.run(tmp_path / "file")


def shown_pictures(page: Path) -> list[str]:
    return [unescape(name) for name in re.findall(r'<img src="([^"]+)"', page.read_text("utf-8"))]


def test_every_picture_of_the_page_exists_and_every_picture_is_shown(pair, tmp_path):
    steps.write_views(pair, tmp_path)
    write_image(tmp_path / "curves.png", pair.image0)
    training = steps.TrainingOutcome(0.5, 0.1, 0.05, 60, 30.0, Figure("curves.png", "Curves", ""))
    matched = tuple(steps.match_scene(pair, model, tmp_path) for model in ("sift", "orb"))
    measured = tuple(steps.measure_disparity(pair, model, tmp_path) for model in ("sgbm", "bm"))
    outcomes = Outcomes(training, matched, measured, steps.draw_truth(pair, tmp_path))
    write_page(tmp_path / "index.html", compose(outcomes, 12.3))
    shown = shown_pictures(tmp_path / "index.html")
    written = {path.name for path in tmp_path.glob("*.png")}
    assert len(shown) == len(set(shown)) == 9
    assert written - set(shown) == {"small-1.png"}  # input of the commands, seen in the matches
    assert set(shown) <= written
    text = (tmp_path / "index.html").read_text("utf-8")
    for outcome in (*matched, *measured):
        assert f"<td>{outcome.model}</td>" in text
    assert "in 12 seconds" in text


@pytest.mark.slow
def test_the_whole_demo(tmp_path, capsys):
    out = tmp_path / "demo"
    page = demo.run(out)
    shown = shown_pictures(page)
    assert len(shown) >= 11
    assert all((out / name).is_file() for name in shown)
    printed = capsys.readouterr().out
    for words in ("rootsift", "descriptor", "stereo", "sgbm", "bad-2", "seconds", "the page: "):
        assert words in printed
    assert not re.search(r"<script|https?:", page.read_text("utf-8"))
