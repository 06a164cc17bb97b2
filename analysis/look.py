"""How figures and pages look and speak: palettes, light and dark, English and Chinese, numbers in words.

English is written where it is used and is the key of the Chinese table (`analysis.chinese`); a test walks the sources
and finds what that table lacks. One palette (Okabe and Ito, safe for colour-blind readers; lighter shades of the same
hues on dark ground): the base scenario is grey, the others take the colours in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from textwrap import wrap
from typing import Any, Final

import plotly.graph_objects as go

from analysis.chinese import CHINESE
from analysis.chinese_questions import QUESTIONS
from sim.kinds import REGIONS

LANGUAGES: Final = ("en", "zh")
FONT: Final = (
    "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'Noto Sans CJK SC', 'PingFang SC', "
    "'Microsoft YaHei', Arial, sans-serif"
)
MINUS: Final = "\u2212"
_FIGURE_NAME: Final = 34  # letters of a scenario's name on a line of a figure
_LIGHT: Final = {
    "base": "#4D4D4D", "good": "#00734F", "bad": "#A84300", "moved": "#0072B2", "ink": "#1F2933", "quiet": "#5B6773",
    "grid": "#E3E7EB", "line": "#9AA5B1", "paper": "#FFFFFF", "error": "#111111",
}  # fmt: skip
_DARK: Final = {
    "base": "#B8C1CC", "good": "#2FC79A", "bad": "#F0793A", "moved": "#56B4E9", "ink": "#E6EBF0", "quiet": "#A5B1BD",
    "grid": "#2F3A46", "line": "#6B7885", "paper": "#161C23", "error": "#F5F7FA",
}  # fmt: skip
_COLOURS: Final = {
    False: ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"),
    True: ("#4DB3E6", "#F0793A", "#2FC79A", "#E29AC4", "#F0B429", "#9FD3F5"),
}
STAGE_COLOURS: Final = ("#0072B2", "#56B4E9", "#E69F00", "#CC79A7", "#009E73")

COUNTRY_NAMES: Final = {
    "US": "United States", "CA": "Canada", "DE": "Germany", "FR": "France", "GB": "United Kingdom", "ES": "Spain",
    "PL": "Poland", "ID": "Indonesia", "VN": "Vietnam", "TH": "Thailand", "PH": "Philippines", "MY": "Malaysia",
    "SG": "Singapore", "SA": "Saudi Arabia", "AE": "UA Emirates", "BR": "Brazil", "MX": "Mexico",
    "NG": "Nigeria", "KE": "Kenya", "ZA": "South Africa",
}  # fmt: skip
METRIC_LABELS: Final = {
    "gmv_usd": "Live sales (GMV)", "gmv_net_usd": "Live sales, net", "orders": "Live orders",
    "room_visits": "Room visits", "conversion": "Conversion", "watch_minutes_mean": "Minutes watched a visit",
    "aov_usd": "Order value", "payment_success_rate": "Payments that succeed", "tariff_usd": "Duty collected",
    "vat_usd": "VAT collected", "delivery_days_p50": "Delivery, median", "delivery_days_p90": "Delivery, slowest tenth",
    "late_share": "Late deliveries", "direct_shipped_share": "Sent direct from China", "stockout_share": "Stock-outs",
    "oversold_share": "Oversold orders", "return_rate": "Returns", "dispute_rate": "Disputes",
    "complaint_rate": "Complaints", "repurchase_rate": "Repurchase within 90 days", "trust_mean": "Trust of adopters",
    "adoption_share": "Adopters of live commerce", "streamer_view_gini": "Concentration of views (Gini)",
    "warehouse_utilisation_p90": "Warehouse use, 90th percentile", "platform_profit_usd": "Platforms' profit",
    "mcn_profit_usd": "Agencies' profit", "streamer_income_usd": "Streamers' income",
    "merchant_profit_usd": "Merchants' profit", "merchant_cash_usd": "Merchants' cash result",
    "merchant_margin": "Merchants' margin",
    "consumer_surplus_perceived_usd": "Consumer surplus, perceived",
    "consumer_surplus_realised_usd": "Consumer surplus, realised", "government_revenue_usd": "Government revenue",
    "gain_usd": "Sum of gains", "co2_kg": "CO\u2082 emissions", "matured_share": "Orders old enough for rates",
    "buyer_share_30d": "Buyers within 30 days of discovery",
    "new_buyer_conversion_7d": "Buyers within 7 days of discovery",
    "delivery_days_direct_p10": "Direct delivery, fastest tenth",
    "delivery_days_direct_p50": "Direct delivery, median", "delivery_days_direct_p90": "Direct delivery, slowest tenth",
    "delivery_days_stocked_p50": "Local delivery, median",
}  # fmt: skip
GROUP_LABELS: Final = {
    "consumers_low": "Low-income consumers", "consumers_middle": "Middle-income consumers",
    "consumers_high": "High-income consumers", "streamers_head": "Head streamers", "streamers_middle":
    "Middle streamers", "streamers_tail": "Tail streamers", "mcns": "Agencies", "platforms": "Live platforms",
    "shelf": "Shelf marketplaces", "brand_sites": "Brand sites", "merchants_small": "Small merchants",
    "merchants_large": "Large merchants", "carriers": "Carriers and line-haul", "warehouses": "Warehouses",
    "payment_providers": "Payment providers", "treasuries": "Destination treasuries",
    "treasury_cn": "Treasury of China",
}  # fmt: skip


REGION_NAMES: Final = dict(
    zip(REGIONS, ("North America", "Europe", "Southeast Asia", "Middle East", "Latin America", "Africa"), strict=True)
)


CATEGORY_NAMES: Final = {
    "electronics_3c": "Electronics", "beauty": "Beauty", "home": "Home", "apparel": "Apparel",
    "fresh_food": "Fresh food", "health": "Health", "luxury": "Luxury", "new_energy": "New energy",
}  # fmt: skip
CHANNEL_NAMES: Final = {
    "amazon_live": "Amazon Live", "tiktok_shop": "TikTok Shop", "shopee_live": "Shopee Live",
    "lazada_live": "Lazada Live", "noon_live": "Noon Live", "zalando_live": "Zalando Live",
    "instagram_shopping": "Instagram Shopping", "mercado_live": "Mercado Live", "shelf": "Shelf marketplaces",
    "brand_site": "Brand sites",
}  # fmt: skip
_KEY_NAMES: Final = {
    "country": COUNTRY_NAMES, "region": REGION_NAMES, "group": GROUP_LABELS, "category": CATEGORY_NAMES,
    "channel": CHANNEL_NAMES,
}  # fmt: skip


def pretty(name: str) -> str:
    """A name for readers: `tariff_reduction` -> `Tariff reduction`."""
    words = name.replace("_", " ")
    return words[:1].upper() + words[1:]


@dataclass(frozen=True, slots=True)
class Look:
    """A reader's language (`en`, `zh`) and ground (light or dark)."""

    lang: str = "en"
    dark: bool = False

    def t(self, text: str, **values: object) -> str:
        """A text in the reader's language, `{name}` filled in; English where the table lacks it."""
        words = CHINESE.get(text, text) if self.lang == "zh" else text
        return words.format(**values) if values else words

    def question(self, text: str) -> tuple[str, str]:
        """A scenario's question and the language it is in: the reader's where known, else its author's English."""
        words = QUESTIONS.get(text) if self.lang == "zh" else None
        return (words, "zh") if words is not None else (text, "en")

    def shade(self, name: str) -> str:
        """A colour of the ground by its name: ink, quiet, grid, line, paper, good, bad, moved, base, error."""
        return (_DARK if self.dark else _LIGHT)[name]

    @property
    def series(self) -> tuple[str, ...]:
        """Colours of scenarios, in order."""
        return _COLOURS[self.dark]

    def metric(self, name: str) -> str:
        """A metric's label."""
        return self.t(METRIC_LABELS[name])

    def key(self, dimension: str, value: str) -> str:
        """A country, region, channel, category or group by name."""
        return self.t(_KEY_NAMES[dimension].get(value, pretty(value)))

    def scenario(self, label: str) -> str:
        """A scenario's name, or a sweep's label: the scenario and what was varied."""
        name, blank, varied = label.partition(" ")
        return self.t(pretty(name)) + blank + varied

    def inside(self, label: str) -> str:
        """The same within a sentence."""
        return self.lower(self.scenario(label))

    def legend(self, label: str) -> str:
        """A scenario's name as figures show it: what was varied on lines of their own where it is long."""
        return "<br>".join(wrap(self.scenario(label), _FIGURE_NAME)) or label

    def lower(self, label: str) -> str:
        """A label within a sentence: with a small first letter, unless it begins with an abbreviation."""
        return label if self.lang == "zh" or not label[1:2].islower() else label[:1].lower() + label[1:]

    def money(self, value: float, signed: bool = False) -> str:
        """A sum of USD in words: `1.24 bn`, `-310 m`; in Chinese by ten thousands."""
        sign = MINUS if value < 0 else ("+" if signed and value > 0 else "")
        size = abs(value)
        steps = ((1e8, "\u4ebf"), (1e4, "\u4e07")) if self.lang == "zh" else (
            (1e9, "\u00a0bn"), (1e6, "\u00a0m"), (1e3, "\u00a0k"))  # fmt: skip
        for limit, word in steps:
            if size >= limit:
                return f"{sign}{size / limit:.3g}{word}" if size / limit < 1000 else f"{sign}{size / limit:,.0f}{word}"
        return f"{sign}{size:.3g}"

    @property
    def template(self) -> go.layout.Template:
        """Plotly's template of this ground."""
        return _template(self.dark)


