"""Data sets: cards and readers, random views of photographs, and what feeds the training."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corr.data.brown_datamodule import BrownDataModule
    from corr.data.patch_datamodule import PatchDataModule, PatchPairs

__all__ = ["BrownDataModule", "PatchDataModule", "PatchPairs"]

if not TYPE_CHECKING:

    def __getattr__(name):
        # A card or a reader is had without the frameworks that training needs.
        if name not in __all__:
            raise AttributeError(f"module 'corr.data' has no attribute '{name}'")
        from corr.data import brown_datamodule, patch_datamodule

        home = brown_datamodule if name.startswith("Brown") else patch_datamodule
        return getattr(home, name)
