"""What four policies do once everybody has answered: docs/policies.md.

A lower and a higher duty (pass-through by category, short and long run: `analysis.passthrough`), a cap on commissions,
and the end of the de-minimis exemption. Branches of one seed share their warm-up, so differences are paired.

    python -m analysis.policies --write [--seeds 8] [--consumers 20000] [--workers 2]
"""

from __future__ import annotations

import argparse
import json
import textwrap
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from analysis import passthrough
from analysis.branching import Arm, branches
from analysis.docpage import hand_over
from analysis.hosts import concentration
from analysis.inference import estimate
from sim.kinds import INCOME_THIRDS, N_CHANNELS, N_COUNTRIES, N_PLATFORMS, SELLER_CLASSES
from sim.provenance import code_hash
from sim.record.schema import Measure, MerchantMeasure, MoneyPurpose
from sim.state.ledger import Account
from sim.world import World

F64 = NDArray[np.float64]

PAGE: Final = Path(__file__).parents[1] / "docs" / "policies.md"
WARMUP, DAYS, WINDOW = 90, 365, 90
ARMS: Final[Mapping[str, Arm]] = {
    "baseline": ("baseline", ()),
    "commission_cap": ("commission_cap", ()),
    "de_minimis_end": ("de_minimis_end", ()),
}
CAP: Final = 0.1  # of scenarios/commission_cap.yaml; an order's commission may be no more
CENT, MILLICENT = 1e-2, 1e-5
SMALL: Final = SELLER_CLASSES.index("small")
FLOWS: Final = {
    "commission": MoneyPurpose.COMMISSION,
    "buyer fee": MoneyPurpose.SERVICE_FEE,
    "paid traffic": MoneyPurpose.TRAFFIC,
}
COUNTED: Final = (
    Measure.ORDERS, Measure.GMV_CENTS, Measure.DUTY_CENTS, Measure.VAT_CENTS, Measure.FREIGHT_CENTS,
    Measure.SURPLUS_PERCEIVED_MC, Measure.SURPLUS_REALISED_MC, Measure.SHIPPED, Measure.SHIPPED_DIRECT,
)  # fmt: skip


def _money(world: World) -> dict[str, F64]:
    """USD received less paid since the start of the world, by class of account and purpose."""
    ledger, size = world.ledger, world.catalogue.seller_class
    merchants = ledger.result(Account.MERCHANT)
    found = {f"merchants, {name}": merchants[size == number].sum(axis=0) for number, name in enumerate(SELLER_CLASSES)}
    held = world.adaptation.inventory.closing  # goods at cost are no money lost
    for number, name in enumerate(SELLER_CLASSES):
        found[f"merchants, {name}"] = np.append(found[f"merchants, {name}"], held[number])
    found["platforms"] = ledger.result(Account.CHANNEL)[:N_PLATFORMS].sum(axis=0)
    found["streamers"] = ledger.result(Account.STREAMER).sum(axis=0)
    found["agencies"] = ledger.result(Account.MCN).sum(axis=0)
    found["treasuries"] = ledger.result(Account.TREASURY).sum(axis=0)
    return {name: values * CENT for name, values in found.items()}


def _counts(world: World) -> F64:
    """float64[measures, C, H, thirds]: totals since the first reported day."""
    cells = world.tally.totals[list(COUNTED)].reshape(len(COUNTED), N_COUNTRIES, N_CHANNELS, -1, len(INCOME_THIRDS))
    return cells.sum(axis=3).astype(np.float64)


def _small_share(world: World) -> float:
    """Small sellers' live sales since the start of counting, USD."""
    sold = world.tally.merchant[MerchantMeasure.GMV_CENTS].reshape(world.catalogue.n_merchants, N_CHANNELS)
    return float(sold[world.catalogue.seller_class == SMALL, :N_PLATFORMS].sum() * CENT)


