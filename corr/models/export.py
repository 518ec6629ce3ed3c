"""Networks as files that run without corr: ONNX, and PyTorch's exported programs."""

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
from corr.models.export_cases import ExportCase, export_case
from corr.models.network import Network
from corr.models.saved import network_record

SUFFIXES = (".onnx", ".pt2")
RECORD = "corr"
"""The entry of a file's metadata that holds `class_path` and `init_args`, as JSON."""
_PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def export_network(
    network: Network, path: str | Path, *, size: tuple[int, int] | None = None
) -> float:
    """Write a network so that other programs can run it, on a batch of any size.

    A patch network turns `patches`, `(B, 1, 32, 32)` in [0, 1], into `descriptors`, `(B, D)` of
    unit length. A flow network turns `images0` and `images1`, each `(B, 3, H, W)` in [0, 1] and of
    the one size that it was exported for, into `flow`, `(B, 2, H, W)` px. All are float32. The
    file's metadata hold the network's settings. It appears only after its results were compared
    with the network's.

    Args:
        network: describes patches or tells flow; it is exported in evaluation mode, whatever mode
            it is in.
        path: ends in .onnx, or in .pt2 for `torch.export.load`.
        size: height and width of the images of a flow network; 384 x 512 when not given.

    Returns:
        The largest difference of an entry, by onnxruntime or by PyTorch, on random inputs.

    Raises:
        FormatError: the suffix is not accepted, or the file cannot be written.
        MissingExtraError: a package for ONNX is not installed.
        ModelError: the network does something else, cannot be exported, or gives other results
            afterwards.
        OptionError: the size is below 1, or was given for patches.
    """
    suffix = check_output(path, SUFFIXES).suffix.lower()
    case = export_case(network, size)
    if suffix == ".onnx":
        _check_packages()
    record = json.dumps(network_record(network))
    was_training = network.training
    try:
        network.eval()
        with replacing(path) as temporary, torch.no_grad(), _quiet():
            program = _traced(case)
            if suffix == ".onnx":
                run = _write_onnx(program, temporary, record, case)
            else:
                run = _write_pt2(program, temporary, record)
            return _largest_difference(case, run)
    finally:
        network.train(was_training)


def _traced(case: ExportCase) -> torch.export.ExportedProgram:
    case.module.eval()
    inputs = case.examples(2, _device(case))
    batch = {0: torch.export.Dim("batch")}
    try:
        return torch.export.export(case.module, inputs, dynamic_shapes=tuple(batch for _ in inputs))
    except Exception as error:  # PyTorch has no base class for what tracing may raise
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise ModelError(f"{case.name} cannot be exported: {first}") from error


def _write_onnx(
    program: torch.export.ExportedProgram, path: Path, record: str, case: ExportCase
) -> Callable[..., Tensor]:
    try:
        exported = torch.onnx.export(
            program,
            dynamo=True,
            verbose=False,
            input_names=list(case.inputs),
            output_names=[case.output],
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

    def run(*inputs: Tensor) -> Tensor:
        given = {name: value.cpu().numpy() for name, value in zip(case.inputs, inputs, strict=True)}
        (made,) = session.run([case.output], given)
        return torch.from_numpy(np.asarray(made))

    return run


def _write_pt2(
    program: torch.export.ExportedProgram, path: Path, record: str
) -> Callable[..., Tensor]:
    content = io.BytesIO()  # on a full disk PyTorch's own writer ends the process
    torch.export.save(program, content, extra_files={RECORD: record})
    path.write_bytes(content.getvalue())
    return torch.export.load(path).module()


def _largest_difference(case: ExportCase, run: Callable[..., Tensor]) -> float:
    largest = 0.0
    for count in case.batches:
        inputs = case.examples(count, _device(case))
        difference = (run(*inputs).cpu() - case.module(*inputs).cpu()).abs().max()
        largest = max(largest, float(difference))
    if not largest <= case.tolerance:
        raise ModelError(
            f"{case.name} gives other {case.output} once exported: an entry differs by "
            f"{largest:.2g}, and {case.tolerance:.0e} is allowed"
        )
    return largest


def _device(case: ExportCase) -> torch.device | None:
    return next((value.device for value in case.module.parameters()), None)


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
