"""Scandals and good news: who hears of them, whom they tell, what that does to trust.

A story spreads as an independent cascade (Kempe, Kleinberg and Tardos 2003, 10.1145/956750.956769): everybody concerned
hears of it from the press with chance `reach` a day; who heard of it tells all friends on the day after with chance
`told`. Each person hears a story once. It moves trust at its own level in whom it concerns, and general trust in
everybody as any story does (`consumer.word_of_mouth.effect`, DeGroot 1974).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.draws import Draws, Purpose
from sim.interventions.base import News
from sim.kernels.friends import mark_friends
from sim.kinds import N_PLATFORMS
from sim.state.catalogue import Catalogue
from sim.state.social import SocialGraph
from sim.state.table import FIXED, Table

type I64 = NDArray[np.int64]
type Flags = NDArray[np.bool_]

UNHEARD, FRESH, OLD = 0, 1, 2  # a person and a story: not heard of, heard of today, before
CLOSED = 255  # place of a platform slot without a platform


def moved(share: NDArray[np.floating[Any]], change: float) -> NDArray[np.float64]:
    """Shares in [0, 1] after a change in [-1, 1]: that part of them lost, or of what they lack won."""
    held = share.astype(np.float64)
    return held * (1.0 + change) if change < 0.0 else held + (1.0 - held) * change


def moved_words(words: NDArray[np.uint16], change: float) -> NDArray[np.uint16]:
    """The same of 16-bit shares."""
    return np.floor(moved(words / FIXED, change) * FIXED + 0.5).astype(np.uint16)


class Stories:
    """Stories that go round. `heard`: uint8[consumers] by name of the story, for as long as it is in the press."""

    def __init__(self, consumers: Table, platform_slots: NDArray[np.uint8], graph: SocialGraph, effect: float) -> None:
        """`platform_slots` (C, 4); `effect`: part of the gap by which general trust follows a story."""
        self._people, self._slots, self._graph, self._effect = consumers, platform_slots, graph, effect
        self.heard: dict[str, NDArray[np.uint8]] = {}

    def pass_day(
        self,
        today: Iterable[tuple[News, I64]],
        catalogue: Catalogue,
        reputation: NDArray[np.float32],
        day: int,
        draws: Draws,
    ) -> None:
        """An evening. `today`: what is in the press, with the hosts it is about; `reputation` (merchants,) is moved."""
        kept: dict[str, NDArray[np.uint8]] = {}
        for news, about in today:
            heard = self.heard.get(news.name)
            if heard is None:
                heard = np.zeros(len(self._people), np.uint8)
            kept[news.name] = heard
            fresh = np.flatnonzero(self._hears(news, about, heard, day, draws))
            heard[heard == FRESH] = OLD
            heard[fresh] = FRESH
            self._take_in(news, about, fresh)
            if news.level == "reputation":
                spread = news.change * fresh.size / len(self._people)
                concerned = news.hosts.categories[catalogue.merchant_category] & news.sellers[catalogue.seller_class]
                reputation[concerned] = moved(reputation[concerned], spread)
        self.heard = kept

    def _hears(self, news: News, about: I64, heard: NDArray[np.uint8], day: int, draws: Draws) -> Flags:
        """Who hears of it today and had not before."""
        people, story, tick = self._people, zlib.crc32(news.name.encode()), day * 8
        reading = np.flatnonzero(self._concerned(news, about) & (heard == UNHEARD))
        luck = np.asarray(draws.uniform(Purpose.NEWS, people.birth[reading], other=story, tick=tick))
        found = np.zeros(len(people), np.bool_)
        found[reading[luck < news.reach]] = True
        tellers = np.flatnonzero(heard == FRESH)
        luck = np.asarray(draws.uniform(Purpose.NEWS, people.birth[tellers], other=story, tick=tick, word=1))
        mark_friends(self._graph.friends, tellers[luck < news.told], found)
        found &= heard == UNHEARD
        return found

    def _concerned(self, news: News, about: I64) -> Flags:
        """Whom the press of the countries in scope reaches: followers of the host, users of the platform, everybody."""
        people = self._people
        here: Flags = news.hosts.countries[people.country]
        if news.level == "bond":
            here &= np.isin(people.follows, about).any(axis=1)
        elif news.level == "channel":
            here &= (people.adopter == 1) & self._named_slots(news)[people.country].any(axis=1)
        return here

    def _named_slots(self, news: News) -> Flags:
        """bool[C, 4]: places of the platforms that the news is about."""
        named = np.append(news.hosts.platforms, np.zeros(CLOSED + 1 - N_PLATFORMS, np.bool_))
        return np.asarray(named[self._slots])

    def _take_in(self, news: News, about: I64, fresh: I64) -> None:
        """Trust of those who have just heard of it, at the story's own level and in general."""
        people = self._people
        if news.level == "bond":
            bonds, hit = people.bonds[fresh], np.isin(people.follows[fresh], about)
            people.bonds[fresh] = np.where(hit, moved_words(bonds, news.change), bonds)
        elif news.level == "channel":
            trust = people.channel_trust[fresh]
            hit = np.zeros(trust.shape, np.bool_)
            hit[:, : self._slots.shape[1]] = self._named_slots(news)[people.country[fresh]]
            people.channel_trust[fresh] = np.where(hit, moved_words(trust, news.change), trust)
        # a story of no size is no story
        people.trust[fresh] = moved_words(people.trust[fresh], float(np.sign(news.change)) * self._effect)
