"""Results that cannot be written: refused before anything is computed, and never half there."""

import os
from pathlib import Path

import pytest

from corr.formats import write_image
from corr.models import GeMNet, save_network


@pytest.mark.parametrize(
    ("command", "accepted"),
    [
        ("extract", ".npz or .h5"),
        ("match", ".npz, .h5 or .csv"),
        ("disparity", ".pfm, .npy or .png"),
        ("flow", ".flo, .npy or .png"),
    ],
)
def test_outputs_that_cannot_be_written(refused, command, accepted, monkeypatch):
    images = ["good.png"] if command == "extract" else ["good.png", "good.png"]
    right = accepted.split(",")[0].split(" ")[0]
    sentence = refused(command, *images, "-o", "result.gif")
    assert sentence == f"'result.gif': suffix '.gif' is not accepted here; use {accepted}"
    assert "no suffix was given" in refused(command, *images, "-o", "result")
    assert "use .png, .jpg or .jpeg" in refused(command, *images, "--draw", "drawn.gif")
    missing = refused(command, *images, "-o", f"nowhere/r{right}")
    assert missing == f"'nowhere/r{right}' cannot be written: there is no folder 'nowhere'"
    Path("taken.png").mkdir()
    Path(f"taken{right}").mkdir(exist_ok=True)
    assert "is a folder; give the name of a file" in refused(
        command, *images, "-o", f"taken{right}"
    )
    assert "is a folder" in refused(command, *images, "--draw", "taken.png")
    assert "is one of the images" in refused(command, *images, "--draw", "good.png")
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)
        assert "is read-only" in refused(command, *images, "-o", f"r{right}")
        assert "is read-only" in refused(command, *images)


def test_one_file_for_two_results(refused):
    assert "are both 'd.png'" in refused(
        "disparity", "good.png", "good.png", "-o", "d.png", "--draw", "d.png"
    )


def test_extract_of_several(refused, photo):
    write_image("other.png", photo)
    assert "use .h5" in refused("extract", "good.png", "other.png", "-o", "f.npz")
    assert "--draw takes one image, not 2" in refused(
        "extract", "good.png", "other.png", "--draw", "f.png"
    )
    assert "'good.png' is given twice" in refused("extract", "good.png", "./good.png")


def test_a_disk_that_fills_leaves_nothing(refused, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("numpy.savez", full)
    monkeypatch.setattr(Path, "write_bytes", full)
    for command, output in [("match", "m.npz"), ("disparity", "d.pfm"), ("flow", "f.flo")]:
        sentence = refused(command, "good.png", "good.png", "-o", output)
        assert sentence == f"'{output}' cannot be written: No space left on device"


def test_exports_that_are_refused(refused, monkeypatch):
    export = ("export", "hardnet", "-o")
    assert refused("export", "sift", "-o", "n.onnx") == (
        "model 'sift' is classical: it has no network to export"
    )
    assert "'hardnett' is neither a folder nor one of: flownetc, gemnet-siamese, " in refused(
        "export", "hardnett", "-o", "n.onnx"
    )
    assert "the following arguments are required: -o/--output" in refused("export", "hardnet")
    assert (
        refused(*export, "n.gif")
        == "'n.gif': suffix '.gif' is not accepted here; use .onnx or .pt2"
    )
    assert "there is no folder 'nowhere'" in refused(*export, "nowhere/n.pt2")
    Path("taken.onnx").mkdir()
    assert "is a folder; give the name of a file" in refused(*export, "taken.onnx")
    save_network(GeMNet(), "images")
    assert "type GeMNet does not describe patches" in refused("export", "images", "-o", "n.pt2")
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)
        assert "is read-only" in refused(*export, "n.onnx")
