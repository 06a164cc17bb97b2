"""The supply side, compiled: shows of the day, exposure, prices, replenishment.

Each rule is one scalar function that the loops here and the readable agents both call (`show_chance`, `claim_size`,
`line_value`, `desired_price`, `order_point`); docs/supply.md gives them as equations. Loops over streamers, lines and
shows run on one thread: there are a few thousand of each.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.kernels.maths import HALF, ONE, ZERO, exp1, log1, normal_quantile, pow1
from sim.kernels.philox import below, philox, unit

type Float = np.float32
type U8 = NDArray[np.uint8]
type U16 = NDArray[np.uint16]
type U32 = NDArray[np.uint32]
type I32 = NDArray[np.int32]
type I64 = NDArray[np.int64]
type F32 = NDArray[np.float32]
type F64 = NDArray[np.float64]

DAYPARTS = 6
LINEUP = 4
SLOTS = 64
NOBODY = np.uint16(0xFFFF)
PERMILLE = np.float32(1000)
QUARTER = np.float32(0.25)
SPREAD_UNIFORM = np.float32(3.4641016)  # a uniform number on (-1/2, 1/2) times this has standard deviation 1
NEVER = np.float32(-1e9)
RACE_ROWS = 4096
WEEK = 7
CENT = 0.01  # USD
CENTS = 100.0  # in a USD
ROUND = 0.5
LAST_TIME = np.float32(3e38)
TINY = np.float32(1e-9)
SIX = np.float32(6)
AIR, SEA = 0, 1  # positions in BULK_MODES; a test holds them to it
FIRST_BULK = 4  # position of the first in MODES

# Draw addresses: Purpose * 256; a test holds them to `sim.draws.Purpose`.
SHOW = np.uint32(237 * 256)
LINEUP_DRAW = np.uint32(238 * 256)
DISCOUNT = np.uint32(239 * 256)
EXPOSURE_SHIFT = np.uint32(241 * 256)


class ShowRule(NamedTuple):
    """Parameters of `configs/supply` shows, as float32 scalars; arrays are by tier (head, middle, tail)."""

    chance: F32  # shows a day by tier
    long_share: F32
    bargaining: F32
    prime_weight: Float
    slot_habit: Float
    slot_noise: Float
    observance: Float
    audience_response: Float
    fatigue_weight: Float
    candidates: int
    focus: Float
    income_weight: Float
    reputation_weight: Float
    line_noise: Float
    live_discount: Float
    discount_spread: Float
    largest_discount: Float
    claims_gain: Float
    disclosure_loss: Float
    integrity_cost: Float
    penalty_weight: Float
    claims_curvature: Float
    largest_claim: Float
    certificate_stake: Float
    campaign_depth: Float


class Hosts(NamedTuple):
    """Columns of the streamer table that the schedule reads, and the line-ups it writes. S streamers."""

    active: U8
    away: U8
    country: U8
    platform: U8
    tier: U8
    category: U8
    weekday: U8
    integrity: F32
    certified: U8
    fatigue: F32
    disclose_lottery: F32
    unlabelled: U8
    penalty_gap: F32
    slot_habit: F32  # (S, 6)
    effort: F32
    leverage: F32
    slot_gain: F32  # (S, 6)
    claim_gain: F32
    claim_loss: F32
    lineup: U16  # (S, 4)
    lineup_week: I32  # week in which the line-up was chosen, -1 never


class LinePool(NamedTuple):
    """Lines on offer by (country, platform, category), flat: cell = (c * P + p) * K + k.

    start int64[cells + 1]; line uint16[...]; cumulated float32[...] weights of the cell's lines, in line order.
    """

    start: I64
    line: U16
    cumulated: F32


@njit(cache=True, error_model="numpy", _nrt=False)
def cumulate_cells(start: I64, weights: F64) -> None:
    """Cumulates the weights of each cell's lines in place; each cell sums from nothing, so that it hangs on no other.

    Lines `start[cell]` to `start[cell + 1]`, the end not included, are those of a cell.
    """
    for cell in range(start.size - 1):
        for place in range(start[cell] + 1, start[cell + 1]):
            weights[place] += weights[place - 1]


class Terms(NamedTuple):
    """What a host looks at in a line. income float32[P, 2, 3]: the host's share of the price by platform, seller class
    and tier; price float32[n]: usual price, USD; reputation float32[m]; merchant uint16[n]; seller_class uint8[m];
    offer float32[m, 3]: what the merchant adds to income, by tier."""

    income: F32
    price: F32
    reputation: F32
    merchant: U16
    seller_class: U8
    offer: F32


class Day(NamedTuple):
    """What the day is like. log_audience, shunned float32[C, 6]; activity float32[C]; open uint8[C, P]; coverage,
    penalty, campaign float32[C]; taste float32[P, K] cumulated shares of categories; sold int32[n, C, T] landed
    prices."""

    log_audience: F32
    shunned: F32
    activity: F32
    open: U8
    coverage: F32
    penalty: F32
    campaign: F32
    taste: F32
    sold: I32


class Board(NamedTuple):
    """The shows as `schedule_day` writes them, room for S each."""

    streamer: U16
    dayparts: U8
    lineup: U16
    category: U8
    discount_permille: U16
    exaggeration: F32
    disclosed: U8


@njit(cache=True, error_model="numpy")
def exp_each(values: F32) -> F32:
    """e^x of every number of a one-dimensional array, with the same bits everywhere."""
    out = np.empty_like(values)
    for place in range(values.size):
        out[place] = exp1(values[place])
    return out


@njit(cache=True, error_model="numpy")
def log_each(values: F32) -> F32:
    """Natural logarithm of every number of a one-dimensional array, with the same bits everywhere."""
    out = np.empty_like(values)
    for place in range(values.size):
        out[place] = log1(values[place])
    return out


@njit(cache=True, error_model="numpy")
def power_each(values: F32, exponent: Float) -> F32:
    """Every number of a one-dimensional array to a power, with the same bits everywhere."""
    out = np.empty_like(values)
    for place in range(values.size):
        out[place] = pow1(values[place], exponent)
    return out


@njit(cache=True, error_model="numpy", forceinline=True)
def show_chance(rule: ShowRule, tier: int, activity: Float, fatigue: Float, effort: Float) -> Float:
    """Chance that a host goes on air today: habit x effort x (audience of the day against an ordinary one)^elasticity x
    (1 - weight x fatigue). Assumed form; habit and fatigue as in the creator literature's posting rhythms. `effort` is
    shows against habit, see `hours_worked`."""
    response = exp1(rule.audience_response * log1(activity)) if activity > ZERO else ZERO
    chance = rule.chance[tier] * effort * response * (ONE - rule.fatigue_weight * fatigue)
    return ONE if chance > ONE else (ZERO if chance < ZERO else chance)


@njit(cache=True, error_model="numpy", forceinline=True)
def claim_size(
    rule: ShowRule, integrity: Float, disclosed: Float, penalty: Float, worth: Float, regret: Float
) -> Float:
    """How much more than the truth a host claims, quality: best response to a quadratic gain.

    max over e of e (gain x worth (1 - loss x disclosed) - regret - cost x integrity - weight x expected penalty)
    - curvature e^2 / 2. `penalty` is a share of sales; `worth` what buyers' belief in claims is worth against that at
    rest, `regret` the sales lost later beyond those at rest (`sim.firms.careers`).
    Source: deterrence in the sense of Becker (1968), the linear-quadratic case.
    """
    gain = rule.claims_gain * worth * (ONE - rule.disclosure_loss * disclosed) - regret
    best = (gain - rule.integrity_cost * integrity - rule.penalty_weight * penalty) / rule.claims_curvature
    best = ZERO if best < ZERO else best
    return rule.largest_claim if best > rule.largest_claim else best


@njit(cache=True, error_model="numpy", forceinline=True)
def claim_regret(rule: ShowRule, lost: Float, certified: int) -> Float:
    """What a unit of claims costs a host later, quality: sales lost beyond those at rest (`lost`), and for a certified
    host the certificate, which a false claim puts at risk."""
    return lost + rule.certificate_stake if certified != 0 else lost


@njit(cache=True, error_model="numpy", forceinline=True)
def line_value(rule: ShowRule, income_usd: Float, reputation: Float, luck: Float) -> Float:
    """What a line is worth to a host, utils: log of the expected commission on a sale, the merchant's reputation (0-1)
    and a passing taste (`luck` uniform)."""
    return (
        rule.income_weight * log1(income_usd if income_usd > QUARTER else QUARTER)
        + rule.reputation_weight * reputation
        + rule.line_noise * normal_quantile(luck)
    )


@njit(cache=True, error_model="numpy", forceinline=True)
def discount_share(rule: ShowRule, tier: int, luck: Float, leverage: Float, campaign: Float) -> Float:
    """A show's discount: the usual one x the tier's bargaining power x `leverage`, the host's own bargaining power
    against that at rest, x a lognormal factor, deeper on days on which platforms run a sale (`campaign` 0-1), held to
    the largest."""
    usual = rule.live_discount * rule.bargaining[tier] * leverage * (ONE + rule.campaign_depth * campaign)
    share = usual * exp1(rule.discount_spread * normal_quantile(luck))
    return rule.largest_discount if share > rule.largest_discount else share


@njit(cache=True, error_model="numpy", forceinline=True)
def choose_slot(
    rule: ShowRule, day: Day, hosts: Hosts, row: int, tick: np.uint32, key0: np.uint32, key1: np.uint32
) -> int:
    """Daypart of highest utility: audience expected there, the host's habit, what the host has learnt of its own
    audience (`slot_gain`), hours kept free for prayer and fasting."""
    first = philox(np.uint32(row), np.uint32(0), tick, SHOW + np.uint32(1), key0, key1)
    second = philox(np.uint32(row), np.uint32(0), tick, SHOW + np.uint32(2), key0, key1)
    noise = (unit(first[0]), unit(first[1]), unit(first[2]), unit(first[3]), unit(second[0]), unit(second[1]))
    country = int(hosts.country[row])
    best = 0
    best_utility = NEVER
    for daypart in range(DAYPARTS):
        utility = (
            rule.prime_weight * day.log_audience[country, daypart]
            + rule.slot_habit * hosts.slot_habit[row, daypart]
            + hosts.slot_gain[row, daypart]
            + rule.slot_noise * SPREAD_UNIFORM * (noise[daypart] - HALF)
            - rule.observance * day.shunned[country, daypart]
        )
        if utility > best_utility:
            best_utility = utility
            best = daypart
    return best


@njit(cache=True, error_model="numpy", forceinline=True)
def pick_line(pool: LinePool, cell: int, u: Float) -> int:
    """A line of the cell in proportion to its weight, -1 if there is none."""
    low = pool.start[cell]
    high = pool.start[cell + 1]
    if low == high:
        return -1
    target = u * pool.cumulated[high - 1]
    last = high - 1
    while low < last:
        middle = (low + last) // 2
        if pool.cumulated[middle] > target:
            last = middle
        else:
            low = middle + 1
    return int(pool.line[low])


@njit(cache=True, error_model="numpy", forceinline=True)
def choose_lineup(
    rule: ShowRule,
    day: Day,
    hosts: Hosts,
    pool: LinePool,
    terms: Terms,
    row: int,
    week: int,
    key0: np.uint32,
    key1: np.uint32,
    lineup: U16,
) -> bool:
    """Fills `lineup` (4,) with the most valuable of the lines a host looks at this week; whether there was any.

    The best line of the host's main category comes first. Fewer than four lines are shown in turns.
    """
    country = int(hosts.country[row])
    platform = int(hosts.platform[row])
    tier = int(hosts.tier[row])
    n_platforms = day.open.shape[1]
    n_categories = day.taste.shape[1]
    main = int(hosts.category[row])
    lines = np.full(LINEUP, -1, np.int64)
    values = np.full(LINEUP, NEVER, np.float32)
    for candidate in range(rule.candidates):
        words = philox(
            np.uint32(row), np.uint32(0), np.uint32(week * 8), LINEUP_DRAW + np.uint32(candidate), key0, key1
        )
        category = main
        if unit(words[0]) >= rule.focus:
            u = unit(words[1])
            category = n_categories - 1
            for other in range(n_categories - 1):
                if u < day.taste[platform, other]:
                    category = other
                    break
        line = pick_line(pool, (country * n_platforms + platform) * n_categories + category, unit(words[2]))
        if line < 0 or day.sold[line, country, 0] <= 0:
            continue
        if line == lines[0] or line == lines[1] or line == lines[2] or line == lines[3]:
            continue
        merchant = int(terms.merchant[line])
        share = terms.income[platform, int(terms.seller_class[merchant]), tier] + terms.offer[merchant, tier]
        income = share * terms.price[line]
        value = line_value(rule, income, terms.reputation[merchant], unit(words[3]))
        if category == main:
            value += ONE
        place = LINEUP
        while place > 0 and value > values[place - 1]:
            place -= 1
        if place < LINEUP:
            for move in range(LINEUP - 1, place, -1):
                lines[move] = lines[move - 1]
                values[move] = values[move - 1]
            lines[place] = line
            values[place] = value
    found = 0
    while found < LINEUP and lines[found] >= 0:
        found += 1
    if found == 0:
        return False
    for place in range(LINEUP):
        lineup[place] = np.uint16(lines[place % found])
    return True


@njit(cache=True, error_model="numpy", nogil=True)
def schedule_day(
    rule: ShowRule,
    day: Day,
    hosts: Hosts,
    pool: LinePool,
    terms: Terms,
    category: U8,
    today: int,
    key0: np.uint32,
    key1: np.uint32,
    board: Board,
) -> int:
    """Writes the shows of the day in streamer order and returns their number. `category` uint8[n] of lines.

    A host's whole day hangs on the host's own draws and columns, so another host changes nothing in it. Line-ups are
    revised on the host's weekday, and at once when a line is no longer sold to the country.
    """
    tick = np.uint32(today * 8)
    shows = 0
    for row in range(hosts.country.size):
        country = int(hosts.country[row])
        if hosts.active[row] == 0 or hosts.away[row] != 0 or day.open[country, hosts.platform[row]] == 0:
            continue
        tier = int(hosts.tier[row])
        words = philox(np.uint32(row), np.uint32(0), tick, SHOW, key0, key1)
        if unit(words[0]) >= show_chance(rule, tier, day.activity[country], hosts.fatigue[row], hosts.effort[row]):
            continue
        week = (today - int(hosts.weekday[row])) // WEEK
        stale = hosts.lineup_week[row] != week
        for place in range(LINEUP):
            line = hosts.lineup[row, place]
            if line == NOBODY or day.sold[line, country, 0] <= 0:
                stale = True
        if stale:
            if not choose_lineup(rule, day, hosts, pool, terms, row, week, key0, key1, hosts.lineup[row]):
                hosts.lineup[row, :] = NOBODY
                continue
            hosts.lineup_week[row] = week
        slot = choose_slot(rule, day, hosts, row, tick, key0, key1)
        mask = 1 << slot
        if unit(words[1]) < rule.long_share[tier]:
            after = slot + 1 if slot < DAYPARTS - 1 else slot - 1
            before = slot - 1 if slot > 0 else slot + 1
            follow = after if day.log_audience[country, after] >= day.log_audience[country, before] else before
            if day.shunned[country, follow] * rule.observance < ONE:
                mask |= 1 << follow
        owed = hosts.disclose_lottery[row] < day.coverage[country]
        disclosed = np.uint8(1) if owed and hosts.unlabelled[row] == 0 else np.uint8(0)
        luck = unit(philox(np.uint32(row), np.uint32(0), np.uint32(week * 8), DISCOUNT, key0, key1)[0])
        board.streamer[shows] = np.uint16(row)
        board.dayparts[shows] = np.uint8(mask)
        for place in range(LINEUP):
            board.lineup[shows, place] = hosts.lineup[row, place]
        board.category[shows] = category[hosts.lineup[row, 0]]
        board.discount_permille[shows] = np.uint16(
            discount_share(rule, tier, luck, hosts.leverage[row], day.campaign[country]) * PERMILLE + HALF
        )
        board.exaggeration[shows] = claim_size(
            rule, hosts.integrity[row], np.float32(disclosed), day.penalty[country] + hosts.penalty_gap[row],
            hosts.claim_gain[row], claim_regret(rule, hosts.claim_loss[row], hosts.certified[row]),
        )  # fmt: skip
        board.disclosed[shows] = disclosed
        shows += 1
    return shows


class ExposureRule(NamedTuple):
    """Parameters of `configs/supply` exposure, float32 scalars."""

    match: Float
    popularity: Float
    traffic: Float
    comprehension: Float
    away: Float
    expected_conversion: Float
    appeal_skill: Float
    appeal_comprehension: Float
    appeal_match: Float


class Ranked(NamedTuple):
    """What ranking needs of the day's shows; s shows, K categories, C countries, room for as many shows as there are
    streamers. weight, appeal: exp of the part of the score (of the value) that is the same in every pool; match,
    taste: the factor of a category; reach: bit c set if the show can be seen in country c."""

    weight: F32  # (s,)
    appeal: F32  # (s,)
    match: F32  # (s, K)
    taste: F32  # (s, K)
    reach: U32  # (s,)


@njit(cache=True, error_model="numpy", forceinline=True)
def margin_per_impression(
    rule: ExposureRule, own_commission: F32, lineup: U16, price: F32, merchant: U16, seller_class: U8
) -> Float:
    """USD that a platform expects of one impression of a show: conversion x mean over the line-up of its own part of
    the commission x price. `own_commission` float32[2] by seller class, the host's part taken off."""
    total = ZERO
    for place in range(LINEUP):
        line = lineup[place]
        total += own_commission[seller_class[merchant[line]]] * price[line]
    return rule.expected_conversion * QUARTER * total


