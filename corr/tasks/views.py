"""Training a descriptor together with what normalises its patches, on pairs of views."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from corr.classical.sift import describe_patches_sift
from corr.data.view_datamodule import ViewPairs
from corr.geometry import extract_patches
from corr.losses import DescriptorLoss
from corr.losses.checks import check_not_negative
from corr.losses.frames import frame_distance, frame_mismatch, turn_deg
from corr.models.gradient_normalization import DominantOrientation
from corr.models.network import PatchDescriptor
from corr.tasks.described import Described, labels_of
from corr.tasks.gather import gather_rows
from corr.tasks.metric import MetricTask
from corr.tasks.patch import pairs_fpr95


class _Cut(NamedTuple):
    """One side of a batch."""

    frames: Float[Tensor, "B 2 3"]
    patches: Float[Tensor, "B 1 32 32"]


_Sides = tuple[Tensor, Tensor]
"""Descriptors of both sides of a batch."""

_BASELINES = ("val/fpr95_rootsift", "val/fpr95_dominant")


class ViewTask(MetricTask):
    """Trains a descriptor and its normalisation; patches are cut on the training device.

    Each frame goes through `normalize_frames` of the network, and the patch is cut there from its
    view, so the gradient of the loss reaches the normalisation. To it comes the distance of the
    normalised frames, which ought to be the same part of the scene in both views: with the
    descriptor's loss alone the trunk learns to bear with rotations before the transformer has
    learned to undo them, and little gradient is left for it.

    Judged by FPR95 of held-out pairs without orientation, beside RootSIFT with the orientations of
    its detector (`val/fpr95_rootsift`) and with dominant gradient orientations of the same frames
    (`val/fpr95_dominant`).

    Args:
        network: normalises frames and describes patches; both views go through it as one batch.
        loss: of a batch of matching descriptors.
        frame_weight: of the distance of the normalised frames in the loss.
        settings: of `MetricTask`.

    Raises:
        OptionError: a setting outside its range.
    """

    counted = "patches"
    network: PatchDescriptor

    def __init__(
        self,
        network: PatchDescriptor,
        loss: DescriptorLoss,
        *,
        frame_weight: float = 1.0,
        **settings: Any,
    ) -> None:
        super().__init__(network, loss, **settings)
        check_not_negative(frame_weight=frame_weight)
        self.frame_weight = frame_weight
        self._mismatch: Tensor = torch.zeros(0, 2, 2)
        self._described: list[_Sides] = []
        self._rootsift: list[tuple[_Sides, _Sides]] = []
        self._baselines: dict[str, float] | None = None
        self._dominant = DominantOrientation()

    def describe(self, batch: ViewPairs) -> Described:
        """The descriptors of both sides, of patches cut where the network wants them."""
        cut0, cut1 = self._cut(batch, normalize=True)
        self._mismatch = frame_mismatch(cut0.frames, cut1.frames, batch.affine_0to1)
        patches = torch.cat((cut0.patches, cut1.patches))
        patches = patches.contiguous(memory_format=torch.channels_last)
        raw = self.training and self.loss.needs_raw
        network = self.network
        describe = network.raw_normalized if raw else network.describe_normalized
        anchors, positives = describe(patches).chunk(2)
        return Described(anchors, positives, labels_of(batch))

    def shown(self, batch: ViewPairs) -> tuple[Tensor, Tensor]:
        """The patches that are described."""
        cut0, cut1 = self._cut(batch, normalize=True)
        return cut0.patches, cut1.patches

    def training_step(self, batch: ViewPairs, batch_idx: int) -> Float[Tensor, ""]:
        """The loss of the descriptors and the distance of the frames."""
        loss = self.loss_logged(self.describe_everywhere(batch))
        mismatch = self._mismatch
        if self.trainer.world_size > 1:
            mismatch, _ = gather_rows(mismatch)
        distance = frame_distance(mismatch)
        self.log("train/frame_distance", distance.detach())
        self.log("train/turn_error_deg", turn_deg(mismatch.detach()).median())
        return loss + self.frame_weight * distance if distance.requires_grad else loss

    def on_validation_start(self) -> None:
        """Stop the clock, and drop what a validation that was stopped left."""
        super().on_validation_start()
        self._described, self._rootsift = [], []

    def validation_step(self, batch: ViewPairs, batch_idx: int) -> None:
        """Describe held-out pairs; the figures come at the end of the epoch."""
        described = self.describe(batch)
        self._described.append((described.anchors.float().cpu(), described.positives.float().cpu()))
        self.log("val/turn_error_deg", turn_deg(self._mismatch).median(), batch_size=1)
        if self._baselines is None:
            self._rootsift.append(self._describe_rootsift(batch))

    def on_validation_epoch_end(self) -> None:
        """Log FPR95 of the network and of RootSIFT over all held-out pairs."""
        if not self._described:
            return
        if self._baselines is None:
            methods = zip(*self._rootsift, strict=True)
            self._baselines = dict(zip(_BASELINES, map(_fpr95, methods), strict=True))
        figures = {"val/fpr95": _fpr95(self._described), **self._baselines}
        self._described, self._rootsift = [], []
        self.log_held_out(figures)

    def _describe_rootsift(self, batch: ViewPairs) -> tuple[_Sides, _Sides]:
        """Along the detector's orientations, and along dominant ones."""
        sigmas = self.network.sigmas
        oriented = self._cut(batch, normalize=False)
        dominant = (
            _cut_at(batch.views0, batch.view, batch.frames0, self._dominant),
            _cut_at(batch.views1, batch.view, batch.frames1, self._dominant),
        )
        return _rootsift(oriented, sigmas), _rootsift(dominant, sigmas)

    def _cut(self, batch: ViewPairs, *, normalize: bool) -> tuple[_Cut, _Cut]:
        """Both sides; without normalisation they are cut along the detector's orientation."""
        if normalize and self.network.upright:
            frames = batch.frames0, batch.frames1
        else:
            frames = batch.oriented0, batch.oriented1
        chosen = self.network.normalize_frames if normalize else None
        return (
            _cut_at(batch.views0, batch.view, frames[0], chosen),
            _cut_at(batch.views1, batch.view, frames[1], chosen),
        )


def _cut_at(
    views: list[Tensor], view: Tensor, frames: Float[Tensor, "B 2 3"], normalize: Any
) -> _Cut:
    """Patches and their frames, after `normalize(image, frames)` where it is given."""
    moved, patches = [], []
    counts = torch.bincount(view, minlength=len(views)).tolist()
    for grey, part in zip(views, torch.split(frames, counts), strict=True):
        image = grey[None, None].float() / 255
        chosen = part if normalize is None else normalize(image, part)
        moved.append(chosen)
        patches.append(extract_patches(image, chosen))
    return _Cut(torch.cat(moved), torch.cat(patches))


def _fpr95(batches: Iterable[_Sides]) -> float:
    return pairs_fpr95(*(torch.cat(side) for side in zip(*batches, strict=True)))


def _rootsift(sides: tuple[_Cut, _Cut], sigmas: float) -> _Sides:
    stored = ((side.patches[:, 0] * 255).round().byte().cpu().numpy() for side in sides)
    first, second = (describe_patches_sift(side, sigmas=sigmas, root=True) for side in stored)
    return torch.from_numpy(first), torch.from_numpy(second)
