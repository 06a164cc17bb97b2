"""The figures of a comparison, each with its title and the one sentence it should leave behind.

One palette (Okabe and Ito, safe for colour-blind readers): the base scenario is dark grey, the others take the colours
in order. Bars start at zero; every mean over seeds carries its 95 % interval; what has no value is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from analysis.compare import Estimate, Study, compare, estimate
from analysis.metrics import GROUPS
from sim.kinds import COUNTRIES, N_ORIGIN_WAREHOUSES, REGION_OF_COUNTRY, REGIONS, SHELF
from sim.record.schema import DELIVERY_BIN_SECONDS, DELIVERY_BINS, FLOW_GROUPS, LaneMeasure, MoneyPurpose

BASE_COLOUR: Final = "#4D4D4D"
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
STAGE_COLOURS: Final = ("#0072B2", "#56B4E9", "#E69F00", "#CC79A7", "#009E73")
GOOD: Final = "#00734F"
BAD: Final = "#A84300"
INK: Final = "#1F2933"
QUIET: Final = "#66727F"
GRID: Final = "#E3E7EB"
FONT: Final = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, sans-serif"
_DAY_SECONDS: Final = 86_400
_PER_VISITS: Final = 1_000
_SMOOTH_DAYS: Final = 7

COUNTRY_NAMES: Final = {
    "US": "United States", "CA": "Canada", "DE": "Germany", "FR": "France", "GB": "United Kingdom", "ES": "Spain",
    "PL": "Poland", "ID": "Indonesia", "VN": "Vietnam", "TH": "Thailand", "PH": "Philippines", "MY": "Malaysia",
    "SG": "Singapore", "SA": "Saudi Arabia", "AE": "UA Emirates", "BR": "Brazil", "MX": "Mexico",
    "NG": "Nigeria", "KE": "Kenya", "ZA": "South Africa",
}  # fmt: skip
METRIC_LABELS: Final = {
    "gmv_usd": "Live sales (GMV)", "gmv_net_usd": "Live sales, net", "orders": "Live orders",
    "room_visits": "Room visits", "conversion": "Conversion", "watch_minutes_mean": "Minutes watched a visit",
    "aov_usd": "Order value", "payment_success_rate": "Payments that succeed", "tariff_usd": "Duty collected",
    "vat_usd": "VAT collected", "delivery_days_p50": "Delivery, median", "delivery_days_p90": "Delivery, slowest tenth",
    "late_share": "Late deliveries", "direct_shipped_share": "Sent direct from China", "stockout_share": "Stock-outs",
    "oversold_share": "Oversold orders", "return_rate": "Returns", "dispute_rate": "Disputes",
    "complaint_rate": "Complaints", "repurchase_rate": "Repurchase within 90 days", "trust_mean": "Trust of adopters",
    "adoption_share": "Adopters of live commerce", "streamer_view_gini": "Concentration of views (Gini)",
    "warehouse_utilisation_p90": "Warehouse use, 90th percentile", "platform_profit_usd": "Platforms' profit",
    "mcn_profit_usd": "Agencies' profit", "streamer_income_usd": "Streamers' income",
    "merchant_profit_usd": "Merchants' profit", "merchant_margin": "Merchants' margin",
    "consumer_surplus_perceived_usd": "Consumer surplus, perceived",
    "consumer_surplus_realised_usd": "Consumer surplus, realised", "government_revenue_usd": "Government revenue",
    "gain_usd": "Sum of gains", "co2_kg": "CO\u2082 emissions", "matured_share": "Orders old enough for rates",
    "buyer_share_30d": "Buyers within 30 days of discovery",
    "new_buyer_conversion_7d": "Buyers within 7 days of discovery",
    "delivery_days_direct_p10": "Direct delivery, fastest tenth",
    "delivery_days_direct_p50": "Direct delivery, median", "delivery_days_direct_p90": "Direct delivery, slowest tenth",
    "delivery_days_stocked_p50": "Local delivery, median",
}  # fmt: skip
GROUP_LABELS: Final = {
    "consumers_low": "Low-income consumers", "consumers_middle": "Middle-income consumers",
    "consumers_high": "High-income consumers", "streamers_head": "Head streamers", "streamers_middle":
    "Middle streamers", "streamers_tail": "Tail streamers", "mcns": "Agencies", "platforms": "Live platforms",
    "shelf": "Shelf marketplaces", "brand_sites": "Brand sites", "merchants_small": "Small merchants",
    "merchants_large": "Large merchants", "carriers": "Carriers and line-haul", "warehouses": "Warehouses",
    "payment_providers": "Payment providers", "treasuries": "Destination treasuries",
    "treasury_cn": "Treasury of China",
}  # fmt: skip


REGION_NAMES: Final = dict(
    zip(REGIONS, ("North America", "Europe", "Southeast Asia", "Middle East", "Latin America", "Africa"), strict=True)
)


def pretty(name: str) -> str:
    """A scenario's name for readers: `tariff_reduction` -> `Tariff reduction`."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


