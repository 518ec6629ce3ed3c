"""Pairs of synthetic scenes: parallax, motion and occlusion with exact truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from corr.data.correspondence.dense_pair import DensePair, PairSource
from corr.data.synthetic.config import SyntheticConfig
from corr.data.synthetic.samples import pair_of
from corr.data.synthetic.scenes import SyntheticScenes

NUM_SCENES = 2**40
"""Samples that are drawn from; no training sees one twice."""


class SyntheticPairs(PairSource):
    """Both pictures of synthetic scenes of any view; what one of them does not show has no target.

    Args:
        config: what the scenes are drawn from; two cameras before slanted layers when not given.
            Its height and width are those that are asked for.
        photos: a folder of photographs for their textures; those that scikit-image installs when
            not given.
        seed: of the data set.

    Raises:
        DatasetError: the folder holds no photo that can be read.
        OptionError: the seed is below 0.
    """

    def __init__(
        self, config: SyntheticConfig | None = None, photos: str | None = None, *, seed: int = 0
    ) -> None:
        self._config = config or SyntheticConfig(view="posed")
        self._photos = photos
        self._seed = seed
        self._scenes: SyntheticScenes | None = None

    def __len__(self) -> int:
        return NUM_SCENES

    def pair(self, index: int, side: int, rng: np.random.Generator) -> DensePair:
        """Sample `index` of the data set; the random numbers are not needed.

        Raises:
            DatasetError: the folder holds no photo that can be read.
        """
        if self._scenes is None or self._scenes.config.size != (side, side):
            config = replace(self._config, height=side, width=side)
            self._scenes = SyntheticScenes(config, photos=self._photos, seed=self._seed)
        found = pair_of(self._scenes.sample(index))
        flow = found.flow_0to1.permute(1, 2, 0).numpy().copy()
        flow[(found.occluded0 | ~found.valid0).numpy()] = np.nan
        image0, image1 = (
            (image.permute(1, 2, 0) * 255).round().byte().numpy()
            for image in (found.image0, found.image1)
        )
        return DensePair(image0, image1, flow)
