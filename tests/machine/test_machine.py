"""Memory and versions as a measurement reports them."""

import platform

import numpy as np
import pytest
import torch

from corr.machine import environment, peak_memory


def test_peak_memory_is_that_of_the_block():
    if platform.system() != "Linux":
        pytest.skip("only Linux lets the high-water mark be reset")
    with peak_memory() as large:
        np.ones(8_000_000).sum()  # 64 MB, freed before the block ends
    with peak_memory() as small:
        np.ones(1_000_000).sum()
    assert 60e6 < large.num_bytes < 90e6
    assert 6e6 < small.num_bytes < 40e6


def test_environment_names_what_moves_the_seconds():
    found = environment()
    assert found["threads"] == torch.get_num_threads()
    assert found["torch"] == torch.__version__
    assert found["python"] == platform.python_version()
    assert found["processor"]
    assert found["cores"] >= 1
