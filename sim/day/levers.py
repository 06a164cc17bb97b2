"""The few verbs an intervention may say to the world, and who pays for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.interventions.base import Cost, Hosts, News, Promotion
from sim.kinds import DAYPART_SECONDS, DAYPARTS, Event
from sim.messages import Events
from sim.record.schema import MoneyPurpose
from sim.state.catalogue import Air
from sim.state.ledger import Account, Ledger
from sim.state.orders import Orders
from sim.state.table import Table

Indices = NDArray[np.int64]

PAYERS = {
    "treasury": Account.TREASURY,
    "platform": Account.CHANNEL,
    "merchant": Account.MERCHANT,
    "warehouse": Account.WAREHOUSE,
    "carrier": Account.CARRIER,
    "payment_provider": Account.PROVIDER,
    "streamer": Account.STREAMER,
    "mcn": Account.MCN,
}


class Stations(Protocol):
    """What closes: warehouses at the picking stage, carriers at the last mile."""

    def close(self, stage: Literal["pick", "last_mile"], station: int, begin: int, until: int) -> object:
        """Nothing starts at the station from second `begin` to second `until`."""


class Levers:
    """Passes closures to the stations, delays payments that fall into an outage, lifts the audiences of shows, takes
    hosts off the air. `audience` float[C, P]: people a platform reaches in a country, so that hosts' shares compare."""

    def __init__(
        self,
        stations: Stations,
        streamers: Table,
        seller_class: NDArray[np.uint8],
        audience: NDArray[np.floating[Any]],
    ) -> None:
        self._stations = stations
        self._streamers = streamers
        self.audience = audience
        self._tier = streamers.tier
        self._seller_class = seller_class
        self._promotions: list[Promotion] = []
        self._outages: list[tuple[Indices, Indices, int, int]] = []
        self._ranked: dict[str, Indices] = {}  # hosts by rank as they were when a removal or a news was first said
        self._removed: dict[str, tuple[Indices, int]] = {}  # by name of the removal: hosts, second of their return
        self._news: list[tuple[News, Indices]] = []  # today's, with the hosts they are about

    # -- what interventions say ---------------------------------------------------------------------------------------
    def close_warehouses(self, warehouses: Indices, start: int, end: int) -> None:
        """Nothing is picked there from second `start` to `end`."""
        for warehouse in warehouses.tolist():
            self._stations.close("pick", warehouse, start, end)

    def suspend_carriers(self, carriers: Indices, start: int, end: int) -> None:
        """Nothing is delivered by them from second `start` to `end`."""
        for carrier in carriers.tolist():
            self._stations.close("last_mile", carrier, start, end)

    def stop_payments(self, countries: Indices, methods: Indices, start: int, end: int) -> None:
        """Approvals by method `methods[i]` in `countries[i]` wait until second `end`."""
        self._outages.append((countries, methods, start, end))

    def promote_shows(self, promotion: Promotion) -> None:
        """Shows in reach look more popular for the hours given."""
        self._promotions.append(promotion)

    def remove_streamers(self, name: str, hosts: Hosts, end: int) -> None:
        """Hosts are away from now to second `end`. Their ranks are settled when `name` is first said; said again it
        moves the ranks in reach and the return."""
        self._removed[name] = self._named(name, hosts), end

    def spread_news(self, news: News) -> None:
        """The evening hears of it (`news_of_the_day`)."""
        about = self._named(news.name, news.hosts) if news.level == "bond" else np.empty(0, np.int64)
        self._news.append((news, about))

    def _named(self, name: str, choice: Hosts) -> Indices:
        """Hosts of the choice by expected audience, as it was when `name` was first heard."""
        if name not in self._ranked:
            hosts = self._streamers
            here = (hosts.active == 1) & (hosts.away == 0)
            here &= choice.countries[hosts.country] & choice.platforms[hosts.platform]
            here &= choice.categories[hosts.category] & choice.tiers[hosts.tier]
            audience = hosts.popularity * self.audience[hosts.country, hosts.platform]
            self._ranked[name] = np.argsort(-np.where(here, audience, -1.0), kind="stable")[: int(here.sum())]
        return self._ranked[name][choice.ranks[0] - 1 : choice.ranks[1]]

    # -- what the day does with it ------------------------------------------------------------------------------------
    def promote(self, air: Air) -> bool:
        """Lifts the popularity that people and recommenders see; whether any show was lifted. Clears the promotions."""
        lifted = False
        for promotion in self._promotions:
            reach = (
                promotion.countries[air.country]
                & promotion.platforms[air.platform]
                & promotion.categories[air.category]
                & promotion.tiers[self._tier[air.streamer]]
                & self._on_air(air, promotion)
            )
            if promotion.ranks is not None:
                rank = np.empty(len(air), np.int64)
                rank[np.argsort(-air.popularity, kind="stable")] = np.arange(1, len(air) + 1)
                reach &= (rank >= promotion.ranks[0]) & (rank <= promotion.ranks[1])
            air.popularity = np.where(reach, air.popularity * np.float32(promotion.factor), air.popularity)
            lifted = lifted or bool(reach.any())
        self._promotions.clear()
        return lifted

    @staticmethod
    def _on_air(air: Air, promotion: Promotion) -> NDArray[np.bool_]:
        """Shows on air in at least one daypart that the promotion touches."""
        dawn = air.day * DAYPART_SECONDS * DAYPARTS
        mask = 0
        for daypart in range(DAYPARTS):
            begin = dawn + daypart * DAYPART_SECONDS
            if promotion.start < begin + DAYPART_SECONDS and promotion.end > begin:
                mask |= 1 << daypart
        return np.asarray((air.dayparts & mask) != 0)

    def call_back(self, second: int) -> None:
        """Marks who is away today, which begins at `second`; who was removed until then is back."""
        self._removed = {name: entry for name, entry in self._removed.items() if entry[1] > second}
        self._streamers.away[:] = 0
        for hosts, _ in self._removed.values():
            self._streamers.away[hosts] = 1

    def news_of_the_day(self) -> list[tuple[News, Indices]]:
        """Today's news, each with the hosts it is about; tomorrow's begin anew."""
        news, self._news = self._news, []
        return news

    def hold_payments(self, events: Events, orders: Orders) -> tuple[Events, NDArray[np.int64], NDArray[np.int64]]:
        """Takes approvals that fall into an outage out of the batch; they come back when it ends.

        Returns the other events, and the orders held with the second at which each falls due again.
        """
        none = np.empty(0, np.int64)
        if not self._outages or len(events) == 0:
            return events, none, none
        approvals = np.flatnonzero(events.kind == Event.AUTHORISED)
        rows = orders.find(events.order[approvals])
        until = np.zeros(approvals.size, np.int64)
        for countries, methods, start, end in self._outages:
            time = events.time[approvals]
            inside = (rows >= 0) & (time >= start) & (time < end)
            for country, method in zip(countries, methods, strict=True):
                hit = inside & (orders.country[rows] == country) & (orders.method[rows] == method)
                until[hit] = np.maximum(until[hit], end)
        held = approvals[until > 0]
        keep = np.ones(len(events), np.bool_)
        keep[held] = False
        rest = Events(events.time[keep], events.kind[keep], events.order[keep])
        return rest, events.order[held], until[until > 0]

    def forget_outages(self, second: int) -> None:
        """Drops outages that ended before `second`."""
        self._outages = [outage for outage in self._outages if outage[3] > second]

    def pay(self, costs: Iterable[Cost], ledger: Ledger) -> None:
        """Posts what interventions cost: by the payer, or spread evenly over its class, to the rest of the world."""
        world = ledger.account(Account.REST_OF_WORLD)
        for cost in costs:
            kind = PAYERS[cost.payer]
            if kind is Account.MERCHANT and cost.index >= 0:
                who = np.flatnonzero(self._seller_class == cost.index)
            elif cost.index >= 0:
                who = np.array([cost.index])
            else:
                who = np.arange(ledger.size[kind])
            share = np.full(who.size, cost.cents // who.size, np.int64)
            share[: cost.cents % who.size] += 1
            ledger.post(MoneyPurpose[cost.purpose.upper()], ledger.account(kind, who), world, share)
