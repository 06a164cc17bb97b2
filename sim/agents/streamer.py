"""Streamers: the columns of everybody who goes live, how they are drawn at build, and one row as a Mesa agent.

A streamer's row is the permanent number that draws are keyed by; rows are never renumbered. Who leaves has `active` 0;
another person may come in the row later, with draws of the next `generation`. Who is `away` comes back.
"""

from __future__ import annotations

from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.agents.view import ColumnAgent
from sim.config.economics import Economics
from sim.config.firms import Firms
from sim.config.geography import LANGUAGES, Geography
from sim.config.graph import Graph
from sim.config.growth import Growth
from sim.config.sources import FirmsSource
from sim.config.supply import Careers
from sim.draws import Draws, Purpose
from sim.kernels.maths import exps, logs
from sim.kernels.supply import ShowRule, claim_regret, claim_size, power_each, show_chance
from sim.kinds import (
    COUNTRIES,
    N_COUNTRIES,
    N_PLATFORMS,
    NO_STREAMER,
    STREAMER_TIERS,
    STREAMER_TYPES,
)
from sim.state.catalogue import LINEUP, Catalogue, open_cells
from sim.state.social import popularity_weights
from sim.state.table import Column, Table

STREAMER_COLUMNS: tuple[Column, ...] = (
    Column("active", np.uint8, "0/1", 0, 1, "careers", "1: in business, 0: left or never came", default=1),
    Column("away", np.uint8, "0/1", 0, 1, "levers", "1: removed for a time; followers stay"),
    Column("generation", np.uint16, "persons", 0, None, "careers", "persons who had this number before"),
    Column("country", np.uint8, "index", 0, N_COUNTRIES - 1, "build", "whose audience the shows are made for"),
    Column("platform", np.uint8, "index", 0, N_PLATFORMS - 1, "careers", "where the shows run"),
    Column("type", np.uint8, "index", 0, 3, "build", "human, expert, koc or virtual, see kinds.STREAMER_TYPES"),
    Column("tier", np.uint8, "index", 0, 2, "adaptation", "head, middle or tail, see kinds.STREAMER_TIERS"),
    Column("category", np.uint8, "index", 0, 7, "build", "main category of the shows"),
    Column("local", np.uint8, "0/1", 0, 1, "build", "1: grew up in the audience's country, 0: speaks from China"),
    Column(
        "language", np.uint8, "index", 0, len(LANGUAGES) - 1, "careers", "spoken on air, the main one first", width=2
    ),
    Column("proficiency", np.float32, "1", 0, 1, "careers", "command of the two languages", width=2),
    Column("skill", np.float32, "1", 0, 1, "careers", "craft of presenting and selling"),
    Column("lively", np.float32, "1", 0, 1, "build", "interaction intensity"),
    Column("certified", np.uint8, "0/1", 0, 1, "build", "1: holds a host certificate"),
    Column("integrity", np.float32, "1", 0, 1, "build", "reluctance to claim more than is true"),
    Column("agency", np.uint16, "index", 0, NO_STREAMER, "agencies", "MCN, 65535 if none", default=NO_STREAMER),
    Column("weekday", np.uint8, "index", 0, 6, "build", "day of the week on which the line-up is revised"),
    Column("base_share", np.float32, "share", 0, 1, "careers", "lasting share of the audience of country and platform"),
    Column("popularity", np.float32, "share", 0, 1, "adaptation", "expected share of that audience"),
    Column("bots", np.float32, "1", 0, None, "agencies", "fake viewers per real one, before detection"),
    Column("traffic", np.float32, "1", 0, None, "agencies", "paid traffic against the usual budget"),
    Column("fatigue", np.float32, "1", 0, 1, "adaptation", "tiredness"),
    Column("disclose_lottery", np.float32, "1", 0, 1, "build", "owes a label where disclosure.coverage is above this"),
    Column("unlabelled", np.uint8, "0/1", 0, 1, "audits", "1: owes an advertising label and hides it"),
    Column(
        "penalty_gap",
        np.float32,
        "share of revenue",
        None,
        None,
        "audits",
        "expected fine for an untrue claim as the host believes it, platform's moderation included, less the law's",
    ),
    Column("slot_habit", np.float32, "1", None, None, "build", "lasting taste for the UTC dayparts", width=6),
    Column("effort", np.float32, "1", 0, None, "careers", "shows against habit", default=1),
    Column("leverage", np.float32, "1", 0, None, "careers", "bargaining for discounts against that at rest", default=1),
    Column("slot_gain", np.float32, "utils", None, None, "careers", "learnt taste for the UTC dayparts", width=6),
    Column("claim_gain", np.float32, "1", 0, None, "careers", "worth of claims against that at rest", default=1),
    Column("claim_loss", np.float32, "quality", None, None, "careers", "later loss by claims beyond that at rest"),
    Column("training", np.float32, "1 a year", None, None, "agencies", "lessons beyond those at rest, gain in skill"),
    Column(
        "pay_grade", np.float32, "1", 0, None, "agencies", "factor on the agency's cut, by the host's grade", default=1
    ),
    Column(
        "lineup", np.uint16, "index", 0, NO_STREAMER, "supply", "lines shown this week", width=4, default=NO_STREAMER
    ),
    Column("lineup_week", np.int32, "week", -1, None, "supply", "week the line-up was chosen in", default=-1),
)

