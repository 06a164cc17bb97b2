"""Treasuries and the authorities behind them: one Mesa agent a country, and one for China.

What they ask stands in the rules (law is a value); what they collect is read from the ledger. Audits fall on parties by
hazard, and fines go to the treasury (`sim.firms.audits` applies the functions below to all parties). Whoever may be
audited weighs the fine by the chance that was announced and the audits really seen (deterrence: Becker 1968; learning
about enforcement: Sah 1991).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from mesa.agent import Agent
from numpy.typing import NDArray

from sim.kernels.maths import exp_array, log_array
from sim.kinds import COUNTRIES
from sim.rules import Rules
from sim.state.ledger import Account, Ledger

if TYPE_CHECKING:
    from mesa.model import Model

type F64 = NDArray[np.float64]

YEAR = 365.0
TOPICS = ("claims", "disclosure", "product", "privacy")
"""What is audited; each is a group of the rules with the leaves audit_hazard and fine_share."""


def audit_hazards(rules: Rules) -> F64:
    """float64[4, C]: announced audits a year by topic (`TOPICS`) and country."""
    parts = (rules.claims.audit_hazard, rules.disclosure.audit_hazard, rules.product.audit_hazard)
    return np.stack([*parts, rules.privacy.audit_hazard]).astype(np.float64)


def fine_shares(rules: Rules) -> F64:
    """float64[4, C]: fine by topic and country, share of a year's revenue."""
    parts = (rules.claims.fine_share, rules.disclosure.fine_share, rules.product.fine_share)
    return np.stack([*parts, rules.privacy.fine_share]).astype(np.float64)


def audit_chance(hazard: Any, days: float) -> Any:
    """Chance of an audit in some days at a hazard (1/year), small against 1."""
    return np.minimum(np.asarray(hazard, np.float64) * (days / YEAR), 1.0)


def believed_hazard(announced: Any, audits: Any, years: Any, trust: float) -> Any:
    """Audits a year that parties reckon with: what was announced, weighing `trust` party-years, and what was seen.

    Gamma-Poisson credibility: (trust x announced + audits) / (trust + party-years watched).
    """
    return (trust * np.asarray(announced, np.float64) + audits) / (trust + years)


def labels(
    lottery: Any, usual: Any, covered: Any, penalty: Any, before: Any, norm: float, gain: float
) -> NDArray[np.bool_]:
    """Whether hosts who owe a label show it, bool of the arguments' shape.

    `lottery` (0-1) orders hosts: those below `usual`, the share that labels in the base year, do so while the expected
    fine is at least a part of the base year's `before` that is the host's own, norm x lottery / usual. Those whom a
    wider duty `covered` binds anew comply where the expected fine exceeds what hiding the label is worth to them,
    exponential over hosts with mean `gain`. All amounts are shares of revenue. Assumed form: Becker's comparison, with
    heterogeneity backed out for those who comply today.
    """
    place = np.asarray(lottery, np.float64)
    old = place < usual
    own = place / np.maximum(usual, 1e-9)
    beyond = np.clip((place - usual) / np.maximum(1.0 - np.asarray(usual, np.float64), 1e-9), 1e-9, 1.0 - 1e-9)
    worth = -gain * log_array(1.0 - beyond).astype(np.float64)
    complies: NDArray[np.bool_] = (place < covered) & np.where(old, penalty >= norm * own * before, penalty >= worth)
    return complies


def counterfeit_share(usual: F64, response: float, penalty: F64, before: F64) -> F64:
    """Share of counterfeits that merchants risk: what it was, lowered by e^(-response x rise of the expected fine).

    The best response where the gain from counterfeits falls with their log; response assumed.
    """
    change = exp_array(np.clip(-response * (penalty - before), -20.0, 20.0)).astype(np.float64)
    share: F64 = np.minimum(usual * change, 1.0)
    return share


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
        return 0.0 if self.index < 0 else float(rules.tariff.bulk_duty_rate[self.index, category])

    def _of(self, table: F64, topic: str) -> float:
        if topic not in TOPICS:
            raise ValueError(f"no topic {topic}; one of {', '.join(TOPICS)}")
        return 0.0 if self.index < 0 else float(table[TOPICS.index(topic), self.index])

    def audits_a_year(self, rules: Rules, topic: str) -> float:
        """Announced audits a year of one party; China's own state audits nobody abroad."""
        return self._of(audit_hazards(rules), topic)

    def expected_penalty(self, rules: Rules, topic: str = "claims") -> float:
        """Announced audits times the fine, share of revenue."""
        return self._of(audit_hazards(rules) * fine_shares(rules), topic)


def make_regulators(model: Model[Any, Any], ledger: Ledger) -> list[Regulator]:
    """The regulators of the twenty countries in order, and China's last."""
    return [Regulator(model, index, ledger) for index in (*range(len(COUNTRIES)), -1)]
