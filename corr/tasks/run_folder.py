"""The folder of a run: where it is, and what it resumes from."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from corr.errors import ModelError, OptionError
from corr.formats.atomic import replacing
from corr.models.saved import WEIGHTS
from corr.tasks.processes import is_first_process, share_folder, shared_folder
from corr.tasks.recipe import CONFIG, Recipe
from corr.tasks.records import METRICS

RUNS = Path("runs")
CHECKPOINT = "last.ckpt"


def open_run_folder(recipe: Recipe) -> Path:
    """The folder of the run, made when missing, with `config.yaml` in it.

    It is the one that the user named, or the one of the checkpoint that is resumed, or a new one
    in `runs/`.

    Raises:
        OptionError: the folder holds another run already, or cannot be made.
    """
    given = recipe.out or _resumed_folder(recipe)
    if not is_first_process():
        return given or shared_folder()
    folder = given or _new_folder(recipe.name)
    begun = any((folder / name).exists() for name in (CHECKPOINT, METRICS, WEIGHTS))
    if begun and recipe.ckpt_path is None:
        raise OptionError(
            f"folder '{folder}' holds a run already; name another one with --out, or go on with "
            f"--ckpt_path {folder / CHECKPOINT}"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"folder '{folder}' cannot be made: {error.strerror}") from error
    with replacing(folder / CONFIG) as path:
        path.write_text(recipe.config, encoding="utf-8")
    share_folder(folder)
    return folder


def checked_step(path: Path, state: Mapping[str, torch.Tensor]) -> int:
    """The step of a checkpoint that fits a task.

    Args:
        path: of the checkpoint.
        state: the parameters and buffers that it has to hold, with their shapes.

    Raises:
        ModelError: it is missing, damaged, holds more than plain values, or does not fit.
    """
    if not path.is_file():
        raise ModelError(f"checkpoint '{path}' does not exist")
    try:
        stored: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        weights, step = stored["state_dict"], int(stored["global_step"])
    except (RuntimeError, OSError, EOFError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"checkpoint '{path}' is damaged, or none of training") from error
    except pickle.UnpicklingError as error:
        raise ModelError(f"checkpoint '{path}' is damaged, or holds more than weights") from error
    for name in sorted(weights.keys() ^ state.keys()):
        lacking = "holds no" if name in state else "holds an unknown"
        raise ModelError(f"checkpoint '{path}' does not fit the recipe: it {lacking} '{name}'")
    for name, value in state.items():
        if weights[name].shape != value.shape:
            raise ModelError(
                f"checkpoint '{path}' does not fit the recipe: '{name}' is "
                f"{list(weights[name].shape)} instead of {list(value.shape)}"
            )
    return step


def _resumed_folder(recipe: Recipe) -> Path | None:
    if recipe.ckpt_path is None or not (recipe.ckpt_path.parent / CONFIG).is_file():
        return None
    return recipe.ckpt_path.parent


def _new_folder(name: str) -> Path:
    """The first of `runs/<recipe>-1`, `-2`, ... that is free."""
    stem = Path(name).stem
    number = 1
    while (RUNS / f"{stem}-{number}").exists():
        number += 1
    return RUNS / f"{stem}-{number}"
