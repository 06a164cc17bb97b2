"""Figures of a sweep: what was varied against what came of it."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.colors import sample_colorscale

from analysis.figures import Panel
from analysis.look import ENGLISH, MINUS, Look
from analysis.metrics import METRICS
from analysis.sweepview import SweepPoints, front, rank_correlation
from analysis.wording import unit_of, written

MOST_AXES: Final = 7
_BINS: Final = 8
_PER_CELL: Final = 3  # points a cell of two parameters should hold
_BANDS: Final = 5  # colours of the lines
_FEW_LINES: Final = 100
_MOST_TICKS: Final = 8
FEWEST: Final = 5  # points from which a rank correlation is worth a bar


def started(text: str) -> str:
    """A text as the start of a sentence."""
    return text[:1].upper() + text[1:]


def titled(name: str, effect: bool, look: Look) -> str:
    """A metric's name on an axis: with its unit, and as a change where it is one."""
    unit = unit_of(name, look)
    label = look.metric(name) + (f" ({unit})" if unit else "")
    return look.t("change of {metric}", metric=label) if effect else label


def parallel(points: SweepPoints, name: str, effect: bool, look: Look = ENGLISH) -> Panel:
    """Every point as a line over what was varied, coloured by what came of it; drawn without WebGL."""
    result = points.of(name, effect)
    known = np.flatnonzero(np.isfinite(result))
    result = result[known]
    keys = list(points.parameters)[:MOST_AXES]
    axes = [_axis(points.parameters[key], points.numbers.get(key), known) for key in keys]
    axes.append((_scaled(result), [(0.0, short(result.min())), (1.0, short(result.max()))] if known.size else []))
    figure = go.Figure()
    cuts = np.unique(np.quantile(result, np.linspace(0, 1, _BANDS + 1))) if known.size else np.zeros(0)
    band = np.clip(np.searchsorted(cuts, result, side="right") - 1, 0, max(cuts.size - 2, 0))
    heights = np.array([places for places, _ in axes]) if known.size else np.zeros((len(axes), 0))
    across = np.arange(len(axes))
    name_of, low_end, high_end = ("Plasma", 0.25, 1.0) if look.dark else ("Cividis", 0.0, 0.88)
    scale = sample_colorscale(name_of, np.linspace(low_end, high_end, max(cuts.size - 1, 1)))
    for number in range(max(cuts.size - 1, 1)):
        own = np.flatnonzero(band == number)
        if not own.size:
            continue
        lines = np.full((own.size, len(axes) + 1), np.nan)  # a gap behind each line
        lines[:, :-1] = heights[:, own].T
        where = np.concatenate([across, [np.nan]])
        told = [f"{points.labels[known[line]]}<br>{written(name, float(result[line]), effect, look)}" for line in own]
        low, high = (written(name, float(cuts[min(end, cuts.size - 1)]), effect, look) for end in (number, number + 1))
        figure.add_scatter(
            x=np.tile(where, own.size), y=np.round(lines.ravel(), 4), mode="lines", connectgaps=False,
            line={"color": scale[number], "width": 1.6 if known.size <= _FEW_LINES else 0.9},
            name=look.t("{low} to {high}", low=low, high=high), text=np.repeat(told, len(axes) + 1),
            hovertemplate="%{text}<extra></extra>", opacity=0.9,
        )  # fmt: skip
    names = [*(key.removeprefix("interventions.").replace(".", ".<br>") for key in keys), titled(name, effect, look)]
    for place, (_, ticks) in enumerate(axes):
        for height, text in ticks:
            figure.add_annotation(
                x=place, y=height, text=text, showarrow=False, xanchor="right" if place == len(axes) - 1 else "left",
                xshift=-4 if place == len(axes) - 1 else 4, font={"size": 11, "color": look.shade("ink")},
                bgcolor=look.shade("paper"), opacity=0.9,
            )  # fmt: skip
    figure.update_xaxes(
        tickvals=list(range(len(axes))), ticktext=names, side="top", showgrid=True, gridcolor=look.shade("line"),
        zeroline=False, range=[-0.08, len(axes) - 0.92], fixedrange=True, tickangle=0,
    )  # fmt: skip
    figure.update_yaxes(visible=False, range=[-0.06, 1.06], fixedrange=True)
    figure.update_layout(
        template=look.template, height=470, margin={"l": 30, "r": 60, "t": 90, "b": 70}, hovermode="closest",
        legend={"y": -0.04, "yanchor": "top", "title": {"text": titled(name, effect, look), "side": "top"}},
    )  # fmt: skip
    return Panel(
        "parallel", look.t("All points"),
        look.t("Points: {points}, {known} of them with a value; keys in which they differ: {many}.",
               points=len(points.labels), known=int(known.size), many=len(points.parameters)),
        look.t("A line is a point, the mean over its seeds; each colour holds as many. Click a colour below to hide "
               "its lines, double-click to see them alone."),
        figure,
    )  # fmt: skip


