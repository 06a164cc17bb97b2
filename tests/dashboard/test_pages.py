"""Pages as functions of address and disk: the numbers of `livecommerce compare`, and clear words for what is not."""

from __future__ import annotations

import csv
import io
import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from dash import html
from scipy.stats import spearmanr

from analysis.dashboard.app import make_app, render
from analysis.dashboard.library import Library
from analysis.dashboard.overview import CARDS
from analysis.dashboard.parts import metric_label
from analysis.dashboard.state import read
from analysis.figures_goods import waits
from analysis.look import ENGLISH
from analysis.metrics import DIMENSIONS, METRICS
from analysis.sweepview import front, rank_correlation
from analysis.wording import HEADLINE, span_words, written
from sim.__main__ import main
from sim.engines import Inline
from sim.errors import RunFolderError, UserError
from sim.kinds import N_ORIGIN_WAREHOUSES, SHELF
from sim.sweep.driver import drive, read_manifest
from sim.sweep.plan import plan_sweep
from tests.dashboard.conftest import TINY

CAP = "commission_cap cap.share=0.05"
ABOVE = "commission_cap cap.share=0.1"
SHOWN = ("/", "/compare", "/gains", "/logistics", "/network", "/explore", "/run", "/model")


def texts(part: Any) -> Iterator[str]:
    """All texts of a part of a page."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from texts(inner)
    else:
        yield from texts(getattr(part, "children", None) or [])


def words(page: Any) -> str:
    """All text of a page."""
    return " ".join([page.title, *texts(page.children)])


def table_of(page: Any) -> list[list[str]]:
    """Texts of the cells of a page's table, row by row."""
    body = next(part for part in html.Div(page.children)._traverse() if isinstance(part, html.Tbody))
    return [["".join(texts(cell.children)) for cell in row.children] for row in body.children]


@pytest.mark.parametrize("by", ["", *DIMENSIONS])
def test_every_number_is_that_of_the_command_line(
    by: str, library: Library, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(finished / "caps"), "--json", *(["--by", by] if by else [])]) == 0
    told = {
        (entry["metric"], entry.get(by)): entry
        for entry in json.loads(capsys.readouterr().out) if entry["scenario"] == CAP
    }  # fmt: skip
    metrics = [name for name in METRICS if not by or by in METRICS[name].splits] if by else [""]
    seen = set()
    for metric in metrics:
        page = render(read("/compare", f"?scenario={CAP}&by={by}&metric={metric}".replace(" ", "+")), library)
        for row in page.data():
            key = (row["metric"], row.get(by))
            seen.add(key[0])
            for name in ("base_value", "value", "difference", "low", "high", "relative", "p_positive", "seeds"):
                assert row[name] == told[key][name], (key, name)
        shown = {line[0]: line[1:] for line in table_of(page)}
        for key, entry in told.items():
            if metric in ("", key[0]):
                label = ENGLISH.key(by, str(key[1])) if by else metric_label(key[0], ENGLISH)
                name = entry["metric"]
                base, value, change = shown[label]
                assert (base, value) == (written(name, entry["base_value"]), written(name, entry["value"])), key
                assert change.startswith(written(name, entry["difference"], True)), key
                assert entry["difference"] is None or change.endswith(span_words(entry)), key
    assert seen == ({*METRICS} if not by else {*metrics})


@pytest.mark.parametrize("address", SHOWN)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_each_page_has_its_figures_in_both_languages(address: str, lang: str, library: Library) -> None:
    page = render(read(address, f"?lang={lang}&theme=dark"), library)
    assert address in ("/run", "/model") or page.panels
    for panel in page.panels:
        assert panel.figure.data, panel.name
        assert len(panel.figure.to_json()) < 2_000_000
    assert "{" not in page.title + " ".join(panel.reading + panel.note for panel in page.panels)


