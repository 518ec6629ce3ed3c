"""What the tests of the tasks share."""

from __future__ import annotations

from pathlib import Path

import pytest
from short_runs import SOFT, run


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("runs") / "finished", 10)


@pytest.fixture(scope="session")
def finished_soft(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Semi-hard at first, with a moving average of the weights."""
    return run(tmp_path_factory.mktemp("runs") / "soft", 10, *SOFT)
