"""Figures over steps: of a training, of an angle, of a threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float, Integer, UInt8

Curve = tuple[
    Float[np.ndarray, " N"] | Integer[np.ndarray, " N"] | Sequence[float],
    Float[np.ndarray, " N"] | Sequence[float],
]
"""Steps and values."""

_FEW_POINTS = 25


def draw_curves(
    curves: Mapping[str, Curve],
    title: str,
    *,
    x_label: str = "step",
    y_label: str = "",
    log_x: bool = False,
    log_y: bool = False,
    from_zero: bool = False,
    markers: bool = True,
) -> UInt8[np.ndarray, "_ _ 3"]:
    """Named curves in one diagram of 720 x 450 px.

    Args:
        curves: for each name its steps and values; points that are not finite are left out.
        title: above the diagram.
        x_label: what the steps are.
        y_label: what the values are, with their unit.
        log_x: a logarithmic axis of the steps, labelled at each of those of the first curve.
        log_y: a logarithmic value axis.
        from_zero: the value axis starts at 0 and reaches a twentieth beyond the highest value.
        markers: show the points of a curve that has few.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogFormatter

    figure = Figure(figsize=(7.2, 4.5), dpi=100, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for name, (steps, values) in curves.items():
        y = np.asarray(values, float)
        finite = np.isfinite(y)
        marker = "o" if markers and finite.sum() <= _FEW_POINTS else ""
        axes.plot(np.asarray(steps)[finite], y[finite], label=name, marker=marker, markersize=3.5)
    axes.set(title=title, xlabel=x_label, ylabel=y_label, yscale="log" if log_y else "linear")
    if log_y:  # 20 instead of 2 x 10^1
        axes.yaxis.set_major_formatter(LogFormatter())
        axes.yaxis.set_minor_formatter(LogFormatter())
    if log_x and curves:
        steps = [float(step) for step in next(iter(curves.values()))[0]]
        axes.set_xscale("log")
        axes.set_xticks(steps, [f"{step:g}" for step in steps])
        axes.minorticks_off()
    if from_zero:
        tables = [np.asarray(values, float) for _, values in curves.values()]
        highest = max((float(y[np.isfinite(y)].max(initial=0)) for y in tables), default=0)
        axes.set_ylim(0, 1.05 * highest or 1)
    axes.grid(visible=True, color="0.9")
    axes.spines[["top", "right"]].set_visible(False)
    if len(curves) > 1:
        axes.legend(frameon=False)
    canvas.draw()  # type: ignore[no-untyped-call]  # matplotlib annotates only some methods
    rgba = canvas.buffer_rgba()  # type: ignore[no-untyped-call]  # as above
    return np.asarray(rgba)[..., :3].copy()
