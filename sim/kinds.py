"""The fixed vocabularies: every enumeration that names an index of an array, once.

Order is identity: a member's value is its position in arrays, stored tables and draw keys, so members are only ever
appended. Names in lower case are what users write in YAML and on the command line.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag

REGIONS = ("north_america", "europe", "southeast_asia", "middle_east", "latin_america", "africa")
COUNTRIES = (
    "US", "CA", "DE", "FR", "GB", "ES", "PL", "ID", "VN", "TH",
    "PH", "MY", "SG", "SA", "AE", "BR", "MX", "NG", "KE", "ZA",
)  # fmt: skip
REGION_OF_COUNTRY = (0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 4, 4, 5, 5, 5)
CATEGORIES = ("electronics_3c", "beauty", "home", "apparel", "fresh_food", "health", "luxury", "new_energy")
PLATFORMS = (
    "amazon_live", "tiktok_shop", "shopee_live", "lazada_live",
    "noon_live", "zalando_live", "instagram_shopping", "mercado_live",
)  # fmt: skip
CHANNELS = (*PLATFORMS, "shelf", "brand_site")
SHELF, BRAND_SITE = 8, 9
PAYMENT_METHODS = ("card", "ewallet", "bank_transfer", "cash_on_delivery", "instalments", "cash_voucher")
INCOME_THIRDS = ("low", "middle", "high")
SELLER_CLASSES = ("small", "large")
STREAMER_TYPES = ("human", "expert", "koc", "virtual")
STREAMER_TIERS = ("head", "middle", "tail")
TECHNOLOGIES = ("certification", "tracing", "tryon", "small_lots")  # that sellers take up line by line
MODES = ("express", "dedicated_line", "post", "rail", "air_bulk", "sea_bulk", "truck_bulk", "rail_bulk")

N_REGIONS = len(REGIONS)
N_COUNTRIES = len(COUNTRIES)
N_CATEGORIES = len(CATEGORIES)
N_PLATFORMS = len(PLATFORMS)
N_CHANNELS = len(CHANNELS)
N_METHODS = len(PAYMENT_METHODS)
N_TECHNOLOGIES = len(TECHNOLOGIES)
SMALL_LOTS = TECHNOLOGIES.index("small_lots")
N_TIERS = 4  # steps of a product line's price-quality ladder
N_ORIGIN_WAREHOUSES = 4  # warehouses 0..3 stand in China; warehouse 4 + c stands in country c
N_WAREHOUSES = N_ORIGIN_WAREHOUSES + N_COUNTRIES
N_CARRIERS = 2 * N_COUNTRIES  # carriers 2c and 2c + 1 serve the last mile of country c

DAYPARTS = 6  # four UTC hours each
DAYPART_SECONDS = 14_400
DAY_SECONDS = 86_400
NON_ADOPTER, ADOPTER, OFFLINE = 0, 1, 2  # a person and live shopping; 2: not online yet
NO_STREAMER = 0xFFFF
NO_SHOW = 0xFFFF
NO_WAREHOUSE = 0xFF
NO_CARRIER = 0xFF


class Status(IntEnum):
    """Where an order's goods are. Values from 16 up are final for the goods."""

    PLACED = 0  # payment requested
    AUTHORISED = 1  # paid for (or accepted as cash on delivery), not yet allocated
    BACKORDERED = 2  # real stock missing, waits for replenishment
    RELEASED = 3  # allocated, in the warehouse's queue
    IN_TRANSIT = 4  # left the warehouse
    DELIVERED = 5  # with the buyer, who may still return it
    RETURNING = 6  # on its way back
    KEPT = 16
    PAYMENT_FAILED = 17
    CANCELLED = 18  # oversold and not back-ordered, or back-order expired
    REFUSED = 19  # cash on delivery refused at the door, goods went back
    RETURNED = 20
    LOST = 21
    SEIZED = 22


class MoneyState(IntEnum):
    """Where an order's money is. Values from 16 up are final for the money."""

    NONE = 0  # nothing paid yet
    HELD = 1  # buyer has paid, the channel holds it
    FROZEN = 2  # held, and a dispute is open
    SETTLED = 16  # paid out to seller, host, agency, carrier, treasury
    REFUNDED = 17  # paid back to the buyer
    VOID = 18  # never paid
    CHARGED_BACK = 19


class Flag(IntFlag):
    """What happened to an order; bits of its `flags` column."""

    LATE = 1
    DAMAGED = 2
    COUNTERFEIT = 4
    OVERSOLD = 8
    GUARANTEED = 16  # sold with a return guarantee
    COMPLAINED = 32
    DISPUTED = 64
    DISCLOSED = 128  # the show carried an advertising label
    INSPECTED = 256
    SPOILED = 512
    REPEAT = 1024  # buyer bought from the same seller within 90 days before
    INSTALMENTS = 2048
    TRIED_ON = 4096
    TRACED = 8192
    DIVIDED = 16384  # its units travel from China in parcels of their own, which keeps each below a threshold
    FOUND_OUT = 32768  # customs opened it and saw that its value was understated


class Event(IntEnum):
    """What SimPy can say has fallen due; ties in time are applied in this order."""

    RESTOCKED = 0
    AUTHORISED = 1
    AUTH_FAILED = 2
    SHIPPED = 3
    CLEARED = 4
    SEIZED = 5
    LOST = 6
    DELIVERED = 7
    REFUSED = 8
    RETURN_RECEIVED = 9
    REFUND_DUE = 10
    SETTLEMENT_DUE = 11
    CHARGEBACK = 12
    DISPUTE_CLOSED = 13
