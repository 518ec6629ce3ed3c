"""Batches of pairs of images with flow, and their keypoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from corr.data.correspondence.dense_pair import PairSource
from corr.data.correspondence.keypoint_pairs import repeated_keypoints
from corr.data.resumable import ShareOfSteps


class CorrespondenceBatch(NamedTuple):
    """B pairs of images of one size."""

    images0: UInt8[Tensor, "B 3 S S"]
    images1: UInt8[Tensor, "B 3 S S"]
    flow_0to1: Float32[Tensor, "B S S 2"]
    """px; `target = p + flow(p)`. NaN where image 1 does not show the point, or nobody knows."""
    keypoints0: Float32[Tensor, "B K 2"]
    """Keypoints of image 0 that are found again in image 1, (x, y) px; NaN beyond their number."""


@dataclass(frozen=True, kw_only=True)
class TrainingPairs(ShareOfSteps):
    """Makes the batch of any step."""

    source: PairSource
    batch_size: int
    side: int
    keypoints: bool = True

    def __call__(self, step: int) -> CorrespondenceBatch:
        """The batch, the same whenever and wherever it is made."""
        return make_batch(
            self.source, self.batch_size, self.side, self.rng(step), keypoints=self.keypoints
        )


def make_batch(
    source: PairSource,
    batch_size: int,
    side: int,
    rng: np.random.Generator,
    *,
    keypoints: bool = True,
) -> CorrespondenceBatch:
    """A batch of pairs, from different things of the source as far as it has so many.

    Without `keypoints` none are looked for, which takes a good part of the time.
    """
    things = rng.choice(len(source), batch_size, replace=batch_size > len(source))
    pairs = [source.pair(int(thing), side, rng) for thing in things]
    none = np.zeros((0, 2), np.float32)
    found = [repeated_keypoints(pair).points0 if keypoints else none for pair in pairs]
    table = np.full((len(pairs), max(map(len, found)), 2), np.nan, np.float32)
    for row, points in zip(table, found, strict=True):
        row[: len(points)] = points
    return CorrespondenceBatch(
        _channels_first([pair.image0 for pair in pairs]),
        _channels_first([pair.image1 for pair in pairs]),
        torch.from_numpy(np.stack([pair.flow_0to1 for pair in pairs])),
        torch.from_numpy(table),
    )


def _channels_first(images: list[np.ndarray]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.stack(images).transpose(0, 3, 1, 2)))
