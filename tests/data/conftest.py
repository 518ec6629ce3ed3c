"""What the tests of the readers share."""

from collections.abc import Callable
from pathlib import Path

import pytest
from published import SETS


@pytest.fixture
def publish(tmp_path: Path) -> Callable[[str], Path]:
    """Writes the set of a card, a few pairs of 160 x 96, and returns its root."""

    def write(name: str) -> Path:
        root = tmp_path / f"root-of-{name}"
        root.mkdir()
        SETS[name](root)
        return root

    return write
