"""Every measure, table and column a run writes, once: name, dtype, unit, meaning.

Additive columns are integers, so that sums in DuckDB are exact and the same in any order. Money is in US cents of the
sampled world; readers multiply by W, the number of real online adults a sampled consumer stands for. A *cell* is
country x channel x category x income third, flattened as `((country * 10 + channel) * 8 + category) * 3 + third`.

Two ways to date a number. *Event* measures belong to the day on which they happen. *Cohort* measures belong to the day
on which the order they concern was placed, whenever they happen, so that a rate compares outcomes with the orders they
come from; a cohort's rate is read only once its window has passed (`Window`), else late outcomes would be missing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sim.kinds import (
    CHANNELS,
    COUNTRIES,
    INCOME_THIRDS,
    N_CATEGORIES,
    N_CHANNELS,
    N_COUNTRIES,
    N_REGIONS,
    N_WAREHOUSES,
    PAYMENT_METHODS,
    SELLER_CLASSES,
    STREAMER_TIERS,
)

N_THIRDS: Final = len(INCOME_THIRDS)
N_CELLS: Final = N_COUNTRIES * N_CHANNELS * N_CATEGORIES * N_THIRDS
SCHEMA_VERSION: Final = 2


def cell(country: int, channel: int, category: int, third: int) -> int:
    """Index of one cell; arguments are indices into `sim.kinds`."""
    return ((country * N_CHANNELS + channel) * N_CATEGORIES + category) * N_THIRDS + third


def cells(
    country: NDArray[np.integer],
    channel: NDArray[np.integer],
    category: NDArray[np.integer],
    third: NDArray[np.integer],
) -> NDArray[np.int64]:
    """Indices of many cells, int64[n]; the arguments broadcast."""
    wide = np.asarray(country, dtype=np.int64)
    result: NDArray[np.int64] = ((wide * N_CHANNELS + channel) * N_CATEGORIES + category) * N_THIRDS + third
    return result


def cell_parts(
    index: NDArray[np.integer],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Country, channel, category and third of cell indices, int64[n] each."""
    rest, third = np.divmod(np.asarray(index, dtype=np.int64), N_THIRDS)
    rest, category = np.divmod(rest, N_CATEGORIES)
    country, channel = np.divmod(rest, N_CHANNELS)
    return country, channel, category, third


class Measure(IntEnum):
    """What is counted per cell. Values are positions in the tally; append only."""

    ROOM_VISITS = 0
    WATCH_SECONDS = 1
    OPENINGS = 2
    INTENTS = 3
    STOCKOUTS = 4
    PAYMENT_LOST = 5
    ORDERS = 6
    UNITS = 7
    GMV_CENTS = 8
    CANCELLED = 9
    OVERSOLD = 10
    PAYMENT_REQUESTS = 11
    PAYMENT_AUTHORISED = 12
    SHIPPED = 13
    SHIPPED_DIRECT = 14
    DELIVERED = 15
    LATE = 16
    TRANSIT_SECONDS = 17
    RETURNED = 18
    DISPUTED = 19
    COMPLAINED = 20
    REFUSED = 21
    LOST = 22
    REFUNDED_CENTS = 23
    DUTY_CENTS = 24
    VAT_CENTS = 25
    REPEAT_ORDERS = 26
    SURPLUS_PERCEIVED_MC = 27
    SURPLUS_REALISED_MC = 28
    CO2_G = 29
    GMV_REVERSED_CENTS = 30
    DISCOVERIES = 31
    DISCOVERY_BUYERS_30D = 32
    DISCOVERY_BUYERS_7D = 33
    DELIVERED_DIRECT = 34
    FREIGHT_CENTS = 35
    SUBSIDY_CENTS = 36
    INTERACTIONS = 37
    FOLLOWS = 38
    SATISFACTION_PPM = 39
    BREACHED = 40


N_MEASURES: Final = len(Measure)


class Window(IntEnum):
    """Days after the order day at which a cohort counts as matured; the key of the array order in the tally."""

    PAYMENT = 3  # the slowest authorisation is a cash voucher's, a day or two
    DELIVERY = 40  # above the 30 days within which 90 % of direct parcels arrive
    OUTCOME = 60  # delivery plus a return or dispute window
    REPURCHASE = 90  # the definition of a repeat purchase


