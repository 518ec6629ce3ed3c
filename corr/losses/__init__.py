"""What training minimises: pure functions of descriptors, and classes that hold their settings."""

from corr.losses.descriptor import DescriptorLoss
from corr.losses.guard import Guard
from corr.losses.labels import Labels
from corr.losses.triplet import TripletLoss

__all__ = ["DescriptorLoss", "Guard", "Labels", "TripletLoss"]