def test_the_waterfall_ends_at_the_sum(library: Library) -> None:
    page = render(read("/gains", f"?scenario={CAP}"), library)
    values = page.panels[0].figure.data[0].x
    assert values[-1] == pytest.approx(math.fsum(values[:-1]))
    assert values[-1] == pytest.approx(math.fsum(row["difference"] for row in page.data()))
    bars = page.panels[0].figure.data[0]
    assert bars.base[1] == pytest.approx(values[0])
    found = {ENGLISH.key("group", row["group"]): row for row in page.data()}
    for label, opacity in zip(bars.y[:-1], bars.marker.opacity, strict=False):
        assert (opacity == 1) == (found[label]["low"] > 0 or found[label]["high"] < 0), label


def test_downloads_hold_what_is_shown(library: Library) -> None:
    client = make_app(library).server.test_client()
    query = "?page=compare&by=region&metric=gmv_usd"
    text = client.get(f"/download{query}&format=csv").get_data(as_text=True)
    rows = list(csv.DictReader(io.StringIO(text)))
    table = pq.read_table(io.BytesIO(client.get(f"/download{query}&format=parquet").data)).to_pylist()
    assert [row["region"] for row in rows] == [row["region"] for row in table]
    assert [float(row["difference"]) for row in rows] == [row["difference"] for row in table]
    figure = client.get(f"/download{query}&format=html&figure=forest").get_data(as_text=True)
    assert "plotly.js v" in figure
    assert client.get(f"/download{query}&format=exe").status_code == 404
    assert client.get(f"/download{query}&format=html&figure=../secret").status_code == 404


@pytest.mark.parametrize(
    "search",
    [
        "?study=../../etc", "?study=/etc", "?scenario=../../etc/passwd", "?by='; DROP TABLE runs", "?metric=__class__",
        "?lang=xx&theme=<script>", "?" + "&".join(f"k{number}=v" for number in range(500)),
        "?study=%00", "?series=" + "x" * 9000,
        "?study=%E2%80%AE", "?find=" + "(" * 300,
    ],
)  # fmt: skip
@pytest.mark.parametrize("address", SHOWN)
def test_hostile_addresses_get_a_page(address: str, search: str, library: Library) -> None:
    page = render(read(address, search), library)
    assert page.title
    assert "root:" not in words(page)


def test_only_folders_inside_are_studies(finished: Path, tmp_path: Path) -> None:
    root = tmp_path / "results"
    root.mkdir()
    (root / "escape").symlink_to(finished / "caps")
    assert Library(root).studies() == {}
    assert "no finished run" in words(render(read("/", ""), Library(root)))
    shutil.copytree(finished / "caps", root / "inside")
    for name in ("../caps", str(finished / "caps"), "escape", "inside/../../caps"):
        shutil.copytree(finished / "caps", tmp_path / "caps", dirs_exist_ok=True)
        page = render(read("/compare", f"?study={name}"), Library(root))
        assert f"there is no study '{name}'" in words(page)
        assert not page.panels
    with pytest.raises(RunFolderError, match="no such folder"):
        Library(tmp_path / "none")


def test_a_damaged_run_is_named(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished / "caps", tmp_path / "caps")
    broken = next((tmp_path / "caps" / "runs").glob("[!.]*")) / "run.parquet"
    broken.write_bytes(b"PAR1 torn")
    library = Library(tmp_path)
    with pytest.raises(UserError, match="damaged"):
        library.open("caps", wait=True)
    assert broken.parent.name in words(render(read("/compare", ""), library))


def test_a_growing_study_shows_what_all_have_finished(finished: Path, tmp_path: Path) -> None:
    root = tmp_path / "results"
    shutil.copytree(finished / "caps", root / "caps")
    gone = next(path for path in (root / "caps" / "runs").glob("[!.]*")
                if json.loads((path / "run.json").read_text())["scenario"] == "commission_cap")  # fmt: skip
    shutil.move(gone, tmp_path / "away")
    library = Library(root)
    library.open("caps", wait=True)
    page = render(read("/", ""), library)
    assert "1 runs are waiting" in words(page)
    assert page.panels
    shutil.move(tmp_path / "away", gone)
    library.forget()
    library.open("caps", wait=True)
    assert "waiting" not in words(render(read("/", ""), library))


