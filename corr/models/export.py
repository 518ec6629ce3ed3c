"""Patch networks as files that run without corr: ONNX, and PyTorch's exported programs."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from corr.errors import MissingExtraError, ModelError
from corr.formats.atomic import replacing
from corr.formats.suffixes import check_output
from corr.geometry import PATCH_SIZE
from corr.models.network import Network, PatchDescriptor
from corr.models.saved import network_record

SUFFIXES = (".onnx", ".pt2")
TOLERANCE = 1e-4
"""How far an exported network's descriptors may be from the network's own, in each entry."""
RECORD = "corr"
"""The entry of a file's metadata that holds `class_path` and `init_args`, as JSON."""

_BATCHES = (1, 5)
"""Sizes of the batches that an export is checked on; it is traced with another."""
_PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def export_network(network: Network, path: str | Path) -> float:
    """Write a patch network so that other programs can run it; any number of patches goes in.

    The input `patches` is `(B, 1, 32, 32)` in [0, 1], the output `descriptors` `(B, D)` of unit
    length, both float32. The file's metadata hold the network's settings, `sigmas` among them. It
    appears only after its descriptors were compared with the network's.

    Args:
        network: describes patches; it is exported in evaluation mode, whatever mode it is in.
        path: ends in .onnx, or in .pt2 for `torch.export.load`.

    Returns:
        The largest difference of an entry, by onnxruntime or by PyTorch, on random patches.

    Raises:
        FormatError: the suffix is not accepted, or the file cannot be written.
        MissingExtraError: a package for ONNX is not installed.
        ModelError: the network does not describe patches, cannot be exported, or gives other
            descriptors afterwards.
    """
    suffix = check_output(path, SUFFIXES).suffix.lower()
    if not isinstance(network, PatchDescriptor):
        raise ModelError(
            f"a network of type {type(network).__name__} does not describe patches, "
            "and only those that do can be exported"
        )
    if suffix == ".onnx":
        _check_packages()
    record = json.dumps(network_record(network))
    was_training = network.training
    try:
        network.eval()
        with replacing(path) as temporary, torch.no_grad(), _quiet():
            program = _traced(network)
            run = (_write_onnx if suffix == ".onnx" else _write_pt2)(program, temporary, record)
            return _largest_difference(network, run)
    finally:
        network.train(was_training)


def _traced(network: PatchDescriptor) -> torch.export.ExportedProgram:
    device = next((value.device for value in network.parameters()), None)
    patches = torch.rand(2, 1, PATCH_SIZE, PATCH_SIZE, device=device)
    try:
        return torch.export.export(
            network, (patches,), dynamic_shapes=({0: torch.export.Dim("batch")},)
        )
    except Exception as error:  # PyTorch has no base class for what tracing may raise
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(f"{type(network).__name__} cannot be exported: {first}") from error


def _write_onnx(
    program: torch.export.ExportedProgram, path: Path, record: str
) -> Callable[[Tensor], Tensor]:
    try:
        exported = torch.onnx.export(
            program,
            dynamo=True,
            verbose=False,
            input_names=["patches"],
            output_names=["descriptors"],
        )
    except torch.onnx.OnnxExporterError as error:
        first = str(error).splitlines()[0]
        raise ModelError(f"the network cannot be exported to ONNX: {first}") from error
    if exported is None:
        raise ModelError("the network cannot be exported to ONNX by this version of PyTorch")
    exported.model.metadata_props[RECORD] = record
    exported.save(path, external_data=False)
    import onnxruntime

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def run(patches: Tensor) -> Tensor:
        (descriptors,) = session.run(["descriptors"], {"patches": patches.cpu().numpy()})
        return torch.from_numpy(np.asarray(descriptors))

    return run


def _write_pt2(
    program: torch.export.ExportedProgram, path: Path, record: str
) -> Callable[[Tensor], Tensor]:
    content = io.BytesIO()  # on a full disk PyTorch's own writer ends the process
    torch.export.save(program, content, extra_files={RECORD: record})
    path.write_bytes(content.getvalue())
    return torch.export.load(path).module()


def _largest_difference(network: PatchDescriptor, run: Callable[[Tensor], Tensor]) -> float:
    device = next((value.device for value in network.parameters()), None)
    largest = 0.0
    for count in _BATCHES:
        generator = torch.Generator().manual_seed(count)
        patches = torch.rand(count, 1, PATCH_SIZE, PATCH_SIZE, generator=generator).to(device)
        difference = (run(patches).cpu() - network(patches).cpu()).abs().max()
        largest = max(largest, float(difference))
    if not largest <= TOLERANCE:
        raise ModelError(
            f"{type(network).__name__} gives other descriptors once exported: an entry differs by "
            f"{largest:.2g}, and {TOLERANCE:.0e} is allowed"
        )
    return largest


def _check_packages() -> None:
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"export to .onnx needs {' and '.join(missing)}, not installed here; "
            "run: pip install corr-toolkit[export], or export to .pt2"
        )


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the exporter says of its own parts, such as packages that it could use."""
    logger = logging.getLogger("torch.onnx")
    former = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(former)
