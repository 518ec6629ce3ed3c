"""Two images of a moving scene -> a flow field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from corr.formats import as_image
from corr.models.flow_network import Refinement
from corr.models.network import Network
from corr.pipeline.flow_estimator import FlowEstimator
from corr.pipeline.flow_tiles import MAX_PIXELS
from corr.results import FlowField


def flow(
    image0: Any,
    image1: Any,
    *,
    model: str | Path | Network | None = None,
    both: bool = True,
    refine: Refinement | None = None,
    max_pixels: int = MAX_PIXELS,
    device: str | torch.device | None = None,
) -> FlowField:
    """Where each pixel of image 0 went in image 1.

    The flow is computed in both directions, by a network from the same features. A pixel is
    occluded where the flow back from its target does not return to it, or where its target is
    outside image 1. Of a network that describes every place, `corr.match_dense` looks for the
    places, and both flows are filled from the same matches, see `corr.pipeline.flow_of_matches`;
    the confidence is that of the match, times what the way back says.

    Args:
        image0: a path, a uint8 array `(H, W, 3)` RGB or `(H, W)`, or a float tensor `(3, H, W)` in
            [0, 1].
        image1: the other image, of the same size.
        model: a name that `corr models` lists, a folder that training wrote, or a loaded network;
            `dis-varref` when not given.
        both: compute the way back, too. Without, it takes about half the time, the confidence is
            NaN, since nothing was checked, and only targets outside image 1 count as occluded.
        refine: `variational` (OpenCV's), `lk` (the polish of `corr.classical.lucas_kanade`),
            `lk-variational` (both) or `none`; the model's own when not given. A network's flow is
            refined from coarse to fine, others at full resolution, see
            `corr.pipeline.flow_refinement`.
        max_pixels: that a network for flow is given at once; larger images are solved in tiles, see
            `corr.pipeline.flow_tiles`. Classical methods take the whole: `dis-varref` 220 bytes a
            pixel, 1.8 GB at 3840 x 2160.
        device: where a network runs; classical methods and refinements run on the CPU.

    Raises:
        ImageError: an image cannot be read or used, or the two differ in size.
        ModelError: the model is unknown or does not do flow.
        OptionError: the device is not known or not present, or another option is refused.
    """
    estimator = FlowEstimator(model, both=both, refine=refine, max_pixels=max_pixels, device=device)
    return estimator(as_image(image0), as_image(image1))
