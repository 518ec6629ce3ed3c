"""Synthetic scenes: how fast they are made, how right their truth is, and that memory is flat.

    python tests/benchmarks/bench_synthetic.py speed [--photos DIR] [--workers 2]
    python tests/benchmarks/bench_synthetic.py truth [--seeds 200]
    python tests/benchmarks/bench_synthetic.py memory [--samples 10000]

`speed` prints pairs a second at 256 x 256 with full change of appearance, from workers as a
training uses them, the processor's time for a pair, and pairs a second on a CUDA device, if there
is one, in batches of 128 at 320 x 448. `truth` warps picture 1 back by the flow, with the change of
appearance off, and prints the mean error in grey levels at what the sample says is clear (see
`Pair.edge0`), and for comparison at all that is visible: the mean over the seeds and the largest.
`planar` is also given with second views of about the same scale, since a plain warp between scales
blurs or aliases.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path
from typing import cast

import torch

from corr.data.synthetic.config import NO_CHANGE, VIEWS, SyntheticConfig
from corr.data.synthetic.datamodule import SyntheticDataModule
from corr.data.synthetic.proof import warp_error
from corr.data.synthetic.samples import pair_of
from corr.data.synthetic.scenes import SyntheticScenes
from corr.data.viewpoints import Viewpoints

BATCH = 8
GPU_BATCH = 128
CPU_SAMPLES = 40


def speed(photos: str | None, workers: int) -> None:
    """Pairs a second of every view."""
    for view in VIEWS:
        module = SyntheticDataModule(
            SyntheticConfig(view=view),
            photos,
            batch_size=BATCH,
            steps_per_epoch=26,
            num_workers=workers,
        )
        batches = iter(module.train_dataloader())
        for _ in range(6):
            next(batches)
        start = time.perf_counter()
        count = sum(1 for _ in batches)
        rate = BATCH * count / (time.perf_counter() - start)
        made = cast(SyntheticScenes, module._train)
        start = time.process_time()
        for index in range(CPU_SAMPLES):
            made.sample(index)
        cost = 1000 * (time.process_time() - start) / CPU_SAMPLES
        print(
            f"{view:8s} {rate:7.1f} pairs/s from {workers} workers; "
            f"{cost:.0f} ms of processor time a pair",
            flush=True,
        )
    if torch.cuda.is_available():
        config = SyntheticConfig(view="flow", height=320, width=448)
        scenes = SyntheticScenes(config, photos=photos, device="cuda")
        drawn = [scenes.draw(index) for index in range(GPU_BATCH)]
        scenes.render(drawn)
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(10):
            scenes.render(drawn)
        torch.cuda.synchronize()
        rate = 10 * GPU_BATCH / (time.perf_counter() - start)
        print(f"flow at 320 x 448 on {torch.cuda.get_device_name()}: {rate:.0f} pairs/s")


def truth(photos: str | None, seeds: int) -> None:
    """Errors of a warp by the truth, in grey levels."""
    gentle = Viewpoints(
        max_rotation_deg=60.0, min_zoom=0.92, max_zoom=1.08, max_tilt=1.1, max_perspective=0.1
    )
    off = {"first": NO_CHANGE, "second": NO_CHANGE}
    configs = {view: SyntheticConfig(view=view, **off) for view in VIEWS}
    configs["planar, same detail"] = SyntheticConfig(view="planar", planar=gentle, **off)
    for name, config in configs.items():
        errors: dict[str, list[float]] = {"clear": [], "visible": []}
        shares = []
        for seed in range(seeds):
            pair = pair_of(SyntheticScenes(config, photos=photos, seed=seed).sample(0))
            errors["clear"].append(warp_error(pair))
            everywhere = pair._replace(edge0=torch.zeros_like(pair.edge0))
            errors["visible"].append(warp_error(everywhere))
            shares.append(float(pair.clear0.sum() / everywhere.clear0.sum()))
        print(f"{name:20s} {100 * sum(shares) / seeds:.0f} % of what is visible is clear")
        for kind, found in errors.items():
            worst = max(range(seeds), key=found.__getitem__)
            below = sum(error <= 1.5 for error in found)
            print(
                f"{name:20s} {kind:7s} mean {sum(found) / seeds:.2f}, largest {found[worst]:.2f} "
                f"(seed {worst}), {below} of {seeds} at most 1.5",
                flush=True,
            )


def memory(photos: str | None, samples: int) -> None:
    """Resident memory as samples go by."""
    scenes = SyntheticScenes(SyntheticConfig(view="flow"), photos=photos)
    for index in range(samples + 1):
        scenes.sample(index)
        if index % max(1, samples // 10) == 0:
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            print(
                f"{index:6d} samples: {pages * resource.getpagesize() / 2**20:.0f} MiB", flush=True
            )


def main() -> None:
    """Run one of the three."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("speed", "truth", "memory"))
    parser.add_argument("--photos")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--samples", type=int, default=10000)
    given = parser.parse_args()
    if given.what == "speed":
        speed(given.photos, given.workers)
    elif given.what == "truth":
        truth(given.photos, given.seeds)
    else:
        memory(given.photos, given.samples)


if __name__ == "__main__":
    main()
