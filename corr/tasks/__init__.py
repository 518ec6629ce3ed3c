"""Training: one LightningModule a task, and what runs it."""

from corr.tasks.class_pairs import ClassPairTask
from corr.tasks.collapse import CollapseMonitor
from corr.tasks.correspondence import CorrespondenceTask
from corr.tasks.described import Described
from corr.tasks.embedding import EmbeddingTask
from corr.tasks.flow import FlowTask
from corr.tasks.metric import MetricTask
from corr.tasks.network_task import NetworkTask
from corr.tasks.nonfinite import NonFiniteGuard
from corr.tasks.patch import PatchTask
from corr.tasks.stereo import StereoDescriptorTask
from corr.tasks.views import ViewTask

__all__ = [
    "ClassPairTask",
    "CollapseMonitor",
    "CorrespondenceTask",
    "Described",
    "EmbeddingTask",
    "FlowTask",
    "MetricTask",
    "NetworkTask",
    "NonFiniteGuard",
    "PatchTask",
    "StereoDescriptorTask",
    "ViewTask",
]
