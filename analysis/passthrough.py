"""Pass-through of a change of duty, measured on paired worlds.

A world runs its warm-up once; then its days go on under the baseline, under a lower and under a higher duty in all
countries, with the same draws. For every offer (line, country, tier) that travels the same way in both arms on the day
of measurement, weighed by expected sales and the usual choice of tiers,

    border     1 + sum (p' - p) / sum T        parcels; p: goods price asked, before tax
    delivered      sum (L' - L) / sum T        L: landed price, all that a buyer pays

T is the change of duty and tax on the offer at the baseline arm's price and declaration: at the door for parcels, on
bulk value for goods from a local warehouse. 1: the buyer bears it; 0: the seller does. Estimates are means over seeds.

    python -m analysis.passthrough [--seeds 8] [--out docs/data] [key=value ...]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analysis.branching import branches
from analysis.inference import estimate
from sim.agents.merchant import cost_table
from sim.experiment import configure
from sim.kernels.money import border_of, landed_offers
from sim.kernels.supply import stocking_cost
from sim.kinds import CATEGORIES
from sim.world import World

AFTER: Final = (30, 180)
ARMS: Final = {
    "cut": ("+interventions.duty.kind=tariff_reduction", "+interventions.duty.points=0.05"),
    "rise": ("+interventions.duty.kind=tariff_increase", "+interventions.duty.points=0.1"),
}
SETTINGS: Final = ("record=summary", "population.consumers=20000", "warmup_days=90", f"days={max(AFTER) + 1}")

F64 = NDArray[np.float64]


def _state(world: World) -> dict[str, NDArray[Any]]:
    """What is asked and paid on a day, and what taxes come to."""
    catalogue = world.catalogue
    names = ("price_cents", "freight_cents", "landed_cents", "direct", "understated_permille", "unit_cost_cents")
    found: dict[str, NDArray[Any]] = {name: getattr(catalogue, name).copy() for name in names}
    found["quality"] = catalogue.quality.copy()
    return found


def _bulk_tax(world: World, rules: Any) -> F64:
    """USD of duty and tax on a unit's bulk value, (n, C, T)."""
    catalogue = world.catalogue
    costs = cost_table(world.cfg, catalogue, rules, 1.0)
    free = costs._replace(duty=np.zeros_like(costs.duty), vat=np.zeros_like(costs.vat))
    tax = np.zeros(catalogue.price_cents.shape)
    for line, country in np.argwhere(catalogue.direct == 0):
        seller = int(catalogue.merchant[line])
        if catalogue.targets[seller, country] == 0:
            continue
        kind, size = int(catalogue.category[line]), int(catalogue.seller_class[seller])
        weight, cold = float(catalogue.weight_kg[line]), int(catalogue.cold[line])
        for tier in range(tax.shape[2]):
            made = float(catalogue.unit_cost_cents[line, tier]) / 100.0
            place = (int(country), kind, size, made, weight, cold, 0)
            tax[line, country, tier] = stocking_cost(costs, *place) - stocking_cost(free, *place)
    return tax


def measured(world: World, base: dict[str, NDArray[Any]], now: dict[str, NDArray[Any]], rules: Any, old: Any) -> Any:
    """Sums behind the pass-through of one arm on one day: {route and category: [sum dp, sum dL, sum T]}."""
    catalogue, cfg = world.catalogue, world.cfg
    at_old_price = np.zeros_like(base["landed_cents"])
    border = border_of(rules, cfg.payments.customs_value_without_freight)
    landed_offers(
        base["price_cents"], base["freight_cents"], base["direct"], catalogue.category, border,
        base["understated_permille"], np.arange(catalogue.n_lines), at_old_price,
    )  # fmt: skip
    door = (at_old_price - base["landed_cents"]) / 100.0
    bulk = _bulk_tax(world, rules) - _bulk_tax(world, old)
    weight = (
        cfg.economics.ladder("ladder_choice")[catalogue.category][:, None, :]
        * (catalogue.merchant_size[catalogue.merchant].astype(np.float64) * catalogue.line_share)[:, None, None]
    )
    same = (base["direct"] == now["direct"]) & (base["price_cents"][:, :, 0] > 0) & (now["price_cents"][:, :, 0] > 0)
    price = (now["price_cents"] - base["price_cents"]) / 100.0
    landed = (now["landed_cents"] - base["landed_cents"]) / 100.0
    result: dict[str, list[float]] = {}
    for route, tax in (("parcels", door), ("stock", bulk)):
        chosen = same & (base["direct"] == (1 if route == "parcels" else 0))
        taxed = weight * (chosen[:, :, None] & (np.abs(tax) > 1e-9))
        for number, name in [(-1, "all"), *enumerate(CATEGORIES)]:
            lines = np.ones(catalogue.n_lines, np.bool_) if number < 0 else catalogue.category == number
            part = taxed[lines]
            result[f"{route} {name}"] = [float((part * what[lines]).sum()) for what in (price, landed, tax)]
    return result


def _follow(world: World) -> dict[int, dict[str, NDArray[Any]]]:
    """What is asked and paid on the days of measurement."""
    found = {}
    for day in range(max(AFTER) + 1):
        world.step()
        if day in AFTER:
            found[day] = _state(world)
    return found


def one_seed(settings: Sequence[str], seed: int, file: str) -> dict[str, Any]:
    """All arms of one seed, which share the warm-up; kept in `file`."""
    path = Path(file)
    if path.is_file():
        kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return kept
    every = (*SETTINGS, *settings, f"seed={seed}")
    arms = {"plain": ("baseline", ()), **{arm: ("baseline", rows) for arm, rows in ARMS.items()}}
    world, states = branches(every, arms, _follow)
    found: dict[str, Any] = {}
    for arm, rows in ARMS.items():
        rules = world.book_of(configure("baseline", (*every, *rows))).rules_on(world.frame.start_day + 1)
        for day in AFTER:
            found[f"{arm} {day}"] = measured(world, states["plain"][day], states[arm][day], rules, world.rules)
    path.write_text(json.dumps(found) + "\n", encoding="utf-8")
    return found


def table(runs: Sequence[dict[str, Any]]) -> str:
    """The estimates as a Markdown table."""
    rows = [
        "| duty | goods | category | border, 30 days | 180 days | delivered, 30 days | 180 days |",
        "|---|---|---|---|---|---|---|",
    ]

    def cell(values: list[float]) -> str:
        if len(values) < 2:
            return ""
        found = estimate(np.array(values))
        return f"{found.mean:.2f} ({found.low:.2f} to {found.high:.2f})"

    for arm in ARMS:
        for route in ("parcels", "stock"):
            for name in ("all", *CATEGORIES):
                cells = []
                for measure in ("border", "delivered"):
                    for day in AFTER:
                        values = []
                        for run in runs:
                            price, landed, tax = run[f"{arm} {day}"][f"{route} {name}"]
                            if abs(tax) > 0.0:
                                values.append(1.0 + price / tax if measure == "border" else landed / tax)
                        cells.append("" if measure == "border" and route == "stock" else cell(values))
                rows.append(f"| {arm} | {route} | {name} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs what is missing and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m analysis.passthrough", description=__doc__)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("results/passthrough"))
    parser.add_argument("settings", nargs="*")
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    files = [str(chosen.out / f"seed-{seed}.json") for seed in range(1, chosen.seeds + 1)]
    with ProcessPoolExecutor(chosen.workers, mp_context=get_context("spawn")) as pool:
        runs = list(pool.map(one_seed, [chosen.settings] * chosen.seeds, range(1, chosen.seeds + 1), files))
    print(table(runs))


if __name__ == "__main__":
    main()
