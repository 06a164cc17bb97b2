"""Numbers with a unit, a range and a source, and the models that hold them.

In YAML every parameter is a *quantity*, a mapping `{value, unit, range, source, meaning}`:

    hop_probability: {value: 0.3, unit: "1", range: [0, 1], source: "assumed: ...", meaning: "chance to go on to ..."}

`value` may be a number, a string, a boolean, a list, or a mapping from names to values; `range` then holds for every
number in it (`null` at either end: unbounded). Models see plain values only; what a quantity says about itself is kept
as a `Quantity`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Self, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from sim.errors import ConfigError, Fault, list_names, nearest

QUANTITY_KEYS = frozenset({"value", "unit", "range", "source", "meaning"})
MOST_BYTES = 500_000  # of one YAML file; the largest that ships has a tenth of it
MOST_DIGITS = 24  # of a number in a message
MOST_VALUES = 100_000  # in one YAML file once its aliases are written out

type Plain = bool | int | float | str | list[Plain] | dict[str, Plain] | None


class Group(BaseModel):
    """Base of every configuration group: frozen, strict, no unknown key; integers pass for floats, lists for tuples."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    @classmethod
    def from_plain(cls, plain: Plain, where: str, prefix: str = "") -> Self:
        """The model of a tree of plain values. `ConfigError` lists every fault, with file, key and nearest name."""
        try:  # by way of JSON, where strictness means types and not Python classes (a YAML list is a tuple here)
            return cls.model_validate_json(json.dumps(plain))
        except ValidationError as error:
            raise ConfigError(faults_of(error, cls, where, prefix)) from None


@dataclass(frozen=True, slots=True)
class Quantity:
    """What a parameter says about itself. `low` and `high` are infinite where the range is open or absent."""

    key: str
    value: Plain
    unit: str
    low: int | float
    high: int | float
    source: str
    meaning: str
    file: str

    @property
    def range_text(self) -> str:
        """The range as users read it."""
        if math.isinf(self.low) and math.isinf(self.high):
            return "any"
        unit = "" if self.unit in ("", "1") else f" {self.unit}"
        return f"{_number(self.low)} to {_number(self.high)}{unit}"


