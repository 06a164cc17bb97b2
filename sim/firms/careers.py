"""Streamers decide: how much to work and when, what to claim, where, whether to learn, whether to stay.

All of it hangs on one index: the log of the income a host expects against that at rest, made of the sales of its
country and platform (`Outlook`), its own share of the audience, and what is left to it of a sale. At the end of the
warm-up the index is 0 by construction: what is not observed (tastes, other jobs, the trouble of moving) is such that
everybody does what they do. Hosts learn every evening, decide on their weekday, and review their whole career every few
weeks.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.agents.channel import split_commission
from sim.agents.streamer import (
    StreamerSource,
    bargaining_power,
    draw_persons,
    hours_worked,
    skill_after,
    threshold,
    worth_of_claims,
)
from sim.config.sources import MarketSource
from sim.draws import Draws, Purpose
from sim.firms.books import WEEK
from sim.firms.outlook import Outlook, Season
from sim.kernels.maths import logs
from sim.kinds import N_COUNTRIES, N_PLATFORMS, NO_STREAMER, STREAMER_TIERS, STREAMER_TYPES
from sim.record.schema import MoneyPurpose
from sim.rules import Rules
from sim.state.catalogue import Air, Catalogue, country_demand, sales_shares
from sim.state.ledger import Account, Ledger
from sim.state.scale import Scale
from sim.state.social import popularity_of
from sim.state.table import Table

type F64 = NDArray[np.float64]
type I64 = NDArray[np.int64]
type Rows = NDArray[np.int64]

YEAR = 365.0
PERMILLE = 1000.0
DAYPARTS = np.arange(6)
VIRTUAL = STREAMER_TYPES.index("virtual")
FIRST_VERDICTS = 8  # weeks before the share of goods sent back means anything
LARGEST_SHARE = 0.3  # of an audience, with those who are there, that one newcomer may come to
EVERYBODY: slice = slice(None)
LEAST_REACH = 0.01  # gain in audience for which nobody learns a language
_LEAVE, _ENTER, _MOVE, _SPEAK = range(4)  # ordinals of Purpose.CAREER


class CareersSource(MarketSource, StreamerSource, Protocol):
    """What careers need of a run's configuration."""


