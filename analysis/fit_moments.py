"""Fit the shapes the simulation borrows from real data: `python -m analysis.fit_moments DATA_DIR [TARGET_DIR]`.

Reads the reduced public snapshots (Olist orders, MUSAE Twitch nodes, World Bank logistics scores) from `DATA_DIR` and
writes one file of quantities each to `TARGET_DIR` (default `configs/moments`), every value with its number of rows and
its source. Raw rows are not shipped: licences differ, one is non-commercial.

Stage times are fitted on delivered orders; within them all rows weigh the same. Negative stage times (clock errors, 71
rows) count as 0 and are left out of fits that need a logarithm.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml
from scipy import optimize, special, stats

from analysis.metrics import gini
from sim.config.folders import data_folder
from sim.kinds import COUNTRIES

type Floats = npt.NDArray[np.float64]
type Node = dict[str, Any]

OLIST = "olist_orders_sample.parquet"
MUSAE = "twitch_musae_nodes.parquet"
LPI = "worldbank_lpi_2010_2016.parquet"
OLIST_SOURCE = "Olist Brazilian e-commerce 2016-2018 (CC BY-NC-SA 4.0), three weeks of 2017 left out"
MUSAE_SOURCE = "Rozemberczki et al., MUSAE Twitch networks 2018, lifetime views of channels"
LPI_SOURCE = "World Bank Logistics Performance Index"

METHOD_OF = {
    "credit_card": "card",
    "debit_card": "debit_card",
    "boleto": "cash_voucher",
    "voucher": "gift_voucher",
}
LATENESS_EDGES = (-np.inf, -14.0, -7.0, -3.0, 0.0, 1.0, 4.0, 8.0, np.inf)
LATENESS_NAMES = (
    "more than 14 early", "7-14 early", "3-7 early", "0-3 early", "0-1 late", "1-4 late", "4-8 late",
    "more than 8 late",
)  # fmt: skip
BODY_QUANTILES = (0.10, 0.90)
TAIL_SHARE = 0.02
ISO3 = {
    "US": "USA", "CA": "CAN", "DE": "DEU", "FR": "FRA", "GB": "GBR", "ES": "ESP", "PL": "POL", "ID": "IDN", "VN": "VNM",
    "TH": "THA", "PH": "PHL", "MY": "MYS", "SG": "SGP", "SA": "SAU", "AE": "ARE", "BR": "BRA", "MX": "MEX", "NG": "NGA",
    "KE": "KEN", "ZA": "ZAF", "CN": "CHN",
}  # fmt: skip


def fit_lognormal(days: Floats) -> tuple[float, float]:
    """Median and sigma of a lognormal by maximum likelihood; zero and negative times are left out."""
    logs = np.log(days[days > 0.0])
    return float(np.exp(logs.mean())), float(logs.std())


def fit_gamma(days: Floats) -> tuple[float, float]:
    """Shape k and scale theta of a gamma by maximum likelihood (Minka 2002); zero and negative times are left out."""
    positive = days[days > 0.0]
    gap = float(np.log(positive.mean()) - np.log(positive).mean())
    shape = float(optimize.brentq(lambda k: np.log(k) - special.digamma(k) - gap, 1e-3, 1e3))
    return shape, float(positive.mean()) / shape


def fit_popularity(views: Floats) -> dict[str, float]:
    """Lognormal body and Pareto top of a popularity distribution.

    `sigma`: of log views, from the distance of the 10 % and 90 % quantiles; `tail_exponent`: Hill's estimate over the
    top 2 %; `tail_ratio`: start of the top over the median; `largest_ratio`: the largest over the start of the top.
    """
    positive = np.sort(views[views > 0.0])
    low, high = np.quantile(np.log(positive), BODY_QUANTILES)
    width = stats.norm.ppf(BODY_QUANTILES[1]) - stats.norm.ppf(BODY_QUANTILES[0])
    start = float(np.quantile(positive, 1.0 - TAIL_SHARE))
    top = positive[positive >= start]
    return {
        "sigma": float((high - low) / width),
        "tail_exponent": 1.0 / float(np.log(top / start).mean()),
        "tail_ratio": start / float(np.median(positive)),
        "largest_ratio": float(positive[-1]) / start,
        "gini": gini(views) or 0.0,
        "top_1_percent": float(positive[-max(1, len(views) // 100) :].sum() / positive.sum()),
    }


def quantity(value: Any, unit: str, low: float | None, high: float | None, source: str, n: int, meaning: str) -> Node:
    """A quantity node, floats at four significant digits, with the number of rows in its source."""
    return {
        "value": _rounded(value),
        "unit": unit,
        "range": [low, high],
        "source": f"{source}; n = {n:,}",
        "meaning": meaning,
    }


def olist_moments(folder: Path) -> dict[str, Node]:
    """Delivery stages, approval, instalments, freight and the review cliff."""
    table = pq.read_table(folder / OLIST)
    delivered = table.filter(pc.equal(pc.cast(table["order_status"], "string"), "delivered"))
    column = {name: delivered[name].to_numpy(zero_copy_only=False) for name in _OLIST_COLUMNS}
    method = np.array([METHOD_OF.get(str(name), "other") for name in delivered["payment_type"].to_pylist()])
    handling, shipping = _days(column["h_approved_to_carrier"]), _days(column["h_carrier_to_customer"])
    total, promised = _days(column["h_purchase_to_customer"]), _days(column["h_promised"])
    near = np.array(delivered["customer_state"].to_pylist()) == np.array(delivered["seller_state"].to_pylist())

    def node(value: Any, unit: str, low: float | None, high: float | None, n: int, meaning: str) -> Node:
        return quantity(value, unit, low, high, OLIST_SOURCE, n, meaning)

    found: dict[str, Node] = {}
    for name, days in (("handling", handling), ("total", total)):
        known = days[np.isfinite(days)]
        median, sigma = fit_lognormal(known)
        found[f"{name}_median"] = node(median, "days", 0.0, None, len(known), f"{name}: median of the lognormal")
        found[f"{name}_sigma"] = node(sigma, "1", 0.0, 3.0, len(known), f"{name}: sigma of the lognormal")
    known = shipping[np.isfinite(shipping)]
    shape, scale = fit_gamma(known)
    found["shipping_shape"] = node(shape, "1", 0.1, 20.0, len(known), "carrier to door: shape of the gamma")
    found["shipping_scale"] = node(scale, "days", 0.1, None, len(known), "carrier to door: scale of the gamma")
    for name, inside in (("near", near), ("far", ~near)):
        part = shipping[inside & np.isfinite(shipping)]
        found[f"shipping_{name}_median"] = node(
            np.median(part),
            "days",
            0.0,
            None,
            len(part),
            f"carrier to door, {'same' if inside is near else 'other'} state",
        )
    both = np.isfinite(handling) & np.isfinite(shipping)
    found["stage_correlation"] = node(
        stats.spearmanr(handling[both], shipping[both]).statistic, "1", -1.0, 1.0, int(both.sum()),
        "rank correlation of handling and shipping: stages are nearly independent",
    )  # fmt: skip
    both = np.isfinite(total) & np.isfinite(promised)
    found["promise_over_actual"] = node(
        np.median(promised[both]) / np.median(total[both]), "1", 0.0, None, int(both.sum()),
        "median promised over median actual time",
    )  # fmt: skip
    found |= _payment_moments(column, method, node)
    late = -(promised - total)
    found |= _review_moments(late, column["review_score"].astype(np.float64), node)
    price, freight = column["price_brl"], column["freight_brl"]
    known_price = np.isfinite(price) & np.isfinite(freight) & (price > 0)
    found["freight_over_price"] = node(
        freight[known_price].sum() / price[known_price].sum(), "share of price", 0.0, 1.0, int(known_price.sum()),
        "freight billed to buyers over goods value",
    )  # fmt: skip
    return found


def _payment_moments(column: Mapping[str, Any], method: npt.NDArray[np.str_], node: Any) -> dict[str, Node]:
    found: dict[str, Node] = {}
    hours = np.maximum(column["h_purchase_to_approved"].astype(np.float64), 0.0)
    medians, quantiles, counts = {}, {}, 0
    for name in sorted(set(METHOD_OF.values())):
        part = hours[(method == name) & np.isfinite(hours)]
        if len(part) >= 30:
            medians[name] = float(np.median(part))
            quantiles[name] = [float(np.quantile(part, level)) for level in (0.1, 0.25, 0.75, 0.9, 0.99)]
            counts += len(part)
    found["approval_hours"] = node(medians, "hours", 0.0, None, counts, "purchase to approval: median by method")
    found["approval_quantiles"] = node(
        quantiles, "hours", 0.0, None, counts, "purchase to approval: 10, 25, 75, 90, 99 % quantiles by method"
    )
    shares = {name: float((method == name).mean()) for name in sorted(set(METHOD_OF.values()))}
    found["method_share"] = node(shares, "share of orders", 0.0, 1.0, len(method), "main payment method")
    parts = column["payment_installments"][method == "card"].astype(np.int64)
    parts = np.clip(parts[parts > 0], 1, 12)
    share = {str(number): float((parts == number).mean()) for number in range(1, 13)}
    found["instalments"] = node(
        share, "share of card orders", 0.0, 1.0, len(parts), "number of instalments, 12 or more"
    )
    found["instalments_mean"] = node(float(parts.mean()), "instalments", 1.0, 24.0, len(parts), "mean, capped at 12")
    return found


def _review_moments(late_days: Floats, scores: Floats, node: Any) -> dict[str, Node]:
    known = np.isfinite(late_days) & np.isfinite(scores)
    late_days, scores = late_days[known], scores[known]
    means, lowest, counts = {}, {}, {}
    for low, high, name in zip(LATENESS_EDGES[:-1], LATENESS_EDGES[1:], LATENESS_NAMES, strict=True):
        part = scores[(late_days > low) & (late_days <= high)]
        if len(part):
            means[name], lowest[name], counts[name] = float(part.mean()), float((part == 1).mean()), len(part)
    rows = "; ".join(f"{name} {count:,}" for name, count in counts.items())
    return {
        "review_by_lateness": node(
            means, "stars", 1.0, 5.0, len(scores), f"mean review by days against the promise (rows: {rows})"
        ),
        "one_star_by_lateness": node(
            lowest, "share of reviews", 0.0, 1.0, len(scores), "one-star reviews by days against the promise"
        ),
        "late_share": node(
            float((late_days > 0).mean()), "share", 0.0, 1.0, len(scores), "delivered after the promise"
        ),
    }


def musae_moments(folder: Path) -> dict[str, Node]:
    """Popularity of streamers: body, top and concentration, by language community and as their median."""
    table = pq.read_table(folder / MUSAE)
    views = table["views"].to_numpy(zero_copy_only=False).astype(np.float64)
    language = np.array([str(name) for name in table["lang"].to_pylist()])
    fits = {name: fit_popularity(views[language == name]) for name in sorted(set(language))}
    meanings = {
        "sigma": ("1", "sigma of log views in the body (10 to 90 % quantile)"),
        "tail_exponent": ("1", "Pareto exponent of the top 2 % (Hill)"),
        "tail_ratio": ("1", "views at the start of the top 2 % over median views"),
        "largest_ratio": ("1", "largest channel over the start of the top 2 %: where the Pareto is cut"),
        "gini": ("1", "Gini coefficient of views"),
        "top_1_percent": ("share of views", "held by the top 1 %"),
    }
    found: dict[str, Node] = {}
    for key, (unit, meaning) in meanings.items():
        by_language = {name: fit[key] for name, fit in fits.items()}
        median = float(np.median(list(by_language.values())))
        found[key] = quantity(median, unit, 0.0, None, MUSAE_SOURCE, len(views), f"{meaning}, median of communities")
        found[f"{key}_by_community"] = quantity(by_language, unit, 0.0, None, MUSAE_SOURCE, len(views), meaning)
    return found


def lpi_moments(folder: Path) -> dict[str, Node]:
    """Customs and timeliness scores of the countries, 2010 to 2016."""
    rows = sorted(pq.read_table(folder / LPI).to_pylist(), key=lambda row: int(row["year"]))
    found: dict[str, Node] = {}
    for score, meaning in (("customs", "efficiency of clearance"), ("timeliness", "punctuality of shipments")):
        by_country: dict[str, dict[str, float]] = {}
        for country in (*COUNTRIES, "CN"):
            own = {str(row["year"]): float(row[score]) for row in rows if row["iso3"] == ISO3[country] and row[score]}
            by_country[country] = dict(sorted(own.items()))
        count = sum(len(years) for years in by_country.values())
        found[score] = quantity(by_country, "score 1-5 by year", 1.0, 5.0, LPI_SOURCE, count, meaning)
    return found


_OLIST_COLUMNS = (
    "h_purchase_to_approved", "h_approved_to_carrier", "h_carrier_to_customer", "h_purchase_to_customer", "h_promised",
    "payment_installments", "review_score", "price_brl", "freight_brl",
)  # fmt: skip


def _days(hours: Any) -> Floats:
    """Hours to days, clipped at 0."""
    return np.maximum(np.asarray(hours, dtype=np.float64) / 24.0, 0.0)


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    return float(f"{float(value):.4g}")


def fit(folder: Path) -> dict[str, dict[str, Node]]:
    """All moments by file name without ending."""
    return {"olist": olist_moments(folder), "musae": musae_moments(folder), "lpi": lpi_moments(folder)}


def main(arguments: list[str] | None = None) -> None:
    """Fit and write. Exits with a message when the data folder is missing."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or not (Path(arguments[0]) / OLIST).is_file():
        raise SystemExit(f"usage: python -m analysis.fit_moments DATA_DIR [TARGET_DIR]; DATA_DIR holds {OLIST}")
    target = Path(arguments[1]) if len(arguments) > 1 else data_folder("configs") / "moments"
    target.mkdir(parents=True, exist_ok=True)
    for name, nodes in fit(Path(arguments[0])).items():
        text = yaml.safe_dump(nodes, sort_keys=False, width=110, default_flow_style=None, allow_unicode=True)
        head = "# Written by `python -m analysis.fit_moments`; do not edit by hand.\n"
        (target / f"{name}.yaml").write_text(head + text, encoding="utf-8")


if __name__ == "__main__":
    main()
