"""Published weight files of FlowNet: made here in their layouts, by networks written plainly."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from corr.errors import ModelError
from corr.models import load_network, load_published_flow, save_network
from corr.volume.correlation import correlation_layer

NAMES = {
    "conv2": (64, 128, 5, 2),
    "conv3": (128, 256, 5, 2),
    "conv4": (256, 512, 3, 2),
    "conv4_1": (512, 512, 3, 1),
    "conv5": (512, 512, 3, 2),
    "conv5_1": (512, 512, 3, 1),
    "conv6": (512, 1024, 3, 2),
    "conv6_1": (1024, 1024, 3, 1),
}
EIGHTH = 8
"""Layers here are an eighth as wide as published, so that the test is quick."""


class Published(nn.Module):
    """FlowNetS or FlowNetC with the layers' published names, for the tests of the names."""

    def __init__(self, kind, *, constants, batch_norm=False, divisor=EIGHTH):
        super().__init__()
        self.kind = kind

        def conv(channels, width, kernel, stride):
            layers = [nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=not batch_norm)]
            layers += [nn.BatchNorm2d(width)] if batch_norm else []
            return nn.Sequential(*layers, nn.LeakyReLU(0.1))

        def w(channels):
            return channels // divisor

        self.conv1 = conv(3 if kind == "C" else 6, w(64), 7, 2)
        for name, (channels, width, kernel, stride) in NAMES.items():
            setattr(self, name, conv(w(channels), w(width), kernel, stride))
        redirected = 8 * -(-w(32) // 8)
        if kind == "C":
            self.conv_redir = conv(w(256), redirected, 1, 1)
        self.conv3_1 = conv(441 + redirected if kind == "C" else w(256), w(256), 3, 1)
        inner = w(1024)
        for step, (skip, width) in enumerate(((512, 512), (512, 256), (256, 128), (128, 64))):
            coarse, fine = 6 - step, 5 - step
            layer = nn.ConvTranspose2d(inner, w(width), 4, 2, 1, bias=constants)
            setattr(self, f"deconv{fine}", nn.Sequential(layer, nn.LeakyReLU(0.1)))
            setattr(self, f"predict_flow{coarse}", nn.Conv2d(inner, 2, 3, 1, 1, bias=constants))
            up = nn.ConvTranspose2d(2, 2, 4, 2, 1, bias=constants and kind == "C")
            setattr(self, f"upsampled_flow{coarse}_to_{fine}", up)
            inner = w(skip) + w(width) + 2
        self.predict_flow2 = nn.Conv2d(inner, 2, 3, 1, 1, bias=constants)

    def forward(self, x1, x2, *, summed=False):
        """Flow at 1/4, in units of 20 px."""
        if self.kind == "C":
            fine = self.conv2(self.conv1(x1))
            a, b = self.conv3(fine), self.conv3(self.conv2(self.conv1(x2)))
            scores = correlation_layer(a, b) * (a.shape[1] if summed else 1)
            c3 = torch.cat((self.conv_redir(a), F.leaky_relu(scores, 0.1)), 1)
        else:
            fine = self.conv2(self.conv1(torch.cat((x1, x2), 1)))
            c3 = self.conv3(fine)
        c3 = self.conv3_1(c3)
        c4 = self.conv4_1(self.conv4(c3))
        c5 = self.conv5_1(self.conv5(c4))
        merged = self.conv6_1(self.conv6(c5))
        for coarse, skip in ((6, c5), (5, c4), (4, c3), (3, fine)):
            flow = getattr(self, f"predict_flow{coarse}")(merged)
            up = getattr(self, f"upsampled_flow{coarse}_to_{coarse - 1}")(flow)
            merged = torch.cat((skip, getattr(self, f"deconv{coarse - 1}")(merged), up), 1)
        return self.predict_flow2(merged)


def theirs(kind, **settings):
    torch.manual_seed(3)
    network = Published(kind, **settings).eval()
    for name, value in network.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(value, std=0.1)
    return network


def file(path, network, **more):
    torch.save({"epoch": 3, "arch": "x", "state_dict": network.state_dict()} | more, path)
    return path


def pair():
    generator = torch.Generator().manual_seed(5)
    return torch.rand(2, 1, 3, 64, 128, generator=generator).unbind()


PINARD = torch.tensor([0.45, 0.432, 0.411])[:, None, None]


@pytest.mark.parametrize("kind", ["S", "C"])
@pytest.mark.parametrize("layout", ["nvidia", "pinard", "pinard-bn"])
def test_flow_is_that_of_the_network_of_the_file(kind, layout, tmp_path):
    network = theirs(kind, constants=layout == "nvidia", batch_norm=layout == "pinard-bn")
    loaded = load_published_flow(file(tmp_path / "a.pth.tar", network))
    assert type(loaded).__name__ == f"FlowNet{kind}"
    assert not loaded.training
    a, b = pair()
    mean = (a + b).mean((2, 3), keepdim=True) / 2 if layout == "nvidia" else PINARD
    with torch.no_grad():
        expected = 20 * network(a - mean, b - mean)
        torch.testing.assert_close(loaded(a, b)[-1], expected, atol=1e-3, rtol=1e-4)
    save_network(loaded, tmp_path / "published")
    again = load_network(tmp_path / "published")
    with torch.no_grad():
        assert torch.equal(again(a, b)[-1], loaded(a, b)[-1])


def test_what_a_file_does_not_say_is_said_by_options(tmp_path):
    network = theirs("C", constants=False)
    path = file(tmp_path / "a.pth", network, div_flow=5)
    a, b = pair()
    mean = torch.tensor([0.1, 0.2, 0.3])[:, None, None]
    options = {"mean": [0.1, 0.2, 0.3], "bgr": True, "summed": True}
    with torch.no_grad():
        expected = 5 * network((a - mean).flip(1), (b - mean).flip(1), summed=True)
        found = load_published_flow(path, **options)
        torch.testing.assert_close(found(a, b)[-1], expected, atol=1e-3, rtol=1e-4)
        other = load_published_flow(path, flow_unit=20.0, **options)
        torch.testing.assert_close(other(a, b)[-1], 4 * expected, atol=1e-3, rtol=1e-4)
    assert load_published_flow(path, mean="pair").mean is None


@pytest.mark.parametrize("kind", ["S", "C"])
def test_parameters_are_as_many_as_published(kind):
    with torch.device("meta"):
        network = Published(kind, constants=True, divisor=1)
    count = sum(value.numel() for value in network.parameters())
    assert round(count / 1e6, 2) == {"S": 38.68, "C": 39.18}[kind]


def test_names_of_a_wrapper_for_several_gpus(tmp_path):
    network = theirs("S", constants=True)
    file(tmp_path / "a.pth", nn.DataParallel(network))
    assert "module.conv1.0.weight" in torch.load(tmp_path / "a.pth")["state_dict"]
    a, b = pair()
    file(tmp_path / "b.pth", network)
    torch.save(network.state_dict(), tmp_path / "c.pth")
    flows = [load_published_flow(tmp_path / f"{name}.pth")(a, b)[-1] for name in "abc"]
    assert torch.equal(flows[0], flows[1])
    assert torch.equal(flows[0], flows[2])


def test_other_files_are_refused_by_the_names_in_them(tmp_path):
    state = theirs("C", constants=True).state_dict()
    without = {name: value for name, value in state.items() if name != "deconv4.0.weight"}
    for pattern, content in {
        r"misses 'deconv4.0.weight'; a file of FlowNetS or FlowNetC": without,
        r"has unknown 'inter_conv5.0.weight'": state | {"inter_conv5.0.weight": torch.zeros(2)},
        r"'conv4.0.weight' is \[2\] instead of": state | {"conv4.0.weight": torch.zeros(2)},
        r"another layout": {"conv1.0.weight": torch.zeros(3)},
    }.items():
        torch.save({"state_dict": content}, tmp_path / "x.pth")
        with pytest.raises(ModelError, match=pattern):
            load_published_flow(tmp_path / "x.pth")
    with pytest.raises(ModelError, match="there is no weights file"):
        load_published_flow(tmp_path / "nothing.pth")


def test_a_file_cannot_run_code(tmp_path):
    class Harmful:
        def __reduce__(self):
            return (tmp_path / "ran").touch, ()

    torch.save({"state_dict": Harmful()}, tmp_path / "a.pth")
    with pytest.raises(ModelError, match="holds more than weights"):
        load_published_flow(tmp_path / "a.pth")
    assert not (tmp_path / "ran").exists()
