"""How the supply side decides: shows, exposure, prices, stock, popularity and what it pays.

Meanings, units, ranges and sources: `configs/supply/default.yaml`. How the rules work: docs/supply.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from pydantic import model_validator

from sim.config.quantity import Group
from sim.kinds import COUNTRIES, SELLER_CLASSES, STREAMER_TIERS, TECHNOLOGIES

INSTRUMENTS = ("commission", "fee", "traffic_price", "traffic_weight", "tilt")


class Shows(Group):
    shows_a_week: dict[str, float]
    long_share: dict[str, float]
    prime_weight: float
    slot_habit: float
    slot_noise: float
    observance: float
    audience_response: float
    fatigue_weight: float
    fatigue_gain: float
    fatigue_memory_days: float
    candidates: int
    focus: float
    income_weight: float
    reputation_weight: float
    line_noise: float
    bargaining: dict[str, float]
    discount_spread: float
    largest_discount: float
    claims_gain: float
    disclosure_loss: float
    integrity_cost: float
    penalty_weight: float
    claims_curvature: float
    largest_claim: float
    certificate_stake: float
    campaign_depth: float


class Exposure(Group):
    match: float
    popularity: float
    traffic: float
    comprehension: float
    away: float
    expected_conversion: float
    appeal_skill: float
    appeal_comprehension: float
    appeal_match: float


class Pricing(Group):
    menu_threshold: float
    absorption: float
    least_margin: float
    origin_currency_share: float
    shelf_return_factor: float


class Stock(Group):
    service_factor: float
    demand_spread: float
    review_days: float
    memory_days: float
    quick_memory_days: float
    prior_units: float
    order_days: dict[str, float]
    air_cover: float
    by_truck: tuple[str, ...]
    first_cover_days: dict[str, float]
    least_units_year: float
    stocked_bias: dict[str, float]
    delay_value_usd_day: float
    expected_days_saved: float
    choice_spread: float
    review_month_days: int


class Audience(Group):
    memory_days: float
    trust_in_data: float
    base_weight: float
    absence_days: float
    tier_review_days: int


class Costs(Group):
    platform_fixed_share: float
    stream_hour_usd: dict[str, float]
    hours_per_daypart: float
    agency_cost_share: float
    operator_cost_share: float
    merchant_cash_days: float
    owners_weeks: float


class Prices(Group):
    menu_cost_usd: dict[str, float]
    horizon_days: float
    memory_weeks: float
    lag_weeks: int
    trust_orders: float
    least_margin: float
    threshold_spread: float


class Quality(Group):
    cost_slope: float
    curvature: float
    step: float
    speed: float
    lowest: float
    highest: float


class Declarations(Group):
    honest_share: float
    largest: float


class Offers(Group):
    step: float
    largest: float
    fee_part: float
    least_margin: float


class Decide(Group):
    """Which decisions firms take; false: they keep their habits."""

    prices: bool
    quality: bool
    declared_value: bool
    offers: bool
    credit: bool
    entry_exit: bool
    routes_credit: bool
    channels: bool
    technology: bool
    c2m: bool
    freight: bool
    careers: bool
    integrity: bool
    agencies: bool
    platforms: bool
    audits: bool


class Books(Group):
    memory_weeks: float
    trust_orders: float
    first_week: int


class Channels(Group):
    spread: float
    country_spread: float
    least_change: float
    incremental: float
    joining_cost: float
    joining_tools: float
    country_cost: float
    payback_years: float
    review_weeks: int
    trial_weeks: int
    entrant_sales: float
    trust_units: float


class Freight(Group):
    by_rail: tuple[str, ...]
    closure_days: float
    stockout_cost: float
    least_gain: float
    spread: float


class C2M(Group):
    production_days: float
    lot_days: float
    room_days: float


class Technology(Group):
    expected_gain: dict[str, float]
    returns_spared: dict[str, float]
    setup_usd: dict[str, float]
    annual_usd: dict[str, float]
    class_cost: dict[str, float]
    payback_years: float
    spread: float
    innovation: float
    imitation: float
    least_change: float
    change_spread: float
    review_weeks: int


class Solvency(Group):
    start_weeks: int
    usual_margin: float
    luck_spread: dict[str, float]
    luck_weeks: float
    stock_weeks: float
    purchases: float
    salvage: float
    entry_cost_usd: dict[str, float]
    entry_spread: float
    payback_years: float
    review_weeks: int


class Careers(Group):
    memory_days: float
    trust_orders: float
    trust_visits: float
    settle_days: int
    outside_wage: float
    hours_elasticity: float
    largest_effort: float
    discount_response: float
    slot_learning: float
    slot_memory_days: float
    slot_trust: float
    least_change: float
    change_spread: float
    patience_days: float
    review_weeks: int
    newcomer_start: float
    career_days: float
    move_cost: float
    portable: float
    practice_power: float
    skill_memory_days: float
    language_cost_usd: float
    language_days: float
    language_start: float
    virtual_cost_share: float
    exposed_a_year: float
    scandal_bond: float
    scandal_trust: float


class Integrity(Group):
    regret: float
    memory_weeks: float


class Agencies(Group):
    lift: float
    power_shift: float
    contract_weeks: int
    lowest_cut: float
    highest_cut: float
    audience_of_exposure: float
    least_change: float
    change_spread: float
    release_change: float
    grade_band: float
    grade_step: float
    training_gain: float
    largest_traffic: float
    fake_penalty: float
    largest_fakes: float


class Platforms(Group):
    review_days: int
    pass_through: float
    multihoming: float
    traffic_response: float
    relevance: float
    friction: dict[str, float]
    steps: dict[str, float]
    limits: dict[str, tuple[float, ...]]
    effort_curvature: float
    effort_cost_share: float
    least_effort: float
    law_weight: float
    moderation_penalty: float
    trust_orders: float
    memory_weeks: float
    habit_response: float
    habit_memory_days: float
    habit_trust_visits: float
    habit_purchase_weight: float


class Audits(Group):
    prior_years: float
    memory_years: float
    claims_tolerance: float
    label_gain: float
    label_norm: float
    counterfeit_tolerance: float
    counterfeit_response: float
    lapse_share: float
    revenue_memory_weeks: float


class Supply(Group):
    """Decision rules of streamers, merchants, agencies and platforms."""

    shows: Shows
    exposure: Exposure
    pricing: Pricing
    prices: Prices
    quality: Quality
    declarations: Declarations
    offers: Offers
    stock: Stock
    audience: Audience
    costs: Costs
    decide: Decide
    books: Books
    careers: Careers
    integrity: Integrity
    agencies: Agencies
    solvency: Solvency
    channels: Channels
    technology: Technology
    freight: Freight
    c2m: C2M
    platforms: Platforms
    audits: Audits

    @model_validator(mode="after")
    def _complete(self) -> Self:
        shows, stock = self.shows, self.stock
        tables: tuple[tuple[str, Mapping[str, float], Sequence[str]], ...] = (
            ("shows.shows_a_week", shows.shows_a_week, STREAMER_TIERS),
            ("shows.long_share", shows.long_share, STREAMER_TIERS),
            ("shows.bargaining", shows.bargaining, STREAMER_TIERS),
            ("stock.order_days", stock.order_days, SELLER_CLASSES),
            ("stock.stocked_bias", stock.stocked_bias, SELLER_CLASSES),
            ("prices.menu_cost_usd", self.prices.menu_cost_usd, SELLER_CLASSES),
            ("solvency.luck_spread", self.solvency.luck_spread, SELLER_CLASSES),
            ("solvency.entry_cost_usd", self.solvency.entry_cost_usd, SELLER_CLASSES),
            ("stock.first_cover_days", stock.first_cover_days, ("origin", "abroad")),
            *(
                (f"technology.{name}", getattr(self.technology, name), TECHNOLOGIES)
                for name in ("expected_gain", "returns_spared", "setup_usd", "annual_usd")
            ),
            ("technology.class_cost", self.technology.class_cost, SELLER_CLASSES),
            ("costs.stream_hour_usd", self.costs.stream_hour_usd, STREAMER_TIERS),
            ("platforms.friction", self.platforms.friction, INSTRUMENTS),
            ("platforms.steps", self.platforms.steps, (*INSTRUMENTS, "effort")),
        )
        for name, given, wanted in tables:
            if set(given) != set(wanted):
                wrong = ", ".join(sorted(set(given) ^ set(wanted)))
                raise ValueError(f"{name} must have exactly the keys {', '.join(wanted)}; see {wrong}")
        if set(self.platforms.limits) != set(INSTRUMENTS) or any(
            len(pair) != 2 or pair[0] > pair[1] for pair in self.platforms.limits.values()
        ):
            raise ValueError(f"platforms.limits needs a lowest and a highest value of {', '.join(INSTRUMENTS)}")
        for name, countries in (("stock.by_truck", stock.by_truck), ("freight.by_rail", self.freight.by_rail)):
            if unknown := sorted(set(countries) - set(COUNTRIES)):
                raise ValueError(f"{name}: no country {', '.join(unknown)}; one of {', '.join(COUNTRIES)}")
        return self
