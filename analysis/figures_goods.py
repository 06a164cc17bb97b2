"""Figures of goods: how long orders take, over which lanes they come, how full warehouses are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from analysis.comparison import Study
from analysis.figures import Panel, colours, first_day
from analysis.look import COUNTRY_NAMES, ENGLISH, REGION_NAMES, STAGE_COLOURS, Look, percent
from sim.calendar import day_of
from sim.kinds import COUNTRIES, N_ORIGIN_WAREHOUSES, N_WAREHOUSES, REGION_OF_COUNTRY, REGIONS, SHELF
from sim.record.schema import DELIVERY_BIN_SECONDS, DELIVERY_BINS, LaneMeasure, Window

_DAY_SECONDS: Final = 86_400
_STAGES: Final = {
    LaneMeasure.SECONDS_WAREHOUSE: "warehouse",
    LaneMeasure.SECONDS_LINEHAUL: "line-haul",
    LaneMeasure.SECONDS_CUSTOMS: "customs",
    LaneMeasure.SECONDS_SORT: "sorting",
    LaneMeasure.SECONDS_LAST_MILE: "last mile",
}
_ROUTES: Final = ("from local stock", "direct from China")


def delivery(study: Study, look: Look = ENGLISH) -> Panel:
    """How long orders take, by route and scenario, and in which stage the days go."""
    counts = np.zeros((len(study.runs), 2, DELIVERY_BINS), dtype=np.int64)
    sql = f"SELECT run, direct, bin, SUM(parcels) AS parcels FROM hist_delivery WHERE channel < {SHELF} GROUP BY ALL"
    for row in study.store.query(sql, ["hist_delivery"]):
        counts[row["run"], row["direct"], row["bin"]] = row["parcels"]
    routes = [look.t(route) for route in _ROUTES]
    matured = bool(counts.sum())  # where no order is old enough, there is no curve, and words say so
    heading = look.t("Where the days go (all channels)")
    curves = look.t("Share of live orders delivered within so many days")
    figure = (
        make_subplots(rows=2, row_heights=[0.6, 0.4], vertical_spacing=0.2, subplot_titles=(curves, heading))
        if matured else make_subplots(subplot_titles=(heading,))
    )  # fmt: skip
    days = (np.arange(DELIVERY_BINS) + 1) * DELIVERY_BIN_SECONDS / _DAY_SECONDS
    medians: dict[int, float] = {}
    last = 5.0
    for scenario in study.scenarios:
        pooled = counts[[study.position[scenario, seed] for seed in study.seeds]].sum(axis=0)
        for direct in (0, 1):
            total = int(pooled[direct].sum())
            if total == 0:
                continue
            share = np.cumsum(pooled[direct]) / total
            last = max(last, float(days[np.searchsorted(share, 0.99)]))
            if scenario == study.base:
                medians[direct] = float(np.interp(0.5, share, days))
            shown = int(np.searchsorted(share, 1.0)) + 1
            figure.add_scatter(
                x=days[:shown], y=share[:shown] * 100, mode="lines", name=look.legend(scenario),
                legendgroup=f"{scenario}{direct}", showlegend=not direct or not pooled[0].any(),
                line={"color": colours(study, look)[scenario], "width": 2.2, "dash": _DASHES[direct]},
                hovertemplate="%{x:.1f}: %{y:.0f} %<extra>" + f"{look.legend(scenario)}<br>{routes[direct]}</extra>",
                row=1, col=1,
            )  # fmt: skip
    if matured:
        _route_key(figure, look)
    stages = _stage_days(study)
    rows = [(scenario, direct) for direct in (0, 1) for scenario in study.scenarios]
    labels = [f"{look.legend(scenario)}<br>{routes[direct]}" for scenario, direct in rows]
    below = 2 if matured else 1
    for number, (measure, label) in enumerate(_STAGES.items()):
        figure.add_bar(
            x=[stages[scenario][direct].get(measure, 0.0) for scenario, direct in rows], y=labels, orientation="h",
            name=look.t(label), marker={"color": STAGE_COLOURS[number]}, legend="legend2", width=0.6,
            hovertemplate="%{y}, " + look.t(label) + ": %{x:.1f}<extra></extra>", row=below, col=1,
        )  # fmt: skip
    if matured:
        figure.update_xaxes(title_text=look.t("days from order"), range=[0, last * 1.03], row=1, col=1)
        figure.update_yaxes(title_text=look.t("% of delivered orders"), range=[0, 101], row=1, col=1)
    figure.update_xaxes(title_text=look.t("mean days per parcel"), rangemode="tozero", row=below, col=1)
    figure.update_yaxes(showgrid=False, autorange="reversed", row=below, col=1)
    bars = len(rows) * (12 + 15 * max(label.count("<br>") + 1 for label in labels))
    above = _CURVES + _BETWEEN if matured else 0
    figure.update_layout(
        template=look.template, height=bars + above + 186, barmode="stack", margin={"t": 86, "b": 100},
        legend={"y": 1.06, "font": {"size": 12}},
        legend2={"orientation": "h", "x": 0, "y": -66 / (bars + above), "yanchor": "top", "traceorder": "normal"},
    )  # fmt: skip
    if matured:
        whole = bars + above
        figure.update_layout(
            yaxis_domain=[(bars + _BETWEEN) / whole, 1.0], yaxis2_domain=[0.0, bars / whole],
        )  # fmt: skip
        figure.layout.annotations[1].y = bars / whole
    words = [look.t("{days:.1f} days {route}", days=medians[direct], route=routes[direct])
             for direct in (0, 1) if direct in medians]  # fmt: skip
    reading = (
        look.t("Half of the live orders arrive within {words}.", words=look.t(" and ").join(words))
        if words else look.t("No live order is {days} days old yet, so that how soon half arrive cannot be told: the "
                             "slow ones would be missing. Longer runs show it.", days=int(Window.DELIVERY))
    )  # fmt: skip
    return Panel(
        "delivery", look.t("How long orders take"), reading,
        look.t("Orders placed at least 40 days before the end, all seeds together; the lower bars are means per "
               "parcel.") if matured else look.t("Means per parcel that arrived, all seeds together."),
        figure,
    )  # fmt: skip


_DASHES: Final = ("solid", "dot")
_CURVES, _BETWEEN = 300, 100  # pixels of the curves, and between them and the bars


def _route_key(figure: go.Figure, look: Look) -> None:
    """Two entries of the legend that tell what whole and dotted lines are."""
    for route, dash in zip(_ROUTES, _DASHES, strict=True):
        figure.add_scatter(
            x=[None], y=[None], mode="lines", name=look.t(route), hoverinfo="skip",
            line={"color": look.shade("quiet"), "width": 2, "dash": dash}, row=1, col=1,
        )  # fmt: skip


def _stage_days(study: Study) -> dict[str, list[dict[LaneMeasure, float]]]:
    """Mean days per parcel and stage by scenario: from local stock, direct."""
    names = [measure.name.lower() for measure in LaneMeasure]
    sums = ", ".join(f"SUM({name}) AS {name}" for name in names)
    rows = study.store.query(
        f"SELECT run, warehouse < {N_ORIGIN_WAREHOUSES} AS direct, {sums} FROM lanes GROUP BY ALL", ["lanes"]
    )
    of, result = study.scenario_of, {}
    for scenario in study.scenarios:
        own: list[dict[LaneMeasure, float]] = []
        for direct in (False, True):
            kept = [row for row in rows if of[row["run"]] == scenario and row["direct"] == direct]
            parcels = sum(row["parcels"] for row in kept)
            own.append({
                measure: float(sum(row[measure.name.lower()] for row in kept)) / parcels / _DAY_SECONDS
                for measure in _STAGES if parcels
            })  # fmt: skip
        result[scenario] = own
    return result


_QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)


def stages(study: Study, look: Look = ENGLISH) -> Panel:
    """How the days in each stage are spread over parcels, each counted with the mean of its lane."""
    names = ", ".join(f"SUM({measure.name.lower()})::BIGINT AS {measure.name.lower()}" for measure in _STAGES)
    found = study.store.arrays(
        f"SELECT run, warehouse, country, SUM(parcels)::BIGINT AS parcels, {names} FROM lanes "
        "GROUP BY ALL ORDER BY ALL",
        ["lanes"],
    )
    direct = found["warehouse"] < N_ORIGIN_WAREHOUSES
    of = np.array(study.scenario_of)[found["run"]]
    routes = [look.t(route) for route in _ROUTES]
    labels = [look.t(label) for label in _STAGES.values()]
    figure = make_subplots(cols=2, subplot_titles=routes, shared_yaxes=True, horizontal_spacing=0.04)
    widest = [1.0, 1.0]
    slowest = ("", 0.0)
    for scenario in study.scenarios:
        for route in (0, 1):
            kept = (of == scenario) & (direct == bool(route)) & (found["parcels"] > 0)
            parcels = found["parcels"][kept]
            if not parcels.size:
                continue
            points = np.array([
                _weighted_quantiles(found[measure.name.lower()][kept] / parcels / _DAY_SECONDS, parcels)
                for measure in _STAGES
            ])  # fmt: skip
            widest[route] = max(widest[route], float(points.max()))
            if scenario == study.base and route:
                top = int(points[:, 2].argmax())
                slowest = (labels[top], float(points[top, 2]))
            figure.add_box(
                y=labels, q1=points[:, 1], median=points[:, 2], q3=points[:, 3], lowerfence=points[:, 0],
                upperfence=points[:, 4], orientation="h", name=look.legend(scenario), legendgroup=scenario,
                showlegend=not route, line={"color": colours(study, look)[scenario], "width": 1.4}, row=1,
                col=1 + route,
            )  # fmt: skip
    for route in (0, 1):
        figure.update_xaxes(title_text=look.t("days"), range=[0, widest[route] * 1.04], row=1, col=1 + route)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_layout(
        template=look.template, height=230 + 60 * len(study.scenarios), boxmode="group",
        margin={"t": 76}, legend={"y": 1.1},
    )  # fmt: skip
    reading = (
        look.t("On the way from China most time goes to {stage}: half of the parcels spend {days:.1f} days there or "
               "more in the {base}.", stage=slowest[0], days=slowest[1], base=look.inside(study.base))
        if slowest[0] else look.t("No parcel came direct from China.")
    )  # fmt: skip
    return Panel(
        "stages", look.t("Days by stage"), reading,
        look.t("All channels and seeds. Each parcel counts with the mean of its lane (warehouse and country). Box: the "
               "middle half, line: the median, whiskers: from 5 to 95 %."),
        figure,
    )  # fmt: skip


def _weighted_quantiles(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Smallest values that at least these shares of the weight do not exceed, float64[quantiles]."""
    order = np.argsort(values, kind="stable")
    share = np.cumsum(weights[order]) / weights.sum()
    return values[order][np.minimum(np.searchsorted(share, _QUANTILES), len(values) - 1)]


