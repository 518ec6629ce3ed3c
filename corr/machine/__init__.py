"""What a measured number depends on beside the code: versions, processor, memory in use."""

from corr.machine.environment import environment
from corr.machine.peak_memory import PeakMemory, peak_memory

__all__ = ["PeakMemory", "environment", "peak_memory"]
