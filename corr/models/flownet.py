"""FlowNet: optical flow by a convolutional network that was trained for it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any
from weakref import WeakSet

import torch
from jaxtyping import Float
from torch import Tensor, nn

from corr.errors import OptionError
from corr.machine.precision import multiplies_bfloat16
from corr.models.flow_network import FlowNetwork, Refinement, check_refinement
from corr.models.flownet_layers import Hourglass, Tower, Widths
from corr.models.flownet_refinement import FlowPrediction, FlowUpsampling
from corr.models.folding import lean_copy
from corr.models.network import DenseDescriptor
from corr.models.packing import can_pack
from corr.models.ucn_trunks import pad_to_multiple

FLOW_UNIT = 20.0
"""px that a flow of 1 is inside the networks, as published."""
MEAN = (0.45, 0.432, 0.411)
"""Of the colours of Flying Chairs, R, G and B. Source: github.com/ClementPinard/FlowNetPytorch."""


_COMPILED: WeakSet[nn.Module] = WeakSet()
"""Networks whose parts are compiled; a copy of one is not."""


class FlowNet(FlowNetwork):
    """What FlowNetS and FlowNetC have in common: what comes in, what unit goes out, how precisely.

    Where no gradient is needed, and the hardware multiplies bfloat16, layers are computed in that;
    predictions and what enlarges them always in float32.

    Args:
        mean: of the colours R, G and B, which is taken from the images; None for that of each pair.
        flow_unit: px that a flow of 1 is inside the network.
        refine: how `corr.flow` refines its flow, unless asked otherwise.

    Raises:
        OptionError: not three colours, a unit of 0 or less, or an unknown refinement.
    """

    def __init__(
        self, mean: Sequence[float] | None, flow_unit: float, refine: Refinement = "none"
    ) -> None:
        super().__init__()
        check_refinement(refine)
        self.refine = refine
        if not flow_unit > 0:
            raise OptionError(f"flow_unit is {flow_unit}; use a number of px above 0")
        self.flow_unit = flow_unit
        if mean is not None and len(mean) != 3:
            raise OptionError(f"mean is {list(mean)}; use three numbers, or null for each pair's")
        self.mean = None if mean is None else tuple(mean)

    def lean(self) -> FlowNet:
        """A copy for inference, folded and packed, in bfloat16 where the hardware multiplies it."""
        weight = next(self.parameters())
        if self.training or torch.is_grad_enabled():
            return self
        fast = multiplies_bfloat16(weight.device.type)
        dtype = torch.bfloat16 if fast else weight.dtype
        packed = weight.device.type == "cpu" and can_pack(dtype)
        if not (fast or packed):
            return self
        lean = lean_copy(self, _needs_float32, dtype=dtype, packed=packed)
        if self in _COMPILED and lean not in _COMPILED:
            lean.compile(*self._compilation[0], **self._compilation[1])
        return lean

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Have the parts that take the time compiled, once for all images of one size.

        For a video; what is done at each change of size takes from seconds to minutes.

        Args:
            *args: as `torch.compile` takes them.
            **kwargs: likewise.
        """
        self._compilation = args, kwargs
        for part in ("tower", "hourglass"):
            self.get_submodule(part).compile(*args, **kwargs)
        _COMPILED.add(self)

    def _normalized(
        self, images0: Float[Tensor, "B 3 H W"], images1: Float[Tensor, "B 3 H W"]
    ) -> tuple[Tensor, Tensor]:
        """Both without their mean, padded."""
        mean = None if self.mean is not None else (images0 + images1).mean((2, 3), keepdim=True) / 2
        return self._padded(images0, mean), self._padded(images1, mean)

    def _padded(self, images: Float[Tensor, "B 3 H W"], mean: Tensor | None = None) -> Tensor:
        """Without the mean that is given, or the network's, in the number format of its layers."""
        if mean is None:
            mean = images.new_tensor(self.mean).view(1, 3, 1, 1)
        padded = pad_to_multiple(images - mean, self.multiple).to(self._dtype)
        return padded.contiguous(memory_format=torch.channels_last)

    @property
    @abstractmethod
    def _dtype(self) -> torch.dtype:
        """Of the layers that see the images."""


class FlowNetS(FlowNet):
    """One chain of convolutions that sees both images at once.

    Source: Dosovitskiy 2015, "FlowNet: Learning optical flow with convolutional networks", with
    the layer conv6_1 that all published code has.

    Args:
        width: factor of the channels of each layer; 1 for the paper's 38.68 million parameters.
        batch_norm: whether convolutions are followed by batch normalisation; the paper's are not.
        mean: of the colours R, G and B, which is taken from the images; None for that of each pair.
        flow_unit: px that a flow of 1 is inside the network.
        refine: how `corr.flow` refines its flow, unless asked otherwise.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        width: float = 1.0,
        *,
        batch_norm: bool = False,
        mean: Sequence[float] | None = MEAN,
        flow_unit: float = FLOW_UNIT,
        refine: Refinement = "none",
    ) -> None:
        super().__init__(mean, flow_unit, refine)
        widths = Widths.of(width)
        self.tower = Tower(6, widths, batch_norm=batch_norm)
        self.hourglass = Hourglass(
            widths.conv3, widths.conv2, widths, batch_norm=batch_norm, upsampling_bias=False
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in stubs

    def forward(
        self, images0: Float[Tensor, "B 3 H W"], images1: Float[Tensor, "B 3 H W"]
    ) -> list[Float[Tensor, "B 2 _ _"]]:
        """Flow in px at 1/64, 1/32, 1/16, 1/8 and 1/4 of the padded sides, in float32."""
        fine, coarse = self.tower(torch.cat(self._normalized(images0, images1), dim=1))
        return [self.flow_unit * level for level in self.hourglass(coarse, fine)]

    @property
    def _dtype(self) -> torch.dtype:
        return self.tower.dtype


def _needs_float32(part: nn.Module) -> bool:
    """Whether bfloat16 would show: in vectors of many px, and where places between cells are read.

    An error of 0.4 percent is 0.1 px at 25 px.
    """
    if isinstance(part, DenseDescriptor):
        return not part.folds
    return isinstance(part, FlowPrediction | FlowUpsampling)
