"""FlowNetC: optical flow by a network that compares features of both images."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.models.descriptor_tower import DescriptorTower, described_by
from corr.models.flow_network import ImageFeatures, Refinement, check_sizes
from corr.models.flownet import FLOW_UNIT, MEAN, FlowNet
from corr.models.flownet_layers import Hourglass, Tower, Widths, convolutions
from corr.models.flownet_refinement import SLOPE
from corr.volume.correlation import correlation_layer
from corr.volume.reversal import reversed_correlation

MAX_DISPLACEMENT, DILATION = 20, 2
"""Of the correlation, in pixels of the map at 1/8: 441 displacements within 160 px of the image."""
REDIRECTED = 32
"""Channels that image 0 gives beside the correlation at width 1; at others a multiple of 8."""

_Maps = tuple[Float[Tensor, "B _ H4 W4"], Float[Tensor, "B C H8 W8"]]
"""Of images: for the last step of the refinement, and to be compared."""


class FlowNetC(FlowNet):
    """Features of both images, compared by a correlation, and a chain of convolutions after it.

    The features are its own, or the descriptors of a network that describes images: brought to 1/8
    of the sides, where their cosines are the correlation, and by a convolution to what the last
    step of the refinement needs at 1/4.

    Source: Dosovitskiy 2015, "FlowNet: Learning optical flow with convolutional networks", with
    the layer conv6_1 that all published code has.

    Args:
        width: factor of the channels of each layer; 1 for the paper's 39.18 million parameters.
        batch_norm: whether convolutions are followed by batch normalisation; the paper's are not.
        mean: of the colours R, G and B, which is taken from the images before its own features;
            None for that of each pair, so that no image can be looked at alone.
        features: None for its own, a name or folder such as `ucn` to begin with the weights of
            that network, or what its `network.yaml` holds.
        freeze_features: whether those of `features` stay as they are in training.
        flow_unit: px that a flow of 1 is inside the network.
        refine: how `corr.flow` refines its flow, unless asked otherwise.

    Raises:
        OptionError: a setting outside its range.
        ModelError: `features` names no network that describes images.
    """

    def __init__(
        self,
        width: float = 1.0,
        *,
        batch_norm: bool = False,
        mean: Sequence[float] | None = MEAN,
        features: str | dict[str, Any] | None = None,
        freeze_features: bool = False,
        flow_unit: float = FLOW_UNIT,
        refine: Refinement = "none",
    ) -> None:
        super().__init__(mean, flow_unit, refine)
        widths = Widths.of(width)
        self.tower: Tower | DescriptorTower
        weights: dict[str, Tensor] | None = None
        if isinstance(features, str):
            features, weights = described_by(features)
            self.settings["features"] = features
        if features is None:
            self.tower = Tower(3, widths, batch_norm=batch_norm)
        else:
            self.tower = DescriptorTower(features, widths.conv2)
            if weights is not None:
                self.tower.descriptor.load_state_dict(weights)
        redirected = 8 * ceil(width * REDIRECTED / 8)
        self.conv_redir = convolutions(batch_norm=batch_norm)(self.tower.channels, redirected, 1, 1)
        self.hourglass = Hourglass(
            redirected + (2 * (MAX_DISPLACEMENT // DILATION) + 1) ** 2,
            widths.conv2,
            widths,
            batch_norm=batch_norm,
            upsampling_bias=True,
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in stubs
        self.frozen = freeze_features
        if freeze_features and isinstance(self.tower, DescriptorTower):
            self.tower.descriptor.requires_grad_(False)
            self.train()

    def train(self, mode: bool = True) -> FlowNetC:
        """Into training mode, but for features that stay as they are."""
        super().train(mode)
        if self.frozen and isinstance(self.tower, DescriptorTower):
            self.tower.descriptor.eval()
        return self

    def forward(
        self, images0: Float[Tensor, "B 3 H W"], images1: Float[Tensor, "B 3 H W"]
    ) -> list[Float[Tensor, "B 2 _ _"]]:
        """Flow in px at 1/64, 1/32, 1/16, 1/8 and 1/4 of the padded sides, in float32."""
        fine, coarse = self.tower(torch.cat(self._normalized(images0, images1)))
        count = images0.shape[0]  # not chunks, of which no exporter knows how many there are
        first, second = coarse[:count], coarse[count:]
        return self._decoded(fine[:count], first, self._scores(first, second))

    def lean(self) -> FlowNetC:
        """A copy for inference, folded and packed, in bfloat16 where the hardware multiplies it."""
        return cast("FlowNetC", super().lean())

    def features(self, images: Float[Tensor, "B 3 H W"]) -> ImageFeatures:
        """What `flow_between` and `both_between` need of images, such as a frame of a video."""
        if not self._sees_single:
            return super().features(images)
        lean = self.lean()
        return ImageFeatures(lean.tower(lean._padded(images)), *images.shape[-2:])

    def flow_between(
        self, features0: ImageFeatures, features1: ImageFeatures
    ) -> Float[Tensor, "B 2 H W"]:
        """The same as `flow` of images whose features are known.

        Raises:
            ShapeError: the images differ in size.
        """
        check_sizes(features0, features1)
        lean = self.lean()
        (skip, first), (_, second) = lean._maps(features0, features1)
        levels = lean._decoded(skip, first, lean._scores(first, second))
        return self.enlarge(levels[-1], features0.height, features0.width)

    def both_between(
        self, features0: ImageFeatures, features1: ImageFeatures
    ) -> tuple[Float[Tensor, "B 2 H W"], Float[Tensor, "B 2 H W"]]:
        """The same as `both` of images whose features are known: one correlation serves both ways.

        Raises:
            ShapeError: the images differ in size.
        """
        check_sizes(features0, features1)
        lean = self.lean()
        (skip0, first), (skip1, second) = lean._maps(features0, features1)
        scores = lean._scores(first, second)
        opposite = reversed_correlation(scores, MAX_DISPLACEMENT, dilation=DILATION)
        levels = lean._decoded(
            torch.cat((skip0, skip1)), torch.cat((first, second)), torch.cat((scores, opposite))
        )
        full = self.enlarge(levels[-1], features0.height, features0.width)
        flow_0to1, flow_1to0 = full.chunk(2)
        return flow_0to1, flow_1to0

    @property
    def _sees_single(self) -> bool:
        """Whether the features of an image are the same whatever the other is."""
        return self.mean is not None or isinstance(self.tower, DescriptorTower)

    @property
    def _dtype(self) -> torch.dtype:
        return self.tower.dtype

    def _padded(self, images: Float[Tensor, "B 3 H W"], mean: Tensor | None = None) -> Tensor:
        if isinstance(self.tower, DescriptorTower):  # which normalises images itself
            mean = images.new_zeros(())
        return super()._padded(images, mean)

    def _maps(self, features0: ImageFeatures, features1: ImageFeatures) -> tuple[_Maps, _Maps]:
        """Of both images, computed where only the pair tells."""
        if self._sees_single:
            # Those of a lean copy may be used by the network itself.
            dtype = next(self.conv_redir.parameters()).dtype
            (skip0, first), (skip1, second) = (
                [given.to(dtype) for given in features.maps] for features in (features0, features1)
            )
            return (skip0, first), (skip1, second)
        images0, images1 = self._normalized(features0.maps[0], features1.maps[0])
        return self.tower(images0), self.tower(images1)

    def _scores(
        self, first: Float[Tensor, "B C H8 W8"], second: Float[Tensor, "B C H8 W8"]
    ) -> Float[Tensor, "B 441 H8 W8"]:
        """The rectified correlation."""
        scores = correlation_layer(first, second, MAX_DISPLACEMENT, dilation=DILATION)
        return F.leaky_relu(scores, SLOPE)

    def _decoded(self, skip: Tensor, first: Tensor, scores: Tensor) -> list[Tensor]:
        """Flow at each level, px."""
        seen = torch.cat((self.conv_redir(first), scores.to(first.dtype)), dim=1)
        return [self.flow_unit * level for level in self.hourglass(seen, skip)]
