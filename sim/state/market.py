"""What a consumer meets today: rules, tastes, offers and shows, as the arrays the compiled loops take.

Nothing is decided here. Arrays that follow from the rules are made again only when the rules object changes, offers
only when the catalogue says so, rooms once a day.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.calendar import Calendar
from sim.config import RunConfig
from sim.draws import Draws, Purpose
from sim.kernels.behaviour import doubt_left, review_gain, room_base
from sim.kernels.live import NOBODY, Offers, Rooms, Setting
from sim.kernels.maths import log_array
from sim.kernels.money import follow_landed
from sim.kinds import (
    BRAND_SITE,
    N_CATEGORIES,
    N_CHANNELS,
    N_COUNTRIES,
    N_PLATFORMS,
    N_TIERS,
    REGION_OF_COUNTRY,
    SHELF,
    TECHNOLOGIES,
)
from sim.rules import Rules
from sim.state.catalogue import Air, Catalogue, equipped
from sim.state.consumers import behaviour_record, platform_slots

GUARANTEE, FIRST_TECHNOLOGY = 0, 1  # assurances are drawn in this order, technologies as in kinds.TECHNOLOGIES
SHELF_SLOTS = 64
NO_PLATFORM = 255  # an empty place in a country's platform slots
VISITS_PER_DAYPART = 0.06  # only the scale of audiences shown: openings an adopter and day, over six dayparts


def _page_discount(share: float) -> NDArray[np.float32]:
    """Standing discount by channel float32 (H,): on the pages of shelf and brand sites, in whole thousandths."""
    discount = np.zeros(N_CHANNELS, np.float32)
    discount[[SHELF, BRAND_SITE]] = round(1000 * share) / 1000
    return discount


@njit(cache=True, error_model="numpy")
def learn_mean(
    slots: NDArray[np.uint8], value: NDArray[np.float32], memory: np.float32, expected: NDArray[np.float32]
) -> None:
    """What a country expects moves by `memory` towards the mean `value` (C, P) of the platforms in its `slots`."""
    for country in range(slots.shape[0]):
        total = np.float32(0)
        offered = 0
        for place in range(slots.shape[1]):
            if slots[country, place] != NO_PLATFORM:
                total += value[country, slots[country, place]]
                offered += 1
        if offered > 0:
            expected[country] += memory * (total / np.float32(offered) - expected[country])


@njit(cache=True, error_model="numpy")
def fill_shelf(
    landed_cents: NDArray[np.int32],
    categories: NDArray[np.uint8],
    weight: NDArray[np.float64],
    places: NDArray[np.float64],
    shelf: NDArray[np.uint16],
) -> None:
    """Fills `shelf` (C, K, slots) with lines (n,) sold in the country, in proportion to their `weight`; NOBODY if none.

    A slot belongs to the line whose stretch of the cumulated weights holds the slot's own lottery number `places`
    (slots,), rising from 0 to 1, so one line's change moves few slots.
    """
    steps = np.empty((shelf.shape[1], weight.size), np.float64)
    lines = np.empty((shelf.shape[1], weight.size), np.uint16)
    many = np.empty(shelf.shape[1], np.int64)
    for country in range(shelf.shape[0]):
        many[:] = 0
        for line in range(weight.size):
            if landed_cents[line, country, 0] > 0 and weight[line] > 0.0:
                kind = int(categories[line])
                before = steps[kind, many[kind] - 1] if many[kind] > 0 else 0.0
                steps[kind, many[kind]] = before + weight[line]
                lines[kind, many[kind]] = line
                many[kind] += 1
        for kind in range(shelf.shape[1]):
            if many[kind] == 0:
                shelf[country, kind, :] = NOBODY
                continue
            at, last = 0, many[kind] - 1
            for slot in range(places.size):
                while at < last and steps[kind, at] < places[slot] * steps[kind, last]:
                    at += 1
                shelf[country, kind, slot] = lines[kind, at]


def picture(stutter: float, rate: float, spread: float, fallback: float, gain: float) -> tuple[float, float]:
    """Share of minutes that stutter, and what a steady minute tells against the base year, at a data rate `rate`.

    Throughput is log-normal over minutes with deviation `spread`; how high it is in a country follows from `stutter`,
    the share of minutes that do not carry the base year's picture (rate 1). Of those that carry that one and not the
    one sent, the share `fallback` shows it instead and the others stutter. A minute tells 1 + `gain` x log2 of its
    rate (perceived quality is logarithmic in the rate: Reichl et al. 2010, The Logarithmic Nature of QoE).
    """
    if rate == 1.0 or not 0.0 < stutter < 1.0:
        return stutter, max(1.0 + gain * math.log2(rate), 0.0)
    normal = NormalDist()
    missed = normal.cdf(normal.inv_cdf(stutter) + math.log(rate) / spread)
    lower = fallback * max(missed - stutter, 0.0)
    steady = 1.0 - missed + lower
    told = (1.0 - missed) * max(1.0 + gain * math.log2(rate), 0.0) + lower
    return 1.0 - steady, told / steady if steady > 0.0 else 1.0


class Market:
    """Builds `Setting`, `Offers` and `Rooms`. `param` is the record of behavioural parameters."""

    def __init__(self, cfg: RunConfig, catalogue: Catalogue, calendar: Calendar, draws: Draws) -> None:
        behaviour, geography, economics = cfg.consumer, cfg.geography, cfg.economics
        region = np.asarray(REGION_OF_COUNTRY)
        self.param = behaviour_record(behaviour)
        self.catalogue = catalogue
        self.calendar = calendar
        self._rules: Rules | None = None
        self._technology = catalogue.technology.copy()
        self._closeness = geography.closeness()
        self._fit = np.clip(
            1.0 - geography.culture_distance()[:N_COUNTRIES, :N_COUNTRIES] / behaviour.room.culture_span, 0.0, 1.0
        ).astype(np.float32)
        self._audience = (
            geography.adopters()[:, None] * geography.platform_shares(cfg.availability) * 1e6 * VISITS_PER_DAYPART
        )
        self._lottery = np.stack(
            [
                np.asarray(draws.uniform(Purpose.COVER, np.arange(catalogue.n_lines), other=kind))
                for kind in range(FIRST_TECHNOLOGY + len(TECHNOLOGIES))
            ]
        )
        count = catalogue.n_lines
        self._slots = platform_slots(geography, cfg.availability)
        self._throughput_spread, self._fallback = geography.throughput_spread, geography.stream_fallback
        self._need_days = economics.by_category("need_days")
        self.setting = Setting(
            platform_slots=self._slots.copy(),
            availability=np.zeros((N_COUNTRIES, 6), np.float32),
            activity=np.ones(N_COUNTRIES, np.float32),
            need_rate=np.zeros((N_COUNTRIES, N_CATEGORIES), np.float32),
            price_weight=(-economics.by_category("elasticity")).astype(np.float32),
            risk=np.array(behaviour.category.risk, np.float32),
            fit_spread=(economics.by_category("fit_uncertainty") * behaviour.information.fit_scale).astype(np.float32),
            impulse=np.array(behaviour.category.impulse, np.float32),
            interaction=np.array(behaviour.tastes.interaction, np.float32)[region],
            detail=np.array(behaviour.tastes.detail, np.float32)[region],
            price_taste=np.array(behaviour.tastes.price, np.float32)[region],
            stutter=np.zeros(N_COUNTRIES, np.float32),
            evidence=np.ones(N_COUNTRIES, np.float32),
            reviewed=np.ones(N_CHANNELS, np.float32),
            doubt=np.ones(N_CHANNELS, np.float32),
            steps=np.array(behaviour.checkout_steps, np.float32),
            service_fee=catalogue.service_fee,
            page_discount=_page_discount(economics.shelf_discount),
            subsidy_usd=np.zeros(N_PLATFORMS, np.float32),
            liquidity=np.ones(N_COUNTRIES, np.float32),
            return_window=np.zeros(N_COUNTRIES, np.float32),
            expected=np.zeros(N_COUNTRIES, np.float32),
            expected_by_platform=np.zeros((N_COUNTRIES, N_PLATFORMS), np.float32),
        )
        self._price_taste = self.setting.price_taste.copy()
        self._rate = np.ones(N_COUNTRIES, np.float32)
        typical = np.zeros((N_CATEGORIES, N_TIERS), np.float32)
        for category in range(N_CATEGORIES):
            chosen = catalogue.category == category
            if chosen.any():
                typical[category] = catalogue.quality[chosen].mean(axis=0, dtype=np.float64)
        self.offers = Offers(
            landed_cents=catalogue.landed_cents,
            price_cents=catalogue.price_cents,
            discounted_share=np.ones((count, N_COUNTRIES), np.float32),
            remembered_usd=catalogue.landed_cents[:, :, 0].astype(np.float32) / np.float32(100),
            promised_days=catalogue.promised_days,
            category=catalogue.category,
            merchant=catalogue.merchant,
            quality=catalogue.quality,
            typical=typical,
            reputation=catalogue.reputation,
            own_site=catalogue.own_site,
            reference_usd=economics.by_category("reference_price").astype(np.float32),
            guaranteed=np.zeros((N_CHANNELS, count), np.uint8),
            certified=np.zeros(count, np.uint8),
            traced=np.zeros(count, np.uint8),
            tryon=np.zeros(count, np.uint8),
        )
        self.on_air = np.zeros((N_COUNTRIES, N_PLATFORMS), np.float32)  # value of what is on air now
        self.habit = np.zeros((N_COUNTRIES, N_PLATFORMS))  # utils by which a country's common habit has moved
        self._value_weight = float(behaviour.platform.expected_value)
        self.return_level = np.array(behaviour.category.return_level, np.float32)
        self._instalments = float(behaviour.purchase.liquidity_instalments)
        self._interest_share = np.full(N_CATEGORIES, 1.0 / N_CATEGORIES)
        self._understood = self._closeness.astype(np.float32)
        self.shelf = np.full((N_COUNTRIES, N_CATEGORIES, SHELF_SLOTS), NOBODY, np.uint16)
        self.line_of_seller = np.full((catalogue.n_merchants, N_CATEGORIES), NOBODY, np.uint16)
        self._list_sellers()
        self._shelf_lottery = np.asarray(draws.uniform(Purpose.COVER, np.arange(SHELF_SLOTS), other=9))
        self.follow_offers()
        self.shelve()

    def follow_rules(self, rules: Rules) -> None:
        """Copies what consumers feel of the rules and of sellers' technologies, where one of them has changed."""
        if rules is self._rules and np.array_equal(self._technology, self.catalogue.technology):
            return
        self._rules = rules
        self._technology = self.catalogue.technology.copy()
        setting, offers, catalogue = self.setting, self.offers, self.catalogue
        shut = np.ones((N_COUNTRIES, N_PLATFORMS + 1), np.bool_)  # an empty place is closed, too
        shut[:, :N_PLATFORMS] = (rules.stream.up == 0) | (rules.platform.open == 0)
        closed = np.take_along_axis(shut, np.minimum(self._slots, N_PLATFORMS).astype(np.int64), axis=1)
        setting.platform_slots[...] = np.where(closed, 255, self._slots)
        self._follow_picture(rules)
        self._follow_reviews(rules)
        setting.subsidy_usd[...] = rules.subsidy.buyer_usd
        setting.return_window[...] = rules.guarantee.return_window_days
        stretched = 1.0 + (self._instalments - 1.0) * rules.payment.availability[:, 4]
        self._follow_exchange(np.asarray(rules.exchange.rate_factor, np.float32))
        setting.liquidity[...] = stretched / rules.exchange.rate_factor  # budgets are in local money, prices in dollars
        category = catalogue.category
        own = catalogue.return_guarantee[catalogue.merchant] == 1
        offers.guaranteed[...] = (self._lottery[GUARANTEE] < rules.guarantee.coverage[:, None]) | own
        shares = rules.certification.coverage, rules.tracing.coverage, rules.tryon.coverage
        for number, flags in enumerate((offers.certified, offers.traced, offers.tryon)):
            own = catalogue.technology[:, number]
            flags[...] = equipped(self._lottery[FIRST_TECHNOLOGY + number], shares[number][category], own)
        closeness = self._closeness + (1.0 - self._closeness) * rules.language.translation
        self._understood = closeness.astype(np.float32)

    def _follow_picture(self, rules: Rules) -> None:
        """How often the picture stutters, and what a steady minute of it tells, country by country."""
        setting, gain = self.setting, float(self.param["information_definition_gain"][0])
        for country, (share, rate) in enumerate(zip(rules.stream.stutter, rules.stream.definition, strict=True)):
            stutter, evidence = picture(float(share), float(rate), self._throughput_spread, self._fallback, gain)
            setting.stutter[country], setting.evidence[country] = stutter, evidence

    def _follow_reviews(self, rules: Rules) -> None:
        """How far reputations enter beliefs, and what they leave of perceived risk, channel by channel."""
        setting, param = self.setting, self.param[0]
        for channel, visibility in enumerate(rules.reputation.visibility):
            left = doubt_left(param.information_reputation_prior, visibility)
            setting.reviewed[channel] = review_gain(param.information_reputation_prior, visibility)
            setting.doubt[channel] = 1.0 + param.information_seller_doubt * (left - 1.0)

    def _follow_exchange(self, rate: NDArray[np.float32]) -> None:
        """Incomes and remembered prices are in local money: where a dollar costs `rate` (C,) times as much, so does
        what it buys, against both."""
        self.setting.price_taste[...] = self._price_taste * rate
        moved = rate != self._rate
        if moved.any():
            self.offers.remembered_usd[:, moved] *= self._rate[moved] / rate[moved]
            self._rate = rate.copy()

    def _list_sellers(self) -> None:
        catalogue = self.catalogue
        lines = np.arange(catalogue.n_lines)
        self.line_of_seller[:] = NOBODY
        self.line_of_seller[catalogue.merchant[::-1], catalogue.category[::-1]] = lines[::-1]

    def follow_sellers(self, newcomers: NDArray[np.int64]) -> None:
        """After merchants came and went: who sells what; nobody knows the prices of `newcomers` (k,)."""
        self._list_sellers()
        self.offers.remembered_usd[np.isin(self.catalogue.merchant, newcomers)] = 0
        self._rules = None  # so that guarantees are read again

    def follow_offers(self) -> None:
        """After prices changed: the share of the landed price that a discount on the goods takes off; what is new is
        remembered at its first price."""
        catalogue, offers = self.catalogue, self.offers
        follow_landed(catalogue.landed_cents, catalogue.freight_cents, offers.discounted_share, offers.remembered_usd)

    def open_day(self, day: int) -> None:
        """Time people have for screens today, by country and daypart, and how fast needs come back."""
        availability = self.calendar.availability(day)
        total = availability.sum(axis=1)
        self.setting.availability[...] = availability / total[:, None]
        self.setting.activity[...] = total / availability.shape[1]
        if self._rules is not None:
            pace = self._rules.demand.need_factor * self.calendar.need_factor(day)
            self.setting.need_rate[...] = pace / self._need_days

    def rooms(self, air: Air, grown: NDArray[np.float64]) -> Rooms:
        """The shows of the day as viewers meet them. grown: (C,) adopters against the base year's, see `Diffusion`."""
        audience = self._audience[air.country, air.platform] * grown[air.country] * air.popularity
        languages = air.language.astype(np.int64)
        base = room_base(self.param[0], air.skill[:, None], self._fit[air.country], log_array(1.0 + audience)[:, None])
        return Rooms(
            host=air.streamer,
            platform=air.platform,
            language=np.ascontiguousarray(air.language[:, 0]),
            category=air.category,
            lineup=air.lineup,
            discount=air.discount_permille.astype(np.float32) / np.float32(1000),
            exaggeration=air.exaggeration,
            disclosed=air.disclosed.astype(np.float32),
            skill=air.skill,
            lively=air.lively,
            base=np.asarray(base, np.float32),
            culture=self._fit[air.country],
            comprehension=np.maximum(
                air.proficiency[:, :1] * self._understood[languages[:, 0]],
                air.proficiency[:, 1:] * self._understood[languages[:, 1]],
            ),
        )

    def expect(self, pool_value: NDArray[np.float32]) -> None:
        """What is on air now on each platform, as people know it when they choose one. pool_value: (C, P, K)."""
        self.on_air = pool_value.mean(axis=2)
        # habit comes to people as if more were on air; it is no reason to open more often
        self.setting.expected_by_platform[...] = self.on_air + self.habit / max(self._value_weight, 1e-6)

    def learn_expectation(self, mean_value: NDArray[Any], memory: float) -> None:
        """At the day's end the expected value of opening moves towards the day's mean, float32 (C, P)."""
        learn_mean(self.setting.platform_slots, mean_value, np.float32(memory), self.setting.expected)

    def shelve(self) -> None:
        """Search results: (C, K, 64) lines in slots, in proportion to the seller's size, the line's share of it and the
        seller's reputation.
        """
        catalogue = self.catalogue
        seller = catalogue.merchant
        weight = catalogue.merchant_size[seller].astype(np.float64) * catalogue.line_share * catalogue.lister[seller]
        weight *= catalogue.reputation[seller]
        places = (np.arange(SHELF_SLOTS) + self._shelf_lottery) / SHELF_SLOTS
        fill_shelf(catalogue.landed_cents, catalogue.category, weight, places, self.shelf)
