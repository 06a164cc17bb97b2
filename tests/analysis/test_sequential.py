"""Seeds are added until the interval is tight, the same ones each time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from analysis import sequential
from analysis.sequential import Goal, Reach, add_seeds, coverage, next_size, read_goal
from sim.__main__ import main
from sim.errors import UserError

REQUEST = (
    "population.consumers=300", "firms.scale=0.1", "days=2", "warmup_days=0", "record=summary",
    "scenario=commission_cap", "--engine", "inline",
)  # fmt: skip


def test_a_goal_is_a_share_or_a_number() -> None:
    assert read_goal("gmv_usd:2%") == Goal("gmv_usd", 0.02, True)
    assert read_goal("gmv_usd:2%").target(-50.0) == 1.0
    assert read_goal("orders:250") == Goal("orders", 250.0, False)


@pytest.mark.parametrize("text", ["gmw_usd:1%", "gmv_usd", "gmv_usd:0%", "gmv_usd:-3", "gmv_usd:inf", "gmv_usd:x"])
def test_a_goal_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="--until"):
        read_goal(text)


def test_stages_go_to_what_is_needed_at_most_doubling() -> None:
    assert next_size(8, 11, 256) == 11
    assert next_size(8, 8, 256) == 9
    assert next_size(8, 1000, 256) == 16
    assert next_size(200, 201, 256) == 220
    assert next_size(200, 1000, 256) == 256


def test_seeds_follow_the_largest_until_all_goals_are_met(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[int]] = []

    def compute(seeds: Sequence[int]) -> list[str]:
        asked.append(list(seeds))
        return ["run"]

    def tight_at_thirty(folder: Path, goals: Sequence[Goal], names: Sequence[str]) -> list[Reach]:
        size = len(asked[-1])
        return [Reach("a", "s", "b", size, 1.0, 2.0, size), Reach("c", "s", "b", size, 30 / size, 1.0, 30)]

    monkeypatch.setattr(sequential, "reaches", tight_at_thirty)
    found = add_seeds(Path(), [], [3, 4], 100, compute)
    assert [len(seeds) for seeds in asked] == [8, 16, 30]
    assert asked[-1] == list(range(3, 33))
    assert all(reach.reached for reach in found)
    asked.clear()
    assert not all(reach.reached for reach in add_seeds(Path(), [], [3, 4], 20, compute))
    assert [len(seeds) for seeds in asked] == [8, 16, 20]
    assert add_seeds(Path(), [], [3, 4], 100, lambda seeds: []) == []


def test_intervals_that_stop_by_this_rule_cover_nearly_as_often_as_they_say() -> None:
    """1,500 repetitions: a standard error of 0.6 %; four of them are allowed below the 93 % that were measured."""
    values = np.random.default_rng(8).normal(size=(1_500, 128))
    share, seeds = coverage(values, 0.0, 0.5)
    assert 0.905 < share < 0.98
    assert 15 < seeds < 25  # 18 would do if the spread were known


def test_a_sweep_adds_seeds_and_repeats_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["sweep", *REQUEST, "seed=1,2", "--out", str(tmp_path / "s"), "--until", "room_visits:1000%", "--json"]
    assert main(words) == 0
    first = json.loads(capsys.readouterr().out)
    assert (first["runs"], first["computed"]) == (16, 16)  # eight seeds of the cap and of its base
    assert [(entry["seeds"], entry["reached"]) for entry in first["until"]] == [(8, True)]
    tight = [word.replace("1000%", "0.0001") for word in words]
    assert main([*tight, "--max-seeds", "10"]) == 1
    told = capsys.readouterr()
    second = json.loads(told.out)
    assert (second["runs"], second["computed"]) == (20, 4)
    assert [(entry["seeds"], entry["reached"]) for entry in second["until"]] == [(10, False)]
    assert "seeds would do" in told.err
    assert main(words) == 0  # more seeds in the folder do not change what was asked first
    assert json.loads(capsys.readouterr().out)["until"] == first["until"]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (("--until", "gmv_usd:1%", "--no-base"), "--no-base"),
        (("--until", "gmv_usd:1%", "--max-seeds", "4"), "--max-seeds"),
        (("--until", "gmv_usd:1%", "--until", "gmv_usd:2%"), "twice"),
    ],
)
def test_a_request_that_cannot_be_is_refused(
    extra: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", *REQUEST, "--out", str(tmp_path / "s"), *extra]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "s").exists()
