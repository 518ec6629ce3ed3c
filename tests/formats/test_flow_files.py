"""Flow: against bytes written by hand."""

import struct

import cv2
import numpy as np
import pytest

from corr.errors import FormatError
from corr.formats.flow import read_flo, read_flow, write_flo, write_flow
from corr.formats.kitti import read_kitti_flow, write_kitti_flow
from corr.formats.maps import read_map

FLOW = np.array([[[1.0, -2.0], [0.0, 0.5], [-100.25, 3.0]]], np.float32)


def test_flo_bytes_read(tmp_path):
    values = [1.0, -2.0, 0.0, 0.5, 2e9, 1.0, 1.0, -3e9]
    content = b"PIEH" + struct.pack("<ii", 2, 2) + struct.pack("<8f", *values)
    assert struct.unpack("<f", b"PIEH") == (202021.25,)
    (tmp_path / "a.flo").write_bytes(content)
    expected = [[[1.0, -2.0], [0.0, 0.5]], [[np.nan] * 2, [np.nan] * 2]]
    read = read_flo(tmp_path / "a.flo")
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, np.float32(expected))


def test_flo_bytes_written(tmp_path):
    flow = FLOW.copy()
    flow[0, 1, 0] = np.nan
    write_flo(tmp_path / "a.flo", flow)
    values = struct.pack("<6f", 1.0, -2.0, 1e10, 1e10, -100.25, 3.0)
    assert (tmp_path / "a.flo").read_bytes() == b"PIEH" + struct.pack("<ii", 3, 1) + values


def test_flo_agrees_with_opencv(tmp_path):
    flow = np.random.default_rng(0).normal(size=(5, 7, 2)).astype(np.float32)
    write_flo(tmp_path / "a.flo", flow)
    np.testing.assert_array_equal(cv2.readOpticalFlow(str(tmp_path / "a.flo")), flow)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "does not begin with 202021.25"),
        (b"PIEX" + bytes(16), "does not begin with 202021.25"),
        (b"HEIP" + bytes(16), "has its bytes in the other order; a .flo is little endian"),
        (b"PIEH\1", "does not begin with 202021.25"),
        (b"PIEH" + struct.pack("<ii", 2, 1) + bytes(8), "2 x 1 vectors need 28 bytes, it has 20"),
        (b"PIEH" + struct.pack("<ii", 1, 1) + bytes(9), "need 20 bytes, it has 21"),
        (b"PIEH" + struct.pack("<ii", -1, -1) + bytes(8), "it says that it has -1 x -1 vectors"),
        (b"PIEH" + struct.pack("<ii", 0, 3), "it says that it has 0 x 3 vectors"),
        (b"PIEH" + struct.pack(">ii", 2, 1) + bytes(16), "damaged: 33554432 x 16777216 vectors"),
        (b"PIEH" + struct.pack("<ii", 2**30, 2**30) + bytes(8), "damaged"),
    ],
)
def test_damaged_flo(tmp_path, content, message):
    (tmp_path / "a.flo").write_bytes(content)
    with pytest.raises(FormatError, match=message):
        read_flo(tmp_path / "a.flo")


def test_kitti_png_against_its_definition(tmp_path):
    # OpenCV writes blue, green, red: valid, v, u.
    raw = np.array([[[1, 2**15 - 128, 2**15 + 64], [0, 0, 0], [1, 65535, 0]]], np.uint16)
    cv2.imwrite(str(tmp_path / "a.png"), raw)
    expected = [[[1.0, -2.0], [np.nan, np.nan], [-512.0, 511.984375]]]
    np.testing.assert_array_equal(read_kitti_flow(tmp_path / "a.png"), np.float32(expected))


def test_kitti_png_written(tmp_path):
    flow = FLOW.copy()
    flow[0, 1, 1] = np.nan
    write_kitti_flow(tmp_path / "a.png", flow)
    raw = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert raw.dtype == np.uint16
    assert raw[0].tolist() == [[32832, 32640, 1], [0, 0, 0], [26352, 32960, 1]]


@pytest.mark.parametrize("value", [512.0, -512.1])
def test_kitti_png_refuses_what_it_cannot_hold(tmp_path, value):
    flow = FLOW.copy()
    flow[0, 0, 1] = value
    with pytest.raises(FormatError, match=r"flow from -512 to 511\.98 px.*use \.flo or \.npy"):
        write_kitti_flow(tmp_path / "a.png", flow)
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("suffix", [".flo", ".npy", ".png"])
def test_round_trip(tmp_path, suffix):
    flow = FLOW.copy()
    flow[0, 1] = np.nan
    write_flow(tmp_path / f"a{suffix}", flow)
    np.testing.assert_array_equal(read_flow(tmp_path / f"a{suffix}"), flow)


def test_vectors_that_stand_for_none_are_unknown_in_npy_too(tmp_path):
    flow = FLOW.astype(np.float64)
    flow[0, 0, 1], flow[0, 1, 0] = 1e10, -1e300
    np.save(tmp_path / "a.npy", flow)
    read = read_flow(tmp_path / "a.npy")
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, np.float32([[[np.nan] * 2, [np.nan] * 2, [-100.25, 3.0]]]))


def test_flow_in_a_colour_pfm(tmp_path):
    rows = np.float32([[[1, -2, 0], [np.inf, 0, 0]], [[3, 4, 0], [5, 6, 0]]])
    (tmp_path / "a.pfm").write_bytes(b"PF\n2 2\n-1.0\n" + rows[::-1].tobytes())
    for read in (read_flow, read_map):
        found = read(tmp_path / "a.pfm")
        np.testing.assert_array_equal(found, [[[1, -2], [np.nan] * 2], [[3, 4], [5, 6]]])
    (tmp_path / "g.pfm").write_bytes(b"Pf\n2 2\n-1.0\n" + rows[..., 0].tobytes())
    with pytest.raises(FormatError, match=r"one channel \('Pf'\); a colour PFM \('PF'\) is needed"):
        read_flow(tmp_path / "g.pfm")
    assert read_map(tmp_path / "g.pfm").shape == (2, 2)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((4, 5, 3), np.uint8), "has 8 bits and 3 channels"),
        (np.zeros((4, 5), np.uint16), "has 16 bits and 1 channels"),
        (np.zeros((4, 5, 4), np.uint16), "has 16 bits and 4 channels"),
    ],
)
def test_a_png_that_is_not_kittis(tmp_path, values, message):
    cv2.imwrite(str(tmp_path / "a.png"), values)
    with pytest.raises(FormatError, match=message):
        read_flow(tmp_path / "a.png")


def test_refusals(tmp_path):
    with pytest.raises(FormatError, match=r"use \.flo, \.npy or \.png"):
        write_flow(tmp_path / "a.pfm", FLOW)
    np.save(tmp_path / "flat.npy", np.zeros((2, 2)))
    with pytest.raises(FormatError, match=r"a flow field is \(H, W, 2\)"):
        read_flow(tmp_path / "flat.npy")


def test_real_files(shared_data):
    chairs = next((shared_data / "flying-chairs").rglob("*.flo"))
    np.testing.assert_array_equal(read_flo(chairs), cv2.readOpticalFlow(str(chairs)))
    kitti = read_flow(shared_data / "kitti-2012/training/flow_occ/000027_10.png")
    known = np.isfinite(kitti).all(2)
    assert 0.1 < known.mean() < 0.6
    assert np.abs(kitti[known]).max() < 512
