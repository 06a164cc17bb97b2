"""Where goods are sold: eight live platforms, the shelf and brand-owned sites. Ordinary Mesa agents.

A platform's instruments are best responses (`sim.firms.platforms` calls the functions below for each of them once a
month). All of them weigh the same three things: what an order brings the platform, how many orders a dearer platform
loses on the buyers' side, and how many on the sellers' side (Rochet and Tirole 2006; Weyl 2010). What is not observed,
such as the worth of growth, is a constant in each condition, backed out so that the instrument's baseline value is the
best one under baseline rules.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from mesa.agent import Agent
from numpy.typing import NDArray

from sim.config.economics import Economics
from sim.kinds import BRAND_SITE, CHANNELS, N_PLATFORMS, SELLER_CLASSES
from sim.rules import Rules
from sim.state.catalogue import Catalogue

if TYPE_CHECKING:
    from mesa.model import Model

type F64 = NDArray[np.float64]

EFFORTS = ("technology", "detection", "guarantee", "moderation", "security")
HALVINGS = 40  # of the interval in which a best response is looked for


def effective_commission(asked: NDArray[np.float32], rules: Rules) -> NDArray[np.float32]:
    """float32[H, 2]: all a seller pays on a sale, the host's part included: the lower of what is asked and the cap."""
    lower: NDArray[np.float32] = np.minimum(asked, rules.commission.cap).astype(np.float32)
    return lower


