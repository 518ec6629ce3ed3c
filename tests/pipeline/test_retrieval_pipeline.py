"""`corr.embed`, `corr.retrieve` and their commands."""

import csv
from pathlib import Path

import numpy as np
import pytest
import skimage.data

import corr
from corr.cli import main
from corr.drawing import draw_ranking
from corr.errors import DatasetError, ImageError, ModelError, OptionError, ShapeError
from corr.formats import read_embeddings, read_image, write_image
from corr.models import GeMNet, HardNet, save_network

NAMES = ("astronaut", "chelsea", "coffee", "rocket")


@pytest.fixture
def album(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("album/deep").mkdir(parents=True)
    for name in NAMES:
        folder = "album/deep" if name == "rocket" else "album"
        write_image(f"{folder}/{name}.png", getattr(skimage.data, name)()[:160, :200])
    return Path("album")


@pytest.mark.parametrize("model", ["colour-histogram", "gemnet-untrained"])
def test_an_image_is_most_like_itself(album, model):
    queries = [album / "coffee.png", skimage.data.chelsea()[:160, :200]]
    found = corr.retrieve(queries, album, k=2, model=model)
    assert [Path(found.gallery_names[row[0]]).stem for row in found.index] == ["coffee", "chelsea"]
    assert found.scores[:, 0] == pytest.approx(1, abs=1e-4)
    assert (found.scores[:, 0] >= found.scores[:, 1]).all()
    assert found.query_names == (str(album / "coffee.png"), "1")


def test_embeddings_are_unit_rows_in_order_whatever_their_shape(album):
    photo = skimage.data.astronaut()
    images = [photo[:100, :140], photo[:90, :90], photo[:100, :140], photo[:64]]
    network = GeMNet(side=48)
    table = np.asarray(corr.embed(images, model=network))
    assert table.shape == (4, 128)
    assert np.linalg.norm(table, axis=1) == pytest.approx(1, abs=1e-5)
    assert table[0] == pytest.approx(table[2], abs=1e-6)
    alone = np.concatenate([np.asarray(corr.embed([image], model=network)) for image in images])
    assert table == pytest.approx(alone, abs=1e-5)
    assert network.training
    assert np.asarray(corr.embed([], model=network)).shape == (0, 128)


def test_an_image_is_resized_to_the_networks_area(album):
    seen = []
    network = GeMNet(side=64)
    network.register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape)))
    corr.embed([np.zeros((100, 400, 3), np.uint8), np.zeros((8, 8), np.uint8)], model=network)
    assert seen == [(1, 3, 32, 128), (1, 3, 64, 64)]


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_the_gallery_may_be_embedded_before(album, suffix, capsys):
    file = f"gallery{suffix}"
    assert main(["embed", "album", "-o", file, "--model", "gemnet-untrained"]) == 0
    line = capsys.readouterr().out
    assert line.startswith("4 images by gemnet-untrained, 128 numbers each, in ")
    descriptors, names = read_embeddings(file)
    assert names == tuple(
        f"album/{name}.png" for name in ("astronaut", "chelsea", "coffee", "deep/rocket")
    )
    expected = corr.embed([Path(name) for name in names], model="gemnet-untrained")
    assert np.array_equal(descriptors, expected.descriptors)
    given = ["--model", "gemnet-untrained", "--k", "3", "-o", "r.csv", "--draw", "r.png"]
    assert main(["retrieve", "album/chelsea.png", "--gallery", file, *given]) == 0
    said = capsys.readouterr().out
    assert said.startswith("album/chelsea.png: album/chelsea.png 1.000, ")
    assert "1 query among 4 images by gemnet-untrained, in " in said
    assert said.endswith("wrote r.csv and r.png\n")
    with Path("r.csv").open() as table:
        rows = list(csv.DictReader(table))
    assert [row["rank"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["answer"] == "album/chelsea.png"
    assert read_image("r.png").shape[1] > 600


def test_wrong_answers_are_framed_in_red():
    grey = np.full((40, 60, 3), 128, np.uint8)
    scores = np.array([[0.9, 0.8]])
    drawn = draw_ranking([grey], [[grey, grey]], scores, np.array([[True, False]]))
    plain = draw_ranking([grey], [[grey, grey]], scores)
    red = (drawn[:160] == (215, 40, 40)).all(2)
    green = (drawn[:160] == (30, 150, 60)).all(2)
    assert red.sum() > 500
    assert green.sum() > 500
    assert np.flatnonzero(green.any(0)).max() < np.flatnonzero(red.any(0)).min()
    assert not (plain[:160] == (215, 40, 40)).all(2).any()


class TestRefusals:
    def test_in_python(self, album):
        photo = skimage.data.chelsea()
        with pytest.raises(
            ImageError, match=r"images are a list of them, not a str; use \[image\]"
        ):
            corr.embed("album/chelsea.png")
        with pytest.raises(ImageError, match="not a ndarray"):
            corr.embed(photo)
        with pytest.raises(ModelError, match="type HardNet does not describe whole images"):
            corr.embed([photo], model=HardNet())
        with pytest.raises(ModelError, match="model 'gemnet' is not known; use one of colour-hist"):
            corr.embed([photo], model="gemnet")
        with pytest.raises(OptionError, match="k is 0; use 1 or more"):
            corr.retrieve([photo], album, k=0)
        with pytest.raises(OptionError, match="there are 0 queries; give 1 or more"):
            corr.retrieve([], album)
        with pytest.raises(ShapeError, match="queries have 128 numbers each and the gallery 64"):
            gallery = corr.embed([photo], model=GeMNet(descriptor_dim=64))
            corr.retrieve([photo], gallery, model=GeMNet())
        with pytest.raises(DatasetError, match="holds no photo"):
            Path("empty").mkdir()
            corr.retrieve([photo], "empty")

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (["embed", "album", "-o", "e.csv"], "use .npz or .h5"),
            (["embed", "nothing.png", "-o", "e.npz"], "there is no file 'nothing.png'"),
            (["embed", "bad.png", "-o", "e.npz"], "'bad.png' is not an image"),
            (["embed", "album", "-o", "e.npz", "--model", "sift"], "not embed; use one of"),
            (["retrieve", "bad.png", "--gallery", "album"], "'bad.png' is not an image"),
            (["retrieve", "album", "--gallery", "nowhere"], "'nowhere' of photos does not exist"),
            (["retrieve", "album", "--gallery", "bad.npz"], "bad.npz"),
            (["retrieve", "album", "--gallery", "album", "--k", "0"], "k is 0; use 1 or more"),
            (["retrieve", "album", "--gallery", "album", "-o", "r.npz"], "use .csv"),
            (["retrieve", "album", "--gallery", "album", "--model", "patches"], "type HardNet"),
        ],
    )
    def test_on_the_command_line(self, album, capsys, arguments, sentence):
        Path("bad.png").write_bytes(b"no image")
        Path("bad.npz").write_bytes(b"no archive")
        save_network(HardNet(), "patches")
        before = sorted(Path().rglob("*"))
        assert main(arguments) == 2
        shown = capsys.readouterr()
        assert sentence in shown.err
        assert shown.err.count("\n") == 1
        assert sorted(Path().rglob("*")) == before
