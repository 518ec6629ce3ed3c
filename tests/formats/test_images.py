"""Images in every form that a user may bring."""

import io
import struct
import warnings
import zlib

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from corr.errors import FormatError, ImageError
from corr.formats.images import as_image, read_image, to_tensor, write_image, write_picture


@pytest.fixture
def colour():
    return np.random.default_rng(0).integers(0, 256, (12, 17, 3), dtype=np.uint8)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )


def png(width: int, height: int, depth: int, colour_type: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def test_hand_made_png(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png(2, 1, 8, 2, bytes([0, 1, 2, 3, 250, 251, 252])))
    assert read_image(path).tolist() == [[[1, 2, 3], [250, 251, 252]]]


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".ppm", ".tif", ".webp"])
def test_lossless_formats_come_back_exactly(tmp_path, colour, suffix):
    path = tmp_path / f"a{suffix}"
    Image.fromarray(colour).save(path, **({"lossless": True} if suffix == ".webp" else {}))
    read = read_image(path)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, colour)


def test_jpeg_agrees_with_opencv(tmp_path):
    ramp = np.add.outer(np.arange(64), np.arange(80)).astype(np.uint8)[..., None].repeat(3, 2)
    write_image(tmp_path / "a.jpg", ramp)
    reference = cv2.imread(str(tmp_path / "a.jpg"))[..., ::-1]
    assert np.abs(read_image(tmp_path / "a.jpg").astype(int) - reference).max() <= 2


def test_grey_is_repeated(tmp_path, colour):
    Image.fromarray(colour[..., 0]).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), colour[..., :1].repeat(3, 2))


def test_one_bit_and_palette(tmp_path):
    black_white = np.array([[True, False, True]])
    Image.fromarray(black_white).save(tmp_path / "a.png")
    assert read_image(tmp_path / "a.png")[0, :, 0].tolist() == [255, 0, 255]
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((1, 0), 1)
    palette.save(tmp_path / "p.png", transparency=b"\x00\xff")
    assert read_image(tmp_path / "p.png").tolist() == [[[10, 20, 30], [40, 50, 60]]]


def test_alpha_is_ignored(tmp_path, colour):
    alpha = np.random.default_rng(1).integers(0, 256, colour.shape[:2], dtype=np.uint8)
    Image.fromarray(np.dstack((colour, alpha))).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), colour)
    Image.fromarray(np.dstack((colour[..., 0], alpha))).save(tmp_path / "g.png")
    np.testing.assert_array_equal(read_image(tmp_path / "g.png"), colour[..., :1].repeat(3, 2))


@pytest.mark.parametrize(
    ("deep", "shallow"),
    [(0, 0), (128, 0), (129, 1), (257, 1), (32767, 127), (32768, 128), (65535, 255)],
)
@pytest.mark.parametrize("suffix", [".png", ".tif", ".pgm"])
def test_16_bits_are_scaled_not_cut(tmp_path, deep, shallow, suffix):
    cv2.imwrite(str(tmp_path / f"g{suffix}"), np.full((3, 4), deep, np.uint16))
    assert (read_image(tmp_path / f"g{suffix}") == shallow).all()
    if suffix != ".pgm":
        cv2.imwrite(str(tmp_path / f"c{suffix}"), np.full((3, 4, 3), deep, np.uint16))
        cv2.imwrite(str(tmp_path / f"a{suffix}"), np.full((3, 4, 4), deep, np.uint16))
        for name in "ca":
            read = read_image(tmp_path / f"{name}{suffix}")
            assert read.shape == (3, 4, 3)
            assert (read == shallow).all()


def test_16_bit_colours_keep_their_order(tmp_path):
    rows = b"\0" + struct.pack(">6H", 257 * 10, 257 * 20, 257 * 30, 257 * 40, 257 * 50, 257 * 60)
    (tmp_path / "a.png").write_bytes(png(2, 1, 16, 2, rows))
    assert read_image(tmp_path / "a.png").tolist() == [[[10, 20, 30], [40, 50, 60]]]


def test_exif_rotation_is_not_applied(tmp_path, colour):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(colour).save(tmp_path / "a.png", exif=exif)
    Image.fromarray(colour).save(tmp_path / "a.jpg", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), colour)
    assert read_image(tmp_path / "a.jpg").shape == colour.shape


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".ppm", ".webp", ".tif"])
@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_truncated_files_are_refused(tmp_path, suffix, kept):
    noise = np.random.default_rng(0).integers(0, 256, (90, 70, 3), dtype=np.uint8)
    whole = io.BytesIO()
    Image.fromarray(noise).save(whole, {".jpg": "JPEG", ".tif": "TIFF"}.get(suffix, suffix[1:]))
    path = tmp_path / f"a{suffix}"
    path.write_bytes(whole.getvalue()[: int(kept * len(whole.getvalue()))])
    with pytest.raises(ImageError, match=r"damaged or cut short|not an image"):
        read_image(path)


