"""Light and camera of both frames of a pair: alike, but for a little."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from corr.data.synthetic.ranges import Range, check_range, check_share
from corr.errors import OptionError
from corr.geometry import to_grey


@dataclass(frozen=True)
class FlowColour:
    """How the colours of a pair change.

    The defaults are the published ranges, which are wide; noise is drawn for each pixel, everything
    else for the pair, and then a little otherwise for the second frame.

    Source: Dosovitskiy et al. 2015, "FlowNet: Learning optical flow with convolutional networks",
    section 4.3; Teed and Deng 2020, "RAFT", supplement (the eraser).
    """

    contrast: Range = (-0.8, 0.4)
    """Change of the contrast, as a share."""
    brightness: float = 0.2
    """Standard deviation of what is added, as a share of white."""
    colour: Range = (0.5, 2.0)
    """Factor of red, of green and of blue; the picture stays as bright."""
    saturation: Range = (1.0, 1.0)
    """Factor of the colour; 0 is grey."""
    gamma: Range = (0.7, 1.5)
    """Exponent of the values in [0, 1]."""
    noise: float = 0.04
    """Largest standard deviation of the noise, as a share of white."""
    apart: float = 0.05
    """By how much of each range the second frame differs from the first, at most."""
    probability: float = 1.0
    """Of each change."""
    eraser: float = 0.0
    """Share of the second frames with a rectangle of their mean colour, which hides what it covers.
    """
    eraser_side: Range = (50, 100)
    """px"""

    def __post_init__(self) -> None:
        check_range("contrast", self.contrast, -1, 3)
        check_range("brightness", (0, self.brightness), 0, 1)
        check_range("colour", self.colour, 0.1, 10)
        check_range("saturation", self.saturation, 0, 3)
        check_range("gamma", self.gamma, 0.2, 5)
        check_range("noise", (0, self.noise), 0, 0.5)
        for name in ("apart", "probability", "eraser"):
            check_share(name, getattr(self, name))
        check_range("eraser_side", self.eraser_side, 1, 4096)
        if not all(isinstance(side, int) for side in self.eraser_side):
            raise OptionError(f"eraser_side is {self.eraser_side}; use whole numbers")


AS_THEY_ARE = FlowColour(probability=0.0)


def recolour(
    images0: Float[Tensor, "B 3 H W"],
    images1: Float[Tensor, "B 3 H W"],
    ranges: FlowColour,
    generator: torch.Generator,
) -> tuple[Float[Tensor, "B 3 H W"], Float[Tensor, "B 3 H W"]]:
    """Both frames of each pair in other light.

    Args:
        images0: in [0, 1].
        images1: the second frames.
        ranges: how much may change.
        generator: of random numbers, on the CPU, so that every device draws the same.
    """
    draw = _Draw(len(images0), ranges, generator, images0.device)
    both = torch.stack((images0, images1))
    gamma = draw.pair(ranges.gamma, neutral=1.0)
    if gamma is not None:
        both = both.clamp_min(1e-4) ** gamma
    colour = draw.pair(ranges.colour, neutral=1.0, channels=3)
    if colour is not None:
        before = both.mean((2, 3, 4), keepdim=True)
        both = both * colour
        both = both * (before / both.mean((2, 3, 4), keepdim=True).clamp_min(1e-3))
    saturation = draw.pair(ranges.saturation, neutral=1.0)
    if saturation is not None:
        grey = torch.stack([to_grey(side) for side in both])
        both = grey + saturation * (both - grey)
    contrast = draw.pair(ranges.contrast, neutral=0.0)
    if contrast is not None:
        mean = both.mean((2, 3, 4), keepdim=True)
        both = mean + (1 + contrast) * (both - mean)
    if ranges.brightness > 0:
        both = both + draw.brightness()
    both = both.clamp(0, 1)
    if ranges.eraser > 0:
        both[1] = draw.erased(both[1])
    if ranges.noise > 0:
        noise = torch.randn(both.shape, generator=generator).to(both.device)
        both = (both + draw.noise() * noise).clamp(0, 1)
    return both[0], both[1]


class _Draw:
    """Random settings, `(2, B, channels, 1, 1)`: of both frames of each pair."""

    def __init__(
        self, num_pairs: int, ranges: FlowColour, generator: torch.Generator, device: torch.device
    ) -> None:
        self._num_pairs, self._ranges = num_pairs, ranges
        self._generator, self._device = generator, device

    def pair(self, given: Range, *, neutral: float, channels: int = 1) -> Tensor | None:
        """A setting of each pair, where the change happens; None if there is no such change."""
        low, high = given
        if low == high == neutral or self._ranges.probability == 0:
            return None
        first = low + (high - low) * self._uniform(channels)
        apart = self._ranges.apart * (high - low) * (2 * self._uniform(channels) - 1)
        both = torch.stack((first, (first + apart).clamp(low, high)))
        return torch.where(self._happens(), both, neutral).to(self._device)

    def brightness(self) -> Tensor:
        normal = torch.randn((2, self._num_pairs, 1, 1, 1), generator=self._generator)
        both = torch.stack((normal[0], normal[0] + self._ranges.apart * normal[1]))
        return torch.where(self._happens(), self._ranges.brightness * both, 0).to(self._device)

    def noise(self) -> Tensor:
        """The standard deviation, the same for both frames."""
        std = self._ranges.noise * self._uniform(1)
        return torch.where(self._happens(), std, 0).to(self._device)

    def erased(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
        """Some with a rectangle of their mean colour."""
        height, width = images.shape[-2:]
        low, high = self._ranges.eraser_side
        numbers = torch.rand((len(images), 5), generator=self._generator)
        for image, row in zip(images, numbers.tolist(), strict=True):
            chosen, x, y, *sides = row
            if chosen < self._ranges.eraser:
                w, h = (int(low + (high - low) * side) for side in sides)
                x, y = int(x * width), int(y * height)
                mean = image.mean((1, 2), keepdim=True)
                image[:, y : y + h, x : x + w] = mean
        return images

    def _uniform(self, channels: int) -> Tensor:
        shape = (self._num_pairs, channels, 1, 1)
        return torch.rand(shape, generator=self._generator)

    def _happens(self) -> Tensor:
        return self._uniform(1) < self._ranges.probability