def _scaled(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Between 0 and 1; in the middle where all are alike."""
    reach = float(np.ptp(values)) if values.size else 0.0
    return (values - values.min()) / reach if reach else np.full(values.shape, 0.5)


def _axis(
    texts: tuple[str, ...], numbers: NDArray[np.float64] | None, known: NDArray[np.int64]
) -> tuple[NDArray[np.float64], list[tuple[float, str]]]:
    """Heights of the known points on an axis between 0 and 1, and its ticks."""
    if numbers is not None:
        own = numbers[known]
        ticks = [(0.0, short(own.min())), (1.0, short(own.max()))] if known.size else []
        return _scaled(own), ticks if own.size and np.ptp(own) else [(0.5, text) for _, text in ticks[:1]]
    names = list(dict.fromkeys(texts))
    step = 1.0 / max(len(names) - 1, 1)
    heights = np.array([names.index(texts[point]) * step for point in known])
    shown = names if len(names) <= _MOST_TICKS else [names[0], names[-1]]
    return heights, [(names.index(text) * step, text or "\u2013") for text in shown]


def short(value: float) -> str:
    """A number beside an axis."""
    for limit, word in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.3g}\u00a0{word}".replace("-", MINUS)
    return f"{value:.3g}".replace("-", MINUS)


def _cells(texts: tuple[str, ...], numbers: NDArray[np.float64] | None) -> tuple[list[str], NDArray[np.int64]]:
    """Names of the cells of one axis and the cell of each point: its values, or bins of equal counts."""
    if numbers is None:
        names = list(dict.fromkeys(texts))
        return [name or "\u2013" for name in names], np.array([names.index(text) for text in texts])
    distinct = np.unique(numbers)
    if distinct.size <= _BINS:
        return [f"{value:g}" for value in distinct], np.searchsorted(distinct, numbers)
    bins = int(np.clip(np.sqrt(numbers.size / _PER_CELL), 3, _BINS))
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, bins + 1)))
    places = np.clip(np.searchsorted(edges, numbers, side="right") - 1, 0, edges.size - 2)
    return [f"{low:.3g} \u2013 {high:.3g}" for low, high in pairwise(edges)], places


def heat(points: SweepPoints, x: str, y: str, name: str, effect: bool, look: Look = ENGLISH) -> Panel:
    """The mean of a metric over the cells of two parameters."""
    result = points.of(name, effect)
    across, column = _cells(points.parameters[x], points.numbers.get(x))
    along, row = _cells(points.parameters[y], points.numbers.get(y))
    total, count = np.zeros((len(along), len(across))), np.zeros((len(along), len(across)))
    known = np.isfinite(result)
    np.add.at(total, (row[known], column[known]), result[known])
    np.add.at(count, (row[known], column[known]), 1)
    mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    bound = float(np.nanmax(np.abs(mean))) if known.any() else 1.0
    both = bool(known.any() and np.nanmin(mean) < 0 < np.nanmax(mean))
    figure = go.Figure(
        go.Heatmap(
            z=mean, x=across, y=along, customdata=count,
            text=[[written(name, float(value), effect, look) if np.isfinite(value) else "" for value in line]
                  for line in mean],
            texttemplate="%{text}" if mean.size <= 120 else None,
            colorscale="RdBu" if both else "Cividis", zmin=-bound if both else None, zmax=bound if both else None,
            colorbar={"thickness": 12, "len": 0.8},
            hovertemplate="%{x}, %{y}: %{text} (%{customdata})<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(title_text=x.removeprefix("interventions."), type="category", showgrid=False)
    figure.update_yaxes(title_text=y.removeprefix("interventions."), type="category", showgrid=False)
    figure.update_layout(template=look.template, height=470, margin={"t": 30})
    return Panel(
        "heat", look.t("Two parameters"),
        look.t("{metric} lies between {low} and {high} over the cells.", metric=started(titled(name, effect, look)),
               low=written(name, float(np.nanmin(mean)), effect, look),
               high=written(name, float(np.nanmax(mean)), effect, look)) if known.any() else look.t("No value in "
                                                                                                    "any run."),
        look.t("Mean over the points of a cell; ranges with many values are cut into cells of equal counts."),
        figure,
    )  # fmt: skip


def sensitivity(points: SweepPoints, name: str, effect: bool, look: Look = ENGLISH) -> Panel:
    """How closely a metric follows each parameter: rank correlations."""
    result = points.of(name, effect)
    found = {
        key: told for key, numbers in points.numbers.items()
        if (told := rank_correlation(numbers, result)) is not None
    }  # fmt: skip
    order = sorted(found, key=lambda key: abs(found[key][0]))
    figure = go.Figure()
    figure.add_bar(
        x=[found[key][0] for key in order], y=[key.removeprefix("interventions.") for key in order], orientation="h",
        marker={"color": [look.shade("moved") if found[key][1] > 0 or found[key][2] < 0 else look.shade("line")
                          for key in order]},
        error_x={"type": "data", "symmetric": False, "thickness": 1.3, "width": 4, "color": look.shade("error"),
                 "array": [found[key][2] - found[key][0] for key in order],
                 "arrayminus": [found[key][0] - found[key][1] for key in order]},
        hovertemplate="%{y}: %{x:+.2f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text=look.t("rank correlation with {metric}", metric=titled(name, effect, look)),
                        range=[-1.05, 1.05])  # fmt: skip
    figure.update_yaxes(showgrid=False)
    figure.update_layout(template=look.template, height=150 + 30 * max(len(order), 3), margin={"t": 30})
    reading = look.t("No number was varied over enough points.")
    if order:
        top = order[-1]
        reading = look.t("Most closely followed: {key} ({value:+.2f}).", key=top.removeprefix("interventions."),
                         value=found[top][0])  # fmt: skip
    return Panel(
        "sensitivity", look.t("What matters"), reading,
        look.t("Spearman's correlation over the points with its 95 % interval; grey cannot be told from zero. It sees "
               "what rises or falls throughout, not humps nor interplay."),
        figure,
    )  # fmt: skip


def pareto(points: SweepPoints, x: str, y: str, effect: bool, look: Look = ENGLISH) -> Panel:
    """Two metrics against each other, with the points that no other beats in both."""
    across, along = points.of(x, effect), points.of(y, effect)
    x_more, y_more = METRICS[x].better >= 0, METRICS[y].better >= 0
    best = front(across, along, x_more, y_more)
    figure = go.Figure()
    figure.add_scatter(
        x=across, y=along, mode="markers", name=look.t("points"), text=list(points.labels),
        marker={"color": look.shade("line"), "size": 8}, hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=across[best], y=along[best], mode="lines+markers", name=look.t("front"),
        text=[points.labels[point] for point in best], line={"color": look.shade("bad"), "width": 1.5},
        marker={"size": 10, "symbol": "diamond"}, hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title_text=titled(x, effect, look))
    figure.update_yaxes(title_text=titled(y, effect, look), zeroline=True, zerolinecolor=look.shade("line"))
    figure.update_layout(template=look.template, height=470, margin={"t": 70})
    ways = {True: look.t("more"), False: look.t("less")}
    return Panel(
        "pareto", look.t("Trade-off"),
        look.t("{best} of {points} points are beaten by no other in both.", best=len(best), points=len(points.labels)),
        look.t("Taken as better: {first} of the first, {second} of the second. Means over seeds, without their "
               "uncertainty.", first=ways[x_more], second=ways[y_more]),
        figure,
    )  # fmt: skip
