"""FlowNetS and FlowNetC: sizes, both directions, features once, precision, records, refusals."""

import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
import yaml
from torch import nn

from corr.errors import ModelError, OptionError, ShapeError
from corr.models import FlowNetC, FlowNetS, FlowNetwork, load_network, save_network
from corr.models import flownet as flownet_module
from corr.models import flownetc as flownetc_module
from corr.models.flownet_refinement import FlowPrediction, FlowUpsampling
from corr.models.network import DenseDescription, DenseDescriptor

SMALL = 0.125

KINDS = {
    "S": lambda: FlowNetS(SMALL),
    "C": lambda: FlowNetC(SMALL),
    "C of pairs' means": lambda: FlowNetC(SMALL, mean=None),
    "C with batch normalisation": lambda: FlowNetC(SMALL, batch_norm=True),
    "C with ucn's features": lambda: FlowNetC(SMALL, features="ucn"),
}


@pytest.fixture(params=list(KINDS))
def network(request) -> FlowNetwork:
    torch.manual_seed(0)
    network = KINDS[request.param]()
    for module in network.modules():
        if isinstance(module, FlowPrediction):
            nn.init.normal_(module.weight, std=1 / module.in_channels**0.5 / 3)
    with torch.no_grad():
        network.train()(*pair(64, 64))  # running statistics of its own
    return network.eval()


@pytest.fixture
def float32(monkeypatch):
    """As on hardware that does not multiply bfloat16."""
    monkeypatch.setattr(flownet_module, "multiplies_bfloat16", lambda _: False)


def pair(height, width, count=2):
    generator = torch.Generator().manual_seed(height + width)
    return torch.rand(2, count, 3, height, width, generator=generator).unbind()


def parameters(network):
    return sum(value.numel() for value in network.parameters())


def test_parameters_are_as_many_as_published():
    with torch.device("meta"):
        assert round(parameters(FlowNetS()) / 1e6, 2) == 38.68
        assert parameters(FlowNetC()) == 39_175_298
        assert parameters(FlowNetC(0.375)) / 1e6 == pytest.approx(5.772, abs=1e-3)


