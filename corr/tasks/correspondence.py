"""Training a dense descriptor, and its keypoints, on pairs of images with known flow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from corr.data.correspondence.batches import CorrespondenceBatch
from corr.errors import OptionError
from corr.geometry import pixel_grid, sample
from corr.losses import DescriptorLoss
from corr.losses.checks import check_not_negative
from corr.losses.keypoints import heatmap_loss, keypoint_heatmap
from corr.losses.labels import Labels
from corr.models.network import DenseDescription, DenseDescriptor
from corr.search import nearest
from corr.tasks.described import Described
from corr.tasks.metric import MetricTask
from corr.tasks.optimizer import Optimizer
from corr.tasks.surroundings import around

FOUND_PX = 4.0
"""A point whose nearest neighbour is so near to the truth was found."""

PCK_PX = (3.0, 10.0)
"""What held-out points are judged by: the share that is found within so many px."""


class CorrespondenceTask(MetricTask):
    """Trains a network that describes every place of an image.

    Points are drawn where the flow is known: some at keypoints, which are what is matched later,
    and some anywhere, so that every place is described. Their descriptors in both images make the
    batch of the loss, and their places in image 1 its `points`, so that a guard with a radius
    leaves out negatives that are near the truth. A keypoint head learns from the keypoints that a
    detector finds in both images, and which points its own descriptors found.

    Judged on held-out pairs by PCK of random points: the share whose nearest neighbour among all
    the descriptors of image 1 is within 3 and 10 px of the truth, without any test.

    Args:
        network: describes images.
        loss: of a batch of matching descriptors.
        learning_rate: at the end of the warm-up; from there it falls to 0 on a straight line.
        optimizer: `sgd` (momentum 0.9), `adam` or `adamw`.
        num_points: of each pair, at most.
        negatives: where those of a point come from: its `pair` alone, among which it is looked for
            later, or the whole `batch`.
        keypoint_share: of them, how many are at keypoints if there are so many; the others are
            anywhere.
        keypoint_weight: of the keypoint head in the loss.
        deformation_weight: of how much a spatial transformer deforms receptive fields.
        settings: of `MetricTask`.

    Raises:
        OptionError: a setting outside its range.

    Source: Choy 2016, "Universal Correspondence Network", sections 3.1 and 3.3.
    """

    counted = "points"
    network: DenseDescriptor

    def __init__(
        self,
        network: DenseDescriptor,
        loss: DescriptorLoss,
        *,
        learning_rate: float = 0.003,
        optimizer: Optimizer = "adamw",
        num_points: int = 1024,
        negatives: Literal["pair", "batch"] = "batch",
        keypoint_share: float = 0.5,
        keypoint_weight: float = 1.0,
        deformation_weight: float = 0.01,
        **settings: Any,
    ) -> None:
        super().__init__(
            network, loss, learning_rate=learning_rate, optimizer=optimizer, **settings
        )
        if num_points < 2:
            raise OptionError(f"num_points is {num_points}; use 2 or more")
        if not 0 <= keypoint_share <= 1:
            raise OptionError(f"keypoint_share is {keypoint_share}; use a value in [0, 1]")
        check_not_negative(keypoint_weight=keypoint_weight, deformation_weight=deformation_weight)
        if negatives not in ("pair", "batch"):
            raise OptionError(f"negatives is '{negatives}'; use pair or batch")
        self.negatives = negatives
        self.num_points = num_points
        self.keypoint_share = keypoint_share
        self.keypoint_weight = keypoint_weight
        self.deformation_weight = deformation_weight
        self._own: tuple[DenseDescription, Tensor, Described] | None = None

    def describe(self, batch: CorrespondenceBatch) -> Described:
        """The descriptors of random points in both images."""
        dense0, dense1 = self.describe_images(batch)
        points0, points1, image = self._draw(batch)
        anchors = self._read(dense0, points0, image)
        positives = self._read(dense1, points1, image)
        described = Described(anchors, positives, Labels(points=points1, images=image))
        self._own = dense0, points0, described
        number = image + len(batch.images0) * self.global_rank  # the same in every process
        return described._replace(labels=Labels(points=points1, images=number))

    def describe_images(self, batch: CorrespondenceBatch) -> list[DenseDescription]:
        """The descriptions of images 0 and of images 1."""
        return self.describe_sides(batch.images0, batch.images1)

    def describe_sides(self, *sides: UInt8[Tensor, "B 3 S S"]) -> list[DenseDescription]:
        """The descriptions of several batches of images, all through the network at once."""
        dense = self.network(torch.cat(sides).float() / 255)
        parts = [(None,) * len(sides) if v is None else v.chunk(len(sides)) for v in dense]
        return [DenseDescription(*side) for side in zip(*parts, strict=True)]

    def loss_now(self, described: Described) -> Float[Tensor, ""]:
        """The loss at this step: of all rows at once, or the mean over those of each pair."""
        if self.negatives == "batch":
            return super().loss_now(described)
        losses, counts = [], []
        for pair in _by_image(described):
            if len(pair.anchors) > 1:
                losses.append(super().loss_now(pair) * len(pair.anchors))
                counts.append(len(pair.anchors))
        if not losses:
            return 0 * described.anchors.sum()
        return torch.stack(losses).sum() / sum(counts)

    def shown(self, batch: CorrespondenceBatch) -> tuple[Tensor, Tensor]:
        """What is around the points that are described."""
        points0, points1, image = self._draw(batch)
        return (
            around(batch.images0.float() / 255, points0, image),
            around(batch.images1.float() / 255, points1, image),
        )

    def training_step(self, batch: CorrespondenceBatch, batch_idx: int) -> Float[Tensor, ""] | None:
        """The loss of the descriptors, and that of the keypoint head if there is one.

        None, which changes nothing, where no process has a pair of which anything is known.
        """
        described = self.describe_everywhere(batch)
        if len(described.anchors) < 2:
            self.step_skipped = True
            return None
        loss = self.loss_logged(described)
        assert self._own is not None
        dense0 = self._own[0]
        if dense0.deformation is not None:
            deformation = dense0.deformation.mean()
            self.log("train/deformation", deformation.detach())
            loss = loss + self.deformation_weight * deformation
        if dense0.repeatability is None or self.keypoint_weight == 0:
            return loss
        # A keypoint lies between pixels, and can be found again only where all of them are known.
        unknown = (~batch.flow_0to1.isfinite().all(-1))[:, None].float()
        known = F.max_pool2d(unknown, 3, stride=1, padding=1) == 0
        heat = keypoint_heatmap(batch.keypoints0, (known.shape[2], known.shape[3]))
        repeatable = heatmap_loss(dense0.repeatability, heat, known)
        self.log("train/repeatability_loss", repeatable.detach())
        reliable, found = self._reliability_loss(*self._own)
        if len(found):
            self.log("train/reliability_loss", reliable.detach())
            self.log("train/found_share", found.float().mean())
        return loss + self.keypoint_weight * (repeatable + reliable)

    def validation_step(self, batch: CorrespondenceBatch, batch_idx: int) -> None:
        """PCK of random points of a held-out pair."""
        dense0, dense1 = (
            self.network(images.float() / 255) for images in (batch.images0, batch.images1)
        )
        generator = torch.Generator().manual_seed(batch_idx)
        points0, points1, image = self._draw(batch, generator)
        if len(points0) == 0:
            return
        anchors = self._read(dense0, points0, image)
        table = dense1.descriptors[0].flatten(1).T
        index = nearest(anchors.float().cpu(), table.float().cpu(), 1, metric="l2").index[:, 0]
        rows, columns = dense1.descriptors.shape[-2:]
        cells = pixel_grid(rows, columns).reshape(-1, 2)[index]
        places = (cells + 0.5) * self.network.stride - 0.5
        error = torch.linalg.vector_norm(places - points1.cpu(), dim=1)
        for limit in PCK_PX:
            share = (error <= limit).float().mean()
            self.log(f"val/pck{limit:.0f}", share, batch_size=1, prog_bar=True)

    def _draw(
        self, batch: CorrespondenceBatch, generator: torch.Generator | None = None
    ) -> tuple[Float[Tensor, "N 2"], Float[Tensor, "N 2"], Tensor]:
        """Pixels with known targets, the targets, and their image's number in the batch.

        At keypoints, too, in training; anywhere where points are judged or shown.
        """
        flow_0to1 = batch.flow_0to1
        height, width = flow_0to1.shape[1:3]
        if generator is None and not self.training:
            generator = torch.Generator().manual_seed(0)
        known = flow_0to1.isfinite().all(-1).flatten(1)
        key = torch.rand(known.shape, generator=generator).to(known.device)
        if generator is None:
            key += self._at_keypoints(batch.keypoints0, (height, width))
        chosen = key.masked_fill(~known, -1).topk(min(self.num_points, known.shape[1])).indices
        image = torch.arange(len(known), device=known.device)[:, None].expand_as(chosen)
        kept = known.gather(1, chosen)
        image, chosen = image[kept], chosen[kept]
        grid = pixel_grid(height, width, flow_0to1.device).reshape(-1, 2)
        points0 = grid[chosen]
        return points0, points0 + flow_0to1.flatten(1, 2)[image, chosen], image

    def _at_keypoints(
        self, keypoints: Float[Tensor, "B K 2"], size: tuple[int, int]
    ) -> Float[Tensor, "B P"]:
        """1 at the pixels of as many random keypoints as their share of the points; 0 elsewhere."""
        height, width = size
        bonus = keypoints.new_zeros(len(keypoints), height * width)
        order = torch.rand(keypoints.shape[:2], device=keypoints.device)
        order = order.masked_fill(~keypoints.isfinite().all(-1), -1)
        num = min(int(self.keypoint_share * self.num_points), keypoints.shape[1])
        rows = order.topk(num).indices
        x, y = keypoints.round().nan_to_num(0).long().unbind(-1)
        pixels = (y.clamp(0, height - 1) * width + x.clamp(0, width - 1)).gather(1, rows)
        return bonus.scatter_reduce_(1, pixels, (order.gather(1, rows) >= 0).float(), "amax")

    def _read(
        self, dense: DenseDescription, points: Float[Tensor, "N 2"], image: Tensor
    ) -> Float[Tensor, "N D"]:
        """Descriptors at points of several images; those of one image stand together."""
        counts = torch.bincount(image, minlength=len(dense.descriptors)).tolist()
        parts = zip(dense.descriptors, torch.split(points, counts), strict=True)
        cells = ((m[None], (p[None] + 0.5) / self.network.stride - 0.5) for m, p in parts)
        read = [sample(maps, places, padding="border")[0] for maps, places in cells]
        return F.normalize(torch.cat(read), dim=1)

    def _reliability_loss(
        self, dense0: DenseDescription, points0: Float[Tensor, "N 2"], described: Described
    ) -> tuple[Float[Tensor, ""], Bool[Tensor, " N"]]:
        """Cross-entropy of the map at the points and whether their nearest neighbour is right."""
        labels, maps = described.labels, dense0.reliability
        assert labels is not None and labels.images is not None and maps is not None
        assert labels.points is not None
        counts = torch.bincount(labels.images, minlength=len(maps)).tolist()
        tables = (points0, labels.points, described.anchors.detach(), described.positives.detach())
        logits, found = [], []
        splits = (torch.split(table, counts) for table in tables)
        for map0, *parts in zip(maps, *splits, strict=True):
            own, places, anchors, positives = parts
            if len(own) == 0:
                continue
            best = (anchors @ positives.T).argmax(1)
            found.append(torch.linalg.vector_norm(places[best] - places, dim=1) <= FOUND_PX)
            cells = (own[None] + 0.5) / self.network.stride - 0.5
            logits.append(sample(map0[None], cells, padding="border")[0, :, 0])
        if not found:  # other processes have points
            return 0 * maps.sum(), torch.zeros(0, dtype=torch.bool, device=maps.device)
        right = torch.cat(found)
        return F.binary_cross_entropy_with_logits(torch.cat(logits), right.float()), right


def _by_image(described: Described) -> Iterator[Described]:
    """The rows of each image, which stand together."""
    labels = described.labels
    assert labels is not None and labels.images is not None and labels.points is not None
    counts = torch.unique_consecutive(labels.images, return_counts=True)[1].tolist()
    tables = (described.anchors, described.positives, labels.points)
    for anchors, positives, points in zip(*(torch.split(t, counts) for t in tables), strict=True):
        yield Described(anchors, positives, Labels(points=points))
