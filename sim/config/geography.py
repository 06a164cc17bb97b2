"""Countries: people, income, languages, culture, currencies, law, payment habits, logistics quality and platforms.

The values stand in `configs/geography/default.yaml`, keyed by country code; the methods hand them out as arrays in the
order of `sim.kinds`. Every array is new and may be kept or changed by the caller.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import NormalDist
from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from sim.config.quantity import Group
from sim.config.times import Times
from sim.kinds import (
    CATEGORIES,
    COUNTRIES,
    N_COUNTRIES,
    PAYMENT_METHODS,
    PLATFORMS,
    REGION_OF_COUNTRY,
    REGIONS,
)

LANGUAGES = (
    "zh", "en", "es", "fr", "de", "pl", "id", "jv", "su", "vi", "th", "tts", "fil", "ceb",
    "ms", "ta", "ar", "pt", "pcm", "ha", "yo", "ig", "sw", "zu", "xh", "af",
)  # fmt: skip
"""Language codes (CLDR) in array order: Mandarin and English first; jv su ceb tts pcm are local to one country."""
N_LANGUAGES = len(LANGUAGES)
AGE_BANDS = ("15-24", "25-34", "35-49", "50+")
N_AGE_BANDS = len(AGE_BANDS)
ORIGIN = "CN"

type Availability = Literal["report", "observed"]
type Floats = npt.NDArray[np.float64]

_SHARE_TOLERANCE = 1e-6


class PreferenceUse(Group):
    """Share of dutiable value that claims a trade preference, by way of import."""

    bulk: float
    parcel: float


class Geography(Group):
    """The twenty destination countries and the origin. Field meanings, units, ranges, sources: `configs/geography`."""

    adults: dict[str, float]
    internet_share: dict[str, float]
    adopters_region: dict[str, float]
    age_share: dict[str, tuple[float, ...]]
    adoption_by_age: tuple[float, ...]
    gdp_per_head: dict[str, float]
    gdp_per_head_ppp: dict[str, float]
    gini: dict[str, float]
    online_income_premium: float
    labour_share: float
    hours_worked: float
    origin_gdp_per_head: float
    language_share: dict[str, dict[str, float]]
    language_closeness: dict[str, float]
    culture_scores: dict[str, tuple[float, ...]]
    culture_cluster: dict[str, str]
    currency: dict[str, str]
    per_usd_2023: dict[str, float]
    peg: dict[str, float]
    follows: dict[str, str]
    fx_volatility: dict[str, float]
    duty_threshold: dict[str, float]
    vat_threshold: dict[str, float | None]
    vat_rate: dict[str, float]
    mfn_duty: dict[str, dict[str, float]]
    preference: dict[str, float]
    preference_use: PreferenceUse
    parcel_duty_rate: dict[str, float]
    payment_share: dict[str, dict[str, float]]
    lpi_customs: dict[str, dict[str, float]]
    lpi_timeliness: dict[str, dict[str, float]]
    last_mile_days: dict[str, float]
    last_mile_range: dict[str, tuple[float, float]]
    carrier_names: dict[str, tuple[str, ...]]
    platforms_report: dict[str, dict[str, float]]
    platforms_observed: dict[str, dict[str, float]]
    stutter_share: dict[str, float]
    throughput_spread: float
    stream_fallback: float
    times: Times

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name in _PER_COUNTRY:
            _need(name, getattr(self, name), COUNTRIES)
        _need("culture_scores", self.culture_scores, (ORIGIN, *COUNTRIES))
        _need("adopters_region", self.adopters_region, REGIONS)
        for country in COUNTRIES:
            _need(f"mfn_duty.{country}", self.mfn_duty[country], CATEGORIES)
            _need(f"payment_share.{country}", self.payment_share[country], PAYMENT_METHODS)
            _known(f"language_share.{country}", self.language_share[country], LANGUAGES)
            _sums_to_one(f"payment_share.{country}", self.payment_share[country].values())
            _sums_to_one(f"age_share.{country}", self.age_share[country])
            for name, shares in (("report", self.platforms_report), ("observed", self.platforms_observed)):
                _known(f"platforms_{name}.{country}", shares[country], PLATFORMS)
                _sums_to_one(f"platforms_{name}.{country}", shares[country].values())
                if len(shares[country]) > 4:
                    raise ValueError(f"platforms_{name}.{country} lists more than four platforms")
        if len(self.adoption_by_age) != N_AGE_BANDS or any(len(v) != N_AGE_BANDS for v in self.age_share.values()):
            raise ValueError(f"age_share and adoption_by_age need {N_AGE_BANDS} numbers: {', '.join(AGE_BANDS)}")
        for pair in self.language_closeness:
            _known(f"language_closeness.{pair}", dict.fromkeys(pair.split("-")), LANGUAGES)
        if any(self.region_adults()[r] < self.adopters_region[REGIONS[r]] for r in range(len(REGIONS))):
            raise ValueError("adopters_region: a region has more adopters than adults online")
        for code in set(self.currency.values()) - {"USD"} - set(self.peg):
            if code not in self.fx_volatility:
                raise ValueError(f"fx_volatility.{code} is missing")
        return self

    def online_adults(self) -> Floats:
        """float64[C]: million adults online, the population the consumers sample (source: adults x internet_share)."""
        return self._vector("adults") * self._vector("internet_share")

    def region_adults(self) -> Floats:
        """float64[R]: million adults online by region."""
        return np.bincount(np.asarray(REGION_OF_COUNTRY), weights=self.online_adults(), minlength=len(REGIONS))

    def adopters(self) -> Floats:
        """float64[C]: million adopters at baseline; a region's total split by adults online (assumed even)."""
        region = np.asarray(REGION_OF_COUNTRY)
        totals = np.array([self.adopters_region[r] for r in REGIONS])
        share: Floats = (totals / self.region_adults())[region]
        return self.online_adults() * share

    def age_shares(self) -> Floats:
        """float64[C, 4]: share of online adults by age band (`AGE_BANDS`)."""
        return np.array([self.age_share[c] for c in COUNTRIES])

    def adoption_shares(self) -> Floats:
        """float64[C, 4]: share of adopters within country and age band, such that the country's `adopters` hold.

        Relative odds by age scale the odds of the country; shares stay in (0, 1).
        """
        target = self.adopters() / self.online_adults()
        ages = self.age_shares()
        odds_ratio = np.array(self.adoption_by_age)
        low, high = np.full(N_COUNTRIES, 1e-6), np.full(N_COUNTRIES, 1e6)
        for _ in range(80):
            middle = np.sqrt(low * high)
            odds = middle[:, None] * odds_ratio
            too_few = np.sum(ages * odds / (1.0 + odds), axis=1) < target
            low, high = np.where(too_few, middle, low), np.where(too_few, high, middle)
        odds = np.sqrt(low * high)[:, None] * odds_ratio
        return np.asarray(odds / (1.0 + odds), dtype=np.float64)

    def income_usd(self) -> Floats:
        """float64[C]: income proxy of an adult online, USD a year: GDP per head x (1 + premium x share offline)."""
        offline = 1.0 - self._vector("internet_share")
        return self._vector("gdp_per_head") * (1.0 + self.online_income_premium * offline)

    def income_sigma(self) -> Floats:
        """float64[C]: sigma of the lognormal income: sqrt(2) z((1 + Gini) / 2) (Aitchison and Brown 1957)."""
        normal = NormalDist()
        return np.array([math.sqrt(2.0) * normal.inv_cdf((1.0 + self.gini[c]) / 2.0) for c in COUNTRIES])

    def wage_usd_hour(self) -> Floats:
        """float64[C]: mean wage, USD an hour: GDP per head x labour share / hours worked per inhabitant."""
        return self._vector("gdp_per_head") * self.labour_share / self.hours_worked

    def origin_wage_usd_hour(self) -> float:
        """Mean wage in China, USD an hour, by the same rule."""
        return self.origin_gdp_per_head * self.labour_share / self.hours_worked

    def language_shares(self) -> Floats:
        """float64[C, L]: share of online adults able to use each language of `LANGUAGES`."""
        return _table(self.language_share, LANGUAGES)

    def first_language(self) -> npt.NDArray[np.uint8]:
        """uint8[C]: index in `LANGUAGES` of the language most people speak, spoken by who draws none.

        Not the one listed first: a configuration read back from JSON has its keys in another order.
        """
        return self.language_shares().argmax(axis=1).astype(np.uint8)

    def closeness(self) -> Floats:
        """float64[L, L]: share a speaker of one language understands of another; symmetric, 1 on the diagonal."""
        matrix = np.eye(N_LANGUAGES)
        for pair, value in self.language_closeness.items():
            one, other = (LANGUAGES.index(code) for code in pair.split("-"))
            matrix[one, other] = matrix[other, one] = value
        return matrix

    def culture_distance(self) -> Floats:
        """float64[C + 1, C + 1]: mean absolute difference of the culture scores / 100; row and column C are China."""
        scores = np.array([self.culture_scores[c] for c in (*COUNTRIES, ORIGIN)])
        distance: Floats = np.abs(scores[:, None, :] - scores[None, :, :]).mean(axis=2) / 100.0
        return distance

    def culture_clusters(self) -> tuple[tuple[str, ...], npt.NDArray[np.uint8]]:
        """The sorted cluster names and uint8[C], each country's index among them."""
        names = tuple(sorted(set(self.culture_cluster.values())))
        return names, np.array([names.index(self.culture_cluster[c]) for c in COUNTRIES], dtype=np.uint8)

    def duty_rate(self, route: Literal["bulk", "parcel"] = "bulk") -> Floats:
        """float64[C, K]: duty as share of customs value.

        Most-favoured-nation rate less the preference claimed on that route; a country with a flat rate for parcels has
        that rate in every category when `route` is "parcel".
        """
        use = self.preference_use.bulk if route == "bulk" else self.preference_use.parcel
        rates = _table(self.mfn_duty, CATEGORIES) * (1.0 - use * self._vector("preference"))[:, None]
        if route == "parcel":
            for country, rate in self.parcel_duty_rate.items():
                rates[COUNTRIES.index(country)] = rate
        return rates

    def duty_thresholds(self) -> Floats:
        """float64[C]: USD of declared value up to which a direct parcel pays no duty."""
        return self._vector("duty_threshold")

    def vat_rates(self) -> Floats:
        """float64[C]: VAT, GST or sales tax."""
        return self._vector("vat_rate")

    def vat_thresholds(self) -> Floats:
        """float64[C]: USD of declared value up to which a direct parcel pays no VAT; nan where parcels pay none."""
        values = (self.vat_threshold[c] for c in COUNTRIES)
        return np.array([np.nan if v is None else v for v in values])

    def payment_shares(self) -> Floats:
        """float64[C, M]: share of consumers by preferred payment method; rows sum to 1."""
        return _table(self.payment_share, PAYMENT_METHODS)

    def platform_shares(self, availability: Availability = "report") -> Floats:
        """float64[C, P]: prior habit strength of each platform open in the country; 0 where closed, rows sum to 1."""
        chosen = self.platforms_report if availability == "report" else self.platforms_observed
        return _table(chosen, PLATFORMS)

    def lpi(self, score: Literal["customs", "timeliness"], year: Literal[2016, 2018, 2023] = 2023) -> Floats:
        """float64[C]: Logistics Performance Index score, 1-5."""
        table = self.lpi_customs if score == "customs" else self.lpi_timeliness
        return np.array([table[c][str(year)] for c in COUNTRIES])

    def last_mile(self) -> tuple[Floats, Floats]:
        """float64[C] days and float64[C, 2] low and high days of the domestic parcel leg, unloaded."""
        return self._vector("last_mile_days"), np.array([self.last_mile_range[c] for c in COUNTRIES])

    def stutter(self) -> Floats:
        """float64[C]: share of watched minutes with stutter, without edge nodes."""
        return self._vector("stutter_share")

    def _vector(self, name: str) -> Floats:
        values: Mapping[str, float] = getattr(self, name)
        return np.array([values[c] for c in COUNTRIES], dtype=np.float64)


