"""How consumers open, choose, watch, buy and judge: the typed parameters of configs/consumer.

Units, ranges, sources and meanings stand beside the values in configs/consumer/default.yaml.
"""

from __future__ import annotations

from sim.config.quantity import Group


class Opening(Group):
    intercept: float
    heterogeneity: float
    need: float
    expected_value: float
    notification: float
    shared_link: float
    subsidy: float
    focus_floor: float


class Platform(Group):
    habit: float
    trust: float
    expected_value: float
    notification: float


class Room(Group):
    match: float
    need: float
    bond: float
    comprehension: float
    skill: float
    culture: float
    viewers: float
    shared: float
    persistent_noise: float
    culture_span: float
    expected_memory: float
    outside: float
    hop: float


class Watching(Group):
    log_scale: float
    shape: float
    comprehension: float
    stutter: float
    culture: float
    skill: float
    bond: float
    match: float
    interaction: float
    minutes_per_line: float
    longest: float


class Information(Group):
    learning_minutes: float
    interaction_gain: float
    definition_gain: float
    shelf: float
    tryon: float
    fit_scale: float
    claims_weight: float
    disclosure_discount: float
    reputation_prior: float
    seller_doubt: float


class Purchase(Group):
    intercept: float
    shelf_intercept: float
    quality: float
    need: float
    interest: float
    trust: float
    bond: float
    proof: float
    loyalty: float
    risk: float
    guarantee: float
    certified: float
    traced: float
    price_scale: float
    income_power: float
    country_income_power: float
    loss_aversion: float
    gain: float
    reference_memory: float
    arousal: float
    arousal_minutes: float
    scarcity: float
    scarcity_depth: float
    complement: float
    tier_spread: float
    checkout_step: float
    liquidity_instalments: float


class Shelf(Group):
    intercept: float
    need: float
    awareness: float
    relevance: float
    remembered: float
    brand_site_share: float


class Trust(Group):
    prior_mean: float
    prior_spread: float
    gain: float
    loss: float
    reversion: float
    bond_start: float
    bond_growth: float
    discovery_days: float
    bond_decay: float
    bond_lapse: float
    first_follows: float
    first_bond: float
    follow: float
    breach_reach: float
    breach_loss: float
    reputation_speed: float
    reputation_centre: float


class WordOfMouth(Group):
    extreme: float
    tell: float
    effect: float
    share_room: float
    proof_memory: float


class Experience(Group):
    surprise: float
    level: float
    late_start: float
    late_slope: float
    late_cap: float
    damage: float
    counterfeit: float
    quality_spread: float
    counterfeit_quality: float
    traced_screen: float
    regret_days: float
    noise: float
    return_level: float
    return_surprise: float
    return_regret: float
    return_late: float
    return_hassle: float
    hassle_cost: float
    impulse_passed: float
    dispute_level: float
    complain_level: float
    complain_slope: float


class Budget(Group):
    share_of_income: float
    memory_days: float
    delay_median: float
    delay_sigma: float


class Tastes(Group):
    interaction: tuple[float, ...]
    detail: tuple[float, ...]
    price: tuple[float, ...]


class Category(Group):
    interest: tuple[float, ...]
    interest_spread: float
    pace: tuple[float, ...]
    risk: tuple[float, ...]
    impulse: tuple[float, ...]
    return_level: tuple[float, ...]


class Consumer(Group):
    opening: Opening
    platform: Platform
    room: Room
    watching: Watching
    information: Information
    purchase: Purchase
    shelf: Shelf
    trust: Trust
    word_of_mouth: WordOfMouth
    experience: Experience
    budget: Budget
    tastes: Tastes
    category: Category
    checkout_steps: tuple[float, ...]
