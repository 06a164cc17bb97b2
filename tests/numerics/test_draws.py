"""The generator, the draws and the float32 functions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import get_num_threads, njit, prange, set_num_threads
from scipy import special, stats

from sim.draws import Draws, Purpose, purpose_base
from sim.kernels import maths
from sim.kernels.philox import below, philox, unit

FALSE_ALARM = 1e-5
EACH = 100_000


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0, 0, 0, 0), (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_philox_gives_the_known_answers_of_random123(
    counter: tuple[int, ...], key: tuple[int, int], expected: str
) -> None:
    words = philox(*(np.uint32(value) for value in (*counter, *key)))
    assert " ".join(f"{int(word):08x}" for word in words) == expected


def test_unit_stays_strictly_inside_and_is_symmetric() -> None:
    lowest, highest = float(unit(np.uint32(0))), float(unit(np.uint32(0xFFFFFFFF)))
    assert lowest == 2.0**-24
    assert highest == 1 - 2.0**-24
    assert int(below(np.uint32(0xFFFFFFFF), np.uint32(7))) == 6
    assert int(below(np.uint32(0), np.uint32(7))) == 0


def test_draws_broadcast_and_agree_with_the_kernel() -> None:
    draws = Draws(2**40 + 17)
    entity = np.arange(5, dtype=np.int64)[:, None]
    tick = np.array([0, 8, 16])
    table = draws.words(Purpose.POPULARITY, entity, other=3, tick=tick, ordinal=2)
    assert table.shape == (5, 3, 4)
    address = (np.uint32(4), np.uint32(3), np.uint32(16), np.uint32(purpose_base(Purpose.POPULARITY) + 2))
    assert tuple(table[4, 2].tolist()) == tuple(int(word) for word in philox(*address, np.uint32(17), np.uint32(256)))
    uniform = draws.uniform(Purpose.POPULARITY, entity, other=3, tick=tick, ordinal=2, word=3)
    assert uniform[4, 2] == unit(table[4, 2, 3])
    assert float(draws.uniform(Purpose.POPULARITY, 4, 3, 16, 2, word=3)) == uniform[4, 2]
    assert float(draws.normal(Purpose.POPULARITY, 4, 3, 16, 2)) == maths.normal_quantile(unit(table[4, 2, 0]))
    assert np.array_equal(draws.uniform(1, entity[::-1, 0]), draws.uniform(1, entity[:, 0])[::-1])
    assert draws.uniform(1, np.zeros(0, np.uint32)).shape == (0,)
    frozen = np.arange(3, dtype=np.uint32)
    frozen.setflags(write=False)
    assert draws.integers(1, 10, frozen).max() < 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"entity": -1}, "entity"),
        ({"entity": 2**32}, "entity"),
        ({"entity": 1.5}, "whole"),
        ({"entity": 0, "tick": -8}, "tick"),
        ({"entity": 0, "tick": 2**32}, "tick"),
        ({"entity": 0, "other": [0, 2**32]}, "other"),
        ({"entity": 0, "ordinal": 256}, "ordinal"),
        ({"entity": 0, "purpose": 2**24}, "purpose"),
        ({"entity": 0, "word": 4}, "word"),
    ],
)
def test_addresses_that_do_not_fit_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Draws(1).uniform(**{"purpose": 1, **arguments})  # type: ignore[arg-type]


def test_seed_must_fit_in_64_bits() -> None:
    with pytest.raises(ValueError, match="seed"):
        Draws(2**64)
    assert Draws(2**64 - 1).key.tolist() == [0xFFFFFFFF, 0xFFFFFFFF]


def test_words_are_uniform_and_unrelated() -> None:
    """Chi-square over 256 cells for every word; correlations between words, neighbours, purposes, ticks and seeds."""
    entity = np.arange(EACH)
    base = Draws(7).words(100, entity)
    columns = [base[:, word] for word in range(4)]
    columns += [Draws(7).words(101, entity)[:, 0], Draws(7).words(100, entity, tick=8)[:, 0]]
    columns += [Draws(7).words(100, entity, other=1)[:, 0], Draws(7).words(100, entity, ordinal=1)[:, 0]]
    columns += [Draws(8).words(100, entity)[:, 0], Draws(7 + 2**32).words(100, entity)[:, 0], np.roll(base[:, 0], 1)]
    for column in columns:
        for shift in (24, 0):  # the highest and the lowest byte
            counts = np.bincount((column >> np.uint32(shift)) & np.uint32(255), minlength=256)
            assert stats.chisquare(counts).pvalue > FALSE_ALARM / (2 * len(columns))
    scaled = np.array(columns, dtype=np.float64)
    correlation = np.corrcoef(scaled)[np.triu_indices(len(columns), 1)]
    bound = stats.norm.isf(FALSE_ALARM / (2 * correlation.size)) / np.sqrt(EACH)
    assert np.abs(correlation).max() < bound


def test_normal_draws_follow_the_normal_law() -> None:
    values = Draws(3).normal(100, np.arange(EACH)).astype(np.float64)
    assert stats.kstest(values, "norm").pvalue > FALSE_ALARM
    assert np.abs(values).max() < 5.4


def _grid(low: float, high: float, count: int = 100_001) -> np.ndarray:
    return np.linspace(low, high, count).astype(np.float32)


def _ulps(found: np.ndarray, exact: np.ndarray) -> float:
    return float(np.max(np.abs(found.astype(np.float64) - exact) / np.spacing(np.abs(exact).astype(np.float32))))


def _apply(function: object, grid: np.ndarray, *constants: np.float32) -> np.ndarray:
    return np.array([function(value, *constants) for value in grid], dtype=np.float32)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("function", "exact", "grid", "ulps"),
    [
        (maths.exp1, np.exp, _grid(-87, 88), 1.5),
        (maths.log1, np.log, np.exp(_grid(-80, 80).astype(np.float64)).astype(np.float32), 1.0),
        (maths.log1, np.log, _grid(0.5, 2), 2.0),
        (maths.log1p_small, np.log1p, np.exp(_grid(-60, 0).astype(np.float64)).astype(np.float32), 3.0),
        (maths.sigmoid, special.expit, _grid(-86, 86), 3.0),
        (maths.log1p_exp, lambda x: np.logaddexp(0, x), _grid(-60, 60), 3.0),
    ],
)
def test_functions_are_within_their_stated_units_in_the_last_place(
    function: object, exact: object, grid: np.ndarray, ulps: float
) -> None:
    assert _ulps(_apply(function, grid), exact(grid.astype(np.float64))) <= ulps  # type: ignore[operator]


def test_functions_at_and_beyond_their_ends() -> None:
    assert maths.exp1(np.float32(-1000)) == maths.exp1(np.float32(-87)) > 0
    assert maths.exp1(np.float32(1000)) == maths.exp1(np.float32(88)) < np.inf
    assert maths.exp1(np.float32(0)) == 1
    assert maths.log1(np.float32(1)) == 0
    assert -89 < maths.log1(np.float32(0)) < -87
    assert maths.sigmoid(np.float32(0)) == 0.5
    assert maths.sigmoid(np.float32(100)) == 1
    assert maths.log1p_exp(np.float32(0)) == pytest.approx(np.log(2), rel=2e-7)
    assert np.isnan(maths.exp1(np.float32(np.nan)))
    table = np.array([[0.5, 2.0], [1.0, 70.0]])
    assert maths.exp_array(table).tolist() == [[maths.exp1(value) for value in row] for row in table]
    assert maths.log_array(table.T).tolist() == [[maths.log1(value) for value in row] for row in table.T]
    assert table[0, 0] == 0.5
    assert maths.exp1(1.0) == maths.exp1(np.float32(1))  # a Python float is rounded first: the same bits


def test_quantiles_are_accurate_and_symmetric() -> None:
    grid = np.concatenate((_grid(1e-3, 1 - 1e-3), np.float32(2.0) ** -np.arange(1, 25, dtype=np.float32)))
    found, exact = _apply(maths.normal_quantile, grid), special.ndtri(grid.astype(np.float64))
    assert np.all(np.abs(found - exact) <= 1e-6 * np.abs(exact) + 1e-7)
    assert maths.normal_quantile(np.float32(0.25)) == -maths.normal_quantile(np.float32(0.75))
    assert maths.normal_quantile(np.float32(0.5)) == 0
    assert maths.lognormal(np.float32(0.5), np.float32(3), np.float32(2)) == 3
    assert maths.exponential(np.float32(np.exp(-1)), np.float32(4)) == pytest.approx(4, rel=1e-6)
    assert maths.gumbel(np.float32(np.exp(-1))) == pytest.approx(0, abs=1e-6)
    base = _grid(0.01, 30, 5001)
    for power in (0.25, 1.3, 3.0):
        exact = base.astype(np.float64) ** np.float64(np.float32(power))
        bound = 1e-7 * (1 + 2 * np.abs(power * np.log(base.astype(np.float64))))
        assert np.all(np.abs(_apply(maths.pow1, base, np.float32(power)) / exact - 1) <= bound)


@pytest.mark.parametrize(
    "law", [stats.gamma(2.5), stats.gamma(0.6), stats.expon(), stats.weibull_min(1.7), stats.norm()]
)
def test_quantile_tables_follow_their_law(law: object) -> None:
    table = maths.quantile_table(law.ppf)  # type: ignore[attr-defined]
    grid = np.concatenate((_grid(1e-4, 1 - 1e-4, 20_001), 2.0 ** -_grid(1, 24, 2001)))
    found = np.array([maths.interp_quantile(table, value) for value in grid])
    exact = law.ppf(grid.astype(np.float64))  # type: ignore[attr-defined]
    assert np.max(np.abs(found - exact)) < 5e-4 * law.std()  # type: ignore[attr-defined]
    assert found[20_001:].min() >= table[0]
    assert maths.interp_quantile(table, np.float32(0)) == table[0]


def test_quantile_table_refuses_what_is_no_quantile() -> None:
    with pytest.raises(ValueError, match="decrease"):
        maths.quantile_table(lambda u: -u)
    with pytest.raises(ValueError, match="finite"):
        maths.quantile_table(lambda u: u * np.nan)


@njit(parallel=True, error_model="numpy")
def _everything(entity: np.ndarray, table: np.ndarray, out: np.ndarray) -> None:
    for row in prange(entity.size):
        words = philox(entity[row], np.uint32(1), np.uint32(2), np.uint32(3), np.uint32(4), np.uint32(5))
        out[row, 0] = maths.exp1(unit(words[0]))
        out[row, 1] = maths.log1(unit(words[1]))
        out[row, 2] = maths.normal_quantile(unit(words[2]))
        out[row, 3] = maths.interp_quantile(table, unit(words[3]))


def test_parallel_loops_give_the_bits_of_single_calls() -> None:
    entity = np.arange(4099, dtype=np.uint32)
    table = maths.quantile_table(stats.gamma(2.5).ppf)
    results = []
    threads = get_num_threads()
    for count in sorted({1, min(2, threads)}):
        set_num_threads(count)
        out = np.empty((entity.size, 4), dtype=np.float32)
        _everything(entity, table, out)
        results.append(out)
    set_num_threads(threads)
    assert all(np.array_equal(results[0], other) for other in results[1:])
    for row in (0, 17, 4098):
        words = philox(np.uint32(row), *(np.uint32(value) for value in (1, 2, 3, 4, 5)))
        expected = (
            maths.exp1(unit(words[0])),
            maths.log1(unit(words[1])),
            maths.normal_quantile(unit(words[2])),
            maths.interp_quantile(table, unit(words[3])),
        )
        assert tuple(results[0][row].tolist()) == tuple(float(value) for value in expected)


BITS_SCRIPT = """
import numpy as np
from sim.draws import Draws
from sim.kernels import maths
total = Draws(9).words(5, np.arange(50), tick=3).astype(np.uint64).sum()
values = [np.float32(value) for value in (-90, -3.3, -1e-6, 0, 0.1, 0.3, 0.97, 5.5, 70)]
table = maths.quantile_table(lambda u: np.asarray(u) ** 2)
one = [maths.exp1, maths.log1p_exp, maths.sigmoid]
inside = [maths.log1, maths.normal_quantile, maths.gumbel, lambda u: maths.pow1(u, np.float32(1.3)),
          lambda u: maths.lognormal(u, np.float32(2), np.float32(0.7)), lambda u: maths.interp_quantile(table, u),
          lambda u: maths.exponential(u, np.float32(3))]
found = [function(value) for function in one for value in values]
found += [function(value) for function in inside for value in values[4:7]]
print(int(total), np.array(found, dtype=np.float32).tobytes().hex(), Draws(9).normal(5, np.arange(9)).tobytes().hex())
"""


def test_without_compilation_the_bits_are_the_same() -> None:
    root = Path(__file__).resolve().parents[2]
    answers = [
        subprocess.run(
            [sys.executable, "-W", "error", "-c", BITS_SCRIPT],
            env={**os.environ, "NUMBA_DISABLE_JIT": switch, "PYTHONPATH": str(root)},
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for switch in ("0", "1")
    ]
    assert answers[0] == answers[1]
