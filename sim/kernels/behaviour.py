"""The formulas of consumer behaviour, each once, as scalar functions that compiled loops and readable agents both call.

All arguments and results are float32 unless stated. `param` is the record made by
`sim.state.consumers.behaviour_record`: one float32 field `<group>_<name>` for every parameter of configs/consumer, so
that no number is written here. Utilities are in utils, money in USD, durations in minutes or days as named.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from sim.kernels.maths import HALF, ONE, ZERO, exp1, exponential, log1, log1p_exp, sigmoid

CENT = np.float32(0.01)
QUARTER_HOUR = np.float32(15)
DAY = np.float32(86_400)  # seconds

type Float = np.float32


@njit(cache=True, error_model="numpy", forceinline=True)
def clip_unit(value: Float) -> Float:
    """The value held to [0, 1]."""
    value = ZERO if value < ZERO else value
    return ONE if value > ONE else value


@njit(cache=True, error_model="numpy", forceinline=True)
def need_level(days: Float, rate: Float) -> Float:
    """Unmet need in [0, 1]: nothing on the day of a purchase, whole after 1/`rate` days.

    `days` since the last purchase in the category; `rate` per day is the rules' need factor over the category's days to
    restore (`Setting.need_rate`). A linear restoration is the least committal clock with the given length.
    """
    return clip_unit(days * rate)


@njit(cache=True, error_model="numpy", forceinline=True)
def focus_weight(interest: Float, need: Float, floor: Float) -> Float:
    """Weight of a category when a session turns to one: interest times (`floor` + need); interest and need in [0, 1].

    `floor` is `param.opening_focus_floor`.
    """
    return interest * (need + floor)


@njit(cache=True, error_model="numpy", forceinline=True)
def freshness(param: Any, days: Float) -> Float:
    """How fresh a discovery is after `days`, in (0, 1]: forgotten exponentially (Ebbinghaus' curve, its usual form)."""
    return exp1(-days / param.trust_discovery_days)


@njit(cache=True, error_model="numpy", forceinline=True)
def still_minded(param: Any, days: Float) -> Float:
    """Share of a spending that still counts after `days`, in (0, 1]: forgotten exponentially."""
    return exp1(-days / param.budget_memory_days)


@njit(cache=True, error_model="numpy", forceinline=True)
def left_to_spend(budget_cents: Float, spent_cents: Float, minded: Float) -> Float:
    """What is left of the monthly online budget, USD; of what was spent the share `minded` still counts."""
    return (budget_cents - spent_cents * minded) * CENT


@njit(cache=True, error_model="numpy", forceinline=True)
def opening_chance(
    param: Any, taste: Float, need: Float, expected: Float, bond: Float, shared: Float, subsidy: Float
) -> Float:
    """Chance that an adopter opens a live channel on a day (logit).

    `taste` persistent propensity (logit), `need` strongest need weighted by interest, `expected` inclusive value of
    what is expected on air (utils), `bond` sum of bonds with hosts on air today, `shared` 1 if a friend shared a room,
    `subsidy` USD offered. The inclusive value makes openings depend on what is on air (nested logit, McFadden 1978).
    """
    return sigmoid(
        param.opening_intercept
        + taste
        + param.opening_need * need
        + param.opening_expected_value * expected
        + param.opening_notification * bond
        + param.opening_shared_link * shared
        + param.opening_subsidy * subsidy
    )


@njit(cache=True, error_model="numpy", forceinline=True)
def searching_chance(param: Any, need: Float, fresh: Float) -> Float:
    """Chance that a person searches a shelf on a day (logit): strongest need, and the freshest discovery in a live room
    (both in [0, 1])."""
    return sigmoid(param.shelf_intercept + param.shelf_need * need + param.shelf_awareness * fresh)


@njit(cache=True, error_model="numpy", forceinline=True)
def platform_utility(param: Any, habit: Float, trust: Float, expected: Float, bond: Float) -> Float:
    """Utility of opening one platform: habit and trust in [0, 1], expected attraction (utils), bonds on air there."""
    return (
        param.platform_habit * habit
        + param.platform_trust * trust
        + param.platform_expected_value * expected
        + param.platform_notification * bond
    )


@njit(cache=True, error_model="numpy", forceinline=True)
def room_utility(
    param: Any,
    base: Float,
    interest: Float,
    need: Float,
    bond: Float,
    comprehension: Float,
    shared: Float,
    taste: Float,
) -> Float:
    """Utility of entering a room. `base` holds skill, culture fit and shown audience (`room_base`); `taste` is the
    lasting taste of this person for this host (standard normal); the rest is in [0, 1]."""
    return (
        base
        + param.room_match * interest
        + param.room_need * need
        + param.room_bond * bond
        + param.room_comprehension * comprehension
        + param.room_shared * shared
        + param.room_persistent_noise * taste
    )


@njit(cache=True, error_model="numpy", forceinline=True)
def room_base(param: Any, skill: Float, culture: Float, log_audience: Float) -> Float:
    """The part of a room's utility that is the same for everybody in a country."""
    return param.room_skill * skill + param.room_culture * culture + param.room_viewers * log_audience


@njit(cache=True, error_model="numpy", forceinline=True)
def stay_log_scale(
    param: Any,
    comprehension: Float,
    stutter: Float,
    culture: Float,
    skill: Float,
    bond: Float,
    interest: Float,
    interaction: Float,
) -> Float:
    """Logarithm of the scale of a stay (minutes).

    Understanding, a steady picture, culture fit, skill, bond, interest and interaction each lengthen it, as covariates
    of an accelerated failure time model. `interaction` is the show's liveliness times the audience's taste for it.
    """
    return (
        param.watching_log_scale
        - param.watching_comprehension * (ONE - comprehension)
        - param.watching_stutter * stutter
        + param.watching_culture * culture
        + param.watching_skill * skill
        + param.watching_bond * bond
        + param.watching_match * interest
        + param.watching_interaction * interaction
    )


@njit(cache=True, error_model="numpy", forceinline=True)
def stay_minutes(u: Float, log_scale: Float, shape: Float, longest: Float) -> Float:
    """Minutes watched: Weibull quantile with decreasing hazard (shape below one), cut at `longest` (minutes).

    Source of the shape: the exponential head and truncated heavy tail of watch times. `shape` and `longest` are
    `param.watching_shape` and `param.watching_longest`.
    """
    minutes = exp1(log_scale + log1(-log1(u)) / shape)
    return longest if minutes > longest else minutes


@njit(cache=True, error_model="numpy", forceinline=True)
def information(
    param: Any,
    minutes: Float,
    comprehension: Float,
    stutter: Float,
    evidence: Float,
    interaction: Float,
    tryon: Float,
) -> Float:
    """Share of the uncertainty about a line that is gone after watching, in [0, 1].

    Evidence accumulates with minutes understood (exponential learning), `evidence` times as fast as with the base
    year's picture; questions answered speed it up; a virtual try-on takes its share of what is left.
    """
    seen = minutes * comprehension * (ONE - stutter) * evidence
    understood = seen * (ONE + param.information_interaction_gain * interaction)
    unknown = exp1(-understood / param.information_learning_minutes)
    return ONE - unknown * (ONE - param.information_tryon * tryon)


@njit(cache=True, error_model="numpy", forceinline=True)
def claims_weight(param: Any, trust: Float, disclosed: Float) -> Float:
    """Weight put on the host's claims: rises with trust; an advertising label lowers it (it has no other effect)."""
    return param.information_claims_weight * trust * (ONE - param.information_disclosure_discount * disclosed)


@njit(cache=True, error_model="numpy", forceinline=True)
def doubt_left(prior_weight: Float, visibility: Float) -> Float:
    """What `visibility` times as many reviews leave of the doubt about a seller's quality, against the base year.

    Normal learning (DeGroot 1970, ch. 9): reviews are `visibility` x n signals of a precision each beside the buyer's
    own prior. Today's have the weight w = n tau / (n tau + tau_0) = `prior_weight` in [0, 1]; the posterior variance is
    then 1 / (1 + w (visibility - 1)) times today's. 1 at a visibility of 1.
    """
    return ONE / (ONE + prior_weight * (visibility - ONE))


@njit(cache=True, error_model="numpy", forceinline=True)
def review_gain(prior_weight: Float, visibility: Float) -> Float:
    """Weight of the seller's reputation in the prior against today's, as in `doubt_left`: the precision of what is
    read, `visibility` times today's, in the posterior precision."""
    return visibility * doubt_left(prior_weight, visibility)


@njit(cache=True, error_model="numpy", forceinline=True)
def expected_quality(
    param: Any,
    quality: Float,
    typical: Float,
    reputation: Float,
    reviewed: Float,
    exaggeration: Float,
    weight: Float,
    known: Float,
) -> Float:
    """Quality expected of a tier: the prior (typical quality shifted by reputation, `reviewed` times as much as in the
    base year: `review_gain`) gives way to what was seen, and a part of the host's exaggeration (in units of quality) is
    believed in proportion to `weight`."""
    prior = typical + param.information_reputation_prior * reviewed * (reputation - param.trust_reputation_centre)
    return prior + known * (quality - prior) + weight * exaggeration


@njit(cache=True, error_model="numpy", forceinline=True)
def perceived_risk(
    param: Any, category_risk: Float, known: Float, trust: Float, guaranteed: Float, certified: Float, traced: Float
) -> Float:
    """Risk that remains: the category's (with the doubt about the seller that reviews leave), less what is known and
    trusted, less what assurances take away."""
    left = category_risk * (ONE - known) * (ONE - trust)
    left = left * (ONE - param.purchase_guarantee * guaranteed)
    return left * (ONE - param.purchase_certified * certified) * (ONE - param.purchase_traced * traced)


@njit(cache=True, error_model="numpy", forceinline=True)
def money_utility(param: Any, price_weight: Float, reference_usd: Float, income_weight: Float) -> Float:
    """Marginal utility of a dollar in a category, utils per USD: category coefficient at its reference price, scaled by
    the person's income weight (falling with income)."""
    return param.purchase_price_scale * price_weight * income_weight / reference_usd


@njit(cache=True, error_model="numpy", forceinline=True)
def price_utility(param: Any, alpha: Float, price_usd: Float, remembered_usd: Float) -> Float:
    """Utility of paying a price: linear in money, and more for the part above the remembered price than below it
    (reference dependence and loss aversion: Tversky and Kahneman 1991)."""
    gap = price_usd - remembered_usd
    weight = param.purchase_loss_aversion if gap > ZERO else param.purchase_gain
    return -alpha * (price_usd + weight * gap)


@njit(cache=True, error_model="numpy", forceinline=True)
def impulse(param: Any, minutes: Float, interaction: Float, discount: Float, category_impulse: Float) -> Float:
    """Passing impulse, utils: arousal builds with lively minutes, scarcity with the depth of a timed discount
    (share). It lowers the threshold to buy and is no part of the true value."""
    arousal = param.purchase_arousal * interaction * (ONE - exp1(-minutes / param.purchase_arousal_minutes))
    scarcity = param.purchase_scarcity * discount / param.purchase_scarcity_depth
    return category_impulse * (arousal + scarcity)


@njit(cache=True, error_model="numpy", forceinline=True)
def buying_value(
    param: Any,
    need: Float,
    interest: Float,
    trust: Float,
    bond: Float,
    proof: Float,
    loyalty: Float,
    risk: Float,
    wait_utility: Float,
    steps: Float,
) -> Float:
    """The part of the value of buying that all tiers of a line share (utils), without the intercept of the channel."""
    return (
        param.purchase_need * need
        + param.purchase_interest * interest
        + param.purchase_trust * trust
        + param.purchase_bond * bond
        + param.purchase_proof * proof
        + param.purchase_loyalty * loyalty
        - param.purchase_risk * risk
        - wait_utility
        - param.purchase_checkout_step * steps
    )


@njit(cache=True, error_model="numpy", forceinline=True)
def tier_utility(param: Any, detail: Float, quality: Float, paid: Float) -> Float:
    """Utility of one tier apart from what all tiers share: expected quality, weighted by the audience's eye for detail,
    plus `paid`, the (negative) utility of its price."""
    return param.purchase_quality * detail * quality + paid


@njit(cache=True, error_model="numpy", forceinline=True)
def tier_weight(utility: Float, best: Float, spread: Float) -> Float:
    """Weight of a tier within the nest "buy" against the best tier, in (0, 1]; `spread` is `param.purchase_tier_spread`
    (logit scale of the nest)."""
    return exp1((utility - best) / spread)


@njit(cache=True, error_model="numpy", forceinline=True)
def nest_utility(shared: Float, best: Float, weights: Float, spread: Float) -> Float:
    """Utility of buying against not buying: what the tiers share plus the nest's inclusive value (nested logit)."""
    return shared + best + spread * log1(weights)


@njit(cache=True, error_model="numpy", forceinline=True)
def expected_surplus(utility: Float, alpha: Float) -> Float:
    """Expected surplus of facing a line, USD: log-sum of buying or not over the marginal utility of a dollar."""
    return log1p_exp(utility) / alpha


@njit(cache=True, error_model="numpy", forceinline=True)
def search_utility(
    param: Any, reputation: Float, familiar: Float, loyalty: Float, paid: Float, wait_utility: Float
) -> Float:
    """Utility of a search result: the seller's reputation, whether it is remembered (0 or 1), loyalty, price, wait."""
    return (
        param.shelf_relevance * reputation
        + param.shelf_remembered * familiar
        + param.purchase_loyalty * loyalty
        + paid
        - wait_utility
    )


@njit(cache=True, error_model="numpy", forceinline=True)
def shelf_knowledge(param: Any, tryon: Float) -> Float:
    """Share of the uncertainty about a line that a product page takes away; a try-on takes its share of the rest."""
    return param.information_shelf + (ONE - param.information_shelf) * param.information_tryon * tryon


@njit(cache=True, error_model="numpy", forceinline=True)
def units_bought(param: Any, u: Float, price_usd: Float, liquid_usd: Float) -> int:
    """Units: one, or two with the chance of a complement, as far as the money goes."""
    return 2 if u < param.purchase_complement and price_usd + price_usd <= liquid_usd else 1


@njit(cache=True, error_model="numpy", forceinline=True)
def grown_bond(param: Any, bond: Float, minutes: Float) -> Float:
    """Bond with a followed host after a stay: each quarter of an hour closes a part of the gap to one."""
    return clip_unit(bond + param.trust_bond_growth * (minutes / QUARTER_HOUR) * (ONE - bond))


@njit(cache=True, error_model="numpy", forceinline=True)
def satisfaction_logit(
    param: Any, surprise: Float, late_days: Float, damaged: Float, counterfeit: Float, noise: Float
) -> Float:
    """Logit of satisfaction: level, realised minus expected quality, and a cliff at the promised day that flattens
    after `late_cap` days; early arrival adds nothing (Olist reviews: flat when early, a cliff when broken)."""
    value = param.experience_level + param.experience_surprise * surprise + param.experience_noise * noise
    if late_days > ZERO:
        days = param.experience_late_cap if late_days > param.experience_late_cap else late_days
        value -= param.experience_late_start + param.experience_late_slope * days
    return value - param.experience_damage * damaged - param.experience_counterfeit * counterfeit


@njit(cache=True, error_model="numpy", forceinline=True)
def return_chance(
    param: Any, category_level: Float, shortfall: Float, regret: Float, late: Float, guaranteed: Float, broken: Float
) -> Float:
    """Chance to send a parcel back: shortfall of quality and fit, regret of the cooled impulse, lateness, defects; the
    trouble of returning holds back, and a guarantee takes that trouble away."""
    return sigmoid(
        param.experience_return_level
        + category_level
        + param.experience_return_surprise * shortfall
        + param.experience_return_regret * regret
        + param.experience_return_late * late
        + param.experience_damage * broken
        - param.experience_return_hassle * (ONE - guaranteed)
    )


@njit(cache=True, error_model="numpy", forceinline=True)
def regret_seconds(param: Any, luck: Float) -> np.int64:
    """Seconds from delivery to the decision to keep, return or dispute: exponential with mean `regret_days`, the least
    committal law of a given mean. `luck` uniform in (0, 1)."""
    return np.int64(exponential(luck, param.experience_regret_days) * DAY)


@njit(cache=True, error_model="numpy", forceinline=True)
def in_return_window(waited: np.int64, window_days: Float) -> bool:
    """Whether goods may still be sent back `waited` seconds after delivery."""
    return bool(waited < np.int64(window_days * DAY))


@njit(cache=True, error_model="numpy", forceinline=True)
def complaint_chance(param: Any, level: Float, satisfaction: Float) -> Float:
    """Chance to complain or to open a dispute (their levels differ) given satisfaction in [0, 1]."""
    return sigmoid(level + param.experience_complain_slope * (HALF - satisfaction))


@njit(cache=True, error_model="numpy", forceinline=True)
def moved_trust(param: Any, trust: Float, satisfaction: Float) -> Float:
    """Trust in [0, 1] after an experience: by prediction error, faster down than up (gain and loss; Slovic 1993)."""
    error = satisfaction - trust
    speed = param.trust_gain if error > ZERO else param.trust_loss
    return clip_unit(trust + speed * error)
