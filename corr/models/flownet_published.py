"""Weight files of FlowNetS and FlowNetC that others publish, read into corr's networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from corr.errors import ModelError
from corr.models.descriptor_tower import DescriptorTower
from corr.models.flownet import FLOW_UNIT, MEAN, FlowNetS
from corr.models.flownetc import FlowNetC
from corr.models.weight_files import load_weights, read_weights

_NEEDED = (
    "a file of FlowNetS or FlowNetC as NVIDIA's flownet2-pytorch or ClementPinard's FlowNetPytorch "
    "write it is needed"
)


def load_published_flow(
    path: str | Path,
    *,
    mean: Sequence[float] | Literal["pair", "layout"] = "layout",
    bgr: bool = False,
    summed: bool = False,
    flow_unit: float | None = None,
) -> FlowNetS | FlowNetC:
    """The network of a published PyTorch file, on the CPU in evaluation mode; no code of it runs.

    What it gives can be written by `save_network`, and then be named by `--model`. Both layouts
    have the same names; NVIDIA's has constants in each layer, and takes the mean of each pair from
    the images; that of FlowNetPytorch has none in what enlarges and predicts, and takes a fixed
    mean. Networks with batch normalisation are known by its names.

    Source: `FlowNet2-C_checkpoint.pth.tar` and `FlowNet2-S_checkpoint.pth.tar` of
    github.com/NVIDIA/flownet2-pytorch; `flownetc_EPE1.766.pth`, `flownets_EPE1.951.pth` and
    `flownets_bn_EPE2.459.pth` of github.com/ClementPinard/FlowNetPytorch.

    Args:
        path: the file.
        mean: of the colours R, G and B, which was taken from the images in its training, in [0, 1];
            `pair` for that of each pair, `layout` for what the layout's code does today.
        bgr: whether its network was trained on blue, green and red, such as the file
            `flownets_from_caffe.pth`.
        summed: whether its correlation adds products where both layouts take their mean today.
        flow_unit: px that a flow of 1 is in its network; what the file states, or 20, when not
            given.

    Raises:
        ModelError: the file is missing, damaged or laid out in another way; names the weights that
            are unknown or missing.
        OptionError: a setting outside its range.
    """
    content = read_weights(Path(path), needed=_NEEDED)
    weights = _state(content)
    first = weights.get("conv1.0.weight")
    if not isinstance(first, Tensor) or first.ndim != 4 or len(first) == 0:
        raise ModelError(f"weights file '{path}' has another layout; {_NEEDED}")
    compares = any(name.startswith("conv_redir.") for name in weights)
    has_constants = "predict_flow6.bias" in weights
    if mean == "layout":
        mean = "pair" if has_constants else MEAN
    network = (FlowNetC if compares else FlowNetS)(
        len(first) / 64,
        batch_norm="conv1.1.weight" in weights,
        mean=None if isinstance(mean, str) else list(mean),
        flow_unit=_stated_unit(content) if flow_unit is None else flow_unit,
    )
    published = _as_published(network)
    if not has_constants:
        weights = _without_constants(published) | weights
    load_weights(published, weights, path, needed=_NEEDED)
    with torch.no_grad():
        if bgr:
            kernels = published.get_parameter("conv1.0.weight")
            kernels.copy_(torch.cat([image.flip(1) for image in torch.split(kernels, 3, 1)], 1))
        if summed and isinstance(network, FlowNetC):
            # The rectifier keeps factors, so that the layer behind it can take the number.
            count = len(published.get_parameter("conv_redir.0.weight"))
            published.get_parameter("conv3_1.0.weight")[:, count:] *= network.tower.channels
    return network.float().eval()


def _state(content: Mapping[Any, Any]) -> dict[str, Any]:
    """The weights by name, without what a wrapper for several GPUs puts before each."""
    inner = content.get("state_dict")
    weights = {str(k): v for k, v in (inner if isinstance(inner, Mapping) else content).items()}
    if weights and all(name.startswith("module.") for name in weights):
        return {name.removeprefix("module."): value for name, value in weights.items()}
    return weights


def _stated_unit(content: Mapping[Any, Any]) -> float:
    stated = content.get("div_flow", FLOW_UNIT)
    return float(stated) if isinstance(stated, int | float) else FLOW_UNIT


def _as_published(network: FlowNetS | FlowNetC) -> nn.Module:
    """The same layers under the names that the layouts give them."""
    assert not isinstance(network.tower, DescriptorTower)
    named = dict(network.tower.named_children()) | dict(network.hourglass.named_children())
    del named["refinement"]
    if isinstance(network, FlowNetC):
        named["conv_redir"] = network.conv_redir
    refinement = network.hourglass.refinement
    for step, prediction in enumerate(refinement.predictions):
        named[f"predict_flow{6 - step}"] = prediction
    for step, deconvolution in enumerate(refinement.deconvolutions):
        named[f"deconv{5 - step}"] = deconvolution
    for step, upsampling in enumerate(refinement.upsamplings):
        named[f"upsampled_flow{6 - step}_to_{5 - step}"] = upsampling
    published = nn.Module()
    for name, layer in named.items():
        published.add_module(name, layer)
    return published


def _without_constants(published: nn.Module) -> dict[str, Tensor]:
    """Zeros for the constants that FlowNetPytorch leaves out."""
    return {
        name: torch.zeros_like(value)
        for name, value in published.state_dict().items()
        if name.endswith(".bias") and name.startswith(("predict_flow", "deconv", "upsampled_flow"))
    }
