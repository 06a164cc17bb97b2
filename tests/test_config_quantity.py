"""Quantities: what YAML says about a number is checked, kept, and taken off before a model sees it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from sim.config.quantity import Group, Quantity, load_group, load_group_with_quantities, read_group, read_yaml
from sim.errors import ConfigError


class Inner(Group):
    rate: float
    steps: tuple[float, ...]


class Outer(Group):
    share: float
    count: int
    inner: Inner
    by_country: dict[str, float]
    name: str = "x"


GOOD = """
share: {value: 1, unit: "1", range: [0, 1], source: "assumed", meaning: "a share"}
count: {value: 3, unit: "people", range: [0, null], source: "assumed", meaning: "a count"}
inner:
  rate: {value: 2e-1, unit: "1/day", range: [0, 3], source: "assumed", meaning: "a rate"}
  steps: {value: [1, 2.5], unit: "days", range: [0, 9], source: "assumed", meaning: "steps"}
by_country: {value: {NO: 1e-3, ON: .5}, unit: "1", range: [0, 1], source: "assumed", meaning: "by country"}
"""


@pytest.fixture
def group(tmp_path: Path) -> Path:
    path = tmp_path / "default.yaml"
    path.write_text(GOOD)
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_group(path, Outer)
    return [str(fault) for fault in caught.value.faults]


def test_values_are_plain_and_metadata_are_kept(group: Path) -> None:
    model, quantities = load_group_with_quantities(group, Outer)
    assert model == Outer(
        share=1.0, count=3, inner=Inner(rate=0.2, steps=(1.0, 2.5)), by_country={"NO": 0.001, "ON": 0.5}
    )
    assert quantities["inner.rate"] == Quantity("inner.rate", 0.2, "1/day", 0, 3, "assumed", "a rate", str(group))
    assert quantities["count"].high == math.inf
    assert quantities["inner.rate"].range_text == "0 to 3 1/day"


def test_a_whole_number_passes_for_a_float_but_not_the_reverse(group: Path) -> None:
    group.write_text(GOOD.replace("value: 3,", "value: 3.5,"))
    (fault,) = faults(group)
    assert "count" in fault
    assert "a whole number" in fault


def test_a_text_is_never_a_number(group: Path) -> None:
    group.write_text(GOOD.replace("value: 1,", "value: '1',"))
    (fault,) = faults(group)
    assert "share" in fault
    assert "a number" in fault


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("value: 1,", "value: 1.01,", "share"),
        ("value: [1, 2.5]", "value: [1, 99]", "inner.steps.1"),
        ("ON: .5", "ON: -5", "by_country.ON"),
    ],
)
def test_every_number_of_a_quantity_must_lie_in_its_range(group: Path, old: str, new: str, key: str) -> None:
    group.write_text(GOOD.replace(old, new))
    (fault,) = faults(group)
    assert f"{key}: " in fault
    assert "out of range; allowed: 0 to" in fault


@pytest.mark.parametrize(("given", "said"), [(".nan", "nan"), (".inf", "inf"), ("-.inf", "-inf")])
def test_only_finite_numbers_are_taken(group: Path, given: str, said: str) -> None:
    group.write_text(GOOD.replace("ON: .5", f"ON: {given}"))
    (fault,) = faults(group)
    assert f"by_country.ON: {said} is not a finite number; allowed: 0 to" in fault


def test_a_number_of_many_digits_is_shortened(group: Path) -> None:
    group.write_text(GOOD.replace("ON: .5", f"ON: {'9' * 400}"))
    (fault,) = faults(group)
    assert f"by_country.ON: {'9' * 24}... (400 digits) is out of range; allowed: 0 to" in fault


def test_all_faults_are_told_at_once_with_the_nearest_name(group: Path) -> None:
    group.write_text(
        GOOD.replace("  rate:", "  rat:").replace("value: 1,", "value: 7,").replace('unit: "days"', "uint: d")
    )
    told = faults(group)
    assert len(told) == 4, told
    assert any("share: 7 is out of range" in t for t in told)
    assert any("inner.rat: unknown key; allowed: rate, steps; did you mean 'rate'?" in t for t in told)
    assert any("inner.rate: is missing" in t for t in told)
    assert any("inner.steps.uint" in t and "did you mean 'unit'?" in t for t in told)
    assert all(str(group) in t for t in told)


def test_a_key_given_twice_is_an_error(group: Path) -> None:
    group.write_text(GOOD + "count: 4\n")
    (fault,) = faults(group)
    assert "'count' stands twice" in fault


def test_dates_stay_text(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text("day: 2023-02-01\n")
    assert read_yaml(path) == {"day": "2023-02-01"}


@pytest.mark.parametrize("content", ["a: [1", "- 1", "\t- x: :"])
def test_what_is_no_mapping_is_told(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(content)
    with pytest.raises(ConfigError, match=str(path)):
        read_yaml(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        read_yaml(tmp_path / "none.yaml")


def test_a_file_may_name_files_to_build_on(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x: 1\ny: {p: 1, q: 1}\n")
    (tmp_path / "b.yaml").write_text("rate: 5\n")
    (tmp_path / "default.yaml").write_text("defaults: [a, b@inner, _self_]\ny: {q: 2}\n")
    assert read_group(tmp_path / "default.yaml") == {"x": 1, "y": {"p": 1, "q": 2}, "inner": {"rate": 5}}
    (tmp_path / "default.yaml").write_text("defaults: [_self_, a]\nx: 2\n")
    assert read_group(tmp_path / "default.yaml")["x"] == 1


def test_models_are_frozen(group: Path) -> None:
    model = load_group(group, Outer)
    with pytest.raises(ValueError, match="frozen"):
        model.share = 0.5  # type: ignore[misc]