@njit(cache=True, error_model="numpy", nogil=True)
def rank_day(
    rule: ExposureRule,
    shows: int,
    streamer: U16,
    platform: U8,
    country: U8,
    tier: U8,
    lineup: U16,
    popularity: F32,
    skill: F32,
    bots: F32,
    traffic: F32,
    category: U8,
    merchant: U16,
    seller_class: U8,
    price: F32,
    own_commission: F32,
    precision: F32,
    margin_weight: F32,
    bot_detection: F32,
    region_open: U32,
    sold_in: U32,
    ranked: Ranked,
) -> None:
    """Fills `ranked` for the shows of the day.

    Score = precision x match x share of the line-up in the pool's category + popularity x log(audience share, with
    the fake viewers nobody detected) + paid traffic + theta x the platform's margin per impression.
    own_commission float32[P, 2, 3]; precision, margin_weight, bot_detection float32[P]; region_open uint32[C, P]: bits
    of the countries of a country's region where the platform is open; sold_in uint32[n]: bits of the countries where a
    line is sold. A show can be seen in its own country, and in those of the region where its platform is open and all
    its lines are sold.
    """
    n_categories = ranked.match.shape[1]
    step = np.empty(LINEUP + 1, np.float32)
    taste = np.empty(LINEUP + 1, np.float32)
    for part in range(LINEUP + 1):
        taste[part] = exp1(rule.appeal_match * QUARTER * np.float32(part))
    for show in range(shows):
        host = int(streamer[show])
        where = int(platform[show])
        seen = popularity[show] * (ONE + bots[host] * (ONE - bot_detection[where]))
        margin = margin_per_impression(
            rule, own_commission[where, :, tier[host]], lineup[show], price, merchant, seller_class
        )
        score = (
            rule.popularity * log1(seen if seen > TINY else TINY)
            + rule.traffic * traffic[host]
            + margin_weight[where] * margin
        )
        ranked.weight[show] = exp1(score)
        ranked.appeal[show] = exp1(rule.appeal_skill * skill[show])
        for part in range(LINEUP + 1):
            step[part] = exp1(rule.match * precision[where] * QUARTER * np.float32(part))
        for kind in range(n_categories):
            count = 0
            for place in range(LINEUP):
                if category[lineup[show, place]] == kind:
                    count += 1
            ranked.match[show, kind] = step[count]
            ranked.taste[show, kind] = taste[count]
        home = int(country[show])
        reach = region_open[home, where]
        for place in range(LINEUP):
            reach &= sold_in[lineup[show, place]]
        reach |= np.uint32(1) << np.uint32(home)
        ranked.reach[show] = reach


