"""Two steps of each semantic recipe, on real photographs and marks."""

import re
from pathlib import Path

import numpy as np
import scipy.io
import skimage.data
import torch

from corr.cli import main
from corr.formats import write_image
from corr.models import load_network
from corr.pipeline.transfer import transfer
from corr.tasks.records import read_history
from corr.tasks.training import train

SMALL = [
    "--trainer.max_steps", "2", "--trainer.precision", "32-true", "--trainer.logger", "false",
    "--trainer.log_every_n_steps", "1", "--data.batch_size", "2", "--data.side", "64",
    "--data.steps_per_epoch", "2", "--data.num_val_pairs", "1", "--data.num_workers", "0",
]  # fmt: skip


def finite_loss(run: Path) -> bool:
    loss = read_history(run)["train/loss"][1]
    return len(loss) >= 1 and bool(np.isfinite(loss).all())


def test_bent_photographs_train_a_network_that_transfers(tmp_path):
    train(["correspondence/ucn-semantic", "--out", str(tmp_path / "run"), *SMALL])
    assert finite_loss(tmp_path / "run")
    photo = skimage.data.chelsea()[40:140, 60:200]
    found = transfer(photo, photo, [[50, 50]], model=tmp_path / "run", readout="nearest")
    assert np.abs(found - [[50, 50]]).max() < 5


def test_marks_train_a_network(tmp_path):
    (tmp_path / "set" / "cat(S)").mkdir(parents=True)
    photo = skimage.data.chelsea()
    points = np.stack((np.linspace(30, 130, 10), np.linspace(30, 90, 10)))
    for number in range(3):
        write_image(tmp_path / "set" / "cat(S)" / f"{number}.png", photo[40:160, 80:260])
        scipy.io.savemat(tmp_path / "set" / "cat(S)" / f"{number}.mat", {"pts_coord": points})
    sources = []
    for name in ("source", "val_source"):
        sources += [f"--data.{name}.init_args.root", str(tmp_path / "set")]
        sources += [f"--data.{name}.init_args.split", "test"]
    train(["correspondence/ucn-keypoints", "--out", str(tmp_path / "run"), *SMALL, *sources])
    assert finite_loss(tmp_path / "run")


def test_classes_train_a_network_that_was_trained_before(tmp_path):
    for number in range(6):
        path = tmp_path / "set" / "cat" / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, skimage.data.chelsea()[10 * number : 160 + 10 * number, 80:260])
    roots = []
    for name in ("source", "val_source"):
        roots += [f"--data.{name}.init_args.root", str(tmp_path / "set")]
    run = tmp_path / "run"
    train(["correspondence/ucn-classes", "--out", str(run), *SMALL, *roots])
    history = read_history(run)
    for name in ("train/loss", "train/cycle_loss"):
        assert np.isfinite(history[name][1]).all()
    assert 0 <= history["val/returned"][1][-1] <= 1
    assert load_network(run).settings == load_network("ucn-semantic").settings


def test_classes_that_are_not_there_are_one_line(tmp_path, capfd):
    nowhere = []
    for name in ("source", "val_source"):
        nowhere += [f"--data.{name}.init_args.root", str(tmp_path / "nowhere")]
    out = ["--out", str(tmp_path / "run"), "--data.num_workers", "0"]
    assert main(["train", "correspondence/ucn-classes", *out, *nowhere]) == 2
    written = capfd.readouterr().err
    assert "nowhere' is not a folder; give one with a folder for each class" in written
    assert "Traceback" not in written


WEIGHTS = "--model.network.init_args.weights"


def test_the_trunk_of_the_paper_trains_on_from_published_weights(googlenet_file, tmp_path):
    run = tmp_path / "run"
    train(["correspondence/ucn-googlenet", "--out", str(run), *SMALL, WEIGHTS, str(googlenet_file)])
    assert finite_loss(run)
    network, given = load_network(run), torch.load(googlenet_file, weights_only=True)
    now, before = network.trunk.conv1.conv.weight, given["conv1.conv.weight"]
    assert not torch.equal(now, before)
    assert (now - before).abs().max() < 0.01 * before.abs().max()


def test_weights_that_are_not_there_or_of_another_network(googlenet_file, tmp_path, capfd):
    arguments = ["train", "correspondence/ucn-googlenet", "--out", str(tmp_path / "run"), WEIGHTS]
    torch.save({"layer1.0.conv1.weight": torch.zeros(1)}, tmp_path / "resnet.pth")
    for path, said in (
        (tmp_path / "none.pth", "there is no weights file '.*none.pth'"),
        (tmp_path / "resnet.pth", "has unknown 'layer1.0.conv1.weight'; a file of torchvision's"),
    ):
        assert main([*arguments, str(path)]) == 2
        written = capfd.readouterr()
        assert re.search(said, written.err) and "Traceback" not in written.err
        assert len(written.err.splitlines()) == 1
        assert not (tmp_path / "run").exists()