class Careers:
    """Hosts' expectations and decisions. `cuts` float32[agencies, 3] is what agencies keep, by tier.

    `felt_label`: loss of belief by an advertising label that buyers have; hosts reckon with that of supply.shows.
    """

    def __init__(
        self,
        cfg: CareersSource,
        scale: Scale,
        draws: Draws,
        catalogue: Catalogue,
        streamers: Table,
        cuts: NDArray[np.float32],
        season: Season,
        first_day: int,
        start_day: int,
        felt_label: float,
    ) -> None:
        """`first_day` of the warm-up, `start_day` the first reported one."""
        self.cfg, self.scale, self.draws = cfg, scale, draws
        self.catalogue, self.streamers, self.cuts = catalogue, streamers, cuts
        self.rule = cfg.supply.careers
        interest = cfg.economics.by_category("live_interest")
        self.outlook = Outlook(self.rule.memory_days, self.rule.trust_orders, interest, season)
        self._last_evening = max(start_day, first_day + self.rule.settle_days) - 1
        self._season = season
        self._felt_label = felt_label
        count = len(streamers)
        self._lasting = streamers.base_share.astype(np.float64)  # share of the audience that fame grows to
        self.fame = streamers.popularity.astype(np.float64)  # smoothed share
        self._weeks = 0
        self._visits = np.zeros(N_COUNTRIES * N_PLATFORMS)  # a day, smoothed, by country and platform
        self._since = np.full(count, -(2**31), np.int64)  # day of the last new beginning
        self._learning = streamers.proficiency[:, 1].astype(np.float64)  # command that lessons lead to
        self._seen = np.zeros((count, 6))  # discounted visits by daypart
        self._usual = np.zeros((count, 6))  # the same, had the host's viewers come as the general audience does
        self._trust: F64 = np.zeros(N_COUNTRIES)
        self._returns = np.zeros(3)  # weeks, share of goods sent back, orders closed when last read
        self._closed = np.zeros(2, np.int64)
        self.limits = np.stack([self._limits(np.arange(count), kind) for kind in range(4)])
        shares = cfg.geography.platform_shares(cfg.availability)
        self._audience = cfg.geography.adopters()[:, None] * shares
        self._mix = cfg.firms.by_class(cfg.economics.sales_by_class)
        self._sales = sales_shares(catalogue, country_demand(cfg.economics, cfg.geography))
        self._speakers = cfg.geography.language_shares()
        self._closeness = cfg.geography.closeness()
        cell = streamers.country.astype(np.int64) * N_PLATFORMS + streamers.platform
        self._hosts_built = np.bincount(cell[streamers.active == 1], minlength=N_COUNTRIES * N_PLATFORMS)
        self._rules: Rules | None = None
        self._asked = np.zeros(0, np.float32)
        self._rest: dict[str, F64] = {}  # what held at rest, by name; empty before that is known
        self.newcomers: Rows = np.zeros(0, np.int64)  # rows of today's new beginnings
        self.replaced: Rows = np.zeros(0, np.int64)  # of these, rows that were somebody else's
        self.exposed: Rows = np.zeros(0, np.int64)  # rows whose deception came to light today
        self.left = 0
        self.entered = 0
        self.moved = 0

    def _limits(self, rows: Rows, kind: int) -> F64:
        """Changes in logs at which the persons in `rows` act."""
        luck = self.draws.uniform(Purpose.CAREER, rows, other=self.streamers.generation[rows], ordinal=kind)
        return np.asarray(threshold(luck, self.rule.least_change, self.rule.change_spread), np.float64)

    # -- what is watched -----------------------------------------------------------------------------------------------
    def watch(self, day: int, air: Air, visits: I64, sales: I64, placed: I64, closed: tuple[int, int]) -> None:
        """What hosts see of a day: shows, visits int64[S], live sales (cents) and orders int64[C, P], and how many
        orders were sent back and kept since the first day."""
        self.outlook.learn(day, sales, placed)
        self.watch_hours(day, air, visits)
        if day % WEEK == 0:
            self.remember()
            self.count_returns(*closed)

    def watch_hours(self, day: int, air: Air, visits: I64) -> None:
        """A host's own audience by daypart."""
        keep = 1.0 - 1.0 / self.rule.slot_memory_days
        self._seen *= keep
        self._usual *= keep
        if len(air) == 0:
            return
        host, country = air.streamer.astype(np.int64), air.country.astype(np.int64)
        free = np.asarray(self._season.availability(day), np.float64)
        on_air = (air.dayparts[:, None] >> DAYPARTS) & 1
        weight = on_air * free[country] * air.popularity[:, None]
        cell = country * N_PLATFORMS + air.platform
        size = N_COUNTRIES * N_PLATFORMS
        total = np.bincount(cell, weights=visits[host].astype(np.float64), minlength=size)
        weights = np.bincount(cell, weights=weight.sum(axis=1), minlength=size)
        self._visits += (total - self._visits) / self.rule.memory_days
        self._usual[host] += weight * (total / np.maximum(weights, 1e-12))[cell][:, None]
        own = weight.sum(axis=1)
        self._seen[host] += weight * (visits[host] / np.maximum(own, 1e-12))[:, None]

    def hear(self, trust: F64) -> None:
        """Mean trust of adopters by country (C,), as surveys tell from time to time."""
        self._trust = trust

    def count_returns(self, returned: int, kept: int) -> None:
        """Orders sent back and kept since the first day; read once a week."""
        closed = np.array([returned, kept], np.int64)
        fresh = closed - self._closed
        self._closed = closed
        self._returns[0] += 1
        seen = self._returns[0] - FIRST_VERDICTS  # what is sent back is closed sooner than what is kept
        if fresh.sum() == 0 or seen < 1:
            return
        pace = max(1.0 / seen, 1.0 / self.cfg.supply.integrity.memory_weeks)
        self._returns[1] += (fresh[0] / fresh.sum() - self._returns[1]) * pace

    def remember(self) -> None:
        """A week's end: hosts' shares of their audiences, smoothed. Nothing is learnt of who is away."""
        hosts = self.streamers
        there = (hosts.active == 1) & (hosts.away == 0)
        self._weeks += 1
        pace = max(1.0 / self._weeks, min(1.0, WEEK / self.rule.memory_days))  # a plain mean until the memory is full
        self.fame[there] += (hosts.popularity[there] - self.fame[there]) * pace

    def rests_from(self, day: int) -> bool:
        """Whether what holds this evening is the level at rest: at the end of the warm-up."""
        return day == self._last_evening

    def settle(self, rules: Rules) -> None:
        """What holds now is the level at rest."""
        self.outlook.settle()
        self._rest = {
            "fame": self.fame.copy(),
            "tier": self.streamers.tier.astype(np.float64),
            "income": self._income(rules),
            "kept": self._kept(),
            "charge": self._charge(rules),
            "crowd": self._crowd(),
            "skill": self.streamers.skill.astype(np.float64),
            "hours": self._own_hours(np.arange(len(self.streamers))),
            "trust": np.maximum(self._trust, 1e-3),
            "returns": np.array([self._returns[1]]),
            "reach": self._reach(rules, np.arange(len(self.streamers)))[0],
        }

    # -- what is expected ----------------------------------------------------------------------------------------------
    def _income(self, rules: Rules) -> F64:
        """float64[S]: what hosts get of a sale, before the agency's cut, by tier.

        Commission, slot fee, and what merchants offer past the platform.
        """
        hosts, economics = self.streamers, self.cfg.economics
        part = split_commission(self.catalogue.commission_asked, rules, economics)[1].astype(np.float64)
        by_tier = np.tensordot(self._mix / self._mix.sum(), part, axes=(0, 1)) + economics.slot_fee_shares()
        by_tier = by_tier + self._offered()
        income: F64 = by_tier[hosts.platform, self._tier()]
        return income

    def _offered(self) -> F64:
        """float64[P, T]: what merchants offer hosts past the platform, share of the price, weighed by expected sales.

        `supply.offers`: an addition to each sale, and slot fees above or below the usual ones.
        """
        catalogue = self.catalogue
        weight = catalogue.on_platform * self._sales[:, None] * (catalogue.trading == 1)[:, None]
        weight = weight / np.maximum(weight.sum(axis=0), 1e-12)
        added = weight.T @ (catalogue.host_offer_permille / PERMILLE)
        fees = weight.T @ (catalogue.slot_fee_change / PERMILLE)
        offered: F64 = added[:, None] + fees[:, None] * self.cfg.economics.slot_fee_shares()
        return offered

    def _tier(self) -> I64:
        """int64[S]: tiers at rest. A change of tier is a change of fame, which counts for itself."""
        return np.asarray(self._rest.get("tier", self.streamers.tier)).astype(np.int64)

    def _charge(self, rules: Rules) -> F64:
        """float64[P]: what a newcomer gets of a sale on each platform."""
        part = split_commission(self.catalogue.commission_asked, rules, self.cfg.economics)[1].astype(np.float64)
        charge: F64 = np.tensordot(self._mix / self._mix.sum(), part, axes=(0, 1))[:, -1] + self._offered()[:, -1]
        return charge

    def _kept(self) -> F64:
        """float64[S]: share of its income that a host keeps from the agency."""
        hosts = self.streamers
        signed = hosts.agency != NO_STREAMER
        cut = self.cuts[np.where(signed, hosts.agency, 0), self._tier()] * hosts.pay_grade
        kept: F64 = np.where(signed, 1.0 - np.minimum(cut, 0.99), 1.0)
        return kept

    def _crowd(self) -> F64:
        """float64[C, P]: lasting fame of those who share an audience."""
        hosts = self.streamers
        cell = hosts.country.astype(np.int64) * N_PLATFORMS + hosts.platform
        weight = np.where((hosts.active == 1) & (hosts.away == 0), hosts.base_share.astype(np.float64), 0.0)
        return np.bincount(cell, weights=weight, minlength=N_COUNTRIES * N_PLATFORMS).reshape(N_COUNTRIES, N_PLATFORMS)

    def _most(self) -> F64:
        """float64[C, P]: the largest lasting fame of a newcomer beside those who are there."""
        most: F64 = LARGEST_SHARE / (1.0 - LARGEST_SHARE) * np.maximum(self._crowd(), 1e-3)
        return most

    def _own_hours(self, rows: Rows) -> F64:
        """float64[k, 6]: log of the own audience of the hosts in `rows` (k,) by daypart against the general one.

        An agency puts what its hosts in a country have seen together, so that idle hours are matched to hours with
        viewers sooner than each host would find out alone.
        """
        trust = self.rule.slot_trust
        prior = np.ones((rows.size, 6))
        if self.cfg.supply.decide.agencies:
            hosts = self.streamers
            signed = np.flatnonzero(hosts.agency != NO_STREAMER)
            roster = hosts.agency[signed].astype(np.int64) * N_COUNTRIES + hosts.country[signed]
            size = self.cuts.shape[0] * N_COUNTRIES
            with_agency = hosts.agency[rows] != NO_STREAMER
            own = rows[with_agency]
            mine = hosts.agency[own].astype(np.int64) * N_COUNTRIES + hosts.country[own]
            for daypart in range(6):
                seen = np.bincount(roster, weights=self._seen[signed, daypart], minlength=size)
                usual = np.bincount(roster, weights=self._usual[signed, daypart], minlength=size)
                prior[with_agency, daypart] = ((trust + seen) / (trust + usual))[mine]
        return logs((trust * prior + self._seen[rows]) / (trust + self._usual[rows]))

    def own(self, rows: Rows | slice = EVERYBODY) -> F64:
        """float64[k]: log of the share of their audience that hosts expect against that at rest, for `rows` (k,).

        Credibility (Buhlmann 1967) by the sampled visits that the share at rest stands for: what is seen of it, blended
        with what anybody would expect: fame so far against what lasts, less what newcomers to the audience take.
        """
        hosts, rest, lasting = self.streamers, self._rest["fame"][rows], self._lasting[rows]
        country, platform = hosts.country[rows].astype(np.int64), hosts.platform[rows].astype(np.int64)
        visits = rest * self._visits[country * N_PLATFORMS + platform] * self.rule.memory_days
        trust = visits / (visits + self.rule.trust_visits)
        seen = logs(np.maximum(self.fame[rows], 1e-12) / np.maximum(rest, 1e-12))
        usual = np.where(lasting > 0, hosts.base_share[rows] / np.maximum(lasting, 1e-12), 1.0)
        usual = logs(np.maximum(usual, 1e-12)) - self._crowding()[country, platform]
        own: F64 = trust * seen + (1.0 - trust) * usual
        return own

    def _crowding(self) -> F64:
        """float64[C, P]: log of the fame that shares an audience, against rest; not below a twentieth."""
        crowd = np.maximum(self._crowd(), 1e-9) / np.maximum(self._rest["crowd"], 1e-9)
        crowding: F64 = logs(np.maximum(crowd, 0.05))
        return crowding

    def gross(self, rules: Rules, rows: Rows | slice = EVERYBODY) -> F64:
        """float64[k]: log of the income of `rows` (k,) before the agency's cut, against that at rest and the outside
        wage."""
        hosts, rule = self.streamers, self.rule
        ahead = self.outlook.ahead()[hosts.country[rows], hosts.platform[rows]]
        index = ahead + self.own(rows) + logs(self._income(rules)[rows] / self._rest["income"][rows])
        expected: F64 = index - self._dearer(rules, rows) - logs(rule.outside_wage)
        return expected

    def _dearer(self, rules: Rules, rows: Rows | slice) -> F64:
        """float64[k]: what a virtual host costs more than in the base year, log of income; 0 for persons."""
        hosts = self.streamers
        price = logs(np.asarray(rules.host.virtual_cost, np.float64))[hosts.platform[rows]]
        return np.where(hosts.type[rows] == VIRTUAL, self.rule.virtual_cost_share * price, 0.0)

    def net(self, rules: Rules, rows: Rows | slice = EVERYBODY) -> F64:
        """float64[k]: the index hosts act on: the same after the agency's cut."""
        index: F64 = self.gross(rules, rows) + logs(self._kept()[rows] / self._rest["kept"][rows])
        return index

    def attraction(self, rules: Rules) -> F64:
        """float64[C, P]: log of what a given fame earns on a platform, against rest; -inf where closed."""
        charge = logs(np.maximum(self._charge(rules), 1e-9) / np.maximum(self._rest["charge"], 1e-9))
        index = self.outlook.ahead() - self._crowding() + charge[None, :]
        return np.where((self._audience > 0) & (rules.platform.open == 1), index, -np.inf)

    def _reach(self, rules: Rules, rows: Rows) -> tuple[F64, I64]:
        """float64[k]: log of the audience that the hosts in `rows` (k,) gain by the best second language, and which
        language that is."""
        hosts = self.streamers
        understood = self._closeness + (1.0 - self._closeness) * np.asarray(rules.language.translation, np.float64)
        heard = np.minimum(1.0, (self._speakers[:, None, :] * understood[None, :, :]).max(axis=2))
        first = hosts.language[rows, 0].astype(np.int64)
        here = heard[hosts.country[rows]]
        now = here[np.arange(first.size), first]
        here[np.arange(first.size), first] = 0.0
        best = here.argmax(axis=1)
        more = (1.0 - now) * here[np.arange(first.size), best]
        return logs((now + more) / np.maximum(now, 1e-6)), best

    # -- what is decided -----------------------------------------------------------------------------------------------
    def move(self, rules: Rules, day: int, ledger: Ledger) -> bool:
        """Decisions of those whose weekday it is; whether anybody came, left or moved."""
        self.newcomers = self.replaced = np.zeros(0, np.int64)
        if not self._rest:
            return False
        mine = np.flatnonzero(self.streamers.weekday == day % WEEK)
        turn = (day // WEEK + mine) % self.rule.review_weeks == 0
        index = np.zeros(len(self.streamers))
        index[mine] = self.net(rules, mine)
        self._work(mine, index)
        self._practise(mine)
        review = mine[turn]
        at_work = review[(self.streamers.active[review] == 1) & (self.streamers.away[review] == 0)]
        settled = at_work[day - self._since[at_work] >= self.rule.patience_days]
        leaving = settled[index[settled] < -self.limits[_LEAVE, settled]]
        self._leave(leaving)
        staying = np.setdiff1d(at_work, leaving, assume_unique=True)
        attraction = self.attraction(rules)
        moving = self._move_platform(staying, attraction, day)
        self._learn_language(np.setdiff1d(staying, moving), index, rules, ledger)
        idle = review[self.streamers.active[review] == 0]
        wage = logs(self.rule.outside_wage)
        hope = attraction[self.streamers.country[idle], self.streamers.platform[idle]] - wage
        hope -= self._dearer(rules, idle)
        coming = idle[hope > self.limits[_ENTER, idle]]
        self._enter(coming, day)
        self.newcomers = np.concatenate((moving, coming))
        return bool(leaving.size + moving.size + coming.size)

    def _work(self, rows: Rows, index: F64) -> None:
        """Shows, discounts and hours."""
        hosts, rule = self.streamers, self.rule
        hosts.effort[rows] = hours_worked(index[rows], rule.hours_elasticity, rule.largest_effort)
        hosts.leverage[rows] = bargaining_power(index[rows], rule.discount_response)
        hosts.slot_gain[rows] = rule.slot_learning * (self._own_hours(rows) - self._rest["hours"][rows])

    def _practise(self, rows: Rows) -> None:
        """Skill, fame and languages of a week."""
        hosts, rule = self.streamers, self.rule
        rows = rows[hosts.active[rows] == 1]
        practice = hosts.effort[rows].astype(np.float64) * (hosts.away[rows] == 0)
        hosts.skill[rows] = skill_after(
            hosts.skill[rows].astype(np.float64), self._rest["skill"][rows], practice,
            hosts.training[rows].astype(np.float64), WEEK / rule.skill_memory_days, rule.practice_power, WEEK / YEAR,
        )  # fmt: skip
        grown = hosts.base_share[rows].astype(np.float64)
        hosts.base_share[rows] = grown + (self._lasting[rows] - grown) * min(1.0, WEEK / rule.career_days)
        known = hosts.proficiency[rows, 1].astype(np.float64)
        hosts.proficiency[rows, 1] = known + (self._learning[rows] - known) * min(1.0, WEEK / rule.language_days)

    def _leave(self, rows: Rows) -> None:
        hosts = self.streamers
        for name in ("active", "popularity", "base_share", "bots", "traffic", "training", "fatigue", "claim_loss"):
            hosts[name][rows] = 0
        for name in ("effort", "leverage", "claim_gain", "pay_grade"):
            hosts[name][rows] = 1
        hosts.slot_gain[rows] = 0.0
        hosts.agency[rows] = NO_STREAMER
        hosts.lineup[rows] = NO_STREAMER
        hosts.lineup_week[rows] = -1
        hosts.generation[rows] += 1
        self._lasting[rows] = 0.0
        self.fame[rows] = 0.0
        for kind in range(4):
            self.limits[kind, rows] = self._limits(rows, kind)
        self.left += rows.size

    def _move_platform(self, rows: Rows, attraction: F64, day: int) -> Rows:
        """Moves those to whom another platform of the country promises enough more; returns them."""
        hosts, rule = self.streamers, self.rule
        country, platform = hosts.country[rows].astype(np.int64), hosts.platform[rows].astype(np.int64)
        best = attraction[country].argmax(axis=1)
        with np.errstate(invalid="ignore"):  # where all platforms are banned none is better, and nobody moves
            gain = attraction[country, best] - attraction[country, platform]
        going = (best != platform) & (gain > rule.move_cost + self.limits[_MOVE, rows])
        rows, country, old, new = rows[going], country[going], platform[going], best[going]
        if rows.size == 0:
            return rows
        factor = self._audience[country, old] / self._audience[country, new]
        share = np.minimum(factor * self._lasting[rows], self._most()[country, new])
        before = self._rest["fame"][rows] / np.maximum(self._lasting[rows], 1e-12)
        hosts.platform[rows] = new
        self._lasting[rows] = share
        self._begin(rows, rule.portable, day)
        self._rest["fame"][rows] = before * share  # the same share of what lasts as at rest
        self.moved += rows.size
        return rows

    def _enter(self, rows: Rows, day: int) -> None:
        """Newcomers take the rows: other persons, little known."""
        if rows.size == 0:
            return
        hosts = self.streamers
        cell = hosts.country[rows].astype(np.int64) * N_PLATFORMS + hosts.platform[rows]
        generation = hosts.generation[rows].astype(np.int64)
        person = draw_persons(self.cfg, self.draws, rows, cell, generation)
        kept = ("country", "platform", "weekday")
        for name, values in person.items():
            if name not in kept:
                hosts[name][rows] = values
        weight = popularity_of(rows, self.draws, self.cfg.graph.popularity, generation)
        most = self._most().reshape(-1)[cell]
        self._lasting[rows] = np.minimum(weight / np.maximum(self._hosts_built[cell], 1), most)
        hosts.active[rows] = 1
        self._begin(rows, self.rule.newcomer_start, day)
        self._learning[rows] = hosts.proficiency[rows, 1]
        self._seen[rows] = self._usual[rows] = 0.0
        rest = self._rest
        rest["fame"][rows] = self._lasting[rows]
        rest["kept"][rows] = 1.0
        rest["tier"][rows] = STREAMER_TIERS.index("tail")
        rest["skill"][rows] = hosts.skill[rows]
        rest["hours"][rows] = 0.0
        self.replaced = rows[generation > 0]
        self.entered += rows.size

    def _begin(self, rows: Rows, start: float, day: int) -> None:
        """A new beginning, with a part of the fame to come."""
        hosts = self.streamers
        hosts.base_share[rows] = start * self._lasting[rows]
        hosts.popularity[rows] = hosts.base_share[rows]
        self.fame[rows] = hosts.popularity[rows]
        self._since[rows] = day
        hosts.lineup[rows] = NO_STREAMER
        hosts.lineup_week[rows] = -1

    def _learn_language(self, rows: Rows, index: F64, rules: Rules, ledger: Ledger) -> None:
        """Who speaks one language on air invests in another when the audience it opens has become worth it."""
        hosts, rule = self.streamers, self.rule
        gain, language = self._reach(rules, rows)
        one = hosts.language[rows, 0] == hosts.language[rows, 1]
        worth = index[rows] + logs(np.maximum(gain, 1e-6) / np.maximum(self._rest["reach"][rows], 1e-6))
        learns = one & (gain > LEAST_REACH) & (worth > self.limits[_SPEAK, rows])
        rows, language = rows[learns], language[learns]
        if rows.size == 0:
            return
        hosts.language[rows, 1] = language
        hosts.proficiency[rows, 1] = rule.language_start
        self._learning[rows] = self.cfg.firms.streamers.bilingual_proficiency
        cents = round(100.0 * self.scale.firm_amount(rule.language_cost_usd, "streamer"))
        world = ledger.account(Account.REST_OF_WORLD)
        ledger.post(MoneyPurpose.WAGE, ledger.account(Account.STREAMER, rows), world, np.full(rows.size, cents))

    def claim(self, rules: Rules, day: int) -> None:
        """What claims are worth now, for those whose weekday it is."""
        if not self._rest:
            return
        hosts = self.streamers
        rows = np.flatnonzero(hosts.weekday == day % WEEK)
        country = hosts.country[rows]
        owed = hosts.disclose_lottery[rows] < np.asarray(rules.disclosure.coverage)[country]
        labelled = owed & (hosts.unlabelled[rows] == 0)
        trust, usual = np.maximum(self._trust, 1e-3)[country], self._rest["trust"][country]
        believed = self.cfg.supply.shows.disclosure_loss
        hosts.claim_gain[rows] = worth_of_claims(trust, usual, labelled, self._felt_label, believed)
        rest = self._rest["returns"]
        if rest[0] == 0.0:  # the first figures come after the level at rest was taken
            rest[0] = self._returns[1]
        more = self._returns[1] / rest[0] - 1.0 if rest[0] > 0 else 0.0
        hosts.claim_loss[rows] = self.cfg.supply.integrity.regret * more

    def expose(self, rules: Rules, day: int) -> None:
        """Whose deception comes to light: virtual hosts without a label, and fake viewers."""
        hosts = self.streamers
        rows = np.flatnonzero((hosts.weekday == day % WEEK) & (hosts.active == 1) & (hosts.away == 0))
        owed = hosts.disclose_lottery[rows] < np.asarray(rules.disclosure.coverage)[hosts.country[rows]]
        hidden = (hosts.type[rows] == VIRTUAL) & (~owed | (hosts.unlabelled[rows] == 1))
        rows = rows[hidden | (hosts.bots[rows] > 0)]
        luck = self.draws.uniform(Purpose.EXPOSED, rows, tick=day * 8)
        self.exposed = rows[luck < self.rule.exposed_a_year * WEEK / YEAR]

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What tomorrow's decisions depend on besides the columns, by name."""
        held: dict[str, Any] = {
            "lasting": self._lasting, "fame": self.fame, "since": self._since, "learning": self._learning,
            "seen": self._seen, "usual": self._usual, "trust": self._trust, "returns": self._returns,
            "closed": self._closed, "limits": self.limits, "visits": self._visits, "weeks": np.array([self._weeks]),
        }  # fmt: skip
        held |= {f"outlook {name}": values for name, values in self.outlook.arrays().items()}
        return held | {f"rest {name}": values for name, values in self._rest.items()}
