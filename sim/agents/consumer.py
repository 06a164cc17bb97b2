"""The consumer as a Mesa agent: a view on one row whose methods say in plain Python what a person does.

The compiled loops of `sim.kernels.live` and `sim.kernels.opinion` do the same for everybody at once. Formulas and draw
addresses are shared, so both decide alike, one by one and bit by bit (tests/consumer/test_twin.py holds them together);
read here, run there. `engine=agents` runs these methods instead, for small worlds.

    consumer = model.agents_by_type[Consumer].select(where("country", "==", 0))[0]
    consumer.general_trust, consumer.income_third, consumer.followed
    consumer.opens(today, on_air)
    consumer.live_session(scene)

`Today` is what a day puts before everybody, `Scene` what is on air and on sale in one of its dayparts. Attributes named
like a column are stored values (`trust` in 65535ths); properties with names of their own speak in units.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.agents.view import ColumnAgent
from sim.config.geography import AGE_BANDS, LANGUAGES
from sim.draws import Purpose
from sim.kernels import adoption, behaviour, live, maths, opinion
from sim.kernels.live import (
    BOUGHT,
    BYTE,
    BYTE_TOP,
    CENT,
    DAYPART_LENGTH,
    KIND,
    LINEUP,
    MAX_ROOMS,
    MEMORY_DAYS,
    MILLICENTS,
    N_CATEGORIES,
    N_DAYPARTS,
    N_FOLLOWS,
    N_MEMORY,
    N_PLATFORM_SLOTS,
    N_SLOTS,
    N_SPOKEN,
    N_TIERS,
    NEVER,
    NOBODY,
    OF_NOTHING,
    OF_RESULTS,
    OF_ROOMS,
    OF_SEARCH,
    OF_SESSION,
    OF_STAYING_OUT,
    PERMILLE,
    PROOF_CAP,
    SECONDS,
    WORD,
    WORD_TOP,
    Offers,
    Rooms,
    Setting,
)
from sim.kernels.maths import HALF, ONE, ZERO
from sim.kernels.philox import philox, unit
from sim.kinds import (
    ADOPTER,
    BRAND_SITE,
    CATEGORIES,
    COUNTRIES,
    DAY_SECONDS,
    INCOME_THIRDS,
    N_PLATFORMS,
    NO_SHOW,
    NO_STREAMER,
    OFFLINE,
    PAYMENT_METHODS,
    PLATFORMS,
    SHELF,
    Flag,
)

type Float = np.float32
type Whole = int | np.uint32

NO_PLATFORM = 255
EMPTY = int(NOBODY)
DAY = np.float32(DAY_SECONDS)
BOUGHT_MARK = int(BOUGHT)
FRESH_SCORE = 128  # of a purchase not yet judged


def _single(formula: Callable[..., Any]) -> Callable[..., Float]:
    """The formula with a float32 result: called from Python, a compiled function gives its float32 value as a Python
    float, and one double among the arguments would make the next formula another one."""

    def formula_in_single(*arguments: Any) -> Float:
        return np.float32(formula(*(np.float32(value) if isinstance(value, float) else value for value in arguments)))

    return formula_in_single


buying_value = _single(behaviour.buying_value)
claims_weight = _single(behaviour.claims_weight)
clip_unit = _single(behaviour.clip_unit)
complaint_chance = _single(behaviour.complaint_chance)
expected_quality = _single(behaviour.expected_quality)
expected_surplus = _single(behaviour.expected_surplus)
focus_weight = _single(behaviour.focus_weight)
freshness = _single(behaviour.freshness)
grown_bond = _single(behaviour.grown_bond)
impulse = _single(behaviour.impulse)
information = _single(behaviour.information)
left_to_spend = _single(behaviour.left_to_spend)
still_minded = _single(behaviour.still_minded)
money_utility = _single(behaviour.money_utility)
need_level = _single(behaviour.need_level)
nest_utility = _single(behaviour.nest_utility)
opening_chance = _single(behaviour.opening_chance)
perceived_risk = _single(behaviour.perceived_risk)
platform_utility = _single(behaviour.platform_utility)
price_utility = _single(behaviour.price_utility)
return_chance = _single(behaviour.return_chance)
room_utility = _single(behaviour.room_utility)
satisfaction_logit = _single(behaviour.satisfaction_logit)
search_utility = _single(behaviour.search_utility)
searching_chance = _single(behaviour.searching_chance)
shelf_knowledge = _single(behaviour.shelf_knowledge)
stay_log_scale = _single(behaviour.stay_log_scale)
stay_minutes = _single(behaviour.stay_minutes)
tier_utility = _single(behaviour.tier_utility)
tier_weight = _single(behaviour.tier_weight)
units_bought: Callable[..., int] = behaviour.units_bought
fit_of = _single(live.fit_of)
host_taste = _single(live.host_taste)
exp1 = _single(maths.exp1)
gumbel = _single(maths.gumbel)
normal_quantile = _single(maths.normal_quantile)
sigmoid = _single(maths.sigmoid)


@dataclass(frozen=True, slots=True)
class Today:
    """What a day puts before everybody: behavioural parameters, the setting, the date and the run's key for draws."""

    param: Any  # record of configs/consumer, see sim.state.consumers.behaviour_record
    setting: Setting
    day: int  # since 2000-01-01
    key0: np.uint32
    key1: np.uint32

    def chances(self, who: int, purpose: Purpose, other: Whole, tick: int, ordinal: int = 0) -> list[Float]:
        """The four uniform numbers between 0 and 1 of a draw's address."""
        words = philox(
            np.uint32(who), np.uint32(other), np.uint32(tick), np.uint32(purpose * 256 + ordinal), self.key0, self.key1
        )
        return [np.float32(unit(np.uint32(word))) for word in words]


