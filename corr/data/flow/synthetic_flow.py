"""Synthetic scenes whose surfaces each move in their own way."""

from __future__ import annotations

import numpy as np

from corr.data.flow.frames import FlowFrames, FlowSource
from corr.data.synthetic.config import SyntheticConfig
from corr.data.synthetic.datamodule import VAL_SEED
from corr.data.synthetic.samples import pair_of
from corr.data.synthetic.scenes import SyntheticScenes

NUM_SCENES = 2**40
"""Samples that are drawn from; no training sees one twice."""

HEIGHT, WIDTH = 320, 448
"""Of the pictures when nothing is said, px: room for a crop of 256 x 320 that is turned."""


class SyntheticFlow(FlowSource):
    """Layers that move, turn, zoom and bend, with exact flow and occlusion.

    Args:
        config: what the scenes are drawn from, with the size of the pictures; of any view.
        photos: a folder of photographs for their textures; those that scikit-image installs when
            not given.
        seed: of the data set; the pairs that are held out have another one.

    Raises:
        OptionError: the seed is below 0.
    """

    def __init__(
        self, config: SyntheticConfig | None = None, photos: str | None = None, *, seed: int = 0
    ) -> None:
        self.config = config or SyntheticConfig(view="flow", height=HEIGHT, width=WIDTH)
        self.photos, self.seed = photos, seed
        self._scenes: SyntheticScenes | None = None

    def prepare(self) -> None:
        """Read the photographs and draw the textures, once.

        Raises:
            DatasetError: the folder holds no photo that can be read.
        """
        if self._scenes is None:
            self._scenes = SyntheticScenes(self.config, photos=self.photos, seed=self.seed)

    def draw(self, rng: np.random.Generator) -> FlowFrames:
        """A random scene of the data set.

        Raises:
            DatasetError: the folder holds no photo that can be read.
        """
        self.prepare()
        assert self._scenes is not None
        found = pair_of(self._scenes.sample(int(rng.integers(NUM_SCENES))))
        flow = found.flow_0to1.masked_fill(~found.valid0, float("nan"))
        image0, image1 = ((side * 255).round().byte() for side in (found.image0, found.image1))
        return FlowFrames(image0, image1, flow, found.occluded0)

    def split(self) -> tuple[SyntheticFlow, SyntheticFlow]:
        """The data set itself, and one of another seed."""
        return self, SyntheticFlow(self.config, self.photos, seed=VAL_SEED + self.seed)
