"""The refinement stage of FlowNet: flow at 1/64 of the sides, made finer step by step to 1/4."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

SLOPE = 0.1
"""Of the rectifier behind each layer, below 0."""


class FlowPrediction(nn.Conv2d):
    """Flow from features, in the precision of its weights whatever the features are of.

    The first predictions of a training are near 0, as most pixels stay nearly where they are.

    Args:
        channels: of the features.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, 2, 3, padding=1)
        assert self.bias is not None
        nn.init.normal_(self.weight, std=0.1 / (9 * channels) ** 0.5)
        nn.init.zeros_(self.bias)

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 2 H W"]:
        """Flow at each place of the features."""
        with torch.autocast(features.device.type, enabled=False):
            features = features.to(self.weight.dtype)
            if features.device.type != "cpu" or torch.compiler.is_exporting():
                return super().forward(features)
            return self._by_taps(features)

    def _by_taps(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 2 H W"]:
        """The same, in half the time on a CPU, where 2 channels fill an eighth of a register.

        One product for all nine taps of both channels, which are then summed where they belong.
        """
        taps = self.weight.flip(2, 3).permute(0, 2, 3, 1).flatten(0, 2)  # (18, C)
        products = features.permute(0, 2, 3, 1).flatten(1, 2) @ taps.T  # (B, H * W, 18)
        size = features.shape[-2], features.shape[-1]
        summed = F.fold(products.transpose(1, 2), size, 3, padding=1)
        assert self.bias is not None
        return summed + self.bias[:, None, None]


class FlowUpsampling(nn.ConvTranspose2d):
    """A map of flow at twice the resolution, by weights that begin as bilinear interpolation.

    Args:
        bias: whether a constant is added: in the published layouts it is in FlowNetC only.
    """

    def __init__(self, *, bias: bool) -> None:
        super().__init__(2, 2, 4, stride=2, padding=1, bias=bias)
        tent = torch.tensor([0.25, 0.75, 0.75, 0.25])
        with torch.no_grad():
            self.weight.copy_(torch.eye(2)[:, :, None, None] * torch.outer(tent, tent))
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(  # type: ignore[override]  # nothing has a size to be asked for
        self, flow: Float[Tensor, "B 2 H W"]
    ) -> Float[Tensor, "B 2 H2 W2"]:
        """The same flow, enlarged; its values stay."""
        with torch.autocast(flow.device.type, enabled=False):
            return super().forward(flow.to(self.weight.dtype))


class FlowRefinement(nn.Module):
    """Predicts flow at five resolutions, each from features, those before, and the flow before.

    Source: Dosovitskiy 2015, "FlowNet: Learning optical flow with convolutional networks", section
    3, with a prediction at each resolution and flow enlarged by learned weights.

    Args:
        skips: channels of the features at 1/64, 1/32, 1/16, 1/8 and 1/4 of the sides.
        widths: channels that are brought from each resolution to the next.
        upsampling_bias: as `FlowUpsampling` takes it.
    """

    def __init__(
        self, skips: Sequence[int], widths: Sequence[int], *, upsampling_bias: bool
    ) -> None:
        super().__init__()
        channels = skips[0]
        deconvolutions, upsamplings = [], []
        predictions = [FlowPrediction(channels)]
        for skip, width in zip(skips[1:], widths, strict=True):
            deconvolutions.append(_deconvolution(channels, width))
            upsamplings.append(FlowUpsampling(bias=upsampling_bias))
            channels = skip + width + 2
            predictions.append(FlowPrediction(channels))
        self.predictions = nn.ModuleList(predictions)
        self.deconvolutions = nn.ModuleList(deconvolutions)
        self.upsamplings = nn.ModuleList(upsamplings)

    def forward(self, features: Sequence[Float[Tensor, "B _ _ _"]]) -> list[Tensor]:
        """Flow at each resolution, the coarsest first, in the network's own unit.

        Args:
            features: as `skips` says.
        """
        merged = features[0]
        levels = [self.predictions[0](merged)]
        for skip, deconvolution, upsampling, prediction in zip(
            features[1:],
            self.deconvolutions,
            self.upsamplings,
            self.predictions[1:],
            strict=True,
        ):
            enlarged = upsampling(levels[-1])
            brought = deconvolution(merged)
            merged = torch.cat((skip, brought, enlarged.to(brought.dtype)), dim=1)
            levels.append(prediction(merged))
        return levels


def _deconvolution(channels: int, width: int) -> nn.Sequential:
    """Features at twice the resolution; without batch normalisation, as published."""
    layer = nn.ConvTranspose2d(channels, width, 4, stride=2, padding=1)
    assert layer.bias is not None
    # Each place of the result sees a quarter of the kernel.
    nn.init.normal_(layer.weight, std=(2 / ((1 + SLOPE**2) * 4 * channels)) ** 0.5)
    nn.init.zeros_(layer.bias)
    return nn.Sequential(layer, nn.LeakyReLU(SLOPE, inplace=True))
