"""Retrieval and verification of models whose quality is known, through the whole command."""

import re
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
import torch.nn.functional as F

from corr.cli import main
from corr.data.mini import IDENTITIES, RETRIEVAL
from corr.data.photometric import Photometry
from corr.data.views import Views
from corr.evaluation.retrieval import RetrievalBenchmark, RetrievalProtocol
from corr.evaluation.verification import VerificationBenchmark
from corr.formats import write_image
from corr.models import save_network
from corr.models.network import ImageEmbedding


class Layout(ImageEmbedding):
    """The colours of an image, square by square, as a vector.

    With `turned`, square images are described by the opposite: what is most alike between a square
    and another image becomes least alike.
    """

    def __init__(self, turned: bool = False) -> None:
        super().__init__()
        self.turned = turned
        self.side = 32
        self.descriptor_dim = 3 * 6 * 6
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        cells = F.adaptive_avg_pool2d(images, 6).flatten(1)
        described = F.normalize(cells - cells.mean(1, keepdim=True), dim=1) * self.scale
        return -described if self.turned and images.shape[2] == images.shape[3] else described


@pytest.fixture
def networks(tmp_path) -> dict[str, Path]:
    save_network(Layout(), tmp_path / "upright")
    save_network(Layout(turned=True), tmp_path / "turned")
    return {name: tmp_path / name for name in ("upright", "turned")}


@pytest.fixture
def album(tmp_path) -> Path:
    """Eight photographs to search and four to ask for, all a little wider than high."""
    photos = [skimage.data.astronaut(), skimage.data.coffee(), skimage.data.chelsea()]
    for number in range(12):
        photo, (row, column) = photos[number % 3], divmod(number // 3, 2)
        part = photo[120 * row : 120 * row + 100, 130 * column : 130 * column + 112]
        folder = tmp_path / "album" / ("val" if number % 3 == 1 else "train")
        folder.mkdir(parents=True, exist_ok=True)
        write_image(folder / f"{number}.png", np.ascontiguousarray(part))
    return tmp_path / "album"


@pytest.fixture
def plain_views(monkeypatch) -> None:
    """Queries that are the middle of a photograph, unchanged but for their shape."""
    whole = Views(
        min_area=1.0, max_area=1.0, max_aspect=1.0, max_rotation_deg=0.0, max_perspective=0.0
    )
    monkeypatch.setattr(
        "corr.evaluation.retrieval.RetrievalProtocol",
        lambda: RetrievalProtocol(
            views=asdict(whole), photometry=asdict(Photometry(probability=0.0)), side=128
        ),
    )


class TestRetrieval:
    @pytest.mark.usefixtures("plain_views")
    def test_perfect_and_inverted(self, album, networks, evaluate):
        found = evaluate("retrieval", album, networks["upright"], networks["turned"])
        right, wrong = (found[str(networks[name])] for name in ("upright", "turned"))
        assert right == {"recall_1": 1.0, "recall_5": 1.0, "recall_10": 1.0, "map": 1.0}
        assert [wrong[f"recall_{k}"] for k in (1, 5, 10)] == [0.0, 0.0, 0.0]
        assert wrong["map"] == pytest.approx(1 / 12)

    def test_the_page_shows_queries_with_their_answers(self, album, evaluate, tmp_path):
        evaluate("retrieval", album, "colour-histogram", "gemnet-untrained")
        page = (tmp_path / "out" / "retrieval.html").read_text()
        for model in ("colour-histogram", "gemnet-untrained"):
            assert f"{model}: some queries" in page
        assert len(re.findall("<img", page)) == 4  # of each model some queries, and the worst

    def test_a_query_depends_on_nothing_but_its_numbers(self, album):
        first, second = RetrievalBenchmark(), RetrievalBenchmark()
        items = first.items(album)
        assert len(items) == 4 * 4
        assert len({first.label(item) for item in items}) == 16
        later = [second.read(item).image for item in reversed(second.items(album))]
        for item, image in zip(items, reversed(later), strict=True):
            assert np.array_equal(first.read(item).image, image)
        assert not np.array_equal(first.read(items[0]).image, first.read(items[4]).image)

    def test_another_photograph_in_the_gallery_is_measured_again(self, album):
        benchmark = RetrievalBenchmark()
        before = benchmark.identity(benchmark.items(album)[0], album)
        write_image(album / "train" / "new.png", np.zeros((9, 9, 3), np.uint8))
        assert benchmark.identity(benchmark.items(album)[0], album) != before

    def test_an_image_of_the_gallery_that_cannot_be_read(self, album, tmp_path, capsys):
        (album / "train" / "bad.png").write_bytes(b"no image")
        given = ["evaluate", "retrieval", "--root", str(album), "--models", "colour-histogram"]
        assert main([*given, "--cache", str(tmp_path / "cache")]) == 0
        shown = capsys.readouterr().out
        assert "bad.png' is not an image in a format" in shown
        assert "0.0/0.0/0.0" in shown

    def test_refusals(self, album, tmp_path, capsys):
        def said(root: Path, model: str) -> str:
            cache = str(tmp_path / "cache")
            given = ["--root", str(root), "--models", model, "--cache", cache]
            assert main(["evaluate", "retrieval", *given]) == 2
            error = capsys.readouterr().err
            assert error.count("\n") == 1
            return error

        assert "has no folder 'train'; expected are" in said(album / "train", "colour-histogram")
        assert "model 'colour' is not known; use one of colour-histogram" in said(album, "colour")
        assert "does match and extract, not embed" in said(album, "sift")
        for path in (album / "val").iterdir():
            path.unlink()
        assert "holds no photo" in said(album, "colour-histogram")


@pytest.fixture
def people(tmp_path) -> Path:
    """Six identities with a square and a wider image each, of one texture."""
    rng = np.random.default_rng(0)
    for number in range(6):
        folder = tmp_path / "people" / f"Person_{number}"
        folder.mkdir(parents=True)
        cells = rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)
        for place, width in ((1, 10), (2, 12)):
            image = cells.repeat(10, axis=0).repeat(width, axis=1)
            write_image(folder / f"{folder.name}_{place:04d}.jpg", image)
    return tmp_path / "people"