_BIN_SECONDS: Final = 21_600
_WAITS: Final = {"placed": "from order to leaving the warehouse", "shipped": "from the warehouse to the door"}


def waits(study: Study, look: Look = ENGLISH, matured: int = int(Window.DELIVERY)) -> Panel | None:
    """How long orders stay until they leave the warehouse and on the way, order by order; None where none has matured.

    Args:
        matured: days before the end from which on orders are left out: late ones would be missing.
    """
    first = day_of(first_day(study)) * 8
    last = first + 8 * (study.runs[0].days - matured)
    counts = {}
    for since, until in (("placed", "shipped"), ("shipped", "delivered")):
        counts[since] = study.store.arrays(
            f"SELECT run, direct, (({until} - {since}) // {_BIN_SECONDS})::INTEGER AS bin, COUNT(*)::BIGINT AS orders "
            f"FROM orders WHERE shipped > 0 AND delivered > 0 AND channel < {SHELF} AND tick < {last} "
            "GROUP BY ALL ORDER BY ALL", ["orders"],
        )  # fmt: skip
    if not any(len(found["run"]) for found in counts.values()):
        return None
    routes = [look.t(route) for route in _ROUTES]
    figure = make_subplots(
        cols=2, shared_yaxes=True, horizontal_spacing=0.06, subplot_titles=[look.t(text) for text in _WAITS.values()]
    )
    of = np.array(study.scenario_of)
    medians: dict[tuple[str, int], float] = {}
    for column, (since, found) in enumerate(counts.items(), start=1):
        longest = 1.0
        for scenario in study.scenarios:
            stocked = bool(((of[found["run"]] == scenario) & (found["direct"] == 0)).any())
            for direct in (0, 1):
                own = (of[found["run"]] == scenario) & (found["direct"] == direct)
                if not own.any():
                    continue
                total = np.bincount(found["bin"][own], weights=found["orders"][own])
                share = np.concatenate([[0.0], np.cumsum(total) / total.sum()])
                days = np.arange(share.size) * _BIN_SECONDS / _DAY_SECONDS
                shown = int(np.searchsorted(share, 0.999)) + 1
                longest = max(longest, float(days[np.searchsorted(share, 0.99)]))
                if scenario == study.base:
                    medians[since, direct] = float(np.interp(0.5, share, days))
                figure.add_scatter(
                    x=days[:shown], y=np.round(100 * share[:shown], 2), mode="lines",
                    showlegend=column == 1 and (not direct or not stocked),
                    name=look.legend(scenario), legendgroup=f"{scenario}{direct}",
                    line={"color": colours(study, look)[scenario], "width": 2, "dash": _DASHES[direct]},
                    hovertemplate="%{x:.1f}: %{y:.0f} %<extra>" + f"{look.legend(scenario)}<br>{routes[direct]}"
                                  "</extra>",
                    row=1, col=column,
                )  # fmt: skip
        figure.update_xaxes(title_text=look.t("days"), range=[0, longest * 1.03], row=1, col=column)
    _route_key(figure, look)
    figure.update_yaxes(title_text=look.t("% of delivered orders"), range=[0, 101], row=1, col=1)
    figure.update_layout(
        template=look.template, height=420, margin={"t": 86}, legend={"y": 1.1, "font": {"size": 12}},
    )  # fmt: skip
    words = [
        look.t("{route}, {before:.1f} days until the warehouse is left and {after:.1f} on the way",
               route=routes[direct], before=medians["placed", direct], after=medians["shipped", direct])
        for direct in (0, 1) if ("placed", direct) in medians and ("shipped", direct) in medians
    ]  # fmt: skip
    return Panel(
        "waits", look.t("Order by order"),
        look.t("Medians of live orders in the {base}: {words}.", base=look.inside(study.base), words="; ".join(words)),
        look.t("Share of delivered live orders that took at most so long, all seeds together, of those placed {days} "
               "days or more before the end.", days=matured),
        figure,
    )  # fmt: skip


