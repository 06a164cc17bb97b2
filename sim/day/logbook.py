"""What happened to goods, counted for the record. Decides nothing and changes nothing but the tally."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.carrier import Prices, bulk_co2_g, failed_co2_g, parcel_co2_g
from sim.kinds import SHELF
from sim.messages import Consignment, Movements, Released
from sim.record.schema import LaneMeasure, Measure, MerchantMeasure, cells
from sim.record.tally import Tally
from sim.state.catalogue import Catalogue
from sim.state.orders import Orders

I64 = NDArray[np.int64]


class Logbook:
    """Counts shipments, deliveries, lateness, losses and emissions per cell, dated by the order's day."""

    def __init__(self, orders: Orders, catalogue: Catalogue, prices: Prices, tally: Tally) -> None:
        self._orders, self._catalogue, self._prices, self._tally = orders, catalogue, prices, tally

    def _where(self, seqs: I64) -> tuple[I64, I64, I64]:
        rows = self._orders.row(seqs)
        orders = self._orders
        cell = cells(orders.country[rows], orders.channel[rows], orders.category[rows], orders.third[rows])
        return rows, orders.tick[rows].astype(np.int64) >> 3, cell

    def _weight(self, rows: I64) -> NDArray[Any]:
        weight: NDArray[Any] = self._catalogue.weight_kg[self._orders.line[rows]] * self._orders.quantity[rows]
        return weight

    def released(self, released: Released) -> None:
        """Oversold and cancelled orders."""
        for measure, seqs in ((Measure.OVERSOLD, released.oversold), (Measure.CANCELLED, released.cancelled)):
            if seqs.size:
                _, day, cell = self._where(seqs)
                self._tally.add_cohort(measure, day, cell)

    def moved(self, moves: Movements) -> None:
        """Shipped, delivered, late, refused, lost, seized; emissions of parcels and of bulk stock."""
        tally, orders = self._tally, self._orders
        if moves.shipped.size:
            rows, day, cell = self._where(moves.shipped)
            tally.add_cohort(Measure.SHIPPED, day, cell)
            tally.add_cohort(Measure.SHIPPED_DIRECT, day, cell, orders.direct[rows].astype(np.int64))
        if moves.delivered.size:
            rows, day, cell = self._where(moves.delivered)
            seconds = moves.delivered_at - orders.placed[rows]
            late = (moves.delivered_at > orders.promised[rows]).astype(np.int64)
            tally.add_delivery(day, cell, orders.direct[rows], seconds, late)
            tally.add(
                Measure.CO2_G,
                cell,
                parcel_co2_g(
                    self._prices, orders.carrier[rows], orders.direct[rows], orders.mode[rows], self._weight(rows)
                ),
            )
        for measure, seqs in (
            (Measure.REFUSED, moves.refused),
            (Measure.LOST, moves.lost),
            (Measure.LOST, moves.seized),
        ):
            if seqs.size:
                _, day, cell = self._where(seqs)
                tally.add_cohort(measure, day, cell)
        back = np.concatenate((moves.returned, moves.refused))
        if back.size:
            rows, _, cell = self._where(back)
            tally.add(Measure.CO2_G, cell, failed_co2_g(self._prices, orders.carrier[rows]))
        if moves.returned.size:
            rows = orders.row(moves.returned)
            tally.add_merchant(MerchantMeasure.RETURNED, orders.merchant[rows], orders.channel[rows])
        for consignment in moves.restocked:
            self._restocked(consignment)

    def _restocked(self, consignment: Consignment) -> None:
        """Emissions of bulk stock, counted to the destination's shelf, from which all channels sell."""
        if consignment.warehouse < 4:
            return
        weight = self._catalogue.weight_kg[consignment.line] * consignment.units
        count = consignment.line.size
        grams = bulk_co2_g(
            self._prices, np.full(count, consignment.warehouse), np.full(count, consignment.mode), weight
        )
        country = np.full(count, consignment.warehouse - 4)
        where = cells(
            country, np.full(count, SHELF), self._catalogue.category[consignment.line], np.ones(count, np.int64)
        )
        self._tally.add(Measure.CO2_G, where, grams)

    def lanes(self, totals: I64) -> None:
        """The day's totals by lane, as fulfilment counted them: (measures, warehouses x countries)."""
        if self._tally.recording:
            self._tally.lane[: len(LaneMeasure)] += totals
