"""`corr train`, `corr evaluate`, `corr demo`."""

from __future__ import annotations

from pathlib import Path

from corr.errors import OptionError


def train(recipe: str, options: list[str] | None = None) -> None:
    """Train what a recipe says: a network to use with --model.

    Args:
        recipe: one that `corr recipes` lists, a YAML file, or a run's folder.
        options: any leaf of the recipe such as --model.learning_rate 0.1, --out DIR for the run's
            folder, --ckpt_path FILE to go on from a checkpoint.
    """
    from corr.tasks import training

    training.train([recipe, *(options or [])])


def evaluate(
    benchmark: str,
    *,
    root: Path,
    models: str,
    out: Path | None = None,
) -> None:
    """Measure models on a benchmark: learned beside classical, one table.

    Args:
        benchmark: such as `homographies`.
        root: folder of the benchmark's data.
        models: names or folders, with commas between: `sift,rootsift,hardnet`.
        out: folder for the report as JSON and Markdown.
    """
    from corr import evaluation

    names = [name.strip() for name in models.split(",")]
    if not all(names):
        raise OptionError(f"--models '{models}' has an empty name; write them as 'sift,rootsift'")
    evaluation.run(benchmark, root, names, out)


def demo(*, out: Path = Path("demo")) -> None:
    """Train, match and measure disparity on real photographs, and show it as a page.

    Args:
        out: folder of the page.
    """
    from corr import demo as demonstration

    demonstration.run(out)
