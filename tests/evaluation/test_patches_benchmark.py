"""FPR95 of given patches by networks of patches and by networks of whole images, in one table."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from rich.console import Console
from torch import Tensor

from corr.errors import ModelError
from corr.evaluation.cache import Cache
from corr.evaluation.dense_patches import HOW, SIDE, describe_centres
from corr.evaluation.frame import run_benchmark
from corr.evaluation.frames import describe_cut
from corr.evaluation.hpatches import HPatchesBenchmark
from corr.evaluation.normalization import NormalizationBenchmark
from corr.evaluation.patches import PatchBenchmark, PatchProtocol
from corr.evaluation.written import write_report
from corr.models import DenseDescriptor, load_network
from corr.models.network import DenseDescription

FEW = PatchProtocol(max_keypoints=40)


class Shade(DenseDescriptor):
    """Describes cells by their mean shade, as an angle."""

    descriptor_dim = 2

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self.seen: list[Tensor] = []

    def forward(self, images: Tensor) -> DenseDescription:
        self.seen.append(images)
        angle = F.avg_pool2d(images[:, :1], self.stride)
        return DenseDescription(torch.cat((angle.cos(), angle.sin()), dim=1))


@pytest.mark.parametrize("stride", [1, 4, 8])
def test_what_is_read_is_the_centre_of_the_patch(stride):
    """On a ramp the middle of the patch, between its four middle pixels, has the mean of them."""
    y, x = np.mgrid[:32, :32]
    ramps = np.stack((7 * x, 7 * y, 217 - 7 * x, 3 * x + 2 * y, 0 * x + 50)).astype(np.uint8)
    found = describe_centres(Shade(stride), ramps)
    shade = np.arctan2(found[:, 1], found[:, 0]) * 255
    np.testing.assert_allclose(shade, ramps[:, 15:17, 15:17].mean((1, 2)), atol=0.05)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)


def test_the_network_sees_the_patch_alone_enlarged_and_grey():
    network, patches = Shade(), np.random.default_rng(0).integers(0, 256, (300, 32, 32), np.uint8)
    found = describe_centres(network, patches)
    seen = torch.cat(network.seen)
    assert seen.shape == (300, 3, SIDE, SIDE)
    assert max(len(part) for part in network.seen) < 300  # bounded memory
    assert torch.equal(seen[:, 0], seen[:, 1]) and torch.equal(seen[:, 0], seen[:, 2])
    np.testing.assert_array_equal(describe_centres(Shade(), patches[200:210]), found[200:210])
    np.testing.assert_array_equal(describe_cut(Shade(), patches), found)


def test_enlarged_pixels_are_where_they_were():
    network, (y, x) = Shade(), np.mgrid[:32, :32]
    describe_centres(network, (3 * x + 4 * y)[None].astype(np.uint8))
    places = ((np.arange(SIDE) + 0.5) * 32 / SIDE - 0.5).clip(0, 31)
    expected = (3 * places + 4 * places[:, None]) / 255
    np.testing.assert_allclose(network.seen[0][0, 0], expected, atol=1e-5)


@pytest.fixture(scope="module")
def both(darker, tmp_path_factory):
    """The report of a network of each kind, and what was said before it."""
    folder = tmp_path_factory.mktemp("cache")
    console = Console(record=True, width=80)
    benchmark = PatchBenchmark(FEW)
    return run_benchmark(benchmark, darker, ["hardnet", "ucn"], Cache(folder), console=console), (
        console.export_text()
    )


def test_a_dense_network_stands_beside_one_of_patches(both, darker):
    report, _ = both
    rows = {model: report.row(model) for model in ("hardnet", "ucn")}
    assert report.failures() == []
    assert rows["hardnet"].scores["num_patches"] == rows["ucn"].scores["num_patches"] > 20
    assert rows["ucn"].scores["fpr95"] < 0.2  # of copies; chance is 0.95
    item = PatchBenchmark(FEW).items(darker)[0]
    inputs = PatchBenchmark(FEW).read(item)
    network = load_network("ucn")
    by_hand = [describe_centres(network, side) for side in (inputs.patches0, inputs.patches1)]
    for found, expected in zip(PatchBenchmark(FEW).run("ucn", inputs), by_hand, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_way_is_stated_and_the_hash_is_that_of_the_other_models(both, darker, tmp_path):
    report, said = both
    assert f"of ucn: {HOW}" in said
    assert report.variants == {"ucn": HOW}
    alone = run_benchmark(
        PatchBenchmark(FEW), darker, ["rootsift"], Cache(tmp_path), console=Console(quiet=True)
    )
    assert alone.protocol_hash == report.protocol_hash
    assert alone.variants == {}
    write_report(report, tmp_path)
    assert f"- of ucn: {HOW}\n" in (tmp_path / "patches.md").read_text()
    assert json.loads((tmp_path / "patches.json").read_text())["variants"] == {"ucn": HOW}


@pytest.mark.parametrize("benchmark", [HPatchesBenchmark, NormalizationBenchmark])
def test_benchmarks_of_other_patches_still_refuse_it(benchmark):
    with pytest.raises(ModelError, match="'ucn' does not describe given patches; use sift"):
        benchmark().candidate("ucn")
