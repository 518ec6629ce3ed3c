"""`corr recipes`, `corr datasets`, `corr models`."""

from __future__ import annotations

import re
import shutil
from itertools import takewhile
from pathlib import Path
from typing import Literal

from corr.cli.say import say, say_columns
from corr.errors import FormatError, ModelError, OptionError, RecipeError
from corr.resources import cards_root, recipes_root, weights_root


def recipes(
    action: Literal["list", "show", "copy"] = "list",
    name: str | None = None,
    path: Path | None = None,
) -> None:
    """List, show or copy the recipes that `corr train` knows.

    Args:
        action: `list`, `show NAME` or `copy NAME [PATH]`.
        name: such as smoke/patch.
        path: where to copy to; a file of the same name here when not given.
    """
    files = {
        file.relative_to(recipes_root()).with_suffix("").as_posix(): file
        for file in sorted(recipes_root().rglob("*.yaml"))
    }
    if action == "list":
        say_columns([(name, _summary(file)) for name, file in files.items()])
        return
    wanted = _named(action, name)
    if wanted not in files:
        raise RecipeError(f"recipe '{wanted}' is not known; there are: {', '.join(files)}")
    _show_or_copy(action, files[wanted], path)


def datasets(
    action: Literal["list", "show", "copy", "verify", "synth", "statistics"] = "list",
    name: str | None = None,
    path: Path | None = None,
    *,
    num_samples: int | None = None,
    size: str | None = None,
    out: Path | None = None,
    seed: int = 0,
    photos: Path | None = None,
    config: Path | None = None,
    preview: bool = False,
) -> None:
    """List, show or copy data set cards, verify data, make synthetic data, or count.

    Args:
        action: `list`, `show NAME`, `copy NAME [PATH]`, `verify NAME ROOT`, `synth VIEW`, or
            `statistics SOURCE [BESIDE]`.
        name: such as hpatches-sequences; for `synth` planar, stereo, flow or posed; for
            `statistics` a folder of pairs, or synth:flow and so on.
        path: where to copy to, the root of the data to verify, or the folder of a second set.
        num_samples: how many samples, or of each set the first so many pairs (50 when not given).
        size: height and width of synthetic pictures, such as 256x320; 256x256 when not given.
        out: folder to write the samples or the drawn histograms to.
        seed: of synthetic data.
        photos: folder of photographs for it; those of scikit-image when not given.
        config: YAML file of its settings, see `corr.data.synthetic.config`.
        preview: draw a contact sheet of the first samples too.
    """
    from corr.cli.synthetic import SynthOptions, statistics, synth

    options = SynthOptions(num_samples, size, out, seed, photos, config, preview)
    if action == "synth":
        if path is not None:
            raise OptionError(f"'synth' takes one name, not '{path}' too; give --out {path}")
        synth(name, options)
        return
    if action == "statistics":
        statistics(name, path, options)
        return
    options.refuse(action)
    from corr.data.cards import list_cards, load_card

    if action == "list":
        say_columns([(card.name, card.title) for card in list_cards()])
        return
    card = load_card(_named(action, name))
    if action == "verify":
        from corr.data.verify import verify

        if path is None:
            raise OptionError(f"name the folder of the data: corr datasets verify {card.name} ROOT")
        found = verify(card, path)
        explained = f", and {found.num_pairs} pairs agree with their ground truth"
        say(
            f"{card.name}: {found.num_files} files in '{path}' are as the card says"
            f"{explained if found.num_pairs else ''}"
        )
        return
    _show_or_copy(action, cards_root() / f"{card.name}.yaml", path)


def models(
    action: Literal["list", "show", "copy", "import"] = "list",
    name: str | None = None,
    path: Path | None = None,
    *,
    sigmas: float | None = None,
) -> None:
    """List the models that --model may name, show or copy a network, or import published weights.

    Args:
        action: `list`, `show NAME`, `copy NAME [PATH]` or `import FILE [PATH]`.
        name: such as hardnet; to import, a .pth file of HardNet's or SOSNet's authors.
        path: folder to write; one of the same name here when not given.
        sigmas: to import, the side of the image region in a patch, in sigmas of its keypoint, which
            no file states; that of corr's own networks when not given.
    """
    from corr.pipeline.catalog import entries as list_entries

    if action == "import":
        _import(Path(_named(action, name)), path, sigmas)
        return
    if sigmas is not None:
        raise OptionError(f"--sigmas belongs to 'import FILE', not to '{action}'")

    entries = list_entries()
    if action == "list":
        say_columns([(entry.name, ", ".join(entry.tasks), entry.summary) for entry in entries])
        return
    wanted = _named(action, name)
    if wanted not in [entry.name for entry in entries]:
        known = ", ".join(entry.name for entry in entries)
        raise ModelError(f"model '{wanted}' is not known; there are: {known}")
    folder = weights_root() / wanted
    if not folder.is_dir():
        if action == "copy":
            raise ModelError(f"model '{wanted}' is classical: it has no weights to copy")
        entry = next(entry for entry in entries if entry.name == wanted)
        say(f"{entry.name}: {entry.summary} ({', '.join(entry.tasks)})")
        return
    if action == "show":
        say((folder / "card.md").read_text(encoding="utf-8").rstrip())
        return
    target = _free(path or Path(wanted))
    try:
        shutil.copytree(folder, target)
    except OSError as error:  # of one file, or (shutil.Error) of several
        shutil.rmtree(target, ignore_errors=True)
        raise FormatError(f"'{target}' cannot be written: {error.strerror or error}") from error
    say(f"wrote {target}")


def _import(file: Path, folder: Path | None, sigmas: float | None) -> None:
    """Write a folder that --model names from a published file of weights."""
    from corr.geometry import PATCH_SIGMAS
    from corr.models import load_published, save_network

    target = _free(folder or Path(file.stem))
    network = load_published(file, sigmas=PATCH_SIGMAS if sigmas is None else sigmas)
    save_network(network, target)
    say(f"wrote {target}: {type(network).__name__}, to use with --model {target}")


def _named(action: str, name: str | None) -> str:
    if name is None:
        raise OptionError(f"'{action}' needs a name; the command alone lists them")
    return name


def _show_or_copy(action: str, file: Path, path: Path | None) -> None:
    text = file.read_text(encoding="utf-8")
    if action == "show":
        say(text.rstrip())
        return
    from corr.formats.atomic import replacing

    target = path or Path(file.name)
    target = _free(target / file.name if target.is_dir() else target)
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")
    say(f"wrote {target}")


def _free(target: Path) -> Path:
    if target.exists():
        raise OptionError(f"'{target}' is there already; give another name to copy to")
    return target


def _summary(file: Path) -> str:
    """The first sentence of the comment that a recipe begins with."""
    lines = file.read_text(encoding="utf-8").splitlines()
    comment = " ".join(line[1:].strip() for line in takewhile(lambda ln: ln.startswith("#"), lines))
    return re.split(r"(?<=\w)[.:] ", comment + " ")[0].strip()