def _template() -> go.layout.Template:
    axis = {
        "gridcolor": GRID,
        "zerolinecolor": "#9AA5B1",
        "zerolinewidth": 1,
        "linecolor": "#9AA5B1",
        "ticks": "",
        "automargin": True,
        "title": {"font": {"size": 13, "color": QUIET}, "standoff": 10},
        "tickfont": {"size": 12.5, "color": INK},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": INK},
            "paper_bgcolor": "white",
            "plot_bgcolor": "white",
            "colorway": list(COLOURS),
            "xaxis": {**axis, "exponentformat": "B"},
            "yaxis": {**axis, "zeroline": False, "exponentformat": "B"},
            "margin": {"l": 10, "r": 14, "t": 40, "b": 46},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
            "hoverlabel": {"font": {"family": FONT, "size": 12.5}, "bgcolor": "white", "bordercolor": "#9AA5B1"},
            "annotationdefaults": {"font": {"size": 13, "color": INK}},
            "bargap": 0.28,
            "bargroupgap": 0.06,
        }
    )


TEMPLATE: Final = _template()


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


def colours(study: Study) -> dict[str, str]:
    """Colour of each scenario."""
    others = {name: COLOURS[number % len(COLOURS)] for number, name in enumerate(study.scenarios[1:])}
    return {study.base: BASE_COLOUR, **others}


def _estimates(study: Study, values: Sequence[float | None]) -> dict[str, Estimate]:
    """Mean and interval by scenario of one number per run; scenarios without any value are left out."""
    result = {}
    for scenario in study.scenarios:
        found = [values[study.position[scenario, seed]] for seed in study.seeds]
        known = np.array([value for value in found if value is not None], dtype=np.float64)
        if known.size:
            result[scenario] = estimate(known)
    return result


def _errors(estimates: Iterable[Estimate]) -> dict[str, Any]:
    """Error bars of a trace; none where one seed gives no interval."""
    return {
        "type": "data",
        "array": [(found.high - found.mean) if found.high is not None else 0 for found in estimates],
        "thickness": 1.3,
        "width": 4,
        "color": "#111111",
    }


def money(value: float, signed: bool = False) -> str:
    """A sum of USD in words: `1.24 bn`, `-310 m`."""
    sign = "\u2212" if value < 0 else ("+" if signed and value > 0 else "")
    size = abs(value)
    for limit, word in ((1e9, "\u00a0bn"), (1e6, "\u00a0m"), (1e3, "\u00a0k")):
        if size >= limit:
            return f"{sign}{size / limit:.3g}{word}" if size / limit < 1000 else f"{sign}{size / limit:,.0f}{word}"
    return f"{sign}{size:.3g}"


def percent(value: float, signed: bool = False) -> str:
    """A share as a percentage: `3.5 %`."""
    size = abs(value) * 100
    digits = 0 if size >= 100 else 1 if size >= 1 else 2
    text = f"{size:.{digits}f}\u00a0%"
    if size < 0.005:
        return text
    return ("\u2212" if value < 0 else "+" if signed and value > 0 else "") + text


def _span_words(study: Study) -> str:
    return f"over {study.store.runs[0].days} days"


