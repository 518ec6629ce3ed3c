"""Do synthetic scenes teach: a small row-wise descriptor, trained on them alone, against census.

    python tests/benchmarks/teach_stereo.py --minutes 20 --photos DIR --root MIDDLEBURY
    python tests/benchmarks/teach_stereo.py ... --no-photos          # procedural textures alone
    python tests/benchmarks/teach_stereo.py ... --no-appearance      # both pictures under one light

Four 3 x 3 convolutions describe each pixel; the loss is the cross entropy of its match among all
pixels of the other picture's row. Judged by the winner of each pixel's scores, without smoothing,
on pairs that it never saw: the motorcycle that scikit-image installs, and those below --root (such
as Middlebury's teddy). Census is our own over 9 x 7 px. The minutes are those of the processor,
the making of the pictures included. With --state FILE, training is saved every minute and goes on
from there.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import skimage.data
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from corr.data.stereo_pairs import read_stereo
from corr.data.synthetic.config import NO_CHANGE, Surfaces, SyntheticConfig
from corr.data.synthetic.samples import StereoSample
from corr.data.synthetic.scenes import SyntheticScenes
from corr.formats import read_image, to_tensor
from corr.geometry import to_grey
from corr.metrics.disparity import bad_pixel_rate
from corr.volume.census import census_volume
from corr.volume.correlation import correlate_rows

WIDTH = 48
POINTS = 2000
"""Pixels of a pair that are matched in one step."""
TEMPERATURE = 0.07
LEARNING_RATE = 2e-3


class RowDescriptor(nn.Module):
    """Unit vectors of pixels, from 9 x 9 px of the picture less its local mean and contrast."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index in range(4):
            layers.append(nn.Conv2d(3 if index == 0 else WIDTH, WIDTH, 3, padding=1))
            layers += [nn.LeakyReLU(0.1)] if index < 3 else []
        self.layers = nn.Sequential(*layers)

    def forward(self, image: Tensor) -> Tensor:
        return F.normalize(self.layers(normalised(image)).float(), dim=1)


def normalised(image: Tensor) -> Tensor:
    """The picture less its mean in 15 x 15 px, in units of its deviation there."""
    mean = F.avg_pool2d(image, 15, 1, 7, count_include_pad=False)
    off = image - mean
    variance = F.avg_pool2d((off * off).mean(1, keepdim=True), 15, 1, 7, count_include_pad=False)
    return off / (variance.sqrt() + 0.01)


def loss_of(network: RowDescriptor, sample: StereoSample, draw: torch.Generator) -> Tensor:
    """Cross entropy of the matches of some visible pixels of the left picture."""
    pair = sample.pair
    images = torch.stack((pair.image0, pair.image1)).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        left, right = network(images)
    visible = (pair.valid0 & ~pair.occluded0).nonzero()
    y, x = visible[torch.randint(len(visible), (POINTS,), generator=draw)].unbind(1)
    scores = torch.einsum("cn,cnw->nw", left[:, y, x], right[:, y]) / TEMPERATURE
    target = (x - sample.disparity0[0, y, x]).clamp(0, scores.shape[1] - 1.001)
    first = target.long()
    log = scores.log_softmax(1)
    near = log.gather(1, torch.stack((first, first + 1), 1))
    share = target - first
    return -(near[:, 0] * (1 - share) + near[:, 1] * share).mean()


def scenes_to_judge(root: Path | None) -> Iterator[tuple[str, np.ndarray, np.ndarray, np.ndarray]]:
    """Name, left and right picture, disparity of what both show where that is known."""
    left, right, truth = skimage.data.stereo_motorcycle()
    yield "motorcycle", left, right, truth
    for pair in read_stereo(root) if root else []:
        known = pair.truth()
        disparity = known.disparity.copy()
        if known.occluded is not None:
            disparity[known.occluded] = np.nan
        yield pair.name, read_image(pair.left), read_image(pair.right), disparity


def winners(scores: Tensor) -> np.ndarray:
    """The disparity of each pixel's highest score within the picture."""
    reach = torch.arange(scores.shape[2]) > torch.arange(scores.shape[1])[:, None]
    return scores.masked_fill(reach, -torch.inf).argmax(2).numpy().astype(np.float32)


def judge(network: RowDescriptor, root: Path | None) -> None:
    """Print the share of bad pixels of both."""
    for name, left, right, truth in scenes_to_judge(root):
        bound = 16 * (int(np.nanmax(truth[np.isfinite(truth)])) // 16 + 1)
        images = [to_tensor(image) for image in (left, right)]
        greys = [(to_grey(image)[0, 0] * 255).round().byte().numpy() for image in images]
        census = -torch.from_numpy(census_volume(*greys, bound).astype(np.float32))
        with torch.no_grad():
            features = [network(image)[0] for image in images]
        found = {
            "census": winners(census),
            "learned": winners(correlate_rows(*features, bound)),
        }
        for model, disparity in found.items():
            rates = [100 * bad_pixel_rate(disparity, truth, limit) for limit in (1.0, 2.0, 4.0)]
            shown = " / ".join(f"{rate:.1f}" for rate in rates)
            print(f"{name:12s} {model:8s} bad-1/2/4 {shown} %", flush=True)


def main() -> None:
    """Train, then judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--photos", help="folder to draw from; scikit-image's when not given")
    parser.add_argument("--no-photos", action="store_true")
    parser.add_argument("--no-appearance", action="store_true")
    parser.add_argument("--root", type=Path, help="stereo pairs to judge by")
    parser.add_argument("--state", type=Path)
    given = parser.parse_args()
    torch.manual_seed(0)
    config = SyntheticConfig(
        view="stereo",
        height=192,
        width=256,
        surfaces=Surfaces(photo_share=0 if given.no_photos else Surfaces.photo_share),
        **({"first": NO_CHANGE, "second": NO_CHANGE} if given.no_appearance else {}),
    )
    scenes = SyntheticScenes(config, photos=given.photos)
    network = RowDescriptor().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=1e-4)
    step, spent, losses = 0, 0.0, []
    if given.state and given.state.is_file():
        saved = torch.load(given.state, weights_only=True)
        network.load_state_dict(saved["network"])
        optimizer.load_state_dict(saved["optimizer"])
        step, spent = saved["step"], saved["spent"]
    total = 60 * given.minutes
    while spent < total:
        start = time.process_time()
        share = spent / total
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1, step / 50, 2.5 * (1 - share) + 0.02)
        draw = torch.Generator().manual_seed(step)
        loss = loss_of(network, scenes.sample(step), draw)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        minute = int(spent / 60)
        step, spent = step + 1, spent + time.process_time() - start
        if int(spent / 60) > minute:
            print(
                f"minute {minute + 1}: {step} pairs, loss {np.mean(losses[-50:]):.3f}", flush=True
            )
            if given.state:
                state = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
                torch.save({**state, "step": step, "spent": spent}, given.state)
    print(f"{step} pairs in {spent / 60:.1f} minutes, last loss {np.mean(losses[-50:]):.3f}")
    judge(network.eval(), given.root)


if __name__ == "__main__":
    main()