@dataclass(frozen=True, slots=True)
class Scene(Today):
    """What is on air and on sale in one daypart."""

    daypart: int
    rooms: Rooms
    offers: Offers
    show_of_host: NDArray[np.uint16]  # (streamers,) show on air now, NO_SHOW if none
    pool: NDArray[np.uint16]  # (C, P, K, 64) shows in the slots of the recommendation
    shelf: NDArray[np.uint16]  # (C, K, 64) lines in the slots of a search
    line_of_seller: NDArray[np.uint16]  # (merchants, K) a seller's line in a category

    @property
    def tick(self) -> int:
        """Number of the daypart, as draws are keyed."""
        return self.day * 8 + self.daypart

    def noise(self, who: int, purpose: Purpose, other: Whole, ordinal: int = 0) -> Float:
        """Passing part of a choice's noise, standard Gumbel."""
        return gumbel(self.chances(who, purpose, other, self.tick, ordinal)[0])

    def show_of(self, host: int) -> int | None:
        """The show a host has on air now."""
        show = int(self.show_of_host[host]) if host != NO_STREAMER else NO_SHOW
        return None if show == NO_SHOW else show


class Stay(NamedTuple):
    """A visit to a room and the line that held the eye."""

    show: int
    host: int
    language: int  # mainly spoken by the host
    understood_in: int  # language in which the viewer follows best
    category: int
    line: int
    seconds: int
    known: Float  # share of the uncertainty about the line that is gone
    follows: bool  # began to follow the host
    surplus: int  # perceived consumer surplus of the choice that followed, milli-cents


class Decision(NamedTuple):
    """An order as it leaves the consumer; fields as of `sim.kernels.live.ORDER`."""

    second: int
    channel: int
    line: int
    tier: int
    quantity: int
    host: int
    landed_cents: int
    discount_permille: int
    promised_days: Float
    expected_quality: Float
    impulse_gap: Float
    utility: Float
    money_utility: Float
    flags: int


@dataclass(slots=True)
class LiveSession:
    """A live session: platform, what it was about, rooms visited, and the order if there was one."""

    platform: int
    focus: int
    stays: list[Stay] = field(default_factory=list)
    decision: Decision | None = None
    met: set[int] = field(default_factory=set)  # shows in which a seller not in mind was met


@dataclass(slots=True)
class Search:
    """A search on the shelf or a visit to a seller's own site."""

    channel: int
    category: int
    line: int | None = None
    surplus: int = 0
    decision: Decision | None = None


