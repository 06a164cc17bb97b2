"""Tables, fixed-point numbers, scale, and the contract with Mesa."""

from __future__ import annotations

import pickle

import mesa
import numpy as np
import pytest
from mesa.agentset import AbstractAgentSet

from sim.agents.view import AgentList, ColumnAgent, ColumnAgentSet, adopt, where, whole_set
from sim.draws import Draws
from sim.kernels.maths import from_fixed, to_fixed, to_fixed_keyed
from sim.state.scale import Scale
from sim.state.table import FIXED, Column, RangeError, Table

COLUMNS = (
    Column("birth", "u4", "1", 0, None, "build", "permanent number"),
    Column("country", "u1", "index", 0, 19, "build", "home country"),
    Column("trust", "u2", "1", 0, 1, "opinion", "trust in live shopping", scale=FIXED, default=0.5),
    Column("orders", "i4", "1", 0, None, "checkout", "orders placed"),
    Column("mood", "f4", "1", -1, 1, "opinion", "temper"),
    Column("follows", "u2", "index", 0, None, "opinion", "followed hosts", width=3),
    Column("alive", "u1", "flag", 0, 1, "build", "1 while taking part", default=1),
)


class Person(ColumnAgent):
    """A row of the table below."""

    @property
    def keen(self) -> bool:
        """Has bought twice or more."""
        return bool(self.orders >= 2)

    def buy(self, count: int = 1) -> None:
        """Places orders, one agent at a time."""
        self.orders += count

    @whole_set
    def forget(population, rows) -> None:  # type: ignore[no-untyped-def,override]  # noqa: N805
        """Loses all orders, all rows at once."""
        population.table.orders[rows] = 0


class Seller(mesa.Agent):
    """An ordinary Mesa agent."""

    def __init__(self, model: mesa.Model) -> None:
        super().__init__(model)
        self.orders = 100


def _table(rows: int = 6) -> Table:
    order = np.arange(rows)
    return Table(COLUMNS, rows, "people", birth=rows - 1 - order, country=order % 3, orders=order % 4)


def _world() -> tuple[mesa.Model, Table, ColumnAgentSet]:
    model = mesa.Model(rng=1)
    Seller(model)
    table = _table()
    people = adopt(model, Person, table, alive="alive", identity="birth")
    Seller(model)
    return model, table, people


def test_a_table_holds_its_columns_and_counts_its_bytes() -> None:
    table = _table(10)
    assert table.row_bytes == 4 + 1 + 2 + 4 + 4 + 6 + 1
    assert table.nbytes == 10 * table.row_bytes
    assert table.trust.dtype == np.uint16
    assert table.real("trust")[0] == pytest.approx(0.5, abs=1e-5)
    assert table.real_mean("orders") == pytest.approx(1.3)
    table.orders += 1
    table.check()
    assert "| trust | uint16, fixed point / 65535 | 1 | 0 .. 1 | opinion | trust in live shopping |" in table.document()
    with pytest.raises(AttributeError, match="in place"):
        table.orders = np.zeros(10)
    with pytest.raises(ValueError, match="no column shoes"):
        Table(COLUMNS, 1, shoes=2)
    with pytest.raises(ValueError, match="does not fit"):
        Column("small", "u1", "1", 0, 300, "build", "too wide a range")


@pytest.mark.parametrize(("value", "shown"), [(2.0, "2.0"), (np.nan, "nan"), (-1.5, "-1.5")])
def test_check_names_the_column_the_row_and_the_range(value: float, shown: str) -> None:
    table = _table()
    table.mood[4] = value
    with pytest.raises(RangeError, match=rf"people.mood\[4\] = {shown} 1 is outside -1 .. 1; written by opinion"):
        table.check()
    table.check(["orders", "country"])


def test_fixed_point_keeps_every_stored_value_and_loses_no_drift() -> None:
    stored = np.arange(65536)
    assert all(to_fixed(np.float32(from_fixed(np.uint16(value)))) == value for value in stored[::37])
    assert (from_fixed(np.uint16(0)), from_fixed(np.uint16(65535))) == (0, 1)
    assert (to_fixed(np.float32(-3)), to_fixed(np.float32(3))) == (0, 65535)
    assert (to_fixed_keyed(np.float32(1), np.float32(0.001)), to_fixed_keyed(np.float32(0), np.float32(0.001))) == (
        65535,
        0,
    )
    drift = np.float32(0.5 + 0.3 / 65535)  # less than half a step above a stored value
    uniform = Draws(5).uniform(100, np.arange(20_000))
    rounded = np.array([to_fixed_keyed(drift, value) for value in uniform], dtype=np.float64)
    error = np.sqrt(0.25 / rounded.size)
    assert abs(rounded.mean() - float(drift) * 65535) < 4.5 * error
    assert len(set(rounded)) == 2


def test_scale_multiplies_and_refuses_nonsense() -> None:
    scale = Scale.of(1000.0, 10, {"small": (50.0, 5)})
    assert (scale.weight, scale.firms["small"]) == (100, 10)
    assert (scale.to_world(3), scale.firm_amount(7, "small"), scale.market_amount(500)) == (300, 0.7, 5)
    with pytest.raises(ValueError, match="weight"):
        Scale(0)


