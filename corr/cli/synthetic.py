"""`corr datasets synth` and `corr datasets statistics`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corr.cli.say import say, say_columns
from corr.cli.sizes import parsed_size
from corr.errors import OptionError

if TYPE_CHECKING:
    from corr.data.statistics import Measured, Statistics
    from corr.data.synthetic.scenes import SyntheticScenes

_PREVIEWED = 8
"""Samples on a contact sheet, at most."""

_PREFIX = "synth:"


@dataclass(frozen=True)
class SynthOptions:
    """What the command line says of synthetic data; None where it is not said."""

    num_samples: int | None
    size: str | None
    out: Path | None
    seed: int
    photos: Path | None
    config: Path | None
    preview: bool

    def refuse(self, action: str) -> None:
        """Refuse what does not go with another action.

        Raises:
            OptionError: an option was given.
        """
        if self != SynthOptions(None, None, None, 0, None, None, False):
            raise OptionError(
                f"'{action}' takes no options; -n, --size, --out, --seed, --photos, --config and "
                "--preview go with synth and statistics"
            )

    def scenes(self, view: str) -> SyntheticScenes:
        """The data set that the options name.

        Raises:
            OptionError: a setting is refused.
            DatasetError: there are no photographs.
        """
        from corr.data.synthetic.config import SyntheticConfig
        from corr.data.synthetic.ranges import settings_from
        from corr.data.synthetic.scenes import SyntheticScenes

        given: dict[str, Any] = {**self._settings(), "view": view}
        if self.size is not None:
            given["height"], given["width"] = parsed_size(self.size, "256x320")
        config = settings_from(SyntheticConfig, given)
        return SyntheticScenes(config, photos=self.photos, seed=self.seed)

    def _settings(self) -> dict[str, Any]:
        if self.config is None:
            return {}
        import yaml

        try:
            content = yaml.safe_load(self.config.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise OptionError(f"'{self.config}' is not a YAML file that can be read") from error
        if not isinstance(content, dict):
            raise OptionError(f"'{self.config}' holds no settings by name")
        return content


def synth(view: str | None, options: SynthOptions) -> None:
    """Write a synthetic data set, see `corr datasets`."""
    from corr.data.synthetic.config import VIEWS

    if view not in VIEWS:
        raise OptionError(f"'synth' makes {', '.join(VIEWS)}, not '{view}'")
    if options.out is None or options.num_samples is None:
        raise OptionError(f"say how many and where to: corr datasets synth {view} -n N --out DIR")
    _check_count(options.num_samples)
    from corr.data.synthetic.export import write_data_set

    scenes = options.scenes(view)
    done = write_data_set(scenes, options.num_samples, options.out)
    if scenes.num_damaged:
        say(f"left out {scenes.num_damaged} photos that cannot be read")
    kept = f", {done.num_kept} were there already" if done.num_kept else ""
    samples = f"{done.num_written} {view} samples of data set {scenes.digest}"
    say(f"wrote {samples} to {options.out}{kept}")
    if options.preview:
        from corr.data.synthetic.preview import draw_preview
        from corr.formats import write_image

        path = options.out / "preview.png"
        write_image(path, draw_preview(scenes, min(_PREVIEWED, options.num_samples)))
        say(f"wrote {path}")


def statistics(source: str | None, beside: Path | None, options: SynthOptions) -> None:
    """Print and draw what a set is like, see `corr datasets`."""
    if source is None:
        raise OptionError("name a folder of pairs, or synth:flow: corr datasets statistics SOURCE")
    from corr.data.statistics import EDGES, measure, read_pairs

    count = 50 if options.num_samples is None else options.num_samples
    _check_count(count)
    pairs = _synthetic(source, options) if source.startswith(_PREFIX) else read_pairs(Path(source))
    found = [measure(source, pairs, count)]
    if beside is not None:
        if str(beside).startswith(_PREFIX):
            found.append(measure(str(beside), _synthetic(str(beside), options), count))
        else:
            found.append(measure(str(beside), read_pairs(beside), count))
    quantities = [name for name in EDGES if any(name in one.counts for one in found)]
    for quantity in quantities:
        _say_histogram(quantity, [one for one in found if quantity in one.counts])
    if options.out is not None:
        _draw(found, quantities, options.out)


def _check_count(count: int) -> None:
    if count < 1:
        raise OptionError(f"number of samples is {count}; use 1 or more")


def _synthetic(source: str, options: SynthOptions) -> Iterator[Measured]:
    from itertools import count as numbers

    from corr.data.statistics import Measured
    from corr.data.synthetic.config import VIEWS
    from corr.data.synthetic.export import picture
    from corr.data.synthetic.samples import StereoSample, pair_of

    view = source.removeprefix(_PREFIX)
    if view not in VIEWS:
        raise OptionError(f"'{source}' is not known; use {', '.join(_PREFIX + v for v in VIEWS)}")
    scenes = options.scenes(view)
    for index in numbers():
        sample = scenes.sample(index)
        pair = pair_of(sample)
        length = pair.flow_0to1.norm(dim=0).numpy()
        yield Measured(
            picture(pair.image0),
            length,
            pair.occluded0.numpy(),
            isinstance(sample, StereoSample),
        )


def _say_histogram(quantity: str, found: list[Statistics]) -> None:
    from corr.data.statistics import EDGES

    say(quantity)
    edges = EDGES[quantity]
    rows = [("", *(f"{one.name} ({one.num_pairs} pairs), %" for one in found))]
    for place, low in enumerate(edges[:-1]):
        shares = [f"{100 * one.shares(quantity)[place]:.1f}" for one in found]
        rows.append((f"  from {low:g}", *shares))
    rows.append(("  mean", *(f"{one.mean(quantity):.3g}" for one in found)))
    say_columns(rows)


def _draw(found: list[Statistics], quantities: list[str], out: Path) -> None:
    from corr.data.statistics import EDGES
    from corr.drawing.histograms import Histogram, draw_histograms
    from corr.formats import write_image
    from corr.formats.atomic import make_folder

    make_folder(out)
    histograms = {
        quantity: Histogram(
            EDGES[quantity],
            {one.name: one.shares(quantity) for one in found if quantity in one.counts},
        )
        for quantity in quantities
    }
    path = out / "statistics.png"
    write_image(path, draw_histograms(histograms, " beside ".join(one.name for one in found)))
    say(f"wrote {path}")
