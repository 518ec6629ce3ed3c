"""What the tests of synthetic scenes share."""

import pytest
from small import small_config

from corr.data.synthetic.scenes import SyntheticScenes


@pytest.fixture
def scenes_of():
    """Makes the small data set of a view."""

    def make(view: str, seed: int = 0, **changes: object) -> SyntheticScenes:
        return SyntheticScenes(small_config(view, **changes), seed=seed)

    return make
