"""Paired effects of one scenario: a forest plot, a table and a line of plain language for each."""

from __future__ import annotations

from dataclasses import replace

from dash import html

from analysis.comparison import compare
from analysis.dashboard.page import Page
from analysis.dashboard.parts import View, choice, effect_cell, figure_block, metric_label, notice, plain_lines, table
from analysis.figures import forest
from analysis.metrics import DIMENSIONS, METRICS
from analysis.wording import doubt_words, doubtful, sentence, sure, written


def render(view: View) -> Page:
    """The page."""
    study, look = view.runs, view.look
    if not view.chosen:
        return Page(view.t("Compare"), [notice(view.t("There is nothing to compare: all runs are {base}.",
                                                      base=look.inside(study.base)))])  # fmt: skip
    by = view.state.one_of("by", ("", *DIMENSIONS), "")
    splittable = [name for name, metric in METRICS.items() if not by or by in metric.splits]
    metric = view.state.one_of("metric", splittable)
    entries = [
        entry for entry in compare(study, [by] if by else [], names=[metric] if by else None)
        if entry["scenario"] == view.chosen
    ]  # fmt: skip
    panel = forest(entries, look, by)
    panel = replace(panel, title=f"{panel.title}{look.t(': ')}{look.scenario(view.chosen)}")
    labels = {"": view.t("all metrics"), "region": view.t("region"), "country": view.t("country"),
              "channel": view.t("channel"), "category": view.t("category"), "group": view.t("group")}  # fmt: skip
    controls = [choice(view, "by", view.t("Show by"), labels, by)]
    if by:
        controls.append(choice(view, "metric", view.t("Metric"), {name: metric_label(name,
            look) for name in splittable},
                               metric, search=True))  # fmt: skip
    told = sorted(
        (entry for entry in entries if entry["difference"] is not None),
        key=lambda entry: (not sure(entry), doubtful(entry), -abs(entry["relative"] or 0.0)),
    )
    lines = [(f"{look.key(by, entry[by])}{view.t(': ')}" if by else "") + sentence(entry, look) for entry in told]
    rows = [
        [
            look.key(by, entry[by]) if by else metric_label(entry["metric"], look),
            written(entry["metric"], entry["base_value"], look=look),
            written(entry["metric"], entry["value"], look=look),
            effect_cell(entry, look),
        ]
        for entry in entries
    ]
    head = [labels[by] if by else view.t("Metric"), look.scenario(study.base), look.scenario(view.chosen),
            view.t("Difference, 95 % interval")]  # fmt: skip
    return Page(
        view.t("Compare"),
        [
            html.Div(controls, className="controls"),
            figure_block(view, panel),
            html.Section([html.H2(view.t("In plain words")), plain_lines(lines)]),
            html.Section([
                html.H2(view.t("The numbers")),
                table(view, view.t("{scenario} against {base}", scenario=look.scenario(view.chosen),
                                   base=look.inside(study.base)), head, rows),
                html.P(doubt_words(entries, look), className="note"),
            ]),
        ],
        [dict(entry) | {"sentence": sentence(entry, look)} for entry in entries],
        [panel],
        f"compare --by {by}" if by else "compare",
    )  # fmt: skip
