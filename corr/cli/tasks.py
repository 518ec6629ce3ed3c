"""`corr train`, `corr evaluate`, `corr reproduce`, `corr demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from corr.cli.images import Search
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
    root: Path | None = None,
    models: str | None = None,
    out: Path | None = None,
    rows: Literal["all", "group", "item"] | None = None,
    search: Search = "auto",
    rotations: Literal["own", "none", "few", "auto"] = "own",
    flips: Literal["none", "auto"] = "none",
    refine: Literal["own", "none", "variational", "lk", "lk-variational"] = "own",
    cache: Path | None = None,
    reuse: bool = True,
) -> None:
    """Measure models on a benchmark: learned beside classical, one table.

    Args:
        benchmark: `homographies`, `pose`, `pck`, `invariance`, `unrelated`, `stereo`, `flow`,
            `patches`, `normalization`, `hpatches`, `brown`, `retrieval`, `verification` or
            `semantic`; or `mini`, on data that comes with corr.
        root: folder of the benchmark's data, as its authors publish it; `invariance` and
            `unrelated` take any photographs, those that come with corr when not given.
        models: with commas between, names or folders of networks, or folders of results computed
            elsewhere, a file for each item; some of `corr models` when not given.
        out: folder for the report as JSON, CSV, Markdown and a page with the worst items.
        rows: what the table has a row for, beside the whole; groups, if they are few, when not
            given.
        search: who finds nearest neighbours, where any are sought.
        rotations: auto matches with four quarter turns of the second image, where images are
            matched; few where few matches are found without; own as the model says.
        flips: auto also sees the second image mirrored, in `semantic`.
        refine: of `flow`, refine what every model finds as in `corr flow`; own as the model says.
        cache: folder of the results of earlier runs; in your own cache when not given.
        reuse: take what an earlier run has measured from there.
    """
    from corr import evaluation

    names = None if models is None else [name.strip() for name in models.split(",")]
    if names is not None and not all(names):
        raise OptionError(f"--models '{models}' has an empty name; write them as 'sift,rootsift'")
    evaluation.run(
        benchmark,
        root,
        names,
        out,
        cache=cache,
        reuse=reuse,
        rows=rows,
        search=search,
        rotations=rotations,
        flips=flips,
        refine=refine,
    )


def reproduce(
    name: str,
    *,
    root: Path | None = None,
    cache: Path | None = None,
    reuse: bool = False,
) -> int:
    """Measure again what a shipped network's card states; exit with 1 where a figure fails.

    Args:
        name: of the network, such as `hardnet`.
        root: folder of the data of those commands that need some.
        cache: folder of the results of earlier runs; in your own cache when not given.
        reuse: take what an earlier run has measured from there.
    """
    from corr import evaluation

    return 0 if evaluation.reproduce(name, root, cache=cache, reuse=reuse) else 1


def demo(*, out: Path = Path("demo")) -> None:
    """Train, match and measure disparity on real photographs, and show it as a page.

    Args:
        out: folder of the page.
    """
    from corr import demo as demonstration

    demonstration.run(out)
