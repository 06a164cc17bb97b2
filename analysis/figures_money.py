"""Figures of money: who pays whom, and who gains and who pays when a policy comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from analysis.comparison import Study, compare
from analysis.figures import Panel, error_bars, reach
from analysis.look import ENGLISH, FONT, GROUP_LABELS, Look, fade, pretty
from analysis.metrics import GROUPS
from analysis.wording import sure, survives
from sim.record.schema import FLOW_GROUPS, MoneyPurpose

NODES: Final = (
    "Consumers", "Platforms and shops", "Merchants", "Streamers", "Agencies (MCNs)", "Logistics", "Payment providers",
    "Treasuries", "Makers and other costs",
)  # fmt: skip
FUNDS, KEPT = len(NODES), len(NODES) + 1
_BUTTONS: Final = 80  # letters of scenarios' names that stand side by side; more hide in a list
_ENDS: Final = ("Own funds", "Kept")
_NODE_COLOURS: Final = (
    "#0072B2", "#7A7A7A", "#D55E00", "#CC79A7", "#A05A84", "#E69F00", "#56B4E9", "#009E73", "#9AA5B1",
    "#B9C2CB", "#B9C2CB",
)  # fmt: skip
_NODE_OF: Final = {
    "households": 0, "channel": 1, "escrow": 1, "merchants": 2, "streamers": 3, "mcns": 4, "carriers": 5,
    "linehaul": 5, "warehouses": 5, "payment": 6, "treasury": 7, "treasury_cn": 7, "rest_of_world": 8,
}  # fmt: skip


def net_flows(study: Study) -> dict[str, NDArray[np.float64]]:
    """USD between nodes by scenario, mean over seeds: float64[purposes, payer, payee], scaled by W."""
    nodes = np.array([_NODE_OF[name.partition("/")[0]] for name in FLOW_GROUPS])
    flows = np.zeros((len(study.runs), len(MoneyPurpose), len(NODES), len(NODES)))
    sql = "SELECT run, purpose, payer, payee, SUM(cents)::BIGINT AS cents FROM flows GROUP BY ALL ORDER BY ALL"
    found = study.store.arrays(sql, ["flows"])
    dollars = found["cents"] * np.array([run.weight for run in study.runs])[found["run"]] / 100
    np.add.at(flows, (found["run"], found["purpose"], nodes[found["payer"]], nodes[found["payee"]]), dollars)
    return {
        scenario: flows[[study.position[scenario, seed] for seed in study.seeds]].mean(axis=0)
        for scenario in study.scenarios
    }


def balanced(total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Net flows that balance at every node: what a node keeps goes to `KEPT`, what it lacks comes from `FUNDS`.

    Args:
        total: USD, float64[payer, payee].

    Returns:
        float64[nodes + 2, nodes + 2], not negative, nothing on the diagonal.
    """
    size = len(NODES)
    net = np.zeros((size + 2, size + 2))
    net[:size, :size] = np.clip(total - total.T, 0, None)
    np.fill_diagonal(net, 0)
    left = net[:, :size].sum(axis=0) - net[:size].sum(axis=1)
    net[:size, KEPT] = np.clip(left, 0, None)
    net[FUNDS, :size] = np.clip(-left, 0, None)
    return net


