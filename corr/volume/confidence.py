"""How likely a matched disparity is right: a calibrated confidence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import yaml
from jaxtyping import Bool, Float32

FILE = Path(__file__).with_name("confidence.yaml")

RIGHT_PX = 1.0
"""A disparity is right when its error is at most this."""

WINDOW = 31
"""Side of the square in which the share of matched pixels is taken, px."""

_FARTHEST_PX = 2.0
"""A disparity that was moved by more counts as moved by this."""


@dataclass(frozen=True, eq=False)
class Cues:
    """What tells right pixels from wrong ones."""

    peak_ratio: Float32[np.ndarray, "H W"]
    """In [0, 1]; see `Winners`."""
    agreement: Float32[np.ndarray, "H W"]
    """Share of the pixels around on which both views agree, in [0, 1]."""
    moved: Float32[np.ndarray, "H W"]
    """By how much smoothing moved the disparity that cost least, px, at most 2."""


@dataclass(frozen=True)
class Calibration:
    """The logit of the probability that a matched pixel is right, a sum of cues.

    No weight is below 0, so that the probability rises with the peak ratio and the agreement, and
    falls with what was moved. The left-right check counts by its neighbourhood: a pixel that fails
    it is not matched at all.
    """

    constant: float
    peak_ratio: float
    agreement: float
    moved: float
    """Weight of what was moved, which counts against the pixel."""

    def probability(self, cues: Cues) -> Float32[np.ndarray, "H W"]:
        """That the disparity is within `RIGHT_PX` of the truth, if the pixel was matched."""
        logit = self.constant + self.peak_ratio * cues.peak_ratio
        logit += self.agreement * cues.agreement - self.moved * cues.moved
        return np.float32(1) / (1 + np.exp(-logit, dtype=np.float32))


def measure_cues(
    peak_ratio: Float32[np.ndarray, "H W"],
    winner: Float32[np.ndarray, "H W"],
    valid: Bool[np.ndarray, "H W"],
    disparity: Float32[np.ndarray, "H W"],
) -> Cues:
    """The cues of every pixel; they mean something where it was matched.

    Args:
        peak_ratio: see `Winners`.
        winner: the disparity that cost least.
        valid: where the pixel was matched.
        disparity: what is given out.
    """
    share = cv2.blur(valid.astype(np.float32), (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT)
    moved = np.minimum(np.abs(disparity - winner), np.float32(_FARTHEST_PX))
    return Cues(peak_ratio, share.reshape(valid.shape), moved)


@cache
def calibrations() -> dict[str, Calibration]:
    """Those of `confidence.yaml`, by the preset of the cost."""
    table = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: Calibration(**weights) for name, weights in table.items()}


def calibration(preset: str) -> Calibration:
    """That of a preset; that of `descriptors` for one that was not fitted."""
    known = calibrations()
    return known.get(preset, known["descriptors"])
