"""The figures of a comparison, each with its title and the one sentence it should leave behind.

Bars start at zero; every mean over seeds carries its 95 % interval; what has no value is left out. Colours, language
and the template come from `analysis.look`; money is in `analysis.figures_money`, goods in `analysis.figures_goods`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots
from scipy.special import stdtrit

from analysis.comparison import Study, compare
from analysis.inference import CONFIDENCE, Estimate, estimate
from analysis.look import COUNTRY_NAMES, ENGLISH, Look, fade, pretty
from analysis.metrics import METRICS
from analysis.wording import count_words, doubtful, in_percent, scant, survives, unit_of, verdict, written
from sim.kinds import COUNTRIES, REGION_OF_COUNTRY, SHELF

_PER_VISITS: Final = 1_000
_SMOOTH_DAYS: Final = 7
SYMBOLS: Final = ("circle", "diamond", "square", "triangle-up", "cross", "star")
_VERDICT_SYMBOLS: Final = {"good": "triangle-up", "bad": "triangle-down", "moved": "diamond", "calm": "circle-open"}


@dataclass(frozen=True, slots=True)
class Panel:
    """A figure for a page.

    Attributes:
        name: stable id. title: heading. reading: one sentence with the figure's numbers. note: how to read it.
    """

    name: str
    title: str
    reading: str
    note: str
    figure: go.Figure


_CHINESE_PLOTLY: Final = {
    "dictionary": {
        "Zoom": "\u7f29\u653e", "Pan": "\u5e73\u79fb", "Zoom in": "\u653e\u5927", "Zoom out": "\u7f29\u5c0f",
        "Reset axes": "\u91cd\u7f6e\u5750\u6807\u8f74", "Autoscale": "\u81ea\u52a8\u7f29\u653e",
        "Double-click to zoom back out": "\u53cc\u51fb\u6062\u590d",
        "Double-click on legend to isolate one trace": "\u53cc\u51fb\u56fe\u4f8b\u53ea\u770b\u4e00\u7ec4",
    },
    "format": {
        "shortMonths": [f"{month}\u6708" for month in range(1, 13)],
        "months": [f"{month}\u6708" for month in range(1, 13)],
        "year": "%Y\u5e74", "month": "%Y\u5e74%-m\u6708", "dayMonth": "%-m\u6708%-d\u65e5",
        "dayMonthYear": "%Y\u5e74%-m\u6708%-d\u65e5", "date": "%Y-%m-%d",
    },
}  # fmt: skip


def plot_config(look: Look = ENGLISH) -> dict[str, Any]:
    """plotly.js's configuration for a reader: nothing leaves the page, dates are in the reader's language."""
    config: dict[str, Any] = {
        "responsive": True, "displaylogo": False,
        "modeBarButtonsToRemove": ["lasso2d", "select2d", "autoScale2d", "toImage"],
    }  # fmt: skip
    if look.lang == "zh":
        config |= {"locale": "zh-CN", "locales": {"zh-CN": _CHINESE_PLOTLY}}
    return config


def wide(figure: go.Figure) -> bool:
    """Whether a figure needs more room than a phone has: panels side by side, or words beside its marks."""
    domain = figure.layout.xaxis.domain
    return bool(domain and domain[1] < 0.95) or any(
        trace.type == "sankey" or (trace.type == "bar" and trace.textposition == "outside") for trace in figure.data
    )


def colours(study: Study, look: Look = ENGLISH) -> dict[str, str]:
    """Colour of each scenario."""
    others = {name: look.series[number % len(look.series)] for number, name in enumerate(study.scenarios[1:])}
    return {study.base: look.shade("base"), **others}


def estimates(study: Study, values: Sequence[float | None]) -> dict[str, Estimate]:
    """Mean and interval by scenario of one number per run; scenarios without any value are left out."""
    result = {}
    for scenario in study.scenarios:
        found = [values[study.position[scenario, seed]] for seed in study.seeds]
        known = np.array([value for value in found if value is not None], dtype=np.float64)
        if known.size:
            result[scenario] = estimate(known)
    return result


def error_bars(reaches: Iterable[float], look: Look) -> dict[str, Any]:
    """Error bars of a trace from half widths; 0 where one seed gives no interval."""
    return {"type": "data", "array": list(reaches), "thickness": 1.3, "width": 4, "color": look.shade("error")}


def reach(entry: Mapping[str, Any]) -> float:
    """Half width of an entry's interval."""
    return 0.0 if entry["low"] is None else float(entry["high"] - entry["difference"])


