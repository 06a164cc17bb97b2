"""Every metric once: formula, unit, denominator, which way is better, and how it is computed from a run folder.

Counts and amounts are real-world ones: the sampled total times W. A ratio has no value (None) where its denominator is
0. Rates that need time use matured cohorts only: orders old enough at the run's end for the outcome to have happened.
Order metrics count orders of live rooms, unless the answer is split by channel; actors' profits, surplus, government
revenue and emissions count all channels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analysis.store import Store
from sim.errors import UserError, nearest
from sim.kinds import (
    CATEGORIES,
    CHANNELS,
    COUNTRIES,
    INCOME_THIRDS,
    N_ORIGIN_WAREHOUSES,
    N_PLATFORMS,
    REGION_OF_COUNTRY,
    REGIONS,
    SELLER_CLASSES,
    SHELF,
    STREAMER_TIERS,
)
from sim.record.schema import (
    DELIVERY_BIN_SECONDS,
    DELIVERY_BINS,
    FLOW_GROUPS,
    MATURED,
    MEASURES,
    UTILISATION_BIN_PERMILLE,
    UTILISATION_BINS,
    MoneyPurpose,
    Window,
    matured_name,
)

LEAST_REST: Final = 0.25  # of the period; what rests on less is shown, but carries no mark, headline or sentence
DIMENSIONS: Final = ("region", "country", "channel", "category", "group")
_OTHER_WORDS: Final = {
    "platform": "channel", "shop": "channel", "market": "country", "place": "country", "continent": "region",
    "product": "category", "goods": "category", "income": "group", "actor": "group", "third": "group", "tier": "group",
}  # fmt: skip
_DAY = 86_400

Rows = list[dict[str, Any]]
Key = tuple[str, ...]

CONSUMER_GROUPS: Final = tuple(f"consumers_{third}" for third in INCOME_THIRDS)
ACTOR_GROUPS: Final = (
    *(f"streamers_{tier}" for tier in STREAMER_TIERS),
    "mcns",
    "platforms",
    "shelf",
    "brand_sites",
    *(f"merchants_{size}" for size in SELLER_CLASSES),
    "carriers",
    "warehouses",
    "payment_providers",
    "treasuries",
    "treasury_cn",
)
GROUPS: Final = CONSUMER_GROUPS + ACTOR_GROUPS


@dataclass(frozen=True, slots=True)
class Actor:
    """What a group of accounts is in the reports: its kind, its group name and the places it can be split by."""

    kind: str
    group: str
    place: dict[str, str]


def _actor(position: int) -> Actor | None:
    """The actor behind a group of accounts; None for escrow and the rest of the world, which are nobody's gain."""
    head, _, tail = FLOW_GROUPS[position].partition("/")
    if head == "households":
        country, third = tail.split("/")
        return Actor("households", f"consumers_{third}", _country_place(country))
    if head == "merchants":
        return Actor("merchants", f"merchants_{tail}", {})
    if head == "streamers":
        return Actor("streamers", f"streamers_{tail}", {})
    if head == "channel":
        if tail in CHANNELS[:N_PLATFORMS]:
            return Actor("platforms", "platforms", {"channel": tail})
        return Actor("other_channels", "shelf" if tail == "shelf" else "brand_sites", {"channel": tail})
    if head == "treasury":
        return Actor("treasury", "treasuries", _country_place(tail))
    if head == "payment":
        return Actor("payment", "payment_providers", {})
    others = {
        "mcns": Actor("mcns", "mcns", {}),
        "carriers": Actor("carriers", "carriers", {}),
        "linehaul": Actor("carriers", "carriers", {}),
        "warehouses": Actor("warehouses", "warehouses", {}),
        "treasury_cn": Actor("treasury_cn", "treasury_cn", {}),
    }
    return others.get(head)


def _country_place(country: str) -> dict[str, str]:
    region = REGIONS[REGION_OF_COUNTRY[COUNTRIES.index(country)]]
    return {"country": country, "region": region}


ACTORS: Final = tuple(_actor(position) for position in range(len(FLOW_GROUPS)))


