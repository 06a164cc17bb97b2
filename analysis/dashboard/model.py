"""What the model assumes: every parameter with unit, range and source; every intervention with its mechanism."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from dash import dcc, html

from analysis.dashboard.page import Page
from analysis.dashboard.parts import View, choice, table
from sim.experiment import configure, levers

SHOWN: Final = 40  # parameters at once; a table of all takes a browser a second


@cache
def parameters() -> tuple[dict[str, str], ...]:
    """Every parameter of the baseline: key, value, unit, range, source, meaning."""
    cfg = configure()
    plain = json.loads(cfg.model_dump_json())
    found = []
    for key, about in cfg.quantities().items():
        value: Any = plain
        for part in key.split("."):
            value = value[int(part)] if isinstance(value, list) else value[part]
        found.append({
            "key": key, "value": json.dumps(value), "unit": about.unit, "range": about.range_text,
            "source": " ".join(about.source.split()), "meaning": " ".join(about.meaning.split()),
        })  # fmt: skip
    return tuple(found)


def render(view: View) -> Page:
    """The page."""
    words = view.state.get("find").lower().split()
    groups = sorted({row["key"].partition(".")[0] for row in parameters()})
    group = view.state.one_of("group", ["", *groups], "")
    found = [
        row for row in parameters()
        if (not group or row["key"].startswith(f"{group}."))
        and all(word in " ".join(row.values()).lower() for word in words)
    ]  # fmt: skip
    chosen = [
        kind for kind in levers().values()
        if all(word in f"{kind['name']} {kind['title']} {kind['mechanism']}".lower() for word in words)
    ]  # fmt: skip
    pages = {
        str(start or ""): f"{start + 1}\u2013{min(start + SHOWN, len(found))}" for start in range(0, len(found), SHOWN)
    }
    place = view.state.one_of("from", list(pages), "") if pages else ""
    start = int(place or 0)
    find = html.Div([
        html.Label(view.t("Find words"), htmlFor='{"set":"find"}'),
        dcc.Input(id={"set": "find"}, type="search", value=view.state.get("find"), debounce=True, maxLength=200),
    ], className="choice")  # fmt: skip
    every = {"": view.t("all"), **{name: name for name in groups}}
    controls = [choice(view, "group", view.t("Group of parameters"), every, group), find]
    rows = [
        [html.Code(row["key"]), html.Td(_short(row["value"]), className="code"), row["unit"],
         row["range"], html.Td([row["meaning"], html.Small(row["source"])], lang="en")]
        for row in found[start : start + SHOWN]
    ]  # fmt: skip
    told = view.t("{shown} of {found} parameters shown.", shown=len(rows), found=len(found))
    turn = [choice(view, "from", view.t("Parameters shown"), pages, place)] if len(pages) > 1 else []
    return Page(
        view.t("Model and evidence"),
        [
            html.Div(controls, className="controls"),
            html.Section([
                html.H2(view.t("Interventions")),
                html.P(view.t("A lever changes a cause; what follows is the agents\u2019 doing."), className="note"),
                *(_lever(view, kind) for kind in chosen),
            ]),
            html.Section([
                html.H2(view.t("Parameters")), html.P(told, className="note"),
                html.Div(turn, className="controls") if turn else "",
                table(view, view.t("Parameters"), [view.t("key"), view.t("value"), view.t("unit"), view.t("range"),
                                                   view.t("meaning and source")], rows),
            ]),
        ],
        [dict(row) for row in found],
        command="show",
    )  # fmt: skip


def _short(text: str, most: int = 80) -> str:
    return text if len(text) <= most else text[: most - 1] + "\u2026"


def _lever(view: View, kind: dict[str, Any]) -> html.Details:
    items = [
        html.Li(f"{name} = {about['value']} {about['unit']}; {about['range']}; {about['meaning']}; {about['source']}",
                lang="en")
        for name, about in kind["parameters"].items()
    ]  # fmt: skip
    return html.Details(
        [
            html.Summary([html.Strong(view.t(kind["title"])), " ", html.Code(kind["name"])]),
            html.P(kind["mechanism"], lang="en"),
            html.P([view.t("changes: "), html.Code(", ".join(kind["changes"]))]),
            html.Ul(items),
        ]
    )
