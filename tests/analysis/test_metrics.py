"""Metrics against numbers worked out by hand, from a recorder fed with known counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.metrics import METRICS, gini, markdown, metrics, quantile_days
from sim.errors import RunFolderError, UserError
from sim.kinds import SHELF
from sim.record.schema import (
    GROUP_CHANNELS,
    GROUP_ESCROW,
    GROUP_MCNS,
    GROUP_MERCHANTS,
    GROUP_REST,
    GROUP_STREAMERS,
    GROUP_TREASURY,
    Measure,
    MoneyPurpose,
    StreamerMeasure,
    cell,
)
from tests.record.fake_world import FIRST_DAY, FakeWorld, new_recorder, written

ISSUE_NAMES = """gmv_usd gmv_net_usd orders room_visits conversion buyer_share_30d watch_minutes_mean aov_usd
payment_success_rate tariff_usd vat_usd delivery_days_p50 delivery_days_p90 late_share direct_shipped_share
stockout_share oversold_share return_rate dispute_rate complaint_rate repurchase_rate trust_mean adoption_share
streamer_view_gini warehouse_utilisation_p90 platform_profit_usd mcn_profit_usd streamer_income_usd
merchant_profit_usd consumer_surplus_perceived_usd consumer_surplus_realised_usd government_revenue_usd co2_kg
matured_share""".split()

US_TIKTOK = cell(0, 1, 1, 0)
ID_SHOPEE = cell(7, 2, 0, 2)
US_SHELF = cell(0, SHELF, 1, 1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred days: trade on day 0 (every cohort matured) and day 98 (none but nothing)."""
    recorder = new_recorder()
    world = FakeWorld(recorder)
    tally = recorder.tally
    for day in range(FIRST_DAY - 2, FIRST_DAY + 100):
        tally.open_day(day)
        world.flows = []
        world.stock = np.array([[700, 0], [700, 0]])
        if day in (FIRST_DAY, FIRST_DAY + 98):
            tally.add(Measure.ROOM_VISITS, US_TIKTOK, 100)
            tally.add(Measure.ROOM_VISITS, ID_SHOPEE, 300)
            tally.add(Measure.WATCH_SECONDS, US_TIKTOK, 100 * 600)
            tally.add(Measure.WATCH_SECONDS, ID_SHOPEE, 300 * 1200)
            tally.add(Measure.INTENTS, US_TIKTOK, 5)
            tally.add(Measure.STOCKOUTS, US_TIKTOK, 1)
            for where, orders, cents in ((US_TIKTOK, 4, 20_000), (ID_SHOPEE, 6, 30_000), (US_SHELF, 90, 90_000)):
                tally.add(Measure.ORDERS, where, orders)
                tally.add(Measure.GMV_CENTS, where, cents)
            tally.add(Measure.GMV_REVERSED_CENTS, ID_SHOPEE, 1_000)
            tally.add(Measure.SURPLUS_REALISED_MC, US_SHELF, 500_000)
            tally.add(Measure.CO2_G, US_SHELF, 2_500)
            tally.add_streamer(StreamerMeasure.VISITS, np.array([0]), 100)
            tally.add_streamer(StreamerMeasure.SHOWS, np.array([0, 1]))
            world.flows = [
                (MoneyPurpose.SALE, 0, GROUP_ESCROW + 1, 25_000),
                (MoneyPurpose.SALE, GROUP_ESCROW + 1, GROUP_MERCHANTS, 20_000),
                (MoneyPurpose.TARIFF, GROUP_ESCROW + 1, GROUP_TREASURY, 3_000),
                (MoneyPurpose.VAT, GROUP_ESCROW + 1, GROUP_TREASURY, 2_000),
                (MoneyPurpose.COMMISSION, GROUP_MERCHANTS, GROUP_CHANNELS + 1, 4_000),
                (MoneyPurpose.HOST_COMMISSION, GROUP_CHANNELS + 1, GROUP_STREAMERS, 1_500),
                (MoneyPurpose.AGENCY_SHARE, GROUP_STREAMERS, GROUP_MCNS, 500),
                (MoneyPurpose.PRODUCTION, GROUP_MERCHANTS, GROUP_REST, 15_000),
                (MoneyPurpose.LOAN, GROUP_REST, GROUP_MERCHANTS, 9_999),
            ]
            world.stock = np.array([[700, 90], [950, 40]])
            two = np.array([day, day])
            where = np.array([US_TIKTOK, ID_SHOPEE])
            tally.add_cohort(Measure.PAYMENT_REQUESTS, day, where, np.array([4, 6]))
            tally.add_cohort(Measure.PAYMENT_AUTHORISED, day, where, np.array([4, 5]))
            tally.add_cohort(Measure.SHIPPED, day, where, 4)
            tally.add_cohort(Measure.SHIPPED_DIRECT, day, where, np.array([1, 3]))
            days = np.array([3, 20]) * 86_400
            tally.add_delivery(two, where, np.array([0, 1]), days, np.array([0, 1]))
            tally.add_delivery(two[:1], np.array([US_SHELF]), np.array([0]), days[:1], np.array([0]))
            tally.add_cohort(Measure.RETURNED, day, ID_SHOPEE)
            tally.add_cohort(Measure.REPEAT_ORDERS, day, ID_SHOPEE, 3)
        recorder.close_day(world, day)
    return written(recorder, tmp_path_factory.mktemp("run"))


