"""Runs that are stopped, by a step or by a signal, and go on as if they had not been."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from short_runs import SOFT, TINY, rows, run

from corr.models import load_network
from corr.tasks.training import train

RUN = "import sys; from corr.tasks.training import train; train(sys.argv[1:])"


@pytest.mark.parametrize("stop_at", [1, 3, 4, 5, 8, 9])
def test_a_resumed_run_repeats_the_uninterrupted_one_exactly(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
):
    """Stopped within an epoch, at its end (4 and 8 steps) and just after it; with dropout."""
    folder = tmp_path / "resumed"
    stop_after_step(monkeypatch, stop_at)
    with pytest.raises(SystemExit) as caught:
        run(folder, 10)
    assert caught.value.code == 143
    assert torch.load(folder / "last.ckpt", weights_only=True)["global_step"] == stop_at
    monkeypatch.undo()
    train([str(folder), "--ckpt_path", str(folder / "last.ckpt")])
    assert rows(folder) == rows(finished)
    assert rows(folder, "val/fpr95")[10] == rows(finished, "val/fpr95")[10]
    assert weights(folder).keys() == weights(finished).keys()
    for name, value in weights(folder).items():
        assert torch.equal(value, weights(finished)[name]), name


@pytest.mark.parametrize("stop_at", [3, 7])
def test_semi_hard_steps_and_the_average_resume_exactly(
    finished_soft: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop_at: int
):
    """Stopped within the semi-hard steps, and after them."""
    folder = tmp_path / "resumed"
    stop_after_step(monkeypatch, stop_at)
    with pytest.raises(SystemExit):
        run(folder, 10, *SOFT)
    monkeypatch.undo()
    train([str(folder), "--ckpt_path", str(folder / "last.ckpt")])
    assert rows(folder) == rows(finished_soft)
    for name in ("train/effective_rank", "train/guarded_share", "val/fpr95"):
        found, expected = rows(folder, name), rows(finished_soft, name)
        assert found[max(found)] == expected[max(expected)], name
    ours, theirs = (
        torch.load(place / "last.ckpt", weights_only=True) for place in (folder, finished_soft)
    )
    for part in ("state_dict", "current_model_state", "averaging_state", "optimizer_states"):
        torch.testing.assert_close(ours[part], theirs[part], rtol=0, atol=0)


def test_sigterm_leaves_a_checkpoint_that_resumes(finished: Path, tmp_path: Path):
    folder = tmp_path / "stopped"
    options = ["smoke/patch", "--out", str(folder), "--trainer.max_steps", "100000", *TINY]
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for_steps(folder, process)
        process.send_signal(signal.SIGTERM)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 143, errors
    assert errors == ""
    assert f"go on with: corr train {folder} --ckpt_path {folder / 'last.ckpt'}" in output
    stopped = torch.load(folder / "last.ckpt", weights_only=True)["global_step"]
    assert stopped >= 2
    resume = [str(folder), "--ckpt_path", str(folder / "last.ckpt")]
    train([*resume, "--trainer.max_steps", str(stopped + 2)])
    assert sorted(rows(folder)) == list(range(stopped + 2))
    assert load_network(folder).descriptor_dim == 128


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_to_the_group_with_workers_ends_cleanly(tmp_path: Path, signum: int, code: int):
    """As a terminal sends ctrl-C, and a batch system SIGTERM."""
    folder = tmp_path / "interrupted"
    options = ["smoke/patch", "--out", str(folder), "--trainer.max_steps", "100000", *TINY]
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, *options, "--data.num_workers", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        wait_for_steps(folder, process)
        os.killpg(process.pid, signum)
        output, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == code, errors
    assert errors == ""
    assert "go on with" in output


def weights(folder: Path) -> dict[str, torch.Tensor]:
    stored: dict[str, torch.Tensor] = torch.load(folder / "last.ckpt", weights_only=True)[
        "state_dict"
    ]
    return stored


def stop_after_step(monkeypatch: pytest.MonkeyPatch, step: int) -> None:
    """SIGTERM arrives while a step is computed."""
    from corr.tasks.patch import PatchTask

    compute = PatchTask.training_step

    def compute_and_signal(self: PatchTask, batch: object, batch_idx: int) -> torch.Tensor:
        if self.trainer.global_step == step - 1:
            signal.raise_signal(signal.SIGTERM)
        return compute(self, batch, batch_idx)

    monkeypatch.setattr(PatchTask, "training_step", compute_and_signal)


def wait_for_steps(folder: Path, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if (folder / "metrics.csv").exists() and len(rows(folder)) >= 2:
            return
        time.sleep(0.1)
    raise AssertionError(f"no steps: {process.communicate()[1]}")
