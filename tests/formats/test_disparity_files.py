"""Disparity: against bytes written by hand."""

import struct

import cv2
import numpy as np
import pytest

from corr.errors import FormatError
from corr.formats.disparity import read_disparity, write_disparity
from corr.formats.kitti import read_kitti_disparity, write_kitti_disparity
from corr.formats.pfm import read_pfm, write_pfm

VALUES = np.array([[0.5, 1.25, 3.0], [64.0, 100.125, 7.0]], np.float32)


@pytest.mark.parametrize(("order", "scale"), [("<", b"-1.0"), (">", b"1.0"), ("<", b"-0.0039")])
def test_pfm_is_bottom_up_in_both_byte_orders(tmp_path, order, scale):
    bottom_up = [64.0, 100.125, 7.0, 0.5, 1.25, 3.0]
    content = b"Pf\n3 2\n" + scale + b"\n" + struct.pack(f"{order}6f", *bottom_up)
    (tmp_path / "a.pfm").write_bytes(content)
    read = read_pfm(tmp_path / "a.pfm")
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, VALUES)


def test_pfm_bytes_written(tmp_path):
    write_pfm(tmp_path / "a.pfm", VALUES)
    expected = b"Pf\n3 2\n-1\n" + struct.pack("<6f", 64.0, 100.125, 7.0, 0.5, 1.25, 3.0)
    assert (tmp_path / "a.pfm").read_bytes() == expected


def test_pfm_first_value_may_look_like_white_space(tmp_path):
    values = np.frombuffer(b"\n\n \r\n\t  ", "<f4").reshape(1, 2).astype(np.float32)
    write_pfm(tmp_path / "a.pfm", values)
    np.testing.assert_array_equal(read_pfm(tmp_path / "a.pfm"), values)


def test_pfm_agrees_with_opencv(tmp_path):
    values = np.random.default_rng(0).random((7, 5)).astype(np.float32)
    write_pfm(tmp_path / "a.pfm", values)
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "a.pfm"), cv2.IMREAD_UNCHANGED), values)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PF\n1 1\n-1\n" + bytes(12), "colour PFM"),
        (b"Pf\n3 2\n-1\n" + bytes(20), "3 x 2 values need 24 bytes, it has 20"),
        (b"Pf\n3 2\n-1\n" + bytes(28), "needs? 24 bytes, it has 28"),
        (b"Pf\n0 2\n-1\n", "damaged"),
        (b"P5\n3 2\n255\n" + bytes(6), "not a PFM"),
        (b"", "not a PFM"),
    ],
)
def test_damaged_pfm(tmp_path, content, message):
    (tmp_path / "a.pfm").write_bytes(content)
    with pytest.raises(FormatError, match=message):
        read_pfm(tmp_path / "a.pfm")


def test_kitti_png_against_its_definition(tmp_path):
    raw = np.array([[0, 1, 256], [640, 65535, 25632]], np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), raw)
    expected = [[np.nan, 1 / 256, 1.0], [2.5, 65535 / 256, 100.125]]
    np.testing.assert_array_equal(read_kitti_disparity(tmp_path / "a.png"), np.float32(expected))


def test_kitti_png_written(tmp_path):
    disparity = np.array([[np.nan, 0.0, 0.001], [1.0, 100.126, 255.996]], np.float32)
    write_kitti_disparity(tmp_path / "a.png", disparity)
    raw = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    assert raw.dtype == np.uint16
    # Known zeros become 1/256 px, since 0 says unknown.
    assert raw.tolist() == [[0, 1, 1], [256, 25632, 65535]]


def test_kitti_png_refuses_what_it_cannot_hold(tmp_path):
    for value in (256.0, -0.5):
        with pytest.raises(FormatError, match=r"0 to 256.00 px|use \.pfm or \.npy"):
            write_kitti_disparity(tmp_path / "a.png", np.array([[1.0, value, np.nan]], np.float32))
    assert not (tmp_path / "a.png").exists()


def test_kitti_png_of_another_kind(tmp_path):
    cv2.imwrite(str(tmp_path / "eight.png"), np.zeros((2, 2), np.uint8))
    cv2.imwrite(str(tmp_path / "three.png"), np.zeros((2, 2, 3), np.uint16))
    noise = np.random.default_rng(0).integers(0, 65536, (90, 70), dtype=np.uint16)
    (tmp_path / "cut.png").write_bytes(cv2.imencode(".png", noise)[1].tobytes()[:5000])
    (tmp_path / "text.png").write_text("no")
    for name, message in [
        ("eight", "has 8 bits and 1 channels"),
        ("three", "has 16 bits and 3 channels"),
        ("cut", "damaged"),
        ("text", "not a png"),
        ("none", "there is no file"),
    ]:
        with pytest.raises(FormatError, match=message):
            read_kitti_disparity(tmp_path / f"{name}.png")


@pytest.mark.parametrize("suffix", [".pfm", ".npy", ".png"])
def test_round_trip(tmp_path, suffix):
    disparity = VALUES.copy()
    disparity[0, 2] = np.nan
    path = tmp_path / f"a{suffix}"
    write_disparity(path, disparity)
    read = read_disparity(path)
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, disparity)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_unknown_is_infinite_in_pfm(tmp_path):
    write_disparity(tmp_path / "a.pfm", np.array([[np.nan, 2.0]], np.float32))
    assert read_pfm(tmp_path / "a.pfm").tolist() == [[np.inf, 2.0]]


