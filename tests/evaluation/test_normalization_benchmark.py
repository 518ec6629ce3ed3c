"""FPR95 and matching score under rotation and scale: of descriptors whose answer is known."""

from __future__ import annotations

import dataclasses
import json

import cv2
import numpy as np
import pytest
import torch

from corr.cli import main
from corr.data.homographies import read_sequences
from corr.errors import ModelError
from corr.evaluation.normalization import NormalizationBenchmark, NormalizationProtocol
from corr.evaluation.patches import PatchBenchmark, PatchProtocol
from corr.machine.precision import multiplies_bfloat16
from corr.models import HardNetSTN, load_network, save_network


@pytest.fixture(scope="module")
def exact() -> NormalizationProtocol:
    """Without detector noise, and with few patches."""
    noise = {"position": 0.0, "scale": 0.0, "angle_deg": 0.0}
    return NormalizationProtocol(
        max_keypoints=80, noise=noise, angles_deg=(0, 45, 90, 180), scales=(0.5, 1.0, 2.0)
    )


def scores(benchmark, root, model):
    item = read_sequences(root)[0]
    inputs = benchmark.read(item)
    return benchmark.score(item, inputs, benchmark.run(model, inputs))


def test_upright_descriptors_match_where_nothing_is_turned_and_fail_elsewhere(darker, exact):
    found = scores(NormalizationBenchmark(exact), darker, "rootsift")
    assert found["score_turn_0"] == found["score_scale_1.0"] > 0.98
    assert found["fpr95_turn_0"] < 0.01
    assert found["score_turn_90"] < 0.4
    assert found["fpr95_random"] > 0.5


def test_a_normalisation_turns_the_patches_back(darker, exact):
    benchmark = NormalizationBenchmark(exact)
    upright, turned = (
        scores(benchmark, darker, m) for m in ("rootsift", "rootsift+dominant-orientation")
    )
    for name in ("turn_90", "turn_180", "random"):
        assert turned[f"score_{name}"] > 0.8 > upright[f"score_{name}"]
    assert turned["score_scale_2.0"] < turned["score_turn_0"]


def test_nearest_neighbours_by_hand(darker, exact):
    benchmark = NormalizationBenchmark(exact)
    item = read_sequences(darker)[0]
    inputs = benchmark.read(item)
    count = len(inputs.negative)
    right = np.eye(count, dtype=np.float32)
    output = dict.fromkeys(benchmark._names(), right) | {"first": right}
    wrong = output | {"random": np.roll(right, 1, axis=0)}
    assert benchmark.score(item, inputs, output)["score_random"] == 1.0
    assert benchmark.score(item, inputs, output)["fpr95_random"] == 0.0
    # A roll gives each point the descriptor of another; unless that one lies near it.
    near = ~inputs.negative[np.arange(count), np.roll(np.arange(count), -1)]
    assert benchmark.score(item, inputs, wrong)["score_random"] == pytest.approx(near.mean())


def test_the_command_draws_its_curves_and_its_patches(darker, tmp_path, capsys):
    out = tmp_path / "out"
    models = "rootsift,rootsift+dominant-orientation"
    given = ["evaluate", "normalization", "--root", darker, "--models", models, "--out", out]
    assert main([*map(str, given), "--cache", str(tmp_path / "cache")]) == 0
    stored = json.loads((out / "normalization.json").read_text())
    by_model = {row["model"]: row["scores"] for row in stored["rows"] if row["group"] == "all"}
    first, second = (by_model[name]["fpr95_random"] for name in models.split(","))
    assert second < first
    assert cv2.imread(str(out / "normalization-against-rotation-and-scale.png")).shape == (
        900,
        1440,
        3,
    )
    assert "turned at random" in (out / "normalization.html").read_text()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("hardnet+sideways", r"'sideways' after the \+; use dominant-orientation"),
        ("orb", "'orb' does not describe given patches"),
        ("orb+both", "'orb' does not describe given patches"),
    ],
)
def test_models_that_cannot(model, message):
    with pytest.raises(ModelError, match=message):
        NormalizationBenchmark().candidate(model)


def test_a_variant_is_another_candidate():
    benchmark = NormalizationBenchmark()
    identities = [
        benchmark.candidate(name).identity
        for name in (
            "hardnet",
            "hardnet+both",
            "hardnet+dominant-orientation",
            "rootsift",
            "rootsift+both",
        )
    ]
    assert len({json.dumps(dict(identity)) for identity in identities}) == 5


def test_the_patch_benchmark_gives_frames_to_networks_that_want_them(darker, tmp_path):
    """The trunk of a network with a quarter turn planted sees patches turned by it."""
    torch.manual_seed(0)
    network = HardNetSTN(light=True).eval()
    with torch.no_grad():
        network.normalization.regression.bias.copy_(torch.tensor([0.0, 1.0]))
    save_network(network, tmp_path / "turned")
    save_network(network.trunk, tmp_path / "plain")
    benchmark = PatchBenchmark(PatchProtocol(max_keypoints=40))
    inputs = benchmark.read(read_sequences(darker)[0])
    found = benchmark.run(str(tmp_path / "turned"), inputs)
    placed = inputs.keypoints.placed0
    turned = placed._replace(angle_deg=np.full_like(placed.angle_deg, 90))
    quarter = dataclasses.replace(inputs, patches0=_cut(inputs.keypoints.view0, turned))
    expected = benchmark.run(str(tmp_path / "plain"), quarter)[0]
    np.testing.assert_allclose(found[0], expected, atol=0.02)


def _cut(view, placed):
    from corr.data.cutting import cut_patches, placed_frames

    return cut_patches(view, placed_frames(placed, 20.0))


def test_the_patch_benchmark_describes_given_patches_by_all_others(darker):
    benchmark = PatchBenchmark(PatchProtocol(max_keypoints=40))
    inputs = benchmark.read(read_sequences(darker)[0])
    network = load_network("hardnet")
    fast = multiplies_bfloat16("cpu")
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=fast):
        expected = network(torch.from_numpy(inputs.patches0)[:, None].float() / 255).numpy()
    np.testing.assert_allclose(benchmark.run("hardnet", inputs)[0], expected, atol=1e-6)
