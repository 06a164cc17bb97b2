"""Baseline of the rules that no other group holds: oversight, service and technology as they were in 2023.

Units, ranges, sources and meanings: `configs/rules/default.yaml`. Duties and taxes stand in `geography`, commissions
and fees in `economics`, methods on offer in `payments`; `sim.rules.Rules.baseline` puts them together.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from sim.config.quantity import Group
from sim.kinds import (
    CATEGORIES,
    CHANNELS,
    N_COUNTRIES,
    N_ORIGIN_WAREHOUSES,
    PLATFORMS,
    REGION_OF_COUNTRY,
    REGIONS,
    SELLER_CLASSES,
)

type Floats = npt.NDArray[np.float64]

PLACES = ("origin", "overseas")


class RulesBaseline(Group):
    """Tables by region, platform, channel, category, seller class, or by place of a warehouse (`PLACES`)."""

    inspection_rate: dict[str, float]
    disclosure_coverage: dict[str, float]
    claim_audits: dict[str, float]
    claim_fine: dict[str, float]
    label_audits: dict[str, float]
    label_fine: dict[str, float]
    product_audits: dict[str, float]
    product_fine: dict[str, float]
    data_audits: dict[str, float]
    data_fine: dict[str, float]
    return_window_days: dict[str, float]
    overseas_access: dict[str, float]
    translation_quality: float
    recommendation_precision: dict[str, float]
    margin_weight: dict[str, float]
    bot_detection: dict[str, float]
    guarantee_coverage: dict[str, float]
    handling_hours: dict[str, float]
    breach_hazard: dict[str, float]
    tryon_coverage: dict[str, float]
    tracing_coverage: dict[str, float]
    certification_coverage: dict[str, float]
    sync_hours: dict[str, float]
    forecast_visibility: dict[str, float]
    credit_limit_weeks: dict[str, float]
    credit_days_to_fund: dict[str, float]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for names, keys in _KEYS.items():
            for name in names:
                table: dict[str, float] = getattr(self, name)
                wrong = sorted(set(table) ^ set(keys))
                if wrong:
                    raise ValueError(f"{name} must have exactly the keys {', '.join(keys)}; see {', '.join(wrong)}")
        return self

    def by_country(self, name: str) -> Floats:
        """float64[C] of a table by region."""
        table: dict[str, float] = getattr(self, name)
        return np.array([table[REGIONS[region]] for region in REGION_OF_COUNTRY])

    def by_name(self, name: str) -> Floats:
        """float64 of a table by platform, channel, category or seller class, in the order of `sim.kinds`."""
        table: dict[str, float] = getattr(self, name)
        order = next(keys for names, keys in _KEYS.items() if name in names)
        return np.array([table[key] for key in order])

    def by_warehouse(self, name: str) -> Floats:
        """float64[24] of a table by place: the origin warehouses first, then one a country."""
        table: dict[str, float] = getattr(self, name)
        return np.array([table["origin"]] * N_ORIGIN_WAREHOUSES + [table["overseas"]] * N_COUNTRIES)


_KEYS: dict[tuple[str, ...], Sequence[str]] = {
    (
        "inspection_rate", "disclosure_coverage", "return_window_days", "overseas_access", "claim_audits", "claim_fine",
        "label_audits", "label_fine", "product_audits", "product_fine", "data_audits", "data_fine",
    ): REGIONS,
    ("recommendation_precision", "margin_weight", "bot_detection", "breach_hazard"): PLATFORMS,
    ("guarantee_coverage", "handling_hours"): CHANNELS,
    ("tryon_coverage", "tracing_coverage", "certification_coverage"): CATEGORIES,
    ("sync_hours", "forecast_visibility"): PLACES,
    ("credit_limit_weeks", "credit_days_to_fund"): SELLER_CLASSES,
}  # fmt: skip
