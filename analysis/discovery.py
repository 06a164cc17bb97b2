"""Where does a policy backfire, and which policy holds in most futures?

`discover` looks for the box of settings in which an outcome is bad (PRIM) or for a tree of such boxes (CART), both by
the EMA workbench. `robustness` compares policies over the futures of a sweep: regret, worst and typical outcomes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.points import Point, read_points, varied_numbers
from sim.errors import UserError

F64 = NDArray[np.float64]

METHODS: Final = ("prim", "cart")
PEELED: Final = 0.05  # share of the points taken away in a step (Friedman and Fisher, Statistics and Computing 9, 1999)
LEAST_MASS: Final = 0.05  # share of the points that a box must keep
LEAST_BAD: Final = 2  # points on either side without which there is nothing to tell apart
CERTAIN: Final = 0.05  # quasi-p-value above which a limit is called chance


def discover(
    folder: Path,
    metric: str,
    bad: Literal["below", "above"],
    threshold: float,
    of: str | None = None,
    method: str = "prim",
) -> dict[str, Any]:
    """Boxes of settings in which the mean over seeds of an outcome is below or above a threshold.

    Args:
        metric, of: as in `analysis.points.read_points`.

    Returns:
        metric, of the points how many there are and are bad, and `boxes`, the best first: coverage (share of the bad
        points inside), density (share of bad ones among those inside), mass (share of points inside), and `limits` by
        key: low, high, and with PRIM a quasi-p-value each (chance that the limit is no better than none), None where
        the limit is that of the design.

    Raises:
        UserError: an unknown method, settings that do not vary, or all points on one side.
    """
    if method not in METHODS:
        raise UserError(f"--method: unknown method '{method}'; allowed: {', '.join(METHODS)}")
    points = read_points(folder, metric, of)
    if len(points) < 2 * LEAST_BAD:
        raise UserError(
            f"{folder}: has {len(points)} points with an outcome; discovery needs at least {2 * LEAST_BAD}:"
            " sweep over more values, or an experiment's design"
        )
    settings = varied_numbers(points)
    means = np.array([point.outcome.mean() for point in points])
    is_bad = means < threshold if bad == "below" else means > threshold
    count = int(is_bad.sum())
    if not LEAST_BAD <= count <= len(points) - LEAST_BAD:
        raise UserError(
            f"--bad {bad} {threshold:g}: {count} of {len(points)} points are bad, which leaves nothing to tell apart;"
            f" allowed: {LEAST_BAD} to {len(points) - LEAST_BAD}; {metric} reaches from {means.min():.6g} to"
            f" {means.max():.6g}, its median is {np.median(means):.6g}: choose X in between"
        )
    boxes = (_prim if method == "prim" else _cart)(settings, is_bad)
    return {
        "metric": metric, "bad": bad, "threshold": threshold, "method": method, "points": len(points),
        "bad_points": count, "boxes": boxes,
    }  # fmt: skip


def _prim(settings: dict[str, F64], is_bad: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """The box on PRIM's peeling path with the highest harmonic mean of coverage and density."""
    pd, prim = _workbench("prim")
    search = prim.Prim(pd.DataFrame(settings), is_bad, peel_alpha=PEELED, mass_min=LEAST_MASS)
    box = search.find_box()
    if box is None:
        return []
    path = box.peeling_trajectory
    coverage, density = path["coverage"].to_numpy(), path["density"].to_numpy()
    best = int(np.argmax(2 * coverage * density / np.maximum(coverage + density, 1e-12)))
    whole, limits = box.box_lims[0], box.box_lims[best]
    chances = box.p_values[best]
    found: dict[str, Any] = {}
    for key in settings:
        low, high = (None if whole[key].iloc[end] == limits[key].iloc[end] else float(limits[key].iloc[end])
                     for end in (0, 1))  # fmt: skip
        if low is None and high is None:
            continue
        below, above = (float(value) for value in chances.get(key, (np.nan, np.nan)))
        found[key] = {
            "low": low, "high": high, "low_p": None if low is None else below, "high_p": None if high is None else above
        }  # fmt: skip
    return [_box(found, float(coverage[best]), float(density[best]), float(path["mass"].iloc[best]))]


