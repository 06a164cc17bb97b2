"""What experience does: verdicts on parcels, memory, trust at four levels, and what friends hear.

What verdicts and purchases move is moved on one thread in the order of the events, because several orders may meet in
one person; they touch a few per cent of the people a day.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from sim.kernels.behaviour import (
    DAY,
    clip_unit,
    complaint_chance,
    in_return_window,
    moved_trust,
    regret_seconds,
    return_chance,
    satisfaction_logit,
)
from sim.kernels.friends import Friends, row_at, start_of
from sim.kernels.live import (
    BOUGHT,
    BYTE_TOP,
    CENT,
    MILLICENTS,
    N_FOLLOWS,
    N_MEMORY,
    N_PLATFORM_SLOTS,
    NOBODY,
    WORD,
    WORD_TOP,
    Floats,
    Offers,
    People,
    Setting,
    fit_of,
    platform_slot,
    remember,
)
from sim.kernels.maths import HALF, ONE, ZERO, exp1, log1p_exp, normal_quantile, sigmoid
from sim.kernels.philox import philox, unit
from sim.kernels.threads import fetch, on_threads
from sim.kinds import ADOPTER, N_PLATFORMS

JUDGE = np.uint32(91 * 256)
JUDGE_GOODS = np.uint32(92 * 256)
TELL = np.uint32(93 * 256)
SHARE = np.uint32(94 * 256)
TRUST_PRIOR = np.uint32(95 * 256)
BREACH_REACH = np.uint32(96 * 256)
SCANDAL = np.uint32(260 * 256)

LATE, DAMAGED, COUNTERFEIT, GUARANTEED = np.uint16(1), np.uint16(2), np.uint16(4), np.uint16(16)
COMPLAINED, DISPUTED, SPOILED, REPEAT, TRACED = (
    np.uint16(32),
    np.uint16(64),
    np.uint16(512),
    np.uint16(1024),
    np.uint16(8192),
)
REPEAT_DAYS = 90
WEEK = 7
NO_FLAG = np.uint16(0)
FAR, NEAR, NEXT = 24, 12, 4  # orders or people ahead at which memory is asked for what the step before has found
NO_BOND = np.uint16(0)
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


@njit(cache=True, error_model="numpy", forceinline=True)
def nudged(word: np.uint16, change: Float) -> np.uint16:
    """A 16-bit share moved by `change` and held to [0, 1]."""
    return np.uint16(np.int32(clip_unit(np.float32(word) * WORD + change) * WORD_TOP + HALF))


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def experienced(param: Any, word: np.uint16, satisfaction: Float) -> np.uint16:
    """A 16-bit trust after an experience."""
    return np.uint16(np.int32(moved_trust(param, np.float32(word) * WORD, satisfaction) * WORD_TOP + HALF))


@njit(cache=True, error_model="numpy", forceinline=True)
def lost_surplus(utility: Float, alpha: Float) -> np.int64:
    """Milli-cents of surplus that vanish when a chosen purchase comes to nothing.

    Given that it was chosen, a logit alternative is worth ln(1 + e^V) / P(V) more than going without (in utils).
    """
    return np.int64(log1p_exp(utility) / sigmoid(utility) / alpha * MILLICENTS)


@njit(cache=True, error_model="numpy", nogil=True, _nrt=False)
def unpack(
    thread: int,
    threads: int,
    params: NDArray[Any],
    delay_weight: Floats,
    detail: Floats,
    fit_spread: Floats,
    quality_of: Floats,
    authenticity: Floats,
    return_level: Floats,
    return_window: Floats,
    data: Any,
    rows: NDArray[np.int64],
    key0: np.uint32,
    key1: np.uint32,
    judged: Judged,
) -> None:
    """What buyers find in their parcels and decide: fills `judged`, sets the orders' flags and satisfaction.

    One thread's share. Reads nothing that another verdict of the day moves, so one verdict does not depend on another.
    """
    param = params[0]
    satisfactions, times, all_return = judged.satisfaction, judged.time, judged.returns
    all_dispute, all_complain, losses = judged.disputes, judged.complains, judged.realised_loss
    for at in range(thread * rows.size // threads, (thread + 1) * rows.size // threads):
        if at + FAR < rows.size:
            fetch(delay_weight, data[rows[at + FAR]].consumer)
        order = data[rows[at]]
        category = order.category
        line = np.uint32(order.line)
        tick = np.uint32(order.tick)
        ordinal = np.uint32(order.ordinal)
        words = philox(order.birth, line, tick, JUDGE + ordinal, key0, key1)
        goods = philox(order.birth, line, tick, JUDGE_GOODS + ordinal, key0, key1)
        traced = ONE if order.flags & TRACED else ZERO
        guaranteed = ONE if order.flags & GUARANTEED else ZERO
        fake = (ONE - authenticity[order.merchant]) * (ONE - param.experience_traced_screen * traced)
        counterfeit = ONE if unit(goods[0]) < fake else ZERO
        broken = ONE if order.flags & (DAMAGED | SPOILED) else ZERO
        quality = (
            quality_of[line, order.tier]
            + param.experience_quality_spread * normal_quantile(unit(goods[1]))
            - param.experience_counterfeit_quality * counterfeit
            + fit_of(order.birth, line, key0, key1) * fit_spread[category]
        )
        surprise = quality - order.expected_quality
        late_days = np.float32(order.delivered - order.promised) / DAY
        late = ONE if late_days > ZERO else ZERO
        satisfaction = sigmoid(
            satisfaction_logit(param, surprise, late_days, broken, counterfeit, normal_quantile(unit(words[0])))
        )
        chance = return_chance(
            param,
            return_level[category],
            -surprise if surprise < ZERO else ZERO,
            order.impulse_gap,
            late,
            guaranteed,
            broken if broken > counterfeit else counterfeit,
        )
        waited = regret_seconds(param, unit(goods[2]))
        returns = (unit(words[1]) < chance) & in_return_window(waited, return_window[order.country])
        dispute = complaint_chance(param, param.experience_dispute_level, satisfaction)
        disputes = (not returns) and unit(words[2]) < dispute
        complains = unit(words[3]) < complaint_chance(param, param.experience_complain_level, satisfaction)
        satisfactions[at] = satisfaction
        times[at] = np.int64(order.delivered) + waited
        all_return[at] = returns
        all_dispute[at] = disputes
        all_complain[at] = complains
        if returns:
            hassle = param.experience_hassle_cost * (ONE - guaranteed)
            losses[at] = lost_surplus(order.utility, order.money_utility) + np.int64(hassle * MILLICENTS)
        else:
            waiting = delay_weight[order.consumer] * (late_days if late_days > ZERO else ZERO)
            gap = (
                param.experience_impulse_passed * order.impulse_gap
                + param.purchase_quality * detail[order.country] * (order.expected_quality - quality)
                + param.experience_damage * broken
                + waiting
            )
            losses[at] = np.int64(gap / order.money_utility * MILLICENTS)
        flags = order.flags
        flags |= LATE if late > ZERO else NO_FLAG
        flags |= COUNTERFEIT if counterfeit > ZERO else NO_FLAG
        flags |= DISPUTED if disputes else NO_FLAG
        flags |= COMPLAINED if complains else NO_FLAG
        order.flags = flags
        order.satisfaction = satisfaction


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def fetch_buyer(people: People, friends: Friends, person: np.uint32) -> None:
    """Asks for what a verdict moves, before anybody waits for it."""
    fetch(people.trust, person)
    fetch(people.drives, person)
    fetch(people.means, person)
    fetch(friends.offset, person)


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def fetch_shopper(people: People, friends: Friends, person: np.uint32) -> None:
    """Asks for what an order changes of its buyer."""
    fetch(people.drives, person)
    fetch(people.means, person)
    fetch(friends.offset, person)


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def is_unusual(param: Any, satisfaction: Float) -> bool:
    """Whether an experience is good or bad enough to be told."""
    return abs(satisfaction - param.trust_reputation_centre) > param.word_of_mouth_extreme


@njit(cache=True, error_model="numpy", _nrt=False)
def take_to_heart(
    params: NDArray[Any],
    people: People,
    platform_slots: NDArray[np.uint8],
    data: Any,
    rows: NDArray[np.int64],
    key0: np.uint32,
    key1: np.uint32,
    satisfactions: Floats,
    verdict_sum: NDArray[np.int64],
    friends: Friends,
) -> None:
    """What verdicts do, in event order: the buyer's trust at every level, the memory, friends who are told.

    A friend's general trust moves towards the teller's satisfaction (DeGroot 1974); only unusual verdicts are told.
    """
    param = params[0]
    trust, channel_trust, follows, bonds = people.trust, people.channel_trust, people.follows, people.bonds
    memory_seller, memory_kind, memory_score = people.memory_seller, people.memory_kind, people.memory_score
    for at in range(rows.size):
        if at + FAR < rows.size:
            fetch_buyer(people, friends, data[rows[at + FAR]].consumer)
        if at + NEAR < rows.size and is_unusual(param, satisfactions[at + NEAR]):
            fetch(friends.who, start_of(friends, data[rows[at + NEAR]].consumer))
        order = data[rows[at]]
        person = order.consumer
        satisfaction = satisfactions[at]
        verdict_sum[order.merchant, 0] += np.int64(satisfaction * WORD_TOP)
        verdict_sum[order.merchant, 1] += 1
        trust[person] = experienced(param, trust[person], satisfaction)
        slot = N_PLATFORM_SLOTS
        if order.channel < N_PLATFORMS:
            slot = platform_slot(platform_slots, int(order.country), int(order.channel))
        if slot >= 0:
            channel_trust[person, slot] = experienced(param, channel_trust[person, slot], satisfaction)
        if order.streamer != NOBODY:
            speed = param.trust_gain if satisfaction > HALF else param.trust_loss
            for place in range(N_FOLLOWS):
                if follows[person, place] == order.streamer:
                    bonds[person, place] = nudged(bonds[person, place], speed * (satisfaction - HALF))
        for place in range(N_MEMORY):
            kind = BOUGHT | np.uint8(order.category)
            if (memory_seller[person, place] == order.merchant) & (memory_kind[person, place] == kind):
                memory_score[person, place] = np.uint8(satisfaction * BYTE_TOP)
        if is_unusual(param, satisfaction):
            told = philox(
                order.birth, np.uint32(order.line), np.uint32(order.tick), TELL + np.uint32(order.ordinal), key0, key1
            )
            if unit(told[0]) < param.word_of_mouth_tell:
                for edge in range(start_of(friends, person), start_of(friends, person + 1)):
                    friend = row_at(friends, edge)
                    gap = satisfaction - np.float32(trust[friend]) * WORD
                    trust[friend] = nudged(trust[friend], param.word_of_mouth_effect * gap)


def judge(
    param: NDArray[Any],
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
    friends: Friends,
    threads: int = 1,
) -> None:
    """Verdicts on delivered orders and what they do, in event order.

    verdict_sum: (merchants, 2) int64 sums of satisfaction (65535ths) and number of verdicts of the day.
    """
    on_threads(
        threads, unpack, param, people.delay_weight, setting.detail, setting.fit_spread, offers.quality, authenticity,
        return_level, setting.return_window, data, rows, key0, key1, judged,
    )  # fmt: skip
    take_to_heart(
        param, people, setting.platform_slots, data, rows, key0, key1, judged.satisfaction, verdict_sum, friends,
    )  # fmt: skip


@njit(cache=True, error_model="numpy")
def forgone(utility: NDArray[np.float32], alpha: NDArray[np.float32]) -> NDArray[np.int64]:
    """Milli-cents of surplus lost with decisions that came to nothing, shape (n,)."""
    result = np.empty(utility.size, np.int64)
    for at in range(utility.size):
        result[at] = lost_surplus(utility[at], alpha[at])
    return result


@njit(cache=True, error_model="numpy")
def surplus_lost(data: Any, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Milli-cents of surplus lost with orders that never reached their buyer, shape (n,)."""
    result = np.empty(rows.size, np.int64)
    for at in range(rows.size):
        result[at] = lost_surplus(data[rows[at]].utility, data[rows[at]].money_utility)
    return result