@dataclass(slots=True)
class Base:
    """Sums behind one line of the answer, unscaled. None: this sum does not exist for this split.

    Attributes:
        live: sums of measures over orders and visits of live rooms (of the line's channel, if split by channel).
        every: the same over all channels.
        people: person_days, adopter_days, trust_ppm_days.
        profit: received minus paid, loans aside, and merchants' change of stock at cost, in cents by kind of actor.
        stock_gained: change of merchants' stock at cost, in cents.
        sales: received for sales by merchants, in cents.
        taxes: tariff and VAT received by treasuries, in cents.
        delivery: parcels by direct (0/1) and bin, int64[2, bins].
        utilisation: warehouse-days by bin.
        audience: room visits of every streamer who had a show.
    """

    live: dict[str, int] | None = None
    every: dict[str, int] | None = None
    people: dict[str, int] | None = None
    profit: dict[str, int] = field(default_factory=dict)
    stock_gained: int = 0
    sales: int | None = None
    taxes: dict[str, int] | None = None
    delivery: NDArray[np.int64] | None = None
    utilisation: NDArray[np.int64] | None = None
    audience: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        unit: unit of the reported number.
        formula: in words, numerator and denominator.
        denominator: what it is a share or mean of; empty for totals.
        compute: from the sums behind a line to the unscaled number.
        scaled: multiplied by W.
        better: +1 if more is better in itself, -1 if less is, 0 if it depends on whom one asks.
        splits: dimensions it can be split by.
        window: days after which what a day began counts; None where nothing has to be waited for.
    """

    name: str
    unit: str
    formula: str
    denominator: str
    compute: Callable[[Base], float | None]
    scaled: bool = False
    better: int = 0
    splits: tuple[str, ...] = DIMENSIONS
    window: Window | None = None

    def rests_on(self, days: int, span: tuple[int, int] | None = None) -> float:
        """Share of a period's days that count: those at least `window` days before the run's end.

        Args:
            days: reported days of the run. span: first and last day of the period, both included; the run by default.
        """
        if self.window is None:
            return 1.0
        first, last = span or (0, days - 1)
        return max(0, min(last, days - int(self.window)) - first + 1) / (last - first + 1)


def _ratio(top: float | None, bottom: float | None) -> float | None:
    if top is None or not bottom:
        return None
    return top / bottom


def _live(name: str, factor: float = 1.0) -> Callable[[Base], float | None]:
    return lambda base: None if base.live is None else base.live[name] * factor


def _every(name: str, factor: float = 1.0) -> Callable[[Base], float | None]:
    return lambda base: None if base.every is None else base.every[name] * factor


def _share(top: str, bottom: str, factor: float = 1.0) -> Callable[[Base], float | None]:
    return lambda base: None if base.live is None else _ratio(base.live[top] * factor, base.live[bottom])


def _profit(*kinds: str) -> Callable[[Base], float | None]:
    def compute(base: Base) -> float | None:
        found = [base.profit[kind] for kind in kinds if kind in base.profit]
        return sum(found) / 100 if found else None

    return compute


def _channel_profit(base: Base) -> float | None:
    """The platforms' profit; that of the shelf or a brand site only on a line of its own."""
    cents = base.profit.get("platforms", base.profit.get("other_channels"))
    return None if cents is None else cents / 100


def _tax(name: str) -> Callable[[Base], float | None]:
    return lambda base: None if base.taxes is None else base.taxes[name] / 100


def quantile_days(counts: NDArray[np.int64], share: float, width: float) -> float | None:
    """Quantile of binned values, linear within the bin; None without any.

    Args:
        counts: int64[bins]. width: of a bin, in the unit of the answer.
    """
    total = int(counts.sum())
    if total == 0:
        return None
    running = np.cumsum(counts)
    wanted = share * total
    position = int(np.searchsorted(running, wanted, side="left"))
    position = min(position, counts.size - 1)
    before = int(running[position]) - int(counts[position])
    inside = (wanted - before) / int(counts[position]) if counts[position] else 0.0
    return (position + inside) * width


def _delivery(share: float, direct: int | None = None) -> Callable[[Base], float | None]:
    def compute(base: Base) -> float | None:
        if base.delivery is None:
            return None
        counts = base.delivery.sum(axis=0) if direct is None else base.delivery[direct]
        return quantile_days(counts, share, DELIVERY_BIN_SECONDS / _DAY)

    return compute


def gini(values: NDArray[np.int64] | NDArray[np.float64]) -> float | None:
    """Gini coefficient of non-negative numbers (0 equal, towards 1 concentrated); None if all are 0."""
    total = values.sum().item()
    if total == 0:
        return None
    ordered = np.sort(values)
    size = ordered.size
    weighted = (ordered * np.arange(1, size + 1, dtype=np.int64)).sum().item()
    found: float = 2 * weighted / (size * total) - (size + 1) / size
    return found


def _audience_gini(base: Base) -> float | None:
    return None if base.audience is None else gini(base.audience)


def _utilisation(base: Base) -> float | None:
    if base.utilisation is None:
        return None
    return quantile_days(base.utilisation, 0.9, UTILISATION_BIN_PERMILLE / 1000)


def _trust(base: Base) -> float | None:
    if base.people is None:
        return None
    return _ratio(base.people["trust_ppm_days"] / 1e6, base.people["adopter_days"])


def _adoption(base: Base) -> float | None:
    if base.people is None:
        return None
    return _ratio(base.people["adopter_days"], base.people["person_days"])


