"""Rows of a table as Mesa agents: what millions of consumers look like to anyone who knows Mesa 3.5.

    consumers = adopt(model, Consumer, table)        # once, in the build
    model.agents_by_type[Consumer].select(where("country", "==", 7)).agg("orders", sum)

`ColumnAgent` is a view: it holds a table and a row number and nothing else, is made when somebody looks and may be
thrown away. `ColumnAgentSet` has the interface of Mesa's AgentSet; where an argument names a column it works on whole
arrays, otherwise it makes one view after the other (about 2 microseconds each), which is for looking and for small
worlds.

Attributes are the stored values; a fixed-point column is read in its declared unit with `real`.

Mesa offers no public way to register such a set: the two private names of `mesa.Model` that it takes are used in
`adopt` alone, and a contract test fails if a release of Mesa changes their meaning.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from mesa.agent import Agent
from mesa.agentset import AbstractAgentSet, GroupBy
from numpy.typing import NDArray

from sim.state.table import Table

if TYPE_CHECKING:
    from mesa.model import Model

Rows = NDArray[np.int64]
EVERYBODY = float("inf")
ARRAY_FUNCTIONS: dict[Any, Callable[..., Any]] = {min: np.min, max: np.max, sum: np.sum}


class Population:
    """A table and what makes its rows agents: the model, the class of the views, who is alive and how they are
    numbered.

    `alive` names a column that is 0 for rows that are no longer (or not yet) agents, "" if all rows always are.
    `identity` names a column with a permanent number below the number of rows ("" for the row itself); an agent's
    `unique_id` is `first_id` plus it.
    """

    def __init__(
        self, model: Model[Any, Any], kind: type[ColumnAgent], table: Table, alive: str, identity: str, first_id: int
    ) -> None:
        self.model = model
        self.kind = kind
        self.table = table
        self.alive = alive
        self.identity = identity
        self.first_id = first_id

    def rows(self) -> Rows:
        """The rows that are agents now, in order."""
        if not self.alive:
            return np.arange(len(self.table), dtype=np.int64)
        return np.flatnonzero(self.table[self.alive])

    def is_alive(self, row: int) -> bool:
        """Whether a row is an agent now."""
        return 0 <= row < len(self.table) and (not self.alive or bool(self.table[self.alive][row]))

    def view(self, row: int) -> ColumnAgent:
        """The agent of one row."""
        agent: ColumnAgent = object.__new__(self.kind)
        agent.__dict__["model"] = self.model
        agent.__dict__["population"] = self
        agent.__dict__["row"] = int(row)
        return agent

    def unique_ids(self, rows: Rows) -> NDArray[np.int64]:
        """The Mesa numbers of rows."""
        numbers = self.table[self.identity][rows].astype(np.int64) if self.identity else rows
        return numbers + self.first_id

    def remove(self, rows: Rows) -> None:
        """Takes rows out of the model. Raises TypeError if the table has no column that says who is alive."""
        if not self.alive:
            raise TypeError(f"{self.table.name} has no column of who is alive: its agents cannot be removed")
        self.table[self.alive][rows] = 0


class ColumnAgent(Agent[Any]):
    """A Mesa agent that is a view on one row: attributes are the columns' values at that row, as Python numbers.

    Assigning to an attribute writes the column; a name that is not a column raises AttributeError, so a misspelt one
    cannot disappear into the object. Slots of a matrix column come as a numpy view of the row. Two views are equal if
    they show the same row of the same population. Subclasses add methods, not state.
    """

    population: Population
    row: int

    def __init__(self, *arguments: object, **named: object) -> None:
        """Raises TypeError: rows are made by the build, views by `Population.view`."""
        raise TypeError(f"{type(self).__name__} is a view on a row; use model.agents_by_type[{type(self).__name__}]")

    @property
    def unique_id(self) -> int:
        """Mesa's number of the agent; follows the permanent number, not the row."""
        return int(self.population.unique_ids(np.array([self.row]))[0])

    @property
    def pos(self) -> None:
        """Agents of a table stand in no Mesa space."""
        return None

    def __getattr__(self, name: str) -> Any:
        population = self.__dict__.get("population")
        if population is None or name not in population.table:
            raise AttributeError(f"{type(self).__name__} has no attribute or column '{name}'")
        value = population.table[name][self.row]
        return value if isinstance(value, np.ndarray) else value.item()

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.population.table:
            raise AttributeError(f"'{name}' is not a column of {type(self).__name__}")
        self.population.table[name][self.row] = value

    def real(self, name: str) -> Any:
        """A column's value in its declared unit (fixed point divided by its scale)."""
        value = self.population.table.columns[name].real(self.population.table[name][self.row : self.row + 1])[0]
        return value if isinstance(value, np.ndarray) else value.item()

    def remove(self) -> None:
        """Takes this agent out of the model."""
        self.population.remove(np.array([self.row]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ColumnAgent) and self.row == other.row and self.population is other.population

    def __hash__(self) -> int:
        return hash((id(self.population), self.row))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.unique_id}, row {self.row} of {self.population.table.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return Population.view, (self.population, self.row)


class where:  # noqa: N801 - reads as a word of the query: select(where("trust", ">", 0.5))
    """A condition on a column that `select` evaluates on the whole array; also callable on one agent."""

    COMPARISONS: ClassVar[dict[str, Callable[[Any, Any], Any]]] = {
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }

    def __init__(self, column: str, comparison: str, value: Any) -> None:
        """Raises ValueError for an unknown comparison."""
        if comparison not in self.COMPARISONS:
            raise ValueError(f"comparison must be one of {', '.join(self.COMPARISONS)}, not '{comparison}'")
        self.column = column
        self.comparison = comparison
        self.value = value

    def __call__(self, agent: Agent[Any]) -> bool:
        """Whether one agent fulfils the condition."""
        return bool(self.COMPARISONS[self.comparison](getattr(agent, self.column), self.value))

    def mask(self, table: Table, rows: Rows) -> NDArray[np.bool_]:
        """Which of the rows fulfil the condition."""
        found: NDArray[np.bool_] = self.COMPARISONS[self.comparison](table[self.column][rows], self.value)
        return found


def whole_set(function: Callable[..., None]) -> Callable[..., None]:
    """Marks a method that is written for many rows at once: `function(population, rows, *arguments)`.

    `agents.do("name")` then calls it once with all rows; called on one agent it gets that agent's row.
    """

    def one(self: ColumnAgent, *arguments: Any, **named: Any) -> None:
        function(self.population, np.array([self.row]), *arguments, **named)

    one.__name__ = function.__name__
    one.__doc__ = function.__doc__
    one.__dict__["for_rows"] = function
    return one


class _OrderedSet(AbstractAgentSet[Any]):
    """What both kinds of set share: Mesa's per-agent operations on whatever iteration gives."""

    random: Random

    @property
    def _agents(self) -> dict[Agent[Any], None]:
        """Mesa's `get` and `to_list` read the agents from a dictionary of this name."""
        return dict.fromkeys(self)

    def _derive(self, agents: Iterable[Agent[Any]]) -> AgentList:
        return AgentList(agents, self.random)

    def copy(self) -> AbstractAgentSet[Any]:
        """A set with the same agents that can be changed without changing the model."""
        return self._derive(self)

    __copy__ = copy

    def do(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> Self:
        """Calls a method (by name) or a function on each agent."""
        self.map(method, *args, **kwargs)
        return self

    def map(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> list[Any]:
        """Calls a method (by name) or a function on each agent and returns the results."""
        if isinstance(method, str):
            return [getattr(agent, method)(*args, **kwargs) for agent in list(self)]
        return [method(agent, *args, **kwargs) for agent in list(self)]

    def shuffle_do(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> Self:
        """Calls a method or function on each agent in random order."""
        self.shuffle().do(method, *args, **kwargs)
        return self

    def shuffle(self, inplace: bool = False) -> AbstractAgentSet[Any]:
        """The agents in random order (by the model's own `random`, as in Mesa)."""
        agents = list(self)
        self.random.shuffle(agents)
        return self._update(agents) if inplace else self._derive(agents)

    def sort(
        self, key: Callable[[Any], Any] | str, ascending: bool = False, inplace: bool = False
    ) -> AbstractAgentSet[Any]:
        """The agents sorted by an attribute or a function, descending unless `ascending`, as in Mesa."""
        agents = sorted(self, key=operator.attrgetter(key) if isinstance(key, str) else key, reverse=not ascending)
        return self._update(agents) if inplace else self._derive(agents)

    def groupby(self, by: Callable[[Any], Any] | str, result_type: Any = "agentset") -> GroupBy:
        """Groups by an attribute or by the result of a function."""
        groups: dict[Any, list[Agent[Any]]] = {}
        for agent in self:
            groups.setdefault(getattr(agent, by) if isinstance(by, str) else by(agent), []).append(agent)
        if result_type != "agentset":
            return GroupBy(dict(groups))
        return GroupBy({name: self._derive(members) for name, members in groups.items()})

    def select(
        self,
        filter_func: Callable[[Any], bool] | None = None,
        at_most: int | float = EVERYBODY,
        inplace: bool = False,
        agent_type: type[Agent[Any]] | None = None,
    ) -> AbstractAgentSet[Any]:
        """The agents that fulfil a condition, at most so many (a float up to 1: that share of the set)."""
        limit = int(len(self) * at_most) if isinstance(at_most, float) and at_most <= 1 else at_most
        found: list[Agent[Any]] = []
        for agent in self:
            if len(found) >= limit:
                break
            if (agent_type is None or isinstance(agent, agent_type)) and (filter_func is None or filter_func(agent)):
                found.append(agent)
        return self._update(found) if inplace else self._derive(found)


class AgentList(_OrderedSet):
    """An ordered set that keeps its agents alive: what a selection over several kinds of agents gives.

    Mesa's own AgentSet holds its agents weakly, and a view that nobody else holds would vanish from it.
    """

    def __init__(self, agents: Iterable[Agent[Any]], random: Random | None = None) -> None:
        self.members = dict.fromkeys(agents)
        self.random = random if random is not None else Random(0)

    def __len__(self) -> int:
        return len(self.members)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.members)

    def __contains__(self, agent: object) -> bool:
        return agent in self.members

    def __getitem__(self, item: Any) -> Any:
        return list(self.members)[item]

    def _update(self, agents: Iterable[Agent[Any]]) -> Self:
        self.members = dict.fromkeys(agents)
        return self

    def add(self, agent: Agent[Any]) -> None:
        """Adds an agent to this set only."""
        self.members[agent] = None

    def discard(self, agent: Agent[Any]) -> None:
        """Takes an agent out of this set only."""
        self.members.pop(agent, None)

    def remove(self, agent: Agent[Any]) -> None:
        """As `discard`; raises KeyError if it is not there."""
        del self.members[agent]


class ColumnAgentSet(_OrderedSet):
    """The agents of one table, with Mesa's AgentSet interface.

    Without `rows` it is the live registry (everybody alive now); with rows it is a fixed selection.
    """

    def __init__(self, population: Population, rows: Rows | None = None) -> None:
        self.population = population
        self.rows = rows
        self.random = population.model.random

    def current(self) -> Rows:
        """The row numbers of the set's agents, in the set's order."""
        return self.population.rows() if self.rows is None else self.rows

    def values(self, name: str) -> NDArray[Any]:
        """A column of the set's agents in its declared unit, as an array."""
        column = self.population.table.columns[name]
        return column.real(self.population.table[name][self.current()])

    def _with(self, rows: Rows, inplace: bool = False) -> ColumnAgentSet:
        if not inplace:
            return ColumnAgentSet(self.population, rows)
        if self.rows is None:
            raise TypeError("the model's registry of agents is not to be changed; work on a copy")
        self.rows = rows
        return self

    def copy(self) -> ColumnAgentSet:
        """A fixed selection of the agents the set has now."""
        return self._with(self.current().copy())

    __copy__ = copy

    def __len__(self) -> int:
        if self.rows is not None:
            return len(self.rows)
        if not self.population.alive:
            return len(self.population.table)
        return int(np.count_nonzero(self.population.table[self.population.alive]))

    def __iter__(self) -> Iterator[Any]:
        view = self.population.view
        return (view(row) for row in self.current().tolist())

    def __contains__(self, agent: object) -> bool:
        if not isinstance(agent, ColumnAgent) or agent.population is not self.population:
            return False
        if self.rows is not None:
            return bool((self.rows == agent.row).any())
        return self.population.is_alive(agent.row)

    def __getitem__(self, item: Any) -> Any:
        rows = self.current()[item]
        return self.population.view(int(rows)) if np.ndim(rows) == 0 else [self.population.view(row) for row in rows]

    def _update(self, agents: Iterable[Any]) -> Self:
        self._with(np.array([agent.row for agent in agents], dtype=np.int64), inplace=True)
        return self

    def add(self, agent: Any) -> None:
        """Adds an agent to a selection. Raises TypeError on the registry: rows are made by the build."""
        if agent not in self:
            self._with(np.append(self.current(), agent.row), inplace=True)

    def discard(self, agent: Any) -> None:
        """Takes an agent out of a selection, or out of the model if this is the registry."""
        if agent not in self:
            return
        if self.rows is None:
            agent.remove()
        else:
            self.rows = self.rows[self.rows != agent.row]

    def remove(self, agent: Any) -> None:
        """As `discard`; raises KeyError if the agent is not there."""
        if agent not in self:
            raise KeyError(agent)
        self.discard(agent)

    def select(
        self,
        filter_func: Callable[[Any], bool] | where | None = None,
        at_most: int | float = EVERYBODY,
        inplace: bool = False,
        agent_type: type[Agent[Any]] | None = None,
    ) -> ColumnAgentSet:
        """The agents that fulfil a condition; whole arrays at once if it is a `where`, else view by view."""
        rows = self.current()
        if agent_type is not None and not issubclass(self.population.kind, agent_type):
            rows = rows[:0]
        limit = int(len(self) * at_most) if isinstance(at_most, float) and at_most <= 1 else at_most
        if isinstance(filter_func, where):
            rows = rows[filter_func.mask(self.population.table, rows)]
        elif filter_func is not None:
            kept: list[int] = []
            for row in rows.tolist():
                if len(kept) >= limit:
                    break
                if filter_func(self.population.view(row)):
                    kept.append(row)
            rows = np.array(kept, dtype=np.int64)
        return self._with(rows if limit == EVERYBODY else rows[: int(limit)], inplace)

    def get(self, attr_names: Any, handle_missing: Any = "error", default_value: Any = None) -> list[Any]:
        """The values of one attribute (a list) or of several (a list of lists), as in Mesa."""
        table = self.population.table
        if isinstance(attr_names, str):
            if attr_names == "unique_id":
                return list(self.population.unique_ids(self.current()).tolist())
            if attr_names in table:
                return list(table[attr_names][self.current()].tolist())
        elif all(name in table for name in attr_names):
            rows = self.current()
            return [list(row) for row in zip(*(table[name][rows].tolist() for name in attr_names), strict=True)]
        found: list[Any] = super().get(attr_names, handle_missing, default_value)
        return found

    def set(self, attr_name: str, value: Any) -> Self:
        """Writes one value, or one value per agent, into a column. Raises AttributeError for an unknown column."""
        if attr_name not in self.population.table:
            raise AttributeError(f"'{attr_name}' is not a column of {self.population.kind.__name__}")
        self.population.table[attr_name][self.current()] = value
        return self

    def agg(self, attribute: str, func: Any) -> Any:
        """One function of an attribute's values, or a list of several; sums of whole numbers are exact."""
        table = self.population.table
        values: Any = table[attribute][self.current()] if attribute in table else self.get(attribute)

        def apply(one: Callable[..., Any]) -> Any:
            whole = ARRAY_FUNCTIONS.get(one) if isinstance(values, np.ndarray) else None
            return one(values) if whole is None else whole(values).item()

        return apply(func) if callable(func) else [apply(one) for one in func]

    def groupby(self, by: Any, result_type: Any = "agentset") -> GroupBy:
        """Groups by a column (whole arrays) or by any attribute or function (view by view)."""
        rows = self.current()
        if isinstance(by, str) and by in self.population.table:
            keys = self.population.table[by][rows]
        else:
            keys = np.array([getattr(agent, by) if isinstance(by, str) else by(agent) for agent in self])
        order = np.argsort(keys, kind="stable")
        names, starts = np.unique(keys[order], return_index=True)
        parts = np.split(rows[order], starts[1:]) if len(rows) else []
        groups = {name.item(): self._with(part) for name, part in zip(names, parts, strict=True)}
        return GroupBy(groups if result_type == "agentset" else {name: list(part) for name, part in groups.items()})

    def sort(self, key: Callable[[Any], Any] | str, ascending: bool = False, inplace: bool = False) -> ColumnAgentSet:
        """Sorted by a column, attribute or function; descending unless `ascending`; ties keep their order."""
        rows = self.current()
        if isinstance(key, str) and key in self.population.table:
            values = self.population.table[key][rows]
        else:
            values = np.array([getattr(agent, key) if isinstance(key, str) else key(agent) for agent in self])
        order = np.argsort(values, kind="stable")
        if not ascending:  # reversed twice: descending values, equal ones still in their old order
            order = (len(rows) - 1 - np.argsort(values[::-1], kind="stable"))[::-1]
        return self._with(rows[order], inplace)

    def shuffle(self, inplace: bool = False) -> ColumnAgentSet:
        """The agents in random order (by the model's own `random`, as in Mesa)."""
        order = np.random.default_rng(self.random.getrandbits(64)).permutation(self.current())
        return self._with(order, inplace)

    def do(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> Self:
        """Calls a method or function on each agent; once for all rows if the method is marked `whole_set`."""
        function = getattr(self.population.kind, method, None) if isinstance(method, str) else method
        for_rows = getattr(function, "for_rows", None)
        if for_rows is not None:
            for_rows(self.population, self.current(), *args, **kwargs)
        else:
            self.map(method, *args, **kwargs)
        return self


class ModelAgents(_OrderedSet):
    """All agents of a model: Mesa's own objects and the rows of every adopted table."""

    def __init__(self, model: Model[Any, Any], objects: AbstractAgentSet[Any]) -> None:
        self.objects = objects
        self.tables: list[ColumnAgentSet] = []
        self.random = model.random

    @property
    def parts(self) -> list[AbstractAgentSet[Any]]:
        """The sets it consists of."""
        return [self.objects, *self.tables]

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def __iter__(self) -> Iterator[Any]:
        return (agent for part in self.parts for agent in part)

    def __contains__(self, agent: object) -> bool:
        return any(agent in part for part in self.parts)

    def _update(self, agents: Iterable[Agent[Any]]) -> Self:
        raise TypeError("the model's registry of agents is not to be changed; work on a copy")

    def add(self, agent: Agent[Any]) -> None:
        """Mesa registers its own agents here."""
        self.objects.add(agent)

    def discard(self, agent: Agent[Any]) -> None:
        """Takes an agent out of the model."""
        for part in self.parts:
            part.discard(agent)

    def remove(self, agent: Agent[Any]) -> None:
        """As `discard`; raises KeyError if the agent is not there."""
        if agent not in self:
            raise KeyError(agent)
        self.discard(agent)

    def select(
        self,
        filter_func: Callable[[Any], bool] | None = None,
        at_most: int | float = EVERYBODY,
        inplace: bool = False,
        agent_type: type[Agent[Any]] | None = None,
    ) -> AbstractAgentSet[Any]:
        """As in Mesa; with the `agent_type` of one table the selection stays one of rows."""
        if agent_type is not None and not inplace:
            kinds = [part for part in self.tables if issubclass(part.population.kind, agent_type)]
            if len(kinds) == 1 and not any(isinstance(agent, agent_type) for agent in self.objects):
                limit = int(len(self) * at_most) if isinstance(at_most, float) and at_most <= 1 else at_most
                return kinds[0].select(filter_func, limit if limit == EVERYBODY else int(limit))
        return super().select(filter_func, at_most, inplace, agent_type)

    def get(self, attr_names: Any, handle_missing: Any = "error", default_value: Any = None) -> list[Any]:
        """As in Mesa, part by part."""
        return [value for part in self.parts for value in part.get(attr_names, handle_missing, default_value)]

    def set(self, attr_name: str, value: Any) -> Self:
        """As in Mesa: one value for everybody."""
        for part in self.parts:
            part.set(attr_name, value)
        return self

    def do(self, method: str | Callable[..., Any], *args: Any, **kwargs: Any) -> Self:
        """As in Mesa, part by part, so that tables use their whole-set methods."""
        for part in self.parts:
            part.do(method, *args, **kwargs)
        return self


def adopt(
    model: Model[Any, Any], kind: type[ColumnAgent], table: Table, alive: str = "", identity: str = ""
) -> ColumnAgentSet:
    """Registers the rows of a table as agents of a Mesa model and returns their live set.

    Afterwards they are in `model.agents`, `model.agents_by_type[kind]` and `model.agent_types`, and as many Mesa
    numbers are taken as the table has rows. Raises ValueError if the class has already been adopted, KeyError if
    `alive` or `identity` names no column.
    """
    for name in (alive, identity):
        if name and name not in table:
            raise KeyError(f"{table.name} has no column '{name}'")
    registry: dict[type[Agent[Any]], Any] = model.agents_by_type
    if kind in registry:
        raise ValueError(f"{kind.__name__} has been adopted by this model already")
    population = Population(model, kind, table, alive, identity, model.agent_id_counter)
    model.agent_id_counter += len(table)
    agents = ColumnAgentSet(population)
    private: Any = model
    if not isinstance(private._all_agents, ModelAgents):
        private._all_agents = ModelAgents(model, private._all_agents)
    private._all_agents.tables.append(agents)
    private._agents_by_type[kind] = agents
    return agents
