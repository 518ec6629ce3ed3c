"""Training: one LightningModule a task, and what runs it."""

from corr.tasks.metric import Described, MetricTask
from corr.tasks.patch import PatchTask
from corr.tasks.views import ViewTask

__all__ = ["Described", "MetricTask", "PatchTask", "ViewTask"]