def _net(base: Base) -> float | None:
    return None if base.live is None else (base.live["gmv_cents"] - base.live["gmv_reversed_cents"]) / 100


def _margin(base: Base) -> float | None:
    if "merchants" not in base.profit:
        return None
    return _ratio(base.profit["merchants"], base.sales)


def _merchant_cash(base: Base) -> float | None:
    return (base.profit["merchants"] - base.stock_gained) / 100 if "merchants" in base.profit else None


def _gain(base: Base) -> float | None:
    firms = sum(value for kind, value in base.profit.items() if kind != "households") / 100
    if "households" not in base.profit or base.every is None:
        return firms if base.profit else None
    return firms + base.every["surplus_realised_mc"] * 1e-5


_W = int(Window.OUTCOME)
_PLACES = ("region", "country")
_PEOPLE_SPLITS = ("region", "country", "group")

METRICS: Final[dict[str, Metric]] = {
    metric.name: metric
    for metric in (
        Metric("gmv_usd", "USD", "goods value of orders placed, before tax and cancellation", "",
               _live("gmv_cents", 0.01), scaled=True),
        Metric("gmv_net_usd", "USD", "gmv_usd minus the goods value of orders that in the period failed payment, were "
               "cancelled, refused, lost, returned or charged back", "", _net, scaled=True),
        Metric("orders", "orders", "orders placed", "", _live("orders"), scaled=True),
        Metric("room_visits", "visits", "visits to live rooms", "", _live("room_visits"), scaled=True),
        Metric("conversion", "share", "orders placed in rooms / room visits", "room visits",
               _share("orders", "room_visits")),
        Metric("buyer_share_30d", "share", "discoveries of a seller followed by a purchase from that seller within 30 "
               "days / discoveries (matured)", "discoveries",
               _share("discovery_buyers_30d_m40", "discoveries_m40"), window=Window.DELIVERY),
        Metric("new_buyer_conversion_7d", "share", "the same within 7 days", "discoveries",
               _share("discovery_buyers_7d_m40", "discoveries_m40"), window=Window.DELIVERY),
        Metric("watch_minutes_mean", "min", "minutes watched / room visits", "room visits",
               _share("watch_seconds", "room_visits", 1 / 60)),
        Metric("aov_usd", "USD", "gmv_usd / orders", "orders", _share("gmv_cents", "orders", 0.01)),
        Metric("payment_success_rate", "share", "orders authorised / asked for (matured 3 days)",
               "authorisation requests", _share("payment_authorised_m3", "payment_requests_m3"), better=1,
               window=Window.PAYMENT),
        Metric("tariff_usd", "USD", "duty received by the 20 treasuries minus refunds, parcels and bulk imports, all "
               "channels", "", _tax("tariff"), scaled=True, splits=("region", "country")),
        Metric("vat_usd", "USD", "value added tax received by the 20 treasuries, refunds deducted, all channels", "",
               _tax("vat"), scaled=True, splits=("region", "country")),
        Metric("delivery_days_p50", "day", "median days from order to delivery (matured 40 days)", "delivered orders",
               _delivery(0.5), better=-1, window=Window.DELIVERY),
        Metric("delivery_days_p90", "day", "90 % of delivered orders arrive within (matured 40 days)",
               "delivered orders", _delivery(0.9), better=-1, window=Window.DELIVERY),
        Metric("delivery_days_direct_p10", "day", "the fastest 10 % of parcels from China", "delivered direct orders",
               _delivery(0.1, 1), better=-1, window=Window.DELIVERY),
        Metric("delivery_days_direct_p50", "day", "median of parcels from China", "delivered direct orders",
               _delivery(0.5, 1), better=-1, window=Window.DELIVERY),
        Metric("delivery_days_direct_p90", "day", "90 % of parcels from China arrive within", "delivered direct orders",
               _delivery(0.9, 1), better=-1, window=Window.DELIVERY),
        Metric("delivery_days_stocked_p50", "day", "median of orders sent from stock in the country",
               "delivered stocked orders", _delivery(0.5, 0), better=-1, window=Window.DELIVERY),
        Metric("late_share", "share", "orders delivered after the promised day / delivered orders (matured 40 days)",
               "delivered orders", _share("late_m40", "delivered_m40"), better=-1, window=Window.DELIVERY),
        Metric("direct_shipped_share", "share", "orders sent from China to the buyer / orders shipped",
               "shipped orders", _share("shipped_direct", "shipped")),
        Metric("stockout_share", "share", "intents lost as the shown stock was gone / intents", "intents",
               _share("stockouts", "intents"), better=-1),
        Metric("oversold_share", "share",
               "orders whose shown stock was not there when allocated / orders (matured 3 days)",
               "orders", _share("oversold_m3", "orders_m3"), better=-1, window=Window.PAYMENT),
        Metric("return_rate", "share", f"orders sent back / delivered orders (matured {_W} days)", "delivered orders",
               _share("returned_m60", "delivered_m60"), better=-1, window=Window.OUTCOME),
        Metric("dispute_rate", "share", f"orders disputed / delivered orders (matured {_W} days)", "delivered orders",
               _share("disputed_m60", "delivered_m60"), better=-1, window=Window.OUTCOME),
        Metric("complaint_rate", "share", f"orders with a complaint / delivered orders (matured {_W} days)",
               "delivered orders", _share("complained_m60", "delivered_m60"), better=-1, window=Window.OUTCOME),
        Metric("repurchase_rate", "share", "orders followed within 90 days by another of the same buyer from the same "
               "seller / orders (matured 90 days)", "orders", _share("repeat_orders_m90", "orders_m90"), better=1,
               window=Window.REPURCHASE),
        Metric("trust_mean", "0-1", "general trust, mean over adopters and days", "adopter-days", _trust, better=1,
               splits=_PEOPLE_SPLITS),
        Metric("adoption_share", "share", "adopters of live commerce / online adults, mean over days", "person-days",
               _adoption, splits=_PEOPLE_SPLITS),
        Metric("streamer_view_gini", "0-1", "Gini coefficient of room visits over streamers with a show",
               "streamers with a show", _audience_gini, splits=("group",)),
        Metric("warehouse_utilisation_p90", "share", "use of throughput that 90 % of warehouse-days stay below",
               "warehouse-days", _utilisation, splits=_PLACES),
        Metric("platform_profit_usd", "USD", "receipts minus payments of the platforms, loans aside, all channels", "",
               _channel_profit, scaled=True, splits=("channel", "group")),
        Metric("mcn_profit_usd", "USD", "receipts minus payments of the agencies, loans aside", "", _profit("mcns"),
               scaled=True, splits=("group",)),
        Metric("streamer_income_usd", "USD", "receipts minus payments of the streamers, loans aside", "",
               _profit("streamers"), scaled=True, splits=("group",)),
        Metric("merchant_profit_usd", "USD", "receipts minus payments of the merchants, loans aside, plus the change "
               "of their stock, under way included, at cost; all channels", "", _profit("merchants"), scaled=True,
               splits=("group",)),
        Metric("merchant_cash_usd", "USD", "receipts minus payments of the merchants, loans aside: goods count when "
               "they are paid, not when they are sold; all channels", "", _merchant_cash, scaled=True,
               splits=("group",)),
        Metric("merchant_margin", "share", "merchant_profit_usd / sales receipts minus refunds",
               "receipts from sales minus refunds", _margin, splits=("group",)),
        Metric("consumer_surplus_perceived_usd", "USD", "consumer surplus perceived at the decision, all channels", "",
               _every("surplus_perceived_mc", 1e-5), scaled=True),
        Metric("consumer_surplus_realised_usd", "USD", "experience-based consumer surplus: valued at true quality and "
               "realised delivery, all channels", "", _every("surplus_realised_mc", 1e-5), scaled=True, better=1),
        Metric("government_revenue_usd", "USD", "receipts minus payments of the 20 treasuries, all channels", "",
               _profit("treasury"), scaled=True, splits=("region", "country", "group")),
        Metric("gain_usd", "USD", "what a group gains: realised surplus of consumers, receipts minus payments of firms "
               "and treasuries, merchants' change of stock at cost; without a split, their sum", "",
               _gain, scaled=True, splits=("group",)),
        Metric("co2_kg", "kg", "emissions of shipping, packaging, failed and returned deliveries, all channels", "",
               _every("co2_g", 1e-3), scaled=True, better=-1),
        Metric("matured_share", "share", f"orders placed at least {_W} days before the run's end / orders", "orders",
               _share("orders_m60", "orders")),
    )
}  # fmt: skip