# --- trade lanes ------------------------------------------------------------------------------------------------------
def lanes(study: Study, look: Look = ENGLISH, scenario: str | None = None) -> Panel:
    """Parcels and their time by route into each country, in one scenario (the base where none is named)."""
    chosen = scenario or study.base
    runs = {study.position[chosen, seed] for seed in study.seeds}
    origin = f"LEAST(warehouse, {N_ORIGIN_WAREHOUSES})"
    seconds = " + ".join(measure.name.lower() for measure in _STAGES)
    rows = study.store.query(
        f"SELECT run, {origin} AS origin, country, SUM(parcels) AS parcels, SUM({seconds}) AS seconds "
        "FROM lanes GROUP BY ALL", ["lanes"],
    )  # fmt: skip
    hubs = [
        *(look.t("China hub {number}", number=number + 1) for number in range(N_ORIGIN_WAREHOUSES)),
        look.t("Stock in country"),
    ]
    parcels = np.zeros((len(hubs), len(COUNTRIES)))
    time = np.zeros_like(parcels)
    for row in rows:
        if row["run"] in runs:
            weight = study.runs[row["run"]].weight
            parcels[row["origin"], row["country"]] += row["parcels"] * weight / len(runs)
            time[row["origin"], row["country"]] += row["seconds"] * weight / len(runs)
    hub, country = np.nonzero(parcels)
    volume = parcels[hub, country]
    days = time[hub, country] / volume / _DAY_SECONDS
    biggest = float(volume.max()) if volume.size else 1.0
    y_of = np.arange(len(COUNTRIES)) + 0.6 * np.array(REGION_OF_COUNTRY)
    figure = go.Figure()
    figure.add_scatter(
        x=[hubs[number] for number in hub], y=y_of[country], mode="markers",
        marker={"size": np.sqrt(volume / biggest) * 24 + 3, "color": days,
                "colorscale": "Cividis", "reversescale": not look.dark, "opacity": 1,
                "line": {"width": 0.6, "color": look.shade("paper")},
                "colorbar": {"title": {"text": look.t("mean days<br>per parcel")}, "thickness": 12, "len": 0.6}},
        customdata=[[look.t(COUNTRY_NAMES[COUNTRIES[place]]), f"{many:,.0f}", f"{long:.1f}"]
                    for place, many, long in zip(country, volume, days, strict=True)],
        hovertemplate=look.t("{hub} to {country}<br>{parcels} parcels, {days} days", hub="%{x}",
                             country="%{customdata[0]}", parcels="%{customdata[1]}", days="%{customdata[2]}")
        + "<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(categoryorder="array", categoryarray=hubs, side="top", showgrid=False,
                        range=[-0.5, len(hubs) - 0.5])  # fmt: skip
    figure.update_yaxes(
        tickvals=y_of.tolist(), ticktext=[look.t(COUNTRY_NAMES[name]) for name in COUNTRIES],
        range=[y_of[-1] + 0.8, -0.9],
    )  # fmt: skip
    figure.update_layout(template=look.template, height=720, margin={"t": 60, "r": 138})
    reading = look.t("No parcel arrived.")
    if parcels.sum():
        region = np.zeros(len(REGIONS))
        np.add.at(region, np.array(REGION_OF_COUNTRY), parcels.sum(axis=0))
        top = int(region.argmax())
        reading = look.t(
            "{local} of parcels come from stock in the buyer's country; {region} receives most, {share} of all.",
            local=percent(parcels[-1].sum() / parcels.sum()), region=look.t(REGION_NAMES[REGIONS[top]]),
            share=percent(float(region[top] / region.sum())),
        )  # fmt: skip
    return Panel(
        "lanes", look.t("Trade lanes"), reading,
        look.t("{scenario}, all channels, mean over seeds, scaled to the real population. Area: parcels that arrived; "
               "colour: days from release to the door.", scenario=look.scenario(chosen)),
        figure,
    )  # fmt: skip


