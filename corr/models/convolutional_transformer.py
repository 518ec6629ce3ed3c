"""The convolutional spatial transformer: each receptive field seen through a transform of its own.

A localisation branch says for every place of a feature map how its k x k receptive field is turned,
scaled, sheared or bent; the field is sampled so, and then convolved. The paper lays the samples of
all places out as one large map and convolves it with stride k; the same sums are taken here for a
few rows at a time, so that those k * k copies of the features never exist.
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from corr.errors import OptionError
from corr.geometry import pixel_grid, sample
from corr.models.bilinear_reading import CellTable, cell_table

FieldTransform = Literal["rigid", "similarity", "affine", "thin-plate"]

TILE_BYTES = 2**20
"""What is read for a tile of rows takes at most so much, or is one row: it stays in the cache."""

_STRETCH = 4.0
"""No sample of a field is farther from its centre than so many times where it is at rest: a corner
that is turned, scaled by 2 and sheared."""

_OUTPUTS = {"rigid": 4, "similarity": 5, "affine": 7, "thin-plate": 18}


class ConvolutionalSpatialTransformer(nn.Module):
    """A convolution whose receptive field is transformed at every place, by what is seen there.

    The last layer of the localisation branch starts at zero: an untrained one is the plain
    convolution, zeros around the map. What it predicts is bounded:

    - `rigid`: a turn by the angle of a vector (cos, sin), and a shift of at most one cell.
    - `similarity`: and a scale of 1/2 to 2.
    - `affine`: and a shear of determinant 1 that keeps the y axis' direction.
    - `thin-plate`: a spline through 3 x 3 control points, each moved by at most one cell.

    Source: Choy 2016, "Universal Correspondence Network", section 3.4; Jaderberg 2015, "Spatial
    Transformer Networks"; Bookstein 1989, "Principal Warps", for the spline.

    Args:
        channels: of the features.
        out_channels: of the result.
        transform: what the branch may predict.
        kernel_size: k, odd.
        width: channels of the localisation branch.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        *,
        transform: FieldTransform = "similarity",
        kernel_size: int = 3,
        width: int = 32,
    ) -> None:
        super().__init__()
        if transform not in get_args(FieldTransform):
            known = ", ".join(get_args(FieldTransform))
            raise OptionError(f"transform is '{transform}'; use one of {known}")
        if kernel_size < 1 or kernel_size % 2 == 0:
            raise OptionError(f"kernel_size is {kernel_size}; use an odd number from 1")
        self.transform = transform
        self.context = 2 + math.ceil(_STRETCH * kernel_size // 2)
        """Cells beyond a place that reach its result, at most."""
        last = nn.Conv2d(width, _OUTPUTS[transform], 1)
        self.localization = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            last,
        )
        nn.init.zeros_(last.weight)
        with torch.no_grad():
            assert last.bias is not None
            last.bias.zero_()
            if transform != "thin-plate":
                last.bias[0] = 1
        self.convolution = nn.Conv2d(channels, out_channels, kernel_size)
        field = pixel_grid(kernel_size, kernel_size).reshape(-1, 2) - kernel_size // 2
        self.register_buffer("field", field, persistent=False)
        self.register_buffer("spline", _spline(field), persistent=False)

    field: Tensor
    spline: Tensor

    def forward(
        self, features: Float[Tensor, "B C H W"]
    ) -> tuple[Float[Tensor, "B D H W"], Float[Tensor, "B 1 H W"]]:
        """The convolved features, and by how much each field was deformed.

        That is the mean square of how far its samples were moved, in cells; a loss may hold it
        small.
        """
        moved = self._moved(features)
        places = (_at_rest(self.field, features) + moved).permute(0, 3, 1, 2, 4)
        convolved = convolve_places(
            features, places, self.convolution.weight, self.convolution.bias
        )
        return convolved, moved.square().sum((3, 4))[:, None] / len(self.field)

    def places(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B K H W 2"]:
        """Where the k * k samples of each field are read, (x, y) in cells of the features."""
        places: Tensor = _at_rest(self.field, features) + self._moved(features)
        return places.permute(0, 3, 1, 2, 4)

    def _moved(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B H W K 2"]:
        """By how much each sample of each field is moved from where it is at rest, in cells."""
        found = self.localization(features)
        found = found.to(torch.promote_types(found.dtype, torch.float32)).permute(0, 2, 3, 1)
        field = self.field.to(found.dtype)
        unit = torch.eye(2, dtype=found.dtype, device=found.device)
        if self.transform == "thin-plate":
            steps, samples = torch.tanh(found), self.spline.to(found.dtype)
        else:
            axes = _axes(found, self.transform) - unit
            shift = torch.tanh(found[..., 2:4])
            steps = torch.cat((axes.transpose(-1, -2).flatten(-2), shift), -1)
            samples = F.pad(field, (0, 1), value=1.0)  # each is moved by a x + b y + shift
        # A product for both coordinates at once: they alternate in its rows and in its columns.
        both = torch.kron(samples.T.contiguous(), unit)
        with torch.autocast(features.device.type, enabled=False):
            moved = steps.contiguous() @ both
        return moved.reshape(*moved.shape[:3], len(field), 2)


def convolve_places(
    features: Float[Tensor, "B C H W"],
    places: Float[Tensor, "B K H W 2"],
    weight: Float[Tensor, "D C k k"],
    bias: Float[Tensor, " D"] | None = None,
) -> Float[Tensor, "B D H W"]:
    """Features read at k * k places for each cell, bilinear, and summed with the kernel's weights.

    In tiles of rows; the backward pass reads a tile again instead of keeping what was read.

    Args:
        features: what is read, zero outside.
        places: (x, y) in cells, the rows of the kernel one after the other.
        weight: of the convolution.
        bias: likewise.
    """
    row_bytes = places.shape[1] * features[:, :, 0].numel() * features.element_size()
    rows = max(1, TILE_BYTES // max(1, row_bytes))
    parts = torch.split(places, rows, dim=2)
    learns = features.requires_grad or places.requires_grad or weight.requires_grad
    if learns and torch.is_grad_enabled():
        kernels = weight.flatten(1)
        tiles = [
            checkpoint(_convolve_tile, features, part, kernels, use_reentrant=False)
            for part in parts
        ]
    elif features.is_cpu:
        table = cell_table(features)
        kernels = weight.flatten(2).transpose(1, 2).flatten(1)
        tiles = [_convolve_tile_of_table(table, part, kernels) for part in parts]
    else:
        tiles = [_convolve_tile(features, part, weight.flatten(1)) for part in parts]
    summed = torch.cat(tiles, dim=2)
    return summed if bias is None else summed + bias[:, None, None]


def _convolve_tile(
    features: Float[Tensor, "B C H W"],
    places: Float[Tensor, "B K R W 2"],
    kernels: Float[Tensor, "D _"],
) -> Float[Tensor, "B D R W"]:
    rows, width = places.shape[2:4]
    read = _sample(features, places).permute(0, 4, 1, 2, 3)
    fields = read.reshape(len(features), -1, rows * width)
    summed = torch.bmm(kernels.expand(len(features), -1, -1), fields)
    return summed.reshape(len(features), -1, rows, width)


def _convolve_tile_of_table(
    table: CellTable, places: Float[Tensor, "B K R W 2"], kernels: Float[Tensor, "D _"]
) -> Float[Tensor, "B D R W"]:
    """The same, field by field in memory: no reading is moved before it is summed."""
    rows, width = places.shape[2:4]
    read = table.read(places.permute(0, 2, 3, 1, 4).flatten(1, 3))
    fields = read.reshape(len(places), rows, width, -1)
    return F.linear(fields, kernels).permute(0, 3, 1, 2)


def _sample(
    features: Float[Tensor, "B C H W"], places: Float[Tensor, "B *N 2"]
) -> Float[Tensor, "B *N C"]:
    """Read at places as precise as they are: in bfloat16 they would be whole cells from 128 on."""
    return sample(features.to(places.dtype), places).to(features.dtype)


def _at_rest(field: Float[Tensor, "K 2"], features: Tensor) -> Float[Tensor, "H W K 2"]:
    """Where an identity reads."""
    grid = pixel_grid(features.shape[2], features.shape[3], features.device)
    rest: Tensor = grid[:, :, None] + field
    return rest.to(torch.promote_types(features.dtype, torch.float32))


def _axes(found: Float[Tensor, "B H W P"], transform: str) -> Float[Tensor, "B H W 2 2"]:
    """The linear part of the transform of each field."""
    cos, sin = F.normalize(found[..., :2], dim=-1).unbind(-1)
    axes = torch.stack((torch.stack((cos, -sin), -1), torch.stack((sin, cos), -1)), -2)
    if transform == "rigid":
        return axes
    axes = axes * 2 ** torch.tanh(found[..., 4, None, None])
    if transform == "similarity":
        return axes
    stretch, slant = torch.tanh(found[..., 5:7]).unbind(-1)
    first = 2 ** (0.5 * stretch)
    zero = torch.zeros_like(first)
    shear = torch.stack((torch.stack((first, zero), -1), torch.stack((slant, 1 / first), -1)), -2)
    sheared: Tensor = (shear.unsqueeze(-1) * axes.unsqueeze(-3)).sum(-2)
    return sheared


def _spline(field: Float[Tensor, "K 2"]) -> Float[Tensor, "K 9"]:
    """How far each sample moves for each control point that does, by a thin-plate spline.

    The control points are a 3 x 3 grid over the field; in a 3 x 3 field they are its samples.
    """
    reach = float(field.abs().max().clamp_min(1))
    controls = (pixel_grid(3, 3).reshape(-1, 2) - 1).double() * reach
    system = torch.zeros(12, 12, dtype=torch.double)
    system[:9, :9] = _bending(controls, controls)
    system[:9, 9:] = F.pad(controls, (1, 0), value=1.0)
    system[9:, :9] = system[:9, 9:].T
    at = torch.cat(
        (_bending(field.double(), controls), F.pad(field.double(), (1, 0), value=1.0)), dim=1
    )
    weights: Tensor = (at @ torch.linalg.inv(system))[:, :9].float()
    return weights


def _bending(points: Float[Tensor, "N 2"], controls: Float[Tensor, "M 2"]) -> Tensor:
    squared = (points[:, None] - controls).square().sum(-1)
    bending: Tensor = torch.xlogy(squared, squared) / 2
    return bending
