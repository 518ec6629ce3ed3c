"""Frames of the published sets of optical flow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from corr.data.flow.frames import FlowFrames, FlowSource
from corr.data.flow_pairs import FlowPair, read_flow
from corr.errors import DatasetError, OptionError
from corr.formats import read_image

EVERY = 10
"""One pair of so many is held out, where the set has no part for that."""

_HELD_OUT = {"val", "TEST"}
"""Parts that FlyingChairs, by its published list, and FlyingThings3D hold out."""


class PublishedFlow(FlowSource):
    """Frames with known flow: any layout that `corr.data.flow_pairs` reads.

    The folder is looked into when training begins.

    Args:
        root: of the set.
        parts: of the set, such as `clean` and `final` of Sintel; all when not given.

    Raises:
        OptionError: parts is empty.
    """

    def __init__(self, root: str, parts: Sequence[str] | None = None) -> None:
        if parts is not None and not parts:
            raise OptionError("parts is empty; name one or more, or leave it out for all")
        self.root, self.parts = root, parts

    @cached_property
    def pairs(self) -> list[FlowPair]:
        """Every pair of the parts, in a fixed order.

        Raises:
            DatasetError: no pair is there, or the set has no part of such a name.
        """
        found = read_flow(Path(self.root))
        if self.parts is None:
            return found
        groups = list(dict.fromkeys(pair.group for pair in found))
        for part in self.parts:
            if part not in groups:
                raise DatasetError(
                    f"'{self.root}' has no part '{part}'; it has {', '.join(groups)}"
                )
        return [pair for pair in found if pair.group in self.parts]

    def prepare(self) -> None:
        """List the pairs.

        Raises:
            DatasetError: see `pairs`.
        """
        assert self.pairs

    def draw(self, rng: np.random.Generator) -> FlowFrames:
        """Any pair, each as likely.

        Raises:
            CorrError: a file is missing or damaged.
        """
        return frames_of(self.pairs[int(rng.integers(len(self.pairs)))])

    def split(self) -> tuple[FlowSource, FlowSource]:
        """As FlyingChairs and FlyingThings3D are published, else every tenth pair held out.

        Frames of one film are much alike: hold out another set where the figure matters.

        Raises:
            DatasetError: the set has a single pair.
        """
        held_out = [pair for pair in self.pairs if _HELD_OUT & {pair.group, *pair.name.split("/")}]
        if not held_out or len(held_out) == len(self.pairs):
            held_out = self.pairs[::EVERY]
        names = {(pair.group, pair.name) for pair in held_out}
        rest = [pair for pair in self.pairs if (pair.group, pair.name) not in names]
        if not rest:
            raise DatasetError(f"'{self.root}' holds 1 pair; 2 or more are needed to hold one out")
        return _Listed(self.root, rest), _Listed(self.root, held_out)

    def held_out(self, count: int) -> Iterator[FlowFrames]:
        """Pairs from all over the set, none of them twice."""
        count = min(count, len(self.pairs))
        chosen = np.linspace(0, len(self.pairs) - 1, count).round().astype(int)
        return (frames_of(self.pairs[index]) for index in chosen)


class _Listed(PublishedFlow):
    """Some pairs of a set."""

    def __init__(self, root: str, pairs: list[FlowPair]) -> None:
        super().__init__(root)
        self.pairs = pairs


def frames_of(pair: FlowPair) -> FlowFrames:
    """The frames and the flow of a pair; where the set does not tell, nothing is occluded.

    Raises:
        CorrError: a file is damaged.
        DatasetError: images and flow differ in size.
    """
    truth = pair.truth()
    images = [read_image(path) for path in (pair.image0, pair.image1)]
    height, width = truth.flow.shape[:2]
    for path, image in zip((pair.image0, pair.image1), images, strict=True):
        if image.shape[:2] != (height, width):
            raise DatasetError(
                f"'{path}' has {image.shape[1]} x {image.shape[0]} pixels and its ground truth "
                f"{width} x {height}; they have to be alike"
            )
    nowhere = np.zeros((height, width), bool)
    occluded = nowhere if truth.occluded is None else truth.occluded
    image0, image1, flow = (
        torch.from_numpy(np.ascontiguousarray(table.transpose(2, 0, 1)))
        for table in (*images, truth.flow.astype(np.float32))
    )
    return FlowFrames(image0, image1, flow, torch.from_numpy(occluded))