def test_mesa_keeps_the_private_names_that_the_adapter_takes() -> None:
    """The contract: if a Mesa release renames or retypes these, this test says so before anything else breaks."""
    model = mesa.Model(rng=1)
    assert isinstance(model._agents_by_type, dict)
    assert isinstance(model._all_agents, AbstractAgentSet)
    assert model.agents is model._all_agents
    assert model.agents_by_type is model._agents_by_type
    assert isinstance(model.agent_id_counter, int)
    seller = Seller(model)
    assert seller in model._all_agents
    assert seller in model._agents_by_type[Seller]


def test_rows_are_agents_of_the_model() -> None:
    model, table, people = _world()
    assert model.agent_types == [Seller, Person]
    assert model.agents_by_type[Person] is people
    assert (len(model.agents), len(people), len(model.agents_by_type[Seller])) == (8, 6, 2)
    identities = model.agents.get("unique_id")
    assert len(set(identities)) == 8
    person = people[1]
    assert person.unique_id == 2 + table.birth[1]  # the first seller has number 1
    assert person in people
    assert person in model.agents
    assert person == people[1]
    assert person != people[2]
    assert len({people[1], people[1]}) == 1
    assert pickle.loads(pickle.dumps(table.orders)).tolist() == table.orders.tolist()
    person.remove()
    assert (len(people), len(model.agents), person in people) == (5, 7, False)
    model.agents_by_type[Seller].to_list()[0].remove()
    assert len(model.agents) == 6
    with pytest.raises(ValueError, match="already"):
        adopt(model, Person, table)
    with pytest.raises(KeyError, match="shoes"):
        adopt(mesa.Model(rng=1), Person, table, alive="shoes")


def test_attributes_are_columns() -> None:
    _, table, people = _world()
    person = people[2]
    assert (person.orders, type(person.orders), person.country) == (2, int, 2)
    assert person.real("trust") == pytest.approx(0.5, abs=1e-5)
    person.buy(3)
    assert table.orders[2] == 5
    assert person.keen
    assert person.follows.tolist() == [0, 0, 0]
    with pytest.raises(AttributeError, match="shoes"):
        person.shoes = 1
    with pytest.raises(AttributeError, match="shoes"):
        _ = person.shoes
    with pytest.raises(TypeError, match="view"):
        Person(people.population.model)


def test_sets_work_on_whole_arrays_and_one_by_one_alike() -> None:
    _model, table, people = _world()
    quick, slow = people.select(where("orders", ">=", 2)), people.select(lambda person: person.keen)
    assert quick.get("unique_id") == slow.get("unique_id")
    assert len(quick) == 2
    assert len(people.select(at_most=0.5)) == 3
    assert len(people.select(where("orders", "<", 9), at_most=2)) == 2
    assert len(people.select(agent_type=Seller)) == 0
    assert people.agg("orders", sum) == 7
    assert people.agg("orders", [min, np.mean]) == [0, pytest.approx(7 / 6)]
    assert people.get(["country", "orders"])[:2] == [[0, 0], [1, 1]]
    assert people.get("keen")[2:4] == [True, True]
    groups = people.groupby("country")
    assert groups.count() == {0: 2, 1: 2, 2: 2}
    assert groups.map(lambda group: group.agg("orders", sum)) == {0: 3, 1: 1, 2: 3}
    assert groups.agg("orders", sum) == {0: 3, 1: 1, 2: 3}
    assert people.groupby("keen").count() == {False: 4, True: 2}
    assert people.sort("orders").get("orders") == [3, 2, 1, 1, 0, 0]
    assert people.sort("orders").current().tolist() == [3, 2, 1, 5, 0, 4]
    assert people.sort(lambda person: person.orders, ascending=True).current().tolist() == [0, 4, 1, 5, 2, 3]
    assert sorted(people.shuffle().get("unique_id")) == sorted(people.get("unique_id"))
    quick.set("orders", 9).do("buy", 1)
    assert table.orders.tolist() == [0, 1, 10, 10, 0, 1]
    assert people.map(lambda person: person.row) == list(range(6))
    people.do("forget")
    assert table.orders.sum() == 0
    people[0].buy()
    people[0].forget()
    assert table.orders[0] == 0
    assert people.values("trust").dtype == np.float32
    with pytest.raises(AttributeError, match="shoes"):
        people.set("shoes", 1)
    with pytest.raises(TypeError, match="registry"):
        people.select(where("orders", ">", 1), inplace=True)
    assert len(people.copy().select(where("country", "==", 1), inplace=True)) == 2


def test_all_agents_of_a_mixed_model() -> None:
    model, table, people = _world()
    chosen = model.agents.select(lambda agent: agent.orders >= 3)
    assert isinstance(chosen, AgentList)
    assert len(chosen) == 3
    assert isinstance(model.agents.select(where("orders", ">=", 3), agent_type=Person), ColumnAgentSet)
    assert len(model.agents.select(agent_type=Seller)) == 2
    assert sum(model.agents.get("orders")) == 207 == model.agents.agg("orders", sum)
    assert model.agents.groupby(lambda agent: type(agent).__name__).count() == {"Seller": 2, "Person": 6}
    assert model.agents.sort("orders").get("orders")[:3] == [100, 100, 3]
    assert len(model.agents.shuffle()) == 8
    assert len(model.agents.copy()) == 8
    model.agents.set("orders", 1)
    assert table.orders.tolist() == [1] * 6
    model.agents.remove(people[0])
    assert len(model.agents) == 7
    assert table.alive[0] == 0
    with pytest.raises(TypeError, match="registry"):
        model.agents.sort("orders", inplace=True)
    model.remove_all_agents()
    assert len(model.agents) == 0
