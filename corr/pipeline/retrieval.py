"""Query images and a gallery -> what in the gallery is most like each query."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from corr.data.photos import list_photos
from corr.errors import OptionError, ShapeError
from corr.models.network import Network
from corr.pipeline.embedding import embed
from corr.results import Embeddings, Ranking
from corr.search import nearest


def retrieve(
    queries: Any,
    gallery: Any,
    *,
    k: int = 5,
    model: str | Path | Network | None = None,
    search: str = "auto",
    device: str | torch.device | None = None,
) -> Ranking:
    """The images of a gallery that are most like each query, best first.

    Args:
        queries: a list of images, as `corr.embed` takes them.
        gallery: a folder (with those below it), images, or what `corr.embed` returned by the same
            model.
        k: how many answers; all of a smaller gallery.
        model: describes the images, as in `corr.embed`.
        search: who finds the nearest: `auto`, `exact`, `faiss` or `faiss-gpu`.
        device: where a network runs.

    Raises:
        DatasetError: the folder is missing or holds no image.
        ImageError: an image cannot be read or used.
        ModelError: the model is unknown, or does not describe whole images.
        OptionError: `k` or `search` is not accepted, or nothing was given to rank.
        ShapeError: the gallery was described by another model.
    """
    if k < 1:
        raise OptionError(f"k is {k}; use 1 or more")
    if isinstance(gallery, str | Path):
        gallery = list_photos(gallery)
    for name, images in (("queries", queries), ("images in the gallery", gallery)):
        if not len(images):
            raise OptionError(f"there are 0 {name}; give 1 or more")
    asked = embed(queries, model=model, device=device)
    if not isinstance(gallery, Embeddings):
        gallery = embed(gallery, model=model, device=device)
    lengths = asked.descriptors.shape[1], gallery.descriptors.shape[1]
    if lengths[0] != lengths[1]:
        raise ShapeError(
            f"queries have {lengths[0]} numbers each and the gallery {lengths[1]}; describe both "
            "by the same model"
        )
    found = nearest(
        asked.descriptors, gallery.descriptors, min(k, len(gallery)), metric="dot", backend=search
    )
    return Ranking(found.index.numpy(), found.scores.numpy(), asked.names, gallery.names)
