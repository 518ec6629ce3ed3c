"""A flow network that sees a few pixels around each, for tests: no training, exact on shifts."""

import torch
import torch.nn.functional as F

from corr.models import FlowNetwork

REACH = 5
"""Largest motion in x and y that it finds, px."""


class BoundedFlow(FlowNetwork):
    """The shift of whole px within `REACH` at which the windows around two pixels differ least.

    A pixel is judged by what is at most `REACH` and half a window from it, so that a tile of an
    image has the flow of the whole away from the tile's rim.
    """

    multiple = 4
    stride = 1

    def __init__(self, window: int = 3) -> None:
        super().__init__()
        self.window = window
        self.unused = torch.nn.Parameter(torch.zeros(1))
        self.largest = 0
        self.num_looks = 0

    def forward(self, images0, images1):
        height, width = images0.shape[-2:]
        self.largest = max(self.largest, height * width)
        # Outside the image nothing is like anything.
        padded = F.pad(images1, (REACH,) * 4, value=-1)
        best = torch.full_like(images0[:, :1], torch.inf)
        flow = torch.zeros_like(images0[:, :2])
        steps = sorted(range(-REACH, REACH + 1), key=abs)
        for dy in steps:
            for dx in steps:
                moved = padded[..., REACH + dy :, REACH + dx :][..., :height, :width]
                cost = (moved - images0).abs().mean(1, keepdim=True)
                cost = F.avg_pool2d(cost, self.window, 1, self.window // 2, count_include_pad=False)
                better = cost < best - 1e-6
                best = torch.where(better, cost, best)
                step = flow.new_tensor([dx, dy]).view(1, 2, 1, 1)
                flow = torch.where(better, step, flow)
        bottom, right = (-side % self.multiple for side in (height, width))
        return [F.pad(flow, (0, right, 0, bottom), mode="replicate")]

    def features(self, images):
        self.num_looks += 1
        return super().features(images)