ENGLISH: Final = Look()


def percent(value: float, signed: bool = False) -> str:
    """A share as a percentage: `3.5 %`."""
    size = abs(value) * 100
    digits = 0 if size >= 100 else 1 if size >= 1 else 2
    text = f"{size:.{digits}f}\u00a0%"
    if size < 0.005:
        return text
    return (MINUS if value < 0 else "+" if signed and value > 0 else "") + text


def fade(colour: str, alpha: float) -> str:
    """A colour `#RRGGBB` that lets the ground through."""
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"


@cache
def _template(dark: bool) -> go.layout.Template:
    shades = _DARK if dark else _LIGHT
    axis: dict[str, Any] = {
        "gridcolor": shades["grid"], "zerolinecolor": shades["line"], "zerolinewidth": 1, "linecolor": shades["line"],
        "ticks": "", "automargin": True,
        "title": {"font": {"size": 13, "color": shades["quiet"]}, "standoff": 10},
        "tickfont": {"size": 12.5, "color": shades["ink"]},
    }  # fmt: skip
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": shades["ink"]},
            "paper_bgcolor": shades["paper"],
            "plot_bgcolor": shades["paper"],
            "colorway": list(_COLOURS[dark]),
            "xaxis": {**axis, "exponentformat": "B"},
            "yaxis": {**axis, "zeroline": False, "exponentformat": "B"},
            "margin": {"l": 10, "r": 14, "t": 40, "b": 48},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
            "hoverlabel": {"font": {"family": FONT, "size": 12.5, "color": shades["ink"]}, "bgcolor": shades["paper"],
                           "bordercolor": shades["line"]},
            "annotationdefaults": {"font": {"size": 13, "color": shades["ink"]}},
            "bargap": 0.28,
            "bargroupgap": 0.06,
        }
    )  # fmt: skip
