"""How well the truth of a sample brings one picture back from the other."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from corr.data.synthetic.samples import Pair
from corr.geometry import pixel_grid, sample

_FAR = 1e4
"""px; beyond, points are moved nearer, so that they can be sampled."""


def warped_back(pair: Pair) -> Float[Tensor, "3 H W"]:
    """Picture 1 read where each pixel of picture 0 goes; at the border where that is outside."""
    height, width = pair.image0.shape[-2:]
    flow = pair.flow_0to1.permute(1, 2, 0)
    target = (pixel_grid(height, width, flow.device) + flow).clamp(-_FAR, _FAR)
    found = sample(pair.image1[None], target[None], mode="bicubic", padding="border")[0]
    return found.permute(2, 0, 1).clamp(0, 1)


def warp_error(pair: Pair) -> float:
    """Mean difference of picture 0 and the warped picture 1 at `pair.clear0`, grey levels.

    It tells of the truth alone where neither picture is changed by light or camera, and where both
    show about the same detail. NaN where no pixel is clear.
    """
    error = (warped_back(pair) - pair.image0).abs().mean(0)
    return 255 * float(error[pair.clear0].mean())
