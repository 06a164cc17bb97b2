"""What law, platforms and technology say today: a frozen tree of typed, read-only arrays.

Rules are values; decisions belong to agents. A leaf such as `tariff.duty_rate` is a numpy array whose unit, index
names, range, meaning and strength mode are declared once, on the field itself, so that one generic mechanism
(`sim.interventions`) can amend any of them. Modules read leaves (`rules.tariff.duty_rate[country, category]`) and may
keep arrays derived from them for as long as they are handed the same `Rules` object: a day on which nothing changes
gives the very same object.

A policy is the baseline plus a change on a copy: `rules.amend({"tariff.duty_rate": rates})` checks shape and range,
copies the leaf it changes and shares every other one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated, Any, Literal, Protocol, Self, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim import kinds
from sim.config.economics import Economics
from sim.config.geography import LANGUAGES, Geography
from sim.config.payments import Payments
from sim.config.rules import RulesBaseline

Mode = Literal["scale", "bound", "cover"]
type Array = NDArray[Any]

WAREHOUSES = (*(f"origin_{number}" for number in range(1, kinds.N_ORIGIN_WAREHOUSES + 1)), *kinds.COUNTRIES)
CARRIERS = tuple(f"{country}_{number}" for country in kinds.COUNTRIES for number in (1, 2))

AXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "country": kinds.COUNTRIES,
        "category": kinds.CATEGORIES,
        "platform": kinds.PLATFORMS,
        "channel": kinds.CHANNELS,
        "seller_class": kinds.SELLER_CLASSES,
        "method": kinds.PAYMENT_METHODS,
        "warehouse": WAREHOUSES,
        "carrier": CARRIERS,
        "mode": kinds.MODES,
        "language_from": LANGUAGES,
        "language_to": LANGUAGES,
    }
)
"""Index names of every axis a leaf can have."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """What is declared about one leaf.

    `mode` says what a strength between 0 and 1 means for it:
    `scale`: a number; baseline + strength x change.
    `bound`: a cap or floor; from the extreme value in force at baseline to the one set.
    `cover`: on or off for each entity; strength is the share of the scope's entities switched.
    """

    path: str
    unit: str
    axes: tuple[str, ...]
    low: float
    high: float
    mode: Mode
    neutral: float
    meaning: str
    flag: bool = False  # stored as 0 or 1
    nan_means: str = ""  # empty: nan is not allowed

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the leaf's axes."""
        return tuple(len(AXES[axis]) for axis in self.axes)

    def freeze(self, values: ArrayLike) -> Array:
        """A read-only copy of `values` in the leaf's shape and type.

        Raises:
            ValueError: wrong shape, a value outside the range, or an undeclared nan; names leaf and index.
        """
        dtype = np.uint8 if self.flag else np.float32
        wide = np.asarray(values, dtype=np.float64)
        if wide.shape not in ((), self.shape):
            axes = ", ".join(self.axes)
            raise ValueError(f"rules leaf {self.path}: shape {wide.shape}, expected {self.shape} ({axes})")
        wide = np.broadcast_to(wide, self.shape)
        slack = 1e-6 * max(1.0, abs(self.low), abs(self.high) if np.isfinite(self.high) else 1.0)
        wrong = (wide < self.low - slack) | (wide > self.high + slack)
        if not self.nan_means:
            wrong |= np.isnan(wide)
        if self.flag:
            wrong |= wide != np.round(wide)
        if wrong.any():
            place = tuple(int(axis[0]) for axis in np.nonzero(wrong))
            names = ", ".join(AXES[axis][at] for axis, at in zip(self.axes, place, strict=True))
            raise ValueError(f"rules leaf {self.path}[{names}]: {wide[place]} is not in {self.low}..{self.high}")
        frozen = np.clip(wide, self.low, self.high).astype(dtype)
        frozen.setflags(write=False)
        return frozen


def _leaf(
    meaning: str,
    unit: str,
    axes: tuple[str, ...],
    low: float,
    high: float,
    mode: Mode,
    neutral: float,
    *,
    flag: bool = False,
    nan_means: str = "",
) -> Leaf:
    return Leaf("", unit, axes, low, high, mode, neutral, meaning, flag, nan_means)


