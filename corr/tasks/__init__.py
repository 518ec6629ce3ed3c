"""Training: one LightningModule a task, and what runs it."""

from corr.tasks.patch import PatchTask

__all__ = ["PatchTask"]
