"""Training speed: our step against a loop as HardNet's authors published theirs, on this machine.

    python tests/benchmarks/bench_training.py

Both train HardNet with the hardest-in-batch loss and SGD on 512 stored patches (256 pairs) a step,
each in a process of its own, in turns. Plain is written the way the authors' repository does it:
eager float32 on contiguous tensors, the two sides one after the other through the network, the
full matrix of distances with an offset on its diagonal and on duplicates, zero_grad, backward,
step, and the allocator of the system. Ours is what `corr train` runs: the task in Lightning's
trainer with all it logs and watches over, both sides at once in channels_last, streaming mining,
the number format of `fast_precision`, and `keep_freed_memory`. Fails below 2 times.

Source: github.com/DagnyT/hardnet, `code/HardNet.py` and `code/Losses.py`.
"""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median
from typing import Any

LEAST_RATIO = 2.0
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
    from corr.machine.precision import fast_precision
    from corr.models import HardNet
    from corr.tasks import PatchTask
    from corr.tasks.callbacks import SeedEachStep
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
    task = PatchTask(HardNet(), TripletLoss(), learning_rate=0.1)
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
    """Patches per second of the plain loop."""
    import torch

    from corr.models import HardNet

    torch.manual_seed(0)
    layers = HardNet().layers.to(memory_format=torch.contiguous_format)
    anchor, positive = torch.rand(2, PAIRS, 1, 32, 32).unbind(0)
    optimizer = torch.optim.SGD(
        layers.parameters(), 0.1, momentum=0.9, dampening=0.9, weight_decay=1e-4
    )

    def describe(patches):
        flat = patches.view(len(patches), -1)
        mean = flat.mean(dim=1).view(-1, 1, 1, 1)
        std = flat.std(dim=1).view(-1, 1, 1, 1) + 1e-7
        features = layers((patches - mean) / std).view(len(patches), -1)
        return features / (features.square().sum(dim=1, keepdim=True) + 1e-10).sqrt()

    def hardest_in_batch(first, second):
        squares = first.square().sum(1)[:, None] + second.square().sum(1)
        distances = (squares - 2 * first @ second.T + 1e-6).sqrt() + 1e-8
        matched = distances.diagonal()
        others = distances + 10 * torch.eye(len(first))
        others = others + 10 * (others < 0.008)
        negative = torch.minimum(others.min(1).values, others.min(0).values)
        return (1 + matched - negative).clamp(min=0).mean()

    for step in range(WARM_UP_STEPS + STEPS):
        if step == WARM_UP_STEPS:
            start = time.perf_counter()
        value = hardest_in_batch(describe(anchor), describe(positive))
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
