"""Where the convolutional spatial transformer helps and where it hurts, of one budget and seed.

    python tests/benchmarks/ablate_transformer.py photos/train photos/val \
        --flow sintel kitti-2012 --semantic pf-willow --out ablation

Trains the light Universal Correspondence Network without and with a transformer, once on views of
photographs turned by any angle and zoomed, once on photographs bent and in changed colours. All
then match SIFT keypoints of held-out photographs turned up to 30 and up to 180 degrees, seek random
points of frames with known flow, and carry over points of things of one kind; RootSIFT or dense
SIFT beside. What is in the folder already is not trained again.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path

from ablate_hardnet import VIEWPOINTS, write_views
from ablate_negatives import train

from corr.data.viewpoints import Viewpoints
from corr.evaluation import run as evaluate

NETWORK = (
    "{{class_path: corr.models.UniversalCorrespondenceNetwork, "
    "init_args: {{transformer: {}, keypoints: false}}}}"
)
SAME = ["--trainer.logger", "false", "--data.num_val_pairs", "32"]
DATA = {
    "views": [
        "correspondence/ucn-photos",
        *("--data.folder", "{train}", "--data.val_folder", "{val}"),
        *("--data.viewpoints.max_rotation_deg", "180", "--data.batch_size", "4"),
        *("--data.side", "192", "--model.num_points", "192"),
    ],
    "bent": [
        "correspondence/ucn-semantic",
        *("--data.source.init_args.folder", "{train}"),
        *("--data.val_source.init_args.folder", "{val}"),
        *("--data.val_source.init_args.held_out", "false"),
    ],
}
"""Recipe and options."""
TRANSFORMERS = ("null", "similarity")
TURNED = {
    "turned 30": VIEWPOINTS,
    "turned 180": Viewpoints(max_rotation_deg=180, min_zoom=0.5, max_zoom=2.0),
}


def main() -> int:
    """Train what is missing, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("train", type=Path)
    parser.add_argument("val", type=Path)
    parser.add_argument("--flow", type=Path, nargs="*", default=[], help="roots of flow sets")
    parser.add_argument("--semantic", type=Path, help="root of a set of things of one kind")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=Path("ablation-transformer"))
    parser.add_argument("--options", default="", help="more of `corr train`, in one string")
    options = parser.parse_args()
    photos = {"train": options.train, "val": options.val}
    budget = ["--trainer.max_steps", str(options.steps), *SAME]
    budget += ["--data.steps_per_epoch", str(max(1, options.steps // 2))]
    folders = []
    for name, (recipe, *data) in DATA.items():
        for transformer in TRANSFORMERS:
            folder = options.out / f"{name}-{'plain' if transformer == 'null' else transformer}"
            folders.append(str(folder))
            if (folder / "curves.png").is_file():
                continue
            chosen = [option.format(**photos) for option in data]
            chosen += ["--model.network", NETWORK.format(transformer)]
            train([*chosen, *budget, *shlex.split(options.options)], folder, recipe)
    for name, viewpoints in TURNED.items():
        pairs = options.out / name.replace(" ", "-")
        if not pairs.is_dir():
            write_views(options.train, options.val, pairs, viewpoints)
        evaluate("homographies", pairs, ["rootsift", *folders], rows="all")
    for root in options.flow:
        evaluate("pck", root, ["rootsift", *folders], rows="all")
    if options.semantic is not None:
        evaluate("semantic", options.semantic, ["dense-sift", *folders], rows="all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
