"""The friends graph against networkx, its generator, a user's own network, and hosts' popularity."""

from __future__ import annotations

import dataclasses
import hashlib
import math
import os
import subprocess
import sys
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from numba import get_num_threads, set_num_threads

from sim.config.graph import Graph
from sim.config.quantity import load_group
from sim.draws import Draws
from sim.errors import ConfigError
from sim.state.social import (
    GraphError,
    SocialGraph,
    community_order,
    gini,
    networkx_statistics,
    popularity_weights,
    read_network,
    tail_exponent,
)

ROOT = Path(__file__).resolve().parents[2]
CONFIG = load_group(ROOT / "configs/graph/default.yaml", Graph)
People = tuple[np.ndarray, np.ndarray, np.ndarray]


def _people(count: int, countries: int = 6) -> People:
    """Countries of unequal size, a language of one's own and two shared ones, four age bands."""
    draws, numbers = Draws(11), np.arange(count)
    country = (draws.uniform(1, numbers) ** 2 * countries).astype(np.int64)
    speaks = draws.uniform(2, numbers)
    language = np.where(speaks < 0.7, country + 2, np.where(speaks < 0.9, 0, 1))
    age = draws.integers(3, 4, numbers)
    order = community_order(country, language, age)
    return country[order], language[order], age[order]


def _with(**changes: object) -> Graph:
    return CONFIG.model_copy(update=changes)


@pytest.fixture(scope="module")
def people() -> People:
    return _people(6000)


@pytest.fixture(scope="module")
def graph(people: People) -> SocialGraph:
    return SocialGraph.generate(*people, Draws(5), CONFIG)


def test_a_generated_graph_is_sound_and_has_the_declared_shape(graph: SocialGraph, people: People) -> None:
    graph.check()
    found = graph.statistics(*people)
    assert found.degree_mean == pytest.approx(CONFIG.mean_degree, rel=0.02)
    assert 0.2 < found.clustering < 0.35
    assert 0.78 < found.same_country_share < 0.9  # 84 % is the aim for the real countries
    assert found.country_assortativity > 0.6
    assert found.language_assortativity > 0.6
    assert found.age_assortativity > 0.3
    assert 2.6 < found.tail_exponent < 4.2
    assert found.degree_highest > 6 * CONFIG.mean_degree
    assert found.largest_component > 0.99
    near = np.abs(np.subtract(*graph.pairs())) < CONFIG.community_size
    assert near.mean() > 0.5  # friends are neighbours in memory


def test_statistics_from_arrays_equal_those_of_networkx(graph: SocialGraph, people: People) -> None:
    attributes = dict(zip(("country", "language", "age"), people, strict=True))
    ours = dataclasses.asdict(graph.statistics(*people))
    theirs = dataclasses.asdict(networkx_statistics(graph.to_networkx(attributes)))
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_a_graph_depends_on_the_seed_only_and_not_on_threads(graph: SocialGraph, people: People) -> None:
    threads = get_num_threads()
    for count in sorted({1, min(2, threads)}):
        set_num_threads(count)
        again = SocialGraph.generate(*people, Draws(5), CONFIG)
        assert digest(again) == digest(graph)
    set_num_threads(threads)
    other = SocialGraph.generate(*people, Draws(6), CONFIG)
    assert digest(other) != digest(graph)
    born = SocialGraph.generate(*people, Draws(5), CONFIG, birth=np.arange(len(graph))[::-1])
    assert digest(born) != digest(graph)  # draws follow the birth number, not the row


