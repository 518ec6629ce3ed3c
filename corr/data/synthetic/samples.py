"""What one sample holds, of each view; batches have one more axis at the front."""

from __future__ import annotations

from typing import NamedTuple

from jaxtyping import Bool, Float, Int64
from torch import Tensor


class Pair(NamedTuple):
    """Two pictures and where each pixel of one is in the other; also the sample of `flow`.

    The left picture of `stereo` is picture 0. What is visible is `valid & ~occluded`, also at an
    edge; where a warp brings the picture back is `clear0` and `clear1`.
    """

    image0: Float[Tensor, "*B 3 H W"]
    """RGB in [0, 1], in steps of 1/255."""
    image1: Float[Tensor, "*B 3 H W"]
    flow_0to1: Float[Tensor, "*B 2 H W"]
    """px; `target = p + flow(p)`, also where the point is not seen there."""
    flow_1to0: Float[Tensor, "*B 2 H W"]
    occluded0: Bool[Tensor, "*B H W"]
    """True where picture 1 does not show the point: it is hidden, or outside."""
    occluded1: Bool[Tensor, "*B H W"]
    valid0: Bool[Tensor, "*B H W"]
    """True where the flow is known: everywhere but at a horizon."""
    valid1: Bool[Tensor, "*B H W"]
    edge0: Bool[Tensor, "*B H W"]
    """True where the pixel, or one of the four around its point in picture 1, shows more than one
    surface. The truth is that of the surface at the pixel's centre; the colour is a mixture, which
    no warp brings back."""
    edge1: Bool[Tensor, "*B H W"]
    layer0: Int64[Tensor, "*B H W"]
    """Which layer each pixel shows: 0 is the background, higher numbers are in front of it."""
    layer1: Int64[Tensor, "*B H W"]

    @property
    def clear0(self) -> Bool[Tensor, "*B H W"]:
        """True where both pictures show one surface, and the same."""
        return self.valid0 & ~self.occluded0 & ~self.edge0

    @property
    def clear1(self) -> Bool[Tensor, "*B H W"]:
        """As `clear0`, of the pixels of picture 1."""
        return self.valid1 & ~self.occluded1 & ~self.edge1


class PlanarSample(NamedTuple):
    """A flat scene."""

    pair: Pair
    homography_0to1: Float[Tensor, "*B 3 3"]
    """Maps pixels of picture 0 to picture 1."""


class StereoSample(NamedTuple):
    """A rectified pair."""

    pair: Pair
    disparity0: Float[Tensor, "*B 1 H W"]
    """Of the left picture, px: `x_right = x_left - d`."""
    disparity1: Float[Tensor, "*B 1 H W"]
    """Of the right picture, px: `x_left = x_right + d`."""


class PosedSample(NamedTuple):
    """Two pinhole cameras."""

    pair: Pair
    depth0: Float[Tensor, "*B 1 H W"]
    """Along the axis of the first camera, in units of the scene."""
    depth1: Float[Tensor, "*B 1 H W"]
    intrinsics: Float[Tensor, "*B 3 3"]
    """Of both cameras, px; the centre of the top-left pixel is (0, 0)."""
    pose_0to1: Float[Tensor, "*B 4 4"]
    """Takes points from the frame of camera 0 to that of camera 1."""


Sample = Pair | PlanarSample | StereoSample | PosedSample


def pair_of(sample: Sample) -> Pair:
    """The pictures and correspondence of a sample of any view."""
    return sample if isinstance(sample, Pair) else sample.pair
