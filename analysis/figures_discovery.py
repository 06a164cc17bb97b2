"""Figures of what `livecommerce sensitivity`, `discover` and `search` tell of a sweep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from analysis.figures import Panel
from analysis.figures_sweep import short, started, titled
from analysis.look import ENGLISH, Look, percent
from analysis.wording import written

_MEASURES: Final = {"sobol": ("ST", "S1"), "morris": ("mu_star", "sigma")}
MEASURE_NAMES: Final = {
    "ST": "total index ST", "S1": "first-order index S1", "mu_star": "mean size of effects \u03bc*",
    "sigma": "spread of effects \u03c3",
}  # fmt: skip
_SPREAD: Final = 0.28  # half height of the cloud of points on a row


def named(key: str) -> str:
    """A parameter's name on a figure."""
    return key.removeprefix("interventions.")


def indices(group: Mapping[str, Any], effect: bool, look: Look = ENGLISH) -> Panel:
    """Sobol or Morris indices of each parameter with their intervals.

    Args:
        group: of `analysis.sensitivity.sensitivity`.
    """
    measures = _MEASURES[group["kind"]]
    parameters = group["parameters"]
    order = sorted(parameters, key=lambda key: parameters[key][measures[0]])
    rows = [named(key) for key in order]
    apart = group["kind"] == "morris"
    figure = make_subplots(cols=2 if apart else 1, shared_yaxes=True, horizontal_spacing=0.06)
    for number, measure in enumerate(measures):
        values = [parameters[key][measure] for key in order]
        figure.add_bar(
            x=values, y=rows, orientation="h", name=look.t(MEASURE_NAMES[measure]),
            marker={"color": look.series[number]},
            error_x={"type": "data", "symmetric": False, "thickness": 1.3, "width": 4, "color": look.shade("error"),
                     "array": [parameters[key][f"{measure}_high"] - parameters[key][measure] for key in order],
                     "arrayminus": [parameters[key][measure] - parameters[key][f"{measure}_low"] for key in order]},
            hovertemplate="%{y}: %{x:.3g}<extra>" + look.t(MEASURE_NAMES[measure]) + "</extra>",
            row=1, col=1 + number * apart,
        )  # fmt: skip
        figure.update_xaxes(title_text=look.t(MEASURE_NAMES[measure]) if apart else
                            look.t("share of the variance of {metric}", metric=titled(group["metric"], effect, look)),
                            row=1, col=1 + number * apart)  # fmt: skip
    figure.update_yaxes(showgrid=False)
    figure.update_layout(
        template=look.template, height=170 + (26 if apart else 40) * max(len(order), 3), margin={"t": 50},
        barmode="group", showlegend=not apart, legend={"traceorder": "normal"},
    )  # fmt: skip
    top, noise = order[-1], group["noise"]
    told = look.t(
        "{metric} hangs most on {key}: {measure} {value} ({low} to {high}).", key=named(top),
        metric=started(titled(group["metric"], effect, look)), measure=look.t(MEASURE_NAMES[measures[0]]),
        value=_number(parameters[top][measures[0]]),
        low=_number(parameters[top][f"{measures[0]}_low"]), high=_number(parameters[top][f"{measures[0]}_high"]),
    )  # fmt: skip
    if noise is not None:
        told += " " + look.t("{share} of a single run's variance is chance.", share=percent(noise["noise"]))
    note = look.t(
        "Over the whole range of each parameter; bars are 95 % bootstrap intervals. A small mean with a large spread "
        "is a parameter that works both ways, or together with others." if apart else
        "S1: by itself; ST: with all it does together with others. Bars are 95 % bootstrap intervals; one that "
        "reaches below 0 asks for more points."
    )  # fmt: skip
    size = look.t("{points} points, {seeds} seeds each.", points=group["points"], seeds=group["seeds"])
    title = look.t("Sobol indices") if group["kind"] == "sobol" else look.t("Morris screening")
    fixed = " " + look.t("With {fixed}.", fixed=group["fixed"]) if group["fixed"] else ""
    return Panel("indices", title, told, f"{size} {note}{fixed}", figure)


