"""Recipes: where they are, and what they build."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import yaml
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI

from corr.errors import CorrError, RecipeError
from corr.resources import recipes_root
from corr.tasks.quiet import quiet
from corr.tasks.recipe_errors import one_line

CONFIG = "config.yaml"
_HIDDEN = ("config", "out", "ckpt_path")
"""Options of one call, which are no part of what a run is."""


@dataclass(frozen=True)
class Recipe:
    """What a recipe and the options beside it build."""

    name: str
    """As the user gave it."""
    task: pl.LightningModule
    data: pl.LightningDataModule
    trainer: dict[str, Any]
    """Arguments of `pytorch_lightning.Trainer`."""
    config: str
    """Every setting, defaults included, as YAML: a recipe that builds the same again."""
    seed: int
    out: Path | None
    ckpt_path: Path | None


def recipe_names() -> list[str]:
    """The recipes that come with the installation, such as `smoke/patch`."""
    root = recipes_root()
    files = (path.relative_to(root) for path in root.rglob("*.yaml"))
    return sorted(path.with_suffix("").as_posix() for path in files)


def find_recipe(name: str) -> Path:
    """The file of a recipe: one of `recipe_names()`, a YAML file, or a run's folder.

    Raises:
        RecipeError: there is none.
    """
    shipped = recipes_root() / f"{name}.yaml"
    if name in recipe_names():
        return shipped
    path = Path(name)
    if path.is_dir() and (path / CONFIG).is_file():
        return path / CONFIG
    if path.is_file():
        return path
    raise RecipeError(
        f"recipe '{name}' is neither a YAML file nor a run's folder nor one of: "
        f"{', '.join(recipe_names())}"
    )


def build_recipe(name: str, options: Sequence[str] = ()) -> Recipe:
    """The task, the data and the trainer's arguments of a recipe.

    Args:
        name: see `find_recipe`.
        options: `--any.leaf value` pairs that change it, `--out DIR` and `--ckpt_path FILE`.

    Raises:
        RecipeError: a key, a type or a class is wrong; the sentence names it.
    """
    path = find_recipe(name)
    _check_yaml(name, path)
    with quiet(), _arguments_of_ours(), _own_modules():
        try:
            cli = _RecipeCLI(["--config", str(path), *options])
        except CorrError:
            raise
        except Exception as error:  # whatever a constructor or the parser raises, in one line
            raise RecipeError(f"recipe '{name}': {one_line(error)}") from error
    config = cli.config.clone()
    for option in _HIDDEN:
        config.pop(option, None)
    out, ckpt_path = cli.config["out"], cli.config["ckpt_path"]
    return Recipe(
        name=name,
        task=cli.model,
        data=cli.datamodule,
        trainer=dict(cli.config_init["trainer"]),
        config=cli.parser.dump(config, skip_unset=False, skip_validation=True),
        seed=int(cli.config["seed_everything"]),
        out=Path(out) if out else None,
        ckpt_path=Path(ckpt_path) if ckpt_path else None,
    )


class _RecipeCLI(LightningCLI):
    """Lightning's command line, which leaves the trainer to `corr.tasks.training`."""

    def __init__(self, arguments: list[str]) -> None:
        super().__init__(
            pl.LightningModule,
            pl.LightningDataModule,
            subclass_mode_model=True,
            subclass_mode_data=True,
            save_config_callback=None,
            seed_everything_default=0,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            parser_kwargs={"exit_on_error": False},
            args=arguments,
            run=False,
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        parser.add_argument("--out", type=str | None, default=None, help="folder of the run")
        parser.add_argument(
            "--ckpt_path", type=str | None, default=None, help="checkpoint to go on from"
        )

    def instantiate_trainer(self, **kwargs: Any) -> None:  # type: ignore[override]  # not yet
        """Nothing: its loggers and callbacks need the folder of the run."""


def _check_yaml(name: str, path: Path) -> None:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"recipe '{name}' cannot be read: {error}") from error
    except yaml.YAMLError as error:
        raise RecipeError(f"recipe '{name}' is no valid YAML: {one_line(error)}") from error
    if not isinstance(content, dict):
        raise RecipeError(f"recipe '{name}' has to hold the keys model, data and trainer")


@contextmanager
def _arguments_of_ours() -> Iterator[None]:
    """Without the command line: the parser would warn that it is given arguments beside it."""
    former = sys.argv
    sys.argv = former[:1]
    try:
        yield
    finally:
        sys.argv = former


@contextmanager
def _own_modules() -> Iterator[None]:
    """With the working directory importable, as `python -m` does, for a user's own classes."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        sys.path.remove(here)
