"""What is on sale and what is on air: merchants, product lines, offers, stock, and the shows of a day.

Everything is a struct of arrays with the row number as identity: merchants, lines and streamers are numbered once, at
build, and never renumbered. Letters in shapes: m merchants, n lines, S streamers, s shows of the day, C countries,
T = 4 steps of a line's price-quality ladder, K categories, P platforms, H channels, W = 24 warehouses,
L = 2 listings of the same stock (live rooms; shelf and brand sites), Q = 4 technologies (`kinds.TECHNOLOGIES`).

Money is in US cents of one sampled consumer's world, quality between 0 and 1. Each column has one writer, named in the
line that declares it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.config.economics import BULK_MODES, Economics
from sim.config.firms import Firms
from sim.config.geography import Geography
from sim.config.sources import FirmsSource
from sim.draws import Draws, Purpose
from sim.kernels.supply import exp_each, log_each, power_each
from sim.kinds import (
    DAYPARTS,
    N_CATEGORIES,
    N_CHANNELS,
    N_COUNTRIES,
    N_PLATFORMS,
    N_REGIONS,
    N_TECHNOLOGIES,
    N_TIERS,
    N_WAREHOUSES,
    NO_SHOW,
    NO_STREAMER,
    REGION_OF_COUNTRY,
    REGIONS,
)

type U8 = NDArray[np.uint8]
type U16 = NDArray[np.uint16]
type I16 = NDArray[np.int16]
type U32 = NDArray[np.uint32]
type I32 = NDArray[np.int32]
type I64 = NDArray[np.int64]
type F32 = NDArray[np.float32]
type F64 = NDArray[np.float64]

LINEUP = 4  # lines a show presents
N_LISTINGS = 2  # a seller lists its stock in live rooms (0), and on the shelf and brand sites (1), each on its own
LINE_LIMIT = 65_000  # line numbers are stored in 16 bits
SHOW_LIMIT = 4_000
POOL_SLOTS = 64  # keyed slots of a recommendation pool


@dataclass(slots=True)
class Catalogue:
    """Merchants, their lines, and what each line costs and promises in each country.

    A line is sold in country c where `landed_cents[line, c, 0] > 0`. `direct` and `stocked` are complements wherever
    the line is sold: 1 in `stocked` means from the warehouse in the country, 1 in `direct` from the merchant's
    warehouse in China. Stock is pooled over a line's tiers.
    """

    # merchants
    seller_class: U8  # (m,) index in SELLER_CLASSES; build
    home_warehouse: U8  # (m,) warehouse in China that ships direct parcels and bulk, 0..3; build
    merchant_category: U8  # (m,) main category; build
    merchant_size: F32  # (m,) weight of the merchant in every country it sells to, sums to 1; build
    reputation: F32  # (m,) public reputation 0-1; opinion
    authenticity: F32  # (m,) share of units that are genuine; audits
    return_guarantee: U8  # (m,) 1: guarantees returns of its own accord; build
    insured: U8  # (m,) 1: pays for fulfilment insurance; build
    own_site: U8  # (m,) 1: has a site of its own; build
    lister: U8  # (m,) 1: lists on the shelf channel; build
    on_platform: U8  # (m, P) 1: sells through the platform; build
    targets: U8  # (m, C) 1: sells to the country; build
    overseas_draw: F32  # (m,) keyed lottery 0-1, a local warehouse is on offer below overseas_access; build
    weekday: U8  # (m,) 0-6, day of the week on which the merchant revises prices and stock; build
    c2m: U8  # (m,) 1: owns its production and makes small lots after live demand; build
    evades: U8  # (m,) 1: declares less and divides parcels where it pays; declarations
    host_offer_permille: U16  # (m,) of the goods price, added to the host's part of the commission; offers
    slot_fee_change: I16  # (m,) permille by which the slot fee is above the usual one; offers
    identity: U32  # (m,) number in the pool of potential merchants: row + merchants x how many tried here; solvency
    trading: U8  # (m,) 1: in business, 0: has left, what is under way is wound up or the place is free; solvency
    funded: F32  # (m,) share of the stock wanted that the merchant can pay for, 0-1; solvency

    # lines
    merchant: U16  # (n,) owner; build
    category: U8  # (n,) build
    quality: F32  # (n, T) true quality 0-1, rising with the tier; build, firms.quality
    unit_cost_cents: I32  # (n, T) ex-factory cost of a unit; build, firms.quality
    list_cents: I32  # (n, T) export list price: ex tax, freight and duty, before any country's costs; supply.price
    weight_kg: F32  # (n,) of a packed unit, volume weight if larger; build
    line_share: F32  # (n,) share of the merchant's demand expected of the line, sums to 1 over a merchant; build
    cold: U8  # (n,) 1: needs the cold chain; build
    room: I32  # (n,) units sold beyond stock in China, because they are made to order; adaptation
    technology: U8  # (n, Q) 0: as the rules cover lines, 1: taken up by choice, 2: given up; firms.technology

    # offers: line in a country
    price_cents: I32  # (n, C, T) goods price asked: before discount, buyer's taxes and freight; supply.price
    freight_cents: I32  # (n, C) freight charged to the buyer for one unit on top of the price; supply.price
    landed_cents: I32  # (n, C, T) all a buyer pays for a unit, no discount or subsidy; 0: not sold; supply.price
    promised_days: F32  # (n, C) delivery time promised; supply.price from the lanes' promises
    stocked: U8  # (n, C) 1: sold from the warehouse in the country; adaptation
    direct: U8  # (n, C) 1: sold from China, parcel by parcel; adaptation
    understated_permille: U16  # (n, C) part of a parcel's goods value that is not declared at the border; declarations
    postage_cents: I32  # (n, C) of one more parcel from China; 0: parcels are divided for nothing; declarations

    # stock, units in the model's world
    shown: I32  # (L, n, W) shown by live rooms 0, by shelf and sites 1; checkout takes, fulfilment refreshes
    real: I32  # (n, W) what lies there; fulfilment
    ordered_units: I64  # (n, W) sent for since the first day, stock of the first day included; adaptation
    received_units: I64  # (n, W) arrived since the first day, stock of the first day included; fulfilment
    bulk_way: U8  # (n, C) bulk mode by which local stock usually comes, index in BULK_MODES; firms.freight
    wanted_units: I64  # (n, C) asked for since the first day, units lost for want of stock included; checkout

    # what hosts, agencies and channels ask
    host_permille: U16  # (S,) of the commission on a live order, passed on to the host; supply.schedule
    agency_permille: U16  # (S,) of the host's commission, kept by the agency; 0: no agency; adaptation
    agency: U16  # (S,) the streamer's MCN, NO_STREAMER if none; adaptation
    commission_asked: F32  # (H, 2) all a seller pays on a sale, host included, share of goods, before a cap; platforms

    bulk_mix: F64  # (C, B) share of local stock that each bulk mode brings, as merchants reckon with it; firms.freight
    service_fee: F32  # (H,) asked of the buyer on top of the price, share of goods; platforms

    @property
    def n_merchants(self) -> int:
        """Number of merchants."""
        return int(self.seller_class.size)

    @property
    def n_lines(self) -> int:
        """Number of lines."""
        return int(self.merchant.size)

    @property
    def nbytes(self) -> int:
        """Bytes of all columns."""
        return sum(getattr(self, field.name).nbytes for field in fields(self))

    @classmethod
    def empty(cls, merchants: int, lines: int, streamers: int) -> Catalogue:
        """A catalogue of the given size with every column zero (nothing is sold anywhere).

        Raises:
            ValueError: more lines than 16 bits can number.
        """
        if lines > LINE_LIMIT:
            raise ValueError(f"at most {LINE_LIMIT} lines, not {lines}")
        sizes = {"m": (merchants,), "n": (lines,), "S": (streamers,), "H": (N_CHANNELS,), "A": (N_CHANNELS, 2)}
        sizes |= {"CB": (N_COUNTRIES, len(BULK_MODES))}
        sizes |= {"mP": (merchants, N_PLATFORMS), "mC": (merchants, N_COUNTRIES)}
        sizes |= {
            "nQ": (lines, N_TECHNOLOGIES),
            "nT": (lines, N_TIERS),
            "nC": (lines, N_COUNTRIES),
            "nW": (lines, N_WAREHOUSES),
        }
        sizes |= {"nCT": (lines, N_COUNTRIES, N_TIERS), "LnW": (N_LISTINGS, lines, N_WAREHOUSES)}
        return cls(**{name: np.zeros(sizes[shape], dtype=dtype) for name, (shape, dtype) in COLUMNS.items()})


COLUMNS: dict[str, tuple[str, type]] = {
    "seller_class": ("m", np.uint8),
    "home_warehouse": ("m", np.uint8),
    "merchant_category": ("m", np.uint8),
    "merchant_size": ("m", np.float32),
    "reputation": ("m", np.float32),
    "authenticity": ("m", np.float32),
    "return_guarantee": ("m", np.uint8),
    "insured": ("m", np.uint8),
    "own_site": ("m", np.uint8),
    "lister": ("m", np.uint8),
    "on_platform": ("mP", np.uint8),
    "targets": ("mC", np.uint8),
    "overseas_draw": ("m", np.float32),
    "weekday": ("m", np.uint8),
    "c2m": ("m", np.uint8),
    "evades": ("m", np.uint8),
    "host_offer_permille": ("m", np.uint16),
    "slot_fee_change": ("m", np.int16),
    "identity": ("m", np.uint32),
    "trading": ("m", np.uint8),
    "funded": ("m", np.float32),
    "merchant": ("n", np.uint16),
    "category": ("n", np.uint8),
    "quality": ("nT", np.float32),
    "unit_cost_cents": ("nT", np.int32),
    "list_cents": ("nT", np.int32),
    "weight_kg": ("n", np.float32),
    "line_share": ("n", np.float32),
    "cold": ("n", np.uint8),
    "room": ("n", np.int32),
    "technology": ("nQ", np.uint8),
    "price_cents": ("nCT", np.int32),
    "freight_cents": ("nC", np.int32),
    "landed_cents": ("nCT", np.int32),
    "promised_days": ("nC", np.float32),
    "stocked": ("nC", np.uint8),
    "direct": ("nC", np.uint8),
    "understated_permille": ("nC", np.uint16),
    "postage_cents": ("nC", np.int32),
    "shown": ("LnW", np.int32),
    "real": ("nW", np.int32),
    "ordered_units": ("nW", np.int64),
    "received_units": ("nW", np.int64),
    "bulk_way": ("nC", np.uint8),
    "wanted_units": ("nC", np.int64),
    "host_permille": ("S", np.uint16),
    "agency_permille": ("S", np.uint16),
    "agency": ("S", np.uint16),
    "commission_asked": ("A", np.float32),
    "bulk_mix": ("CB", np.float64),
    "service_fee": ("H", np.float32),
}
"""Shape letters and dtype of every column of `Catalogue`, in declared order."""


AS_COVERED, TAKEN_UP, GIVEN_UP = range(3)
"""Values of the column `technology`."""


def equipped(lottery: F32, coverage: NDArray[np.floating], own: U8) -> NDArray[np.bool_]:
    """bool (n,): which lines have a technology.

    Those that the rules cover, by keyed `lottery` (n,) below `coverage` (n,), unless given up by choice (`own` (n,)),
    and those whose sellers have taken it up.
    """
    result: NDArray[np.bool_] = (own == TAKEN_UP) | ((lottery < coverage) & (own != GIVEN_UP))
    return result


@dataclass(slots=True)
class Air:
    """The shows of one day, sorted by streamer; made anew every day by supply.schedule and read-only after it.

    A streamer has at most one show a day, which may span several dayparts (`dayparts`, bit b = daypart b). A daypart's
    pools are filled by supply.expose.
    """

    day: int
    streamer: U16  # (s,)
    platform: U8  # (s,)
    country: U8  # (s,) whose audience the show is made for
    language: U8  # (s, 2) index in geography.LANGUAGES, mainly spoken first; the same twice if only one is spoken
    proficiency: F32  # (s, 2) how well the host speaks it, 0-1
    category: U8  # (s,) of the first line
    lineup: U16  # (s, 4) lines
    discount_permille: U16  # (s,) off the goods price
    exaggeration: F32  # (s,) claimed minus true quality
    disclosed: U8  # (s,) 1: carries an advertising label
    guarantee: U8  # (s,) 1: all four lines are guaranteed by their merchants
    dayparts: U8  # (s,) bit mask
    skill: F32  # (s,) 0-1
    lively: F32  # (s,) interaction intensity 0-1
    type: U8  # (s,) index in STREAMER_TYPES
    popularity: F32  # (s,) smoothed expected share of the audience of its country and platform
    show_of_streamer: U16  # (6, S) show on air in the daypart, NO_SHOW if none

    def __len__(self) -> int:
        return int(self.streamer.size)

    @classmethod
    def empty(cls, day: int, shows: int, streamers: int) -> Air:
        """`shows` shows with every column zero and nobody on air."""
        return cls(
            day=day,
            streamer=np.zeros(shows, np.uint16),
            platform=np.zeros(shows, np.uint8),
            country=np.zeros(shows, np.uint8),
            language=np.zeros((shows, 2), np.uint8),
            proficiency=np.zeros((shows, 2), np.float32),
            category=np.zeros(shows, np.uint8),
            lineup=np.zeros((shows, LINEUP), np.uint16),
            discount_permille=np.zeros(shows, np.uint16),
            exaggeration=np.zeros(shows, np.float32),
            disclosed=np.zeros(shows, np.uint8),
            guarantee=np.zeros(shows, np.uint8),
            dayparts=np.zeros(shows, np.uint8),
            skill=np.zeros(shows, np.float32),
            lively=np.zeros(shows, np.float32),
            type=np.zeros(shows, np.uint8),
            popularity=np.zeros(shows, np.float32),
            show_of_streamer=np.full((DAYPARTS, streamers), NO_SHOW, np.uint16),
        )


def empty_pools() -> tuple[U16, F32]:
    """Recommendation pools with nobody in them.

    Returns:
        pool: uint16[C, P, K, 64], show numbers, NO_SHOW where a pool is empty; a slot drawn uniformly is a show drawn
            in proportion to its exposure weight.
        pool_value: float32[C, P, K], inclusive value of what is on air, utils, 0 where nothing is.
    """
    pool = np.full((N_COUNTRIES, N_PLATFORMS, N_CATEGORIES, POOL_SLOTS), NO_SHOW, dtype=np.uint16)
    return pool, np.zeros(pool.shape[:3], dtype=np.float32)


# ordinals of the draws of a merchant and of a line
_SIZE, _HOME, _QUALITY, _GENUINE, _OWN_SITE, _SPACE, _CATEGORY = range(7)
_DEVIATION, _WEIGHT, _COLD, _OTHER = range(4)
_LINE_WEIGHTS = 0.6  # a merchant's second line sells this much of the first, the third of the second ...


def open_cells(geography: Geography, availability: Literal["report", "observed"]) -> NDArray[np.bool_]:
    """bool[C, P]: where a platform is on offer at build."""
    cells: NDArray[np.bool_] = geography.platform_shares(availability) > 0
    return cells


def country_demand(economics: Economics, geography: Geography) -> NDArray[np.float64]:
    """float64[C]: share of sales expected of each country at build; within a region, by adopters."""
    region = np.asarray(REGION_OF_COUNTRY)
    adopters = geography.adopters()
    within = adopters / np.bincount(region, weights=adopters)[region]
    share: NDArray[np.float64] = economics.by_country("sales_by_region") * within
    return share


def sales_mix(cfg: FirmsSource) -> NDArray[np.float64]:
    """float64[C, H]: share of each channel in a country's sales expected at build."""
    economics = cfg.economics
    live, brand = economics.live_share_of_sales, economics.brand_site_share
    shares = cfg.geography.platform_shares(cfg.availability)
    others = np.tile([(1 - live) * (1 - brand), (1 - live) * brand], (N_COUNTRIES, 1))
    mix: NDArray[np.float64] = np.concatenate((live * shares, others), axis=1)
    return mix


