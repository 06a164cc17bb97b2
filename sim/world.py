"""The world: it holds the parts and lets a day pass.

`World.step` is the model on one screen, one verb a line; it holds no formula. What it calls stands in `sim/day`, in the
order in which it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import mesa
import numba
import numpy as np
from numpy.typing import NDArray

from sim import build
from sim.agents.by_agents import ByAgents
from sim.agents.carrier import Emission
from sim.agents.channel import make_channels
from sim.agents.consumer import Consumer
from sim.agents.mcn import agency_cuts, make_agencies
from sim.agents.merchant import Merchant, merchant_table
from sim.agents.payment_provider import make_providers
from sim.agents.regulator import make_regulators
from sim.agents.streamer import Streamer, build_streamers
from sim.agents.view import adopt
from sim.calendar import Daypart
from sim.clock import Clock
from sim.config import RunConfig
from sim.config.geography import N_LANGUAGES
from sim.day.adaptation import Adaptation
from sim.day.aftersales import Aftersales
from sim.day.attention import Attention, Sessions
from sim.day.checkout import Checkout
from sim.day.decisions import Decisions
from sim.day.diffusion import Diffusion
from sim.day.fulfilment import Fulfilment
from sim.day.levers import Levers
from sim.day.logbook import Logbook
from sim.day.news import Stories
from sim.day.opinion import Opinion
from sim.day.settlement import Settlement
from sim.day.shopping import Shopping
from sim.day.supply import Supply
from sim.firms.agencies import Agencies
from sim.firms.audits import Audits
from sim.firms.careers import Careers
from sim.firms.platforms import Platforms
from sim.firms.premises import Premises
from sim.firms.prices import Prices as MerchantPrices
from sim.interventions import InterventionBook
from sim.kernels.live import NOBODY
from sim.kernels.opening import open_everybody
from sim.kernels.sessions import run_sessions
from sim.kinds import DAY_SECONDS, N_CHANNELS, N_COUNTRIES, N_PLATFORMS, Event
from sim.messages import Events
from sim.record.recorder import TRUST_PPM, Flows, Recorder
from sim.record.schema import Measure, StreamerMeasure
from sim.record.tally import Tally
from sim.rules import Rules
from sim.state.catalogue import Air, build_catalogue, open_cells
from sim.state.consumers import FirstHosts, people_of
from sim.state.habits import Habits
from sim.state.ledger import Account, Ledger
from sim.state.market import Market
from sim.state.orders import Orders
from sim.state.table import FIXED

I64 = NDArray[np.int64]
PERMILLE = 1000
TRUST_DAYS = 28  # days between two surveys of trust
SMALL_WORLD = 100_000


class World(mesa.Model):
    """One run of the model: `run` lets all its days pass, `step` one of them.

    After a step `air` is what was on air that day and `visits` int64[S] who came to each streamer, warm-up included.

    Raises ConfigError for a configuration that contradicts itself, and RuntimeError, AssertionError or RangeError at
    the end of a day on which money, goods, orders or people were not conserved.
    """

    def __init__(self, cfg: RunConfig) -> None:
        super().__init__(rng=cfg.seed)
        self.cfg = cfg
        cells = int(open_cells(cfg.geography, cfg.availability).sum())
        self.frame = build.frame(cfg, cfg.firms.real_and_simulated(cells))
        self.draws, self.calendar, self.scale = self.frame.draws, self.frame.calendar, self.frame.scale
        self.interventions = self.frame.book
        self.day = self.frame.first_day
        self.rules: Rules = self.interventions.rules_on(self.day)
        # below this many people two threads wait for each other longer than they work
        threads = 1 if cfg.population.consumers < SMALL_WORLD else numba.get_num_threads()
        numba.set_num_threads(threads)
        self._build_firms()
        self._build_lanes()
        self._build_people(threads)
        self._build_decisions()
        self._build_record()

    def book_of(self, cfg: RunConfig) -> InterventionBook:
        """The interventions of a run that has this one's past."""
        return InterventionBook(cfg, self.interventions.baseline, self.draws, self.scale.weight)

    def branch(self, cfg: RunConfig) -> None:
        """Goes on as the run of `cfg`, which was this one so far: it differs in interventions from today on only.

        Raises:
            ValueError: it differs in more than that.
        """
        book = self.book_of(cfg)
        lived = max(self.day, self.frame.first_day + 1)  # firms are built under the first day's rules
        begun = [one.name for one in book.interventions if one.first_day < lived]
        if begun or cfg.past_hash() != self.cfg.past_hash():
            reason = f"{begun[0]} has begun there" if begun else "its settings are others"
            raise ValueError(f"a run with another past: {reason}")
        self.cfg, self.interventions = cfg, book
        self.frame = replace(self.frame, book=book)
        self.recorder.facts, self.recorder.marks = build.run_facts(cfg, self.frame), build.marks(self.frame)

    # -- building -----------------------------------------------------------------------------------------------------
    def _build_firms(self) -> None:
        cfg = self.cfg
        self.catalogue = build_catalogue(cfg, self.draws)
        self.streamers = build_streamers(cfg, self.draws)
        agencies = cfg.firms.counts(1)[2]
        cuts = agency_cuts(cfg.firms, cfg.economics, agencies, self.draws)
        self.orders = Orders()
        self.ledger = Ledger(
            self.catalogue.n_merchants, len(self.streamers), agencies, self.catalogue.seller_class, self.streamers.tier
        )
        prices = MerchantPrices(cfg, self.scale, self.draws, self.catalogue, self.frame.start_day)
        self.supply = Supply(cfg, self.draws, self.catalogue, self.streamers, self.calendar, prices)
        self.adaptation = Adaptation(
            cfg, self.scale, self.draws, self.catalogue, self.streamers, cuts, prices.recost,
            self.interventions.baseline,
        )  # fmt: skip
        self._careers = Careers(
            cfg, self.scale, self.draws, self.catalogue, self.streamers, cuts, self.calendar, self.frame.first_day,
            self.frame.start_day, cfg.consumer.information.disclosure_discount,
        )  # fmt: skip
        self._prices = prices
        self._contracts = Agencies(cfg, self.draws, self.catalogue, self.streamers, cuts, self._careers)
        self._platforms = Platforms(
            cfg, self.catalogue, self.streamers, self.adaptation.platform_cost, self.interventions.baseline,
            self.frame.start_day,
        )  # fmt: skip
        self._audits = Audits(
            cfg, self.draws, self.catalogue, self.streamers, self._platforms.own, self.interventions.baseline
        )
        self.channels = make_channels(self, self.catalogue, self._platforms.own)
        self.agencies = make_agencies(self, cuts, self.streamers)
        self.regulators = make_regulators(self, self.ledger)
        self.providers = make_providers(self, cfg.payments, self.ledger)
        adopt(self, Streamer, self.streamers)
        adopt(self, Merchant, merchant_table(self.catalogue))
        self.yuan_base = build.yuan_per_usd(self.calendar)

    def _build_people(self, threads: int) -> None:
        cfg = self.cfg
        hosts = FirstHosts(*(self.streamers[name] for name in FirstHosts._fields))
        self.consumers, self.graph = build.people(cfg, hosts, self.frame)
        self.people_columns = people_of(self.consumers)
        self.diffusion = Diffusion(cfg, self.consumers, self.graph, self.frame.start_day, self.draws)
        self._shows = 0
        size = cfg.population.consumers
        self.market = Market(cfg, self.catalogue, self.calendar, self.draws)
        usual = cfg.geography.platform_shares(cfg.availability)
        rule, frame = cfg.supply.platforms, self.frame
        self.habits = Habits(rule, cfg.supply.decide.platforms, usual, frame.first_day, frame.start_day)
        views = adopt(self, Consumer, self.consumers, identity="birth")
        by_agents = ByAgents(views) if cfg.engine == "agents" else None
        opening = by_agents.open_everybody if by_agents else open_everybody
        sessions = by_agents.run_sessions if by_agents else run_sessions
        self.attention = Attention(size, cfg.chunk, threads, opening)
        self.shopping = Shopping(size, len(self.streamers), N_LANGUAGES, threads, sessions)
        self.opinion = Opinion(cfg.consumer, threads)
        self.stories = Stories(
            self.consumers, self.market.setting.platform_slots, self.graph, cfg.consumer.word_of_mouth.effect
        )
        self.aftersales = Aftersales(self.catalogue.n_merchants, threads)

    def _build_decisions(self) -> None:
        premises = Premises(
            self.catalogue, self.supply, self.adaptation, self.fulfilment, self.market,
            lambda sellers: self.opinion.forget(self.people_columns, sellers), self._yuan,
        )  # fmt: skip
        self.decisions = Decisions(
            self.cfg,
            self.scale,
            self.draws,
            self.catalogue,
            premises,
            self._prices,
            self._careers,
            self._contracts,
            self._platforms,
            self._audits,
            self.interventions.baseline,
        )

    def _build_lanes(self) -> None:
        cfg = self.cfg
        self.clock = Clock(self.day * DAY_SECONDS)
        first_promise = build.first_promise(cfg)
        self.supply.price(self.rules, self.day, self._yuan(self.day), first_promise)
        self.adaptation.start(self.rules, self.ledger)
        self.supply.price(self.rules, self.day, self._yuan(self.day), first_promise)
        self.fulfilment = Fulfilment(
            cfg.logistics,
            cfg.geography,
            self.scale,
            self.clock,
            self.catalogue,
            self.orders,
            self.draws,
            self.rules,
            self,
            cfg.supply.c2m.production_days,
        )
        self.checkout = Checkout(cfg.payments, cfg.geography.payment_shares())
        audience = cfg.geography.adopters()[:, None] * cfg.geography.platform_shares(cfg.availability)
        self.levers = Levers(self.fulfilment, self.streamers, self.catalogue.seller_class, audience)

    def _build_record(self) -> None:
        cfg = self.cfg
        self.recorder = Recorder(
            build.run_facts(cfg, self.frame), self.streamers.tier.copy(), self.catalogue.seller_class.copy(),
            build.marks(self.frame),
        )  # fmt: skip
        self.tally: Tally = self.recorder.tally
        self.tally.open_day(self.day)
        self.settlement = Settlement(
            cfg.payments, cfg.economics, self.orders, self.ledger, self.catalogue, self.clock, self.draws,
            cfg.logistics.carrier.values("price_factor"), self.tally,
        )  # fmt: skip
        self.settlement.expect_instalments(
            self.day, build.bought_in_parts(cfg, self.consumers, self.rules.payment.availability)
        )
        self.logbook = Logbook(self.orders, self.catalogue, Emission.of(cfg.logistics), self.tally)

    # -- a day --------------------------------------------------------------------------------------------------------
    def step(self) -> None:
        """One day: what holds, what is on air, what people do, what falls due, what everybody learns."""
        day = self.day
        rules = self.rules = self.decisions.in_force(self.interventions.rules_on(day))
        self.interventions.act(self.levers, day)
        self.levers.call_back(day * DAY_SECONDS)
        self.ledger.open_day()
        self.logbook.follow(rules)
        self.settlement.open_day(day, self.calendar.fx(day) * rules.exchange.rate_factor)
        air = self.air = self._offer(rules, day)
        sessions = self._open(air, day)
        for daypart in self.calendar.dayparts(day):
            placed = self._shop(air, sessions, rules, daypart)
            self.settlement.request(placed, rules)
            events = self._due(daypart)
            approved = self.settlement.apply(events, rules)
            self._release(approved, rules, daypart.end)
            self._unpack(events, rules)
            self.ledger.close_daypart()
        self._learn(air, rules, day)
        self.adaptation.close_books()
        self.recorder.close_day(self, day, rules)
        self.orders.free_finished(self.recorder.take_orders if self.recorder.keeps("full") else None)
        self.check()
        self.day += 1

    def _offer(self, rules: Rules, day: int) -> Air:
        """What is on sale, where, at which price; who is on air."""
        self.market.follow_rules(rules)
        self.market.open_day(day)
        if self.supply.price(rules, day, self._yuan(day), self.fulfilment.lane_promise(day)):
            self.market.follow_offers()
        air = self.supply.schedule(rules, day)
        if self.levers.promote(air):
            self.supply.rerank(air)
        self.rooms = self.market.rooms(air, self.diffusion.grown())
        return air

    def _yuan(self, day: int) -> float:
        """Price of the yuan in dollars against the mean of the base year."""
        return self.yuan_base / self.calendar.fx_origin(day)

    def _open(self, air: Air, day: int) -> Sessions:
        """Who opens what in which daypart."""
        self.diffusion.arrive(day)
        self._value = np.zeros_like(self.market.setting.expected_by_platform)
        return self.attention.open(self.market.param, self.people_columns, self.market.setting, air, day, self.draws)

    def _shop(self, air: Air, sessions: Sessions, rules: Rules, daypart: Daypart) -> I64:
        """People watch and choose; the till turns decisions into orders."""
        market, people = self.market, self.people_columns
        pool, value = self.supply.expose(air, rules, daypart.index)
        market.expect(value)
        self._value += market.on_air
        intents = self.shopping.watch_and_choose(
            market.param, people, market.setting, self.rooms, market.offers, air.show_of_streamer[daypart.index],
            pool, market.shelf, market.line_of_seller, sessions.order, sessions.bounds, daypart.day, daypart.index,
            self.draws,
        )  # fmt: skip
        placed = self.checkout.place(
            intents, self.consumers, self.catalogue, self.orders, rules, daypart.tick, self.draws, self.tally
        )
        self.aftersales.forgo(intents, placed.outcome, people, market.offers, self.tally)
        self.opinion.buyers(
            placed.order, self.orders, market.param, people, self.graph, daypart.day, self.draws, self.tally
        )
        return placed.order

    def _due(self, daypart: Daypart) -> Events:
        """What falls due in the daypart; approvals that meet an outage of some hours wait for its end."""
        events, held, until = self.levers.hold_payments(self.clock.advance_to(daypart.end), self.orders)
        self.clock.schedule(Event.AUTHORISED, until, held)
        return events

    def _release(self, approved: I64, rules: Rules, end: int) -> None:
        """Stock is allocated to paid orders; what cannot be served is cancelled and refunded."""
        released = self.fulfilment.release(approved, rules, end)
        self.logbook.released(released)
        self.settlement.reroute(released.rerouted, rules)
        if released.cancelled.size:
            self.settlement.cancel(released.cancelled, np.full(released.cancelled.size, end), rules)
            self.aftersales.write_off(released.cancelled, self.orders, self.tally)

    def _unpack(self, events: Events, rules: Rules) -> None:
        """Goods move; buyers judge what arrived, return, dispute."""
        moves = self.fulfilment.apply(events)
        self.logbook.moved(moves, self.fulfilment.grading)
        never = moves.where(Event.LOST, Event.SEIZED, Event.REFUSED)
        unpaid = np.flatnonzero(events.kind == Event.AUTH_FAILED)
        self.aftersales.write_off(events.order[np.concatenate((never, unpaid))], self.orders, self.tally)
        delivered = moves.of(Event.DELIVERED)
        if delivered.size == 0:
            return
        verdicts = self.aftersales.judge(
            delivered, self.orders, self.market.param, self.people_columns, self.market.setting,
            self.market.offers, self.catalogue.authenticity, self.market.return_level, self.graph, self.tally,
            self.draws,
        )  # fmt: skip
        returned = verdicts.returns
        self.fulfilment.send_back(verdicts.order[returned], verdicts.time[returned])
        self.settlement.judge(verdicts, rules)

    def _learn(self, air: Air, rules: Rules, day: int) -> None:
        """The evening: opinion spreads, firms learn, order and pay, interventions are paid for."""
        self.diffusion.turn(self.people_columns, self.market.setting, self.attention.sessions, day)
        self.opinion.leak(
            rules.privacy.breach_hazard, self.market.param, self.people_columns, self.market.setting.platform_slots,
            day, self.draws, self.tally,
        )  # fmt: skip
        self.opinion.spread(
            self.market.param, self.people_columns, self.market.offers, self.aftersales.verdict_sum, day, self.draws
        )
        self.stories.pass_day(
            self.levers.news_of_the_day(), self.catalogue, self.market.offers.reputation, day, self.draws
        )
        self.market.learn_expectation(self._value / 6, self.cfg.consumer.room.expected_memory)
        visits = self.visits = self.shopping.host_audience()
        self.adaptation.adapt(rules, day, air, visits, self.orders, self.ledger, self.fulfilment, self._yuan(day))
        self._decide(rules, air, visits, day)
        if day % 7 == 0:
            self.market.shelve()
        self.levers.pay(self.interventions.costs(day), self.ledger)
        self.levers.forget_outages((day + 1) * DAY_SECONDS)
        self.tally.add_streamer(StreamerMeasure.SHOWS, air.streamer)
        self.shopping.close_day(self.tally, day)
        self.habits.learn(self.tally.today[Measure.ROOM_VISITS], self.tally.today[Measure.ORDERS], day)
        self.market.habit = self.habits.shift
        self.logbook.lanes(self.fulfilment.take_lanes())
        self._shows = len(air)
        names = ("streamer", "platform", "country", "discount_permille", "exaggeration", "disclosed", "popularity")
        self.recorder.take_shows(day, {name: getattr(air, name) for name in names})

    def _decide(self, rules: Rules, air: Air, visits: I64, day: int) -> None:
        """Firms decide; new hosts start without another's followers, known deceit costs trust."""
        sold = self.tally.today[[Measure.GMV_CENTS, Measure.ORDERS]].reshape(2, N_COUNTRIES, N_CHANNELS, -1).sum(axis=3)
        live = sold[:, :, :N_PLATFORMS]
        hosts = self.decisions.careers
        hosts.watch(day, air, visits, live[0], live[1], self.orders.sent_back_and_kept())
        if day % TRUST_DAYS == 0 and self.cfg.supply.decide.integrity:
            hosts.hear(build.mean_trust(self.consumers))
        self.decisions.decide(
            rules, day, air, self.orders, self.ledger, self.market.offers.remembered_usd, self.adaptation.forecast
        )
        if hosts.newcomers.size:
            self.adaptation.expect_of(hosts.newcomers)
        self.opinion.forget_hosts(self.people_columns, hosts.replaced)
        loss = self.cfg.supply.careers
        self.opinion.scandal(
            self.market.param, self.people_columns, self.market.setting.platform_slots, self.streamers, hosts.exposed,
            (loss.scandal_bond, loss.scandal_trust), day, self.graph, self.draws,
        )  # fmt: skip

    def check(self) -> None:
        """Money, goods, orders and people are conserved; raises where they are not."""
        deep = self.day % 7 == 0
        self.ledger.check()
        self.orders.check(full=deep)
        self.fulfilment.check(recount=deep)
        self.checkout.check()
        if deep:
            self.settlement.check()
        build.check_people(self.consumers, self.cfg.population.consumers)

    def run(self, progress: Callable[[int, int], None] | None = None) -> None:
        """All days that are left; `progress` hears of days passed and days in all."""
        first, end = self.frame.first_day, self.frame.end_day
        while self.day < end:
            self.step()
            if progress is not None:
                progress(self.day - first, end - first)
        self.recorder.take_orders(self.orders.data[self.orders.open_rows()])
        self.recorder.take_network(build.network_sample(self.consumers, self.graph))
        followed = self.consumers.follows[self.consumers.follows != NOBODY]
        self.recorder.take_followers(np.bincount(followed, minlength=self.recorder.streamer_tier.size))

    # -- what the recorder asks ---------------------------------------------------------------------------------------
    def people(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], float]:
        """Country, third, alive, adopter and general trust of everybody, and the trust that means one."""
        table = self.consumers
        return table.country, table.third, self.diffusion.alive, table.adopter, table.trust, FIXED

    def sampled_people(self) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Birth number, adopter and general trust (millionths) of the consumers in the sample of the network."""
        table = self.consumers
        rows = build.network_rows(len(table))
        return table.birth[rows], table.adopter[rows], table.trust[rows].astype(np.int64) * TRUST_PPM // FIXED

    def flows_today(self) -> Flows:
        """Today's money between groups of accounts."""
        return Flows(*self.ledger.flows_today())

    def warehouse_load(self) -> tuple[I64, I64]:
        """Use of each warehouse in thousandths of its throughput, and orders waiting there."""
        load = np.rint(self.fulfilment.utilisation() * PERMILLE).astype(np.int64)
        waiting = np.array([warehouse.backlog for warehouse in self.fulfilment.warehouses], np.int64)
        return load, waiting

    def stock_today(self) -> tuple[I64, I64]:
        """What merchants' goods have cost, int64[2] cents by seller class, at the day's beginning and end."""
        return self.adaptation.inventory.opening, self.adaptation.inventory.closing

    def open_orders(self) -> int:
        """Orders not final in goods and money."""
        return self.orders.open_count

    def shows_today(self) -> int:
        """Shows that went on air today."""
        return self._shows

    def money_held_cents(self) -> int:
        """What channels hold of buyers' money."""
        return int(self.ledger.balance(Account.ESCROW)[:N_CHANNELS].sum())