def money_flows(study: Study, look: Look = ENGLISH) -> Panel:
    """Who pays whom, net of money going back, one diagram per scenario; in and out are equal at every node."""
    figure = go.Figure()
    retail = {}
    labels = [look.t(name) for name in (*NODES, *_ENDS)]
    for scenario, mean in net_flows(study).items():
        net = balanced(mean.sum(axis=0))
        retail[scenario] = net[0, : len(NODES)].sum() - net[: len(NODES), 0].sum()
        payers, payees = np.nonzero(net > 0)
        inner = (payers < len(NODES)) & (payees < len(NODES))
        figure.add_sankey(
            visible=scenario == study.base, valueformat=".3s", valuesuffix=" " + look.t("USD"),
            name=look.legend(scenario),
            textfont={"size": 13, "color": look.shade("ink"), "family": FONT},
            node={"label": labels, "color": list(_NODE_COLOURS), "pad": 22, "thickness": 16,
                  "line": {"width": 0}, "hovertemplate": "%{label}: %{value}<extra></extra>"},
            link={"source": payers.tolist(), "target": payees.tolist(), "value": net[payers, payees].tolist(),
                  "color": [fade(_NODE_COLOURS[payer if payee == KEPT else payee], 0.38)
                            for payer, payee in zip(payers, payees, strict=True)],
                  "customdata": [_purposes(mean[:, payer, payee] - mean[:, payee, payer], look) if between else ""
                                 for payer, payee, between in zip(payers, payees, inner, strict=True)],
                  "hovertemplate": "%{source.label} \u2192 %{target.label}: %{value}<br>%{customdata}<extra></extra>"},
        )  # fmt: skip
    short = sum(len(look.scenario(name)) for name in study.scenarios) < _BUTTONS
    figure.update_layout(
        template=look.template, height=470, margin={"l": 6, "r": 6, "t": 58, "b": 12},
        updatemenus=[{
            "buttons": [
                {"label": look.scenario(name), "method": "update",
                 "args": [{"visible": [other == name for other in study.scenarios]}]}
                for name in study.scenarios
            ],
            "type": "buttons" if short else "dropdown", "direction": "right" if short else "down",
            "x": 0, "xanchor": "left", "y": 1.13, "yanchor": "top",
            "bgcolor": look.shade("paper"), "bordercolor": look.shade("line"),
            "font": {"size": 12.5, "color": look.shade("ink")}, "active": 0, "showactive": not look.dark,
        }],
    )  # fmt: skip
    return Panel(
        "money", look.t("Who pays whom"),
        look.t(
            "Consumers pay {money} USD over {days} days in the {base}, refunds deducted; the bands show where it ends "
            "up.", money=look.money(retail[study.base]), days=study.runs[0].days, base=look.inside(study.base),
        ),
        look.t("Mean over seeds, scaled to the real population. Between two groups only the net flow is drawn, so "
               "that in "
               "and out are equal at every node: what a group keeps flows to \u201cKept\u201d, what it lacks comes "
               "from "
               "\u201cOwn funds\u201d. The choice above the bands changes the scenario. Loans are included."),
        figure,
    )  # fmt: skip


def _purposes(cents: NDArray[np.float64], look: Look) -> str:
    """The largest purposes of a flow, in words."""
    order = np.argsort(-np.abs(cents))[:4]
    return "<br>".join(
        f"{look.t(pretty(MoneyPurpose(int(number)).name.lower()))} {look.money(float(cents[number]))}"
        for number in order if cents[number]
    )  # fmt: skip


# --- incidence --------------------------------------------------------------------------------------------------------
def gains(study: Study) -> list[dict[str, Any]]:
    """Change of each group's gain against the base, of the groups that have any."""
    entries = [entry for entry in compare(study, ["group"], names=["gain_usd"]) if entry["difference"] is not None]
    alive = {entry["group"] for entry in entries if entry["difference"] or entry["base_value"]}
    return [entry for entry in entries if entry["group"] in alive]


def incidence(study: Study, look: Look = ENGLISH) -> Panel:
    """Who gains and who pays: change of each group's gain against the base, with intervals."""
    entries = gains(study)
    scenarios = study.scenarios[1:]
    figure = make_subplots(
        cols=max(1, len(scenarios)), shared_yaxes=True, horizontal_spacing=0.05,
        subplot_titles=[look.legend(name) for name in scenarios],
    )  # fmt: skip
    readings = []
    groups = [group for group in GROUPS if any(entry["group"] == group for entry in entries)]
    for column, scenario in enumerate(scenarios, start=1):
        found = {entry["group"]: entry for entry in entries if entry["scenario"] == scenario}
        known = [group for group in groups if group in found]
        values = [found[group]["difference"] for group in known]
        figure.add_bar(
            x=values, y=[look.t(GROUP_LABELS[group]) for group in known], orientation="h", showlegend=False,
            marker={"color": [look.shade("good" if value >= 0 else "bad") for value in values],
                    "opacity": [1.0 if sure(found[group]) else 0.38 for group in known]},
            error_x=error_bars((reach(found[group]) for group in known), look),
            customdata=[[look.money(value, True), interval_words(found[group], look)]
                        for group, value in zip(known, values, strict=True)],
            hovertemplate="%{y}: %{customdata[0]} USD<br>%{customdata[1]}<extra></extra>",
            row=1, col=column,
        )  # fmt: skip
        figure.update_xaxes(
            title_text=look.t("USD over {days} days", days=study.runs[0].days), nticks=5, tickangle=0, row=1,
            col=column,
        )  # fmt: skip
        readings.append(gain_words(list(found.values()), scenario, look))
    figure.update_yaxes(autorange="reversed", showgrid=False)
    lines = max((look.legend(name).count("<br>") for name in scenarios), default=0)
    figure.update_layout(
        template=look.template, height=150 + 27 * max(len(groups), 4) + 18 * lines, margin={"t": 62 + 18 * lines}
    )
    return Panel(
        "incidence", look.t("Who gains, who pays"), " ".join(readings),
        look.t("Paired by seed. Consumers: realised surplus; firms: receipts minus payments, stock at cost; "
               "treasuries: net revenue. Pale bars cannot be told from zero at 95 %; in words, what can be once "
               "corrected (Holm) for all groups."),
        figure,
    )  # fmt: skip


