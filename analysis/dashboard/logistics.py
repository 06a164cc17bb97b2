"""Goods: lanes, delivery times by stage, queues and use of warehouses, surges."""

from __future__ import annotations

from dash import html

from analysis.dashboard.parts import Page, View, choice, figure_block, notice
from analysis.figures_goods import delivery, lanes, surge, warehouses


def render(view: View) -> Page:
    """The page."""
    study, look = view.runs, view.look
    shown = view.state.one_of("shown", study.scenarios)
    panels = [delivery(study, look), lanes(study, look, shown)]
    extra = []
    if study.store.has("daily_warehouses"):
        panels[1:1] = [warehouses(study, look), surge(study, look, shown)]
    else:
        extra = [notice(view.t("Queues by day need runs with record=daily or record=full."))]
    control = choice(view, "shown", view.t("Lanes and surge of"),
        {name: look.scenario(name) for name in study.scenarios},
                     shown)  # fmt: skip
    rows = []
    for row in study.store.query("SELECT * FROM lanes", ["lanes"]):
        run = study.runs[row["run"]]
        rows.append({"scenario": study.scenario_of[row["run"]], "seed": run.facts["seed"], "weight": run.weight,
                     **{name: value for name, value in row.items() if name != "run"}})  # fmt: skip
    return Page(
        view.t("Logistics"),
        [html.Div([control], className="controls"), *extra, *(figure_block(view, panel) for panel in panels)],
        rows,
        panels,
        "compare",
    )