# --- reading the sums -----------------------------------------------------------------------------------------------
_REGION_SQL = f"(['{"','".join(REGIONS[region] for region in REGION_OF_COUNTRY)}'])[country + 1]"


def _names_sql(names: Sequence[str], column: str) -> str:
    return f"(['{"','".join(names)}'])[{column} + 1]"


_KEY_SQL: Final = {
    "region": _REGION_SQL,
    "country": _names_sql(COUNTRIES, "country"),
    "channel": _names_sql(CHANNELS, "channel"),
    "category": _names_sql(CATEGORIES, "category"),
    "group": _names_sql(CONSUMER_GROUPS, "third"),
}
_MEASURE_NAMES: Final = tuple(measure.name.lower() for measure in MEASURES)
_MATURED_NAMES: Final = tuple(matured_name(measure, window) for measure, window in MATURED)


def _select_keys(by: Sequence[str], region_stored: bool = False) -> tuple[str, str]:
    """SELECT list and GROUP BY list of the keys, both starting with run."""
    named = dict(_KEY_SQL)
    if region_stored:
        named["region"] = _names_sql(REGIONS, "region")
    columns = ", ".join(["run", *(f"{named[name]} AS k_{name}" for name in by)])
    return columns, "ALL"


def _key(row: dict[str, Any], by: Sequence[str]) -> Key:
    return tuple(str(row[f"k_{name}"]) for name in by)