def test_refusals(tmp_path):
    with pytest.raises(FormatError, match=r"use \.pfm, \.npy or \.png"):
        write_disparity(tmp_path / "a.jpg", VALUES)
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 2)))
    with pytest.raises(FormatError, match=r"a disparity map is \(H, W\)"):
        read_disparity(tmp_path / "cube.npy")
    np.save(tmp_path / "object.npy", np.array([{}]), allow_pickle=True)
    np.save(tmp_path / "text.npy", np.array(["a"]))
    (tmp_path / "cut.npy").write_bytes((tmp_path / "cube.npy").read_bytes()[:-8])
    for name in ("object", "text", "cut"):
        with pytest.raises(FormatError, match=r"not a \.npy file"):
            read_disparity(tmp_path / f"{name}.npy")


def test_real_files(shared_data):
    kitti = read_disparity(shared_data / "kitti-2012/training/disp_occ/000027_10.png")
    assert kitti.ndim == 2
    assert 0 < np.nanmin(kitti) < np.nanmax(kitti) < 256
    assert 0.1 < np.isfinite(kitti).mean() < 0.6
    things = next((shared_data / "flyingthings3d").rglob("*.pfm"))
    disparity = read_disparity(things)
    assert disparity.shape == (540, 960)
    assert 0 < disparity.min() < disparity.max() < 500


def test_pfm_with_a_wrong_header(tmp_path):
    values = np.random.default_rng(0).uniform(0, 60, (20, 30)).astype(np.float32)
    values[0, :5] = np.inf
    write_pfm(tmp_path / "a.pfm", values)
    right = (tmp_path / "a.pfm").read_bytes()
    for wrong, said in [
        (right.replace(b"\n-1\n", b"\n1\n", 1), "bytes in the other order than .* 1, says"),
        (right.replace(b"\n-1\n", b"\n0\n", 1), "has the scale 0"),
        (right.replace(b"Pf", b"P5", 1), "is not a PFM file"),
        (right.replace(b"30 20", b"30 21", 1), "is damaged: 30 x 21 values need"),
        (right.replace(b"30 20", b"-30 20", 1), "is not a PFM file"),
        (right.replace(b"30 20", b"30", 1), "is not a PFM file|is damaged"),
        (right.replace(b"Pf", b"PF", 1), "is a colour PFM"),
        (b"", "is not a PFM file"),
    ]:
        (tmp_path / "b.pfm").write_bytes(wrong)
        with pytest.raises(FormatError, match=said):
            read_pfm(tmp_path / "b.pfm")
    # Big endian with a header that says so is right.
    body = values[::-1].astype(">f4").tobytes()
    (tmp_path / "b.pfm").write_bytes(b"Pf\n30 20\n1\n" + body)
    np.testing.assert_array_equal(read_pfm(tmp_path / "b.pfm"), values)
    zeros = np.zeros((4, 4), np.float32)
    write_pfm(tmp_path / "c.pfm", zeros)
    np.testing.assert_array_equal(read_pfm(tmp_path / "c.pfm"), zeros)


def test_png_of_eight_bits_with_its_scale(tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.array([[0, 4, 255]], np.uint8))
    with pytest.warns(UserWarning, match=r"has 8 bits.* steps of 0\.25 px up to 63\.75 px"):
        read = read_disparity(tmp_path / "a.png", scale=4)
    np.testing.assert_array_equal(read, np.float32([[np.nan, 1, 63.75]]))
    with pytest.raises(FormatError, match="is a number above 0"):
        read_disparity(tmp_path / "a.png", scale=-1)
    write_kitti_disparity(tmp_path / "b.png", np.ones((2, 2), np.float32))
    with pytest.raises(FormatError, match="has 16 bits; a scale is for a png of 8 bits"):
        read_disparity(tmp_path / "b.png", scale=4)
    write_pfm(tmp_path / "b.pfm", np.ones((2, 2), np.float32))
    with pytest.raises(FormatError, match=r"a scale is for a \.png of 8 bits"):
        read_disparity(tmp_path / "b.pfm", scale=4)


def test_png_of_eight_bits_without_a_scale_is_in_whole_pixels(tmp_path):
    grey = np.array([[0, 4, 255]], np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), grey)
    cv2.imwrite(str(tmp_path / "three.png"), np.dstack([grey] * 3))
    for name in ("a.png", "three.png"):
        with pytest.warns(UserWarning, match=r"has 8 bits a pixel.* read as whole px.* give"):
            read = read_disparity(tmp_path / name)
        np.testing.assert_array_equal(read, np.float32([[np.nan, 4, 255]]))
    # A drawn map is not taken for one, and KITTI's own readers take no 8 bits.
    cv2.imwrite(str(tmp_path / "drawn.png"), np.dstack([grey, grey, 255 - grey]))
    with pytest.raises(FormatError, match="is in colour; a disparity map is grey"):
        read_disparity(tmp_path / "drawn.png")
    with pytest.raises(FormatError, match="has 8 bits and 1 channels; KITTI's png has 16"):
        read_kitti_disparity(tmp_path / "a.png")
    cv2.imwrite(str(tmp_path / "wide.png"), np.zeros((2, 2, 3), np.uint16))
    with pytest.raises(FormatError, match="has 16 bits and 3 channels"):
        read_disparity(tmp_path / "wide.png")