# --- funnel -----------------------------------------------------------------------------------------------------------
def funnel(study: Study) -> Panel:
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
        return _estimates(
            study,
            [
                factor * top(row) / row[bottom] if row and row[bottom] else None
                for row in (rows.get(number) for number in range(len(study.store.runs)))
            ],
        )

    left = {
        "decide to buy": stage(lambda row: row["intents"], "room_visits", _PER_VISITS),
        "place an order": stage(lambda row: row["orders"], "room_visits", _PER_VISITS),
    }
    right = {
        "paid": stage(lambda row: row["payment_authorised_m3"], "orders_m3", 100),
        "delivered": stage(lambda row: row["delivered_m60"], "orders_m60", 100),
        "kept": stage(lambda row: row["delivered_m60"] - row["returned_m60"], "orders_m60", 100),
    }
    figure = make_subplots(
        cols=2, column_widths=[0.42, 0.58], horizontal_spacing=0.16,
        subplot_titles=(f"Of {_PER_VISITS:,} visits to a live room", "Of 100 live orders"),
    )  # fmt: skip
    for column, stages in ((1, left), (2, right)):
        for scenario in study.scenarios:
            known = [(label, found[scenario]) for label, found in stages.items() if scenario in found]
            figure.add_bar(
                x=[found.mean for _, found in known], y=[label for label, _ in known], orientation="h",
                error_x=_errors(found for _, found in known), name=pretty(scenario), legendgroup=scenario,
                showlegend=column == 1, marker={"color": colours(study)[scenario]},
                hovertemplate="%{y}: %{x:.2f}<extra>" + pretty(scenario) + "</extra>", row=1, col=column,
            )  # fmt: skip
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(title_text="per 1,000 room visits", rangemode="tozero", row=1, col=1)
    figure.update_xaxes(title_text="per 100 orders", range=[0, 104], row=1, col=2)
    figure.update_layout(template=TEMPLATE, height=360, barmode="group", margin={"t": 86}, legend={"y": 1.14})
    base = {label: found.get(study.base) for label, found in (left | right).items()}
    placed, paid, delivered, kept = (base[label] for label in ("place an order", "paid", "delivered", "kept"))
    reading = "No visits were recorded."
    if placed:
        reading = f"In the {pretty(study.base).lower()}, {placed.mean:.1f} of 1,000 room visits end in an order"
        if paid and delivered and kept:
            reading += (
                f"; of 100 orders, {paid.mean:.0f} are paid, {delivered.mean:.0f} delivered and {kept.mean:.0f} kept"
            )
        reading += "."
    return Panel(
        "funnel", "From a visit to a product kept", reading,
        "Means over seeds with 95 % intervals. Delivered and kept count orders placed 60 days or more before the end.",
        figure,
    )  # fmt: skip


# --- money ------------------------------------------------------------------------------------------------------------
_NODES: Final = (
    "Consumers", "Platforms and shops", "Merchants", "Streamers", "Agencies (MCNs)", "Logistics", "Payment providers",
    "Treasuries", "Makers and other costs",
)  # fmt: skip
_NODE_COLOURS: Final = (
    "#0072B2", "#4D4D4D", "#D55E00", "#CC79A7", "#A05A84", "#E69F00", "#56B4E9", "#009E73", "#9AA5B1",
)  # fmt: skip


def _node(group: int) -> int:
    head = FLOW_GROUPS[group].partition("/")[0]
    table = {
        "households": 0, "channel": 1, "escrow": 1, "merchants": 2, "streamers": 3, "mcns": 4, "carriers": 5,
        "linehaul": 5, "warehouses": 5, "payment": 6, "treasury": 7, "treasury_cn": 7, "rest_of_world": 8,
    }  # fmt: skip
    return table[head]


def money_flows(study: Study) -> Panel:
    """Who pays whom, net of money going back, one diagram per scenario."""
    nodes = np.array([_node(group) for group in range(len(FLOW_GROUPS))])
    size = len(_NODES)
    flows = np.zeros((len(study.store.runs), len(MoneyPurpose), size, size))
    sql = "SELECT run, purpose, payer, payee, SUM(cents) AS cents FROM flows GROUP BY ALL"
    for row in study.store.query(sql, ["flows"]):
        weight = study.store.runs[row["run"]].weight
        flows[row["run"], row["purpose"], nodes[row["payer"]], nodes[row["payee"]]] += row["cents"] * weight / 100
    figure = go.Figure()
    retail = {}
    for scenario in study.scenarios:
        mean = flows[[study.position[scenario, seed] for seed in study.seeds]].mean(axis=0)
        total = mean.sum(axis=0)
        net = np.clip(total - total.T, 0, None)
        np.fill_diagonal(net, 0)
        retail[scenario] = net[0].sum() - net[:, 0].sum()
        payers, payees = np.nonzero(net > net.sum() * 1e-5)
        figure.add_sankey(
            visible=scenario == study.base, valueformat=".3s", valuesuffix=" USD",
            textfont={"size": 13, "color": INK, "family": FONT},
            node={"label": list(_NODES), "color": list(_NODE_COLOURS), "pad": 22, "thickness": 16,
                  "line": {"width": 0}, "hovertemplate": "%{label}: %{value}<extra></extra>"},
            link={"source": payers.tolist(), "target": payees.tolist(), "value": net[payers, payees].tolist(),
                  "color": [_fade(_NODE_COLOURS[payee], 0.38) for payee in payees],
                  "customdata": [_purposes(mean[:, payer, payee] - mean[:, payee, payer])
                                 for payer, payee in zip(payers, payees, strict=True)],
                  "hovertemplate": "%{source.label} to %{target.label}: %{value}<br>%{customdata}<extra></extra>"},
        )  # fmt: skip
    figure.update_layout(
        template=TEMPLATE, height=470, margin={"l": 6, "r": 6, "t": 54, "b": 12},
        updatemenus=[{
            "buttons": [
                {"label": pretty(name), "method": "update",
                 "args": [{"visible": [other == name for other in study.scenarios]}]}
                for name in study.scenarios
            ],
            "type": "buttons", "direction": "right", "x": 0, "xanchor": "left", "y": 1.13, "yanchor": "top",
            "bgcolor": "white", "bordercolor": "#9AA5B1", "font": {"size": 12.5}, "active": 0, "showactive": True,
        }],
    )  # fmt: skip
    return Panel(
        "money", "Who pays whom",
        f"Consumers pay {money(retail[study.base])} USD {_span_words(study)} in the {pretty(study.base).lower()}, "
        "refunds deducted; the bands show where it ends up.",
        "Mean over seeds, scaled to the real population. Between two groups only the net flow is drawn; buttons change "
        "the scenario. Loans are included.",
        figure,
    )  # fmt: skip


