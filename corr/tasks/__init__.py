"""Training: one LightningModule a task, and what runs it."""

from corr.tasks.collapse import CollapseMonitor
from corr.tasks.correspondence import CorrespondenceTask
from corr.tasks.described import Described
from corr.tasks.embedding import EmbeddingTask
from corr.tasks.metric import MetricTask
from corr.tasks.nonfinite import NonFiniteGuard
from corr.tasks.patch import PatchTask
from corr.tasks.stereo import StereoDescriptorTask
from corr.tasks.views import ViewTask

__all__ = [
    "CollapseMonitor",
    "CorrespondenceTask",
    "Described",
    "EmbeddingTask",
    "MetricTask",
    "NonFiniteGuard",
    "PatchTask",
    "StereoDescriptorTask",
    "ViewTask",
]