def _lines_of(found: dict[str, NDArray[Any]], by: Sequence[str]) -> Iterator[tuple[int, Key, slice]]:
    """Run, key and place of each line in columns sorted by run and key."""
    size = found["run"].size
    changes = np.zeros(size, dtype=np.bool_)
    for column in (found["run"], *(found[f"k_{name}"] for name in by)):
        changes[1:] |= column[1:] != column[:-1]
    changes[:1] = True
    starts = np.flatnonzero(changes).tolist()
    for start, end in zip(starts, [*starts[1:], size], strict=False):
        yield int(found["run"][start]), tuple(str(found[f"k_{name}"][start]) for name in by), slice(start, end)


@dataclass(slots=True)
class _Query:
    """One question to a store: how to split and which days (offsets, both ends included; None: the whole run)."""

    store: Store
    by: tuple[str, ...]
    span: tuple[int, int] | None

    def bases(self) -> list[dict[Key, Base]]:
        """The sums, per run and key."""
        result: list[dict[Key, Base]] = [{} for _ in self.store.runs]
        if not self.by:
            for lines in result:
                lines[()] = Base()
        self._measures(result)
        self._people(result)
        self._actors(result)
        self._stock(result)
        self._delivery(result)
        self._utilisation(result)
        self._audience(result)
        return result

    def _within(self, days: str = "day") -> str:
        return "TRUE" if self.span is None else f"{days} BETWEEN {self.span[0]} AND {self.span[1]}"

    def _measures(self, result: list[dict[Key, Base]]) -> None:
        live_all = "TRUE" if "channel" in self.by else None
        if self.span is None:
            table, live = "totals", live_all or f"channel < {SHELF}"
            sums = {name: name for name in (*_MEASURE_NAMES, *_MATURED_NAMES)}
        else:
            places = set(self.by)
            if places <= {"region", "country"}:
                table, live = "daily_country", "live = 1"
            elif places <= {"region", "channel"}:
                table, live = "daily_channel", "TRUE"
            else:
                raise UserError(
                    f"--by {','.join(self.by)} with --from/--to: days are stored by country, or by region and channel;"
                    " leave out --from/--to, or split by region, country or region,channel"
                )
            sums = {name: name for name in _MEASURE_NAMES}
            for (measure, window), name in zip(MATURED, _MATURED_NAMES, strict=True):
                sums[name] = f"CASE WHEN day + {int(window)} <= run_days THEN {measure.name.lower()} ELSE 0 END"
        keys, groups = _select_keys(self.by, region_stored=table == "daily_channel")
        parts = ", ".join(f"SUM({sql}) AS {name}" for name, sql in sums.items())
        source = table if self.span is None else f"{table} JOIN run_facts USING (run) WHERE {self._within()}"
        rows = self.store.query(f"SELECT {keys}, ({live}) AS in_room, {parts} FROM {source} GROUP BY {groups}", [table])
        for row in rows:  # at most two of a line: what is live, and the rest
            base = result[row["run"]].setdefault(_key(row, self.by), Base())
            if base.live is None or base.every is None:
                base.live, base.every = dict.fromkeys(sums, 0), dict.fromkeys(sums, 0)
            for name in sums:
                base.every[name] += int(row[name])
            if row["in_room"]:
                base.live = {name: int(row[name]) for name in sums}
        if not self.by:
            for lines in result:
                if lines[()].live is None:
                    lines[()].live = dict.fromkeys(sums, 0)
                    lines[()].every = dict.fromkeys(sums, 0)

    def _within_table(self, table: str) -> str:
        return self._within() if table.startswith("daily") else "TRUE"

    def _people(self, result: list[dict[Key, Base]]) -> None:
        if not set(self.by) <= ({"region", "country"} if self.span else {"region", "country", "group"}):
            return
        table = "daily_people" if self.span else "people"
        keys, groups = _select_keys(self.by)
        sums = ("person_days", "adopter_days", "trust_ppm_days")
        parts = ", ".join(f"SUM({name}) AS {name}" for name in sums)
        rows = self.store.query(
            f"SELECT {keys}, {parts} FROM {table} WHERE {self._within_table(table)} GROUP BY {groups}", [table]
        )
        for row in rows:
            base = result[row["run"]].setdefault(_key(row, self.by), Base())
            base.people = {name: int(row[name]) for name in sums}

    def _actors(self, result: list[dict[Key, Base]]) -> None:
        if self.span is None:
            table = "flows"
            source = (
                "(SELECT run, payee AS actor, purpose, cents FROM flows UNION ALL "
                "SELECT run, payer, purpose, -cents FROM flows)"
            )
        else:
            table = "daily_flows"
            source = (
                "(SELECT run, actor, purpose, received_cents - paid_cents AS cents "
                f"FROM daily_flows WHERE {self._within()})"
            )
        net = {
            "profit": f"purpose <> {int(MoneyPurpose.LOAN)}",
            "sales": f"purpose IN ({int(MoneyPurpose.SALE)}, {int(MoneyPurpose.REFUND)})",
            "tariff": f"purpose = {int(MoneyPurpose.TARIFF)}",
            "vat": f"purpose = {int(MoneyPurpose.VAT)}",
        }
        parts = ", ".join(f"COALESCE(SUM(cents) FILTER ({which}), 0)::BIGINT AS {name}" for name, which in net.items())
        found = self.store.arrays(f"SELECT run, actor, {parts} FROM {source} GROUP BY ALL", [table])
        moved: dict[str, list[list[int]]] = {}
        for name in net:
            cents = np.zeros((len(ACTORS), len(result)), dtype=np.int64)
            cents[found["actor"], found["run"]] = found[name]
            moved[name] = cents.tolist()
        for position, actor in enumerate(ACTORS):
            if actor is None or not set(self.by) <= {*actor.place, "group"}:
                continue
            key = tuple(actor.group if name == "group" else actor.place[name] for name in self.by)
            for number, lines in enumerate(result):
                base = lines.setdefault(key, Base())
                base.profit[actor.kind] = base.profit.get(actor.kind, 0) + moved["profit"][position][number]
                if actor.kind == "merchants":
                    base.sales = (base.sales or 0) + moved["sales"][position][number]
                if actor.kind == "treasury":
                    taxes = base.taxes = base.taxes or {"tariff": 0, "vat": 0}
                    taxes["tariff"] += moved["tariff"][position][number]
                    taxes["vat"] += moved["vat"][position][number]

    def _stock(self, result: list[dict[Key, Base]]) -> None:
        """What merchants' stock has gained is no money lost: it belongs to their profit."""
        if not set(self.by) <= {"group"}:
            return
        rows = self.store.query(
            "SELECT run, seller_class, SUM(closing_cents - opening_cents)::BIGINT AS gained FROM merchant_stock "
            f"WHERE {self._within()} GROUP BY ALL",
            ["merchant_stock"],
        )
        for row in rows:
            key = tuple(f"merchants_{SELLER_CLASSES[row['seller_class']]}" for _ in self.by)
            base = result[row["run"]].setdefault(key, Base())
            base.profit["merchants"] = base.profit.get("merchants", 0) + int(row["gained"])
            base.stock_gained += int(row["gained"])

    def _delivery(self, result: list[dict[Key, Base]]) -> None:
        places = set(self.by)
        if self.span is not None:
            if not places <= {"region", "country"}:
                return
            table, where = "daily_delivery", f"{self._within()} AND day + {int(Window.DELIVERY)} <= run_days"
        elif places <= {"region", "country", "channel"}:
            table, where = "hist_delivery", "TRUE" if "channel" in places else f"channel < {SHELF}"
        elif places <= {"category", "group"}:
            table, where = "hist_delivery_buyer", "live = 1"
        else:
            return
        keys, groups = _select_keys(self.by)
        found = self.store.arrays(
            f"SELECT {keys}, direct, bin, SUM(parcels)::BIGINT AS parcels FROM {table} JOIN run_facts USING (run) "
            f"WHERE {where} GROUP BY {groups} ORDER BY ALL",
            [table],
        )
        for run, key, line in _lines_of(found, self.by):
            counts = np.zeros((2, DELIVERY_BINS), dtype=np.int64)
            counts[found["direct"][line], found["bin"][line]] = found["parcels"][line]
            result[run].setdefault(key, Base()).delivery = counts

    def _utilisation(self, result: list[dict[Key, Base]]) -> None:
        if not set(self.by) <= {"region", "country"}:
            return
        inner = f"warehouse - {N_ORIGIN_WAREHOUSES} AS country"
        if self.span is None:
            table = "hist_utilisation"
            source = f"(SELECT run, bin, days, warehouse, {inner} FROM {table})"
        else:
            table = "daily_warehouses"
            slot = f"LEAST(GREATEST(utilisation_permille // {UTILISATION_BIN_PERMILLE}, 0), {UTILISATION_BINS - 1})"
            source = f"(SELECT run, {slot} AS bin, 1 AS days, warehouse, {inner} FROM {table} WHERE {self._within()})"
        keys, groups = _select_keys(self.by)
        abroad = f"warehouse >= {N_ORIGIN_WAREHOUSES}" if self.by else "TRUE"
        rows = self.store.query(
            f"SELECT {keys}, bin, SUM(days) AS days FROM {source} WHERE {abroad} GROUP BY {groups}", [table]
        )
        for row in rows:
            base = result[row["run"]].setdefault(_key(row, self.by), Base())
            if base.utilisation is None:
                base.utilisation = np.zeros(UTILISATION_BINS, dtype=np.int64)
            base.utilisation[row["bin"]] = row["days"]

    def _audience(self, result: list[dict[Key, Base]]) -> None:
        if self.by not in ((), ("group",)):
            return
        if self.span is None:
            table, sql = "streamers", "SELECT run, streamer, tier, visits, shows FROM streamers"
        else:
            table = "daily_streamers"
            sql = (
                "SELECT d.run AS run, d.streamer AS streamer, ANY_VALUE(s.tier) AS tier, SUM(d.visits) AS visits, "
                "SUM(d.shows) AS shows FROM daily_streamers d JOIN streamers s USING (run, streamer) "
                f"WHERE {self._within('d.day')} GROUP BY ALL"
            )
        tier = _names_sql([f"streamers_{name}" for name in STREAMER_TIERS], "tier") + " AS k_group, " if self.by else ""
        found = self.store.arrays(
            f"SELECT run, {tier}visits FROM ({sql}) WHERE shows > 0 OR visits > 0 ORDER BY ALL", [table, "streamers"]
        )
        for run, key, line in _lines_of(found, self.by):
            result[run].setdefault(key, Base()).audience = found["visits"][line]


