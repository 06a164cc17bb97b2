"""The recorder: closes each day into the tally's totals and writes one Parquet file per table at the end.

It sees the world through `Recordable`, a handful of read-only questions, and changes nothing in it. Days of the warm-up
leave no trace.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numba import njit
from numpy.typing import NDArray

from sim.kinds import N_CHANNELS, N_COUNTRIES, N_WAREHOUSES, SELLER_CLASSES
from sim.record.schema import (
    LEVELS,
    MATURED,
    MEASURES,
    N_FLOW_GROUPS,
    N_THIRDS,
    SCHEMA_VERSION,
    TABLES,
    UTILISATION_BIN_PERMILLE,
    UTILISATION_BINS,
    LaneMeasure,
    LanguageMeasure,
    MerchantMeasure,
    MoneyPurpose,
    StreamerMeasure,
    TableSpec,
    cell_parts,
    matured_name,
)
from sim.record.tally import Tally

I64 = NDArray[np.int64]
_PERSONS, _ADOPTERS, _TRUST = 0, 1, 2
TRUST_PPM: Final = 1_000_000
OPINION_DAYS: Final = 7  # days between two looks at the people in the sample of the network
_UNSPLIT: Final = ("string",)  # numbers are stored byte plane by byte plane: half the size of plain ones under zstd


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What identifies a run and scales it; one row of table `run`.

    Attributes:
        first_day: first reported day, in days since 2000-01-01.
        weight: W, online adults a sampled consumer stands for.
        languages: names in index order.
    """

    scenario: str
    question: str
    compared_to: str
    seed: int
    model_hash: str
    record: str
    start_date: str
    first_day: int
    days: int
    warmup_days: int
    consumers: int
    weight: float
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A span of days to mark on a time axis; days since 2000-01-01, both ends included."""

    first: int
    last: int
    kind: str  # festival or policy
    label: str


@dataclass(slots=True)
class Flows:
    """Money moved today between groups of accounts; equally long int64 arrays, groups as in `schema.FLOW_GROUPS`."""

    purpose: I64
    payer: I64
    payee: I64
    cents: I64


class Recordable(Protocol):
    """What the recorder asks a world at a day's end."""

    @property
    def tally(self) -> Tally:
        """Counts of the run."""

    def people(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], float]:
        """Columns country, third, alive, adopter, general trust, and the trust value that means 1.0."""

    def sampled_people(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Birth number, adopter and general trust (millionths) of the people in the sample of the network."""

    def flows_today(self) -> Flows:
        """Today's money flows between groups of accounts."""

    def warehouse_load(self) -> tuple[I64, I64]:
        """Today's use of each warehouse in thousandths of its throughput, and orders waiting; int64[24] each."""

    def stock_today(self) -> tuple[I64, I64]:
        """Cost of merchants' goods at the day's beginning and end; int64[2] cents each, by seller class."""

    def open_orders(self) -> int:
        """Orders not yet final."""

    def shows_today(self) -> int:
        """Shows that went on air today."""

    def money_held_cents(self) -> int:
        """Balances of the channels' escrow accounts."""


@njit(cache=True, nogil=True)
def _count_people(
    country: NDArray[Any], third: NDArray[Any], alive: NDArray[Any], adopter: NDArray[Any], trust: NDArray[Any]
) -> I64:
    """Persons, adopters and the sum of the adopters' trust in its own units; int64[3, country x third].

    Two banks of counters, so that neighbours, who are mostly of one country, do not wait for each other's sum.
    """
    places = N_COUNTRIES * N_THIRDS
    counts = np.zeros((2, 3 * places), dtype=np.int64)  # non-adopters, adopters, then the dead
    sums = np.zeros((2, 3 * places), dtype=np.int64)
    for row in range(country.size):
        where = np.int64(country[row]) * N_THIRDS + third[row]
        where += places * ((adopter[row] != 0) if alive[row] != 0 else 2)
        bank = row & 1
        counts[bank, where] += 1
        sums[bank, where] += trust[row]
    result = np.zeros((3, places), dtype=np.int64)
    for where in range(places):
        result[_ADOPTERS, where] = counts[0, places + where] + counts[1, places + where]
        result[_PERSONS, where] = counts[0, where] + counts[1, where] + result[_ADOPTERS, where]
        result[_TRUST, where] = sums[0, places + where] + sums[1, places + where]
    return result


def count_people(
    country: NDArray[Any],
    third: NDArray[Any],
    alive: NDArray[Any],
    adopter: NDArray[Any],
    trust: NDArray[Any],
    trust_one: float,
) -> I64:
    """Persons, adopters and the adopters' trust in millionths, by country and third; int64[3, country x third].

    Args:
        country, third, alive, adopter: small integers, shape (n,).
        trust: integers of which `trust_one` means 1, or floats from 0 to 1.
    """
    if trust.dtype.kind == "f":
        trust, trust_one = np.rint(trust * (TRUST_PPM / trust_one)).astype(np.int64), TRUST_PPM
    counts: NDArray[np.int64] = _count_people(country, third, alive, adopter, trust)
    counts[_TRUST] = counts[_TRUST] * TRUST_PPM // int(trust_one)
    return counts


@njit(cache=True)
def _add_flows(pairs: I64, actors: I64, purpose: I64, payer: I64, payee: I64, cents: I64) -> None:
    """Add flows to pairs int64[purpose, payer, payee] and actors int64[2 (received, paid), group, purpose]."""
    for entry in range(purpose.size):
        pairs[purpose[entry], payer[entry], payee[entry]] += cents[entry]
        actors[0, payee[entry], purpose[entry]] += cents[entry]
        actors[1, payer[entry], purpose[entry]] += cents[entry]


def write_table(folder: Path, spec: TableSpec, columns: Mapping[str, Any]) -> None:
    """Write one declared table as `<folder>/<name>.parquet` (zstd, page checksums).

    Args:
        columns: one array per declared column, equally long.

    Raises:
        KeyError: a declared column is missing. ValueError: one is there that nobody declared.
    """
    if extra := set(columns) - set(spec.column_names()):
        raise ValueError(f"table {spec.name} declares no column {sorted(extra)}")
    fields = [pa.field(column.name, column.dtype, nullable=False) for column in spec.columns]
    arrays = [
        pa.array(np.ascontiguousarray(columns[entry.name]) if isinstance(columns[entry.name], np.ndarray)
                 else columns[entry.name]).cast(entry.type)
        for entry in fields
    ]  # fmt: skip
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=pa.schema(fields)),
        folder / f"{spec.name}.parquet",
        compression="zstd",
        compression_level=6,
        use_dictionary=[column.name for column in spec.columns if column.dtype in _UNSPLIT],
        column_encoding={column.name: "BYTE_STREAM_SPLIT" for column in spec.columns if column.dtype not in _UNSPLIT},
        write_page_checksum=True,
        store_schema=False,
    )