def test_the_issue_s_names_are_there(run: Path) -> None:
    assert set(ISSUE_NAMES) <= set(METRICS)
    found = metrics(run)
    assert isinstance(found, dict)
    assert set(METRICS) | {"weight"} <= set(found)


def test_whole_run_equals_hand_computation(run: Path) -> None:
    found = metrics(run)
    weight = 1000.0
    expected = {
        "weight": weight,
        "orders": 20 * weight,
        "orders_unscaled": 20,
        "gmv_usd": 1000 * weight,
        "gmv_net_usd": 980 * weight,
        "room_visits": 800 * weight,
        "conversion": 20 / 800,
        "watch_minutes_mean": (10 + 3 * 20) / 4,
        "aov_usd": 50.0,
        "payment_success_rate": 9 / 10,
        "stockout_share": 1 / 5,
        "direct_shipped_share": 4 / 8,
        "late_share": 1 / 2,
        "return_rate": 1 / 2,
        "dispute_rate": 0.0,
        "repurchase_rate": 3 / 10,
        "matured_share": 0.5,
        "buyer_share_30d": None,  # nobody discovered anything
        "trust_mean": 0.25,
        "adoption_share": 0.5,
        "streamer_view_gini": 0.5,
        "consumer_surplus_realised_usd": 10 * weight,
        "co2_kg": 5 * weight,
        "tariff_usd": 60 * weight,
        "vat_usd": 40 * weight,
        "government_revenue_usd": 100 * weight,
        "platform_profit_usd": 50 * weight,
        "streamer_income_usd": 20 * weight,
        "mcn_profit_usd": 10 * weight,
        "merchant_cash_usd": 20 * weight,  # the loan is not income
        "merchant_profit_usd": 24 * weight,  # goods bought and still there are not spent
        "merchant_margin": 1_200 / 20_000,
        "gain_usd": (10 + 100 + 50 + 20 + 10 + 24) * weight,
        "delivery_days_p50": 3.25,
        "delivery_days_direct_p50": 20.125,
    }
    for name, value in expected.items():
        assert found[name] == (None if value is None else pytest.approx(value)), name
    assert found["warehouse_utilisation_p90"] == pytest.approx(0.509)


def test_by_channel_adds_the_shelf(run: Path) -> None:
    lines = {line["channel"]: line for line in metrics(run, by=["channel"])}
    assert list(lines)[:3] == ["amazon_live", "tiktok_shop", "shopee_live"]
    assert lines["shelf"]["orders_unscaled"] == 180
    assert lines["shelf"]["conversion"] is None
    assert lines["tiktok_shop"]["platform_profit_usd"] == pytest.approx(50_000)
    assert lines["shelf"]["platform_profit_usd"] == 0