def check_dimensions(by: Iterable[str]) -> tuple[str, ...]:
    """The dimensions to split by, in the order given.

    Raises:
        UserError: an unknown one, or one named twice.
    """
    wanted = tuple(by)
    for name in wanted:
        if name not in DIMENSIONS:
            hint = _OTHER_WORDS.get(name.lower().removesuffix("s")) or nearest(name.lower(), DIMENSIONS)
            raise UserError(
                f"--by: unknown dimension '{name}'; allowed: {', '.join(DIMENSIONS)}"
                + (f"; did you mean '{hint}'?" if hint else "")
            )
    if len(set(wanted)) != len(wanted):
        raise UserError(f"--by: a dimension is named twice in {','.join(wanted)}")
    return wanted


def day_offset(value: int | str | date, start_date: str, option: str) -> int:
    """Days since the first reported day, from an ISO date or such a number.

    Raises:
        UserError: neither.
    """
    if isinstance(value, int):
        return value
    first = date.fromisoformat(start_date)
    if isinstance(value, date):
        return (value - first).days
    text = str(value).strip()
    try:
        return int(text) if text.removeprefix("-").isdecimal() else (date.fromisoformat(text) - first).days
    except ValueError:
        raise UserError(f"{option}: '{value}' is neither an ISO date (2023-05-31) nor a number of days") from None


