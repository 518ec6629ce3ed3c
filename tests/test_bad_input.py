"""Bad input: one sentence on stderr, exit status 2, no traceback, nothing half-written."""

import io
import os
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from safetensors.torch import save_file

from corr.cli import main
from corr.formats import read_disparity, read_image, read_matches, write_image
from corr.models import GeMNet, HardNet, save_network

TWO_IMAGES = ("match", "disparity", "flow")


@pytest.fixture
def photo():
    return skimage.data.chelsea()[60:180, 100:240]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, photo):
    """Where the command runs: it holds one good photograph."""
    monkeypatch.chdir(tmp_path)
    write_image("good.png", photo)
    return tmp_path


def everything(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b""
        for path in folder.rglob("*")
    }


@pytest.fixture
def refused(folder, capsys):
    """Runs a command that has to be refused, and returns its sentence."""

    def run(*arguments) -> str:
        before = everything(folder)
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert status == 2, f"status {status}, {out!r}, {err!r}"
        assert out == ""
        assert err.startswith("corr: error: ")
        assert err.endswith("\n")
        assert err.count("\n") == 1, err
        assert everything(folder) == before
        return err.removeprefix("corr: error: ").rstrip()

    return run


def both(command: str, image: str) -> list[list[str]]:
    """The command with the image in each of its places."""
    if command == "extract":
        return [[command, image]]
    return [[command, image, "good.png"], [command, "good.png", image]]