def test_by_country_and_region_agree_with_the_whole(run: Path) -> None:
    whole = metrics(run)
    for split in ("region", "country", "category"):
        lines = metrics(run, by=[split])
        assert sum(line["orders"] or 0 for line in lines) == whole["orders"]
    by_country = {line["country"]: line for line in metrics(run, by=["country"])}
    assert by_country["US"]["orders_unscaled"] == 8  # the shelf's are not there
    assert by_country["US"]["consumer_surplus_realised_usd"] == pytest.approx(10_000)
    assert by_country["US"]["tariff_usd"] == pytest.approx(60_000)
    assert by_country["US"]["platform_profit_usd"] is None


def test_by_group_lists_who_gains(run: Path) -> None:
    lines = {line["group"]: line for line in metrics(run, by=["group"])}
    assert lines["consumers_middle"]["gain_usd"] == pytest.approx(10_000)
    assert lines["merchants_small"]["merchant_profit_usd"] == pytest.approx(25_000)
    assert lines["merchants_small"]["merchant_cash_usd"] == pytest.approx(20_000)
    assert lines["merchants_large"]["merchant_profit_usd"] == pytest.approx(-1_000)
    assert lines["streamers_head"]["streamer_income_usd"] == pytest.approx(20_000)
    assert lines["treasuries"]["gain_usd"] == pytest.approx(100_000)
    assert sum(line["gain_usd"] or 0 for line in lines.values()) == pytest.approx(metrics(run)["gain_usd"])


def test_days_add_up_to_the_whole_run(run: Path) -> None:
    whole, days = metrics(run), metrics(run, start=0, end=99)
    for name, value in whole.items():
        assert days[name] == (None if value is None else pytest.approx(value)), name
    for by in (["country"], ["region"]):
        for whole_line, day_line in zip(metrics(run, by=by), metrics(run, by=by, start=0), strict=True):
            for name, value in whole_line.items():
                assert day_line[name] == (value if value is None or isinstance(value, str) else pytest.approx(value))


def test_a_part_of_the_run(run: Path) -> None:
    first = metrics(run, start="2023-01-01", end="2023-01-31")
    assert first["orders_unscaled"] == 10
    assert first["return_rate"] == pytest.approx(0.5)
    last = metrics(run, start=90)
    assert last["orders_unscaled"] == 10
    assert last["return_rate"] is None  # not matured
    assert last["matured_share"] == 0


def test_empty_days_have_no_ratios(run: Path) -> None:
    found = metrics(run, start=10, end=20)
    assert found["orders"] == 0
    assert all(found[name] is None for name in ("conversion", "aov_usd", "late_share", "stockout_share"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"by": ["contry"]}, "did you mean 'country'"),
        ({"start": "soon"}, "neither an ISO date"),
        ({"start": 50, "end": 100}, "--to 100: is outside the run; allowed: days 0 to 99, which are 2023-01-01 to"),
        ({"start": "2022-12-31"}, "--from 2022-12-31: is outside the run"),
        ({"start": "2023-02-10", "end": "2023-02-01"}, "--from 2023-02-10 is after --to 2023-02-01"),
        ({"start": "\u00b2"}, "neither an ISO date"),
        ({"start": "9" * 5000}, "neither an ISO date"),
        ({"by": ["platform"]}, "unknown dimension 'platform'.*did you mean 'channel'"),
        ({"by": ["Countries"]}, "did you mean 'country'"),
        ({"by": ["category"], "start": 0}, "days are stored by country"),
    ],
)
def test_bad_questions_are_refused(run: Path, arguments: dict[str, object], words: str) -> None:
    with pytest.raises(UserError, match=words):
        metrics(run, **arguments)