def test_levels_come_coarsest_first_at_fractions_of_the_padded_size(network):
    levels = network(*pair(70, 129))
    assert [tuple(level.shape) for level in levels] == [
        (2, 2, 128 // fraction, 192 // fraction) for fraction in (64, 32, 16, 8, 4)
    ]
    assert all(level.dtype == torch.float32 for level in levels)
    sum(level.square().mean() for level in levels).backward()
    assert [name for name, value in network.named_parameters() if value.grad is None] == []


@pytest.mark.parametrize("size", [(1, 1), (3, 65), (64, 64), (70, 129)])
def test_flow_has_the_size_of_the_images_whatever_it_is(network, size, float32):
    images0, images1 = pair(*size)
    with torch.no_grad():
        flow = network.flow(images0, images1)
        bottom, right = (-side % 64 for side in size)
        padded = [F.pad(x, (0, right, 0, bottom), mode="replicate") for x in (images0, images1)]
        quarter = network(*padded)[-1]
    assert flow.shape == (2, 2, *size)
    full = F.interpolate(quarter, scale_factor=4, mode="bilinear", align_corners=False)
    if getattr(network, "mean", None) is not None:  # a pair's mean is of the pixels that are there
        torch.testing.assert_close(flow, full[..., : size[0], : size[1]], atol=1e-4, rtol=1e-4)
    assert flow.std() > 0


def test_both_directions_are_those_of_two_passes(network, float32):
    images0, images1 = pair(70, 129)
    with torch.no_grad():
        flow_0to1, flow_1to0 = network.both(images0, images1)
        expected = network.flow(images0, images1), network.flow(images1, images0)
    torch.testing.assert_close(flow_0to1, expected[0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(flow_1to0, expected[1], atol=1e-4, rtol=1e-4)
    assert (flow_0to1 - flow_1to0).abs().max() > 1e-2


def test_both_directions_take_one_correlation_and_each_image_once(monkeypatch):
    network = FlowNetC(SMALL).eval()
    multiplied, looked_at = [], []
    correlate = flownetc_module.correlation_layer
    monkeypatch.setattr(
        flownetc_module,
        "correlation_layer",
        lambda *args, **kwargs: multiplied.append(1) or correlate(*args, **kwargs),
    )
    network.tower.register_forward_hook(lambda _, given, __: looked_at.extend(given[0]))
    network.both(*pair(64, 64, count=1))
    assert len(multiplied) == 1
    assert len(looked_at) == 2


def test_a_frame_of_a_video_is_looked_at_once(float32):
    network = FlowNetC(SMALL).eval()
    looked_at = []
    network.tower.register_forward_hook(lambda _, given, __: looked_at.extend(given[0]))
    frames = torch.rand(4, 1, 3, 64, 128)
    with torch.no_grad():
        features = [network.features(frame) for frame in frames]
        flows = [network.flow_between(features[i], features[i + 1]) for i in range(3)]
        assert len(looked_at) == 4
        for i, flow in enumerate(flows):
            torch.testing.assert_close(flow, network.flow(frames[i], frames[i + 1]))


def test_in_bfloat16_flow_is_about_the_same_and_predictions_stay_in_float32(network, monkeypatch):
    images0, images1 = pair(64, 128)
    given = network(images0, images1)[-1].detach()
    monkeypatch.setattr(flownet_module, "multiplies_bfloat16", lambda _: True)
    with torch.inference_mode():
        lean = network.lean()
        flow = network.flow(images0, images1)
    assert flow.dtype == torch.float32
    full = network.enlarge(given, 64, 128)
    assert 0 < (flow - full).abs().mean() < 0.03 * full.abs().mean()
    kinds = (FlowPrediction, FlowUpsampling)
    precise = [module for module in lean.modules() if isinstance(module, kinds)]
    assert {module.weight.dtype for module in precise} == {torch.float32}
    assert next(lean.hourglass.conv4.parameters()).dtype == torch.bfloat16
    assert network.lean() is network  # with gradients
    assert torch.equal(network(images0, images1)[-1], given)


def test_features_of_a_lean_copy_are_good_for_the_network_too(monkeypatch):
    network = FlowNetC(SMALL).eval()
    images = pair(64, 64)
    monkeypatch.setattr(flownet_module, "multiplies_bfloat16", lambda _: True)
    with torch.no_grad():
        known = [network.features(given) for given in images]
        expected = network.flow(*images)
    assert known[0].maps[0].dtype == torch.bfloat16
    found = network.flow_between(*known)
    assert found.requires_grad
    torch.testing.assert_close(found, expected, atol=0.05, rtol=0.05)


def test_autocast_leaves_predictions_in_float32():
    network = FlowNetC(SMALL)
    kinds = []
    for level in network.hourglass.refinement.predictions:
        level.register_forward_hook(
            lambda _, given, made: kinds.append((given[0].dtype, made.dtype))
        )
    with torch.autocast("cpu", torch.bfloat16):
        network(*pair(64, 64))
    assert kinds == 5 * [(torch.bfloat16, torch.float32)]


def test_what_is_saved_comes_back(network, tmp_path):
    save_network(network, tmp_path)
    images = pair(64, 64)
    assert torch.equal(load_network(tmp_path)(*images)[-1], network(*images)[-1])


def test_how_flow_is_refined_is_a_setting(tmp_path):
    save_network(FlowNetC(SMALL, refine="variational"), tmp_path)
    assert load_network(tmp_path).refine == "variational"


def test_features_of_a_shipped_network_are_taken_once(tmp_path, monkeypatch):
    network = FlowNetC(SMALL, features="ucn")
    shipped = load_network("ucn").state_dict()
    own = network.tower.descriptor.state_dict()
    assert own.keys() < shipped.keys()  # without what finds keypoints
    assert all(torch.equal(value, shipped[name]) for name, value in own.items())
    with torch.no_grad():
        network.tower.descriptor.describe.bias.add_(1)
    save_network(network, tmp_path)
    record = yaml.safe_load((tmp_path / "network.yaml").read_text())
    features = record["init_args"]["features"]
    assert features["class_path"] == "corr.models.UniversalCorrespondenceNetwork"
    monkeypatch.setattr(flownetc_module, "described_by", None)  # not asked again
    changed = load_network(tmp_path).state_dict()["tower.descriptor.describe.bias"]
    assert torch.equal(changed, own["describe.bias"])
    assert not torch.equal(changed, shipped["describe.bias"])


class Coarse(DenseDescriptor):
    """Colours of each 16 x 16 px."""

    stride, descriptor_dim = 16, 3

    def forward(self, images):
        return DenseDescription(F.normalize(F.avg_pool2d(images, 16)))


@pytest.mark.parametrize("stride", [1, 4, 16])
def test_descriptors_of_any_stride_are_compared_at_an_eighth_by_their_cosine(stride):
    descriptors = {
        1: {"class_path": "corr.models.StereoDescriptor", "init_args": {"descriptor_dim": 12}},
        4: {"class_path": "corr.models.UniversalCorrespondenceNetwork", "init_args": {}},
        16: {"class_path": f"{__name__}.Coarse", "init_args": {}},
    }
    network = FlowNetC(SMALL, features=descriptors[stride])
    assert network.tower.descriptor.stride == stride
    fine, coarse = network.tower(pair(64, 128)[0])
    assert fine.shape == (2, 16, 16, 32)
    assert coarse.shape[2:] == (8, 16)
    torch.testing.assert_close(coarse.square().mean(1), torch.ones(2, 8, 16))
    assert network(*pair(64, 128))[-1].shape == (2, 2, 16, 32)


def test_frozen_features_stay_as_they_are():
    network = FlowNetC(SMALL, features="ucn", freeze_features=True).train()
    before = {k: v.clone() for k, v in network.tower.descriptor.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=1e-3)
    network(*pair(64, 64))[-1].square().mean().backward()
    optimizer.step()
    after = network.tower.descriptor.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert network.training
    assert not network.tower.descriptor.training


COMPILED = """
import torch
from corr.models import FlowNetC
torch.manual_seed(0)
network = FlowNetC(1 / 32)
images = torch.rand(2, 1, 3, 64, 64).unbind()
compiled = torch.compile(network, fullgraph=True, backend="aot_eager")
for found, expected in zip(compiled(*images), network(*images), strict=True):
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
sum(level.square().mean() for level in compiled(*images)).backward()
assert all(value.grad is not None for value in network.parameters())
"""


@pytest.mark.slow
def test_compiles_as_one_graph():
    # In a process of its own: what checks shapes in tests cannot be traced.
    subprocess.run([sys.executable, "-c", COMPILED], check=True)


def test_refusals():
    with pytest.raises(OptionError, match="width is 0"):
        FlowNetC(0.0)
    with pytest.raises(OptionError, match="use three numbers"):
        FlowNetS(SMALL, mean=[0.5])
    with pytest.raises(OptionError, match="flow_unit is 0"):
        FlowNetS(SMALL, flow_unit=0.0)
    with pytest.raises(ModelError, match="model 'nothing' is neither"):
        FlowNetC(SMALL, features="nothing")
    with pytest.raises(ModelError, match="hardnet' is a HardNet; use one that describes whole"):
        FlowNetC(SMALL, features="hardnet")
    with pytest.raises(ModelError, match="features is a HardNet; use a network that describes"):
        FlowNetC(SMALL, features={"class_path": "corr.models.HardNet"})
    with pytest.raises(ModelError, match="the record of 'features' asks for 'xY'"):
        FlowNetC(SMALL, features={"class_path": "xY"})
    for network in (FlowNetS(SMALL), FlowNetC(SMALL)):
        given = [network.features(torch.zeros(1, 3, *size)) for size in ((8, 9), (8, 10))]
        for method in (network.flow_between, network.both_between):
            with pytest.raises(ShapeError, match="9 x 8 px and images 1 1 of 10 x 8 px"):
                method(*given)
