"""The consumer's day as a Mesa user would write it: one Python object a person, plain attributes, Python floats.

The same rules, parameters and market as the compiled loops, so that `consumer_day.py` compares two ways of running one
model. Draws come from `model.random`, so single decisions differ and totals agree. Nothing is slower than it need be:
no views on arrays, no numpy inside a decision, lists of who does what in a daypart rather than a scan over everybody.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import mesa
import numpy as np

from sim.kinds import DAYPARTS, N_CATEGORIES, N_COUNTRIES, N_PLATFORMS, N_TIERS
from sim.state.social import SocialGraph
from tests.consumer.market import SyntheticMarket

SHELF, BRAND_SITE = N_PLATFORMS, N_PLATFORMS + 1
SESSION_LENGTH = 14_400.0
EMPTY = 0xFFFF
MAX_FOLLOWS, MAX_PURCHASES, MAX_ROOMS = 6, 3, 3
MEMORY_DAYS = 90
NEVER = -math.inf


class Merchant:
    def __init__(self, reputation: float, own_site: bool) -> None:
        self.reputation = reputation
        self.own_site = own_site
        self.line_in: dict[int, Line] = {}


class Line:
    def __init__(self, number: int, category: int, merchant: Merchant, quality: list[float]) -> None:
        self.number = number
        self.category = category
        self.merchant = merchant
        self.quality = quality
        self.price_usd: list[list[float]] = []  # landed, by country and tier
        self.listed_usd: list[list[float]] = []  # of the goods
        self.discounted_share: list[float] = []
        self.remembered_usd: list[float] = []
        self.promised_days: list[float] = []
        self.guaranteed: list[bool] = []  # by channel
        self.certified = self.traced = self.tryon = False


class Streamer:
    def __init__(self, number: int) -> None:
        self.number = number
        self.show: list[Show | None] = [None] * DAYPARTS  # on air by daypart
        self.on_air_today = False
        self.viewers = 0
        self.seconds = 0


class Show:
    def __init__(self, host: Streamer, platform: int, category: int, lineup: list[Line], **traits: Any) -> None:
        self.host = host
        self.platform = platform
        self.category = category
        self.lineup = lineup
        self.discount: float = traits["discount"]
        self.exaggeration: float = traits["exaggeration"]
        self.disclosed: bool = traits["disclosed"]
        self.skill: float = traits["skill"]
        self.lively: float = traits["lively"]
        self.base: list[float] = traits["base"]
        self.culture: list[float] = traits["culture"]
        self.comprehension: list[float] = traits["comprehension"]


@dataclass
class Memory:
    merchant: Merchant
    category: int
    day: int
    score: float


@dataclass
class Order:
    consumer: Consumer
    channel: int
    line: Line
    tier: int
    quantity: int
    expected_quality: float
    impulse: float


class Consumer(mesa.Agent):
    def __init__(self, model: Market, person: SimpleNamespace) -> None:
        super().__init__(model)
        self.country: int = person.country
        self.languages: list[tuple[int, float]] = person.languages
        self.adopter: bool = person.adopter
        self.opening_taste: float = person.opening_taste
        self.money_weight: float = person.money_weight
        self.delay_weight: float = person.delay_weight
        self.interests: list[float] = person.interests
        self.last_bought: list[int] = person.last_bought
        self.follows: list[list[Any]] = person.follows  # streamer, bond
        self.trust: float = person.trust
        self.trust_prior: float = person.trust
        self.channel_trust: list[float] = person.channel_trust
        self.habit: list[float] = person.habit
        self.budget: float = person.budget
        self.spent: float = person.spent
        self.spent_day: int = person.spent_day
        self.weekday: int = person.weekday
        self.purchases: list[Memory] = []
        self.noticed: Memory | None = None
        self.shared_room: Streamer | None = None
        self.friends: list[Consumer] = []
        self.friends_bought = 0
        self.tastes: dict[Streamer, float] = {}
        self.fits: dict[Line, float] = {}

    # needs, money, memory

    def need(self, category: int) -> float:
        days = self.model.day - self.last_bought[category]
        level = days * self.model.need_rate[self.country][category]
        return 1.0 if level > 1.0 else level

    def liquid(self) -> float:
        age = self.model.day - self.spent_day
        spent = self.spent * math.exp(-age / self.model.p.budget_memory_days)
        return (self.budget - spent) * self.model.liquidity[self.country]

    def bond(self, host: Streamer) -> float:
        for followed, bond in self.follows:
            if followed is host:
                return bond
        return 0.0

    def loyalty(self, merchant: Merchant, category: int) -> float:
        for memory in self.purchases:
            if memory.merchant is merchant and memory.category == category:
                return memory.score - 0.5
        return 0.0

    def remember_purchase(self, merchant: Merchant, category: int) -> None:
        for memory in self.purchases:
            if memory.merchant is merchant and memory.category == category:
                memory.day, memory.score = self.model.day, 0.5
                return
        if len(self.purchases) >= MAX_PURCHASES:
            self.purchases.remove(min(self.purchases, key=lambda memory: memory.day))
        self.purchases.append(Memory(merchant, category, self.model.day, 0.5))

    def notice(self, merchant: Merchant, category: int, known: float) -> None:
        for memory in self.purchases:
            if memory.merchant is merchant and memory.category == category:
                return
        seen = self.noticed
        if seen is not None and seen.merchant is merchant and seen.category == category:
            seen.score = max(seen.score, known)
        else:
            self.noticed = Memory(merchant, category, self.model.day, known)

    def gumbel(self) -> float:
        return -math.log(-math.log(self.random.random()))

    # the day

    def plan_day(self) -> None:
        model, p, random = self.model, self.model.p, self.random.random
        country = self.country
        need = max(self.need(category) * interest for category, interest in enumerate(self.interests))
        if self.adopter:
            bond = min(sum(bond for host, bond in self.follows if host.on_air_today), 1.0)
            logit = (
                p.opening_intercept
                + self.opening_taste
                + p.opening_need * need
                + p.opening_expected_value * model.expected[country]
                + p.opening_notification * bond
                + p.opening_shared_link * (self.shared_room is not None)
                + p.opening_subsidy * model.best_subsidy[country]
            )
            if random() < model.activity[country] / (1.0 + math.exp(-logit)):
                model.viewers[self.daypart()].append(self)
        fresh = 0.0
        if self.noticed is not None:
            fresh = math.exp(-(model.day - self.noticed.day) / p.trust_discovery_days)
        logit = p.shelf_intercept + p.shelf_need * need + p.shelf_awareness * fresh
        if random() < 1.0 / (1.0 + math.exp(-logit)):
            model.searchers[self.daypart()].append(self)

    def daypart(self) -> int:
        return self.pick(self.model.availability[self.country])

    def pick(self, weights: Sequence[float]) -> int:
        target = self.random.random() * sum(weights)
        for index, weight in enumerate(weights):
            target -= weight
            if target < 0.0:
                return index
        return len(weights) - 1

    def focus(self) -> int:
        return self.pick([interest * (self.need(kind) + 0.2) for kind, interest in enumerate(self.interests)])

    # live

    def visit_rooms(self, daypart: int) -> None:
        model, p, random = self.model, self.model.p, self.random.random
        slot, platform = self.choose_platform(daypart)
        focus = self.focus()
        second = random() * SESSION_LENGTH
        seen: list[Show] = []
        for _ in range(MAX_ROOMS):
            show = self.choose_room(daypart, platform, focus, seen)
            if show is None:
                return
            seen.append(show)
            minutes, bought = self.watch(show, slot, platform)
            model.visits += 1
            model.watched_seconds += int(minutes * 60)
            show.host.viewers += 1
            show.host.seconds += int(minutes * 60)
            if bought:
                return
            second += minutes * 60
            if random() >= p.room_hop or second >= SESSION_LENGTH:
                return

    def choose_platform(self, daypart: int) -> tuple[int, int]:
        model, p = self.model, self.model.p
        best, chosen = NEVER, (0, 0)
        on_air = [(show.platform, bond) for host, bond in self.follows if (show := host.show[daypart]) is not None]
        for slot, platform in enumerate(model.platforms[self.country]):
            bond = min(sum(bond for there, bond in on_air if there == platform), 1.0)
            value = (
                p.platform_habit * self.habit[slot]
                + p.platform_trust * self.channel_trust[slot]
                + p.platform_expected_value * model.expected_by_platform[self.country][platform]
                + p.platform_notification * bond
                + self.gumbel()
            )
            if value > best:
                best, chosen = value, (slot, platform)
        return chosen

    def choose_room(self, daypart: int, platform: int, focus: int, seen: list[Show]) -> Show | None:
        model, p, random = self.model, self.model.p, self.random.random
        candidates = [show for host, _ in self.follows if (show := host.show[daypart]) is not None]
        if self.shared_room is not None and (shared := self.shared_room.show[daypart]) is not None:
            candidates.append(shared)
        pool = model.pool[daypart][self.country][platform][focus]
        if pool:
            candidates += [pool[int(random() * 64)] for _ in range(4)]
        best, chosen = p.room_outside + self.gumbel(), None
        for show in dict.fromkeys(candidates):
            if show.platform == platform and show not in seen:
                value = self.value_of_room(show)
                if value > best:
                    best, chosen = value, show
        return chosen

    def understands(self, show: Show) -> float:
        return max(skill * show.comprehension[language] for language, skill in self.languages)

    def value_of_room(self, show: Show) -> float:
        p, host, category = self.model.p, show.host, show.category
        taste = self.tastes.get(host)
        if taste is None:
            taste = self.tastes[host] = self.random.gauss(0.0, 1.0)
        return (
            show.base[self.country]
            + p.room_match * self.interests[category]
            + p.room_need * self.need(category)
            + p.room_bond * self.bond(host)
            + p.room_comprehension * self.understands(show)
            + p.room_shared * (self.shared_room is host)
            + p.room_persistent_noise * taste
            + self.gumbel()
        )

    def watch(self, show: Show, slot: int, platform: int) -> tuple[float, bool]:
        model, p, random = self.model, self.model.p, self.random.random
        country = self.country
        comprehension = self.understands(show)
        bond = self.bond(show.host)
        stutter = model.stutter[country]
        lively = show.lively * model.interaction[country]
        log_scale = (
            p.watching_log_scale
            - p.watching_comprehension * (1.0 - comprehension)
            - p.watching_stutter * stutter
            + p.watching_culture * show.culture[country]
            + p.watching_skill * show.skill
            + p.watching_bond * bond
            + p.watching_match * self.interests[show.category]
            + p.watching_interaction * lively
        )
        minutes = math.exp(log_scale + math.log(-math.log(random())) / p.watching_shape)
        minutes = min(minutes, p.watching_longest)
        line = self.line_that_holds_the_eye(show, minutes)
        understood = minutes * comprehension * (1.0 - stutter) * (1.0 + p.information_interaction_gain * lively)
        unknown = math.exp(-understood / p.information_learning_minutes)
        known = 1.0 - unknown * (1.0 - p.information_tryon * line.tryon)
        trust = self.trust + bond * (1.0 - self.trust)
        belief = p.information_claims_weight * trust * (1.0 - p.information_disclosure_discount * show.disclosed)
        arousal = p.purchase_arousal * min(lively, 1.0) * (1.0 - math.exp(-minutes / p.purchase_arousal_minutes))
        scarcity = p.purchase_scarcity * show.discount / p.purchase_scarcity_depth
        passing = model.impulse[line.category] * (arousal + scarcity)
        bought = self.consider(
            line, platform, slot, p.purchase_intercept, known, belief, show, model.subsidy[platform], bond, passing
        )
        self.grow_bond(show.host, minutes, known)
        if bought:
            self.tell_friends(show.host)
        else:
            self.notice(line.merchant, line.category, known)
        return minutes, bought

    def line_that_holds_the_eye(self, show: Show, minutes: float) -> Line:
        first = int(self.random.random() * 4)
        count = min(1 + int(minutes / self.model.p.watching_minutes_per_line), 4)
        if count == 1:
            return show.lineup[first]
        shown = [show.lineup[(first + step) % 4] for step in range(count)]
        return max(shown, key=lambda line: self.interests[line.category] * self.need(line.category))

    def grow_bond(self, host: Streamer, minutes: float, known: float) -> None:
        p = self.model.p
        for entry in self.follows:
            if entry[0] is host:
                entry[1] = min(entry[1] + p.trust_bond_growth * (minutes / 15.0) * (1.0 - entry[1]), 1.0)
                return
        if self.random.random() >= p.trust_follow * known:
            return
        if len(self.follows) < MAX_FOLLOWS:
            self.follows.append([host, p.trust_bond_start])
            return
        weakest = min(self.follows, key=lambda entry: entry[1])
        if weakest[1] < p.trust_bond_start:
            weakest[0], weakest[1] = host, p.trust_bond_start

    # buying

    def consider(
        self,
        line: Line,
        channel: int,
        slot: int,
        intercept: float,
        known: float,
        belief: float = 0.0,
        show: Show | None = None,
        subsidy: float = 0.0,
        bond: float = 0.0,
        passing: float = 0.0,
    ) -> bool:
        """Weighs the tiers of a line against not buying, and buys or not."""
        model, p, random = self.model, self.model.p, self.random.random
        country, category, merchant = self.country, line.category, line.merchant
        discount = model.page_discount[channel] if show is None else show.discount
        claims = 0.0 if show is None else belief * show.exaggeration
        trust = 0.5 * (self.trust + self.channel_trust[slot])
        dollar = self.dollar(category)
        risk = model.risk[category] * (1.0 - known) * (1.0 - trust)
        risk *= 1.0 - p.purchase_guarantee * line.guaranteed[channel]
        risk *= (1.0 - p.purchase_certified * line.certified) * (1.0 - p.purchase_traced * line.traced)
        common = (
            intercept
            + p.purchase_need * self.need(category)
            + p.purchase_interest * self.interests[category]
            + p.purchase_trust * trust
            + p.purchase_bond * bond
            + p.purchase_proof * min(self.friends_bought, 5)
            + p.purchase_loyalty * self.loyalty(merchant, category)
            - p.purchase_risk * risk
            - self.delay_weight * line.promised_days[country]
            - p.purchase_checkout_step * model.checkout_steps[channel]
            + passing
        )
        fit = self.fits.get(line)
        if fit is None:
            fit = self.fits[line] = self.random.gauss(0.0, 1.0) * model.fit_spread[category]
        liquid = self.liquid()
        off = 1.0 - discount * line.discounted_share[country]
        landed = line.price_usd[country]
        prior_shift = p.information_reputation_prior * (merchant.reputation - p.trust_reputation_centre)
        values, qualities, prices = [], [], []
        for tier in range(N_TIERS):
            if landed[tier] <= 0.0:
                return False
            service = model.service_fee[channel] * (1.0 - discount) * line.listed_usd[country][tier]
            price = max(landed[tier] * off + service - subsidy, 0.0)
            prior = model.typical[category][tier] + prior_shift
            quality = prior + known * (line.quality[tier] - prior) + claims + known * fit
            gap = price - line.remembered_usd[country] / landed[0] * landed[tier]
            weight = p.purchase_loss_aversion if gap > 0.0 else p.purchase_gain
            value = p.purchase_quality * model.detail[country] * quality - dollar * (price + weight * gap)
            values.append(value if price <= liquid else NEVER)
            qualities.append(quality)
            prices.append(price)
        top = max(values)
        if top == NEVER:
            return False
        spread = p.purchase_tier_spread
        weights = [math.exp((value - top) / spread) for value in values]
        buying = common + top + spread * math.log(sum(weights))
        model.surplus += math.log1p(math.exp(buying)) / dollar
        if random() >= 1.0 / (1.0 + math.exp(-buying)):
            return False
        tier = self.pick(weights)
        quantity = 2 if random() < p.purchase_complement and 2.0 * prices[tier] <= liquid else 1
        model.orders.append(Order(self, channel, line, tier, quantity, qualities[tier], passing))
        age = model.day - self.spent_day
        self.spent = self.spent * math.exp(-age / p.budget_memory_days) + landed[tier] * quantity
        self.spent_day = model.day
        self.last_bought[category] = model.day
        self.remember_purchase(merchant, category)
        return True

    def dollar(self, category: int) -> float:
        model = self.model
        weight = self.money_weight * model.price_taste[self.country]
        return model.p.purchase_price_scale * model.price_weight[category] * weight / model.reference_usd[category]

    def tell_friends(self, host: Streamer) -> None:
        shares = self.random.random() < self.model.p.word_of_mouth_share_room
        for friend in self.friends:
            friend.friends_bought += 1
            if shares and (friend.shared_room is None or host.number < friend.shared_room.number):
                friend.shared_room = host

    # the shelf

    def search(self, daypart: int) -> None:
        model, p, random, country = self.model, self.model.p, self.random.random, self.country
        category = self.focus()
        familiar = None
        remembered = self.purchases if self.noticed is None else [*self.purchases, self.noticed]
        for memory in remembered:
            if memory.category == category and model.day - memory.day <= MEMORY_DAYS:
                familiar = memory.merchant.line_in.get(category, familiar)
        slots = model.shelf[country][category]
        lines = [slots[int(random() * 64)] for _ in range(4)] if slots else []
        if familiar is not None:
            lines.append(familiar)
        dollar = self.dollar(category)
        best, chosen = NEVER, None
        for line in dict.fromkeys(lines):
            price = line.price_usd[country][0] * (1.0 - model.page_discount[SHELF] * line.discounted_share[country])
            if price <= 0.0:
                continue
            gap = price - line.remembered_usd[country]
            weight = p.purchase_loss_aversion if gap > 0.0 else p.purchase_gain
            value = (
                p.shelf_relevance * line.merchant.reputation
                + p.shelf_remembered * (line is familiar)
                + p.purchase_loyalty * self.loyalty(line.merchant, category)
                - dollar * (price + weight * gap)
                - self.delay_weight * line.promised_days[country]
                + self.gumbel()
            )
            if value > best:
                best, chosen = value, line
        model.searches += 1
        if chosen is None:
            return
        channel = SHELF
        if chosen is familiar and chosen.merchant.own_site and random() < p.shelf_brand_site_share:
            channel = BRAND_SITE
        known = p.information_shelf + (1.0 - p.information_shelf) * p.information_tryon * chosen.tryon
        self.consider(chosen, channel, -1, p.purchase_shelf_intercept, known)

    # the evening

    def end_day(self) -> None:
        model, p = self.model, self.model.p
        self.friends_bought = int(self.friends_bought * (1.0 - p.word_of_mouth_proof_memory))
        if self.weekday != model.day % 7:
            return
        self.shared_room = None
        self.trust += p.trust_reversion * (self.trust_prior - self.trust)
        self.channel_trust = [level + p.trust_reversion * (self.trust_prior - level) for level in self.channel_trust]
        for entry in self.follows:
            entry[1] -= p.trust_bond_decay * entry[1]
        self.follows = [entry for entry in self.follows if entry[1] >= p.trust_bond_lapse]


class Market(mesa.Model):
    """People, firms and shows copied out of a synthetic market into Python objects."""

    def __init__(self, source: SyntheticMarket, graph: SocialGraph, first_day: int, seed: int = 1) -> None:
        super().__init__(rng=seed)
        self.day = first_day
        record = source.param[0]
        self.p = SimpleNamespace(**{name: float(record[name]) for name in record.dtype.names})
        self._copy_setting(source)
        self._copy_firms(source)
        self._create_people(source, graph)
        self.visits = self.watched_seconds = self.searches = 0
        self.surplus = 0.0
        self.orders: list[Order] = []

    def step(self) -> None:
        self.day += 1
        self.viewers: list[list[Consumer]] = [[] for _ in range(DAYPARTS)]
        self.searchers: list[list[Consumer]] = [[] for _ in range(DAYPARTS)]
        consumers = self.agents_by_type[Consumer]
        consumers.shuffle_do("plan_day")
        for daypart in range(DAYPARTS):
            for consumer in self.viewers[daypart]:
                consumer.visit_rooms(daypart)
            for consumer in self.searchers[daypart]:
                consumer.search(daypart)
        consumers.do("end_day")

    def _copy_setting(self, source: SyntheticMarket) -> None:
        setting, offers = source.setting, source.offers
        self.platforms = [[int(slot) for slot in slots if slot != 255] for slots in setting.platform_slots]
        self.subsidy = setting.subsidy_usd.tolist()
        self.best_subsidy = [max((self.subsidy[slot] for slot in slots), default=0.0) for slots in self.platforms]
        for name in (
            "availability", "activity", "need_rate", "price_weight", "risk", "fit_spread", "impulse", "interaction",
            "detail", "price_taste", "stutter", "liquidity", "expected", "expected_by_platform", "page_discount",
            "service_fee",
        ):  # fmt: skip
            setattr(self, name, getattr(setting, name).tolist())
        self.checkout_steps = setting.steps.tolist()
        self.typical = offers.typical.tolist()
        self.reference_usd = offers.reference_usd.tolist()

    def _copy_firms(self, source: SyntheticMarket) -> None:
        offers, rooms, air = source.offers, source.rooms, source.air
        merchants = [
            Merchant(float(reputation), bool(site))
            for reputation, site in zip(offers.reputation, offers.own_site, strict=True)
        ]
        lines = []
        for number in range(offers.category.size):
            seller = merchants[offers.merchant[number]]
            line = Line(number, int(offers.category[number]), seller, offers.quality[number].tolist())
            line.price_usd = (offers.landed_cents[number] / 100).tolist()
            line.listed_usd = (offers.price_cents[number] / 100).tolist()
            line.discounted_share = offers.discounted_share[number].tolist()
            line.remembered_usd = offers.remembered_usd[number].tolist()
            line.promised_days = offers.promised_days[number].tolist()
            line.guaranteed = (offers.guaranteed[:, number] == 1).tolist()
            line.certified, line.traced, line.tryon = (
                bool(kind[number]) for kind in (offers.certified, offers.traced, offers.tryon)
            )
            seller.line_in.setdefault(line.category, line)
            lines.append(line)
        self.hosts = [Streamer(number) for number in range(air.show_of_streamer.shape[1])]
        shows = [
            Show(
                self.hosts[rooms.host[show]],
                int(rooms.platform[show]),
                int(rooms.category[show]),
                [lines[line] for line in rooms.lineup[show]],
                discount=float(rooms.discount[show]),
                exaggeration=float(rooms.exaggeration[show]),
                disclosed=bool(rooms.disclosed[show]),
                skill=float(rooms.skill[show]),
                lively=float(rooms.lively[show]),
                base=rooms.base[show].tolist(),
                culture=rooms.culture[show].tolist(),
                comprehension=rooms.comprehension[show].tolist(),
            )
            for show in range(rooms.host.size)
        ]
        for host in self.hosts:
            numbers = air.show_of_streamer[:, host.number]
            host.show = [None if number == EMPTY else shows[number] for number in numbers]
            host.on_air_today = any(show is not None for show in host.show)
        self.pool = [
            [
                [[_found(shows, slots) for slots in by_category] for by_category in by_platform]
                for by_platform in by_country
            ]
            for by_country in source.pool
        ]
        self.shelf = [
            [_found(lines, source.shelf[country, category]) for category in range(N_CATEGORIES)]
            for country in range(N_COUNTRIES)
        ]

    def _create_people(self, source: SyntheticMarket, graph: SocialGraph) -> None:
        table = source.table
        columns = {name: table[name].tolist() for name in table.columns}
        people = []
        for row in range(len(table)):
            column = {name: values[row] for name, values in columns.items()}
            spoken = zip(column["languages"], column["proficiency"], strict=True)
            followed = zip(column["follows"], column["bonds"], strict=True)
            person = SimpleNamespace(
                country=column["country"],
                languages=[(language, level / 255) for language, level in spoken if level],
                adopter=bool(column["adopter"]),
                opening_taste=column["opening_taste"],
                money_weight=column["money_weight"],
                delay_weight=column["delay_weight"],
                interests=[level / 255 for level in column["interests"]],
                last_bought=column["need_day"],
                follows=[[self.hosts[host], bond / 65535] for host, bond in followed if host != EMPTY],
                trust=column["trust"] / 65535,
                channel_trust=[level / 65535 for level in column["channel_trust"]],
                habit=[level / 255 for level in column["habit"]],
                budget=column["budget_cents"] / 100,
                spent=column["spent_cents"] / 100,
                spent_day=column["spent_day"],
                weekday=column["birth"] % 7,
            )
            people.append(Consumer(self, person))
        for row, person in enumerate(people):
            person.friends = [people[friend] for friend in np.asarray(graph.of(row)).tolist()]


def _found(things: list[Any], numbers: Any) -> list[Any]:
    """What stands in the slots of a pool or of a search, empty slots left out."""
    return [things[number] for number in numbers if number != EMPTY]