def test_days_need_the_daily_level(tmp_path: Path) -> None:
    folder = written(new_recorder(record="summary"), tmp_path)
    metrics(folder)
    with pytest.raises(UserError, match="needs record=daily, the run has record=summary; run it again with record"):
        metrics(folder, start=0)


def no_parquet(message: str) -> bool:
    """Whether a message speaks of the user's files only, and not of queries."""
    return not any(word in message for word in ("SELECT", "Error", "read_parquet", "DuckDB", "FROM"))


@pytest.mark.parametrize(
    ("file", "damage", "words"),
    [
        ("run.json", b"{", "run.json: is damaged"),
        ("run.json", b"", "run.json: is damaged"),
        ("run.json", b"\xff\xfe", "run.json: is damaged"),
        ("run.json", b"[]", "run.json: does not belong to the tables beside it"),
        ("run.json", b'{"config_hash": "other", "seed": 7}', "run.json: does not belong to the tables beside it"),
        ("run.json", None, "run.json: is missing"),
        ("run.parquet", b"PAR1", "run.parquet: is damaged"),
        ("run.parquet", None, "run.parquet: is missing"),
        ("totals.parquet", b"PAR1 torn PAR1", "totals.parquet: is damaged"),
        ("flows.parquet", b"", "flows.parquet: is damaged"),
        ("people.parquet", None, "people.parquet: is missing though the run has record=daily"),
        ("daily_country.parquet", None, "daily_country.parquet: is missing though the run has record=daily"),
    ],
)
def test_a_damaged_run_is_told_by_its_file(tmp_path: Path, file: str, damage: bytes | None, words: str) -> None:
    folder = written(new_recorder(record="daily"), tmp_path / "run")
    if damage is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(damage)
    with pytest.raises(RunFolderError) as caught:
        metrics(folder, start=0 if file.startswith("daily") else None)
    assert words in str(caught.value)
    assert "remove the folder and run it again" in str(caught.value)
    assert no_parquet(str(caught.value))


@pytest.mark.parametrize("name", ["a run", "it's", "run[1]", "seed=7", "run*", "läuft", "a,b", "{a,b}", "%20"])
def test_any_folder_name_will_do(tmp_path: Path, name: str) -> None:
    written(new_recorder(), tmp_path / "run1")
    folder = written(new_recorder(), tmp_path / name)
    assert metrics(folder)["orders"] == 0
    assert metrics(tmp_path / "run1" / ".." / name)["orders"] == 0


@pytest.mark.parametrize(
    ("folder", "words"), [("", "empty"), (" ", "empty"), ("nowhere", "no such folder"), ("x" * 300, "no such folder")]
)
def test_a_folder_without_a_run(folder: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(written(new_recorder(), tmp_path / "run"))
    with pytest.raises(RunFolderError, match=words):
        metrics(folder)


def test_a_metric_knows_on_which_share_of_the_period_it_rests() -> None:
    assert METRICS["gmv_usd"].rests_on(60) == 1
    assert METRICS["return_rate"].rests_on(60) == 1 / 60
    assert METRICS["return_rate"].rests_on(59) == 0
    assert METRICS["return_rate"].rests_on(100, (0, 9)) == 1
    assert METRICS["return_rate"].rests_on(100, (31, 50)) == 0.5
    assert METRICS["return_rate"].rests_on(100, (41, 99)) == 0
    assert METRICS["payment_success_rate"].rests_on(100, (90, 99)) == 0.8


def test_gini_and_quantiles() -> None:
    assert gini(np.array([0, 0, 0])) is None
    assert gini(np.array([5, 5, 5])) == pytest.approx(0)
    assert gini(np.array([0, 0, 0, 8])) == pytest.approx(0.75)
    assert quantile_days(np.array([0, 0]), 0.5, 1.0) is None
    assert quantile_days(np.array([0, 2, 2]), 0.5, 0.25) == pytest.approx(0.5)


def test_the_page_of_metrics_is_current() -> None:
    page = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
    assert page.read_text(encoding="utf-8") == markdown(), "run `python -m analysis.metrics`"
