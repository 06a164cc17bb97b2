"""Who gains, who pays: from group to group, and the money that flows between them."""

from __future__ import annotations

from dash import html

from analysis.dashboard.page import Page
from analysis.dashboard.parts import View, figure_block, notice, table
from analysis.figures_money import gains, incidence, interval_words, money_flows, waterfall
from analysis.look import GROUP_LABELS


def render(view: View) -> Page:
    """The page."""
    study, look = view.runs, view.look
    flows = money_flows(study, look)
    if not view.chosen:
        told = notice(view.t("There is nothing to compare: all runs are {base}.", base=look.inside(study.base)))
        return Page(view.t("Who gains, who pays"), [told, figure_block(view, flows)], panels=[flows])
    entries = [entry for entry in gains(study) if entry["scenario"] == view.chosen]
    panels = [waterfall(study, look, view.chosen), incidence(study, look), flows]
    rows = [
        [look.t(GROUP_LABELS[entry["group"]]), look.money(entry["difference"], True), interval_words(entry, look)]
        for entry in entries
    ]
    return Page(
        view.t("Who gains, who pays"),
        [
            *(figure_block(view, panel) for panel in panels),
            html.Section([
                html.H2(view.t("The numbers")),
                table(view, view.t("Change of gains against {base}, USD", base=look.inside(study.base)),
                      [view.t("group"), look.scenario(view.chosen), view.t("95 % interval")], rows),
            ]),
        ],
        [dict(entry) for entry in entries],
        panels,
        "compare --by group",
    )  # fmt: skip
