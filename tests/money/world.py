"""A small shop world for the money tests: a catalogue, buyers, a book, a ledger, and a clock that is a list."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from sim.config.economics import Economics
from sim.config.geography import Geography
from sim.config.payments import Payments
from sim.config.quantity import load_group
from sim.day.checkout import Checkout, Placed
from sim.day.settlement import Settlement
from sim.draws import Draws
from sim.kernels.money import border_of, landed_offers
from sim.kinds import DAY_SECONDS, N_CHANNELS, NO_STREAMER, Event, MoneyState, Status
from sim.messages import Events, Intents, Verdicts
from sim.record.tally import Tally
from sim.rules import Rules
from sim.state.catalogue import Catalogue
from sim.state.ledger import Ledger
from sim.state.orders import Orders

CONFIGS = Path(__file__).parents[2] / "configs"
PAYMENTS = load_group(CONFIGS / "payments/default.yaml", Payments)
ECONOMICS = load_group(CONFIGS / "economics/default.yaml", Economics)
GEOGRAPHY = load_group(CONFIGS / "geography/default.yaml", Geography)
DAY = 8400  # in 2022
MERCHANTS, LINES, STREAMERS, MCNS, CONSUMERS = 12, 30, 9, 3, 400
CARD, WALLET, TRANSFER, COD, PARTS, VOUCHER = range(6)
RULES = Rules.neutral(
    {
        "payment.availability": PAYMENTS.offered(),
        "payment.fee_rate": 0.03,
        "payment.settlement_days": 10.0,
        "tariff.duty_rate": 0.08,
        "tariff.de_minimis_usd": 30.0,
        "tax.vat_rate": 0.2,
        "tax.de_minimis_usd": 0.0,
        "subsidy.buyer_usd": 0.5,
        "aftersales.handling_hours": 48.0,
    }
)


@dataclass
class ListClock:
    """Files events in a list; `due` hands over what falls before a second, sorted by (time, kind, order)."""

    filed: list[tuple[int, int, int]] = field(default_factory=list)

    def schedule(self, kind: Any, seconds: Any, orders: Any) -> None:
        kinds = np.broadcast_to(np.asarray(kind), np.shape(seconds))
        rows = zip(np.asarray(seconds).tolist(), kinds.tolist(), np.asarray(orders).tolist(), strict=True)
        self.filed.extend(rows)

    def due(self, before: int) -> Events:
        now = sorted(event for event in self.filed if event[0] < before)
        self.filed = [event for event in self.filed if event[0] >= before]
        return events(now)


def events(rows: list[tuple[int, int, int]]) -> Events:
    table = np.array(rows, np.int64).reshape(-1, 3)
    return Events(table[:, 0].copy(), table[:, 1].astype(np.uint8), table[:, 2].copy())


class World:
    """Everything the money modules touch; fates of parcels are drawn by the caller."""

    def __init__(
        self,
        seed: int = 1,
        rules: Rules = RULES,
        payments: Payments = PAYMENTS,
        capacity: int = 16,
        economics: Economics = ECONOMICS,
    ) -> None:
        random = np.random.default_rng(seed)
        self.random = random
        self.rules = rules
        self.catalogue = catalogue = Catalogue.empty(MERCHANTS, LINES, STREAMERS)
        catalogue.merchant[:] = random.integers(0, MERCHANTS, LINES)
        catalogue.category[:] = random.integers(0, 8, LINES)
        catalogue.price_cents[:] = random.integers(300, 9000, catalogue.price_cents.shape)
        catalogue.freight_cents[:] = random.integers(20, 500, catalogue.freight_cents.shape)
        catalogue.direct[:] = random.integers(0, 2, catalogue.direct.shape)
        catalogue.weight_kg[:] = 0.4
        catalogue.cold[:3] = 1
        catalogue.shown[:] = 1_000_000
        catalogue.home_warehouse[:] = random.integers(0, 4, MERCHANTS)
        catalogue.seller_class[:] = random.integers(0, 2, MERCHANTS)
        catalogue.host_permille[:] = 110
        catalogue.agency_permille[:] = 400
        catalogue.agency[:] = random.integers(0, MCNS, STREAMERS)
        catalogue.agency[0] = NO_STREAMER
        catalogue.commission_asked[:] = 0.08
        catalogue.service_fee[:] = 0.01 * np.arange(N_CHANNELS)  # so that histories know all sizes of it
        catalogue.insured[::2] = 1
        self.price()
        self.buyers = SimpleNamespace(
            birth=np.arange(CONSUMERS, dtype=np.uint32),
            third=random.integers(0, 3, CONSUMERS).astype(np.uint8),
            payment_preference=random.integers(0, 6, CONSUMERS).astype(np.uint8),
            trust=np.full(CONSUMERS, 32768, np.uint16),
        )
        self.country = random.integers(0, 20, CONSUMERS).astype(np.uint8)
        self.draws = Draws(seed)
        self.orders = Orders(capacity)
        self.ledger = Ledger(MERCHANTS, STREAMERS, MCNS, catalogue.seller_class)
        self.clock = ListClock()
        self.checkout = Checkout(payments, GEOGRAPHY.payment_shares())
        self.tally = Tally(DAY, 60, STREAMERS, MERCHANTS, 1, daily=False)
        self.settlement = Settlement(
            payments, economics, self.orders, self.ledger, catalogue, self.clock, self.draws, tally=self.tally
        )

    def price(self) -> None:
        border = border_of(self.rules, PAYMENTS.customs_value_without_freight)
        shop = self.catalogue
        landed_offers(
            shop.price_cents, shop.freight_cents, shop.direct, shop.category, border, shop.understated_permille,
            np.arange(shop.n_lines), shop.landed_cents,
        )  # fmt: skip

    def intents(self, count: int, day: int = DAY, live: bool = True) -> Intents:
        random = self.random
        consumer = np.sort(random.permutation(CONSUMERS)[:count]) if count <= CONSUMERS else None
        assert consumer is not None
        channel = random.integers(0, N_CHANNELS, count).astype(np.uint8)
        line = random.integers(0, LINES, count).astype(np.uint16)
        tier = random.integers(0, 4, count).astype(np.uint8)
        country = self.country[consumer]
        host = np.where((channel < 8) & live, random.integers(0, STREAMERS, count), NO_STREAMER)
        return Intents(
            time=day * DAY_SECONDS + np.sort(random.integers(0, 14_400, count)),
            consumer=consumer.astype(np.int64),
            ordinal=np.zeros(count, np.uint8),
            channel=channel,
            line=line,
            tier=tier,
            quantity=random.integers(1, 4, count).astype(np.uint8),
            streamer=host.astype(np.uint16),
            country=country,
            landed_cents=self.catalogue.landed_cents[line, country, tier],
            discount_permille=random.integers(0, 400, count).astype(np.uint16),
            promised_days=np.full(count, 10, np.float32),
            expected_quality=np.ones(count, np.float32),
            impulse_gap=np.zeros(count, np.float32),
            utility=np.ones(count, np.float32),
            money_utility=np.ones(count, np.float32),
            flags=np.where(random.random(count) < 0.2, 16, 0).astype(np.uint16),
        )

    def place(self, intents: Intents, day: int = DAY) -> Placed:
        return self.checkout.place(intents, self.buyers, self.catalogue, self.orders, self.rules, day * 8, self.draws)

    def one(self, method: int = CARD, **columns: Any) -> int:
        """One order straight in the book, PLACED; returns its sequence number. 60 USD of goods and its parts."""
        values = {
            "goods_cents": 5000, "freight_cents": 400, "duty_cents": 430, "vat_cents": 170, "subsidy_cents": 100,
            "commission_cents": 400, "host_cents": 500, "fee_cents": 180, "direct": 1, "warehouse": 1, "carrier": 5,
            "mode": 1, "country": 2, "third": 1, "merchant": 3, "streamer": 4, "line": 7, "quantity": 1,
            "placed": DAY * DAY_SECONDS, "tick": DAY * 8, "channel": 1, "method": method,
        } | columns  # fmt: skip
        return int(self.orders.append(Orders.blank(1, **values))[0])

    def say(self, kind: Event, seq: int, second: int = DAY * DAY_SECONDS) -> np.ndarray[Any, Any]:
        return self.settlement.apply(events([(second, int(kind), seq)]), self.rules)

    def move(self, seq: int, *path: Status) -> None:
        row = self.orders.row(np.array([seq]))
        for target in path:
            self.orders.move(row, list(Status), target)

    def ship(self, seq: int, second: int = DAY * DAY_SECONDS) -> None:
        """Approved, allocated, shipped, cleared and delivered, in one second."""
        self.say(Event.AUTHORISED, seq, second)
        self.move(seq, Status.RELEASED, Status.IN_TRANSIT)
        for kind in (Event.SHIPPED, Event.CLEARED, Event.DELIVERED):
            self.say(kind, seq, second)
        self.orders.delivered[self.orders.row(np.array([seq]))] = second
        self.move(seq, Status.DELIVERED)

    def money(self, seq: int) -> MoneyState:
        return MoneyState(int(self.orders.money[self.orders.row(np.array([seq]))][0]))

    def check(self) -> None:
        self.orders.check(full=True)
        self.ledger.check()
        self.settlement.check()
        self.checkout.check()

    def history(self, orders: int, days: int, batches_a_day: int = 1, fates: int = 7) -> None:
        """Orders of a day live through random fates, keyed by their number, until all are closed."""
        placed = self.place(self.intents(orders))
        self.settlement.request(placed.order, self.rules)
        span = DAY_SECONDS // batches_a_day
        for step in range(days * batches_a_day):
            second = DAY * DAY_SECONDS + step * span
            if step % batches_a_day == 0:
                self.settlement.open_day(second // DAY_SECONDS, 1.0 + np.arange(20) + 0.01 * (step // batches_a_day))
            due = self.clock.due(second + span)
            approved = self.settlement.apply(due, self.rules)
            self._fulfil(due, approved, fates)
            self.check()
            if step % batches_a_day == batches_a_day - 1:
                self.orders.free_finished()
        self.check()

    def _fulfil(self, due: Events, approved: np.ndarray[Any, Any], fates: int) -> None:
        """A warehouse and a carrier that need a day for everything."""
        when = {int(seq): int(time) for time, kind, seq in zip(due.time, due.kind, due.order, strict=True) if kind == 1}
        for seq in approved.tolist():
            fate = np.random.default_rng((fates, seq)).random()
            start = when[seq]
            if fate < 0.1:
                self.move(seq, Status.CANCELLED)
                self.settlement.cancel(np.array([seq]), np.array([start + 3600]), self.rules)
                continue
            self.move(seq, Status.RELEASED)
            self._file(start + DAY_SECONDS, Event.SHIPPED, seq)
            if fate < 0.15:
                self._file(start + 2 * DAY_SECONDS, Event.LOST, seq)
                continue
            if fate < 0.2:
                self._file(start + 2 * DAY_SECONDS, Event.SEIZED, seq)
                continue
            self._file(start + 2 * DAY_SECONDS, Event.CLEARED, seq)
            refused = fate < 0.3 and self.orders.method[self.orders.row(np.array([seq]))][0] == COD
            self._file(start + 3 * DAY_SECONDS, Event.REFUSED if refused else Event.DELIVERED, seq)
        self._goods(due, fates)

    def _goods(self, due: Events, fates: int) -> None:
        targets = {
            Event.SHIPPED: Status.IN_TRANSIT, Event.LOST: Status.LOST, Event.SEIZED: Status.SEIZED,
            Event.DELIVERED: Status.DELIVERED, Event.REFUSED: Status.REFUSED, Event.RETURN_RECEIVED: Status.RETURNED,
        }  # fmt: skip
        for time, kind, seq in zip(due.time.tolist(), due.kind.tolist(), due.order.tolist(), strict=True):
            if Event(kind) not in targets or self.orders.find(np.array([seq]))[0] < 0:
                continue
            self.move(seq, targets[Event(kind)])
            if kind == Event.DELIVERED:
                self.orders.delivered[self.orders.row(np.array([seq]))] = time
                mind = np.random.default_rng((fates, seq, 1)).random(3)
                returns, disputes = mind[0] < 0.3, mind[1] < 0.3
                if returns:
                    self.move(seq, Status.RETURNING)
                    self._file(time + 9 * DAY_SECONDS, Event.RETURN_RECEIVED, seq)
                self.settlement.judge(
                    Verdicts(
                        np.array([seq]), np.array([time + DAY_SECONDS]), np.zeros(1, np.float32), np.array([returns]),
                        np.array([disputes]), np.array([False]),
                    ),
                    self.rules,
                )  # fmt: skip

    def _file(self, second: int, kind: Event, seq: int) -> None:
        self.clock.schedule(np.array([int(kind)]), np.array([second]), np.array([seq]))