def _number(value: float) -> str:
    return short(value).replace("-", "\u2212")


def box(
    found: Mapping[str, Any], settings: Mapping[str, NDArray[np.float64]], outcome: NDArray[np.float64], effect: bool,
    look: Look = ENGLISH,
) -> Panel:  # fmt: skip
    """The box of settings in which an outcome is bad, over all points.

    Args:
        found: of `analysis.discovery.discover`. settings, outcome: float64[points] of the same points.
    """
    bad = outcome < found["threshold"] if found["bad"] == "below" else outcome > found["threshold"]
    best = found["boxes"][0] if found["boxes"] and found["boxes"][0]["limits"] else None
    limits: Mapping[str, Any] = best["limits"] if best else {}
    order = sorted(settings, key=lambda key: (key in limits, key))
    chance = np.random.default_rng(1).uniform(-_SPREAD, _SPREAD, outcome.size)
    figure = go.Figure()
    for row, key in enumerate(order):
        low, high = float(settings[key].min()), float(settings[key].max())
        reach = (high - low) or 1.0
        ends = limits.get(key, {})
        left = low if ends.get("low") is None else ends["low"]
        right = high if ends.get("high") is None else ends["high"]
        if key in limits:
            figure.add_shape(
                type="rect", x0=(left - low) / reach, x1=(right - low) / reach, y0=row - 0.4, y1=row + 0.4,
                fillcolor=look.shade("bad"), opacity=0.2, line={"width": 0}, layer="below",
            )  # fmt: skip
            for end, value in (("low", left), ("high", right)):
                if ends.get(end) is not None:
                    figure.add_annotation(
                        x=(value - low) / reach, y=row + 0.4, text=f"<b>{short(value)}</b>", showarrow=False,
                        yanchor="bottom", font={"size": 12, "color": look.shade("bad")},
                    )  # fmt: skip
        for place, value in ((0.0, low), (1.0, high)):
            figure.add_annotation(x=place, y=row - 0.44, text=short(value), showarrow=False, yanchor="top",
                                  font={"size": 11, "color": look.shade("quiet")})  # fmt: skip
        for kind, which in (("calm", ~bad), ("bad", bad)):
            figure.add_scatter(
                x=(settings[key][which] - low) / reach, y=row + chance[which], mode="markers",
                name=look.t("bad") if kind == "bad" else look.t("not bad"), legendgroup=kind, showlegend=row == 0,
                marker={"size": 6, "color": look.shade("bad" if kind == "bad" else "line"),
                        "symbol": "diamond" if kind == "bad" else "circle"},
                customdata=[[short(value), written(found["metric"], float(told), effect, look)]
                            for value, told in zip(settings[key][which], outcome[which], strict=True)],
                hovertemplate=named(key) + "=%{customdata[0]}<br>%{customdata[1]}<extra></extra>",
            )  # fmt: skip
    figure.update_xaxes(visible=False, range=[-0.04, 1.04])
    figure.update_yaxes(tickvals=list(range(len(order))), ticktext=[named(key) for key in order], showgrid=False,
                        range=[-0.75, len(order) - 0.25])  # fmt: skip
    figure.update_layout(template=look.template, height=130 + 74 * max(len(order), 2), margin={"t": 50, "b": 20})
    threshold = written(found["metric"], found["threshold"], effect, look)
    metric = started(titled(found["metric"], effect, look))
    told = look.t(
        "{metric} is below {threshold} at {bad} of {points} points." if found["bad"] == "below" else
        "{metric} is above {threshold} at {bad} of {points} points.", metric=metric, threshold=threshold,
        bad=found["bad_points"], points=found["points"],
    )  # fmt: skip
    if best:
        told += " " + look.t(
            "The box holds {coverage} of them; {density} of what is inside is bad.",
            coverage=percent(best["coverage"]), density=percent(best["density"]),
        )  # fmt: skip
    else:
        told += " " + look.t("No box of settings holds more of them than chance would.")
    return Panel(
        "box", look.t("Where it goes wrong"), told,
        look.t("PRIM, by the EMA workbench: the shaded ranges together make the box; a row without shade may take any "
               "value. Each point is the mean over its seeds, drawn once a row."),
        figure,
    )  # fmt: skip


