"""The friends graph: who hears of whose purchases, links and opinions. Also how popular hosts are on the first day.

Undirected, in compressed rows of three bytes a friend and two a person (`sim.kernels.friends`). Rows are consumers
sorted by country, language and age (`community_order`), so that friends lie near each other in memory and circles are
simply neighbours in the order.

How it is generated. Everybody has a *sociability* (Pareto, mean about 1), which scales how many friends they choose and
how often they are chosen. A choice goes to the circle (about 15 neighbours in the order, hence of like age, language
and country), to the community (about 150), to anybody of the same country and language, to anybody in the country, or
abroad, there mostly to speakers of the same language. Who knows more people than a circle holds turns to the wider
scope. The rest of the friendships close triangles: a person introduces two of their friends to each other. This gives a
degree-corrected block structure (Karrer and Newman 2011) with homophily and triadic closure; means, clustering and
mixing are measured by `statistics` and compared with networkx in the tests.

Every draw is addressed by birth numbers, so the graph depends on the seed and on who lives in the world and on nothing
else. It does change as a whole when the sample does: another number of consumers is another sample of people.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim.config.graph import Graph, Popularity
from sim.draws import Draws, Purpose, purpose_base
from sim.errors import UserError
from sim.kernels import graph as kernels
from sim.kernels.friends import pack, rows_in, start_of, starts
from sim.kernels.maths import exp1, normal_quantile, pow1

if TYPE_CHECKING:
    import networkx as nx

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
F32 = NDArray[np.float32]

ATTEMPTS = 16  # introductions per person at most; four or five do
LARGEST_SOCIABILITY_SUM = 2**32 - 1


class GraphError(UserError):
    """A user's own network cannot serve as the friends graph; the message says why and what would do."""


def community_order(country: ArrayLike, language: ArrayLike, age: ArrayLike) -> I64:
    """int64[n]: the order in which `SocialGraph.generate` wants people: by country, language, age; else as they stand.

    `array[order]` sorts an attribute. All three are whole numbers below 256 (codes).
    """
    code = (np.asarray(country, np.int64) << 16) | (np.asarray(language, np.int64) << 8) | np.asarray(age, np.int64)
    return np.argsort(code.astype(np.int32), kind="stable")


@dataclass(frozen=True, slots=True)
class GraphStatistics:
    """What describes a friends graph; NaN where undefined (no edges, one kind only).

    `clustering` is the mean over people of the share of pairs of their friends who are friends (0 with fewer than two);
    `transitivity` the same over all pairs; `*_assortativity` 0 for random mixing and 1 for mixing among equals only;
    `tail_exponent` the density exponent of degrees from twice the mean up (maximum likelihood, Clauset et al. 2009, eq.
    3.7); `largest_component` a share of people.
    """

    people: int
    friendships: int
    degree_mean: float
    degree_gini: float
    degree_highest: int
    tail_exponent: float
    clustering: float
    transitivity: float
    degree_assortativity: float
    country_assortativity: float
    language_assortativity: float
    age_assortativity: float
    same_country_share: float
    largest_component: float


