"""What the tests of the models share."""

from __future__ import annotations

import pytest
import torch
from skimage import data
from turned_photo import SIZE


@pytest.fixture(scope="module")
def photo() -> torch.Tensor:
    grey = data.astronaut()[:SIZE, 100 : 100 + SIZE].mean(2)
    return torch.from_numpy(grey).float()[None, None] / 255
