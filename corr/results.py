"""What corr returns: frozen records of arrays that save and draw themselves.

Every coordinate and size is in pixels of the *original* image, see `corr.geometry`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int, Shaped, UInt8

from corr import drawing, formats
from corr.geometry import cell_centres, spread_flow

Picture = UInt8[np.ndarray, "_ _ 3"]


@dataclass(frozen=True, eq=False)
class Features:
    """Keypoints of one image and what describes them."""

    keypoints: Float[np.ndarray, "N 2"]
    """(x, y), best first."""
    descriptors: Shaped[np.ndarray, "N D"]
    """Unit-length float32 rows, or uint8 rows of packed bits (binary descriptors)."""
    scores: Float[np.ndarray, " N"]
    """Strength of the detection; rises when better."""
    scale: Float[np.ndarray, " N"]
    """Sigma, px: half the `size` of an OpenCV keypoint."""
    angle_deg: Float[np.ndarray, " N"]
    """Direction, from x towards y."""
    image_size: tuple[int, int]
    """(height, width) of the image."""

    def __len__(self) -> int:
        return len(self.keypoints)

    def save(self, path: str | Path) -> None:
        """Write `.npz` or `.h5`."""
        formats.write_features(path, self)

    def draw(self, image: Picture, path: str | Path | None = None) -> Picture:
        """The keypoints on their image, as circles of their scale; written when `path` is given."""
        return formats.write_picture(
            path, drawing.draw_keypoints(image, self.keypoints, self.scale, self.angle_deg)
        )


@dataclass(frozen=True, eq=False)
class Matches:
    """Points of image 0 and the points of image 1 that correspond to them."""

    keypoints0: Float[np.ndarray, "K 2"]
    keypoints1: Float[np.ndarray, "K 2"]
    scores: Float[np.ndarray, " K"]
    """Similarity of the two descriptors; rises when better."""
    image_size0: tuple[int, int]
    image_size1: tuple[int, int]
    model: Float[np.ndarray, "3 3"] | None = None
    """The homography or fundamental matrix (0 to 1) that verification estimated."""

    def __len__(self) -> int:
        return len(self.keypoints0)

    def save(self, path: str | Path) -> None:
        """Write `.npz`, `.h5` or `.csv`."""
        formats.write_matches(path, self)

    def draw(
        self,
        image0: Picture,
        image1: Picture,
        path: str | Path | None = None,
        *,
        correct: Bool[np.ndarray, " K"] | None = None,
    ) -> Picture:
        """Both images side by side with a line for each match; written when `path` is given.

        Args:
            image0: the first image.
            image1: the second image.
            path: where to write the picture.
            correct: colours right matches green and wrong ones red.
        """
        return formats.write_picture(
            path,
            drawing.draw_matches(
                image0, image1, self.keypoints0, self.keypoints1, self.scores, correct
            ),
        )


@dataclass(frozen=True, eq=False)
class DisparityMap:
    """How far each pixel of the left image has moved to the left in the right image."""

    disparity: Float[np.ndarray, "H W"]
    """px, >= 0; NaN where unknown."""
    confidence: Float[np.ndarray, "H W"]
    """How likely the value is right within 1 px, as far as the model knows it; 0 where it was
    filled or is unknown."""

    def save(self, path: str | Path) -> None:
        """Write `.pfm`, `.npy` or a KITTI `.png` (uint16, 256 x disparity, 0 = unknown)."""
        formats.write_disparity(path, self.disparity)

    def draw(
        self, path: str | Path | None = None, *, max_disparity: int | float | None = None
    ) -> Picture:
        """The map in colour with its scale in px; written when `path` is given."""
        return formats.write_picture(path, drawing.draw_disparity(self.disparity, max_disparity))


@dataclass(frozen=True, eq=False)
class FlowField:
    """Where each pixel of image 0 went in image 1."""

    flow: Float[np.ndarray, "H W 2"]
    """(u, v) px: `target = p + flow(p)`."""
    occluded: Bool[np.ndarray, "H W"]
    """True where the pixel of image 0 is not seen in image 1."""
    confidence: Float[np.ndarray, "H W"]
    """In [0, 1]; NaN where the way back was not computed."""

    def save(self, path: str | Path) -> None:
        """Write `.flo`, `.npy` or a KITTI `.png` (uint16, 64 x flow + 2^15)."""
        formats.write_flow(path, self.flow)

    def draw(
        self, path: str | Path | None = None, *, max_flow: int | float | None = None
    ) -> Picture:
        """The field on the colour wheel with its scale in px; written when `path` is given."""
        return formats.write_picture(path, drawing.draw_flow(self.flow, max_flow))

    def draw_warped(self, image1: Picture, path: str | Path | None = None) -> Picture:
        """Image 1 brought back onto image 0, with what is occluded shaded."""
        picture = drawing.draw_warped(image1, self.flow, self.occluded)
        return formats.write_picture(path, picture)


@dataclass(frozen=True, eq=False)
class DenseMatches:
    """Where each cell of image 0 is in image 1, which may be of another size."""

    flow: Float[np.ndarray, "Hs Ws 2"]
    """(u, v) px from the centre of each cell, see `points`; NaN where there is no match."""
    confidence: Float[np.ndarray, "Hs Ws"]
    """In [0, 1], see `corr.match_dense`; 0 where there is no match."""
    stride: int
    """Side of a cell, px of image 0."""
    image_size0: tuple[int, int]
    image_size1: tuple[int, int]

    def __len__(self) -> int:
        return int(self.matched.sum())

    @property
    def points(self) -> Float[np.ndarray, "Hs Ws 2"]:
        """(x, y) of the cells' centres in image 0, as in `corr.geometry.cell_centres`."""
        return cell_centres(self.image_size0, self.stride).numpy()

    @property
    def matched(self) -> Bool[np.ndarray, "Hs Ws"]:
        """True where there is a match."""
        known: np.ndarray = np.isfinite(self.flow).all(axis=2)
        return known

    def to_matches(self) -> Matches:
        """The matches as a list, most confident first; their scores are the confidence."""
        matched = self.matched
        order = np.argsort(-self.confidence[matched], kind="stable")
        points0 = self.points[matched][order]
        return Matches(
            points0,
            points0 + self.flow[matched][order],
            self.confidence[matched][order],
            self.image_size0,
            self.image_size1,
        )

    def flow_of_pixels(self) -> Float[np.ndarray, "H W 2"]:
        """The flow of every pixel of image 0, px; see `corr.geometry.spread_flow`."""
        return spread_flow(torch.from_numpy(self.flow), self.stride, self.image_size0).numpy()

    def save(self, path: str | Path) -> None:
        """Write `.npz` or `.h5`; or the flow of every pixel as `.flo`, `.npy` or a KITTI `.png`."""
        formats.write_dense_matches(path, self)

    def draw(
        self,
        image0: Picture,
        image1: Picture,
        path: str | Path | None = None,
        *,
        max_flow: int | float | None = None,
    ) -> Picture:
        """Image 0, image 1 warped onto it, the flow and the confidence; written to a given path.

        Args:
            image0: the first image.
            image1: the second image.
            path: where to write the picture.
            max_flow: px at the rim of the colour wheel; nearly the longest of the confident matches
                when not given.
        """
        height, width = self.image_size0
        rows = np.arange(height) // self.stride
        confidence = self.confidence[rows][:, np.arange(width) // self.stride]
        picture = drawing.draw_dense_matches(
            image0, image1, self.flow_of_pixels(), confidence, max_flow
        )
        return formats.write_picture(path, picture)


@dataclass(frozen=True, eq=False)
class Embeddings:
    """Whole images, each as one vector; `numpy.asarray` gives the table of them."""

    descriptors: Float[np.ndarray, "N D"]
    """Unit-length float32 rows: their inner products are cosines."""
    names: tuple[str, ...]
    """Of each image: its path, or its number where it has none."""

    def __len__(self) -> int:
        return len(self.descriptors)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.descriptors, dtype=dtype, copy=copy)

    def save(self, path: str | Path) -> None:
        """Write `.npz` or `.h5`."""
        formats.write_embeddings(path, self)


@dataclass(frozen=True, eq=False)
class Ranking:
    """For each query the images of a gallery that are most like it, best first."""

    index: Int[np.ndarray, "Q K"]
    """Which images of the gallery."""
    scores: Float[np.ndarray, "Q K"]
    """Their similarity, at most 1; rises when better."""
    query_names: tuple[str, ...]
    gallery_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.index)

    def save(self, path: str | Path) -> None:
        """Write `.csv`: a line for each answer."""
        formats.write_ranking(path, self)

    def draw(
        self,
        queries: Sequence[Picture],
        answers: Sequence[Sequence[Picture]],
        path: str | Path | None = None,
        *,
        correct: Bool[np.ndarray, "Q K"] | None = None,
    ) -> Picture:
        """Each query with its answers beside it; written when `path` is given.

        Args:
            queries: the images of the queries.
            answers: for each query the images of its answers, best first.
            path: where to write the picture.
            correct: frames right answers green and wrong ones red.
        """
        picture = drawing.draw_ranking(queries, answers, self.scores, correct)
        return formats.write_picture(path, picture)