_PER_COUNTRY = (
    "adults", "internet_share", "age_share", "gdp_per_head", "gdp_per_head_ppp", "gini", "language_share",
    "culture_cluster", "currency", "per_usd_2023", "duty_threshold", "vat_threshold", "vat_rate", "mfn_duty",
    "preference", "payment_share", "lpi_customs", "lpi_timeliness", "last_mile_days", "last_mile_range",
    "carrier_names",
    "platforms_report", "platforms_observed", "stutter_share",
)  # fmt: skip


def _table(rows: Mapping[str, Mapping[str, float]], columns: Sequence[str]) -> Floats:
    return np.array([[rows[c].get(name, 0.0) for name in columns] for c in COUNTRIES], dtype=np.float64)


def _need(name: str, given: Mapping[str, object], wanted: Sequence[str]) -> None:
    _known(name, given, wanted)
    missing = [key for key in wanted if key not in given]
    if missing:
        raise ValueError(f"{name}: {', '.join(missing)} missing")


def _known(name: str, given: Mapping[str, object], wanted: Sequence[str]) -> None:
    unknown = [key for key in given if key not in wanted]
    if unknown:
        raise ValueError(f"{name}: unknown {', '.join(unknown)}; allowed: {', '.join(wanted)}")


def _sums_to_one(name: str, shares: Iterable[float]) -> None:
    total = math.fsum(shares)
    if abs(total - 1.0) > _SHARE_TOLERANCE:
        raise ValueError(f"{name} sums to {total:.4f} instead of 1")
