"""Why a patch descriptor finds few matches: one change of its training at a time, on this machine.

    python tests/benchmarks/ablate_hardnet.py photos/train photos/val --out ablation

Each variant trains the light trunk on 205 000 pairs of `photos/train` (about 3 minutes on a CPU
core of 2023), all on the same photographs with the same seed. Then all match SIFT keypoints of 14
photographs of `photos/val` with 5 random views of each: `corr evaluate homographies` on them, with
RootSIFT and the shipped networks beside. What is in the folder already is not trained again.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from corr.data.patches import warp_photo
from corr.data.photometric import PhotometricChange, Photometry
from corr.data.photos import Photos, find_photos
from corr.data.viewpoints import Viewpoints
from corr.evaluation import run as evaluate

LIGHT = ["--model.network.class_path", "corr.models.LightHardNet"]
PLAIN_VIEWS = ["--data.viewpoints", "null", "--data.photometry", "null"]
BASE = [*LIGHT, *PLAIN_VIEWS, "--data.pairs_per_photo", "256"]
MILDER = [
    "--data.viewpoints", "{min_zoom: 0.7, max_tilt: 1.4, max_perspective: 0.1}",
    "--data.photometry", "{brightness: 0.1, contrast: 0.15, gamma: 1.2, probability: 0.4}",
]  # fmt: skip
VARIANTS = {
    "64-a-photo": [*BASE, "--data.pairs_per_photo", "64"],
    "256-a-photo": BASE,
    "found-in-both-views": [*BASE, "--data.redetect", "true"],
    "batch-512": [*BASE, "--data.batch_size", "512", "--trainer.max_steps", "400"],
    "smaller-support": [*BASE, "--data.sigmas", "14", "--model.network.sigmas", "14"],
    "milder-views": [*BASE, *MILDER],
    "views-of-the-recipe": LIGHT,
}
"""Options of the recipe `patch/hardnet-photos`."""
STEPS = ["--trainer.max_steps", "800", "--data.num_val_pairs", "2000"]
EVERY_NTH_PHOTO = 3
NUM_VIEWS = 5
SEED = 1234
VIEWPOINTS = Viewpoints(max_rotation_deg=30, min_zoom=0.6, max_zoom=1.4)


def main() -> int:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train", type=Path)
    parser.add_argument("val", type=Path)
    parser.add_argument("--out", type=Path, default=Path("ablation"))
    parser.add_argument("--variants", default=",".join(VARIANTS), help="which ones, by name")
    options = parser.parse_args()
    pairs = options.out / "pairs"
    if not pairs.is_dir():
        write_views(options.train, options.val, pairs)
    folders = []
    for name in options.variants.split(","):
        folders.append(options.out / name)
        if not (folders[-1] / "curves.png").is_file():
            train(VARIANTS[name], options.train, options.val, folders[-1])
    evaluate(
        "homographies",
        pairs,
        ["rootsift", "hardnet", "hardnet-light", *map(str, folders)],
        rows="all",
    )
    return 0


def train(variant: list[str], photos: Path, held_out: Path, folder: Path) -> None:
    """Train one variant, or go on where it was stopped."""
    command = [
        str(Path(sys.executable).with_name("corr")), "train", "patch/hardnet-photos",
        "--data.folder", str(photos), "--data.val_folder", str(held_out),
        "--out", str(folder), *STEPS, *variant,
    ]  # fmt: skip
    checkpoint = folder / "last.ckpt"
    if checkpoint.is_file():
        command += ["--ckpt_path", str(checkpoint)]
    subprocess.run(command, check=True)


def write_views(train: Path, val: Path, folder: Path, viewpoints: Viewpoints = VIEWPOINTS) -> None:
    """Photographs and views of them, in the layout of HPatches' sequences."""
    rng = np.random.default_rng(SEED)
    paths = find_photos(train, val)[1][::EVERY_NTH_PHOTO]
    change = PhotometricChange(Photometry())
    for path, photo in zip(paths, Photos(paths), strict=True):
        sequence = folder / f"v_{path.stem}"
        sequence.mkdir(parents=True)
        cv2.imwrite(str(sequence / "1.png"), photo[..., ::-1])
        for number in range(2, 2 + NUM_VIEWS):
            homography = viewpoints.draw(photo.shape[:2], rng)
            view = change.camera(warp_photo(change.light(photo, rng), homography), rng)
            cv2.imwrite(str(sequence / f"{number}.png"), view)
            np.savetxt(sequence / f"H_1_{number}", homography)


if __name__ == "__main__":
    sys.exit(main())
