"""Figures of the network: whom followers gather at, who trusts and adopts among friends, and how that changes."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from plotly.subplots import make_subplots

from analysis.comparison import Study
from analysis.figures import Panel, band, colours, first_day, marks
from analysis.look import ENGLISH, Look, fade, percent
from analysis.metrics import gini

MOST_PEOPLE: Final = 260
_TICKS: Final = 101
COLOURED_BY: Final = {"trust": "general trust", "adoption": "use of live commerce"}


def concentration(study: Study, look: Look = ENGLISH) -> Panel:
    """What share of followers, or of visits where followers were not recorded, the largest streamers have."""
    table, column = ("followers", "followers") if study.store.has("followers") else ("streamers", "visits")
    found = study.store.arrays(f"SELECT run, {column} AS size FROM {table} ORDER BY ALL", [table])
    of = study.scenario_of
    share = np.linspace(0.0, 1.0, _TICKS)
    figure = go.Figure()
    words = []
    for scenario in study.scenarios:
        curves, ginis = [], []
        for run, name in enumerate(of):
            size = np.sort(found["size"][found["run"] == run])[::-1]
            if name != scenario or not size.sum():
                continue
            held = np.concatenate([[0.0], np.cumsum(size) / size.sum()])
            curves.append(np.interp(share, np.linspace(0.0, 1.0, held.size), held))
            ginis.append(gini(size) or 0.0)
        if not curves:
            continue
        figure.add_scatter(
            x=100 * share, y=np.round(100 * np.mean(curves, axis=0), 2), mode="lines", name=look.legend(scenario),
            line={"color": colours(study, look)[scenario], "width": 2.2},
            hovertemplate="%{x:.0f} % \u2192 %{y:.0f} %<extra>" + look.legend(scenario) + "</extra>",
        )  # fmt: skip
        words.append(look.t("{scenario}: Gini coefficient {gini:.2f}", scenario=look.scenario(scenario),
                            gini=float(np.mean(ginis))))  # fmt: skip
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", name=look.t("all alike"), hoverinfo="skip",
        line={"color": look.shade("line"), "width": 1.2, "dash": "dash"},
    )  # fmt: skip
    what = look.t("followers") if column == "followers" else look.t("room visits")
    figure.update_xaxes(title_text=look.t("% of streamers with any, the largest first"), range=[0, 100])
    figure.update_yaxes(title_text=look.t("% of {what}", what=what), range=[0, 101])
    figure.update_layout(template=look.template, height=430, margin={"t": 70, "r": 24})
    reading = "; ".join(words) + look.t(".") if words else look.t("Nobody follows anybody.")
    return Panel(
        "concentration", look.t("Concentration on streamers"), reading,
        look.t("Followers at the run's end (visits over the run where followers were not recorded), mean over seeds."),
        figure,
    )  # fmt: skip


def opinion(study: Study, look: Look = ENGLISH) -> Panel:
    """Trust and adoption by day, mean and band over seeds: how news spread."""
    days = study.runs[0].days
    sums = np.zeros((3, len(study.runs), days))
    sql = (
        "SELECT run, day, SUM(person_days) AS persons, SUM(adopter_days) AS adopters, SUM(trust_ppm_days) AS trust "
        "FROM daily_people GROUP BY ALL"
    )
    for row in study.store.query(sql, ["daily_people"]):
        sums[:, row["run"], row["day"]] = row["persons"], row["adopters"], row["trust"] / 1e6
    with np.errstate(invalid="ignore", divide="ignore"):
        trust, adoption = sums[2] / sums[1], 100 * sums[1] / sums[0]
    first = first_day(study)
    dates = [first + timedelta(days=day) for day in range(days)]
    figure = make_subplots(
        rows=2, shared_xaxes=True, vertical_spacing=0.1,
        subplot_titles=(look.t("Mean trust of adopters (0 to 1)"), look.t("Adopters of live commerce, %")),
    )  # fmt: skip
    for scenario in study.scenarios:
        runs = [study.position[scenario, seed] for seed in study.seeds]
        tint = colours(study, look)[scenario]
        band(figure, dates, trust[runs], tint, look.legend(scenario), 1, "%{y:.3f}")
        band(figure, dates, adoption[runs], tint, look.legend(scenario), 2, "%{y:.1f} %")
    marks(figure, study, first, look)
    figure.update_layout(
        template=look.template, height=520, hovermode="x unified", margin={"t": 84}, legend={"y": 1.09}
    )
    base = trust[[study.position[study.base, seed] for seed in study.seeds]].mean(axis=0)
    return Panel(
        "opinion", look.t("Trust and adoption"),
        look.t("In the {base}, mean trust of adopters goes from {first:.3f} to {last:.3f}.",
               base=look.inside(study.base), first=float(base[0]), last=float(base[-1])),
        look.t("Means over seeds with 95 % bands. Grey: festivals; dashed: interventions and shocks."),
        figure,
    )  # fmt: skip


def _circle(edges: NDArray[np.int64]) -> list[int]:
    """At most `MOST_PEOPLE` people who hang together: the largest group of friends, from its most connected "
    "outwards."""
    import networkx as nx

    graph = nx.Graph(edges.tolist())
    largest = graph.subgraph(max(nx.connected_components(graph), key=lambda group: (len(group), -min(group))))
    start = max(sorted(largest), key=largest.degree)
    return [start, *(person for _, person in nx.bfs_edges(largest, start, sort_neighbors=sorted))][:MOST_PEOPLE]


