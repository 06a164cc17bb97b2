"""A search finds a planted front, and finds the same whoever computes and however often it is interrupted."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import numpy as np
import pytest

from analysis.search import FILE, Evaluate, Search, read_search, run_search
from sim.__main__ import main
from sim.errors import UserError
from sim.sweep.plan import Plan, Point, overrides_of

TINY = ("population.consumers=300", "firms.scale=0.1", "days=2", "warmup_days=0", "record=summary")
POINTS, SHARE = "interventions.tariff.points", "interventions.cap.share"
OBJECTIVES = ("--objective", "merchant_profit_usd:more", "--objective", "orders:less")
BEST_SHARE = 0.15
RANGE = (0.05, 0.25)


def searched(points: int = 48, seed: int = 3) -> Search:
    return read_search(
        None, ["scenario=tariff_reduction", "+interventions.cap.kind=commission_cap", "seed=4,5"],
        [f"{POINTS}:0.01:0.1", f"{SHARE}:0.05:0.25"], ["merchant_profit_usd:more", "government_revenue_usd:more"],
        points=points, batch=6, seed=seed,
    )  # fmt: skip


def gains(point: Point) -> np.ndarray:
    """Sellers gain with the cut and treasuries lose; both lose away from one share. A seed is worth the same to a point
    and its base."""
    noise = np.full(2, float(100 * point.cfg.seed))
    if not point.base:
        return noise
    told = overrides_of(point.overrides)
    cut, off = float(told[POINTS]) / 0.1, 4 * abs(float(told[SHARE]) - BEST_SHARE) / (RANGE[1] - RANGE[0])
    return noise + np.array([cut - off, 1 - cut - off])


def planted(workers: int, give_up_after: float = float("inf")) -> Evaluate:
    """The gains, by so many threads that end in any order; interrupted in the batch after so many."""
    chance = random.Random(workers)
    batches = iter(range(1_000))

    def one(point: Point) -> tuple[str, np.ndarray]:
        time.sleep(chance.random() * 1e-3)
        return point.hash, gains(point)

    def evaluate(plan: Plan) -> Mapping[str, np.ndarray]:
        if next(batches) >= give_up_after:
            raise KeyboardInterrupt
        with ThreadPoolExecutor(workers) as pool:
            return dict(done.result() for done in as_completed([pool.submit(one, point) for point in plan.points]))

    return evaluate


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    run_search(searched(), folder, planted(1))
    return folder / FILE


def test_the_planted_front_is_found(found: Path) -> None:
    content = json.loads(found.read_text())
    points = content["points"]
    assert len(points) == 48
    values = np.array([[outcome["difference"] for outcome in row["outcomes"].values()] for row in points])
    beaten = [any((values[i] >= own).all() and (values[i] > own).any() for i in range(48)) for own in values]
    assert [row["front"] for row in points] == [not lost for lost in beaten]
    # on the true front the gains add up to 1; of 20 random points the median is above 0.1 once in a thousand draws
    sums = values.sum(axis=1)
    assert np.median(sums[28:]) > 0.15
    assert sums[[row["front"] for row in points]].min() > 0.5
    for row in points:
        for outcome in row["outcomes"].values():
            assert outcome["low"] <= outcome["difference"] <= outcome["high"]
            assert outcome["high"] - outcome["low"] < 1e-9  # what a seed adds to both sides is gone


def test_workers_and_interruptions_change_nothing(found: Path, tmp_path: Path) -> None:
    run_search(searched(18), tmp_path / "two", planted(2))
    whole = json.loads(found.read_text())
    two = json.loads((tmp_path / "two" / FILE).read_text())
    strip = [{key: value for key, value in row.items() if key != "front"} for row in whole["points"][:18]]
    assert [{key: value for key, value in row.items() if key != "front"} for row in two["points"]] == strip
    with pytest.raises(KeyboardInterrupt):
        run_search(searched(18), tmp_path / "cut", planted(1, give_up_after=2))
    assert len(json.loads((tmp_path / "cut" / FILE).read_text())["points"]) == 12
    run_search(searched(18), tmp_path / "cut", planted(1))
    assert (tmp_path / "cut" / FILE).read_bytes() == (tmp_path / "two" / FILE).read_bytes()
    with pytest.raises(UserError, match="other sampler"):
        run_search(searched(18, seed=9), tmp_path / "cut", planted(1))


def test_a_point_that_failed_is_told_as_such(tmp_path: Path) -> None:
    def half(plan: Plan) -> Mapping[str, np.ndarray]:
        return {point.hash: gains(point) for point in plan.points if not (point.base and point.cfg.seed == 5)}

    content = run_search(searched(6), tmp_path, half)
    assert [(row["outcomes"], row["front"]) for row in content["points"]] == [(None, False)] * 6


def test_a_real_search_repeats_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [
        "search", *TINY, "scenario=commission_cap", "seed=1,2", "--vary", SHARE + ":0.05:0.15", *OBJECTIVES,
        "--points", "2", "--batch", "1", "--engine", "inline", "--out", str(tmp_path / "s"),
    ]  # fmt: skip
    assert main([*words, "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first == json.loads((tmp_path / "s" / FILE).read_text())
    made = sorted((tmp_path / "s" / "runs").glob("*/run.json"))
    assert len(made) == 6  # two points and one base, two seeds each
    times = [path.stat().st_mtime_ns for path in made]
    assert main(words) == 0
    assert "of 2 points are beaten by none (2 seeds)" in capsys.readouterr().out
    assert [path.stat().st_mtime_ns for path in made] == times
    assert main(["compare", str(tmp_path / "s"), "--json"]) == 0  # it is a sweep
    row = first["points"][0]
    (entry,) = [one for one in json.loads(capsys.readouterr().out)
                if (one["scenario"], one["metric"]) == (row["label"], "orders")]  # fmt: skip
    assert {name: entry[name] for name in row["outcomes"]["orders"]} == row["outcomes"]["orders"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--vary", SHARE), "there is none"),
        (OBJECTIVES, "nothing is varied"),
        (("--vary", SHARE, "--objective", "orders:up"), "METRIC:more"),
        (("--vary", SHARE, "--objective", "ordres:more"), "ordres"),
        (("--vary", SHARE + ":0:2", *OBJECTIVES), "leaves the declared range"),
        (("--vary", SHARE + ":0", *OBJECTIVES), "KEY:LOW:HIGH"),
        (("--vary", SHARE, *OBJECTIVES, "days=2,3"), "has 2 values"),
        (("--vary", SHARE, *OBJECTIVES, "--points", "0"), "points"),
    ],
)
def test_a_search_that_cannot_be_is_refused(
    words: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["search", "scenario=commission_cap", *words, "--out", str(tmp_path / "s")]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_a_shipped_search_can_be_read_and_is_no_sweep(capsys: pytest.CaptureFixture[str]) -> None:
    shipped = read_search("cap_and_cut", ["days=3"], points=5)
    assert (shipped.of.points, shipped.of.batch, shipped.seeds) == (5, 8, (0, 1, 2, 3))
    assert shipped.ranges["interventions.cap.strength"] == (0.0, 1.0)
    assert "days=3" in shipped.overrides
    assert "days=120" not in shipped.overrides
    assert main(["sweep", "--experiment", "cap_and_cut", "--dry-run"]) == 2
    assert "livecommerce search" in capsys.readouterr().err
