"""Calibrations of KITTI, Middlebury and OpenCV: what turns disparity into depth."""

import cv2
import numpy as np
import pytest

from corr.errors import FormatError, OptionError
from corr.formats.calibration import read_rectified, read_rig, write_rectification

KITTI = """P0: 700 0 600 0 0 700 180 0 0 0 1 0
P1: 700 0 600 -350 0 700 180 0 0 0 1 0
P2: 700 0 600 42 0 700 180 0 0 0 1 0
P3: 700 0 600 -294 0 700 180 0 0 0 1 0
Tr_velo_to_cam: 1 2 3
"""
MIDDLEBURY = """cam0=[3979.911 0 1244.772; 0 3979.911 1019.507; 0 0 1]
cam1=[3979.911 0 1369.115; 0 3979.911 1019.507; 0 0 1]
doffs=124.343
baseline=193.001
width=2964
height=1988
ndisp=270
"""


def written(path, text):
    path.write_text(text)
    return path


def opencv_yaml(path, **matrices):
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_WRITE)
    for name, matrix in matrices.items():
        storage.write(name, np.asarray(matrix, float))
    storage.release()
    return path


def test_kitti_by_hand(tmp_path):
    path = written(tmp_path / "000000.txt", KITTI)
    cameras = read_rectified(path)
    assert cameras.baseline_m == pytest.approx(0.5)
    assert cameras.offset_px == 0
    assert cameras.intrinsics.tolist() == [[700, 0, 600], [0, 700, 180], [0, 0, 1]]
    assert "P0 and P1" in cameras.source
    # P2 stands 0.06 m to the left of P0, and P3 0.42 m to its right.
    assert read_rectified(path, cameras=(2, 3)).baseline_m == pytest.approx(0.48)


def test_the_real_kitti(shared_data):
    cameras = read_rectified(shared_data / "kitti-2012/training/calib/000027.txt")
    assert cameras.baseline_m == pytest.approx(0.5372, abs=1e-4)


def test_middlebury_by_its_page(tmp_path):
    cameras = read_rectified(written(tmp_path / "calib.txt", MIDDLEBURY))
    assert cameras.baseline_m == pytest.approx(0.193001)
    assert cameras.offset_px == pytest.approx(124.343)
    assert cameras.image_size == (1988, 2964)


def test_a_resized_image_has_resized_cameras(tmp_path):
    cameras = read_rectified(written(tmp_path / "calib.txt", MIDDLEBURY))
    half = cameras.for_image((994, 1482))
    assert half.intrinsics[0, 0] == pytest.approx(3979.911 / 2)
    # The centre of a pixel is a whole number: (p + 0.5) / 2 - 0.5.
    assert half.intrinsics[0, 2] == pytest.approx((1244.772 + 0.5) / 2 - 0.5)
    assert half.offset_px == pytest.approx(124.343 / 2)
    assert half.baseline_m == cameras.baseline_m
    with pytest.raises(FormatError, match="2964 x 1988 pixels, and these have 1482 x 1482"):
        cameras.for_image((1482, 1482))


@pytest.mark.parametrize(("unit", "metres"), [("m", 0.12), ("cm", 0.0012), ("mm", 0.00012)])
def test_opencv_by_projections_and_by_q(tmp_path, unit, metres):
    p1 = [[500, 0, 320, 0], [0, 500, 240, 0], [0, 0, 1, 0]]
    p2 = [[500, 0, 330, -60], [0, 500, 240, 0], [0, 0, 1, 0]]
    tx = -60 / 500
    q = [[1, 0, 0, -320], [0, 1, 0, -240], [0, 0, 0, 500], [0, 0, -1 / tx, (320 - 330) / tx]]
    for matrices in ({"P1": p1, "P2": p2}, {"Q": q}):
        cameras = read_rectified(opencv_yaml(tmp_path / "a.yml", **matrices), unit=unit)
        assert cameras.baseline_m == pytest.approx(metres)
        assert cameras.offset_px == pytest.approx(10)
        assert cameras.intrinsics[:2, 2].tolist() == [320, 240]
        assert unit in cameras.source