def test_foreign_names_and_origins_are_refused(library: Library) -> None:
    client = make_app(library, hosts=frozenset({"127.0.0.1", "localhost"})).server.test_client()
    assert client.get("/", headers={"Host": "127.0.0.1:8050"}).status_code == 200
    assert client.get("/", headers={"Host": "evil.example:8050"}).status_code == 403
    assert client.get("/", headers={"Host": "localhost", "Origin": "http://evil.example"}).status_code == 403
    policy = client.get("/", headers={"Host": "localhost"}).headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy


def test_a_token_is_asked_once(library: Library) -> None:
    client = make_app(library, token="secret word").server.test_client()
    assert client.get("/").status_code == 401
    assert client.get("/?token=wrong").status_code == 401
    assert client.post("/_dash-update-component", json={}).status_code == 401
    assert client.get("/?token=secret+word").status_code == 302
    assert client.get("/").status_code == 200


def test_friends_are_those_recorded(library: Library, finished: Path) -> None:
    """People, friendships, trust and adoption of the figure are rows of the run's tables."""
    facts = {path: json.loads((path / "run.json").read_text()) for path in (finished / "caps" / "runs").glob("[!.]*")}
    run = next(path for path, said in facts.items() if said["scenario"] == "baseline" and said["seed"] == 1)
    days = pq.read_table(run / "network_days.parquet").to_pylist()
    edges = pq.read_table(run / "network.parquet").num_rows
    assert sorted({row["day"] for row in days}) == [0, 7, 9]
    for by, column in (("trust", "trust_ppm"), ("adoption", "adopter")):
        page = render(read("/network", f"?scenario={CAP}&shown=baseline&colour={by}".replace(" ", "+")), library)
        panel = page.panels[-1]
        assert panel.name == "friends"
        links, nodes = panel.figure.data
        assert 0 < len(links.x) / 3 <= edges
        assert 1 < len(nodes.x) <= 260
        known = {round(row[column] / (1e6 if by == "trust" else 1), 3) for row in days if row["day"] == 9}
        assert set(np.round(nodes.marker.color, 3)) <= known | {0.0}
        assert [frame.name for frame in panel.figure.frames] == ["2023-01-01", "2023-01-08", "2023-01-10"]
    followers = pq.read_table(run / "followers.parquet")
    rows = [row for row in page.data() if row["scenario"] == "baseline" and row["seed"] == 1]
    assert sum(row["followers"] for row in rows) == sum(followers["followers"].to_pylist()) > 0


def test_key_figures_are_those_of_the_command_line(
    library: Library, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(finished / "caps"), "--json"]) == 0
    told = [entry for entry in json.loads(capsys.readouterr().out) if entry["scenario"] == CAP]
    page = render(read("/", f"?scenario={CAP}".replace(" ", "+")), library)
    shown = words(page)
    for entry in told:
        if entry["metric"] in CARDS:
            for text in (written(entry["metric"], entry["value"]), written(entry["metric"], entry["difference"], True),
                         span_words(entry)):  # fmt: skip
                assert text in shown, entry["metric"]
    assert {row["metric"]: row["difference"] for row in page.data()} == {
        entry["metric"]: entry["difference"] for entry in told if entry["metric"] in HEADLINE
    }


def runs_of(finished: Path, table: str) -> dict[tuple[str, int], Any]:
    """Rows of a table of each run, by label and seed, and how many people a consumer stands for."""
    found = {}
    for row in read_manifest(finished / "caps"):
        run = finished / "caps" / "runs" / row["hash"]
        weight = pq.read_table(run / "run.parquet").to_pylist()[0]["weight"]
        found[row["label"], row["seed"]] = pq.read_table(run / f"{table}.parquet").to_pandas(), weight
    return found


