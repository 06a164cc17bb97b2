"""Nanoseconds of one draw and one float32 function inside a compiled loop, and of the array interface.

Run: python benchmarks/draws.py [--json]
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit
from scipy import stats

from sim.draws import Draws
from sim.kernels import maths
from sim.kernels.philox import philox, unit

LENGTH = 4096
REPEATS = 500


@njit(error_model="numpy")
def four_words(key: Any, out: Any) -> None:
    """All four words of every call, as uniforms."""
    for row in range(out.shape[1]):
        words = philox(np.uint32(row), np.uint32(0), np.uint32(8), np.uint32(256), key[0], key[1])
        out[0, row] = unit(words[0])
        out[1, row] = unit(words[1])
        out[2, row] = unit(words[2])
        out[3, row] = unit(words[3])


@njit(error_model="numpy")
def one_word(key: Any, out: Any) -> None:
    """The first word of every call, as a uniform."""
    for row in range(out.shape[1]):
        words = philox(np.uint32(row), np.uint32(0), np.uint32(8), np.uint32(256), key[0], key[1])
        out[0, row] = unit(words[0])


def loop_of(function: Callable[..., Any], *constants: Any) -> Callable[[Any, Any], None]:
    """A compiled loop that applies a scalar function to an array."""
    if len(constants) == 2:
        first, second = constants

        @njit(error_model="numpy")
        def run(values: Any, out: Any) -> None:
            for row in range(values.size):
                out[row] = function(values[row], first, second)

    elif len(constants) == 1:
        only = constants[0]

        @njit(error_model="numpy")
        def run(values: Any, out: Any) -> None:
            for row in range(values.size):
                out[row] = function(values[row], only)

    else:

        @njit(error_model="numpy")
        def run(values: Any, out: Any) -> None:
            for row in range(values.size):
                out[row] = function(values[row])

    return run


def nanoseconds(function: Callable[..., Any], *arguments: Any, per: int = LENGTH, repeats: int = REPEATS) -> float:
    """Best of five, per element."""
    function(*arguments)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(repeats):
            function(*arguments)
        best = min(best, (time.perf_counter() - start) / repeats / per * 1e9)
    return best


def main() -> None:
    """Measures and prints."""
    draws = Draws(1)
    out = np.empty((4, LENGTH), dtype=np.float32)
    found = {
        "philox, four uniforms": nanoseconds(four_words, draws.key, out),
        "philox, one uniform": nanoseconds(one_word, draws.key, out),
    }
    uniform = draws.uniform(1, np.arange(LENGTH))
    wide = (uniform - np.float32(0.5)) * np.float32(20)
    result = np.empty(LENGTH, dtype=np.float32)
    half = np.float32(0.5)
    for name, values, constants in (
        ("exp1", wide, ()),
        ("log1", uniform, ()),
        ("sigmoid", wide, ()),
        ("log1p_exp", wide, ()),
        ("gumbel", uniform, ()),
        ("exponential", uniform, (half,)),
        ("pow1", uniform, (half,)),
        ("normal_quantile", uniform, ()),
        ("lognormal", uniform, (half, half)),
    ):
        found[name] = nanoseconds(loop_of(getattr(maths, name), *constants), values, result)
    table = maths.quantile_table(stats.gamma(2.5).ppf)

    @njit(error_model="numpy")
    def from_table(table: Any, values: Any, out: Any) -> None:
        for row in range(values.size):
            out[row] = maths.interp_quantile(table, values[row])

    found["interp_quantile"] = nanoseconds(from_table, table, uniform, result)
    persons = np.arange(1_000_000, dtype=np.uint32)
    found["Draws.uniform, a million"] = nanoseconds(draws.uniform, 1, persons, per=persons.size, repeats=3)
    found["Draws.normal, a million"] = nanoseconds(draws.normal, 1, persons, per=persons.size, repeats=3)
    found["Draws.uniform, one call (fixed cost)"] = nanoseconds(draws.uniform, 1, 5, per=1, repeats=2000)
    generator = np.random.default_rng(1)
    found["numpy, one uniform (for comparison)"] = nanoseconds(
        generator.random, LENGTH, np.float32, per=LENGTH, repeats=REPEATS
    )
    if "--json" in sys.argv:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:40s} {value:9.2f} ns")


if __name__ == "__main__":
    main()
