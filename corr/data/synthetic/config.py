"""What a synthetic data set is drawn from: together with a seed, it is the data set."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Literal

from corr.data.synthetic.ranges import Range, check_range, check_share
from corr.data.viewpoints import Viewpoints
from corr.errors import OptionError

View = Literal["planar", "stereo", "flow", "posed"]
VIEWS: tuple[View, ...] = ("planar", "stereo", "flow", "posed")

MIN_SIDE = 32
"""px; smaller pictures hold nothing to find again."""

MAX_SIDE = 4096
"""px."""


@dataclass(frozen=True)
class AppearanceRanges:
    """How light and camera change a picture; each change happens independently."""

    probability: float = 0.5
    """Of each change; 0 leaves the picture as the scene is."""
    exposure: Range = (-0.7, 0.5)
    """Stops: powers of two of the light."""
    gamma: Range = (0.7, 1.45)
    """Exponent of the values in [0, 1]."""
    saturation: Range = (0.5, 1.5)
    """Factor of the colour; 0 is grey."""
    hue_deg: Range = (-12.0, 12.0)
    white_balance: Range = (-0.12, 0.12)
    """Change of the red and of the blue, as a share."""
    vignetting: Range = (0.05, 0.5)
    """Light lost in the corners, as a share."""
    fog: Range = (0.1, 0.6)
    """Light lost on the way from the farthest layer, as a share."""
    shadow: Range = (0.2, 0.6)
    """Light lost in the core of soft shadows, as a share."""
    highlight: Range = (0.1, 0.5)
    """Light that reflections add, as a share of white."""
    blur: Range = (0.3, 1.2)
    """Sigma of the lens, px."""
    defocus: Range = (0.5, 2.5)
    """Sigma at the depth that is least in focus, px."""
    motion_blur: Range = (1.0, 7.0)
    """Length of the camera's path while the shutter is open, px."""
    sharpening: Range = (0.2, 1.2)
    """Of the camera, as a share of what a blur of 1 px takes away."""
    noise: Range = (0.002, 0.03)
    """Standard deviation at mid grey, as a share of white."""
    jpeg_quality: Range = (40.0, 98.0)
    """100 loses nothing."""

    def __post_init__(self) -> None:
        check_share("probability", self.probability)
        for name, (lowest, highest) in _APPEARANCE_BOUNDS.items():
            check_range(name, getattr(self, name), lowest, highest)


_APPEARANCE_BOUNDS: dict[str, Range] = {
    "exposure": (-4, 4),
    "gamma": (0.2, 5),
    "saturation": (0, 3),
    "hue_deg": (-180, 180),
    "white_balance": (-0.9, 0.9),
    "vignetting": (0, 1),
    "fog": (0, 1),
    "shadow": (0, 1),
    "highlight": (0, 1),
    "blur": (0.1, 4),
    "defocus": (0.1, 4),
    "motion_blur": (0, 15),
    "sharpening": (0, 3),
    "noise": (0, 0.5),
    "jpeg_quality": (1, 100),
}

FIRST_APPEARANCE = AppearanceRanges(
    probability=0.4,
    exposure=(-0.2, 0.2),
    gamma=(0.9, 1.1),
    saturation=(0.9, 1.1),
    hue_deg=(-3, 3),
    white_balance=(-0.03, 0.03),
    vignetting=(0, 0.15),
    fog=(0, 0.2),
    shadow=(0.1, 0.4),
    highlight=(0, 0.2),
    blur=(0.3, 0.6),
    defocus=(0.4, 1.2),
    motion_blur=(0.5, 2),
    sharpening=(0.2, 1),
    noise=(0.002, 0.012),
    jpeg_quality=(75, 98),
)
"""The first view is nearly what the scene is."""


@dataclass(frozen=True)
class Surfaces:
    """What the layers show."""

    photo_share: float = 0.55
    """Of the objects, where photographs are given; the background is twice as often a photo."""
    poor_share: float = 0.12
    """Of the objects, nearly without texture."""
    repetitive_share: float = 0.15
    """Of the objects, with a pattern that repeats."""
    zoom: Range = (0.45, 1.15)
    """Pixels of the picture for one of the texture, at the first view."""
    num_tiles: int = 96
    """Procedural textures in the bank that all scenes draw from."""

    def __post_init__(self) -> None:
        for name in ("photo_share", "poor_share", "repetitive_share"):
            check_share(name, getattr(self, name))
        if self.photo_share + self.poor_share + self.repetitive_share > 1:
            raise OptionError("photo_share, poor_share and repetitive_share add up to more than 1")
        check_range("zoom", self.zoom, 0.1, 4)
        if not 8 <= self.num_tiles <= 1024:
            raise OptionError(f"num_tiles is {self.num_tiles}; use 8 to 1024")


@dataclass(frozen=True)
class StereoRanges:
    """Surfaces before a rectified pair of cameras."""

    max_disparity: Range = (0.05, 0.25)
    """Largest disparity of a scene, as a share of the width; small ones are drawn more often."""
    slant: float = 0.25
    """Largest change of a surface's disparity over its size, as a share of the scene's."""
    curved_share: float = 0.35
    """Of the objects, with a curved surface."""
    vertical_error: float = 0.0
    """Largest displacement across the rows, px: how badly the pair is rectified."""

    def __post_init__(self) -> None:
        check_range("max_disparity", self.max_disparity, 0.005, 0.25)
        check_range("slant", (0, self.slant), 0, 1)
        check_share("curved_share", self.curved_share)
        check_range("vertical_error", (0, self.vertical_error), 0, 5)