def truncated(path: str) -> None:
    whole = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 256, (120, 140, 3), dtype=np.uint8)
    Image.fromarray(noise).save(whole, "JPEG" if path.endswith("jpg") else "PNG")
    Path(path).write_bytes(whole.getvalue()[: len(whole.getvalue()) // 2])


def huge(path: str, width: int = 20_000, height: int = 20_000) -> None:
    """A png with such a header; there are no pixels that could be decoded."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    Path(path).write_bytes(
        b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("command", ["extract", *TWO_IMAGES])
def test_images_that_cannot_be_read(refused, command):
    Path("album").mkdir()
    Path("text.png").write_text("not an image")
    Path("empty.jpg").write_bytes(b"")
    truncated("half.jpg")
    truncated("half.png")
    huge("huge.png")
    expected = {
        "missing.png": "there is no file 'missing.png'",
        "album": "'album' is a folder, not a file",
        "text.png": "'text.png' is not an image in a format that corr reads",
        "empty.jpg": "'empty.jpg' is not an image in a format that corr reads",
        "half.jpg": "'half.jpg' is damaged or cut short, and cannot be read",
        "half.png": "'half.png' is damaged or cut short, and cannot be read",
        "huge.png": "'huge.png' is too large; corr reads up to 100 megapixels",
    }
    for image, sentence in expected.items():
        for arguments in both(command, image):
            assert refused(*arguments) == sentence


def test_just_over_100_megapixels_names_its_size(refused):
    huge("big.png", 10_001, 10_000)
    sentence = "'big.png' has 10001 x 10000 pixels; corr reads up to 100 megapixels"
    assert refused("extract", "big.png") == sentence


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (3, 3)])
def test_tiny_images_give_empty_results_not_crashes(capsys, size):
    write_image("tiny.png", np.full((*size, 3), 7, np.uint8))
    assert main(["match", "tiny.png", "tiny.png", "-o", "m.npz", "--draw", "m.png"]) == 0
    assert len(read_matches("m.npz")["scores"]) == 0
    assert main(["match", "tiny.png", "good.png", "-o", "n.npz", "--verify", "homography"]) == 0
    assert main(["match", "tiny.png", "good.png", "-o", "o.npz", "--model", "orb"]) == 0
    for model in ("census", "sgbm", "bm"):
        status = main(["disparity", "tiny.png", "tiny.png", "-o", f"{model}.npy", "--model", model])
        assert status in (0, 2)
        if status == 0:
            assert read_disparity(f"{model}.npy").shape == size
    assert main(["flow", "tiny.png", "tiny.png", "-o", "f.flo"]) in (0, 2)
    assert "Traceback" not in capsys.readouterr().err


def test_black_images_match_nothing(capsys):
    write_image("black.png", np.zeros((120, 140, 3), np.uint8))
    for model in ("rootsift", "sift", "orb"):
        assert main(["match", "black.png", "black.png", "--model", model]) == 0
        assert capsys.readouterr().out.startswith(f"0 matches by {model}, in ")
        assert (
            main(["match", "black.png", "good.png", "--model", model, "--verify", "fundamental"])
            == 0
        )
        assert capsys.readouterr().out.startswith("0 matches")
    assert main(["disparity", "black.png", "black.png", "-o", "d.pfm"]) == 0
    assert read_disparity("d.pfm").shape == (120, 140)
    assert main(["flow", "black.png", "black.png"]) == 0


@pytest.mark.parametrize("command", ["disparity", "flow"])
def test_views_of_different_size(refused, photo, command):
    write_image("small.png", photo[:-1])
    sentence = refused(command, "good.png", "small.png")
    assert "140 x 120" in sentence
    assert "140 x 119" in sentence


@pytest.mark.parametrize("command", ["extract", *TWO_IMAGES])
def test_grey_alpha_and_16_bit_images_are_taken(photo, capsys, command):
    alpha = np.full(photo.shape[:2], 255, np.uint8)
    grey = np.asarray(Image.fromarray(photo).convert("L"))
    Image.fromarray(grey).save("grey.png")
    Image.fromarray(np.dstack((photo, alpha))).save("alpha.png")
    Image.fromarray(np.dstack((grey, alpha))).save("grey-alpha.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save("sixteen.png")
    for image in ("grey.png", "alpha.png", "grey-alpha.png", "sixteen.png"):
        arguments = [image] if command == "extract" else [image, "good.png"]
        assert main([command, *arguments]) == 0
        assert capsys.readouterr().err == ""
    assert (read_image("alpha.png") == photo).all()
    assert (read_image("sixteen.png") == grey[..., None]).all()


def test_unknown_models(refused):
    for command, known in [
        ("match", "rootsift, sift, orb"),
        ("disparity", "census, sgbm, bm"),
        ("flow", "dis"),
    ]:
        sentence = refused(command, "good.png", "good.png", "--model", "sfit")
        assert "model 'sfit' is not known" in sentence
        assert known in sentence
    assert "rootsift" in refused("extract", "good.png", "--model", "sfit")
    assert "does disparity, not" in refused("match", "good.png", "good.png", "--model", "census")
    assert "model 'x' is not known" in refused("models", "show", "x")


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


def test_wrong_weights(refused):
    match = ("match", "good.png", "good.png", "--model")
    Path("nothing").mkdir()
    assert "holds no network" in refused(*match, "nothing")
    save_network(HardNet(), "run")
    whole = Path("run/weights.safetensors").read_bytes()
    for content in (b"", b"text", whole[:100], whole[:-100]):
        Path("run/weights.safetensors").write_bytes(content)
        assert "weights.safetensors' is damaged" in refused(*match, "run")
    save_file({"other": torch.zeros(3)}, "run/weights.safetensors")
    assert "weights.safetensors' does not fit HardNet" in refused(*match, "run")
    Path("run/network.yaml").write_text("class_path: os.system\ninit_args: {command: 'echo'}\n")
    assert "asks for 'os.system', which is not known" in refused(*match, "run")
    Path("run/network.yaml").write_text("{")
    assert "network.yaml' is damaged" in refused(*match, "run")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["match", "good.png"], "the following arguments are required: IMAGE1"),
        (["match", "good.png", "good.png", "--modle", "sift"], "unrecognized arguments: --modle"),
        (
            ["match", "good.png", "good.png", "--verify", "affine"],
            "'none', 'homography', 'fundamental'",
        ),
        (["match", "good.png", "good.png", "--ratio", "1.5"], "ratio is 1.5"),
        (["match", "good.png", "good.png", "--ratio", "nan"], "ratio is nan"),
        (["match", "good.png", "good.png", "--inconsistent-px", "-2"], "inconsistent_px is -2.0"),
        (
            ["match", "good.png", "good.png", "--inconsistent-px", "2", "--ratio", "1"],
            "the ratio test that it is for is off",
        ),
        (["match", "good.png", "good.png", "--max-keypoints", "0"], "max_keypoints is 0"),
        (["match", "good.png", "good.png", "--max-keypoints", "many"], "invalid int value: 'many'"),
        (["match", "good.png", "good.png", "--device", "abacus"], "device 'abacus' is not known"),
        (["disparity", "good.png", "good.png", "--max-disparity", "0"], "max_disparity is 0"),
        (["disparity", "good.png", "good.png", "--max-disparity", "-3"], "max_disparity is -3"),
        (["discover"], "invalid choice: 'discover'"),
        (["recipes", "show"], "'show' needs a name"),
        (["recipes", "show", "smoke/pathc"], "recipe 'smoke/pathc' is not known"),
        (["datasets", "show", "kitti"], "data set 'kitti' is not known; there are cards of"),
        (["train"], "the following arguments are required: RECIPE"),
        (["train", "smoke/pathc"], "recipe 'smoke/pathc' is neither"),
        (
            ["evaluate", "homographies", "--root", "none", "--models", "sift"],
            "'none' is not a folder",
        ),
        (["evaluate", "homographies", "--root", ".", "--models", "sift,"], "has an empty name"),
        (["evaluate", "homographies", "--root", ".", "--models", "shift"], "'shift' is not known"),
        (
            ["evaluate", "hpatch", "--root", ".", "--models", "sift"],
            "benchmark 'hpatch' is not known",
        ),
    ],
    ids=" ".join,
)
def test_options(refused, arguments, sentence):
    assert sentence in refused(*arguments)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("dropout:", "dropuot:"), "dropuot"),
        (("TripletLoss", "TripletLos"), "TripletLos"),
        (("batch_size:", "batchsize:"), "batchsize"),
        (("seed_everything: 0", "seed_everything: yes please"), "seed_everything"),
        (("model:", "modell:"), "modell"),
        (("trainer: {", "trainer: {{"), "YAML"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[1],
)
def test_a_recipe_with_a_typo(refused, capsys, change, sentence):
    assert main(["recipes", "copy", "smoke/patch", "mine.yaml"]) == 0
    capsys.readouterr()
    text = Path("mine.yaml").read_text()
    assert change[0] in text
    Path("mine.yaml").write_text(text.replace(*change, 1))
    said = refused("train", "mine.yaml", "--out", "run")
    assert sentence in said
    assert "mine.yaml" in said


def test_a_processes_own_streams(folder):
    """The same seen from outside: two commands as a shell runs them."""
    truncated("half.jpg")
    before = everything(folder)
    for arguments in (
        ["match", "half.jpg", "good.png"],
        ["disparity", "good.png", "good.png", "-o", "d.gif"],
    ):
        code = "import sys; from corr.cli import main; sys.exit(main())"
        done = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 2
        assert done.stdout == ""
        assert done.stderr.startswith("corr: error: '")
        assert done.stderr.count("\n") == 1
    assert everything(folder) == before
