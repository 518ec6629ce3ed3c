"""Penalties of semi-global matching for a stereo model, on synthetic scenes that it never saw.

    python tests/benchmarks/tune_stereo.py photos/val --models census,stereo [--pairs 16]

The scenes have textures of the photographs given, such as those held out of a training. Prints for
each P1, P2 and contrast (see `corr.volume.penalties`) the share of visible pixels off by more than
1 and 2 px, and of all by more than 2 px, in the mean over the pairs; what the model has now first.
"""

from __future__ import annotations

import argparse
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from corr.data.ground_truth import search_bound
from corr.data.synthetic.config import SyntheticConfig
from corr.data.synthetic.samples import StereoSample
from corr.data.synthetic.scenes import SyntheticScenes
from corr.metrics.disparity import bad_pixel_rate
from corr.pipeline.stereo_cost import pair_cost, resolve_costs
from corr.volume.penalties import Penalties
from corr.volume.presets import Preset
from corr.volume.solve import solve
from corr.volume.strips import RowsCost

SEED = 987
SIZE = (384, 448)
SMALL, LARGE, CONTRAST = (0.75, 1.0, 1.5), (0.7, 1.0, 1.5), (0.7, 1.0, 1.5)
"""Factors of what the model has now."""


def main() -> None:
    """Print the table of each model, the best last."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--models", default="census,stereo")
    parser.add_argument("--pairs", type=int, default=16)
    options = parser.parse_args()
    config = SyntheticConfig(view="stereo", height=SIZE[0], width=SIZE[1])
    scenes = SyntheticScenes(config, photos=options.photos, seed=SEED)
    samples = [scenes.sample(number) for number in range(options.pairs)]
    for model in options.models.split(","):
        costs = [cost_of(model, sample) for sample in samples]
        now = costs[0][1]
        assert isinstance(now.penalties, Penalties)
        rows = []
        for factors in sorted(
            itertools.product(SMALL, LARGE, CONTRAST), key=lambda found: found != (1.0, 1.0, 1.0)
        ):
            penalties = Penalties(
                round(now.penalties.small * factors[0]),
                round(now.penalties.large * factors[1]),
                now.penalties.contrast * factors[2],
            )
            chosen = replace(now, penalties=penalties)
            shares = [
                scored(sample, rows_cost, chosen, bound)
                for sample, (rows_cost, _, bound) in zip(samples, costs, strict=True)
            ]
            rows.append((np.mean(shares, axis=0), penalties))
        for means, penalties in [rows[0], *sorted(rows[1:], key=lambda row: -row[0].mean())]:
            print(model, penalties, *(f"{100 * mean:.2f}" for mean in means), flush=True)


def cost_of(model: str, sample: StereoSample) -> tuple[RowsCost, Preset, int]:
    """The whole volume of a pair, computed once, its settings and its number of disparities."""
    left, right = (
        (image.permute(1, 2, 0) * 255).round().byte().numpy()
        for image in (sample.pair.image0, sample.pair.image1)
    )
    bound = min(search_bound(sample.disparity0[0].numpy()), SIZE[1])
    models = resolve_costs(model, ())
    rows, chosen = pair_cost(
        models, left, right, bound, torch.device("cpu"), search="auto", candidates=None
    )
    volume = rows(0, SIZE[0])
    return lambda top, bottom: volume[top:bottom], chosen, bound


def scored(
    sample: StereoSample, cost: RowsCost, chosen: Preset, bound: int
) -> Float[np.ndarray, " 3"]:
    """Bad-1 and bad-2 of visible pixels, bad-2 of all."""
    left = (sample.pair.image0.permute(1, 2, 0) * 255).round().byte().numpy()
    found = solve(cost, left, bound, chosen).disparity
    truth = sample.disparity0[0].numpy()
    known = sample.pair.valid0.numpy()
    visible = known & ~sample.pair.occluded0.numpy()
    return np.array(
        [
            bad_pixel_rate(found, truth, limit, valid=pixels)
            for limit, pixels in ((1.0, visible), (2.0, visible), (2.0, known))
        ]
    )


if __name__ == "__main__":
    main()
