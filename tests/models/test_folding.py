"""Networks made lean for inference."""

import pytest
import torch
from skimage import data
from torch import nn

import corr
from corr.models import UniversalCorrespondenceNetwork
from corr.models.folding import lean_copy


@pytest.fixture
def network():
    """One whose normalisations do something."""
    torch.manual_seed(0)
    built = UniversalCorrespondenceNetwork()
    for _ in range(3):
        built(torch.rand(2, 3, 64, 64))
    for layer in built.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.2)
    return built.eval()


@torch.no_grad()
def test_a_lean_copy_says_the_same(network):
    images = torch.rand(1, 3, 72, 100)
    expected = network(images)
    lean = lean_copy(network)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in lean.modules())
    assert {p.dtype for p in lean.parameters()} == {torch.bfloat16}
    found = lean.describe_normalized(network.normalize(network.view(images)).bfloat16())
    assert found.descriptors.dtype == torch.float32
    cosines = (found.descriptors * expected.descriptors).sum(1)
    assert cosines.min() > 0.998
    spread = expected.repeatability.std()
    assert (found.repeatability - expected.repeatability).abs().mean() < 0.05 * spread


def test_the_network_stays_as_it_is(network):
    before = {name: value.clone() for name, value in network.state_dict().items()}
    lean_copy(network)
    after = network.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_made_once_for_the_same_weights(network):
    first = lean_copy(network)
    assert lean_copy(network) is first
    with torch.no_grad():
        network.describe.weight.mul_(-1)
    second = lean_copy(network)
    assert second is not first
    torch.testing.assert_close(second.describe.weight, -first.describe.weight)
    network.load_state_dict(UniversalCorrespondenceNetwork().state_dict())
    assert lean_copy(network) is not second


def test_what_samples_between_cells_does_not_fold():
    assert UniversalCorrespondenceNetwork().folds
    assert not UniversalCorrespondenceNetwork(refine=True).folds
    assert not UniversalCorrespondenceNetwork(transformer="affine").folds


def test_extraction_by_both_agrees():
    """Keypoints and descriptors of a photograph, where the machine has bfloat16 at all."""
    image, shipped = data.astronaut(), corr.load_network("ucn")
    lean = corr.extract(image, model=shipped)
    shipped.folds = False
    plain = corr.extract(image, model=shipped)
    away = torch.cdist(torch.from_numpy(lean.keypoints), torch.from_numpy(plain.keypoints)).min(1)
    same = away.values < 0.3
    assert same.float().mean() > 0.9
    nearest = torch.from_numpy(plain.descriptors)[away.indices]
    cosines = (torch.from_numpy(lean.descriptors) * nearest).sum(1)[same]
    assert cosines.median() > 0.999


def test_a_network_loaded_in_inference_mode():
    with torch.inference_mode():
        loaded = corr.load_network("ucn")
        found = corr.extract(data.astronaut()[:128, :128], model=loaded)
    assert lean_copy(loaded) is lean_copy(loaded)
    assert len(found) > 20