class TestVerification:
    def test_perfect_and_inverted(self, people, networks, evaluate, tmp_path):
        found = evaluate("verification", people, networks["upright"], networks["turned"])
        right, wrong = (found[str(networks[name])] for name in ("upright", "turned"))
        assert (right["accuracy"], right["eer"]) == (1.0, 0.0)
        assert wrong["eer"] == 1.0
        assert wrong["accuracy"] < 0.5
        assert "ROC of all pairs" in (tmp_path / "out" / "verification.html").read_text()

    def test_lfws_pairs_are_taken_where_there_are_some(self, people):
        lines = ["2\t1", "Person_0 1 2", "Person_1 1 Person_2 2", "Person_3 1 2"]
        text = "\n".join([*lines, "Person_4 1 Person_5 1"])
        (people.parent / "pairs.txt").write_text(text)
        benchmark = VerificationBenchmark()
        items = benchmark.items(people)
        assert [benchmark.label(item) for item in items] == [
            "fold-0/0000 Person_0_0001 Person_0_0002",
            "fold-0/0001 Person_1_0001 Person_2_0002",
            "fold-1/0002 Person_3_0001 Person_3_0002",
            "fold-1/0003 Person_4_0001 Person_5_0001",
        ]
        (people.parent / "pairs.txt").write_text("one")
        assert main(["evaluate", "verification", "--root", str(people)]) == 2

    def test_drawn_pairs(self, people):
        items = VerificationBenchmark().items(people)
        same = [item.pair.same for item in items]
        assert (sum(same), len(same)) == (6, 12)
        for item in items:
            folders = item.pair.path0.parent, item.pair.path1.parent
            assert (folders[0] == folders[1]) == item.pair.same
        assert len({item.pair.fold for item in items}) == 6
        again = VerificationBenchmark().items(people)
        assert [item.pair for item in again] == [item.pair for item in items]

    def test_a_pair_that_fails_is_told_wrong(self, people, tmp_path, capsys):
        for path in people.rglob("*_0002.jpg"):
            path.write_bytes(b"no image")
        given = ["evaluate", "verification", "--root", str(people), "--models", "colour-histogram"]
        assert main([*given, "--cache", str(tmp_path / "cache")]) == 0
        shown = capsys.readouterr().out
        assert "is not an image in a format" in shown

    def test_one_identity(self, people, capsys, tmp_path):
        (tmp_path / "few").mkdir()
        (tmp_path / "few" / "one").symlink_to(people / "Person_0")
        assert main(["evaluate", "verification", "--root", str(tmp_path / "few")]) == 2
        assert "holds 1 folders with images" in capsys.readouterr().err


def test_the_parts_of_mini(mini, evaluate):
    found = evaluate("retrieval", mini / RETRIEVAL, "colour-histogram")
    assert 0.2 < found["colour-histogram"]["recall_1"] < 0.9
    assert len(RetrievalBenchmark().items(mini / RETRIEVAL)) == 64
    found = evaluate("verification", mini / IDENTITIES, "colour-histogram")
    assert 0.5 < found["colour-histogram"]["accuracy"] < 0.95
