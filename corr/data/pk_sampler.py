"""Which images are in a batch: P identities, K images of each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from corr.errors import DatasetError, OptionError

Rows = Int64[np.ndarray, " _"]

ORDER, CHOICE = 0, 1
"""Streams of random numbers."""


@dataclass(frozen=True, eq=False)
class PKSampler:
    """Draws the images of any step, which depend on the seed and on the step alone.

    The identities take turns in random order, a new one each round, so that all are seen equally
    often; those left over at the end of a round, fewer than a batch, wait for the next. An identity
    with fewer than K images gives some of them more than once, each first once.

    Source: Hermans 2017, "In defense of the triplet loss for person re-identification", section 2.
    """

    labels: Int64[np.ndarray, " N"]
    """Of each image: the number of its identity."""
    num_identities: int
    """P, in the batch of one process."""
    images_per_identity: int
    """K."""
    seed: int = 0
    rank: int = 0
    """Which share of a step this process makes, of `num_ranks`."""
    num_ranks: int = 1

    def __post_init__(self) -> None:
        """Group the images by identity.

        Raises:
            OptionError: the batch is larger than there are identities.
            DatasetError: there are fewer than two identities.
        """
        known, of_image = np.unique(self.labels, return_inverse=True)
        if len(known) < 2:
            raise DatasetError(
                f"{len(known)} identity to learn from; two or more are needed, for the others are "
                "its negatives"
            )
        if self.num_identities > len(known):
            raise OptionError(
                f"num_identities is {self.num_identities}, and there are {len(known)} to learn "
                f"from; use {len(known)} or fewer"
            )
        order = np.argsort(of_image, kind="stable")
        ends = np.cumsum(np.bincount(of_image))[:-1]
        object.__setattr__(self, "_images", np.split(order, ends))

    def __call__(self, step: int) -> Rows:
        """Places of P x K images in `labels`, those of an identity one after another."""
        images: list[Rows] = self._images  # type: ignore[attr-defined]  # set above
        place = step * self.num_ranks + self.rank
        lap, turn = divmod(place, len(images) // self.num_identities)
        order = np.random.default_rng((ORDER, self.seed, lap)).permutation(len(images))
        first = turn * self.num_identities
        rng = np.random.default_rng((CHOICE, self.seed, place))
        chosen = order[first : first + self.num_identities]
        return np.concatenate([self._some(images[identity], rng) for identity in chosen])

    def _some(self, images: Rows, rng: np.random.Generator) -> Rows:
        times = -(-self.images_per_identity // len(images))
        rounds = [rng.permutation(images) for _ in range(times)]
        return np.concatenate(rounds)[: self.images_per_identity]
