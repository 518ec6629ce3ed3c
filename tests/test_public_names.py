"""`import corr`: the names of the contract, each loaded when it is used."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import corr

CONTRACT = {
    "extract": ["image", "model", "keypoints", "max_keypoints", "device"],
    "match": ["image0", "image1", "model", "max_keypoints", "verify", "device"],
    "match_dense": ["image0", "image1", "model", "stride", "mutual", "search", "device"],
    "disparity": ["left", "right", "max_disparity", "model", "fill", "device"],
    "flow": ["image0", "image1", "model", "device"],
    "transfer": ["image0", "image1", "points0", "model", "device"],
    "embed": ["images", "model", "device"],
    "retrieve": ["queries", "gallery", "k", "model", "search", "device"],
    "load_network": ["name_or_folder"],
}


def test_every_name_is_there():
    for name in corr.__all__:
        assert getattr(corr, name) is not None
        assert name in dir(corr)
    with pytest.raises(AttributeError, match="module 'corr' has no attribute 'nothing'"):
        _ = corr.nothing


@pytest.mark.parametrize("name", CONTRACT)
def test_contract(name):
    parameters = inspect.signature(getattr(corr, name)).parameters
    assert set(CONTRACT[name]) <= set(parameters)
    for option in ("model", "max_keypoints", "verify", "max_disparity", "fill", "device"):
        if option in parameters:
            assert parameters[option].kind is inspect.Parameter.KEYWORD_ONLY
    defaults = {"max_keypoints": 2048, "fill": True, "model": None, "verify": None}
    for option, value in defaults.items():
        if option in parameters:
            assert parameters[option].default == value


def test_no_submodule_hides_a_function():
    """A module `corr/match.py` would replace the function `corr.match` when it is imported."""
    modules = {path.stem for path in Path(corr.__file__).parent.iterdir()}
    assert not modules & set(corr.__all__)


def test_import_loads_no_torch():
    code = (
        "import sys, corr\n"
        "assert 'match' in dir(corr)\n"
        "corr.CorrError, corr.__version__\n"
        "sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)
