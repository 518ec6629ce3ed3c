"""`corr train`: from a recipe to a folder with a network that can be used."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import RichProgressBar
from pytorch_lightning.loggers import Logger, WandbLogger

from corr.data.image_datamodule import ImageDataModule
from corr.data.patch_datamodule import PatchDataModule
from corr.data.photo_instances import PhotoInstanceDataModule
from corr.data.photos import INSTALLED_TRAIN
from corr.errors import RecipeError
from corr.machine.precision import fast_precision
from corr.models.network import ImageEmbedding, Network, PatchDescriptor
from corr.models.saved import save_network
from corr.tasks.callbacks import Checkpoints, LinesOfProgress, SaveNetwork, SeedEachStep
from corr.tasks.flow import FlowTask
from corr.tasks.flow_examples import draw_flow_examples
from corr.tasks.hardest import draw_hardest
from corr.tasks.memory import keep_freed_memory
from corr.tasks.metric import MetricTask
from corr.tasks.network_task import NetworkTask
from corr.tasks.processes import is_first_process
from corr.tasks.quiet import quiet
from corr.tasks.recipe import Recipe, build_recipe, recipe_names
from corr.tasks.records import csv_logger, read_history, wandb_logger, write_curves
from corr.tasks.run_folder import CHECKPOINT, checked_step, open_run_folder
from corr.tasks.signals import StopRequest, TrainingStopped, stop_on_signals

STEPS_BETWEEN_CHECKPOINTS = 100


def train(arguments: Sequence[str]) -> None:
    """Train what a recipe says, and write the run's folder.

    The folder then holds `config.yaml`, `metrics.csv`, `last.ckpt`, `weights.safetensors`,
    `network.yaml`, `curves.png` and, of descriptors, `hardest.png`, of optical flow `examples.png`.

    Args:
        arguments: the recipe (a name, a YAML file or a run's folder), then options: any leaf of it
            as `--model.learning_rate 0.1`, `--out DIR`, `--ckpt_path FILE` to go on from there.

    Raises:
        CorrError: the recipe, an option, the data or the checkpoint cannot be used.
        SystemExit: 130 after ctrl-C, 143 after SIGTERM; the checkpoint is written before.
    """
    if not arguments or arguments[0].startswith("-"):
        raise RecipeError(
            f"name a recipe first, such as 'corr train smoke/patch'; there are: "
            f"{', '.join(recipe_names())}"
        )
    keep_freed_memory()
    with quiet(), stop_on_signals() as stop:
        recipe = build_recipe(arguments[0], list(arguments[1:]))
        try:
            _train(recipe, stop)
        except TrainingStopped as stopped:
            raise SystemExit(stopped.exit_code) from stopped


def _train(recipe: Recipe, stop: StopRequest) -> None:
    task, resumed_step = recipe.task, 0
    if recipe.ckpt_path is not None:
        resumed_step = checked_step(recipe.ckpt_path, task.state_dict())
    _check_inputs(recipe)
    folder = open_run_folder(recipe)
    checkpoints = Checkpoints(folder / CHECKPOINT, STEPS_BETWEEN_CHECKPOINTS, stop)
    networks = SaveNetwork(folder)
    trainer = _trainer(recipe, folder, resumed_step, networks, checkpoints)
    _warn_of_few_photos(recipe.data)
    try:
        trainer.fit(task, datamodule=recipe.data, ckpt_path=recipe.ckpt_path, weights_only=True)
        if networks.saved_step != trainer.global_step:
            trainer.validate(task, datamodule=recipe.data, verbose=False)
        stop.deferred = False
    except (TrainingStopped, Exception) as error:
        if stop.signum is None:
            raise
        # Also where the signal ended a worker of someone's own loader, which ends the step.
        _say(_how_to_resume(folder, checkpoints.saved_step, trainer.max_steps))
        raise TrainingStopped(stop.signum) from error
    finally:
        _finish_loggers(trainer.loggers)
    if not trainer.is_global_zero:
        return
    network = getattr(task, "network", None)
    if isinstance(network, Network):
        save_network(network, folder)
    write_curves(folder, read_history(folder))
    if isinstance(task, MetricTask):
        draw_hardest(task, recipe.data.val_dataloader(), folder)
    elif isinstance(task, FlowTask):
        draw_flow_examples(task, recipe.data.val_dataloader(), folder)
    _say(_summary(folder, trainer))


def _trainer(
    recipe: Recipe,
    folder: Path,
    resumed_step: int,
    networks: SaveNetwork,
    checkpoints: Checkpoints,
) -> pl.Trainer:
    settings = dict(recipe.trainer)
    if settings["max_steps"] == -1 and not (settings["max_epochs"] or settings["max_time"]):
        raise RecipeError(f"recipe '{recipe.name}': trainer has no end; give trainer.max_steps")
    if settings["precision"] is None:
        settings["precision"] = fast_precision(accelerator=settings["accelerator"])
    terminal = sys.stdout.isatty()
    defaults = {
        "max_epochs": -1,
        "num_sanity_val_steps": -1,  # the figure of the untrained network, for comparison
        "log_every_n_steps": 10,
        "enable_progress_bar": terminal,
        "enable_model_summary": False,
        "enable_checkpointing": False,
    }
    settings.update({key: value for key, value in defaults.items() if settings[key] is None})
    progress = RichProgressBar() if settings["enable_progress_bar"] else LinesOfProgress()
    settings.update(
        default_root_dir=folder,
        use_distributed_sampler=False,
        logger=_loggers(settings["logger"], folder, resumed_step),
        callbacks=[
            SeedEachStep(recipe.seed),
            networks,  # before an average of the weights makes way for what training goes on with
            *_watching(recipe.task, settings["callbacks"]),
            checkpoints,  # after those whose state it holds
            progress,
        ],
    )
    return pl.Trainer(**settings)


def _watching(task: pl.LightningModule, given: Any) -> list[pl.Callback]:
    """The callbacks of the recipe, and those that the task has by itself."""
    chosen = list(given) if isinstance(given, (list, tuple)) else [given] if given else []
    return [*chosen, *(task.own_callbacks(chosen) if isinstance(task, NetworkTask) else ())]


def _check_inputs(recipe: Recipe) -> None:
    """A network is used with the patches or images that it was trained on."""
    network, data = getattr(recipe.task, "network", None), recipe.data
    if isinstance(network, PatchDescriptor) and isinstance(data, PatchDataModule):
        name, read, made = "sigmas", network.sigmas, data.sigmas
    elif isinstance(network, ImageEmbedding) and isinstance(data, ImageDataModule):
        name, read, made = "side", network.side, data.side
    else:
        return
    if read != made:
        raise RecipeError(
            f"recipe '{recipe.name}': {name} of the network is {read} and of the data {made}; give "
            "both the same"
        )


def _loggers(chosen: Any, folder: Path, resumed_step: int) -> list[Logger]:
    """`metrics.csv` always; W&B unless the recipe brings its own loggers, or says `false`."""
    if not is_first_process():
        return []
    table = csv_logger(folder, resumed_step)
    if chosen is None or chosen is True:
        return [table, wandb_logger(folder)]
    if chosen is False:
        return [table]
    return [table, *(chosen if isinstance(chosen, list) else [chosen])]


def _finish_loggers(loggers: Sequence[Logger]) -> None:
    for logger in loggers:
        if isinstance(logger, WandbLogger):
            logger.experiment.finish()


def _warn_of_few_photos(data: pl.LightningDataModule) -> None:
    if isinstance(data, PatchDataModule | PhotoInstanceDataModule) and data.folder is None:
        _say(
            f"data.folder is not given: only the {len(INSTALLED_TRAIN)} photographs that "
            "scikit-image installs are used, so the network will be weak"
        )


def _how_to_resume(folder: Path, step: int, max_steps: int) -> str:
    if step < 0:
        return "stopped before the first checkpoint: there is nothing to resume"
    total = f" of {max_steps}" if max_steps > 0 else ""
    again = f"corr train {folder} --ckpt_path {folder / CHECKPOINT}"
    return f"stopped; step {step}{total} is saved, go on with: {again}"


def _summary(folder: Path, trainer: pl.Trainer) -> str:
    figures = trainer.callback_metrics
    lines = [f"the run is in {folder}: network, metrics.csv, curves.png, config.yaml"]
    if "val/fpr95" in figures and "val/fpr95_rootsift" in figures:
        lines.append(
            f"FPR95 on the held-out pairs: {figures['val/fpr95']:.2%} "
            f"(RootSIFT on the same pairs: {figures['val/fpr95_rootsift']:.2%}); lower is better"
        )
    if "val/recall_1" in figures and "val/recall_1_histogram" in figures:
        lines.append(
            f"recall@1 on the held-out images: {figures['val/recall_1']:.1%} "
            f"(colour histogram: {figures['val/recall_1_histogram']:.1%}), "
            f"mAP {figures['val/map']:.1%} ({figures['val/map_histogram']:.1%}), "
            f"equal error rate {figures['val/eer']:.1%} ({figures['val/eer_histogram']:.1%})"
        )
        lines.append(f"use it: corr retrieve QUERY --gallery DIR --model {folder}")
    elif "val/within3" in figures and "val/within3_census" in figures:
        lines.append(
            f"held-out pixels whose best disparity is within 3 px: {figures['val/within3']:.1%} "
            f"(census: {figures['val/within3_census']:.1%}), within 1 px: "
            f"{figures['val/within1']:.1%} ({figures['val/within1_census']:.1%})"
        )
        lines.append(f"use it: corr disparity LEFT RIGHT --model {folder}")
    elif "val/epe" in figures and "val/epe_zero" in figures:
        lines.append(
            f"end-point error on the held-out pairs: {figures['val/epe']:.2f} px (no motion: "
            f"{figures['val/epe_zero']:.2f} px, DIS: {figures['val/epe_dis']:.2f} px), "
            f"Fl-all {figures['val/fl_all']:.1%}"
        )
        lines.append(f"use it: corr flow A B --model {folder}")
    else:
        lines.append(f"use it: corr match A B --model {folder}")
    return "\n".join(lines)


def _say(text: str) -> None:
    if not is_first_process():
        return
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
