"""Networks: each is one file, and saves and loads by `corr.models.saved`."""

from corr.models.hardnet import HardNet
from corr.models.network import Network, PatchDescriptor
from corr.models.saved import load_network, save_network

__all__ = ["HardNet", "Network", "PatchDescriptor", "load_network", "save_network"]