def first_day(study: Study) -> date:
    """The first reported day."""
    return date.fromisoformat(str(study.runs[0].facts["start_date"]))


# --- funnel -----------------------------------------------------------------------------------------------------------
def funnel(study: Study, look: Look = ENGLISH) -> Panel:
    """From a visit to a product kept, in two panels of their own scale."""
    names = (
        "room_visits", "intents", "orders", "orders_m3", "orders_m60", "payment_authorised_m3", "delivered_m60",
        "returned_m60",
    )  # fmt: skip
    sums = ", ".join(f"SUM({name}) AS {name}" for name in names)
    rows: dict[int, dict[str, Any]] = {
        row["run"]: row
        for row in study.store.query(f"SELECT run, {sums} FROM totals WHERE channel < {SHELF} GROUP BY run", ["totals"])
    }

    def stage(top: Callable[[dict[str, Any]], int], bottom: str, factor: int) -> dict[str, Estimate]:
        return estimates(
            study,
            [
                factor * top(row) / row[bottom] if row and row[bottom] else None
                for row in (rows.get(number) for number in range(len(study.runs)))
            ],
        )

    left = {
        look.t("decide to buy"): stage(lambda row: row["intents"], "room_visits", _PER_VISITS),
        look.t("place an order"): stage(lambda row: row["orders"], "room_visits", _PER_VISITS),
    }
    right = {
        look.t("paid"): stage(lambda row: row["payment_authorised_m3"], "orders_m3", 100),
        look.t("delivered"): stage(lambda row: row["delivered_m60"], "orders_m60", 100),
        look.t("kept"): stage(lambda row: row["delivered_m60"] - row["returned_m60"], "orders_m60", 100),
    }
    figure = make_subplots(
        cols=2, column_widths=[0.42, 0.58], horizontal_spacing=0.16,
        subplot_titles=(look.t("Of 1,000 visits to a live room"), look.t("Of 100 live orders")),
    )  # fmt: skip
    for column, stages in ((1, left), (2, right)):
        for scenario in study.scenarios:
            known = [(label, found[scenario]) for label, found in stages.items() if scenario in found]
            figure.add_bar(
                x=[found.mean for _, found in known], y=[label for label, _ in known], orientation="h",
                error_x=error_bars(
                    (0.0 if found.high is None else found.high - found.mean for _, found in known), look),
                name=look.legend(scenario), legendgroup=scenario, showlegend=column == 1,
                marker={"color": colours(study, look)[scenario]},
                hovertemplate="%{y}: %{x:.2f}<extra>" + look.legend(scenario) + "</extra>", row=1, col=column,
            )  # fmt: skip
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(title_text=look.t("per 1,000 room visits"), rangemode="tozero", row=1, col=1)
    figure.update_xaxes(title_text=look.t("per 100 orders"), range=[0, 104], row=1, col=2)
    figure.update_layout(template=look.template, height=360, barmode="group", margin={"t": 86}, legend={"y": 1.14})
    placed = list(left.values())[1].get(study.base)
    paid, delivered, kept = (found.get(study.base) for found in right.values())
    reading = look.t("No visits were recorded.")
    if placed:
        reading = look.t(
            "In the {base}, {orders:.1f} of 1,000 room visits end in an order", base=look.inside(study.base),
            orders=placed.mean,
        )  # fmt: skip
        if paid and delivered and kept:
            reading += look.t(
                "; of 100 orders, {paid:.0f} are paid, {delivered:.0f} delivered and {kept:.0f} kept",
                paid=paid.mean, delivered=delivered.mean, kept=kept.mean,
            )  # fmt: skip
        reading += look.t(".")
    return Panel(
        "funnel", look.t("From a visit to a product kept"), reading,
        look.t("Means over seeds with 95 % intervals. Delivered and kept count orders placed 60 days or more before "
               "the "
               "end."),
        figure,
    )  # fmt: skip


