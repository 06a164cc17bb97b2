"""A host taken off the air and brought back: who it is, what stays, what fades."""

from __future__ import annotations

import numpy as np

from sim.interventions.base import Hosts
from sim.kinds import COUNTRIES, DAY_SECONDS, N_CATEGORIES, N_COUNTRIES, N_PLATFORMS
from tests.world.worlds import tiny

STAY = 4  # days away


def test_the_largest_hosts_of_a_country_are_away_and_come_back():
    world = tiny()
    home = COUNTRIES.index("US")
    hosts = world.streamers
    world.step()
    audience = hosts.popularity * world.levers.audience[hosts.country, hosts.platform] * (hosts.country == home)
    first, second = np.argsort(-audience, kind="stable")[:2]
    known, bonds = hosts.popularity[first], int(bonds_with(world, first).sum())
    followers = bonds_with(world, first).size
    back = (world.day + STAY) * DAY_SECONDS
    for _ in range(STAY):
        world.levers.remove_streamers("star", hosts_of(home, 1, 2), back)
        world.step()
        assert set(np.flatnonzero(hosts.away)) == {first, second}
        assert not {first, second} & set(np.unique(shows_of(world)))
    assert hosts.popularity[first] < known
    assert bonds_with(world, first).size >= 0.9 * followers  # nobody unfollows; places may be taken by others
    assert bonds_with(world, first).sum() < bonds
    others = (hosts.country == home) & (hosts.platform == hosts.platform[first]) & (hosts.away == 0)
    assert np.isclose(hosts.popularity[others & (hosts.active == 1)].sum(), 1, atol=1e-4)
    while world.day < world.frame.end_day:
        world.step()
    assert not hosts.away.any()
    assert hosts.popularity[first] > 0.5 * known  # absence is not taken for a lack of viewers


def test_nobody_is_away_unless_removed_and_ranks_may_be_empty():
    world = tiny()
    world.levers.remove_streamers("none", hosts_of(0, 1, 0), 2**40)
    world.step()
    assert not world.streamers.away.any()


def hosts_of(country, first, last):
    """Hosts of a country with ranks `first` to `last`."""
    here = np.arange(N_COUNTRIES) == country
    return Hosts(here, np.ones(N_PLATFORMS, bool), np.ones(N_CATEGORIES, bool), np.ones(3, bool), (first, last))


def shows_of(world):
    """Hosts on air on the last day."""
    return world.recorder._shows[-1]["streamer"] if world.recorder._shows else np.zeros(0, np.int64)


def bonds_with(world, host):
    """Bonds of those who follow a host."""
    return world.consumers.bonds[world.consumers.follows == host].astype(np.int64)
