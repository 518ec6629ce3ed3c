"""`corr datasets synth`: published layouts that our own readers read and `verify` accepts."""

import errno
import json
from pathlib import Path

import numpy as np
import pytest

from corr.cli import main
from corr.data.flow_pairs import read_flow
from corr.data.homographies import read_sequences
from corr.data.posed_pairs import read_posed
from corr.data.stereo_pairs import read_stereo
from corr.formats import atomic, read_image
from corr.formats.images import write_image

CARDS = {
    "planar": "hpatches-sequences",
    "stereo": "flyingthings3d",
    "flow": "flying-chairs",
    "posed": "synthetic-posed",
}
SETTINGS = "surfaces: {num_tiles: 14}\nnum_objects: [4, 8]\n"


@pytest.fixture
def synth(tmp_path: Path):
    """Runs the command; returns its status."""
    settings = tmp_path / "settings.yaml"
    settings.write_text(SETTINGS)

    def run(view: str, count: int, *options: str) -> int:
        out = str(tmp_path / view)
        size = ["--size", "96x128", "--config", str(settings)]
        return main(["datasets", "synth", view, "-n", str(count), "--out", out, *size, *options])

    return run


@pytest.mark.parametrize("view", CARDS)
def test_written_sets_pass_verify(synth, tmp_path, capsys, view):
    assert synth(view, 3, "--preview") == 0
    root = tmp_path / view
    assert read_image(root / "preview.png").shape[1] >= 4 * 128
    capsys.readouterr()
    assert main(["datasets", "verify", CARDS[view], str(root)]) == 0
    pairs = {"planar": 15}.get(view, 3)
    assert f"and {pairs} pairs agree with their ground truth" in capsys.readouterr().out


def test_what_is_written_is_the_sample(synth, tmp_path):
    assert synth("flow", 2, "--seed", "3") == 0
    pair = read_flow(tmp_path / "flow")[1]
    from corr.data.synthetic.config import Surfaces, SyntheticConfig
    from corr.data.synthetic.scenes import SyntheticScenes

    config = SyntheticConfig("flow", 96, 128, (4, 8), Surfaces(num_tiles=14))
    scenes = SyntheticScenes(config, seed=3)
    sample = scenes.sample(1)
    assert np.array_equal(pair.truth().flow, sample.flow_0to1.permute(1, 2, 0).numpy())
    image = (sample.image1.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    assert np.array_equal(read_image(pair.image1), image)
    identity = json.loads((tmp_path / "flow" / "synthetic.json").read_text())
    assert identity["digest"] == scenes.digest


def test_readers_find_groups_and_both_views(synth, tmp_path):
    assert synth("flow", 10) == 0
    groups = [pair.group for pair in read_flow(tmp_path / "flow")]
    assert groups == 9 * ["train"] + ["val"]
    assert synth("stereo", 1) == 0
    truth = read_stereo(tmp_path / "stereo")[0].truth()
    assert truth.occluded is not None
    assert truth.disparity.min() > 0
    assert synth("posed", 1) == 0
    assert len(read_posed(tmp_path / "posed")) == 1
    assert synth("planar", 1) == 0
    assert len(read_sequences(tmp_path / "planar")) == 5


def test_a_run_goes_on_where_it_was(synth, tmp_path, capsys):
    assert synth("stereo", 2) == 0
    root = tmp_path / "stereo"
    files = sorted(path for path in root.rglob("*.p*") if path.is_file())
    times = {path: path.stat().st_mtime_ns for path in files}
    lost = root / "disparity/TRAIN/A/00001/right/0006.pfm"
    content = lost.read_bytes()
    lost.unlink()
    capsys.readouterr()
    assert synth("stereo", 3) == 0
    assert "wrote 2 stereo samples" in (out := capsys.readouterr().out)
    assert "1 were there already" in out
    assert lost.read_bytes() == content
    kept = [path for path in files if "00000" in str(path)]
    assert len(kept) == 6
    assert all(path.stat().st_mtime_ns == times[path] for path in kept)
    assert synth("stereo", 3, "--seed", "1") == 2
    assert "holds data set" in capsys.readouterr().err


def test_a_full_disk_leaves_whole_files(synth, tmp_path, capsys, monkeypatch):
    written = []

    def write(path, image):
        written.append(path)
        with atomic.replacing(path) as temporary:
            if len(written) > 3:
                temporary.write_bytes(b"part of a picture")
                raise OSError(errno.ENOSPC, "No space left on device")
            temporary.write_bytes(b"")
        write_image(path, image)

    monkeypatch.setattr("corr.data.synthetic.export.write_image", write)
    assert synth("flow", 5) == 2
    error = capsys.readouterr().err
    assert "No space left on device" in error
    assert "\n" not in error.strip()
    left = [path for path in (tmp_path / "flow" / "data").iterdir() if path.suffix == ".png"]
    assert len(left) == 3
    assert all(read_image(path).shape == (96, 128, 3) for path in left)
    monkeypatch.undo()
    assert synth("flow", 5) == 0
    assert len(read_flow(tmp_path / "flow")) == 5


def test_statistics(synth, tmp_path, capsys):
    assert synth("flow", 2) == 0
    out = str(tmp_path / "drawn")
    capsys.readouterr()
    settings = str(tmp_path / "settings.yaml")
    arguments = ["synth:flow", str(tmp_path / "flow"), "-n", "2", "--out", out, "--size", "96x128"]
    assert main(["datasets", "statistics", *arguments, "--config", settings]) == 0
    said = capsys.readouterr().out
    rows = [line.split() for line in said.splitlines() if line.startswith("  mean")]
    # The same two samples stand in both columns, with occlusion only where it is known.
    assert [row[1] for row in rows[:2]] == [row[2] for row in rows[:2]]
    assert len(rows) == 4
    assert read_image(Path(out) / "statistics.png").shape == (580, 1000, 3)