def sales_shares(catalogue: Catalogue, demand: NDArray[np.float64]) -> NDArray[np.float64]:
    """float64[m]: share of all sales expected of each merchant at build, given the countries' demand (C,)."""
    weight = catalogue.merchant_size.astype(np.float64) * (catalogue.targets @ demand)
    share: NDArray[np.float64] = weight / weight.sum()
    return share


def build_catalogue(cfg: FirmsSource, draws: Draws) -> Catalogue:
    """Merchants and their lines as they are on the first day; nothing is priced, stocked or promised yet.

    Everything is drawn by merchant and line number and does not depend on the number of consumers. Small merchants come
    first. Sizes follow a Zipf law within each class, whose totals are economics.sales_by_class. Main categories are
    dealt out in proportion to the categories' sales, flattened, so that every seed has the same mix.
    """
    firms, economics = cfg.firms, cfg.economics
    policy = firms.merchants
    is_open = open_cells(cfg.geography, cfg.availability)
    merchants, _, _ = firms.counts(int(is_open.sum()))
    streamers = firms.host_rows(int(is_open.sum()))
    large = firms.large_merchants(merchants)
    per_merchant = policy.lines
    catalogue = Catalogue.empty(merchants, merchants * per_merchant, streamers)
    catalogue.bulk_mix[:] = [economics.bulk_mode_mix[name] for name in BULK_MODES]
    who = np.arange(merchants)
    seller = (who >= merchants - large).astype(np.uint8)
    catalogue.seller_class[:] = seller

    def uniform(ordinal: int, word: int = 0) -> NDArray[np.float32]:
        return draws.uniform(Purpose.MERCHANT, who, ordinal=ordinal, word=word)

    size, categories = np.zeros(merchants), np.zeros(merchants, np.int64)
    sales = 0.5 * (economics.by_category("live_interest") + economics.by_category("shelf_interest"))
    mix = power_each(sales.astype(np.float32), np.float32(policy.category_flattening)).astype(np.float64)
    exponents, class_sales = firms.by_class(policy.size_exponent), firms.by_class(economics.sales_by_class)
    for kind in (0, 1):
        members = np.flatnonzero(seller == kind)
        rank = np.argsort(np.argsort(uniform(_SIZE)[members], kind="stable"), kind="stable")
        weights = power_each((rank + 1).astype(np.float32), np.float32(-exponents[kind])).astype(np.float64)
        size[members] = class_sales[kind] * weights / weights.sum()
        place = np.argsort(np.argsort(uniform(_CATEGORY)[members], kind="stable"), kind="stable")
        steps = np.cumsum(mix) / mix.sum()
        categories[members] = np.searchsorted(steps, (place + 0.5) / members.size)
    catalogue.merchant_category[:] = categories
    catalogue.weekday[:] = (uniform(_SPACE, 1) * 7).astype(np.uint8)
    catalogue.trading[:] = 1
    catalogue.funded[:] = 1
    found(catalogue, cfg, draws, who, who)
    weight = size / (
        catalogue.targets @ country_demand(economics, cfg.geography)
    )  # who sells to few sells more in each
    catalogue.merchant_size[:] = weight / weight.sum()
    catalogue.commission_asked[:] = economics.commissions()
    catalogue.service_fee[:] = economics.buyer_fees()
    catalogue.agency[:] = NO_STREAMER
    return catalogue