def _occurring(**axes: I64) -> Any:
    """Rows that hold anything: OR of `!= 0` over arrays of one shape."""
    stacked = [values != 0 for values in axes.values()]
    return np.logical_or.reduce(stacked)


@dataclass(slots=True)
class Recorder:
    """Collects a run and writes it.

    Args:
        facts: what the run is.
        streamer_tier: uint8[streamers], tier of each streamer at the start.
        seller_class: uint8[merchants].
        marks: festivals and interventions for the time axis.

    Attributes:
        tally: the counts, to be handed to the rooms of the day.
    """

    facts: RunFacts
    streamer_tier: NDArray[np.uint8]
    seller_class: NDArray[np.uint8]
    marks: Sequence[Mark] = ()
    tally: Tally = field(init=False)
    _people: I64 = field(init=False)
    _people_daily: I64 = field(init=False)
    _pairs: I64 = field(init=False)
    _daily_flows: list[tuple[NDArray[Any], ...]] = field(init=False, default_factory=list)
    _daily_streamers: list[tuple[NDArray[Any], ...]] = field(init=False, default_factory=list)
    _utilisation: I64 = field(init=False)
    _backlog: I64 = field(init=False)
    _world: I64 = field(init=False)
    _stock: I64 = field(init=False)
    _orders: list[dict[str, NDArray[Any]]] = field(init=False, default_factory=list)
    _shows: list[dict[str, NDArray[Any]]] = field(init=False, default_factory=list)
    _network: dict[str, NDArray[Any]] | None = field(init=False, default=None)
    _opinions: list[tuple[NDArray[Any], ...]] = field(init=False, default_factory=list)
    _followers: I64 = field(init=False)

    def __post_init__(self) -> None:
        if self.facts.record not in LEVELS:
            raise ValueError(f"record must be one of {', '.join(LEVELS)}, not {self.facts.record!r}")
        days = self.facts.days
        self.tally = Tally(
            self.facts.first_day,
            days,
            streamers=self.streamer_tier.size,
            merchants=self.seller_class.size,
            languages=len(self.facts.languages),
            daily=self.keeps("daily"),
        )
        self._people = np.zeros((3, N_COUNTRIES * N_THIRDS), dtype=np.int64)
        self._people_daily = np.zeros((3, days, N_COUNTRIES), dtype=np.int64)
        self._pairs = np.zeros((len(MoneyPurpose), N_FLOW_GROUPS, N_FLOW_GROUPS), dtype=np.int64)
        self._utilisation = np.zeros((days, N_WAREHOUSES), dtype=np.int64)
        self._backlog = np.zeros((days, N_WAREHOUSES), dtype=np.int64)
        self._world = np.zeros((3, days), dtype=np.int64)
        self._stock = np.zeros((2, days, len(SELLER_CLASSES)), dtype=np.int64)
        self._followers = np.zeros(self.streamer_tier.size, dtype=np.int64)

    def keeps(self, level: str) -> bool:
        """Whether tables of that level are written."""
        return LEVELS.index(level) <= LEVELS.index(self.facts.record)

    def close_day(self, world: Recordable, day: int, rules: object = None) -> None:
        """Record a day (days since 2000-01-01) at its end and clear the tally for the next.

        Nothing of a warm-up day is kept. The rules are not needed: what they changed shows in what happened.
        """
        position = day - self.facts.first_day
        if not 0 <= position < self.facts.days:
            self.tally.close_day(day)
            self.tally.open_day(day + 1)
            return
        counts = count_people(*world.people())
        self._people += counts
        self._people_daily[:, position] = counts.reshape(3, N_COUNTRIES, N_THIRDS).sum(axis=2)

        flows = world.flows_today()
        actors = np.zeros((2, N_FLOW_GROUPS, len(MoneyPurpose)), dtype=np.int64)
        _add_flows(self._pairs, actors, flows.purpose, flows.payer, flows.payee, flows.cents)
        self._utilisation[position], self._backlog[position] = world.warehouse_load()
        self._stock[:, position] = world.stock_today()
        self._world[:, position] = world.open_orders(), world.shows_today(), world.money_held_cents()
        if self.keeps("daily"):
            who, why = np.nonzero(actors[0] | actors[1])
            self._daily_flows.append((np.full(who.size, position), who, why, actors[0, who, why], actors[1, who, why]))
            today = self.tally.streamer_today[[StreamerMeasure.VISITS, StreamerMeasure.SHOWS]]
            seen = np.flatnonzero(today.any(axis=0))
            self._daily_streamers.append((np.full(seen.size, position), seen, *today[:, seen]))
        if self.keeps("full") and (position % OPINION_DAYS == 0 or position == self.facts.days - 1):
            people = world.sampled_people()
            self._opinions.append((np.full(people[0].size, position), *map(np.array, people)))
        self.tally.close_day(day)
        self.tally.open_day(day + 1)

    def take_orders(self, columns: Mapping[str, NDArray[Any]] | NDArray[Any]) -> None:
        """Keep finished orders for table `orders` (record=full only), copied.

        Args:
            columns: columns by name, or a structured array with these fields; further ones are ignored.
        """
        if self.keeps("full"):
            reported = columns["tick"] // 8 >= self.facts.first_day
            self._orders.append({name: columns[name][reported] for name in TABLES["orders"].column_names()})

    def take_shows(self, day: int, columns: Mapping[str, NDArray[Any]]) -> None:
        """Keep a day's shows for table `shows` (record=full only); columns by name, without `day`."""
        position = day - self.facts.first_day
        if self.keeps("full") and 0 <= position < self.facts.days:
            kept = {name: np.array(columns[name]) for name in TABLES["shows"].column_names() if name != "day"}
            self._shows.append({"day": np.full(kept["streamer"].size, position), **kept})

    def take_network(self, columns: Mapping[str, NDArray[Any]]) -> None:
        """Keep a sample of friendships for table `network` (record=full only)."""
        self._network = {name: np.array(columns[name]) for name in TABLES["network"].column_names()}

    def take_followers(self, counts: NDArray[np.integer]) -> None:
        """Keep how many sampled consumers follow each streamer at the run's end, int[streamers]."""
        self._followers = np.array(counts, dtype=np.int64)

    def write(self, folder: Path) -> None:
        """Write every table of the run's record level into an existing folder; committing it is the caller's."""
        makers: dict[str, Any] = {
            "run": self._run_row,
            "totals": self._totals_rows,
            "people": self._people_rows,
            "streamers": self._streamer_rows,
            "followers": self._follower_rows,
            "merchants": self._merchant_rows,
            "language_pairs": self._language_rows,
            "lanes": self._lane_rows,
            "hist_delivery": lambda: _histogram(
                self.tally.hist_delivery, ("country", "channel", "direct", "bin"), "parcels"
            ),
            "hist_delivery_buyer": lambda: _histogram(
                self.tally.hist_delivery_buyer, ("category", "third", "live", "direct", "bin"), "parcels"
            ),
            "hist_utilisation": self._utilisation_histogram,
            "hist_declared": lambda: _histogram(self.tally.hist_declared, ("country", "bin"), "parcels"),
            "flows": lambda: _histogram(self._pairs, ("purpose", "payer", "payee"), "cents"),
            "merchant_stock": self._stock_rows,
            "marks": self._mark_rows,
            "daily_country": lambda: self._daily_measures(self.tally.by_country, False),
            "daily_channel": lambda: self._daily_measures(self.tally.by_channel, True),
            "daily_people": self._daily_people_rows,
            "daily_flows": lambda: _stack(
                self._daily_flows, ("day", "actor", "purpose", "received_cents", "paid_cents")
            ),
            "daily_delivery": lambda: _histogram(
                self.tally.hist_delivery_daily, ("day", "country", "direct", "bin"), "parcels"
            ),
            "daily_warehouses": self._warehouse_rows,
            "daily_streamers": lambda: _stack(self._daily_streamers, ("day", "streamer", "visits", "shows")),
            "daily_world": self._world_rows,
            "orders": lambda: _merge(self._orders, TABLES["orders"]),
            "shows": lambda: _merge(self._shows, TABLES["shows"]),
            "network_days": lambda: _stack(self._opinions, ("day", "consumer", "adopter", "trust_ppm")),
            "network": lambda: self._network or _merge([], TABLES["network"]),
        }
        for name, spec in TABLES.items():
            if self.keeps(spec.level):
                write_table(folder, spec, makers[name]())

    def _run_row(self) -> dict[str, Any]:
        facts = self.facts
        row: dict[str, Any] = {
            "schema_version": SCHEMA_VERSION,
            "scenario": facts.scenario,
            "question": facts.question,
            "compared_to": facts.compared_to,
            "seed": facts.seed,
            "model_hash": facts.model_hash,
            "record": facts.record,
            "start_date": facts.start_date,
            "days": facts.days,
            "warmup_days": facts.warmup_days,
            "consumers": facts.consumers,
            "weight": facts.weight,
            "languages": " ".join(facts.languages),
        }
        return {name: [value] for name, value in row.items()}

    def _totals_rows(self) -> dict[str, I64]:
        kept = np.flatnonzero(_occurring(totals=np.abs(self.tally.totals).sum(axis=0)))
        country, channel, category, third = cell_parts(kept)
        columns = {"country": country, "channel": channel, "category": category, "third": third}
        for measure in MEASURES:
            columns[measure.name.lower()] = self.tally.totals[measure, kept]
        for position, (measure, window) in enumerate(MATURED):
            columns[matured_name(measure, window)] = self.tally.matured[position, kept]
        return columns

    def _people_rows(self) -> dict[str, I64]:
        kept = np.flatnonzero(self._people[_PERSONS])
        people = self._people[:, kept]
        return {
            "country": kept // N_THIRDS,
            "third": kept % N_THIRDS,
            "person_days": people[_PERSONS],
            "adopter_days": people[_ADOPTERS],
            "trust_ppm_days": people[_TRUST],
        }

    def _daily_people_rows(self) -> dict[str, I64]:
        day, country = np.nonzero(self._people_daily[_PERSONS])
        people = self._people_daily[:, day, country]
        return {
            "day": day,
            "country": country,
            "person_days": people[_PERSONS],
            "adopter_days": people[_ADOPTERS],
            "trust_ppm_days": people[_TRUST],
        }

    def _streamer_rows(self) -> dict[str, NDArray[Any]]:
        kept = np.flatnonzero((self.tally.streamer != 0).any(axis=0))
        columns: dict[str, NDArray[Any]] = {"streamer": kept, "tier": self.streamer_tier[kept]}
        for measure in StreamerMeasure:
            columns[measure.name.lower()] = self.tally.streamer[measure, kept]
        return columns

    def _follower_rows(self) -> dict[str, NDArray[Any]]:
        kept = np.flatnonzero(self._followers)
        return {"streamer": kept, "tier": self.streamer_tier[kept], "followers": self._followers[kept]}

    def _merchant_rows(self) -> dict[str, NDArray[Any]]:
        kept = np.flatnonzero((self.tally.merchant != 0).any(axis=0))
        merchant = kept // N_CHANNELS
        columns: dict[str, NDArray[Any]] = {
            "merchant": merchant,
            "channel": kept % N_CHANNELS,
            "seller_class": self.seller_class[merchant],
        }
        for measure in MerchantMeasure:
            columns[measure.name.lower()] = self.tally.merchant[measure, kept]
        return columns

    def _language_rows(self) -> dict[str, NDArray[Any]]:
        kept = np.flatnonzero((self.tally.language != 0).any(axis=0))
        columns: dict[str, NDArray[Any]] = {
            "spoken": kept // self.tally.languages,
            "heard": kept % self.tally.languages,
        }
        for measure in LanguageMeasure:
            columns[measure.name.lower()] = self.tally.language[measure, kept]
        return columns

    def _lane_rows(self) -> dict[str, NDArray[Any]]:
        kept = np.flatnonzero((self.tally.lane != 0).any(axis=0))
        columns: dict[str, NDArray[Any]] = {"warehouse": kept // N_COUNTRIES, "country": kept % N_COUNTRIES}
        for measure in LaneMeasure:
            columns[measure.name.lower()] = self.tally.lane[measure, kept]
        return columns

    def _utilisation_histogram(self) -> dict[str, NDArray[Any]]:
        slot = np.clip(self._utilisation // UTILISATION_BIN_PERMILLE, 0, UTILISATION_BINS - 1)
        counts = np.zeros((N_WAREHOUSES, UTILISATION_BINS), dtype=np.int64)
        np.add.at(counts, (np.broadcast_to(np.arange(N_WAREHOUSES), slot.shape), slot), 1)
        return _histogram(counts, ("warehouse", "bin"), "days")

    def _warehouse_rows(self) -> dict[str, NDArray[Any]]:
        day, warehouse = np.indices(self._utilisation.shape).reshape(2, -1)
        return {
            "day": day,
            "warehouse": warehouse,
            "utilisation_permille": self._utilisation.reshape(-1),
            "backlog": self._backlog.reshape(-1),
        }

    def _world_rows(self) -> dict[str, NDArray[Any]]:
        open_orders, shows, money = self._world
        return {
            "day": np.arange(self.facts.days),
            "open_orders": open_orders,
            "shows": shows,
            "money_open_cents": money,
        }

    def _stock_rows(self) -> dict[str, NDArray[Any]]:
        day, seller_class = np.indices(self._stock.shape[1:]).reshape(2, -1)
        opening, closing = self._stock.reshape(2, -1)
        return {"day": day, "seller_class": seller_class, "opening_cents": opening, "closing_cents": closing}

    def _mark_rows(self) -> dict[str, Any]:
        marks = sorted(self.marks, key=lambda mark: (mark.first, mark.kind, mark.label))
        return {
            "first": np.array([mark.first - self.facts.first_day for mark in marks], dtype=np.int64),
            "last": np.array([mark.last - self.facts.first_day for mark in marks], dtype=np.int64),
            "kind": pa.array([mark.kind for mark in marks], type=pa.string()),
            "label": pa.array([mark.label for mark in marks], type=pa.string()),
        }

    def _daily_measures(self, values: I64, by_channel: bool) -> dict[str, NDArray[Any]]:
        """Rows of a daily table from values int64[measure, day, place]."""
        day, place = np.nonzero((values != 0).any(axis=0))
        columns: dict[str, NDArray[Any]] = {"day": day}
        if by_channel:
            columns |= {"region": place // N_CHANNELS, "channel": place % N_CHANNELS}
        else:
            columns |= {"country": place // 2, "live": place % 2}
        for measure in MEASURES:
            columns[measure.name.lower()] = values[measure, day, place]
        return columns


def _histogram(counts: NDArray[Any], axes: tuple[str, ...], value: str) -> dict[str, NDArray[Any]]:
    """Non-zero entries of an array as columns: one per axis, and the value."""
    where = np.nonzero(counts)
    return {**dict(zip(axes, where, strict=True)), value: counts[where].astype(np.int64)}


def _stack(days: list[tuple[NDArray[Any], ...]], names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Join the days' columns."""
    if not days:
        return {name: np.zeros(0, dtype=np.int64) for name in names}
    return {name: np.concatenate([day[position] for day in days]) for position, name in enumerate(names)}


def _merge(parts: list[dict[str, NDArray[Any]]], spec: TableSpec) -> dict[str, NDArray[Any]]:
    """Join batches of a table's columns."""
    if not parts:
        return {column.name: np.zeros(0, dtype=column.dtype) for column in spec.columns}
    return {name: np.concatenate([part[name] for part in parts]) for name in spec.column_names()}
