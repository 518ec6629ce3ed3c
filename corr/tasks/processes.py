"""Which of the processes of a training this is; the first one writes the run's folder."""

from __future__ import annotations

import os
from pathlib import Path

from lightning_fabric.utilities.rank_zero import rank_zero_only

from corr.errors import OptionError

_FOLDER = "CORR_RUN_FOLDER"
"""Where the first process tells the others that it starts which folder it has chosen."""


def is_first_process() -> bool:
    """True in a training on one device; of several, in the first process alone."""
    return getattr(rank_zero_only, "rank", 0) == 0


def share_folder(folder: Path) -> None:
    """Tell the processes that are started from this one where the run is."""
    os.environ[_FOLDER] = str(folder.absolute())


def shared_folder() -> Path:
    """Where the run is, in a process that is not the first.

    Raises:
        OptionError: this process was not started by the first one.
    """
    if _FOLDER not in os.environ:
        raise OptionError("several processes need to know where the run is; name it with --out")
    return Path(os.environ[_FOLDER])
