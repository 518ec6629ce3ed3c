"""Pooling of a whole feature map into one vector."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from corr.errors import OptionError


def generalized_mean(
    features: Float[Tensor, "B C H W"], exponent: float | Float[Tensor, ""], eps: float = 1e-6
) -> Float[Tensor, "B C"]:
    """(mean of x^p)^(1/p) of each channel: the mean where p is 1, towards the maximum as p grows.

    Source: Radenovic 2019, "Fine-tuning CNN Image Retrieval with No Human Annotation".

    Args:
        features: below `eps` they count as `eps`, for a power needs a positive base.
        exponent: p, above 0.
        eps: the smallest value.
    """
    # x^p leaves the range of half precision soon.
    positive = features.to(torch.promote_types(features.dtype, torch.float32)).clamp(min=eps)
    return positive.pow(exponent).mean((2, 3)).pow(1 / exponent)


class GeneralizedMeanPooling(nn.Module):
    """GeM pooling with a learned exponent, one for all channels.

    Args:
        exponent: at the start; 3 as in the paper.

    Raises:
        OptionError: the exponent is not above 0.
    """

    def __init__(self, exponent: float = 3.0) -> None:
        super().__init__()
        if not exponent > 0:
            raise OptionError(f"exponent is {exponent}; use a value above 0")
        self.exponent = nn.Parameter(torch.tensor(float(exponent)))

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C"]:
        """`generalized_mean` of a feature map."""
        return generalized_mean(features, self.exponent)
