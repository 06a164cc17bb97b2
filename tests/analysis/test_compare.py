"""Paired comparison: numbers against hand-worked ones, and refusals in the user's words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from analysis.comparison import Study, compare, split_labels
from analysis.inference import estimate
from analysis.wording import clearest
from sim.__main__ import main
from sim.errors import RunFolderError, UserError
from sim.record.schema import Measure, cell
from tests.record.fake_world import FIRST_DAY, FakeWorld, new_recorder, written


def one_day(folder: Path, scenario: str, seed: int, orders: int, days: int = 100, model: str = "") -> Path:
    """A run with that many live orders of 10 USD in the United States out of a thousand visits."""
    recorder = new_recorder(scenario=scenario, seed=seed, days=days, **({"model_hash": model} if model else {}))
    where = cell(0, 1, 0, 0)
    recorder.tally.open_day(FIRST_DAY)
    recorder.tally.add(Measure.ROOM_VISITS, where, 1000)
    recorder.tally.add(Measure.ORDERS, where, orders)
    recorder.tally.add(Measure.GMV_CENTS, where, orders * 1000)
    recorder.close_day(FakeWorld(recorder), FIRST_DAY)
    return written(recorder, folder / f"{scenario}-{seed}-{days}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Differences of orders: 1, 2, 3 over three seeds."""
    root = tmp_path_factory.mktemp("study")
    for seed, (old, new) in enumerate([(30, 31), (35, 37), (40, 43)]):
        one_day(root, "baseline", seed, old)
        one_day(root, "cap", seed, new)
    return root


def test_estimate_is_student_s() -> None:
    found = estimate(np.array([1.0, 2.0, 3.0]))
    assert found.mean == 2.0
    assert found.low == pytest.approx(2 - 4.302653 / 3**0.5, abs=1e-5)
    assert found.high == pytest.approx(2 + 4.302653 / 3**0.5, abs=1e-5)
    assert found.p_positive == pytest.approx(0.9629, abs=1e-3)
    assert not found.sure


def test_no_spread_gives_an_interval_of_no_width() -> None:
    found = estimate(np.zeros(4))
    assert (found.mean, found.low, found.high, found.p_positive) == (0.0, 0.0, 0.0, 0.5)
    assert estimate(np.full(4, 2.0)).p_positive == 1.0


def test_one_seed_gives_no_interval() -> None:
    found = estimate(np.array([1.0]))
    assert (found.low, found.high, found.p_positive) == (None, None, None)


def test_differences_are_paired_by_seed(folder: Path) -> None:
    with Study([folder]) as study:
        found = {entry["metric"]: entry for entry in compare(study)}
    orders = found["orders"]
    assert (orders["scenario"], orders["base"], orders["seeds"]) == ("cap", "baseline", 3)
    assert orders["base_value"] == pytest.approx(35_000)
    assert orders["difference"] == pytest.approx(2_000)  # W is 1,000
    assert orders["relative"] == pytest.approx(2 / 35)
    assert orders["high"] - orders["low"] == pytest.approx(2 * 4.302653 / 3**0.5 * 1000, rel=1e-5)
    assert found["conversion"]["difference"] == pytest.approx(0.002)
    assert found["room_visits"]["difference"] == found["room_visits"]["low"] == found["room_visits"]["high"] == 0
    assert found["return_rate"]["difference"] is None
    assert found["return_rate"]["seeds"] == 0


