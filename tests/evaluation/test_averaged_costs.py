import pytest

from corr.errors import ModelError
from corr.evaluation.stereo import StereoBenchmark


def test_models_joined_by_a_plus_are_one_row_known_by_all_their_files():
    benchmark = StereoBenchmark()
    alone = benchmark.candidate("hardnet")
    joined = benchmark.candidate("census+hardnet")
    assert joined.name == "census+hardnet"
    assert joined.identity != alone.identity
    assert set(alone.sha256.values()) <= set(joined.identity.values())
    with pytest.raises(ModelError, match="model 'raft' is not known"):
        benchmark.candidate("census+raft")