class SocialGraph:
    """Friendships in compressed rows, each in both directions, in few bytes: loops read `friends`, all else methods."""

    __slots__ = ("friends",)

    def __init__(self, indptr: I64, friends: I32) -> None:
        """From whole numbers: friends of row i are `friends[indptr[i]:indptr[i + 1]]`, sorted.

        Raises ValueError if the two do not fit each other; see `check` for a full test.
        """
        if indptr.ndim != 1 or indptr.size == 0 or indptr[0] != 0 or int(indptr[-1]) != friends.size:
            raise ValueError("indptr must start at 0 and end at the number of entries of friends")
        if (np.diff(indptr) < 0).any() or (friends.size and int(friends.min()) < 0):
            raise ValueError("indptr must not fall, and rows of friends are 0 or more")
        self.friends = pack(indptr, friends)

    def __len__(self) -> int:
        return len(self.friends.offset) - 1

    @property
    def entries(self) -> int:
        """Twice the number of friendships."""
        return len(self.friends.who)

    @property
    def degrees(self) -> I64:
        """int64[n]: the number of friends."""
        return np.diff(starts(self.friends))

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in self.friends)

    def of(self, row: int) -> I32:
        """int32[k]: the friends of one row, sorted."""
        first, end = start_of(self.friends, row), start_of(self.friends, row + 1)
        return rows_in(self.friends.who[first:end])

    def rows(self) -> tuple[I64, I32]:
        """(indptr int64[n + 1], friends int32[m]): the whole numbers it was made of; freshly made, so keep them."""
        return starts(self.friends), rows_in(self.friends.who)

    def pairs(self) -> tuple[I64, I32]:
        """(person int64[m], friend int32[m]): every friendship from both sides, by person, then by friend."""
        indptr, friends = self.rows()
        return np.repeat(np.arange(len(self)), np.diff(indptr)), friends

    def check(self) -> None:
        """Raises ValueError unless rows are sorted without repeats, nobody is their own friend, and all is mutual."""
        count = len(self)
        rows, friends = self.pairs()
        if friends.size and friends.max() >= count:
            raise ValueError("a friend's row is outside the graph")
        if (rows == friends).any():
            raise ValueError("somebody is their own friend")
        forward = rows * count + friends
        if (np.diff(forward) <= 0).any():
            raise ValueError("rows must be sorted and without repeats")
        if not np.array_equal(np.sort(friends.astype(np.int64) * count + rows), forward):
            raise ValueError("a friendship is not mutual")

    @classmethod
    def create(
        cls,
        country: ArrayLike,
        language: ArrayLike,
        age: ArrayLike,
        draws: Draws,
        cfg: Graph,
        birth: ArrayLike | None = None,
    ) -> SocialGraph:
        """The graph that the configuration asks for: the network in `cfg.file`, or the generated one without a file."""
        if cfg.file:
            try:
                return cls.from_networkx(read_network(cfg.file), consumers=np.asarray(country).size)
            except GraphError as error:
                raise GraphError(f"graph.file: {cfg.file}: {error}") from None
        return cls.generate(country, language, age, draws, cfg, birth)

    @classmethod
    def generate(
        cls,
        country: ArrayLike,
        language: ArrayLike,
        age: ArrayLike,
        draws: Draws,
        cfg: Graph,
        birth: ArrayLike | None = None,
    ) -> SocialGraph:
        """The friends graph of people sorted by country, language and age.

        `country`, `language`, `age`: codes, whole numbers below 256, one per row, in `community_order`; `birth`: their
        permanent numbers (the rows themselves by default). Raises ValueError if the rows are not in order.
        """
        people = _People(country, language, age, birth)
        count = len(people.birth)
        if count < 2:
            return cls(np.zeros(count + 1, dtype=np.int64), np.zeros(0, dtype=np.int32))
        exponent = cfg.tail_exponent
        total = kernels.sociability(
            people.birth,
            purpose_base(Purpose.GRAPH_WEIGHT),
            draws.key,
            np.float32(-1 / (exponent - 1)),
            np.float32((exponent - 2) / (exponent - 1)),
            np.float32(cfg.highest_degree / cfg.mean_degree),
        )
        if int(total[-1]) > LARGEST_SOCIABILITY_SUM:
            raise ValueError(f"{count} people are more than the generator can address (about 60 million)")
        target = round(min(count * cfg.mean_degree, count * (count - 1)) / 2)
        offsets = kernels.own_choices(
            people.birth,
            total,
            np.float32(target * (1 - cfg.closure) / int(total[-1])),
            purpose_base(Purpose.GRAPH_WEIGHT),
            draws.key,
        )
        # steps are not named: what has been used up must not take memory beside what comes of it
        rows = _close_triangles(
            people.birth,
            _rows_of_pairs(count, *people.choose(total, offsets, draws, cfg)),
            target if cfg.closure > 0 else 0,
            draws,
        )
        return cls(*rows)

    @classmethod
    def from_networkx(
        cls, graph: nx.Graph[Any], order: Sequence[Hashable] | None = None, consumers: int | None = None
    ) -> SocialGraph:
        """A user's own network: `order[row]` is the node that becomes that row.

        Without an order, nodes are arranged so that friends get neighbouring rows (reverse Cuthill-McKee), which keeps
        the network's own communities within one country as far as they fit. Parallel edges count once. Raises
        `GraphError` for a directed graph, self-loops, an order that is not a permutation of the nodes, or a number of
        nodes other than `consumers`.
        """
        if graph.is_directed():
            raise GraphError("the network is directed; friendships go both ways: pass graph.to_undirected()")
        nodes = list(graph)
        if consumers is not None and len(nodes) != consumers:
            raise GraphError(
                f"the network has {len(nodes)} nodes for {consumers} consumers; set population.consumers={len(nodes)},"
                f" or give it {consumers} nodes"
            )
        if order is not None:
            nodes = list(order)
            if len(nodes) != len(graph) or len(set(nodes)) != len(nodes) or not all(node in graph for node in nodes):
                strange = next((node for node in nodes if node not in graph), None)
                detail = f": {strange!r} is no node" if strange is not None else ""
                raise GraphError(f"the order must name each of the {len(graph)} nodes exactly once{detail}")
        row_of = {node: row for row, node in enumerate(nodes)}
        edges = np.fromiter(
            (row_of[node] for edge in graph.edges() for node in edge), dtype=np.int32, count=2 * graph.number_of_edges()
        ).reshape(-1, 2)
        loops = np.flatnonzero(edges[:, 0] == edges[:, 1])
        if loops.size:
            node = nodes[int(edges[loops[0], 0])]
            raise GraphError(
                f"{loops.size} nodes are linked to themselves, for example {node!r}; "
                "remove these edges first: graph.remove_edges_from(networkx.selfloop_edges(graph))"
            )
        first, second = np.ascontiguousarray(edges[:, 0]), np.ascontiguousarray(edges[:, 1])
        found = cls(*_rows_of_pairs(len(nodes), first, second))
        return found if order is not None else found._arranged()

    def _arranged(self) -> SocialGraph:
        """The same network with friends in neighbouring rows."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import reverse_cuthill_mckee

        count = len(self)
        indptr, friends = self.rows()
        matrix = csr_array((np.ones(friends.size, dtype=np.int8), friends, indptr), shape=(count, count))
        order = reverse_cuthill_mckee(matrix, symmetric_mode=True)
        row_of = np.empty(count, dtype=np.int32)
        row_of[order] = np.arange(count, dtype=np.int32)
        first = np.repeat(row_of, np.diff(indptr))
        return SocialGraph(*_rows_of_pairs(count, first, row_of[friends]))

    def to_networkx(self, attributes: Mapping[str, ArrayLike] | None = None) -> nx.Graph[int]:
        """The network as a networkx graph with rows as nodes; `attributes` (name -> one value per row) go on the nodes.

        About 1 kB a person: for analysis, not for millions.
        """
        import networkx as nx

        graph: nx.Graph[int] = nx.Graph()
        graph.add_nodes_from(range(len(self)))
        first, second = self.pairs()
        once = first < second
        graph.add_edges_from(zip(first[once].tolist(), second[once].tolist(), strict=True))
        for name, values in (attributes or {}).items():
            nx.set_node_attributes(graph, dict(enumerate(np.asarray(values).tolist())), name)
        return graph

    def statistics(self, country: ArrayLike, language: ArrayLike, age: ArrayLike) -> GraphStatistics:
        """Measures the graph on its arrays (a second for a million people). Arguments: codes by row."""
        indptr, friends = self.rows()
        degrees = np.diff(indptr)
        found = kernels.triangles(indptr, friends)
        pairs = degrees * (degrees - 1) // 2
        local = np.divide(found, pairs, out=np.zeros(len(self)), where=pairs > 0)
        places = {
            name: np.asarray(values).astype(np.int64)
            for name, values in (("country", country), ("language", language), ("age", age))
        }
        mixed = {
            name: kernels.mixing(indptr, friends, values, int(values.max(initial=0)) + 1)
            for name, values in places.items()
        }
        labels = kernels.components(indptr, friends)
        rows = np.repeat(np.arange(len(self)), degrees)
        return GraphStatistics(
            people=len(self),
            friendships=self.entries // 2,
            degree_mean=float(degrees.mean()) if len(self) else math.nan,
            degree_gini=gini(degrees),
            degree_highest=int(degrees.max(initial=0)),
            tail_exponent=tail_exponent(degrees),
            clustering=float(local.mean()) if len(self) else math.nan,
            transitivity=float(found.sum() / pairs.sum()) if pairs.sum() else math.nan,
            degree_assortativity=_correlation(degrees[rows], degrees[friends]),
            country_assortativity=_assortativity(mixed["country"]),
            language_assortativity=_assortativity(mixed["language"]),
            age_assortativity=_correlation(places["age"][rows], places["age"][friends]),
            same_country_share=_ratio(int(np.trace(mixed["country"])), friends.size),
            largest_component=_ratio(int(np.bincount(labels).max()), len(self)) if len(self) else math.nan,
        )


def networkx_statistics(graph: nx.Graph[Any]) -> GraphStatistics:
    """The same measures by networkx, from a graph whose nodes carry `country`, `language` and `age`. At most 100,000
    nodes.
    """
    import networkx as nx

    degrees = np.array([degree for _, degree in graph.degree()], dtype=np.int64)
    countries = nx.get_node_attributes(graph, "country")
    return GraphStatistics(
        people=graph.number_of_nodes(),
        friendships=graph.number_of_edges(),
        degree_mean=2 * graph.number_of_edges() / graph.number_of_nodes(),
        degree_gini=gini(degrees),
        degree_highest=int(degrees.max(initial=0)),
        tail_exponent=tail_exponent(degrees),
        clustering=nx.average_clustering(graph),
        transitivity=nx.transitivity(graph),
        degree_assortativity=nx.degree_pearson_correlation_coefficient(graph),
        country_assortativity=nx.attribute_assortativity_coefficient(graph, "country"),
        language_assortativity=nx.attribute_assortativity_coefficient(graph, "language"),
        age_assortativity=nx.numeric_assortativity_coefficient(graph, "age"),
        same_country_share=sum(countries[a] == countries[b] for a, b in graph.edges()) / graph.number_of_edges(),
        largest_component=max(map(len, nx.connected_components(graph))) / graph.number_of_nodes(),
    )


def read_network(path: str | Path) -> nx.Graph[Any]:
    """A network from a file: .graphml, .gml, .gexf, .edgelist (two names a line) or .csv (the same with a comma).

    Raises `GraphError` for another ending, a missing file, or one that cannot be read.
    """
    import networkx as nx

    readers: dict[str, Callable[[Path], Any]] = {
        ".graphml": nx.read_graphml,
        ".gml": lambda file: nx.read_gml(file, label="id"),
        ".gexf": nx.read_gexf,
        ".edgelist": lambda file: nx.read_edgelist(file, data=False),
        ".csv": lambda file: nx.read_edgelist(file, delimiter=",", data=False),
    }
    path = Path(path)
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise GraphError(f"unknown kind of file; allowed: {', '.join(readers)}")
    if not path.is_file():
        raise GraphError("there is no such file; name one that is there")
    try:
        return reader(path)
    except Exception as error:  # each reader has exceptions of its own; all mean that the file is not what it says
        raise GraphError(f"cannot be read as {path.suffix} ({error})") from error


def gini(values: ArrayLike) -> float:
    """Gini coefficient of non-negative values: 0 all equal, towards 1 one has all; NaN if they sum to 0."""
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    total = ordered.sum()
    if total <= 0:
        return math.nan
    count = ordered.size
    return float(((2 * np.arange(1, count + 1) - count - 1) * ordered).sum() / (count * total))


def tail_exponent(degrees: ArrayLike, start: float | None = None) -> float:
    """Density exponent of the degrees from `start` up (twice their mean by default); NaN with fewer than 10 of them."""
    values = np.asarray(degrees, dtype=np.float64)
    lowest = math.ceil(2 * values.mean() if start is None else start) if values.size else 1
    top = values[values >= lowest]
    if top.size < 10 or lowest < 1:
        return math.nan
    return float(1 + top.size / np.log(top / (lowest - 0.5)).sum())


def popularity_weights(hosts: int | ArrayLike, draws: Draws, cfg: Popularity) -> F32:
    """float32[n], mean 1: how popular each host is on the first day.

    `hosts`: their permanent numbers, or how many there are (then 0 .. n - 1). Start "equal": all 1. Start "musae": the
    hosts' keyed draws decide their ranks only, and the values are the evenly spaced quantiles of the fitted law, a
    lognormal body with a Pareto top that ends at `top_ratio`: every seed has the same inequality (Gini 0.946), and who
    is popular differs. With independent values the first of 300 hosts would hold anything from 14 to 62 %.
    """
    numbers = np.arange(hosts) if isinstance(hosts, int) else np.asarray(hosts)
    count = numbers.size
    if count == 0 or cfg.start == "equal":
        return np.ones(count, dtype=np.float32)
    luck = draws.words(Purpose.POPULARITY, numbers)[:, 0]
    rank = np.empty(count, dtype=np.int64)
    rank[np.lexsort((numbers, luck))] = np.arange(count)
    values = np.array([popularity_quantile((2 * place + 1) / (2 * count), cfg) for place in range(count)])
    return (values * (count / math.fsum(values)))[rank].astype(np.float32)


def popularity_of(numbers: ArrayLike, draws: Draws, cfg: Popularity, generation: ArrayLike) -> F32:
    """float32[n]: how popular hosts who come later may become, against the mean of those of the first day.

    Keyed by number and `generation` (persons who had the number before); independent values of the same law.
    """
    who = np.asarray(numbers)
    if cfg.start == "equal":
        return np.ones(who.size, dtype=np.float32)
    mean = math.fsum(popularity_quantile((2 * place + 1) / 1000, cfg) for place in range(500)) / 500
    luck = draws.uniform(Purpose.POPULARITY, who, other=generation, ordinal=1)
    return np.array([popularity_quantile(float(one), cfg) / mean for one in luck], dtype=np.float32)


def popularity_quantile(probability: float, cfg: Popularity) -> float:
    """Popularity of which a share `probability` of hosts has less; the median is 1."""
    body = min(probability, 1 - cfg.top_share)
    value = float(exp1(np.float32(cfg.body_sigma * float(normal_quantile(np.float32(body))))))
    if probability <= 1 - cfg.top_share:
        return value
    cut = float(pow1(np.float32(cfg.top_ratio), np.float32(-cfg.top_exponent)))
    rest = (1 - probability) / cfg.top_share  # bounded Pareto: 1 where it begins, 0 at its end
    return value * float(pow1(np.float32(cut + rest * (1 - cut)), np.float32(-1 / cfg.top_exponent)))


class _People:
    """Who there is, in order, with the bounds of groups that the kernels need."""

    def __init__(self, country: ArrayLike, language: ArrayLike, age: ArrayLike, birth: ArrayLike | None) -> None:
        columns = {"country": np.asarray(country), "language": np.asarray(language), "age": np.asarray(age)}
        count = columns["country"].size
        for name, values in columns.items():
            if values.shape != (count,):
                raise ValueError(f"{name} has shape {values.shape} for {count} people")
            if count and not (values.min() >= 0 and values.max() < 256):
                raise ValueError(f"{name} must be codes from 0 to 255")
        self.country = np.ascontiguousarray(columns["country"], dtype=np.uint8).copy()
        self.language = np.ascontiguousarray(columns["language"], dtype=np.uint8).copy()
        code = self.country.astype(np.int64) << 8 | self.language
        if (np.diff(code << 8 | columns["age"].astype(np.int64)) < 0).any():
            raise ValueError("people must be sorted by country, language and age; see sim.state.social.community_order")
        numbers = np.arange(count) if birth is None else np.asarray(birth)
        if numbers.shape != (count,):
            raise ValueError(f"birth has shape {numbers.shape} for {count} people")
        self.birth = numbers.astype(np.uint32)
        self.code = code

    def choose(self, total: I64, offsets: I64, draws: Draws, cfg: Graph) -> tuple[I32, I32]:
        """Everybody's own choices of friends: (chooser, chosen)."""
        countries = int(self.country.max()) + 1
        languages = int(self.language.max()) + 1
        group_starts = kernels.runs(self.code)
        group_of = np.repeat(np.arange(group_starts.size - 1, dtype=np.int32), np.diff(group_starts))
        country_starts = np.searchsorted(self.country, np.arange(countries + 1)).astype(np.int64)
        speech = self.language.astype(np.uint16) * np.uint16(256) + self.country
        sorted_rows = np.argsort(speech, kind="stable").astype(np.int32)
        ordered = speech[sorted_rows]
        sorted_total = np.zeros(total.size, dtype=np.int64)
        np.cumsum(np.diff(total)[sorted_rows], out=sorted_total[1:])
        cells = (np.arange(languages)[:, None] * 256 + np.arange(countries)).reshape(-1)
        speech_country_starts = np.append(np.searchsorted(ordered, cells), ordered.size).astype(np.int64)
        speech_starts = np.searchsorted(ordered, np.arange(languages + 1) * 256).astype(np.int64)
        links = cfg.links
        links_of: tuple[I32, I32] = kernels.choose_friends(
            self.birth,
            self.country,
            self.language,
            total,
            offsets,
            group_of,
            group_starts,
            country_starts,
            sorted_rows,
            sorted_total,
            speech_starts,
            speech_country_starts,
            np.array([cfg.circle_size, cfg.community_size], dtype=np.int64),
            np.array([links.circle, links.community, links.language, links.country], dtype=np.float32),
            np.float32(cfg.abroad_same_language),
            purpose_base(Purpose.GRAPH_LINK),
            draws.key,
        )
        return links_of


