"""The true disparity of `corr disparity --truth`: read, compared, drawn."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float

    from corr.pipeline.disparity_scores import DisparityScores
    from corr.results import Picture


class Truth(NamedTuple):
    """A file, and how it is read and drawn; of several pairs the place of all files."""

    path: Path | None = None
    scale: float | None = None
    bad_px: float = 2.0

    def checked(self) -> Truth:
        """The same.

        Raises:
            OptionError: an option is out of range, or needs a truth that is not given.
        """
        from corr.errors import OptionError

        if self.path is None and self.scale is not None:
            raise OptionError("--truth-scale needs --truth FILE, the true disparity")
        if not self.bad_px > 0:
            raise OptionError(f"--bad-px is {self.bad_px}; use a number of pixels above 0")
        return self

    def read(self, image: Picture) -> Float[np.ndarray, "H W"] | None:
        """The map of an image; None where there is none.

        Raises:
            FormatError: it cannot be read, has another size, or knows nothing.
        """
        return None if self.path is None else self._of_size(image.shape[:2], "the left image")

    def score(self, found: Path) -> DisparityScores:
        """How good the map in a file is.

        Raises:
            FormatError: one of the two cannot be read, or they do not fit.
        """
        from corr.formats import read_disparity
        from corr.pipeline.disparity_scores import score_disparity

        disparity = read_disparity(found)
        return score_disparity(disparity, self._of_size(disparity.shape, f"'{found}'"))

    def draw(
        self, path: Path, found: Float[np.ndarray, "H W"], truth: Float[np.ndarray, "H W"]
    ) -> None:
        """A picture of where a map is wrong."""
        from corr.drawing import draw_error
        from corr.formats import write_picture

        write_picture(path, draw_error(found, truth, self.bad_px))

    def _of_size(self, size: tuple[int, ...], of: str) -> Float[np.ndarray, "H W"]:
        from corr.errors import FormatError
        from corr.formats import read_disparity
        from corr.metrics import known_disparity

        assert self.path is not None
        truth = read_disparity(self.path, scale=self.scale)
        if truth.shape != size:
            sizes = [f"{shape[1]} x {shape[0]}" for shape in (truth.shape, size)]
            raise FormatError(f"'{self.path}' has {sizes[0]} pixels, and {of} {sizes[1]}")
        if not known_disparity(truth).any():
            raise FormatError(
                f"'{self.path}' knows the disparity of no pixel, so nothing can be judged"
            )
        return truth
