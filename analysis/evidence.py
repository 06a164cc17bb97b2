"""What the baseline looks like beside what is known, and what every lever and shock moves.

    python -m analysis.evidence [--consumers 50000 --seeds 5 --days 365] [--only bands,levers,elasticity] [--write]

Runs are sweeps under `--out`, in folders named by code and settings; a run that is there is not run again, so that an
interrupted call goes on where it was. `--write` makes docs/evidence.md; without it the page is printed. Why a
band is missed is said in docs/evidence_notes.yaml.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np

from analysis.comparison import Study, compare
from analysis.docpage import hand_over
from analysis.elasticity import BAND as ELASTICITY_BAND
from analysis.elasticity import RAISE, Elasticity
from analysis.elasticity import measure as measure_elasticity
from analysis.inference import Estimate, estimate
from analysis.metrics import METRICS, metrics_of
from analysis.store import Run, Store
from sim import provenance
from sim.config import RunConfig
from sim.config.quantity import read_yaml
from sim.errors import UserError, list_names, nearest
from sim.kinds import (
    CATEGORIES,
    COUNTRIES,
    N_ORIGIN_WAREHOUSES,
    PAYMENT_METHODS,
    PLATFORMS,
    REGION_OF_COUNTRY,
    REGIONS,
    SHELF,
    Flag,
    Status,
)
from sim.record.schema import Window
from sim.sweep.driver import RUNS, complete
from sim.sweep.plan import Plan, plan_sweep

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "evidence.md"
NOTES: Final = ROOT / "docs" / "evidence_notes.yaml"
LEVERS: Final = (
    "tariff_reduction", "commission_cap", "ai_translation", "overseas_warehouse", "smart_warehousing",
    "return_guarantee", "ad_disclosure", "local_payment_integration",
)  # fmt: skip
SHOCKS: Final = ("demand_surge", "payment_outage", "warehouse_closure", "carrier_suspended")
MAIN_METRICS: Final = (
    "gmv_usd", "conversion", "watch_minutes_mean", "aov_usd", "direct_shipped_share", "delivery_days_p50", "late_share",
    "payment_success_rate", "stockout_share", "oversold_share", "return_rate", "trust_mean",
    "consumer_surplus_perceived_usd", "consumer_surplus_realised_usd", "platform_profit_usd", "merchant_profit_usd",
    "government_revenue_usd",
)  # fmt: skip
EPOCH: Final = date(2000, 1, 1)
DAY: Final = 86_400
FEWEST_VISITS: Final = 1000  # cells of a region and platform with fewer visits a run are not ranked
_MINUS: Final = "\u2212"


# --- asking one run ---------------------------------------------------------------------------------------------------


def ask(run: Run, expression: str, where: str = "TRUE", table: str = "orders") -> float | None:
    """One number over a table of one run; only the columns named are read. `{start}` is its first reported day."""
    start = (date.fromisoformat(str(run.facts["start_date"])) - EPOCH).days
    file = str(run.folder / f"{table}.parquet")
    places = {"start": start, "days": run.days}
    sql = f"SELECT {expression.format(**places)} FROM read_parquet(?) WHERE {where.format(**places)}"
    with duckdb.connect(":memory:") as connection:
        connection.execute("SET threads = 1")
        row = connection.execute(sql, [file]).fetchone()
    return None if row is None or row[0] is None else float(row[0])


_LIVE: Final = f"channel < {SHELF}"
_SENT_BACK: Final = f"(status IN ({int(Status.RETURNING)}, {int(Status.RETURNED)}))"


def _country(*names: str) -> str:
    return f"country IN ({', '.join(str(COUNTRIES.index(name)) for name in names)})"


def _region(name: str) -> str:
    return _country(
        *(code for code, region in zip(COUNTRIES, REGION_OF_COUNTRY, strict=True) if REGIONS[region] == name)
    )


def _placed(first: int, last: int) -> str:
    """Orders placed from one reported day to another, both included."""
    return f"tick // 8 - {{start}} BETWEEN {first} AND {last}"


def _moment(column: str, first: int, end: int) -> str:
    """Orders for which something happened from the start of a reported day to the start of another."""
    return f"{column} >= ({{start}} + {first}) * {DAY} AND {column} < ({{start}} + {end}) * {DAY}"


def return_rate_unassured(run: Run) -> float | None:
    """Share of delivered live orders that their buyers sent back, of orders sold without a return guarantee.

    Orders placed long enough before the run's end for parcel and return window. An order whose parcel was lost on its
    way back counts as kept.
    """
    old = f"tick // 8 - {{start}} + {int(Window.OUTCOME)} <= {{days}}"
    free = f"flags & {int(Flag.GUARANTEED)} = 0"
    return ask(run, f"AVG({_SENT_BACK}::INT)", f"{_LIVE} AND delivered > 0 AND {old} AND {free}")


def surge_days(run: Run) -> str:
    """A condition on `day`: within no festival of the run."""
    with duckdb.connect(":memory:") as connection:
        rows = connection.execute(
            "SELECT first, last FROM read_parquet(?) WHERE kind = 'festival'", [str(run.folder / "marks.parquet")]
        ).fetchall()
    return " AND ".join([f"NOT day BETWEEN {first} AND {last}" for first, last in rows] or ["TRUE"])


def late_outside_surges(run: Run) -> float | None:
    """Late share of live orders placed on days that belong to no festival, matured cohorts."""
    old = f"day + {int(Window.DELIVERY)} <= {{days}}"
    return ask(run, "SUM(late) / SUM(delivered)", f"live = 1 AND {old} AND {surge_days(run)}", "daily_country")


# --- bands of the baseline --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Band:
    """A figure of the baseline and where it should lie. `low` or `high` None: no bound there; both: for information."""

    key: str
    what: str
    unit: str
    low: float | None
    high: float | None

    def holds(self, value: float) -> bool:
        """Whether a value lies within."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    @property
    def bounded(self) -> bool:
        """Whether there is anything to miss."""
        return self.low is not None or self.high is not None