# --- warehouses -------------------------------------------------------------------------------------------------------
def _warehouses(study: Study, scenario: str) -> tuple[np.ndarray, np.ndarray]:
    """Use of throughput (share) and orders waiting (real ones), means over seeds, float64[warehouses, days] each."""
    days = study.runs[0].days
    share = np.zeros((len(study.runs), 2))  # what a run counts for, and what a consumer of it stands for besides
    for seed in study.seeds:
        number = study.position[scenario, seed]
        share[number] = 1 / len(study.seeds), study.runs[number].weight / len(study.seeds)
    found = study.store.arrays(
        "SELECT run, day, warehouse, utilisation_permille, backlog FROM daily_warehouses", ["daily_warehouses"]
    )
    counts = share[found["run"]]
    place = found["warehouse"].astype(np.intp) * days + found["day"]

    def summed(values: np.ndarray) -> np.ndarray:
        return np.bincount(place, values, N_WAREHOUSES * days).reshape(N_WAREHOUSES, days)

    return summed(found["utilisation_permille"] / 1000 * counts[:, 0]), summed(found["backlog"] * counts[:, 1])


def warehouse_names(look: Look) -> list[str]:
    """Names of the warehouses in index order."""
    return [
        *(look.t("China hub {number}", number=number + 1) for number in range(N_ORIGIN_WAREHOUSES)),
        *(look.t(COUNTRY_NAMES[country]) for country in COUNTRIES),
    ]