@njit(cache=True, error_model="numpy", nogil=True)
def fill_pools(
    shows: int,
    bit: int,
    tick: int,
    streamer: U16,
    platform: U8,
    country: U8,
    language: U8,
    dayparts: U8,
    ranked: Ranked,
    heard: F32,
    understood_value: F32,
    away: Float,
    platform_open: U8,
    race: F32,
    key0: np.uint32,
    key1: np.uint32,
    pool: U16,
    pool_value: F32,
) -> None:
    """Fills the pools of one daypart. Shapes as in `catalogue.empty_pools`.

    Each slot of a pool is a race: every show on air there arrives after an exponential time of its own, divided by
    its weight; the first takes the slot, which is a draw in proportion to the weights (Gumbel-max in another guise).
    The times hang on the streamer, the slot and the pool's daypart alone, so a show that changes or leaves moves only
    the slots it wins or held. `race` float32[4096, 64] holds the times; a keyed shift per pool gives fresh ones.
    heard float32[C, L]: exposure factor of a language in a country; understood_value the same for the value of what is
    on air; away: factor for a show made for another country.
    """
    n_countries, n_platforms, n_categories = pool_value.shape
    on_air = np.empty(shows, np.int64)
    first = np.zeros(n_platforms + 1, np.int64)
    mask = np.uint8(1 << bit)
    count = 0
    for where in range(n_platforms):
        first[where] = count
        for show in range(shows):
            if platform[show] == where and dayparts[show] & mask != 0:
                on_air[count] = show
                count += 1
    first[n_platforms] = count
    best = np.empty(SLOTS, np.float32)
    who = np.empty(SLOTS, np.int32)
    chosen = np.empty(shows, np.int64)
    weight = np.empty(shows, np.float32)
    value = np.empty(shows, np.float32)
    for land in range(n_countries):
        land_bit = np.uint32(1) << np.uint32(land)
        for where in range(n_platforms):
            visible = 0
            if platform_open[land, where] != 0:
                for position in range(first[where], first[where + 1]):
                    show = on_air[position]
                    if ranked.reach[show] & land_bit != 0:
                        factor = heard[land, language[show, 0]]
                        other = heard[land, language[show, 1]]
                        factor = other if other > factor else factor
                        factor = factor if country[show] == land else factor * away
                        meant = understood_value[land, language[show, 0]]
                        other = understood_value[land, language[show, 1]]
                        meant = other if other > meant else meant
                        chosen[visible] = show
                        weight[visible] = ranked.weight[show] * factor
                        value[visible] = ranked.appeal[show] * meant
                        visible += 1
            if visible == 0:
                pool[land, where, :, :] = NOBODY
                pool_value[land, where, :] = ZERO
                continue
            for kind in range(n_categories):
                cell = (land * n_platforms + where) * n_categories + kind
                words = philox(np.uint32(cell), np.uint32(0), np.uint32(tick), EXPOSURE_SHIFT, key0, key1)
                shift = int(below(words[0], np.uint32(RACE_ROWS)))
                for slot in range(SLOTS):
                    best[slot] = LAST_TIME
                    who[slot] = 0
                total = ZERO
                for place in range(visible):
                    show = chosen[place]
                    total += value[place] * ranked.taste[show, kind]
                    slowness = ONE / (weight[place] * ranked.match[show, kind])
                    row = (int(streamer[show]) + shift) & (RACE_ROWS - 1)
                    label = np.int32(show)
                    for slot in range(SLOTS):
                        time = race[row, slot] * slowness
                        earlier = time < best[slot]
                        best[slot] = time if earlier else best[slot]
                        who[slot] = label if earlier else who[slot]
                for slot in range(SLOTS):
                    pool[land, where, kind, slot] = np.uint16(who[slot])
                pool_value[land, where, kind] = log1(ONE + total)