@dataclass(frozen=True, slots=True)
class Weighed:
    """A line weighed against not buying; four tiers."""

    values: list[Float]  # utility of each tier apart from what all share, `NEVER` where it cannot be bought
    quality: list[Float]  # expected
    price_usd: list[Float]
    buying: Float  # utility of the nest "buy" against not buying, `NEVER` where nothing can be bought
    dollar: Float  # marginal utility of a dollar


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a buyer makes of a parcel."""

    satisfaction: Float
    time: int  # second at which the buyer acts on it
    returns: bool
    disputes: bool
    complains: bool
    realised_loss: int  # milli-cents by which realised surplus falls short of the perceived one


class Consumer(ColumnAgent):
    """One person. See `sim.state.consumers.COLUMNS` for what is stored of them."""

    # columns that are written below
    trust: int
    proof: int
    shared_host: int
    spent_cents: float
    spent_day: int

    # what can be seen of a person, in units

    @property
    def country_code(self) -> str:
        """Country of residence, ISO code."""
        return COUNTRIES[self.country]

    @property
    def income_third(self) -> str:
        """Third of the country's incomes: low, middle or high."""
        return INCOME_THIRDS[self.third]

    @property
    def age_band(self) -> str:
        """Age band, in years."""
        return str(AGE_BANDS[self.age])

    @property
    def speaks(self) -> dict[str, float]:
        """Proficiency (0-1) by language, best first."""
        return {
            LANGUAGES[language]: round(int(level) / 255, 2)
            for language, level in zip(self.languages, self.proficiency, strict=True)
            if level
        }

    @property
    def general_trust(self) -> float:
        """Trust in live and cross-border shopping, 0-1."""
        return float(self.real("trust"))

    @property
    def monthly_budget_usd(self) -> float:
        """Budget for online shopping, USD a month."""
        return float(self.budget_cents) / 100

    @property
    def pays_by(self) -> str:
        """Preferred payment method."""
        return PAYMENT_METHODS[self.payment_preference]

    @property
    def likes(self) -> dict[str, float]:
        """Lasting interest (0-1) by category."""
        return {name: round(int(level) / 255, 2) for name, level in zip(CATEGORIES, self.interests, strict=True)}

    @property
    def followed(self) -> list[tuple[int, float]]:
        """Followed streamers with the bond (0-1), strongest first."""
        pairs = [(int(host), float(bond)) for host, bond in zip(self.follows, self.real("bonds"), strict=True)]
        return sorted((pair for pair in pairs if pair[0] != EMPTY), key=lambda pair: -pair[1])

    @property
    def remembers(self) -> list[tuple[int, str, int, bool, float]]:
        """Sellers in mind: merchant, category, day, whether bought there, and satisfaction or share learnt (0-1)."""
        return [
            (
                int(self.memory_seller[place]),
                CATEGORIES[int(self.memory_kind[place]) & KIND],
                int(self.memory_day[place]),
                bool(self.memory_kind[place] >= BOUGHT),
                int(self.memory_score[place]) / 255,
            )
            for place in range(N_MEMORY)
            if self.memory_seller[place] != NOBODY
        ]

    def trust_by_channel(self, setting: Setting) -> dict[str, float]:
        """Trust (0-1) in each platform on offer in the country, and in shelf and brand sites together."""
        levels = self.real("channel_trust")
        found = {PLATFORMS[platform]: float(levels[slot]) for slot, platform in self._platforms(setting)}
        return found | {"shelf": float(levels[N_PLATFORM_SLOTS])}

    def needs(self, today: Today) -> dict[str, float]:
        """Unmet need (0-1) by category."""
        return {name: float(self.need(today, category)) for category, name in enumerate(CATEGORIES)}

    # needs, bonds, money, memory

    def interest(self, category: int) -> Float:
        """Lasting interest in a category, 0-1."""
        return np.float32(self.interests[category]) * BYTE

    def need(self, today: Today, category: int) -> Float:
        """Unmet need in a category, 0-1: nothing on the day of a purchase, restored by time."""
        days = np.float32(today.day - int(self.need_day[category]))
        return need_level(days, today.setting.need_rate[self.country, category])

    def strongest_need(self, today: Today) -> Float:
        """The strongest unmet need, weighted by interest."""
        return max(self.need(today, category) * self.interest(category) for category in range(N_CATEGORIES))

    def bond(self, host: int) -> Float:
        """Bond with a host, 0 where not followed."""
        for followed, stored in zip(self.follows, self.bonds, strict=True):
            if followed == host:
                return np.float32(stored) * WORD
        return ZERO

    def _bonds_with(self, hosts: Callable[[int], bool]) -> Float:
        """Sum of the bonds with the followed hosts that a condition picks, held to [0, 1]."""
        total = ZERO
        for followed, stored in zip(self.follows, self.bonds, strict=True):
            if followed != NOBODY and hosts(int(followed)):
                total += np.float32(stored) * WORD
        return clip_unit(total)

    def _platforms(self, setting: Setting) -> Iterator[tuple[int, int]]:
        """Places and numbers of the platforms on offer in the country."""
        for slot, platform in enumerate(setting.platform_slots[self.country]):
            if platform != NO_PLATFORM:
                yield slot, int(platform)

    def _trust_place(self, setting: Setting, channel: int) -> int | None:
        """Where trust in a channel is kept; None for a platform that is not on offer."""
        if channel >= N_PLATFORMS:
            return N_PLATFORM_SLOTS
        return next((slot for slot, platform in self._platforms(setting) if platform == channel), None)

    def liquid_usd(self, today: Today) -> Float:
        """What can be spent now: the monthly budget less what was spent and not yet forgotten; instalments stretch."""
        days = np.float32(today.day - self.spent_day)
        left = left_to_spend(np.float32(self.budget_cents), self.spent_cents, still_minded(today.param, days))
        return np.float32(left * today.setting.liquidity[self.country])

    def loyalty(self, merchant: int, category: int) -> Float:
        """Satisfaction with the last purchase from a seller in a category, minus one half; 0 where there was none."""
        for place in range(N_MEMORY):
            if self.memory_seller[place] == merchant and self.memory_kind[place] == BOUGHT_MARK | category:
                return np.float32(self.memory_score[place]) * BYTE - HALF
        return ZERO

    def remember(self, merchant: int, kind: int, day: int, score: int) -> bool:
        """Keeps a seller in mind; whether it is new there. `kind` is the category, plus 128 if bought there.

        Three places are for purchases: the same seller and category again, else the oldest gives way. The last is for a
        seller only looked at, who keeps the day of the first look, and is not put there if remembered already.
        """
        same = [
            place
            for place in range(N_MEMORY)
            if self.memory_seller[place] == merchant and int(self.memory_kind[place]) & KIND == kind & KIND
        ]
        if kind >= BOUGHT:
            bought = [place for place in same if self.memory_kind[place] >= BOUGHT]
            place = bought[0] if bought else int(np.argmin(self.memory_day[: N_MEMORY - 1]))
        elif same:
            if self.memory_kind[same[0]] < BOUGHT:
                self.memory_score[same[0]] = max(score, self.memory_score[same[0]])
            return False
        else:
            place = N_MEMORY - 1
        known = bool(self.memory_seller[place] == merchant)
        self.memory_seller[place] = merchant
        self.memory_kind[place] = kind
        self.memory_day[place] = day
        self.memory_score[place] = score
        return not known

    def grow_bond(self, today: Today, host: int, minutes: Float, known: Float, chance: Float) -> bool:
        """A stay strengthens the bond with a followed host; another may be followed in place of the weakest.

        Returns whether the host is new among the followed.
        """
        param = today.param
        for slot in range(N_FOLLOWS):
            if self.follows[slot] == host:
                bond = grown_bond(param, np.float32(self.bonds[slot]) * WORD, minutes)
                self.bonds[slot] = int(bond * WORD_TOP + HALF)
                return False
        empty = np.flatnonzero(self.follows == NOBODY)
        slot = int(empty[-1]) if empty.size else int(np.argmin(self.bonds))
        if chance >= param.trust_follow * known:
            return False
        if empty.size == 0 and np.float32(self.bonds[slot]) * WORD >= param.trust_bond_start:
            return False
        self.follows[slot] = host
        self.bonds[slot] = int(param.trust_bond_start * WORD_TOP + HALF)
        return True

    # the day begins

    def opens(self, today: Today, on_air: NDArray[np.uint8]) -> tuple[int | None, int | None]:
        """Dayparts in which a live channel is opened and a shelf searched today, None where not at all.

        `on_air`: 1 for streamers with a show today. One draw a day decides whether and when.
        """
        setting, param = today.setting, today.param
        goes_live, live_hour, searches, shelf_hour = today.chances(self.birth, Purpose.OPEN, OF_NOTHING, today.day * 8)
        need = self.strongest_need(today)
        live_daypart = shelf_daypart = None
        if self.adopter == ADOPTER:
            subsidies = [setting.subsidy_usd[platform] for _, platform in self._platforms(setting)]
            chance = opening_chance(
                param,
                self.opening_taste,
                need,
                setting.expected[self.country],
                self._bonds_with(lambda host: on_air[host] == 1),
                ZERO if self.shared_host == EMPTY else ONE,
                max([ZERO, *subsidies]),
            )
            if goes_live < chance * setting.activity[self.country]:
                live_daypart = self._daypart(setting, live_hour)
        if self.adopter != OFFLINE and searches < searching_chance(param, need, self.freshest_discovery(today)):
            shelf_daypart = self._daypart(setting, shelf_hour)
        return live_daypart, shelf_daypart

    def freshest_discovery(self, today: Today) -> Float:
        """How fresh the latest thing seen and not bought still is, 0-1."""
        days = [
            int(self.memory_day[place])
            for place in range(N_MEMORY)
            if self.memory_seller[place] != NOBODY and self.memory_kind[place] < BOUGHT
        ]
        return freshness(today.param, np.float32(today.day - max(days))) if days else ZERO

    def _daypart(self, setting: Setting, chance: Float) -> int:
        """Daypart of an opening, by the country's hours."""
        for daypart in range(N_DAYPARTS - 1):
            chance -= setting.availability[self.country, daypart]
            if chance < ZERO:
                return daypart
        return N_DAYPARTS - 1

    def focus(self, today: Today, chance: Float) -> int:
        """Category a session turns to: by its `focus_weight`."""
        floor = today.param.opening_focus_floor
        weights = [
            focus_weight(self.interest(category), self.need(today, category), floor) for category in range(N_CATEGORIES)
        ]
        return _pick(weights, chance)

    # a live session

    def live_session(self, scene: Scene) -> LiveSession | None:
        """Opens a platform and visits up to three rooms; at most one order. None where no platform is on offer.

        What is seen moves bonds, follows and memory at once.
        """
        platform = self.choose_platform(scene)
        if platform is None:
            return None
        about, begin, *_ = scene.chances(self.birth, Purpose.CANDIDATE, OF_SESSION, scene.tick)
        session = LiveSession(platform, self.focus(scene, about))
        second = begin * DAYPART_LENGTH
        for visit in range(MAX_ROOMS):
            visited = [stay.show for stay in session.stays]
            show = self.choose_room(scene, platform, session.focus, visit, visited)
            if show is None:
                break
            stay, minutes, session.decision = self.watch(scene, platform, show, second)
            session.stays.append(stay)
            if session.decision is not None:
                break
            merchant = int(scene.offers.merchant[stay.line])
            if self.remember(merchant, stay.category, scene.day, int(stay.known * BYTE_TOP)):
                session.met.add(show)
            second += minutes * SECONDS
            hops = scene.chances(self.birth, Purpose.WATCH, stay.host, scene.tick)[1] < scene.param.room_hop
            if not hops or second >= DAYPART_LENGTH:
                break
        return session

    def choose_platform(self, scene: Scene) -> int | None:
        """Platform by logit: habit, trust, what is expected there, followed hosts on air there."""
        noise = scene.chances(self.birth, Purpose.PLATFORM, OF_NOTHING, scene.tick)
        best, chosen = NEVER, None
        for slot, platform in self._platforms(scene.setting):

            def is_there(host: int, platform: int = platform) -> bool:
                show = scene.show_of(host)
                return show is not None and scene.rooms.platform[show] == platform

            value = platform_utility(
                scene.param,
                np.float32(self.habit[slot]) * BYTE,
                np.float32(self.channel_trust[slot]) * WORD,
                scene.setting.expected_by_platform[self.country, platform],
                self._bonds_with(is_there),
            ) + gumbel(noise[slot])
            if value > best:
                best, chosen = value, platform
        return chosen

    def candidates(self, scene: Scene, platform: int, focus: int, visit: int = 0) -> list[int]:
        """Shows a person thinks of on a platform: followed ones on air, the one a friend shared, recommended ones."""
        draws = scene.chances(self.birth, Purpose.CANDIDATE, OF_ROOMS, scene.tick, visit)
        slots = [int(chance * N_SLOTS) for chance in draws]
        recommended = scene.pool[self.country, platform, focus, slots]
        found = [scene.show_of(int(host)) for host in (*self.follows, self.shared_host)]
        found += [None if show == NO_SHOW else int(show) for show in recommended]
        here = [show for show in found if show is not None and scene.rooms.platform[show] == platform]
        return list(dict.fromkeys(here))

    def choose_room(
        self, scene: Scene, platform: int, focus: int, visit: int = 0, visited: Sequence[int] = ()
    ) -> int | None:
        """Best of the candidates not yet visited; None when staying out is better."""
        best = scene.param.room_outside + scene.noise(self.birth, Purpose.ROOM, OF_STAYING_OUT, visit)
        chosen = None
        for show in self.candidates(scene, platform, focus, visit):
            if show not in visited:
                value = self.value_of_room(scene, show)
                if value > best:
                    best, chosen = value, show
        return chosen

    def value_of_room(self, scene: Scene, show: int) -> Float:
        """Utility of a room with both parts of its noise: the lasting taste for the host and today's."""
        category, host = int(scene.rooms.category[show]), int(scene.rooms.host[show])
        comprehension, _ = self.understands(scene.rooms, show)
        value = room_utility(
            scene.param,
            scene.rooms.base[show, self.country],
            self.interest(category),
            self.need(scene, category),
            self.bond(host),
            comprehension,
            ONE if self.shared_host == host else ZERO,
            host_taste(np.uint32(self.birth), np.uint32(host), scene.key0, scene.key1),
        )
        return value + scene.noise(self.birth, Purpose.ROOM, host)

    def understands(self, rooms: Rooms, show: int) -> tuple[Float, int]:
        """Best comprehension (0-1) of a show over the languages known, and that language."""
        best, spoken = ZERO, int(self.languages[0])
        for place in range(N_SPOKEN):
            language = int(self.languages[place])
            value = np.float32(self.proficiency[place]) * BYTE * rooms.comprehension[show, language]
            if value > best:
                best, spoken = value, language
        return best, spoken

    def watch(self, scene: Scene, platform: int, show: int, second: Float) -> tuple[Stay, Float, Decision | None]:
        """A stay in a room from `second` of the daypart: minutes, what was learnt, and the order if there is one."""
        param, setting, rooms, offers = scene.param, scene.setting, scene.rooms, scene.offers
        host = int(rooms.host[show])
        length, _, follow, start = scene.chances(self.birth, Purpose.WATCH, host, scene.tick)
        comprehension, language = self.understands(rooms, show)
        bond = self.bond(host)
        stutter = setting.stutter[self.country]
        lively = rooms.lively[show] * setting.interaction[self.country]
        log_scale = stay_log_scale(
            param,
            comprehension,
            stutter,
            rooms.culture[show, self.country],
            rooms.skill[show],
            bond,
            self.interest(int(rooms.category[show])),
            lively,
        )
        minutes = stay_minutes(length, log_scale, param.watching_shape, param.watching_longest)
        line = self.line_that_holds_the_eye(scene, show, minutes, start)
        category = int(offers.category[line])
        evidence = setting.evidence[self.country]
        known = information(param, minutes, comprehension, stutter, evidence, lively, np.float32(offers.tryon[line]))
        trust = np.float32(self.trust) * WORD
        belief = claims_weight(param, clip_unit(trust + bond * (ONE - trust)), rooms.disclosed[show])
        passing = impulse(param, minutes, clip_unit(lively), rooms.discount[show], setting.impulse[category])
        weighed = self.weigh(
            scene,
            line,
            platform,
            param.purchase_intercept,
            known,
            belief=belief,
            exaggeration=rooms.exaggeration[show],
            discount=rooms.discount[show],
            subsidy=setting.subsidy_usd[platform],
            bond=bond,
            passing=passing,
        )
        stay = Stay(
            show,
            host,
            int(rooms.language[show]),
            language,
            category,
            line,
            int(minutes * SECONDS),
            known,
            self.grow_bond(scene, host, minutes, known, follow),
            _surplus(weighed),
        )
        draws = scene.chances(self.birth, Purpose.BUY, host, scene.tick)
        decision = self.decide(scene, weighed, draws, second + minutes * SECONDS, platform, line)
        if decision is not None:
            labelled = Flag.DISCLOSED if rooms.disclosed[show] > ZERO else 0
            decision = decision._replace(
                host=host,
                discount_permille=int(rooms.discount[show] * PERMILLE + HALF),
                impulse_gap=passing,
                flags=decision.flags | int(labelled),
            )
        return stay, minutes, decision

    def line_that_holds_the_eye(self, scene: Scene, show: int, minutes: Float, start: Float) -> int:
        """Of the lines shown while the viewer was there, the one that meets the strongest need times interest.

        `start` is a uniform draw: which line was shown first.
        """
        lineup = scene.rooms.lineup[show]
        first = int(start * np.float32(LINEUP))
        count = min(1 + int(minutes / scene.param.watching_minutes_per_line), LINEUP)
        shown = [int(lineup[(first + step) % LINEUP]) for step in range(count)]

        def pull(line: int) -> Float:
            category = int(scene.offers.category[line])
            return self.interest(category) * self.need(scene, category)

        return max(shown, key=pull)

    # weighing and buying

    def weigh(
        self,
        scene: Scene,
        line: int,
        channel: int,
        intercept: Float,
        known: Float,
        belief: Float = ZERO,
        exaggeration: Float = ZERO,
        discount: Float = ZERO,
        subsidy: Float = ZERO,
        bond: Float = ZERO,
        passing: Float = ZERO,
    ) -> Weighed:
        """Weighs the tiers of a line, and buying at all, against not buying (nested logit).

        `known` is the share of uncertainty gone, `belief` the weight on the host's `exaggeration`, `discount` a share,
        `subsidy` USD, `passing` the impulse in utils; of the last six only the discount is there outside live rooms.
        """
        param, setting, offers = scene.param, scene.setting, scene.offers
        country, category, merchant = self.country, int(offers.category[line]), int(offers.merchant[line])
        place = self._trust_place(setting, channel)
        in_channel = np.float32(self.channel_trust[-1 if place is None else place]) * WORD
        trust = HALF * (np.float32(self.trust) * WORD + in_channel)
        dollar = self._dollar(scene, category)
        risk = perceived_risk(
            param,
            setting.risk[category] * setting.doubt[channel],
            known,
            trust,
            np.float32(offers.guaranteed[channel, line]),
            np.float32(offers.certified[line]),
            np.float32(offers.traced[line]),
        )
        common = intercept + buying_value(
            param,
            self.need(scene, category),
            self.interest(category),
            trust,
            bond,
            min(np.float32(self.proof), PROOF_CAP),
            self.loyalty(merchant, category),
            risk,
            np.float32(self.delay_weight) * offers.promised_days[line, country],
            setting.steps[channel],
        )
        fit = fit_of(np.uint32(self.birth), np.uint32(line), scene.key0, scene.key1) * setting.fit_spread[category]
        liquid = self.liquid_usd(scene)
        landed = [np.float32(cents) * CENT for cents in offers.landed_cents[line, country]]
        off = ONE - discount * offers.discounted_share[line, country]
        fee = setting.service_fee[channel] * (ONE - discount)
        values, qualities, prices = [], [], []
        for tier in range(N_TIERS):
            service = fee * (np.float32(offers.price_cents[line, country, tier]) * CENT) if fee > ZERO else ZERO
            price = max(landed[tier] * off + service - subsidy, ZERO)
            quality = (
                expected_quality(
                    param,
                    offers.quality[line, tier],
                    offers.typical[category, tier],
                    offers.reputation[merchant],
                    setting.reviewed[channel],
                    exaggeration,
                    belief,
                    known,
                )
                + known * fit
            )
            value = NEVER
            if landed[tier] > ZERO and price <= liquid:
                usual = offers.remembered_usd[line, country] / landed[0] * landed[tier]
                paid = price_utility(param, dollar, price, usual)
                value = tier_utility(param, setting.detail[country], quality, paid)
            values.append(value)
            qualities.append(quality)
            prices.append(price)
        top = max(values)
        if top <= NEVER:
            return Weighed(values, qualities, prices, NEVER, dollar)
        total = ZERO
        for chance in self._tier_weights(param, values):
            total += chance
        buying = nest_utility(common + passing, top, total, param.purchase_tier_spread)
        return Weighed(values, qualities, prices, buying, dollar)

    def _dollar(self, scene: Scene, category: int) -> Float:
        """Marginal utility of a dollar spent in a category."""
        return money_utility(
            scene.param,
            scene.setting.price_weight[category],
            scene.offers.reference_usd[category],
            np.float32(self.money_weight) * scene.setting.price_taste[self.country],
        )

    @staticmethod
    def _tier_weights(param: Any, values: Sequence[Float]) -> list[Float]:
        """Weights of the tiers within the nest "buy", nothing where a tier cannot be bought."""
        top = max(values)
        spread = param.purchase_tier_spread
        return [tier_weight(value, top, spread) if value > NEVER else ZERO for value in values]

    def decide(
        self, scene: Scene, weighed: Weighed, draws: Sequence[Float], second: Float, channel: int, line: int
    ) -> Decision | None:
        """Buys or not, then which tier and how many units. `draws`: one uniform number for each of the three."""
        if weighed.buying <= NEVER or draws[0] >= sigmoid(weighed.buying):
            return None
        weights = self._tier_weights(scene.param, weighed.values)
        sold = [tier for tier in range(N_TIERS) if weighed.values[tier] > NEVER]
        tier = sold[_pick([weights[tier] for tier in sold], draws[1])]
        return Decision(
            second=int(min(second, DAYPART_LENGTH - ONE)),
            channel=channel,
            line=line,
            tier=tier,
            quantity=units_bought(scene.param, draws[2], weighed.price_usd[tier], self.liquid_usd(scene)),
            host=NO_STREAMER,
            landed_cents=int(scene.offers.landed_cents[line, self.country, tier]),
            discount_permille=int(scene.setting.page_discount[channel] * PERMILLE + HALF),
            promised_days=scene.offers.promised_days[line, self.country],
            expected_quality=weighed.quality[tier],
            impulse_gap=ZERO,
            utility=weighed.buying,
            money_utility=weighed.dollar,
            flags=_offer_flags(scene.offers, channel, line),
        )

    # a search

    def shelf_session(self, scene: Scene) -> Search:
        """Searches a category: four results and the remembered seller; at most one order.

        A remembered seller with a site of its own may be visited there instead.
        """
        param, offers = scene.param, scene.offers
        about, when, where, _ = scene.chances(self.birth, Purpose.SHELF_CANDIDATE, OF_SEARCH, scene.tick)
        category = self.focus(scene, about)
        familiar = self.familiar_line(scene, category)
        line = self.choose_line(scene, category, familiar)
        search = Search(SHELF, category, line)
        if line is None:
            return search
        if line == familiar and offers.own_site[offers.merchant[line]] == 1 and where < param.shelf_brand_site_share:
            search.channel = BRAND_SITE
        known = shelf_knowledge(param, np.float32(offers.tryon[line]))
        discount = scene.setting.page_discount[search.channel]
        weighed = self.weigh(scene, line, search.channel, param.purchase_shelf_intercept, known, discount=discount)
        search.surplus = _surplus(weighed)
        draws = scene.chances(self.birth, Purpose.SHELF_BUY, OF_NOTHING, scene.tick)
        search.decision = self.decide(scene, weighed, draws, when * DAYPART_LENGTH, search.channel, line)
        return search

    def familiar_line(self, scene: Scene, category: int) -> int | None:
        """A line of a seller met in this category within 90 days; of several the one kept last in memory."""
        found = None
        for place in range(N_MEMORY):
            seller = int(self.memory_seller[place])
            recent = scene.day - int(self.memory_day[place]) <= MEMORY_DAYS
            if seller != EMPTY and int(self.memory_kind[place]) & KIND == category and recent:
                line = int(scene.line_of_seller[seller, category])
                found = found if line == EMPTY else line
        return found

    def choose_line(self, scene: Scene, category: int, familiar: int | None) -> int | None:
        """Best of four results of the search and the familiar line, None where nothing is sold."""
        param, offers, country = scene.param, scene.offers, self.country
        draws = scene.chances(self.birth, Purpose.SHELF_CANDIDATE, OF_RESULTS, scene.tick)
        results = [int(scene.shelf[country, category, int(chance * N_SLOTS)]) for chance in draws]
        lines = [line for line in results if line != EMPTY] + ([] if familiar is None else [familiar])
        dollar = self._dollar(scene, category)
        best, chosen = NEVER, None
        for line in dict.fromkeys(lines):
            if offers.landed_cents[line, country, 0] <= 0:
                continue
            merchant = int(offers.merchant[line])
            off = ONE - scene.setting.page_discount[SHELF] * offers.discounted_share[line, country]
            price = np.float32(offers.landed_cents[line, country, 0]) * CENT * off
            value = search_utility(
                param,
                offers.reputation[merchant],
                ONE if line == familiar else ZERO,
                self.loyalty(merchant, category),
                price_utility(param, dollar, price, offers.remembered_usd[line, country]),
                np.float32(self.delay_weight) * offers.promised_days[line, country],
            ) + scene.noise(self.birth, Purpose.SHELF_NOISE, line)
            if value > best:
                best, chosen = value, line
        return chosen

    # what follows from an order

    def buys(self, today: Today, order: Any) -> tuple[int | None, int | None]:
        """What placing an order does to its buyer: the need is filled, money is spent, the seller is remembered.

        `order` is one record of the order book; its flag for a repeated purchase is set. Returns the day of the last
        purchase from this seller if within 90 days, and the day the buyer met the seller if nothing was bought there
        since. A buyer who remembers nothing of the seller meets it today.
        """
        merchant, category = int(order["merchant"]), int(order["category"])
        parts = ("goods_cents", "freight_cents", "duty_cents", "vat_cents", "service_cents")
        paid = sum(int(order[part]) for part in parts) - int(order["subsidy_cents"])
        age = np.float32(today.day - self.spent_day)
        kept = exp1(-age / today.param.budget_memory_days)
        self.spent_cents = float(np.float32(self.spent_cents) * kept + np.float32(paid))
        self.spent_day = today.day
        self.need_day[category] = today.day
        earlier, met = self.acquaintance(merchant, today.day)
        if earlier is not None:
            order["flags"] |= Flag.REPEAT
        self.remember(merchant, BOUGHT_MARK | category, today.day, FRESH_SCORE)
        return earlier, met

    def acquaintance(self, merchant: int, day: int) -> tuple[int | None, int | None]:
        """Day of the last purchase from a seller if within 90 days, and day of meeting it if never bought since."""
        met: int | None = day
        for place in range(N_MEMORY):
            if self.memory_seller[place] == merchant:
                when = int(self.memory_day[place])
                if self.memory_kind[place] >= BOUGHT:
                    return (when if day - when <= opinion.REPEAT_DAYS else None), None
                met = when if met is None else min(met, when)
        return None, met

    def shares_room(self, today: Today, order: Any) -> bool:
        """Whether a live buyer shares the room with friends."""
        lottery, *_ = today.chances(self.birth, Purpose.SHARE, int(order["streamer"]), int(order["tick"]))
        return bool(lottery < today.param.word_of_mouth_share_room)

    def hears_of(self, host: int, shared: bool) -> None:
        """A friend bought in a live room, and may have shared it; of several shared rooms the lowest number stands."""
        self.proof = min(self.proof + 1, int(opinion.PROOF_TOP))
        if shared:
            self.shared_host = min(self.shared_host, host)

    def fades(self, today: Today, proof_after: NDArray[np.uint8]) -> None:
        """The evening: friends' purchases are forgotten; on the person's weekday trust returns towards its prior, bonds
        weaken, hosts who mean too little are followed no more, and the shared room is forgotten. `proof_after` (256,):
        what is left of each count."""
        param = today.param
        self.proof = int(proof_after[self.proof])
        if self.birth % 7 != today.day % 7:
            return
        self.shared_host = EMPTY
        lottery, *_ = today.chances(self.birth, Purpose.TRUST_PRIOR, OF_NOTHING, 0)
        prior = clip_unit(param.trust_prior_mean + param.trust_prior_spread * normal_quantile(lottery))

        def returned(stored: np.uint16) -> int:
            return int(opinion.nudged(stored, param.trust_reversion * (prior - np.float32(stored) * WORD)))

        self.trust = returned(np.uint16(self.trust))
        for place in range(N_PLATFORM_SLOTS + 1):
            self.channel_trust[place] = returned(self.channel_trust[place])
        for slot in range(N_FOLLOWS):
            if self.follows[slot] != NOBODY:
                bond = np.float32(self.bonds[slot]) * WORD
                self.bonds[slot] = opinion.nudged(self.bonds[slot], -param.trust_bond_decay * bond)
                if np.float32(self.bonds[slot]) * WORD < param.trust_bond_lapse:
                    self.follows[slot], self.bonds[slot] = NOBODY, 0

    def hears_of_breach(self, today: Today, platform: int) -> bool:
        """Data of a platform's users got out today: whether this person's did, which costs the platform trust."""
        place = self._trust_place(today.setting, platform)
        if self.adopter != ADOPTER or place is None:
            return False
        lottery, *_ = today.chances(self.birth, Purpose.BREACH_REACH, platform, today.day * 8)
        if lottery >= today.param.trust_breach_reach:
            return False
        self.channel_trust[place] = opinion.betrayed(today.param, self.channel_trust[place])
        return True

    def turns(
        self, today: Today, rule: Any, ease: NDArray[np.float32], visited: int, friends: Sequence[Consumer]
    ) -> bool:
        """Whether live shopping is taken up, or given up, this evening: once a week, on the person's weekday.

        `rule`: record of configs/growth, see sim.day.diffusion.adoption_record; `ease` (C, ages); `visited`: day of the
        last live session.
        """
        if self.birth % 7 != today.day % 7 or self.adopter == OFFLINE:
            return False
        luck, *_ = today.chances(self.birth, Purpose.TAKE_UP, OF_NOTHING, today.day * 8)
        if self.adopter == ADOPTER:
            idle = np.float32(today.day - visited)
            return bool(luck < adoption.give_up_chance(rule, np.float32(self.trust) * WORD, idle))
        users = sum(friend.adopter == ADOPTER for friend in friends)
        share = np.float32(users) / np.float32(max(len(friends), 1))
        shared = ZERO if self.shared_host == EMPTY else ONE
        chance = adoption.take_up_chance(rule, ease[self.country, self.age], self.strongest_need(today), share, shared)
        return bool(luck < chance)

    # experience

    def judge(
        self,
        today: Today,
        offers: Offers,
        authenticity: NDArray[np.float32],
        return_level: NDArray[np.float32],
        order: Any,
    ) -> Verdict:
        """Unpacks a parcel: satisfaction, keep or return, dispute, complain; trust, bond and memory follow.

        `order` is one record of the order book; its satisfaction and flags are set. `authenticity` (merchants,) is the
        share of genuine units, `return_level` (K,) the categories' logits of returning.
        """
        param, setting = today.param, today.setting
        line, merchant, category = int(order["line"]), int(order["merchant"]), int(order["category"])
        address = line, int(order["tick"]), int(order["ordinal"])
        mood, sends_back, goes_to_court, speaks_up = today.chances(self.birth, Purpose.JUDGE, *address)
        genuine, luck, thinking, _ = today.chances(self.birth, Purpose.JUDGE_GOODS, *address)
        flags = int(order["flags"])
        traced = ONE if flags & Flag.TRACED else ZERO
        guaranteed = ONE if flags & Flag.GUARANTEED else ZERO
        broken = ONE if flags & (Flag.DAMAGED | Flag.SPOILED) else ZERO
        fake = (ONE - authenticity[merchant]) * (ONE - param.experience_traced_screen * traced)
        counterfeit = ONE if genuine < fake else ZERO
        quality = (
            offers.quality[line, order["tier"]]
            + param.experience_quality_spread * normal_quantile(luck)
            - param.experience_counterfeit_quality * counterfeit
            + fit_of(np.uint32(self.birth), np.uint32(line), today.key0, today.key1) * setting.fit_spread[category]
        )
        expected = np.float32(order["expected_quality"])
        impulse_gap = np.float32(order["impulse_gap"])
        surprise = quality - expected
        late_days = np.float32(int(order["delivered"]) - int(order["promised"])) / DAY
        is_late = late_days > ZERO
        satisfaction = sigmoid(
            satisfaction_logit(param, surprise, late_days, broken, counterfeit, normal_quantile(mood))
        )
        chance = return_chance(
            param,
            return_level[category],
            max(-surprise, ZERO),
            impulse_gap,
            ONE if is_late else ZERO,
            guaranteed,
            max(broken, counterfeit),
        )
        waited = behaviour.regret_seconds(param, thinking)
        in_time = behaviour.in_return_window(waited, setting.return_window[self.country])
        returns = bool(sends_back < chance) and in_time
        dispute = complaint_chance(param, param.experience_dispute_level, satisfaction)
        complaint = complaint_chance(param, param.experience_complain_level, satisfaction)
        disputes = not returns and bool(goes_to_court < dispute)
        complains = bool(speaks_up < complaint)
        if returns:
            hassle = param.experience_hassle_cost * (ONE - guaranteed)
            loss = int(opinion.lost_surplus(order["utility"], order["money_utility"])) + int(hassle * MILLICENTS)
        else:
            gap = (
                param.experience_impulse_passed * impulse_gap
                + param.purchase_quality * setting.detail[self.country] * (expected - quality)
                + param.experience_damage * broken
                + np.float32(self.delay_weight) * max(late_days, ZERO)
            )
            loss = int(gap / np.float32(order["money_utility"]) * MILLICENTS)
        flags |= Flag.LATE if is_late else 0
        flags |= Flag.COUNTERFEIT if counterfeit else 0
        flags |= Flag.DISPUTED if disputes else 0
        flags |= Flag.COMPLAINED if complains else 0
        order["flags"], order["satisfaction"] = int(flags), satisfaction
        self.learn_from(today, satisfaction, int(order["channel"]), int(order["streamer"]), merchant, category)
        return Verdict(satisfaction, int(order["delivered"]) + int(waited), returns, disputes, complains, loss)

    def learn_from(
        self, today: Today, satisfaction: Float, channel: int, host: int, merchant: int, category: int
    ) -> None:
        """Moves general and channel trust, the bond with the host and the memory of the seller by an experience."""
        param = today.param
        self.trust = int(opinion.experienced(param, np.uint16(self.trust), satisfaction))
        place = self._trust_place(today.setting, channel)
        if place is not None:
            self.channel_trust[place] = opinion.experienced(param, self.channel_trust[place], satisfaction)
        speed = param.trust_gain if satisfaction > HALF else param.trust_loss
        for slot in range(N_FOLLOWS):
            if host != NO_STREAMER and self.follows[slot] == host:
                self.bonds[slot] = opinion.nudged(self.bonds[slot], speed * (satisfaction - HALF))
        for slot in range(N_MEMORY):
            if self.memory_seller[slot] == merchant and self.memory_kind[slot] == BOUGHT_MARK | category:
                self.memory_score[slot] = int(satisfaction * BYTE_TOP)


def _pick(weights: Sequence[Float], chance: Float) -> int:
    """Index drawn in proportion to weights by one uniform number; the last one takes what rounding leaves."""
    total = ZERO
    for weight in weights:
        total += weight
    target = chance * total
    for index, weight in enumerate(weights):
        target -= weight
        if target < ZERO:
            return index
    return len(weights) - 1


def _surplus(weighed: Weighed) -> int:
    """Perceived consumer surplus of a choice, milli-cents: the logsum in dollars."""
    return 0 if weighed.buying <= NEVER else int(expected_surplus(weighed.buying, weighed.dollar) * MILLICENTS)


def _offer_flags(offers: Offers, channel: int, line: int) -> int:
    """What is known of an offer at the decision: guaranteed, tried on, traced."""
    flags = Flag.GUARANTEED if offers.guaranteed[channel, line] == 1 else Flag(0)
    flags |= Flag.TRIED_ON if offers.tryon[line] == 1 else Flag(0)
    flags |= Flag.TRACED if offers.traced[line] == 1 else Flag(0)
    return int(flags)
