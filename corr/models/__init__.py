"""Networks: each is one file, and saves and loads by `corr.models.saved`."""

from corr.models.census_descriptor import CensusDescriptor
from corr.models.flow_network import FlowNetwork
from corr.models.flownet import FlowNetS
from corr.models.flownet_published import load_published_flow
from corr.models.flownetc import FlowNetC
from corr.models.gemnet import GeMNet
from corr.models.googlenet_ucn import load_googlenet_ucn
from corr.models.hardnet import HardNet
from corr.models.hardnet_stn import HardNetSTN
from corr.models.hynet import HyNet
from corr.models.l2net import L2Net
from corr.models.light_hardnet import LightHardNet
from corr.models.network import DenseDescriptor, ImageEmbedding, Network, PatchDescriptor
from corr.models.published import load_published
from corr.models.saved import load_dense_descriptor, load_flow_network, load_network, save_network
from corr.models.sosnet import SOSNet
from corr.models.stereo_descriptor import StereoDescriptor
from corr.models.tfeat import TFeat
from corr.models.ucn import UniversalCorrespondenceNetwork

__all__ = [
    "CensusDescriptor",
    "DenseDescriptor",
    "FlowNetC",
    "FlowNetS",
    "FlowNetwork",
    "GeMNet",
    "HardNet",
    "HardNetSTN",
    "HyNet",
    "ImageEmbedding",
    "L2Net",
    "LightHardNet",
    "Network",
    "PatchDescriptor",
    "SOSNet",
    "StereoDescriptor",
    "TFeat",
    "UniversalCorrespondenceNetwork",
    "load_dense_descriptor",
    "load_flow_network",
    "load_googlenet_ucn",
    "load_network",
    "load_published",
    "load_published_flow",
    "save_network",
]
