"""The record of a run: its loggers, its history, its curves."""

from __future__ import annotations

import csv
import netrc
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pytorch_lightning.loggers import CSVLogger, WandbLogger

METRICS = "metrics.csv"
CURVES = "curves.png"
_WANDB_HOST = "api.wandb.ai"


@dataclass(frozen=True)
class _Diagram:
    """What a validation found."""

    title: str
    curves: dict[str, str]
    """Name -> logged figure."""
    unit: str = "%"
    log_y: bool = False


_FIGURES = (
    _Diagram(
        "FPR95 on held-out pairs",
        {"network": "val/fpr95", "RootSIFT": "val/fpr95_rootsift"},
        log_y=True,
    ),
    _Diagram(
        "Retrieval of held-out images",
        {
            "recall@1": "val/recall_1",
            "recall@1, colour histogram": "val/recall_1_histogram",
            "mAP": "val/map",
            "mAP, colour histogram": "val/map_histogram",
        },
    ),
    _Diagram(
        "Verification of held-out images",
        {"equal error rate": "val/eer", "colour histogram": "val/eer_histogram"},
    ),
    _Diagram(
        "End-point error on held-out pairs",
        {"network": "val/epe", "no motion": "val/epe_zero", "DIS": "val/epe_dis"},
        unit="px",
        log_y=True,
    ),
)

History = dict[str, tuple[list[int], list[float]]]
"""For each logged figure its steps and its values."""


def csv_logger(folder: Path, resumed_step: int) -> CSVLogger:
    """A logger that writes `metrics.csv` in the run's folder.

    Args:
        folder: of the run.
        resumed_step: rows of earlier steps are kept, those from it on will be made anew.
    """
    rows = [row for row in _rows(folder / METRICS) if int(row["step"]) < resumed_step]
    logger = CSVLogger(folder.parent, name=folder.name, version="", flush_logs_every_n_steps=1)
    logger.experiment.metrics.extend(
        {name: (int if name in ("step", "epoch") else float)(value) for name, value in row.items()}
        for row in rows
    )
    return logger


def wandb_logger(folder: Path) -> WandbLogger:
    """A Weights & Biases logger: online for someone who is logged in, else on disk only."""
    import wandb

    run = wandb.init(
        project="corr",
        name=folder.name,
        dir=folder,
        mode="online" if _logged_in() else "offline",
        settings=wandb.Settings(silent=True, console="off", disable_git=True, save_code=False),
    )
    return WandbLogger(experiment=run)


def read_history(folder: Path) -> History:
    """What a run logged: every figure over the steps."""
    history: History = {}
    for row in _rows(folder / METRICS):
        for name, value in row.items():
            if name not in ("step", "epoch"):
                steps, values = history.setdefault(name, ([], []))
                steps.append(int(row["step"]))
                values.append(float(value))
    return history


def write_curves(folder: Path, history: History) -> Path:
    """Draw `curves.png`: the loss, and what the validation found beside its classical baseline."""
    from corr.drawing import draw_curves
    from corr.formats import write_picture

    path = folder / CURVES
    panels = [draw_curves(_named(history, {"loss": "train/loss"}), "Training loss")]
    for diagram in _FIGURES:
        scale = 100 if diagram.unit == "%" else 1
        found = _named(history, diagram.curves)
        curves = {name: (steps, scale * values) for name, (steps, values) in found.items()}
        if curves:
            panels.append(
                draw_curves(curves, diagram.title, y_label=diagram.unit, log_y=diagram.log_y)
            )
    write_picture(path, np.concatenate(panels, axis=1))
    return path


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [{k: v for k, v in row.items() if v} for row in csv.DictReader(file)]


def _named(history: History, names: dict[str, str]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    return {
        title: (np.asarray(history[name][0]), np.asarray(history[name][1]))
        for title, name in names.items()
        if name in history
    }


def _logged_in() -> bool:
    if os.environ.get("WANDB_MODE"):
        return os.environ["WANDB_MODE"] == "online"
    if os.environ.get("WANDB_API_KEY"):
        return True
    try:
        return netrc.netrc().authenticators(_WANDB_HOST) is not None
    except (OSError, netrc.NetrcParseError):
        return False
