"""Payment: methods on offer, approval, failure, instalments, who bears fees, refunds, disputes and chargebacks.

The values stand in `configs/payments/default.yaml` with unit, range, source and meaning; the methods hand them out as
arrays in the order of `sim.kinds`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from sim.config.quantity import Group
from sim.kinds import COUNTRIES, PAYMENT_METHODS, REGION_OF_COUNTRY, REGIONS

type Floats = npt.NDArray[np.float64]

_BY_REGION = (
    "payment_distrust", "card_refusal", "instalment_default", "outbound_freight_refunded", "duty_refunded",
    "vat_refunded", "fraud_chargeback",
)  # fmt: skip
_BY_METHOD = ("missing_method_loss", "approval_hours", "fee_payer")
_TOLERANCE = 1e-3


class Payments(Group):
    """Field meanings, units, ranges and sources: `configs/payments`."""

    availability: dict[str, dict[str, float]]
    missing_method_loss: dict[str, float]
    payment_distrust: dict[str, float]
    approval_probabilities: tuple[float, ...]
    approval_hours: dict[str, tuple[float, ...]]
    card_refusal: dict[str, float]
    method_failure: dict[str, float]
    outage_delay_hours: float
    part_counts: tuple[int, ...]
    part_shares: tuple[float, ...]
    least_part_usd: float
    instalment_default: dict[str, float]
    fee_payer: dict[str, Literal["merchant", "channel"]]
    fee_returned: float
    customs_value_without_freight: tuple[str, ...]
    misdeclared_penalty: float
    floating_methods: tuple[str, ...]
    outbound_freight_refunded: dict[str, float]
    duty_refunded: dict[str, float]
    vat_refunded: dict[str, float]
    refund_hours: float
    fraud_chargeback: dict[str, float]
    chargeback_days: dict[str, float]
    chargeback_fee_usd: float
    dispute_refund: dict[str, float]
    dispute_to_chargeback: float

    @model_validator(mode="after")
    def _complete(self) -> Self:
        _need("availability", self.availability, COUNTRIES)
        for country, shares in self.availability.items():
            _need(f"availability.{country}", shares, PAYMENT_METHODS)
        for name in _BY_REGION:
            _need(name, getattr(self, name), REGIONS)
        for name in _BY_METHOD:
            _need(name, getattr(self, name), PAYMENT_METHODS)
        _need("method_failure", self.method_failure, [name for name in PAYMENT_METHODS if name != "card"])
        _need("chargeback_days", self.chargeback_days, ("median", "sigma"))
        _need("dispute_refund", self.dispute_refund, ("fault", "other"))
        grid = self.approval_probabilities
        if list(grid) != sorted(set(grid)) or not grid or grid[0] <= 0 or grid[-1] >= 1:
            raise ValueError("approval_probabilities must rise strictly between 0 and 1")
        for method, hours in self.approval_hours.items():
            if len(hours) != len(grid):
                raise ValueError(f"approval_hours.{method} has {len(hours)} values for {len(grid)} probabilities")
            if list(hours) != sorted(hours):
                raise ValueError(f"approval_hours.{method} must not fall")
        if len(self.part_counts) != len(self.part_shares) or list(self.part_counts) != sorted(set(self.part_counts)):
            raise ValueError("part_counts must rise and have one share each in part_shares")
        if abs(sum(self.part_shares) - 1) > _TOLERANCE:
            raise ValueError(f"part_shares sum to {sum(self.part_shares):g} instead of 1")
        for name, known in (("customs_value_without_freight", COUNTRIES), ("floating_methods", PAYMENT_METHODS)):
            unknown = sorted(set(getattr(self, name)) - set(known))
            if unknown:
                raise ValueError(f"{name}: unknown {', '.join(unknown)}; allowed: {', '.join(known)}")
        return self

    def offered(self) -> Floats:
        """float64[C, M]: share of shops that offer each method; the baseline of `rules.payment.availability`."""
        return np.array([[self.availability[country][name] for name in PAYMENT_METHODS] for country in COUNTRIES])

    def by_country(self, name: str) -> Floats:
        """float64[C] of a field keyed by region, e.g. `by_country("vat_refunded")`."""
        values: Mapping[str, float] = getattr(self, name)
        return np.array([values[REGIONS[region]] for region in REGION_OF_COUNTRY])

    def failure(self) -> Floats:
        """float64[C, M]: share of requests that fail for good, by country and method."""
        rates = np.array([[self.method_failure.get(name, 0.0) for name in PAYMENT_METHODS]] * len(COUNTRIES))
        rates[:, PAYMENT_METHODS.index("card")] = self.by_country("card_refusal")
        return rates

    def missing_loss(self) -> Floats:
        """float64[C, M]: chance that a buyer gives up when the preferred method is not offered."""
        habit = np.array([self.missing_method_loss[name] for name in PAYMENT_METHODS])
        loss: Floats = np.minimum(self.by_country("payment_distrust")[:, None] * habit[None, :], 1.0)
        return loss

    def approval_quantile(self, method: str, probability: Floats) -> Floats:
        """Hours from request to approval at each probability: linear in the table, flat beyond its ends."""
        hours: Floats = np.interp(probability, self.approval_probabilities, self.approval_hours[method])
        return hours

    def paid_by_channel(self) -> npt.NDArray[np.bool_]:
        """bool[M]: whether the channel, not the merchant, pays the fee of the method."""
        return np.array([self.fee_payer[name] == "channel" for name in PAYMENT_METHODS])


def _need(name: str, values: Mapping[str, object], keys: Collection[str]) -> None:
    missing = [key for key in keys if key not in values]
    unknown = [key for key in values if key not in keys]
    if missing or unknown:
        faults = [
            f"{word} {', '.join(found)}" for word, found in (("lacks", missing), ("has unknown", unknown)) if found
        ]
        raise ValueError(f"{name} {' and '.join(faults)}")