@lru_cache(maxsize=16)
def _drawing(file: Path, stamp: int) -> tuple[list[int], dict[int, tuple[float, float]], list[tuple[int, int]]]:
    """People, their places on the plane and the friendships among them, of one run's network sample."""
    import networkx as nx
    import pyarrow.parquet as pq

    table = pq.read_table(file, columns=["consumer", "friend"])
    edges = np.column_stack([table["consumer"].to_numpy(), table["friend"].to_numpy()])
    if not edges.size:
        return [], {}, []
    people = _circle(edges)
    chosen = set(people)
    pairs = [(int(one), int(other)) for one, other in edges if one in chosen and other in chosen]
    graph = nx.Graph(pairs)
    places = nx.spring_layout(graph, seed=1, iterations=60)
    return people, {person: (float(x), float(y)) for person, (x, y) in places.items()}, pairs


def friends(study: Study, look: Look = ENGLISH, scenario: str | None = None, by: str = "trust") -> Panel:
    """Friends of one run, coloured by trust or adoption, with the recorded days to be played."""
    chosen = scenario or study.base
    run = study.runs[study.position[chosen, study.seeds[0]]]
    file = run.folder / "network.parquet"
    people, places, pairs = _drawing(file, file.stat().st_mtime_ns)
    number = study.position[chosen, study.seeds[0]]
    found = study.store.arrays(
        f"SELECT day, consumer, adopter, trust_ppm FROM network_days WHERE run = {number} ORDER BY ALL",
        ["network_days"],
    )
    first = first_day(study)
    days = sorted(set(found["day"].tolist()))
    at = {person: position for position, person in enumerate(people)}
    values = np.full((len(days), len(people)), np.nan)
    column = found["trust_ppm"] / 1e6 if by == "trust" else found["adopter"].astype(float)
    for day, person, value in zip(found["day"], found["consumer"], column, strict=True):
        if int(person) in at:
            values[days.index(int(day)), at[int(person)]] = value
    lines: dict[str, list[float | None]] = {"x": [], "y": []}
    for one, other in pairs:
        for axis, name in enumerate(("x", "y")):
            lines[name] += [round(places[one][axis], 4), round(places[other][axis], 4), None]
    scale: dict[str, Any] = (
        {"colorscale": "Cividis", "cmin": 0, "cmax": 1, "showscale": True,
         "colorbar": {"title": {"text": look.t("trust")}, "thickness": 12, "len": 0.6}}
        if by == "trust" else {"colorscale": [[0, look.shade("line")], [1, "#E69F00"]], "cmin": 0, "cmax": 1}
    )  # fmt: skip

    def on(position: int) -> dict[str, Any]:
        """What changes from day to day."""
        shown = values[position]
        known = np.isfinite(shown)
        return {
            "type": "scatter",
            "marker": {"color": np.where(known, np.round(shown, 3), 0.0), "opacity": np.where(known, 1.0, 0.15)},
            "customdata": [f"{value:.2f}" if np.isfinite(value) else "\u2013" for value in shown],
        }

    def nodes(position: int) -> go.Scatter:
        changing = on(position)
        return go.Scatter(
            x=[round(places[person][0], 4) for person in people], y=[round(places[person][1], 4) for person in people],
            mode="markers", showlegend=False, customdata=changing["customdata"],
            marker={"size": 9, **changing["marker"], "line": {"width": 0.7, "color": look.shade("paper")}, **scale},
            hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip

    dates = [(first + timedelta(days=day)).isoformat() for day in days]
    figure = go.Figure()
    figure.add_scatter(
        x=lines["x"], y=lines["y"], mode="lines", line={"width": 0.7, "color": fade(look.shade("line"), 0.55)},
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    still = {"frame": {"duration": 0, "redraw": True}, "mode": "immediate", "transition": {"duration": 0}}
    if days and people:
        figure.add_trace(nodes(len(days) - 1))
        figure.frames = [go.Frame(data=[on(number)], traces=[1], name=dates[number]) for number in range(len(days))]
        figure.update_layout(sliders=[{
            "active": len(days) - 1, "currentvalue": {"prefix": look.t("Day: ")}, "pad": {"t": 20},
            "x": 0.04, "len": 0.92,
            "steps": [{"label": name, "method": "animate", "args": [[name], still]} for name in dates],
        }])  # fmt: skip
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, scaleanchor="x")
    figure.update_layout(template=look.template, height=640, margin={"t": 20, "b": 80})
    reading = look.t("No friendships in the sample.")
    if people:
        mean = np.nanmean(values, axis=1) if days else np.zeros(1)
        first_mean, last_mean = (f"{mean[day]:.3f}" if by == "trust" else percent(float(mean[day])) for day in (0, -1))
        reading = look.t(
            "{people} people, {pairs} friendships; {what} goes from {first} to {last}.", people=len(people),
            pairs=len(pairs), what=look.t(COLOURED_BY[by]), first=first_mean, last=last_mean,
        )  # fmt: skip
    return Panel(
        "friends", look.t("Friends among the sample"), reading,
        look.t("{scenario}, seed {seed}: friendships at the run's end among sampled consumers who hang together; "
               "places on "
               "the plane only keep friends close. Pale: not there yet on that day.",
               scenario=look.scenario(chosen), seed=study.seeds[0]),
        figure,
    )  # fmt: skip
