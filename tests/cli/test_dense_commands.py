"""`corr match --dense` and `--scales`, with what they refuse."""

import numpy as np
import pytest
import skimage.data
import torch
from safetensors.torch import load_file, save_file
from typed import files

from corr.cli import main
from corr.formats import read_dense_matches, read_flow, read_image, write_image
from corr.models import HardNet, UniversalCorrespondenceNetwork, save_network

DENSE = ["match", "a.png", "b.png", "--dense", "--model", "net"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Two views and a network, untrained."""
    monkeypatch.chdir(tmp_path)
    photo = skimage.data.chelsea()[60:160, 100:230]
    write_image("a.png", photo[:, 12:])
    write_image("b.png", photo[:, :-12])
    torch.manual_seed(0)
    save_network(UniversalCorrespondenceNetwork(), "net")
    return tmp_path


def test_dense_matches_are_written_and_drawn(folder, capsys):
    assert main([*DENSE, "-o", "m.npz", "--draw", "d.png", "--search", "exact"]) == 0
    out = capsys.readouterr().out
    found = read_dense_matches("m.npz")
    assert found["flow"].shape == (25, 30, 2)
    number = int(np.isfinite(found["flow"][..., 0]).sum())
    assert out.startswith(f"{number} of 750 places, every 4 px, matched by net, median confidence")
    assert out.endswith("wrote m.npz and d.png\n")
    np.testing.assert_array_equal(read_image("d.png")[:100, :118], read_image("a.png"))
    assert main([*DENSE, "-o", "f.flo", "--stride", "2", "--no-mutual"]) == 0
    assert np.isfinite(read_flow("f.flo")).all()
    assert "of 2950 places, every 2 px, matched" in capsys.readouterr().out
    assert main(DENSE) == 0
    assert "matches-drawn.png" in files()


def test_keypoints_at_several_scales(capsys):
    assert main(["match", "a.png", "b.png", "--model", "net", "--scales", "1,0.5"]) == 0
    assert main(["extract", "a.png", "--model", "net", "--scales", "0.5", "-o", "k.npz"]) == 0
    np.testing.assert_allclose(np.load("k.npz")["scale"], 3.2, rtol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([*DENSE, "--verify", "homography"], "--verify is for keypoints, not for --dense"),
        ([*DENSE, "--ratio", "0.8"], "--ratio is for keypoints"),
        ([*DENSE, "--one-to-one"], "--one-to-one is for keypoints"),
        ([*DENSE, "--inconsistent-px", "3"], "--inconsistent-px is for keypoints"),
        ([*DENSE, "--rotations", "auto"], "--rotations is for keypoints"),
        ([*DENSE, "--max-keypoints", "20"], "--max-keypoints is for keypoints"),
        ([*DENSE, "--scales", "1,0.5"], "--scales is for keypoints"),
        ([*DENSE, "--stride", "0"], "stride is 0; use 1 px or more"),
        ([*DENSE, "-o", "m.csv"], "suffix '.csv' is not accepted here"),
        ([*DENSE[:4], "--model", "sift"], "model 'sift' does match and extract, not dense"),
        ([*DENSE[:4], "--model", "hardnet"], "model 'hardnet' does"),
        (["match", "a.png", "b.png", "--stride", "2"], "--stride is for dense matching"),
        (["match", "a.png", "b.png", "--scales", "1,0.5"], "model 'rootsift' takes none"),
        (["match", "a.png", "b.png", "--scales", "1,x"], "scales are '1,x'; use numbers"),
        (["extract", "a.png", "--model", "net", "--scales", "9"], "scales are 9; use different"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value[3:]),
)
def test_refused(folder, capsys, arguments, sentence):
    before = files()
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert sentence in err
    assert files() == before


def test_the_weights_of_another_network(folder, capsys):
    save_network(HardNet(), "other")
    (folder / "net/weights.safetensors").write_bytes(
        (folder / "other/weights.safetensors").read_bytes()
    )
    assert main(DENSE) == 2
    assert "does not fit UniversalCorrespondenceNetwork: '" in capsys.readouterr().err
    save_network(UniversalCorrespondenceNetwork(descriptor_dim=32), "net")
    weights = load_file("net/weights.safetensors")
    save_network(UniversalCorrespondenceNetwork(), "net")
    save_file(weights, "net/weights.safetensors")
    assert main(DENSE) == 2
    assert "is [32, 32, 1, 1] instead of [64, 32, 1, 1]" in capsys.readouterr().err
    save_network(HardNet(), "net")
    assert main(DENSE) == 2
    assert "type HardNet does not describe every place" in capsys.readouterr().err


def test_points_outside_the_image(folder):
    import corr
    from corr.errors import OptionError

    with pytest.raises(OptionError, match=r"keypoint 1 at \(200, 3\) lies outside the image"):
        corr.extract("a.png", model="net", keypoints=[[2, 3], [200, 3]])
    inside = corr.extract("a.png", model="net", keypoints=[[-0.5, -0.5], [117.5, 99.5]])
    assert np.allclose(np.linalg.norm(inside.descriptors, axis=1), 1, atol=1e-3)
