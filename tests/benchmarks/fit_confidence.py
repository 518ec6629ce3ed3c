"""Fit the confidence of `corr disparity` to be a probability, and show whether it is one.

    python tests/benchmarks/fit_confidence.py fit --models census [--photos DIR]
    python tests/benchmarks/fit_confidence.py show --models census --root DIR

`fit` solves synthetic stereo scenes, asks of each matched pixel whether it is right within 1 px,
and fits the weights of `corr.volume.confidence.Calibration` by maximum likelihood, none below 0.
They go into `corr/volume/confidence.yaml`, under the preset of the model's cost. It prints the
expected calibration error and the area under the sparsification error (bad-2) of scenes that it did
not fit, for the new confidence and for the peak ratio alone. `show` prints the same of pairs with
ground truth: the motorcycle of scikit-image, and those below --root.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import skimage.data
import torch
import yaml
from jaxtyping import Bool, Float32
from scipy.optimize import minimize
from torch import Tensor

from corr.data.stereo_pairs import read_stereo
from corr.data.synthetic.config import SyntheticConfig
from corr.data.synthetic.scenes import SyntheticScenes
from corr.evaluation.confidence_curves import KEPT_PERCENT
from corr.formats import read_image
from corr.metrics import area_under_sparsification, reliability
from corr.pipeline.stereo_cost import pair_cost, resolve_costs
from corr.results import Picture
from corr.volume.confidence import FILE, RIGHT_PX, Calibration
from corr.volume.presets import Preset, presets
from corr.volume.solve import Solution, solve

SEED, HELD_OUT_SEED = 77, 78
SIZE = 288, 384
PIXELS_A_SCENE = 10_000

Scene = tuple[str, Picture, Picture, Float32[np.ndarray, "H W"]]
"""Name, both views, disparity (NaN where unknown)."""


def synthetic(count: int, photos: str | None, seed: int) -> Iterator[Scene]:
    """Scenes as trainings see them."""
    config = SyntheticConfig(view="stereo", height=SIZE[0], width=SIZE[1])
    scenes = SyntheticScenes(config, photos=photos, seed=seed)
    for index in range(count):
        sample = scenes.sample(index)
        views = [_picture(view) for view in (sample.pair.image0, sample.pair.image1)]
        yield f"scene {index}", *views, sample.disparity0[0].numpy()


def real(root: Path | None) -> Iterator[Scene]:
    """Pairs with ground truth, which nothing is fitted to."""
    left, right, truth = skimage.data.stereo_motorcycle()
    yield "motorcycle", left, right, np.where(np.isfinite(truth), truth, np.nan).astype(np.float32)
    for pair in read_stereo(root) if root else []:
        yield pair.name, read_image(pair.left), read_image(pair.right), pair.truth().disparity


def solved(model: str, scene: Scene) -> tuple[Solution, Preset, Bool[np.ndarray, "H W"]]:
    """The disparity of a scene, and where it was matched and the truth is known."""
    _, left, right, truth = scene
    depth = 16 * (int(np.nanmax(truth)) // 16 + 1)
    device = torch.device("cpu")
    models = resolve_costs(model, ())
    cost, chosen = pair_cost(models, left, right, depth, device, search="auto", candidates=None)
    found = solve(cost, left, depth, chosen, device=device)
    return found, chosen, found.valid & np.isfinite(truth)


def fit(model: str, scenes: Iterator[Scene]) -> tuple[str, Calibration]:
    """The preset of the model's cost, and the weights that make what was seen likeliest."""
    rng = np.random.default_rng(0)
    rows, right, names = [], [], set()
    for scene in scenes:
        found, chosen, known = solved(model, scene)
        names |= {name for name, preset in presets().items() if preset == chosen}
        picked = rng.permutation(np.flatnonzero(known))[:PIXELS_A_SCENE]
        cues = found.cues.peak_ratio, found.cues.agreement, -found.cues.moved
        rows.append(np.stack([np.ones(len(picked)), *(cue.flat[picked] for cue in cues)], 1))
        right.append(np.abs(found.disparity - scene[3]).flat[picked] <= RIGHT_PX)
    table, hit = np.concatenate(rows).astype(np.float64), np.concatenate(right)

    def loss(weights: np.ndarray) -> tuple[float, np.ndarray]:
        logit = table @ weights
        slope = table.T @ (1 / (1 + np.exp(-logit)) - hit) / len(hit)
        return float(np.mean(np.logaddexp(0, logit) - hit * logit)), slope

    bounds = [(None, None), *[(0, None)] * 3]
    best = minimize(loss, np.zeros(4), jac=True, bounds=bounds, method="L-BFGS-B")
    (name,) = names
    return name, Calibration(*(round(float(weight), 2) for weight in best.x))


def show(model: str, scenes: Iterator[Scene], weights: Calibration | None = None) -> None:
    """Print what the confidence is worth, and what the peak ratio alone is, means over scenes."""
    kept = np.array(KEPT_PERCENT) / 100
    lines: dict[str, list[list[float]]] = {}
    for scene in scenes:
        found, chosen, known = solved(model, scene)
        probability = (weights or chosen.calibration).probability(found.cues)
        error = np.abs(found.disparity - scene[3])
        truth = np.isfinite(scene[3])
        kinds = {"calibrated": probability, "peak ratio": found.cues.peak_ratio}
        for name, sure in kinds.items():
            ece = reliability(error[known] <= RIGHT_PX, sure[known]).error
            all_sure = np.where(found.valid, sure, 0)[truth].astype(np.float64)
            bad = (error[truth] > 2).astype(np.float64)
            values = [100 * ece, 100 * area_under_sparsification(bad, all_sure, kept)]
            lines.setdefault(name, []).append(values)
            if weights is None:
                line(scene[0], model, name, values)
    for name, values in lines.items():
        line("mean", model, name, np.mean(values, axis=0))


def line(scene: str, model: str, name: str, values: Sequence[float]) -> None:
    """Print two figures."""
    print(
        f"{scene:12s} {model:8s} {name}: ECE {values[0]:.1f} %, AUSE {values[1]:.2f} %", flush=True
    )


def write(fitted: dict[str, Calibration]) -> None:
    """Put the weights into the file; those of other presets and its heading stay."""
    text = FILE.read_text(encoding="utf-8")
    heading = [line for line in text.splitlines() if line.startswith("#")]
    table = yaml.safe_load(text) | {name: asdict(weights) for name, weights in fitted.items()}
    lines = [
        f"{name}: {{{', '.join(f'{cue}: {value:g}' for cue, value in weights.items())}}}"
        for name, weights in table.items()
    ]
    FILE.write_text("\n".join([*heading, *lines]) + "\n", encoding="utf-8")


def _picture(view: Tensor) -> Picture:
    picture: Picture = (view.permute(1, 2, 0) * 255).round().byte().numpy()
    return picture


def main() -> None:
    """Fit or show."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["fit", "show"])
    parser.add_argument("--models", default="census")
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--photos", help="folder to draw from; scikit-image's when not given")
    parser.add_argument("--root", type=Path, help="stereo pairs with ground truth")
    given = parser.parse_args()
    for model in given.models.split(","):
        if given.what == "show":
            show(model, real(given.root))
            continue
        name, weights = fit(model, synthetic(given.scenes, given.photos, SEED))
        print(f"{name}: {weights}", flush=True)
        show(model, synthetic(given.scenes // 3, given.photos, HELD_OUT_SEED), weights)
        write({name: weights})


if __name__ == "__main__":
    main()
