"""What experience does: verdicts on parcels, memory, trust at four levels, and what friends hear.

These loops run on one thread in the order of the events, because several orders may meet in one person; they touch a
few per cent of the people a day.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.kernels.behaviour import (
    clip_unit,
    complaint_chance,
    moved_trust,
    return_chance,
    satisfaction_logit,
)
from sim.kernels.live import (
    BOUGHT,
    CENT,
    MILLICENTS,
    N_FOLLOWS,
    N_MEMORY,
    N_PLATFORM_SLOTS,
    NOBODY,
    WORD,
    WORD_TOP,
    Offers,
    People,
    Setting,
    fit_of,
    platform_slot,
    remember,
)
from sim.kernels.maths import HALF, ONE, ZERO, exp1, log1p_exp, normal_quantile, sigmoid
from sim.kernels.philox import philox, unit
from sim.kernels.threads import on_threads

JUDGE = np.uint32(91 * 256)
JUDGE_GOODS = np.uint32(92 * 256)
TELL = np.uint32(93 * 256)
SHARE = np.uint32(94 * 256)
TRUST_PRIOR = np.uint32(95 * 256)

LATE, DAMAGED, COUNTERFEIT, GUARANTEED = np.uint16(1), np.uint16(2), np.uint16(4), np.uint16(16)
COMPLAINED, DISPUTED, SPOILED, REPEAT, TRACED = (
    np.uint16(32),
    np.uint16(64),
    np.uint16(512),
    np.uint16(1024),
    np.uint16(8192),
)
DAY = np.float32(86_400)
REPEAT_DAYS = 90
PROOF_TOP = np.uint8(255)
MILLION = np.float32(1_000_000)

type Float = np.float32


class Judged(NamedTuple):
    """Buffers of verdicts, shape (n,)."""

    satisfaction: NDArray[np.float32]
    time: NDArray[np.int64]
    returns: NDArray[np.bool_]
    disputes: NDArray[np.bool_]
    complains: NDArray[np.bool_]
    realised_loss: NDArray[np.int64]  # milli-cents by which realised surplus falls short of the perceived one


@njit(cache=True, error_model="numpy")
def nudged(word: np.uint16, change: Float) -> np.uint16:
    """A 16-bit share moved by `change` and held to [0, 1]."""
    return np.uint16(np.int32(clip_unit(np.float32(word) * WORD + change) * WORD_TOP + HALF))


@njit(cache=True, error_model="numpy")
def experienced(param: Any, word: np.uint16, satisfaction: Float) -> np.uint16:
    """A 16-bit trust after an experience."""
    return np.uint16(np.int32(moved_trust(param, np.float32(word) * WORD, satisfaction) * WORD_TOP + HALF))


@njit(cache=True, error_model="numpy")
def lost_surplus(utility: Float, alpha: Float) -> np.int64:
    """Milli-cents of surplus that vanish when a chosen purchase comes to nothing.

    Given that it was chosen, a logit alternative is worth ln(1 + e^V) / P(V) more than going without (in utils).
    """
    return np.int64(log1p_exp(utility) / sigmoid(utility) / alpha * MILLICENTS)


@njit(cache=True, error_model="numpy")
def judge_one(
    param: Any,
    people: People,
    setting: Setting,
    offers: Offers,
    authenticity: NDArray[np.float32],
    return_level: NDArray[np.float32],
    data: Any,
    row: int,
    at: int,
    key0: np.uint32,
    key1: np.uint32,
    judged: Judged,
) -> None:
    """One buyer unpacks one parcel. Fills `judged` at `at`, sets the order's flags and satisfaction, moves trust."""
    order = data[row]
    person = int(order.consumer)
    category = int(order.category)
    country = int(order.country)
    words = philox(
        order.birth, np.uint32(order.line), np.uint32(order.tick), JUDGE + np.uint32(order.ordinal), key0, key1
    )
    goods = philox(
        order.birth, np.uint32(order.line), np.uint32(order.tick), JUDGE_GOODS + np.uint32(order.ordinal), key0, key1
    )
    traced = ONE if order.flags & TRACED else ZERO
    guaranteed = ONE if order.flags & GUARANTEED else ZERO
    fake = (ONE - authenticity[order.merchant]) * (ONE - param.experience_traced_screen * traced)
    counterfeit = ONE if unit(goods[0]) < fake else ZERO
    broken = ONE if order.flags & (DAMAGED | SPOILED) else ZERO
    quality = (
        offers.quality[order.line, order.tier]
        + param.experience_quality_spread * normal_quantile(unit(goods[1]))
        - param.experience_counterfeit_quality * counterfeit
        + fit_of(order.birth, order.line, key0, key1) * setting.fit_spread[category]
    )
    surprise = quality - order.expected_quality
    late_days = np.float32(order.delivered - order.promised) / DAY
    late = ONE if late_days > ZERO else ZERO
    satisfaction = sigmoid(
        satisfaction_logit(param, surprise, late_days, broken, counterfeit, normal_quantile(unit(words[0])))
    )
    shortfall = -surprise if surprise < ZERO else ZERO
    chance = return_chance(
        param,
        return_level[category],
        shortfall,
        order.impulse_gap,
        late,
        guaranteed,
        broken if broken > counterfeit else counterfeit,
    )
    returns = unit(words[1]) < chance
    disputes = (not returns) and unit(words[2]) < complaint_chance(param, param.experience_dispute_level, satisfaction)
    complains = unit(words[3]) < complaint_chance(param, param.experience_complain_level, satisfaction)
    judged.satisfaction[at] = satisfaction
    judged.time[at] = np.int64(order.delivered) + np.int64(unit(goods[2]) * param.experience_decision_days * DAY)
    judged.returns[at] = returns
    judged.disputes[at] = disputes
    judged.complains[at] = complains
    if returns:
        hassle = param.experience_hassle_cost * (ONE - guaranteed)
        judged.realised_loss[at] = lost_surplus(order.utility, order.money_utility) + np.int64(hassle * MILLICENTS)
    else:
        waited = people.delay_weight[person] * (late_days if late_days > ZERO else ZERO)
        gap = (
            order.impulse_gap
            + param.purchase_quality * setting.detail[country] * (order.expected_quality - quality)
            + param.experience_damage * broken
            + waited
        )
        judged.realised_loss[at] = np.int64(gap / order.money_utility * MILLICENTS)
    order.satisfaction = satisfaction
    flags = order.flags
    if late > ZERO:
        flags |= LATE
    if counterfeit > ZERO:
        flags |= COUNTERFEIT
    if disputes:
        flags |= DISPUTED
    if complains:
        flags |= COMPLAINED
    order.flags = flags

    people.trust[person] = experienced(param, people.trust[person], satisfaction)
    slot = platform_slot(setting.platform_slots, country, int(order.channel)) if order.channel < 8 else N_PLATFORM_SLOTS
    if slot >= 0:
        people.channel_trust[person, slot] = experienced(param, people.channel_trust[person, slot], satisfaction)
    for place in range(N_FOLLOWS):
        if people.follows[person, place] == order.streamer and order.streamer != NOBODY:
            people.bonds[person, place] = nudged(
                people.bonds[person, place],
                (param.trust_gain if satisfaction > HALF else param.trust_loss) * (satisfaction - HALF),
            )
    for place in range(N_MEMORY):
        if people.memory_seller[person, place] == order.merchant and people.memory_kind[person, place] == (
            BOUGHT | np.uint8(category)
        ):
            people.memory_score[person, place] = np.uint8(satisfaction * np.float32(255))