BANDS: Final = (
    Band("conversion", "room visits that end in an order", "%", 2.5, 4.5),
    Band("tiktok_southeast_asia_rank", "rank by conversion of TikTok Shop in South-East Asia, among all cells below",
         "rank", None, 2),
    Band("tiktok_middle_east_rank", "the same in the Middle East", "rank", None, 2),
    Band("watch_minutes", "minutes watched a visit", "min", 12, 18),
    Band("watch_minutes_southeast_asia", "the same in South-East Asia", "min", 20, 30),
    Band("direct_share", "orders shipped from China to the buyer", "%", 35, 42),
    Band("direct_days_p10", "days of direct parcels: the fastest tenth within", "days", 15, 30),
    Band("direct_days_p90", "nine tenths within", "days", 15, 30),
    Band("stocked_days", "days from local stock, median", "days", 2, 3),
    Band("return_rate_unassured", "delivered orders sent back, sold without a guarantee", "%", 16, 25),
    Band("return_rate", "the same, all orders", "%", None, None),
    Band("view_gini", "Gini coefficient of room visits over hosts", "0-1", 0.9, None),
    Band("late_outside_surges", "delivered late, orders placed outside festivals", "%", 5, 12),
    Band("late", "the same, all days", "%", None, None),
    Band("top_categories", "electronics, beauty and home of live sales", "%", 60, 75),
    Band("order_value", "goods value of a live order", "USD", 50, 75),
    Band("seller_margin", "sellers' profit, their stock at cost, of sales", "%", 5, 12),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the runs of the baseline say: values by band and seed, conversion by region and platform, and the runs."""

    values: dict[str, list[float]]
    cells: dict[tuple[str, str], list[float]]
    runs: list[Run]


def read_baseline(folders: Sequence[Path]) -> Baseline:
    """Figures of all bands from finished runs recorded in full."""
    values: dict[str, list[float]] = {band.key: [] for band in BANDS}
    cells: dict[tuple[str, str], list[float]] = {}
    with Store(folders) as store:
        whole = [lines[0] for lines in metrics_of(store)]
        by_region = metrics_of(store, ("region",))
        by_cell = metrics_of(store, ("region", "channel"))
        by_category = metrics_of(store, ("category",))
        runs = list(store.runs)
    for number, run in enumerate(runs):
        line = whole[number]
        asia = next((row for row in by_region[number] if row["region"] == "southeast_asia"), {})
        here = {
            (row["region"], row["channel"]): float(row["conversion"])
            for row in by_cell[number]
            if row["channel"] in PLATFORMS
            and row["conversion"] is not None
            and row["room_visits_unscaled"] >= min(FEWEST_VISITS, 0.001 * line["room_visits_unscaled"])
        }
        ranked = sorted(here, key=lambda cell: -here[cell])
        for cell, conversion in here.items():
            cells.setdefault(cell, []).append(conversion)
        sales = {row["category"]: row["gmv_usd"] or 0.0 for row in by_category[number]}
        top = sum(sales.get(name, 0.0) for name in CATEGORIES[:3]) / max(sum(sales.values()), 1e-9)
        found: dict[str, float | None] = {
            "conversion": _times(line["conversion"], 100),
            "watch_minutes": line["watch_minutes_mean"],
            "watch_minutes_southeast_asia": asia.get("watch_minutes_mean"),
            "direct_share": _times(line["direct_shipped_share"], 100),
            "direct_days_p10": line["delivery_days_direct_p10"],
            "direct_days_p90": line["delivery_days_direct_p90"],
            "stocked_days": line["delivery_days_stocked_p50"],
            "return_rate_unassured": _times(return_rate_unassured(run), 100),
            "return_rate": _times(line["return_rate"], 100),
            "view_gini": line["streamer_view_gini"],
            "late_outside_surges": _times(late_outside_surges(run), 100),
            "late": _times(line["late_share"], 100),
            "top_categories": 100 * top,
            "order_value": line["aov_usd"],
            "seller_margin": _times(line["merchant_margin"], 100),
        }
        for region in ("southeast_asia", "middle_east"):
            cell = (region, "tiktok_shop")
            found[f"tiktok_{region}_rank"] = float(ranked.index(cell) + 1) if cell in here else None
        for key, value in found.items():
            if value is not None:
                values[key].append(value)
    return Baseline(values, cells, runs)


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


# --- what each scenario should move -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Cause:
    """What a scenario acts on, measured in its runs.

    Attributes:
        what: in words. unit: of the number.
        sign: +1 or -1, the direction theory gives it.
        read: from a run, and the first and last-but-one day of the intervention, to the number.
    """

    what: str
    unit: str
    sign: int
    read: Callable[[Run, int, int], float | None]


def _share(condition: str, where: str) -> Callable[[Run, int, int], float | None]:
    return lambda run, first, end: ask(run, f"100.0 * AVG(({condition})::INT)", where)


def _surge(run: Run, first: int, end: int) -> float | None:
    kinds = ", ".join(str(CATEGORIES.index(name)) for name in ("beauty", "home"))
    return ask(run, "COUNT(*)", f"category IN ({kinds}) AND {_placed(first, end - 1)}")


def _outage(run: Run, first: int, end: int) -> float | None:
    methods = ", ".join(str(PAYMENT_METHODS.index(name)) for name in ("card", "ewallet"))
    where = f"method IN ({methods}) AND {_region('southeast_asia')} AND {_moment('authorised', first, end)}"
    return ask(run, "COUNT(*)", where)


def _closure(run: Run, first: int, end: int) -> float | None:
    house = N_ORIGIN_WAREHOUSES + COUNTRIES.index("US")
    return ask(run, "COUNT(*)", f"warehouse = {house} AND {_moment('shipped', first, end)}")


def _suspension(run: Run, first: int, end: int) -> float | None:
    carrier = 2 * COUNTRIES.index("ID")
    where = f"{_country('ID')} AND {_moment('delivered', first + 1, end)}"
    return ask(run, f"100.0 * AVG((carrier = {carrier})::INT)", where)


CAUSES: Final[dict[str, Cause]] = {
    "tariff_reduction": Cause(
        "duty on parcels from China to Indonesia and Vietnam, of goods value", "%", -1,
        lambda run, first, end: ask(run, "100.0 * SUM(duty_cents) / SUM(goods_cents)",
                                    f"direct = 1 AND {_country('ID', 'VN')}")),
    "commission_cap": Cause(
        "channel's and host's charge on live orders, of goods value", "%", -1,
        lambda run, first, end: ask(run, "100.0 * SUM(commission_cents + host_cents) / SUM(goods_cents)", _LIVE)),
    "ai_translation": Cause(
        "visits to rooms in a language that is not the viewer's best", "%", +1,
        lambda run, first, end: ask(run, "100.0 * SUM(CASE WHEN spoken <> heard THEN visits ELSE 0 END) / SUM(visits)",
                                    table="language_pairs")),
    "overseas_warehouse": Cause("orders sent from stock in the buyer's country", "%", +1, _share("direct = 0", "TRUE")),
    "smart_warehousing": Cause(
        "orders whose shown stock was not there", "%", -1, _share(f"flags & {int(Flag.OVERSOLD)} > 0", "TRUE")),
    "return_guarantee": Cause(
        "live orders sold with a return guarantee", "%", +1, _share(f"flags & {int(Flag.GUARANTEED)} > 0", _LIVE)),
    "ad_disclosure": Cause(
        "live orders from rooms with an advertising label", "%", +1,
        _share(f"flags & {int(Flag.DISCLOSED)} > 0", _LIVE)),
    "local_payment_integration": Cause(
        "decisions to buy lost for want of the buyer's way to pay", "%", -1,
        lambda run, first, end: ask(run, "100.0 * SUM(payment_lost) / SUM(intents)", table="totals")),
    "demand_surge": Cause("orders of beauty and home during the surge, sampled world", "orders", +1, _surge),
    "payment_outage": Cause(
        "card and e-wallet payments approved in South-East Asia in the outage, sampled world", "orders", -1, _outage),
    "warehouse_closure": Cause(
        "orders that left the US warehouse while it was closed, sampled world", "orders", -1, _closure),
    "carrier_suspended": Cause(
        "Indonesia's deliveries in the suspension made by the suspended carrier", "%", -1, _suspension),
}  # fmt: skip


def span_of(cfg: RunConfig) -> tuple[int, int]:
    """First day and day after the last of a scenario's interventions, reported days."""
    rows = list(cfg.interventions.values())
    first = min(int(row["start"]) for row in rows)
    ends = [row.get("end") for row in rows]
    return first, cfg.days if None in ends else min(cfg.days, max(int(end) for end in ends if end is not None))


@dataclass(frozen=True, slots=True)
class Effects:
    """What one scenario did: its cause (baseline, scenario, difference), and metrics as `compare` gives them."""

    scenario: str
    cause: tuple[float, float, Estimate] | None
    entries: list[dict[str, Any]]


def read_effects(folders: Sequence[Path], plans: Mapping[str, RunConfig]) -> tuple[list[Effects], list[Run]]:
    """Paired effects of every scenario against the baseline, in the order of `plans`."""
    with Study(folders) as study:
        entries = compare(study, names=MAIN_METRICS)
        result = []
        for scenario, cfg in plans.items():
            if scenario == study.base:
                continue
            pairs = [
                (study.runs[study.position[study.base, seed]], study.runs[study.position[scenario, seed]])
                for seed in study.seeds
            ]
            own = [entry for entry in entries if entry["scenario"] == scenario]
            result.append(Effects(scenario, _cause(scenario, pairs, span_of(cfg)), own))
        return result, list(study.runs)


def _cause(scenario: str, pairs: list[tuple[Run, Run]], span: tuple[int, int]) -> tuple[float, float, Estimate] | None:
    cause = CAUSES[scenario]
    found = [(cause.read(old, *span), cause.read(new, *span)) for old, new in pairs]
    both = [(old, new) for old, new in found if old is not None and new is not None]
    if not both:
        return None
    old, new = np.array(both, dtype=np.float64).T
    return float(old.mean()), float(new.mean()), estimate(new - old)


# --- running ----------------------------------------------------------------------------------------------------------


def run_all(plan: Plan, workers: int, out: Path) -> list[Path]:
    """Folders of a plan's finished runs, in its order.

    Raises:
        RunsFailedError: the others are kept.
    """
    folder = complete(plan, out, workers)
    return [folder / RUNS / point.hash for point in plan.points]


# --- the page ---------------------------------------------------------------------------------------------------------


def number(value: float | None, digits: int | None = None, signed: bool = False) -> str:
    """A number for readers: four significant digits unless `digits` after the point are asked for."""
    if value is None:
        return "\u2013"
    if digits is None:
        size = abs(value)
        digits = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 4
    text = f"{abs(value):,.{digits}f}"
    if not text.strip("0.,"):
        return text
    return (_MINUS if value < 0 else "+" if signed else "") + text


def interval(found: Estimate, signed: bool = False, digits: int | None = None) -> str:
    """The interval's bounds; a dash with one seed."""
    if found.low is None or found.high is None:
        return "\u2013"
    return f"{number(found.low, digits, signed)} to {number(found.high, digits, signed)}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def _text(words: str) -> list[str]:
    return [*textwrap.wrap(words, 120), ""]


def read_notes(path: Path = NOTES) -> dict[str, str]:
    """Sentences about misses by key of the band.

    Raises:
        UserError: a key that no band has.
    """
    if not path.is_file():
        return {}
    notes = {str(key): str(value) for key, value in read_yaml(path).items()}
    known = [*(band.key for band in BANDS), *(f"elasticity_{name}" for name in CATEGORIES),
             *(f"cause_{name}" for name in CAUSES)]  # fmt: skip
    for key in notes:
        if key not in known:
            raise UserError(f"{path}: unknown key '{key}'; did you mean '{nearest(key, known)}'? {list_names(known)}")
    return notes


def _of(run: Run) -> str:
    facts = run.facts
    return (
        f"{facts['consumers']:,} consumers (each stands for W = {run.weight:,.0f} online adults),"
        f" {facts['warmup_days']} days of warm-up and {facts['days']} reported days from {facts['start_date']}"
    )


def bands_section(baseline: Baseline, notes: Mapping[str, str]) -> list[str]:
    """The table of bands and conversion by region and platform."""
    seeds = sorted(int(run.facts["seed"]) for run in baseline.runs)
    rows = []
    for band in BANDS:
        values = np.array(baseline.values[band.key], np.float64)
        low, high = number(band.low, 1) if band.low is not None else "", number(band.high, 1) if band.high else ""
        if band.unit in ("rank", "0-1"):
            low, high = low and f"{band.low:g}", high and f"{band.high:g}"
        bounds = f"{low} to {high}" if low and high else f"above {low}" if low else f"at most {high}" if high else ""
        if values.size == 0:
            rows.append(
                (f"`{band.key}`", band.what, "\u2013", "\u2013", bounds, "no value" if band.bounded else "", "")
            )
            continue
        found = estimate(values)
        verdict = ("pass" if band.holds(found.mean) else "**miss**") if band.bounded else ""
        digits = 3 if band.unit == "0-1" else 2
        unit = "" if band.unit in ("rank", "0-1") else f" {band.unit}"
        note = notes.get(band.key, "") if verdict == "**miss**" else ""
        rows.append((f"`{band.key}`", band.what, number(found.mean, digits) + unit, interval(found, digits=digits),
                     bounds, verdict, note))  # fmt: skip
    passed, missed = sum(row[5] == "pass" for row in rows), sum(row[5] == "**miss**" for row in rows)
    mean = {cell: sum(found) / len(found) for cell, found in baseline.cells.items()}
    used = [name for name in PLATFORMS if any(cell[1] == name for cell in mean)]
    best = sorted(mean, key=lambda cell: -mean[cell])[:2]
    cells = []
    for region in REGIONS:
        shown = []
        for platform in used:
            value = mean.get((region, platform))
            text = "" if value is None else f"{value * 100:.2f}"
            shown.append(f"**{text}**" if (region, platform) in best else text)
        cells.append((region.replace("_", " "), *shown))
    return [
        "## The baseline",
        "",
        *_text(
            f"{len(seeds)} seeds ({', '.join(map(str, seeds))}), {_of(baseline.runs[0])}. The value is the mean over"
            " seeds, the interval Student's t at 95 %. A band is met if the mean lies in it."
            f" {passed} met, {missed} missed."
        ),
        *_table(("key", "what", "value", "95 % interval", "band", "", "why not"), rows),
        *_text(
            "Orders over room visits, per cent, by region and platform (the two highest in bold; cells with next to no"
            " visits are left out):"
        ),
        *_table(("", *(name.replace("_", " ") for name in used)), cells),
    ]


def elasticity_section(found: Sequence[Elasticity], described: str, targets: Mapping[str, float],
                       notes: Mapping[str, str]) -> list[str]:  # fmt: skip
    """The price experiment."""
    low, high = ELASTICITY_BAND
    rows = []
    for row in found:
        holds = low <= row.own.mean <= high
        rows.append(
            (row.category, number(row.own.mean, 2), interval(row.own, digits=2), "pass" if holds else "**miss**",
             number(targets.get(row.category), 1), number(row.dearer.mean, 2), number(row.others.mean, 2),
             f"{row.units:,}", "" if holds else notes.get(f"elasticity_{row.category}", ""))
        )  # fmt: skip
    return [
        "## Own-price elasticity",
        "",
        *_text(
            f"{described} From the first reported day on, a keyed half of the lines of every category asks"
            f" {(RAISE - 1) * 100:.0f} % more for the goods; all else is the same, draws included. `own` is the"
            " difference between the two halves over the rise, what one line alone would lose; `dearer` and `others`"
            " are what either half did against the run without the rise. Units asked for, all channels. Band:"
            f" {number(low, 1)} to {number(high, 1)}; `set` is the parameter that the price response is built on."
        ),
        *_table(("category", "own", "95 % interval", "", "set", "dearer", "others", "units", "why not"), rows),
    ]


def effects_section(effects: Sequence[Effects], runs: Sequence[Run], notes: Mapping[str, str]) -> list[str]:
    """Causes and outcomes of all scenarios."""
    seeds = sorted({int(run.facts["seed"]) for run in runs})
    causes = []
    for effect in effects:
        cause = CAUSES[effect.scenario]
        wanted = "more" if cause.sign > 0 else "less"
        if effect.cause is None:
            causes.append((effect.scenario, cause.what, "\u2013", "\u2013", "\u2013", "\u2013", wanted, "no value", ""))
            continue
        old, new, moved = effect.cause
        right = moved.mean * cause.sign > 0
        verdict = ("yes" if right and moved.sure else "yes, not sure") if right else "**no**"
        causes.append((effect.scenario, cause.what, f"{number(old)} {cause.unit}", f"{number(new)} {cause.unit}",
                       number(moved.mean, signed=True), interval(moved, signed=True), wanted, verdict,
                       "" if verdict == "yes" else notes.get(f"cause_{effect.scenario}", "")))  # fmt: skip
    lines = [
        "## Levers and shocks",
        "",
        *_text(
            f"Every scenario against the baseline, paired by seed: {len(seeds)} seeds, {_of(runs[0])}. First what each"
            " one acts on: the direction is theory's, and whether it moved that way is the test."
        ),
        *_table(("scenario", "its cause, measured", "baseline", "scenario", "difference", "95 % interval", "theory",
                 "moved", ""), causes),
        *_text(
            "Then what came of it. No direction is expected of these. Differences are of means over the seeds; bold"
            " where the interval leaves out 0 (one in twenty does by chance). Shocks last some days of the period."
        ),
    ]  # fmt: skip
    for effect in effects:
        lines += [f"### {effect.scenario}", "", *_outcomes(effect)]
    return lines


def _outcomes(effect: Effects) -> list[str]:
    rows = []
    for entry in effect.entries:
        name = entry["metric"]
        factor, unit, digits = _shown(name)
        if entry["difference"] is None:
            rows.append((f"`{name}`", "\u2013", "\u2013", "\u2013", "\u2013"))
            continue
        found = Estimate(
            entry["difference"] * factor,
            None if entry["low"] is None else entry["low"] * factor,
            None if entry["high"] is None else entry["high"] * factor,
            None, entry["seeds"],
        )  # fmt: skip
        difference = number(found.mean, digits, signed=True)
        relative = "" if entry["relative"] is None else f"{number(entry['relative'] * 100, 2, signed=True)} %"
        rows.append((f"`{name}`", f"{number(entry['base_value'] * factor, digits)} {unit}",
                     f"**{difference}**" if found.sure else difference, interval(found, True, digits),
                     relative))  # fmt: skip
    return _table(("metric", "baseline", "difference", "95 % interval", "of the baseline"), rows)


def _shown(name: str) -> tuple[float, str, int]:
    """Factor, unit and digits in which a metric is printed."""
    metric = METRICS[name]
    if metric.scaled:
        return 1e-6, f"million {metric.unit}", 2
    if metric.unit == "share":
        return 100, "%", 3
    return 1, metric.unit, 4


def page(sections: Sequence[str], model_hash: str) -> str:
    """docs/evidence.md."""
    lines = [
        "# Evidence",
        "",
        "<!-- made by `make evidence` (analysis/evidence.py); sentences about misses: docs/evidence_notes.yaml -->",
        "",
        *_text(
            f"Made on {date.today().isoformat()} with code {provenance.code_hash()[:12]} and the baseline configuration"
            f" {model_hash[:12]} (first seed). Values are simulated; bands come from the report this model examines and"
            " from public data, see docs/geography.md and docs/unit_economics.md."
        ),
        *sections,
    ]
    return "\n".join(lines).rstrip() + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--consumers", type=int, default=50_000, help="of the baseline")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--warmup", type=int, default=90, help="of all runs")
    parser.add_argument("--lever-consumers", type=int, default=20_000, help="of levers, shocks and prices")
    parser.add_argument("--lever-seeds", type=int, default=4)
    parser.add_argument("--lever-days", type=int, default=120)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "evidence", help="folder of the runs")
    parser.add_argument("--only", default="bands,elasticity,levers", help="sections, separated by commas")
    parser.add_argument("--write", action="store_true", help="write docs/evidence.md")
    given = parser.parse_args(arguments)
    wanted = given.only.split(",")
    if unknown := [name for name in wanted if name not in ("bands", "elasticity", "levers")]:
        parser.error(f"--only: unknown section '{unknown[0]}'; allowed: bands, elasticity, levers")
    try:
        text = build(given, wanted, lambda words: print(words, file=sys.stderr, flush=True))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_status
    hand_over(text, PAGE, given.write)
    return 0


