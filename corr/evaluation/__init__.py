"""Benchmarks: one module each, one frame, one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from corr.errors import OptionError

if TYPE_CHECKING:
    from corr.evaluation.report import Report, Rows


def run(
    benchmark: str,
    root: Path | None = None,
    models: Sequence[str] | None = None,
    out: Path | None = None,
    *,
    cache: Path | None = None,
    reuse: bool = True,
    rows: Rows | None = None,
    search: str = "auto",
    rotations: str = "own",
    flips: str = "none",
    refine: str = "own",
) -> list[Report]:
    """The reports of `corr evaluate`: every model on every item, shown as tables.

    Args:
        benchmark: one of `registry.BENCHMARKS`, or `mini`.
        root: where its data is; `mini` brings its own, and so does, when not given, what needs
            nothing but photographs.
        models: what `--models` may name; those that the benchmark shows by default when not given.
        out: folder for JSON, CSV, Markdown and a page; of `mini` a folder of that name when not
            given.
        cache: folder of results of earlier runs; in the user's own cache when not given.
        reuse: whether those are used.
        rows: what the table shows for each model.
        search: who finds nearest neighbours, where the benchmark seeks any.
        rotations: `auto` matches under four quarter turns, `few` where there are few matches
            without, where the benchmark matches images; `own` as the model says.
        flips: `auto` also sees the second image mirrored, where things of one kind are compared.
        refine: as in `corr flow`, of every flow, whatever the model's own is.

    Raises:
        OptionError: the benchmark is unknown, its root is missing, it does not turn, mirror or
            refine, or a folder cannot be made.
        ModelError: a model is unknown or cannot do this benchmark.
        DatasetError: nothing to measure at `root`.
    """
    from corr.evaluation.registry import BENCHMARKS, MINI, Choices

    if benchmark not in (*BENCHMARKS, MINI):
        known = ", ".join((*BENCHMARKS, MINI))
        raise OptionError(f"benchmark '{benchmark}' is not known; use {known}")
    from corr.evaluation.cache import Cache, default_folder
    from corr.evaluation.evaluate import evaluate, mini, single
    from corr.models.flow_network import check_refinement
    from corr.pipeline.rotations import check_rotations
    from corr.search.checks import check_backend

    if benchmark == MINI and root is not None:
        raise OptionError(f"{MINI} brings its own data; leave --root '{root}' out")
    check_backend(search)
    check_rotations(None if rotations == "own" else rotations)
    if flips not in ("none", "auto"):
        raise OptionError(f"flips is '{flips}'; use none or auto")
    check_refinement(None if refine == "own" else refine)
    store = Cache(cache or default_folder(), reuse)
    choices = Choices(search, rotations, flips, refine)
    if benchmark == MINI:
        parts = mini(models, store, choices)
        return evaluate(parts, store, out or Path(MINI), rows=rows, title=MINI)
    part = single(benchmark, root, models, choices)
    return evaluate([part], store, out, rows=rows, title=benchmark)


def reproduce(
    network: str, root: Path | None = None, *, cache: Path | None = None, reuse: bool = False
) -> bool:
    """Whether the figures of a shipped network's card hold, those shown that were measured again.

    Args:
        network: a shipped one.
        root: the data of the commands that need some; those are left out without.
        cache: folder of results of earlier runs; in the user's own cache when not given.
        reuse: whether those are used.

    Raises:
        ModelError: the network is not shipped, or its figures are older than its weights.
        DatasetError: nothing to measure at `root`.
    """
    from corr.evaluation.cache import Cache, default_folder
    from corr.evaluation.reproduction import reproduce as run_again

    outcomes = run_again(network, root, Cache(cache or default_folder(), reuse))
    return all(outcome.holds for outcome in outcomes)
