"""The page of the experiments on hosts: differences by seed, and the Gini coefficient."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.hosts import ARMS, AWAY, DAYS, concentration, page


def test_gini_of_equals_is_nothing_and_those_without_a_show_do_not_count() -> None:
    assert concentration(np.array([3, 3, 3, 0])) == pytest.approx(0)
    assert concentration(np.array([0, 0])) == 0
    assert concentration(np.array([1, 1, 1, 97])) > 0.7
    assert concentration(np.array([1, 2, 3])) == pytest.approx(2 / 9)


def run(level: float, seed: int) -> dict:
    rng = np.random.default_rng(seed)
    noise = rng.normal(0, 1, DAYS)  # shared by the arms of a seed
    names = ("visits", "orders", "sales", "host income", "agency share", "signed", "hosts", "cut")
    daily = {name: (100.0 + level + noise).tolist() for name in names}
    names = ("labelled", "weight of claims", "exaggeration", "all bonds", "perceived", "realised")
    daily |= {name: (1.0 + level + noise).tolist() for name in names}
    late = ("star visits", "cell visits", "cell orders", "followers", "bonds")
    daily |= {name: (50.0 + level + noise[AWAY[0] :]).tolist() for name in late}
    return {"daily": daily, "gini": [0.9 + level / 1000, 0.9]}


def test_differences_are_paired_by_seed() -> None:
    runs = {arm: [run(5.0 if arm == "removed" else 0.0, seed) for seed in range(4)] for arm in ARMS}
    text = page(runs, 4, 1000)
    away = text.split("**Away**")[1].split("**First")[0]
    assert "| visits of the host | " in away
    assert "| **+5.0** | +5.0 to +5.0 |" in away
    assert "| hosts in business | 99.9 |" in text
    assert "| +0.0 | +0.0 to +0.0 |" in text.split("**Power -1.5**")[1]
    labels = text.split("## Shows must be labelled")[1].split("## ")[0]
    assert "| claimed above true quality |" in labels
    assert "+0.0000 to +0.0000" in labels
    assert "| 1 | 0.900 | 0.900 | +0.000 |" in text
