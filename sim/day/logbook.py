"""What happened to goods, counted for the record. Decides nothing and changes nothing but the tally."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.agents.carrier import Emission, bulk_co2_g, failed_co2_g, lost_co2_g, parcel_co2_g
from sim.kernels.lanes import can_resell
from sim.kernels.threads import fetch
from sim.kinds import MODES, N_CATEGORIES, N_CHANNELS, N_ORIGIN_WAREHOUSES, SHELF, Event
from sim.messages import Consignment, Movements, Released
from sim.record.schema import N_THIRDS, LaneMeasure, Measure, MerchantMeasure
from sim.record.tally import Sheets, Tally, cell_of, count, count_cohort, count_delivery, count_merchant
from sim.rules import Packaging, Rules
from sim.state.catalogue import Catalogue
from sim.state.orders import AHEAD, Orders, Records

I64 = NDArray[np.int64]
U8 = NDArray[np.uint8]
F32 = NDArray[np.float32]

_SHIPPED, _DELIVERED, _REFUSED = int(Event.SHIPPED), int(Event.DELIVERED), int(Event.REFUSED)
_LOST, _SEIZED, _RETURN_RECEIVED = int(Event.LOST), int(Event.SEIZED), int(Event.RETURN_RECEIVED)
_ONE = np.int64(1)
_BY_SEA = MODES.index("sea_bulk")
_MIDDLE_THIRD = 1
COUNT_SHIPPED, COUNT_SHIPPED_DIRECT = np.int64(Measure.SHIPPED), np.int64(Measure.SHIPPED_DIRECT)
COUNT_REFUSED, COUNT_LOST, COUNT_CO2 = np.int64(Measure.REFUSED), np.int64(Measure.LOST), np.int64(Measure.CO2_G)
COUNT_RETURNED = np.int64(MerchantMeasure.RETURNED)


@njit(cache=True, error_model="numpy", nogil=True, _nrt=False)
def _moved(
    times: I64,
    kinds: U8,
    rows: I64,
    data: Records,
    weight_kg: F32,
    emission: Emission,
    sheets: Sheets,
    daily: NDArray[np.int32],
) -> None:
    """Counts what happened to goods, by the orders' cells, and what it emitted."""
    for position in range(times.size):
        if position + AHEAD < times.size and rows[position + AHEAD] >= 0:
            fetch(data, rows[position + AHEAD])
        kind = kinds[position]
        if kind not in (_SHIPPED, _DELIVERED, _REFUSED, _LOST, _SEIZED, _RETURN_RECEIVED):
            continue
        order = data[rows[position]]
        cell = cell_of(order)
        day = np.int64(order.tick) >> 3
        direct = np.int64(order.direct)
        if kind == _SHIPPED:
            count_cohort(sheets, COUNT_SHIPPED, day, cell, _ONE)
            count_cohort(sheets, COUNT_SHIPPED_DIRECT, day, cell, direct)
        elif kind == _DELIVERED:
            second = times[position]
            late = np.int64(1 if second > order.promised else 0)
            count_delivery(sheets, daily, day, cell, direct, second - order.placed, late)
            weight = np.float64(weight_kg[order.line] * np.float32(order.quantity))
            grams = parcel_co2_g(emission, np.int64(order.carrier), direct, np.int64(order.mode), weight)
            count(sheets, COUNT_CO2, cell, grams)
        elif kind in (_LOST, _SEIZED):
            count_cohort(sheets, COUNT_LOST, day, cell, _ONE)
            weight = np.float64(weight_kg[order.line] * np.float32(order.quantity))
            count(
                sheets,
                COUNT_CO2,
                cell,
                lost_co2_g(emission, np.int64(order.carrier), direct, np.int64(order.mode), weight),
            )
        else:
            if kind == _REFUSED:  # it has come to the door all the same
                weight = np.float64(weight_kg[order.line] * np.float32(order.quantity))
                grams = parcel_co2_g(emission, np.int64(order.carrier), direct, np.int64(order.mode), weight)
                count(sheets, COUNT_CO2, cell, grams)
            count(sheets, COUNT_CO2, cell, failed_co2_g(emission, np.int64(order.carrier)))
            if kind == _REFUSED:
                count_cohort(sheets, COUNT_REFUSED, day, cell, _ONE)
            else:
                count_merchant(sheets, COUNT_RETURNED, np.int64(order.merchant), np.int64(order.channel), _ONE)