WINDOWS: Final = tuple(Window)


@dataclass(frozen=True, slots=True)
class MeasureSpec:
    """How one measure is counted.

    Attributes:
        unit: unit of the stored integer.
        cohort: dated by the order's day (True) or by the day it happens (False).
        meaning: one line, with the moment at which it is counted.
        windows: cohort windows at which a matured total is stored beside the plain one.
    """

    unit: str
    cohort: bool
    meaning: str
    windows: tuple[Window, ...] = ()


_SETTLED = (Window.DELIVERY, Window.OUTCOME)

MEASURES: Final[dict[Measure, MeasureSpec]] = {
    Measure.ROOM_VISITS: MeasureSpec("visits", False, "visits to a live room (category of the first line shown)"),
    Measure.WATCH_SECONDS: MeasureSpec("s", False, "seconds watched in live rooms"),
    Measure.OPENINGS: MeasureSpec("sessions", False, "sessions opened on a channel, whether or not a room was entered"),
    Measure.INTENTS: MeasureSpec("intents", False, "decisions to buy"),
    Measure.STOCKOUTS: MeasureSpec("intents", False, "intents lost because the shown stock was gone"),
    Measure.PAYMENT_LOST: MeasureSpec("intents", False, "intents lost for want of the buyer's payment method"),
    Measure.ORDERS: MeasureSpec("orders", False, "orders placed (payment requested)", (*WINDOWS,)),
    Measure.UNITS: MeasureSpec("units", False, "units in the orders placed"),
    Measure.GMV_CENTS: MeasureSpec("cent", False, "goods value of orders placed, discounted, before tax and freight"),
    Measure.CANCELLED: MeasureSpec("orders", True, "orders cancelled by the seller", (Window.DELIVERY,)),
    Measure.OVERSOLD: MeasureSpec(
        "orders", True, "orders for which the stock shown was not there at allocation", (Window.PAYMENT,)
    ),
    Measure.PAYMENT_REQUESTS: MeasureSpec("orders", True, "authorisations requested", (Window.PAYMENT,)),
    Measure.PAYMENT_AUTHORISED: MeasureSpec("orders", True, "authorised, or accepted as cash", (Window.PAYMENT,)),
    Measure.SHIPPED: MeasureSpec("orders", True, "orders that left a warehouse"),
    Measure.SHIPPED_DIRECT: MeasureSpec("orders", True, "of these, sent from China to the buyer"),
    Measure.DELIVERED: MeasureSpec("orders", True, "orders delivered to the buyer", _SETTLED),
    Measure.LATE: MeasureSpec("orders", True, "orders delivered after the promised day", (Window.DELIVERY,)),
    Measure.TRANSIT_SECONDS: MeasureSpec("s", True, "seconds from order to delivery", (Window.DELIVERY,)),
    Measure.RETURNED: MeasureSpec("orders", True, "orders the buyer sends back", (Window.OUTCOME,)),
    Measure.DISPUTED: MeasureSpec("orders", True, "orders disputed", (Window.OUTCOME,)),
    Measure.COMPLAINED: MeasureSpec("orders", True, "orders with a complaint", (Window.OUTCOME,)),
    Measure.REFUSED: MeasureSpec("orders", True, "cash orders refused at the door", (Window.DELIVERY,)),
    Measure.LOST: MeasureSpec("orders", True, "parcels lost or seized", (Window.DELIVERY,)),
    Measure.REFUNDED_CENTS: MeasureSpec("cent", True, "money paid back to buyers, taxes and freight included"),
    Measure.DUTY_CENTS: MeasureSpec("cent", False, "duty on direct parcels, charged at checkout"),
    Measure.VAT_CENTS: MeasureSpec("cent", False, "VAT on direct parcels, charged at checkout"),
    Measure.REPEAT_ORDERS: MeasureSpec(
        "orders",
        True,
        "orders followed within 90 days by another of the same buyer from the same seller; dated by the EARLIER order",
        (Window.REPURCHASE,),
    ),
    Measure.SURPLUS_PERCEIVED_MC: MeasureSpec("1e-5 USD", False, "consumer surplus as perceived at the decision"),
    Measure.SURPLUS_REALISED_MC: MeasureSpec("1e-5 USD", False, "experience-based consumer surplus (Train 2015)"),
    Measure.CO2_G: MeasureSpec("g", False, "emissions of shipping, packaging, failed and returned deliveries"),
    Measure.GMV_REVERSED_CENTS: MeasureSpec(
        "cent",
        False,
        "goods value of orders that today failed payment, were cancelled, refused, lost, returned, charged back",
    ),
    Measure.DISCOVERIES: MeasureSpec(
        "discoveries", True, "persons meeting a seller they were not aware of; dated by that day", (Window.DELIVERY,)
    ),
    Measure.DISCOVERY_BUYERS_30D: MeasureSpec(
        "discoveries", True, "discoveries followed by a purchase from that seller within 30 days", (Window.DELIVERY,)
    ),
    Measure.DISCOVERY_BUYERS_7D: MeasureSpec(
        "discoveries", True, "discoveries followed by a purchase from that seller within 7 days", (Window.DELIVERY,)
    ),
    Measure.DELIVERED_DIRECT: MeasureSpec("orders", True, "delivered orders that came from China", (Window.DELIVERY,)),
    Measure.FREIGHT_CENTS: MeasureSpec("cent", False, "freight charged to buyers"),
    Measure.SUBSIDY_CENTS: MeasureSpec("cent", False, "platform subsidies deducted at checkout"),
    Measure.INTERACTIONS: MeasureSpec("interactions", False, "viewers who interact (comment, like, ask)"),
    Measure.FOLLOWS: MeasureSpec("follows", False, "new follows of streamers"),
    Measure.SATISFACTION_PPM: MeasureSpec(
        "1e-6", True, "satisfaction (0-1) summed over judged deliveries", (Window.OUTCOME,)
    ),
    Measure.BREACHED: MeasureSpec(
        "persons", False, "users whose data got out of a platform (all in the first category)"
    ),
}

