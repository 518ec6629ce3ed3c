"""Keypoints of a dense network lie to no side: a turned picture has them at the turned places."""

import numpy as np
import pytest
import skimage.data
import torch
from torch import Tensor

import corr
from corr.models import DenseDescriptor, UniversalCorrespondenceNetwork
from corr.models.network import DenseDescription

MAX_BIAS_PX = 0.05
NEAR_PX = 2.0


class BothWaysUp(DenseDescriptor):
    """The mean of what a network says of an image and of its turned copy: exactly symmetric."""

    finds_keypoints = True

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.inner = UniversalCorrespondenceNetwork().train()
        with torch.no_grad():
            for _ in range(3):
                self.inner(torch.rand(2, 3, 64, 64))
        self.stride, self.descriptor_dim = self.inner.stride, self.inner.descriptor_dim

    def forward(self, images: Tensor) -> DenseDescription:
        upright, turned = self.inner(images), self.inner(images.flip(2, 3))
        pairs = zip(upright[:3], turned[:3], strict=True)
        maps = ((one + other.flip(2, 3)) / 2 for one, other in pairs)
        return DenseDescription(*maps)


def turned_offsets(image, model):
    """From keypoints of an image to those of its turned copy, turned back, (K, 2) px."""
    first = corr.extract(image, model=model, max_keypoints=500).keypoints
    second = corr.extract(image[::-1, ::-1].copy(), model=model, max_keypoints=500).keypoints
    back = np.array([image.shape[1] - 1, image.shape[0] - 1]) - second
    away = np.linalg.norm(first[:, None] - back[None], axis=2)
    nearest = away.argmin(1)
    mutual = away.argmin(0)[nearest] == np.arange(len(first))
    mutual &= away.min(1) <= NEAR_PX
    return (back[nearest] - first)[mutual], len(first)


@pytest.mark.parametrize("size", [(192, 240), (160, 176)])
def test_extraction_adds_no_bias(size):
    """Of a network that has none: each keypoint is there again, at the same place."""
    image = skimage.data.astronaut()[40 : 40 + size[0], 100 : 100 + size[1]]
    off, num_keypoints = turned_offsets(image, BothWaysUp().eval())
    assert num_keypoints > 60
    assert len(off) >= 0.98 * num_keypoints
    assert np.abs(off).max() < 0.01


def test_the_shipped_network_has_none():
    """It saw no turned pictures in training, so that only the mean tells."""
    off = []
    for name in ("astronaut", "coffee", "chelsea"):
        image = getattr(skimage.data, name)()
        height, width = (side // 16 * 16 for side in image.shape[:2])
        off.append(turned_offsets(image[:height, :width], "ucn")[0])
    offsets = np.concatenate(off)
    assert len(offsets) > 400
    assert np.abs(offsets.mean(0)).max() < MAX_BIAS_PX