@njit(cache=True, error_model="numpy", _nrt=False)
def record_purchases(
    param: Any,
    people: People,
    data: Any,
    rows: NDArray[np.int64],
    day: int,
    key0: np.uint32,
    key1: np.uint32,
    friends: Friends,
    earlier: NDArray[np.int64],
    met: NDArray[np.int64],
) -> None:
    """What placing an order does to the buyer at once: the need is filled, money is spent, the seller is remembered;
    a live buyer may share the room with friends, who also see that somebody they know bought.

    Fills, per order, `earlier`: day of the buyer's last order from this seller within 90 days, and `met`: day the buyer
    met the seller without having bought since; -1 where there is none. Sets the flag REPEAT on a repeated order.
    A buyer who remembers nothing of the seller meets it today.
    """
    need_day, spent_cents, spent_day = people.need_day, people.spent_cents, people.spent_day
    memory_seller, memory_kind, memory_day = people.memory_seller, people.memory_kind, people.memory_day
    memory_score, proof, shared_host = people.memory_score, people.proof, people.shared_host
    today = np.uint16(day)
    for at in range(rows.size):
        if at + FAR < rows.size:
            fetch_shopper(people, friends, data[rows[at + FAR]].consumer)
        if at + NEAR < rows.size and data[rows[at + NEAR]].streamer != NOBODY:
            fetch(friends.who, start_of(friends, data[rows[at + NEAR]].consumer))
        if at + NEXT < rows.size and data[rows[at + NEXT]].streamer != NOBODY:
            soon = data[rows[at + NEXT]].consumer
            for edge in range(start_of(friends, soon), start_of(friends, soon + 1)):
                fetch(proof, row_at(friends, edge))
        order = data[rows[at]]
        person = int(order.consumer)
        category = int(order.category)
        need_day[person, category] = today
        paid = np.float32(
            order.goods_cents
            + order.freight_cents
            + order.duty_cents
            + order.vat_cents
            + order.service_cents
            - order.subsidy_cents
        )
        age = np.float32(day - int(spent_day[person]))
        spent_cents[person] = spent_cents[person] * exp1(-age / param[0].budget_memory_days) + paid
        spent_day[person] = today
        earlier[at] = -1
        met[at] = day
        for place in range(N_MEMORY):
            if memory_seller[person, place] != order.merchant:
                continue
            when = np.int64(memory_day[person, place])
            if memory_kind[person, place] < BOUGHT:
                met[at] = min(met[at], when)
            else:
                met[at] = -1
                if day - when <= REPEAT_DAYS:
                    earlier[at] = max(earlier[at], when)
                    order.flags = order.flags | REPEAT
                break
        remember(
            memory_seller, memory_kind, memory_day, memory_score, person, order.merchant,
            np.uint8(category), today, np.uint8(128),
        )  # fmt: skip
        if order.streamer == NOBODY:
            continue
        words = philox(order.birth, np.uint32(order.streamer), np.uint32(order.tick), SHARE, key0, key1)
        shares = unit(words[0]) < param[0].word_of_mouth_share_room
        for edge in range(start_of(friends, person), start_of(friends, person + 1)):
            friend = row_at(friends, edge)
            if proof[friend] < PROOF_TOP:
                proof[friend] += np.uint8(1)
            # of several shared rooms the lowest number stands, so that the order of events does not matter
            if shares and order.streamer < shared_host[friend]:
                shared_host[friend] = order.streamer


