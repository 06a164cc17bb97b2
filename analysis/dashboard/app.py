"""The Dash application: one page a request, the address its only memory.

`make_app` builds it, `serve` listens. Pages are rendered by functions of a `View`; nothing is computed here that takes
longer than reading what is there. Everything the browser needs comes from this process.
"""

from __future__ import annotations

import contextlib
import hmac
import io
import logging
import secrets
import shlex
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import flask
import plotly.io as pio
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
from dash import ALL, ClientsideFunction, Dash, Input, Output, ctx, dcc, html, no_update
from dash import State as Held
from plotly import __version__ as plotly_version
from plotly.offline import get_plotlyjs

from analysis.dashboard import effects, explore, gains, logistics, model, network, overview, run
from analysis.dashboard import jobs as jobs_of
from analysis.dashboard.jobs import Jobs
from analysis.dashboard.library import HERE, MANY, MOST_SHOWN, Library, Opened
from analysis.dashboard.page import Page, Rows
from analysis.dashboard.parts import View, choice, notice
from analysis.dashboard.state import PAGES, State, read
from analysis.figures import plot_config
from analysis.look import Look
from sim.errors import UserError

TITLE: Final = "Live commerce laboratory"
_RENDER: Final[dict[str, Callable[[View], Page]]] = {
    "overview": overview.render,
    "compare": effects.render,
    "gains": gains.render,
    "logistics": logistics.render,
    "network": network.render,
    "explore": explore.render,
}
_NAMES: Final = {
    "overview": "Overview", "compare": "Compare", "gains": "Who gains, who pays", "logistics": "Logistics",
    "network": "Network", "explore": "Explore a sweep", "run": "Run", "model": "Model and evidence",
}  # fmt: skip
TICK_MS: Final = 1_000
COOKIE: Final = "livecommerce"
_POLICY: Final = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; worker-src 'self' blob:; connect-src 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'none'"
)


def render(state: State, library: Library, jobs: Jobs | None = None) -> Page:
    """A page as a function of the address and of what is on disk; what goes wrong becomes its text."""
    look = state.look
    if not state.page:
        return Page(look.t("No such page"), [notice(look.t("There is no such page."), "fault")])
    try:
        if state.page == "run":
            page = run.render(View(state, library), jobs or Jobs(library.root))
            verb, *words = page.command.split(" ")
            command = shlex.join(["livecommerce", verb, *words, "--out", str(library.root / "NAME")])
            return replace(page, command=command)
        if state.page == "model":
            return model.render(View(state, library))
        return _over_runs(state, library)
    except UserError as error:
        told = look.t("These runs cannot be shown: {problem}", problem=str(error))
        return Page(look.t(_NAMES[state.page]), [notice(told, "fault")])


def _over_runs(state: State, library: Library) -> Page:
    look = state.look
    heading = look.t(_NAMES[state.page])
    studies = library.studies()
    if not studies:
        text = look.t("There is no finished run in this folder yet. Start one on the page \u201cRun\u201d, or with "
                      "`livecommerce sweep ... --out DIR`.")  # fmt: skip
        return Page(heading, [notice(text)])
    name = state.get("study", next(iter(studies)))
    opened = library.open(name)
    if opened is None:
        return Page(heading, [notice(look.t("Reading the runs of {study} \u2026", study=name))], tick="page")
    labels = opened.labels
    chosen = state.get("scenario")
    if chosen and chosen not in labels:
        told = look.t("There is no scenario '{name}' in this study.", name=chosen)
        return Page(heading, [notice(told, "fault")])
    base = labels[chosen] if chosen else opened.bases[0]
    group = [label for label, against in labels.items() if against == base]
    chosen = chosen or (group[0] if group else "")
    most = MOST_SHOWN if len(group) <= MANY else 1
    shown = tuple(dict.fromkeys([chosen, *group]))[:most] if not state.get("scenario") else (chosen,)
    with opened.lock:
        return opened.page(
            (state.page, state.search(), tuple(studies)),
            lambda: _over_study(state, library, opened, base, shown, chosen, studies, most),
        )


