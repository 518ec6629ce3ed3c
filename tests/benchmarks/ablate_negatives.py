"""Which negatives a dense descriptor should learn from, of one network, budget and seed.

    python tests/benchmarks/ablate_negatives.py photos --steps 2000 --batch 4 --out ablation

Trains the light Universal Correspondence Network on views of the photographs by the loss of the
paper (equation 1) with random negatives and with the nearest ones in feature space, and by the dual
softmax, and prints the PCK of the same held-out pairs. The nearest ones begin with semi-hard ones,
for a fifth of the steps, without which an untrained network may collapse; these steps count. What
is in the folder already is not trained again.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from corr.cli.say import say_columns
from corr.tasks.records import read_history

RECIPE = "correspondence/ucn-hard-negatives"
LOSS = "--model.loss.init_args."
WARM_UP_SHARE = 0.2
VARIANTS = {
    "random negatives": [LOSS + "mining", "random", "--model.semi_hard_steps", "0"],
    "hardest negatives": [],
    "dual softmax": [
        *("--model.loss", "corr.losses.DualSoftmaxLoss", LOSS + "temperature", "0.05"),
        *(LOSS + "guard.radius", "3.0", "--model.semi_hard_steps", "0"),
    ],
}
"""Options of the recipe."""
FIGURES = {"val/pck3": "PCK@3 %", "val/pck10": "PCK@10 %"}


def main() -> int:
    """Train what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--val", type=Path, help="photos held out; a tenth when not given")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=4, help="pairs of images in a step")
    parser.add_argument("--out", type=Path, default=Path("ablation-negatives"))
    parser.add_argument("--options", default="", help="more of `corr train`, in one string")
    options = parser.parse_args()
    budget = [
        *("--data.folder", str(options.photos), "--trainer.max_steps", str(options.steps)),
        *("--data.batch_size", str(options.batch), "--trainer.logger", "false"),
        *("--model.semi_hard_steps", str(int(WARM_UP_SHARE * options.steps))),
        *("--data.steps_per_epoch", str(max(1, options.steps // 4))),
        *shlex.split(options.options),
    ]
    if options.val is not None:
        budget += ["--data.val_folder", str(options.val)]
    rows = [("negatives", *FIGURES.values())]
    for name, variant in VARIANTS.items():
        folder = options.out / name.replace(" ", "-")
        if not (folder / "curves.png").is_file():
            train([*budget, *variant], folder)
        history = read_history(folder)
        untrained, trained = (
            [f"{100 * history[figure][1][place]:.1f}" for figure in FIGURES] for place in (0, -1)
        )
        if len(rows) == 1:
            rows.append(("(untrained)", *untrained))
        rows.append((name, *trained))
    say_columns(rows)
    return 0


def train(options: list[str], folder: Path, recipe: str = RECIPE) -> None:
    """Train one variant, or go on where it was stopped."""
    command = [str(Path(sys.executable).with_name("corr")), "train", recipe]
    command += ["--out", str(folder), *options]
    checkpoint = folder / "last.ckpt"
    if checkpoint.is_file():
        command += ["--ckpt_path", str(checkpoint)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