class CostTable(NamedTuple):
    """What a unit costs to sell, USD, float64. C countries, K categories, two seller classes.

    origin_factor: production cost against the base year (exchange rate of the yuan); parcel_base, parcel_kg (C,) line
    haul of a direct parcel; last_mile (C,), last_mile_kg; pick_origin, pick (C,); bulk_kg (C,); storage_kg_day
    abroad, origin_storage against it; days in stock (2,: direct, stocked); interest (2,) a day; duty, vat (C, K), (C,)
    on bulk imports; freight_charged;
    cold; class_freight (2,); units (K,) an order; returns (K,) share; return_usd (C,); return_loss (2,: stocked,
    direct); rate (2, C): commission, advertising and slot fees on what is kept; sunk_rate (2, C): payment fees on every
    order, returned or not; discount: usual one.
    """

    origin_factor: float
    origin_share: float
    parcel_base: F64
    parcel_kg: F64
    last_mile: F64
    last_mile_kg: float
    pick_origin: float
    pick: F64
    bulk_kg: F64
    storage_kg_day: float
    origin_storage: float
    stock_days: F64
    interest: F64
    duty: F64
    vat: F64
    freight_charged: float
    cold: float
    class_freight: F64
    units: F64
    returns: F64
    return_usd: F64
    return_loss: F64
    rate: F64
    sunk_rate: F64
    discount: float