def searched(found: Mapping[str, Any], x: str, y: str, look: Look = ENGLISH) -> Panel:
    """The points of a search over two of its objectives, those that none beats with their intervals.

    Args:
        found: content of `search.json`. x, y: objectives; the same one twice where there is but one.
    """
    objectives: Mapping[str, str] = found["objectives"]
    known = [row for row in found["points"] if row["outcomes"] is not None]
    front = sorted((row for row in known if row["front"]), key=lambda row: float(row["outcomes"][x]["difference"]))
    alone = x == y
    figure = go.Figure()
    for rows, name, kind in (([row for row in known if not row["front"]], look.t("points"), "points"),
                             (front, look.t("front"), "front")):  # fmt: skip
        orders = [known.index(row) + 1 for row in rows]
        across, along = ([float(row["outcomes"][metric]["difference"]) for row in rows] for metric in (x, y))
        bars = {} if kind == "points" else {
            "error_x": _bars([row["outcomes"][x] for row in rows], look),
            "error_y": None if alone else _bars([row["outcomes"][y] for row in rows], look),
        }  # fmt: skip
        figure.add_scatter(
            x=across, y=orders if alone else along, mode="markers" if kind == "points" or alone else "lines+markers",
            name=name, line={"color": look.shade("bad"), "width": 1.5},
            marker={"color": look.shade("line" if kind == "points" else "bad"), "size": 8 if kind == "points" else 10,
                    "symbol": "circle" if kind == "points" else "diamond"},
            text=["<br>".join(f"{named(key)}={short(value) if isinstance(value, float) else value}"
                              for key, value in row["parameters"].items()) for row in rows],
            hovertemplate="%{text}<extra></extra>", **bars,
        )  # fmt: skip
    figure.update_xaxes(title_text=titled(x, True, look), range=_around(known, x))
    figure.update_yaxes(
        title_text=look.t("in the order of asking") if alone else titled(y, True, look),
        range=None if alone else _around(known, y),
    )
    figure.update_layout(template=look.template, height=470, margin={"t": 70})
    ways = {"more": look.t("more"), "less": look.t("less")}
    wanted = look.t(", ").join(f"{look.metric(name)} {ways[way]}" for name, way in objectives.items())
    return Panel(
        "searched", look.t("What the search found"),
        look.t("{front} of {points} points are beaten by none in all of: {wanted}.", front=len(front),
               points=len(known), wanted=wanted),
        look.t("Mean paired differences over {seeds} seeds; the front with 95 % intervals. With more than two "
               "objectives a point on the front may look beaten in two.", seeds=len(found["seeds"])),
        figure,
    )  # fmt: skip


def _around(rows: list[Mapping[str, Any]], metric: str) -> list[float] | None:
    """A range that holds the points and some room; few seeds give intervals that would hide them."""
    values = [float(row["outcomes"][metric]["difference"]) for row in rows]
    if not values:
        return None
    room = 0.25 * (max(values) - min(values)) or 1.0
    return [min(values) - room, max(values) + room]


def _bars(outcomes: list[Mapping[str, Any]], look: Look) -> dict[str, Any]:
    known = [(float(one["difference"]), one["low"], one["high"]) for one in outcomes]
    return {
        "type": "data", "symmetric": False, "thickness": 1, "width": 0, "color": look.shade("quiet"),
        "array": [0.0 if high is None else high - middle for middle, _, high in known],
        "arrayminus": [0.0 if low is None else middle - low for middle, low, _ in known],
    }  # fmt: skip
