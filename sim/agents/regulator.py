"""Treasuries and the authorities behind them: one Mesa agent a country, and one for China.

What they ask stands in the rules (law is a value); what they collect is read from the ledger. Audits by hazard, fines
and reliefs belong here: an `audit(day)` that posts to the ledger under FINE.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mesa.agent import Agent

from sim.kinds import COUNTRIES
from sim.rules import Rules
from sim.state.ledger import Account, Ledger

if TYPE_CHECKING:
    from mesa.model import Model


class Regulator(Agent):
    """The state of one country (`index` in kinds.COUNTRIES), or of China (index -1)."""

    def __init__(self, model: Model[Any, Any], index: int, ledger: Ledger) -> None:
        super().__init__(model)
        self.index = index
        self.ledger = ledger

    @property
    def country(self) -> str:
        """Code of the country."""
        return "CN" if self.index < 0 else COUNTRIES[self.index]

    @property
    def revenue_cents(self) -> int:
        """Duty, tax and fines collected since the first day, less what was paid out, in the sampled world."""
        if self.index < 0:
            return int(self.ledger.balance(Account.TREASURY_CN)[0])
        return int(self.ledger.balance(Account.TREASURY)[self.index])

    def duty_rate(self, rules: Rules, category: int) -> float:
        """Duty on bulk imports of a category from China; China levies none on its exports."""
        return 0.0 if self.index < 0 else float(rules.tariff.duty_rate[self.index, category])

    def expected_penalty(self, rules: Rules) -> float:
        """Expected fine for an untrue claim, share of sales."""
        return 0.0 if self.index < 0 else float(rules.claims.expected_penalty[self.index])


def make_regulators(model: Model[Any, Any], ledger: Ledger) -> list[Regulator]:
    """The regulators of the twenty countries in order, and China's last."""
    return [Regulator(model, index, ledger) for index in (*range(len(COUNTRIES)), -1)]
