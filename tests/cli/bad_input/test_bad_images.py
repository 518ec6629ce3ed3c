"""Images that cannot be read, that are odd, and that show nothing."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from refused_files import everything, huge, truncated

from corr.cli import main
from corr.formats import read_disparity, read_image, read_matches, write_image

TWO_IMAGES = ("match", "disparity", "flow")


def both(command: str, image: str) -> list[list[str]]:
    """The command with the image in each of its places."""
    if command == "extract":
        return [[command, image]]
    return [[command, image, "good.png"], [command, "good.png", image]]


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