def test_goods_are_those_recorded(library: Library, finished: Path) -> None:
    """Queues, use, days by stage and lanes of the figures, computed anew from the tables of the runs."""
    page = render(read("/logistics", f"?scenario={CAP}&shown=baseline".replace(" ", "+")), library)
    panels = {panel.name: panel.figure for panel in page.panels}
    days = runs_of(finished, "daily_warehouses")
    own = [days["baseline", seed] for seed in (1, 2)]
    waiting = sum(frame.groupby("day")["backlog"].sum() * weight for frame, weight in own) / 2
    assert np.asarray(panels["warehouses"].data[0].y) == pytest.approx(waiting.to_numpy(), abs=0.06)
    used = sum(frame.groupby("warehouse")["utilisation_permille"].mean() for frame, _ in own) / 20
    assert np.asarray(panels["use"].data[0].z).mean(axis=1) == pytest.approx(used.to_numpy(), abs=0.51)
    peak = int(waiting.to_numpy().argmax())
    bars = panels["surge"].frames[peak].data[0]
    assert sum(bars.customdata) == pytest.approx(waiting.iloc[peak], abs=13)
    assert list(bars.x) == list(panels["surge"].data[0].x)
    lanes = runs_of(finished, "lanes")
    parcels = {key: frame["parcels"].sum() for key, (frame, _) in lanes.items()}
    assert {(row["scenario"], row["seed"]) for row in page.data()} == {
        ("baseline", 1),
        ("baseline", 2),
        (CAP, 1),
        (CAP, 2),
    }
    for key in (("baseline", 1), (CAP, 2)):
        assert sum(row["parcels"] for row in page.data() if (row["scenario"], row["seed"]) == key) == parcels[key] > 0
    both = pd.concat([lanes["baseline", seed][0] for seed in (1, 2)])
    local = both[both["warehouse"] >= N_ORIGIN_WAREHOUSES].reset_index()
    each = (local["seconds_last_mile"] / local["parcels"] / 86_400).repeat(local["parcels"]).sort_values().to_numpy()
    shown = next(box for box in panels["stages"].data if box.name == "Baseline" and box.xaxis == "x")
    place = list(shown.y).index("last mile")
    assert shown.median[place] == pytest.approx(each[int(np.ceil(0.5 * each.size)) - 1])
    assert shown.upperfence[place] == pytest.approx(each[int(np.ceil(0.95 * each.size)) - 1])


def test_what_is_not_old_enough_is_told_and_not_drawn(library: Library) -> None:
    panel = next(panel for panel in render(read("/logistics", ""), library).panels if panel.name == "delivery")
    assert "No live order is 40 days old yet" in panel.reading  # in runs of ten days
    assert {trace.type for trace in panel.figure.data} == {"bar"}
    assert len(list(panel.figure.select_yaxes())) == 1
    assert sum(sum(trace.x) for trace in panel.figure.data) > 0


def test_a_question_is_followed_by_what_was_set_otherwise(library: Library) -> None:
    shown = words(render(read("/", f"?scenario={CAP}".replace(" ", "+")), library))
    assert "Set otherwise than in the scenario: firms.scale=0.1, interventions.cap.share=0.05." in shown
    asked = words(render(read("/run", "?scenario_to_run=commission_cap&levers=tariff_reduction"), library))
    assert "interventions.tariff_reduction.kind=tariff_reduction" in asked
    assert "Set otherwise" not in words(render(read("/run", "?scenario_to_run=commission_cap&consumers=300"), library))


def test_festivals_and_dates_of_policies_stand_on_the_axis(tmp_path: Path) -> None:
    """Days 3 to 6 of a lever: a dashed line where it starts, a dotted one where it ends, in both panes."""
    plan = plan_sweep([*TINY, "scenario=baseline", "+interventions.port.kind=port_closure",
                       "+interventions.port.start=3", "+interventions.port.end=6", "seed=1"])  # fmt: skip
    drive(plan, tmp_path / "port", Inline())
    library = Library(tmp_path)
    library.open("port", wait=True)
    figure = next(panel.figure for panel in render(read("/", ""), library).panels if panel.name == "time")
    lines = {(shape.line.dash, str(shape.x0), shape.yref) for shape in figure.layout.shapes if shape.line.dash}
    panes = ("y domain", "y2 domain")
    assert lines == {
        (dash, day, pane) for dash, day in (("dash", "2023-01-04"), ("dot", "2023-01-07")) for pane in panes
    }
    assert "Port" in {note.text for note in figure.layout.annotations}


