"""The worked example of docs/money.md is what the code does."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sim.kinds import CATEGORIES, CHANNELS, COUNTRIES, DAY_SECONDS, PAYMENT_METHODS, SELLER_CLASSES, Event, Status
from sim.record.schema import FLOW_GROUPS, MoneyPurpose
from sim.rules import Rules
from sim.state.ledger import Account

from .world import CARD, DAY, ECONOMICS, GEOGRAPHY, PAYMENTS, World

DOCS = Path(__file__).parents[2] / "docs" / "money.md"
DE, TIKTOK, HOME = COUNTRIES.index("DE"), CHANNELS.index("tiktok_shop"), CATEGORIES.index("home")
SMALL, TAIL = SELLER_CLASSES.index("small"), "tail"


def example() -> list[str]:
    """A home article of a small seller, 66.67 USD less 10 %, sold live to Germany by a card, sent from China."""
    fees = np.array([[ECONOMICS.payment_fee[name] for name in PAYMENT_METHODS]] * len(COUNTRIES))
    rules = Rules.neutral(
        {
            "payment.availability": 1.0,
            "payment.fee_rate": fees,
            "payment.settlement_days": 15.0,
            "tariff.duty_rate": 0.035,
            "tariff.de_minimis_usd": 162.2,
            "tax.vat_rate": GEOGRAPHY.vat_rate["DE"],
            "tax.de_minimis_usd": 0.0,
        }
    )
    none = dict.fromkeys(PAYMENTS.card_refusal, 0.0)
    one = World(rules=rules, payments=PAYMENTS.model_copy(update={"fraud_chargeback": none}))
    shop = one.catalogue
    shop.merchant[0], shop.category[0], shop.weight_kg[0], shop.cold[0] = 3, HOME, ECONOMICS.weight_kg["home"], 0
    shop.seller_class[3] = SMALL
    shop.direct[0, DE], shop.price_cents[0, DE, 1], shop.freight_cents[0, DE] = 1, 6667, 190
    shop.commission_asked[:] = ECONOMICS.commissions()
    shop.service_fee[:], shop.insured[:] = 0.0, 0
    shop.host_permille[:] = round(ECONOMICS.host_part[TAIL] * 1000)
    shop.agency_permille[:] = round(ECONOMICS.mcn_share[TAIL] * 1000)
    one.price()
    intents = one.intents(1)
    one.buyers.payment_preference[:], one.buyers.third[:] = CARD, 1
    intents.line[:], intents.tier[:], intents.country[:], intents.quantity[:] = 0, 1, DE, 1
    intents.channel[:], intents.streamer[:], intents.discount_permille[:] = TIKTOK, 4, 100
    intents.landed_cents[:] = shop.landed_cents[0, DE, 1]
    seq = int(one.place(intents).order[0])
    one.ledger.regroup(Account.MERCHANT, shop.seller_class)
    one.orders.mode[one.orders.row(np.array([seq]))] = 1
    one.ship(seq)
    one.say(Event.SETTLEMENT_DUE, seq, (DAY + 15) * DAY_SECONDS)
    assert one.orders.status[one.orders.row(np.array([seq]))] == Status.KEPT
    rows = zip(*one.ledger.flows_today(), strict=True)
    return [
        f"| {MoneyPurpose(why).name.lower()} | {FLOW_GROUPS[who]} | {FLOW_GROUPS[whom]} | {cents / 100:.2f} |"
        for why, who, whom, cents in rows
    ]


def test_the_worked_example_is_what_the_code_does() -> None:
    text = DOCS.read_text(encoding="utf-8")
    missing = [line for line in example() if line not in text]
    assert not missing, "put these lines into docs/money.md:\n" + "\n".join(missing)
