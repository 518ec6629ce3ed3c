"""Pairs of frames with flow for training, from any source, augmented where the network trains."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from corr.data.flow.augmentation import FlowGeometry, augment
from corr.data.flow.batches import FlowBatch, TrainingFrames, WholeFrames, batch_of
from corr.data.flow.colour import FlowColour, recolour
from corr.data.flow.frames import FlowSource
from corr.data.flow.synthetic_flow import SyntheticFlow
from corr.data.resumable import ResumableLoader
from corr.data.step_datamodule import StepDataModule, check_least
from corr.errors import DatasetError, OptionError

MULTIPLE = 64
"""Sides of a crop are multiples of this, px: that of the coarsest level of a network."""


class FlowDataModule(StepDataModule):
    """Windows of frames and the flow between them: by default of synthetic scenes.

    A training batch depends on the seed and on its step alone. The validation pairs are whole
    frames, the same in every epoch and for every seed.

    Workers read or render the frames. They are mirrored, magnified, turned, cut and recoloured on
    the training device.

    Args:
        source: what pairs come from; synthetic scenes of 448 x 320 px when not given.
        val_source: what held-out pairs come from; a part of `source` when not given. Frames of one
            film are much alike: hold out other films.
        batch_size: pairs in a batch, on each device.
        crop: (height, width) of the windows, px.
        geometry: how the frames are mirrored, magnified, stretched and turned.
        colour: how their light changes.
        reuse: how many times a pair is used on average, each time augmented in another way.
        pool: pairs in memory that a batch is drawn from, where they are reused.
        steps_per_epoch: batches in an epoch; there is no natural end.
        num_val_pairs: pairs to validate with, at most.
        num_workers: processes that read or render frames; 0 does it in the main one. Each has a
            pool of its own, so several workers make a pair that is reused several times.
        seed: of all that is random.

    Raises:
        OptionError: a number outside its range.
    """

    def __init__(
        self,
        source: FlowSource | None = None,
        val_source: FlowSource | None = None,
        *,
        batch_size: int = 8,
        crop: tuple[int, int] = (256, 320),
        geometry: FlowGeometry | None = None,
        colour: FlowColour | None = None,
        reuse: int = 1,
        pool: int = 128,
        steps_per_epoch: int = 500,
        num_val_pairs: int = 32,
        num_workers: int = 1,
        seed: int = 0,
    ) -> None:
        super().__init__(steps_per_epoch=steps_per_epoch, num_workers=num_workers, seed=seed)
        check_least(
            batch_size=(batch_size, 1), reuse=(reuse, 1), pool=(pool, 1),
            num_val_pairs=(num_val_pairs, 1),
        )  # fmt: skip
        if any(side < MULTIPLE or side % MULTIPLE for side in crop):
            raise OptionError(
                f"crop is {crop[0]} x {crop[1]} px; use a height and a width that are multiples of "
                f"{MULTIPLE}"
            )
        self.source, self.val_source = source or SyntheticFlow(), val_source
        self.batch_size, self.crop = batch_size, crop
        self.geometry, self.colour = geometry or FlowGeometry(), colour or FlowColour()
        self.reuse, self.pool = reuse, pool
        self.num_val_pairs = num_val_pairs

    def read_train(self) -> FlowSource:
        """What training pairs are drawn from.

        Raises:
            DatasetError: something is missing or too little.
        """
        source = self.source if self.val_source is not None else self.source.split()[0]
        source.prepare()
        return source

    def read_val(self) -> list[FlowBatch]:
        """The held-out pairs.

        Raises:
            DatasetError: something is missing, damaged or too little.
        """
        source = self.val_source or self.source.split()[1]
        source.prepare()
        found = [batch_of(frames) for frames in source.held_out(self.num_val_pairs)]
        if not any(batch.flow_0to1.isfinite().any() for batch in found):
            raise DatasetError("no flow is known in the held-out pairs; use others")
        return found

    def train_dataloader(self) -> ResumableLoader[WholeFrames, WholeFrames]:
        """Batches without end over the epochs, resumable at any step."""
        if self._train is None:
            self.setup("fit")
        make = TrainingFrames(
            source=self._train, batch_size=self.batch_size, reuse=self.reuse, pool=self.pool,
            **self.share,
        )  # fmt: skip
        return self.loader(make, _as_made)

    def on_after_batch_transfer(
        self, batch: WholeFrames | FlowBatch, dataloader_idx: int
    ) -> FlowBatch:
        """Windows of a training batch, on the device; a validation batch as it is."""
        return self.augmented(batch) if isinstance(batch, WholeFrames) else batch

    @torch.no_grad()
    def augmented(self, frames: WholeFrames) -> FlowBatch:
        """The windows that training sees, by the batch's own seed."""
        generator = torch.Generator().manual_seed(frames.seed)
        cut = augment(frames, self.geometry, self.crop, generator)
        images0, images1 = recolour(cut.images0, cut.images1, self.colour, generator)
        return cut._replace(images0=images0, images1=images1)

    def val_dataloader(self) -> HeldOutFrames:
        """The held-out pairs, one at a time."""
        if self._val is None:
            self.setup("validate")
        return HeldOutFrames(self._val)


class HeldOutFrames:
    """The same batches at each iteration."""

    def __init__(self, batches: list[FlowBatch]) -> None:
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[FlowBatch]:
        return iter(self._batches)


def _as_made(frames: WholeFrames) -> WholeFrames:
    return frames