def test_rig_of_opencvs_sample(tmp_path):
    k = [[400, 0, 200], [0, 400, 150], [0, 0, 1]]
    opencv_yaml(
        tmp_path / "intrinsics.yml", M1=k, D1=[[0.1, 0, 0, 0, 0]], M2=k, D2=np.zeros((1, 5))
    )
    opencv_yaml(tmp_path / "extrinsics.yml", R=np.eye(3), T=[[-120.0], [0], [0]])
    rig = read_rig(tmp_path / "extrinsics.yml", unit="mm")
    assert rig.translation_m.tolist() == pytest.approx([-0.12, 0, 0])
    assert rig.distortion[0][0] == pytest.approx(0.1)


def test_rig_of_kittis_raw_drives(tmp_path):
    lines = ["calib_time: 09-Jan-2012 13:57:47"]
    for i, x in enumerate((0.0, -0.54)):
        lines += [
            f"S_0{i}: 1392 512",
            f"K_0{i}: 980 0 690 0 970 250 0 0 1",
            f"D_0{i}: -0.37 0.2 0 0 -0.07",
            f"R_0{i}: 1 0 0 0 1 0 0 0 1",
            f"T_0{i}: {x} 0 0",
            f"P_rect_0{i}: 720 0 600 {720 * x} 0 720 170 0 0 0 1 0",
            f"S_rect_0{i}: 1242 375",
        ]
    path = written(tmp_path / "calib_cam_to_cam.txt", "\n".join(lines))
    rig = read_rig(path)
    assert rig.image_size == (512, 1392)
    assert rig.translation_m.tolist() == [-0.54, 0, 0]
    assert read_rectified(path).image_size == (375, 1242)
    assert read_rectified(path).baseline_m == pytest.approx(0.54)


def test_what_is_written_is_read(tmp_path):
    p1 = np.array([[500, 0, 320, 0], [0, 500, 240, 0], [0, 0, 1, 0]], float)
    p2 = p1.copy()
    p2[0, 3] = -60
    path = tmp_path / "rectification.yaml"
    write_rectification(path, {"P1": p1, "P2": p2}, (480, 640), unit="m")
    cameras = read_rectified(path, unit="mm")  # the file's own unit counts
    assert cameras.baseline_m == pytest.approx(0.12)
    assert cameras.image_size == (480, 640)
    storage = cv2.FileStorage(str(path), cv2.FILE_STORAGE_READ)
    np.testing.assert_array_equal(storage.getNode("P2").mat(), p2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hello", "is not a calibration that corr reads"),
        ("P0: 1 2 3\n", "3 numbers in line 'P0:', where 12 belong"),
        (KITTI.partition("P1")[0], "has no line 'P1:'"),
        (KITTI.replace("-350", "350"), "the right camera stands on the right"),
        (KITTI.replace("P1: 700 0 600 -350 0 700 180 0", "P1: 700 0 600 0 0 700 180 9"), "above"),
        (KITTI.replace("P1: 700", "P1: 900"), "focal lengths of 700 and 900 px"),
        (MIDDLEBURY.replace("baseline=193.001", ""), "has no line 'baseline=' with a number"),
        (MIDDLEBURY.replace("cam0=[3979.911 0", "cam0=[x 0"), "has no line 'cam0="),
        (MIDDLEBURY.replace("193.001", "0"), "a baseline of 0 m"),
        ("%YAML:1.0\n---\nM1: 3\n", "has no matrix 'P1'"),
        ("%YAML:1.0\n---\nM1: [", "is not a file that OpenCV wrote|has no matrix"),
    ],
)
def test_refusals(tmp_path, text, said):
    with pytest.raises(FormatError, match=said):
        read_rectified(written(tmp_path / "calib.txt", text))


def test_refusals_of_a_rig(tmp_path):
    with pytest.raises(FormatError, match="is of a pair that is rectified already"):
        read_rig(written(tmp_path / "calib.txt", MIDDLEBURY))
    with pytest.raises(FormatError, match="has no line 'R_00:'"):
        read_rig(written(tmp_path / "000000.txt", KITTI))
    with pytest.raises(OptionError, match="unit 'ft' is not known; use m, cm, mm"):
        read_rectified(tmp_path / "000000.txt", unit="ft")
    with pytest.raises(FormatError, match="there is no file"):
        read_rectified(tmp_path / "nothing.txt")
