"""Offers to hosts: what a merchant adds to the host's part of the commission, and the slot fee it pays.

A host looks at what a line pays, so a merchant buys places in line-ups with margin. Places rise with the host's income
from a sale, h + x of the price, as (h + x)^e; a sale in a room leaves the merchant M - x. The best addition is

    x = (e M - h) / (1 + e)

and e, how readily hosts change lines for money, is backed out as h / M at the end of the warm-up, where nothing was
added. A cap that shortens the host's part, or a margin that grows, is then answered by an offer past the platform; a
shrinking margin by a lower slot fee. Form: constant-elasticity bidding for shelf space (after Martinez-de-Albeniz and
Roels 2011); elasticity backed out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.agents.channel import effective_commission, split_commission
from sim.config.supply import Offers as OffersRule
from sim.kernels.prices import Listing, line_margins
from sim.kernels.supply import CostTable
from sim.kinds import N_PLATFORMS, STREAMER_TIERS
from sim.rules import Rules
from sim.state.catalogue import Catalogue, country_demand

type F32 = NDArray[np.float32]
type F64 = NDArray[np.float64]

PERMILLE = 1000.0


def best_offer(margin: F64, host: F64, readiness: F64) -> F64:
    """Best addition to the host's share of the price (n,); `margin` and `host` are shares of the price."""
    offer: F64 = (readiness * margin - host) / (1.0 + readiness)
    return offer


class Offers:
    """Chooses offers. Writes host_offer_permille and slot_fee_change of the catalogue; m merchants, n lines."""

    def __init__(self, cfg: Any, catalogue: Catalogue, tier_share: F64) -> None:
        self.cfg = cfg
        self.catalogue = catalogue
        self._rule: OffersRule = cfg.supply.offers
        self._tier_share = tier_share
        economics = cfg.economics
        demand = country_demand(economics, cfg.geography)
        self._platforms = demand @ cfg.geography.platform_shares(cfg.availability)  # (P,)
        self._demand = demand
        self._tiers = np.array([economics.host_sales_mix[name] for name in STREAMER_TIERS])
        self._slot_fee = float(self._tiers @ economics.slot_fee_shares())
        self._live = economics.live_share_of_sales
        self._weight: F32 = np.zeros(catalogue.price_cents.shape[:2], np.float32)
        self._readiness: F64 = np.zeros(catalogue.n_merchants)  # 0: not known
        self.offer: F64 = np.zeros(catalogue.n_merchants)  # share of the price of a sale in a room

    def host_share(self, rules: Rules) -> F64:
        """float64[2]: the hosts' part of the price of a sale in a room, by seller class."""
        host = split_commission(self.catalogue.commission_asked, rules, self.cfg.economics)[1].astype(np.float64)
        share: F64 = np.einsum("p,psk,k->s", self._platforms / self._platforms.sum(), host, self._tiers)
        return share

    def _margin(self, listing: Listing, costs: CostTable, rules: Rules, who: NDArray[np.bool_]) -> F64:
        """float64[m]: what a sale in a room leaves merchants `who` bool[m], share of the price, before their own
        addition."""
        catalogue, economics = self.catalogue, self.cfg.economics
        many = catalogue.n_merchants
        margin, price = line_margins(listing, costs, self._weight, self._tier_share, who)
        size = self._weight.sum(axis=1, dtype=np.float64)
        top = np.bincount(catalogue.merchant, margin * size, many)
        base = np.bincount(catalogue.merchant, price * size, many)
        mean = top / np.maximum(base, 1e-12)
        charge = effective_commission(catalogue.commission_asked, rules)[:N_PLATFORMS].astype(np.float64)
        room = self._platforms / self._platforms.sum() @ (charge + economics.traffic_costs()[:N_PLATFORMS])
        room = room + self._slot_fee
        spread = costs.rate @ self._demand / self._demand.sum() - room  # what rooms take less than the mean channel
        left: F64 = (
            mean + (1.0 - costs.discount) * spread[catalogue.seller_class] + (1.0 - costs.discount) * self.given()
        )  # in the margins
        return left

    def fix(self, listing: Listing, costs: CostTable, rules: Rules, rate: F32) -> None:
        """Takes today, when nothing is added, for the best of whoever is not known yet."""
        new = self._readiness <= 0
        lines = new[self.catalogue.merchant]
        self._weight[lines] = rate[lines]
        margin = np.maximum(self._margin(listing, costs, rules, new), self._rule.least_margin)
        self._readiness[new] = (self.host_share(rules)[self.catalogue.seller_class] / margin)[new]

    def meet(self, who: NDArray[np.integer]) -> None:
        """Other merchants stand in the rows `who` (k,): they offer hosts nothing on top, and are not known yet."""
        self._readiness[who] = 0
        self.offer[who] = 0
        self.catalogue.host_offer_permille[who] = 0
        self.catalogue.slot_fee_change[who] = 0

    def review(self, listing: Listing, costs: CostTable, rules: Rules, who: NDArray[np.bool_]) -> None:
        """Merchants `who` bool[m] make hosts their best offer, if it is `step` away from the one in force."""
        rule, catalogue = self._rule, self.catalogue
        chosen = np.flatnonzero(who & (self._readiness > 0))
        margin = np.maximum(self._margin(listing, costs, rules, who), rule.least_margin)[chosen]
        host = self.host_share(rules)[catalogue.seller_class[chosen]]
        best = np.clip(best_offer(margin, host, self._readiness[chosen]), -self._slot_fee, rule.largest)
        moved = np.abs(best - self.offer[chosen]) >= rule.step
        chosen, best = chosen[moved], best[moved]
        self.offer[chosen] = best
        by_fee = np.where(best > 0, rule.fee_part * best, best)
        catalogue.host_offer_permille[chosen] = np.rint(PERMILLE * np.maximum(best - by_fee, 0.0))
        catalogue.slot_fee_change[chosen] = np.rint(PERMILLE * by_fee / self._slot_fee)

    def given(self) -> F64:
        """float64[m]: what offers take of the price of a mean sale, rooms or not."""
        share: F64 = self._live * self.offer
        return share

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """What tomorrow depends on."""
        return {"offer": self.offer, "readiness": self._readiness, "weight": self._weight}
