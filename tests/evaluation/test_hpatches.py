"""HPatches as a benchmark: its tasks, both ends of the scale, published files, refusals."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from corr.cli import main
from corr.data.hpatches_patches import LEVELS, STRIPS, read_hpatches, write_strips
from corr.data.hpatches_set import find_set
from corr.data.hpatches_tasks import draw_tasks
from corr.data.mini import SEQUENCES, mini_folder
from corr.errors import DatasetError
from corr.evaluation.cache import Cache
from corr.evaluation.hpatches import HPatchesBenchmark


def test_drawn_pairs_are_what_they_are_called():
    counts = [9, 4, 30]
    tasks = draw_tasks(counts, [np.ones(count, bool) for count in counts])
    first, second = tasks.positives.first, tasks.positives.second
    assert (first[:, [0, 2]] == second[:, [0, 2]]).all() and (first[:, 1] != second[:, 1]).all()
    assert (tasks.within.first[:, 0] == tasks.within.second[:, 0]).all()
    assert (tasks.within.first[:, 2] != tasks.within.second[:, 2]).all()
    assert (tasks.between.first[:, 0] != tasks.between.second[:, 0]).all()
    for table in (first, second, tasks.within.second, tasks.between.second):
        assert (table[:, 2] < np.array(counts)[table[:, 0]]).all()
        assert set(np.unique(table[:, 1])) == set(range(6))
    both = {tuple(point) for point in tasks.queries} & {tuple(p) for p in tasks.distractors}
    assert not both
    assert len(tasks.queries) + len(tasks.distractors) == sum(counts)


def own_colour(root: Path) -> None:
    """Each point has a code of 32 bits of its own, light or dark halves of rows, in all strips."""
    number = 0
    for name, count in (("i_dome", 12), ("v_wall", 9), ("v_yard", 10)):
        codes = [[int(bit) for bit in f"{2654435761 * (number + k + 1) % 2**32:032b}"] for k in
                 range(count)]  # fmt: skip
        number += count
        rows = np.repeat(np.array(codes, np.uint8), 2, axis=1)  # 64 rows of 65
        rows = np.concatenate((rows, rows[:, -1:]), axis=1)
        patches = np.repeat(255 * rows[:, :, None], 65, axis=2)
        write_strips(root / name, dict.fromkeys(STRIPS, patches))


@pytest.fixture
def evaluated(tmp_path, monkeypatch) -> Callable[..., dict[str, float]]:
    """Scores of the command, by a model whose descriptors are given."""

    def run(root: Path, describe: Callable | None = None) -> dict[str, float]:
        if describe is not None:
            monkeypatch.setattr(
                "corr.evaluation.hpatches.describe_patches", lambda _, patches: describe(patches)
            )
        out = tmp_path / "out"
        arguments = ["hpatches", "--root", str(root), "--models", "rootsift", "--out", str(out)]
        assert main(["evaluate", *arguments, "--cache", str(tmp_path / "c"), "--no-reuse"]) == 0
        stored = json.loads((out / "hpatches.json").read_text())
        assert stored["items"]["rootsift"][0]["error"] is None
        return stored["items"]["rootsift"][0]["scores"]

    return run


def code(patches: np.ndarray) -> np.ndarray:
    return np.asarray(patches[:, :, 16] > 128, np.float32) * 2 - 1


class TestExtremes:
    def test_a_perfect_descriptor(self, tmp_path, evaluated):
        root = tmp_path / "set"
        own_colour(root)
        scores = evaluated(root, code)
        for task in ("verification", "matching", "retrieval", "balanced"):
            assert scores[f"{task}_mean"] == pytest.approx(1), task

    def test_an_inverted_descriptor(self, tmp_path, evaluated):
        """It takes a patch outside the reference for the opposite of what it is."""
        root, calls = tmp_path / "set", []
        own_colour(root)

        def inverted(patches):
            calls.append(1)
            return code(patches) * (1 if len(calls) == 1 or (len(calls) - 2) % 16 == 0 else -1)

        # The first call warms up; after it, each sequence begins with its reference strip.
        scores = evaluated(root, inverted)
        assert scores["matching_mean"] < 0.02
        assert scores["retrieval_mean"] < 0.25  # five matches after nine others or more

    def test_a_constant_descriptor_gains_nothing(self, tmp_path, evaluated):
        root = tmp_path / "set"
        own_colour(root)
        scores = evaluated(root, lambda patches: np.ones((len(patches), 4), np.float32))
        assert scores["balanced_mean"] == 0
        assert scores["verification_mean"] < 0.1
        assert scores["retrieval_mean"] < 0.2
        assert scores["matching_mean"] < 0.12  # one point of each sequence is the first


class TestPublishedTasks:
    HEADER = "s1,t1,idx1,s2,t2,idx2\n"

    def write(self, folder: Path, split: str, **changes: str) -> None:
        texts = {
            "verif_pos": self.HEADER + "v_wall,0,1,v_wall,2,1\nv_yard,4,3,v_yard,1,3\n" * 5,
            "verif_neg_intra": self.HEADER + "v_wall,0,1,v_wall,2,2\nv_yard,4,3,v_yard,1,0\n" * 5,
            "verif_neg_inter": self.HEADER + "v_wall,0,1,v_yard,2,2\nv_yard,4,3,v_wall,1,0\n" * 5,
            "retr_queries": "s,idx\nv_wall,0\nv_yard,5\n",
            "retr_distractors": "s,idx\nv_wall,1\nv_yard,2\nv_yard,3\n",
        }
        for name, text in (texts | changes).items():
            lines = text.splitlines(keepends=True)
            (folder / f"{name}_split-{split}.csv").write_text("".join(lines))

    @pytest.fixture
    def root(self, tmp_path) -> Path:
        own_colour(tmp_path / "set")
        (tmp_path / "set" / "tasks").mkdir()
        return tmp_path / "set"

    def test_they_are_used_and_name_the_sequences(self, root, evaluated):
        self.write(root / "tasks", "a")
        found = find_set(root)
        assert found.name == "published/a"
        inputs = HPatchesBenchmark().read(found)
        assert inputs.names == ("v_wall", "v_yard")
        np.testing.assert_array_equal(inputs.tasks.positives.first[:2], [[0, 0, 1], [1, 4, 3]])
        np.testing.assert_array_equal(inputs.tasks.between.second[:2], [[1, 2, 2], [0, 1, 0]])
        np.testing.assert_array_equal(inputs.tasks.queries, [[0, 0], [1, 5]])
        assert evaluated(root, code)["verification_mean"] == 1
        self.write(root / "tasks", "full")
        assert find_set(root).name == "published/full"

    @pytest.mark.parametrize(
        ("changes", "said"),
        [
            ({"retr_queries": "s,idx\nv_hall,0\n"}, "names sequence 'v_hall', which is not there"),
            (
                {"retr_queries": "s,idx\nv_wall,9\n"},
                "line 2 names patch v_wall,0,9, which is not there",
            ),
            ({"retr_queries": "s,idx\nv_wall,x\n"}, "holds a cell that is no whole number"),
            ({"retr_queries": "s,idx\nv_wall\n"}, "has not 2 cells in every line"),
            ({"retr_queries": "v_wall,0\n"}, "does not begin with the line 's,idx'"),
        ],
    )
    def test_wrong_files(self, root, changes, said):
        self.write(root, "full", **changes)
        with pytest.raises(DatasetError, match=said):
            HPatchesBenchmark().read(find_set(root))


def test_a_set_without_a_strip_is_refused_before_anything_runs(tmp_path, capsys):
    own_colour(tmp_path / "set")
    (tmp_path / "set" / "v_wall" / "t2.png").unlink()
    assert main(["evaluate", "hpatches", "--root", str(tmp_path / "set")]) == 2
    assert "v_wall' lacks 't2.png', so the set is not whole" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "set")
    (tmp_path / "set").mkdir()
    assert main(["evaluate", "hpatches", "--root", str(tmp_path / "set")]) == 2
    assert "is an empty folder; expected folders of ref.png" in capsys.readouterr().err


def test_image_sequences_are_cut(tmp_path, evaluated, monkeypatch):
    """RootSIFT on real photographs: more noise is harder, and all figures are between."""
    monkeypatch.setattr("corr.data.hpatches_tasks.NUM_PAIRS", 4000)
    root = mini_folder(tmp_path / "mini") / SEQUENCES
    scores = evaluated(root)
    for task in ("verification", "matching", "retrieval"):
        easy, hard, tough = (scores[f"{task}_{level}"] for level in LEVELS)
        assert 1 > easy > hard > tough > 0, task
    assert scores["verification_e"] > 0.7


def test_published_strips_and_the_same_cut_give_the_same(tmp_path, monkeypatch):
    """Strips on disk are read as they were cut."""
    monkeypatch.setattr("corr.data.hpatches_tasks.NUM_PAIRS", 500)
    benchmark = HPatchesBenchmark()
    own_colour(tmp_path / "set")
    inputs = benchmark.read(find_set(tmp_path / "set"))
    again = [strips.read("e1") for strips in read_hpatches(tmp_path / "set")]
    for row, patches in enumerate(again):
        np.testing.assert_array_equal(inputs.strips(row)["e1"], patches)
    picture = benchmark.draw(inputs, benchmark.run("rootsift", inputs))
    num_drawn = min(14, len(inputs.strips(0)["ref"]))
    assert picture.shape[1:] == (num_drawn * (2 * 32 + 4), 3)
    assert picture.shape[0] > 4 * 2 * 32
    assert Cache(tmp_path / "cache").reuse