def test_orders_wait_as_long_as_recorded(library: Library, finished: Path) -> None:
    opened = library.open("caps")
    assert opened is not None
    study = opened.study("baseline", (CAP,))
    assert waits(study) is None  # in ten days nothing has matured
    panel = waits(study, matured=0)
    assert panel is not None
    orders = pd.concat([runs_of(finished, "orders")["baseline", seed][0] for seed in (1, 2)])
    done = orders[(orders["delivered"] > 0) & (orders["shipped"] > 0) & (orders["channel"] < SHELF)]
    for column, (since, until) in {"x": ("placed", "shipped"), "x2": ("shipped", "delivered")}.items():
        for direct in (0, 1):
            lines = [
                line for line in panel.figure.data if line.xaxis == column and line.legendgroup == f"baseline{direct}"
            ]
            took = ((done[until] - done[since])[done["direct"] == direct] / 86_400).to_numpy()
            assert len(lines) == (took.size > 0)
            for line in lines:
                at = min(4, len(line.x) - 1)
                assert line.y[at] == pytest.approx(100 * (took < line.x[at]).mean(), abs=0.01)


def test_trust_and_adoption_are_those_recorded(library: Library, finished: Path) -> None:
    page = render(read("/network", f"?scenario={CAP}".replace(" ", "+")), library)
    figure = next(panel.figure for panel in page.panels if panel.name == "opinion")
    trust = []
    for seed in (1, 2):
        sums = runs_of(finished, "daily_people")["baseline", seed][0].groupby("day").sum(numeric_only=True)
        trust.append(sums["trust_ppm_days"] / 1e6 / sums["adopter_days"])
    line = next(trace for trace in figure.data if trace.mode == "lines" and trace.name == "Baseline")
    assert np.asarray(line.y, dtype=float) == pytest.approx((sum(trust) / 2).to_numpy())


def test_a_sweep_is_explored_by_what_was_varied(
    library: Library, finished: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(finished / "caps"), "--json"]) == 0
    told = {(entry["scenario"], entry["metric"]): entry["difference"] for entry in json.loads(capsys.readouterr().out)}
    page = render(read("/explore", "?metric=orders&against=gmv_usd"), library)
    assert {row["label"]: row["interventions.cap.share"] for row in page.data()} == {
        CAP: "0.05", ABOVE: "0.1",
    }  # fmt: skip
    for row in page.data():
        for metric in METRICS:
            expected = told[row["label"], metric]
            assert row.get(metric) == (expected if expected is None else pytest.approx(expected, rel=1e-12)), metric
    lines = [(line.y[0], line.y[1]) for line in page.panels[0].figure.data]  # two points, each in a colour of its own
    assert sorted(lines) == [(0.0, float(told[CAP, "orders"] > told[ABOVE, "orders"])),
                             (1.0, float(told[ABOVE, "orders"] > told[CAP, "orders"]))]  # fmt: skip
    assert "livecommerce search" in words(page)
    assert "livecommerce sensitivity" in words(page)


def test_a_front_holds_what_nothing_beats() -> None:
    x, y = np.array([0.0, 1.0, 2.0, 3.0, np.nan, 1.0]), np.array([5.0, 4.0, 1.0, 2.0, 9.0, 3.0])
    assert front(x, y, True, True) == [0, 1, 3]
    assert front(x, y, True, False) == [2, 3]


def test_rank_correlation_is_spearmans() -> None:
    x = np.arange(20.0)
    y = np.array([3, 1, 4, 1.5, 9, 2.6, 5.3, 5.8, 9.7, 9.3, 2.3, 8.4, 6.2, 6.4, 3.3, 8.3, 2.7, 9.5, 2.8, 8.8])
    found = rank_correlation(x, y)
    assert found is not None
    assert found[0] == pytest.approx(spearmanr(x, y).statistic)
    assert found[1] < found[0] < found[2]
    assert rank_correlation(x[:4], y[:4]) is None
