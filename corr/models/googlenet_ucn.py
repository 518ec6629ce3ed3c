"""The network of the paper, its trunk trained for the classes of ImageNet before."""

from __future__ import annotations

from pathlib import Path

from corr.models.convolutional_transformer import FieldTransform
from corr.models.googlenet import GoogLeNetTrunk, load_googlenet
from corr.models.ucn import UniversalCorrespondenceNetwork


def load_googlenet_ucn(
    weights: str | Path,
    transformer: FieldTransform | None = None,
    descriptor_dim: int = 64,
    keypoints: bool = True,
    *,
    refine: bool = False,
) -> UniversalCorrespondenceNetwork:
    """A `UniversalCorrespondenceNetwork` of trunk `googlenet` with a trained trunk, for a recipe.

    All other layers are as at the start of a training. No code of the file runs.

    Source: Choy 2016, "Universal Correspondence Network", section 4, which begins so.

    Args:
        weights: a file of torchvision's GoogLeNet, such as `googlenet-1378be20.pth`.
        transformer: as the network takes it, like all that follows.
        descriptor_dim: length of a descriptor.
        keypoints: whether it has a keypoint head.
        refine: describe every pixel.

    Raises:
        ModelError: the file is missing or damaged, or of another network.
        OptionError: a setting outside its range.
    """
    network = UniversalCorrespondenceNetwork(
        "googlenet", transformer, descriptor_dim, keypoints, refine=refine
    )
    assert isinstance(network.trunk, GoogLeNetTrunk)
    load_googlenet(network.trunk, weights)
    return network
