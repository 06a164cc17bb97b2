"""The question, the key figures and what happened day by day."""

from __future__ import annotations

from typing import Final

from dash import html

from analysis.comparison import compare
from analysis.dashboard.page import Page
from analysis.dashboard.parts import View, card, choice, figure_block, metric_label
from analysis.figures import SERIES, funnel, over_time
from analysis.metrics import metrics_of
from analysis.wording import HEADLINE, changes, doubt_words, doubtful, sentence, span_words, summary, verdict, written

CARDS: Final = (
    "gmv_usd", "orders", "conversion", "delivery_days_p50", "return_rate", "consumer_surplus_realised_usd",
    "merchant_profit_usd", "government_revenue_usd",
)  # fmt: skip


def render(view: View) -> Page:
    """The page."""
    study, look = view.runs, view.look
    asked = []
    for name in study.scenarios:
        question, lang = look.question(study.question(name))
        told = html.Small(changes(study.overrides(name), look), className="note")
        asked.append(html.Li([html.Strong(look.scenario(name)), html.Span(question, lang=lang), told]))
    entries = compare(study) if len(study.scenarios) > 1 else []
    own = {entry["metric"]: entry for entry in entries if entry["scenario"] == view.chosen}
    alone = {} if entries else _means(view)
    cards = []
    for name in CARDS:
        entry = own.get(name)
        if entry is None:
            cards.append(card(metric_label(name, look), written(name, alone.get(name), look=look)))
            continue
        cards.append(
            card(
                metric_label(name, look), written(name, entry["value"], look=look),
                html.Span([
                    html.B(written(name, entry["difference"], True, look)), " ", html.Span(span_words(entry, look)),
                ], className="range"),
                verdict(entry) + (" doubt" if doubtful(entry) else ""),
            )
        )  # fmt: skip
    panels = []
    name = view.state.one_of("series", tuple(SERIES))
    controls = []
    if study.store.has("daily_channel"):
        controls.append(
            choice(view, "series", view.t("Number by day"), {key: metric_label(key, look) for key in SERIES}, name)
        )
        panels.append(over_time(study, look, name))
    panels.append(funnel(study, look))
    facts = study.runs[0].facts
    intro = view.t(
        "{seeds} paired seeds, {consumers} simulated consumers, {days} days from {date}.", seeds=len(study.seeds),
        consumers=f"{facts['consumers']:,}", days=facts["days"], date=facts["start_date"],
    )  # fmt: skip
    said = []
    if own:
        said = [html.P([html.Strong(look.scenario(view.chosen)), " ", summary(entries, view.chosen, look)],
                       className="reading")]  # fmt: skip
    rows = [dict(entry) | {"sentence": sentence(entry, look)} for entry in entries if entry["metric"] in HEADLINE]
    return Page(
        view.t("Overview"),
        [
            html.Section([html.Ul(asked, className="questions"), html.P(intro, className="note"), *said]),
            html.Section([
                html.H2(view.t("Key figures: {scenario}", scenario=look.scenario(view.chosen or study.base))),
                html.Dl(cards, className="cards"),
                html.P(view.t("Large: the scenario's value; below: its difference to {base} with the 95 % interval.",
                              base=look.inside(study.base)) + " " + doubt_words(entries, look), className="note")
                if own else "",
            ]),
            html.Div(controls, className="controls") if controls else "",
            *(figure_block(view, panel) for panel in panels),
        ],
        rows or [{"metric": name, "value": alone.get(name)} for name in alone],
        panels,
        "compare",
    )  # fmt: skip


def _means(view: View) -> dict[str, float]:
    """Means over seeds of the base's metrics, where there is nothing to compare."""
    study = view.runs
    lines = [rows[0] for rows in metrics_of(study.store)]
    found = {}
    for name in HEADLINE:
        known = [float(line[name]) for line in lines if line[name] is not None]
        if known:
            found[name] = sum(known) / len(known)
    return found
