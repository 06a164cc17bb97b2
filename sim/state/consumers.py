"""The consumers: one column a property, one row a person, each declared once.

Rows are ordered by country, first language and age band, so that friends lie near each other in memory; a person's
identity is the birth number, a column of its own, and every draw is keyed by it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.config.consumer import Consumer as Behaviour
from sim.config.geography import LANGUAGES, Geography
from sim.draws import Draws, Purpose
from sim.kernels.live import N_FOLLOWS, N_MEMORY, N_PLATFORM_SLOTS, N_SPOKEN, NOBODY, People, host_tastes
from sim.kernels.maths import exp_array, log_array
from sim.kinds import ADOPTER, COUNTRIES, N_CATEGORIES, N_COUNTRIES, N_PLATFORMS
from sim.state.rest import Renewal, follows_wanted, purchases
from sim.state.rest import bonds as bonds_at_rest
from sim.state.social import community_order
from sim.state.table import FIXED, Column, Table

BUILD, ATTENTION, SHOPPING, OPINION, DIFFUSION = "build", "attention", "shopping", "opinion", "diffusion"
STRETCH = 1 << 17  # people drawn at a time: what is at hand meanwhile is five times their columns
FAR_PAST = 3000  # days before the first one to which last purchases reach back at the most

DRIVES, MEANS = "drives", "means"  # records: what draws a person; what else a session reads

COLUMNS = (
    Column("birth", np.uint32, "1", 0, None, BUILD, "birth number: who this is, whatever the row"),
    Column("country", np.uint8, "index", 0, N_COUNTRIES - 1, BUILD, "country of residence"),
    Column("third", np.uint8, "index", 0, 2, BUILD, "third of the country's income distribution"),
    Column("adopter", np.uint8, "code", 0, 2, DIFFUSION, "1: visits live rooms at least monthly; 2: not online yet"),
    Column("opening_taste", np.float32, "logit", -10, 10, BUILD, "lasting propensity to open live channels"),
    Column("trust", np.uint16, "1", 0, 1, OPINION, "general trust in live and cross-border shopping", 0, FIXED),
    Column("shared_host", np.uint16, "streamer", 0, None, OPINION, "host whose room a friend shared, 65535 none"),
    Column("proof", np.uint8, "friends", 0, 255, OPINION, "purchases of friends seen lately"),
    # the columns above are read for everybody every day, those below for the few who do something
    Column(
        "interests", np.uint8, "1/255", 0, 255, BUILD, "lasting interest by category", N_CATEGORIES,
        record=DRIVES,
    ),
    Column(
        "need_day", np.uint16, "day", 0, None, SHOPPING, "day of the last purchase by category", N_CATEGORIES,
        record=DRIVES,
    ),
    Column(
        "follows", np.uint16, "streamer", 0, None, ATTENTION, "followed hosts, 65535 empty", N_FOLLOWS,
        record=DRIVES,
    ),
    Column(
        "bonds", np.uint16, "1", 0, 1, ATTENTION, "bond with each of them", N_FOLLOWS, FIXED, record=DRIVES
    ),
    Column(
        "money_weight", np.float32, "1", 0, 1000, BUILD, "marginal utility of money against the mean person",
        record=MEANS,
    ),
    Column(
        "delay_weight", np.float32, "utils/day", 0, 10, BUILD, "sensitivity to a day of waiting, heavy tail",
        record=MEANS,
    ),
    Column("budget_cents", np.int32, "US cent", 0, None, BUILD, "monthly budget for online shopping",
           record=MEANS),
    Column(
        "spent_cents", np.float32, "US cent", 0, None, SHOPPING, "spent and not yet forgotten, as of `spent_day`",
        record=MEANS,
    ),
    Column("spent_day", np.uint16, "day", 0, None, SHOPPING, "day of the last spending", record=MEANS),
    Column(
        "channel_trust", np.uint16, "1", 0, 1, OPINION,
        "trust in the country's platforms, last place: shelf and brand sites", N_PLATFORM_SLOTS + 1, FIXED,
        record=MEANS,
    ),
    Column(
        "memory_seller", np.uint16, "merchant", 0, None, SHOPPING, "sellers remembered, 65535 empty", N_MEMORY,
        record=MEANS,
    ),
    Column("memory_day", np.uint16, "day", 0, None, SHOPPING, "day of the memory", N_MEMORY, record=MEANS),
    Column(
        "memory_kind", np.uint8, "code", 0, 255, SHOPPING, "category, plus 128 if bought there", N_MEMORY,
        record=MEANS,
    ),
    Column(
        "memory_score", np.uint8, "1/255", 0, 255, OPINION, "satisfaction, or how much was learnt", N_MEMORY,
        record=MEANS,
    ),
    Column(
        "habit", np.uint8, "1/255", 0, 255, BUILD, "habit of each of the country's platforms", N_PLATFORM_SLOTS,
        record=MEANS,
    ),
    Column(
        "languages", np.uint8, "index", 0, len(LANGUAGES) - 1, BUILD, "languages known, best first", N_SPOKEN,
        record=MEANS,
    ),
    Column(
        "proficiency", np.uint8, "1/255", 0, 255, BUILD, "proficiency in each, 0 for an empty place", N_SPOKEN,
        record=MEANS,
    ),
    Column("age", np.uint8, "index", 0, 3, BUILD, "age band, see sim.config.geography.AGE_BANDS",
           record=MEANS),
    Column("payment_preference", np.uint8, "index", 0, 5, BUILD, "preferred payment method", record=MEANS),
)  # fmt: skip


def people_of(table: Table) -> People:
    """The columns as the compiled loops take them."""
    return People(**table.records, **{name: table[name] for name in People._fields if name not in table.records})


def behaviour_record(behaviour: Behaviour) -> NDArray[Any]:
    """All scalar parameters of configs/consumer as one record, shape (1,), field `<group>_<name>`, float32."""
    fields: dict[str, float] = {}
    for group, model in behaviour:
        if group in ("tastes", "category", "checkout_steps"):
            continue
        for name, value in model:
            fields[f"{group}_{name}"] = float(value)
    plain = np.dtype([(name, np.float32) for name in fields])
    record = np.zeros(1, dtype=np.dtype((np.record, plain)))  # np.record: fields are attributes in plain Python as well
    for name, value in fields.items():
        record[name] = value
    return record


def country_counts(geography: Geography, consumers: int) -> NDArray[np.int64]:
    """Sampled consumers by country: proportional to adults online, by largest remainder, at least one each.

    Stratified by country, so that the sample's geography does not vary with the seed.
    """
    share = geography.online_adults() / geography.online_adults().sum() * (consumers - N_COUNTRIES)
    counts = np.floor(share).astype(np.int64)
    order = np.argsort(-(share - counts), kind="stable")
    counts[order[: consumers - N_COUNTRIES - int(counts.sum())]] += 1
    return counts + 1


def platform_slots(geography: Geography, availability: str) -> NDArray[np.uint8]:
    """Platforms on offer in each country, most used first, shape (C, 4), 255 for an empty place."""
    shares = geography.platform_shares(availability)  # type: ignore[arg-type]
    slots = np.full((N_COUNTRIES, N_PLATFORM_SLOTS), 255, np.uint8)
    for country in range(N_COUNTRIES):
        ranked = np.argsort(-shares[country], kind="stable")
        offered = [platform for platform in ranked[:N_PLATFORM_SLOTS] if shares[country, platform] > 0]
        slots[country, : len(offered)] = offered
    return slots


class FirstHosts(NamedTuple):
    """All hosts as they are on the first day, (streamers,) each, popularity 0 for who is not there; see the streamer
    table."""

    country: NDArray[np.integer[Any]]
    platform: NDArray[np.integer[Any]]
    category: NDArray[np.integer[Any]]
    popularity: NDArray[np.floating[Any]]


def populate(
    behaviour: Behaviour,
    geography: Geography,
    availability: str,
    consumers: int,
    first_day: int,
    hosts: FirstHosts,
    need_days: NDArray[np.floating[Any]],
    order_usd: NDArray[np.floating[Any]],
    draws: Draws,
    states: Callable[[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint32]], NDArray[np.uint8]],
) -> Table:
    """The population on its first day.

    `states` (countries, age bands, birth numbers) says who is an adopter and who is not online yet.

    `hosts`: from whom initial follows are drawn.
    `need_days`, `order_usd`: (K,) days in which a need comes back, usual value of an order.
    `first_day` counts from 2000-01-01. Attributes are keyed by birth number; a country's people are born in a row.
    """
    country = np.repeat(np.arange(N_COUNTRIES, dtype=np.uint8), country_counts(geography, consumers))
    age = np.empty(consumers, np.uint8)
    languages, proficiency = np.empty((2, consumers, N_SPOKEN), np.uint8)
    age_steps = np.cumsum(geography.age_shares(), axis=1)[:, :-1]
    stretches = [slice(start, start + STRETCH) for start in range(0, consumers, STRETCH)]
    for part in stretches:
        birth = np.arange(consumers, dtype=np.uint32)[part]
        luck = np.asarray(draws.uniform(Purpose.PERSON, birth))
        age[part] = (luck[:, None] >= age_steps[country[part]]).sum(axis=1)
        languages[part], proficiency[part] = _languages(geography, country[part], birth, draws)
    world_income = float(geography.income_usd()[country].mean())
    laws: list[dict[int, Renewal]] = [{} for _ in range(N_CATEGORIES)]
    order = community_order(country, languages[:, 0], age)
    table = Table(COLUMNS, consumers, "consumers")
    for part in stretches:
        who = order[part]
        birth, home, band = who.astype(np.uint32), country[who].astype(np.int64), age[who].astype(np.int64)
        values = _attributes(
            behaviour, geography, availability, first_day, hosts, need_days, order_usd, draws,
            birth, home, states(home, band, birth), world_income, laws,
        )  # fmt: skip
        values |= {
            "birth": birth,
            "country": home,
            "age": band,
            "languages": languages[who],
            "proficiency": proficiency[who],
        }
        for name, value in values.items():
            table[name][part] = table.columns[name].stored(value)
    return table


def _attributes(
    behaviour: Behaviour,
    geography: Geography,
    availability: str,
    first_day: int,
    hosts: FirstHosts,
    need_days: NDArray[np.floating[Any]],
    order_usd: NDArray[np.floating[Any]],
    draws: Draws,
    birth: NDArray[np.uint32],
    country: NDArray[np.int64],
    state: NDArray[np.uint8],
    world_income: float,
    laws: list[dict[int, Renewal]],
) -> dict[str, Any]:
    """What `populate` draws for some people, by column; each by the birth number alone, so it does not matter for whom
    together.

    `birth`, `country`, `state`: of each; `world_income`: mean over all people, USD a year; `laws`: by category, of
    purchases, see `purchases`.
    """
    consumers = birth.size

    def uniform(purpose: Purpose, word: int = 0, ordinal: int = 0) -> NDArray[np.float32]:
        return np.asarray(draws.uniform(purpose, birth, ordinal=ordinal, word=word))

    def normal(purpose: Purpose, word: int = 0) -> NDArray[np.float32]:
        return np.asarray(draws.normal(purpose, birth, word=word))

    adopter = state == ADOPTER
    income_draw = normal(Purpose.INCOME)
    sigma = geography.income_sigma()[country]
    mean_income = geography.income_usd()[country]
    relative = exp_array(sigma * income_draw - 0.5 * sigma**2).astype(np.float64)
    rank = uniform(Purpose.INCOME)
    third = (rank >= 1 / 3).astype(np.uint8) + (rank >= 2 / 3)
    money_weight = exp_array(
        -behaviour.purchase.income_power * log_array(relative)
        - behaviour.purchase.country_income_power * log_array(mean_income / world_income)
    )
    # where living is cheap, more of an income is free for traded goods: the geometric mean of both valuations
    ppp = np.array([geography.gdp_per_head_ppp[name] / geography.gdp_per_head[name] for name in COUNTRIES])
    budget = mean_income * np.sqrt(ppp)[country] * relative / 12 * behaviour.budget.share_of_income * 100

    slots = platform_slots(geography, availability)
    shares = geography.platform_shares(availability)  # type: ignore[arg-type]
    slot_share = np.where(slots == 255, 0.0, np.take_along_axis(shares, np.minimum(slots, N_PLATFORMS - 1), axis=1))
    main = (uniform(Purpose.PLATFORM_HABIT)[:, None] >= np.cumsum(slot_share, axis=1)[country, :-1]).sum(axis=1)
    weak = np.stack([uniform(Purpose.PLATFORM_HABIT, word, 1) for word in range(4)], axis=1)
    habit = (90 * weak).astype(np.uint8)
    habit[np.arange(consumers), main] = (160 + 95 * weak[np.arange(consumers), main]).astype(np.uint8)
    habit[slots[country] == 255] = 0

    interests = np.empty((consumers, N_CATEGORIES), np.uint8)
    need_day = np.empty((consumers, N_CATEGORIES), np.uint16)
    spending = np.zeros(consumers)  # USD a day
    for category in range(N_CATEGORIES):
        taste = np.asarray(draws.normal(Purpose.INTEREST, birth, other=category))
        level = behaviour.category.interest[category] * exp_array(behaviour.category.interest_spread * taste)
        interests[:, category] = (np.minimum(level, 1.0) * 255).astype(np.uint8)
        since, rate = purchases(
            interests[:, category], adopter, behaviour.category.pace[category], need_days[category],
            behaviour.purchase.need, float(np.float32(behaviour.opening.focus_floor)),
            np.asarray(draws.uniform(Purpose.LAST_PURCHASE, birth, other=category)), laws[category],
        )  # fmt: skip
        need_day[:, category] = first_day - np.minimum(since, FAR_PAST).astype(np.int64)
        spending += rate * order_usd[category]

    trust = np.clip(
        behaviour.trust.prior_mean + behaviour.trust.prior_spread * normal(Purpose.TRUST_PRIOR).astype(np.float64), 0, 1
    )
    opening_taste = behaviour.opening.heterogeneity * normal(Purpose.OPENING_TASTE)
    follows, bonds = _follows(
        behaviour, country, birth, adopter, opening_taste, interests, habit, slots, hosts, draws
    )  # fmt: skip
    payment_steps = np.cumsum(geography.payment_shares(), axis=1)[:, :-1]
    payment = (uniform(Purpose.PERSON, 2)[:, None] >= payment_steps[country]).sum(axis=1)

    return {
        "third": third,
        "adopter": state,
        "opening_taste": opening_taste,
        "money_weight": money_weight,
        "delay_weight": behaviour.budget.delay_median * exp_array(behaviour.budget.delay_sigma * normal(Purpose.DELAY)),
        "interests": interests,
        "need_day": need_day,
        "follows": follows,
        "bonds": bonds,
        "trust": trust,
        "channel_trust": np.repeat(trust[:, None], N_PLATFORM_SLOTS + 1, axis=1),
        "habit": habit,
        "payment_preference": payment,
        "budget_cents": np.minimum(budget, 2**31 - 1),
        "spent_cents": np.minimum(100.0 * spending * behaviour.budget.memory_days, budget),
        "spent_day": np.full(consumers, first_day),
        "memory_seller": np.full((consumers, N_MEMORY), NOBODY),
        "shared_host": np.full(consumers, NOBODY),
    }


def _languages(
    geography: Geography, country: NDArray[np.uint8], birth: NDArray[np.uint32], draws: Draws
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Up to three languages a person, each known with its country's share; the best is known fully, others half or
    more."""
    shares = geography.language_shares()
    consumers = birth.size
    languages = np.repeat(geography.first_language()[country][:, None], N_SPOKEN, axis=1)
    proficiency = np.zeros((consumers, N_SPOKEN), np.uint8)
    filled = np.zeros(consumers, np.int64)
    ranked = np.argsort(-shares, axis=1, kind="stable")
    for position in range(int((shares > 0).sum(axis=1).max())):
        language = ranked[country, position]
        known = np.asarray(draws.uniform(Purpose.LANGUAGE, birth, other=language)) < shares[country, language]
        known &= filled < N_SPOKEN
        rows = np.flatnonzero(known)
        level = 128 + 127 * np.asarray(draws.uniform(Purpose.LANGUAGE, birth[rows], other=language[rows], word=1))
        languages[rows, filled[rows]] = language[rows]
        proficiency[rows, filled[rows]] = np.where(filled[rows] == 0, 255, level)
        filled[rows] += 1
    proficiency[filled == 0, 0] = 255
    return languages, proficiency