@njit(cache=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False)
def draw_priors(param: Any, birth: NDArray[np.uint32], key0: np.uint32, key1: np.uint32, prior: Floats) -> None:
    """Trust each person comes back to in the long run."""
    mean, spread = param.trust_prior_mean, param.trust_prior_spread
    for at in range(birth.size):
        word = philox(birth[at], np.uint32(0), np.uint32(0), TRUST_PRIOR, key0, key1)[0]
        prior[at] = clip_unit(mean + spread * normal_quantile(unit(word)))


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
    """One thread's share of `end_of_day`: the few whose weekday it is are listed first."""
    birth, proof, shared_host, trust = people.birth, people.proof, people.shared_host, people.trust
    channel_trust, follows, bonds = people.channel_trust, people.follows, people.bonds
    size = birth.size
    first, last = thread * size // threads, (thread + 1) * size // threads
    listed = np.empty(last - first + 1, np.uint32)
    weekday = np.uint32(day % WEEK)
    count = 0
    for row in range(first, last):
        proof[row] = proof_after[proof[row]]
        listed[count] = row
        count += birth[row] % np.uint32(WEEK) == weekday
    who = np.empty(count, np.uint32)
    for at in range(count):
        who[at] = birth[listed[at]]
    prior = np.empty(count, np.float32)
    draw_priors(param[0], who, key0, key1, prior)
    reversion, decay, lapse = param[0].trust_reversion, param[0].trust_bond_decay, param[0].trust_bond_lapse
    for at in range(count):
        if at + FAR < count:
            fetch(people.drives, listed[at + FAR])
            fetch(people.means, listed[at + FAR])
        row = listed[at]
        shared_host[row] = NOBODY
        trust[row] = nudged(trust[row], reversion * (prior[at] - np.float32(trust[row]) * WORD))
        for slot in range(N_PLATFORM_SLOTS + 1):
            word = channel_trust[row, slot]
            channel_trust[row, slot] = nudged(word, reversion * (prior[at] - np.float32(word) * WORD))
        for slot in range(N_FOLLOWS):
            word = bonds[row, slot]
            faded = nudged(word, -decay * (np.float32(word) * WORD))
            lapsed = np.float32(faded) * WORD < lapse
            bonds[row, slot] = np.uint16(0) if lapsed else faded
            follows[row, slot] = NOBODY if lapsed else follows[row, slot]


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
    on the weekday of the birth number. A host with whom too little of a bond is left is followed no more.
    proof_after: (256,) what is left of each count.

    (As a parallel loop of numba over attributes of a tuple this was taken for dead code and removed without a word.)
    """
    on_threads(threads, fade, param, people, proof_after, day, key0, key1)


@njit(cache=True, error_model="numpy", forceinline=True, _nrt=False)
def betrayed(param: Any, word: np.uint16) -> np.uint16:
    """A 16-bit trust in a platform after one's data got out of it."""
    return nudged(word, -param.trust_breach_loss * (np.float32(word) * WORD))