def test_levers_of_the_generator_move_what_they_name(graph: SocialGraph, people: People) -> None:
    def measure(cfg: Graph) -> dict[str, float]:
        made = SocialGraph.generate(*people, Draws(5), cfg)
        made.check()
        return dataclasses.asdict(made.statistics(*people))

    base = dataclasses.asdict(graph.statistics(*people))
    assert measure(_with(mean_degree=4.0))["degree_mean"] == pytest.approx(4, rel=0.03)
    assert measure(_with(closure=0.0))["clustering"] < base["clustering"] - 0.05
    assert measure(_with(tail_exponent=5.0))["degree_gini"] < base["degree_gini"] - 0.05
    home = CONFIG.links.model_copy(update={"abroad": 0.0, "country": CONFIG.links.country + CONFIG.links.abroad})
    assert measure(_with(links=home))["same_country_share"] == 1.0
    away = CONFIG.links.model_copy(
        update={"abroad": 1.0, "circle": 0.0, "community": 0.0, "language": 0.0, "country": 0.0}
    )
    assert measure(_with(links=away, closure=0.0))["same_country_share"] == 0.0
    mixed = measure(_with(links=away, closure=0.0, abroad_same_language=0.0))
    assert mixed["language_assortativity"] < measure(_with(links=away, closure=0.0))["language_assortativity"] - 0.1


@pytest.mark.parametrize("count", [0, 1, 2, 3, 20])
def test_tiny_worlds_have_tiny_graphs(count: int) -> None:
    people = _people(count)
    made = SocialGraph.generate(*people, Draws(1), CONFIG)
    made.check()
    assert len(made) == count
    found = made.statistics(*people)
    assert found.people == count
    if count < 2:
        assert found.friendships == 0
        assert math.isnan(found.transitivity)


def test_people_must_stand_in_order() -> None:
    with pytest.raises(ValueError, match="community_order"):
        SocialGraph.generate([1, 0], [0, 0], [0, 0], Draws(1), CONFIG)
    with pytest.raises(ValueError, match="0 to 255"):
        SocialGraph.generate([0, 300], [0, 0], [0, 0], Draws(1), CONFIG)
    with pytest.raises(ValueError, match="language has shape"):
        SocialGraph.generate([0, 1], [0], [0, 0], Draws(1), CONFIG)


def test_a_users_own_network_keeps_its_friendships() -> None:
    own = nx.relabel_nodes(nx.karate_club_graph(), lambda node: f"member {node}")
    order = sorted(own)
    made = SocialGraph.from_networkx(own, order)
    made.check()
    back = nx.relabel_nodes(made.to_networkx(), dict(enumerate(order)))
    assert {frozenset(edge) for edge in back.edges()} == {frozenset(edge) for edge in own.edges()}
    arranged = SocialGraph.from_networkx(own, consumers=34)
    arranged.check()
    assert sorted(arranged.degrees) == sorted(made.degrees)
    assert nx.is_isomorphic(arranged.to_networkx(), own)
    several = nx.MultiGraph([("a", "b"), ("a", "b"), ("b", "c")])
    assert SocialGraph.from_networkx(several, ["a", "b", "c"]).degrees.tolist() == [1, 2, 1]


def test_a_hub_with_more_friends_than_two_bytes_count_keeps_them_all() -> None:
    many = 70_000
    made = SocialGraph.from_networkx(nx.star_graph(many), range(many + 1))
    made.check()
    assert made.entries == 2 * many
    assert np.array_equal(made.of(0), np.arange(1, many + 1))
    assert [made.of(row).tolist() for row in (1, 255, 256, many)] == [[0]] * 4


@pytest.mark.parametrize(
    ("indptr", "friends"), [([0, 2], [1]), ([1, 1], [1]), ([0, 2, 1], [1]), ([0, 1], [-1]), ([], [])]
)
def test_rows_that_do_not_fit_each_other_are_refused(indptr: list[int], friends: list[int]) -> None:
    with pytest.raises(ValueError, match="indptr"):
        SocialGraph(np.array(indptr, dtype=np.int64), np.array(friends, dtype=np.int32))


@pytest.mark.parametrize(
    ("own", "order", "consumers", "message"),
    [
        (nx.DiGraph([(0, 1)]), None, None, "directed.*to_undirected"),
        (nx.Graph([(0, 1), (1, 1)]), None, None, "themselves, for example 1"),
        (nx.path_graph(5), None, 20, "5 nodes for 20 consumers; set population.consumers=5"),
        (nx.path_graph(3), [0, 1], None, "each of the 3 nodes exactly once"),
        (nx.path_graph(3), [0, 1, "two"], None, "'two' is no node"),
    ],
)
def test_a_network_that_cannot_serve_is_refused_with_a_reason(
    own: nx.Graph, order: list[object] | None, consumers: int | None, message: str
) -> None:
    with pytest.raises(GraphError, match=message):
        SocialGraph.from_networkx(own, order, consumers)


