"""What the picture of the hardest negatives shows."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from corr.formats import read_image
from corr.losses import TripletLoss
from corr.models import PatchDescriptor
from corr.tasks import PatchTask, hardest


class Batch(NamedTuple):
    anchor: torch.Tensor
    positive: torch.Tensor
    points: torch.Tensor
    images: torch.Tensor


class Brightness(PatchDescriptor):
    """Describes a patch by a point on a half circle: brightness 0 to 1 is 0 to 180 degrees."""

    descriptor_dim = 2
    sigmas = 20.0

    def __init__(self) -> None:
        super().__init__()

    def forward(self, patches):
        angle = patches.mean((1, 2, 3)) * np.pi
        return torch.stack((angle.cos(), angle.sin()), 1)


def flat(*brightness: float) -> torch.Tensor:
    return torch.tensor(brightness).view(-1, 1, 1, 1).expand(-1, 1, 32, 32).contiguous()


def drawn(batches, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict:
    seen = {}

    def noting(anchors, positives, negatives, near, far):
        tiles = {"anchor": anchors, "positive": positives, "negative": negatives}
        seen.update({name: [int(t[0, 0, 0]) for t in side] for name, side in tiles.items()})
        seen.update(near=near, far=far)
        return draw(anchors, positives, negatives, near, far)

    draw = hardest.draw_triplets
    monkeypatch.setattr(hardest, "draw_triplets", noting)
    task = PatchTask(Brightness(), TripletLoss())
    seen["path"] = hardest.draw_hardest(task, batches, folder)
    return seen


def test_the_most_confused_row_comes_first(tmp_path, monkeypatch):
    # Row 1's positive (0.5) is farther from its anchor (0.3) than the positive of row 0 (0.2).
    anchor, positive = flat(0.1, 0.3, 0.9), flat(0.2, 0.5, 0.95)
    points = torch.tensor([[0.0, 0], [100, 0], [200, 0]])
    batch = Batch(anchor, positive, points, torch.zeros(3, dtype=torch.int64))
    seen = drawn([batch], tmp_path, monkeypatch)
    assert seen["anchor"] == [76, 26, 230]
    assert seen["positive"] == [128, 51, 242]
    assert seen["negative"][:2] == [51, 128]
    chord = 2 * np.sin(np.pi * np.array([0.2, 0.1]) / 2)
    assert np.allclose([seen["near"][0], seen["far"][0]], chord, atol=1e-3)
    picture = read_image(seen["path"])
    assert picture.shape[2] == 3
    red = (picture == (210, 40, 40)).all(2)
    assert red.sum() > 4 * 80  # the frame of the first negative, and the key


def test_rows_of_other_batches_are_negatives_but_not_those_of_the_same_place(tmp_path, monkeypatch):
    def batch(*rows):
        anchor, positive, x, image = zip(*rows, strict=True)
        points = torch.tensor([[value, 0.0] for value in x])
        return Batch(flat(*anchor), flat(*positive), points, torch.tensor(image))

    first = batch((0.1, 0.1, 10.0, 0), (0.9, 0.9, 50.0, 0))
    second = batch((0.12, 0.12, 13.0, 0), (0.2, 0.2, 10.0, 1))
    seen = drawn([first, second], tmp_path, monkeypatch)
    of_first = seen["negative"][seen["anchor"].index(26)]
    assert of_first == 51  # 0.12 is nearer, but 3 px away in the same photo; 0.2 is of another one


def test_one_row_alone_has_no_negative(tmp_path):
    batch = (flat(0.1), flat(0.2))
    assert hardest.draw_hardest(PatchTask(Brightness(), TripletLoss()), [batch], tmp_path) is None
    assert not list(tmp_path.iterdir())