@njit(cache=True, error_model="numpy", _nrt=False)
def leak_data(
    param: Any,
    people: People,
    platform_slots: NDArray[np.uint8],
    platform: int,
    tick: np.uint32,
    key0: np.uint32,
    key1: np.uint32,
    hit: NDArray[np.bool_],
) -> None:
    """A data breach of a platform: each adopter of a country where it is on offer is hit with chance `breach_reach` and
    loses a part of the trust in it. Fills `hit` (persons,)."""
    for row in range(people.birth.size):
        slot = platform_slot(platform_slots, int(people.country[row]), platform)
        hit[row] = False
        if people.adopter[row] != ADOPTER or slot < 0:
            continue
        words = philox(people.birth[row], np.uint32(platform), tick, BREACH_REACH, key0, key1)
        if unit(words[0]) < param[0].trust_breach_reach:
            hit[row] = True
            people.channel_trust[row, slot] = betrayed(param[0], people.channel_trust[row, slot])


@njit(cache=True, error_model="numpy", _nrt=False)
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


@njit(cache=True, error_model="numpy", _nrt=False)
def follow_reference(remembered: NDArray[np.float32], landed_cents: NDArray[np.int32], memory: Float) -> None:
    """Remembered prices of the lowest tier (USD, (n, C)) drift towards the prices shown ((n, C, 4) cents)."""
    for line in range(remembered.shape[0]):
        for country in range(remembered.shape[1]):
            shown = np.float32(landed_cents[line, country, 0]) * CENT
            before = remembered[line, country]
            after = before + memory * (shown - before) if shown > ZERO else before
            remembered[line, country] = after if before > ZERO else shown


