"""A sweep as a whole: what was varied against what came of it."""

from __future__ import annotations

from dash import html

from analysis.dashboard.parts import Page, View, choice, figure_block, metric_label, notice
from analysis.figures_sweep import FEWEST, heat, parallel, pareto, sensitivity
from analysis.metrics import METRICS


def render(view: View) -> Page:
    """The page."""
    look, opened = view.look, view.opened
    points = opened.points if opened is not None else None
    if points is None or not points.parameters:
        return Page(view.t("Explore a sweep"), [notice(view.t(
            "Nothing was varied in this study. A sweep over values or an experiment file makes one: "
            "`livecommerce sweep interventions.cap.share=0.05,0.1,0.15 ...`."))])  # fmt: skip
    compared = any(bool((values == values).any()) for values in points.effects.values())
    ways = {"effect": view.t("change against its base"), "value": view.t("value")}
    effect = view.state.one_of("what", list(ways) if compared else ["value"]) == "effect"
    known = [name for name in METRICS if bool((points.of(name, effect) == points.of(name, effect)).any())]
    if not known:
        return Page(view.t("Explore a sweep"), [notice(view.t("No value in any run."))])
    name = view.state.one_of("metric", known)
    other = view.state.one_of(
        "against", known, "consumer_surplus_realised_usd" if "consumer_surplus_realised_usd" in known else known[-1]
    )
    keys = list(points.parameters)
    x = view.state.one_of("x", keys)
    y = view.state.one_of("y", keys, keys[1] if len(keys) > 1 else keys[0])
    metrics = {key: metric_label(key, look) for key in known}
    named = {key: key.removeprefix("interventions.") for key in keys}
    first = [
        choice(view, "metric", view.t("Metric"), metrics, name, search=True),
        *([choice(view, "what", view.t("Shown"), ways, "effect" if effect else "value")] if compared else []),
    ]
    panels = [parallel(points, name, effect, look)]
    if points.numbers and len(points.labels) >= FEWEST:
        panels.append(sensitivity(points, name, effect, look))
    blocks = [html.Div(first, className="controls"), *(figure_block(view, panel) for panel in panels)]
    if len(keys) > 1 and x != y:
        panels.append(heat(points, x, y, name, effect, look))
    if len(keys) > 1:
        blocks.append(html.Div([choice(view, "x", view.t("Across"), named, x),
                                choice(view, "y", view.t("Upwards"), named, y)], className="controls"))  # fmt: skip
        if x != y:
            blocks.append(figure_block(view, panels[-1]))
    panels.append(pareto(points, name, other, effect, look))
    blocks += [
        html.Div(choice(view, "against", view.t("Against"), metrics, other, search=True), className="controls"),
        figure_block(view, panels[-1]),
    ]
    rows = [
        {"label": label, **{key: texts[number] for key, texts in points.parameters.items()},
         **{metric: _plain(points.of(metric, effect)[number]) for metric in known}}
        for number, label in enumerate(points.labels)
    ]  # fmt: skip
    return Page(view.t("Explore a sweep"), blocks, rows, panels, "compare")


def _plain(value: float) -> float | None:
    return float(value) if value == value else None
