"""The cost of a model for a stereo pair, or of several models together."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from jaxtyping import UInt8

from corr.errors import OptionError
from corr.models.network import Network
from corr.pipeline import catalog
from corr.pipeline.stereo_census import census_rows
from corr.pipeline.stereo_features import feature_rows, preset_name
from corr.results import Picture
from corr.volume.presets import Preset, preset
from corr.volume.strips import RowsCost
from corr.volume.sums import mean_cost

JOIN = "+"
"""Between the names of models whose costs are averaged, as in `census+hardnet`."""


def resolve_costs(
    model: str | Path | Network | None, complete: tuple[str, ...]
) -> list[str | Network]:
    """The models whose costs are averaged; one where a single one is named.

    Args:
        model: as `corr.disparity` takes it.
        complete: methods that have no cost to share.

    Raises:
        ModelError: a model is unknown, of another task, or cannot be loaded.
        OptionError: a method without a cost is one of several.
    """
    names = cost_names(model)
    if len(names) > 1 and (alone := [name for name in names if name in complete]):
        raise OptionError(
            f"model '{alone[0]}' has no cost that could be averaged with others; use it alone"
        )
    return [catalog.resolve(name, "disparity") for name in names]


def cost_names(
    model: str | Path | Network | None,
) -> list[str | Path | Network | None]:
    """`census+hardnet` taken apart; what is a folder, or no name, stays as it is."""
    if not isinstance(model, str) or JOIN not in model or Path(model).is_dir():
        return [model]
    return list(model.split(JOIN))


def pair_cost(
    models: list[str | Network],
    left: Picture,
    right: Picture,
    max_disparity: int,
    device: torch.device,
    *,
    search: str,
    candidates: int | None,
) -> tuple[RowsCost, Preset]:
    """The cost by rows, and settings that suit it; arguments as of `corr.disparity`.

    Raises:
        MissingExtraError: FAISS was asked for and cannot be used.
        ModelError: a network does not describe patches.
    """
    parts: list[tuple[RowsCost, Preset]] = []
    for model in models:
        if isinstance(model, Network):
            cost = feature_rows(
                model, left, right, max_disparity, device, search=search, candidates=candidates
            )
            parts.append((cost, preset(preset_name(model))))
        else:
            cost = census_rows(
                _grey(left),
                _grey(right),
                max_disparity,
                search=search,
                candidates=candidates,
                device=device,
            )
            parts.append((cost, preset("census")))
    return mean_cost(parts)


def _grey(view: Picture) -> UInt8[np.ndarray, "H W"]:
    grey: UInt8[np.ndarray, "H W"] = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
    return grey
