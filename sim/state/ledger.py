"""The ledger: double entry in whole US cents, the only door through which money moves.

Every actor has an account; a posting takes cents from a payer and gives them to a payee under a purpose, so the
balances always sum to zero. A positive balance is money the actor holds, or is owed by the rest of the model.
`rest_of_world` closes the system: what factories, wages outside the model and currency markets receive or pay goes
there.

Households are accounts by country and income third, all other actors by index. Three things are kept: balances; what
each account received minus paid by purpose since the start (`results`, for profit and loss accounts); and today's flows
between groups of accounts by purpose, for the record.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from sim.kinds import (
    CHANNELS,
    COUNTRIES,
    INCOME_THIRDS,
    MODES,
    N_CARRIERS,
    N_WAREHOUSES,
    PAYMENT_METHODS,
    SELLER_CLASSES,
    STREAMER_TIERS,
)
from sim.record.schema import (
    FLOW_GROUPS,
    GROUP_CARRIERS,
    GROUP_CHANNELS,
    GROUP_ESCROW,
    GROUP_HOUSEHOLDS,
    GROUP_LINEHAUL,
    GROUP_MCNS,
    GROUP_MERCHANTS,
    GROUP_PAYMENT,
    GROUP_REST,
    GROUP_STREAMERS,
    GROUP_TREASURY,
    GROUP_TREASURY_CN,
    GROUP_WAREHOUSES,
    MoneyPurpose,
)

I64 = NDArray[np.int64]
Whole = Any  # a whole number: int, or any integer of numpy


N_PURPOSES = len(MoneyPurpose)
TAIL = STREAMER_TIERS.index("tail")


class Account(IntEnum):
    """Classes of accounts, in the order of their numbers."""

    HOUSEHOLD = 0  # index: country * 3 + income third
    MERCHANT = 1
    STREAMER = 2
    MCN = 3
    CHANNEL = 4  # the channel's own money
    ESCROW = 5  # buyers' money a channel holds until it is due to the seller
    CARRIER = 6
    LINEHAUL = 7  # index: mode
    WAREHOUSE = 8
    PROVIDER = 9  # index: payment method
    TREASURY = 10  # index: country
    TREASURY_CN = 11
    REST_OF_WORLD = 12


GROUPS = FLOW_GROUPS  # between which flows are reported
N_GROUPS = len(GROUPS)
# group of the first account of each class
_FIRST_GROUP = {
    Account.HOUSEHOLD: GROUP_HOUSEHOLDS,
    Account.MERCHANT: GROUP_MERCHANTS,
    Account.STREAMER: GROUP_STREAMERS,
    Account.MCN: GROUP_MCNS,
    Account.CHANNEL: GROUP_CHANNELS,
    Account.ESCROW: GROUP_ESCROW,
    Account.CARRIER: GROUP_CARRIERS,
    Account.LINEHAUL: GROUP_LINEHAUL,
    Account.WAREHOUSE: GROUP_WAREHOUSES,
    Account.PROVIDER: GROUP_PAYMENT,
    Account.TREASURY: GROUP_TREASURY,
    Account.TREASURY_CN: GROUP_TREASURY_CN,
    Account.REST_OF_WORLD: GROUP_REST,
}
# all accounts of these classes share a group (merchants one per size, streamers one per tier)
_ONE_GROUP = frozenset(
    {Account.MERCHANT, Account.STREAMER, Account.MCN, Account.CARRIER, Account.LINEHAUL, Account.WAREHOUSE}
)
_ROW = 32  # purposes per account in memory: 22 rounded up to four cache lines


# One int64 array holds the whole ledger, so that kernels pass it on cheaply. Its first places: the number of the first
# account of each class (0..12, in the order of Account), then where the parts begin.
_N_TOUCHED, _BALANCES, _RESULTS, _FLOWS, _TOUCHED, _GROUP = 16, 17, 18, 19, 20, 21
_HEADER = 32
Books = I64


@njit(cache=True, error_model="numpy", _nrt=False)
def transfer(books: Books, purpose: Whole, payer: Whole, payee: Whole, cents: Whole) -> None:
    """Moves `cents` from account `payer` to account `payee` under `purpose`. For use inside kernels.

    A negative amount moves the other way; nothing happens at 0. Pass int64 throughout: numba compiles this once for
    each combination of argument types. The account of actor i of a class is `books[class] + i`.
    """
    if cents == 0:
        return
    if cents < 0:
        payer, payee, cents = payee, payer, -cents
    balances = books[17]
    books[balances + payer] -= cents
    books[balances + payee] += cents
    results = books[18] + purpose
    books[results + (payer << 5)] -= cents
    books[results + (payee << 5)] += cents
    group = books[21]
    place = (purpose * 117 + books[group + payer]) * 117 + books[group + payee]
    flow = books[19] + place
    if books[flow] == 0:
        books[books[20] + books[16]] = place
        books[16] += 1
    books[flow] += cents


if (N_GROUPS, _ROW, _N_TOUCHED, _BALANCES, _RESULTS, _FLOWS, _TOUCHED, _GROUP) != (117, 32, 16, 17, 18, 19, 20, 21):
    raise RuntimeError("transfer() knows these numbers as constants: change them there too")


@njit(cache=True, error_model="numpy", _nrt=False)
def _post(books: Books, purpose: int, payers: I64, payees: I64, cents: I64, accounts: int) -> bool:
    """Each payer pays its payee; posts nothing and returns False if a number is not below `accounts`."""
    for position in range(payers.size):
        if payers[position] < 0 or payers[position] >= accounts:
            return False
    for position in range(payees.size):
        if payees[position] < 0 or payees[position] >= accounts:
            return False
    payer_step = 0 if payers.size == 1 else 1
    payee_step = 0 if payees.size == 1 else 1
    cents_step = 0 if cents.size == 1 else 1
    for position in range(max(payers.size, payees.size, cents.size)):
        transfer(
            books,
            purpose,
            payers[position * payer_step],
            payees[position * payee_step],
            cents[position * cents_step],
        )
    return True


class Ledger:
    """Accounts, balances and flows of one world.

    `merchants`, `streamers`, `mcns` are numbers of accounts; `seller_class` (u8[merchants]) and `streamer_tier`
    (u8[streamers]) say in which group an account's flows are reported, and can be changed with `regroup`.
    """

    def __init__(
        self,
        merchants: int,
        streamers: int,
        mcns: int,
        seller_class: ArrayLike = 0,
        streamer_tier: ArrayLike = TAIL,
    ) -> None:
        sizes = {
            Account.HOUSEHOLD: len(COUNTRIES) * len(INCOME_THIRDS),
            Account.MERCHANT: merchants,
            Account.STREAMER: streamers,
            Account.MCN: mcns,
            Account.CHANNEL: len(CHANNELS),
            Account.ESCROW: len(CHANNELS),
            Account.CARRIER: N_CARRIERS,
            Account.LINEHAUL: len(MODES),
            Account.WAREHOUSE: N_WAREHOUSES,
            Account.PROVIDER: len(PAYMENT_METHODS),
            Account.TREASURY: len(COUNTRIES),
            Account.TREASURY_CN: 1,
            Account.REST_OF_WORLD: 1,
        }
        self.size: dict[Account, int] = sizes
        start = np.zeros(len(Account) + 1, np.int64)
        np.cumsum([sizes[kind] for kind in Account], out=start[1:])
        accounts = int(start[-1])
        cells = N_PURPOSES * N_GROUPS * N_GROUPS
        lengths = {_BALANCES: accounts, _RESULTS: accounts * _ROW, _FLOWS: cells, _TOUCHED: cells, _GROUP: accounts}
        self.books: Books = np.zeros(_HEADER + sum(lengths.values()), np.int64)
        self.books[: len(Account)] = start[:-1]
        parts: dict[int, I64] = {}
        place = _HEADER
        for part, length in lengths.items():
            self.books[part] = place
            parts[part] = self.books[place : place + length]
            place += length
        self.balances = parts[_BALANCES]  # int64[accounts]
        self.results = parts[_RESULTS].reshape(accounts, _ROW)  # received minus paid by purpose (first 22 columns)
        self._flows, self._touched, self._group = parts[_FLOWS], parts[_TOUCHED], parts[_GROUP]
        for kind in Account:
            first, count = int(start[kind]), sizes[kind]
            groups = _FIRST_GROUP[kind] + (0 if kind in _ONE_GROUP else np.arange(count))
            self._group[first : first + count] = groups
        self.endowments: I64 = np.zeros(accounts, np.int64)
        self.regroup(Account.MERCHANT, seller_class)
        self.regroup(Account.STREAMER, streamer_tier)

    # -- accounts -----------------------------------------------------------------------------------------------
    def account(self, kind: Account, index: ArrayLike = 0) -> I64:
        """Account numbers of the actors `index` (scalar or array) of a class."""
        numbers: I64 = self.books[kind] + np.asarray(index, np.int64)
        return numbers

    def household(self, country: ArrayLike, third: ArrayLike) -> I64:
        """Account numbers of households by country and income third."""
        thirds = len(INCOME_THIRDS)
        return self.account(Account.HOUSEHOLD, np.asarray(country, np.int64) * thirds + np.asarray(third, np.int64))

    def _slice(self, kind: Account) -> slice:
        first = int(self.books[kind])
        return slice(first, first + self.size[kind])

    def regroup(self, kind: Account, which: ArrayLike) -> None:
        """Reports merchants by size class or streamers by tier `which` (n,) or one for all, from now on."""
        groups = {Account.MERCHANT: len(SELLER_CLASSES), Account.STREAMER: len(STREAMER_TIERS)}
        if kind not in groups or np.any(np.asarray(which) >= groups[kind]):
            raise ValueError(f"{kind.name} accounts have no such groups")
        self._group[self._slice(kind)] = _FIRST_GROUP[kind] + np.asarray(which, np.int64)

    # -- moving money -------------------------------------------------------------------------------------------
    def post(self, purpose: MoneyPurpose, payers: ArrayLike, payees: ArrayLike, cents: ArrayLike) -> None:
        """Each payer pays its payee `cents` under `purpose`.

        Account numbers and amounts are arrays (n,), or scalars for all; amounts are whole, a negative one is paid back.
        """
        amounts = np.asarray(cents)
        if amounts.dtype.kind not in "iu":
            raise ValueError("amounts are whole cents")
        payer, payee, amount = (np.ascontiguousarray(part, np.int64) for part in (payers, payees, amounts))
        sizes = payer.size, payee.size, amount.size
        if len({*sizes} - {1}) > 1:
            raise ValueError(f"payers, payees and amounts differ in length: {[*sizes]}")
        if 0 in sizes:
            return
        if not _post(self.books, int(purpose), payer, payee, amount, self.balances.size):
            raise ValueError("no such account")

    def endow(self, accounts: ArrayLike, cents: ArrayLike) -> None:
        """Gives accounts the money they start with, out of the rest of the world; no flow and no result."""
        numbers = np.atleast_1d(np.asarray(accounts, np.int64))
        amounts = np.broadcast_to(np.asarray(cents, np.int64), numbers.shape)
        for target in (self.balances, self.endowments):
            np.add.at(target, numbers, amounts)
            target[self.books[Account.REST_OF_WORLD]] -= int(amounts.sum())

    # -- reading ------------------------------------------------------------------------------------------------
    def balance(self, kind: Account) -> I64:
        """Balances of a class in cents, int64[size of the class], a copy."""
        return self.balances[self._slice(kind)].copy()

    def result(self, kind: Account) -> I64:
        """Received minus paid since the start, int64[size of the class, purposes], a copy."""
        return self.results[self._slice(kind), :N_PURPOSES].copy()

    def flows_today(self) -> tuple[I64, I64, I64, I64]:
        """Today's flows: purpose, paying group, receiving group (positions in GROUPS), cents; (n,) each, sorted."""
        count = int(self.books[_N_TOUCHED])
        places = np.sort(self._touched[:count])
        purpose, rest = np.divmod(places, N_GROUPS * N_GROUPS)
        payer, payee = np.divmod(rest, N_GROUPS)
        return purpose, payer, payee, self._flows[places]

    def open_day(self) -> None:
        """Forgets yesterday's flows."""
        count = int(self.books[_N_TOUCHED])
        self._flows[self._touched[:count]] = 0
        self.books[_N_TOUCHED] = 0

    # -- conservation -------------------------------------------------------------------------------------------
    def close_daypart(self) -> None:
        """Asserts that all balances sum to zero."""
        total = int(self.balances.sum())
        if total:
            raise AssertionError(f"money is not conserved: the balances sum to {total} cents")

    def check(self) -> None:
        """Asserts that balances sum to zero and are what was endowed plus what was received and paid."""
        self.close_daypart()
        if np.any(self.balances != self.endowments + self.results.sum(axis=1)):
            raise AssertionError("a balance differs from the account's postings")

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return int(self.books.nbytes + self.endowments.nbytes)
