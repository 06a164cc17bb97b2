"""Whom followers gather at, how trust and adoption go, and a sample of friends over time."""

from __future__ import annotations

from dash import html

from analysis.dashboard.page import Page, Rows
from analysis.dashboard.parts import View, choice, figure_block, notice
from analysis.figures_network import COLOURED_BY, concentration, friends, opinion


def render(view: View) -> Page:
    """The page."""
    study, look = view.runs, view.look
    panels, controls, extra = [concentration(study, look)], [], []
    if study.store.has("daily_people"):
        panels.append(opinion(study, look))
    if study.store.has("network_days") and study.store.has("network"):
        shown = view.state.one_of("shown", study.scenarios)
        by = view.state.one_of("colour", tuple(COLOURED_BY))
        names = {name: look.scenario(name) for name in study.scenarios}
        controls = [
            choice(view, "shown", view.t("Friends of"), names, shown),
            choice(view, "colour", view.t("Coloured by"), {key: view.t(text) for key, text in COLOURED_BY.items()}, by),
        ]
        panels.append(friends(study, look, shown, by))
    else:
        extra = [notice(view.t("A sample of friends is kept with record=full; these runs have less."))]
    table = "followers" if study.store.has("followers") else "streamers"

    def rows() -> Rows:
        of = study.scenario_of
        return [
            {"scenario": of[row["run"]], "seed": study.runs[row["run"]].facts["seed"],
             **{name: value for name, value in row.items() if name != "run"}}
            for row in study.store.query(f"SELECT * FROM {table}", [table])
        ]  # fmt: skip

    *above, last = panels
    if not controls:
        return Page(
            view.t("Network"), [*extra, *(figure_block(view, panel) for panel in panels)], rows, panels, "compare"
        )
    blocks = [*(figure_block(view, panel) for panel in above), html.Div(controls, className="controls"),
              figure_block(view, last)]  # fmt: skip
    return Page(view.t("Network"), blocks, rows, panels, "compare")
