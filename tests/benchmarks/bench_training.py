"""Training speed: our step against the same network in plain eager float32, on this machine.

    python tests/benchmarks/bench_training.py

Both train HardNet with the hardest-in-batch loss on 512 stored patches (256 pairs) a step, each in
a process of its own, in turns. Plain is what PyTorch does by itself: a loop in float32 on
contiguous tensors with the allocator of the system. Ours is what `corr train` runs: the task in
Lightning's trainer with all it logs, channels_last, the number format of `fast_precision`, and
`keep_freed_memory`. Fails below 1.5 times.
"""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median
from typing import Any

LEAST_RATIO = 1.5
ROUNDS = 3
PAIRS = 256
WARM_UP_STEPS = 4
STEPS = 8


def measure_ours() -> float:
    """Patches per second of `corr train`'s step."""
    from corr.tasks.memory import keep_freed_memory

    keep_freed_memory()
    import pytorch_lightning as pl
    import torch

    from corr.losses import TripletLoss
    from corr.models import HardNet
    from corr.tasks import PatchTask
    from corr.tasks.callbacks import SeedEachStep
    from corr.tasks.precision import fast_precision
    from corr.tasks.quiet import quiet

    times: list[float] = []

    class Clock(pl.Callback):
        def on_train_batch_end(self, *_: Any) -> None:
            times.append(time.perf_counter())

    class Stored(torch.utils.data.IterableDataset):
        def __iter__(self):
            while True:
                yield batch

    torch.manual_seed(0)
    batch = torch.rand(2, PAIRS, 1, 32, 32).unbind(0)
    task = PatchTask(HardNet(), TripletLoss(), learning_rate=3e-3, optimizer="adamw")
    with quiet():
        trainer = pl.Trainer(
            accelerator="cpu",
            precision=fast_precision(accelerator="cpu"),
            max_steps=WARM_UP_STEPS + STEPS,
            callbacks=[SeedEachStep(0), Clock()],
            limit_val_batches=0,
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(task, torch.utils.data.DataLoader(Stored(), batch_size=None))
    return 2 * PAIRS * STEPS / (times[-1] - times[-1 - STEPS])


def measure_plain() -> float:
    """Patches per second of a plain loop."""
    import torch

    from corr.losses import TripletLoss
    from corr.models import HardNet
    from corr.models.hardnet import normalize_patches

    torch.manual_seed(0)
    network, loss = HardNet(), TripletLoss()
    patches = torch.rand(2 * PAIRS, 1, 32, 32)
    optimizer = torch.optim.AdamW(network.parameters(), 3e-3)
    for step in range(WARM_UP_STEPS + STEPS):
        if step == WARM_UP_STEPS:
            start = time.perf_counter()
        features = network.layers(normalize_patches(patches))
        described = torch.nn.functional.normalize(features.flatten(1), dim=1)
        value = loss(*described.chunk(2))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return 2 * PAIRS * STEPS / (time.perf_counter() - start)


def main() -> int:
    """Print both speeds and their ratio; 1 where it is too low."""
    measures = {"plain": measure_plain, "ours": measure_ours}
    if len(sys.argv) > 1:
        print(measures[sys.argv[1]]())
        return 0
    speeds: dict[str, list[float]] = {kind: [] for kind in measures}
    for _ in range(ROUNDS):
        for kind, found in speeds.items():
            done = subprocess.run(
                [sys.executable, __file__, kind], stdout=subprocess.PIPE, text=True, check=True
            )
            found.append(float(done.stdout))
            print(f"{kind:5s} {found[-1]:7.1f} patches/s", flush=True)
    ratio = median(speeds["ours"]) / median(speeds["plain"])
    print(f"ours / plain: {ratio:.2f} (at least {LEAST_RATIO})")
    return int(ratio < LEAST_RATIO)


if __name__ == "__main__":
    sys.exit(main())