@njit(cache=True, error_model="numpy", _nrt=False)
def unfollow(people: People, gone: NDArray[np.bool_]) -> None:
    """Nobody follows the hosts of which `gone` (65536,) is true any more; their places are empty."""
    follows, bonds = people.follows, people.bonds
    for row in range(follows.shape[0]):
        for slot in range(N_FOLLOWS):
            host = follows[row, slot]
            if host != NOBODY and gone[host]:
                follows[row, slot] = NOBODY
                bonds[row, slot] = NO_BOND


@njit(cache=True, error_model="numpy", _nrt=False)
def shame(
    param: Any,
    people: People,
    platform_slots: NDArray[np.uint8],
    caught: NDArray[np.bool_],
    platform: NDArray[np.uint8],
    bond_loss: Float,
    trust_loss: Float,
    day: int,
    friends: Friends,
    key0: np.uint32,
    key1: np.uint32,
) -> None:
    """What followers of the hosts of which `caught` (65536,) is true lose, and what some of them tell.

    The bond and the trust in the host's platform shrink by `bond_loss`, `trust_loss` (shares); a follower tells friends
    with the usual chance, and each friend's general trust moves as by the worst experience heard of. `platform` (S,).
    """
    follows, bonds, trust, channel_trust = people.follows, people.bonds, people.trust, people.channel_trust
    for row in range(follows.shape[0]):
        for place in range(N_FOLLOWS):
            host = follows[row, place]
            if host == NOBODY or not caught[host]:
                continue
            bonds[row, place] = nudged(bonds[row, place], -bond_loss * (np.float32(bonds[row, place]) * WORD))
            slot = platform_slot(platform_slots, int(people.country[row]), int(platform[host]))
            if slot >= 0:
                word = channel_trust[row, slot]
                channel_trust[row, slot] = nudged(word, -trust_loss * (np.float32(word) * WORD))
            told = philox(people.birth[row], np.uint32(host), np.uint32(day * 8), SCANDAL, key0, key1)
            if unit(told[0]) < param[0].word_of_mouth_tell:
                for edge in range(start_of(friends, row), start_of(friends, row + 1)):
                    friend = row_at(friends, edge)
                    gap = np.float32(trust[friend]) * WORD
                    trust[friend] = nudged(trust[friend], -param[0].word_of_mouth_effect * gap)


@njit(cache=True, error_model="numpy", nogil=True, _nrt=False)
def forget_sellers(
    seller: NDArray[np.uint16],
    kind: NDArray[np.uint8],
    day: NDArray[np.uint16],
    score: NDArray[np.uint8],
    gone: NDArray[np.uint8],
) -> None:
    """Empties the places of memory (persons, places) that hold a seller with gone[seller] = 1; uint8[65536]."""
    for person in range(seller.shape[0]):
        for place in range(seller.shape[1]):
            if gone[seller[person, place]] != 0:
                seller[person, place] = NOBODY
                kind[person, place] = np.uint8(0)
                day[person, place] = np.uint16(0)
                score[person, place] = np.uint8(0)