def found(catalogue: Catalogue, cfg: FirmsSource, draws: Draws, who: I64, identity: I64) -> None:
    """Merchants number `identity` of the pool (k,) open in the rows `who`; everything is drawn by that number.

    A row keeps its seller class, main category, weekday and size. Lines are new; nothing is priced or stocked.
    """
    firms, economics = cfg.firms, cfg.economics
    policy = firms.merchants
    seller, categories = catalogue.seller_class[who], catalogue.merchant_category[who]

    def uniform(ordinal: int, word: int = 0) -> NDArray[np.float32]:
        return draws.uniform(Purpose.MERCHANT, identity, ordinal=ordinal, word=word)

    catalogue.identity[who] = identity
    catalogue.home_warehouse[who] = np.minimum(np.searchsorted(np.cumsum(policy.home_warehouse), uniform(_HOME)), 3)
    catalogue.reputation[who] = np.clip(
        policy.reputation + policy.reputation_spread * draws.normal(Purpose.MERCHANT, identity, ordinal=_QUALITY),
        0.05,
        0.98,
    )
    fakes = firms.by_category(policy.counterfeit)[categories] * np.where(
        seller == 0, policy.counterfeit_small_factor, 1
    )
    catalogue.authenticity[who] = 1.0 - np.minimum(fakes * -log_each(uniform(_GENUINE)), 0.5)
    catalogue.return_guarantee[who] = uniform(_QUALITY, 1) < firms.by_class(policy.return_guarantee)[seller]
    catalogue.insured[who] = uniform(_QUALITY, 2) < policy.insured
    catalogue.own_site[who] = uniform(_OWN_SITE) < firms.by_class(policy.own_site)[seller]
    catalogue.lister[who] = uniform(_OWN_SITE, 1) < policy.lister
    catalogue.overseas_draw[who] = uniform(_SPACE)
    catalogue.c2m[who] = uniform(_SPACE, 1) < policy.c2m_share
    catalogue.targets[who] = _targets(firms, economics, draws, seller, identity)
    joins = draws.uniform(Purpose.MERCHANT_PLATFORM, identity[:, None], other=np.arange(N_PLATFORMS))
    platforms = joins < firms.by_class(policy.platform_share)[seller][:, None]
    platforms[np.arange(who.size), joins.argmin(axis=1)] = True
    catalogue.on_platform[who] = platforms
    sales = 0.5 * (economics.by_category("live_interest") + economics.by_category("shelf_interest"))
    mix = power_each(sales.astype(np.float32), np.float32(policy.category_flattening)).astype(np.float64)
    lines = _add_lines(catalogue, firms, economics, draws, mix, who, identity)
    catalogue.direct[lines] = catalogue.targets[catalogue.merchant[lines]]


