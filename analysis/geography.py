"""The table of countries and the sources behind it: `python -m analysis.geography` writes `docs/geography.md` anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sim.config.folders import data_folder
from sim.config.geography import AGE_BANDS, LANGUAGES, Geography
from sim.config.quantity import Quantity, load_group_with_quantities
from sim.kinds import CATEGORIES, COUNTRIES, PAYMENT_METHODS, PLATFORMS, REGION_OF_COUNTRY, REGIONS

_INTRODUCTION = """# Geography

Written by `python -m analysis.geography` from `configs/geography/default.yaml`; do not edit by hand. Base year 2023.
The values stand in that file, each with unit, range and source; this page sets them side by side and lists the sources.
"Assumed" marks a value nobody looked up.
"""

_MISSES = """## Known weak spots

* The split of the 117 million adopters outside the three named regions is assumed; the source report gives none.
* 68 % of the audience between 18 and 35 (claim s3-3-age-18-35) cannot hold together with 780 million adopters; adoption
  leans to the young as far as the regional totals allow.
* Adopters of a region are spread over its countries in proportion to adults online.
* Duty by category is in round figures. Anti-dumping duties, Indonesia's minimum price of 2023-09 and the dated openings
  and closings of TikTok Shop within 2023 are not modelled.
* Brazil's parcel tax of 60 % above USD 50 holds all year, although the certified scheme only began in 2023-08.
* Payment shares mix years (2019-2023) and publishers; thresholds of Kenya and Nigeria, Gini coefficients, culture
  scores and platform shares other than the two claimed are from memory or assumed.
* Where platforms were open in 2023 differs from the source report; `availability=observed` uses what was observed.
"""


def report(geography: Geography, quantities: dict[str, Quantity]) -> str:
    """The text of `docs/geography.md`."""
    parts = [_INTRODUCTION, "## People and income\n", _people(geography), "## Law of 2023\n", _law(geography)]
    parts += ["## Duty on goods of China, share of customs value\n", _duty(geography)]
    parts += ["## Preferred payment method, share of buyers\n", _matrix(PAYMENT_METHODS, geography.payment_shares())]
    parts += ["## Platforms on offer and prior habit, as the source report has it\n"]
    parts += [_matrix(PLATFORMS, geography.platform_shares("report"))]
    parts += ["## Platforms on offer and prior habit, as observed in 2023\n"]
    parts += [_matrix(PLATFORMS, geography.platform_shares("observed"))]
    parts += ["## Languages of adults online\n", _languages(geography)]
    parts += ["## Hours, logistics, network\n", _places(geography), _MISSES]
    parts += ["## Units, ranges and sources\n", _sources(quantities)]
    return "\n".join(part.rstrip("\n") + "\n" for part in parts)


def _rows(header: Sequence[str], cells: Callable[[int], Sequence[str]]) -> str:
    lines = ["| | " + " | ".join(header) + " |", "|---|" + "---:|" * len(header)]
    lines += [f"| {name} | " + " | ".join(cells(index)) + " |" for index, name in enumerate(COUNTRIES)]
    return "\n".join(lines)


def _matrix(names: Sequence[str], values: np.ndarray) -> str:
    return _rows(names, lambda index: [f"{v:.2f}" if v else "" for v in values[index]])


def _people(geography: Geography) -> str:
    online, adopters = geography.online_adults(), geography.adopters()
    income, sigma, wage = geography.income_usd(), geography.income_sigma(), geography.wage_usd_hour()
    ages, distance = geography.age_shares(), geography.culture_distance()[-1]
    header = ("region", "adults online, m", "adopters, m", *AGE_BANDS, "income, USD", "sigma", "wage, USD/h")
    table = _rows(
        (*header, "cluster", "distance to China"),
        lambda i: [
            REGIONS[REGION_OF_COUNTRY[i]].replace("_", " "),
            f"{online[i]:.1f}",
            f"{adopters[i]:.1f}",
            *(f"{share:.2f}" for share in ages[i]),
            f"{income[i]:,.0f}",
            f"{sigma[i]:.2f}",
            f"{wage[i]:.1f}",
            geography.culture_cluster[COUNTRIES[i]].replace("_", " "),
            f"{distance[i]:.2f}",
        ],
    )
    total = f"Together {online.sum():,.0f} million adults online, {adopters.sum():,.0f} million of them adopters."
    return f"{table}\n\n{total}"


def _law(geography: Geography) -> str:
    duty, tax, rate = geography.duty_thresholds(), geography.vat_thresholds(), geography.vat_rates()
    bulk, parcel = geography.duty_rate("bulk").mean(axis=1), geography.duty_rate("parcel").mean(axis=1)
    return _rows(
        ("currency", "duty-free to, USD", "tax-free to, USD", "VAT", "mean duty on stock", "mean duty on parcels"),
        lambda i: [
            geography.currency[COUNTRIES[i]],
            f"{duty[i]:.0f}",
            "no tax" if np.isnan(tax[i]) else f"{tax[i]:.0f}",
            f"{rate[i]:.3f}",
            f"{bulk[i]:.3f}",
            f"{parcel[i]:.3f}",
        ],
    )


def _duty(geography: Geography) -> str:
    bulk, parcel = geography.duty_rate("bulk"), geography.duty_rate("parcel")

    def cell(index: int) -> list[str]:
        return [f"{b:.3f}" if b == p else f"{b:.3f} / {p:.3f}" for b, p in zip(bulk[index], parcel[index], strict=True)]

    return "Stock; or stock / parcel where they differ.\n\n" + _rows(CATEGORIES, cell)


def _languages(geography: Geography) -> str:
    lines = [
        f"* {country}: " + ", ".join(f"{code} {share:.2f}" for code, share in geography.language_share[country].items())
        for country in COUNTRIES
    ]
    pairs = ", ".join(f"{pair} {value:.2f}" for pair, value in geography.language_closeness.items())
    codes = ", ".join(LANGUAGES)
    return "\n".join(lines) + f"\n\nCodes in array order: {codes}.\n\nUnderstood without learning: {pairs}."


def _places(geography: Geography) -> str:
    times = geography.times
    days, spread = geography.last_mile()
    customs, punctual, stutter = geography.lpi("customs"), geography.lpi("timeliness"), geography.stutter()
    return _rows(
        ("time zones", "Muslim share", "last mile, days", "LPI customs", "LPI timeliness", "stutter"),
        lambda i: [
            ", ".join(
                zone.split("/")[-1] + (f" {share:.3g}" if share < 1 else "")
                for zone, share in times.zones[COUNTRIES[i]].items()
            ),
            f"{times.muslim_share[COUNTRIES[i]]:.3g}",
            f"{days[i]:.1f} ({spread[i, 0]:g}-{spread[i, 1]:g})",
            f"{customs[i]:.1f}",
            f"{punctual[i]:.1f}",
            f"{stutter[i]:.2f}",
        ],
    )


def _sources(quantities: dict[str, Quantity]) -> str:
    return "\n".join(
        f"* `{key}`: {quantity.meaning}. Unit: {quantity.unit}. Range: {quantity.range_text}. "
        f"Source: {quantity.source}."
        for key, quantity in quantities.items()
    )


def main() -> None:
    """Write `docs/geography.md` from the default configuration."""
    configs = data_folder("configs")
    geography, quantities = load_group_with_quantities(configs / "geography" / "default.yaml", Geography)
    (configs.parent / "docs" / "geography.md").write_text(report(geography, quantities), encoding="utf-8")


if __name__ == "__main__":
    main()
