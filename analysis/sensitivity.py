"""Which parameter an outcome hangs on: Morris screening and Sobol indices of a sweep's design, and how much is noise.

The indices are those of the mean over seeds. How much of a single run's variance comes from its seed is told apart.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analysis.inference import CONFIDENCE
from analysis.points import Point, read_points
from sim.errors import UserError
from sim.sweep.driver import DESIGN
from sim.sweep.plan import problem

F64 = NDArray[np.float64]

RESAMPLES: Final = 1_000
_SEED: Final = 20_230_101


def read_design(folder: Path) -> dict[str, Any]:
    """The design of a sweep, as `sim.sweep.plan.Plan.design`. `UserError` when it has none."""
    try:
        content: dict[str, Any] = json.loads((folder / DESIGN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise UserError(
            f"{folder / DESIGN}: is not there or damaged; a sweep of an experiment with"
            " `design: {kind: morris}` or `{kind: sobol}` writes it"
        ) from None
    return content


def sensitivity(folder: Path, metric: str, of: str | None = None) -> list[dict[str, Any]]:
    """Indices of every parameter of a sweep's design, for each scenario or setting beside the design.

    Args:
        folder: of a sweep with a Morris or a Sobol design. metric, of: as in `analysis.points.read_points`.

    Returns:
        One dictionary a group of points: `fixed` (what is set beside the design), kind, metric, points, seeds,
        `parameters` (see `morris` and `sobol`) and `noise` (see `noise_shares`; None with one seed).

    Raises:
        UserError: another design, points that have not finished, or seeds that differ between points.
    """
    design = read_design(folder)
    if design["kind"] not in ("morris", "sobol"):
        raise UserError(
            f"{folder}: its design is a {design['kind']}; sensitivity needs morris or sobol"
            " (`livecommerce discover` reads any)"
        )
    keys = design["parameters"]
    groups: dict[str, dict[tuple[str, ...], Point]] = {}
    for point in read_points(folder, metric, of):
        if all(key in point.settings for key in keys):
            fixed = " ".join(f"{key}={value}" for key, value in sorted(point.settings.items()) if key not in keys)
            groups.setdefault(fixed, {})[tuple(point.settings[key] for key in keys)] = point
    unit = np.array(design["unit"])
    rows = [tuple(row) for row in design["values"]]
    result = []
    for fixed, points in sorted(groups.items()):
        missing = sum(row not in points for row in rows)
        if missing:
            raise UserError(f"{folder}: {missing} of {len(rows)} points of the design have no {metric} yet ({fixed})")
        seeds = points[rows[0]].seeds
        if any(points[row].seeds != seeds for row in rows):
            raise UserError(f"{folder}: the points of the design have {metric} for different seeds ({fixed})")
        outcome = np.array([points[row].outcome for row in rows])
        size = len(keys) + 1 if design["kind"] == "morris" else len(keys) * (1 + design["second_order"]) + 2
        means = outcome.mean(axis=1)
        found = morris(unit, means) if size == len(keys) + 1 else sobol(means, len(keys), design["second_order"])
        result.append(
            {
                "fixed": fixed, "kind": design["kind"], "metric": metric, "points": len(rows), "seeds": len(seeds),
                "parameters": dict(zip(keys, found, strict=True)),
                "noise": noise_shares(outcome, size) if len(seeds) > 1 else None,
            }
        )  # fmt: skip
    if not result:
        raise UserError(f"{folder}: no finished point sets all of {', '.join(keys)}")
    return result


def elementary_effects(unit: F64, outcome: F64) -> F64:
    """float64[trajectories, parameters] of a Morris design.

    Args:
        unit: float64[trajectories x (parameters + 1), parameters], one parameter moved from row to row.
        outcome: float64[rows].
    """
    parameters = unit.shape[1]
    paths = unit.reshape(-1, parameters + 1, parameters)
    steps = np.diff(paths, axis=1)
    moved = np.abs(steps).argmax(axis=2)
    size = np.take_along_axis(steps, moved[:, :, None], axis=2)[:, :, 0]
    effects = np.empty((len(paths), parameters))
    np.put_along_axis(effects, moved, np.diff(outcome.reshape(len(paths), -1), axis=1) / size, axis=1)
    return effects


def morris(unit: F64, outcome: F64) -> list[dict[str, float]]:
    """mu, mu_star, sigma of each parameter over its whole range, with percentile bootstrap intervals over trajectories
    of the last two (Morris, Technometrics 33, 1991; Campolongo, Cariboni and Saltelli, 2007).
    """
    effects = elementary_effects(unit, outcome)
    chance = np.random.default_rng(_SEED)
    drawn = effects[chance.integers(0, len(effects), (RESAMPLES, len(effects)))]
    tails = [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2]
    stars = np.quantile(np.abs(drawn).mean(axis=1), tails, axis=0)
    sigmas = np.quantile(drawn.std(axis=1, ddof=1), tails, axis=0)
    return [
        {
            "mu": float(column.mean()), "mu_star": float(np.abs(column).mean()), "sigma": float(column.std(ddof=1)),
            "mu_star_low": float(stars[0, number]), "mu_star_high": float(stars[1, number]),
            "sigma_low": float(sigmas[0, number]), "sigma_high": float(sigmas[1, number]),
        }
        for number, column in enumerate(effects.T)
    ]  # fmt: skip


def sobol(outcome: F64, parameters: int, second_order: bool = False) -> list[dict[str, float]]:
    """S1 and ST of each parameter with bootstrap intervals, by SALib (Saltelli et al., 2010) from the outcomes of a
    design in SALib's order.
    """
    try:
        from SALib.analyze import sobol as salib
    except ImportError:
        raise UserError("Sobol indices need the package SALib; pip install 'livecommerce[discovery]'") from None
    found = salib.analyze(
        problem(parameters), outcome, calc_second_order=second_order, num_resamples=RESAMPLES,
        conf_level=CONFIDENCE, print_to_console=False, seed=_SEED,
    )  # fmt: skip
    return [
        {
            f"{name}{end}": float(found[name][number] + sign * found[f"{name}_conf"][number])
            for name in ("S1", "ST")
            for end, sign in (("", 0), ("_low", -1), ("_high", 1))
        }
        for number in range(parameters)
    ]


def noise_shares(outcome: F64, block: int = 1) -> dict[str, float]:
    """Shares of a single run's variance over a design.

    Args:
        outcome: float64[points, seeds], the same seeds at every point. block: points that were drawn together.

    Returns:
        parameters; seeds (what a seed does to all points alike); mixed (what it does to one point); noise, the sum of
        the last two, with noise_low and noise_high from a bootstrap over blocks. Variance components of a two-way
        layout without replication.
    """
    chance = np.random.default_rng(_SEED)
    blocks = np.arange(len(outcome)).reshape(-1, block)
    drawn = [
        _components(outcome[blocks[chance.integers(0, len(blocks), len(blocks))].ravel()])[1:].sum()
        for _ in range(RESAMPLES)
    ]
    parts = _components(outcome)
    low, high = np.quantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return {
        "parameters": float(parts[0]), "seeds": float(parts[1]), "mixed": float(parts[2]),
        "noise": float(parts[1:].sum()), "noise_low": float(low), "noise_high": float(high),
    }  # fmt: skip


def _components(outcome: F64) -> F64:
    """Shares of points, seeds and the rest in the variance of float64[points, seeds]; nothing where nothing varies."""
    points, seeds = outcome.shape
    mean = outcome.mean()
    rows, columns = outcome.mean(axis=1) - mean, outcome.mean(axis=0) - mean
    rest = outcome - mean - rows[:, None] - columns
    error = (rest**2).sum() / ((points - 1) * (seeds - 1))
    of_points = max(float(seeds * (rows**2).sum() / (points - 1) - error) / seeds, 0.0)
    of_seeds = max(float(points * (columns**2).sum() / (seeds - 1) - error) / points, 0.0)
    parts = np.array([of_points, of_seeds, float(error)])
    total = parts.sum()
    return parts / total if total > 0 else parts


def table(found: Sequence[dict[str, Any]]) -> str:
    """Indices as text, the most important parameter first."""
    lines = []
    for group in found:
        lines.append(f"{group['metric']}, {group['kind']}, {group['points']} points x {group['seeds']} seeds"
                     + (f" ({group['fixed']})" if group["fixed"] else ""))  # fmt: skip
        names = ("mu_star", "sigma") if group["kind"] == "morris" else ("S1", "ST")
        width = max(len(key) for key in group["parameters"])
        lines.append(f"{'':<{width}}  " + "  ".join(f"{name:>32}" for name in names))
        for key, numbers in sorted(group["parameters"].items(), key=lambda item: -item[1][names[-1]]):
            cells = [f"{numbers[n]:.4g} ({numbers[f'{n}_low']:.4g} to {numbers[f'{n}_high']:.4g})" for n in names]
            lines.append(f"{key:<{width}}  " + "  ".join(f"{cell:>32}" for cell in cells))
        noise = group["noise"]
        if noise is None:
            lines.append("noise: unknown with one seed; add `replicates` to the experiment")
        else:
            lines.append(f"noise: {noise['noise']:.1%} of a run's variance ({noise['noise_low']:.1%} to "
                         f"{noise['noise_high']:.1%}), of which common to all points {noise['seeds']:.1%}")  # fmt: skip
    return "\n".join(lines)
