"""A small benchmark from what scikit-image installs, laid out as the published sets are.

Three photographs, each with five views by known homographies under growing changes of viewpoint
and appearance, as HPatches lays them out; and Middlebury's motorcycle as a stereo pair and as two
frames whose flow is minus the disparity along x. Whole images are those of
`corr.data.mini_instances`.
"""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import skimage.data
import torch
from jaxtyping import Float64, UInt8

from corr.data.mini_instances import write_identities, write_retrieval
from corr.data.viewpoints import Homography, Viewpoints, map_keypoints
from corr.errors import FormatError
from corr.formats import write_disparity, write_flow, write_image
from corr.geometry import warp_homography

SEQUENCES, STEREO, FLOW = "sequences", "stereo", "flow"
RETRIEVAL, IDENTITIES = "retrieval", "identities"
"""The folders of the parts."""

VERSION = 2
"""Rises when the content changes."""
SEED = 1

NUM_VIEWS = 5
MAX_DISPARITY = 64
"""Bound of the search on the motorcycle, px; its largest true disparity is 60."""

_PHOTO_BLUR = 0.5
"""Sigma of a sharp photograph, px."""

Picture = UInt8[np.ndarray, "_ _ 3"]


@dataclass(frozen=True)
class _Sequence:
    """One photograph and the largest changes of its last view."""

    photo: str
    rotation_deg: float
    zoom: float
    """Smallest magnification."""
    tilt: float
    gamma: float
    noise: float
    """Standard deviation, as a share of white."""
    blur: float
    """Sigma, px."""


_ALL = {
    "v_astronaut": _Sequence("astronaut", 90.0, 0.6, 1.4, 1.1, 0.01, 0.0),
    "v_coffee": _Sequence("coffee", 15.0, 0.8, 2.2, 1.2, 0.01, 0.0),
    "i_chelsea": _Sequence("chelsea", 0.0, 1.0, 1.0, 2.6, 0.04, 1.5),
}


def mini_folder(parent: Path) -> Path:
    """The folder of the set below `parent`, written there when it is not.

    Raises:
        FormatError: it cannot be written.
    """
    folder = parent / f"mini-{VERSION}-skimage-{version('scikit-image')}"
    if folder.is_dir():
        return folder
    temporary = parent / f".{folder.name}.{secrets.token_hex(4)}.part"
    try:
        _write_sequences(temporary / SEQUENCES)
        _write_motorcycle(temporary)
        write_retrieval(temporary / RETRIEVAL)
        write_identities(temporary / IDENTITIES)
        temporary.replace(folder)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if folder.is_dir():  # another run was faster
            return folder
        raise FormatError(f"'{folder}' cannot be written: {error.strerror or error}") from error
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return folder


def _write_sequences(folder: Path) -> None:
    for index, (name, sequence) in enumerate(_ALL.items()):
        (folder / name).mkdir(parents=True)
        photo: Picture = getattr(skimage.data, sequence.photo)()
        write_image(folder / name / "1.png", photo)
        for view in range(1, NUM_VIEWS + 1):
            rng = np.random.default_rng([SEED, index, view])
            share = view / NUM_VIEWS
            homography = _viewpoint(sequence, share, photo.shape[:2], rng)
            image = _appearance(sequence, share, _warp(photo, homography), rng)
            write_image(folder / name / f"{view + 1}.png", image)
            np.savetxt(folder / name / f"H_1_{view + 1}", homography, fmt="%.12g")


def _viewpoint(
    sequence: _Sequence, share: float, size: tuple[int, ...], rng: np.random.Generator
) -> Homography:
    """The largest change of a sequence, or a share of it; none for a sequence of light alone."""
    if sequence.zoom == 1:
        return np.eye(3)
    reach = Viewpoints(
        max_rotation_deg=share * sequence.rotation_deg,
        min_zoom=sequence.zoom**share,
        max_zoom=1.1,
        max_tilt=sequence.tilt**share,
        max_perspective=0.1 * share,
    )
    drawn = reach.draw((size[0], size[1]), rng)
    homography: Homography = drawn / drawn[2, 2]
    return homography


def _warp(photo: Picture, homography: Homography) -> Float64[np.ndarray, "H W 3"]:
    """The photograph in a view, in [0, 1], blurred first where the view is smaller; else black."""
    height, width = photo.shape[:2]
    image: Float64[np.ndarray, "H W 3"] = photo.astype(np.float64) / 255
    centre = np.linalg.solve(homography, [(width - 1) / 2, (height - 1) / 2, 1])
    _, zoom, _ = map_keypoints(homography, (centre[:2] / centre[2])[None], *np.ones((2, 1)))
    if zoom[0] < 1:
        sigma = _PHOTO_BLUR * float(np.sqrt(zoom[0] ** -2 - 1))
        image = cv2.GaussianBlur(image, (0, 0), sigma)
    tensor = torch.from_numpy(image).permute(2, 0, 1)[None]
    warped = warp_homography(tensor, torch.from_numpy(homography)[None])[0].permute(1, 2, 0)
    view: Float64[np.ndarray, "H W 3"] = warped.numpy()
    return view


def _appearance(
    sequence: _Sequence,
    share: float,
    image: Float64[np.ndarray, "H W 3"],
    rng: np.random.Generator,
) -> Picture:
    """Another exposure, tint, focus, and the noise of a sensor."""
    darker = rng.random() < 0.5
    exposed = image ** (sequence.gamma**share if darker else sequence.gamma**-share)
    tinted = exposed * (1 - 0.2 * share * rng.random(3))
    if sequence.blur > 0:
        tinted = cv2.GaussianBlur(tinted, (0, 0), max(sequence.blur * share, 0.05))
    noisy = tinted + rng.normal(0, sequence.noise * share, image.shape)
    picture: Picture = np.rint(255 * noisy.clip(0, 1)).astype(np.uint8)
    return picture


def _write_motorcycle(folder: Path) -> None:
    """Middlebury 2014, at quarter size.

    Source: Scharstein et al. 2014, "High-Resolution Stereo Datasets with Subpixel-Accurate Ground
    Truth".
    """
    left, right, truth = skimage.data.stereo_motorcycle()
    disparity = np.where(np.isfinite(truth), truth, np.nan).astype(np.float32)
    scene = folder / STEREO / "motorcycle"
    scene.mkdir(parents=True)
    write_image(scene / "im0.png", left)
    write_image(scene / "im1.png", right)
    write_disparity(scene / "disp0.pfm", disparity)
    (scene / "calib.txt").write_text(f"ndisp={MAX_DISPARITY}\n", encoding="utf-8")
    scene = folder / FLOW / "motorcycle"
    scene.mkdir(parents=True)
    write_image(scene / "frame10.png", left)
    write_image(scene / "frame11.png", right)
    still = np.where(np.isnan(disparity), np.nan, np.float32(0))
    write_flow(scene / "flow10.flo", np.stack((-disparity, still), axis=2))
