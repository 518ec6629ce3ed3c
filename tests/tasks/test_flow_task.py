"""Training optical flow: it learns, resumes exactly, and is judged at full resolution."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from corr.data import FlowBatch, FlowDataModule, FlowFrames, FlowSource
from corr.errors import OptionError
from corr.losses import EndpointLoss
from corr.models import FlowNetC, FlowNetS
from corr.models.flow_network import FlowNetwork
from corr.tasks import FlowTask, callbacks
from corr.tasks.quiet import quiet
from corr.tasks.records import read_history
from corr.tasks.training import train

NAN = float("nan")
SMALL = [
    *("smoke/flow", "--trainer.max_steps", "6", "--trainer.logger", "false"),
    *("--data.steps_per_epoch", "4", "--data.num_val_pairs", "1", "--data.num_workers", "0"),
    *("--model.ema_decay", "0.9", "--model.robust_share", "0.5"),
]


class Known(FlowNetwork):
    """Says the same flow everywhere, at the levels of FlowNet."""

    def __init__(self, u: float, v: float) -> None:
        super().__init__()
        self.flow_now = torch.nn.Parameter(torch.tensor([float(u), float(v)]))

    def forward(self, images0: Tensor, images1: Tensor) -> list[Tensor]:
        height, width = (-(-side // 64) * 64 for side in images0.shape[-2:])
        return [
            self.flow_now[:, None, None].expand(len(images0), 2, height // k, width // k)
            for k in (64, 32, 16, 8, 4)
        ]


def batch_of(flow: Tensor, occluded: Tensor | None = None) -> FlowBatch:
    """Pairs of random pictures with that flow."""
    batch, _, height, width = flow.shape
    images = torch.rand(2, batch, 3, height, width, generator=torch.Generator().manual_seed(0))
    hidden = torch.zeros(batch, height, width, dtype=torch.bool) if occluded is None else occluded
    return FlowBatch(images[0], images[1], flow, hidden)


def uniform(u: float, v: float, size: tuple[int, int] = (64, 64)) -> Tensor:
    return torch.tensor([float(u), float(v)]).view(1, 2, 1, 1).expand(1, 2, *size).clone()


def task_of(network: FlowNetwork, **settings: Any) -> FlowTask:
    settings = {"warmup_steps": 0, "weight_decay": 0.0, **settings}
    return FlowTask(network, EndpointLoss(), **settings)


class Batches:
    """Lightning takes a list for several loaders."""

    def __init__(self, batches: list[FlowBatch]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Any:
        return iter(self.batches)


def fit(task: FlowTask, batches: list[FlowBatch], **settings: Any) -> pl.Trainer:
    with quiet():
        trainer = pl.Trainer(
            accelerator="cpu", max_steps=len(batches), log_every_n_steps=1, logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            **settings,
        )  # fmt: skip
        trainer.fit(task, train_dataloaders=Batches(batches))
    return trainer


@torch.no_grad()
def judged(task: FlowTask, *batches: FlowBatch) -> dict[str, float]:
    logged: dict[str, float] = {}
    task.log_held_out = logged.update
    task.eval().on_validation_start()
    for number, batch in enumerate(batches):
        task.validation_step(batch, number)
    task.on_validation_epoch_end()
    return logged


def test_figures_by_hand():
    """Over the pixels of all pairs: 64 x 64 of (3, 4) px and 32 x 64 of (0, 50), of which a half is
    not known; the network says (3, 0) of both."""
    first, second = uniform(3, 4), uniform(0, 50, (32, 64))
    second[:, :, :16] = NAN
    found = judged(task_of(Known(3, 0)), batch_of(first), batch_of(second))
    one, two = 64 * 64, 16 * 64
    far = float(np.hypot(3, 50))
    assert found["val/epe"] == pytest.approx((4 * one + far * two) / (one + two), rel=1e-5)
    assert found["val/epe_zero"] == pytest.approx((5 * one + 50 * two) / (one + two), rel=1e-5)
    assert found["val/epe_s0_10"] == pytest.approx(4, rel=1e-5)
    assert found["val/epe_s40"] == pytest.approx(far, rel=1e-5)
    assert "val/epe_s10_40" not in found
    assert found["val/fl_all"] == 1.0
    assert judged(task_of(Known(3, 2)), batch_of(first))["val/fl_all"] == 0.0


def test_dis_is_judged_on_the_same_pairs_once():
    generator = torch.Generator().manual_seed(1)
    picture = torch.nn.functional.avg_pool2d(torch.rand(1, 3, 80, 80, generator=generator), 3, 1, 1)
    batch = FlowBatch(
        picture[..., 8:72, 8:72], picture[..., 8:72, 4:68], uniform(4, 0),
        torch.zeros(1, 64, 64, dtype=torch.bool),
    )  # fmt: skip
    task = task_of(Known(0, 0))
    first = judged(task, batch)
    assert first["val/epe_dis"] < 0.5 < first["val/epe_zero"]
    assert judged(task, batch_of(uniform(9, 9)))["val/epe_dis"] == first["val/epe_dis"]


def test_occluded_pixels_have_no_loss_at_first():
    flow = uniform(5, 0)
    flow[..., 32:] = 40.0
    occluded = torch.zeros(1, 64, 64, dtype=torch.bool)
    occluded[..., 32:] = True
    network = Known(5, 0)
    fit(task_of(network, masked_share=1.0), [batch_of(flow, occluded)] * 2)
    assert torch.equal(network.flow_now.detach(), torch.tensor([5.0, 0.0]))
    fit(task_of(network, masked_share=0.5), [batch_of(flow, occluded)] * 2)
    assert float(network.flow_now[0].detach()) > 5


@pytest.mark.parametrize("bad", ["flow", "hidden"])
def test_a_batch_of_which_nothing_is_known_changes_nothing(bad: str):
    flow = uniform(NAN, NAN) if bad == "flow" else uniform(5, 5)
    hidden = torch.full((1, 64, 64), bad == "hidden")
    network = FlowNetS(1 / 16)
    before = [value.clone() for value in network.parameters()]
    task = task_of(network, masked_share=1.0, ema_decay=0.9)
    fit(task, [batch_of(flow, hidden)])
    assert all(map(torch.equal, before, network.parameters()))


def test_images_of_any_size_are_trained_on():
    network = Known(0, 0)
    trainer = fit(task_of(network, learning_rate=0.1), [batch_of(uniform(3, 0, (50, 70)))])
    assert float(trainer.callback_metrics["train/epe_zero"]) == pytest.approx(3)
    assert float(trainer.callback_metrics["train/epe"]) == pytest.approx(3)
    assert float(network.flow_now[0].detach()) > 0


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
def test_flownetc_learns_a_small_set(precision: str):
    """Two pairs of noise that move by (6, -3) and (-4, 5) px."""
    torch.manual_seed(0)
    generator = torch.Generator().manual_seed(2)
    noise = torch.rand(2, 3, 96, 96, generator=generator)
    moves = [(6, -3), (-4, 5)]
    images1 = torch.stack(
        [noise[n, :, 16 - v : 80 - v, 16 - u : 80 - u] for n, (u, v) in enumerate(moves)]
    )
    flow = torch.cat([uniform(*move) for move in moves])
    hidden = torch.zeros(2, 64, 64, dtype=torch.bool)
    batch = FlowBatch(noise[..., 16:80, 16:80], images1, flow, hidden)
    network = FlowNetC(1 / 8)
    task = task_of(network, learning_rate=0.002, warmup_steps=5, robust_share=0.2)
    trainer = fit(task, [batch] * 60, precision=precision, gradient_clip_val=1.0)
    figures = trainer.callback_metrics
    assert float(figures["train/epe"]) < 0.5 * float(figures["train/epe_zero"])
    assert all(value.dtype == torch.float32 for value in network.parameters())
    levels = network.eval()(batch.images0, batch.images1)
    assert [level.shape[-1] for level in levels] == [1, 2, 4, 8, 16]


def weights(folder: Path) -> dict[str, Tensor]:
    stored = torch.load(folder / "last.ckpt", weights_only=True)
    both: dict[str, Tensor] = stored["state_dict"] | {
        f"now.{name}": value for name, value in stored["current_model_state"].items()
    }
    return both


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flow") / "whole"
    train([*SMALL, "--out", str(folder)])
    return folder


@pytest.mark.parametrize(("stop_at", "workers"), [(2, "0"), (5, "1")])
def test_a_resumed_run_repeats_the_uninterrupted_one_exactly(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int, workers: str
):
    folder = tmp_path / "resumed"
    saved = callbacks.Checkpoints.on_train_batch_end

    def stop(self: Any, trainer: pl.Trainer, *rest: Any) -> None:
        if trainer.global_step == stop_at:
            self.stop.signum = 15
        saved(self, trainer, *rest)

    monkeypatch.setattr(callbacks.Checkpoints, "on_train_batch_end", stop)
    with pytest.raises(SystemExit):
        train([*SMALL, "--out", str(folder), "--data.num_workers", workers])
    monkeypatch.undo()
    assert torch.load(folder / "last.ckpt", weights_only=True)["global_step"] == stop_at
    train([str(folder), "--ckpt_path", str(folder / "last.ckpt")])
    for name in ("train/loss", "train/epe", "train/epe_zero"):
        assert read_history(folder)[name] == read_history(finished)[name]
    assert read_history(folder)["val/epe"][1][-1] == read_history(finished)["val/epe"][1][-1]
    found, expected = weights(folder), weights(finished)
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)


def test_the_folder_of_a_run(finished: Path):
    for name in ("network.yaml", "weights.safetensors", "curves.png", "examples.png"):
        assert (finished / name).stat().st_size > 0
    history = read_history(finished)
    assert history["val/epe"][0][0] == 0  # that of the untrained network
    assert {"val/epe_zero", "val/epe_dis", "val/fl_all", "train/epe_zero"} <= history.keys()


class Constant(FlowSource):
    """The same frames, of which the flow is or is not known."""

    def __init__(self, size: tuple[int, int] = (64, 64), known: bool = True) -> None:
        flow = torch.full((2, *size), 1.0 if known else NAN)
        picture = torch.zeros(3, *size, dtype=torch.uint8)
        self.frames = FlowFrames(picture, picture, flow, torch.zeros(size, dtype=torch.bool))

    def prepare(self) -> None:
        pass

    def draw(self, rng: np.random.Generator) -> FlowFrames:
        return self.frames

    def split(self) -> tuple[FlowSource, FlowSource]:
        return self, self


def test_a_set_without_truth_is_refused_before_training():
    with pytest.raises(ValueError, match="no flow is known in the held-out pairs; use others"):
        FlowDataModule(Constant(known=False), num_val_pairs=2).setup("validate")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"masked_share": 1.5}, "masked_share is 1.5; use a value in"),
        ({"robust_share": -0.1}, "robust_share is -0.1"),
        ({"ema_decay": 1.0}, "ema_decay is 1.0"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0"),
    ],
)
def test_refusals(settings, said):
    with pytest.raises(OptionError, match=said):
        task_of(Known(0, 0), **settings)