@njit(cache=True, error_model="numpy")
def delivery_cost(
    costs: CostTable, country: int, category: int, seller: int, weight: float, cold: int, direct: int
) -> tuple[float, float]:
    """USD of getting one unit from the warehouse to the buyer, and the part of it that is billed to the buyer."""
    cooled = costs.cold if cold != 0 else 1.0
    parcel = costs.last_mile[country] + costs.last_mile_kg * max(weight - 1.0, 0.0)
    if direct != 0:
        parcel += costs.parcel_base[country] + costs.parcel_kg[country] * weight
    parcel *= cooled
    handling = costs.pick_origin if direct != 0 else costs.pick[country]
    per_unit = (parcel + handling) * costs.class_freight[seller] / costs.units[category]
    return per_unit, costs.freight_charged * parcel * costs.class_freight[seller] / costs.units[category]


@njit(cache=True, error_model="numpy")
def stocking_cost(
    costs: CostTable, country: int, category: int, seller: int, unit_cost: float, weight: float, cold: int, direct: int
) -> float:
    """USD of having a unit in stock where it is sold from: bulk freight, duty, tax on bulk value, storage, interest."""
    if direct != 0:
        days = costs.stock_days[0]
        return costs.storage_kg_day * costs.origin_storage * weight * days + unit_cost * costs.interest[seller] * days
    freight = costs.bulk_kg[country] * weight * costs.class_freight[seller] * (costs.cold if cold != 0 else 1.0)
    duty = costs.duty[country, category] * (unit_cost + freight)
    vat = costs.vat[country] * (unit_cost + freight + duty)
    days = costs.stock_days[1]
    held = costs.storage_kg_day * weight * days + (unit_cost + freight) * costs.interest[seller] * days
    return freight + duty + vat + held


@njit(cache=True, error_model="numpy")
def full_cost(
    costs: CostTable, country: int, category: int, seller: int, unit_cost: float, weight: float, cold: int, direct: int
) -> float:
    """Expected variable cost of one unit kept by a buyer, USD, net of the freight billed; commissions come on top."""
    made = unit_cost * (1.0 + costs.origin_share * (costs.origin_factor - 1.0))
    delivery, billed = delivery_cost(costs, country, category, seller, weight, cold, direct)
    stock = stocking_cost(costs, country, category, seller, made, weight, cold, direct)
    back = costs.returns[category]
    lost = costs.return_loss[1 if direct != 0 else 0] * (made + stock)
    sent_back = back * (lost + costs.return_usd[country] / costs.units[category])
    return (made + stock) * (1.0 - back) + delivery - billed + sent_back


@njit(cache=True, error_model="numpy")
def kept_share(costs: CostTable, country: int, category: int, seller: int) -> float:
    """Share of the asked price that reaches the merchant: after discount, returns, commission, advertising and fees."""
    paid = (1.0 - costs.returns[category]) * (1.0 - costs.rate[seller, country])
    return (1.0 - costs.discount) * (paid - costs.sunk_rate[seller, country])


@njit(cache=True, error_model="numpy")
def desired_price(cost: float, base_cost: float, margin: float, kept: float, absorption: float, lowest: float) -> float:
    """Markup price, USD: (cost + margin - absorption x change of cost since build) / share of the price that is kept.

    The margin is a fixed amount per unit and covers fixed costs and profit, so a change of cost passes into the price
    one for one, but for the part merchants absorb; facts.md: pass-through near complete at the border, retail margins
    absorb part. `lowest` is the smallest contribution accepted.
    """
    contribution = margin - absorption * (cost - base_cost)
    return (cost + (contribution if contribution > lowest else lowest)) / kept