def follow(world: World) -> list[dict[str, Any]]:
    """A branch's reported days: what there was at the first, after a window, a window before the end, at the end."""
    stops = {0, WINDOW, DAYS - WINDOW, DAYS}
    trading = world.catalogue.trading == 1
    alive = trading.copy()
    visits = np.zeros(len(world.streamers), np.int64)
    seen: list[dict[str, Any]] = []

    def by_size(sellers: NDArray[np.bool_]) -> list[int]:
        return np.bincount(world.catalogue.seller_class[sellers], minlength=len(SELLER_CLASSES)).tolist()

    for day in range(DAYS + 1):
        if day in stops:
            seen.append(
                {
                    "day": day,
                    "money": _money(world),
                    "counts": _counts(world),
                    "small": _small_share(world),
                    "visits": visits.copy(),
                    "theta": float(world.rules.exposure.margin_weight.mean()),
                    "alive": by_size(alive),
                    "began": by_size(trading),
                    "trading": by_size(world.catalogue.trading == 1),
                }
            )
        if day < DAYS:
            world.step()
            alive &= world.catalogue.trading == 1
            visits += world.visits
    return seen


def _job(job: tuple[int, int, str]) -> None:
    seed, consumers, file = job
    settings = (
        "record=summary", f"population.consumers={consumers}", f"warmup_days={WARMUP}", f"days={DAYS}", f"seed={seed}",
    )  # fmt: skip
    _, found = branches(settings, ARMS, follow)
    told = {
        arm: [_told(seen[at], seen[at + 1]) for at in (0, 2)] + [_told(seen[0], seen[3])] for arm, seen in found.items()
    }
    Path(file).write_text(json.dumps(told) + "\n", encoding="utf-8")


def _told(start: Mapping[str, Any], end: Mapping[str, Any]) -> dict[str, float]:
    """The figures of a window, from what there was at its ends; money in USD a day of the sampled world."""
    days = end["day"] - start["day"]
    counts = dict(zip(COUNTED, end["counts"] - start["counts"], strict=True))
    live = {measure: float(cells[:, :N_PLATFORMS].sum()) for measure, cells in counts.items()}
    sales = live[Measure.GMV_CENTS] * CENT
    money = {name: end["money"][name] - start["money"][name] for name in end["money"]}
    found = {
        f"{name}, % of live sales": 100 * float(money["platforms"][purpose]) / sales for name, purpose in FLOWS.items()
    }
    found["weight of margin in recommendations"] = (start["theta"] + end["theta"]) / 2
    found["small sellers' part of live sales, %"] = 100 * (end["small"] - start["small"]) / sales
    found["Gini of visits over hosts"] = concentration(end["visits"] - start["visits"])
    for number, name in enumerate(SELLER_CLASSES):
        found[f"{name} sellers of the first day still there, %"] = 100 * end["alive"][number] / end["began"][number]
        found[f"{name} sellers in business"] = end["trading"][number]
    found["live orders"] = live[Measure.ORDERS] / days
    found["orders elsewhere"] = (float(counts[Measure.ORDERS].sum()) - live[Measure.ORDERS]) / days
    for name, measure in (("perceived", Measure.SURPLUS_PERCEIVED_MC), ("realised", Measure.SURPLUS_REALISED_MC)):
        found[f"{name} surplus of buyers, USD"] = float(counts[measure].sum()) * MILLICENT / days
    for name, values in money.items():
        found[f"gain of {name}, USD"] = float(np.delete(values, int(MoneyPurpose.LOAN)).sum()) / days
    found["sent from China, %"] = 100 * float(
        counts[Measure.SHIPPED_DIRECT].sum() / max(counts[Measure.SHIPPED].sum(), 1.0)
    )
    for number, name in enumerate(INCOME_THIRDS):
        of_third = {measure: float(cells[:, :, number].sum()) for measure, cells in counts.items()}
        orders = max(of_third[Measure.ORDERS], 1.0)
        taxes = of_third[Measure.DUTY_CENTS] + of_third[Measure.VAT_CENTS]
        paid = of_third[Measure.GMV_CENTS] + of_third[Measure.FREIGHT_CENTS] + taxes
        found[f"{name} third: orders"] = of_third[Measure.ORDERS] / days
        found[f"{name} third: duty and tax at the door, USD an order"] = taxes * CENT / orders
        found[f"{name} third: paid in all, USD an order"] = paid * CENT / orders
        found[f"{name} third: realised surplus, USD"] = of_third[Measure.SURPLUS_REALISED_MC] * MILLICENT / days
    return found


