"""What tasks tell the callbacks that watch over their training."""

from __future__ import annotations

import pytorch_lightning as pl


class SkippingTask(pl.LightningModule):
    """A task some of whose steps change nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.step_skipped = False
        """Whether the last step changed nothing: its loss or gradient was not finite, or there was
        nothing to learn from."""
