"""L2-Net: the convolutional descriptor that HardNet and SOSNet took their layers from."""

from __future__ import annotations

from corr.geometry import PATCH_SIGMAS
from corr.models.hardnet import HardNet


class L2Net(HardNet):
    """HardNet's layers without dropout.

    1 334 560 parameters; 39 092 224 multiply-adds a patch.

    Where the paper subtracts the mean patch of its training set, each patch is normalised by
    itself, as its successors do; convolutions have no bias, which the batch normalisation after
    them would remove. This is the network of one tower, not the central-surround one.

    Source: Tian 2017, "L2-Net: Deep Learning of Discriminative Patch Descriptor in Euclidean
    Space".

    Args:
        descriptor_dim: length of a descriptor.
        sigmas: side of the image region in a patch, in sigmas of its keypoint.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(self, descriptor_dim: int = 128, sigmas: float = PATCH_SIGMAS) -> None:
        super().__init__(descriptor_dim, dropout=0.0, sigmas=sigmas)
