"""A batch of 4096 descriptors needs no list of triplets, and few matrices of its pairs or none."""

import os
import subprocess
import sys

import pytest

PEAK = """
import ctypes, sys, torch
from corr.losses import *

def high_water():
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024

def forget():
    ctypes.CDLL(None).malloc_trim(0)  # what is free goes back, so that it counts when taken again
    with open("/proc/self/clear_refs", "w", encoding="ascii") as reset:
        reset.write("5")

def step(loss, num):
    sides = torch.nn.functional.normalize(torch.randn(2, num, 128), dim=2).requires_grad_()
    tracks = torch.arange(num) // 2
    loss(*sides, Labels(tracks=tracks)).backward()

for line in sys.argv[1:]:
    loss = eval(line)
    step(loss, 600)  # compiles, or loads what is compiled
    forget()
    before = high_water()
    step(loss, 4096)
    print(high_water() - before)
"""
TRIPLETS = [
    f"TripletLoss(mining={mining!r}, anchor_swap=True)"
    for mining in ("hardest", "semi-hard", "distance-weighted", "random", "all")
]
OTHERS = [
    "ContrastiveLoss()",
    "HardestContrastiveLoss()",
    "SOSNetLoss()",
    "HyNetLoss()",
    "InfoNCELoss()",
    "DualSoftmaxLoss()",
    "NPairLoss()",
    "SmoothAPLoss()",
    "GlobalOrthogonalLoss(TripletLoss())",
]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_peak_of_a_batch_of_4096():
    """Each whole matrix, of float32, would take 67 MB, and its gradient as much again.

    What is freed goes back to the system here, so that what is needed counts, not what the C
    library keeps for later: up to three times as much.
    """
    losses = TRIPLETS + OTHERS
    command = [sys.executable, "-c", PEAK, *losses]
    setting = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "1000000"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=setting)
    peaks = dict(zip(losses, map(float, done.stdout.split()), strict=True))
    assert max(peaks.values()) < 250, peaks