def test_a_network_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("anna,ben\nben,carl\n")
    nx.write_graphml(nx.path_graph(4), tmp_path / "own.graphml")
    assert len(read_network(tmp_path / "own.csv")) == 3
    chosen = SocialGraph.create([0] * 4, [0] * 4, [0] * 4, Draws(1), _with(file=str(tmp_path / "own.graphml")))
    assert chosen.entries == 6
    (tmp_path / "torn.graphml").write_text("<graphml>")
    for name, message in (("none.csv", "no such file"), ("own.xls", "allowed: .graphml"), ("torn.graphml", "cannot")):
        with pytest.raises(GraphError, match=message):
            read_network(tmp_path / name)


def test_measures_of_inequality() -> None:
    assert gini([3, 3, 3]) == 0
    assert gini([0, 0, 0, 1]) == 0.75
    assert math.isnan(gini([]))
    uniform = Draws(2).uniform(1, np.arange(50_000)).astype(np.float64)
    degrees = np.floor(4.5 * uniform ** (-1 / 1.8) + 0.5)  # density exponent 2.8
    assert tail_exponent(degrees, 10) == pytest.approx(2.8, abs=0.1)


@pytest.mark.parametrize("hosts", [200, 3000])
def test_popularity_is_as_unequal_as_on_twitch(hosts: int) -> None:
    weights = popularity_weights(hosts, Draws(3), CONFIG.popularity)
    ordered = np.sort(weights)[::-1]
    assert weights.mean() == pytest.approx(1, rel=1e-5)
    assert 0.935 < gini(weights) < 0.97  # seven communities: 0.937-0.966
    assert 0.57 < ordered[: hosts // 100].sum() / hosts < 0.80
    assert 0.92 < ordered[: hosts // 10].sum() / hosts < 0.96
    again = popularity_weights(np.arange(hosts)[::-1], Draws(3), CONFIG.popularity)
    assert np.array_equal(again[::-1], weights)  # popularity belongs to the host, not to the place
    other = popularity_weights(hosts, Draws(4), CONFIG.popularity)
    assert np.array_equal(np.sort(other), np.sort(weights))
    assert not np.array_equal(other, weights)


def test_equal_popularity_is_equal() -> None:
    equal = CONFIG.popularity.model_copy(update={"start": "equal"})
    assert set(popularity_weights(50, Draws(3), equal).tolist()) == {1.0}
    assert popularity_weights(0, Draws(3), CONFIG.popularity).size == 0


def test_shares_of_links_must_sum_to_one(tmp_path: Path) -> None:
    text = (ROOT / "configs/graph/default.yaml").read_text()
    assert text.count("value: 0.33\n    unit") == 2  # the circle's share is the first of the two
    (tmp_path / "bad.yaml").write_text(text.replace("value: 0.33\n    unit", "value: 0.5\n    unit", 1))
    with pytest.raises(ConfigError, match="sum to 1"):
        load_group(tmp_path / "bad.yaml", Graph)


def test_the_graph_is_the_same_without_compilation() -> None:
    script = (
        "from tests.numerics.test_graph import CONFIG, _people, digest; from sim.draws import Draws;"
        "from sim.state.social import SocialGraph; print(digest(SocialGraph.generate(*_people(150), Draws(5), CONFIG)))"
    )
    plain = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert plain.stdout.strip() == digest(SocialGraph.generate(*_people(150), Draws(5), CONFIG))


def digest(graph: SocialGraph) -> str:
    """A short name of a graph's exact content."""
    return hashlib.sha256(b"".join(array.tobytes() for array in graph.rows())).hexdigest()
