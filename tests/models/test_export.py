"""Exported patch networks: their descriptors in other runtimes, their metadata, their refusals."""

import json
import resource
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from corr.cli import main
from corr.errors import FormatError, MissingExtraError, ModelError, OptionError
from corr.models import (
    FlowNetC,
    FlowNetS,
    GeMNet,
    HardNet,
    HyNet,
    L2Net,
    LightHardNet,
    PatchDescriptor,
    SOSNet,
    TFeat,
    export_cases,
    load_network,
    save_network,
)
from corr.models import export as export_module
from corr.models.export import export_network


def trained(kind: type[PatchDescriptor]) -> PatchDescriptor:
    torch.manual_seed(0)
    network = kind().train()
    for _ in range(2):
        network(torch.rand(16, 1, 32, 32) ** 2)
    return network


def onnx_descriptors(path: Path, patches: torch.Tensor) -> np.ndarray:
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra 'export'")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(None, {"patches": patches.numpy()})[0]


@pytest.mark.parametrize("kind", [HardNet, L2Net, SOSNet, LightHardNet, TFeat, HyNet])
def test_onnxruntime_describes_as_the_network_in_batches_of_any_size(kind, tmp_path, capfd):
    network = trained(kind)
    assert 0 < export_network(network, tmp_path / "net.onnx") < 1e-4
    assert network.training
    assert [path.name for path in tmp_path.iterdir()] == ["net.onnx"]  # the weights are in it
    network.eval()
    for count in (1, 2, 33):
        patches = torch.rand(count, 1, 32, 32)
        patches[0] *= 0.02
        with torch.no_grad():
            expected = network(patches).numpy()
        found = onnx_descriptors(tmp_path / "net.onnx", patches)
        np.testing.assert_allclose(found, expected, atol=1e-4, rtol=0)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("kind", [HardNet, SOSNet, TFeat, HyNet])
def test_an_exported_program_describes_as_the_network(kind, tmp_path):
    network = trained(kind)
    export_network(network, tmp_path / "net.pt2")
    program = torch.export.load(tmp_path / "net.pt2").module()
    network.eval()
    for count in (1, 2, 33):
        patches = torch.rand(count, 1, 32, 32)
        with torch.no_grad():
            torch.testing.assert_close(program(patches), network(patches), atol=1e-5, rtol=0)


@pytest.mark.parametrize("suffix", [".onnx", ".pt2"])
@pytest.mark.parametrize("make", [FlowNetC, FlowNetS])
def test_flow_is_told_as_by_the_network(make, suffix, tmp_path):
    torch.manual_seed(0)
    network = make(0.0625).eval()
    for value in network.parameters():
        value.data *= 1.4  # flow of some px
    path = tmp_path / f"flow{suffix}"
    assert export_network(network, path, size=(72, 100)) < 1e-2
    images = torch.rand(2, 3, 3, 72, 100)
    with torch.no_grad():
        expected = network.enlarge(network(*images)[-1], 72, 100)  # in float32, as exported
    if suffix == ".pt2":
        found = torch.export.load(path).module()(*images)
    else:
        onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra 'export'")
        import onnx

        kinds = {node.op_type for node in onnx.load(path).graph.node}
        assert not {kind for kind in kinds if kind.startswith(("Gather", "Scatter", "GridSample"))}
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        names = ("images0", "images1")
        given = {name: value.numpy() for name, value in zip(names, images, strict=True)}
        found = torch.from_numpy(session.run(["flow"], given)[0])
    assert expected.abs().mean() > 0.1
    torch.testing.assert_close(found, expected, atol=1e-2, rtol=1e-3)


def test_the_command_takes_the_size_of_the_images(tmp_path, capsys):
    save_network(FlowNetS(0.03125), tmp_path / "net")
    command = ["export", str(tmp_path / "net"), "-o", str(tmp_path / "flow.pt2"), "--size"]
    assert main([*command, "64"]) == 2
    assert "--size is '64'; give HEIGHTxWIDTH, such as 384x512" in capsys.readouterr().err
    assert main([*command, "70x65"]) == 0
    images = torch.rand(2, 1, 3, 70, 65)
    flow = torch.export.load(tmp_path / "flow.pt2").module()(*images)
    assert flow.shape == (1, 2, 70, 65)


def test_only_flow_has_a_size(tmp_path):
    with pytest.raises(OptionError, match="a size was given for a TFeat; only networks of flow"):
        export_network(TFeat(), tmp_path / "net.pt2", size=(64, 64))
    with pytest.raises(OptionError, match="size is 0 x 64 px"):
        export_network(FlowNetS(0.0625), tmp_path / "net.pt2", size=(0, 64))


def test_the_settings_travel_with_the_file(tmp_path):
    onnx = pytest.importorskip("onnx", reason="needs the extra 'export'")
    network = load_network("hardnet")
    expected = {"class_path": "corr.models.HardNet", "init_args": network.settings}
    export_network(network, tmp_path / "net.onnx")
    export_network(network, tmp_path / "net.pt2")
    model = onnx.load(tmp_path / "net.onnx")
    onnx.checker.check_model(model)
    assert json.loads({e.key: e.value for e in model.metadata_props}["corr"]) == expected
    assert [value.name for value in model.graph.input] == ["patches"]
    assert [value.name for value in model.graph.output] == ["descriptors"]
    extra = {"corr": ""}
    torch.export.load(tmp_path / "net.pt2", extra_files=extra)
    assert json.loads(extra["corr"]) == expected


class Branching(PatchDescriptor):
    """What it does depends on the patches, which no export can follow."""

    def __init__(self) -> None:
        super().__init__()
        self.descriptor_dim, self.sigmas = 1024, 20.0

    def forward(self, patches):
        if patches.sum() > 0:
            return nn.functional.normalize(patches.flatten(1), dim=1)
        return patches.flatten(1)


@pytest.mark.parametrize("suffix", [".onnx", ".pt2"])
def test_refusals_leave_nothing(suffix, tmp_path, monkeypatch):
    target = tmp_path / f"net{suffix}"
    target.write_bytes(b"older")
    with pytest.raises(ModelError, match="type GeMNet does not describe patches"):
        export_network(GeMNet(), target)
    with pytest.raises(ModelError, match="Branching cannot be exported: ") as caught:
        export_network(Branching(), target)
    assert "\n" not in str(caught.value)
    with monkeypatch.context() as patch:
        patch.setattr(export_cases, "TOLERANCE", -1.0)
        with pytest.raises(ModelError, match="TFeat gives other descriptors once exported"):
            export_network(TFeat(), target)
    with pytest.raises(FormatError, match=r"use \.onnx or \.pt2"):
        export_network(TFeat(), tmp_path / "net.pth")
    with pytest.raises(FormatError, match="there is no folder"):
        export_network(TFeat(), tmp_path / "nowhere" / f"net{suffix}")
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert target.read_bytes() == b"older"


@pytest.mark.parametrize("suffix", [".onnx", ".pt2"])
def test_a_disk_that_fills_leaves_nothing(suffix, tmp_path):
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, former[1]))
    try:
        with pytest.raises(FormatError, match="cannot be written: File too large"):
            export_network(TFeat(), tmp_path / f"net{suffix}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    assert not list(tmp_path.iterdir())


def test_without_the_packages_onnx_is_refused_and_pt2_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(
        export_module, "find_spec", lambda name: None if name.startswith("onnx") else sys
    )
    with pytest.raises(MissingExtraError, match=r"needs onnx and onnxscript and .*\[export\]"):
        export_network(TFeat(), tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())
    export_network(TFeat(), tmp_path / "net.pt2")
