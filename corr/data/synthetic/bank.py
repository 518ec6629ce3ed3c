"""The textures and drawn outlines that all scenes of a data set share."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import UInt8

from corr.data.photos import find_photos, list_photos, read_photo
from corr.data.synthetic.pyramid import TexturePyramid, build
from corr.data.synthetic.shapes import Silhouettes
from corr.data.synthetic.silhouettes import (
    NUM_WORDS,
    PER_PHOTO,
    CutOut,
    cut_out,
    draw_word,
)
from corr.data.synthetic.tiles import Kind, draw_texture
from corr.errors import DatasetError

MAX_PHOTO_SIDE = 512
"""px; larger photographs are reduced."""

Photo = UInt8[np.ndarray, "_ _ 3"]

PHOTO_SOFTNESS = 0.7
"""Sigma of the blur of photographs, px; with it no detail flickers between two views. The camera
may sharpen afterwards, see `AppearanceRanges`."""

NOISE_LENGTH = 1 << 20
_TILES, _OUTLINES, _NOISE = range(3)


class Photographs(NamedTuple):
    """Those that could be read."""

    pixels: tuple[Photo, ...]
    digest: str
    """Of all their pixels, in order."""
    num_damaged: int
    """Files that were left out, since they are not readable images."""


class Bank(NamedTuple):
    """What scenes draw from; it depends on the photographs and the number of tiles alone."""

    pyramid: TexturePyramid
    silhouettes: Silhouettes
    photos: tuple[int, ...]
    """Numbers of the textures that are photographs."""
    tiles: dict[Kind, tuple[int, ...]]
    """Numbers of the procedural ones."""
    words: tuple[int, ...]
    """Numbers of the silhouettes that are words."""
    cut_outs: tuple[tuple[int, CutOut], ...]
    """Numbers of the others, with where they come from."""
    noise: torch.Tensor
    """Normal numbers; each picture's noise begins somewhere in it."""
    digest: str
    """Of the photographs, see `Photographs`."""
    num_damaged: int

    def to(self, device: torch.device) -> Bank:
        """The same with its tensors on another device."""
        return self._replace(
            pyramid=self.pyramid.to(device),
            silhouettes=Silhouettes(self.silhouettes.distance.to(device)),
            noise=self.noise.to(device),
        )


def read_photographs(folder: str | Path | None = None) -> Photographs:
    """The photographs of a folder; those that scikit-image installs when it is not given.

    Files that are damaged are left out and counted.

    Raises:
        DatasetError: the folder is missing, or holds no photo that can be read.
    """
    paths = list_photos(folder) if folder is not None else find_photos()[0]
    pixels, num_damaged = [], 0
    digest = hashlib.sha256()
    for path in paths:
        try:
            photo = read_photo(path, MAX_PHOTO_SIDE)
        except DatasetError:
            num_damaged += 1
            continue
        if min(photo.shape[:2]) < 16:
            num_damaged += 1
            continue
        digest.update(repr(photo.shape).encode() + photo.tobytes())
        pixels.append(photo)
    if not pixels:
        raise DatasetError(f"none of the {num_damaged} photos of '{folder}' can be read")
    return Photographs(tuple(pixels), digest.hexdigest(), num_damaged)


def build_bank(given: Photographs, num_tiles: int) -> Bank:
    """The bank of these photographs, which may be none."""
    photos = given.pixels
    kinds: list[Kind] = [_KIND_OF[index % len(_KIND_OF)] for index in range(num_tiles)]
    textures = [
        draw_texture(np.random.default_rng((_TILES, index)), kind)
        for index, kind in enumerate(kinds)
    ]
    soft = [cv2.GaussianBlur(photo, (0, 0), PHOTO_SOFTNESS) for photo in photos]
    pictures = [*soft, *(texture.pixels for texture in textures)]
    mirrored = [True] * len(photos) + [False] * num_tiles
    rng = np.random.default_rng(_OUTLINES)
    words = [draw_word(rng) for _ in range(NUM_WORDS)]
    found = [
        cut
        for index, photo in enumerate(photos)
        for _ in range(PER_PHOTO)
        if (cut := cut_out(photo, index, rng)) is not None
    ]
    outlines = np.stack([*words, *(cut.outline for cut in found)])
    noise = np.random.default_rng(_NOISE).standard_normal(NOISE_LENGTH, dtype=np.float32)
    return Bank(
        build(pictures, mirrored),
        Silhouettes(torch.from_numpy(outlines)),
        tuple(range(len(photos))),
        {
            kind: tuple(len(photos) + at for at, one in enumerate(kinds) if one == kind)
            for kind in ("rich", "poor", "repetitive")
        },
        tuple(range(len(words))),
        tuple((len(words) + at, cut) for at, cut in enumerate(found)),
        torch.from_numpy(noise),
        given.digest,
        given.num_damaged,
    )


_KIND_OF: tuple[Kind, ...] = ("rich", "rich", "repetitive", "rich", "rich", "repetitive", "poor")
