"""The way of an order: equal to one SimPy process per order, whatever the batches; every unit conserved."""

from __future__ import annotations

import heapq
from collections.abc import Generator
from typing import Any

import numpy as np
import pytest
import simpy

from sim.agents.carrier import Emission, parcel_co2_g
from sim.agents.warehouse import planned_capacity
from sim.day.fulfilment import BENCH, CUSTOMS, LAST_MILE, LINEHAUL, PICK, Place
from sim.draws import Purpose
from sim.kernels import lanes
from sim.kernels.philox import unit
from sim.kernels.stations import BACKLOG, GAP, HEADWAY, MICRO, PHASE, SLACK, WAITED
from sim.kinds import (
    DAY_SECONDS,
    MODES,
    N_CARRIERS,
    N_COUNTRIES,
    N_WAREHOUSES,
    PAYMENT_METHODS,
    Event,
    Flag,
    Status,
)
from tests.goods.world import START, GoodsWorld, groups, none

DAY = DAY_SECONDS
COD = PAYMENT_METHODS.index("cash_on_delivery")
US = 0


class Station:
    """A queue of the reference: one SimPy server, parcels in the order of (arrival, key)."""

    def __init__(self, env: simpy.Environment, row: np.ndarray) -> None:
        self.env = env
        self.gap, self.slack, self.headway, self.phase = (int(row[c]) for c in (GAP, SLACK, HEADWAY, PHASE))
        self.due = 0
        self.queue: list[tuple[int, int, simpy.Event]] = []
        self.bell = env.event()
        env.process(self.serve())

    def join(self, key: int) -> simpy.Event:
        start = self.env.event()
        heapq.heappush(self.queue, (self.env.now, key, start))
        if not self.bell.triggered:
            self.bell.succeed()
        return start

    def serve(self) -> Generator[simpy.Event, Any, None]:
        while True:
            if not self.queue:
                self.bell = self.env.event()
                yield self.bell
            for _ in range(4):  # let everybody in who comes at this very moment
                yield self.env.timeout(0)
            arrival, _, start = heapq.heappop(self.queue)
            slot = max(arrival, self.due - self.slack)
            if self.headway:
                slot = self.phase - (self.phase - slot) // self.headway * self.headway
            if slot > self.env.now:
                yield self.env.timeout(slot - self.env.now)
            self.due = max(self.due, arrival) + self.gap
            start.succeed()


def reference(world: GoodsWorld, data: Any) -> dict[int, tuple[int, int]]:
    """Shipped and delivered second of every order, each order one SimPy process; by birth number.

    Unloaded times come from the order's own draws; stations have the capacities of `world`.
    """
    goods = world.goods
    env = simpy.Environment(initial_time=START * MICRO)
    stations = [[Station(env, row) for row in bank.state] for bank in goods.banks]
    seed, gamma, scalars = goods.draws.key, goods._gamma, goods._scalars
    by_country, by_route, by_carrier = goods._by_country, goods._by_route, goods._by_carrier
    seconds: dict[int, tuple[int, int]] = {}

    def life(order: Any) -> Generator[simpy.Event, Any, None]:
        key = lanes.key_of(order["birth"], order["tick"], order["ordinal"])
        country, warehouse = int(order["country"]), int(order["warehouse"])
        direct = int(warehouse < 4)
        words = lanes.words_of(key, lanes.ROUTE_DRAW, seed)
        carrier = 2 * country + int(unit(words[1]) >= by_country[country, lanes.FIRST_CARRIER])
        handling = int(lanes.handling_seconds(direct, scalars, words[2]))
        yield env.timeout((int(order["authorised"]) + handling) * MICRO - env.now)
        yield stations[PICK][warehouse].join(key)
        shipped = env.now // MICRO
        if direct:
            mode = int(lanes.pick_mode(by_route, country, 0, words[0]))
            yield stations[LINEHAUL][(warehouse * N_COUNTRIES + country) * 4 + mode].join(key)
            draw = lanes.words_of(key, lanes.LINEHAUL_DRAW, seed)[0]
            yield env.timeout(int(lanes.gamma_seconds(*by_route[country, mode, :2], gamma, draw)) * MICRO)
            yield stations[CUSTOMS][country].join(key)
            words = lanes.words_of(key, lanes.CUSTOMS_DRAW, seed)
            spent = int(lanes.gamma_seconds(*by_country[country, :2], gamma, words[0]))
            if unit(words[1]) < by_country[country, lanes.INSPECTED]:
                spent += int(lanes.gamma_seconds(np.float32(0), scalars[lanes.HOLD], gamma, words[3]))
            yield env.timeout(spent * MICRO)
        yield stations[LAST_MILE][carrier].join(key)
        factor = np.float32(1) if direct else scalars[lanes.STOCKED_FACTOR]
        shortest, excess = by_carrier[carrier, :2] * factor
        draw = lanes.words_of(key, lanes.LAST_MILE_DRAW, seed)[0]
        travel = int(lanes.gamma_seconds(shortest, excess, gamma, draw))
        delivered = env.now // MICRO + int(scalars[lanes.SORT]) + travel
        seconds[int(order["birth"])] = (shipped, delivered)

    for order in data:
        env.process(life(order))
    env.run(until=(START + 90 * DAY) * MICRO)
    return seconds


