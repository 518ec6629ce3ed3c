"""What training minimises: pure functions of descriptors, and classes that hold their settings."""

from corr.losses.average_precision import SmoothAPLoss
from corr.losses.contrastive import ContrastiveLoss
from corr.losses.correspondence import CorrespondenceContrastiveLoss
from corr.losses.cycle import CycleConsistency
from corr.losses.descriptor import DescriptorLoss
from corr.losses.dual_softmax import DualSoftmaxLoss
from corr.losses.endpoint import EndpointLoss
from corr.losses.guard import Guard
from corr.losses.guarded import GuardedLoss
from corr.losses.hardest_contrastive import HardestContrastiveLoss
from corr.losses.hybrid import HyNetLoss
from corr.losses.info_nce import InfoNCELoss
from corr.losses.labels import Labels
from corr.losses.n_pair import NPairLoss
from corr.losses.orthogonal import GlobalOrthogonalLoss
from corr.losses.rows import RowHingeLoss, RowLoss, RowSoftmaxLoss
from corr.losses.second_order import SOSNetLoss
from corr.losses.triplet import TripletLoss

__all__ = [
    "ContrastiveLoss",
    "CorrespondenceContrastiveLoss",
    "CycleConsistency",
    "DescriptorLoss",
    "DualSoftmaxLoss",
    "EndpointLoss",
    "GlobalOrthogonalLoss",
    "Guard",
    "GuardedLoss",
    "HardestContrastiveLoss",
    "HyNetLoss",
    "InfoNCELoss",
    "Labels",
    "NPairLoss",
    "RowHingeLoss",
    "RowLoss",
    "RowSoftmaxLoss",
    "SOSNetLoss",
    "SmoothAPLoss",
    "TripletLoss",
]
