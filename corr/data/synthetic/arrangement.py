"""Where the objects of a scene are, and what they look like."""

from __future__ import annotations

import numpy as np

from corr.data.synthetic.bank import Bank
from corr.data.synthetic.config import SyntheticConfig
from corr.data.synthetic.materials import Material, draw_material
from corr.data.synthetic.outlines import draw_outline, everywhere
from corr.data.synthetic.ranges import log_uniform
from corr.data.synthetic.scene import Placement

_RADII = (0.045, 0.45)
"""Of the objects, as shares of the shorter side; small ones are as frequent as large ones."""

_AROUND = 0.15
"""Objects have their centres up to this share of the size outside of the first view."""


def arrange(
    rng: np.random.Generator, config: SyntheticConfig, bank: Bank
) -> tuple[Placement, list[Material]]:
    """A random arrangement of random objects before a background."""
    height, width = config.size
    low, high = config.num_objects
    count = int(rng.integers(int(low), int(high) + 1))
    side = min(height, width)
    radius = np.array([max(5.0, side * log_uniform(rng, _RADII)) for _ in range(count)])
    # Large ones tend to be far, where they hide little.
    radius = radius[np.argsort(-radius * np.exp(rng.normal(0, 0.9, count)), kind="stable")]
    centre = rng.uniform(-_AROUND, 1 + _AROUND, (count, 2)) * (width, height)
    upright = rng.random(count) < 0.5
    angle = np.where(upright, rng.normal(0, 0.12, count), rng.uniform(0, 2 * np.pi, count))
    placement = Placement(
        (everywhere(), *(draw_outline(rng, float(reach), bank) for reach in radius)),
        np.concatenate([[[(width - 1) / 2, (height - 1) / 2]], centre]),
        np.concatenate([[0.0], angle]),
        np.concatenate([[np.hypot(height, width) / 2], radius]),
        config.size,
    )
    surfaces = [
        draw_material(rng, outline, bank, config.surfaces, float(reach))
        for outline, reach in zip(placement.outlines, placement.radius, strict=True)
    ]
    return placement, surfaces
