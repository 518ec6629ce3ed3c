"""Files that corr reads and writes: images, features, matches, disparity and flow."""

from corr.formats.atomic import replacing
from corr.formats.dense_matches import read_dense_matches, write_dense_matches
from corr.formats.disparity import read_disparity, write_disparity
from corr.formats.embeddings import read_embeddings, write_embeddings
from corr.formats.features import read_features, write_features
from corr.formats.flow import read_flo, read_flow, write_flo, write_flow
from corr.formats.images import as_image, read_image, to_tensor, write_image, write_picture
from corr.formats.kitti import (
    read_kitti_disparity,
    read_kitti_flow,
    write_kitti_disparity,
    write_kitti_flow,
)
from corr.formats.matches import read_matches, write_matches
from corr.formats.pfm import read_pfm, write_pfm
from corr.formats.points import read_points, read_transferred, write_transferred
from corr.formats.rankings import write_ranking
from corr.formats.suffixes import check_output

__all__ = [
    "as_image",
    "check_output",
    "read_dense_matches",
    "read_disparity",
    "read_embeddings",
    "read_features",
    "read_flo",
    "read_flow",
    "read_image",
    "read_kitti_disparity",
    "read_kitti_flow",
    "read_matches",
    "read_pfm",
    "read_points",
    "read_transferred",
    "replacing",
    "to_tensor",
    "write_dense_matches",
    "write_disparity",
    "write_embeddings",
    "write_features",
    "write_flo",
    "write_flow",
    "write_image",
    "write_kitti_disparity",
    "write_kitti_flow",
    "write_matches",
    "write_pfm",
    "write_picture",
    "write_ranking",
    "write_transferred",
]
