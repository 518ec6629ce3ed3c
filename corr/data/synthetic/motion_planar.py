"""A flat scene seen from two places: one homography moves all of it."""

from __future__ import annotations

import numpy as np

from corr.data.synthetic.config import SyntheticConfig
from corr.data.synthetic.maps import LayerMap
from corr.data.synthetic.scene import Motion, Placement


def draw_planar(rng: np.random.Generator, placement: Placement, config: SyntheticConfig) -> Motion:
    """A random change of viewpoint; its `truth` is `homography_0to1`."""
    homography = config.planar.draw(placement.size, rng)
    count = len(placement.outlines)
    return Motion(
        [LayerMap(homography @ pose) for pose in placement.poses],
        np.full(count, 0.5),
        {"homography_0to1": homography / homography[2, 2]},
    )
