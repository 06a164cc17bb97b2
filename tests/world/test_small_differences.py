"""The smallest different world: what is changed in one place does not reach unrelated people at once."""

from __future__ import annotations

import numpy as np
import pytest

from sim.kinds import COUNTRIES, NO_STREAMER
from sim.record.schema import Measure
from sim.world import World
from tests.world.worlds import after, with_row

SAME = ["birth", "tick", "ordinal", "line", "tier"]  # one decision for one thing
FAR = ("US", "DE", "VN")  # where nobody is told anything


def strangers(world: World, country: str) -> np.ndarray:
    """bool[n]: people of other countries who have no friend in `country`."""
    there = world.consumers.country == COUNTRIES.index(country)
    people, friends = world.graph.pairs()
    friend_there = np.zeros(len(world.graph), bool)
    friend_there[people[there[friends]]] = True
    return ~there & ~friend_there


@pytest.mark.parametrize(
    "row",
    [
        with_row("surge", "demand_surge", "need_factor=20.0", "scope={countries: [KE]}", "start=1"),
        with_row("pay", "local_payment_integration", "availability=1.0", "scope={countries: [KE]}", "start=1"),
        with_row("duty", "tariff_reduction", "to=0", "scope={countries: [KE]}", "start=1"),
    ],
    ids=["surge", "payment", "tariff"],
)
def test_a_change_in_one_country_leaves_strangers_alone_for_its_first_day(row: tuple[str, ...]) -> None:
    kept, changed = (after(2, "baseline", "population.consumers=3000", *rows) for rows in ((), row))
    elsewhere = strangers(kept, "KE")
    assert elsewhere.mean() > 0.9
    for column in kept.consumers:
        same = (kept.consumers[column.name] == changed.consumers[column.name])[elsewhere]
        assert same.all(), column.name
    for world in (kept, changed):
        far = np.isin(world.streamers.country, [COUNTRIES.index(name) for name in FAR])
        assert far.any()
    assert np.array_equal(kept.streamers.popularity[far], changed.streamers.popularity[far])
    orders = [world.orders.data[world.orders.open_rows()] for world in (kept, changed)]
    bought = [part[np.isin(part["birth"], kept.consumers.birth[elsewhere])] for part in orders]
    for name in ("birth", "tick", "line", "tier", "quantity", "goods_cents", "placed", "method", "expected_quality"):
        one, other = (np.sort(part, order=("birth", "tick", "ordinal"))[name] for part in bought)
        assert np.array_equal(one, other), name


def test_more_exaggeration_raises_what_people_expect_on_the_first_day() -> None:
    """The same people in the same rooms expect more of the same goods, by the same draws."""
    honest, loud = (
        after(1, "baseline", "population.consumers=3000", f"supply.shows.claims_gain={gain}") for gain in (0.0, 0.6)
    )
    assert honest.rooms.exaggeration.max() == 0 < loud.rooms.exaggeration.mean()
    assert np.array_equal(honest.rooms.host, loud.rooms.host)
    assert np.array_equal(honest.rooms.base, loud.rooms.base)
    assert np.array_equal(honest.market.offers.quality, loud.market.offers.quality)
    perceived = [int(world.tally.totals[Measure.SURPLUS_PERCEIVED_MC].sum()) for world in (honest, loud)]
    assert perceived[1] > perceived[0]
    orders = [world.orders.data[world.orders.open_rows()] for world in (honest, loud)]
    bought = [{tuple(order[SAME].tolist()): order for order in part} for part in orders]
    both = bought[0].keys() & bought[1].keys()
    assert len(both) > 20
    gains = {key: float(bought[1][key]["expected_quality"] - bought[0][key]["expected_quality"]) for key in both}
    live = {key for key in both if bought[0][key]["streamer"] != NO_STREAMER}
    assert all(gains[key] > 0 for key in live)
    assert all(gains[key] == 0 for key in both - live)