def test_truncated_deep_png_is_refused(tmp_path):
    noise = np.random.default_rng(0).integers(0, 65536, (90, 70, 3), dtype=np.uint16)
    encoded = cv2.imencode(".png", noise)[1].tobytes()
    (tmp_path / "a.png").write_bytes(encoded[: len(encoded) // 2])
    with pytest.raises(ImageError, match="damaged or cut short"):
        read_image(tmp_path / "a.png")


def test_what_is_no_image(tmp_path):
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "empty.png").write_bytes(b"")
    Image.fromarray(np.zeros((3, 3), np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(ImageError, match=r"there is no file '.*none\.png'"):
        read_image(tmp_path / "none.png")
    with pytest.raises(ImageError, match="is a folder, not a file"):
        read_image(tmp_path)
    for name in ("text.png", "empty.png"):
        with pytest.raises(ImageError, match="is not an image in a format that corr reads"):
            read_image(tmp_path / name)
    with pytest.raises(ImageError, match="floating-point"):
        read_image(tmp_path / "float.tif")


@pytest.mark.parametrize("size", [(10_001, 10_000), (60_000, 60_000)])
def test_huge_images_are_refused_before_decoding(tmp_path, size):
    # The header alone: there are no pixels to decode, so a refusal can only come from the header.
    (tmp_path / "huge.png").write_bytes(png(*size, 8, 2, b""))
    with warnings.catch_warnings(), pytest.raises(ImageError, match="100 megapixels"):
        warnings.simplefilter("error")
        read_image(tmp_path / "huge.png")


def test_sizes_that_pil_warns_of_warn_nobody(tmp_path, colour, monkeypatch):
    Image.fromarray(colour).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", colour[..., 0].size - 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(read_image(tmp_path / "a.png"), colour)


def test_as_image_accepts_the_contract(tmp_path, colour):
    Image.fromarray(colour).save(tmp_path / "a.png")
    for given in (tmp_path / "a.png", str(tmp_path / "a.png"), colour, to_tensor(colour)[0]):
        np.testing.assert_array_equal(as_image(given), colour)
    grey = as_image(colour[..., 0])
    assert grey.shape == (*colour.shape[:2], 3)
    assert (grey == colour[..., :1]).all()


@pytest.mark.parametrize(
    "given",
    [
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4,), np.uint8),
        torch.zeros(1, 3, 4, 4),
        torch.zeros(3, 4, 4, dtype=torch.uint8),
        None,
        7,
    ],
    ids=str,
)
def test_as_image_refuses_the_rest(given):
    with pytest.raises(ImageError, match="an image is a path, an"):
        as_image(given)


def test_as_image_refuses_values_and_sizes():
    with pytest.raises(ImageError, match=r"values from 0 to 255; use \[0, 1\]"):
        as_image(torch.tensor([0.0, 255.0]).reshape(1, 1, 2).expand(3, 1, 2))
    with pytest.raises(ImageError, match=r"use \[0, 1\]"):
        as_image(torch.full((3, 2, 2), torch.nan))
    with pytest.raises(ImageError, match="empty image of 0 x 4"):
        as_image(np.zeros((4, 0, 3), np.uint8))
    with pytest.raises(ImageError, match="100 megapixels"):
        as_image(np.broadcast_to(np.uint8(0), (10_001, 10_000)))


def test_tensor_is_a_batch_in_unit_range(colour):
    tensor = to_tensor(colour)
    assert tensor.shape == (1, 3, 12, 17)
    assert tensor.dtype == torch.float32
    assert float(tensor[0, 2, 5, 7]) == np.float32(colour[5, 7, 2]) / np.float32(255)


def test_pictures_are_written_and_returned(tmp_path, colour):
    assert write_picture(None, colour) is colour
    assert write_picture(tmp_path / "a.png", colour) is colour
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), colour)
    write_image(tmp_path / "flipped.png", colour[::-1])
    np.testing.assert_array_equal(read_image(tmp_path / "flipped.png"), colour[::-1])
    with pytest.raises(FormatError, match=r"use \.png, \.jpg or \.jpeg"):
        write_picture(tmp_path / "a.gif", colour)