def span_of(store: Store, start: int | str | date | None, end: int | str | date | None) -> tuple[int, int] | None:
    """The days asked for, checked against every run; None for the whole run."""
    if start is None and end is None:
        return None
    facts = store.runs[0].facts
    days = min(run.days for run in store.runs)
    first = 0 if start is None else day_offset(start, facts["start_date"], "--from")
    last = days - 1 if end is None else day_offset(end, facts["start_date"], "--to")
    opening = date.fromisoformat(facts["start_date"])
    allowed = f"days 0 to {days - 1}, which are {opening} to {opening + timedelta(days=days - 1)}"
    for option, given, day in (("--from", start, first), ("--to", end, last)):
        if not 0 <= day < days:
            raise UserError(f"{option} {given}: is outside the run; allowed: {allowed}")
    if first > last:
        raise UserError(f"--from {start} is after --to {end}: give the earlier day to --from and the later to --to")
    return first, last


_UNKNOWN_ORDER = 1_000_000


def order(key: Key, by: Sequence[str]) -> tuple[int, ...]:
    """Sort keys as the vocabularies are ordered."""
    orders: dict[str, tuple[str, ...]] = {
        "region": REGIONS, "country": COUNTRIES, "channel": CHANNELS, "category": CATEGORIES, "group": GROUPS,
    }  # fmt: skip
    return tuple(
        orders[name].index(value) if value in orders[name] else _UNKNOWN_ORDER
        for name, value in zip(by, key, strict=True)
    )


def _line(base: Base, weight: float, by: Sequence[str]) -> dict[str, Any]:
    """All metrics of one line, scaled, with W and the unscaled totals beside them."""
    line: dict[str, Any] = {}
    unscaled: dict[str, Any] = {}
    for metric in METRICS.values():
        value = metric.compute(base) if set(by) <= set(metric.splits) else None
        if metric.scaled:
            unscaled[f"{metric.name}_unscaled"] = value
            value = None if value is None else value * weight
        line[metric.name] = value
    return {**line, "weight": weight, **unscaled}


