"""Speed and memory on this machine, each beside the methods that it has to be compared with."""

from corr.bench.command import run
from corr.bench.options import Options

__all__ = ["Options", "run"]
