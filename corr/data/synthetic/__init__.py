"""Synthetic scenes: image pairs with exact truth, where a data set is a seed and a config.

A scene is layers in depth order (`arrangement`, `outlines`, `materials`) that move (`motion_*`). A
view is rendered by mapping each pixel back to the layers (`raster`, `shading`), so nothing is
resampled twice, and the same maps tell where a pixel is in the other view (`truth`). Light and
camera come last (`appearance`).
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corr.data.synthetic.config import AppearanceRanges, SyntheticConfig
    from corr.data.synthetic.datamodule import SyntheticDataModule
    from corr.data.synthetic.samples import (
        Pair,
        PlanarSample,
        PosedSample,
        Sample,
        StereoSample,
        pair_of,
    )
    from corr.data.synthetic.scenes import SyntheticScenes

__all__ = [
    "AppearanceRanges",
    "Pair",
    "PlanarSample",
    "PosedSample",
    "Sample",
    "StereoSample",
    "SyntheticConfig",
    "SyntheticDataModule",
    "SyntheticScenes",
    "pair_of",
]

if not TYPE_CHECKING:
    _HOMES = {
        "AppearanceRanges": "config",
        "SyntheticConfig": "config",
        "SyntheticDataModule": "datamodule",
        "SyntheticScenes": "scenes",
    }

    def __getattr__(name):
        # The command line reads the config without the frameworks that training needs.
        if name not in __all__:
            raise AttributeError(f"module 'corr.data.synthetic' has no attribute '{name}'")
        from importlib import import_module

        home = import_module(f"corr.data.synthetic.{_HOMES.get(name, 'samples')}")
        return getattr(home, name)
