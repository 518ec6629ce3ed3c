"""The trunk of the paper: what its layers see, where, and the weights that others publish."""

import pytest
import torch
import torch.nn.functional as F

from corr.errors import ModelError
from corr.models import load_googlenet_ucn
from corr.models.googlenet import GoogLeNetTrunk, load_googlenet


def trained(seed: int = 0) -> GoogLeNetTrunk:
    """One whose batch statistics are not those at the start."""
    torch.manual_seed(seed)
    trunk = GoogLeNetTrunk().train()
    with torch.no_grad():
        trunk(torch.randn(2, 3, 64, 64))
    return trunk.eval()


def test_features_at_a_quarter_of_the_sides():
    with torch.no_grad():
        found = trained()(torch.randn(1, 3, 44, 60))
    assert found.shape == (1, 512, 11, 15)


def test_dilated_layers_see_what_the_whole_network_sees():
    """At every fourth cell the features are those of the layers with all their reductions."""
    trunk, images = trained(), torch.randn(1, 3, 96, 128)
    trunk._at_cells = lambda features: features
    reduced = trained()
    for part in (reduced.inception3a, reduced.inception3b, reduced.inception4a):
        for layer in part.modules():
            if isinstance(layer, torch.nn.Conv2d) and layer.kernel_size == (3, 3):
                layer.dilation, layer.padding = (1, 1), (1, 1)
        part.branch4[0].dilation = 1
    with torch.no_grad():
        dense = trunk(images)
        features = F.max_pool2d(reduced.conv1(images), 3, 2, 1)
        features = F.max_pool2d(reduced.conv3(reduced.conv2(features)), 3, 2, 1)
        features = reduced.inception3b(reduced.inception3a(features))
        features = reduced.inception4a(F.max_pool2d(features, 3, 2, 1))
    # The dilated layers have zeros around where the reduced ones have theirs: they agree there too.
    torch.testing.assert_close(dense[:, :, ::4, ::4], features, atol=1e-4, rtol=1e-4)


def test_a_turned_image_has_its_features_at_the_turned_places():
    """With symmetric kernels: cells have the half-pixel rule's centres, though kernels are odd."""
    trunk = trained()
    for layer in trunk.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.weight.data = (layer.weight.data + layer.weight.data.flip(2, 3)) / 2
    x, y = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="xy")
    waves = torch.stack([torch.sin(x / a + y / b) for a, b in ((9, 14), (11, -8), (-13, 17))])
    corrected = turn_error(trunk, waves)
    trunk._at_cells = lambda features: features
    assert corrected < 0.25 * turn_error(trunk, waves)


def turn_error(trunk: GoogLeNetTrunk, image: torch.Tensor) -> float:
    """Mean square of what an image turned by 180 degrees differs in, away from the border."""
    with torch.no_grad():
        upright, turned = trunk(image[None]), trunk(image.flip(1, 2)[None])
    inner = slice(12, -12)
    return float((upright - turned.flip(2, 3))[:, :, inner, inner].square().mean())


def test_reads_the_published_layout(googlenet_file):
    weights = torch.load(googlenet_file, weights_only=True)
    assert {"inception3a.branch2.1.conv.weight", "conv1.bn.running_mean", "fc.bias"} <= set(weights)
    trunk = GoogLeNetTrunk()
    load_googlenet(trunk, googlenet_file)
    for name, value in trunk.state_dict().items():
        assert torch.equal(value, weights[name])


def test_files_that_count_no_batches(googlenet_file, tmp_path):
    weights = torch.load(googlenet_file, weights_only=True)
    kept = {name: v for name, v in weights.items() if not name.endswith("num_batches_tracked")}
    assert len(kept) < len(weights)
    torch.save(kept, tmp_path / "old.pth")
    trunk = GoogLeNetTrunk()
    load_googlenet(trunk, tmp_path / "old.pth")
    assert torch.equal(trunk.conv1.bn.running_var, weights["conv1.bn.running_var"])


def test_a_network_that_begins_with_them(googlenet_file):
    network = load_googlenet_ucn(googlenet_file, "rigid", 32, keypoints=False)
    weights = torch.load(googlenet_file, weights_only=True)
    assert torch.equal(network.trunk.conv1.conv.weight, weights["conv1.conv.weight"])
    with torch.no_grad():
        assert network.eval()(torch.rand(1, 3, 40, 48)).descriptors.shape == (1, 32, 10, 12)
    assert network.settings["trunk"] == "googlenet" and network.settings["transformer"] == "rigid"


def test_names_what_is_wrong_with_a_file(googlenet_file, tmp_path):
    weights = torch.load(googlenet_file, weights_only=True)
    path = tmp_path / "w.pth"
    torch.save({**weights, "conv9.weight": torch.zeros(1), "layer.bias": torch.zeros(1)}, path)
    with pytest.raises(ModelError, match=r"has unknown 'conv9.weight', 'layer.bias'; a file"):
        load_googlenet(GoogLeNetTrunk(), path)
    del weights["conv2.conv.weight"]
    torch.save(weights, path)
    with pytest.raises(ModelError, match=r"misses 'conv2.conv.weight'; a file"):
        load_googlenet(GoogLeNetTrunk(), path)
    weights["conv2.conv.weight"] = torch.zeros(64, 64, 3, 3)
    torch.save(weights, path)
    with pytest.raises(ModelError, match=r"'conv2.conv.weight' is \[64, 64, 3, 3\] instead of"):
        load_googlenet(GoogLeNetTrunk(), path)
    with pytest.raises(ModelError, match="there is no weights file"):
        load_googlenet(GoogLeNetTrunk(), tmp_path / "none.pth")


def test_another_network_is_a_sentence_of_a_few_names(tmp_path):
    names = [f"layer1.{number}.conv1.weight" for number in range(40)]
    torch.save({name: torch.zeros(1) for name in names}, tmp_path / "resnet.pth")
    with pytest.raises(ModelError, match=r"has unknown 'layer1.0.conv1.*' and 34 more; a file"):
        load_googlenet(GoogLeNetTrunk(), tmp_path / "resnet.pth")
