"""A comparison in words: numbers with their units, what an interval allows one to say, a sentence for each effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from analysis.inference import CONFIDENCE
from analysis.look import ENGLISH, MINUS, Look, percent
from analysis.metrics import LEAST_REST, METRICS

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


def scant(entry: Entry) -> bool:
    """Whether an effect rests on so little of the period that nothing is said of it."""
    return float(entry["rests_on"]) < LEAST_REST


def sure(entry: Entry) -> bool:
    """Whether an effect, taken by itself, can be told from 0: its interval leaves out 0, and it is not `scant`."""
    return not scant(entry) and entry["low"] is not None and (entry["low"] > 0 or entry["high"] < 0)


def survives(entry: Entry) -> bool:
    """Whether an effect can be told from 0 even once corrected (Holm) for all that is tested beside it."""
    return sure(entry) and entry["p_holm"] is not None and entry["p_holm"] < 1 - CONFIDENCE


def doubtful(entry: Entry) -> bool:
    """Whether an effect can be told from 0 by itself only, not once corrected."""
    return sure(entry) and not survives(entry)


def tested(entries: Sequence[Entry]) -> int:
    """How many effects the correction is for: the most of any scenario."""
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry["scenario"]] = counts.get(entry["scenario"], 0) + (entry["p_value"] is not None)
    return max(counts.values(), default=0)


def count_words(drawn: Sequence[Entry], entries: Sequence[Entry], look: Look = ENGLISH) -> str:
    """How many of the effects drawn can be told from 0.

    Args:
        drawn: effects in the figure. entries: all that are tested together, scenario by scenario.
    """
    return look.t(
        "{all} changes are drawn. At 95 %, {sure} can be told from zero each taken by itself, {kept} still once "
        "corrected (Holm) for the {tested} changes of a scenario tested together.",
        all=len(drawn), sure=sum(map(sure, drawn)), kept=sum(map(survives, drawn)), tested=tested(entries),
    )  # fmt: skip


def doubt_words(entries: Sequence[Entry], look: Look = ENGLISH) -> str:
    """What a question mark behind a mark says."""
    return look.t(
        "?: not once corrected (Holm) for the {tested} changes of a scenario tested together.", tested=tested(entries)
    )


def verdict(entry: Entry) -> str:
    """`good` or `bad` where an effect is `sure` and one way is better, `moved` where none is, else `calm`."""
    if not sure(entry):
        return "calm"
    better = METRICS[entry["metric"]].better
    if better == 0:
        return "moved"
    return "good" if entry["difference"] * better > 0 else "bad"


def span_words(entry: Entry, look: Look = ENGLISH) -> str:
    """The bounds of an entry's interval, a few words where there is none, and on how little it rests."""
    if entry["difference"] is None:
        return look.t("no value")
    rest = look.t("; rests on {share} of the period", share=percent(entry["rests_on"])) if scant(entry) else ""
    return interval_words(entry, look) + rest


def interval_words(entry: Entry, look: Look = ENGLISH) -> str:
    """The bounds of an entry's interval; a few words where there is none."""
    if entry["low"] is None:
        return look.t("every seed alike: no interval" if entry["seeds"] > 1 else "one seed: no interval")
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
    if scant(entry):
        return look.t(
            "{who}: {metric} changes by {change}, but this rests on {share} of the period: too little to go by.",
            who=who, metric=metric, change=change, share=percent(entry["rests_on"]),
        )  # fmt: skip
    if entry["low"] is None and entry["seeds"] > 1:
        return look.t(
            "{who}: {metric} changes by {change} in each of the {seeds} seeds alike, which gives no interval.",
            who=who, metric=metric, change=change, seeds=entry["seeds"],
        )  # fmt: skip
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
    if doubtful(entry):
        return text + look.t("; this does not survive the correction (Holm) for all that is tested.")
    ending = {"good": ": better.", "bad": ": worse.", "moved": "."}[verdict(entry)]
    return text + look.t(ending)


def clearest(entries: Sequence[Entry], scenario: str) -> list[Entry]:
    """Headline effects of a scenario that can be told from chance: those that survive the correction before those that
    do not, the largest relative change first.
    """
    moved = [
        entry for entry in entries
        if entry["scenario"] == scenario and entry["metric"] in HEADLINE and sure(entry)
        and entry["relative"] is not None
    ]  # fmt: skip
    return sorted(moved, key=lambda entry: (doubtful(entry), -abs(entry["relative"])))


def summary(entries: Sequence[Entry], scenario: str, look: Look = ENGLISH) -> str:
    """A scenario's clearest changes among the headline metrics, without its name; what the correction does not bear out
    is told apart.

    Args:
        entries: of all metrics.
    """
    moved = clearest(entries, scenario)
    kept = [entry for entry in moved if survives(entry)]
    others = moved[len(kept) :]
    end = look.t(".")
    text = look.t("moves none of the metrics below by more than chance would") + end
    if kept:
        words, more = _moves(kept, look), len(kept) - 3
        text = look.t("moves {words}", words=words) + end
        if more > 0:
            text = look.t("moves {words} and {more} more of the metrics below", words=words, more=more) + end
    elif others:
        text = look.t("moves none of the metrics below beyond doubt") + end
    if others:
        own = [entry for entry in entries if entry["scenario"] == scenario]
        said = look.t(
            "By themselves, but not once corrected (Holm) for the {tested} metrics tested: {words}",
            tested=tested(own), words=_moves(others, look),
        )  # fmt: skip
        if len(others) > 3:
            said += look.t(" and {more} more", more=len(others) - 3)
        text += (" " if look.lang == "en" else "") + said + end
    return text


def _moves(entries: Sequence[Entry], look: Look) -> str:
    """The first three effects in a few words."""
    return look.t(", ").join(
        f"{look.lower(look.metric(entry['metric']))} {percent(entry['relative'], True)}" for entry in entries[:3]
    )