# --- effects ----------------------------------------------------------------------------------------------------------
EFFECTS: Final = (
    "gmv_usd", "orders", "conversion", "aov_usd", "delivery_days_p50", "late_share", "return_rate",
    "consumer_surplus_realised_usd", "merchant_profit_usd", "platform_profit_usd", "streamer_income_usd",
    "mcn_profit_usd", "government_revenue_usd", "co2_kg",
)  # fmt: skip
_EFFECT_ROWS: Final = {name: number for number, name in enumerate(EFFECTS)}


def effects(study: Study, look: Look = ENGLISH) -> Panel:
    """Relative change of the main metrics, with intervals: one glance at everything."""
    together = compare(study)
    entries = [entry for entry in together if entry["metric"] in EFFECTS and entry["relative"] is not None]
    figure = go.Figure()
    for number, scenario in enumerate(study.scenarios[1:]):
        own = [entry for entry in entries if entry["scenario"] == scenario]
        _dots(figure, study, look, number, own, [_EFFECT_ROWS[entry["metric"]] for entry in own],
              [look.metric(entry["metric"]) for entry in own])  # fmt: skip
    figure.add_vline(x=0, line={"color": look.shade("ink"), "width": 1})
    figure.update_xaxes(title_text=look.t("change against {base}, %", base=look.inside(study.base)), ticksuffix=" %")
    figure.update_yaxes(
        tickvals=list(_EFFECT_ROWS.values()), ticktext=[look.metric(name) for name in EFFECTS],
        range=[len(EFFECTS) - 0.4, -0.6],
    )  # fmt: skip
    figure.update_layout(template=look.template, height=130 + 30 * len(EFFECTS))
    return Panel(
        "effects", look.t("What changes, at a glance"),
        count_words(entries, together, look), _paired_words(entries, look),
        figure,
    )  # fmt: skip


def _paired_words(entries: Sequence[Mapping[str, Any]], look: Look) -> str:
    """What the dots and bars are, and which of them say little."""
    text = look.t("Change relative to the base, paired by seed; bars are 95 % intervals. With many metrics, one in "
                  "twenty leaves out zero by chance.")  # fmt: skip
    few = list(dict.fromkeys(look.metric(entry["metric"]) for entry in entries if scant(entry)))
    return text + (" " + look.t("Not counted, as most orders were too young: {names}.", names=look.t(", ").join(few))
                   if few else "")  # fmt: skip


def _dots(
    figure: go.Figure, study: Study, look: Look, number: int, own: Sequence[Mapping[str, Any]], rows: Sequence[float],
    names: Sequence[str],
) -> None:  # fmt: skip
    """Relative changes of one scenario as dots with intervals, beside those of the others."""
    scenario = study.scenarios[1 + number]
    tint = colours(study, look)[scenario]
    figure.add_scatter(
        x=[100 * entry["relative"] for entry in own],
        y=[row + (number - (len(study.scenarios) - 2) / 2) * 0.26 for row in rows],
        mode="markers", name=look.legend(scenario),
        marker={"color": tint, "size": 10, "symbol": SYMBOLS[number % len(SYMBOLS)]},
        error_x={"type": "data", "thickness": 1.8, "width": 0, "color": tint,
                 "array": [100 * reach(entry) / abs(entry["base_value"]) for entry in own]},
        customdata=list(names), hovertemplate="%{customdata}: %{x:+.2f} "
                                              "%<extra>" + look.legend(scenario) + "</extra>",
    )  # fmt: skip