def _over_study(
    state: State, library: Library, opened: Opened, base: str, shown: tuple[str, ...], chosen: str,
    studies: dict[str, Path], most: int,
) -> Page:  # fmt: skip
    """A page over the runs of a base and some scenarios."""
    look, labels = state.look, opened.labels
    group = [label for label, against in labels.items() if against == base]
    study = opened.study(base, tuple(name for name in shown if name))
    page = _RENDER[state.page](View(state, library, opened, base, shown, chosen, study))
    notes = []
    if opened.waiting or opened.failed:
        notes.append(notice(look.t(
            "This study is not complete: {waiting} runs are waiting or under way, {failed} failed; shown is what all "
            "scenarios have finished, {seeds} seeds.", waiting=opened.waiting, failed=opened.failed,
            seeds=len(study.seeds),
        )))  # fmt: skip
    selects = []
    if labels and state.page != "explore":
        options = {label: look.scenario(label) for label in labels}
        several = state.page != "compare"  # which shows one, whether or not it was chosen
        if several:
            options = {"": look.t("the first {many}", many=min(len(group), most)), **options}
        asked = state.get("scenario") if several else chosen
        selects.append(choice(View(state, library), "scenario", look.t("Scenario"), options, asked))
    if len(studies) > 1:
        names = {key: look.t("this folder") if key == HERE else key for key in studies}
        selects.insert(0, choice(View(state, library), "study", look.t("Study"), names, opened.name))
    if selects:
        notes.insert(0, html.Div(selects, className="controls"))
    command = command_line(library, opened.folder, page.command, base, state)
    rows = page.rows

    def locked() -> Rows:
        with opened.lock:  # one reader at a time asks the tables
            return rows() if callable(rows) else rows

    return replace(page, children=[*notes, *page.children], rows=locked if callable(rows) else rows, command=command)


def command_line(library: Library, folder: Path, command: str, base: str, state: State) -> str:
    """The command that prints what a page shows."""
    if not command:
        return ""
    verb, *more = command.split()
    words = ["livecommerce", verb, str(folder), *more]
    if verb == "compare" and base != "baseline":
        words += ["--base", base]
    return shlex.join(words)


def _shown(page: Page) -> dict[str, Any]:
    """The choices a page shows, so that the browser can tell a reader's choice from a rendered one."""
    found = {}
    for part in html.Div(page.children)._traverse():
        name = getattr(part, "id", None)
        if isinstance(name, dict) and "set" in name:
            found[str(name["set"])] = part.value
    return found


# ---- the frame ---------------------------------------------------------------------------------------------------


def _header(state: State, look: Look) -> list[Any]:
    kept = {name: None for name in state.choices if name not in ("study", "scenario", "lang", "theme")}
    nav = [
        dcc.Link(
            look.t(_NAMES[page]), href=state.link(page, **kept), className="current" if page == state.page else "",
        )
        for page in PAGES
    ]  # fmt: skip
    other = "zh" if look.lang == "en" else "en"
    return [
        html.P(look.t(TITLE), className="brand"),
        html.Nav(nav, **{"aria-label": look.t("Pages")}),
        html.Div(
            [
                dcc.Link("\u4e2d\u6587" if other == "zh" else "English", id="language",
                         href=state.link(lang=None if other == "en" else other)),
                dcc.Link(look.t("Light") if look.dark else look.t("Dark"), id="theme",
                         href=state.link(theme=None if look.dark else "dark")),
            ],
            className="switches",
        ),
    ]  # fmt: skip


def _footer(state: State, page: Page, look: Look) -> list[Any]:
    links = []
    if page.rows:
        links = [
            html.A(kind.upper(), href=f"/download{state.search(format=kind, page=state.page)}", className="save",
                   download=f"{state.page}.{kind}")
            for kind in ("csv", "parquet")
        ]  # fmt: skip
    parts: list[Any] = []
    if links:
        parts.append(html.P([html.Span(look.t("Save data: ")), *links], className="saving"))
    if page.command:
        parts.append(html.P([html.Span(look.t("The same on the command line: ")), html.Code(page.command)]))
    return parts


