"""A user's own networkx graph, from the file to the end of a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from sim.errors import UserError
from tests.world.worlds import after, tiny

PEOPLE = 1500
WRITERS: dict[str, Callable[[nx.Graph, Path], None]] = {
    "graphml": nx.write_graphml,
    "edgelist": lambda graph, path: nx.write_edgelist(graph, path, data=False),
    "csv": lambda graph, path: nx.write_edgelist(graph, path, delimiter=",", data=False),
}


@pytest.mark.parametrize("ending", WRITERS)
def test_a_network_of_ones_own_runs(ending: str, tmp_path: Path) -> None:
    network = nx.barabasi_albert_graph(PEOPLE, 4, seed=1)
    path = tmp_path / f"mine.{ending}"
    WRITERS[ending](network, path)
    world = after(2, "baseline", f"graph.file={path}", f"population.consumers={PEOPLE}")
    assert np.array_equal(np.sort(world.graph.degrees), np.sort([degree for _, degree in network.degree()]))
    assert nx.faster_could_be_isomorphic(world.graph.to_networkx(), network)
    assert world.consumers.proof.any()  # purchases are seen by friends along its edges


def test_a_network_of_another_size_is_refused_in_the_users_words(tmp_path: Path) -> None:
    path = tmp_path / "small.edgelist"
    nx.write_edgelist(nx.path_graph(10), path, data=False)
    told = (
        r"graph\.file: .*small\.edgelist: .* 10 nodes for 1500 consumers; set population\.consumers=10, or give it 1500"
    )
    with pytest.raises(UserError, match=told):
        tiny("baseline", f"graph.file={path}")


def test_a_missing_network_is_refused_in_the_users_words(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"graph\.file: .*nowhere\.graphml: there is no such file"):
        tiny("baseline", f"graph.file={tmp_path / 'nowhere.graphml'}")
