"""Goods: lanes, delivery times by stage, queues and use of warehouses, surges."""

from __future__ import annotations

from dash import html

from analysis.dashboard.page import Page, Rows
from analysis.dashboard.parts import View, choice, figure_block, notice
from analysis.figures_goods import delivery, fullness, lanes, stages, surge, waits, warehouses


def render(view: View) -> Page:
    """The page."""
    study, look = view.runs, view.look
    shown = view.state.one_of("shown", study.scenarios)
    panels = [delivery(study, look), stages(study, look)]
    by_order = waits(study, look) if study.store.has("orders") else None
    if by_order is not None:
        panels.append(by_order)
    extra = []
    if study.store.has("daily_warehouses"):
        panels += [warehouses(study, look), fullness(study, look, shown), surge(study, look, shown)]
    else:
        extra = [notice(view.t("Queues by day need runs with record=daily or record=full."))]
    panels.append(lanes(study, look, shown))
    control = choice(view, "shown", view.t("Lanes and warehouses of"),
        {name: look.scenario(name) for name in study.scenarios},
                     shown)  # fmt: skip

    def rows() -> Rows:
        of = study.scenario_of
        return [
            {"scenario": of[row["run"]], "seed": study.runs[row["run"]].facts["seed"],
             "weight": study.runs[row["run"]].weight, **{name: value for name, value in row.items() if name != "run"}}
            for row in study.store.query("SELECT * FROM lanes", ["lanes"])
        ]  # fmt: skip

    return Page(
        view.t("Logistics"),
        [html.Div([control], className="controls"), *extra, *(figure_block(view, panel) for panel in panels)],
        rows,
        panels,
        "compare",
    )