def warehouses(study: Study, look: Look = ENGLISH) -> Panel:
    """Orders waiting and use of throughput, all warehouses together, by scenario over time."""
    first = first_day(study)
    dates = [first + timedelta(days=day) for day in range(study.runs[0].days)]
    figure = make_subplots(
        rows=2, shared_xaxes=True, vertical_spacing=0.12,
        subplot_titles=(look.t("Orders waiting in warehouses at the day's end"),
                        look.t("Use of throughput, mean of the warehouses, %")),
    )  # fmt: skip
    worst = ("", 0.0, dates[0])
    for scenario in study.scenarios:
        use, waiting = _warehouses(study, scenario)
        tint = {"color": colours(study, look)[scenario], "width": 2}
        label = look.legend(scenario)
        total = waiting.sum(axis=0)
        figure.add_scatter(x=dates, y=np.round(total, 1), mode="lines", name=label, legendgroup=scenario, line=tint,
                           hovertemplate="%{y:.3s}", row=1, col=1)  # fmt: skip
        figure.add_scatter(x=dates, y=np.round(100 * use.mean(axis=0), 2), mode="lines", name=label,
                           legendgroup=scenario, showlegend=False, line=tint, hovertemplate="%{y:.1f} %", row=2,
                               col=1)  # fmt: skip
        if scenario == study.base:
            day = int(total.argmax())
            worst = (label, float(total[day]), dates[day])
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(
        template=look.template, height=520, hovermode="x unified", margin={"t": 80}, legend={"y": 1.09}
    )
    return Panel(
        "warehouses", look.t("Queues and use of warehouses"),
        look.t("Most orders wait on {day}: {orders} in the {base}.", day=worst[2].isoformat(),
               orders=look.money(worst[1]), base=look.inside(study.base)),
        look.t("Means over seeds, orders scaled to the real population."),
        figure,
    )  # fmt: skip