def make_app(library: Library, token: str = "", hosts: frozenset[str] = frozenset(), jobs: Jobs | None = None) -> Dash:
    """The application over a results folder.

    Args:
        token: what a browser must show once, as `?token=`; nothing is asked where it is empty.
        hosts: names by which a browser may call this server; anyone where it is empty.
        jobs: what may be started; the usual limits where it is left out.
    """
    at_work = jobs or Jobs(library.root)
    pio.templates.default = None  # every figure brings its own; checking Plotly's first costs a third of building one
    server = flask.Flask("livecommerce")
    server.config["MAX_CONTENT_LENGTH"] = 1_000_000
    app = Dash(
        "livecommerce", server=server, assets_folder=str(Path(__file__).parent / "assets"), title=TITLE,
        serve_locally=True, suppress_callback_exceptions=True, update_title="",
        meta_tags=[{"name": "viewport", "content": "width=device-width, initial-scale=1"}],
    )  # fmt: skip
    app.index_string = _INDEX
    app.layout = html.Div([
        dcc.Location(id="url", refresh=False),
        dcc.Store(id="state"),
        dcc.Store(id="mine"),
        dcc.Store(id="figures"),
        dcc.Store(id="drawn"),
        dcc.Interval(id="tick", interval=TICK_MS, disabled=True),
        html.A("Skip to content / \u8df3\u5230\u6b63\u6587", href="#main", className="skip"),
        html.Header(id="header"),
        html.Main([html.H1(id="heading"), html.Div(id="page")], id="main", tabIndex="-1"),
        html.Footer(id="footer"),
    ])  # fmt: skip
    _guard(server, token, hosts)
    _downloads(server, library)
    _plotly(server)

    @app.callback(  # type: ignore[untyped-decorator]
        Output("header", "children"), Output("heading", "children"), Output("page", "children"),
        Output("footer", "children"), Output("state", "data"), Output("tick", "disabled"), Output("figures", "data"),
        Input("url", "pathname"), Input("url", "search"), Input("tick", "n_intervals"), Held("state", "data"),
    )  # fmt: skip
    def show(path: str | None, search: str | None, ticks: int | None, held: dict[str, Any] | None) -> Any:
        state = read(path, search)
        now = {"page": state.page, "search": search or ""}
        ticked = held is not None and all(held.get(name) == value for name, value in now.items())
        if ticked and held and held.get("tick") != "page":
            return (no_update,) * 7
        look = state.look
        page = render(state, library, at_work)
        held = {**now, "path": path, "tick": page.tick, "lang": look.lang, "dark": look.dark, "title": look.t(TITLE),
                "heading": page.title, "shown": _shown(page)}  # fmt: skip
        return (
            _header(state, look), page.title, page.children, _footer(state, page, look), held, not page.tick,
            {"figures": page.drawings, "config": plot_config(look)},
        )  # fmt: skip

    @app.callback(  # type: ignore[untyped-decorator]
        Output("jobs", "children"), Output("mine", "data"), Output("url", "pathname", allow_duplicate=True),
        Output("url", "search", allow_duplicate=True),
        Input("watch", "n_intervals"), Input("start", "n_clicks"), Input({"job": ALL, "do": ALL}, "n_clicks"),
        Held("url", "pathname"), Held("url", "search"), Held("mine", "data"), prevent_initial_call=True,
    )  # fmt: skip
    def work(
        ticks: int | None, clicks: int | None, others: list[int | None], path: str | None, search: str | None,
        mine: str | None,
    ) -> Any:  # fmt: skip
        state = read(path, search)
        pressed = ctx.triggered_id
        fault = ""
        try:
            if pressed == "start" and clicks:
                mine = at_work.start(jobs_of.read_request(state, at_work.limits))
            elif isinstance(pressed, dict) and ctx.triggered[0]["value"]:
                name = str(pressed.get("job"))
                if pressed.get("do") == "cancel":
                    at_work.cancel(name)
                else:
                    at_work.again(name)
                    mine = name
        except UserError as error:
            fault = str(error)
        target: Any = (no_update, no_update)  # a whole `href` would change the address and leave the page as it is
        if mine and any(job["name"] == mine and job["state"] == "done" for job in at_work.all()):
            library.forget()
            there = state.elsewhere("compare")
            target, mine = (f"/{there.page}", there.search(study=mine)), None
        shown = run.job_list(state, at_work)
        if fault:
            shown.insert(0, notice(fault, "fault"))
        return shown, mine, *target

    app.clientside_callback(
        ClientsideFunction("dashboard", "choose"),
        Output("url", "search"),
        Input({"set": ALL}, "value"),
        Held({"set": ALL}, "id"),
        Held("url", "search"),
        Held("state", "data"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("dashboard", "dress"), Output("main", "className"), Input("state", "data")
    )
    app.clientside_callback(
        ClientsideFunction("dashboard", "draw"), Output("drawn", "data"), Input("figures", "data"),
        Held("state", "data"),
    )  # fmt: skip
    return app


_INDEX: Final = """<!DOCTYPE html>
<html lang="en">
<head>
{%metas%}
<title>{%title%}</title>
<link rel="icon" href="data:,">
{%css%}
</head>
<body>
{%app_entry%}
<footer class="scripts">
{%config%}
{%scripts%}
{%renderer%}
</footer>
</body>
</html>
"""


def _plotly(server: flask.Flask) -> None:
    """plotly.js as the Python package carries it; the page asks for it when its text is shown."""

    @server.get("/plotly.min.js")
    def script() -> flask.Response:
        answer = flask.Response(get_plotlyjs(), mimetype="text/javascript")
        answer.set_etag(plotly_version)
        answer.headers["Cache-Control"] = "max-age=86400"
        answer.make_conditional(flask.request)
        return answer


def _guard(server: flask.Flask, token: str, hosts: frozenset[str]) -> None:
    """Refuse foreign names, foreign origins and, where one is set, whoever lacks the token; forbid foreign content."""
    session = secrets.token_urlsafe(24)

    @server.before_request
    def check() -> Any:
        request = flask.request
        name = request.host.rpartition(":")[0] if ":" in request.host.rpartition("]")[2] else request.host
        if hosts and name not in hosts:
            return flask.Response("this server does not answer to that name\n", 403)
        origin = request.headers.get("Origin")
        if origin is not None and origin.partition("://")[2] != request.host:
            return flask.Response("requests from other sites are refused\n", 403)
        if not token or hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), session.encode()):
            return None
        if hmac.compare_digest(request.args.get("token", "").encode(), token.encode()):
            answer = flask.redirect(request.path)
            answer.set_cookie(COOKIE, session, httponly=True, samesite="Strict")
            return answer
        return flask.Response("a token is needed: open the address that the server printed\n", 401)

    @server.after_request
    def protect(answer: flask.Response) -> flask.Response:
        answer.headers["Content-Security-Policy"] = _POLICY
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Referrer-Policy"] = "same-origin"
        return answer


