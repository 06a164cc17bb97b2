"""Agencies (MCNs) decide: whom to hold, for what cut, whom to train, what traffic to buy, real or fake.

Agencies act on the incomes of their hosts against those at rest (`Careers`), each in its own week of a quarter; hosts
join and leave when they review their careers. Cuts are bargained by `sim.agents.mcn.nash_cut`; what an agency adds to
an income (`lift`) moves with the exposure its traffic and fakes buy, which is what platforms can threaten with: by
finding fakes, or by giving paid traffic less weight. Costs are in dollars, so that they weigh more when incomes fall.
What agencies spend on all this is the part of their income that `supply.costs.agency_cost_share` takes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.agents.channel import traffic_push
from sim.agents.mcn import fakes_bought, nash_cut, pay_grade, power_behind, shifted, traffic_bought
from sim.agents.streamer import promotion_habits, threshold, write_contracts
from sim.draws import Draws, Purpose
from sim.firms.books import WEEK
from sim.firms.careers import F64, I64, Careers, CareersSource, Rows
from sim.kernels.maths import exps, logs
from sim.kinds import N_PLATFORMS, NO_STREAMER, STREAMER_TIERS
from sim.rules import Rules
from sim.state.catalogue import Catalogue
from sim.state.table import Table

TIERS = len(STREAMER_TIERS)
OFFERS = 3  # agencies a host without a contract talks to
_CONTRACT = 4  # ordinal of Purpose.CAREER
_BUYS, _FAKES = 2, 3  # ordinals of Purpose.AGENCY


class Agencies:
    """Writes cuts (float32[agencies, 3]) and the streamer columns agency, bots, traffic, training, pay_grade."""

    def __init__(
        self,
        cfg: CareersSource,
        draws: Draws,
        catalogue: Catalogue,
        streamers: Table,
        cuts: NDArray[np.float32],
        careers: Careers,
    ) -> None:
        self.cfg, self.draws = cfg, draws
        self.catalogue, self.streamers, self.cuts, self.careers = catalogue, streamers, cuts, careers
        self.rule = cfg.supply.agencies
        count, number = len(streamers), np.arange(cuts.shape[0])
        self.bots, self.traffic = promotion_habits(cfg.firms, draws)
        self._bots_rest, self._traffic_rest = self.bots.copy(), self.traffic.copy()
        self._cuts_rest = cuts.astype(np.float64)
        spread = self.rule.change_spread
        start = threshold(draws.uniform(Purpose.AGENCY, number, ordinal=_BUYS), self.rule.least_change, spread)
        self._start: F64 = exps(start)  # worth at which one buys traffic that bought none
        self._scruple = np.asarray(
            threshold(draws.uniform(Purpose.AGENCY, number, ordinal=_FAKES), self.rule.least_change, spread)
        )
        self.limits = self._limits(np.arange(count))
        self._detection: F64 = np.zeros(N_PLATFORMS)
        self._push: F64 = np.ones(N_PLATFORMS)
        self.worth: F64 = np.ones(cuts.shape[0])  # the agency's part of its hosts' income against that at rest
        self.signed = self.left = self.released = 0
        self._is_settled = False
        self._offers: F64 = np.zeros((cuts.shape[0], TIERS))

    def _limits(self, rows: Rows) -> F64:
        """Changes in logs of the income net of the cut at which hosts join or leave."""
        generation = self.streamers.generation[rows]
        luck = self.draws.uniform(Purpose.CAREER, rows, other=generation, ordinal=_CONTRACT)
        return np.asarray(threshold(luck, self.rule.least_change, self.rule.change_spread), np.float64)

    def settle(self, rules: Rules) -> None:
        """What holds now is the state at rest."""
        self._detection = np.asarray(rules.exposure.bot_detection, np.float64).copy()
        self._push = self._pushed(rules)
        self._is_settled = True

    # -- what an agency is worth ---------------------------------------------------------------------------------------
    def _exposure(self, rules: Rules) -> F64:
        """float64[agencies, P]: log of the exposure that traffic and fakes buy a host against that at rest."""
        found = np.asarray(rules.exposure.bot_detection, np.float64)
        bought, usual = np.outer(self.traffic, self._pushed(rules)), np.outer(self._traffic_rest, self._push)
        paid = self.cfg.supply.exposure.traffic * (bought - usual)
        shown = logs(1.0 + np.outer(self.bots, 1.0 - found))
        before = logs(1.0 + np.outer(self._bots_rest, 1.0 - self._detection))
        exposure: F64 = paid + shown - before
        return exposure

    def _pushed(self, rules: Rules) -> F64:
        """float64[P]: how far a usual budget of traffic moves a room up, against the base year."""
        return traffic_push(rules, self.cfg.supply.platforms.traffic_response).astype(np.float64)

    def lift(self, agency: int, roster: Rows, rules: Rules) -> float:
        """What the agency adds to the income of the hosts `roster` (k,) now; `supply.agencies.lift` at rest."""
        return self._lift(self._exposure(rules)[agency], roster)

    def _lift(self, exposure: F64, roster: Rows) -> float:
        """The lift of an agency with `exposure` (P,), a mean over its hosts."""
        mean = float(exposure[self.streamers.platform[roster]].mean()) if roster.size else 0.0
        return max((1.0 + self.rule.lift) * float(exps(self.rule.audience_of_exposure * mean)) - 1.0, 0.0)

    # -- what is decided -----------------------------------------------------------------------------------------------
    def bargain(self, rules: Rules, day: int) -> bool:
        """Everything of the agencies whose week it is, and of hosts who review their contracts; whether it changed."""
        if not self._is_settled:
            return False
        gross, own = self.careers.gross(rules), self.careers.own()
        if day % WEEK == 0:
            self._offers = self._terms(rules)
        changed = self._review_hosts(rules, day, gross)
        for agency in range(day % WEEK, self.cuts.shape[0], WEEK):
            if (day // WEEK + agency) % self.rule.contract_weeks == 0:
                self._review(agency, rules, gross, own)
                changed = True
        if changed:
            write_contracts(self.streamers, self.catalogue, self.cfg.economics, self.cuts)
        return changed

    def _review(self, agency: int, rules: Rules, gross: F64, own: F64) -> None:
        """An agency's quarter: lets go, grades and trains, buys traffic, bargains."""
        hosts, rule = self.streamers, self.rule
        roster = np.flatnonzero(hosts.agency == agency)
        tier = hosts.tier[roster].astype(np.int64)
        part = self.cuts[agency] / self._cuts_rest[agency]
        worth = gross[roster] + logs(part[tier] * hosts.pay_grade[roster])
        poor = worth < -rule.release_change
        self._part(roster[poor])
        self.released += int(poor.sum())
        roster, tier, worth = roster[~poor], tier[~poor], worth[~poor]
        hosts.pay_grade[roster] = pay_grade(own[roster], rule.grade_band, rule.grade_step)
        # the training budget is a part of the agency's income from the host
        hosts.training[roster] = rule.training_gain * np.clip(exps(worth) - 1.0, -1.0, 2.0)
        mean = float(exps(worth).mean()) if roster.size else 1.0
        self.worth[agency] = mean
        self.traffic[agency] = traffic_bought(
            self._traffic_rest[agency], mean, self._start[agency], rule.largest_traffic
        )
        platform = hosts.platform[roster]
        found = np.asarray(rules.exposure.bot_detection, np.float64)[platform]
        self.bots[agency] = fakes_bought(
            self._bots_rest[agency], mean, found.mean() if roster.size else 0.0,
            self._detection[platform].mean() if roster.size else 0.0, self._scruple[agency], rule.fake_penalty,
            rule.largest_fakes,
        )  # fmt: skip
        hosts.traffic[roster] = self.traffic[agency]
        hosts.bots[roster] = self.bots[agency]
        self._agree(agency, roster, tier, gross, rules)

    def _agree(self, agency: int, roster: Rows, tier: I64, gross: F64, rules: Rules) -> None:
        """New cuts by tier."""
        rule = self.rule
        lift = self.lift(agency, roster, rules)
        rest = self._cuts_rest[agency]
        cost = self.cfg.supply.costs.agency_cost_share * rest * (1.0 + rule.lift)
        power = shifted(power_behind(rest, rule.lift, cost), rule.power_shift)
        growth = np.ones(TIERS)
        for one in range(TIERS):
            if (tier == one).any():
                growth[one] = exps(gross[roster[tier == one]]).mean()
        self.cuts[agency] = np.clip(nash_cut(lift, cost / growth, power), rule.lowest_cut, rule.highest_cut)

    def _review_hosts(self, rules: Rules, day: int, gross: F64) -> bool:
        """Hosts whose review it is leave agencies that take more than they bring, and join those that bring more."""
        hosts = self.streamers
        rows = np.flatnonzero((hosts.weekday == day % WEEK) & (hosts.active == 1) & (hosts.away == 0))
        rows = rows[(day // WEEK + rows) % self.cfg.supply.careers.review_weeks == 0]
        if rows.size == 0:
            return False
        offer = self._offers
        tier = hosts.tier[rows].astype(np.int64)
        signed = hosts.agency[rows] != NO_STREAMER
        at, grade = rows[signed], hosts.pay_grade[rows[signed]].astype(np.float64)
        kept = 1.0 - self.cuts[hosts.agency[at], tier[signed]] * grade
        usual = 1.0 - self.cuts[hosts.agency[at], tier[signed]]
        gain = offer[hosts.agency[at], tier[signed]] + logs(np.maximum(kept, 0.01) / np.maximum(usual, 0.01))
        going = at[gain < -self.limits[at]]
        self._part(going)
        self.left += going.size
        free, tier = rows[~signed], tier[~signed]
        joined = np.zeros(0, np.int64)
        if free.size:
            talks = self.draws.integers(
                Purpose.OFFER, self.cuts.shape[0], free[:, None], other=hosts.generation[free][:, None],
                ordinal=np.arange(OFFERS),
            ).astype(np.int64)  # fmt: skip
            values = offer[talks, tier[:, None]]
            best = values.argmax(axis=1)
            place = np.arange(free.size)
            # agencies take whom they would not let go
            joins = (values[place, best] > self.limits[free]) & (gross[free] > -self.rule.release_change)
            joined, agency = free[joins], talks[place, best][joins]
            hosts.agency[joined] = agency
            hosts.traffic[joined] = self.traffic[agency]
            hosts.bots[joined] = self.bots[agency]
            self.signed += joined.size
        return bool(going.size + joined.size)

    def _terms(self, rules: Rules) -> F64:
        """float64[agencies, 3]: log of what a host is left with under an agency, against that at rest."""
        kept = (1.0 - self.cuts.astype(np.float64)) / (1.0 - self._cuts_rest)
        exposure = self._exposure(rules)
        lifts = np.array(
            [self._lift(seen, np.flatnonzero(self.streamers.agency == agency)) for agency, seen in enumerate(exposure)]
        )
        terms: F64 = logs(kept) + logs((1.0 + lifts) / (1.0 + self.rule.lift))[:, None]
        return terms

    def _part(self, rows: Rows) -> None:
        hosts = self.streamers
        hosts.agency[rows] = NO_STREAMER
        for name in ("bots", "traffic", "training"):
            hosts[name][rows] = 0
        hosts.pay_grade[rows] = 1

    def follow(self, changed: bool) -> None:
        """Hosts have come, gone or moved, if `changed`: contracts are with those who are there."""
        if changed:
            self.limits[self.careers.newcomers] = self._limits(self.careers.newcomers)
            write_contracts(self.streamers, self.catalogue, self.cfg.economics, self.cuts)

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What tomorrow's decisions depend on besides the columns, by name."""
        return {
            "cuts": self.cuts, "bots": self.bots, "traffic": self.traffic, "worth": self.worth, "limits": self.limits,
            "detection": self._detection, "push": self._push, "offers": self._offers,
        }  # fmt: skip
