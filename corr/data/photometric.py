"""Random changes of light and camera, by albumentations (imported here only, when it is used)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from corr.errors import OptionError

Picture = UInt8[np.ndarray, "H W 3"]
Grey = UInt8[np.ndarray, "H W"]

ANTI_ALIASING = 0.3
"""Sigma that smooths the rim of a disc of confusion, px."""

ROUGHNESS = 0.4
"""Of shadows: how much each halving of their size weakens them; from 1 on they are mere noise."""


@dataclass(frozen=True)
class Photometry:
    """How much light and camera may change; 0 leaves a property as it is."""

    brightness: float = 0.25
    """Largest change, as a share of white."""
    contrast: float = 0.4
    """Largest change, as a share."""
    gamma: float = 1.6
    """Largest exponent; the smallest is its inverse. 1 changes nothing."""
    colour: float = 0.4
    """Largest change of saturation, as a share."""
    hue: float | None = None
    """Largest change of hue, as a share of the circle; a tenth of `colour` when not given."""
    grey: float = 0.0
    """Probability that no colour is left."""
    noise: float = 0.02
    """Largest standard deviation, as a share of white."""
    blur: float = 1.3
    """Largest sigma, px."""
    defocus: int = 0
    """Largest radius of the disc that a point out of focus becomes, whole px from 1; 0 for none.
    A view is blurred by a Gaussian or by a disc, not by both."""
    motion: int = 0
    """Longest way of the camera while it looks, an odd number of px from 3, in any direction; 0 for
    none. The middle of the way is where the camera was, so that points stay where they are."""
    uneven: float = 0.0
    """Largest share of the light that is missing somewhere, as in soft shadows."""
    min_jpeg_quality: int = 50
    """Lowest quality of a lossy copy; 100 makes none."""
    probability: float = 0.6
    """Of each change, independently."""

    def __post_init__(self) -> None:
        for name in ("brightness", "contrast", "colour", "grey", "noise", "uneven", "probability"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise OptionError(f"{name} is {value}; use a value in [0, 1]")
        if self.hue is not None and not 0 <= self.hue <= 0.5:
            raise OptionError(f"hue is {self.hue}; use a value in [0, 0.5]")
        if self.gamma < 1:
            raise OptionError(f"gamma is {self.gamma}; use 1 or more")
        if self.blur < 0:
            raise OptionError(f"blur is {self.blur}; use 0 or more")
        if self.defocus < 0:
            raise OptionError(f"defocus is {self.defocus}; use 0 or more")
        if self.motion != 0 and (self.motion < 3 or self.motion % 2 == 0):
            raise OptionError(f"motion is {self.motion}; use an odd number from 3, or 0 for none")
        if not 1 <= self.min_jpeg_quality <= 100:
            raise OptionError(f"min_jpeg_quality is {self.min_jpeg_quality}; use 1 to 100")


class PhotometricChange:
    """One seeded change after another, within the same ranges.

    `light` comes before a view is taken and sees colours; `camera` comes after it and sees grey.
    `colour` is both at once, for a view in colour.
    """

    def __init__(self, ranges: Photometry) -> None:
        self._light, self._camera = _build(ranges)

    def light(self, photo: Picture, rng: np.random.Generator) -> Grey:
        """The photo in grey, its colours changed first."""
        grey: Grey = cv2.cvtColor(_apply(self._light, photo, rng), cv2.COLOR_RGB2GRAY)
        return grey

    def camera(self, view: Grey, rng: np.random.Generator) -> Grey:
        """The view in other light, blurred, noisy and compressed."""
        return _apply(self._camera, view[..., None], rng)[..., 0]

    def colour(self, view: Picture, rng: np.random.Generator) -> Picture:
        """The view in other colours and other light, blurred, noisy and compressed."""
        return _apply(self._camera, _apply(self._light, view, rng), rng)


def _apply(changes: Any, image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    # Each change gets a seed of its own: albumentations would give all of them the same one, and
    # they would all happen together or not at all.
    for change in changes.transforms:
        change.set_random_seed(int(rng.integers(2**31)))
    changed: np.ndarray = changes(image=image)["image"]
    return changed


def _build(ranges: Photometry) -> tuple[Any, Any]:
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # it asks the network for news otherwise
    import albumentations as A

    p = ranges.probability
    hue = 0.1 * ranges.colour if ranges.hue is None else ranges.hue
    light: list[Any] = []
    if ranges.colour > 0 or hue > 0:
        light.append(
            A.ColorJitter(
                brightness=(1, 1),
                contrast=(1, 1),
                saturation=(1 - ranges.colour, 1 + ranges.colour),
                hue=(-hue, hue),
                p=p,
            )
        )
    if ranges.grey > 0:
        light.append(A.ToGray(p=ranges.grey))
    camera: list[Any] = []
    if ranges.brightness > 0 or ranges.contrast > 0:
        camera.append(A.RandomBrightnessContrast(ranges.brightness, ranges.contrast, p=p))
    if ranges.uneven > 0:
        camera.append(A.PlasmaShadow((0.0, ranges.uneven), roughness=ROUGHNESS, p=p))
    if ranges.gamma > 1:
        camera.append(A.RandomGamma((100 / ranges.gamma, 100 * ranges.gamma), p=p))
    either = 1.0 if ranges.blur > 0 and ranges.defocus > 0 else p
    blurs: list[Any] = []
    if ranges.blur > 0:
        blurs.append(A.GaussianBlur(sigma_limit=(0.0, ranges.blur), blur_limit=0, p=either))
    if ranges.defocus > 0:
        radius = (1, ranges.defocus)
        blurs.append(A.Defocus(radius, alias_blur=(ANTI_ALIASING, ANTI_ALIASING), p=either))
    camera += [A.OneOf(blurs, p=p)] if len(blurs) > 1 else blurs
    if ranges.motion > 0:
        # To one side alone, as is its default, it would move what the flow says is in its place.
        camera.append(
            A.MotionBlur((3, ranges.motion), allow_shifted=False, direction_range=(0.0, 0.0), p=p)
        )
    if ranges.noise > 0:
        camera.append(A.GaussNoise((0.0, ranges.noise), p=p))
    if ranges.min_jpeg_quality < 100:
        camera.append(A.ImageCompression(quality_range=(ranges.min_jpeg_quality, 100), p=p))
    return A.Compose(light), A.Compose(camera)
