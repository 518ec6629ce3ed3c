"""Histograms of several sets beside each other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8


class Histogram(NamedTuple):
    """The shares of one quantity."""

    edges: Float[np.ndarray, " K"]
    """Of its parts; the last part may have no end."""
    shares: Mapping[str, Float[np.ndarray, " _"]]
    """Name of a set -> share of its values in each part."""


def draw_histograms(histograms: Mapping[str, Histogram], title: str) -> UInt8[np.ndarray, "_ _ 3"]:
    """One diagram for each quantity, two a line; bars of the sets stand side by side.

    Args:
        histograms: for each quantity, what stands below its diagram.
        title: above all.
    """
    from matplotlib.artist import Artist
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    lines = -(-len(histograms) // 2)
    figure = Figure(figsize=(10, 0.6 + 2.6 * lines), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    figure.suptitle(title)
    bars: dict[str, Artist] = {}
    for place, (quantity, (edges, shares)) in enumerate(histograms.items()):
        axes = figure.add_subplot(lines, 2, place + 1)
        left = np.arange(len(edges) - 1, dtype=float)
        width = 0.8 / len(shares)
        for number, (name, share) in enumerate(shares.items()):
            axes.bar(left + (number + 0.5) * width - 0.4, 100 * share, width, label=name)
        labels = [f"{low:g}" for low in edges[:-1]]
        axes.set_xticks(left - 0.4, labels, fontsize=8)
        axes.set(xlabel=f"{quantity} (from)", ylabel="%")
        axes.spines[["top", "right"]].set_visible(False)
        bars.update(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    figure.legend(bars.values(), bars.keys(), loc="outside lower center", frameon=False)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib annotates only some methods
    rgba = canvas.buffer_rgba()  # type: ignore[no-untyped-call]  # as above
    return np.asarray(rgba)[..., :3].copy()
