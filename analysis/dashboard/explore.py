"""A sweep as a whole: what was varied against what came of it."""

from __future__ import annotations

import contextlib
import importlib
import shlex
from pathlib import Path
from typing import Final

from dash import html
from dash.development.base_component import Component

from analysis.dashboard.page import Page, Rows
from analysis.dashboard.parts import View, choice, figure_block, metric_label, notice, plain_lines
from analysis.figures import Panel
from analysis.figures_sweep import FEWEST, heat, parallel, pareto, sensitivity
from analysis.metrics import METRICS
from analysis.sensitivity import read_design
from analysis.sweeppanels import PREFERRED, box_panel, design_panel, of_words, read_search, search_panel
from analysis.sweepview import SweepPoints
from sim.errors import UserError
from sim.sweep.driver import DESIGN

SHARE_NAMES: Final = {
    "zero": "a change for the worse", "half": "the worse half", "quarter": "the worst quarter",
    "tenth": "the worst tenth",
}  # fmt: skip
_HEAVY: Final = ("ema_workbench.analysis.prim", "SALib.analyze.sobol")


def load() -> None:
    """Import what this page may need and takes long to import; what is not installed is told on the page."""
    for name in _HEAVY:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def render(view: View) -> Page:
    """The page."""
    look, opened = view.look, view.opened
    points = opened.points if opened is not None else None
    if opened is None or points is None or not points.parameters:
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
    metrics = {key: metric_label(key, look) for key in known}
    panels = [parallel(points, name, effect, look)]
    blocks = [
        html.Div([
            choice(view, "metric", view.t("Metric"), metrics, name, search=True),
            *([choice(view, "what", view.t("Shown"), ways, "effect" if effect else "value")] if compared else []),
        ], className="controls"),
        figure_block(view, panels[0]),
    ]  # fmt: skip
    lacking: list[str] = []
    if points.numbers and len(points.labels) >= FEWEST:
        _add(view, blocks, panels, sensitivity(points, name, effect, look))
    _design(view, blocks, panels, lacking, name, effect)
    _two(view, blocks, panels, points, name, effect)
    _backfire(view, blocks, panels, lacking, name, effect)
    _trade_off(view, blocks, panels, points, metrics, name, effect)
    _search(view, blocks, panels, lacking)
    if lacking:
        blocks.append(html.Section([html.H2(view.t("Not in this sweep")), plain_lines(lacking)]))

    def rows() -> Rows:
        return [
            {"label": label, **{key: texts[number] for key, texts in points.parameters.items()},
             **{metric: _plain(points.of(metric, effect)[number]) for metric in known}}
            for number, label in enumerate(points.labels)
        ]  # fmt: skip

    return Page(view.t("Explore a sweep"), blocks, rows, panels, "compare")


def _add(view: View, blocks: list[Component], panels: list[Panel], panel: Panel) -> None:
    panels.append(panel)
    blocks.append(figure_block(view, panel))


def _folder(view: View) -> Path:
    assert view.opened is not None
    return view.opened.folder


def _design(
    view: View, blocks: list[Component], panels: list[Panel], lacking: list[str], name: str, effect: bool
) -> None:
    """Sobol or Morris indices, where the sweep has such a design."""
    folder = _folder(view)
    if (read_design(folder)["kind"] if (folder / DESIGN).is_file() else "") not in ("morris", "sobol"):
        lacking.append(view.t(
            "Sobol or Morris indices: this sweep has no such design. An experiment file with `parameters` and "
            "`design: {{kind: sobol, points: 64}}` or `{{kind: morris, points: 10}}` makes one: `livecommerce sweep "
            "--experiment FILE --out DIR`; `livecommerce sensitivity DIR --metric {metric}` prints them.", metric=name,
        ))  # fmt: skip
        return
    try:
        _add(view, blocks, panels, design_panel(folder, name, effect, view.look))
    except UserError as error:
        lacking.append(view.t("Sobol or Morris indices: {problem}", problem=str(error)))


def _two(
    view: View, blocks: list[Component], panels: list[Panel], points: SweepPoints, name: str, effect: bool
) -> None:
    """A map over two parameters."""
    keys = list(points.parameters)
    if len(keys) < 2:
        return
    named = {key: key.removeprefix("interventions.") for key in keys}
    x, y = view.state.one_of("x", keys), view.state.one_of("y", keys, keys[1])
    blocks.append(html.Div([choice(view, "x", view.t("Across"), named, x),
                            choice(view, "y", view.t("Upwards"), named, y)], className="controls"))  # fmt: skip
    if x != y:
        _add(view, blocks, panels, heat(points, x, y, name, effect, view.look))


def _backfire(
    view: View, blocks: list[Component], panels: list[Panel], lacking: list[str], name: str, effect: bool
) -> None:
    """The box of settings with a bad outcome, by PRIM."""
    assert view.opened is not None
    asked = view.state.get("bad")
    try:
        bad, panel = box_panel(_folder(view), name, effect, view.look, asked, view.opened.stamp)
    except UserError as error:
        lacking.append(view.t("Where it goes wrong: {problem}", problem=str(error)))
        return
    names = {key: view.t(SHARE_NAMES[key]) for key in bad.options}
    blocks.append(html.Div(choice(view, "bad", view.t("Bad is"), names, bad.chosen), className="controls"))
    _add(view, blocks, panels, panel)
    blocks.append(html.P([html.Span(view.t("The same on the command line: ")), html.Code(
        f"livecommerce discover {shlex.quote(str(_folder(view)))} --metric {name} --bad {bad.side} "
        f"{bad.threshold:g} --of {of_words(effect)}",
    )], className="saving"))  # fmt: skip


def _trade_off(
    view: View, blocks: list[Component], panels: list[Panel], points: SweepPoints, metrics: dict[str, str], name: str,
    effect: bool,
) -> None:  # fmt: skip
    """Two metrics against each other."""
    known = list(metrics)
    other = view.state.one_of("against", known, PREFERRED[1] if PREFERRED[1] in known else known[-1])
    control = choice(view, "against", view.t("Against"), metrics, other, search=True)
    blocks.append(html.Div(control, className="controls"))
    _add(view, blocks, panels, pareto(points, name, other, effect, view.look))


def _search(view: View, blocks: list[Component], panels: list[Panel], lacking: list[str]) -> None:
    """The front of a search, where this folder is one."""
    try:
        found = read_search(_folder(view))
    except UserError as error:
        lacking.append(view.t("The front of a search: {problem}", problem=str(error)))
        return
    if found is None:
        lacking.append(view.t(
            "The front of a search: this sweep is none. `livecommerce search scenario=commission_cap --vary "
            "interventions.cap.share --objective merchant_profit_usd:more --objective government_revenue_usd:more "
            "--out DIR` makes one."
        ))  # fmt: skip
        return
    objectives = list(found["objectives"])
    x = view.state.one_of("sought", objectives)
    y = view.state.one_of("besides", objectives, objectives[min(1, len(objectives) - 1)])
    if len(objectives) > 2:
        labels = {key: metric_label(key, view.look) for key in objectives}
        chosen = [choice(view, "sought", view.t("Across"), labels, x),
                  choice(view, "besides", view.t("Upwards"), labels, y)]  # fmt: skip
        blocks.append(html.Div(chosen, className="controls"))
    _add(view, blocks, panels, search_panel(found, view.look, x, y))


def _plain(value: float) -> float | None:
    return float(value) if value == value else None