def fullness(study: Study, look: Look = ENGLISH, scenario: str | None = None) -> Panel:
    """Use of throughput of every warehouse over time, in one scenario (the base where none is named)."""
    chosen = scenario or study.base
    used, _ = _warehouses(study, chosen)
    first = first_day(study)
    dates = [first + timedelta(days=day) for day in range(used.shape[1])]
    names = warehouse_names(look)
    shown = np.round(100 * used).astype(np.int16)
    figure = go.Figure()
    figure.add_heatmap(
        z=shown, x=dates, y=names, colorscale="Cividis", zmin=int(shown.min()), zmax=int(shown.max()),
        colorbar={"title": {"text": look.t("use, %")}, "thickness": 12, "len": 0.7},
        hovertemplate="%{y}, %{x}: %{z} %<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_layout(template=look.template, height=560, margin={"t": 24, "r": 104})
    above = (used >= 1.0).mean(axis=1)
    worst = int(above.argmax())
    reading = (
        look.t("{warehouse} works at its limit most often: on {share} of the days.", warehouse=names[worst],
               share=percent(float(above[worst])))
        if above[worst] else look.t("No warehouse works at its limit on any day.")
    )  # fmt: skip
    return Panel(
        "use", look.t("Which warehouse is full, and when"), reading,
        look.t("{scenario}: orders handled over throughput, mean over seeds; 100 % is the limit.",
               scenario=look.scenario(chosen)),
        figure,
    )  # fmt: skip


def surge(study: Study, look: Look = ENGLISH, scenario: str | None = None) -> Panel:
    """Use of every warehouse day by day, to be played: what a festival or a shock does to them."""
    chosen = scenario or study.base
    use, waiting = _warehouses(study, chosen)
    names, days = warehouse_names(look), use.shape[1]
    first = first_day(study)
    peak = int(waiting.sum(axis=0).argmax())
    full = np.round(100 * use).astype(np.int16)
    queue = np.round(waiting).astype(np.int64)
    top = max(100.0, float(full.max()) * 1.05)
    ends = [0.0, 80 / top, 80 / top, 100 / top, 100 / top, 1.0]
    tints = [look.shade("moved")] * 2 + ["#E69F00"] * 2 + [look.shade("bad")] * 2

    def on(day: int) -> dict[str, Any]:
        """What changes from day to day; the rest is in the first bars."""
        shown = full[:, day].tolist()
        return {"type": "bar", "x": shown, "marker": {"color": shown}, "customdata": queue[:, day].tolist()}

    dates = [(first + timedelta(days=day)).isoformat() for day in range(days)]
    figure = go.Figure(frames=[{"name": dates[day], "data": [on(day)]} for day in range(days)])
    figure.add_bar(
        x=full[:, peak], y=names, orientation="h", customdata=queue[:, peak],
        marker={"color": full[:, peak], "cmin": 0, "cmax": top,
                "colorscale": [list(pair) for pair in zip(ends, tints, strict=True)]},
        hovertemplate="%{y}: %{x:.0f} %, " + look.t("{orders} waiting", orders="%{customdata:.3s}")
        + "<extra></extra>",
    )  # fmt: skip
    still = {"frame": {"duration": 0, "redraw": True}, "mode": "immediate", "transition": {"duration": 0}}
    figure.update_layout(
        template=look.template, height=640, margin={"t": 54, "r": 24, "b": 128},
        sliders=[{
            "active": peak, "currentvalue": {"prefix": look.t("Day: ")},
            "pad": {"t": 44}, "x": 0.04, "len": 0.92,
            "tickcolor": look.shade("line"),
            "steps": [{"label": name, "method": "animate", "args": [[name], still]} for name in dates],
        }],
        updatemenus=[{
            "type": "buttons", "direction": "left", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom",
            "showactive": False, "bgcolor": look.shade("paper"), "bordercolor": look.shade("line"),
            "font": {"color": look.shade("ink")},
            "buttons": [
                {"label": look.t("Play"), "method": "animate",
                 "args": [None, {"frame": {"duration": 220, "redraw": True}, "fromcurrent": True,
                                 "transition": {"duration": 0}}]},
                {"label": look.t("Pause"), "method": "animate", "args": [[None], still]},
            ],
        }],
    )  # fmt: skip
    figure.update_xaxes(title_text=look.t("use of throughput, %"), range=[0, top])
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return Panel(
        "surge", look.t("Surge, day by day"),
        look.t("{scenario}: the fullest queue stands on {day}.", scenario=look.scenario(chosen), day=dates[peak]),
        look.t("Drag the slider or press play. Blue: below 80 % of throughput, orange: to 100 %, red: above."),
        figure,
    )  # fmt: skip