@njit(cache=True, error_model="numpy")
def judge(
    param: Any,
    people: People,
    setting: Setting,
    offers: Offers,
    authenticity: NDArray[np.float32],
    return_level: NDArray[np.float32],
    data: Any,
    rows: NDArray[np.int64],
    key0: np.uint32,
    key1: np.uint32,
    judged: Judged,
    verdict_sum: NDArray[np.int64],
    indptr: NDArray[np.int64],
    friends: NDArray[np.int32],
) -> None:
    """Verdicts on delivered orders in event order; unusual ones are told, and a friend's general trust moves towards
    the teller's satisfaction (DeGroot 1974).

    verdict_sum: (merchants, 2) int64 sums of satisfaction (65535ths) and number of verdicts of the day.
    """
    for at in range(rows.size):
        row = rows[at]
        judge_one(param[0], people, setting, offers, authenticity, return_level, data, row, at, key0, key1, judged)
        satisfaction = judged.satisfaction[at]
        merchant = data[row].merchant
        verdict_sum[merchant, 0] += np.int64(satisfaction * WORD_TOP)
        verdict_sum[merchant, 1] += 1
        if abs(satisfaction - param[0].trust_reputation_centre) > param[0].word_of_mouth_extreme:
            told = philox(
                data[row].birth, np.uint32(data[row].line), np.uint32(data[row].tick),
                TELL + np.uint32(data[row].ordinal), key0, key1,
            )  # fmt: skip
            if unit(told[0]) < param[0].word_of_mouth_tell:
                person = int(data[row].consumer)
                for edge in range(indptr[person], indptr[person + 1]):
                    friend = friends[edge]
                    gap = satisfaction - np.float32(people.trust[friend]) * WORD
                    people.trust[friend] = nudged(people.trust[friend], param[0].word_of_mouth_effect * gap)


