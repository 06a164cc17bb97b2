"""What pages are made of: a figure with its sentence, a choice, a table, a card, a notice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dash import dcc, html
from dash.development.base_component import Component

from analysis.comparison import Study
from analysis.dashboard.library import Library, Opened
from analysis.dashboard.state import State
from analysis.figures import Panel, wide
from analysis.look import Look, percent
from analysis.wording import Entry, doubtful, in_percent, span_words, unit_of, verdict, written

_MARKS: Final = {"good": " \u25b2", "bad": " \u25bc", "moved": " \u25c6", "calm": ""}


@dataclass(frozen=True, slots=True)
class View:
    """What a page is rendered from.

    Attributes:
        opened: the study read, None where the folder holds none. base, scenarios: what is compared on this page;
            chosen: the scenario named in the address, or the first. study: their runs.
    """

    state: State
    library: Library
    opened: Opened | None = None
    base: str = ""
    scenarios: tuple[str, ...] = ()
    chosen: str = ""
    study: Study | None = None

    @property
    def look(self) -> Look:
        """Language and ground."""
        return self.state.look

    def t(self, text: str, **values: object) -> str:
        """A text in the reader's language."""
        return self.look.t(text, **values)

    @property
    def runs(self) -> Study:
        """The runs of this page; pages that need none do not ask."""
        assert self.study is not None
        return self.study


def figure_block(view: View, panel: Panel) -> Component:
    """A figure with its heading, its sentence, how to read it, and buttons that save it."""
    graph = f"figure-{panel.name}"
    buttons = [
        html.Button(
            kind.upper(), className="save", type="button",
            **{"data-save": kind, "data-figure": graph, "aria-label": view.t("Save as {kind}: {title}",
                                                                             kind=kind.upper(), title=panel.title)},
        )
        for kind in ("png", "svg")
    ]  # fmt: skip
    page = html.A(
        "HTML", className="save",
            href=f"/download{view.state.search(format='html', figure=panel.name, page=view.state.page)}",
        download=f"{panel.name}.html",
    )  # fmt: skip
    return html.Section(
        [
            html.H2(panel.title, id=f"title-{panel.name}"),
            html.P(panel.reading, className="reading"),
            html.Div(
                html.Div(id=graph, style={"height": f"{panel.figure.layout.height or 450}px"}),
                role="img", className="figure wide" if wide(panel.figure) else "figure", tabIndex="0",
                **{"aria-label": f"{panel.title}. {panel.reading}"},
            ),
            html.P(panel.note, className="note"),
            html.P(view.t("With the figure in focus, the arrow keys move the day."), className="note")
            if panel.figure.layout.sliders else "",
            html.P([html.Span(view.t("Save figure: ")), *buttons, page], className="saving"),
        ],
        className="panel",
        **{"aria-labelledby": f"title-{panel.name}"},
    )  # fmt: skip


def choice(
    view: View, name: str, label: str, options: Mapping[str, str], value: str, search: bool | None = None
) -> Component:
    """A choice that goes into the address under `name`; options as value -> label."""
    many = len(options) > 12 if search is None else search
    return html.Div(
        [
            html.Label(label, htmlFor=f'{{"set":"{name}"}}'),
            dcc.Dropdown(
                id={"set": name}, options=[{"value": key, "label": text} for key, text in options.items()], value=value,
                clearable=False, searchable=many, optionHeight="auto",
            ),
        ],
        className="choice",
    )  # fmt: skip


def table(
    view: View, caption: str, head: Sequence[str], rows: Iterable[Sequence[Any]], first_is_header: bool = True
) -> Component:
    """A table with a caption; cells are texts or components, the first of each row its heading."""
    body = []
    for row in rows:
        cells = [
            html.Th(cell, scope="row") if number == 0 and first_is_header else
            (cell if isinstance(cell, html.Td) else html.Td(cell))
            for number, cell in enumerate(row)
        ]  # fmt: skip
        body.append(html.Tr(cells))
    return html.Div(
        html.Table(
            [
                html.Caption(caption),
                html.Thead(html.Tr([html.Th(text, scope="col") for text in head])),
                html.Tbody(body),
            ]
        ),
        className="scroll", tabIndex="0", role="region", **{"aria-label": caption},
    )  # fmt: skip


def effect_cell(entry: Entry, look: Look) -> Component:
    """A difference with its interval, coloured and marked."""
    kind = verdict(entry)
    if entry["difference"] is None:
        return html.Td("\u2013", className="calm")
    relative = ""
    if in_percent(entry):
        relative = f" {percent(entry['relative'], True)}"
    return html.Td(
        [
            html.B(
                written(entry["metric"], entry["difference"], True, look)
                + _MARKS[kind]
                + (" ?" if doubtful(entry) else "")
            ),
            html.Span(relative, className="unit"),
            html.Span(span_words(entry, look), className="range"),
        ],
        className=kind,
    )


def metric_label(name: str, look: Look) -> str:
    """A metric's label with its unit."""
    unit = unit_of(name, look)
    return look.metric(name) + (look.t(", ") + unit if unit else "")


def card(label: str, value: str, detail: Any = "", kind: str = "calm") -> Component:
    """A key figure."""
    return html.Div([html.Dt(label), html.Dd([html.Span(value, className="value"), detail])], className=f"card {kind}")


def notice(text: Any, kind: str = "note") -> Component:
    """A message across the page, spoken by screen readers."""
    text = with_code(text) if isinstance(text, str) else text
    return html.Div(text, className=f"notice {kind}", role="alert" if kind == "fault" else "status")


def plain_lines(lines: Iterable[str]) -> Component:
    """A list of sentences."""
    return html.Ul([html.Li(with_code(line)) for line in lines], className="lines")


def with_code(text: str) -> list[Any]:
    """A text whose words between backticks are code."""
    return [html.Code(part) if number % 2 else part for number, part in enumerate(text.split("`"))]