# (measure, window) pairs for which a matured total is stored per cell, in this order
MATURED: Final = tuple((measure, window) for measure, spec in MEASURES.items() for window in spec.windows)


def matured_name(measure: Measure, window: Window) -> str:
    """Column name of a matured total, such as `returned_m60`."""
    return f"{measure.name.lower()}_m{int(window)}"


class StreamerMeasure(IntEnum):
    """What is counted per streamer."""

    VISITS = 0
    VIEW_SECONDS = 1
    ORDERS = 2
    GMV_CENTS = 3
    SHOWS = 4  # shows that went on air


class MerchantMeasure(IntEnum):
    """What is counted per merchant and channel."""

    ORDERS = 0
    GMV_CENTS = 1
    UNITS = 2
    COMMISSION_CENTS = 3
    RETURNED = 4


class LanguageMeasure(IntEnum):
    """What is counted per ordered pair (language of the show, best language of the viewer)."""

    VISITS = 0
    WATCH_SECONDS = 1
    ORDERS = 2


class LaneMeasure(IntEnum):
    """What is counted per lane (warehouse, destination country) when a parcel arrives."""

    PARCELS = 0
    GOODS_CENTS = 1
    LATE = 2
    SECONDS_WAREHOUSE = 3  # release to leaving the warehouse, queue included
    SECONDS_LINEHAUL = 4
    SECONDS_CUSTOMS = 5
    SECONDS_SORT = 6
    SECONDS_LAST_MILE = 7


class MoneyPurpose(IntEnum):
    """Why money moves; the same numbers as the ledger's purposes."""

    SALE = 0
    REFUND = 1
    COMMISSION = 2
    HOST_COMMISSION = 3
    AGENCY_SHARE = 4
    SLOT_FEE = 5
    TRAFFIC = 6
    LOGISTICS = 7
    TARIFF = 8
    VAT = 9
    PAYMENT_FEE = 10
    FX = 11
    WAGE = 12
    TECHNOLOGY = 13
    COMPLIANCE = 14
    FINE = 15
    SUBSIDY = 16
    LOAN = 17
    INTEREST = 18
    PREMIUM = 19
    CLAIM = 20
    PRODUCTION = 21
    SERVICE_FEE = 22


