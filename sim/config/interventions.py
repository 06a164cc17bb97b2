"""A scenario's interventions: which row of `configs/interventions/` to pull, how hard, when and on whom.

    interventions:
      cap:                       # any name; `interventions.cap.share=0.1` on the command line reaches it
        kind: commission_cap     # a file of configs/interventions/
        strength: 0.5            # 0 nothing .. 1 full
        start: 30                # days after the first reported day, or an ISO date or time (UTC)
        end: null                # first moment no longer in force; null: to the end of the run
        ramp: 14                 # days to grow from nothing to `strength`
        scope: {regions: [southeast_asia]}
        share: 0.1               # every other key is a parameter of the kind

Here only types are checked; names of kinds and parameters, ranges, dates and clashes are by `sim.interventions.check`,
which knows the rows.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from sim.config.quantity import Group

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Rank = Annotated[int, Field(ge=1)]

RegionName = Literal["north_america", "europe", "southeast_asia", "middle_east", "latin_america", "africa"]
CountryName = Literal[
    "US", "CA", "DE", "FR", "GB", "ES", "PL", "ID", "VN", "TH",
    "PH", "MY", "SG", "SA", "AE", "BR", "MX", "NG", "KE", "ZA"
]  # fmt: skip
CategoryName = Literal["electronics_3c", "beauty", "home", "apparel", "fresh_food", "health", "luxury", "new_energy"]
PlatformName = Literal[
    "amazon_live", "tiktok_shop", "shopee_live", "lazada_live",
    "noon_live", "zalando_live", "instagram_shopping", "mercado_live",
]  # fmt: skip
ChannelName = Literal[
    "amazon_live", "tiktok_shop", "shopee_live", "lazada_live",
    "noon_live", "zalando_live", "instagram_shopping", "mercado_live", "shelf", "brand_site",
]  # fmt: skip
MethodName = Literal["card", "ewallet", "bank_transfer", "cash_on_delivery", "instalments", "cash_voucher"]
SizeName = Literal["small", "large"]
TierName = Literal["head", "middle", "tail"]
ModeName = Literal["express", "dedicated_line", "post", "rail", "air_bulk", "sea_bulk", "truck_bulk", "rail_bulk"]


class Scope(Group):
    """On whom a lever is pulled. A key left out (null) means everyone; lists hold names.

    `countries` and `regions` add up, as do `platforms` and `channels`.
    A row refuses a key that none of the causes it changes knows (a tariff has no platform).
    """

    countries: tuple[CountryName, ...] | None = None
    regions: tuple[RegionName, ...] | None = None
    platforms: tuple[PlatformName, ...] | None = None
    channels: tuple[ChannelName, ...] | None = None
    categories: tuple[CategoryName, ...] | None = None
    language_pairs: tuple[tuple[str, str], ...] | None = None
    """From a show's language to a viewer's, by code; "*" is any."""
    merchant_size: tuple[SizeName, ...] | None = None
    streamer_tiers: tuple[TierName, ...] | None = None
    streamer_ranks: tuple[Rank, Rank] | None = None
    """First and last rank by expected audience, 1 the largest."""
    product_tiers: tuple[Annotated[int, Field(ge=1, le=4)], ...] | None = None
    lanes: tuple[tuple[ModeName, CountryName], ...] | None = None
    """From China by a transport mode to a country."""
    warehouses: tuple[str, ...] | None = None
    """`origin_1` .. `origin_4` or a country's name."""
    carriers: tuple[str, ...] | None = None
    """A country's name and 1 or 2, as in `US_1`."""
    modes: tuple[ModeName, ...] | None = None
    payment_methods: tuple[MethodName, ...] | None = None
    adopters: Share | None = None
    """Share of those in scope who take part."""

    @model_validator(mode="after")
    def _named(self) -> Scope:
        for key, value in self:
            if isinstance(value, tuple) and not value:
                raise ValueError(f"{key} is an empty list; leave it out to mean everyone")
        if self.streamer_ranks is not None and self.streamer_ranks[0] > self.streamer_ranks[1]:
            raise ValueError(f"streamer_ranks run from {self.streamer_ranks[0]} to {self.streamer_ranks[1]}: backwards")
        return self

    def given(self) -> tuple[str, ...]:
        """The keys that narrow the scope, in declared order."""
        return tuple(key for key, value in self if value is not None)


class InterventionEntry(Group):
    """One named intervention of a scenario; see the module's text."""

    model_config = ConfigDict(extra="allow")

    kind: str
    strength: Share = 1.0
    start: float | str = 0
    end: float | str | None = None
    ramp: Annotated[int, Field(ge=0)] = 0
    adoption: Literal["mandated", "offered"] | None = None
    """null: as the row says."""
    uptake: Share | None = None
    """Share of those offered who take it; null: as the row says; counts only when offered."""
    stack: bool = False
    """True allows a second intervention on the same cause, scope and day; they then apply in order of their names."""
    scope: Scope = Scope()

    __pydantic_extra__: dict[str, float | None]

    @property
    def parameters(self) -> dict[str, float | None]:
        """The keys that are no field of this model: the parameters of the kind."""
        return dict(self.__pydantic_extra__)
