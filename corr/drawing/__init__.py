"""Pictures of results, as `(H, W, 3)` uint8 RGB arrays; they take plain arrays."""

from corr.drawing.confidence import draw_confidence
from corr.drawing.curves import draw_curves
from corr.drawing.dense_matches import draw_dense_matches
from corr.drawing.depth import draw_depth
from corr.drawing.disparity import draw_disparity
from corr.drawing.error import draw_error, draw_flow_error
from corr.drawing.flow import draw_flow
from corr.drawing.keypoints import draw_keypoints
from corr.drawing.matches import draw_matches
from corr.drawing.ranking import draw_ranking
from corr.drawing.transfer import draw_transfer
from corr.drawing.warped import draw_warped

__all__ = [
    "draw_confidence",
    "draw_curves",
    "draw_dense_matches",
    "draw_depth",
    "draw_disparity",
    "draw_error",
    "draw_flow",
    "draw_flow_error",
    "draw_keypoints",
    "draw_matches",
    "draw_ranking",
    "draw_transfer",
    "draw_warped",
]
