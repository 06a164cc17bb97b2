"""Audits: who is looked at today, what is found, what it costs, and how the risk enters what firms do.

Four topics, each with an audit hazard and a fine by country in the rules: untrue claims and missing labels (hosts),
counterfeits (merchants), data safety (platforms). Draws are keyed by regulator, party and day. A fine is a share of the
party's yearly revenue, known from the smoothed revenue of its class and the party's expected part of it, so that it
does not hang on the few orders a sample shows; in the sampled world that revenue is the real one times F / W.

What parties believe is the announced hazard and the audits seen in their country (`believed_hazard`). It enters hosts'
claims and labels, and merchants' counterfeits, each so that nothing moves under baseline rules and baseline practice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.agents.channel import EFFORTS, Instruments
from sim.agents.regulator import (
    TOPICS,
    YEAR,
    audit_chance,
    audit_hazards,
    believed_hazard,
    counterfeit_share,
    fine_shares,
    labels,
)
from sim.config.sources import MarketSource
from sim.draws import Draws, Purpose
from sim.firms.books import WEEK
from sim.kinds import N_COUNTRIES, N_PLATFORMS
from sim.record.schema import MoneyPurpose
from sim.rules import Rules
from sim.state.catalogue import Air, Catalogue, country_demand, sales_shares
from sim.state.ledger import Account, Ledger
from sim.state.table import Table

type F64 = NDArray[np.float64]
type I64 = NDArray[np.int64]

READ = 4  # day % 7 on which revenues are read and beliefs renewed
CLAIMS, LABELS, PRODUCT, DATA = range(len(TOPICS))
SECURITY = EFFORTS.index("security")
PARTIES = (Account.STREAMER, Account.MERCHANT, Account.CHANNEL)
INCOME = {
    Account.STREAMER: (MoneyPurpose.HOST_COMMISSION, MoneyPurpose.SLOT_FEE),
    Account.MERCHANT: (MoneyPurpose.SALE, MoneyPurpose.REFUND),
    Account.CHANNEL: (MoneyPurpose.COMMISSION, MoneyPurpose.TRAFFIC, MoneyPurpose.SERVICE_FEE),
}
"""Postings that make up a class's revenue."""


