"""GoogLeNet to inception_4a, the trunk of the paper, at a quarter of the resolution."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.geometry import pixel_grid, sample
from corr.models.ucn_trunks import Trunk
from corr.models.weight_files import load_weights, read_weights

_FIRST_CENTRE = 0.0
"""px of the image at the centre of the first vector: its two reductions have odd kernels."""

_PAST = ("inception4b", "inception4c", "inception4d", "inception4e", "inception5a", "inception5b")
_UNUSED = (*_PAST, "aux1", "aux2", "fc")
"""Parts of the whole network that come after what is used here."""

_NEEDED = "a file of torchvision's GoogLeNet is needed"


class GoogLeNetTrunk(Trunk):
    """The layers of GoogLeNet to inception_4a, with batch normalisation instead of local response.

    The whole network has reduced the image by 16 there. Here the last two reductions leave the
    resolution as it is and the layers behind them are dilated instead, so that weights which were
    trained for the whole network see what they were trained on, at every fourth pixel.

    Source: Szegedy 2015, "Going Deeper with Convolutions"; Choy 2016, "Universal Correspondence
    Network", section 4; Yu 2016, "Multi-Scale Context Aggregation by Dilated Convolutions".
    """

    stride = 4
    multiple = 4
    sees_colour = True
    channels = 512
    context = 64

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _Convolution(3, 64, 7, stride=2)
        self.maxpool1 = _Highest(stride=2)
        self.conv2 = _Convolution(64, 64, 1)
        self.conv3 = _Convolution(64, 192, 3)
        self.maxpool2 = _Highest()
        self.inception3a = Inception(192, (64, 96, 128, 16, 32, 32), dilation=2)
        self.inception3b = Inception(256, (128, 128, 192, 32, 96, 64), dilation=2)
        self.maxpool3 = _Highest(dilation=2)
        self.inception4a = Inception(480, (192, 96, 208, 16, 48, 64), dilation=4)

    def normalize(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
        """In [-1, 1], as those that published weights were trained on."""
        return 2 * images - 1

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C Hs Ws"]:
        """Feature maps of a quarter of the sides, at the places of the half-pixel rule."""
        features = self.maxpool1(self.conv1(images))
        features = self.maxpool2(self.conv3(self.conv2(features)))
        features = self.maxpool3(self.inception3b(self.inception3a(features)))
        features = self.inception4a(features)
        return self._at_cells(features)

    def _at_cells(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """The features read where cells have their centres: those of the layers lie a bit off."""
        grid = pixel_grid(features.shape[2], features.shape[3], features.device)
        centre = (self.stride - 1) / 2
        places = grid + (centre - _FIRST_CENTRE) / self.stride
        read = sample(features.float(), places.expand(len(features), *grid.shape), padding="border")
        return read.permute(0, 3, 1, 2).to(features.dtype)


class Inception(nn.Module):
    """Four branches side by side: 1 x 1, 3 x 3, twice the last, and the highest around.

    The third branch is 3 x 3 where the paper has 5 x 5: so are the weights in common use.

    Args:
        channels: that come in.
        widths: of 1 x 1; of the reduction before 3 x 3 and of that; likewise of the third branch;
            of what is behind the highest.
        dilation: cells between the samples of a field.
    """

    def __init__(
        self, channels: int, widths: tuple[int, int, int, int, int, int], *, dilation: int
    ) -> None:
        super().__init__()
        one, before3, three, before5, five, pooled = widths
        self.branch1 = _Convolution(channels, one, 1)
        self.branch2 = nn.Sequential(
            _Convolution(channels, before3, 1), _Convolution(before3, three, 3, dilation=dilation)
        )
        self.branch3 = nn.Sequential(
            _Convolution(channels, before5, 1), _Convolution(before5, five, 3, dilation=dilation)
        )
        self.branch4 = nn.Sequential(_Highest(dilation=dilation), _Convolution(channels, pooled, 1))

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D H W"]:
        """The branches, one after the other."""
        branches = (self.branch1, self.branch2, self.branch3, self.branch4)
        return torch.cat([branch(features) for branch in branches], dim=1)


class _Convolution(nn.Module):
    def __init__(
        self, channels: int, out_channels: int, kernel: int, *, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        padding = dilation * (kernel // 2)
        self.conv = nn.Conv2d(channels, out_channels, kernel, stride, padding, dilation, bias=False)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D H2 W2"]:
        found: Tensor = F.relu(self.bn(self.conv(features)), inplace=True)
        return found


class _Highest(nn.Module):
    """Of 3 x 3 cells; behind a rectifier zeros around the map are never the highest."""

    def __init__(self, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.dilation = dilation

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H2 W2"]:
        padded = F.pad(features, (self.dilation,) * 4)
        highest: Tensor = F.max_pool2d(padded, 3, self.stride, dilation=self.dilation)
        return highest


def load_googlenet(trunk: GoogLeNetTrunk, path: str | Path) -> None:
    """Give the trunk the weights of a torchvision GoogLeNet; no code of the file runs.

    Source: `googlenet-1378be20.pth` of torchvision, a state dict with `conv1.conv.weight` and so
    on. What comes after inception_4a is not needed and may be missing.

    Raises:
        ModelError: the file is missing or damaged, or a name in it is unknown, missing or of
            another shape.
    """
    content = read_weights(Path(path), needed=_NEEDED)
    weights = {
        str(name): value for name, value in content.items() if not str(name).startswith(_UNUSED)
    }
    load_weights(trunk, weights, path, needed=_NEEDED)