def build(given: argparse.Namespace, wanted: Sequence[str], say: Callable[[str], None]) -> str:
    """Runs what is missing and makes the page of the sections wanted."""
    notes = read_notes()

    def plan(scenarios: Sequence[str], seeds: int, consumers: int, days: int) -> Plan:
        return plan_sweep(
            [f"scenario={','.join(scenarios)}", f"seed=range(1,{seeds + 1})", f"population.consumers={consumers}",
             f"days={days}", f"warmup_days={given.warmup}", "record=full"]
        )  # fmt: skip

    bands = plan(["baseline"], given.seeds, given.consumers, given.days)
    first = bands.points[0].cfg
    lines: list[str] = []
    if "bands" in wanted:
        say(f"baseline: {given.seeds} seeds")
        lines += bands_section(read_baseline(run_all(bands, given.workers, given.out)), notes)
    if "elasticity" in wanted:
        say(f"prices: {given.lever_seeds} seeds")
        settings = [f"population.consumers={given.lever_consumers}", f"days={given.lever_days}",
                    f"warmup_days={given.warmup}", "record=summary"]  # fmt: skip
        seeds = range(1, given.lever_seeds + 1)
        found = measure_elasticity(settings, seeds, given.workers, given.out)
        targets = dict(zip(CATEGORIES, first.economics.by_category("elasticity").tolist(), strict=True))
        described = (
            f"{given.lever_seeds} seeds, {given.lever_consumers:,} consumers, {given.warmup} days of warm-up and"
            f" {given.lever_days} reported days."
        )
        lines += elasticity_section(found, described, targets, notes)
    if "levers" in wanted:
        say(f"levers and shocks: {given.lever_seeds} seeds")
        levers = plan([*LEVERS, *SHOCKS], given.lever_seeds, given.lever_consumers, given.lever_days)
        effects, runs = read_effects(
            run_all(levers, given.workers, given.out),
            {point.cfg.scenario.name: point.cfg for point in levers.points},
        )
        lines += effects_section(effects, runs, notes)
    return page(lines, first.model_hash())


if __name__ == "__main__":
    raise SystemExit(main())
