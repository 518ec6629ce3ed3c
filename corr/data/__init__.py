"""Data sets: cards and readers, random views of photographs, and what feeds the training."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corr.data.brown_datamodule import BrownDataModule
    from corr.data.patch_datamodule import PatchDataModule, PatchPairs
    from corr.data.view_datamodule import ViewDataModule, ViewPairs

__all__ = ["BrownDataModule", "PatchDataModule", "PatchPairs", "ViewDataModule", "ViewPairs"]

if not TYPE_CHECKING:

    def __getattr__(name):
        # A card or a reader is had without the frameworks that training needs.
        if name not in __all__:
            raise AttributeError(f"module 'corr.data' has no attribute '{name}'")
        from corr.data import brown_datamodule, view_datamodule

        # Those of photographs are had from the module of Brown's patches, too.
        module = view_datamodule if name.startswith("View") else brown_datamodule
        return getattr(module, name)