@njit(cache=True, error_model="numpy", nogil=True)
def reprice(
    costs: CostTable,
    weekday: int,
    threshold: float,
    absorption: float,
    least_margin: float,
    merchant: U16,
    seller_class: U8,
    merchant_weekday: U8,
    targets: U8,
    category: U8,
    cold: U8,
    weight_kg: F32,
    unit_cost_cents: I32,
    list_cents: I32,
    base_cost: F32,
    margin: F32,
    direct: U8,
    priced_direct: U8,
    price_cents: I32,
    freight_cents: I32,
) -> int:
    """Merchants whose weekday it is revise their prices (all with weekday -1); returns how many prices changed.

    A price moves only if the desired one differs by more than the menu-cost threshold, or if the line has changed
    between direct and stocked (`priced_direct`), which is priced at once. base_cost, margin float32[n, C, T] are the
    costs and contributions at build. Where a merchant does not sell, prices are 0.
    """
    changed = 0
    tiers = price_cents.shape[2]
    for line in range(merchant.size):
        seller = int(merchant[line])
        kind = int(category[line])
        size = int(seller_class[seller])
        due = weekday < 0 or int(merchant_weekday[seller]) == weekday
        for country in range(targets.shape[1]):
            if targets[seller, country] == 0:
                continue
            moved = direct[line, country] != priced_direct[line, country]
            if not due and not moved:
                continue
            priced_direct[line, country] = direct[line, country]
            sent = int(direct[line, country])
            weight = float(weight_kg[line])
            billed = delivery_cost(costs, country, kind, size, weight, int(cold[line]), sent)[1]
            freight = np.int32(billed * CENTS + ROUND)
            if freight != freight_cents[line, country]:
                freight_cents[line, country] = freight
                changed += 1
            kept = kept_share(costs, country, kind, size)
            for tier in range(tiers):
                made = unit_cost_cents[line, tier] * CENT
                cost = full_cost(costs, country, kind, size, made, weight, int(cold[line]), sent)
                wanted = desired_price(
                    cost,
                    float(base_cost[line, country, tier]),
                    float(margin[line, country, tier]),
                    kept,
                    absorption,
                    least_margin * list_cents[line, tier] * CENT,
                )
                cents = np.int32(wanted * CENTS + ROUND)
                before = price_cents[line, country, tier]
                if before == 0 or moved or abs(cents - before) > threshold * before:
                    if cents != before:
                        changed += 1
                    price_cents[line, country, tier] = cents
    return changed


@njit(cache=True, error_model="numpy", forceinline=True)
def order_point(mean: Float, factor: Float, spread: Float) -> Float:
    """Stock that covers demand of the given mean with the service that `factor` standard deviations give.

    mean + factor x sqrt(mean + (spread x mean)^2) + (factor^2 - 1) / 6: the Cornish-Fisher quantile of a Poisson number
    whose rate itself varies by the share `spread`. The Poisson part keeps the chance of running out about the same at
    any scale of demand (and so at any number of sampled consumers).
    """
    if mean <= ZERO:
        return ZERO
    vary = spread * mean
    return mean + factor * np.float32(np.sqrt(mean + vary * vary)) + (factor * factor - ONE) / SIX


@njit(cache=True, error_model="numpy")
def order_points(means: F32, factor: Float, spread: Float) -> F32:
    """`order_point` of every number of a two-dimensional array."""
    out = np.empty_like(means)
    for row in range(means.shape[0]):
        for column in range(means.shape[1]):
            out[row, column] = order_point(means[row, column], factor, spread)
    return out


@njit(cache=True, error_model="numpy", forceinline=True)
def expected_demand(prior: Float, sold: Float, memory: Float, weight: Float) -> Float:
    """Units a day expected of a line: gamma-Poisson credibility of its own discounted sales.

    (weight + sold) / (weight / prior + memory): `prior` units a day expected from category and country, `sold` units
    discounted with time constant `memory` days, `weight` units the prior counts for. With little data (a small sample)
    it is the prior, with much it is sold / memory.
    """
    if prior <= ZERO:
        return sold / memory
    return (weight + sold) / (weight / prior + memory)


@njit(cache=True, error_model="numpy", nogil=True)
def learn_demand(
    wanted: I64, before: I64, direct: U8, home: U8, merchant: U16, category: U8, memory: F32, sold: F32, total: F32,
    total_memory: Float,
) -> None:  # fmt: skip
    """Discounts the sales remembered and adds yesterday's: sold float32[n, C] and total float32[C, K] (units a day).

    memory float32[W]: days, of the warehouse that serves the line in the country. `before` is the last reading of
    `wanted` and is brought up to date.
    """
    n_lines, n_countries = wanted.shape
    fresh = np.zeros(total.shape, np.float32)
    for line in range(n_lines):
        kind, from_home = int(category[line]), memory[home[merchant[line]]]
        for country in range(n_countries):
            days = from_home if direct[line, country] != 0 else memory[4 + country]
            units = np.float32(wanted[line, country] - before[line, country])
            before[line, country] = wanted[line, country]
            sold[line, country] += units - sold[line, country] / days
            fresh[country, kind] += units
    for country in range(n_countries):
        for kind in range(total.shape[1]):
            total[country, kind] += (fresh[country, kind] - total[country, kind]) / total_memory


class StockRule(NamedTuple):
    """Parameters of `configs/supply` stock. lead float32[24, 4] days by warehouse and bulk mode (air, sea, truck, rail;
    in China all the same, production); order_days float32[2] by seller class; fly: 1 while air freight runs."""

    service_factor: Float
    demand_spread: Float
    review_days: Float
    prior_units: Float
    air_cover: Float
    lead: F32
    fly: int
    order_days: F32