def test_seeds_that_change_alike_get_words_and_no_mark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One order more in both seeds, as a newcomer's first comparison may find; visits are untouched."""
    for seed, orders in enumerate((30, 35)):
        one_day(tmp_path, "baseline", seed, orders)
        one_day(tmp_path, "cap", seed, orders + 1)
    assert main(["compare", str(tmp_path)]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "Live orders" in line)
    assert "(every seed alike: no interval)" in line
    assert not set(line) & set("\u25b2\u25bc\u25c6?")
    assert main(["compare", str(tmp_path), "--by", "country"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if " orders " in line)
    assert "(every seed alike: no interval)" in line
    with Study([tmp_path]) as study:
        found = {entry["metric"]: entry for entry in compare(study)}
    assert (found["orders"]["low"], found["orders"]["p_value"], found["orders"]["p_holm"]) == (None, None, None)
    assert (found["room_visits"]["low"], found["room_visits"]["p_value"]) == (0.0, 1.0)
    assert "orders" not in [entry["metric"] for entry in clearest(list(found.values()), "cap")]


def test_split_by_country(folder: Path) -> None:
    with Study([folder]) as study:
        found = {entry["country"]: entry for entry in compare(study, ["country"], names=["orders"])}
    assert found["US"]["difference"] == pytest.approx(2_000)


def test_the_order_of_folders_does_not_matter(folder: Path) -> None:
    runs = sorted(path for path in folder.iterdir())
    with Study(runs) as study, Study(runs[::-1]) as other:
        assert compare(study) == compare(other)


def test_refusals(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no runs of scenario 'basline'; there: baseline, cap; did you mean 'baseline'"):
        Study([folder], base="basline")
    lonely = one_day(tmp_path, "cap", 9, 30)
    with pytest.raises(UserError, match="baseline lacks seeds 9"):
        Study([folder, lonely])
    with pytest.raises(UserError, match="cap lacks seeds 1, 2"):
        Study([folder / "baseline-0-100", folder / "baseline-1-100", folder / "baseline-2-100", folder / "cap-0-100"])
    twice = one_day(tmp_path / "copy", "cap", 0, 30)
    with pytest.raises(UserError, match="are both cap with seed 0"):
        Study([folder, twice])
    short = one_day(tmp_path / "short", "cap", 0, 30, days=90)
    with pytest.raises(UserError, match="days=90"):
        Study([folder / "baseline-0-100", short])
    with pytest.raises(RunFolderError, match="no such folder"):
        Study([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(RunFolderError, match="no finished run"):
        Study([tmp_path / "empty"])
    with Study([folder]) as study, pytest.raises(UserError, match="did you mean 'orders'"):
        compare(study, names=["order"])


def test_a_damaged_run_is_named(folder: Path, tmp_path: Path) -> None:
    broken = one_day(tmp_path, "baseline", 0, 30)
    path = broken / "totals.parquet"
    path.write_bytes(path.read_bytes()[:-20])
    with Study([broken]) as study, pytest.raises(RunFolderError, match=r"totals.parquet: is damaged; remove"):
        study.store.query("SELECT SUM(orders) FROM totals", ["totals"])


def test_a_comparison_with_nothing_is_refused(folder: Path) -> None:
    with Study([folder / "baseline-0-100"]) as study, pytest.raises(UserError, match=r"nothing to compare: .*NAME=DIR"):
        compare(study)


def test_runs_of_one_scenario_are_told_apart_by_names(folder: Path, tmp_path: Path) -> None:
    other = one_day(tmp_path, "baseline", 0, 33, model="c" * 64)
    first = folder / "baseline-0-100"
    for pair, later in (((first, other), other), ((other, first), first)):
        with pytest.raises(UserError) as caught:
            Study(pair)
        assert "are both baseline with seed 0" in str(caught.value)
        assert str(caught.value).endswith(f"give one a name: {later.name}={later}")
    folders, labels = split_labels([str(first), f"capped={other}"])
    with Study(folders, labels=labels) as study:
        assert study.scenarios == ("baseline", "capped")
        (orders,) = compare(study, names=["orders"])
    assert (orders["scenario"], orders["difference"]) == ("capped", pytest.approx(3_000))
    folders, labels = split_labels([f"after={other}", f"before={first}"])
    with Study(folders, "before", labels) as study:
        assert study.scenarios == ("before", "after")


def test_names_of_runs(folder: Path, tmp_path: Path) -> None:
    folders, labels = split_labels([f"all={folder}"])
    assert len(folders) == 6
    assert set(labels.values()) == {"all"}
    first = folder / "baseline-0-100"
    with pytest.raises(UserError, match="called both one and two"):
        split_labels([f"one={first}", f"two={first}"])
    for name in ("", "a b", "<b>", "[red]"):
        with pytest.raises(UserError, match="no name for runs"):
            split_labels([f"{name}={first}"])
    with pytest.raises(RunFolderError, match="empty"):
        split_labels(["one="])
    odd = one_day(tmp_path / "a=b", "baseline", 0, 30)
    assert split_labels([str(odd)]) == ([odd], {})


def test_a_run_named_in_two_ways_is_one_run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    with Study(["baseline-0-100", str(folder / "baseline-0-100"), "./cap-0-100"]) as study:
        assert len(study.runs) == 2
