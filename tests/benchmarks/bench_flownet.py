"""FlowNet's correlation against a loop over its displacements, and the networks' time.

    python tests/benchmarks/bench_flownet.py [--device cuda] [--rounds 5]

Correlation: 441 displacements of maps of 48 x 64 with 256 channels, FlowNetC's for 384 x 512 px.
All that is compared runs in turns, so that a busy machine slows all alike; medians. Of the networks
each pass runs twice and the second counts, as in a video: the first orders weights for its shapes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor

from corr.machine.precision import multiplies_bfloat16
from corr.models import FlowNetC, FlowNetwork
from corr.models import flownet as flownet_module
from corr.volume.correlation import correlation_layer
from corr.volume.reversal import reversed_correlation

FORMATS = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def by_loop(first: Tensor, second: Tensor) -> Tensor:
    """The same layer, one displacement at a time."""
    height, width = first.shape[2:]
    padded = F.pad(second, 4 * (20,))
    shifts = [(y, x) for y in range(0, 41, 2) for x in range(0, 41, 2)]
    return torch.stack(
        [(first * padded[:, :, y : y + height, x : x + width]).mean(1) for y, x in shifts], dim=1
    )


def time_ms(
    tasks: dict[str, Callable[[], object]], rounds: int, device: str, *, again: bool = False
) -> dict[str, float]:
    """Median time of each, after one round that does not count, or of its second run each time."""
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(1 + rounds):
        for name, task in tasks.items():
            if again:
                task()
            start = time.perf_counter()
            task()
            if device == "cuda":
                torch.cuda.synchronize()
            if turn:
                times[name].append(1e3 * (time.perf_counter() - start))
    return {name: median(found) for name, found in times.items()}


def correlations(rounds: int, device: str) -> None:
    """Print the layer's times."""
    print("correlation                 forward ms    forward + backward ms")
    for name, dtype in FORMATS.items():
        maps = torch.randn(2, 1, 256, 48, 64, device=device).to(dtype)
        forward, both = _layers(maps[0], maps[1])
        with torch.no_grad():
            forward_ms = time_ms(forward, rounds, device)
        both_ms = time_ms(both, rounds, device)
        for way, taken in forward_ms.items():
            print(f"{name:9s} {way:16s} {taken:11.1f} {both_ms.get(way, float('nan')):18.1f}")


def _layers(
    first: Tensor, second: Tensor
) -> tuple[dict[str, Callable[[], object]], dict[str, Callable[[], object]]]:
    """What computes the layer, and what its gradients too."""
    scores = correlation_layer(first, second)
    slope = torch.randn_like(scores)
    leaves = [value.clone().requires_grad_() for value in (first, second)]
    return {
        "loop": lambda: by_loop(first, second),
        "corr": lambda: correlation_layer(first, second),
        "other way round": lambda: reversed_correlation(scores),
    }, {
        "loop": lambda: torch.autograd.grad(by_loop(*leaves), leaves, slope),
        "corr": lambda: torch.autograd.grad(correlation_layer(*leaves), leaves, slope),
    }


def networks(rounds: int, device: str) -> None:
    """Print the networks' times."""
    print("\nFlowNetC, 384 x 512     flow ms    both ms    with one frame known ms")
    images = torch.rand(2, 1, 3, 384, 512, device=device).unbind()
    for width in (0.375, 1.0):
        network = FlowNetC(width).eval().to(device)
        for name in FORMATS:
            if name == "bfloat16" and not multiplies_bfloat16(device):
                print(f"{width:5.3f} {name:9s} the hardware does not multiply it")
                continue
            flownet_module.multiplies_bfloat16 = lambda _, fast=name == "bfloat16": fast
            taken = time_ms(_passes(network, images), rounds, device, again=True)
            print(f"{width:5.3f} {name:9s} " + "   ".join(f"{t:12.1f}" for t in taken.values()))


def _passes(network: FlowNetwork, images: tuple[Tensor, Tensor]) -> dict[str, Callable[[], object]]:
    known = torch.no_grad()(network.features)(images[0])
    passes: dict[str, Callable[[], object]] = {
        "flow": lambda: network.flow(*images),
        "both": lambda: network.both(*images),
        "video": lambda: network.flow_between(known, network.features(images[1])),
    }
    return {name: torch.no_grad()(task) for name, task in passes.items()}


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    torch.manual_seed(0)
    correlations(options.rounds, options.device)
    networks(options.rounds, options.device)


if __name__ == "__main__":
    main()