WINDOWS: Final = (f"first {WINDOW} days", f"last {WINDOW} days")
OF_CAP: Final = (
    ("commission, % of live sales", 2), ("buyer fee, % of live sales", 2), ("paid traffic, % of live sales", 2),
    ("weight of margin in recommendations", 3), ("small sellers' part of live sales, %", 2),
    ("Gini of visits over hosts", 4), ("small sellers of the first day still there, %", 2),
    ("large sellers of the first day still there, %", 2), ("small sellers in business", 1),
    ("large sellers in business", 1), ("live orders", 1), ("orders elsewhere", 1),
    ("perceived surplus of buyers, USD", 0), ("realised surplus of buyers, USD", 0),
    ("gain of merchants, small, USD", 0), ("gain of merchants, large, USD", 0), ("gain of platforms, USD", 0),
    ("gain of streamers, USD", 0), ("gain of agencies, USD", 0), ("gain of treasuries, USD", 0),
)  # fmt: skip
OF_THRESHOLD: Final = (
    *((f"{third} third: {what}", digits) for third in INCOME_THIRDS for what, digits in (
        ("orders", 1), ("duty and tax at the door, USD an order", 3), ("paid in all, USD an order", 2),
        ("realised surplus, USD", 0),
    )),
    ("sent from China, %", 2), ("gain of merchants, small, USD", 0), ("gain of merchants, large, USD", 0),
    ("gain of platforms, USD", 0), ("gain of treasuries, USD", 0),
)  # fmt: skip

CAP_TOLD: Final = """**What came out.** The cap holds: commissions fall. Platforms answer with a fee on the buyer,
as the theory of two-sided markets says of a side whose price is fixed (Rochet and Tirole 2003), and it makes up for
more than half of what they lose; paid traffic and the weight of margin in recommendations hardly move, so exposure
changes little: small sellers' part of live sales rises by nearly two points in the last quarter, visits gather at the
same hosts or a little more. The fee is the buyer's: live orders fall, a few of them move to shelves. Surplus
perceived at the decision falls; what is realised does not: the orders given up are the marginal ones, worth least to
their buyers. One small seller in a hundred more is still there after a year, but as many fewer have come. Who gains
is not who was meant to: platforms lose, and at the end sellers do too, because they sell less. That is a finding of
this model, with its fee of buyers free to move; a rule that fixed the fee as well would be another intervention.
"""
THRESHOLD_TOLD: Final = """**What came out.** Duty and tax at the door rise for every third, most in dollars for the
high one and most in proportion for the low and the middle one, as cheaper parcels were more often free. But a tenth
of all orders no longer comes from China: sellers stock abroad, for which duty was always owed on a lower value, and
what is stocked arrives in days instead of weeks. Orders fall at first in the low third only, and within the year
exceed the baseline in all; buyers' realised surplus rises with income, least in the low third. So the end of the
exemption is not what theory would give with routes held fixed, a loss of every buyer: speed that sellers did not
think worth its cost before was worth it to buyers. The gain hangs on the difference of delivery times between the
routes and on local warehouses having room, and fades if they had not. Treasuries gain most in the first quarter,
when stock is built up and import tax is paid on all of it.
"""
DUTY_TOLD: Final = """**What came out.** Of a change at the door, six tenths reach what is asked in the first month.
A cut is passed on further within half a year (0.74), a rise is not. Delivered pass-through of a rise is lower than
at the border because the tax itself is less than the schedule says: where duty rises sellers of parcels declare
less (`docs/firms.md`), so a part of it is paid by nobody. Goods from local stock follow the duty on their bulk
value: at once where the change is large, within half a year where it is small, and then by as much as the tax or
more. Public estimates find nearly complete pass-through at the border and retail margins that absorb part of it;
here the seller at the border is the retailer too, so its figures are to be held against those of retail prices.
Menu costs and best responses by season make the path uneven; the differences between categories follow their
elasticities and how much of a price is bulk value.
"""