class _Loader(yaml.SafeLoader):
    """Safe YAML that reads 1e-3 as a number, dates as strings and refuses a key given twice."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)[eE][-+]?[0-9]+$"),
    list("-+.0123456789"),
)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else str(loader.construct_object(key_node))
        if key in result:
            raise yaml.MarkedYAMLError(problem=f"the key '{key}' stands twice", problem_mark=key_node.start_mark)
        result[key] = loader.construct_object(value_node, deep=True)
    return result


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, keys as written. `ConfigError` when the file is missing, too large or not YAML."""
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(Fault(str(path), "", "is not a file"))
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ConfigError(Fault(str(path), "", f"has {size:,} bytes", f"at most {MOST_BYTES:,}"))
        tree = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
        values = _written_out(tree, {})
    except OSError as error:
        raise ConfigError(Fault(str(path), "", f"cannot be read ({error.strerror})")) from None
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text (byte {error.object[error.start]:#04x} at position {error.start})"
        raise ConfigError(Fault(str(path), "", problem, "a YAML file saved as UTF-8")) from None
    except (yaml.YAMLError, ValueError) as error:  # a ValueError: a number with thousands of digits, a false tag
        raise ConfigError(Fault(str(path), "", f"is not valid YAML: {_yaml_problem(error)}")) from None
    except RecursionError:
        raise ConfigError(Fault(str(path), "", "is nested too deeply", "a few levels of keys")) from None
    if values > MOST_VALUES:
        problem = f"stands for {values:,} values once its aliases are written out"
        raise ConfigError(Fault(str(path), "", problem, f"at most {MOST_VALUES:,}"))
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise ConfigError(Fault(str(path), "", "must hold a mapping of keys to values"))
    return tree


def _yaml_problem(error: Exception) -> str:
    """What a parser objects to, with line and column where it knows them."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "context", None) or str(error).partition(";")[0]
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    return place + " ".join(str(problem).split())


def _written_out(node: object, known: dict[int, int]) -> int:
    """How many values a tree stands for; what an alias repeats is counted each time but visited once."""
    if not isinstance(node, dict | list):
        return 1
    if id(node) not in known:
        inside = node.values() if isinstance(node, dict) else node
        known[id(node)] = 1 + sum(_written_out(inner, known) for inner in inside)
    return known[id(node)]


def is_quantity(node: object) -> bool:
    """Whether a node of a YAML tree is a quantity."""
    return isinstance(node, Mapping) and "value" in node and bool(QUANTITY_KEYS & (set(node) - {"value"}))


def strip(tree: object, where: str, prefix: str, faults: list[Fault], found: dict[str, Quantity]) -> Plain:
    """The tree with every quantity replaced by its plain value.

    Adds to `found` one `Quantity` per dotted key, and to `faults` whatever is malformed or out of its range.
    """
    if is_quantity(tree):
        assert isinstance(tree, Mapping)
        return _strip_quantity(tree, where, prefix, faults, found)
    if isinstance(tree, Mapping):
        return {str(k): strip(v, where, f"{prefix}.{k}" if prefix else str(k), faults, found) for k, v in tree.items()}
    if isinstance(tree, list | tuple):
        return [strip(v, where, f"{prefix}.{i}", faults, found) for i, v in enumerate(tree)]
    if tree is None or isinstance(tree, bool | int | float | str):
        return tree
    problem = f"holds {type(tree).__name__}"
    faults.append(Fault(where, prefix, problem, "a number, a text, true or false, null, a list or a mapping"))
    return None


def _strip_quantity(
    node: Mapping[str, Any], where: str, prefix: str, faults: list[Fault], found: dict[str, Quantity]
) -> Plain:
    for key in sorted(set(node) - QUANTITY_KEYS):
        known = list_names(QUANTITY_KEYS)
        faults.append(Fault(where, f"{prefix}.{key}", "is no part of a quantity", known, nearest(key, QUANTITY_KEYS)))
    value = strip(node["value"], where, prefix, faults, {})
    low: int | float = -math.inf  # whole limits stay whole: the largest seed is no float
    high: int | float = math.inf
    limits = node.get("range")
    if isinstance(limits, list | tuple) and len(limits) == 2:
        low = -math.inf if limits[0] is None else limits[0]
        high = math.inf if limits[1] is None else limits[1]
    elif limits is not None:
        faults.append(Fault(where, f"{prefix}.range", f"is {limits!r}", "[lowest, highest], null where open"))
    quantity = Quantity(
        prefix,
        value,
        str(node.get("unit", "")),
        low,
        high,
        str(node.get("source", "")),
        str(node.get("meaning", "")),
        where,
    )
    for key, number in numbers_in(value, prefix):
        if isinstance(number, float) and not math.isfinite(number):
            faults.append(Fault(where, key, f"{number} is not a finite number", quantity.range_text))
        elif not low <= number <= high:
            faults.append(Fault(where, key, f"{_number(number)} is out of range", quantity.range_text))
    found[prefix] = quantity
    return value


def numbers_in(value: Plain, prefix: str) -> Iterator[tuple[str, int | float]]:
    """Every number in a plain value with its dotted key."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers_in(inner, f"{prefix}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from numbers_in(inner, f"{prefix}.{index}")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield prefix, value


def _number(number: int | float) -> str:
    if isinstance(number, int):
        text = str(number)
        return text if len(text) <= MOST_DIGITS else f"{text[:MOST_DIGITS]}... ({len(text)} digits)"
    if math.isinf(number):
        return "any"  # an open end of a range
    return f"{number:,.0f}".replace(",", "") if number == int(number) and abs(number) < 1e15 else f"{number:g}"


def read_group(path: Path) -> dict[str, Any]:
    """The tree of a group's file together with the files its `defaults` list names, merged in that order.

    An entry `other` merges `other.yaml` beside it at the root, `other@key` under `key`; `_self_` stands for the file's
    own keys, which otherwise come last, as in Hydra.
    """
    own = read_yaml(path)
    entries = own.pop("defaults", [])
    if "_self_" not in entries:
        entries = [*entries, "_self_"]
    merged: dict[str, Any] = {}
    for entry in entries:
        if entry == "_self_":
            _merge(merged, own)
            continue
        name, _, package = str(entry).partition("@")
        tree = read_group(path.parent / f"{name}.yaml")
        for key in reversed([part for part in package.split(".") if part]):
            tree = {key: tree}
        _merge(merged, tree)
    return merged


def _merge(target: dict[str, Any], source: Mapping[str, Any]) -> None:
    for key, value in source.items():
        if isinstance(value, Mapping) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target[key] = dict(value) if isinstance(value, Mapping) else value


def load_group[Model: Group](path: str | Path, model: type[Model]) -> Model:
    """One group's model straight from its YAML file (with the files in its `defaults`). All faults at once."""
    return load_group_with_quantities(path, model)[0]


def load_group_with_quantities[Model: Group](path: str | Path, model: type[Model]) -> tuple[Model, dict[str, Quantity]]:
    """As `load_group`, with the quantities by dotted key."""
    path = Path(path)
    faults: list[Fault] = []
    found: dict[str, Quantity] = {}
    plain = strip(read_group(path), str(path), "", faults, found)
    try:
        result = model.from_plain(plain, str(path))
    except ConfigError as error:
        faults.extend(error.faults)
    if faults:
        raise ConfigError(faults)
    return result, found


_TYPE_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "string": "a text",
    "bool": "true or false",
    "tuple": "a list",
    "list": "a list",
    "dict": "a mapping of names to values",
    "model": "a mapping of names to values",
    "date": "a date, YYYY-MM-DD",
    "none": "null",
}


def faults_of(error: ValidationError, model: type[BaseModel], where: str, prefix: str = "") -> list[Fault]:
    """A pydantic error in the user's words, one fault per place."""
    faults = []
    for item in error.errors(include_url=False):
        place = [str(part) for part in item["loc"]]
        key = ".".join(([prefix] if prefix else []) + place)
        kind = item["type"]
        if kind == "extra_forbidden":
            known = fields_at(model, place[:-1])
            faults.append(Fault(where, key, "unknown key", list_names(known), nearest(place[-1], known)))
        elif kind == "missing":
            faults.append(Fault(where, key, "is missing"))
        elif kind == "literal_error":
            expected = str(item["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
            given = str(item["input"])
            faults.append(
                Fault(where, key, f"'{given}' is not a choice", expected, nearest(given, expected.split(", ")))
            )
        elif kind == "value_error":
            faults.append(Fault(where, key, str(item["ctx"]["error"])))
        elif kind.endswith(("_type", "_parsing", "_from_float", "_too_long", "_too_short")):
            word = kind.removesuffix("_type").removesuffix("_parsing").removesuffix("_from_float")
            given = item["input"]
            shown = f"'{given}'" if isinstance(given, str) else json.dumps(given, default=str)
            allowed = _TYPE_WORDS.get(word, item["msg"])
            if word == "int" and isinstance(given, float) and given.is_integer():
                allowed += f" without point or exponent: {int(given)}"
            faults.append(Fault(where, key, f"{shown[:60]} has the wrong type", allowed))
        else:
            given, allowed = item["input"], item["msg"].replace("Input should be ", "")
            lost = isinstance(given, float) and not math.isfinite(given)
            faults.append(Fault(where, key, f"{given} is not a finite number" if lost else f"is {given!r}", allowed))
    return faults


def fields_at(model: type[BaseModel], place: list[str]) -> list[str]:
    """The field names of the model reached by following `place`; empty when it leads to no model."""
    current: Any = model
    for part in place:
        if isinstance(current, type) and issubclass(current, BaseModel):
            field = current.model_fields.get(part)
            current = field.annotation if field is not None else None
        else:  # a mapping or a list of models: the part is a key or an index
            current = next((a for a in get_args(current) if _is_model(a)), None)
        if get_origin(current) in (Union, UnionType):
            current = next((a for a in get_args(current) if _is_model(a)), None)
    return list(current.model_fields) if _is_model(current) else []


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
