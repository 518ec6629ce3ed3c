"""Named settings of all that comes after the cost, with where they are from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

import yaml

from corr.errors import OptionError
from corr.volume.confidence import Calibration, calibration
from corr.volume.penalties import Penalties, StepPenalties
from corr.volume.readout import Subpixel

FILE = Path(__file__).with_name("presets.yaml")

Fill = Literal["background", "interpolated"]


@dataclass(frozen=True)
class Preset:
    """What `corr.volume.solve.solve` does with a cost volume."""

    source: str
    """Where the numbers are from."""
    penalties: Penalties | StepPenalties
    """What changes of disparity cost."""
    num_paths: int = 8
    """8, or 4 for rows and columns only."""
    subpixel: Subpixel = "equiangular"
    """How the part of a pixel is found."""
    fill: Fill = "background"
    """What pixels without a match get: their row's background, or `interpolate`'s distinction."""
    min_island: int = 100
    """Matched regions of fewer pixels count as mistaken."""
    cross_length: int = 0
    """Longest arm of cross-based aggregation before the paths, px; 0 for none."""
    cross_tolerance: int = 20
    """Grey levels within which an arm goes on."""
    calibration: Calibration = field(default_factory=lambda: calibration("census"))
    """How sure a matched pixel is."""


def preset(name: str) -> Preset:
    """The settings of that name.

    Raises:
        OptionError: no such preset.
    """
    known = presets()
    if name not in known:
        raise OptionError(f"preset '{name}' is not known; use one of {', '.join(known)}")
    return known[name]


@cache
def presets() -> dict[str, Preset]:
    """All settings of `presets.yaml` by name."""
    found = {}
    for name, fields in yaml.safe_load(FILE.read_text(encoding="utf-8")).items():
        numbers = fields.pop("penalties")
        rule = StepPenalties if "edge" in numbers else Penalties
        sure = calibration(name)
        found[name] = Preset(penalties=rule(**numbers), calibration=sure, **fields)
    return found
