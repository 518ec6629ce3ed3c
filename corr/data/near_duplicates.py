"""Photographs that are held out although nearly the same one is trained on."""

from __future__ import annotations

import sys

import cv2
import numpy as np
from jaxtyping import Float32

from corr.data.photos import Photos

SIDE = 16
"""Of the grey thumbnails that are compared, px."""
MIN_CORRELATION = 0.99
"""Of two of them from which the photographs count as one; different ones stay below 0.95."""


def near_duplicates(train: Photos, val: Photos) -> list[tuple[str, str]]:
    """The names of photographs of both sides that are alike, whatever their size and contrast."""
    alike = _thumbnails(val) @ _thumbnails(train).T > MIN_CORRELATION
    return [(train.paths[i].name, val.paths[j].name) for j, i in np.argwhere(alike).tolist()]


def warn_of_near_duplicates(train: Photos, val: Photos) -> None:
    """Say in one line which photographs are on both sides, if any."""
    found = near_duplicates(train, val)
    if found:
        shown = ", ".join(f"'{kept}' is trained on as '{seen}'" for seen, kept in found[:3])
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        sys.stderr.write(
            f"corr: warning: photographs held out should be others than those trained on: {shown}"
            f"{more}; figures of the validation look too good\n"
        )


def _thumbnails(photos: Photos) -> Float32[np.ndarray, "N P"]:
    """Grey, with mean 0 and length 1; plain ones are 0."""
    if not len(photos):
        return np.zeros((0, SIDE * SIDE), np.float32)
    small = [cv2.resize(photo, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for photo in photos]
    grey = np.stack([cv2.cvtColor(one, cv2.COLOR_RGB2GRAY).ravel() for one in small])
    values = grey - grey.mean(1, keepdims=True, dtype=np.float32)
    lengths = np.linalg.norm(values, axis=1, keepdims=True)
    normal: Float32[np.ndarray, "N P"] = values / np.maximum(lengths, 1e-6)
    return normal