def _targets(firms: Firms, economics: Economics, draws: Draws, seller: U8, who: I64) -> U8:
    """uint8[k, C]: regions first, then countries of the region; everybody sells somewhere. `who` (k,) identities."""
    share = firms.by_class(firms.merchants.country_share)[seller][:, None]
    region = np.asarray(REGION_OF_COUNTRY)
    demand = np.array([economics.sales_by_region[name] for name in REGIONS])
    in_region = draws.uniform(Purpose.MERCHANT_TARGET, who[:, None], other=np.arange(N_REGIONS), ordinal=1)
    in_country = draws.uniform(Purpose.MERCHANT_TARGET, who[:, None], other=np.arange(N_COUNTRIES))
    half = np.sqrt(share)
    chosen = (in_region < half)[:, region] & (in_country < half)
    first = np.argmin(in_region / demand, axis=1)  # who would sell nowhere goes to one region, large ones likelier
    nowhere = ~chosen.any(axis=1)
    chosen[nowhere] = region == first[nowhere][:, None]
    return chosen.astype(np.uint8)


def _add_lines(
    catalogue: Catalogue,
    firms: Firms,
    economics: Economics,
    draws: Draws,
    mix: NDArray[np.float64],
    who: I64,
    identity: I64,
) -> I64:
    """Draws the lines of the merchants in the rows `who`, by the merchants' identity; returns their rows."""
    policy = firms.merchants
    per_merchant = policy.lines
    line = (who[:, None] * per_merchant + np.arange(per_merchant)).reshape(-1)
    number = (identity[:, None] * per_merchant + np.arange(per_merchant)).reshape(-1)
    owner = line // per_merchant
    place = line % per_merchant
    catalogue.merchant[line] = owner
    seller = catalogue.seller_class[owner]
    weights = np.cumprod(np.full(per_merchant, _LINE_WEIGHTS))
    catalogue.line_share[line] = (weights / weights.sum())[place]
    category = catalogue.merchant_category[owner].astype(np.int64)
    strays = (place == per_merchant - 1) & (place > 0) & (draws.uniform(Purpose.LINE, number, ordinal=_OTHER) < 0.3)
    elsewhere = np.searchsorted(np.cumsum(mix) / mix.sum(), draws.uniform(Purpose.LINE, number, ordinal=_OTHER, word=1))
    category[strays] = np.minimum(elsewhere, N_CATEGORIES - 1)[strays]
    catalogue.category[line] = category
    deviation = policy.quality_spread * draws.normal(Purpose.LINE, number, ordinal=_DEVIATION)
    fitted = catalogue.c2m[owner] * policy.c2m_quality  # designed after what buyers ask for
    catalogue.quality[line] = np.clip(
        economics.ladder("quality_ladder")[category] + (deviation + fitted)[:, None], 0.02, 0.98
    )
    luck = policy.price_spread * draws.normal(Purpose.LINE, number, ordinal=_DEVIATION, word=1).astype(np.float64)
    level = exp_each((luck - 0.5 * policy.price_spread**2 + policy.price_quality_slope * deviation).astype(np.float32))
    catalogue.list_cents[line] = np.rint(
        economics.list_price_usd()[category] * (level * policy.price_level)[:, None] * 100
    )
    lots = 1.0 + policy.c2m_cost * catalogue.c2m[owner]
    catalogue.unit_cost_cents[line] = np.rint(
        economics.unit_cost_usd()[seller, category] * (level * lots)[:, None] * 100
    )
    heft = policy.weight_spread * draws.normal(Purpose.LINE, number, ordinal=_WEIGHT).astype(np.float64)
    weight = exp_each((heft - 0.5 * policy.weight_spread**2).astype(np.float32))
    catalogue.weight_kg[line] = economics.by_category("weight_kg")[category] * weight
    catalogue.cold[line] = (
        draws.uniform(Purpose.LINE, number, ordinal=_COLD) < firms.by_category(policy.cold_share)[category]
    )
    return line
