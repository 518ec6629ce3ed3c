"""Training: one LightningModule a task, and what runs it."""

from corr.tasks.embedding import EmbeddingTask
from corr.tasks.metric import Described, MetricTask
from corr.tasks.patch import PatchTask

__all__ = ["Described", "EmbeddingTask", "MetricTask", "PatchTask"]