def _row(runs: Sequence[Any], arm: str, name: str, digits: int) -> str:
    """Level at the baseline in the last window; paired difference with its 95 % interval in each window."""
    level = np.mean([run["baseline"][1][name] for run in runs])
    cells = []
    for window in range(len(WINDOWS)):
        gap = estimate(np.array([run[arm][window][name] - run["baseline"][window][name] for run in runs]))
        mark = "**" if gap.sure else ""
        bounds = "" if gap.low is None else f" ({gap.low:+,.{digits}f} to {gap.high:+,.{digits}f})"
        cells.append(f"{mark}{gap.mean:+,.{digits}f}{mark}{bounds}")
    return f"| {name} | {level:,.{digits}f} | {' | '.join(cells)} |"


def page(runs: Sequence[Any], duties: Sequence[Any], consumers: int) -> str:
    """The page, from the runs."""
    head = [f"| a day | baseline | {WINDOWS[0]} | {WINDOWS[1]} |", "|---|---|---|---|"]
    return "\n".join(
        [
            "# Policies once everybody has answered", "",
            f"<!-- made by `python -m analysis.policies --write`, code {code_hash()[:8]} -->", "",
            *textwrap.wrap(
                f"{len(runs)} seeds, {consumers:,} consumers, {WARMUP} days of warm-up, {DAYS} reported days from the"
                " default start; everybody decides. Branches of a seed share their warm-up and their draws: differences"
                " are paired, with Student's t intervals at 95 %, bold where they leave out 0. Money is that of the"
                " sampled world, a day. Policies begin on the first reported day and stay.",
                116,
            ),
            "",
            "## A duty: who bears it", "",
            "All countries lower their duty by 5 points, or raise it by 10. Pass-through of the change to what the",
            "seller asks (border) and to what the buyer pays (delivered), 30 and 180 days after it: 1 means that the",
            "buyer bears it, 0 that the seller does. Offers that travel the same way in both branches, weighed by",
            "expected sales.", "",
            passthrough.table(duties), "", DUTY_TOLD,
            "## A cap on commissions", "",
            f"Platforms may keep at most {CAP:.0%} of a sale (scenario `commission_cap`).", "",
            *head, *(_row(runs, "commission_cap", name, digits) for name, digits in OF_CAP), "", CAP_TOLD,
            "## The end of the de-minimis exemption, by income", "",
            "Every parcel from China owes duty and tax, whatever its value (scenario `de_minimis_end`, all countries).",
            "", *head, *(_row(runs, "de_minimis_end", name, digits) for name, digits in OF_THRESHOLD), "",
            THRESHOLD_TOLD,
        ]
    )  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs what is missing and prints or writes the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=8)
    parser.add_argument("--consumers", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("results/policies"))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args(arguments)
    folder: Path = given.out / code_hash()[:8]
    folder.mkdir(parents=True, exist_ok=True)
    seeds = range(1, given.seeds + 1)
    files = {seed: folder / f"{seed}-{given.consumers}.json" for seed in seeds}
    duties = {seed: folder / f"duty-{seed}-{given.consumers}.json" for seed in seeds}
    with ProcessPoolExecutor(given.workers, mp_context=get_context("spawn")) as pool:
        waiting: list[Future[Any]] = [
            pool.submit(_job, (seed, given.consumers, str(file))) for seed, file in files.items() if not file.is_file()
        ]
        own = (f"population.consumers={given.consumers}",)
        waiting += [pool.submit(passthrough.one_seed, own, seed, str(file)) for seed, file in duties.items()]
        for one in waiting:
            one.result()
    told = [json.loads(file.read_text(encoding="utf-8")) for file in files.values()]
    text = page(told, [json.loads(file.read_text(encoding="utf-8")) for file in duties.values()], given.consumers)
    hand_over(text.rstrip() + "\n", PAGE, given.write)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