def _downloads(server: flask.Flask, library: Library) -> None:
    @server.get("/download")
    def download() -> flask.Response:
        asked = flask.request
        state = read(asked.args.get("page", ""), asked.query_string.decode("utf-8", "replace"))
        kind = state.get("format")
        page = render(state, library)
        if kind == "html":
            panel = next((one for one in page.panels if one.name == state.get("figure")), None)
            if panel is None:
                return flask.Response("there is no such figure\n", 404)
            page_of = panel.figure.to_html(include_plotlyjs=True, config=plot_config(state.look))
            return flask.Response(page_of, mimetype="text/html")
        rows = page.data() if kind in ("csv", "parquet") else []
        if not rows:
            return flask.Response("there is no such data\n", 404)
        table = pa.Table.from_pylist(rows)
        sink = io.BytesIO()
        if kind == "csv":
            pacsv.write_csv(table, sink)
        else:
            pq.write_table(table, sink, compression="zstd")
        return flask.Response(sink.getvalue(), mimetype="text/csv" if kind == "csv" else "application/octet-stream")


def serve(root: Path, host: str, port: int, token: str, say: Callable[[str], None]) -> None:
    """Read the first study, then answer until interrupted.

    Raises:
        UserError: the folder or the address cannot be used.
    """
    from werkzeug.serving import make_server

    library = Library(root)
    with contextlib.suppress(UserError):  # the page says what is wrong
        for name in list(library.studies())[:1]:
            library.open(name, wait=True)
    threading.Thread(target=warm, args=(library,), daemon=True).start()
    loopback = host in ("127.0.0.1", "localhost", "::1")
    names = frozenset({"127.0.0.1", "localhost", "[::1]"}) if loopback else frozenset[str]()
    app = make_app(library, token, names)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    try:
        server = make_server(host, port, app.server, threaded=True)
    except (OSError, SystemExit) as error:
        raise UserError(f"--port {port}: cannot listen on {host} ({error}); choose another with --port") from None
    shown = f"http://{'localhost' if loopback else host}:{server.server_port}/" + (f"?token={token}" if token else "")
    say(f"dashboard of {library.root}: {shown}  (Ctrl-C ends it)")
    if not loopback and not token:
        say("note: other machines can reach this address; --token TEXT asks them for a word")
    try:
        server.serve_forever()
    finally:
        server.server_close()


def warm(library: Library | None = None) -> None:
    """Import and read what pages need, and render those of the first study, so that their first visitor does not wait.

    What only sweeps over numbers need is imported last: it takes seconds.
    """
    import scipy.stats  # noqa: F401

    model.parameters()
    if library is None:
        return
    names = list(library.studies())[:1]
    with contextlib.suppress(UserError):
        for page in _RENDER:
            render(State(page), library).draw()
        opened = library.open(names[0]) if names else None
        if opened is not None and opened.points is not None and opened.points.numbers:
            explore.load()
