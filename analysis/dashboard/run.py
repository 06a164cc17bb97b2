"""A page that asks for runs: a scenario, levers with their declared ranges and dates, a size; and the jobs at work."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from dash import dcc, html

from analysis.dashboard.jobs import Field, Jobs, lever_fields, problems, read_request, size_fields
from analysis.dashboard.page import Page
from analysis.dashboard.parts import View, choice, notice
from analysis.dashboard.state import State
from analysis.look import Look, percent, pretty
from analysis.wording import changes
from sim.config import list_scenarios, scenario_words
from sim.experiment import configure, levers

_STEPS: Final = 100
_WIDE: Final = 1e4  # ranges above this are typed, not slid
DATES: Final = {"strength": "Strength", "start": "First day", "end": "Ends before day"}
STATES: Final = {
    "starting": "starting", "running": "running", "done": "done", "failed": "failed", "cancelled": "cancelled",
    "stopped": "stopped before its end",
}  # fmt: skip


def render(view: View, jobs: Jobs) -> Page:
    """The page."""
    state, limits = view.state, jobs.limits
    request = read_request(state, limits)
    known = list_scenarios([])
    options = {name: view.t(pretty(name)) for name in known}
    sizes = {
        "consumers": view.t("Simulated consumers"), "days": view.t("Reported days"),
        "warmup_days": view.t("Days of warm-up"), "seeds": view.t("Seeds"),
    }  # fmt: skip
    records = {
        "daily": view.t("days: daily tables"),
        "full": view.t("everything: also orders and a sample of the network"),
    }
    question, lang = view.look.question(scenario_words(known[request.scenario], known)["question"])
    fields = [
        _number(field, label, "", field.read(state)) for label, field in
        zip(sizes.values(), size_fields(limits).values(), strict=True)
    ]  # fmt: skip
    told_changes = changes(request.overrides, view.look)
    told = problems(request)
    kinds = levers()
    current = ",".join(request.levers)
    more = {current: view.t("choose \u2026")} | {
        f"{current},{name}".lstrip(","): view.t(kind["title"])
        for name, kind in sorted(kinds.items(), key=lambda pair: view.t(pair[1]["title"]))
        if name not in request.levers
    }
    size = view.t(
        "{runs} runs, {days} simulated person-days; at most {consumers} consumers, {limit} days and {seeds} seeds "
        "may be "
        "asked for here.",
        runs=request.runs, days=view.look.money(request.consumer_days), consumers=f"{limits.consumers:,}",
        limit=limits.days, seeds=limits.seeds,
    )  # fmt: skip
    return Page(
        view.t("Run"),
        [
            html.Section([
                html.Div([
                    choice(view, "scenario_to_run", view.t("Scenario"), options, request.scenario),
                    choice(view, "levers", view.t("Add an intervention"), more, current, search=True)
                    if len(request.levers) < limits.levers else "",
                    choice(view, "record", view.t("What is recorded"), records, state.one_of("record", list(records))),
                ], className="controls"),
                html.P(question, lang=lang, className="reading"),
                html.P(told_changes, className="note") if told_changes else "",
            ]),
            *(_lever(view, kinds[name], request.days, request.levers) for name in request.levers),
            html.Section([html.H2(view.t("Size")), html.Div(fields, className="fields"),
                          html.P(size, className="note")]),
            notice([html.Strong(view.t("This cannot be run: ")), told], "fault") if told else "",
            html.Div(
                html.Button(view.t("Start"), id="start", type="button", className="action main", disabled=bool(told)),
                className="actions",
            ),
            html.Section([html.H2(view.t("Jobs")), html.Div(job_list(state, jobs), id="jobs",
                **{"aria-live": "polite"})]),
            dcc.Interval(id="watch", interval=1000),
        ],
        command="sweep " + " ".join(request.overrides),
    )  # fmt: skip


def _lever(view: View, kind: dict[str, Any], days: int, chosen: tuple[str, ...]) -> html.Section:
    first = configure().start_date
    fields = []
    for key, field in lever_fields(kind, days).items():
        value = field.read(view.state)
        if key in kind["parameters"]:
            about = kind["parameters"][key]
            label, note = pretty(key), f"{about['range']}. {about['meaning']}"
        else:
            label = view.t(DATES[key])
            note = _day(first, int(value)) if key != "strength" else percent(value)
        fields.append(_number(field, label, note, value))
    rest = ",".join(name for name in chosen if name != kind["name"])
    gone = {name: None for name in view.state.choices if name.startswith(f"{kind['name']}-")}
    return html.Section(
        [
            html.H3([view.t(kind["title"]), " ", html.Code(kind["name"])]),
            html.P(kind["mechanism"], lang="en", className="note"),
            html.Div(fields, className="fields"),
            html.P(dcc.Link(view.t("Remove"), href=view.state.link(levers=rest, **gone))),
        ],
        className="lever",
    )


def _day(first: date, offset: int) -> str:
    return (first + timedelta(days=offset)).isoformat()


def _number(field: Field, label: str, note: str, value: float) -> html.Div:
    """A slider over a declared range, or a box to type in where the range is wide."""
    key = {"set": field.name}
    wide = field.high - field.low > _WIDE
    shown: float = int(value) if field.integer else value
    if wide:
        control: Any = dcc.Input(id=key, type="number", min=field.low, max=field.high, step="any", value=shown,
                                 debounce=True)  # fmt: skip
    else:
        step = 1 if field.integer else (field.high - field.low) / _STEPS
        control = dcc.Slider(
            field.low, field.high, step, id=key, value=shown, marks=None, updatemode="mouseup",
        )  # fmt: skip
    return html.Div([html.Label(label, htmlFor=f'{{"set":"{field.name}"}}'), control, html.Small(note, lang="en")],
                    className="field", role="group", **{"aria-label": label})  # fmt: skip


def job_list(state: State, jobs: Jobs) -> list[Any]:
    """Each job with its state, progress and what can be done about it, as its file says."""
    look = state.look
    found = [_job(state, look, job) for job in jobs.all()]
    return found or [html.P(look.t("Nothing was started from this page yet."), className="note")]


def _job(state: State, look: Look, job: dict[str, Any]) -> html.Div:
    name, now = job["name"], job["state"]
    days, done = int(job.get("days") or 0), int(job.get("days_done") or 0)
    share = done / days if days else 0.0
    told = [html.Strong(name), " \u2013 ", html.Span(look.t(STATES.get(now, now)), className="state")]
    if now == "running" and days:
        left = job.get("seconds_left")
        told.append(look.t(", {ended} of {runs} runs", ended=job.get("ended", 0), runs=job.get("runs", 0)))
        if left is not None:
            told.append(look.t(", about {seconds} s left", seconds=f"{float(left):,.0f}"))
    buttons: list[Any] = []
    if now in ("starting", "running"):
        buttons.append(_button(look.t("Cancel"), name, "cancel"))
    if now in ("failed", "cancelled", "stopped"):
        buttons.append(_button(look.t("Go on"), name, "again"))
    if now == "done":
        target = state.elsewhere("compare").link(study=name)
        buttons.append(dcc.Link(look.t("See the comparison"), href=target))
    parts: list[Any] = [html.P(told)]
    if now in ("starting", "running"):
        bar = html.Progress(
            value=str(round(100 * share, 1)), max="100", **{"aria-label": look.t("Progress of {name}", name=name)}
        )
        parts.append(bar)
    if job.get("error"):
        parts.append(notice(str(job["error"]), "fault"))
    return html.Div([*parts, html.Div(buttons, className="actions")], className="job", id=f"job-{name}")


def _button(label: str, name: str, act: str) -> html.Button:
    return html.Button(
        label, id={"job": name, "do": act}, type="button", className="action", **{"aria-label": f"{label}: {name}"}
    )
