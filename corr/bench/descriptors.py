"""Pairs of descriptor tables to search: drawn at random, or of two photographs."""

from __future__ import annotations

from dataclasses import dataclass

import skimage.data
import torch
import torch.nn.functional as F
from jaxtyping import Float32, UInt8
from torch import Tensor

from corr.errors import OptionError
from corr.pipeline.extraction import extract

REAL = ("sift", "rootsift", "hardnet", "orb")
"""Models whose descriptors of photographs can be searched."""

KINDS = ("random", *REAL)
MAX_KEYPOINTS = 8192
NOISE = 0.05
"""Deviation of each value of a partner."""


@dataclass(frozen=True, eq=False)
class Tables:
    """Rows of unit length, or of packed bits."""

    kind: str
    first: Float32[Tensor, "N D"] | UInt8[Tensor, "N B"]
    second: Float32[Tensor, "M D"] | UInt8[Tensor, "M B"]

    @property
    def num_pairs(self) -> int:
        """Of a row of each side."""
        return len(self.first) * len(self.second)

    @property
    def is_binary(self) -> bool:
        """Whether rows are bits."""
        return self.first.dtype == torch.uint8

    @property
    def width(self) -> int:
        """Numbers, or bits, of a row."""
        return int(self.first.shape[1]) * (8 if self.is_binary else 1)


def draw_tables(num_rows: int, width: int) -> Tables:
    """Independent directions, of which half have a noisy partner on the other side; fixed seed."""
    generator = torch.Generator().manual_seed(0)
    first, second = (F.normalize(torch.randn(num_rows, width, generator=generator)) for _ in "01")
    shared = num_rows // 2
    places = torch.randperm(num_rows, generator=generator)[:shared]
    noise = NOISE * torch.randn(shared, width, generator=generator)
    second[places] = F.normalize(first[:shared] + noise)
    return Tables("random", first, second)


def describe_photographs(model: str) -> Tables:
    """The keypoints of both views of the motorcycle that scikit-image brings."""
    left, right, _ = skimage.data.stereo_motorcycle()
    found = [extract(view, model=model, max_keypoints=MAX_KEYPOINTS) for view in (left, right)]
    return Tables(model, *(torch.from_numpy(features.descriptors) for features in found))


def check_kinds(kinds: list[str]) -> None:
    """Refuse descriptors that are not known.

    Raises:
        OptionError: says which are.
    """
    for kind in kinds:
        if kind not in KINDS:
            raise OptionError(f"descriptors '{kind}' are not known; use some of {', '.join(KINDS)}")
