"""A comparison in words: numbers with their units, what an interval allows one to say, a sentence for each effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from analysis.look import ENGLISH, MINUS, Look, percent
from analysis.metrics import METRICS

Entry = Mapping[str, Any]
HEADLINE: Final = (
    "gmv_usd", "orders", "conversion", "aov_usd", "watch_minutes_mean", "delivery_days_p50", "late_share",
    "direct_shipped_share", "return_rate", "repurchase_rate", "consumer_surplus_realised_usd", "merchant_profit_usd",
    "platform_profit_usd", "streamer_income_usd", "mcn_profit_usd", "government_revenue_usd", "tariff_usd", "co2_kg",
)  # fmt: skip
NOTHING: Final = "\u2013"


def written(name: str, value: float | None, signed: bool = False, look: Look = ENGLISH) -> str:
    """A metric's value for readers, with its unit; a dash where there is none."""
    if value is None:
        return NOTHING
    unit = METRICS[name].unit
    if unit == "share":
        if not signed:
            return percent(value)
        return _signed(value * 100, 2) + "\u00a0" + look.t("pp")
    if METRICS[name].scaled:
        return look.money(value, signed)
    digits = 3 if unit == "0-1" else 2
    return _signed(value, digits) if signed else f"{value:,.{digits}f}".replace("-", MINUS)


def _signed(value: float, digits: int) -> str:
    """A rounded number with its sign; nothing but 0 is written as 0 with a sign."""
    text = f"{abs(value):,.{digits}f}"
    if not text.strip("0.,"):
        return text
    return ("+" if value > 0 else MINUS) + text


def unit_of(name: str, look: Look = ENGLISH) -> str:
    """Unit to print beside a metric's label."""
    unit = METRICS[name].unit
    word = {"share": "", "0-1": "", "orders": "", "visits": "", "day": "days"}.get(unit, unit)
    return look.t(word) if word else ""


def measured(name: str, text: str, look: Look = ENGLISH) -> str:
    """A number in words with the unit it is in, for sentences; where a label stands beside it, that has the unit."""
    unit = unit_of(name, look)
    return text + (unit if look.lang == "zh" else f"\u00a0{unit}" if unit else "")


_SIZE: Final = ("scenario", "seed", "population.consumers", "days", "warmup_days", "record", "threads")


def changes(overrides: Sequence[str], look: Look = ENGLISH) -> str:
    """What was set besides the scenario and the size of a run, as a sentence; empty where nothing was.

    A scenario's question speaks of the values in its own file, so whoever reads it must learn of others.
    """
    kept = [text.lstrip("+") for text in overrides if text.lstrip("+").partition("=")[0] not in _SIZE]
    return look.t("Set otherwise than in the scenario: {changes}.", changes=look.t(", ").join(kept)) if kept else ""


def sure(entry: Entry) -> bool:
    """Whether the interval leaves out 0."""
    return entry["low"] is not None and (entry["low"] > 0 or entry["high"] < 0)


def verdict(entry: Entry) -> str:
    """`good` or `bad` where the interval leaves out 0 and one way is better, `moved` where none is, else `calm`."""
    if not sure(entry):
        return "calm"
    better = METRICS[entry["metric"]].better
    if better == 0:
        return "moved"
    return "good" if entry["difference"] * better > 0 else "bad"


def span_words(entry: Entry, look: Look = ENGLISH) -> str:
    """The bounds of an entry's interval; a few words where one seed gives none."""
    if entry["low"] is None:
        return look.t("no value" if entry["difference"] is None else "one seed: no interval")
    name = entry["metric"]
    return look.t(
        "{low} to {high}",
        low=written(name, entry["low"], True, look), high=written(name, entry["high"], True, look),
    )  # fmt: skip


def in_percent(entry: Entry) -> bool:
    """Whether an effect reads best as a percentage of the base: not for shares, nor where the base is nothing."""
    return METRICS[entry["metric"]].unit != "share" and entry["relative"] is not None


def _sizes(entry: Entry, look: Look) -> tuple[str, str, str]:
    """Size, lower and upper bound of a sure effect without its sign; percentages where they read best."""
    low, high = entry["low"], entry["high"]
    turn = -1.0 if entry["difference"] < 0 else 1.0
    first, last = (low * turn, high * turn) if turn > 0 else (high * turn, low * turn)
    size = abs(entry["difference"])
    if in_percent(entry):
        scale = 1 / abs(entry["base_value"])
        return percent(size * scale), percent(first * scale), percent(last * scale)
    name = entry["metric"]
    return tuple(written(name, value, True, look).lstrip("+") for value in (size, first, last))  # type: ignore[return-value]


def sentence(entry: Entry, look: Look = ENGLISH) -> str:
    """One line of plain language about one effect of a scenario.

    Args:
        entry: of `analysis.comparison.compare`.
    """
    metric, who = look.lower(look.metric(entry["metric"])), look.scenario(entry["scenario"])
    if entry["difference"] is None:
        return look.t("{who}: {metric} has no value in these runs.", who=who, metric=metric)
    change = measured(entry["metric"], written(entry["metric"], entry["difference"], True, look), look)
    if entry["low"] is None:
        return look.t(
            "{who}: {metric} changes by {change} in the one seed there is; more seeds give an interval.",
            who=who, metric=metric, change=change,
        )  # fmt: skip
    if entry["low"] == entry["high"] == 0.0:
        return look.t("{who}: {metric} does not change.", who=who, metric=metric)
    if not sure(entry):
        return look.t(
            "{who}: no change of {metric} can be told from chance ({span}).",
            who=who, metric=metric, span=measured(entry["metric"], span_words(entry, look), look),
        )  # fmt: skip
    size, low, high = _sizes(entry, look)
    up = entry["difference"] > 0
    text = look.t(
        "{who} raises {metric} by {size} ({low} to {high})" if up
        else "{who} cuts {metric} by {size} ({low} to {high})",
        who=who, metric=metric, size=size, low=low, high=high,
    )  # fmt: skip
    if in_percent(entry):
        text += look.t(", that is {change}", change=change)
    ending = {"good": ": better.", "bad": ": worse.", "moved": "."}[verdict(entry)]
    return text + look.t(ending)


def clearest(entries: Sequence[Entry], scenario: str) -> list[Entry]:
    """Headline effects of a scenario that can be told from chance, the largest relative change first."""
    moved = [
        entry for entry in entries
        if entry["scenario"] == scenario and entry["metric"] in HEADLINE and sure(entry)
        and entry["relative"] is not None
    ]  # fmt: skip
    return sorted(moved, key=lambda entry: -abs(entry["relative"]))


def summary(entries: Sequence[Entry], scenario: str, look: Look = ENGLISH) -> str:
    """One sentence: a scenario's clearest changes among the headline metrics, without its name."""
    moved = clearest(entries, scenario)
    if not moved:
        return look.t("moves none of the metrics below by more than chance would") + look.t(".")
    words = look.t(", ").join(
        f"{look.lower(look.metric(entry['metric']))} {percent(entry['relative'], True)}" for entry in moved[:3]
    )
    if len(moved) > 3:
        return look.t("moves {words} and {more} more of the metrics below", words=words, more=len(moved) - 3) + look.t(
            "."
        )
    return look.t("moves {words}", words=words) + look.t(".")