def gain_words(entries: Sequence[Mapping[str, Any]], scenario: str, look: Look) -> str:
    """Who gains and who loses most under one scenario, as far as that can be told from chance once
    corrected (Holm) for all groups.
    """
    clear = sorted((entry["difference"], entry["group"]) for entry in entries if survives(entry))
    words = []
    for said, (size, group) in (("most is gained by {group} ({money} USD)", clear[-1] if clear else (0, "")),
                                ("most is lost by {group} ({money} USD)", clear[0] if clear else (0, ""))):  # fmt: skip
        if size * (1 if "gained" in said else -1) > 0:
            label = look.t(GROUP_LABELS[group])
            words.append(look.t(said, group=look.lower(label), money=look.money(size, True)))
    told = look.t(", ").join(words) or look.t("no change can be told from chance")
    return f"{look.scenario(scenario)}: {told}" + look.t(".")


def waterfall(study: Study, look: Look = ENGLISH, scenario: str | None = None) -> Panel:
    """Gains and losses of the groups added up to what all together gain."""
    chosen = scenario or study.scenarios[1]
    own = {entry["group"]: entry for entry in gains(study) if entry["scenario"] == chosen}
    known = [group for group in GROUPS if group in own]
    values = [own[group]["difference"] for group in known]
    labels = [look.t(GROUP_LABELS[group]) for group in known]
    figure = go.Figure()
    steps = np.cumsum([0.0, *values])
    tints = [look.shade("good" if value >= 0 else "bad") for value in values]
    figure.add_bar(
        x=[*values, sum(values)], y=[*labels, look.t("All together")], base=[*steps[:-1].tolist(), 0.0],
        orientation="h", showlegend=False,
        marker={"color": [*tints, look.shade("base")],
                "opacity": [*(1.0 if sure(own[group]) else 0.38 for group in known), 1.0]},
        text=[look.money(value, True) for value in (*values, sum(values))], textposition="outside", cliponaxis=False,
        customdata=[*(interval_words(own[group], look) for group in known), ""],
        hovertemplate="%{y}: %{text} USD<br>%{customdata}<extra></extra>",
    )  # fmt: skip
    for row, step in enumerate(steps[1:].tolist()):  # from where a bar ends to where the next starts
        figure.add_shape(type="line", x0=step, x1=step, y0=row, y1=row + 1, layer="below",
                         line={"color": look.shade("line"), "width": 1})  # fmt: skip
    figure.add_vline(x=0, line={"color": look.shade("ink"), "width": 1})
    figure.update_yaxes(autorange="reversed", showgrid=False)
    room = 0.16 * float(np.ptp(steps) or 1.0)  # for the numbers beside the bars
    figure.update_xaxes(
        title_text=look.t("USD over {days} days", days=study.runs[0].days),
        range=[float(steps.min()) - room, float(steps.max()) + room],
    )
    figure.update_layout(template=look.template, height=150 + 27 * max(len(known), 4), margin={"t": 30})
    return Panel(
        "waterfall", look.t("From group to group"), gain_words(list(own.values()), chosen, look),
        look.t("Each bar starts where the one above ends; the last is the sum. Mean over seeds, paired. Pale bars "
               "cannot be told from zero at 95 %; intervals are in the table."),
        figure,
    )  # fmt: skip


def interval_words(entry: Mapping[str, Any], look: Look) -> str:
    """The interval of a sum of money."""
    if entry["low"] is None:
        return look.t("every seed alike: no interval" if entry["seeds"] > 1 else "one seed: no interval")
    return look.t("{low} to {high}", low=look.money(entry["low"], True), high=look.money(entry["high"], True))