def _follows(
    behaviour: Behaviour,
    country: NDArray[np.int64],
    birth: NDArray[np.uint32],
    adopter: NDArray[np.bool_],
    taste: NDArray[np.float32],
    interests: NDArray[np.uint8],
    habit: NDArray[np.uint8],
    slots: NDArray[np.uint8],
    hosts: FirstHosts,
    draws: Draws,
) -> tuple[NDArray[np.uint16], NDArray[np.float64]]:
    """Initial follows of adopters: zero to six hosts of their country, and the bonds with them.

    A host is the one of three, met in proportion to popularity, whose room the person would rather enter: by lasting
    taste, interest in its category and habit of its platform (`room_utility`, `platform_utility`).
    """
    consumers = birth.size
    follows = np.full((consumers, N_FOLLOWS), NOBODY, np.uint16)
    bonds = np.zeros((consumers, N_FOLLOWS))
    trust, room = behaviour.trust, behaviour.room
    luck = np.asarray(draws.uniform(Purpose.FOLLOW_START, birth))
    wanted = np.where(adopter, follows_wanted(taste, trust.first_follows, N_FOLLOWS, luck), 0)
    for home in range(N_COUNTRIES):
        local = np.flatnonzero((hosts.country == home) & (hosts.popularity > 0))
        if local.size == 0:
            continue
        steps = np.cumsum(hosts.popularity[local] / hosts.popularity[local].sum())
        here = np.flatnonzero(country == home)
        for slot in range(N_FOLLOWS):
            rows = here[wanted[here] > slot]
            best = np.full(rows.size, -np.inf)
            chosen = np.full(rows.size, NOBODY, np.uint16)
            for word in (0, 2, 3):
                u = np.asarray(draws.uniform(Purpose.FOLLOW_START, birth[rows], ordinal=slot + 1, word=word))
                met = local[np.minimum(np.searchsorted(steps, u), local.size - 1)]
                there = slots[home] == hosts.platform[met][:, None]
                liking = (
                    room.persistent_noise * host_tastes(birth[rows], met.astype(np.uint32), *draws.key)
                    + room.match * interests[rows, hosts.category[met]] / 255.0
                    + behaviour.platform.habit * (habit[rows] * there).sum(axis=1) / 255.0
                )
                chosen = np.where(liking > best, met, chosen).astype(np.uint16)
                best = np.maximum(liking, best)
            fresh = ~(follows[rows] == chosen[:, None]).any(axis=1)
            follows[rows[fresh], slot] = chosen[fresh]
            strength = np.asarray(draws.uniform(Purpose.FOLLOW_START, birth[rows], ordinal=slot + 1, word=1))
            bonds[rows[fresh], slot] = bonds_at_rest(trust.first_bond, trust.bond_lapse, strength[fresh])
    return follows, bonds
