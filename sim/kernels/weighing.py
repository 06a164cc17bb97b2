"""How long visits last, what is learnt there, and what buying a line is worth to those who face it.

Visits are taken a tile at a time. A tile is one flat array of planes, each of them `TILE` numbers long: phases that
gather from many tables write planes, phases that compute read planes and write others. The planes lie at distances that
the compiler knows, so that it computes sixteen visits at once without asking whether arrays overlap; a tile fits into
the innermost cache. Formulas stand in `sim.kernels.behaviour`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.kernels.behaviour import (
    buying_value,
    claims_weight,
    clip_unit,
    expected_quality,
    expected_surplus,
    impulse,
    information,
    money_utility,
    nest_utility,
    perceived_risk,
    price_utility,
    stay_log_scale,
    stay_minutes,
    tier_utility,
    tier_weight,
)
from sim.kernels.live import (
    CENT,
    LINEUP,
    N_TIERS,
    NEVER,
    PROOF_CAP,
    WORD,
    Floats,
    Offers,
    People,
    Rooms,
    Rows,
    Setting,
    fit_of,
    remembered,
)
from sim.kernels.maths import HALF, ONE, ZERO, sigmoid
from sim.kernels.threads import fetch

TILE = 128  # visits
FAR_BEHIND = np.float32(-1e8)  # no tier that can be bought lies so far behind the best

type Float = np.float32
type Bytes = NDArray[np.uint8]
type Words = NDArray[np.uint16]


# the planes of a tile by the place of their first number; of four in a row there is one for each tier
N_PLANES = 76
(
    CHANCE_TO_STAY, UNDERSTOOD, STUTTER, EVIDENCE, CULTURE, SKILL, BOND, MATCH, LIVELY, MINUTES,
    TRYON, TRUST, DISCLOSED, SHOWN_DISCOUNT, IMPULSE, KNOWN, BELIEF, PASSING,
    NEED, INTEREST, CHANNEL_TRUST, PROOF, LOYALTY, RISK, GUARANTEE, CERTIFIED, TRACED_GOODS,
    DELAY, PROMISED, STEPS, PRICE_WEIGHT, REFERENCE, INCOME_WEIGHT, DETAIL, LIQUID, SUBSIDY,
    DISCOUNTED, REMEMBERED, REPUTATION, REVIEWED, EXAGGERATION, FIT, FIT_SPREAD,
    SERVICE_FEE, LISTED, _, _, _, LANDED, _, _, _, QUALITY, _, _, _, TYPICAL, _, _, _,
    EXPECTED, _, _, _, PRICE, _, _, _, WEIGHT, _, _, _,
    NEST, ALPHA, CHANCE, SURPLUS,
) = (np.uint64(plane * TILE) for plane in range(N_PLANES))  # fmt: skip
TILE_SIZE = N_PLANES * TILE
TIER0, TIER1, TIER2, TIER3 = (np.uint64(tier * TILE) for tier in range(N_TIERS))


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def draw_fits(birth: Rows, line: Rows, key0: np.uint32, key1: np.uint32, tile: Floats) -> None:
    """How each line fits its person."""
    for at in range(birth.size):
        tile[np.uint64(at) + FIT] = fit_of(birth[at], line[at], key0, key1)


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def gather_stays(
    visits: Rows,
    home_of: Rows,
    chosen_show: Rows,
    units: Floats,
    understood: Floats,
    bond: Floats,
    interest: Floats,
    setting: Setting,
    rooms: Rooms,
    tile: Floats,
) -> None:
    """What the minutes of each visit hang on."""
    stutter, evidence, interaction = setting.stutter, setting.evidence, setting.interaction
    culture, skill, lively, category_of = rooms.culture, rooms.skill, rooms.lively, rooms.category
    for at in range(visits.size):
        place = np.uint64(at)
        session = visits[at]
        show = chosen_show[at]
        home = home_of[session]
        tile[place + CHANCE_TO_STAY] = units[at]
        tile[place + UNDERSTOOD] = understood[at]
        tile[place + BOND] = bond[at]
        tile[place + STUTTER] = stutter[home]
        tile[place + EVIDENCE] = evidence[home]
        tile[place + CULTURE] = culture[show, home]
        tile[place + SKILL] = skill[show]
        tile[place + LIVELY] = lively[show] * interaction[home]
        tile[place + MATCH] = interest[session, category_of[show]]


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def measure_stays(param: Any, count: int, tile: Floats) -> None:
    """Minutes of each visit."""
    shape, longest = param.watching_shape, param.watching_longest
    for at in range(count):
        place = np.uint64(at)
        log_scale = stay_log_scale(
            param,
            tile[place + UNDERSTOOD],
            tile[place + STUTTER],
            tile[place + CULTURE],
            tile[place + SKILL],
            tile[place + BOND],
            tile[place + MATCH],
            tile[place + LIVELY],
        )
        tile[place + MINUTES] = stay_minutes(tile[place + CHANCE_TO_STAY], log_scale, shape, longest)


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def hold_eyes(
    minutes_per_line: Float,
    visits: Rows,
    chosen_show: Rows,
    first_line: Floats,
    lineup: Words,
    category_of: Bytes,
    interest: Floats,
    need: Floats,
    tile: Floats,
    line: Rows,
) -> None:
    """Of the lines shown while each viewer was there, the one that meets the strongest need holds the eye."""
    for at in range(visits.size):
        session = visits[at]
        show = chosen_show[at]
        shown = min(1 + int(tile[np.uint64(at) + MINUTES] / minutes_per_line), LINEUP)
        first = int(first_line[at] * np.float32(LINEUP))
        held = lineup[show, first]
        strongest = -ONE
        for step in range(LINEUP):
            candidate = lineup[show, (first + step) & (LINEUP - 1)]
            kind = category_of[candidate]
            pull = interest[session, kind] * need[session, kind]
            better = (step < shown) & (pull > strongest)
            strongest = pull if better else strongest
            held = candidate if better else held
        line[at] = held


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def fetch_offers(visits: Rows, home_of: Rows, line: Rows, offers: Offers) -> None:
    """Asks for what the lines cost and promise where their viewers live."""
    for at in range(visits.size):
        home = home_of[visits[at]]
        fetch(offers.landed_cents[line[at]], home)
        fetch(offers.price_cents[line[at]], home)
        fetch(offers.remembered_usd[line[at]], home)
        fetch(offers.promised_days[line[at]], home)
        fetch(offers.discounted_share[line[at]], home)


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def gather_claims(
    chosen_show: Rows,
    channel: Rows,
    visits: Rows,
    line_of: Rows,
    setting: Setting,
    offers: Offers,
    rooms: Rooms,
    tile: Floats,
) -> None:
    """What the room adds to a line: claims, label, discount, subsidy, what arouses."""
    exaggeration, disclosed, discount = rooms.exaggeration, rooms.disclosed, rooms.discount
    impulse_of, subsidy_usd, category_of = setting.impulse, setting.subsidy_usd, offers.category
    for at in range(visits.size):
        place = np.uint64(at)
        show = chosen_show[at]
        tile[place + DISCLOSED] = disclosed[show]
        tile[place + SHOWN_DISCOUNT] = discount[show]
        tile[place + EXAGGERATION] = exaggeration[show]
        tile[place + SUBSIDY] = subsidy_usd[channel[visits[at]]]
        tile[place + IMPULSE] = impulse_of[category_of[line_of[at]]]


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def claim_nothing(searches: Rows, channel: Rows, known: Floats, page_discount: Floats, tile: Floats) -> None:
    """On a shelf nobody claims anything; `known` is what the page tells of each line, with its standing discount."""
    for at in range(searches.size):
        place = np.uint64(at)
        tile[place + KNOWN] = known[at]
        tile[place + BELIEF] = ZERO
        tile[place + PASSING] = ZERO
        tile[place + BOND] = ZERO
        tile[place + SHOWN_DISCOUNT] = page_discount[channel[searches[at]]]
        tile[place + EXAGGERATION] = ZERO
        tile[place + SUBSIDY] = ZERO


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def gather_offers(
    visits: Rows,
    rows: Rows,
    home_of: Rows,
    people: People,
    setting: Setting,
    offers: Offers,
    channel: Rows,
    slot_of: Rows,
    line_of: Rows,
    interest: Floats,
    need: Floats,
    liquid: Floats,
    tile: Floats,
) -> None:
    """What the value of a line to a person hangs on, live or on a shelf."""
    trust_of, proof, means = people.trust, people.proof, people.means
    price_weight, price_taste, detail, risk_of = setting.price_weight, setting.price_taste, setting.detail, setting.risk
    fit_spread, steps, service_fee = setting.fit_spread, setting.steps, setting.service_fee
    reviewed, doubt = setting.reviewed, setting.doubt
    price_cents = offers.price_cents
    landed_cents, discounted_share, remembered_usd = offers.landed_cents, offers.discounted_share, offers.remembered_usd
    promised_days, category_of, merchant_of = offers.promised_days, offers.category, offers.merchant
    quality, typical, reputation = offers.quality, offers.typical, offers.reputation
    guaranteed, certified, traced, tryon = offers.guaranteed, offers.certified, offers.traced, offers.tryon
    reference_usd = offers.reference_usd
    for at in range(visits.size):
        place = np.uint64(at)
        session = visits[at]
        row = rows[session]
        person = means[row]
        home = home_of[session]
        line = line_of[at]
        where = channel[session]
        category = category_of[line]
        merchant = merchant_of[line]
        tile[place + TRUST] = np.float32(trust_of[row]) * WORD
        tile[place + CHANNEL_TRUST] = np.float32(person.channel_trust[slot_of[session]]) * WORD
        tile[place + PROOF] = np.float32(proof[row])
        tile[place + LOYALTY] = remembered(person, merchant, category)
        tile[place + DELAY] = person.delay_weight
        tile[place + INCOME_WEIGHT] = person.money_weight * price_taste[home]
        tile[place + NEED] = need[session, category]
        tile[place + INTEREST] = interest[session, category]
        tile[place + LIQUID] = liquid[session]
        tile[place + DETAIL] = detail[home]
        tile[place + STEPS] = steps[where]
        tile[place + SERVICE_FEE] = service_fee[where]
        tile[place + RISK] = risk_of[category] * doubt[where]
        tile[place + PRICE_WEIGHT] = price_weight[category]
        tile[place + REFERENCE] = reference_usd[category]
        tile[place + FIT_SPREAD] = fit_spread[category]
        tile[place + REPUTATION] = reputation[merchant]
        tile[place + REVIEWED] = reviewed[where]
        tile[place + TRYON] = np.float32(tryon[line])
        tile[place + GUARANTEE] = np.float32(guaranteed[where, line])
        tile[place + CERTIFIED] = np.float32(certified[line])
        tile[place + TRACED_GOODS] = np.float32(traced[line])
        tile[place + PROMISED] = promised_days[line, home]
        tile[place + DISCOUNTED] = discounted_share[line, home]
        tile[place + REMEMBERED] = remembered_usd[line, home]
        for tier in range(N_TIERS):
            there = place + np.uint64(tier * TILE)
            tile[there + LANDED] = np.float32(landed_cents[line, home, tier]) * CENT
            tile[there + LISTED] = np.float32(price_cents[line, home, tier]) * CENT
            tile[there + QUALITY] = quality[line, tier]
            tile[there + TYPICAL] = typical[category, tier]


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def learn(param: Any, count: int, tile: Floats) -> None:
    """What is learnt of each line, what is believed of the claims, and the passing impulse."""
    for at in range(count):
        place = np.uint64(at)
        minutes, lively, trust = tile[place + MINUTES], tile[place + LIVELY], tile[place + TRUST]
        known = information(
            param, minutes, tile[place + UNDERSTOOD], tile[place + STUTTER], tile[place + EVIDENCE], lively,
            tile[place + TRYON],
        )  # fmt: skip
        belief = claims_weight(param, clip_unit(trust + tile[place + BOND] * (ONE - trust)), tile[place + DISCLOSED])
        passing = impulse(param, minutes, clip_unit(lively), tile[place + SHOWN_DISCOUNT], tile[place + IMPULSE])
        tile[place + KNOWN] = known
        tile[place + BELIEF] = belief
        tile[place + PASSING] = passing


@njit(cache=True, error_model="numpy", forceinline=True)
def weigh_tier(param: Any, tile: Floats, place: np.uint64, tier: np.uint64, alpha: Float) -> Float:
    """Value of one tier apart from what all share, `NEVER` if it is not sold or not affordable.

    Writes the expected quality and the price shown (USD) of the tier, whose planes begin `tier` places after the
    first tier's.
    """
    known = tile[place + KNOWN]
    landed = tile[place + tier + LANDED]
    discount = tile[place + SHOWN_DISCOUNT]
    service = tile[place + SERVICE_FEE] * (ONE - discount) * tile[place + tier + LISTED]
    price = landed * (ONE - discount * tile[place + DISCOUNTED]) + service - tile[place + SUBSIDY]
    price = price if price > ZERO else ZERO
    expected = known * (tile[place + FIT] * tile[place + FIT_SPREAD]) + expected_quality(
        param, tile[place + tier + QUALITY], tile[place + tier + TYPICAL], tile[place + REPUTATION],
        tile[place + REVIEWED], tile[place + EXAGGERATION], tile[place + BELIEF], known,
    )  # fmt: skip
    usual = tile[place + REMEMBERED] / tile[place + LANDED] * landed
    value = tier_utility(param, tile[place + DETAIL], expected, price_utility(param, alpha, price, usual))
    out_of_reach = (landed <= ZERO) | (price > tile[place + LIQUID])
    tile[place + tier + EXPECTED] = expected
    tile[place + tier + PRICE] = price
    return NEVER if out_of_reach else value


@njit(cache=True, error_model="numpy", forceinline=True)
def weight_of(value: Float, best: Float, spread: Float) -> Float:
    """Weight of a tier within the nest, 0 where it is not to be had."""
    behind = value - best
    weight = tier_weight(behind, ZERO, spread)
    return weight if behind > FAR_BEHIND else ZERO


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def weigh(param: Any, intercept: Float, count: int, tile: Floats) -> None:
    """Buying against not buying: chance and expected surplus, and the weights of the tiers.

    The utility of buying is near `NEVER` where no tier can be bought. Writes, for each visit, the planes `NEST`
    (utility of buying), `ALPHA` (marginal utility of a dollar), `CHANCE`, `SURPLUS` (USD), and of each tier `EXPECTED`
    (quality), `PRICE` (USD) and `WEIGHT` (0 where not to be had).
    """
    spread = param.purchase_tier_spread
    for at in range(count):
        place = np.uint64(at)
        trust = HALF * (tile[place + TRUST] + tile[place + CHANNEL_TRUST])
        proof = tile[place + PROOF]
        alpha = money_utility(param, tile[place + PRICE_WEIGHT], tile[place + REFERENCE], tile[place + INCOME_WEIGHT])
        risk = perceived_risk(
            param, tile[place + RISK], tile[place + KNOWN], trust, tile[place + GUARANTEE], tile[place + CERTIFIED],
            tile[place + TRACED_GOODS],
        )  # fmt: skip
        shared = (
            intercept
            + buying_value(
                param, tile[place + NEED], tile[place + INTEREST], trust, tile[place + BOND],
                proof if proof < PROOF_CAP else PROOF_CAP, tile[place + LOYALTY], risk,
                tile[place + DELAY] * tile[place + PROMISED], tile[place + STEPS],
            )
            + tile[place + PASSING]
        )  # fmt: skip
        value0 = weigh_tier(param, tile, place, TIER0, alpha)
        value1 = weigh_tier(param, tile, place, TIER1, alpha)
        value2 = weigh_tier(param, tile, place, TIER2, alpha)
        value3 = weigh_tier(param, tile, place, TIER3, alpha)
        best = value0 if value0 > NEVER else NEVER
        best = value1 if value1 > best else best
        best = value2 if value2 > best else best
        best = value3 if value3 > best else best
        weight0 = weight_of(value0, best, spread)
        weight1 = weight_of(value1, best, spread)
        weight2 = weight_of(value2, best, spread)
        weight3 = weight_of(value3, best, spread)
        tile[place + WEIGHT + TIER0] = weight0
        tile[place + WEIGHT + TIER1] = weight1
        tile[place + WEIGHT + TIER2] = weight2
        tile[place + WEIGHT + TIER3] = weight3
        nest = nest_utility(shared, best, weight0 + weight1 + weight2 + weight3, spread)
        tile[place + NEST] = nest
        tile[place + ALPHA] = alpha
        tile[place + CHANCE] = sigmoid(nest)
        tile[place + SURPLUS] = expected_surplus(nest, alpha)