@njit(cache=True, error_model="numpy")
def surplus_lost(data: Any, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Milli-cents of surplus lost with orders that never reached their buyer, shape (n,)."""
    result = np.empty(rows.size, np.int64)
    for at in range(rows.size):
        result[at] = lost_surplus(data[rows[at]].utility, data[rows[at]].money_utility)
    return result


@njit(cache=True, error_model="numpy")
def record_purchases(
    param: Any,
    people: People,
    data: Any,
    rows: NDArray[np.int64],
    day: int,
    key0: np.uint32,
    key1: np.uint32,
    indptr: NDArray[np.int64],
    friends: NDArray[np.int32],
    earlier: NDArray[np.int64],
    met: NDArray[np.int64],
) -> None:
    """What placing an order does to the buyer at once: the need is filled, money is spent, the seller is remembered;
    a live buyer may share the room with friends, who also see that somebody they know bought.

    Fills, per order, `earlier`: day of the buyer's last order from this seller within 90 days, and `met`: day the buyer
    met the seller without having bought since; -1 where there is none. Sets the flag REPEAT on a repeated order.
    A buyer who remembers nothing of the seller meets it today.
    """
    for at in range(rows.size):
        order = data[rows[at]]
        person = int(order.consumer)
        category = int(order.category)
        people.need_day[person, category] = np.uint16(day)
        paid = np.float32(
            order.goods_cents + order.freight_cents + order.duty_cents + order.vat_cents - order.subsidy_cents
        )
        age = np.float32(day - int(people.spent_day[person]))
        people.spent_cents[person] = people.spent_cents[person] * exp1(-age / param[0].budget_memory_days) + paid
        people.spent_day[person] = np.uint16(day)
        earlier[at] = -1
        met[at] = day
        for place in range(N_MEMORY):
            if people.memory_seller[person, place] != order.merchant:
                continue
            when = np.int64(people.memory_day[person, place])
            if people.memory_kind[person, place] < BOUGHT:
                met[at] = min(met[at], when)
            else:
                met[at] = -1
                if day - when <= REPEAT_DAYS:
                    earlier[at] = max(earlier[at], when)
                    order.flags = order.flags | REPEAT
                break
        remember(
            people.memory_seller, people.memory_kind, people.memory_day, people.memory_score, person, order.merchant,
            BOUGHT | np.uint8(category), np.uint16(day), np.uint8(128),
        )  # fmt: skip
        if order.streamer == NOBODY:
            continue
        words = philox(order.birth, np.uint32(order.streamer), np.uint32(order.tick), SHARE, key0, key1)
        shares = unit(words[0]) < param[0].word_of_mouth_share_room
        for edge in range(indptr[person], indptr[person + 1]):
            friend = friends[edge]
            if people.proof[friend] < PROOF_TOP:
                people.proof[friend] += np.uint8(1)
            # of several shared rooms the lowest number stands, so that the order of events does not matter
            if shares and order.streamer < people.shared_host[friend]:
                people.shared_host[friend] = order.streamer


@njit(cache=True, error_model="numpy", nogil=True)
def fade(
    thread: int,
    threads: int,
    param: Any,
    people: People,
    proof_after: NDArray[np.uint8],
    day: int,
    key0: np.uint32,
    key1: np.uint32,
) -> None:
    """One thread's share of `end_of_day`."""
    size = people.birth.size
    for row in range(thread * size // threads, (thread + 1) * size // threads):
        people.proof[row] = proof_after[people.proof[row]]
        if people.birth[row] % np.uint32(7) != np.uint32(day % 7):
            continue
        people.shared_host[row] = NOBODY
        word = philox(people.birth[row], np.uint32(0), np.uint32(0), TRUST_PRIOR, key0, key1)
        prior = clip_unit(param[0].trust_prior_mean + param[0].trust_prior_spread * normal_quantile(unit(word[0])))
        trust = np.float32(people.trust[row]) * WORD
        people.trust[row] = nudged(people.trust[row], param[0].trust_reversion * (prior - trust))
        for slot in range(N_PLATFORM_SLOTS + 1):
            level = np.float32(people.channel_trust[row, slot]) * WORD
            people.channel_trust[row, slot] = nudged(
                people.channel_trust[row, slot], param[0].trust_reversion * (prior - level)
            )
        for slot in range(N_FOLLOWS):
            if people.follows[row, slot] != NOBODY:
                bond = np.float32(people.bonds[row, slot]) * WORD
                people.bonds[row, slot] = nudged(people.bonds[row, slot], -param[0].trust_bond_decay * bond)


def end_of_day(
    param: NDArray[Any],
    people: People,
    proof_after: NDArray[np.uint8],
    day: int,
    threads: int,
    key0: np.uint32,
    key1: np.uint32,
) -> None:
    """Slow forgetting: social proof daily; trust towards the person's prior, bonds and shared links weekly, each person
    on the weekday of the birth number. proof_after: (256,) what is left of each count.

    (As a parallel loop of numba over attributes of a tuple this was taken for dead code and removed without a word.)
    """
    on_threads(threads, fade, param, people, proof_after, day, key0, key1)


@njit(cache=True, error_model="numpy")
def move_reputation(
    param: Any, reputation: NDArray[np.float32], verdict_sum: NDArray[np.int64], persons: Float
) -> None:
    """Public reputation moves towards the day's mean verdict; the weight counts verdicts per million persons, so that
    it does not depend on how many people are simulated. Clears the day's sums."""
    for merchant in range(reputation.size):
        verdicts = verdict_sum[merchant, 1]
        if verdicts == 0:
            continue
        mean = np.float32(verdict_sum[merchant, 0] / verdicts) * WORD
        per_million = np.float32(verdicts) * MILLION / persons
        weight = ONE - exp1(-param[0].trust_reputation_speed * per_million)
        reputation[merchant] += weight * (mean - reputation[merchant])
        verdict_sum[merchant, 0] = 0
        verdict_sum[merchant, 1] = 0


@njit(cache=True, error_model="numpy")
def follow_reference(remembered: NDArray[np.float32], landed_cents: NDArray[np.int32], memory: Float) -> None:
    """Remembered prices of the lowest tier (USD, (n, C)) drift towards the prices shown ((n, C, 4) cents)."""
    for line in range(remembered.shape[0]):
        for country in range(remembered.shape[1]):
            shown = np.float32(landed_cents[line, country, 0]) * CENT
            if remembered[line, country] <= ZERO:
                remembered[line, country] = shown
            elif shown > ZERO:
                remembered[line, country] += memory * (shown - remembered[line, country])
