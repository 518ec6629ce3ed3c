"""FlowNetC compiled to machine code for the frames of a video."""

import shutil
import subprocess
import sys

import pytest

COMPILER = next(filter(shutil.which, ("c++", "g++", "clang++")), None)

VIDEO = """
import numpy as np
import torch
from torch._dynamo.utils import counters
from corr.models import FlowNetC
from corr.pipeline.flow_estimator import FlowEstimator

torch.manual_seed(0)
network = FlowNetC(1 / 16).eval()
frames = np.random.default_rng(0).integers(0, 256, (4, 60, 120, 3), np.uint8)


def flows():
    estimator = FlowEstimator(network)
    views = list(frames)
    return [estimator(*pair).flow for pair in zip(views, views[1:])]


expected = flows()
assert all(np.abs(flow).max() > 0.1 for flow in expected)
network.compile(fullgraph=True)
for found, known in zip(flows(), expected, strict=True):
    np.testing.assert_allclose(found, known, atol=0.01, rtol=0.01)
# One graph of each part serves every frame.
assert counters["stats"]["unique_graphs"] == 2, counters
assert counters["inductor"], "nothing was compiled"
"""


@pytest.mark.slow
@pytest.mark.skipif(COMPILER is None, reason="torch.compile needs a C++ compiler on a CPU")
def test_a_video_is_compiled_once(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    # In a process of its own: what checks shapes in tests cannot be traced.
    subprocess.run([sys.executable, "-c", VIDEO], check=True)
