"""ETH3D's low-resolution two views: rectified grey pairs in Middlebury's formats.

Source: Schoeps et al. 2017, "A multi-view stereo benchmark with high-resolution images and
multi-camera videos", CVPR, https://www.eth3d.net/low_res_two_view
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from corr.data.ground_truth import StereoPair, StereoTruth, search_bound
from corr.data.layouts import of_eth3d, require
from corr.data.middlebury_stereo import OCCLUDED
from corr.errors import DatasetError
from corr.formats import read_disparity, read_image

_IMAGES, _TRUTH = "two_view_training", "two_view_training_gt"


def read_eth3d(root: Path) -> list[StereoPair]:
    """The pairs of every scene, by name; none if the root is not laid out so.

    Args:
        root: the folder with `two_view_training` and `two_view_training_gt`, the first of them, or
            a folder of scenes that hold both images and truth.

    Raises:
        DatasetError: a scene lacks an image, its truth or its mask.
    """
    images = root / _IMAGES if (root / _IMAGES).is_dir() else root
    truths = images.with_name(_TRUTH) if images.resolve().name == _IMAGES else images
    if images.resolve().name == _IMAGES and not truths.is_dir():
        truths = images
    folders = [path for base in {images, truths} for path in base.iterdir() if path.is_dir()]
    scenes = sorted({path.name for path in folders if of_eth3d(path.name)})
    if not scenes and of_eth3d(root.resolve().name):
        scenes, images, truths = ["."], root, root
    pairs = []
    for scene in scenes:
        left, right = (require(images / scene, f"im{i}", (".png",)) for i in (0, 1))
        files = (
            require(truths / scene, "disp0GT", (".pfm",)),
            require(truths / scene, "mask0nocc", (".png",)),
        )
        name = root.resolve().name if scene == "." else scene
        pairs.append(StereoPair(name, "eth3d", left, right, files, partial(_read, *files)))
    return pairs


def _read(path: Path, mask: Path) -> StereoTruth:
    disparity, values = read_disparity(path), read_image(mask)[..., 0]
    if disparity.shape != values.shape:
        sizes = [" x ".join(map(str, array.shape[::-1])) for array in (disparity, values)]
        raise DatasetError(f"'{path}' has {sizes[0]} pixels and '{mask}' {sizes[1]}")
    occluded = (values == OCCLUDED) & np.isfinite(disparity)
    return StereoTruth(disparity, occluded, search_bound(disparity))