def test_batches_equal_one_process_per_order() -> None:
    orders_a_day, days = 300, 3
    found = []
    expected: dict[int, tuple[int, int]] = {}
    for width in (86_400, 14_400, 3_600):
        world = GoodsWorld.make(2_500, width=width)  # built for 130 orders a day, so that queues build everywhere
        world.goods._close_day = lambda: None  # type: ignore[method-assign]
        for bank in world.goods.banks:
            bank.state[:, SLACK] //= 4
        rng = np.random.default_rng(9)
        batch = world.batch(rng, orders_a_day * days, START, START + days * DAY, quantity=1)
        batch["birth"] = rng.permutation(batch.size)
        if not expected:
            expected = reference(world, batch)
            assert len(expected) == batch.size
        for part in range(70 * DAY // width):
            inside = (batch["authorised"] >= START + part * width) & (batch["authorised"] < START + (part + 1) * width)
            world.step(world.orders.append(batch[inside]))
        world.goods.check(recount=True)
        data = world.orders.data[: batch.size]
        done = data[data["status"] == Status.DELIVERED]
        assert done.size > 0.95 * batch.size
        times = {int(o["birth"]): (int(o["shipped"]), int(o["delivered"])) for o in done}
        assert all(expected[birth] == moment for birth, moment in times.items())
        found.append(times)
        for stage in (PICK, LAST_MILE):
            assert world.goods.banks[stage].state[:, WAITED].sum() > 0
    assert found[0] == found[1] == found[2]


def test_steady_flow_keeps_the_reported_days_and_the_late_share() -> None:
    # About 20,000 direct and 30,000 stocked orders: bounds lie at least five standard errors from the fitted figures.
    world = GoodsWorld.make(12_000)
    world.run(np.random.default_rng(1), 190, 12_000 * 0.053)
    world.goods.check(recount=True)
    book = world.orders.data
    book = book[(book["delivered"] > 0) & (book["placed"] > START + 70 * DAY) & (book["placed"] < START + 135 * DAY)]
    days = (book["delivered"] - book["placed"]) / DAY
    direct = book["direct"] == 1
    low, quarter, three_quarters, high = np.percentile(days[direct], [10, 25, 75, 90])
    assert 13.5 < low < 16.5
    assert 16 < quarter < 19
    assert 23 < three_quarters < 26
    assert 28 < high < 32.5
    assert 2.0 < np.median(days[~direct]) < 3.0
    late = book["delivered"] > book["promised"]
    assert 0.05 < late.mean() < 0.12
    assert ((book["flags"] & Flag.LATE) > 0).tolist() == late.tolist()


def one(world: GoodsWorld, count: int = 1, **columns: Any) -> np.ndarray:
    """Authorised orders of one line to the US in the coming daypart."""
    fields = {"line": 0, "merchant": 0, "category": 0, "country": US, "quantity": 2, **columns}
    if "warehouse" not in fields:
        fields["warehouse"] = 4 + US
        fields["direct"] = 0
    begin = world.clock.now
    return world.orders.append(world.batch(np.random.default_rng(4), count, begin, begin + 10_000, **fields))


def status(world: GoodsWorld, seqs: np.ndarray) -> list[Status]:
    return [Status(int(s)) for s in world.orders.status[world.orders.find(seqs)]]


def wait_until(world: GoodsWorld, days: float) -> None:
    for _ in range(int(days * DAY // world.clock.daypart_seconds)):
        world.step(none())


def test_stock_is_reserved_and_oversold_orders_go_elsewhere() -> None:
    world = GoodsWorld.make(2_000, stock=0)
    world.shop.real[0, 4 + US] = 3
    world.shop.real[0, 0] = 2
    world.goods.units[Place.STOCK] = world.goods.made_units = 5
    seqs = one(world, 3)
    released, _ = world.step(seqs)
    assert status(world, seqs) == [Status.RELEASED, Status.RELEASED, Status.CANCELLED]
    assert world.orders.direct[world.orders.row(seqs[:2])].tolist() == [0, 1]
    assert world.orders.warehouse[world.orders.row(seqs[:2])].tolist() == [4 + US, 0]
    assert released.oversold.tolist() == seqs[1:].tolist()
    assert released.cancelled.tolist() == seqs[2:].tolist()
    assert released.released.tolist() == seqs[:2].tolist()
    assert released.rerouted.tolist() == seqs[1:2].tolist()
    flags = world.orders.flags[world.orders.row(seqs)] & Flag.OVERSOLD
    assert (flags > 0).tolist() == [False, True, True]
    assert world.shop.real[0, [0, 4 + US]].tolist() == [0, 1]
    world.goods.check(recount=True)


def test_a_back_order_waits_for_stock_that_is_coming_and_not_longer_than_allowed() -> None:
    for mode, last in (("air_bulk", Status.RELEASED), ("sea_bulk", Status.CANCELLED)):
        world = GoodsWorld.make(2_000, stock=0)
        world.goods.cfg = world.goods.cfg.model_copy(
            update={"stock": world.goods.cfg.stock.model_copy(update={"backorder_days": 30.0})}
        )
        world.goods.replenish(np.array([0]), np.array([4 + US]), np.array([10]), np.array([MODES.index(mode)]), 8400)
        seqs = one(world)
        world.step(seqs)
        assert status(world, seqs) == [Status.BACKORDERED]
        for _ in range(6 * 32):
            world.step(none())
            if status(world, seqs) != [Status.BACKORDERED]:
                break
        assert status(world, seqs) == [last]
        world.goods.check(recount=True)


def test_replenishment_arrives_by_mode_and_is_shown_at_the_next_synchronisation() -> None:
    world = GoodsWorld.make(2_000, stock=0)
    sent = world.goods.replenish(
        np.array([0, 1, 0]), np.array([4, 4, 1]), np.array([10, 20, 5]), np.full(3, MODES.index("sea_bulk")), 8400
    )
    assert [c.warehouse for c in sent] == [1, 4]
    assert world.goods.inbound.sum() == 35
    lead = world.goods.bulk_lead_days(world.rules)
    arrived: dict[int, float] = {}
    for _ in range(6 * 90):
        _, moved = world.step(none())
        for consignment in moved.restocked:
            arrived[consignment.warehouse] = (consignment.arrived - START) / DAY
            assert world.shop.real[consignment.line, consignment.warehouse].tolist() == consignment.units.tolist()
        if world.clock.now % DAY and moved.restocked:  # synchronisation is at midnight
            assert world.shop.shown[:, :, moved.restocked[0].warehouse].sum() == 0
    assert 0.3 * lead[1, 0] < arrived[1] < 3 * lead[1, 0]
    assert 0.6 * lead[4, MODES.index("sea_bulk")] < arrived[4] < 2 * lead[4, MODES.index("sea_bulk")]
    assert arrived[4] > 24
    unseen = world.shop.shown - world.shop.real  # what went unrecorded since the last synchronisation
    assert unseen.min() == 0
    assert unseen.sum(axis=(1, 2)).max() <= 3
    assert world.shop.received_units.sum() == 35
    with pytest.raises(ValueError, match="at least one unit"):
        world.goods.replenish(np.array([0]), np.array([4]), np.array([0]), np.array([5]), 8400)


def test_synchronisation_leaves_room_for_orders_that_wait() -> None:
    world = GoodsWorld.make(2_000, stock=50)
    world.shop.shown[0, 0, 4 + US] = 7
    seqs = one(world, status=int(Status.PLACED), quantity=4)
    wait_until(world, 1)
    unrecorded = 50 - int(world.shop.real[0, 4 + US])
    for shown in world.shop.shown[:, 0, 4 + US]:  # each listing shows all of it
        assert shown in (46, 46 - unrecorded)
    assert status(world, seqs) == [Status.PLACED]


def test_returns_are_graded_and_go_back_to_stock_or_to_scrap() -> None:
    world = GoodsWorld.make(100_000)
    seqs = one(world, 300)
    world.step(seqs)
    wait_until(world, 30)
    back = seqs[np.array([s == Status.DELIVERED for s in status(world, seqs)])]
    assert back.size > 280
    before = int(world.shop.real[0, 4 + US])
    units = 2 * back.size
    world.goods.send_back(back, np.full(back.size, world.clock.now))
    assert set(status(world, back)) == {Status.RETURNING}
    world.goods.check(recount=True)
    received = 0
    unrecorded = int(world.goods.units[Place.UNRECORDED])
    for _ in range(6 * 20):
        received += world.step(none())[1].of(Event.RETURN_RECEIVED).size
    assert received == back.size
    assert set(status(world, back)) == {Status.RETURNED}
    resold = units - int(world.goods.units[Place.SCRAPPED])
    assert 0.5 * units < resold < 0.9 * units  # resaleable 0.7 of undamaged electronics
    assert world.goods.units[Place.BUYER] == 2 * sum(s == Status.DELIVERED for s in status(world, seqs))
    gone = int(world.goods.units[Place.UNRECORDED]) - unrecorded
    assert before + resold - gone <= world.shop.real[0, 4 + US] <= before + resold
    world.goods.check(recount=True)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_cash_on_delivery_is_refused_by_chance_and_the_goods_come_back(share: float) -> None:
    world = GoodsWorld.make(2_000)
    world.goods._scalars[lanes.COD] = share
    world.goods._scalars[lanes.COD_LATE] = 0
    seqs = one(world, 50, method=COD)
    world.step(seqs)
    refused = 0
    for _ in range(6 * 40):
        refused += world.step(none())[1].of(Event.REFUSED).size
    lost = sum(s == Status.LOST for s in status(world, seqs))
    assert refused == (50 - lost if share else 0)
    world.goods.check(recount=True)
    assert world.goods.units[Place.RETURNING] == 0
    if share:
        assert world.goods.units[Place.BUYER] == 0
        assert world.goods.units[Place.SCRAPPED] < 2 * refused


def delivered_days(world: GoodsWorld, seqs: np.ndarray) -> np.ndarray:
    rows = world.orders.row(seqs)
    return (world.orders.delivered[rows] - world.orders.placed[rows]) / DAY


def test_customs_rules_move_clearance_inspection_and_queues() -> None:
    days, opened, waiting = {}, {}, {}
    for name, change in (
        ("base", {}),
        ("slow", {"customs.clearance_factor": np.full(N_COUNTRIES, 4.0)}),
        ("open", {"customs.inspection_rate": np.ones(N_COUNTRIES)}),
        ("narrow", {"customs.throughput_factor": np.full(N_COUNTRIES, 0.05)}),
    ):
        world = GoodsWorld.make(50_000)
        rules = world.rules.amend(change) if change else world.rules
        seqs = one(world, 200, direct=1, warehouse=0)
        world.step(seqs, rules)
        for _ in range(6 * 25):
            world.step(none(), rules)
        waiting[name] = int(world.goods.banks[CUSTOMS].state[US, BACKLOG])
        for _ in range(6 * 60):
            world.step(none(), rules)
        days[name] = delivered_days(world, seqs)
        opened[name] = int(((world.orders.flags[world.orders.row(seqs)] & Flag.INSPECTED) > 0).sum())
        world.goods.check(recount=True)
    kept = (days["base"] > 0) & (days["slow"] > 0)
    assert (days["slow"][kept] > days["base"][kept]).all()
    assert opened["open"] > 190 > 40 > opened["base"]
    assert waiting["narrow"] > 0 == waiting["base"]


def test_who_declares_less_is_found_out_at_inspection_and_only_there() -> None:
    found, seized = {}, {}
    for name, opened, share in (("shut", 0.0, 700), ("honest", 1.0, 0), ("half", 1.0, 350), ("most", 1.0, 1000)):
        world = GoodsWorld.make(50_000)
        rules = world.rules.amend({"customs.inspection_rate": np.full(N_COUNTRIES, opened)})
        world.goods.catalogue.understated_permille[:] = share
        seqs = one(world, 200, direct=1, warehouse=0)
        world.step(seqs, rules)
        for _ in range(6 * 60):
            world.step(none(), rules)
        rows = world.orders.row(seqs)
        found[name] = int((world.orders.flags[rows] & Flag.FOUND_OUT > 0).sum())
        seized[name] = int((world.orders.status[rows] == Status.SEIZED).sum())
    assert found["shut"] == found["honest"] == 0
    assert 35 < found["half"] < 95  # 0.9 x 0.35 of 200, five standard deviations
    assert 150 < found["most"] <= 200
    assert seized["most"] > seized["honest"]


def test_a_suspended_carrier_hands_over_to_the_other_and_keeps_what_it_has() -> None:
    world = GoodsWorld.make(2_000)
    is_open = np.ones(N_CARRIERS)
    is_open[0] = 0
    rules = world.rules.amend({"carrier.open": is_open})
    seqs = one(world, 100)
    world.step(seqs, rules)
    assert set(world.orders.carrier[world.orders.row(seqs)].tolist()) == {1}
    both = one(world, 100)
    world.step(both)
    assert set(world.orders.carrier[world.orders.row(both)].tolist()) == {0, 1}
    waiting = int((world.orders.carrier[world.orders.row(both)] == 0).sum())
    for _ in range(6 * 40):
        world.step(none(), rules)
    held = np.array([s == Status.IN_TRANSIT for s in status(world, both)]).sum()
    assert held == world.goods.banks[LAST_MILE].state[0, BACKLOG] < waiting
    for _ in range(6 * 40):
        world.step(none())
    assert world.goods.banks[LAST_MILE].state[0, BACKLOG] == 0
    world.goods.check(recount=True)


def test_hours_of_closure_send_parcels_to_the_other_carrier() -> None:
    world = GoodsWorld.make(100_000)
    world.goods.close("last_mile", 0, START + DAY, START + 3 * DAY)
    seqs = one(world, 400)
    world.step(seqs)
    wait_until(world, 40)
    rows = world.orders.row(seqs)
    shipped = world.orders.shipped[rows]
    closed = (shipped >= START + DAY) & (shipped < START + 3 * DAY)
    carrier = world.orders.carrier[rows]
    assert closed.sum() > 20
    assert set(carrier[closed].tolist()) == {1}
    assert set(carrier[~closed].tolist()) == {0, 1}
    world.goods.check(recount=True)


def test_a_closed_warehouse_ships_nothing_until_it_reopens() -> None:
    world = GoodsWorld.make(2_000)
    until = START + 12 * DAY + 5_000
    world.goods.close("pick", 4 + US, START + 3_600, until)
    seqs = one(world, 200)
    world.step(seqs)
    wait_until(world, 50)
    shipped = world.orders.shipped[world.orders.row(seqs)]
    assert ((shipped < START + 3_600) | (shipped >= until)).all()
    assert (shipped >= until).mean() > 0.95
    with pytest.raises(ValueError, match="stations"):
        world.goods.close("pick", N_WAREHOUSES, START + 60 * DAY, START + 61 * DAY)
    with pytest.raises(ValueError, match="ahead"):
        world.goods.close("pick", 0, START, START + DAY)
    world.goods.check(recount=True)


def queues(world: GoodsWorld) -> int:
    return sum(world.goods.banks[stage].backlog.shape[0] for stage in (PICK, LAST_MILE))


def test_a_surge_is_felt_and_worked_off() -> None:
    world = GoodsWorld.make(4_000)
    rng = np.random.default_rng(2)
    world.run(rng, 10, 212)
    quiet = queues(world)
    world.run(rng, 5, 4 * 212)
    surged = queues(world)
    world.run(rng, 40, 212)
    assert surged > 200 > 20 * quiet
    assert queues(world) < 0.05 * surged
    world.goods.check(recount=True)


def test_an_order_s_luck_is_its_own() -> None:
    """One more order in another country changes nobody's times; the book's rows and numbers do not matter."""
    times = []
    for extra in (0, 1):
        world = GoodsWorld.make(2_000)
        if extra:
            world.step(one(world, 1, country=5, warehouse=9))
        else:
            world.step(none())
        batch = world.batch(np.random.default_rng(8), 100, START + 14_400, START + 28_800, country=US)
        seqs = world.orders.append(batch)
        world.step(seqs)
        wait_until(world, 60)
        times.append(delivered_days(world, seqs).tolist())
    assert times[0] == times[1]


def test_promises_follow_the_lane() -> None:
    world = GoodsWorld.make(3_000)
    first = world.goods.lane_promise(8400).copy()
    assert (first[1] > first[0]).all()
    assert (first[0] > 1).all()
    assert (first[1] < 60).all()
    rules = world.rules.amend({"carrier.time_factor": np.full(N_CARRIERS, 3.0)})
    for day in range(50):
        for _ in range(6):
            begin = world.clock.now
            batch = world.batch(np.random.default_rng(day), 60, begin, begin + 14_400, direct=0.0)
            world.step(world.orders.append(batch), rules)
        world.goods.lane_promise(8401 + day)
    last = world.goods.lane_promise(8450)
    assert last[0, US] > 1.6 * first[0, US]
    assert last[1, US] == pytest.approx(first[1, US])


def test_agents_staff_as_the_stations_do() -> None:
    world = GoodsWorld.make(3_000)
    world.run(np.random.default_rng(6), 5, 400)
    world.goods._close_day()
    goods = world.goods
    for warehouse in goods.warehouses:
        load, built = goods._loads[PICK][warehouse.index], goods._built[PICK][warehouse.index]
        assert warehouse.staff(float(load), float(built)) == pytest.approx(goods._plans[PICK][warehouse.index])
        assert warehouse.capacity == pytest.approx(goods._plans[PICK][warehouse.index], rel=1e-3)
    assert goods.warehouses[4 + US].country == "US"
    assert goods.warehouses[0].is_origin
    assert goods.carriers[1].country == "US"
    assert sum(carrier.carried for carrier in goods.carriers) == goods.banks[LAST_MILE].state[:, 8].sum()
    policy = goods.cfg.capacity
    calm, busy = (planned_capacity(np.array(100.0), np.array(b), np.array(50.0), 0.8, policy) for b in (0.0, 1e6))
    assert calm == pytest.approx(125)
    assert busy == pytest.approx(125 * (1 + policy.surge_most))


def test_emissions_follow_mode_weight_and_distance() -> None:
    emission = Emission.of(groups()[0])
    local = parcel_co2_g(emission, 0, 0, 255, 0.5)
    vietnam, us = parcel_co2_g(emission, 16, 1, 1, 0.5), parcel_co2_g(emission, 0, 1, 1, 0.5)
    assert us > vietnam > local
    assert parcel_co2_g(emission, 0, 1, 3, 0.5) < us  # not through the air
    assert parcel_co2_g(emission, 0, 1, 1, 3.0) > us
    assert parcel_co2_g(emission, 0, 0, 255, 3.0) == local


def test_check_finds_a_unit_that_is_nowhere() -> None:
    world = GoodsWorld.make(2_000, stock=10)
    world.goods.check(recount=True)
    world.shop.real[0, 0] -= 1
    with pytest.raises(RuntimeError, match="lie in stock"):
        world.goods.check()
    assert world.goods.banks[BENCH].waiting == 0


def test_draw_addresses_are_those_of_the_purposes() -> None:
    for purpose, address in (
        (Purpose.ROUTE, lanes.ROUTE_DRAW),
        (Purpose.LINEHAUL, lanes.LINEHAUL_DRAW),
        (Purpose.CUSTOMS, lanes.CUSTOMS_DRAW),
        (Purpose.LAST_MILE, lanes.LAST_MILE_DRAW),
        (Purpose.COLD_CHAIN, lanes.COLD_CHAIN_DRAW),
        (Purpose.RETURN_WAY, lanes.RETURN_WAY_DRAW),
        (Purpose.UNRECORDED, lanes.UNRECORDED_DRAW),
        (Purpose.MISDECLARED, lanes.MISDECLARED_DRAW),
    ):
        assert address == purpose * 256