SINTEL_MOTION: tuple[Range, ...] = (
    (0.0, 0.0),
    (0.2, 3.0),
    (0.5, 8.0),
    (0.75, 18.0),
    (0.9, 40.0),
    (0.97, 85.0),
    (1.0, 150.0),
)
"""Share of the surfaces -> largest speed, px, linear in between.

That 20 % are below 3 px, and the tail to 150 px, are Sintel's as published (not verified here); the
shares in between follow the shape of its histogram.
"""


@dataclass(frozen=True)
class FlowRanges:
    """How surfaces move between two frames."""

    speed: tuple[Range, ...] = SINTEL_MOTION
    """The inverse of the distribution of speeds: share -> px."""
    alike: float = 0.6
    """Correlation of the speeds within one scene: there are quiet scenes and wild ones."""
    rotation_deg: float = 25.0
    """Largest turn of an object; less where it moves little."""
    zoom: float = 1.35
    """Largest magnification; the smallest is its inverse."""
    perspective: float = 0.08
    """Largest change of an object's depth over its size, as a share."""
    smooth_share: float = 0.3
    """Of the surfaces, with a smooth motion that is not rigid."""

    def __post_init__(self) -> None:
        shares, speeds = zip(*self.speed, strict=True)
        if shares[0] != 0 or shares[-1] != 1 or speeds[0] < 0:
            raise OptionError("speed goes from share 0 to share 1, with speeds of 0 px and more")
        for name, values in (("shares", shares), ("speeds", speeds)):
            if list(values) != sorted(values):
                raise OptionError(f"the {name} of speed fall; give them in rising order")
        check_share("alike", self.alike)
        check_range("rotation_deg", (0, self.rotation_deg), 0, 90)
        check_range("zoom", (1, self.zoom), 1, 2)
        check_range("perspective", (0, self.perspective), 0, 0.3)
        check_share("smooth_share", self.smooth_share)


@dataclass(frozen=True)
class PosedRanges:
    """Two pinhole cameras before slanted planes."""

    field_of_view_deg: Range = (35.0, 75.0)
    """Of the wider side."""
    depth: Range = (1.0, 12.0)
    """Of the nearest and the farthest surface, in units of the scene."""
    parallax: Range = (0.03, 0.25)
    """Displacement of the nearest surface by the camera's path, as a share of the width."""
    rotation_deg: float = 8.0
    """Largest turn about each axis, beyond what keeps the scene in view."""
    roll_deg: float = 12.0
    slant: float = 0.5
    """Largest change of inverse depth over an object's size, as a share of its own."""

    def __post_init__(self) -> None:
        check_range("field_of_view_deg", self.field_of_view_deg, 10, 120)
        check_range("depth", self.depth, 0.01, 1e4)
        check_range("parallax", self.parallax, 0, 0.5)
        check_range("rotation_deg", (0, self.rotation_deg), 0, 30)
        check_range("roll_deg", (0, self.roll_deg), 0, 180)
        check_range("slant", (0, self.slant), 0, 0.9)


@dataclass(frozen=True)
class SyntheticConfig:
    """All that a data set is drawn from, but its seed and its photographs."""

    view: View = "flow"
    height: int = 256
    width: int = 256
    num_objects: Range = (6, 30)
    surfaces: Surfaces = field(default_factory=Surfaces)
    planar: Viewpoints = field(
        default_factory=lambda: Viewpoints(max_rotation_deg=45.0, max_tilt=1.6, min_zoom=0.6)
    )
    stereo: StereoRanges = field(default_factory=StereoRanges)
    flow: FlowRanges = field(default_factory=FlowRanges)
    posed: PosedRanges = field(default_factory=PosedRanges)
    first: AppearanceRanges = FIRST_APPEARANCE
    """Of the first view."""
    second: AppearanceRanges = field(default_factory=AppearanceRanges)
    """Of the second view."""

    def __post_init__(self) -> None:
        if self.view not in VIEWS:
            raise OptionError(f"view is '{self.view}'; use {', '.join(VIEWS)}")
        for name in ("height", "width"):
            side = getattr(self, name)
            if not isinstance(side, int) or not MIN_SIDE <= side <= MAX_SIDE:
                raise OptionError(f"{name} is {side} px; use {MIN_SIDE} to {MAX_SIDE}")
        check_range("num_objects", self.num_objects, 0, 100)
        if not all(isinstance(count, int) for count in self.num_objects):
            raise OptionError(f"num_objects is {self.num_objects}; use whole numbers")

    @property
    def size(self) -> tuple[int, int]:
        """(height, width), px."""
        return self.height, self.width

    def digest(self, seed: int, photos: str = "") -> str:
        """Name of the data set: 16 hex digits of all that decides its pictures.

        Args:
            seed: of the data set.
            photos: digest of the photographs.
        """
        text = json.dumps([FORMAT, asdict(self), seed, photos], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


FORMAT = 1
"""Raised by one whenever the same seed and config draw other pictures."""

NO_CHANGE = AppearanceRanges(probability=0.0)
"""Pictures as the scene is."""