def forest(entries: Sequence[Mapping[str, Any]], look: Look = ENGLISH, by: str = "") -> Panel:
    """Effects of one scenario, sorted and coloured by which way is better.

    Args:
        entries: of `compare`, of one scenario: all metrics (`by` empty), or one metric by one dimension.
    """
    shown = [entry for entry in entries if entry["difference"] is not None]
    relative = not by or any(in_percent(entry) for entry in shown)
    if relative:
        shown = [entry for entry in shown if entry["relative"] is not None]

    def scaled(entry: Mapping[str, Any], value: float) -> float:
        value = float(value)
        if relative:
            return 100 * value / abs(float(entry["base_value"]))
        return 100 * value if METRICS[entry["metric"]].unit == "share" else value

    shown.sort(key=lambda entry: scaled(entry, entry["difference"]))
    labels = [
        (look.key(by, entry[by]) if by else look.metric(entry["metric"])) + (" ?" if doubtful(entry) else "")
        for entry in shown
    ]
    tints = {"good": look.shade("good"), "bad": look.shade("bad"), "moved": look.shade("moved"),
             "calm": look.shade("quiet")}  # fmt: skip
    meanings = {"good": look.t("better"), "bad": look.t("worse"), "moved": look.t("changed"),
                "calm": look.t("not told from zero")}  # fmt: skip
    figure = go.Figure()
    for kind, meaning in meanings.items():
        own = [number for number, entry in enumerate(shown) if verdict(entry) == kind]
        figure.add_scatter(
            x=[scaled(shown[number], shown[number]["difference"]) for number in own], y=own, mode="markers",
            name=meaning, showlegend=True, visible=True if own else "legendonly",
            marker={"color": tints[kind], "size": 11, "symbol": _VERDICT_SYMBOLS[kind], "line": {"width": 1.6}},
            error_x={"type": "data", "thickness": 1.8, "width": 0, "color": tints[kind],
                     "array": [scaled(shown[number], reach(shown[number])) for number in own]},
            customdata=[[labels[number], written(shown[number]["metric"], shown[number]["difference"], True, look)]
                        for number in own],
            hovertemplate="%{customdata[0]}: %{customdata[1]}<br>%{x:+.2f}<extra>" + meaning + "</extra>",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": look.shade("ink"), "width": 1})
    base = look.inside(str(shown[0]["base"])) if shown else ""
    unit = "%" if relative else look.t("pp") if shown and METRICS[shown[0]["metric"]].unit == "share" else (
        unit_of(shown[0]["metric"], look) if shown else "")  # fmt: skip
    figure.update_xaxes(title_text=look.t("change against {base}", base=base) + (f", {unit}" if unit else ""))
    figure.update_yaxes(
        tickvals=list(range(len(shown))), ticktext=labels, range=[-0.7, len(shown) - 0.3],
    )  # fmt: skip
    figure.update_layout(template=look.template, height=145 + 23 * max(len(shown), 4), margin={"t": 62})
    return Panel(
        "forest", look.t("Paired effects"),
        count_words(shown, entries, look), _paired_words(shown, look),
        figure,
    )  # fmt: skip


def places(study: Study, name: str = "gmv_usd", look: Look = ENGLISH) -> Panel:
    """Relative change of one metric by country, with intervals."""
    entries = [entry for entry in compare(study, ["country"], names=[name]) if entry["relative"] is not None]
    figure = go.Figure()
    rows = {country: number + 0.6 * REGION_OF_COUNTRY[number] for number, country in enumerate(COUNTRIES)}
    clear = []
    for number, scenario in enumerate(study.scenarios[1:]):
        own = [entry for entry in entries if entry["scenario"] == scenario]
        named = [look.key("country", entry["country"]) for entry in own if survives(entry)]
        clear.append(f"{look.scenario(scenario)}: {_listed(named, look)}")
        _dots(figure, study, look, number, own, [rows[entry["country"]] for entry in own],
              [look.key("country", entry["country"]) for entry in own])  # fmt: skip
    figure.add_vline(x=0, line={"color": look.shade("ink"), "width": 1})
    label = look.metric(name)
    figure.update_xaxes(
        title_text=look.t("change of {metric} against {base}, %", metric=look.lower(label),
                          base=look.inside(study.base)),
        ticksuffix=" %",
    )  # fmt: skip
    figure.update_yaxes(
        tickvals=list(rows.values()), ticktext=[look.t(COUNTRY_NAMES[country]) for country in rows], showgrid=False,
        range=[max(rows.values()) + 0.8, -0.9],
    )  # fmt: skip
    figure.update_layout(template=look.template, height=690)
    return Panel(
        "places", look.t("Where it shows"),
        look.t("Countries whose change can be told from zero, corrected (Holm) for all countries. {clear}.",
               clear="; ".join(clear)),
        look.t("{metric} by country of the buyer, paired by seed, 95 % intervals; small countries are few consumers in "
               "the sample, hence wide.", metric=label),
        figure,
    )  # fmt: skip


def _listed(names: Sequence[str], look: Look, most: int = 6) -> str:
    if not names:
        return look.t("none")
    text = look.t(", ").join(names[:most])
    return text + look.t(" and {more} more", more=len(names) - most) if len(names) > most else text


# --- time -------------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Series:
    """A daily number of live rooms: `top` over `bottom` (or alone), times `factor`, times W where it is a total."""

    top: str
    bottom: str = ""
    factor: float = 1.0


SERIES: Final = {
    "gmv_usd": Series("gmv_cents", factor=0.01),
    "orders": Series("orders"),
    "room_visits": Series("room_visits"),
    "conversion": Series("orders", "room_visits"),
    "watch_minutes_mean": Series("watch_seconds", "room_visits", 1 / 60),
    "aov_usd": Series("gmv_cents", "orders", 0.01),
    "return_rate": Series("returned", "delivered"),
    "late_share": Series("late", "delivered"),
    "stockout_share": Series("stockouts", "intents"),
    "co2_kg": Series("co2_g", factor=0.001),
}


def over_time(study: Study, look: Look = ENGLISH, name: str = "gmv_usd") -> Panel:
    """A daily number of the live rooms, and its paired change against the base, with festivals and policy starts."""
    spec = SERIES[name]
    days = study.runs[0].days
    top, bottom = (np.zeros((len(study.runs), days)) for _ in range(2))
    sql = (
        f"SELECT run, day, SUM({spec.top}) AS top, SUM({spec.bottom or spec.top}) AS bottom FROM daily_channel "
        f"WHERE channel < {SHELF} GROUP BY ALL"
    )
    for row in study.store.query(sql, ["daily_channel"]):
        top[row["run"], row["day"]], bottom[row["run"], row["day"]] = row["top"], row["bottom"]
    width = min(_SMOOTH_DAYS, days)

    def smoothed(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.apply_along_axis(lambda line: np.convolve(line, np.full(width, 1 / width), mode="valid"), 1, values)

    if spec.bottom:
        below = smoothed(bottom)
        smooth = spec.factor * smoothed(top) / np.where(below > 0, below, np.nan)
    else:
        weights = np.array([run.weight for run in study.runs])
        smooth = spec.factor * weights[:, None] * smoothed(top)
    first = first_day(study)
    dates = [first + timedelta(days=offset + width // 2) for offset in range(smooth.shape[1])]
    label, unit = look.metric(name), unit_of(name, look)
    heading = look.t("{metric}, a day", metric=label) + (f" ({unit})" if unit else "")
    figure = make_subplots(
        rows=2, shared_xaxes=True, row_heights=[0.58, 0.42], vertical_spacing=0.1,
        subplot_titles=(heading, look.t("Change against {base}, paired by seed", base=look.inside(study.base))),
    )  # fmt: skip
    base = smooth[[study.position[study.base, seed] for seed in study.seeds]]
    for scenario in study.scenarios:
        own = smooth[[study.position[scenario, seed] for seed in study.seeds]]
        tint = colours(study, look)[scenario]
        band(figure, dates, own, tint, look.legend(scenario), 1, "%{y:.3s}")
        if scenario != study.base:
            change = (own - base) / np.where(base > 0, base, np.nan) * 100
            band(figure, dates, change, tint, look.legend(scenario), 2, "%{y:+.2f} %")
    figure.add_hline(y=0, line={"color": look.shade("ink"), "width": 1}, row=2, col=1)
    marks(figure, study, first, look)
    figure.update_yaxes(title_text=unit, rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title_text=look.t("change, %"), ticksuffix=" %", row=2, col=1)
    figure.update_xaxes(range=[first, first + timedelta(days=days - 1)])
    figure.update_layout(
        template=look.template, height=560, hovermode="x unified", margin={"t": 84}, legend={"y": 1.09}
    )
    known = base[np.isfinite(base)]
    reading = look.t("No value on any day.")
    if known.size:
        reading = look.t(
            "{metric}: {value} on an average day in the {base}.", metric=label,
            value=written(name, float(known.mean()), look=look), base=look.inside(study.base),
        )  # fmt: skip
    return Panel(
        "time", look.t("Over time"), reading,
        look.t("Means over seeds with 95 % bands, {width}-day moving average. Grey: festivals; dashed: "
               "interventions and "
               "shocks.", width=width),
        figure,
    )  # fmt: skip


def band(
    figure: go.Figure, dates: list[date], values: NDArray[np.float64], colour: str, name: str, row: int, hover: str
) -> None:
    """Mean and 95 % band over seeds; values float64[seeds, days], nan where a day has none."""
    known = np.isfinite(values)
    size = known.sum(axis=0)
    mean = np.where(size > 0, np.where(known, values, 0.0).sum(axis=0) / np.maximum(size, 1), np.nan)
    spread = np.sqrt((np.where(known, values - mean, 0.0) ** 2).sum(axis=0) / np.maximum(size - 1, 1))
    sizes = np.maximum(size, 2)
    half = stdtrit(sizes - 1, 1 - (1 - CONFIDENCE) / 2) * spread / np.sqrt(sizes)
    if values.shape[0] > 1:
        kept = np.flatnonzero(size > 1)
        days = [dates[day] for day in kept]
        high, low = (mean + half)[kept].tolist(), (mean - half)[kept].tolist()
        figure.add_scatter(
            x=[*days, *days[::-1]], y=[*high, *low[::-1]], fill="toself", fillcolor=fade(colour, 0.15),
            line={"width": 0}, hoverinfo="skip", showlegend=False, legendgroup=name, row=row, col=1,
        )  # fmt: skip
    figure.add_scatter(
        x=dates, y=[float(value) if np.isfinite(value) else None for value in mean], mode="lines",
        line={"color": colour, "width": 2}, name=name, legendgroup=name, showlegend=row == 1, hovertemplate=hover,
        row=row, col=1,
    )  # fmt: skip


_LABEL_GAP_DAYS: Final = 9


def marks(figure: go.Figure, study: Study, first: date, look: Look) -> None:
    """Festivals as grey spans, interventions as dashed lines where they start or end; no labels that would overlap."""
    rows = study.store.query("SELECT DISTINCT first, last, kind, label FROM marks ORDER BY first, label", ["marks"])
    days = study.runs[0].days
    labelled = -_LABEL_GAP_DAYS
    shapes: list[dict[str, Any]] = []
    labels: list[dict[str, Any]] = []
    panes = ["", *(str(number + 2) for number in range(sum(1 for _ in figure.select_yaxes()) - 1))]

    def draw(left: date, right: date, **kind: Any) -> None:
        shapes.extend(
            {"x0": left, "x1": right, "y0": 0, "y1": 1, "xref": f"x{pane}", "yref": f"y{pane} domain", **kind}
            for pane in panes
        )

    def line(day: date, dash: str) -> None:
        draw(day, day, type="line", line={"color": look.shade("ink"), "width": 1, "dash": dash})

    for row in rows:
        start, end = max(row["first"], 0), min(row["last"], days - 1)
        if end < 0 or start >= days:
            continue
        left, right = first + timedelta(days=start), first + timedelta(days=end + 1)
        if row["kind"] == "festival":
            draw(left, right, type="rect", fillcolor=look.shade("quiet"), opacity=0.13, line={"width": 0},
                 layer="below")  # fmt: skip
        else:
            if end < days - 1:
                line(right, "dot")
            if start == 0:
                continue
            line(left, "dash")
        if start - labelled >= _LABEL_GAP_DAYS:
            labelled = start
            labels.append({
                "x": left, "y": 0.02, "xref": "x", "yref": "y domain", "text": look.t(pretty(row["label"])),
                "showarrow": False, "textangle": -90, "xanchor": "left", "yanchor": "bottom",
                "font": {"size": 11, "color": look.shade("quiet")},
            })  # fmt: skip
    figure.layout.shapes += tuple(go.layout.Shape(shape) for shape in shapes)
    figure.layout.annotations += tuple(go.layout.Annotation(label) for label in labels)