class Audits:
    """Audits of streamers (S), merchants (m) and platforms (P) by the regulators of C countries.

    Writes the streamer columns `unlabelled` and `penalty_gap` and the catalogue's `authenticity`; posts fines.
    `baseline`: rules without interventions.
    """

    def __init__(
        self,
        cfg: MarketSource,
        draws: Draws,
        catalogue: Catalogue,
        streamers: Table,
        instruments: Instruments,
        baseline: Rules,
    ) -> None:
        self.cfg, self.rule = cfg, cfg.supply.audits
        self.draws, self.catalogue, self.streamers = draws, catalogue, streamers
        self.instruments, self.baseline = instruments, baseline
        self._shares = cfg.geography.platform_shares(cfg.availability)
        self._demand = country_demand(cfg.economics, cfg.geography)
        self._before = audit_hazards(baseline) * fine_shares(baseline)  # (4, C) expected fine
        self._seen = np.zeros((len(TOPICS), N_COUNTRIES))  # audits, discounted
        self._years = np.zeros((len(TOPICS), N_COUNTRIES))  # party-years watched, discounted
        self._known = (self._seen.copy(), self._years.copy())  # of both, what parties have heard
        self._hazard = audit_hazards(baseline)  # believed
        self._usual_fakes = 1.0 - catalogue.authenticity.astype(np.float64)
        self._claim = np.zeros(len(streamers))  # of the last show on record
        self._weeks = 0
        self._revenue = dict.fromkeys(PARTIES, 0.0)  # cents a week of the class, smoothed
        self._read = dict.fromkeys(PARTIES, 0)
        self._rules: Rules | None = None
        self.fines = np.zeros((len(TOPICS), N_COUNTRIES), np.int64)  # cents since the first day
        self.found = np.zeros((len(TOPICS), N_COUNTRIES), np.int64)  # breaches fined since the first day

    @property
    def decides(self) -> bool:
        """Whether there are audits at all."""
        return self.cfg.supply.decide.audits

    # -- what parties reckon with --------------------------------------------------------------------------------------
    def brief(self, rules: Rules) -> None:
        """Hosts and merchants weigh today's law; to be called before the day's shows. Nothing to do while it stands."""
        if not self.decides or rules is self._rules:
            return
        self._rules = rules
        self._believe(rules)
        penalty = self._hazard * fine_shares(rules)
        self._instruct_hosts(rules, penalty)
        self._instruct_merchants(penalty[PRODUCT])

    def _believe(self, rules: Rules) -> None:
        self._hazard = believed_hazard(audit_hazards(rules), *self._known, self.rule.prior_years)

    def _instruct_hosts(self, rules: Rules, penalty: F64) -> None:
        hosts, country = self.streamers, self.streamers.country
        covered = np.asarray(rules.disclosure.coverage, np.float64)
        usual = np.minimum(np.asarray(self.baseline.disclosure.coverage, np.float64), covered)
        before = self._before[LABELS]
        shown = labels(
            hosts.disclose_lottery, usual[country], covered[country], penalty[LABELS][country], before[country],
            self.rule.label_norm, self.rule.label_gain,
        )  # fmt: skip
        owed = hosts.disclose_lottery < covered[country].astype(np.float32)
        hosts.unlabelled[:] = owed & ~shown
        moderation = np.asarray(rules.claims.moderation, np.float64) - 1.0
        law = np.asarray(rules.claims.expected_penalty, np.float64)
        gap = (penalty[CLAIMS] - law)[country] + self.cfg.supply.platforms.moderation_penalty * moderation[
            hosts.platform
        ]
        hosts.penalty_gap[:] = gap

    def _instruct_merchants(self, penalty: F64) -> None:
        """Counterfeits follow the expected fine, averaged over the countries a merchant sells to."""
        catalogue = self.catalogue
        place = catalogue.targets * self._demand
        total = np.maximum(place.sum(axis=1), 1e-12)
        now, before = (place * penalty).sum(axis=1) / total, (place * self._before[PRODUCT]).sum(axis=1) / total
        fakes = counterfeit_share(self._usual_fakes, self.rule.counterfeit_response, now, before)
        moved = now != before
        catalogue.authenticity[moved] = (1.0 - fakes)[moved]

    def meet(self, who: NDArray[np.integer]) -> None:
        """Other merchants stand in the rows `who` (k,): what is usual of their goods is what they come with."""
        self._usual_fakes[who] = 1.0 - self.catalogue.authenticity[who].astype(np.float64)

    # -- the evening ---------------------------------------------------------------------------------------------------
    def audit(self, rules: Rules, day: int, air: Air, ledger: Ledger) -> None:
        """Today's audits and fines; on one day of the week revenues are read and beliefs renewed."""
        if not self.decides:
            return
        self._claim[air.streamer] = air.exaggeration
        self._audit_hosts(rules, day, ledger)
        self._audit_merchants(rules, day, ledger)
        self._audit_platforms(rules, day, ledger)
        if day % WEEK == READ:
            self._learn_revenue(ledger)
            self._known = (self._seen.copy(), self._years.copy())
            self._rules = None  # beliefs have moved: hosts and merchants are briefed anew tomorrow

    def _watch(self, topic: int, parties: F64, audits: F64, days: float) -> None:
        """Parties (C,) were at risk for some days, of which so many (C,) were audited; old ones are forgotten."""
        keep = 1.0 - days / (YEAR * self.rule.memory_years)
        self._seen[topic] = keep * self._seen[topic] + audits
        self._years[topic] = keep * self._years[topic] + parties * days / YEAR

    def _fine(self, topic: int, kind: Account, party: I64, country: I64, cents: F64, ledger: Ledger) -> None:
        amount = np.rint(cents).astype(np.int64)
        payer, payee = ledger.account(kind, party), ledger.account(Account.TREASURY, country)
        ledger.post(MoneyPurpose.FINE, payer, payee, amount)
        np.add.at(self.fines[topic], country, amount)
        np.add.at(self.found[topic], country, 1)

    def _yearly(self, kind: Account) -> float:
        return max(self._revenue[kind], 0.0) * YEAR / WEEK

    def _audit_hosts(self, rules: Rules, day: int, ledger: Ledger) -> None:
        hosts = self.streamers
        active = np.flatnonzero(hosts.active == 1)
        country = hosts.country[active].astype(np.int64)
        size = hosts.popularity.astype(np.float64) * self._shares[hosts.country, hosts.platform]
        size = size * self._demand[hosts.country] * (hosts.active == 1)
        revenue = self._yearly(Account.STREAMER) * size / max(float(size.sum()), 1e-12)
        parties = np.bincount(country, minlength=N_COUNTRIES).astype(np.float64)
        guilty = {CLAIMS: self._claim > self.rule.claims_tolerance, LABELS: hosts.unlabelled == 1}
        for topic, breach in guilty.items():
            luck = self.draws.uniform(Purpose.AUDIT_HOST, active, tick=day * 8, ordinal=topic)
            chance = audit_chance(audit_hazards(rules)[topic], 1.0)
            hit = luck < chance[country]
            self._watch(topic, parties, np.bincount(country[hit], minlength=N_COUNTRIES).astype(np.float64), 1.0)
            caught = hit & breach[active]
            if caught.any():
                who, where = active[caught], country[caught]
                share = fine_shares(rules)[topic][where]
                self._fine(topic, Account.STREAMER, who, where, share * revenue[who], ledger)

    def _audit_merchants(self, rules: Rules, day: int, ledger: Ledger) -> None:
        """Merchants whose weekday it is, for the week."""
        catalogue = self.catalogue
        due = np.flatnonzero(catalogue.weekday == day % WEEK)
        seller, country = np.nonzero(catalogue.targets[due])
        if seller.size == 0:
            return
        seller = due[seller]
        luck = self.draws.uniform(Purpose.AUDIT_MERCHANT, seller, other=country, tick=day * 8)
        chance = audit_chance(audit_hazards(rules)[PRODUCT], float(WEEK))
        hit = luck < chance[country]
        parties = np.bincount(country, minlength=N_COUNTRIES).astype(np.float64)
        # a seventh of the merchants for a week: all of them for a day
        self._watch(PRODUCT, parties * WEEK, np.bincount(country[hit], minlength=N_COUNTRIES).astype(np.float64), 1.0)
        caught = hit & (1.0 - catalogue.authenticity[seller] > self.rule.counterfeit_tolerance)
        if caught.any():
            who, where = seller[caught], country[caught]
            place = catalogue.targets[who] * self._demand
            part = self._demand[where] / np.maximum(place.sum(axis=1), 1e-12)
            revenue = self._yearly(Account.MERCHANT) * sales_shares(catalogue, self._demand)[who] * part
            share = fine_shares(rules)[PRODUCT][where]
            self._fine(PRODUCT, Account.MERCHANT, who, where, share * revenue, ledger)

    def _audit_platforms(self, rules: Rules, day: int, ledger: Ledger) -> None:
        platform, country = np.nonzero(self._shares.T * rules.platform.open.T)
        luck = self.draws.uniform(Purpose.AUDIT_PLATFORM, platform, other=country, tick=day * 8)
        chance = audit_chance(audit_hazards(rules)[DATA], 1.0)
        hit = luck < chance[country]
        parties = np.bincount(country, minlength=N_COUNTRIES).astype(np.float64)
        self._watch(DATA, parties, np.bincount(country[hit], minlength=N_COUNTRIES).astype(np.float64), 1.0)
        lapse = self.draws.uniform(Purpose.AUDIT_PLATFORM, platform, other=country, tick=day * 8, word=1)
        caught = hit & (lapse < self.rule.lapse_share / self.instruments.effort[platform, SECURITY])
        if caught.any():
            who, where = platform[caught], country[caught]
            size = self._shares * self._demand[:, None]
            revenue = self._yearly(Account.CHANNEL) * size[where, who] / max(float(size.sum()), 1e-12)
            share = fine_shares(rules)[DATA][where]
            self._fine(DATA, Account.CHANNEL, who, where, share * revenue, ledger)

    def _learn_revenue(self, ledger: Ledger) -> None:
        self._weeks += 1
        pace = max(1.0 / self._weeks, 1.0 / self.rule.revenue_memory_weeks)
        for kind in PARTIES:
            result = ledger.result(kind)
            if kind == Account.CHANNEL:
                result = result[:N_PLATFORMS]
            total = int(result[:, [int(purpose) for purpose in INCOME[kind]]].sum())
            self._revenue[kind] += pace * (total - self._read[kind] - self._revenue[kind])
            self._read[kind] = total

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What tomorrow's audits and beliefs depend on, by name."""
        return {
            "seen": self._seen,
            "years": self._years,
            "known": np.stack(self._known),
            "hazard": self._hazard,
            "claim": self._claim,
            "revenue": np.array([self._revenue[kind] for kind in PARTIES]),
            "fines": self.fines,
            "found": self.found,
        }
