"""What `--model` may name, for each task."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import torch

from corr.errors import ModelError
from corr.models.gemnet import GeMNet
from corr.models.network import DenseDescriptor, Network
from corr.models.saved import RECORD, WEIGHTS, load_network, shipped_networks
from corr.resources import weights_root

DEFAULTS = {
    "match": "rootsift",
    "extract": "rootsift",
    "dense": "ucn",
    "disparity": "stereo",
    "flow": "dis-varref",
    "embed": "gemnet-triplet",
    "transfer": "ucn-semantic",
}
"""The model of each task when none is named."""


@dataclass(frozen=True)
class Entry:
    """One model by name."""

    name: str
    tasks: tuple[str, ...]
    kind: str
    """`classical`, `learned`, or `untrained`."""
    summary: str


_CLASSICAL = (
    Entry(
        "rootsift",
        ("match", "extract"),
        "classical",
        "SIFT keypoints and the square root of their histograms, which match better",
    ),
    Entry("sift", ("match", "extract"), "classical", "SIFT keypoints and descriptors, unbiased"),
    Entry("orb", ("match", "extract"), "classical", "ORB, 256 bits a keypoint: the fastest"),
    Entry("akaze", ("match", "extract"), "classical", "AKAZE, 486 bits a keypoint"),
    Entry("census", ("disparity",), "classical", "census cost and our semi-global matching"),
    Entry("sgbm", ("disparity",), "classical", "OpenCV's semi-global matching, padded and filled"),
    Entry("bm", ("disparity",), "classical", "OpenCV's block matching: fast, leaves holes"),
    Entry("dis", ("flow",), "classical", "dense inverse search by OpenCV, to full resolution"),
    Entry("dis-varref", ("flow",), "classical", "the same, and variational refinement by OpenCV"),
    Entry("farneback", ("flow",), "classical", "Farneback's polynomial expansion, by OpenCV"),
    Entry("lucas-kanade", ("flow",), "classical", "our Lucas-Kanade, coarse to fine"),
    Entry(
        "dense-sift-nn",
        ("transfer",),
        "classical",
        "dense SIFT at three scales, each point's nearest neighbour anywhere",
    ),
    Entry(
        "dense-sift",
        ("transfer",),
        "classical",
        "the same, each point supported by its surroundings",
    ),
    Entry("identity", ("transfer",), "classical", "the same place of the resized image: the floor"),
    Entry("colour-histogram", ("embed",), "classical", "joint histogram of hue, saturation, value"),
)
_UNTRAINED = Entry(
    "gemnet-untrained", ("embed",), "untrained", "GeMNet before any training: the floor to compare"
)
_LEARNED = {
    "flownetc": Entry(
        "flownetc",
        ("flow",),
        "learned",
        "FlowNetC with 3/8 of the channels on the descriptors of ucn, from synthetic scenes",
    ),
    "hardnet": Entry(
        "hardnet",
        ("match", "extract", "disparity"),
        "learned",
        "HardNet on oriented patches of SIFT keypoints",
    ),
    "hardnet-light": Entry(
        "hardnet-light",
        ("match", "extract"),
        "learned",
        "HardNet with a quarter of the multiply-adds: nearly as many matches, faster",
    ),
    "hardnet-stn": Entry(
        "hardnet-stn",
        ("match", "extract"),
        "learned",
        "light HardNet that turns the patches of SIFT keypoints itself: no orientation is needed",
    ),
    "stereo": Entry(
        "stereo",
        ("disparity",),
        "learned",
        "a census whose bits a small network weighs, and our semi-global matching",
    ),
    "ucn": Entry(
        "ucn",
        ("match", "extract", "dense", "transfer", "disparity", "flow"),
        "learned",
        "Universal Correspondence Network: finds keypoints and describes every place in one pass",
    ),
    "ucn-semantic": Entry(
        "ucn-semantic",
        ("transfer", "match", "extract", "dense"),
        "learned",
        "the same with a spatial transformer, for things of one kind; at SIFT keypoints to match",
    ),
    "gemnet-siamese": Entry(
        "gemnet-siamese",
        ("embed",),
        "learned",
        "GeMNet of whole images by the contrastive loss: to verify",
    ),
    "gemnet-triplet": Entry(
        "gemnet-triplet",
        ("embed",),
        "learned",
        "GeMNet of whole images by the triplet loss: to retrieve",
    ),
}


def entries() -> list[Entry]:
    """The models that this installation has, classical ones first."""
    from corr.classical.binary import has_akaze

    classical = [entry for entry in _CLASSICAL if entry.name != "akaze" or has_akaze()]
    learned = [_LEARNED[name] for name in shipped_networks() if name in _LEARNED]
    return [*classical, *learned, _UNTRAINED]


def names(task: str) -> list[str]:
    """The models of this installation that do a task, one of those in `DEFAULTS`."""
    return [entry.name for entry in entries() if task in entry.tasks]


def check(model: str | Path | Network | None, task: str) -> None:
    """Refuse a model that is unknown or of another task.

    Raises:
        ModelError: says which models there are.
    """
    if model is None or isinstance(model, Network) or model in names(task):
        return
    if model == "akaze" and task in ("match", "extract"):
        from corr.classical.binary import check_akaze

        check_akaze()
    known = ", ".join(names(task))
    other = next((entry for entry in entries() if entry.name == model), None)
    if other is not None:
        raise ModelError(
            f"model '{model}' does {' and '.join(other.tasks)}, not {task}; use one of {known}"
        )
    if not Path(model).is_dir():
        raise ModelError(
            f"model '{model}' is not known; use one of {known}, or a folder that training wrote"
        )


def resolve(model: str | Path | Network | None, task: str) -> str | Network:
    """The classical method's name, or the network.

    Args:
        model: a name, a folder with `network.yaml` and `weights.safetensors`, a loaded network, or
            the task's default.
        task: one of those in `DEFAULTS`.

    Raises:
        ModelError: the model is unknown, of another task, or cannot be loaded.
    """
    if isinstance(model, Network):
        return model
    check(model, task)
    chosen = DEFAULTS[task] if model is None else model
    if chosen in [entry.name for entry in _CLASSICAL]:
        return str(chosen)
    if chosen == _UNTRAINED.name:
        return _untrained()
    folder = weights_root() / chosen if chosen in shipped_networks() else Path(chosen)
    return _load(folder, _changed(folder))


def resolve_dense(model: str | Path | Network | None) -> DenseDescriptor:
    """The network that describes every place of an image.

    Args:
        model: as in `resolve`; `ucn` when not given.

    Raises:
        ModelError: it describes no places, is unknown or cannot be loaded.
    """
    shipped = names("dense")
    accepted = (
        f"{', '.join(shipped)}, or the folder that training such as correspondence/ucn-photos wrote"
    )
    if model is None:
        model = DEFAULTS["dense"]
    if not isinstance(model, Network):
        other = next((entry for entry in entries() if entry.name == model), None)
        if other is not None and other.name not in shipped:
            raise ModelError(
                f"model '{model}' does {' and '.join(other.tasks)}, not dense matching; "
                f"use {accepted}"
            )
        if other is None and not Path(model).is_dir():
            raise ModelError(f"model '{model}' is not known; for dense matching use {accepted}")
        folder = Path(model) if other is None else weights_root() / other.name
        model = _load(folder, _changed(folder))
    if not isinstance(model, DenseDescriptor):
        raise ModelError(
            f"a network of type {type(model).__name__} does not describe every place of an image; "
            f"for dense matching use {accepted}"
        )
    return model


@lru_cache(maxsize=16)
def _load(folder: Path, _changed_at: tuple[int, ...]) -> Network:
    return load_network(folder)


@lru_cache(maxsize=1)
def _untrained() -> Network:
    """GeMNet with the weights that seed 0 gives it."""
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        return GeMNet().eval()


def _changed(folder: Path) -> tuple[int, ...]:
    """When the files of a network were written: a network trained anew is read anew."""
    files = (folder / name for name in (RECORD, WEIGHTS))
    return tuple(file.stat().st_mtime_ns for file in files if file.is_file())