_C = ("country",)
_CK = ("country", "category")
_CM = ("country", "method")
_P = ("platform",)
_H = ("channel",)
_K = ("category",)
_SELLER = ("seller_class",)
_WAREHOUSE = ("warehouse",)
_CARRIER = ("carrier",)


@dataclass(frozen=True, slots=True)
class Tariff:
    """Import duty."""

    duty_rate: Annotated[
        Array,
        _leaf(
            "duty on the declared value of a parcel from China; lower than the bulk one where parcels pay a flat rate, "
            "higher where they seldom claim a trade preference",
            "share",
            _CK,
            0.0,
            3.0,
            "scale",
            0.0,
        ),
    ]
    bulk_duty_rate: Annotated[
        Array, _leaf("duty on the value of goods imported in bulk from China", "share", _CK, 0.0, 3.0, "scale", 0.0)
    ]
    de_minimis_usd: Annotated[
        Array,
        _leaf(
            "highest parcel value free of duty; 0: nothing is free, inf: everything is",
            "USD",
            _C,
            0.0,
            np.inf,
            "scale",
            np.inf,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Tax:
    """Value added or sales tax on imports."""

    vat_rate: Annotated[
        Array, _leaf("VAT or sales tax on an import, value plus duty", "share", _C, 0.0, 0.5, "scale", 0.0)
    ]
    de_minimis_usd: Annotated[
        Array,
        _leaf(
            "highest parcel value free of VAT; 0: nothing is free",
            "USD",
            _C,
            0.0,
            np.inf,
            "scale",
            np.nan,
            nan_means="the country levies no VAT on parcels",
        ),
    ]


@dataclass(frozen=True, slots=True)
class Customs:
    """The border."""

    clearance_factor: Annotated[
        Array, _leaf("unloaded clearance time against the fitted one", "1", _C, 0.05, 20.0, "scale", 1.0)
    ]
    inspection_rate: Annotated[Array, _leaf("share of parcels opened", "share", _C, 0.0, 1.0, "scale", 0.0)]
    throughput_factor: Annotated[
        Array, _leaf("parcels cleared a day against the fitted capacity", "1", _C, 0.01, 20.0, "scale", 1.0)
    ]
    open: Annotated[Array, _leaf("1: clears parcels, 0: the border is closed", "0/1", _C, 0, 1, "cover", 1, flag=True)]


@dataclass(frozen=True, slots=True)
class Commission:
    """Limits on what a channel may charge sellers; effective commission = min(asked, cap)."""

    cap: Annotated[
        Array,
        _leaf(
            "highest commission a channel may ask, by seller class; 1: no cap",
            "share of order value",
            ("channel", "seller_class"),
            0.0,
            1.0,
            "bound",
            1.0,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Disclosure:
    """Advertising labels."""

    coverage: Annotated[
        Array,
        _leaf(
            "share of sponsored shows that must carry an advertising label; hosts comply or risk it",
            "share",
            _C,
            0.0,
            1.0,
            "cover",
            0.0,
        ),
    ]
    audit_hazard: Annotated[
        Array, _leaf("audits for missing labels of an active host", "1/year", _C, 0.0, 50.0, "scale", 0.0)
    ]
    fine_share: Annotated[
        Array, _leaf("fine for a missing label", "share of a year's revenue", _C, 0.0, 1.0, "scale", 0.0)
    ]


@dataclass(frozen=True, slots=True)
class Claims:
    """Truth in advertising."""

    audit_hazard: Annotated[
        Array, _leaf("audits for untrue claims of an active host", "1/year", _C, 0.0, 50.0, "scale", 0.0)
    ]
    fine_share: Annotated[
        Array, _leaf("fine for an untrue claim", "share of a year's revenue", _C, 0.0, 1.0, "scale", 0.0)
    ]
    moderation: Annotated[
        Array,
        _leaf("effort with which a platform looks for untrue claims, 1 = today's", "1", _P, 0.0, 10.0, "scale", 1.0),
    ]

    @property
    def expected_penalty(self) -> Array:
        """float32[C]: expected fine for an untrue claim, share of revenue: audits a year x the fine (Becker 1968)."""
        product: Array = self.audit_hazard * self.fine_share
        return product


@dataclass(frozen=True, slots=True)
class Language:
    """Machine translation of speech in rooms."""

    translation: Annotated[
        Array,
        _leaf(
            "quality of live translation from a show's language (row) to a viewer's (column); 0: none, 1: native",
            "quality 0-1",
            ("language_from", "language_to"),
            0.0,
            1.0,
            "scale",
            0.0,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Stream:
    """What picture is sent, and how well it arrives."""

    stutter: Annotated[Array, _leaf("share of watched minutes that stutter", "share", _C, 0.0, 1.0, "scale", 0.0)]
    definition: Annotated[
        Array,
        _leaf("data rate of the picture sent, against that of the base year", "1", _C, 0.1, 100.0, "scale", 1.0),
    ]
    up: Annotated[Array, _leaf("1: the platform can broadcast, 0: outage", "0/1", _P, 0, 1, "cover", 1, flag=True)]


@dataclass(frozen=True, slots=True)
class Recommendation:
    """How platforms match viewers and rooms."""

    precision: Annotated[
        Array,
        _leaf(
            "weight of the viewer's true interests in the predicted match; 0: random, 1: perfect",
            "0-1",
            _P,
            0.0,
            1.0,
            "scale",
            0.5,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Reputation:
    """What buyers are shown of others' verdicts."""

    visibility: Annotated[
        Array,
        _leaf(
            "reviews of the seller that a buyer meets when weighing an offer, against those of the base year",
            "1", _H, 0.05, 100.0, "scale", 1.0,
        ),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exposure:
    """What else moves a room up the ranking."""

    margin_weight: Annotated[
        Array,
        _leaf("theta: weight of the platform's expected margin per impression", "1/USD", _P, 0.0, 10.0, "scale", 0.0),
    ]
    bot_detection: Annotated[
        Array, _leaf("share of fake viewers taken out before ranking", "share", _P, 0.0, 1.0, "scale", 0.0)
    ]
    traffic_price: Annotated[
        Array, _leaf("price of paid traffic, 1 = that of the base year", "1", _P, 0.0, 10.0, "scale", 1.0)
    ]
    traffic_weight: Annotated[
        Array,
        _leaf("weight of paid traffic in the ranking, 1 = that of the base year", "1", _P, 0.0, 10.0, "scale", 1.0),
    ]


@dataclass(frozen=True, slots=True)
class Guarantee:
    """Return assurance."""

    coverage: Annotated[
        Array,
        _leaf(
            "share of offers whose return the channel guarantees, on top of what merchants offer themselves",
            "share",
            _H,
            0.0,
            1.0,
            "cover",
            0.0,
        ),
    ]
    return_window_days: Annotated[
        Array, _leaf("days a buyer may send goods back", "days", _C, 0.0, 120.0, "scale", 14.0)
    ]


_Offered = Annotated[
    Array,
    _leaf(
        "share of offers whose sellers can have the technology if they want, beyond those that had it before",
        "share", _K, 0.0, 1.0, "cover", 0.0,
    ),
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class TryOn:
    """Virtual try-on and placement."""

    coverage: Annotated[
        Array, _leaf("share of offers that can be tried on screen", "share", _K, 0.0, 1.0, "cover", 0.0)
    ]
    offered: _Offered


@dataclass(frozen=True, slots=True)
class Tracing:
    """Provenance records."""

    coverage: Annotated[Array, _leaf("share of offers with a provenance record", "share", _K, 0.0, 1.0, "cover", 0.0)]
    offered: _Offered


@dataclass(frozen=True, slots=True)
class Certification:
    """Product tests."""

    coverage: Annotated[Array, _leaf("share of offers with a certified quality", "share", _K, 0.0, 1.0, "cover", 0.0)]
    offered: _Offered


@dataclass(frozen=True, slots=True)
class SmallLots:
    """Production in small lots after live demand, by factories that sellers do not own."""

    coverage: Annotated[
        Array, _leaf("share of offers that are made in small lots after demand", "share", _K, 0.0, 1.0, "cover", 0.0)
    ]
    offered: _Offered


@dataclass(frozen=True, slots=True)
class Technology:
    """What technologies cost sellers."""

    price: Annotated[
        Array,
        _leaf(
            "price of technologies and tools that sellers buy, 1 = that of the base year",
            "1", _SELLER, 0.0, 10.0, "scale", 1.0,
        ),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Site:
    """Shops of sellers' own."""

    price: Annotated[
        Array,
        _leaf(
            "what opening a site of one's own and bringing buyers to it costs, 1 = as in the base year",
            "1", _SELLER, 0.05, 10.0, "scale", 1.0,
        ),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Host:
    """What hosting costs beyond the host's time."""

    virtual_cost: Annotated[
        Array, _leaf("running cost of a virtual host, 1 = that of the base year", "1", _P, 0.05, 10.0, "scale", 1.0)
    ]


@dataclass(frozen=True, slots=True)
class Packaging:
    """Parcels' wrapping."""

    emission_factor: Annotated[
        Array,
        _leaf("emissions of a parcel's packaging, 1 = those of the base year", "1", _C, 0.0, 10.0, "scale", 1.0),
    ]


@dataclass(frozen=True, slots=True)
class Payment:
    """How a buyer can pay, and when a seller is paid."""

    availability: Annotated[
        Array, _leaf("share of checkouts that offer the method", "share", _CM, 0.0, 1.0, "cover", 1.0)
    ]
    fee_rate: Annotated[Array, _leaf("payment fee", "share of payment", _CM, 0.0, 0.2, "scale", 0.0)]
    settlement_days: Annotated[
        Array, _leaf("days from delivery to the seller's payout", "days", _H, 0.0, 90.0, "scale", 7.0)
    ]
    outage: Annotated[Array, _leaf("1: the method is down all day", "0/1", _CM, 0, 1, "cover", 0, flag=True)]


@dataclass(frozen=True, slots=True)
class Credit:
    """What sellers can borrow, and on which terms."""

    limit_weeks: Annotated[
        Array,
        _leaf("largest debt of a seller, weeks of its sales", "weeks of sales", _SELLER, 0.0, 52.0, "scale", 0.0),
    ]
    annual_rate: Annotated[
        Array, _leaf("interest on borrowed money and on money tied in stock", "1/year", _SELLER, 0.0, 1.0, "scale", 0.0)
    ]
    days_to_fund: Annotated[
        Array, _leaf("days from asking for credit to having it", "days", _SELLER, 0.0, 180.0, "scale", 0.0)
    ]


@dataclass(frozen=True, slots=True)
class Warehousing:
    """Storage and picking."""

    overseas_access: Annotated[
        Array, _leaf("share of merchants offered space in the country's warehouse", "share", _C, 0.0, 1.0, "cover", 0.0)
    ]
    capacity_factor: Annotated[
        Array, _leaf("orders picked a day against built capacity", "1", _WAREHOUSE, 0.01, 20.0, "scale", 1.0)
    ]
    sync_hours: Annotated[
        Array,
        _leaf(
            "hours between two refreshes of the stock that sellers show", "hours", _WAREHOUSE, 0.0, 168.0, "scale", 24.0
        ),
    ]
    open: Annotated[Array, _leaf("1: works, 0: closed all day", "0/1", _WAREHOUSE, 0, 1, "cover", 1, flag=True)]
    forecast_visibility: Annotated[
        Array,
        _leaf(
            "share of coming live demand that is known when stock is ordered",
            "share",
            _WAREHOUSE,
            0.0,
            1.0,
            "scale",
            0.0,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Linehaul:
    """Transport between China and the destination."""

    capacity_factor: Annotated[
        Array, _leaf("parcels carried a day against the fitted capacity", "1", ("mode",), 0.01, 20.0, "scale", 1.0)
    ]
    open: Annotated[Array, _leaf("1: runs, 0: closed all day", "0/1", ("mode",), 0, 1, "cover", 1, flag=True)]
    price_factor: Annotated[
        Array,
        _leaf(
            "price of carrying stock in bulk, 1 = that of the base year; of parcels nothing is read",
            "1", ("mode",), 0.0, 50.0, "scale", 1.0,
        ),
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Carrier:
    """Last-mile delivery."""

    capacity_factor: Annotated[
        Array, _leaf("parcels delivered a day against built capacity", "1", _CARRIER, 0.01, 20.0, "scale", 1.0)
    ]
    open: Annotated[Array, _leaf("1: works, 0: suspended all day", "0/1", _CARRIER, 0, 1, "cover", 1, flag=True)]
    time_factor: Annotated[
        Array, _leaf("unloaded delivery time against the fitted one", "1", _CARRIER, 0.05, 20.0, "scale", 1.0)
    ]


@dataclass(frozen=True, slots=True)
class ColdChain:
    """Fresh goods."""

    spoilage_factor: Annotated[
        Array, _leaf("speed of the spoilage clock against the fitted one", "1", _C, 0.0, 20.0, "scale", 1.0)
    ]


@dataclass(frozen=True, slots=True)
class Aftersales:
    """Service after the sale."""

    handling_hours: Annotated[
        Array, _leaf("hours until a complaint or dispute is answered", "hours", _H, 0.0, 2160.0, "scale", 72.0)
    ]


@dataclass(frozen=True, slots=True)
class Subsidy:
    """Money given to buyers."""

    buyer_usd: Annotated[
        Array, _leaf("taken off a live order's price by the platform", "USD", _P, 0.0, 100.0, "scale", 0.0)
    ]


@dataclass(frozen=True, slots=True)
class Demand:
    """Outside influence on what people need."""

    need_factor: Annotated[
        Array, _leaf("speed at which needs come back, against the fitted one", "1", _CK, 0.0, 20.0, "scale", 1.0)
    ]


@dataclass(frozen=True, slots=True)
class Privacy:
    """Data safety."""

    breach_hazard: Annotated[Array, _leaf("chance of a data breach on a day", "1/day", _P, 0.0, 1.0, "scale", 0.0)]
    audit_hazard: Annotated[Array, _leaf("data audits of a platform", "1/year", _C, 0.0, 50.0, "scale", 0.0)]
    fine_share: Annotated[
        Array,
        _leaf("fine for a lapse in data safety", "share of a year's revenue there", _C, 0.0, 1.0, "scale", 0.0),
    ]


@dataclass(frozen=True, slots=True)
class Product:
    """Product safety and genuineness."""

    audit_hazard: Annotated[
        Array, _leaf("product audits of a merchant that sells there", "1/year", _C, 0.0, 50.0, "scale", 0.0)
    ]
    fine_share: Annotated[
        Array, _leaf("fine for counterfeits", "share of a year's revenue there", _C, 0.0, 1.0, "scale", 0.0)
    ]


@dataclass(frozen=True, slots=True)
class Relief:
    """What the state in China gives back to firms."""

    compliance: Annotated[
        Array,
        _leaf(
            "share of market entry and compliance costs that the treasury pays back",
            "share",
            ("seller_class",),
            0.0,
            1.0,
            "scale",
            0.0,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Platform:
    """Bans; where a platform is on offer at all is geography's matter."""

    open: Annotated[
        Array,
        _leaf("1: allowed, 0: banned in the country", "0/1", ("country", "platform"), 0, 1, "cover", 1, flag=True),
    ]


@dataclass(frozen=True, slots=True)
class Exchange:
    """Currency shocks."""

    rate_factor: Annotated[
        Array, _leaf("price of a USD in local money against the day's rate", "1", _C, 0.01, 100.0, "scale", 1.0)
    ]


@dataclass(frozen=True, slots=True)
class Rules:
    """The whole tree; one attribute per group, one read-only array per leaf (see `LEAVES`).

    `in_force` holds, for each leaf of mode `bound`, the extreme value that agents ask at baseline in the leaf's shape:
    what a cap must come down to before it bites.
    """

    tariff: Tariff
    tax: Tax
    customs: Customs
    commission: Commission
    disclosure: Disclosure
    claims: Claims
    language: Language
    stream: Stream
    recommendation: Recommendation
    reputation: Reputation
    exposure: Exposure
    guarantee: Guarantee
    tryon: TryOn
    tracing: Tracing
    certification: Certification
    small_lots: SmallLots
    technology: Technology
    site: Site
    host: Host
    packaging: Packaging
    payment: Payment
    credit: Credit
    warehousing: Warehousing
    linehaul: Linehaul
    carrier: Carrier
    cold_chain: ColdChain
    aftersales: Aftersales
    subsidy: Subsidy
    demand: Demand
    privacy: Privacy
    product: Product
    relief: Relief
    platform: Platform
    exchange: Exchange
    in_force: Mapping[str, Array]

    @classmethod
    def neutral(
        cls, values: Mapping[str, ArrayLike] | None = None, in_force: Mapping[str, ArrayLike] | None = None
    ) -> Self:
        """Rules with every leaf at its documented neutral value, but for those in `values`.

        `in_force` gives the extreme values asked at baseline for `bound` leaves; a leaf left out takes 0.25, the upper
        end of claim s4-4-platform-commission.

        Raises:
            ValueError: unknown leaf, wrong shape or value outside the range.
        """
        given = dict(values or {})
        unknown = sorted(set(given) - set(LEAVES))
        if unknown:
            raise ValueError(f"no rules leaf named {', '.join(unknown)}")
        frozen = {path: leaf.freeze(given.get(path, leaf.neutral)) for path, leaf in LEAVES.items()}
        groups: dict[str, Any] = {
            group: kind(**{name: frozen[f"{group}.{name}"] for name in kind.__annotations__})
            for group, kind in GROUPS.items()
        }
        asked = {
            path: leaf.freeze((in_force or {}).get(path, 0.25)) for path, leaf in LEAVES.items() if leaf.mode == "bound"
        }
        return cls(**groups, in_force=MappingProxyType(asked))

    @classmethod
    def baseline(cls, cfg: BaselineGroups) -> Self:
        """The rules of the base year, from the groups of the configuration.

        What no group holds (factors on fitted times, closures, subsidies, breaches) is neutral. Commissions asked at
        baseline are what a cap must come down to.
        """
        values = {
            **_law(cfg.geography),
            **_terms(cfg.economics),
            **_checkout(cfg.payments),
            **_service(cfg.rules),
        }
        return cls.neutral(values, in_force={"commission.cap": cfg.economics.commissions()})

    def get(self, path: str) -> Array:
        """The array of the leaf named `group.leaf`.

        Raises:
            KeyError: no such leaf.
        """
        if path not in LEAVES:
            raise KeyError(path)
        group, name = path.split(".")
        array: Array = getattr(getattr(self, group), name)
        return array

    def leaves(self) -> Iterator[tuple[Leaf, Array]]:
        """Every declaration with its array, in declared order."""
        for path, leaf in LEAVES.items():
            yield leaf, self.get(path)

    def amend(self, changes: Mapping[str, ArrayLike]) -> Rules:
        """A copy with the leaves of `changes` replaced; all other arrays are shared. No change gives `self`.

        Raises:
            KeyError: no such leaf.
            ValueError: wrong shape or value outside the leaf's range.
        """
        groups: dict[str, dict[str, Array]] = {}
        for path, values in changes.items():
            group, name = LEAVES[path].path.split(".")
            groups.setdefault(group, {})[name] = LEAVES[path].freeze(values)
        if not groups:
            return self
        return replace(self, **{group: replace(getattr(self, group), **new) for group, new in groups.items()})


GROUPS: Mapping[str, type[Any]] = MappingProxyType(
    {
        "tariff": Tariff,
        "tax": Tax,
        "customs": Customs,
        "commission": Commission,
        "disclosure": Disclosure,
        "claims": Claims,
        "language": Language,
        "stream": Stream,
        "recommendation": Recommendation,
        "reputation": Reputation,
        "exposure": Exposure,
        "guarantee": Guarantee,
        "tryon": TryOn,
        "tracing": Tracing,
        "certification": Certification,
        "small_lots": SmallLots,
        "technology": Technology,
        "site": Site,
        "host": Host,
        "packaging": Packaging,
        "payment": Payment,
        "credit": Credit,
        "warehousing": Warehousing,
        "linehaul": Linehaul,
        "carrier": Carrier,
        "cold_chain": ColdChain,
        "aftersales": Aftersales,
        "subsidy": Subsidy,
        "demand": Demand,
        "privacy": Privacy,
        "product": Product,
        "relief": Relief,
        "platform": Platform,
        "exchange": Exchange,
    }
)

LEAVES: Mapping[str, Leaf] = MappingProxyType(
    {
        f"{group}.{name}": replace(hint.__metadata__[0], path=f"{group}.{name}")
        for group, kind in GROUPS.items()
        for name, hint in get_type_hints(kind, include_extras=True).items()
    }
)
"""Every leaf's declaration by its path `group.leaf`."""


class BaselineGroups(Protocol):
    """The groups of a run's configuration that hold baseline values of the rules."""

    @property
    def geography(self) -> Geography:
        """Law and networks of the countries."""
        ...

    @property
    def economics(self) -> Economics:
        """Commissions, fees and terms."""
        ...

    @property
    def payments(self) -> Payments:
        """Methods on offer."""
        ...

    @property
    def rules(self) -> RulesBaseline:
        """Everything else."""
        ...


def _law(geography: Geography) -> dict[str, ArrayLike]:
    return {
        "tariff.duty_rate": geography.duty_rate("parcel"),
        "tariff.bulk_duty_rate": geography.duty_rate("bulk"),
        "tariff.de_minimis_usd": geography.duty_thresholds(),
        "tax.vat_rate": geography.vat_rates(),
        "tax.de_minimis_usd": geography.vat_thresholds(),
        "stream.stutter": geography.stutter(),
    }


def _terms(economics: Economics) -> dict[str, ArrayLike]:
    """Acquiring fees do not differ by country; the exchange margin is no fee and is posted by itself."""
    days = economics.settlement_days
    return {
        "payment.fee_rate": np.tile(economics.payment_fees(), (kinds.N_COUNTRIES, 1)),
        "credit.annual_rate": [economics.annual_rate[name] for name in kinds.SELLER_CLASSES],
        "payment.settlement_days": [days[name if name in days else "live"] for name in kinds.CHANNELS],
    }


def _checkout(payments: Payments) -> dict[str, ArrayLike]:
    return {"payment.availability": payments.offered()}


def _service(rules: RulesBaseline) -> dict[str, ArrayLike]:
    translation = np.full((len(LANGUAGES), len(LANGUAGES)), rules.translation_quality)
    np.fill_diagonal(translation, 0.0)  # a language needs no translation into itself
    return {
        "customs.inspection_rate": rules.by_country("inspection_rate"),
        "disclosure.coverage": rules.by_country("disclosure_coverage"),
        "disclosure.audit_hazard": rules.by_country("label_audits"),
        "disclosure.fine_share": rules.by_country("label_fine"),
        "claims.audit_hazard": rules.by_country("claim_audits"),
        "claims.fine_share": rules.by_country("claim_fine"),
        "product.audit_hazard": rules.by_country("product_audits"),
        "product.fine_share": rules.by_country("product_fine"),
        "privacy.audit_hazard": rules.by_country("data_audits"),
        "privacy.fine_share": rules.by_country("data_fine"),
        "language.translation": translation,
        "recommendation.precision": rules.by_name("recommendation_precision"),
        "exposure.margin_weight": rules.by_name("margin_weight"),
        "exposure.bot_detection": rules.by_name("bot_detection"),
        "guarantee.coverage": rules.by_name("guarantee_coverage"),
        "guarantee.return_window_days": rules.by_country("return_window_days"),
        "tryon.coverage": rules.by_name("tryon_coverage"),
        "tracing.coverage": rules.by_name("tracing_coverage"),
        "certification.coverage": rules.by_name("certification_coverage"),
        "credit.limit_weeks": rules.by_name("credit_limit_weeks"),
        "credit.days_to_fund": rules.by_name("credit_days_to_fund"),
        "warehousing.overseas_access": rules.by_country("overseas_access"),
        "warehousing.sync_hours": rules.by_warehouse("sync_hours"),
        "warehousing.forecast_visibility": rules.by_warehouse("forecast_visibility"),
        "aftersales.handling_hours": rules.by_name("handling_hours"),
        "privacy.breach_hazard": rules.by_name("breach_hazard"),
    }