def split_commission(
    asked: NDArray[np.float32], rules: Rules, economics: Economics
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The platform's own part and the host's part of the commission, float32[P, 2, 3] each.

    By platform, seller class and streamer tier. A cap shortens both in proportion.
    """
    charge = effective_commission(asked, rules)[:N_PLATFORMS, :, None].astype(np.float64)
    host = economics.host_parts()[None, None, :]
    return (charge * (1.0 - host)).astype(np.float32), (charge * host).astype(np.float32)


# -- paid traffic ------------------------------------------------------------------------------------------------------
def traffic_bought(price: Any, weight: Any, response: float) -> Any:
    """Paid traffic that sellers buy against the base year, floats or arrays.

    A line in the price of what it does for a room, price / weight, with slope `response`. Assumed form: the simplest
    demand that ends at a finite price.
    """
    return np.maximum(1.0 + response * (1.0 - price / weight), 0.0)


def traffic_rates(economics: Economics, rules: Rules, response: float) -> F64:
    """float64[H, 2]: what sellers spend on advertising and paid traffic, share of sales, by channel and class."""
    rates = economics.traffic_costs().copy()
    price, weight = np.asarray(rules.exposure.traffic_price, np.float64), _weight(rules)
    rates[:N_PLATFORMS] *= (price * traffic_bought(price, weight, response))[:, None]
    rates[BRAND_SITE] *= np.asarray(rules.site.price, np.float64)
    return rates


def traffic_push(rules: Rules, response: float) -> NDArray[np.float32]:
    """float32[P]: how far paid traffic moves a room up, against the base year: weight x what is bought."""
    price, weight = np.asarray(rules.exposure.traffic_price, np.float64), _weight(rules)
    push: NDArray[np.float32] = (weight * traffic_bought(price, weight, response)).astype(np.float32)
    return push


def _weight(rules: Rules) -> F64:
    return np.maximum(np.asarray(rules.exposure.traffic_weight, np.float64), 1e-6)


# -- what an order brings, and what a change of an instrument brings ---------------------------------------------------
class Trade(NamedTuple):
    """An average live order of a platform and the instruments behind it. Two seller classes: small, large."""

    value: float  # USD of goods kept
    mix: F64  # (2,) share of the value by seller class
    charge: F64  # (2,) effective commission, host's part included
    host: float  # host's share of it
    traffic: F64  # (2,) spending on paid traffic in the base year, share of sales
    traffic_price: float  # against the base year
    traffic_weight: float  # the same
    traffic_spread: float  # variance over rooms of what paid traffic adds to the log of exposure in the base year
    net_fee: float  # USD an order from the buyer: service fee less subsidy
    tilt: float  # theta x expected conversion, 1/USD: how far a dollar of margin moves a room up
    margin_spread: float  # variance over rooms of the own commission, USD^2


class Belief(NamedTuple):
    """How a platform thinks others respond."""

    sensitivity: float  # share of orders lost per USD on the buyer's price, 1/USD
    pass_through: float  # part of a charge on sellers that shows in the buyer's price on the platform
    multihoming: float  # per cent of sellers' offers lost per per cent of their net revenue
    traffic_response: float  # slope of the demand for paid traffic
    relevance: float  # log visits lost per unit of divergence from the ranking by relevance


def bought(trade: Trade, belief: Belief) -> float:
    """Paid traffic bought on the platform, against the base year."""
    return float(traffic_bought(trade.traffic_price, trade.traffic_weight, belief.traffic_response))


def order_margin(trade: Trade, belief: Belief) -> float:
    """USD an order leaves the platform: own commission, paid traffic, the buyer's fee, and what a tilt adds."""
    own = (1.0 - trade.host) * float(trade.mix @ trade.charge) * trade.value
    paid = float(trade.mix @ trade.traffic) * trade.value * trade.traffic_price * bought(trade, belief)
    return own + paid + trade.net_fee + trade.tilt * trade.margin_spread


def sellers_loss(trade: Trade, belief: Belief, seller: int) -> float:
    """Share of orders lost per unit of charge on a class of sellers, times its part: dearer goods and fewer offers."""
    spent = float(trade.traffic[seller]) * trade.traffic_price * bought(trade, belief)
    kept = 1.0 - float(trade.charge[seller]) - spent
    return belief.sensitivity * belief.pass_through * trade.value + belief.multihoming / max(kept, 0.05)


def gain_commission(trade: Trade, belief: Belief, seller: int) -> float:
    """Profit an order of a point more on a class: its own part, less the margin on the orders it drives away."""
    return (1.0 - trade.host) * trade.value - order_margin(trade, belief) * sellers_loss(trade, belief, seller)


def gain_fee(trade: Trade, belief: Belief) -> float:
    """Profit of a dollar more from the buyer of an order."""
    return 1.0 - belief.sensitivity * order_margin(trade, belief)


def _spending_gain(trade: Trade, belief: Belief) -> float:
    """Profit an order of raising what sellers spend on paid traffic by the whole of its base."""
    lost = np.array([sellers_loss(trade, belief, seller) for seller in range(trade.mix.size)])
    cost = float((trade.mix * trade.traffic) @ lost)
    return float(trade.mix @ trade.traffic) * trade.value - order_margin(trade, belief) * cost


def gain_traffic_price(trade: Trade, belief: Belief) -> float:
    """Profit an order of a dearer unit of paid traffic: spending = price x bought(price / weight)."""
    slope = 1.0 + belief.traffic_response * (1.0 - 2.0 * trade.traffic_price / trade.traffic_weight)
    return slope * _spending_gain(trade, belief)


def gain_traffic_weight(trade: Trade, belief: Belief) -> float:
    """Profit an order of more weight on paid traffic: sellers buy more of what works better, viewers see less of what
    they came for. Visits fall with half the variance that the push adds to the ranking (its divergence from the
    ranking by relevance)."""
    price, weight, amount = trade.traffic_price, trade.traffic_weight, bought(trade, belief)
    spending = belief.traffic_response * (price / weight) ** 2
    push = weight * amount
    steeper = amount + belief.traffic_response * price / weight
    lost = belief.relevance * trade.traffic_spread * push * steeper
    return spending * _spending_gain(trade, belief) - order_margin(trade, belief) * lost


def gain_tilt(trade: Trade, belief: Belief) -> float:
    """Profit an order of tilting the ranking to rooms of high margin: exposure in proportion to e^(tilt x margin)
    raises the mean margin by the margins' variance, and costs visits by the divergence tilt^2 x variance / 2."""
    lost = belief.relevance * trade.tilt * trade.margin_spread
    return trade.margin_spread - order_margin(trade, belief) * lost


class Condition(NamedTuple):
    """An instrument's first-order condition as it stood at the anchor."""

    anchor: float  # value of the instrument that was the best one
    unobserved: float  # constant that made it so
    slope: float  # how fast the marginal gain fell there


def anchored(gain: Callable[[float], float], anchor: float, step: float) -> Condition:
    """The condition under which `anchor` is the best value. `step`: size of a small change, for the slope."""
    slope = (gain(anchor - step) - gain(anchor + step)) / (2.0 * step)
    return Condition(anchor, -gain(anchor), max(slope, 0.0))


def best_response(
    gain: Callable[[float], float], condition: Condition, friction: float, low: float, high: float
) -> float:
    """The value in [low, high] where what one more unit brings is nothing.

    `gain(x)` + what is not observed - friction x slope x (x - anchor) falls in x. With friction f the instrument goes
    about 1 / (1 + f) of the way that the gain alone would send it: reluctance to part from known terms (assumed).
    """

    def marginal(value: float) -> float:
        return gain(value) + condition.unobserved - friction * condition.slope * (value - condition.anchor)

    if marginal(low) <= 0.0:
        return low
    if marginal(high) >= 0.0:
        return high
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if marginal(middle) > 0.0 else (low, middle)
    return 0.5 * (low + high)


# -- efforts -----------------------------------------------------------------------------------------------------------
def spared(share: Any, effort: Any) -> Any:
    """A share (0-1) that an effort works against: what is left of it, today's effort being 1."""
    return np.minimum(share / effort, 1.0)


def reached(share: Any, effort: Any) -> Any:
    """A share (0-1) that an effort works for: what is missing to 1 shrinks with the effort."""
    return np.clip(1.0 - (1.0 - share) / effort, 0.0, 1.0)


@dataclass(slots=True)
class Instruments:
    """What platforms have set of their own, P platforms; the neutral values are those of the base year.

    net_fee float64[P] USD an order, service fee less subsidy; traffic_price, traffic_weight float64[P]; theta
    float64[P] 1/USD on top of the rules' leaf; effort float64[P, 5] by kind in `EFFORTS`.
    """

    net_fee: F64
    traffic_price: F64
    traffic_weight: F64
    theta: F64
    effort: F64

    @classmethod
    def neutral(cls) -> Instruments:
        """Nothing set: the base year."""
        none, one = np.zeros(N_PLATFORMS), np.ones(N_PLATFORMS)
        return cls(none.copy(), one.copy(), one.copy(), none.copy(), np.ones((N_PLATFORMS, len(EFFORTS))))

    @property
    def at_rest(self) -> bool:
        """Whether everything is as in the base year."""
        return all(np.array_equal(getattr(self, part.name), getattr(_NEUTRAL, part.name)) for part in fields(self))


_NEUTRAL = Instruments.neutral()  # to compare with, never handed out


class Channel(Agent):
    """One channel: its number in kinds.CHANNELS, the columns of the catalogue it writes, its instruments."""

    def __init__(
        self, model: Model[Any, Any], index: int, catalogue: Catalogue, instruments: Instruments | None = None
    ) -> None:
        super().__init__(model)
        self.index = index
        self.catalogue = catalogue
        self.instruments = instruments or Instruments.neutral()

    @property
    def name(self) -> str:
        """Name in kinds.CHANNELS."""
        return CHANNELS[self.index]

    @property
    def is_live(self) -> bool:
        """Whether it has rooms."""
        return self.index < N_PLATFORMS

    def asked(self, seller: str) -> float:
        """Commission asked of a seller class, host's part included, before any cap."""
        return float(self.catalogue.commission_asked[self.index, SELLER_CLASSES.index(seller)])

    def ask(self, seller: str, share: float) -> None:
        """Sets the commission asked of a seller class from now on. Raises ValueError outside [0, 1)."""
        if not 0 <= share < 1:
            raise ValueError(f"a commission is a share in [0, 1), not {share}")
        self.catalogue.commission_asked[self.index, SELLER_CLASSES.index(seller)] = share

    def charged(self, seller: str, rules: Rules) -> float:
        """Commission in force today: the lower of what is asked and the cap."""
        both = effective_commission(self.catalogue.commission_asked, rules)
        return float(both[self.index, SELLER_CLASSES.index(seller)])

    @property
    def service_fee_usd(self) -> float:
        """What it adds to the price of a live order of its own accord."""
        return max(float(self.instruments.net_fee[self.index]), 0.0) if self.is_live else 0.0

    @property
    def subsidy_usd(self) -> float:
        """What it takes off the price of a live order of its own accord."""
        return max(-float(self.instruments.net_fee[self.index]), 0.0) if self.is_live else 0.0

    @property
    def theta(self) -> float:
        """How far a dollar of its margin moves a room up, 1/USD, of its own accord."""
        return float(self.instruments.theta[self.index]) if self.is_live else 0.0

    def effort(self, kind: str) -> float:
        """Effort of a kind in `EFFORTS` against the base year."""
        return float(self.instruments.effort[self.index, EFFORTS.index(kind)]) if self.is_live else 1.0

    @staticmethod
    def best_fee(trade: Trade, belief: Belief, condition: Condition, friction: float, low: float, high: float) -> float:
        """The fee less subsidy it would set, USD an order, the other instruments as they are."""
        return best_response(lambda fee: gain_fee(trade._replace(net_fee=fee), belief), condition, friction, low, high)


def make_channels(
    model: Model[Any, Any], catalogue: Catalogue, instruments: Instruments | None = None
) -> list[Channel]:
    """The ten channels as Mesa agents, in order."""
    shared = instruments or Instruments.neutral()
    return [Channel(model, index, catalogue, shared) for index in range(len(CHANNELS))]