def _rows_of_pairs(count: int, first: I32, second: I32) -> tuple[I64, I32]:
    """Compressed rows of undirected pairs (second -1: none): both directions, sorted, without repeats."""
    indptr, friends = kernels.scatter(count, first, second)
    rows: tuple[I64, I32] = kernels.unique_rows(indptr, friends)
    return rows


def _close_triangles(birth: NDArray[np.uint32], rows: tuple[I64, I32], target: int, draws: Draws) -> tuple[I64, I32]:
    """Adds friendships between friends of one person until there are `target` (within 1 %)."""
    count = birth.size
    attempt = 0
    rate = 0.6  # first guess of how many introductions lead to a new friendship; then the rate of the last round
    while (missing := target - rows[1].size // 2) > 0.01 * target and attempt < ATTEMPTS:
        found: list[tuple[I32, I32]] = []
        while missing > 0 and attempt < ATTEMPTS:
            chance = min(missing / (rate * count), 1.0)
            first, second = kernels.introduce(
                birth,
                *rows,
                np.uint32(attempt),
                np.float32(chance),
                purpose_base(Purpose.GRAPH_CLOSURE),
                draws.key,
            )
            met = second >= 0
            number = int(np.count_nonzero(met))
            found.append((first[met], second[met]))
            missing -= number
            rate = max(number / (chance * count), 0.05)
            attempt += 1
            if chance < 1:
                break
        first, second = (np.concatenate(side) for side in zip(*found, strict=True))
        # two people may have been introduced twice in a round: counted once here, and made up for in the next
        rows = kernels.join_rows(*rows, *kernels.scatter(count, first, second))
        rows = kernels.unique_rows(*rows)
    return rows


def _assortativity(mixed: I64) -> float:
    """Newman's nominal assortativity of a symmetric table of directed friendships."""
    total = int(mixed.sum())
    if total == 0:
        return math.nan
    shares = mixed / total
    expected = float((shares.sum(axis=0) * shares.sum(axis=1)).sum())
    return (float(np.trace(shares)) - expected) / (1 - expected) if expected < 1 else math.nan


def _correlation(left: NDArray[Any], right: NDArray[Any]) -> float:
    """Pearson correlation over directed friendships; NaN if one side does not vary."""
    if left.size == 0:
        return math.nan
    one, two = left - left.mean(), right - right.mean()
    spread = math.sqrt(float((one * one).sum()) * float((two * two).sum()))
    return float((one * two).sum()) / spread if spread > 0 else math.nan


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
