"""Convolutions made ready for one processor: weights in its own order, rectified on the way out."""

from __future__ import annotations

import platform
from typing import TypeGuard, TypeVar

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


class PackedConvolution(nn.Module):
    """A convolution, or a transposed one, with the rectifier behind it, for inference.

    oneDNN reorders the weights of a plain convolution in each pass: at 1/64 of an image's sides
    that takes longer than the convolution itself. Here they are reordered when the features'
    shape changes, as it decides on the order, and what comes out is rectified before it is written.

    Args:
        convolution: whose weights are taken; on the CPU.
        slope: of the rectifier below 0.
    """

    def __init__(self, convolution: nn.Conv2d | nn.ConvTranspose2d, slope: float) -> None:
        super().__init__()
        self.convolution = convolution
        self._slope = slope
        where = (convolution.stride, convolution.dilation, convolution.groups)
        self._where: tuple[object, ...] = (convolution.padding, *where)
        if isinstance(convolution, nn.ConvTranspose2d):
            self._where = (convolution.padding, convolution.output_padding, *where)
        self._packed: tuple[torch.Size, Tensor] | None = None

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B _ _ _"]:
        """The rectified features."""
        features = features.to(self.convolution.weight.dtype)
        if torch.compiler.is_compiling():  # which packs and rectifies itself
            return F.leaky_relu(self.convolution(features), self._slope)
        packed = self._packed
        if packed is None or packed[0] != features.shape:
            self._packed = packed = features.shape, self._reordered(features.shape)
        rectifier = ("leaky_relu", [self._slope], "") if self._slope else ("relu", [], "")
        compute = torch.ops.mkldnn._convolution_pointwise
        if self._transposed:
            compute = torch.ops.mkldnn._convolution_transpose_pointwise
        result: Tensor = compute(
            features, packed[1], self.convolution.bias, *self._where, *rectifier
        )
        return result

    def _reordered(self, shape: torch.Size) -> Tensor:
        """The weights, for features of that shape."""
        weight = self.convolution.weight.detach()
        given = *self._where, list(shape)
        reordered: Tensor
        if self._transposed:
            reordered = torch.ops.mkldnn._reorder_convolution_transpose_weight(weight, *given)
        else:
            reordered = torch.ops.aten.mkldnn_reorder_conv2d_weight(weight.to_mkldnn(), *given)
        return reordered

    @property
    def _transposed(self) -> bool:
        return isinstance(self.convolution, nn.ConvTranspose2d)


def can_pack(dtype: torch.dtype = torch.float32) -> bool:
    """Whether oneDNN has such convolutions for this processor: those that `torch.compile` uses.

    Args:
        dtype: of weights and features.
    """
    return (
        dtype in {torch.float32, torch.bfloat16}
        and platform.machine().lower() in {"x86_64", "amd64"}
        and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]  # not in stubs
        and hasattr(torch.ops.mkldnn, "_convolution_pointwise")
        and hasattr(torch.ops.mkldnn, "_convolution_transpose_pointwise")
    )


def pack(module: M) -> M:
    """Replace each convolution that a rectifier follows, in place; others stay.

    Args:
        module: on the CPU, of which no gradient will be asked.
    """
    for name, child in module.named_children():
        pack(child)
        if isinstance(child, nn.Sequential):
            setattr(module, name, _pack_sequence(child))
    return module


def _is_packable(layer: nn.Module | None) -> TypeGuard[nn.Conv2d | nn.ConvTranspose2d]:
    return (
        isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)
        and layer.padding_mode == "zeros"
        and not isinstance(layer.padding, str)
    )


def _pack_sequence(layers: nn.Sequential) -> nn.Sequential:
    packed: list[nn.Module] = []
    for layer in layers:
        before = packed[-1] if packed else None
        if isinstance(layer, nn.LeakyReLU | nn.ReLU) and _is_packable(before):
            packed[-1] = PackedConvolution(before, getattr(layer, "negative_slope", 0.0))
        else:
            packed.append(layer)
    return nn.Sequential(*packed)
