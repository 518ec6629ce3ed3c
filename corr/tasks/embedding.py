"""Training an embedding of whole images on batches of identities."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float, Int64
from pytorch_lightning.utilities.types import STEP_OUTPUT
from torch import Tensor

from corr.classical.colour import colour_histogram
from corr.errors import ShapeError
from corr.losses import DescriptorLoss, Labels
from corr.metrics import (
    equal_error_rate,
    mean_average_precision,
    recall_at_k,
    relevant_ranks,
    verification_accuracy,
)
from corr.models.network import ImageEmbedding
from corr.tasks.described import Described
from corr.tasks.gather import gather_rows
from corr.tasks.metric import MetricTask
from corr.tasks.optimizer import Optimizer

NUM_FOLDS = 10
"""Of the verification, as in Labeled Faces in the Wild."""


class EmbeddingTask(MetricTask):
    """Trains an embedding of whole images; judges it beside a histogram of their colours.

    With a contrastive loss it learns to verify (a Siamese network), with a triplet loss to
    retrieve; nothing else differs. Of the held-out images each is a query among all others, and is
    verified against the next of its identity and against one of another.

    Args:
        network: describes the images.
        loss: of a batch of matching descriptors.
        learning_rate: at the end of the warm-up; from there it falls to 0 on a straight line.
        optimizer: `sgd` (momentum 0.9), `adam` or `adamw`.
        settings: of `MetricTask`.

    Raises:
        OptionError: a setting outside its range.
    """

    network: ImageEmbedding

    def __init__(
        self,
        network: ImageEmbedding,
        loss: DescriptorLoss,
        *,
        learning_rate: float = 0.001,
        optimizer: Optimizer = "adamw",
        **settings: Any,
    ) -> None:
        super().__init__(
            network, loss, learning_rate=learning_rate, optimizer=optimizer, **settings
        )
        self._described: list[tuple[Tensor, Tensor]] = []
        self._histograms: list[np.ndarray] = []
        self._of_histogram: dict[str, float] | None = None

    def describe(self, batch: Any) -> Described:
        """The descriptors of a batch `(images, tracks)`, paired within each track.

        Raises:
            ShapeError: images and tracks of different number, or a training batch without a pair.
        """
        images, tracks = batch
        return self._paired(self._embed(images, tracks), tracks)

    def describe_everywhere(self, batch: Any) -> Described:
        """The descriptors of the images of all devices, paired within each track.

        An image may be paired with one of another device, so that a device needs no pair of its
        own.

        Raises:
            ShapeError: images and tracks of different number, or no pair on all devices.
        """
        images, tracks = batch
        self.num_seen = len(images)
        described = self._embed(images, tracks)
        if self.trainer.world_size > 1:
            described, known = gather_rows(described, Labels(tracks=tracks))
            tracks = cast(Labels, known).tracks
        return self._paired(described, tracks)

    def shown(self, batch: Any) -> tuple[Tensor, Tensor]:
        """The images of the pairs that `describe` makes."""
        images, tracks = batch
        anchor, positive = pairs_within_tracks(tracks)
        return images[anchor], images[positive]

    def on_validation_start(self) -> None:
        """Stop the clock, and drop what a validation that was stopped left."""
        super().on_validation_start()
        self._described, self._histograms = [], []

    def validation_step(self, batch: Any, batch_idx: int) -> STEP_OUTPUT:
        """Describe held-out images; the figures come at the end of the epoch."""
        images, tracks = batch
        self._described.append((self._embed(images, tracks).float().cpu(), tracks.cpu()))
        if self._of_histogram is None:
            stored = (images * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
            self._histograms += [colour_histogram(np.ascontiguousarray(one)) for one in stored]
        return None

    def on_validation_epoch_end(self) -> None:
        """Log the figures of the network and of the colour histogram over all held-out images."""
        if not self._described:
            return
        descriptors, tracks = (
            torch.cat(side).numpy() for side in zip(*self._described, strict=True)
        )
        if self._of_histogram is None:
            found = embedding_figures(np.stack(self._histograms), tracks)
            self._of_histogram = {f"val/{name}_histogram": value for name, value in found.items()}
        learned = embedding_figures(descriptors, tracks)
        self._described, self._histograms = [], []
        figures = {f"val/{name}": value for name, value in learned.items()} | self._of_histogram
        self.log_held_out(figures)

    def _embed(self, images: Tensor, tracks: Tensor) -> Float[Tensor, "B D"]:
        if len(images) != len(tracks):
            raise ShapeError(
                f"a batch has {len(images)} images and {len(tracks)} tracks; give one track an "
                "image"
            )
        images = images.contiguous(memory_format=torch.channels_last)
        raw = self.training and self.loss.needs_raw
        described: Tensor = self.network.raw(images) if raw else self.network(images)
        return described

    def _paired(self, described: Float[Tensor, "B D"], tracks: Int64[Tensor, " B"]) -> Described:
        anchor, positive = pairs_within_tracks(tracks)
        if self.training and len(anchor) == 0:
            raise ShapeError(
                f"a batch has {len(tracks)} images and no pair of one track; give two images or "
                "more of a track"
            )
        return Described(described[anchor], described[positive], Labels(tracks=tracks[anchor]))


def pairs_within_tracks(
    tracks: Int64[Tensor, " B"],
) -> tuple[Int64[Tensor, " N"], Int64[Tensor, " N"]]:
    """Rows of anchors and of positives: each image with the next of its track, in a circle.

    Two images of a track are one pair; a track with one image gives none.
    """
    order = torch.argsort(tracks, stable=True)
    counts = torch.unique_consecutive(tracks[order], return_counts=True)[1]
    size = counts.repeat_interleave(counts)
    first = (counts.cumsum(0) - counts).repeat_interleave(counts)
    place = torch.arange(len(tracks), device=tracks.device) - first
    following = first + (place + 1) % size
    kept = (size > 2) | ((size == 2) & (place == 0))
    return order[kept], order[following[kept]]


def embedding_figures(
    descriptors: Float[np.ndarray, "N D"], tracks: Int64[np.ndarray, " N"]
) -> dict[str, float]:
    """Recall@1, mAP, verification accuracy and equal error rate of labelled descriptors.

    The pairs to verify are as many of one track as of two, drawn by a fixed seed.
    """
    ranks = relevant_ranks(descriptors, descriptors, tracks, tracks, leave_self_out=True)
    anchor, positive = (rows.numpy() for rows in pairs_within_tracks(torch.from_numpy(tracks)))
    negative = _of_other_tracks(tracks, anchor)
    rows0, rows1 = np.concatenate((anchor, anchor)), np.concatenate((positive, negative))
    distance = np.linalg.norm(descriptors[rows0] - descriptors[rows1], axis=1)
    same = np.arange(len(distance)) < len(anchor)
    num_folds = min(NUM_FOLDS, len(anchor))
    folds = np.concatenate((np.arange(len(anchor)), np.arange(len(anchor)))) % num_folds
    return {
        "recall_1": recall_at_k(ranks, 1),
        "map": mean_average_precision(ranks),
        "accuracy": verification_accuracy(distance, same, folds),
        "eer": equal_error_rate(distance[same], distance[~same]),
    }


def _of_other_tracks(
    tracks: Int64[np.ndarray, " N"], rows: Int64[np.ndarray, " P"]
) -> Int64[np.ndarray, " P"]:
    """For each row one of another track, all equally likely."""
    order = np.argsort(tracks, kind="stable")
    ordered = tracks[order]
    first = np.searchsorted(ordered, tracks[rows], side="left")
    own = np.searchsorted(ordered, tracks[rows], side="right") - first
    drawn = np.random.default_rng(0).integers(0, len(tracks) - own)
    others: np.ndarray = order[np.where(drawn < first, drawn, drawn + own)]
    return others
