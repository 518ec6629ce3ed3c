"""Networks on disk: a folder with `network.yaml` (what to build) and `weights.safetensors`.

Neither file can run code: the class is looked up among those already imported, and the weights are
plain arrays.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from corr.errors import CorrError, ModelError
from corr.formats.atomic import replacing
from corr.models.flow_network import FlowNetwork
from corr.models.network import DenseDescriptor, Network
from corr.resources import weights_root

RECORD = "network.yaml"
WEIGHTS = "weights.safetensors"


def save_network(
    network: Network, folder: str | Path, *, dtype: torch.dtype = torch.float32
) -> None:
    """Write a network's settings and weights, so that `load_network` gives it back.

    Args:
        network: what to write.
        folder: made when missing; an older network in it is replaced.
        dtype: of the parameters on disk; `torch.float16` halves the file. Running statistics stay
            as they are.

    Raises:
        ModelError: the network's settings are not plain values, or the folder cannot be made.
        FormatError: a file cannot be written.
    """
    record = yaml.safe_dump(network_record(network), sort_keys=False)
    parameters = {name for name, _ in network.named_parameters()}
    weights = {
        name: value.detach().to("cpu", dtype if name in parameters else value.dtype).contiguous()
        for name, value in network.state_dict().items()
    }
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ModelError(f"folder '{folder}' cannot be made: {error.strerror}") from error
    with replacing(folder / WEIGHTS) as path:
        path.write_bytes(save(weights))  # save_file would make it readable by its owner alone
    with replacing(folder / RECORD) as path:
        path.write_text(record, encoding="utf-8")


def load_network(name_or_folder: str | Path) -> Network:
    """A shipped network, or one that training wrote, on the CPU in float32 and evaluation mode.

    Args:
        name_or_folder: the name of a shipped network, or a folder with both files.

    Raises:
        ModelError: the name is unknown, a file is missing or damaged, or the two do not fit.
    """
    folder = _find(name_or_folder)
    network = _build(folder / RECORD)
    _load_weights(network, folder / WEIGHTS)
    return network.float().eval()


def load_dense_descriptor(name_or_folder: str | Path) -> DenseDescriptor:
    """A network that describes whole images, such as one whose training is to go on in a recipe.

    Args:
        name_or_folder: as `load_network` takes it.

    Raises:
        ModelError: likewise, or it describes patches.
    """
    network = load_network(name_or_folder)
    if not isinstance(network, DenseDescriptor):
        raise ModelError(
            f"model '{name_or_folder}' is a {type(network).__name__}; use one that describes "
            "whole images, such as ucn"
        )
    return network


def load_flow_network(name_or_folder: str | Path) -> FlowNetwork:
    """A network of optical flow, such as one whose training is to go on in a recipe.

    Args:
        name_or_folder: as `load_network` takes it.

    Raises:
        ModelError: likewise, or it does something else.
    """
    network = load_network(name_or_folder)
    if not isinstance(network, FlowNetwork):
        raise ModelError(
            f"model '{name_or_folder}' is a {type(network).__name__}; use one of optical flow"
        )
    return network


def shipped_networks() -> list[str]:
    """The names of the networks that come with the installation."""
    return sorted(path.parent.name for path in weights_root().glob(f"*/{RECORD}"))


def network_record(network: Network) -> dict[str, Any]:
    """What `network.yaml` says: `class_path` and `init_args`.

    Raises:
        ModelError: a setting is not a plain value.
    """
    for name, value in network.settings.items():
        try:
            yaml.safe_dump(value)
        except yaml.YAMLError as error:
            kind = type(value).__name__
            raise ModelError(
                f"{type(network).__name__} cannot be saved: its setting '{name}' is a {kind}; "
                "use numbers, strings, lists and dictionaries"
            ) from error
    return {"class_path": _class_path(type(network)), "init_args": network.settings}


def _find(name_or_folder: str | Path) -> Path:
    shipped = shipped_networks()
    if isinstance(name_or_folder, str) and name_or_folder in shipped:
        return weights_root() / name_or_folder
    folder = Path(name_or_folder)
    if not folder.is_dir():
        names = ", ".join(shipped) or "none, for none is installed"
        raise ModelError(f"model '{name_or_folder}' is neither a folder nor one of: {names}")
    for name in (RECORD, WEIGHTS):
        if not (folder / name).is_file():
            raise ModelError(f"folder '{folder}' holds no network: '{name}' is missing")
    return folder


def build_network(record: Any, source: str) -> Network:
    """The network that a record describes, with weights as at the start of a training.

    Args:
        record: as `network_record` gives it.
        source: where it is from, for the message.

    Raises:
        ModelError: it is damaged, names an unknown class, or settings that the class refuses.
    """
    try:
        class_path, init_args = record["class_path"], dict(record.get("init_args") or {})
    except (AttributeError, TypeError, ValueError, KeyError) as error:
        raise ModelError(f"{source} is damaged; it has to hold class_path and init_args") from error
    known = {_class_path(kind): kind for kind in _subclasses(Network)}
    if class_path not in known:
        raise ModelError(
            f"{source} asks for '{class_path}', which is not known; import its module first, "
            f"or use one of {', '.join(sorted(known))}"
        )
    try:
        return known[class_path](**init_args)
    except (TypeError, CorrError) as error:
        raise ModelError(f"{source} does not fit {class_path}: {error}") from error


def _build(path: Path) -> Network:
    try:
        record = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ModelError(f"'{path}' is damaged; it has to hold class_path and init_args") from error
    return build_network(record, f"'{path}'")


def _load_weights(network: Network, path: Path) -> None:
    try:
        weights = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ModelError(f"weights file '{path}' is damaged: {error}") from error
    wanted = network.state_dict()
    difference = _first_difference(weights, wanted)
    if difference:
        raise ModelError(
            f"weights file '{path}' does not fit {type(network).__name__}: {difference}"
        )
    network.load_state_dict(weights)


def _first_difference(weights: dict[str, Tensor], wanted: dict[str, Tensor]) -> str | None:
    for name in sorted(weights.keys() ^ wanted.keys()):
        return f"'{name}' is {'missing' if name in wanted else 'not expected'}"
    for name, value in wanted.items():
        if weights[name].shape != value.shape:
            return f"'{name}' is {list(weights[name].shape)} instead of {list(value.shape)}"
    return None


def _subclasses(kind: type[Network]) -> Iterator[type[Network]]:
    for child in kind.__subclasses__():
        if not inspect.isabstract(child):
            yield child
        yield from _subclasses(child)


def _class_path(kind: type[Network]) -> str:
    module = "corr.models" if kind.__module__.startswith("corr.models.") else kind.__module__
    return f"{module}.{kind.__qualname__}"
