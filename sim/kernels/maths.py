"""Elementary functions in float32 that give the same bits everywhere the model runs.

The C library's exp, log and pow differ between versions and between scalar and vector code, so nothing that feeds state
may call them. These are polynomials evaluated in a fixed order with ordinary float32 operations (which IEEE 754 defines
exactly), compiled without fast-math and therefore without fused multiply-adds. They vectorise inside loops.

Each function takes float32 scalars and returns a float32; called from plain Python it returns the same value (as a
Python float if compiled). Arguments of other types are rounded to float32 first. NaN in gives NaN out, except from
`interp_quantile`, whose argument must be a probability. Polynomials: Cephes mathematical
library (S. L. Moshier), single precision; normal quantile: M. J. Wichura, algorithm AS 241 (PPND7), 1988.

Without compilation (`NUMBA_DISABLE_JIT=1`) the two bit casts are replaced by numpy views; all else is the same code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import config, njit, types
from numba.extending import intrinsic
from numpy.typing import ArrayLike, NDArray

ZERO = np.float32(0.0)
HALF = np.float32(0.5)
ONE = np.float32(1.0)
EXP_LOWEST = np.float32(-87.0)
EXP_HIGHEST = np.float32(88.0)
LOG2_E = np.float32(1.44269504088896341)
LN2_HIGH = np.float32(0.693359375)  # few bits, so that a small integer times it is exact
LN2_LOW = np.float32(-2.12194440e-4)
ROUNDER = np.float32(12582912.0)  # 1.5 * 2^23: adding it rounds to the nearest integer and leaves that in the low bits
ROUNDER_BITS = np.int32(0x4B400000)
EXPONENT_BIAS = np.int32(127)
MANTISSA_BITS = np.int32(23)
SQRT_HALF_BITS = np.int32(0x3F3504F3)

EXP_2 = np.float32(5.0000001201e-1)
EXP_3 = np.float32(1.6666665459e-1)
EXP_4 = np.float32(4.1665795894e-2)
EXP_5 = np.float32(8.3334519073e-3)
EXP_6 = np.float32(1.3981999507e-3)
EXP_7 = np.float32(1.9875691500e-4)

LOG_3 = np.float32(3.3333331174e-1)
LOG_4 = np.float32(-2.4999993993e-1)
LOG_5 = np.float32(2.0000714765e-1)
LOG_6 = np.float32(-1.6668057665e-1)
LOG_7 = np.float32(1.4249322787e-1)
LOG_8 = np.float32(-1.2420140846e-1)
LOG_9 = np.float32(1.1676998740e-1)
LOG_10 = np.float32(-1.1514610310e-1)
LOG_11 = np.float32(7.0376836292e-2)

QUANTILE_SPLIT = np.float32(0.425)
QUANTILE_CENTRE = np.float32(0.180625)
QUANTILE_NEAR = np.float32(1.6)
QUANTILE_FAR = np.float32(5.0)
CENTRE_A0 = np.float32(3.3871327179)
CENTRE_A1 = np.float32(50.434271938)
CENTRE_A2 = np.float32(159.29113202)
CENTRE_A3 = np.float32(59.109374720)
CENTRE_B1 = np.float32(17.895169469)
CENTRE_B2 = np.float32(78.757757664)
CENTRE_B3 = np.float32(67.187563600)
TAIL_C0 = np.float32(1.4234372777)
TAIL_C1 = np.float32(2.7568153900)
TAIL_C2 = np.float32(1.3067284816)
TAIL_C3 = np.float32(0.17023821103)
TAIL_D1 = np.float32(0.73700164250)
TAIL_D2 = np.float32(0.12021132975)
FAR_E0 = np.float32(6.6579051150)
FAR_E1 = np.float32(3.0812263860)
FAR_E2 = np.float32(0.42868294337)
FAR_E3 = np.float32(0.017337203997)
FAR_F1 = np.float32(0.24197894225)
FAR_F2 = np.float32(0.012258202635)

FIXED_SCALE = np.float32(65535.0)

TABLE_STEP_BITS = np.int32(18)  # 2^5 steps an octave: 23 mantissa bits less 5
TABLE_STEPS = 32
TABLE_OCTAVES = 23
TABLE_SIDE = np.int32(TABLE_STEPS * TABLE_OCTAVES + 2)
TABLE_FIRST = np.int32(103 << 5)  # of 2^-24, the smallest probability told apart
TABLE_MASK = np.int32((1 << 18) - 1)
TABLE_FRACTION = np.float32(2.0**-18)
NEXT = np.uint64(1)
SMALLEST_PROBABILITY = np.float32(2.0**-24)

if vars(config)["DISABLE_JIT"]:

    def float_bits(value: np.float32) -> np.int32:
        """The 32 bits of a float32 as a signed integer."""
        return np.int32(np.float32(value).view(np.int32))

    def bits_float(bits: np.int32) -> np.float32:
        """The float32 whose 32 bits are the given signed integer."""
        return np.float32(np.int32(bits).view(np.float32))

else:

    @intrinsic
    def float_bits(typing_context: Any, value: Any) -> Any:
        """The 32 bits of a float32 as a signed integer (`.view` of a scalar would fail in parallel loops)."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], context.get_value_type(types.int32))

        return types.int32(types.float32), generate

    @intrinsic
    def bits_float(typing_context: Any, bits: Any) -> Any:
        """The float32 whose 32 bits are the given signed integer."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.bitcast(arguments[0], context.get_value_type(types.float32))

        return types.float32(types.int32), generate


@njit(cache=True, error_model="numpy", forceinline=True)
def exp1(x: np.float32) -> np.float32:
    """e^x, within 1.5 units in the last place. The argument is held to [-87, 88]: never 0, never infinite."""
    value = np.float32(x)
    value = EXP_LOWEST if value < EXP_LOWEST else value
    value = EXP_HIGHEST if value > EXP_HIGHEST else value
    shifted = value * LOG2_E + ROUNDER
    whole = shifted - ROUNDER
    rest = value - whole * LN2_HIGH - whole * LN2_LOW
    series = ((((EXP_7 * rest + EXP_6) * rest + EXP_5) * rest + EXP_4) * rest + EXP_3) * rest + EXP_2
    power = np.int32(float_bits(shifted) - ROUNDER_BITS)
    return (series * (rest * rest) + rest + ONE) * bits_float(np.int32((power + EXPONENT_BIAS) << MANTISSA_BITS))


@njit(cache=True, error_model="numpy", forceinline=True)
def log1(x: np.float32) -> np.float32:
    """Natural logarithm of a positive normal float32, within 1 unit in the last place (2 near 1).

    0 gives -88.03 (as if 0 were the smallest normal number), never minus infinity; negative numbers are not allowed.
    """
    bits = float_bits(np.float32(x))
    exponent = np.int32((bits - SQRT_HALF_BITS) >> MANTISSA_BITS)
    rest = bits_float(np.int32(bits - np.int32(exponent << MANTISSA_BITS))) - ONE
    power = np.float32(exponent)
    square = rest * rest
    series = (((LOG_11 * rest + LOG_10) * rest + LOG_9) * rest + LOG_8) * rest + LOG_7
    series = (((series * rest + LOG_6) * rest + LOG_5) * rest + LOG_4) * rest + LOG_3
    tail = series * rest * square + power * LN2_LOW - HALF * square
    return rest + tail + power * LN2_HIGH


@njit(cache=True, error_model="numpy", forceinline=True)
def log1p_small(x: np.float32) -> np.float32:
    """ln(1 + x) for x >= 0, to full relative accuracy also where x is tiny (3 units in the last place)."""
    value = np.float32(x)
    total = ONE + value
    return log1(total) + (value - (total - ONE)) / total


@njit(cache=True, error_model="numpy", forceinline=True)
def sigmoid(x: np.float32) -> np.float32:
    """1 / (1 + e^-x), the logistic function, within 3 units in the last place for |x| <= 87."""
    return ONE / (ONE + exp1(-np.float32(x)))


@njit(cache=True, error_model="numpy", forceinline=True)
def log1p_exp(x: np.float32) -> np.float32:
    """ln(1 + e^x): the expected best of two logit options, one of value 0. Within 3 units in the last place."""
    value = np.float32(x)
    positive = value if value > ZERO else ZERO
    return positive + log1p_small(exp1(-abs(value)))


@njit(cache=True, error_model="numpy", forceinline=True)
def pow1(x: np.float32, y: np.float32) -> np.float32:
    """x^y for x > 0 as e^(y ln x): relative error about 1e-7 * (1 + 2 |y ln x|)."""
    return exp1(np.float32(y) * log1(x))


@njit(cache=True, error_model="numpy", forceinline=True)
def normal_quantile(u: np.float32) -> np.float32:
    """Standard normal quantile of a probability strictly between 0 and 1 (relative error below 1e-6, AS 241 PPND7).

    Both the central and the tail formula are computed and one is chosen, so that loops vectorise.
    """
    probability = np.float32(u)
    offset = probability - HALF
    inner = QUANTILE_CENTRE - offset * offset
    centre = (
        offset
        * (((CENTRE_A3 * inner + CENTRE_A2) * inner + CENTRE_A1) * inner + CENTRE_A0)
        / (((CENTRE_B3 * inner + CENTRE_B2) * inner + CENTRE_B1) * inner + ONE)
    )
    smaller = probability if offset < ZERO else ONE - probability
    root = np.sqrt(-log1(smaller))
    near = root - QUANTILE_NEAR
    far = root - QUANTILE_FAR
    is_far = root > QUANTILE_FAR
    above = (
        ((FAR_E3 * far + FAR_E2) * far + FAR_E1) * far + FAR_E0
        if is_far
        else ((TAIL_C3 * near + TAIL_C2) * near + TAIL_C1) * near + TAIL_C0
    )
    under = (FAR_F2 * far + FAR_F1) * far + ONE if is_far else (TAIL_D2 * near + TAIL_D1) * near + ONE
    tail = above / under
    tail = -tail if offset < ZERO else tail
    return centre if abs(offset) <= QUANTILE_SPLIT else tail


@njit(cache=True, error_model="numpy", forceinline=True)
def lognormal(u: np.float32, median: np.float32, sigma: np.float32) -> np.float32:
    """Lognormal quantile of probability u: median * e^(sigma * z), `sigma` the standard deviation of the logarithm."""
    return np.float32(median) * exp1(np.float32(sigma) * normal_quantile(u))


@njit(cache=True, error_model="numpy", forceinline=True)
def exponential(u: np.float32, mean: np.float32) -> np.float32:
    """Exponential quantile of probability 1 - u: -mean * ln u, for u strictly between 0 and 1."""
    return -np.float32(mean) * log1(u)


@njit(cache=True, error_model="numpy", forceinline=True)
def gumbel(u: np.float32) -> np.float32:
    """Standard Gumbel quantile, -ln(-ln u): added to utilities it makes the best option a logit choice."""
    return -log1(-log1(u))


@njit(cache=True, error_model="numpy", forceinline=True)
def from_fixed(stored: np.uint16) -> np.float32:
    """The number in [0, 1] that a 16-bit fixed-point value stands for: stored / 65535, exact at both ends."""
    return np.float32(stored) / FIXED_SCALE


@njit(cache=True, error_model="numpy", forceinline=True)
def to_fixed(value: np.float32) -> np.uint16:
    """The nearest 16-bit fixed-point value of a number, held to [0, 1]; inverse of `from_fixed`.

    For values that are set or move by visible amounts. The error is at most 2^-17 and has no sign on average, but a
    change of less than half a step (7.6e-6) is lost every time: use `to_fixed_keyed` for slow drifts.
    """
    held = ZERO if value < ZERO else np.float32(value)
    held = ONE if held > ONE else held
    return np.uint16(np.int32(held * FIXED_SCALE + HALF))


@njit(cache=True, error_model="numpy", forceinline=True)
def to_fixed_keyed(value: np.float32, u: np.float32) -> np.uint16:
    """A number, held to [0, 1], rounded up or down to 16-bit fixed point with the odds that keep its mean exact.

    `u` is a uniform draw addressed by the person and the day. A drift much smaller than one step thus happens at its
    right average speed instead of not at all.
    """
    held = ZERO if value < ZERO else np.float32(value)
    held = ONE if held > ONE else held
    scaled = held * FIXED_SCALE
    whole = np.float32(np.int32(scaled))  # the fraction is exact, the sum `scaled + u` would not be
    up = np.int32(1) if u < scaled - whole else np.int32(0)
    return np.uint16(np.int32(whole) + up)


@njit(cache=True, error_model="numpy", nogil=True)
def _exp_all(values: NDArray[np.float32]) -> None:
    for place in range(values.size):
        values[place] = exp1(values[place])


@njit(cache=True, error_model="numpy", nogil=True)
def _log_all(values: NDArray[np.float32]) -> None:
    for place in range(values.size):
        values[place] = log1(values[place])


def exp_array(values: ArrayLike) -> NDArray[np.float32]:
    """`exp1` of an array of any shape: what `numpy.exp` would give, with the same bits everywhere."""
    result = np.array(values, dtype=np.float32, order="C")
    _exp_all(result.reshape(-1))
    return result


def log_array(values: ArrayLike) -> NDArray[np.float32]:
    """`log1` of an array of any shape (positive values), with the same bits everywhere."""
    result = np.array(values, dtype=np.float32, order="C")
    _log_all(result.reshape(-1))
    return result


def exps(values: ArrayLike) -> NDArray[np.float64]:
    """`exp_array` as float64, for sums of firms; exponents held to +-30."""
    return exp_array(np.minimum(np.maximum(values, -30.0), 30.0)).astype(np.float64)


def logs(values: ArrayLike) -> NDArray[np.float64]:
    """`log_array` as float64, for sums of firms; what is below 1e-30 counts as that."""
    return log_array(np.maximum(values, 1e-30)).astype(np.float64)


def sum_rows(group: NDArray[np.integer], values: NDArray[np.floating], groups: int) -> NDArray[np.float64]:
    """float64[groups, k]: sums of the rows of `values` (n, k) by `group` (n,), added up in the order of the rows."""
    width = values.shape[1]
    place = group.astype(np.int64)[:, None] * width + np.arange(width)
    return np.bincount(place.reshape(-1), values.reshape(-1), groups * width).reshape(groups, width)


def quantile_table(quantile: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> NDArray[np.float32]:
    """Tabulates any one-dimensional distribution for `interp_quantile`.

    `quantile` maps probabilities (float64 array, strictly between 0 and 1) to values, for example
    `scipy.stats.gamma(2.5).ppf`. The grid is finer towards both ends, 32 steps for every halving of the distance to the
    end down to 2^-24, so the tails are as good as the middle. Returns float32[1476]: the lower side, then the upper.
    Raises ValueError if the quantile is not finite or decreases.
    """
    steps = np.arange(int(TABLE_SIDE), dtype=np.float64)
    octave, step = np.divmod(steps, TABLE_STEPS)
    distance = np.minimum((1 + step / TABLE_STEPS) * 2.0 ** (octave - 24), 0.5)
    lower = np.asarray(quantile(distance), dtype=np.float64)
    upper = np.asarray(quantile(1 - distance), dtype=np.float64)
    if not (np.isfinite(lower).all() and np.isfinite(upper).all()):
        raise ValueError("quantile_table: the quantile function must be finite from 2^-24 to 1 - 2^-24")
    if (np.diff(lower) < 0).any() or (np.diff(upper) > 0).any():
        raise ValueError("quantile_table: the quantile function must not decrease")
    return np.concatenate((lower, upper)).astype(np.float32)


@njit(cache=True, error_model="numpy", forceinline=True)
def interp_quantile(table: NDArray[np.float32], u: np.float32) -> np.float32:
    """Value of probability u from a `quantile_table`, linear between grid points.

    Error for an exponential tail: below 1.3e-4 of its scale. u is held to [2^-24, 1 - 2^-24].
    """
    probability = np.float32(u)
    is_upper = probability > HALF
    distance = ONE - probability if is_upper else probability
    distance = SMALLEST_PROBABILITY if distance < SMALLEST_PROBABILITY else distance
    bits = float_bits(distance)
    index = np.int32((bits >> TABLE_STEP_BITS) - TABLE_FIRST)
    place = np.uint64(index + TABLE_SIDE) if is_upper else np.uint64(index)  # unsigned: no test for negative indices
    fraction = np.float32(np.int32(bits & TABLE_MASK)) * TABLE_FRACTION
    left: np.float32 = table[place]
    right: np.float32 = table[place + NEXT]
    return left + fraction * (right - left)