@njit(cache=True, error_model="numpy", _nrt=False)
def _sent_home(
    kinds: U8,
    rows: I64,
    data: Records,
    weight_kg: F32,
    emission: Emission,
    scalars: F32,
    by_category: F32,
    key: NDArray[np.uint32],
    sheets: Sheets,
) -> None:
    """Counts the emissions of the way back to China, by sea, of parcels that come back and can be sold again."""
    for position in range(kinds.size):
        row = rows[position]
        if kinds[position] not in (_REFUSED, _RETURN_RECEIVED) or data[row].direct == 0:
            continue
        if can_resell(data, row, scalars, by_category, key):
            order = data[row]
            weight = np.float64(weight_kg[order.line] * np.float32(order.quantity))
            bench = np.int64(order.country) + N_ORIGIN_WAREHOUSES
            count(sheets, COUNT_CO2, cell_of(order), bulk_co2_g(emission, bench, _BY_SEA, weight))


@njit(cache=True, error_model="numpy", _nrt=False)
def _restocked(
    lines: I64,
    units: I64,
    warehouses: I64,
    modes: I64,
    lengths: I64,
    weight_kg: F32,
    category: U8,
    emission: Emission,
    sheets: Sheets,
) -> None:
    """Counts the emissions of bulk stock; `warehouses`, `modes` and `lengths` (numbers of lines) by consignment."""
    first = 0
    for consignment in range(lengths.size):
        after = first + lengths[consignment]
        warehouse = warehouses[consignment]
        if warehouse >= N_ORIGIN_WAREHOUSES:
            shelf = ((warehouse - N_ORIGIN_WAREHOUSES) * N_CHANNELS + SHELF) * N_CATEGORIES
            for position in range(first, after):
                line = lines[position]
                weight = np.float64(weight_kg[line]) * np.float64(units[position])
                cell = (shelf + category[line]) * N_THIRDS + _MIDDLE_THIRD
                count(sheets, COUNT_CO2, cell, bulk_co2_g(emission, warehouse, modes[consignment], weight))
        first = after


@njit(cache=True, error_model="numpy", _nrt=False)
def _count_orders(data: Records, rows: I64, measure: int, sheets: Sheets) -> None:
    for position in range(rows.size):
        order = data[rows[position]]
        count_cohort(sheets, measure, np.int64(order.tick) >> 3, cell_of(order), _ONE)


class Logbook:
    """Counts shipments, deliveries, lateness, losses and emissions per cell, dated by the order's day."""

    def __init__(self, orders: Orders, catalogue: Catalogue, emission: Emission, tally: Tally) -> None:
        self._orders, self._catalogue, self._emission, self._tally = orders, catalogue, emission, tally
        self._base = emission
        self._packaging: Packaging | None = None

    def follow(self, rules: Rules) -> None:
        """From now on parcels are wrapped as today's rules say."""
        if rules.packaging is not self._packaging:
            self._packaging = rules.packaging
            factor = np.asarray(rules.packaging.emission_factor, np.float64)
            self._emission = self._base._replace(packaging_g=self._base.packaging_g * factor)

    def released(self, released: Released) -> None:
        """Oversold and cancelled orders."""
        for measure, seqs in ((Measure.OVERSOLD, released.oversold), (Measure.CANCELLED, released.cancelled)):
            if seqs.size:
                _count_orders(self._orders.data, self._orders.row(seqs), int(measure), self._tally.sheets)

    def moved(self, moves: Movements, grading: tuple[F32, F32, NDArray[np.uint32]]) -> None:
        """Shipped, delivered, late, refused, lost, seized; emissions of parcels, of their way back, of bulk stock.

        `grading`: what decides which goods that came back are sold again, see `Fulfilment.grading`.
        """
        if moves.time.size:
            _moved(
                moves.time, moves.kind, moves.row, self._orders.data, self._catalogue.weight_kg, self._emission,
                self._tally.sheets, self._tally.hist_delivery_daily,
            )  # fmt: skip
            _sent_home(
                moves.kind, moves.row, self._orders.data, self._catalogue.weight_kg, self._emission, *grading,
                self._tally.sheets,
            )  # fmt: skip
        if moves.restocked:
            self._arrived(moves.restocked)

    def _arrived(self, consignments: list[Consignment]) -> None:
        """Emissions of bulk stock, counted to the destination's shelf, from which all channels sell."""
        _restocked(
            np.concatenate([one.line for one in consignments]), np.concatenate([one.units for one in consignments]),
            np.array([one.warehouse for one in consignments]), np.array([one.mode for one in consignments]),
            np.array([one.line.size for one in consignments]), self._catalogue.weight_kg, self._catalogue.category,
            self._emission, self._tally.sheets,
        )  # fmt: skip

    def lanes(self, totals: I64) -> None:
        """The day's totals by lane, as fulfilment counted them: (measures, warehouses x countries)."""
        if self._tally.recording:
            self._tally.lane[: len(LaneMeasure)] += totals
