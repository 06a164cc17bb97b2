"""Figures of a sweep: what was varied against what came of it."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from analysis.figures import Panel
from analysis.look import ENGLISH, Look
from analysis.metrics import METRICS
from analysis.sweepview import SweepPoints, front, rank_correlation
from analysis.wording import unit_of, written

MOST_AXES: Final = 7
_BINS: Final = 8
FEWEST: Final = 5  # points from which a rank correlation is worth a bar


def _title(name: str, effect: bool, look: Look) -> str:
    unit = unit_of(name, look)
    label = look.metric(name) + (f" ({unit})" if unit else "")
    return look.t("change of {metric}", metric=label) if effect else label


def parallel(points: SweepPoints, name: str, effect: bool, look: Look = ENGLISH) -> Panel:
    """Every point as a line over what was varied, coloured by what came of it."""
    result = points.of(name, effect)
    known = np.isfinite(result)
    axes = []
    for key in list(points.parameters)[:MOST_AXES]:
        label = key.removeprefix("interventions.")
        if key in points.numbers:
            axes.append({"label": label, "values": points.numbers[key][known]})
        else:
            texts = list(dict.fromkeys(points.parameters[key]))
            places = np.array([texts.index(text) for text in points.parameters[key]])
            axes.append({"label": label, "values": places[known], "tickvals": list(range(len(texts))),
                         "ticktext": [text or "\u2013" for text in texts]})  # fmt: skip
    axes.append({"label": _title(name, effect, look), "values": result[known]})
    figure = go.Figure()
    if known.any():
        figure.add_parcoords(
            line={"color": result[known], "colorscale": "Cividis", "showscale": True,
                  "reversescale": False, "colorbar": {"thickness": 12, "len": 0.8}},
            dimensions=axes, labelfont={"size": 12, "color": look.shade("ink")},
            tickfont={"size": 11, "color": look.shade("ink")}, rangefont={"size": 10, "color": look.shade("quiet")},
        )  # fmt: skip
    figure.update_layout(template=look.template, height=430, margin={"l": 110, "r": 40, "t": 70, "b": 30})
    return Panel(
        "parallel", look.t("All points"),
        look.t("{points} points that differ in {many} keys; {known} have a value.", points=len(points.labels),
               known=int(known.sum()), many=len(points.parameters)),
        look.t("A line is a point, the mean over its seeds. Drag along an axis to pick lines; drag its name to move "
               "it."),
        figure,
    )  # fmt: skip


def _cells(texts: tuple[str, ...], numbers: NDArray[np.float64] | None) -> tuple[list[str], NDArray[np.int64]]:
    """Names of the cells of one axis and the cell of each point: its values, or bins of equal counts."""
    if numbers is None:
        names = list(dict.fromkeys(texts))
        return [name or "\u2013" for name in names], np.array([names.index(text) for text in texts])
    distinct = np.unique(numbers)
    if distinct.size <= 2 * _BINS:
        return [f"{value:g}" for value in distinct], np.searchsorted(distinct, numbers)
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, _BINS + 1)))
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
        look.t("{metric} lies between {low} and {high} over the cells.", metric=_title(name, effect, look),
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
    figure.update_xaxes(title_text=look.t("rank correlation with {metric}", metric=_title(name, effect, look)),
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
    figure.update_xaxes(title_text=_title(x, effect, look))
    figure.update_yaxes(title_text=_title(y, effect, look), zeroline=True, zerolinecolor=look.shade("line"))
    figure.update_layout(template=look.template, height=470, margin={"t": 70})
    ways = {True: look.t("more"), False: look.t("less")}
    return Panel(
        "pareto", look.t("Trade-off"),
        look.t("{best} of {points} points are beaten by no other in both.", best=len(best), points=len(points.labels)),
        look.t("Taken as better: {first} of the first, {second} of the second. Means over seeds, without their "
               "uncertainty.", first=ways[x_more], second=ways[y_more]),
        figure,
    )  # fmt: skip