# --- groups of accounts between which flows are reported ------------------------------------------------------------
# position -> name; households by country and third first, so that position = country * 3 + third
FLOW_GROUPS: Final[tuple[str, ...]] = (
    *(f"households/{country}/{third}" for country in COUNTRIES for third in INCOME_THIRDS),
    *(f"merchants/{size}" for size in SELLER_CLASSES),
    *(f"streamers/{tier}" for tier in STREAMER_TIERS),
    "mcns",
    *(f"channel/{name}" for name in CHANNELS),
    *(f"escrow/{name}" for name in CHANNELS),
    "carriers",
    "linehaul",
    "warehouses",
    *(f"payment/{method}" for method in PAYMENT_METHODS),
    *(f"treasury/{country}" for country in COUNTRIES),
    "treasury_cn",
    "rest_of_world",
)
N_FLOW_GROUPS: Final = len(FLOW_GROUPS)
GROUP_HOUSEHOLDS: Final = 0
GROUP_MERCHANTS: Final = FLOW_GROUPS.index("merchants/small")
GROUP_STREAMERS: Final = FLOW_GROUPS.index("streamers/head")
GROUP_MCNS: Final = FLOW_GROUPS.index("mcns")
GROUP_CHANNELS: Final = FLOW_GROUPS.index("channel/amazon_live")
GROUP_ESCROW: Final = FLOW_GROUPS.index("escrow/amazon_live")
GROUP_CARRIERS: Final = FLOW_GROUPS.index("carriers")
GROUP_LINEHAUL: Final = FLOW_GROUPS.index("linehaul")
GROUP_WAREHOUSES: Final = FLOW_GROUPS.index("warehouses")
GROUP_PAYMENT: Final = FLOW_GROUPS.index("payment/card")
GROUP_TREASURY: Final = FLOW_GROUPS.index("treasury/US")
GROUP_TREASURY_CN: Final = FLOW_GROUPS.index("treasury_cn")
GROUP_REST: Final = FLOW_GROUPS.index("rest_of_world")

# --- histogram bins ---------------------------------------------------------------------------------------------------
DELIVERY_BIN_SECONDS: Final = 21_600  # a quarter of a day
DELIVERY_BINS: Final = 4 * 75 + 1  # the last bin holds everything from 75 days
UTILISATION_BIN_PERMILLE: Final = 10
UTILISATION_BINS: Final = 201  # the last bin holds 200 % and more
DECLARED_BIN_PERMILLE: Final = 50  # declared value as a share of the duty threshold
DECLARED_BINS: Final = 61  # the last bin holds three times the threshold and more
N_LANES: Final = N_WAREHOUSES * N_COUNTRIES
N_REGION_CHANNELS: Final = N_REGIONS * N_CHANNELS


@dataclass(frozen=True, slots=True)
class ColumnSpec:
    """One column of an output table: Arrow type name, unit ("index" for a position in `sim.kinds`), meaning."""

    name: str
    dtype: str
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class TableSpec:
    """One output table: the record level from which it is written, its keys and its columns."""

    name: str
    level: str  # summary, daily or full
    meaning: str
    columns: tuple[ColumnSpec, ...] = field(default=())

    def column_names(self) -> tuple[str, ...]:
        """Column names in stored order."""
        return tuple(column.name for column in self.columns)


LEVELS: Final = ("summary", "daily", "full")

_DAY = ColumnSpec("day", "int16", "day", "days since the first reported day")
_COUNTRY = ColumnSpec("country", "int8", "index", "destination country")
_REGION = ColumnSpec("region", "int8", "index", "region")
_CHANNEL = ColumnSpec("channel", "int8", "index", "channel: 0-7 platforms, 8 shelf, 9 brand site")
_CATEGORY = ColumnSpec("category", "int8", "index", "product category")
_THIRD = ColumnSpec("third", "int8", "index", "income third of the buyer within the country")
_DIRECT = ColumnSpec("direct", "int8", "0/1", "1: sent from China to the buyer, 0: from stock in the country")
_BIN = ColumnSpec("bin", "int16", "bin", "histogram bin, lower edge = bin x width")
_LIVE = ColumnSpec("live", "int8", "0/1", "1: ordered in a live room, 0: shelf or brand site")
_WAREHOUSE = ColumnSpec("warehouse", "int8", "index", "warehouse: 0-3 in China, 4 + country elsewhere")

_MEASURE_COLUMNS = tuple(
    ColumnSpec(measure.name.lower(), "int64", spec.unit, spec.meaning + (" (by order day)" if spec.cohort else ""))
    for measure, spec in MEASURES.items()
)
_MATURED_COLUMNS = tuple(
    ColumnSpec(
        matured_name(measure, window),
        "int64",
        MEASURES[measure].unit,
        f"{measure.name.lower()} over orders placed at least {int(window)} days before the run's end",
    )
    for measure, window in MATURED
)


