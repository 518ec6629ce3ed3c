"""Tiny sets in the published layouts, whose ground truth is true to their images."""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from skimage import data

from corr.data.hpatches_patches import STRIPS, write_strips
from corr.formats import write_disparity, write_flo, write_image, write_kitti_disparity
from corr.formats.kitti import write_kitti_flow

HEIGHT, WIDTH = 96, 160
ROWS = np.arange(HEIGHT)[:, None].repeat(WIDTH, 1)
DISPARITY = (4.0 + ROWS // 12).astype(np.float32)
"""The same along a row, so that the right view has it too, and whole px, so that 8 bits hold it."""
FLOW = np.dstack((2.0 + ROWS / 32, np.full(ROWS.shape, -1.5))).astype(np.float32)
TEXTURE = data.coffee()[60 : 60 + HEIGHT, 200 : 200 + WIDTH]


def seen_after(flow: np.ndarray) -> np.ndarray:
    """The image whose points move by `flow` to where the texture shows them."""
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    target = np.dstack((x, y)).astype(np.float32) + flow
    return cv2.remap(TEXTURE, target, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)


LEFT, RIGHT = seen_after(np.dstack((-DISPARITY, 0 * DISPARITY))), TEXTURE
FRAME0, FRAME1 = seen_after(FLOW), TEXTURE
LEAVES = np.arange(WIDTH)[None, :] < DISPARITY
"""What the right image does not show."""


def image(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        write_image(path, pixels)
    else:
        cv2.imwrite(str(path), pixels[..., ::-1] if path.suffix == ".ppm" else pixels[..., 0])


def grey(path: Path, values: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), values.astype(np.uint8))


def old_middlebury(root: Path) -> None:
    for scene, names, scale in (
        ("sawtooth", ("im2.ppm", "im6.ppm", "disp2.pgm", "disp6.pgm"), 8),
        ("teddy", ("im2.png", "im6.png", "disp2.png", "disp6.png"), 4),
        ("Art", ("view1.png", "view5.png", "disp1.png", "disp5.png"), 3),
        ("tsukuba", ("im3.png", "im4.png", "disp3.pgm"), 16),
        ("map", ("im0.pgm", "im1.pgm", "disp0.pgm", "disp1.pgm"), 8),
    ):
        for name, pixels in zip(names[:2], (LEFT, RIGHT), strict=True):
            image(root / scene / name, pixels)
        for name in names[2:]:
            grey(root / scene / name, DISPARITY * scale)


def new_middlebury(root: Path, scene: str, truth: str = "disp0.pfm") -> None:
    image(root / scene / "im0.png", LEFT)
    image(root / scene / "im1.png", RIGHT)
    write_disparity(root / scene / truth, np.where(ROWS > 90, np.nan, DISPARITY))
    (root / scene / "calib.txt").write_text("cam0=[1 0 0; 0 1 0; 0 0 1]\nwidth=160\nndisp=290\n")


def middlebury_2014(root: Path) -> None:
    new_middlebury(root, "Adirondack-perfect")
    write_disparity(root / "Adirondack-perfect" / "disp1.pfm", DISPARITY)
    new_middlebury(root, "trainingQ/Piano", "disp0GT.pfm")
    mask = np.where(LEAVES, 128, 255) * (ROWS <= 90)
    grey(root / "trainingQ" / "Piano" / "mask0nocc.png", mask)
    new_middlebury(root, "testQ/Plants")
    (root / "testQ" / "Plants" / "disp0.pfm").unlink()


def middlebury_2021(root: Path) -> None:
    new_middlebury(root, "artroom1")
    image(root / "artroom1" / "ambient" / "L0" / "im0e0.png", LEFT)


def kitti(root: Path, cameras: tuple[str, str], suffix: str) -> None:
    training = root / "training"
    for frame in ("000000", "000007"):
        image(training / cameras[0] / f"{frame}_10.png", LEFT)
        image(training / cameras[1] / f"{frame}_10.png", RIGHT)
        for kind in ("occ", "noc"):
            folders = training / f"disp_{kind}{suffix}", training / f"flow_{kind}"
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
            hidden = LEAVES if kind == "noc" else np.zeros_like(LEAVES)
            known = np.where(hidden, np.nan, DISPARITY)
            write_kitti_disparity(folders[0] / f"{frame}_10.png", known)
            moved = np.dstack((-known, 0 * known))  # the next frame is the right image
            write_kitti_flow(folders[1] / f"{frame}_10.png", moved)
        image(training / cameras[0] / f"{frame}_11.png", RIGHT)
        image(training / cameras[1] / f"{frame}_11.png", RIGHT)
        (training / "calib").mkdir(exist_ok=True)
        (training / "calib" / f"{frame}.txt").write_text("P0: 1 0 0 0 0 1 0 0 0 0 1 0\n")


def sintel(root: Path) -> None:
    for scene in ("alley_1", "bamboo_2"):
        for number, pixels in ((1, FRAME0), (2, FRAME1)):
            for name in ("clean", "final"):
                image(root / "training" / name / scene / f"frame_000{number}.png", pixels)
        flow = root / "training" / "flow" / scene / "frame_0001.flo"
        flow.parent.mkdir(parents=True)
        write_flo(flow, FLOW)
        grey(root / "training" / "occlusions" / scene / "frame_0001.png", 255 * (ROWS < 8))
        grey(root / "training" / "invalid" / scene / "frame_0001.png", 255 * (ROWS < 4))


def middlebury_flow(root: Path) -> None:
    for scene in ("RubberWhale", "Urban2", "Walking"):
        image(root / "other-data" / scene / "frame10.png", FRAME0)
        image(root / "other-data" / scene / "frame11.png", FRAME1)
        if scene != "Walking":  # whose truth is not published
            (root / "other-gt-flow" / scene).mkdir(parents=True)
            known = np.where(ROWS[..., None] < 5, np.nan, FLOW)
            write_flo(root / "other-gt-flow" / scene / "flow10.flo", known)


def flying_chairs(root: Path) -> None:
    for number in (1, 2, 3):
        image(root / "data" / f"0000{number}_img1.ppm", FRAME0)
        image(root / "data" / f"0000{number}_img2.ppm", FRAME1)
        write_flo(root / "data" / f"0000{number}_flow.flo", FLOW)


def flying_things(root: Path) -> None:
    for place in ("TRAIN/A/0000", "TEST/B/0013"):
        for side, pixels in (("left", LEFT), ("right", RIGHT)):
            image(root / "frames_cleanpass" / place / side / "0006.png", pixels)
            path = root / "disparity" / place / side / "0006.pfm"
            path.parent.mkdir(parents=True)
            write_disparity(path, DISPARITY)


def things_flow(root: Path) -> None:
    """FlyingThings3D with the flow of three frames, of one camera and both directions."""
    for place in ("TRAIN/A/0000", "TEST/B/0013"):
        for number, pixels in ((6, FRAME0), (7, FRAME1), (8, FRAME1)):
            image(root / "frames_cleanpass" / place / "left" / f"{number:04d}.png", pixels)
        for folder, word, sign in (("into_future", "Future", 1), ("into_past", "Past", -1)):
            for number in (6, 7, 8):
                name = f"OpticalFlowInto{word}_{number:04d}_L.pfm"
                path = root / "optical_flow" / place / folder / "left" / name
                path.parent.mkdir(parents=True, exist_ok=True)
                values = np.dstack((sign * FLOW, 0 * FLOW[..., 0]))[::-1].astype("<f4")
                path.write_bytes(f"PF\n{WIDTH} {HEIGHT}\n-1\n".encode() + values.tobytes())


def monkaa(root: Path) -> None:
    rendered(root, ("a_rain_of_stones_x2", "treeflight_x2"))


def driving(root: Path) -> None:
    rendered(root, ("15mm_focallength/scene_forwards/fast", "35mm_focallength/scene_forwards/slow"))


def rendered(root: Path, scenes: tuple[str, ...]) -> None:
    for scene in scenes:
        for side, pixels in (("left", LEFT), ("right", RIGHT)):
            for name in ("frames_cleanpass", "frames_finalpass"):
                image(root / name / scene / side / "0001.png", pixels)
        path = root / "disparity" / scene / "left" / "0001.pfm"
        path.parent.mkdir(parents=True)
        write_disparity(path, DISPARITY)


def eth3d(root: Path) -> None:
    for scene in ("delivery_area_1l", "terrains_2s"):
        image(root / "two_view_training" / scene / "im0.png", LEFT)
        image(root / "two_view_training" / scene / "im1.png", RIGHT)
        truth = root / "two_view_training_gt" / scene
        mask = np.where(LEAVES, 128, 255) * (ROWS <= 90)
        grey(truth / "mask0nocc.png", mask)
        write_disparity(truth / "disp0GT.pfm", np.where(ROWS > 90, np.nan, DISPARITY))


def posed(root: Path) -> None:
    """The cameras stand beside each other, so that the disparity is the focal length by depth."""
    cameras = {
        "intrinsics": [[100, 0, 80], [0, 100, 48], [0, 0, 1]],
        "pose_0to1": [[1, 0, 0, -1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]],
    }
    for name in ("00000", "00001"):
        folder = root / name
        image(folder / "image0.png", LEFT)
        image(folder / "image1.png", RIGHT)
        for view, occluded in enumerate((LEAVES, 0 * LEAVES)):
            marked = np.stack([255 * occluded, 0 * occluded, 0 * occluded], -1)
            image(folder / f"masks{view}.png", marked.astype(np.uint8))
        write_disparity(folder / "depth0.pfm", 100 / DISPARITY)
        write_disparity(folder / "depth1.pfm", 100 / DISPARITY)
        (folder / "cameras.json").write_text(json.dumps(cameras))


def strecha(root: Path) -> None:
    """Cameras that look the same way, one apart; their file is of images of twice the size."""
    for view in range(4):
        image(root / "castle-P4" / "images" / f"{view:04d}.jpg", TEXTURE)
        numbers = f"300 0 160\n0 300 96\n0 0 1\n0 0 0\n1 0 0\n0 1 0\n0 0 1\n{view} 0 0\n"
        camera = root / "castle-P4" / "gt_dense_cameras" / f"{view:04d}.jpg.camera"
        camera.parent.mkdir(parents=True, exist_ok=True)
        camera.write_text(f"{numbers}{2 * WIDTH} {2 * HEIGHT}\n")


def planar(number: int) -> tuple[np.ndarray, str]:
    """A view of the coffee turned and zoomed, and the homography to it."""
    matrix = np.vstack((cv2.getRotationMatrix2D((80, 48), 6.0 * number, 1.1), (0, 0, 1)))
    matrix[0, 2] += 3 * number
    pixels = cv2.warpPerspective(data.coffee()[60:260, 200:460], matrix, (260, 200))
    return pixels, "\n".join(" ".join(f"{value:.9g}" for value in row) for row in matrix)


def sequences(root: Path, image_name: str, matrix_name: str) -> None:
    for scene in ("graf", "wall"):
        image(root / scene / image_name.format(1), data.coffee()[60:260, 200:460])
        for number in range(2, 7):
            pixels, matrix = planar(number)
            image(root / scene / image_name.format(number), pixels)
            (root / scene / matrix_name.format(number)).write_text(matrix)


def evd(root: Path) -> None:
    (root / "h").mkdir()
    for number, name in ((2, "adam"), (3, "graf")):
        pixels, matrix = planar(number)
        image(root / "1" / f"{name}.png", data.coffee()[60:260, 200:460])
        image(root / "2" / f"{name}.png", pixels)
        (root / "h" / f"{name}.txt").write_text(matrix)


def noise_strips(num_points: int, seed: int) -> dict[str, np.ndarray]:
    """Points of random texture, whose patches differ a little from strip to strip."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (num_points, 9, 9)).astype(np.float32)
    base = np.stack([cv2.resize(point, (65, 65)) for point in coarse])
    return {
        strip: (base + rng.normal(0, 4, base.shape)).clip(0, 255).astype(np.uint8)
        for strip in STRIPS
    }


def hpatches_patches(root: Path) -> None:
    for number, (name, num_points) in enumerate((("i_dome", 7), ("v_wall", 5), ("v_yard", 6))):
        write_strips(root / name, noise_strips(num_points, number))


def brown_set(folder: Path, patches: np.ndarray, point_ids: np.ndarray) -> None:
    """Sheets written patch by patch, as the authors of Brown's sets describe them."""
    folder.mkdir(parents=True)
    for number in range(-(-len(patches) // 256)):
        sheet = np.zeros((1024, 1024), np.uint8)
        for place, patch in enumerate(patches[256 * number : 256 * (number + 1)]):
            row, column = divmod(place, 16)
            sheet[64 * row : 64 * row + 64, 64 * column : 64 * column + 64] = patch
        cv2.imwrite(str(folder / f"patches{number:04d}.bmp"), sheet)
    (folder / "info.txt").write_text("".join(f"{point} 0\n" for point in point_ids))


SETS: dict[str, Callable[[Path], None]] = {
    "driving": driving,
    "eth3d": eth3d,
    "evd": evd,
    "flying-chairs": flying_chairs,
    "flyingthings3d": flying_things,
    "hpatches-patches": hpatches_patches,
    "hpatches-sequences": lambda root: sequences(root, "{}.ppm", "H_1_{}"),
    "kitti-2012": lambda root: kitti(root, ("image_0", "image_1"), ""),
    "kitti-2015": lambda root: kitti(root, ("image_2", "image_3"), "_0"),
    "middlebury-2014": middlebury_2014,
    "middlebury-2021": middlebury_2021,
    "middlebury-flow": middlebury_flow,
    "middlebury-stereo": old_middlebury,
    "monkaa": monkaa,
    "oxford-affine": lambda root: sequences(root, "img{}.ppm", "H1to{}p"),
    "sintel": sintel,
    "strecha": strecha,
    "synthetic-posed": posed,
}
