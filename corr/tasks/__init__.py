"""Training: one LightningModule a task, and what runs it."""

from corr.tasks.metric import Described, MetricTask
from corr.tasks.patch import PatchTask

__all__ = ["Described", "MetricTask", "PatchTask"]
