"""Data sets: cards and readers, random views of photographs, and what feeds the training."""

from corr.data.patch_datamodule import PatchDataModule, PatchPairs

__all__ = ["PatchDataModule", "PatchPairs"]
