"""A dense descriptor without training: what an image's pixels are around a place."""

import torch
import torch.nn.functional as F

from corr.geometry import pixel_grid, sample, to_grey
from corr.models.network import DenseDescription, DenseDescriptor

SIDE, SPACING = 9, 2.0
"""Pixels of a descriptor along one side, and px between them."""


class FilterDescriptor(DenseDescriptor):
    """A window of the smoothed image, less its mean; keypoints at blobs.

    It knows nothing of scale: windows of a zoomed image are others.
    """

    finds_keypoints = True

    def __init__(self, stride: int = 4, sigma: float = 2.0) -> None:
        super().__init__()
        self.stride, self.descriptor_dim, self.sigma = stride, SIDE**2, sigma

    @torch.autocast("cpu", enabled=False)
    def forward(self, images):
        grey = to_grey(images)
        smooth = blur(grey, self.sigma)
        offsets = (pixel_grid(SIDE, SIDE).flatten(0, 1) - (SIDE - 1) / 2) * SPACING
        height, width = images.shape[-2:]
        rows, columns = -(-height // self.stride), -(-width // self.stride)
        centres = (pixel_grid(rows, columns) + 0.5) * self.stride - 0.5
        places = centres[None, :, :, None] + offsets
        read = sample(smooth, places, padding="border")[..., 0].permute(0, 3, 1, 2)
        read = read - read.mean(1, keepdim=True)
        blobs = (smooth - blur(smooth, 1.2 * self.sigma)).abs()
        return DenseDescription(F.normalize(read, dim=1), 20 * blobs - 4)


def blur(images, sigma):
    reach = round(4 * sigma)
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    weights = weights / weights.sum()
    padded = F.pad(images, (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, weights.view(1, 1, 1, -1)), weights.view(1, 1, -1, 1))
