"""What `corr disparity --calib` writes: depth in metres, coloured points, and their picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from corr.formats.calibration import RectifiedCameras
    from corr.results import DisparityMap, Picture

_DEPTH, _CLOUD = Path("depth.pfm"), Path("points.ply")
"""Written where a calibration is given and no file is named."""


class Calibrated(NamedTuple):
    """The calibration of a pair, and the files to write by it; all None where there is none."""

    calib: Path | None = None
    unit: str = "m"
    depth: Path | None = None
    cloud: Path | None = None
    draw_depth: Path | None = None
    max_depth: float | None = None

    def check_options(self) -> None:
        """Refuse what does not fit together.

        Raises:
            OptionError: files are named without a calibration, or max_depth is not above 0.
        """
        from corr.errors import OptionError

        files = {"--depth": self.depth, "--cloud": self.cloud, "--draw-depth": self.draw_depth}
        if self.calib is None:
            for flag, value in {**files, "--max-depth": self.max_depth}.items():
                if value is not None:
                    raise OptionError(f"{flag} needs --calib FILE, the calibration of the pair")
        if self.max_depth is not None and not self.max_depth > 0:
            raise OptionError(f"--max-depth is {self.max_depth}; use metres above 0")

    def checked(self) -> Calibrated:
        """The same, with the files that are written where none is named.

        Raises:
            FormatError: a file cannot be written.
            OptionError: see `check_options`.
        """
        from corr.formats.suffixes import DEPTH, PICTURE, POINT_CLOUD, check_output

        self.check_options()
        if self.calib is None:
            return self
        chosen = self
        if not any(self.files):
            chosen = self._replace(depth=_DEPTH, cloud=_CLOUD)
        accepted = (DEPTH, POINT_CLOUD, PICTURE)
        for path, suffixes in zip(chosen.files, accepted, strict=True):
            if path is not None:
                check_output(path, suffixes)
        return chosen

    @property
    def files(self) -> tuple[Path | None, Path | None, Path | None]:
        """Depth, points and picture."""
        return self.depth, self.cloud, self.draw_depth

    def cameras(self, left: Path, image: Picture) -> RectifiedCameras | None:
        """The cameras of the left image; which ones of KITTI's its folder tells.

        Raises:
            FormatError: the calibration cannot be read, or is of other images.
        """
        if self.calib is None:
            return None
        from corr.formats.calibration import read_rectified

        in_colour = left.resolve().parent.name in ("image_2", "image_02", "colored_0")
        numbers = (2, 3) if in_colour else (0, 1)
        cameras = read_rectified(self.calib, unit=self.unit, cameras=numbers)
        return cameras.for_image((image.shape[0], image.shape[1]))

    def write(self, found: DisparityMap, cameras: RectifiedCameras, image: Picture) -> str:
        """Write the files; the line that says what they hold."""
        import numpy as np

        from corr.pipeline.depth import measure_depth

        result = measure_depth(found, cameras, max_depth_m=self.max_depth)
        if self.depth is not None:
            result.save(self.depth)
        if self.draw_depth is not None:
            result.draw(self.draw_depth)
        points = ""
        if self.cloud is not None:
            count = result.save_points(self.cloud, image)
            points = f"; {count} points in metres, x right, y down, z forward"
        known = result.depth[np.isfinite(result.depth)]
        span = f"{known.min():.3g} to {known.max():.3g} m" if known.size else "nothing known"
        return (
            f"depth in metres along the left camera's axis: {span} (baseline "
            f"{cameras.baseline_m:.4g} m, focal length {cameras.intrinsics[0, 0]:.4g} px, "
            f"{cameras.source}){points}"
        )
