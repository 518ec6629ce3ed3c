"""How good one disparity map is, in a line."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from corr.errors import ShapeError
from corr.metrics import bad_pixel_rate, d1_rate, mean_disparity_error, root_mean_square_error

_BAD_PX = (0.5, 1.0, 2.0, 4.0)


def describe_scores(found: Float[np.ndarray, "H W"], truth: Float[np.ndarray, "H W"]) -> str:
    """Bad pixels, D1 and errors over every pixel with truth, with thresholds and mask.

    Raises:
        ShapeError: the truth knows no pixel.
    """
    known = np.isfinite(truth) & (truth > 0)
    if not known.any():
        raise ShapeError("the true disparity is unknown everywhere, so the map cannot be judged")
    rates = "/".join(f"{100 * bad_pixel_rate(found, truth, t):.1f}" for t in _BAD_PX)
    return (
        f"of the {100 * known.mean():.0f} % of pixels with truth, missing ones counted as bad: "
        f"bad-{'/'.join(f'{t:g}' for t in _BAD_PX)} {rates} %, "
        f"D1 (above 3 px and 5 %) {100 * d1_rate(found, truth):.1f} %; of those with a value: "
        f"mean error {mean_disparity_error(found, truth):.2f} px, "
        f"RMS {root_mean_square_error(found, truth):.2f} px"
    )
