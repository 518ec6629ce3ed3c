"""Images: files, arrays and tensors, all as `(H, W, 3)` uint8 RGB.

A pixel of a result is a pixel of the *file*: a rotation noted in EXIF is not applied. Alpha is
ignored (the colour is taken as stored), grey is repeated, 16 bits are scaled to 8, colour profiles
are not applied, and of an animation the first frame is read.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from corr.errors import FormatError, ImageError
from corr.formats.atomic import replacing
from corr.formats.suffixes import PICTURE, check_suffix, read_bytes

MAX_PIXELS = 100_000_000
"""Largest image that is read; a larger one is refused before it is decoded."""

Picture = UInt8[np.ndarray, "_ _ 3"]


def read_image(path: str | Path) -> Picture:
    """The image in a file.

    Raises:
        ImageError: the file is missing, a folder, not an image, truncated or too large.
    """
    try:
        content = read_bytes(path)
    except FormatError as error:
        raise ImageError(str(error)) from error
    with _one_sentence(path), Image.open(io.BytesIO(content)) as image:
        check_pixels(image.size, f"'{path}'")
        deep_colour = ";16" in str([tile[3] for tile in image.tile]) and image.mode != "I;16"
        image.load()
        if deep_colour:
            return _to_rgb(_decode_deep(content, path))
        if image.mode == "F":
            raise ImageError(f"'{path}' holds floating-point values, not an image of 8 or 16 bits")
        if image.mode.startswith("I"):
            return _to_rgb(np.asarray(image).astype(np.int64).clip(0, 65535).astype(np.uint16))
        return np.array(image.convert("RGB"))


def read_image_size(path: str | Path) -> tuple[int, int]:
    """(width, height) of the image in a file, from its header alone.

    Raises:
        ImageError: the file is missing, not an image, or too large.
    """
    if not Path(path).is_file():
        raise ImageError(f"there is no file '{path}'")
    with _one_sentence(path), Image.open(path) as image:
        size = image.size
    check_pixels(size, f"'{path}'")
    return size


def as_image(image: Any) -> Picture:
    """The image that a caller gave, in whichever form the contract accepts.

    Args:
        image: a path; an RGB `(H, W, 3)` or grey `(H, W)` uint8 array; or a float tensor
            `(3, H, W)` in [0, 1].

    Raises:
        ImageError: it is something else, or cannot be read.
    """
    accepted = "a path, an (H, W, 3) or (H, W) uint8 array, or a (3, H, W) float tensor in [0, 1]"
    if isinstance(image, str | Path):
        return read_image(image)
    if isinstance(image, Tensor):
        if image.ndim != 3 or len(image) != 3 or not image.is_floating_point():
            raise ImageError(f"an image is {accepted}, not a {_described(image)}")
        return _from_tensor(image)
    if not isinstance(image, np.ndarray):
        raise ImageError(f"an image is {accepted}, not a {type(image).__name__}")
    if image.dtype != np.uint8 or image.ndim not in (2, 3) or image.shape[2:] not in ((), (3,)):
        raise ImageError(f"an image is {accepted}, not a {_described(image)}")
    check_pixels((image.shape[1], image.shape[0]), "the array")
    return _to_rgb(image)


def to_tensor(image: Picture) -> Float[Tensor, "1 3 H W"]:
    """The image as a batch of one in [0, 1], see `corr.geometry`."""
    planes = torch.from_numpy(image).permute(2, 0, 1).unsqueeze(0)
    return planes.to(torch.float32, memory_format=torch.contiguous_format).div_(255)


def write_image(path: str | Path, image: Picture | UInt8[np.ndarray, "_ _"]) -> None:
    """Write a `.png` or `.jpg`, in colour or grey.

    Raises:
        FormatError: the suffix is another one, or the file cannot be written.
    """
    check_suffix(path, PICTURE)
    with replacing(path) as temporary:
        Image.fromarray(np.ascontiguousarray(image)).save(temporary, quality=95)


def write_picture(path: str | Path | None, picture: Picture) -> Picture:
    """The same picture, written when a path is given.

    Raises:
        FormatError: the suffix is not one of a picture, or the file cannot be written.
    """
    if path is not None:
        write_image(path, picture)
    return picture


def check_pixels(size: tuple[int, int], subject: str) -> None:
    """Refuse an image of `size` (width, height) that is empty or too large.

    Raises:
        ImageError: it is.
    """
    width, height = size
    if width < 1 or height < 1:
        raise ImageError(f"{subject} is an empty image of {width} x {height} pixels")
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{subject} has {width} x {height} pixels; corr reads up to "
            f"{MAX_PIXELS // 1_000_000} megapixels"
        )


@contextmanager
def _one_sentence(path: str | Path) -> Iterator[None]:
    """What PIL says about a bad file, as one `ImageError`; its warnings go nowhere."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ImageError:
        raise
    except UnidentifiedImageError as error:
        raise ImageError(f"'{path}' is not an image in a format that corr reads") from error
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"'{path}' is too large; corr reads up to {MAX_PIXELS // 1_000_000} megapixels"
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, OverflowError) as error:
        raise ImageError(f"'{path}' is damaged or cut short, and cannot be read") from error


def _decode_deep(content: bytes, path: str | Path) -> np.ndarray:
    """Colour of 16 bits, which PIL would cut to 8, as RGB."""
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None:
        raise ImageError(f"'{path}' is damaged or cut short, and cannot be read")
    return decoded if decoded.ndim == 2 else np.ascontiguousarray(decoded[..., 2::-1])


def _to_rgb(image: np.ndarray) -> Picture:
    if image.dtype == np.uint16:
        image = ((image.astype(np.uint32) + 128) // 257).astype(np.uint8)
    return np.repeat(image[:, :, None], 3, axis=2) if image.ndim == 2 else image


def _from_tensor(image: Tensor) -> Picture:
    values = image.detach().float().cpu()
    check_pixels((values.shape[2], values.shape[1]), "the tensor")
    low, high = float(values.min()), float(values.max())
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise ImageError(f"the image tensor holds values from {low:g} to {high:g}; use [0, 1]")
    array: np.ndarray = (values.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
    return np.ascontiguousarray(array)


def _described(image: np.ndarray | Tensor) -> str:
    return f"{tuple(image.shape)} {str(image.dtype).removeprefix('torch.')} {type(image).__name__}"
