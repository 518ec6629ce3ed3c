"""`corr disparity` of folders with calibrations and true disparities."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from typed import files, run

from corr.formats import read_disparity, read_image, read_pfm, write_disparity, write_image
from corr.formats.ply import read_ply

SHIFT = {"000001_10": 8, "000002_10": 12}
FOCAL_PX, BASELINE_M = 300, 0.08


def calibration(path: Path, baseline_m: float = BASELINE_M) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{FOCAL_PX} 0 100 {x} 0 {FOCAL_PX} 30 0 0 0 1 0" for x in (0, -FOCAL_PX * baseline_m)]
    path.write_text("".join(f"P{i}: {row}\n" for i, row in enumerate(rows)))


@pytest.fixture
def kitti(tmp_path, monkeypatch):
    """Two walls, laid out as KITTI's training set; the second stands nearer."""
    monkeypatch.chdir(tmp_path)
    photo = skimage.data.chelsea()[60:120]
    for i, (name, shift) in enumerate(SHIFT.items()):
        for side, start in (("image_0", 0), ("image_1", shift)):
            Path(side).mkdir(exist_ok=True)
            write_image(Path(side, f"{name}.png"), photo[:, start : start + 200])
        truth = np.full((60, 200), float(shift), np.float32)
        truth[:, :30] = np.nan
        truth[:, 150:] += 4 * i  # a fifth of the second is wrong by 4 px
        Path("disp_occ").mkdir(exist_ok=True)
        write_disparity(Path("disp_occ", f"{name}.png"), truth)
        calibration(Path("calib", f"{name[:6]}.txt"), BASELINE_M * (i + 1))
    return ["disparity", "image_0", "image_1", "--max-disparity", "32", "-o", "out"]


def wall_m(name: str, baseline_m: float) -> float:
    return FOCAL_PX * baseline_m / SHIFT[name]


def test_each_pair_has_its_calibration(kitti):
    assert run(*kitti, "--calib", "calib", "--depth", "z", "--cloud", "c", "--draw-depth", "p") == 0
    names = sorted(SHIFT)
    assert files("z") == [*(f"{name}.pfm" for name in names), "disparity.json"]
    assert files("p") == [*(f"{name}.png" for name in names), "disparity.json"]
    for i, name in enumerate(names):
        expected = wall_m(name, BASELINE_M * (i + 1))
        assert np.median(read_pfm(f"z/{name}.pfm")) == pytest.approx(expected, rel=0.02)
        points, _, _ = read_ply(f"c/{name}.ply")
        assert np.median(points[:, 2]) == pytest.approx(expected, rel=0.02)


def test_one_calibration_for_all_and_a_pattern(kitti, capsys):
    assert run(*kitti, "--calib", "calib/000001.txt", "--depth", "z") == 0
    second = "000002_10"
    assert np.median(read_pfm(f"z/{second}.pfm")) == pytest.approx(wall_m(second, 0.08), rel=0.02)
    assert run(*kitti, "--calib", "calib/*.txt", "--depth", "y") == 0
    assert np.median(read_pfm(f"y/{second}.pfm")) == pytest.approx(wall_m(second, 0.16), rel=0.02)
    # The depth of a folder is of one calibration.
    assert run(*kitti, "--calib", "calib/000002.txt", "--depth", "z") == 2
    assert "'z' holds results of another calib" in capsys.readouterr().err
    Path("calib/000001.txt").unlink()
    assert run(*kitti, "--calib", "calib", "--depth", "x") == 2
    assert "'image_0/000001_10.png' has no calibration in 'calib'" in capsys.readouterr().err
    assert not Path("x").exists()


def test_a_table_of_errors_that_is_the_same_when_it_goes_on(kitti, capsys):
    given = [*kitti, "--truth", "disp_occ", "--draw-error", "wrong"]
    assert run(*given) == 0
    first = capsys.readouterr().out.splitlines()
    assert first[0].split("  ")[0] == "pair"
    assert "bad-0.5/1/2/4 %" in first[0]
    rows = {line.split()[0]: line.split() for line in first[1:4]}
    assert list(rows) == [*sorted(SHIFT), "mean"]
    rates = {name: [float(rate) for rate in row[2].split("/")] for name, row in rows.items()}
    assert rates["000001_10"][2] < 2
    assert rates["000002_10"][2] == pytest.approx(100 * 50 / 170, abs=2)
    assert rates["mean"][2] == pytest.approx(
        (rates["000001_10"][2] + rates["000002_10"][2]) / 2, abs=0.11
    )
    assert (read_image("wrong/000002_10.png")[30, 5] == 0).all(), "unknown truth is black"
    before = read_disparity("out/000001_10.pfm")
    kept = Path("out/000002_10.pfm").stat().st_mtime_ns
    Path("out/000001_10.pfm").unlink()
    assert run(*given) == 0
    again = capsys.readouterr().out.splitlines()
    assert again[:4] == first[:4]
    assert "1 of 2 pairs measured, 1 were there already" in again[4]
    np.testing.assert_array_equal(read_disparity("out/000001_10.pfm"), before)
    assert Path("out/000002_10.pfm").stat().st_mtime_ns == kept


def test_pairs_without_truth_are_measured_and_a_bad_one_is_named(kitti, capsys):
    Path("disp_occ/000001_10.png").unlink()
    assert run(*kitti, "--truth", "disp_occ", "--draw-error", "wrong") == 0
    out = capsys.readouterr().out
    assert "000001_10" not in out
    assert "2 of 2 pairs measured" in out
    assert files("wrong") == ["000002_10.png", "disparity.json"]
    write_disparity("disp_occ/000001_10.png", np.ones((5, 5), np.float32))
    assert run(*kitti, "--truth", "disp_occ") == 1
    out = capsys.readouterr().out
    assert "failed: image_0/000001_10.png: 'disp_occ/000001_10.png' has 5 x 5 pixels" in out


def test_scenes_of_middlebury(kitti, capsys):
    for name in sorted(SHIFT):
        scene = Path("data", f"scene{SHIFT[name]}")
        scene.mkdir(parents=True)
        for i in (0, 1):
            Path(f"image_{i}", f"{name}.png").rename(scene / f"im{i}.png")
        truth = np.full((60, 200), float(SHIFT[name]), np.float32)
        write_disparity(scene / "disp0GT.pfm", truth)
        camera = f"[{FOCAL_PX} 0 100; 0 {FOCAL_PX} 30; 0 0 1]"
        (scene / "calib.txt").write_text(
            f"cam0={camera}\ncam1={camera}\ndoffs=0\nbaseline=80\nwidth=200\nheight=60\nndisp=32\n"
        )
    given = ["disparity", "data/*/im0.png", "data/*/im1.png", "-o", "out", "--max-disparity", "32"]
    assert run(*given, "--calib", "data", "--truth", "data", "--depth", "z") == 0
    out = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in out[1:4]] == ["scene12", "scene8", "mean"]
    assert np.median(read_pfm("z/scene12.pfm")) == pytest.approx(2, rel=0.02)