# ordinals of a streamer's attribute draws
_TYPE, _LANGUAGE, _SKILL, _CHARACTER, _CONTRACT, _DISCLOSE, _CATEGORY, _SECOND, _EARLY = range(9)


class StreamerSource(FirmsSource, Protocol):
    """What `build_streamers` needs of a run's configuration."""

    @property
    def graph(self) -> Graph:
        """Popularity on the first day."""

    @property
    def growth(self) -> Growth:
        """How many are in business on the first day."""


def deal_cells(firms: Firms, geography: Geography, availability: Literal["report", "observed"]) -> NDArray[np.int64]:
    """int64[S]: cell (country * P + platform) of every streamer, dealt so that a longer list begins with the shorter.

    Every open cell gets `least_per_cell`; the rest go one by one to the cell that is furthest below its share of
    (adopters x platform habit)^country_exponent. Last come those who may enter later (`Firms.host_rows`).
    """
    shares = geography.platform_shares(availability)
    cells = np.flatnonzero(open_cells(geography, availability).reshape(-1))
    _, streamers, _ = firms.counts(cells.size)
    rows = firms.host_rows(cells.size)
    size = (geography.adopters()[:, None] * shares).reshape(-1)[cells]
    wanted = power_each(size.astype(np.float32), np.float32(firms.streamers.country_exponent)).astype(np.float64)
    least = max(1, round(firms.streamers.least_per_cell * min(firms.scale, 1.0)))
    dealt = list(np.tile(np.arange(cells.size), least))[:streamers]
    have = np.full(cells.size, float(least))
    while len(dealt) < rows:
        poorest = int(np.argmin(have / wanted))
        have[poorest] += 1
        dealt.append(poorest)
    result: NDArray[np.int64] = cells[np.array(dealt, np.int64)].astype(np.int64)
    return result


def draw_persons(
    cfg: StreamerSource,
    draws: Draws,
    who: NDArray[np.integer],
    cells: NDArray[np.integer],
    generation: NDArray[np.integer] | int = 0,
) -> dict[str, NDArray[np.generic]]:
    """What people bring when they become hosts: columns of the numbers `who` (k,), for an audience `cells` (k,).

    Keyed by number and `generation`, how many had the number before. Certificates go by rank among `who`.
    """
    firms, policy = cfg.firms, cfg.firms.streamers
    country, platform = np.divmod(np.asarray(cells, np.int64), N_PLATFORMS)

    def uniform(ordinal: int, word: int = 0) -> NDArray[np.float32]:
        return draws.uniform(Purpose.STREAMER, who, other=generation, ordinal=ordinal, word=word)

    def normal(ordinal: int, word: int = 0) -> NDArray[np.float32]:
        return draws.normal(Purpose.STREAMER, who, other=generation, ordinal=ordinal, word=word)

    kind = (np.cumsum(firms.types_by_country(), axis=1)[country] < uniform(_TYPE)[:, None]).sum(axis=1)
    kind = np.minimum(kind, len(STREAMER_TYPES) - 1)
    local = uniform(_TYPE, 1) < firms.local_by_country()[country]
    means = np.array([policy.skill[name] for name in STREAMER_TYPES])
    moods = np.array([policy.lively[name] for name in STREAMER_TYPES])
    skill = np.clip(means[kind] + policy.skill_spread * normal(_SKILL), 0.05, 0.99)
    language, proficiency = _languages(cfg, draws, country, local, who, generation)
    tastes = firms.platform_tastes() * cfg.economics.by_category("live_interest")
    category = (
        np.cumsum(tastes / tastes.sum(axis=1, keepdims=True), axis=1)[platform] < uniform(_CATEGORY)[:, None]
    ).sum(1)
    about = np.arange(6) + 6 * np.atleast_1d(generation)[:, None]
    return {
        "country": country,
        "platform": platform,
        "type": kind,
        "category": np.minimum(category, tastes.shape[1] - 1),
        "local": local,
        "language": language,
        "proficiency": proficiency,
        "skill": skill,
        "lively": np.clip(moods[kind] + policy.lively_spread * normal(_SKILL, 2), 0.02, 0.99),
        "certified": uniform(_SKILL, 1) < policy.certified * 2.0 * _ranks(skill),
        "integrity": np.clip(policy.integrity + policy.integrity_spread * normal(_CHARACTER), 0.0, 1.0),
        "weekday": (uniform(_CHARACTER, 1) * 7).astype(np.uint8),
        "disclose_lottery": uniform(_DISCLOSE),
        "slot_habit": draws.normal(Purpose.SLOT_HABIT, np.asarray(who)[:, None], other=about),
    }


