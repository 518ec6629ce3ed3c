"""Training: one LightningModule a task, and what runs it."""

from corr.tasks.collapse import CollapseMonitor
from corr.tasks.described import Described
from corr.tasks.embedding import EmbeddingTask
from corr.tasks.metric import MetricTask
from corr.tasks.nonfinite import NonFiniteGuard
from corr.tasks.patch import PatchTask
from corr.tasks.views import ViewTask

__all__ = [
    "CollapseMonitor",
    "Described",
    "EmbeddingTask",
    "MetricTask",
    "NonFiniteGuard",
    "PatchTask",
    "ViewTask",
]