def _purposes(cents: NDArray[np.float64]) -> str:
    """The largest purposes of a flow, in words."""
    order = np.argsort(-np.abs(cents))[:4]
    return "<br>".join(
        f"{MoneyPurpose(int(number)).name.lower().replace('_', ' ')} {money(float(cents[number]))}"
        for number in order if cents[number]
    )  # fmt: skip


def _fade(colour: str, alpha: float) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


# --- delivery ---------------------------------------------------------------------------------------------------------
_STAGES: Final = {
    LaneMeasure.SECONDS_WAREHOUSE: "warehouse",
    LaneMeasure.SECONDS_LINEHAUL: "line-haul",
    LaneMeasure.SECONDS_CUSTOMS: "customs",
    LaneMeasure.SECONDS_SORT: "sorting",
    LaneMeasure.SECONDS_LAST_MILE: "last mile",
}
_ROUTES: Final = ("from local stock", "direct from China")


def delivery(study: Study) -> Panel:
    """How long orders take, by route and scenario, and in which stage the days go."""
    counts = np.zeros((len(study.store.runs), 2, DELIVERY_BINS), dtype=np.int64)
    sql = f"SELECT run, direct, bin, SUM(parcels) AS parcels FROM hist_delivery WHERE channel < {SHELF} GROUP BY ALL"
    for row in study.store.query(sql, ["hist_delivery"]):
        counts[row["run"], row["direct"], row["bin"]] = row["parcels"]
    figure = make_subplots(
        rows=2, row_heights=[0.64, 0.36], vertical_spacing=0.2,
        subplot_titles=("Share of live orders delivered within so many days",
                        f"Where the days go ({pretty(study.base).lower()}, all channels)"),
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
            figure.add_scatter(
                x=days, y=share * 100, mode="lines", name=f"{pretty(scenario)}, {_ROUTES[direct]}",
                line={"color": colours(study)[scenario], "width": 2.2, "dash": "dot" if direct else "solid"},
                hovertemplate="within %{x:.1f} days: %{y:.0f} %<extra></extra>",
                row=1, col=1,
            )  # fmt: skip
    stages = _stage_days(study)
    for number, (measure, label) in enumerate(_STAGES.items()):
        figure.add_bar(
            x=[stages[direct].get(measure, 0.0) for direct in (0, 1)], y=list(_ROUTES), orientation="h", name=label,
            marker={"color": STAGE_COLOURS[number]}, legend="legend2", width=0.55,
            hovertemplate="%{y}, " + label + ": %{x:.1f} days<extra></extra>", row=2, col=1,
        )  # fmt: skip
    figure.update_xaxes(title_text="days from order", range=[0, last * 1.03], row=1, col=1)
    figure.update_yaxes(title_text="% of delivered orders", range=[0, 101], row=1, col=1)
    figure.update_xaxes(title_text="mean days per parcel", rangemode="tozero", row=2, col=1)
    figure.update_yaxes(showgrid=False, row=2, col=1)
    figure.update_layout(
        template=TEMPLATE, height=660, barmode="stack", margin={"t": 110},
        legend={"y": 1.07, "font": {"size": 12}},
        legend2={"orientation": "h", "x": 0, "y": -0.12, "yanchor": "top", "traceorder": "normal"},
    )  # fmt: skip
    words = [f"{medians[direct]:.1f} days {_ROUTES[direct]}" for direct in (0, 1) if direct in medians]
    reading = f"Half of the live orders arrive within {' and '.join(words)}." if words else "No cohort has matured yet."
    return Panel(
        "delivery", "How long orders take", reading,
        "Orders placed at least 40 days before the end, all seeds together; the lower bars are means per parcel.",
        figure,
    )  # fmt: skip


def _stage_days(study: Study) -> list[dict[LaneMeasure, float]]:
    """Mean days per parcel and stage in the base: from local stock, direct."""
    names = [measure.name.lower() for measure in LaneMeasure]
    sums = ", ".join(f"SUM({name}) AS {name}" for name in names)
    rows = study.store.query(
        f"SELECT run, warehouse < {N_ORIGIN_WAREHOUSES} AS direct, {sums} FROM lanes GROUP BY ALL", ["lanes"]
    )
    base = {study.position[study.base, seed] for seed in study.seeds}
    result: list[dict[LaneMeasure, float]] = []
    for direct in (False, True):
        kept = [row for row in rows if row["run"] in base and row["direct"] == direct]
        parcels = sum(row["parcels"] for row in kept)
        result.append({
            measure: float(sum(row[measure.name.lower()] for row in kept)) / parcels / _DAY_SECONDS
            for measure in _STAGES if parcels
        })  # fmt: skip
    return result


# --- incidence --------------------------------------------------------------------------------------------------------
def incidence(study: Study) -> Panel:
    """Who gains and who pays: change of each group's gain against the base, with intervals."""
    entries = [entry for entry in compare(study, ["group"], names=["gain_usd"]) if entry["difference"] is not None]
    scenarios = study.scenarios[1:]
    figure = make_subplots(
        cols=max(1, len(scenarios)), shared_yaxes=True, horizontal_spacing=0.05,
        subplot_titles=[pretty(name) for name in scenarios],
    )  # fmt: skip
    readings = []
    groups = [group for group in GROUPS if any(
        entry["group"] == group and (entry["difference"] or entry["base_value"]) for entry in entries)]  # fmt: skip
    for column, scenario in enumerate(scenarios, start=1):
        found = {entry["group"]: entry for entry in entries if entry["scenario"] == scenario}
        known = [group for group in groups if group in found]
        values = [found[group]["difference"] for group in known]
        figure.add_bar(
            x=values, y=[GROUP_LABELS[group] for group in known], orientation="h", showlegend=False,
            marker={"color": [GOOD if value >= 0 else BAD for value in values],
                    "opacity": [1.0 if _sure(found[group]) else 0.38 for group in known]},
            error_x={"type": "data", "thickness": 1.3, "width": 4, "color": "#111111",
                     "array": [_reach(found[group]) for group in known]},
            customdata=[[money(value, True), _interval_words(found[group])]
                        for group, value in zip(known, values, strict=True)],
            hovertemplate="%{y}: %{customdata[0]} USD<br>95 % interval %{customdata[1]}<extra></extra>",
            row=1, col=column,
        )  # fmt: skip
        figure.update_xaxes(title_text=f"USD {_span_words(study)}", nticks=5, tickangle=0, row=1, col=column)
        sure = sorted((found[group]["difference"], group) for group in known if _sure(found[group]))
        words = []
        if sure and sure[-1][0] > 0:
            words.append(f"most is gained by {GROUP_LABELS[sure[-1][1]].lower()} ({money(sure[-1][0], True)} USD)")
        if sure and sure[0][0] < 0:
            words.append(f"most is lost by {GROUP_LABELS[sure[0][1]].lower()} ({money(sure[0][0], True)} USD)")
        readings.append(f"{pretty(scenario)}: {', '.join(words) or 'no change can be told from chance'}.")
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_layout(template=TEMPLATE, height=150 + 27 * max(len(groups), 4), margin={"t": 62})
    return Panel(
        "incidence", "Who gains, who pays", " ".join(readings),
        "Paired by seed. Consumers: realised surplus; firms: receipts minus payments; treasuries: net revenue. Pale "
        "bars cannot be told from zero at 95 %.",
        figure,
    )  # fmt: skip


def _sure(entry: dict[str, Any]) -> bool:
    return entry["low"] is not None and (entry["low"] > 0 or entry["high"] < 0)


def _reach(entry: dict[str, Any]) -> float:
    return 0.0 if entry["low"] is None else float(entry["high"] - entry["difference"])


def _interval_words(entry: dict[str, Any]) -> str:
    if entry["low"] is None:
        return "needs more than one seed"
    return f"{money(entry['low'], True)} to {money(entry['high'], True)}"


# --- effects ----------------------------------------------------------------------------------------------------------
EFFECTS: Final = (
    "gmv_usd", "orders", "conversion", "aov_usd", "delivery_days_p50", "late_share", "return_rate",
    "consumer_surplus_realised_usd", "merchant_profit_usd", "platform_profit_usd", "streamer_income_usd",
    "mcn_profit_usd", "government_revenue_usd", "co2_kg",
)  # fmt: skip


def effects(study: Study) -> Panel:
    """Relative change of the main metrics, with intervals: one glance at everything."""
    entries = [entry for entry in compare(study, names=EFFECTS) if entry["relative"] is not None]
    figure = go.Figure()
    sure = 0
    for number, scenario in enumerate(study.scenarios[1:]):
        own = [entry for entry in entries if entry["scenario"] == scenario]
        sure += sum(_sure(entry) for entry in own)
        scale = [100 / abs(entry["base_value"]) for entry in own]
        figure.add_scatter(
            x=[100 * entry["relative"] for entry in own],
            y=[_EFFECT_ROWS[entry["metric"]] + (number - (len(study.scenarios) - 2) / 2) * 0.26 for entry in own],
            mode="markers", name=pretty(scenario),
            marker={"color": colours(study)[scenario], "size": 10, "symbol": _SYMBOLS[number % len(_SYMBOLS)]},
            error_x={"type": "data", "thickness": 1.8, "width": 0, "color": colours(study)[scenario],
                     "array": [_reach(entry) * factor for entry, factor in zip(own, scale, strict=True)]},
            customdata=[METRIC_LABELS[entry["metric"]] for entry in own],
            hovertemplate="%{customdata}: %{x:+.2f} %<extra>" + pretty(scenario) + "</extra>",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": INK, "width": 1})
    figure.update_xaxes(title_text=f"change against {pretty(study.base).lower()}, %", ticksuffix=" %")
    figure.update_yaxes(
        tickvals=list(_EFFECT_ROWS.values()), ticktext=[METRIC_LABELS[name] for name in EFFECTS],
        range=[len(EFFECTS) - 0.4, -0.6], gridcolor="#F0F2F4",
    )  # fmt: skip
    figure.update_layout(template=TEMPLATE, height=130 + 30 * len(EFFECTS))
    return Panel(
        "effects", "What changes, at a glance",
        f"{sure} of {len(entries)} changes shown can be told from zero at 95 %, each taken by itself.",
        "Change relative to the base, paired by seed; bars are 95 % intervals. With many metrics, one in twenty leaves "
        "out zero by chance.",
        figure,
    )  # fmt: skip


_EFFECT_ROWS: Final = {name: number for number, name in enumerate(EFFECTS)}
_SYMBOLS: Final = ("circle", "diamond", "square", "triangle-up", "cross", "star")


def places(study: Study, name: str = "gmv_usd") -> Panel:
    """Relative change of one metric by country, with intervals."""
    entries = [entry for entry in compare(study, ["country"], names=[name]) if entry["relative"] is not None]
    figure = go.Figure()
    rows = {country: number + 0.6 * REGION_OF_COUNTRY[number] for number, country in enumerate(COUNTRIES)}
    clear = []
    for number, scenario in enumerate(study.scenarios[1:]):
        own = [entry for entry in entries if entry["scenario"] == scenario]
        named = [COUNTRY_NAMES[entry["country"]] for entry in own if _sure(entry)]
        clear.append(f"{pretty(scenario)}: {_listed(named)}")
        figure.add_scatter(
            x=[100 * entry["relative"] for entry in own],
            y=[rows[entry["country"]] + (number - (len(study.scenarios) - 2) / 2) * 0.26 for entry in own],
            mode="markers", name=pretty(scenario),
            marker={"color": colours(study)[scenario], "size": 9, "symbol": _SYMBOLS[number % len(_SYMBOLS)]},
            error_x={"type": "data", "thickness": 1.6, "width": 0, "color": colours(study)[scenario],
                     "array": [100 * _reach(entry) / abs(entry["base_value"]) for entry in own]},
            customdata=[COUNTRY_NAMES[entry["country"]] for entry in own],
            hovertemplate="%{customdata}: %{x:+.2f} %<extra>" + pretty(scenario) + "</extra>",
        )  # fmt: skip
    figure.add_vline(x=0, line={"color": INK, "width": 1})
    label = METRIC_LABELS[name][:1].lower() + METRIC_LABELS[name][1:]
    figure.update_xaxes(title_text=f"change of {label} against {pretty(study.base).lower()}, %", ticksuffix=" %")
    figure.update_yaxes(
        tickvals=list(rows.values()), ticktext=[COUNTRY_NAMES[country] for country in rows], showgrid=False,
        range=[max(rows.values()) + 0.8, -0.9],
    )  # fmt: skip
    figure.update_layout(template=TEMPLATE, height=690)
    return Panel(
        "places", "Where it shows", "Countries whose change can be told from zero. " + "; ".join(clear) + ".",
        f"{METRIC_LABELS[name]} by country of the buyer, paired by seed, 95 % intervals; small countries are few "
        "consumers in the sample, hence wide.",
        figure,
    )  # fmt: skip


def _listed(names: Sequence[str], most: int = 6) -> str:
    if not names:
        return "none"
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


# --- trade lanes ------------------------------------------------------------------------------------------------------
_HUBS: Final = (*(f"China hub {number + 1}" for number in range(N_ORIGIN_WAREHOUSES)), "Stock in country")


def lanes(study: Study) -> Panel:
    """Parcels and their time by route into each country, in the base."""
    base = {study.position[study.base, seed] for seed in study.seeds}
    origin = f"LEAST(warehouse, {N_ORIGIN_WAREHOUSES})"
    seconds = " + ".join(measure.name.lower() for measure in _STAGES)
    rows = study.store.query(
        f"SELECT run, {origin} AS origin, country, SUM(parcels) AS parcels, SUM({seconds}) AS seconds "
        "FROM lanes GROUP BY ALL", ["lanes"],
    )  # fmt: skip
    parcels = np.zeros((len(_HUBS), len(COUNTRIES)))
    time = np.zeros_like(parcels)
    for row in rows:
        if row["run"] in base:
            weight = study.store.runs[row["run"]].weight
            parcels[row["origin"], row["country"]] += row["parcels"] * weight / len(base)
            time[row["origin"], row["country"]] += row["seconds"] * weight / len(base)
    hub, country = np.nonzero(parcels)
    volume = parcels[hub, country]
    days = time[hub, country] / volume / _DAY_SECONDS
    biggest = float(volume.max()) if volume.size else 1.0
    y_of = np.arange(len(COUNTRIES)) + 0.6 * np.array(REGION_OF_COUNTRY)
    figure = go.Figure()
    figure.add_scatter(
        x=[_HUBS[number] for number in hub], y=y_of[country], mode="markers",
        marker={"size": np.sqrt(volume / biggest) * 24 + 3, "color": days,
                "colorscale": "Cividis", "reversescale": True, "opacity": 1,
                "line": {"width": 0.6, "color": "white"},
                "colorbar": {"title": {"text": "mean days<br>per parcel"}, "thickness": 12, "len": 0.6}},
        customdata=[[COUNTRY_NAMES[COUNTRIES[place]], f"{many:,.0f}", f"{long:.1f}"]
                    for place, many, long in zip(country, volume, days, strict=True)],
        hovertemplate="%{x} to %{customdata[0]}<br>%{customdata[1]} parcels, %{customdata[2]} days<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(categoryorder="array", categoryarray=list(_HUBS), side="top", showgrid=False,
                        range=[-0.5, len(_HUBS) - 0.5])  # fmt: skip
    figure.update_yaxes(
        tickvals=y_of.tolist(), ticktext=[COUNTRY_NAMES[name] for name in COUNTRIES], range=[y_of[-1] + 0.8, -0.9],
    )  # fmt: skip
    figure.update_layout(template=TEMPLATE, height=720, margin={"t": 60})
    local = parcels[-1].sum()
    share = local / parcels.sum() if parcels.sum() else 0.0
    region = np.zeros(len(REGIONS))
    np.add.at(region, np.array(REGION_OF_COUNTRY), parcels.sum(axis=0))
    top = int(region.argmax())
    reading = "No parcel arrived."
    if parcels.sum():
        reading = (
            f"{percent(share)} of parcels come from stock in the buyer's country; "
            f"{REGION_NAMES[REGIONS[top]]} receives most, {percent(float(region[top] / region.sum()))} of all."
        )
    return Panel(
        "lanes", "Trade lanes", reading,
        f"{pretty(study.base)}, all channels, mean over seeds, scaled to the real population. Area: parcels that "
        "arrived; colour: days from release to the door.",
        figure,
    )  # fmt: skip


# --- time -------------------------------------------------------------------------------------------------------------
def over_time(study: Study) -> Panel:
    """Live sales a day, and their paired change against the base, with festivals and policy starts."""
    days = study.store.runs[0].days
    sales = np.zeros((len(study.store.runs), days))
    sql = f"SELECT run, day, SUM(gmv_cents) AS cents FROM daily_channel WHERE channel < {SHELF} GROUP BY ALL"
    for row in study.store.query(sql, ["daily_channel"]):
        sales[row["run"], row["day"]] = row["cents"] / 100 * study.store.runs[row["run"]].weight
    width = min(_SMOOTH_DAYS, days)
    smooth = np.apply_along_axis(lambda line: np.convolve(line, np.full(width, 1 / width), mode="valid"), 1, sales)
    first = date.fromisoformat(str(study.store.runs[0].facts["start_date"]))
    dates = [first + timedelta(days=offset + width // 2) for offset in range(smooth.shape[1])]
    figure = make_subplots(
        rows=2, shared_xaxes=True, row_heights=[0.58, 0.42], vertical_spacing=0.1,
        subplot_titles=("Live sales a day", f"Change against {pretty(study.base).lower()}, paired by seed"),
    )  # fmt: skip
    base = smooth[[study.position[study.base, seed] for seed in study.seeds]]
    for scenario in study.scenarios:
        own = smooth[[study.position[scenario, seed] for seed in study.seeds]]
        _band(figure, dates, own, colours(study)[scenario], pretty(scenario), 1, "%{y:.3s} USD a day")
        if scenario != study.base:
            bottom = np.where(base > 0, base, np.nan)
            change = (own - base) / bottom * 100
            _band(figure, dates, change, colours(study)[scenario], pretty(scenario), 2, "%{y:+.2f} %")
    figure.add_hline(y=0, line={"color": INK, "width": 1}, row=2, col=1)
    _marks(figure, study, first)
    figure.update_yaxes(title_text="USD a day", rangemode="tozero", row=1, col=1)
    figure.update_yaxes(title_text="change, %", ticksuffix=" %", row=2, col=1)
    figure.update_xaxes(range=[first, first + timedelta(days=days - 1)])
    figure.update_layout(template=TEMPLATE, height=560, hovermode="x unified", margin={"t": 84}, legend={"y": 1.09})
    per_day = float(base.mean())
    return Panel(
        "time", "Over time",
        f"Live rooms sell for {money(per_day)} USD a day on average in the {pretty(study.base).lower()}.",
        f"Means over seeds with 95 % bands, {width}-day moving average. Grey: festivals; dashed: interventions.",
        figure,
    )  # fmt: skip


def _band(
    figure: go.Figure, dates: list[date], values: NDArray[np.float64], colour: str, name: str, row: int, hover: str
) -> None:
    """Mean and 95 % band over seeds; values float64[seeds, days]."""
    found = [estimate(column) for column in values.T]
    if values.shape[0] > 1:
        high = [one.high for one in found]
        low = [one.low for one in found]
        figure.add_scatter(
            x=[*dates, *dates[::-1]], y=[*high, *low[::-1]], fill="toself", fillcolor=_fade(colour, 0.15),
            line={"width": 0}, hoverinfo="skip", showlegend=False, legendgroup=name, row=row, col=1,
        )  # fmt: skip
    figure.add_scatter(
        x=dates, y=[one.mean for one in found], mode="lines", line={"color": colour, "width": 2}, name=name,
        legendgroup=name, showlegend=row == 1, hovertemplate=hover, row=row, col=1,
    )  # fmt: skip


_LABEL_GAP_DAYS: Final = 9


def _marks(figure: go.Figure, study: Study, first: date) -> None:
    """Festivals as grey spans, interventions as dashed lines where they start or end; no labels that would overlap."""
    rows = study.store.query("SELECT DISTINCT first, last, kind, label FROM marks ORDER BY first, label", ["marks"])
    days = study.store.runs[0].days
    labelled = -_LABEL_GAP_DAYS
    for row in rows:
        start, end = max(row["first"], 0), min(row["last"], days - 1)
        if end < 0 or start >= days:
            continue
        left, right = first + timedelta(days=start), first + timedelta(days=end + 1)
        if row["kind"] == "festival":
            figure.add_vrect(x0=left, x1=right, fillcolor="#66727F", opacity=0.13, line_width=0, layer="below")
        else:
            if end < days - 1:
                figure.add_vline(x=right, line={"color": INK, "width": 1, "dash": "dot"})
            if start == 0:
                continue
            figure.add_vline(x=left, line={"color": INK, "width": 1, "dash": "dash"})
        if start - labelled >= _LABEL_GAP_DAYS:
            labelled = start
            figure.add_annotation(
                x=left, y=0.02, xref="x", yref="y domain", text=pretty(row["label"]), showarrow=False, textangle=-90,
                xanchor="left", yanchor="bottom", font={"size": 11, "color": QUIET},
            )  # fmt: skip


def panels(study: Study) -> list[Panel]:
    """The figures of a report, in reading order; the time series only where days were recorded."""
    made = [effects(study), incidence(study), money_flows(study), funnel(study), delivery(study), places(study),
            lanes(study)]  # fmt: skip
    if study.store.has("daily_channel"):
        made.append(over_time(study))
    return made
