"""Data sets: cards and readers, random views of photographs, and what feeds the training."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corr.data.brown_datamodule import BrownDataModule
    from corr.data.identity_datamodule import IdentityDataModule
    from corr.data.image_batches import ImageBatch
    from corr.data.patch_datamodule import PatchDataModule, PatchPairs
    from corr.data.photo_instances import PhotoInstanceDataModule
    from corr.data.synthetic.datamodule import SyntheticDataModule
    from corr.data.view_datamodule import ViewDataModule, ViewPairs

__all__ = [
    "BrownDataModule",
    "IdentityDataModule",
    "ImageBatch",
    "PatchDataModule",
    "PatchPairs",
    "PhotoInstanceDataModule",
    "SyntheticDataModule",
    "ViewDataModule",
    "ViewPairs",
]

_HOMES = {
    "BrownDataModule": "brown_datamodule",
    "IdentityDataModule": "identity_datamodule",
    "ImageBatch": "image_batches",
    "PatchDataModule": "patch_datamodule",
    "PatchPairs": "patch_datamodule",
    "PhotoInstanceDataModule": "photo_instances",
    "SyntheticDataModule": "synthetic.datamodule",
    "ViewDataModule": "view_datamodule",
    "ViewPairs": "view_datamodule",
}

if not TYPE_CHECKING:

    def __getattr__(name):
        # A card or a reader is had without the frameworks that training needs.
        if name not in _HOMES:
            raise AttributeError(f"module 'corr.data' has no attribute '{name}'")
        return getattr(import_module(f"corr.data.{_HOMES[name]}"), name)