def _side_columns(kind: type[IntEnum]) -> tuple[ColumnSpec, ...]:
    """Columns of a side table, one per member; the unit is read off the name."""
    units = {"CENTS": "cent", "SECONDS": "s"}
    return tuple(
        ColumnSpec(
            member.name.lower(),
            "int64",
            next((unit for key, unit in units.items() if key in member.name), "count"),
            member.name.lower().replace("_", " "),
        )
        for member in kind
    )


_PEOPLE = (
    ColumnSpec("person_days", "int64", "person-days", "persons alive at the day's end, summed over days"),
    ColumnSpec("adopter_days", "int64", "person-days", "of these, adopters of live commerce"),
    ColumnSpec("trust_ppm_days", "int64", "1e-6 person-days", "general trust (0-1) summed over adopters and days"),
)

TABLES: Final[dict[str, TableSpec]] = {
    table.name: table
    for table in (
        TableSpec(
            "run",
            "summary",
            "one row: what was run and how to scale it",
            (
                ColumnSpec("schema_version", "int32", "number", "version of these tables"),
                ColumnSpec("scenario", "string", "name", "scenario"),
                ColumnSpec("question", "string", "text", "the question the scenario asks"),
                ColumnSpec("compared_to", "string", "name", "scenario it is meant to be compared to"),
                ColumnSpec("seed", "int64", "number", "seed"),
                ColumnSpec("model_hash", "string", "hex", "hash of the model half of the configuration"),
                ColumnSpec("record", "string", "level", "record level"),
                ColumnSpec("start_date", "string", "date", "first reported day"),
                ColumnSpec("days", "int32", "day", "reported days"),
                ColumnSpec("warmup_days", "int32", "day", "days before them, counted nowhere"),
                ColumnSpec("consumers", "int64", "persons", "sampled consumers"),
                ColumnSpec("weight", "float64", "persons", "W: online adults a sampled consumer stands for"),
                ColumnSpec("languages", "string", "names", "languages in index order, separated by blanks"),
            ),
        ),
        TableSpec(
            "totals",
            "summary",
            "whole-run totals by cell, cells that occur only; `_mNN` columns hold matured cohorts",
            (_COUNTRY, _CHANNEL, _CATEGORY, _THIRD, *_MEASURE_COLUMNS, *_MATURED_COLUMNS),
        ),
        TableSpec(
            "people",
            "summary",
            "persons, adopters and their trust by country and income third",
            (_COUNTRY, _THIRD, *_PEOPLE),
        ),
        TableSpec(
            "streamers",
            "summary",
            "whole-run totals per streamer",
            (
                ColumnSpec("streamer", "int32", "index", "streamer"),
                ColumnSpec("tier", "int8", "index", "tier: head, middle, tail"),
                *_side_columns(StreamerMeasure),
            ),
        ),
        TableSpec(
            "followers",
            "full",
            "sampled consumers who follow each streamer at the run's end; streamers with any",
            (
                ColumnSpec("streamer", "int32", "index", "streamer"),
                ColumnSpec("tier", "int8", "index", "tier: head, middle, tail"),
                ColumnSpec("followers", "int64", "persons", "sampled consumers who follow"),
            ),
        ),
        TableSpec(
            "merchants",
            "summary",
            "whole-run totals per merchant and channel",
            (
                ColumnSpec("merchant", "int32", "index", "merchant"),
                _CHANNEL,
                ColumnSpec("seller_class", "int8", "index", "small or large"),
                *_side_columns(MerchantMeasure),
            ),
        ),
        TableSpec(
            "language_pairs",
            "summary",
            "visits and orders by ordered pair of languages",
            (
                ColumnSpec("spoken", "int16", "index", "language of the show"),
                ColumnSpec("heard", "int16", "index", "language of the viewer"),
                *_side_columns(LanguageMeasure),
            ),
        ),
        TableSpec(
            "lanes",
            "summary",
            "parcels that arrived, by warehouse of origin and destination, with the time spent in each stage",
            (_WAREHOUSE, _COUNTRY, *_side_columns(LaneMeasure)),
        ),
        TableSpec(
            "hist_delivery",
            "summary",
            "days from order to delivery in bins of a quarter day, matured cohorts",
            (_COUNTRY, _CHANNEL, _DIRECT, _BIN, ColumnSpec("parcels", "int64", "orders", "orders in the bin")),
        ),
        TableSpec(
            "hist_delivery_buyer",
            "summary",
            "the same by category and income third",
            (_CATEGORY, _THIRD, _LIVE, _DIRECT, _BIN, ColumnSpec("parcels", "int64", "orders", "orders in the bin")),
        ),
        TableSpec(
            "hist_utilisation",
            "summary",
            "warehouse-days by share of throughput used, in bins of one per cent",
            (_WAREHOUSE, _BIN, ColumnSpec("days", "int64", "days", "warehouse-days in the bin")),
        ),
        TableSpec(
            "hist_declared",
            "summary",
            "direct parcels by declared value over the duty threshold, in bins of five per cent",
            (_COUNTRY, _BIN, ColumnSpec("parcels", "int64", "orders", "parcels in the bin")),
        ),
        TableSpec(
            "flows",
            "summary",
            "money moved over the reported days between groups of accounts",
            (
                ColumnSpec("purpose", "int8", "index", "purpose of the posting"),
                ColumnSpec("payer", "int16", "index", "group that pays (position in FLOW_GROUPS)"),
                ColumnSpec("payee", "int16", "index", "group that receives"),
                ColumnSpec("cents", "int64", "cent", "amount; negative where reversals outweigh"),
            ),
        ),
        TableSpec(
            "merchant_stock",
            "summary",
            "what merchants' goods, in warehouses and on the way there, have cost, by day",
            (
                _DAY,
                ColumnSpec("seller_class", "int8", "index", "small or large"),
                ColumnSpec("opening_cents", "int64", "cent", "at the beginning of the day, weighted-average cost"),
                ColumnSpec("closing_cents", "int64", "cent", "at its end"),
            ),
        ),
        TableSpec(
            "marks",
            "summary",
            "dates to mark on a time axis",
            (
                ColumnSpec("first", "int32", "day", "first day, counted from the first reported day"),
                ColumnSpec("last", "int32", "day", "last day"),
                ColumnSpec("kind", "string", "name", "festival or policy (an intervention, a shock)"),
                ColumnSpec("label", "string", "text", "name"),
            ),
        ),
        TableSpec(
            "daily_country",
            "daily",
            "measures by day, country, rooms or not",
            (_DAY, _COUNTRY, _LIVE, *_MEASURE_COLUMNS),
        ),
        TableSpec(
            "daily_channel",
            "daily",
            "measures by day, region and channel",
            (_DAY, _REGION, _CHANNEL, *_MEASURE_COLUMNS),
        ),
        TableSpec(
            "daily_people", "daily", "persons, adopters and trust by day and country", (_DAY, _COUNTRY, *_PEOPLE)
        ),
        TableSpec(
            "daily_flows",
            "daily",
            "money received and paid by day, group of accounts and purpose (households by country and third)",
            (
                _DAY,
                ColumnSpec("actor", "int16", "index", "group of accounts (position in FLOW_GROUPS)"),
                ColumnSpec("purpose", "int8", "index", "purpose of the posting"),
                ColumnSpec("received_cents", "int64", "cent", "received"),
                ColumnSpec("paid_cents", "int64", "cent", "paid"),
            ),
        ),
        TableSpec(
            "daily_delivery",
            "daily",
            "delivery time of live orders by order day and country, in bins of a quarter day",
            (_DAY, _COUNTRY, _DIRECT, _BIN, ColumnSpec("parcels", "int64", "orders", "orders in the bin")),
        ),
        TableSpec(
            "daily_warehouses",
            "daily",
            "warehouses by day",
            (
                _DAY,
                _WAREHOUSE,
                ColumnSpec("utilisation_permille", "int32", "1e-3", "orders handled over throughput"),
                ColumnSpec("backlog", "int64", "orders", "orders waiting at the day's end"),
            ),
        ),
        TableSpec(
            "daily_streamers",
            "daily",
            "room visits by day and streamer on air",
            (
                _DAY,
                ColumnSpec("streamer", "int32", "index", "streamer"),
                ColumnSpec("visits", "int64", "visits", "room visits"),
                ColumnSpec("shows", "int64", "shows", "shows that went on air"),
            ),
        ),
        TableSpec(
            "daily_world",
            "daily",
            "stocks of the whole world at the end of each day",
            (
                _DAY,
                ColumnSpec("open_orders", "int64", "orders", "orders not yet final"),
                ColumnSpec("shows", "int64", "shows", "shows on air that day"),
                ColumnSpec("money_open_cents", "int64", "cent", "money held for buyers and sellers by the channels"),
            ),
        ),
        TableSpec(
            "orders",
            "full",
            "every order placed on a reported day, as it stood when final or at the run's end; row order is free",
            (
                ColumnSpec("birth", "int64", "number", "birth number of the buyer"),
                ColumnSpec("tick", "int32", "tick", "day x 8 + daypart of placing, days since 2000-01-01"),
                ColumnSpec("ordinal", "int8", "index", "0 live order, 1 shelf or brand-site order of the daypart"),
                _CHANNEL,
                _COUNTRY,
                _CATEGORY,
                _THIRD,
                ColumnSpec("merchant", "int32", "index", "merchant"),
                ColumnSpec("line", "int32", "index", "product line"),
                ColumnSpec("tier", "int8", "index", "step of the line's price-quality ladder"),
                ColumnSpec("quantity", "int16", "units", "units"),
                ColumnSpec("streamer", "int32", "index", "streamer, 65535 off the rooms"),
                ColumnSpec("method", "int8", "index", "payment method"),
                _DIRECT,
                ColumnSpec("warehouse", "int16", "index", "warehouse, 255 if none"),
                ColumnSpec("carrier", "int16", "index", "last-mile carrier, 255 if none"),
                ColumnSpec("mode", "int16", "index", "line-haul mode of a direct parcel, 255 if none"),
                ColumnSpec("status", "int8", "index", "state of the goods"),
                ColumnSpec("money", "int8", "index", "state of the money"),
                ColumnSpec("flags", "int32", "bits", "what happened to the order"),
                *(
                    ColumnSpec(name, "int32", "s", f"moment it was {name}, seconds since 2000-01-01; 0: not")
                    for name in ("placed", "promised", "authorised", "shipped", "delivered", "closed")
                ),
                *(
                    ColumnSpec(f"{name}_cents", "int32", "cent", name)
                    for name in (
                        "goods",
                        "freight",
                        "duty",
                        "vat",
                        "subsidy",
                        "commission",
                        "host",
                        "agency",
                        "fee",
                        "refunded",
                    )
                ),
                ColumnSpec("expected_quality", "float32", "0-1", "quality the buyer expected"),
                ColumnSpec("satisfaction", "float32", "0-1", "satisfaction after delivery, nan if never judged"),
            ),
        ),
        TableSpec(
            "shows",
            "full",
            "shows by day",
            (
                _DAY,
                ColumnSpec("streamer", "int32", "index", "streamer"),
                ColumnSpec("platform", "int8", "index", "platform"),
                _COUNTRY,
                ColumnSpec("discount_permille", "int32", "1e-3", "discount on the list price"),
                ColumnSpec("exaggeration", "float32", "0-1", "claimed minus true quality"),
                ColumnSpec("disclosed", "int8", "0/1", "carries an advertising label"),
                ColumnSpec("popularity", "float32", "viewers", "smoothed expected audience"),
            ),
        ),
        TableSpec(
            "network_days",
            "full",
            "people in the sample of the network, every seventh day and on the last",
            (
                _DAY,
                ColumnSpec("consumer", "int64", "number", "birth number"),
                ColumnSpec("adopter", "int8", "0/1", "the consumer is an adopter"),
                ColumnSpec("trust_ppm", "int32", "1e-6", "general trust of the consumer"),
            ),
        ),
        TableSpec(
            "network",
            "full",
            "friendships among a sample of consumers at the run's end",
            (
                ColumnSpec("consumer", "int64", "number", "birth number"),
                ColumnSpec("friend", "int64", "number", "birth number of a friend in the sample"),
                _COUNTRY,
                ColumnSpec("adopter", "int8", "0/1", "the consumer is an adopter"),
                ColumnSpec("trust_ppm", "int32", "1e-6", "general trust of the consumer"),
            ),
        ),
    )
}
