"""Whole images -> one vector each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from corr.classical.colour import BINS, colour_histogram
from corr.errors import ImageError, ModelError
from corr.extractors.images import describe_images
from corr.formats import as_image
from corr.models.network import ImageEmbedding, Network
from corr.pipeline import catalog
from corr.resources import resolve_device
from corr.results import Embeddings

Picture = UInt8[np.ndarray, "_ _ 3"]


def embed(
    images: Any,
    *,
    model: str | Path | Network | None = None,
    device: str | torch.device | None = None,
) -> Embeddings:
    """Whole images, each as one unit-length vector: alike where they show the same.

    Args:
        images: a list; each a path, a uint8 array `(H, W, 3)` RGB or `(H, W)`, or a float tensor
            `(3, H, W)` in [0, 1]; they are read one after another.
        model: a name that `corr models` lists, a folder that training wrote, or a loaded network;
            `catalog.DEFAULTS["embed"]` when not given.
        device: where a network runs; where it is, or else the best one present, when not given.

    Raises:
        ImageError: an image cannot be read or used, or one was given instead of a list.
        ModelError: the model is unknown, or does not describe whole images.
        OptionError: the device is not known or not present.
    """
    if isinstance(images, str | Path) or not isinstance(images, Sequence):
        raise ImageError(f"images are a list of them, not a {type(images).__name__}; use [image]")
    chosen = place_embedding(catalog.resolve(model, "embed"), device, loaded_by_caller=model)
    descriptors = describe((as_image(image) for image in images), chosen)
    return Embeddings(descriptors, tuple(_name(image, n) for n, image in enumerate(images)))


def describe(images: Iterable[Picture], model: str | ImageEmbedding) -> Float32[np.ndarray, "N D"]:
    """The descriptors of images by a classical method's name or a network."""
    if isinstance(model, ImageEmbedding):
        return describe_images(images, model)
    found = [colour_histogram(image) for image in images]
    return np.stack(found) if found else np.zeros((0, int(np.prod(BINS))), np.float32)


def place_embedding(
    model: str | Network,
    device: str | torch.device | None = None,
    *,
    loaded_by_caller: object = None,
) -> str | ImageEmbedding:
    """A method's name as it is, or a network on the device to run on.

    Raises:
        ModelError: the network does not describe whole images.
        OptionError: the device is not known or not present.
    """
    if isinstance(model, str):
        return model
    if not isinstance(model, ImageEmbedding):
        raise ModelError(
            f"a network of type {type(model).__name__} does not describe whole images; use an "
            f"image embedding, or one of {', '.join(catalog.names('embed'))}"
        )
    if device is None and model is loaded_by_caller:
        return model
    return model.to(resolve_device(device))


def _name(image: Any, number: int) -> str:
    return str(image) if isinstance(image, str | Path) else str(number)
