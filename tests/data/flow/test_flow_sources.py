"""Where pairs with flow come from, how they are mixed and held out, and what a step draws."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from corr.data import (
    FlowDataModule,
    FlowFrames,
    FlowSource,
    MixedFlow,
    PublishedFlow,
    SyntheticFlow,
)
from corr.data.flow.batches import TrainingFrames, WholeFrames
from corr.data.synthetic.config import Surfaces, SyntheticConfig
from corr.errors import DatasetError, OptionError
from corr.formats import write_flo, write_image

SIZE = (70, 90)


class Numbered(FlowSource):
    """Each pair has a number of its own as its flow; those that are drawn are counted."""

    def __init__(self, base: float = 0.0) -> None:
        self.base = base
        self.drawn = 0

    def prepare(self) -> None:
        """Nothing is needed."""

    def draw(self, rng: np.random.Generator) -> FlowFrames:
        self.drawn += 1
        flow = torch.full((2, *SIZE), self.base + float(rng.random()))
        picture = torch.zeros(3, *SIZE, dtype=torch.uint8)
        return FlowFrames(picture, picture, flow, torch.zeros(SIZE, dtype=torch.bool))

    def split(self) -> tuple[FlowSource, FlowSource]:
        return self, Numbered(self.base)


def chairs(root: Path, count: int, split: str | None = None) -> Path:
    (root / "data").mkdir(parents=True)
    for number in range(1, count + 1):
        stem = f"{root}/data/{number:05d}"
        write_image(f"{stem}_img1.png", np.full((*SIZE, 3), number, np.uint8))
        write_image(f"{stem}_img2.png", np.full((*SIZE, 3), 100 + number, np.uint8))
        write_flo(f"{stem}_flow.flo", np.full((*SIZE, 2), (number, -number), np.float32))
    if split is not None:
        (root / "FlyingChairs_train_val.txt").write_text("\n".join(split))
    return root


def numbers(source: FlowSource, count: int = 40) -> set[int]:
    """Of the pairs that are drawn."""
    rng = np.random.default_rng(0)
    return {int(source.draw(rng).flow_0to1[0, 0, 0]) for _ in range(count)}


def test_frames_of_a_published_set(tmp_path: Path):
    source = PublishedFlow(str(chairs(tmp_path, 1)))
    frames = source.draw(np.random.default_rng(0))
    assert frames.image0.shape == (3, *SIZE) and frames.flow_0to1.shape == (2, *SIZE)
    assert (frames.image0 == 1).all() and (frames.image1 == 101).all()
    assert (frames.flow_0to1[0] == 1).all() and (frames.flow_0to1[1] == -1).all()
    assert not frames.occluded.any()


def test_the_published_list_says_what_is_held_out(tmp_path: Path):
    train, held_out = PublishedFlow(str(chairs(tmp_path, 6, "112112"))).split()
    assert numbers(train) == {1, 2, 4, 5}
    assert numbers(held_out) == {3, 6}
    kept = [int(one.flow_0to1[0, 0, 0]) for one in held_out.held_out(10)]
    assert kept == [3, 6]


def test_else_every_tenth_pair_is_held_out(tmp_path: Path):
    train, held_out = PublishedFlow(str(chairs(tmp_path / "many", 12))).split()
    assert numbers(held_out) == {1, 11}
    assert numbers(train, 200) == {2, 3, 4, 5, 6, 7, 8, 9, 10, 12}
    with pytest.raises(DatasetError, match="holds 1 pair; 2 or more are needed"):
        PublishedFlow(str(chairs(tmp_path / "one", 1))).split()


def test_parts_by_name(tmp_path: Path):
    root = str(chairs(tmp_path, 4, "1121"))
    assert numbers(PublishedFlow(root, ["val"])) == {3}
    with pytest.raises(DatasetError, match="has no part 'clean'; it has train, val"):
        PublishedFlow(root, ["clean"]).prepare()
    with pytest.raises(OptionError, match="parts is empty"):
        PublishedFlow(root, [])
    with pytest.raises(DatasetError, match="nowhere' is not a folder"):
        PublishedFlow(str(tmp_path / "nowhere")).prepare()


def test_a_mix_draws_by_weights():
    mix = MixedFlow({"a": Numbered(0), "b": Numbered(10), "c": Numbered(20)}, {"a": 3.0, "c": 0.0})
    rng = np.random.default_rng(0)
    found = Counter(int(mix.draw(rng).flow_0to1[0, 0, 0]) // 10 for _ in range(400))
    assert found[2] == 0
    assert found[0] == pytest.approx(300, abs=30)
    train, held_out = mix.split()
    assert list(train.sources) == ["a", "b"]
    kept = [int(one.flow_0to1[0, 0, 0]) // 10 for one in held_out.held_out(8)]
    assert kept == [0] * 6 + [1] * 2


@pytest.mark.parametrize(
    ("sources", "weights", "said"),
    [
        ([], None, "sources is empty"),
        (["a", "b"], {"d": 1.0}, "weights names 'd', which is none of the sources: a, b"),
        (["a"], {"a": -1.0}, "the weight of 'a' is -1.0"),
        (["a"], {"a": 0.0}, "all weights are 0"),
    ],
)
def test_mixes_that_are_refused(sources, weights, said):
    with pytest.raises(OptionError, match=said):
        MixedFlow({name: Numbered() for name in sources}, weights)


def flows(frames: WholeFrames) -> list[float]:
    return [float(flow[0, 0, 0]) for flow in frames.flow_0to1]


@pytest.mark.parametrize("reuse", [1, 4])
def test_what_a_step_draws_depends_on_its_number_alone(reuse: int):
    settings = {"batch_size": 4, "reuse": reuse, "pool": 16, "seed": 3}
    straight = TrainingFrames(source=Numbered(), **settings)
    whole = [straight(step) for step in range(30)]
    for first in (7, 29):
        resumed = TrainingFrames(source=Numbered(), **settings)
        for step in range(first, 30):
            again = resumed(step)
            assert flows(again) == flows(whole[step])
            assert again.seed == whole[step].seed
    assert len({frames.seed for frames in whole}) == 30
    assert all(len(set(flows(frames))) == 4 for frames in whole)


def test_pairs_are_reused_and_then_forgotten():
    source = Numbered()
    make = TrainingFrames(source=source, batch_size=4, reuse=4, pool=16, seed=0)
    used = Counter(value for step in range(200) for value in flows(make(step)))
    assert source.drawn == len(used) <= 16 + 200
    assert 3 < 800 / len(used) < 5
    assert len(make._made) <= 16
    other = TrainingFrames(source=Numbered(), batch_size=4, reuse=4, pool=16, seed=1)
    assert not set(flows(other(0))) & set(used)


def test_processes_share_no_pair():
    ranks = [
        TrainingFrames(source=Numbered(), batch_size=4, seed=0, rank=rank, num_ranks=2)
        for rank in (0, 1)
    ]
    found = [value for make in ranks for step in range(4) for value in flows(make(step))]
    assert len(set(found)) == len(found)


def test_batches_are_windows_that_the_seed_of_the_step_draws():
    module = FlowDataModule(Numbered(), crop=(64, 64), batch_size=2, num_workers=0)
    frames = next(iter(module.train_dataloader()))
    batch = module.on_after_batch_transfer(frames, 0)
    assert batch.images0.shape == (2, 3, 64, 64) and batch.flow_0to1.shape == (2, 2, 64, 64)
    again = module.on_after_batch_transfer(frames, 0)
    assert torch.equal(batch.images0, again.images0)
    assert torch.equal(batch.flow_0to1, again.flow_0to1)
    other = module.on_after_batch_transfer(frames._replace(seed=frames.seed + 1), 0)
    assert not torch.equal(batch.images0, other.images0)
    held_out = next(iter(module.val_dataloader()))
    assert held_out.images0.shape == (1, 3, *SIZE)


def test_synthetic_scenes_have_flow_and_others_are_held_out():
    config = SyntheticConfig(
        view="flow", height=64, width=96, num_objects=(2, 3), surfaces=Surfaces(num_tiles=8)
    )
    train, held_out = SyntheticFlow(config).split()
    first, again = (train.draw(np.random.default_rng(0)) for _ in range(2))
    assert first.image0.shape == (3, 64, 96) and first.flow_0to1.shape == (2, 64, 96)
    assert torch.equal(first.image0, again.image0)
    other = held_out.draw(np.random.default_rng(0))
    assert not torch.equal(first.image0, other.image0)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"crop": (250, 320)}, "crop is 250 x 320 px; use a height and a width that are multiples"),
        ({"crop": (0, 64)}, "crop is 0 x 64"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"reuse": 0}, "reuse is 0"),
    ],
)
def test_refusals(settings, said):
    with pytest.raises(OptionError, match=said):
        FlowDataModule(Numbered(), **settings)