@njit(cache=True, error_model="numpy", nogil=True)
def replenish_due(
    rule: StockRule,
    weekday: int,
    merchant: U16,
    seller_class: U8,
    merchant_weekday: U8,
    home: U8,
    targets: U8,
    direct: U8,
    abroad: U8,
    category: U8,
    share: F32,
    sold: F32,
    total: F32,
    memory: F32,
    visibility: F32,
    booked: F32,
    real: I32,
    ordered: I64,
    received: I64,
    earlier: I64,
    funded: F32,
    way: U8,
    small_lots: U8,
    out_line: U16,
    out_warehouse: U8,
    out_mode: U8,
    out_units: I64,
) -> int:
    """(s, S) orders of the merchants whose weekday it is (all with weekday -1); fills out_* and returns their number.

    Order up to s + a cycle's demand when real stock plus what is under way is at or below s, the `order_point` of the
    demand expected over lead time plus review time (Silver, Pyke & Thomas 2017, ch. 7). Forecast: `expected_demand`,
    raised towards what booked shows should sell by the warehouse's forecast visibility, for the part of the time to be
    covered in which shows are booked. A merchant short of money orders as if for the share `funded` (m,) of it.
    `abroad` uint8[n, C]: 1 where the line is meant to be sold from local stock. Goods go by the bulk mode `way`
    uint8[n, C]; if what lies there and should soon arrive (all that is under way, by sea only what had been ordered so
    long ago that it lands within an air lead time, `earlier`) does not cover `air_cover` of the demand over the air
    lead time, the gap is flown in. Lines with 1 in `small_lots` (n,) are made after live demand, and their warehouse in
    China is left out here. mode is an index in kinds.MODES.
    """
    count = 0
    n_countries = direct.shape[1]
    for line in range(merchant.size):
        seller = int(merchant[line])
        if weekday >= 0 and int(merchant_weekday[seller]) != weekday:
            continue
        from_home = ZERO
        kind = int(category[line])
        base = int(home[seller])
        for country in range(n_countries + 1):  # the last round is the home warehouse, fed by all direct countries
            if country < n_countries:
                if targets[seller, country] == 0:
                    continue
                local = abroad[line, country] != 0
                warehouse = 4 + country if local else base
                main = int(way[line, country]) if local else SEA
                seen = visibility[warehouse]
                rate = expected_demand(
                    share[line, country] * total[country, kind],
                    sold[line, country],
                    memory[warehouse],
                    rule.prior_units,
                )
                coming = booked[line, country]
                if coming > rate:  # shows are booked a review ahead; stock ordered now serves the lead time as well
                    lead = rule.lead[warehouse, main]
                    rate += seen * (coming - rate) * rule.review_days / (lead + rule.review_days)
                if direct[line, country] != 0:
                    from_home += rate  # sold from China, at least until local stock has come
                if not local:
                    continue
            else:
                if small_lots[line] != 0:
                    continue
                warehouse = base
                rate = from_home
                main = SEA
            rate *= funded[seller]
            if rate <= ZERO:
                continue
            on_hand = np.float32(real[line, warehouse])
            coming_in = np.float32(ordered[line, warehouse] - received[line, warehouse])
            slow = rule.lead[warehouse, main]
            fast = rule.lead[warehouse, AIR]
            if warehouse >= 4 and fast < slow and rule.fly != 0:
                due = coming_in if main != SEA else np.float32(earlier[line, warehouse] - received[line, warehouse])
                soon = on_hand + (due if due > ZERO else ZERO)
                if soon < rule.air_cover * fast * rate:
                    units = np.int64(np.ceil(rate * (fast + rule.review_days) - soon))
                    out_line[count] = np.uint16(line)
                    out_warehouse[count] = np.uint8(warehouse)
                    out_mode[count] = np.uint8(FIRST_BULK + AIR)
                    out_units[count] = units
                    count += 1
                    coming_in += np.float32(units)
            low = order_point(rate * (slow + rule.review_days), rule.service_factor, rule.demand_spread)
            position = on_hand + coming_in
            if position <= low:
                high = low + rate * rule.order_days[seller_class[seller]]
                units = np.int64(np.ceil(high - position))
                if units > 0:
                    out_line[count] = np.uint16(line)
                    out_warehouse[count] = np.uint8(warehouse)
                    out_mode[count] = np.uint8(FIRST_BULK + main)
                    out_units[count] = units
                    count += 1
    return count


@njit(cache=True, error_model="numpy", nogil=True)
def book_demand(hosts: Hosts, popularity: F32, visits: F32, units: Float, booked: F32) -> None:
    """Fills booked float32[n, C]: units a day that agreed line-ups should sell.

    Visits a day of the country and platform (`visits` float32[C, P]) x the host's expected share x `units` sold per
    visit, spread evenly over the line-up.
    """
    booked[:, :] = ZERO
    for row in range(hosts.country.size):
        if hosts.active[row] == 0 or hosts.lineup[row, 0] == NOBODY:
            continue
        country = int(hosts.country[row])
        each = visits[country, hosts.platform[row]] * popularity[row] * units * QUARTER
        for place in range(LINEUP):
            booked[hosts.lineup[row, place], country] += each


@njit(cache=True, error_model="numpy", nogil=True)
def switch_routes(abroad: U8, real: I32, merchant: U16, targets: U8, direct: U8, stocked: U8) -> int:
    """Lines start to be sold from local stock once it has come, and from China again once it is sold out.

    `abroad` uint8[n, C] is what merchants want; returns the number of changes.
    """
    changes = 0
    for line in range(merchant.size):
        seller = int(merchant[line])
        for country in range(abroad.shape[1]):
            if targets[seller, country] == 0:
                continue
            there = real[line, 4 + country] > 0
            if abroad[line, country] != 0 and stocked[line, country] == 0 and there:
                stocked[line, country] = 1
                direct[line, country] = 0
                changes += 1
            elif abroad[line, country] == 0 and stocked[line, country] != 0 and not there:
                stocked[line, country] = 0
                direct[line, country] = 1
                changes += 1
    return changes


