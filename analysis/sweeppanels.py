"""What the files of a sweep's folder tell beside its runs, as figures: its design's indices, the box of bad points, the
front of a search."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from analysis.discovery import LEAST_BAD, discover
from analysis.figures import Panel
from analysis.figures_discovery import box, indices, searched
from analysis.figures_sweep import FEWEST, heat, parallel, pareto, sensitivity
from analysis.look import ENGLISH, Look
from analysis.metrics import METRICS
from analysis.points import read_points, varied_numbers
from analysis.search import FILE
from analysis.sensitivity import sensitivity as indices_of
from analysis.sweepview import SweepPoints
from sim.errors import UserError

SHARES: Final = {"half": 0.5, "quarter": 0.25, "tenth": 0.1}
PREFERRED: Final = ("gmv_usd", "consumer_surplus_realised_usd")  # what is set against each other where nothing is said


def of_words(effect: bool) -> Literal["difference", "value"]:
    """What `livecommerce discover --of` calls it."""
    return "difference" if effect else "value"


def design_panel(folder: Path, metric: str, effect: bool, look: Look = ENGLISH) -> Panel:
    """Sobol or Morris indices. `UserError`: the sweep has no such design, or lacks points of it."""
    return indices(indices_of(folder, metric, of_words(effect))[0], effect, look)


@dataclass(frozen=True, slots=True)
class Bad:
    """Which points of a sweep count as bad.

    Attributes:
        options: names that may be chosen: `zero` (a change for the worse, where some points have one and some not) and
            those of `SHARES`. chosen: one of them.
        side, threshold: as `analysis.discovery.discover`.
    """

    options: tuple[str, ...]
    chosen: str
    side: Literal["below", "above"]
    threshold: float


def bad_points(outcome: NDArray[np.float64], metric: str, effect: bool, asked: str = "") -> Bad:
    """What is bad of a metric; by default a change for the worse where there are such points and others, else the worst
    quarter. A metric that is better neither way counts as bad where it is low."""
    side: Literal["below", "above"] = "above" if METRICS[metric].better < 0 else "below"
    wrong = int((outcome < 0).sum() if side == "below" else (outcome > 0).sum())
    both = effect and LEAST_BAD <= wrong <= outcome.size - LEAST_BAD
    options = (*(("zero",) if both else ()), *SHARES)
    chosen = asked if asked in options else "zero" if both else "quarter"
    threshold = 0.0
    if chosen != "zero":
        share = SHARES[chosen]
        threshold = float(f"{np.quantile(outcome, share if side == 'below' else 1 - share):.6g}")
    return Bad(options, chosen, side, threshold)


def box_panel(
    folder: Path, metric: str, effect: bool, look: Look = ENGLISH, asked: str = "", stamp: object = None
) -> tuple[Bad, Panel]:
    """The box of settings in which a metric is bad, by PRIM.

    Args:
        asked: which points are bad, of `Bad.options`. stamp: state of the folder, where answers may be kept: peeling
            takes longer than a page may.

    Raises:
        UserError: no number was varied, too few points on one side, or the workbench is missing.
    """
    points = read_points(folder, metric, of_words(effect))
    settings = varied_numbers(points)
    outcome = np.array([point.outcome.mean() for point in points])
    bad = bad_points(outcome, metric, effect, asked)
    ask = _kept if stamp is not None else _kept.__wrapped__
    found = ask(folder, metric, bad.side, bad.threshold, of_words(effect), stamp)
    return bad, box(found, settings, outcome, effect, look)


@lru_cache(maxsize=32)
def _kept(folder: Path, metric: str, side: Any, threshold: float, of: str, stamp: object) -> dict[str, Any]:
    return discover(folder, metric, side, threshold, of)


def read_search(folder: Path) -> dict[str, Any] | None:
    """What a search left in its folder; None where there was none. `UserError`: it is damaged."""
    file = folder / FILE
    if not file.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        names = list(found["objectives"])
        if not names or not all(name in METRICS for name in names) or not isinstance(found["points"], list):
            raise ValueError
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{file}: is damaged; search again, finished runs are kept") from None
    return found


def search_panel(found: dict[str, Any], look: Look = ENGLISH, x: str = "", y: str = "") -> Panel:
    """The points of a search over two of its objectives, the first two where nothing is said."""
    names = list(found["objectives"])
    first = x if x in names else names[0]
    return searched(found, first, y if y in names else names[min(1, len(names) - 1)], look)


def report_panels(folder: Path, points: SweepPoints, look: Look = ENGLISH) -> list[Panel]:
    """The figures of a sweep as a report shows them: as on a page where nothing was chosen, without what it lacks."""
    compared = any(bool(np.isfinite(values).any()) for values in points.effects.values())
    known = [name for name in METRICS if bool(np.isfinite(points.of(name, compared)).any())]
    if not points.parameters or not known:
        return []
    name = PREFERRED[0] if PREFERRED[0] in known else known[0]
    other = PREFERRED[1] if PREFERRED[1] in known else known[-1]
    panels = [parallel(points, name, compared, look)]
    if points.numbers and len(points.labels) >= FEWEST:
        panels.append(sensitivity(points, name, compared, look))
    keys = list(points.parameters)
    if len(keys) > 1:
        panels.append(heat(points, keys[0], keys[1], name, compared, look))
    with suppress(UserError):  # it has no such design
        panels.append(design_panel(folder, name, compared, look))
    with suppress(UserError):  # its points tell nothing apart
        panels.append(box_panel(folder, name, compared, look)[1])
    panels.append(pareto(points, name, other, compared, look))
    found = read_search(folder)
    if found is not None:
        panels.append(search_panel(found, look))
    return panels