def metrics_of(
    store: Store,
    by: Iterable[str] = (),
    start: int | str | date | None = None,
    end: int | str | date | None = None,
) -> list[Rows]:
    """Metrics of every run of a store: for each run its lines, one per key that occurs (one line without a split).

    Args:
        by: dimensions to split by, out of `DIMENSIONS`.
        start, end: first and last day, as ISO dates or days since the first reported day; both included.

    Returns:
        Per run, dictionaries of the keys (names) and all metrics; None where there is no value.

    Raises:
        UserError: unknown dimension or day, or a split that the record level does not hold.
    """
    split = check_dimensions(by)
    bases = _Query(store, split, span_of(store, start, end)).bases()
    return [
        [
            {**dict(zip(split, key, strict=True)), **_line(base, run.weight, split)}
            for key, base in sorted(lines.items(), key=lambda item: order(item[0], split))
        ]
        for run, lines in zip(store.runs, bases, strict=True)
    ]


def metrics(
    run_dir: Path | str,
    by: Iterable[str] = (),
    start: int | str | date | None = None,
    end: int | str | date | None = None,
) -> dict[str, Any] | Rows:
    """Metrics of one run: a flat dictionary, or with `by` a list of such, one per key.

    Raises:
        UserError: as `metrics_of`; or the folder holds no finished run, or several.
    """
    split = check_dimensions(by)
    with Store([run_dir]) as store:
        if len(store.runs) != 1:
            raise UserError(
                f"{run_dir}: holds {len(store.runs)} runs; name one of them, such as {store.runs[0].folder},"
                " or use `livecommerce compare`"
            )
        lines = metrics_of(store, split, start, end)[0]
    return lines if split else lines[0]


def markdown() -> str:
    """docs/metrics.md, made from the declarations."""
    lines = [
        "# Metrics",
        "",
        "<!-- made by `python -m analysis.metrics` from the declarations in analysis/metrics.py: change those -->",
        "",
        "Printed by `livecommerce metrics RUN_DIR [--by region,country,channel,category,group] [--from --to]`.",
        "",
        "- Counts and amounts are real-world ones: totals of the sample times `weight` (W, the online "
        "adults one sampled consumer stands for). `<name>_unscaled` beside them is the sample's own total.",
        "- A metric is null where its denominator is 0, no cohort has matured, or the split has no meaning for it.",
        "- Order metrics count orders of live rooms; `--by channel` adds the shelf and brand sites. Actors' profits, "
        "surplus, government revenue, duty and VAT, and emissions count all channels.",
        "- Rates that need time belong to the day the order was placed and use matured cohorts: orders placed at least "
        f"{int(Window.PAYMENT)} (payment), {int(Window.DELIVERY)} (delivery), {int(Window.OUTCOME)} (return, dispute, "
        f"complaint) or {int(Window.REPURCHASE)} days (repurchase) before the end of the run. `matured_share` says how "
        f"much of the orders that is at {int(Window.OUTCOME)} days. `rests_on` of `livecommerce compare --json` is the "
        f"share of the period's days that count for a metric. Below {LEAST_REST:.0%} the value stays, but `compare`, "
        "report and dashboard give it no mark and leave it out of what they say: it rests on the first days alone.",
        "- `--from/--to` needs `record=daily` and splits by region, country, or region and channel.",
        "- Delivery days are kept by region, country and channel, and by category and group, not mixed; with "
        "`--from/--to` by region and country.",
        "- `--by group` gives one line per income third of consumers and per group of actors.",
        "",
        "| metric | unit | how | of | splits | better |",
        "|---|---|---|---|---|---|",
    ]
    arrows = {1: "more", -1: "less", 0: "depends"}
    for metric in METRICS.values():
        splits = "all" if metric.splits == DIMENSIONS else ", ".join(metric.splits)
        scaled = " (x W)" if metric.scaled else ""
        lines.append(
            f"| `{metric.name}` | {metric.unit}{scaled} | {metric.formula} | {metric.denominator or '-'} |"
            f" {splits} | {arrows[metric.better]} |"
        )
    lines += ["", "## Measures they are made of", "", "| measure | unit | dated by | meaning |", "|---|---|---|---|"]
    for measure, spec in MEASURES.items():
        dated = "order day" if spec.cohort else "event day"
        lines.append(f"| `{measure.name.lower()}` | {spec.unit} | {dated} | {spec.meaning} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    Path(__file__).resolve().parents[1].joinpath("docs", "metrics.md").write_text(markdown(), encoding="utf-8")
