"""Batch normalisation by the statistics of the whole batch, on several processes.

PyTorch's SyncBatchNorm does so on GPUs alone, and takes the place of the layers. Here the layers
stay what they are, with their weights under their names; only how they compute is changed, and
changed back.
"""

from __future__ import annotations

from types import MethodType

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from corr.tasks.gather import sum_across_ranks


def share_batch_statistics(network: nn.Module) -> None:
    """Let the batch normalisations of a network use the rows of all processes, while training."""
    for layer in _normalisations(network):
        layer.forward = MethodType(_forward, layer)  # type: ignore[method-assign]


def separate_batch_statistics(network: nn.Module) -> None:
    """Undo `share_batch_statistics`."""
    for layer in _normalisations(network):
        layer.__dict__.pop("forward", None)


def _normalisations(network: nn.Module) -> list[_BatchNorm]:
    return [layer for layer in network.modules() if isinstance(layer, _BatchNorm)]


def _forward(self: _BatchNorm, features: Float[Tensor, "B C *size"]) -> Float[Tensor, "B C *size"]:
    """What the layer computes in evaluation, and in training with the whole batch's statistics.

    Mean and variance are in float32 at least; the variance comes from the centred features, since
    a difference of mean squares would lose it.
    """
    if not self.training:
        plain: Tensor = type(self).forward(self, features)
        return plain
    self._check_input_dim(features)  # type: ignore[no-untyped-call]
    over = [dim for dim in range(features.ndim) if dim != 1]
    shape = [1, -1] + [1] * (features.ndim - 2)
    with torch.autocast(features.device.type, enabled=False):
        values = features.to(torch.promote_types(features.dtype, torch.float32))
        own = values.new_tensor([values.numel() / values.shape[1]])
        total, count = sum_across_ranks(torch.cat((values.sum(over), own))).tensor_split([-1])
        mean = total / count
        centred = values - mean.view(shape)
        variance = sum_across_ranks(centred.square().sum(over)) / count
        normal = centred * torch.rsqrt(variance + self.eps).view(shape)
        if self.affine:
            normal = normal * self.weight.view(shape) + self.bias.view(shape)
    if self.track_running_stats:
        _track(self, mean.detach(), variance.detach() * (count / (count - 1)))
    return normal.to(features.dtype)


@torch.no_grad()
def _track(layer: _BatchNorm, mean: Tensor, variance: Tensor) -> None:
    """Move the running statistics towards those of the batch."""
    assert layer.running_mean is not None
    assert layer.running_var is not None
    assert layer.num_batches_tracked is not None
    layer.num_batches_tracked.add_(1)
    share = layer.momentum
    if share is None:  # the mean over all batches
        share = 1 / float(layer.num_batches_tracked)
    layer.running_mean.lerp_(mean.to(layer.running_mean.dtype), share)
    layer.running_var.lerp_(variance.to(layer.running_var.dtype), share)
