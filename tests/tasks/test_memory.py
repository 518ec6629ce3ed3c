"""Freed memory stays with the process, in a process of its own, since it cannot be undone."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

glibc_only = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")

COUNT_FAULTS = """
import resource, sys, torch
from corr.tasks.memory import keep_freed_memory
if sys.argv[1] == "keep":
    assert keep_freed_memory()
for _ in range(20):  # until the blocks have found their places
    torch.ones(16, 1024, 1024)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    torch.ones(16, 1024, 1024)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(mode: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", COUNT_FAULTS, mode], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@glibc_only
def test_a_block_that_is_freed_and_taken_again_costs_no_page_faults():
    assert faults("plain") > 10000  # 64 MiB in pages of 4 KiB, five times: glibc gives it all back
    assert faults("keep") < 500


def test_importing_changes_nothing():
    code = "import corr.tasks.memory as m, ctypes; m.ctypes.CDLL = None; import corr.tasks.training"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_elsewhere_it_does_nothing(monkeypatch: pytest.MonkeyPatch):
    from corr.tasks.memory import keep_freed_memory

    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    assert keep_freed_memory() is False
    monkeypatch.setattr(platform, "system", lambda: "Linux")
    monkeypatch.setattr(platform, "libc_ver", lambda: ("musl", ""))
    assert keep_freed_memory() is False
