"""Tiny sets of semantic correspondence in the published layouts."""

import csv
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import scipy.io
import skimage.data

from corr.formats import write_flo, write_image

HEIGHT, WIDTH = 60, 90
PHOTO = skimage.data.coffee()[100:220:2, 200:380:2]


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        write_image(path, PHOTO)
    else:
        cv2.imwrite(str(path), PHOTO[..., ::-1])


def table(path: Path, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def willow_points(number: int) -> np.ndarray:
    """Ten keypoints as MATLAB counts them, (2, 10)."""
    return np.stack((np.arange(10) * 5.0 + 11 + number, np.arange(10) * 3.0 + 11 + 2 * number))


def pf_willow(root: Path) -> None:
    for group in ("car(G)", "duck(S)"):
        for number in range(3):
            picture(root / group / f"{number:03d}.png")
            scipy.io.savemat(
                root / group / f"{number:03d}.mat", {"pts_coord": willow_points(number)}
            )


def pf_pascal(root: Path) -> None:
    (root / "Annotations" / "cat").mkdir(parents=True)
    for number in range(3):
        stem = f"2008_00000{number}"
        picture(root / "JPEGImages" / f"{stem}.jpg")
        points = np.array([[11, 21], [31, 41], [51, 11], [71, 51]], float) + number
        points[number] = np.nan
        content = {"kps": points, "bbox": np.array([[6.0, 8, 81, 57]])}
        scipy.io.savemat(root / "Annotations" / "cat" / f"{stem}.mat", content)
    names = [f"PF-dataset-PASCAL/JPEGImages/2008_00000{number}.jpg" for number in range(3)]
    table(
        root / "test_pairs_pf_pascal.csv",
        ("source_image", "target_image", "class", "XA", "YA", "XB", "YB"),
        [(names[0], names[1], "8", "11;21", "1;2", "3;4", "5;6"), (names[1], names[2], 8.0)],
    )
    table(
        root / "trn_pairs.csv",
        ("source_image", "target_image", "class", "flip"),
        [(names[2], names[0], 8, 0), (names[2], names[0], 8, 1)],
    )


def spair(root: Path) -> None:
    for number in range(2):
        picture(root / "JPEGImages" / "dog" / f"2009_{number}.jpg")
    (root / "ImageAnnotation" / "dog").mkdir(parents=True)
    (root / "ImageAnnotation" / "dog" / "2009_0.json").write_text("{}")
    (root / "Layout" / "large").mkdir(parents=True)
    for part, first, second in (("trn", 1, 0), ("test", 0, 1)):
        name = f"000001-2009_{first}-2009_{second}:dog"
        (root / "Layout" / "large" / f"{part}.txt").write_text(name + "\n")
        content = {
            "src_imname": f"2009_{first}.jpg",
            "trg_imname": f"2009_{second}.jpg",
            "category": "dog",
            "src_kps": [[10, 20], [30, 40]],
            "trg_kps": [[12, 22], [35, 45]],
            "src_bndbox": [5, 6, 50, 55],
            "trg_bndbox": [7, 8, 60, 50],
            "mirror": 1,
        }
        path = root / "PairAnnotation" / part / f"{name}.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(content))


def cub(root: Path) -> None:
    images, labels, boxes, splits, parts = [], [], [], [], []
    for number in range(1, 7):
        name = f"00{(number + 2) // 3}.Wren/Wren_{number:04d}.jpg"
        picture(root / "images" / name)
        images.append(f"{number} {name}")
        labels.append(f"{number} {(number + 2) // 3}")
        boxes.append(f"{number} 10.0 12.0 40.0 30.0")
        splits.append(f"{number} {int(number % 3 == 0)}")
        for part in range(1, 16):
            seen = part != number
            parts.append(f"{number} {part} {10.5 + part * seen} {20 + number * seen} {int(seen)}")
    (root / "parts").mkdir()
    for file, lines in (
        ("images.txt", images),
        ("image_class_labels.txt", labels),
        ("bounding_boxes.txt", boxes),
        ("train_test_split.txt", splits),
        ("parts/part_locs.txt", parts),
    ):
        (root / file).write_text("\n".join(lines) + "\n")


def tss(root: Path) -> None:
    for group, flip in (("FG3DCar", 0), ("JODS", 1)):
        folder = root / group / "pair1"
        mask = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        mask[20:30, 40:60] = 255
        for number, u in ((1, 4.0), (2, -4.0)):
            picture(folder / f"image{number}.png")
            write_image(folder / f"mask{number}.png", mask)
            flow = np.full((HEIGHT, WIDTH, 2), np.nan, np.float32)
            flow[18:30, 40:60] = u, 2.0
            write_flo(folder / f"flow{number}.flo", flow)
        (folder / "flip_gt.txt").write_text(f"{flip}\n")


SEMANTIC: dict[str, Callable[[Path], None]] = {
    "pf-willow": pf_willow,
    "pf-pascal": pf_pascal,
    "spair-71k": spair,
    "cub-200-2011": cub,
    "tss": tss,
}
