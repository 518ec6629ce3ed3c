"""Where light and camera are better changed: by albumentations in a worker, or by kornia.

    python tests/benchmarks/bench_camera.py

Milliseconds for one 512 x 512 view by one thread of a worker, by one thread of kornia on the CPU,
and on the GPU if there is one. `ViewDataModule(camera="auto")` takes the GPU alone.
"""

from __future__ import annotations

import sys
import time
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch

from corr.data.device_photometry import change_camera
from corr.data.photometric import PhotometricChange, Photometry

VIEWS = 20
ROUNDS = 3


def main() -> int:
    """Print the medians."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    view = np.random.default_rng(0).integers(0, 256, (512, 512), dtype=np.uint8)
    change, rng = PhotometricChange(Photometry()), np.random.default_rng(0)
    generator = torch.Generator().manual_seed(0)
    devices = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
    ways: dict[str, Any] = {"albumentations, worker": lambda: change.camera(view, rng)}
    for device in devices:
        tensor = torch.from_numpy(view)[None, None].float().to(device) / 255

        def on_device(tensor: torch.Tensor = tensor) -> None:
            change_camera(tensor, Photometry(), generator)
            if tensor.is_cuda:
                torch.cuda.synchronize()

        ways[f"kornia, {device}"] = on_device
    for name, run in ways.items():
        run()
        times = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            for _ in range(VIEWS):
                run()
            times.append((time.perf_counter() - start) / VIEWS)
        print(f"{name:24s} {1000 * median(times):7.2f} ms a view")
    return 0


if __name__ == "__main__":
    sys.exit(main())
