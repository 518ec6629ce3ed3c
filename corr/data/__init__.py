"""Data sets: cards and readers, random views of photographs, and what feeds the training."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from corr.data.brown_datamodule import BrownDataModule
    from corr.data.correspondence.annotated_pairs import AnnotatedPairs
    from corr.data.correspondence.batches import CorrespondenceBatch
    from corr.data.correspondence.class_pairs import ClassPairs
    from corr.data.correspondence.datamodule import CorrespondenceDataModule
    from corr.data.correspondence.ground_truth_pairs import DepthPairs, FlowPairs, StereoPairs
    from corr.data.correspondence.photo_pairs import PhotoPairs
    from corr.data.correspondence.sparse_pairs import SparsePointPairs
    from corr.data.correspondence.synthetic_pairs import SyntheticPairs
    from corr.data.correspondence.warped_photos import WarpedPhotos
    from corr.data.flow.augmentation import FlowGeometry
    from corr.data.flow.batches import FlowBatch
    from corr.data.flow.colour import FlowColour
    from corr.data.flow.datamodule import FlowDataModule
    from corr.data.flow.frames import FlowFrames, FlowSource
    from corr.data.flow.mixed_flow import MixedFlow
    from corr.data.flow.published_flow import PublishedFlow
    from corr.data.flow.synthetic_flow import SyntheticFlow
    from corr.data.identity_datamodule import IdentityDataModule
    from corr.data.image_batches import ImageBatch
    from corr.data.patch_datamodule import PatchDataModule, PatchPairs
    from corr.data.photo_instances import PhotoInstanceDataModule
    from corr.data.synthetic.datamodule import SyntheticDataModule
    from corr.data.view_datamodule import ViewDataModule, ViewPairs

__all__ = [
    "AnnotatedPairs",
    "BrownDataModule",
    "ClassPairs",
    "CorrespondenceBatch",
    "CorrespondenceDataModule",
    "DepthPairs",
    "FlowBatch",
    "FlowColour",
    "FlowDataModule",
    "FlowFrames",
    "FlowGeometry",
    "FlowPairs",
    "FlowSource",
    "IdentityDataModule",
    "ImageBatch",
    "MixedFlow",
    "PatchDataModule",
    "PatchPairs",
    "PhotoInstanceDataModule",
    "PhotoPairs",
    "PublishedFlow",
    "SparsePointPairs",
    "StereoPairs",
    "SyntheticDataModule",
    "SyntheticFlow",
    "SyntheticPairs",
    "ViewDataModule",
    "ViewPairs",
    "WarpedPhotos",
]

_HOMES = {
    "AnnotatedPairs": "correspondence.annotated_pairs",
    "BrownDataModule": "brown_datamodule",
    "ClassPairs": "correspondence.class_pairs",
    "CorrespondenceBatch": "correspondence.batches",
    "CorrespondenceDataModule": "correspondence.datamodule",
    "DepthPairs": "correspondence.ground_truth_pairs",
    "FlowBatch": "flow.batches",
    "FlowColour": "flow.colour",
    "FlowDataModule": "flow.datamodule",
    "FlowFrames": "flow.frames",
    "FlowGeometry": "flow.augmentation",
    "FlowPairs": "correspondence.ground_truth_pairs",
    "FlowSource": "flow.frames",
    "IdentityDataModule": "identity_datamodule",
    "ImageBatch": "image_batches",
    "MixedFlow": "flow.mixed_flow",
    "PatchDataModule": "patch_datamodule",
    "PatchPairs": "patch_datamodule",
    "PhotoInstanceDataModule": "photo_instances",
    "PhotoPairs": "correspondence.photo_pairs",
    "PublishedFlow": "flow.published_flow",
    "SparsePointPairs": "correspondence.sparse_pairs",
    "StereoPairs": "correspondence.ground_truth_pairs",
    "SyntheticDataModule": "synthetic.datamodule",
    "SyntheticFlow": "flow.synthetic_flow",
    "SyntheticPairs": "correspondence.synthetic_pairs",
    "ViewDataModule": "view_datamodule",
    "ViewPairs": "view_datamodule",
    "WarpedPhotos": "correspondence.warped_photos",
}

if not TYPE_CHECKING:

    def __getattr__(name):
        # A card or a reader is had without the frameworks that training needs.
        if name not in _HOMES:
            raise AttributeError(f"module 'corr.data' has no attribute '{name}'")
        return getattr(import_module(f"corr.data.{_HOMES[name]}"), name)
