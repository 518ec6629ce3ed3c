"""The convolutional spatial transformer: tiles of rows against the map of the paper.

    python tests/benchmarks/bench_transformer.py [--rounds 10]

First the layer alone on features of a 640 x 480 image at stride 4: a plain convolution, the layer
of corr, and the construction of the paper, which lays all receptive fields out side by side and
convolves them with stride k. Then whole networks, without and with a transformer, at 640 x 480.
"""

from __future__ import annotations

import argparse

import torch
import torch.nn.functional as F

from corr.bench.measure import Method, Timing, measure
from corr.machine.precision import multiplies_bfloat16
from corr.models import UniversalCorrespondenceNetwork
from corr.models.convolutional_transformer import ConvolutionalSpatialTransformer, merge_places

CPU = torch.device("cpu")


def layers() -> list[Method]:
    """The three ways of one layer."""
    layer = ConvolutionalSpatialTransformer(32, 64).eval()
    torch.nn.init.normal_(layer.localization[-1].weight, std=0.3)
    features = torch.randn(1, 32, 120, 160).contiguous(memory_format=torch.channels_last)
    weight, bias = layer.convolution.weight, layer.convolution.bias

    def merged() -> torch.Tensor:
        return F.conv2d(merge_places(features, layer.places(features)), weight, bias, stride=3)

    return [
        Method("plain convolution", lambda: F.conv2d(features, weight, bias, padding=1)),
        Method("in tiles of rows", lambda: layer(features)[0]),
        Method("as in the paper", merged),
    ]


def networks() -> list[Method]:
    """Whole networks on an image."""
    image = torch.rand(1, 3, 480, 640)
    found = []
    for transformer in (None, "rigid", "similarity", "affine", "thin-plate"):
        network = UniversalCorrespondenceNetwork(transformer=transformer, keypoints=False).eval()
        found.append(Method(str(transformer), lambda network=network: network(image)))
    return found


def show(title: str, timings: list[Timing]) -> None:
    """A table, with ratios to its first row."""
    print(f"{title:24s} {'ms':>8s} {'ratio':>7s} {'MB':>7s}")
    for timing in timings:
        ratio = timing.median_s / timings[0].median_s
        print(
            f"{timing.method.name:24s} {1e3 * timing.median_s:8.1f} {ratio:7.2f} "
            f"{(timing.num_bytes or 0) / 1e6:7.1f}"
        )


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    torch.manual_seed(0)
    fast = multiplies_bfloat16("cpu")
    print(f"{torch.get_num_threads()} threads, {'bfloat16' if fast else 'float32'}")
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=fast):
        show("layer, 120 x 160 cells", measure(layers(), rounds, CPU))
        show("network, 640 x 480", measure(networks(), rounds, CPU))


if __name__ == "__main__":
    main()