def early(cells: NDArray[np.integer], share: float, draws: Draws) -> NDArray[np.int64]:
    """Numbers of those among the hosts of the base year, in `cells` (S,), who are in business on the first day.

    `share` of each cell, at least one, by a keyed lottery: a smaller share is a part of a larger one.
    """
    who = np.arange(cells.size)
    order = np.lexsort((who, draws.uniform(Purpose.STREAMER, who, ordinal=_EARLY), cells))
    first, count = np.unique(cells[order], return_index=True, return_counts=True)[1:]
    place = who - np.repeat(first, count)
    wanted = np.maximum(np.ceil(share * count - 1e-9), 1)
    return np.sort(order[place < np.repeat(wanted, count)])


def build_streamers(cfg: StreamerSource, draws: Draws) -> Table:
    """The table of streamers as they are on the first day; drawn by streamer number, independent of the consumers.

    Nothing counts in the rows of those who may enter later, which are the last ones and, where `growth.hosts` lets
    fewer than the base year's be in business, others between them.
    """
    firms = cfg.firms
    every = deal_cells(firms, cfg.geography, cfg.availability)
    count = firms.counts(int(open_cells(cfg.geography, cfg.availability).sum()))[1]
    there = early(every[:count], cfg.growth.hosts.start_share, draws)
    popularity = popularity_weights(there, draws, cfg.graph.popularity).astype(np.float64)
    cells = every[there]
    sums = np.bincount(cells, weights=popularity, minlength=N_COUNTRIES * N_PLATFORMS)
    share = popularity / sums[cells]
    tier = rank_tiers(share, cells // N_PLATFORMS, firms)
    agency, bots, traffic = _contracts(firms, draws, there, tier)
    columns = draw_persons(cfg, draws, np.arange(count), every[:count])
    if every.size > count:
        later = draw_persons(cfg, draws, np.arange(count, every.size), every[count:])
        columns = {name: np.concatenate([values, later[name]]) for name, values in columns.items()}
    present: dict[str, tuple[NDArray[np.generic], int]] = {  # of those in business, and what stands for the others
        "active": (np.ones(there.size, np.uint8), 0),
        "tier": (tier, STREAMER_TIERS.index("tail")),
        "agency": (agency, NO_STREAMER),
        "base_share": (share, 0),
        "popularity": (share, 0),
        "bots": (bots, 0),
        "traffic": (traffic, 0),
    }
    for name, (values, nothing) in present.items():
        column = np.full(every.size, nothing, values.dtype)
        column[there] = values
        columns[name] = column
    return Table(STREAMER_COLUMNS, every.size, "streamers", **columns)


def rank_tiers(
    share: NDArray[np.floating],
    country: NDArray[np.integer],
    firms: Firms,
    active: NDArray[np.integer] | None = None,
) -> NDArray[np.uint8]:
    """uint8[S]: head, middle or tail, by rank of the audience share within the streamer's country; a head in each.

    Where `active` (S,) is 0 nobody is ranked: tail.
    """
    head, middle = firms.streamers.tier_share["head"], firms.streamers.tier_share["middle"]
    tier = np.full(share.size, STREAMER_TIERS.index("tail"), np.uint8)
    ranked = np.arange(share.size) if active is None else np.flatnonzero(active)
    order = ranked[np.lexsort((ranked, -share[ranked], country[ranked]))]
    starts = np.searchsorted(country[order], np.arange(len(COUNTRIES) + 1))
    for land in range(len(COUNTRIES)):
        members = order[starts[land] : starts[land + 1]]
        if members.size:
            heads = max(1, round(head * members.size))
            tier[members[:heads]] = STREAMER_TIERS.index("head")
            tier[members[heads : heads + round(middle * members.size)]] = STREAMER_TIERS.index("middle")
    return tier


def _ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    result: NDArray[np.float64] = (order + 0.5) / values.size
    return result


def _languages(
    cfg: StreamerSource,
    draws: Draws,
    country: NDArray[np.int64],
    local: NDArray[np.bool_],
    who: NDArray[np.integer],
    generation: NDArray[np.integer] | int,
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """uint8[k, 2] and float32[k, 2]. Main language by how many in the country speak it; some add another."""
    policy = cfg.firms.streamers

    def uniform(word: int = 0) -> NDArray[np.float32]:
        return draws.uniform(Purpose.STREAMER, who, other=generation, ordinal=_LANGUAGE, word=word)

    def normal(word: int = 0) -> NDArray[np.float32]:
        return draws.normal(Purpose.STREAMER, who, other=generation, ordinal=_SECOND, word=word)

    shares = cfg.geography.language_shares()
    weights = shares**2  # hosts crowd into the languages that reach most people
    steps = np.cumsum(weights / weights.sum(axis=1, keepdims=True), axis=1)[country]
    first = (steps < uniform()[:, None]).sum(axis=1)
    first = np.minimum(first, shares.shape[1] - 1)
    rest = shares.copy()[country]
    rest[np.arange(first.size), first] = 0.0
    has_other = rest.sum(axis=1) > 0
    others = np.cumsum(rest / np.maximum(rest.sum(axis=1, keepdims=True), 1e-9), axis=1)
    second = (others < uniform(1)[:, None]).sum(axis=1)
    speaks = has_other & (uniform(2) < policy.second_language)
    second = np.where(speaks, np.minimum(second, shares.shape[1] - 1), first)
    mean = np.where(local, policy.local_proficiency, policy.bilingual_proficiency)
    spread = np.where(local, 0.25, 1.0) * policy.proficiency_spread
    command = np.clip(mean + spread * normal(), 0.1, 1.0)
    weaker = np.clip(policy.bilingual_proficiency + policy.proficiency_spread * normal(1), 0.1, 1.0)
    return (
        np.stack([first, second], axis=1).astype(np.uint8),
        np.stack([command, np.where(speaks, weaker, command)], axis=1).astype(np.float32),
    )


def _contracts(
    firms: Firms, draws: Draws, who: NDArray[np.int64], tier: NDArray[np.uint8]
) -> tuple[NDArray[np.uint16], NDArray[np.float32], NDArray[np.float32]]:
    """Agency, fake viewers per real one and paid traffic of the streamers `who`, of each `tier`."""
    agencies = firms.counts(1)[2]
    under = np.array([firms.streamers.agency_share[name] for name in STREAMER_TIERS])[tier]
    signed = draws.uniform(Purpose.STREAMER, who, ordinal=_CONTRACT) < under
    agency = np.where(signed, draws.integers(Purpose.STREAMER, agencies, who, ordinal=_CONTRACT, word=1), NO_STREAMER)
    fakes, buys = promotion_habits(firms, draws)
    of = np.where(signed, agency, 0)
    bots = np.where(signed, fakes[of], 0.0).astype(np.float32)
    return agency.astype(np.uint16), bots, np.where(signed, buys[of], 0.0).astype(np.float32)


def promotion_habits(firms: Firms, draws: Draws) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fake viewers per real one and paid traffic (usual budgets) of the hosts of every agency in the base year."""
    number = np.arange(firms.counts(1)[2])
    fakes = draws.uniform(Purpose.AGENCY, number) < firms.agencies.fake_share
    buys = draws.uniform(Purpose.AGENCY, number, word=1) < firms.agencies.traffic_share
    ratio = firms.agencies.fake_audience / (1.0 - firms.agencies.fake_audience)
    return np.where(fakes, ratio, 0.0), np.where(buys, 1.0, 0.0)


def write_contracts(streamers: Table, catalogue: Catalogue, economics: Economics, cuts: NDArray[np.floating]) -> None:
    """Copies to the catalogue what settlement needs: the agency, its cut, and the host's part of the commission.

    `cuts` float[agencies, 3] is what each agency keeps, by tier (`sim.agents.mcn.agency_cuts`).
    """
    signed = streamers.agency != NO_STREAMER
    of = np.where(signed, streamers.agency, 0)
    catalogue.agency[:] = streamers.agency
    cut = cuts[of, streamers.tier] * streamers.pay_grade
    catalogue.agency_permille[:] = np.where(signed, np.rint(np.minimum(cut, 1.0) * 1000), 0)
    catalogue.host_permille[:] = np.rint(economics.host_parts()[streamers.tier] * 1000)


# -- how hosts decide; floats or arrays; an index is the log of income expected against that at rest -------------------
def hours_worked(index: Any, elasticity: float, largest: float) -> Any:
    """Shows against habit: the supply of hours, (income an hour / outside wage)^elasticity, at most `largest`.

    Income is what all shows bring, so an hour brings less the more are worked: effort = (e^index / effort)^elasticity.
    Elasticity: Angrist, Caldwell and Hall (2021) for drivers, Chen et al. (2019).
    """
    return np.minimum(exps(np.asarray(index) * (elasticity / (1.0 + elasticity))), largest)


def bargaining_power(index: Any, response: float) -> Any:
    """Discounts a host asks for, against those at rest: best response of I g d - c d^2 / 2, income I times the sales g
    that a discount d brings against the trouble c of haggling, in logs and damped by `response` (assumed)."""
    return np.clip(exps(np.asarray(index) * response), 0.25, 4.0)


def threshold(luck: Any, least: float, spread: float) -> Any:
    """Loss (or gain) in logs at which a person acts: what can't be got back once gone (Dixit 1989), different for
    each: `least` plus an exponential with mean `spread`, `luck` uniform. Persons between the thresholds stay put."""
    return least - spread * logs(luck)


def skill_after(skill: Any, rest: Any, practice: Any, lessons: Any, pace: float, power: float, span: float) -> Any:
    """Skill a time `span` (years) later: practice against depreciation, and lessons (gain a year without skill).

    s' = s + pace (rest x practice^power - s) + lessons x span (1 - s); practice is shows against habit, so that a host
    who works as at rest keeps the skill of then. Learning by doing with forgetting (Argote 2013; form assumed).
    """
    level = rest * np.where(np.asarray(practice) > 0, exps(power * logs(practice)), 0.0)
    return np.clip(skill + pace * (level - skill) + lessons * span * (1.0 - skill), 0.02, 0.99)


def worth_of_claims(trust: Any, rest: Any, labelled: Any, felt: float, believed: float) -> Any:
    """What claims bring against what they brought at rest: buyers' weight on them is trust x (1 - loss if labelled).

    `felt` is the loss by a label that buyers have, `believed` the one hosts reckon with in `claim_size`.
    """
    label = (1.0 - felt) / max(1.0 - believed, 1e-6)
    return trust / rest * np.where(labelled, label, 1.0)


class Streamer(ColumnAgent):
    """One streamer; see `STREAMER_COLUMNS`. Methods are the readable form of what `sim.kernels.supply` does for all."""

    @property
    def kind(self) -> str:
        """Name of the type."""
        return STREAMER_TYPES[int(self.type)]

    @property
    def is_signed(self) -> bool:
        """Whether an agency holds a contract."""
        return int(self.agency) != NO_STREAMER

    @property
    def lines(self) -> list[int]:
        """The week's line-up, empty before the first show."""
        return [int(line) for line in self.lineup[:LINEUP] if int(line) != NO_STREAMER]

    def chance_of_show(self, rule: ShowRule, activity: float) -> float:
        """Chance to go on air on a day whose audience is `activity` times an ordinary one."""
        return float(
            show_chance(rule, int(self.tier), np.float32(activity), np.float32(self.fatigue), np.float32(self.effort))
        )

    def hours(self, index: float, careers: Careers) -> float:
        """Shows against habit for an income `index` (log, against that at rest)."""
        return float(hours_worked(index, careers.hours_elasticity, careers.largest_effort))

    def practised(self, rest: float, careers: Careers) -> float:
        """Skill in a week's time, with the effort and lessons of now; `rest`: skill at rest."""
        week = 7.0 / 365.0
        pace = 7.0 / careers.skill_memory_days
        practice = float(self.effort) * float(self.active) * (1.0 - float(self.away))
        args = (float(self.skill), rest, practice, float(self.training), pace, careers.practice_power, week)
        return float(skill_after(*args))

    def is_labelled(self, coverage: float) -> bool:
        """Whether the shows carry a label, given the share of shows in the country that must."""
        return bool(self.disclose_lottery < coverage) and not self.unlabelled

    def exaggeration(self, rule: ShowRule, coverage: float, penalty: float) -> float:
        """Claimed minus true quality, given the share of shows that must be labelled and the law's expected penalty."""
        disclosed = np.float32(self.is_labelled(coverage))
        believed = np.float32(penalty) + np.float32(self.penalty_gap)
        return float(
            claim_size(
                rule, np.float32(self.integrity), disclosed, believed, np.float32(self.claim_gain),
                np.float32(claim_regret(rule, np.float32(self.claim_loss), int(self.certified))),
            )
        )  # fmt: skip
