"""A contact sheet: pictures of samples, with their truth laid over them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from corr.data.synthetic.export import picture
from corr.data.synthetic.proof import warped_back
from corr.data.synthetic.samples import Pair, PosedSample, Sample, StereoSample, pair_of
from corr.data.synthetic.scenes import SyntheticScenes
from corr.drawing.colour_maps import turbo
from corr.drawing.flow import flow_colours
from corr.drawing.strip import Strip

Picture = UInt8[np.ndarray, "_ _ 3"]

_GAP = 4
_HIDDEN = np.array([230, 60, 120])
"""Colour laid over what the other view does not show."""


def draw_preview(scenes: SyntheticScenes, count: int) -> Picture:
    """The first `count` samples, one a row.

    From left to right: both pictures; the truth in colour over the first picture; the second
    picture warped back to the first by the truth, with what it does not show tinted.
    """
    rows = []
    for index in range(count):
        sample = scenes.sample(index)
        pair = pair_of(sample)
        cells = [
            picture(pair.image0),
            picture(pair.image1),
            _truth_over(pair.image0, sample),
            _warped_back(pair),
        ]
        rows.append(np.concatenate([_framed(cell) for cell in cells], axis=1))
    strip = Strip(np.concatenate(rows, axis=0))
    strip.add_text(f"picture 0 | picture 1 | {_truth_name(sample)} | 1 warped back;")
    strip.add_swatch((230, 60, 120), "not seen in 1")
    return strip.below()


def _truth_name(sample: Sample) -> str:
    if isinstance(sample, StereoSample):
        return "disparity"
    return "inverse depth" if isinstance(sample, PosedSample) else "flow"


def _truth_over(image: Float[Tensor, "3 H W"], sample: Sample) -> Picture:
    """Disparity or inverse depth from blue to red, else flow on the colour wheel."""
    if isinstance(sample, StereoSample):
        colours = _heat(sample.disparity0[0])
    elif isinstance(sample, PosedSample):
        colours = _heat(sample.depth0[0].reciprocal())
    else:
        flow = pair_of(sample).flow_0to1.permute(1, 2, 0).cpu().numpy()
        longest = max(float(np.quantile(np.hypot(flow[..., 0], flow[..., 1]), 0.98)), 1e-3)
        colours = flow_colours(flow / longest)
    grey = picture(image).mean(2, keepdims=True)
    mixed: Picture = (0.75 * colours + 0.25 * grey).clip(0, 255).astype(np.uint8)
    return mixed


def _heat(values: Float[Tensor, "H W"]) -> Picture:
    found = values.cpu().numpy()
    low, high = np.quantile(found, [0.01, 0.99])
    level = ((found - low) / max(high - low, 1e-6)).clip(0, 1)
    colours: Picture = turbo()[np.rint(level * 255).astype(np.uint8)]
    return colours


def _warped_back(pair: Pair) -> Picture:
    pixels = picture(warped_back(pair)).astype(np.float32)
    hidden = pair.occluded0.cpu().numpy()[..., None]
    return np.where(hidden, 0.35 * pixels + 0.65 * _HIDDEN, pixels).astype(np.uint8)


def _framed(cell: Picture) -> Picture:
    return np.pad(cell, ((_GAP, 0), (_GAP, 0), (0, 0)), constant_values=255)