def _cart(settings: dict[str, F64], is_bad: NDArray[np.bool_]) -> list[dict[str, Any]]:
    """Leaves of a classification tree in which most points are bad, by the number of bad points in them."""
    pd, cart = _workbench("cart")
    tree = cart.CART(pd.DataFrame(settings), is_bad, mass_min=LEAST_MASS)
    tree.build_tree()
    result = []
    for limits in tree.boxes:
        inside = np.ones(is_bad.size, dtype=bool)
        found = {}
        for key, column in settings.items():
            low, high = float(limits[key].iloc[0]), float(limits[key].iloc[1])
            inside &= (column >= low) & (column <= high)
            ends = {"low": None if low <= column.min() else low, "high": None if high >= column.max() else high}
            if set(ends.values()) != {None}:
                found[key] = {**ends, "low_p": None, "high_p": None}
        if inside.any() and is_bad[inside].mean() > 0.5:
            result.append(
                _box(found, float(is_bad[inside].sum() / is_bad.sum()), float(is_bad[inside].mean()),
                     float(inside.mean()))
            )  # fmt: skip
    return sorted(result, key=lambda box: -box["coverage"])


def _box(limits: dict[str, Any], coverage: float, density: float, mass: float) -> dict[str, Any]:
    return {"coverage": coverage, "density": density, "mass": mass, "limits": limits}


def _workbench(name: str) -> tuple[Any, Any]:
    """pandas and a module of the EMA workbench, which bring matplotlib along: loaded when asked for."""
    try:
        import importlib

        return importlib.import_module("pandas"), importlib.import_module(f"ema_workbench.analysis.{name}")
    except ImportError as error:
        raise UserError(f"discovery needs the package {error.name}; pip install 'livecommerce[discovery]'") from None


def describe(found: dict[str, Any]) -> str:
    """A discovery as text."""
    share = f"{found['bad_points']} of {found['points']} points"
    lines = [f"{found['metric']} is {found['bad']} {found['threshold']:g} at {share}"]
    if not found["boxes"]:
        lines.append("no box of settings holds more of them than chance would")
    for box in found["boxes"]:
        lines.append(
            f"box: {box['coverage']:.0%} of them lie inside, {box['density']:.0%} of what is inside are such points,"
            f" {box['mass']:.0%} of all points are inside"
        )
        for key, ends in box["limits"].items():
            words = [f"above {ends['low']:.6g}{_doubt(ends['low_p'])}"] if ends["low"] is not None else []
            words += [f"below {ends['high']:.6g}{_doubt(ends['high_p'])}"] if ends["high"] is not None else []
            lines.append(f"  {key} {' and '.join(words)}")
    return "\n".join(lines)


def _doubt(chance: float | None) -> str:
    return "" if chance is None or not chance > CERTAIN else f" (may be chance, p {chance:.2f})"


# ---- policies over futures ---------------------------------------------------------------------------------------


def robustness(
    folder: Path,
    metric: str,
    better: Literal["more", "less"] = "more",
    enough: float | None = None,
    of: str | None = "value",
) -> list[dict[str, Any]]:
    """How each policy of a sweep does over its futures.

    A future is what was set beside scenario and interventions; policies are compared in the futures all of them have.
    Outcomes are means over seeds.

    Returns:
        By policy, the smallest largest regret first: policy, futures, mean, worst, tenth (of ten futures one is worse),
        regret_mean and regret_most (to the best policy of the same future), best_share (of futures in which it is
        the best) and enough_share (in which the outcome is at least as good as `enough`; None without one).

    Raises:
        UserError: fewer than two policies, or no future common to all.
    """
    by_policy: dict[str, dict[str, Point]] = {}
    for point in read_points(folder, metric, of):
        by_policy.setdefault(point.policy, {})[point.future] = point
    common = sorted(set.intersection(*(set(futures) for futures in by_policy.values())))
    if len(by_policy) < 2 or not common:
        raise UserError(f"{folder}: has {len(by_policy)} policies with {len(common)} futures common to all; two and one"
                        " are needed: sweep scenario=A,B over an experiment's parameters")  # fmt: skip
    sign = 1.0 if better == "more" else -1.0
    names = sorted(by_policy)
    means = np.array([[by_policy[name][future].outcome.mean() for future in common] for name in names])
    gains = sign * means
    regret = gains.max(axis=0) - gains
    result = []
    for number, name in enumerate(names):
        own = gains[number]
        result.append(
            {
                "policy": name, "futures": len(common), "mean": float(means[number].mean()),
                "worst": float(sign * own.min()), "tenth": float(sign * np.quantile(own, 0.1)),
                "regret_mean": float(regret[number].mean()), "regret_most": float(regret[number].max()),
                "best_share": float((regret[number] == 0).mean()),
                "enough_share": None if enough is None else float((own >= sign * enough).mean()),
            }
        )  # fmt: skip
    return sorted(result, key=lambda row: (row["regret_most"], row["policy"]))
