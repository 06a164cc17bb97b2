"""Payment providers as Mesa agents: one for each method, a thin face on the money modules.

A provider's decisions (approve, settle, charge back) are drawn order by order in `sim.day.settlement`; the agent says
on what terms, and how it fares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from mesa.agent import Agent
from numpy.typing import NDArray

from sim.config.payments import Payments
from sim.kinds import COUNTRIES, PAYMENT_METHODS
from sim.record.schema import MoneyPurpose
from sim.rules import Rules
from sim.state.ledger import Account, Ledger

if TYPE_CHECKING:
    from mesa.model import Model

MEDIAN = 0.5


@dataclass(frozen=True, slots=True)
class Terms:
    """What a provider offers in one country today."""

    offered: float  # share of shops that offer the method
    fee_rate: float  # share of the payment
    approval_hours: float  # median
    failure: float  # share of requests that fail for good
    works: bool  # no outage today


class PaymentProvider(Agent):
    """One method of payment. `index` is its place in `kinds.PAYMENT_METHODS`."""

    def __init__(self, model: Model[Any, Any], index: int, payments: Payments, ledger: Ledger) -> None:
        super().__init__(model)
        self.index = index
        self.method = PAYMENT_METHODS[index]
        self._payments = payments
        self._ledger = ledger

    def terms(self, country: str, rules: Rules) -> Terms:
        """The terms in a country (two letters) under today's rules. ValueError for an unknown country."""
        place = COUNTRIES.index(country)
        hours = self._payments.approval_quantile(self.method, np.array([MEDIAN]))
        return Terms(
            offered=float(rules.payment.availability[place, self.index]),
            fee_rate=float(rules.payment.fee_rate[place, self.index]),
            approval_hours=float(hours[0]),
            failure=float(self._payments.failure()[place, self.index]),
            works=not rules.payment.outage[place, self.index],
        )

    @property
    def balance_cents(self) -> int:
        """What the provider holds."""
        return int(self._ledger.balance(Account.PROVIDER)[self.index])

    @property
    def fees_cents(self) -> int:
        """Fees received, less fees given back, since the start."""
        return self._received(MoneyPurpose.PAYMENT_FEE)

    @property
    def outstanding_cents(self) -> int:
        """Lent to buyers and not paid back yet, defaulted instalments included."""
        return -self._received(MoneyPurpose.LOAN)

    def _received(self, purpose: MoneyPurpose) -> int:
        results: NDArray[np.int64] = self._ledger.result(Account.PROVIDER)
        return int(results[self.index, purpose])


def make_providers(model: Model[Any, Any], payments: Payments, ledger: Ledger) -> list[PaymentProvider]:
    """One provider for each method, registered with the model."""
    return [PaymentProvider(model, index, payments, ledger) for index in range(len(PAYMENT_METHODS))]