class Fame(NamedTuple):
    """Parameters of `configs/supply` audience and fatigue."""

    memory_days: Float
    trust_in_data: Float
    base_weight: Float
    fatigue_gain: Float
    fatigue_memory_days: Float
    absence_days: Float


@njit(cache=True, error_model="numpy")
def expected_share(prior: Float, base: Float, seen: Float, total: Float, trust: Float, base_weight: Float) -> Float:
    """Share of a room's country and platform that a host is expected to draw.

    Observed visits are first shrunk towards what was expected, (trust x prior + seen) / (trust + total): with few
    sampled visits nothing is learnt. The result is drawn (in logs) towards the lasting share, which keeps concentration
    from drifting. `seen`, `total`: sampled visits of the host and of the whole cell, discounted.
    """
    observed = (trust * prior + seen) / (trust + total)
    return exp1(base_weight * log1(base) + (ONE - base_weight) * log1(observed))


@njit(cache=True, error_model="numpy", nogil=True)
def learn_audience(
    fame: Fame,
    country: U8,
    platform: U8,
    active: U8,
    away: U8,
    base_share: F32,
    popularity: F32,
    fatigue: F32,
    seen: F32,
    visits: I64,
    dayparts_on_air: I64,
    cell_seen: F32,
    cell_visits: F32,
) -> None:
    """Yesterday's visits become expectations; hosts tire and recover.

    visits, dayparts_on_air int64[S] of yesterday. seen float32[S], cell_seen float32[C, P]: discounted visits;
    cell_visits float32[C, P]: visits a day of the cell, smoothed. Shares of a cell are normalised to sum to 1 over its
    active hosts. Of a host who is away nothing is observed: the expectation stays, and fades with time constant
    `absence_days`; the audience that is left goes to the others.
    """
    forgotten = ONE - ONE / fame.absence_days
    keep = ONE - ONE / fame.memory_days
    rest = ONE - ONE / fame.fatigue_memory_days
    n_platforms = cell_seen.shape[1]
    fresh = np.zeros(cell_seen.shape, np.float32)
    sums = np.zeros(cell_seen.shape, np.float32)
    for row in range(country.size):
        fresh[country[row], platform[row]] += np.float32(visits[row])
    for land in range(cell_seen.shape[0]):
        for where in range(n_platforms):
            cell_seen[land, where] = keep * cell_seen[land, where] + fresh[land, where]
            cell_visits[land, where] += (fresh[land, where] - cell_visits[land, where]) / fame.memory_days
    for row in range(country.size):
        land, where = int(country[row]), int(platform[row])
        if away[row] != 0:
            seen[row] = popularity[row] * cell_seen[land, where]
        else:
            seen[row] = keep * seen[row] + np.float32(visits[row])
        tired = rest * fatigue[row] + fame.fatigue_gain * np.float32(dayparts_on_air[row])
        fatigue[row] = ONE if tired > ONE else tired
        if away[row] != 0:
            popularity[row] *= forgotten
        elif active[row] != 0:
            popularity[row] = expected_share(
                popularity[row], base_share[row], seen[row], cell_seen[land, where], fame.trust_in_data,
                fame.base_weight,
            )  # fmt: skip
            sums[land, where] += popularity[row]
    for row in range(country.size):
        if active[row] != 0 and away[row] == 0 and sums[country[row], platform[row]] > ZERO:
            popularity[row] /= sums[country[row], platform[row]]


@njit(cache=True, error_model="numpy", nogil=True)
def sum_sales(
    data: NDArray[np.void], rows: I64, unit_cost_cents: I32, mean_cost_cents: I32, sales: I64, extra: I64, slots: I64
) -> None:
    """Adds the orders in `rows` to sales int64[m, H] (goods, cents), extra int64[m] (cost of the tiers sold over the
    mean cost paid when stock was made, cents) and slots int64[S] (goods sold in a host's shows, cents)."""
    for position in range(rows.size):
        order = data[rows[position]]
        merchant = int(order.merchant)
        line = int(order.line)
        goods = np.int64(order.goods_cents)
        sales[merchant, order.channel] += goods
        extra[merchant] += np.int64(order.quantity) * (unit_cost_cents[line, order.tier] - mean_cost_cents[line])
        if order.streamer != NOBODY:
            slots[order.streamer] += goods


@njit(cache=True, error_model="numpy")
def value_stock(
    real: NDArray[np.integer],
    ordered: NDArray[np.integer],
    received: NDArray[np.integer],
    seller_class: NDArray[np.integer],
    unit_cost: NDArray[np.integer],
    value: NDArray[np.float64],
    units: NDArray[np.int64],
    total: NDArray[np.float64],
) -> None:
    """Values each line's goods for a warehouse, under way included, after a day: (lines, warehouses) all but the last.

    What left since `units` were counted goes at the pool's mean cost, what came into an empty pool is there at
    `unit_cost` (lines,). Updates `value` (cents) and `units`; adds up `total` by `seller_class` (lines,).
    """
    for line in range(units.shape[0]):
        sum_of_class = total[seller_class[line]]
        for place in range(units.shape[1]):
            held = np.int64(real[line, place]) + np.int64(ordered[line, place]) - np.int64(received[line, place])
            before = units[line, place]
            if held != before:
                mean = value[line, place] / before if before > 0 else np.float64(unit_cost[line])
                value[line, place] = mean * held
                units[line, place] = held
            sum_of_class += value[line, place]
        total[seller_class[line]] = sum_of_class
