"""Training a descriptor of pixels that are looked for along the rows of a rectified pair."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from corr.data.correspondence.batches import CorrespondenceBatch
from corr.data.ground_truth import search_bound
from corr.errors import OptionError
from corr.geometry import sample, to_grey
from corr.losses import RowLoss
from corr.losses.labels import Labels
from corr.models.network import DenseDescriptor
from corr.tasks.described import Described
from corr.tasks.metric import MetricTask
from corr.tasks.optimizer import Optimizer
from corr.tasks.surroundings import around
from corr.volume.census import census_volume
from corr.volume.correlation import correlate_rows

WITHIN_PX = (3, 1)
"""What held-out pixels are judged by: the share whose best disparity is off by at most so many."""

EDGE_PX, JUMP_PX = 6, 1.5
"""Pixels within so many px, along the row, of a change of disparity by more than so much between
neighbours, or of one without a match, are near an edge of depth."""


class _Scored(NamedTuple):
    """Pixels whose match is known, against the rows of the right view."""

    scores: Float[Tensor, "N W"]
    target: Float[Tensor, " N"]


class StereoDescriptorTask(MetricTask):
    """Trains a network that describes every pixel, on rectified pairs with known disparity.

    Some rows of each pair are drawn. Each pixel of their left half whose match is known is scored
    against all pixels of the same row of the right view, which is what a search for its disparity
    does.

    Judged on held-out pairs by the disparity of the highest score of each visible pixel, without
    any smoothing: the share that is off by at most 3 and 1 px, beside that of our census.

    Args:
        network: describes images, a vector a pixel.
        loss: of the scores along a row.
        learning_rate: at the end of the warm-up; from there it falls to 0 on a straight line.
        optimizer: `sgd` (momentum 0.9), `adam` or `adamw`.
        weight_decay: of the optimiser.
        warmup_steps: over which the learning rate rises.
        ema_decay: of a moving average of the weights, which then is what is validated and saved;
            0 for none.
        num_rows: of each pair, at most.
        grey_share: of the training pairs, how many are seen in grey, as some cameras do.
        smooth_share: of the pixels that are not near an edge of depth, how many learn. A cost that
            is smoothed over the image afterwards gains most where it must not be: with all pixels a
            network learns to look at so much around each that nearer things grow at their edges.

    Raises:
        OptionError: a setting outside its range, or a network of a larger stride than 1.
    """

    counted = "pixels"
    network: DenseDescriptor
    loss: RowLoss
    num_points: int = 256
    """Pixels of a pair whose descriptors are watched, and drawn with their negatives."""

    def __init__(
        self,
        network: DenseDescriptor,
        loss: RowLoss,
        *,
        learning_rate: float = 0.002,
        optimizer: Optimizer = "adamw",
        weight_decay: float = 1e-4,
        warmup_steps: int = 50,
        ema_decay: float = 0.0,
        num_rows: int = 64,
        grey_share: float = 0.25,
        smooth_share: float = 1.0,
    ) -> None:
        super().__init__(
            network, loss, learning_rate=learning_rate, optimizer=optimizer,
            weight_decay=weight_decay, warmup_steps=warmup_steps, ema_decay=ema_decay,
        )  # fmt: skip
        if network.stride != 1:
            raise OptionError(
                f"the network describes every {network.stride} px; use one of stride 1, such as "
                "corr.models.StereoDescriptor"
            )
        if num_rows < 1:
            raise OptionError(f"num_rows is {num_rows}; use 1 or more")
        for name, share in (("grey_share", grey_share), ("smooth_share", smooth_share)):
            if not 0 <= share <= 1:
                raise OptionError(f"{name} is {share}; use a value in [0, 1]")
        self.num_rows, self.grey_share, self.smooth_share = num_rows, grey_share, smooth_share
        self._scored: _Scored | None = None
        self._right: dict[str, list[float]] = {}
        self._census: dict[str, float] | None = None

    def describe(self, batch: CorrespondenceBatch) -> Described:
        """The descriptors of random pixels and, between pixels, of their matches."""
        return self._watched(batch, *self._maps(batch))

    def shown(self, batch: CorrespondenceBatch) -> tuple[Tensor, Tensor]:
        """What is around the pixels that are described."""
        points0, points1, image = self._draw(batch)
        return (
            around(batch.images0.float() / 255, points0, image),
            around(batch.images1.float() / 255, points1, image),
        )

    def training_step(self, batch: CorrespondenceBatch, batch_idx: int) -> Float[Tensor, ""]:
        """The loss of the pixels of some rows; on several devices each has its own."""
        maps = self._maps(batch)
        self._scored = self._score_rows(batch, *maps)
        self.num_seen = len(self._scored.target)
        if self.num_seen == 0:
            self.step_skipped = True
            return 0 * maps[0].sum()
        with torch.no_grad():
            described = self._watched(batch, *maps)
        return self.loss_logged(described)

    def loss_now(self, described: Described) -> Float[Tensor, ""]:
        """The loss of the rows of the last batch."""
        assert self._scored is not None
        loss: Tensor = self.loss(*self._scored)
        return loss

    @torch.no_grad()
    def collapsed_loss(self, described: Described) -> float:
        """That of the last batch if all its descriptors were the same."""
        assert self._scored is not None
        scores, target = self._scored
        with torch.random.fork_rng([scores.device] if scores.is_cuda else []):
            return float(self.loss(torch.ones_like(scores), target))

    def on_validation_start(self) -> None:
        """Stop the clock, and drop what a validation that was stopped left."""
        super().on_validation_start()
        self._right = {}

    def validation_step(self, batch: CorrespondenceBatch, batch_idx: int) -> None:
        """Judge held-out pairs; the figures come at the end of the epoch."""
        images = [side.float() / 255 for side in (batch.images0, batch.images1)]
        sides = [self.network(image).descriptors.float() for image in images]
        greys = [(to_grey(image)[:, 0] * 255).round().byte().cpu().numpy() for image in images]
        for pair, disparity in enumerate(-batch.flow_0to1[..., 0]):
            bound = min(search_bound(disparity.cpu().numpy()), disparity.shape[1])
            scores = correlate_rows(sides[0][pair], sides[1][pair], bound)
            self._judge("", scores, disparity)
            if self._census is None:
                cost = census_volume(greys[0][pair], greys[1][pair], bound)
                found = -torch.from_numpy(cost).float()
                self._judge("_census", found, disparity.cpu())

    def on_validation_epoch_end(self) -> None:
        """Log the shares of the network and of census over all held-out pairs."""
        means = {name: sum(shares) / len(shares) for name, shares in self._right.items()}
        if self._census is None:
            self._census = {name: share for name, share in means.items() if "_census" in name}
        self._right = {}
        self.log_held_out({**means, **self._census})

    def _judge(
        self, model: str, scores: Float[Tensor, "H W D"], disparity: Float[Tensor, "H W"]
    ) -> None:
        known = disparity.isfinite() & (disparity >= 0)
        if not known.any():
            return
        width, depth = scores.shape[1:]
        outside = torch.arange(depth) > torch.arange(width)[:, None]
        best = scores.masked_fill(outside.to(scores.device), -torch.inf).argmax(2)
        error = (best - disparity)[known].abs()
        for limit in WITHIN_PX:
            share = float((error <= limit).float().mean())
            self._right.setdefault(f"val/within{limit}{model}", []).append(share)

    def _maps(
        self, batch: CorrespondenceBatch
    ) -> tuple[Float[Tensor, "B D H W"], Float[Tensor, "B D H W"]]:
        """The descriptors of both views, in training of some pairs in grey."""
        images = torch.cat((batch.images0, batch.images1)).float() / 255
        if self.training:
            grey = torch.rand(len(batch.images0), device=images.device) < self.grey_share
            seen = to_grey(images).expand_as(images)
            images = torch.where(grey.repeat(2)[:, None, None, None], seen, images)
        left, right = self.network(images).descriptors.float().chunk(2)
        return left, right

    def _score_rows(
        self,
        batch: CorrespondenceBatch,
        left: Float[Tensor, "B D H W"],
        right: Float[Tensor, "B D H W"],
    ) -> _Scored:
        """The pixels of random rows whose match is known, against the right view's row."""
        pairs, _, height, width = left.shape
        count = min(self.num_rows, height)
        order = torch.rand(pairs, height, device=left.device).topk(count).indices.flatten()
        pair = torch.arange(pairs, device=left.device).repeat_interleave(count)
        rows_left, rows_right = (side.permute(0, 2, 3, 1)[pair, order] for side in (left, right))
        with torch.autocast(left.device.type, enabled=False):  # bfloat16 would round the scores
            scores = rows_left @ rows_right.transpose(1, 2)
        columns = torch.arange(width, device=left.device)
        motion = batch.flow_0to1[pair, order, :, 0]
        target = columns + motion
        known = (target >= 0) & (target <= width - 1)  # false where it is NaN
        if self.smooth_share < 1:
            learns = torch.rand(known.shape, device=known.device) < self.smooth_share
            known &= near_depth_edges(motion) | learns
        return _Scored(scores[known], target[known])

    def _watched(self, batch: CorrespondenceBatch, left: Tensor, right: Tensor) -> Described:
        points0, points1, image = self._draw(batch)
        anchors = left[image, :, points0[:, 1].long(), points0[:, 0].long()]
        counts = torch.bincount(image, minlength=len(right)).tolist()
        parts = zip(right, torch.split(points1, counts), strict=True)
        read = torch.cat([sample(one[None], own[None], padding="border")[0] for one, own in parts])
        return Described(anchors, F.normalize(read, dim=1), Labels(points=points1, images=image))

    def _draw(self, batch: CorrespondenceBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Random pixels whose match is known, the matches, and their pair's number in the batch.

        The same ones whenever they are judged or shown.
        """
        flow = batch.flow_0to1
        generator = None if self.training else torch.Generator().manual_seed(0)
        known = flow.isfinite().all(-1).flatten(1)
        key = torch.rand(known.shape, generator=generator).to(known.device)
        chosen = key.masked_fill(~known, -1).topk(min(self.num_points, known.shape[1])).indices
        image = torch.arange(len(known), device=known.device)[:, None].expand_as(chosen)
        kept = known.gather(1, chosen)
        image, chosen = image[kept], chosen[kept]
        points0 = torch.stack((chosen % flow.shape[2], chosen // flow.shape[2]), 1).to(flow.dtype)
        return points0, points0 + flow.flatten(1, 2)[image, chosen], image


def near_depth_edges(disparity: Float[Tensor, "N W"]) -> Bool[Tensor, "N W"]:
    """True within `EDGE_PX` of where the disparity of a row jumps or is not known."""
    step = disparity.diff(dim=1).abs()
    jumps = F.pad(((step > JUMP_PX) | step.isnan()).float(), (1, 0))  # at the later of the two
    widened = F.pad(jumps, (EDGE_PX - 1, EDGE_PX))
    near: Bool[Tensor, "N W"] = F.max_pool1d(widened[:, None], 2 * EDGE_PX, 1)[:, 0] > 0
    return near
