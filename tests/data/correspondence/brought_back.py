"""Whether the flow of a pair says where its pixels went: image 1 brought back by it."""

import cv2
import numpy as np

from corr.data.correspondence.dense_pair import DensePair, targets


def error_beside_still(pair: DensePair) -> float:
    """Mean error of image 1 read where the flow leads, over that of image 1 as it is."""
    known = np.isfinite(pair.flow_0to1).all(-1)
    assert known.mean() > 0.3
    where = np.where(known[..., None], targets(pair.flow_0to1), 0)
    back = cv2.remap(pair.image1, where.astype(np.float32), None, cv2.INTER_LINEAR)
    error, still = (
        np.abs(image.astype(float) - pair.image0)[known].mean() for image in (back, pair.image1)
    )
    return error / still
