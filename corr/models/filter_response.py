"""Filter response normalisation and its activation: normalised without a look at the batch."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class FilterResponseNorm(nn.Module):
    """Divides each channel of each sample by its root mean square; then a learned scale and offset.

    Source: Singh 2020, "Filter Response Normalization Layer: Eliminating Batch Dependence in the
    Training of Deep Neural Networks".

    Args:
        channels: of the feature map.
        eps: added to the mean square.
    """

    def __init__(self, channels: int, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(channels, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1, 1))

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Normalised features, in float32 at least: scale and offset may cancel many bits."""
        features = features.to(torch.promote_types(features.dtype, torch.float32))
        mean_square = features.square().mean((2, 3), keepdim=True)
        return features * torch.rsqrt(mean_square + self.eps) * self.weight + self.bias


class ThresholdedLinearUnit(nn.Module):
    """max(x, threshold) with one learned threshold a channel, which begins at -1.

    Source: the same paper. It leaves the initial value open; -1 is that of
    HyNet's published code.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.threshold = nn.Parameter(-torch.ones(channels, 1, 1))

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Features not below the threshold of their channel."""
        return torch.maximum(features, self.threshold)
