"""The page docs/interventions.md, written from the rows and the leaves.

python -m sim.interventions.document            # writes the page
python -m sim.interventions.document --check    # exit status 1 when the page is not what would be written
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from sim.interventions.rows import CHOSEN, NEWS_AXES, VERB_AXES, VERB_LEAF, Change, Kind, known_kinds
from sim.interventions.scope import KEYS_OF_AXIS
from sim.rules import LEAVES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "interventions.md"

_HEAD = """\
# Interventions

<!-- Written by `python -m sim.interventions.document` from configs/interventions and sim/rules.py; do not edit. -->

An intervention changes a **cause**, never an outcome: a leaf of the rules (law, platforms, technology), or a
few hours of a warehouse, a carrier or a payment method. What follows from it comes out of what people and firms
then choose.

```yaml
interventions:
  cap:                      # any name: interventions.cap.share=0.1 on the command line reaches it
    kind: commission_cap    # one of the rows below
    strength: 0.5           # 0 nothing .. 1 full (default 1)
    start: 30               # days after the first reported day, or an ISO date or time in UTC (default 0)
    end: null               # first moment no longer in force; null: to the end of the run
    ramp: 14                # days to grow to full strength, in equal steps (default 0: at once)
    scope: {platforms: [tiktok_shop]}
    share: 0.1              # every other key is a parameter of the row
```

`+interventions.cap.kind=commission_cap` on the command line adds one to any scenario. Zero strength changes
nothing at all and costs nothing. Two that set the same leaf for the same entities on the same day are an error
naming both, unless both say `stack: true`; they then apply in order of their names. `adoption: offered`
multiplies strength by the row's `uptake`, unless sellers of the model choose: then the leaf `offered` moves instead
of `coverage`, and who takes it up pays for it instead of the row's merchants ([firms.md](firms.md#technology)).
Rules change at 00:00 UTC; closures and outages may start and end at any full hour.

**Strength** acts on each leaf in the way the leaf declares: `scale`, a number: baseline + strength x change;
`bound`, a cap: from the highest value asked at baseline down to the cap; `cover`: the share of the scope's
entities that are switched (for a leaf that is on or off, a keyed pick that is nested in strength), or the share
reached.

**Costs** are real-world money, posted each day to who pays; all shrink with strength and ramp. Sources that
begin with a claim's id refer to the evidence; "assumed" marks a prior that nobody looked up.

**A row of your own** is one more file `configs/interventions/NAME.yaml` of a checkout: copy the nearest one, such as
`commission_cap.yaml`, and change its causes (any leaf [below](#the-causes)), parameters and costs. `livecommerce
interventions NAME` then describes it or tells what is wrong with it, scenarios name it as `kind: NAME`, and
`python -m sim.interventions.document` takes it into this page.
"""


def page() -> str:
    """The whole page."""
    rows = known_kinds()
    lines = [_HEAD, "## All rows", "", "| row | what it is | pulled by | causes it changes |", "|---|---|---|---|"]
    for name, kind in rows.items():
        leaves = ", ".join(f"`{leaf}`" for leaf in dict.fromkeys(change.leaf for change in kind.row.changes))
        if kind.row.chosen:
            leaves += ", or offered: " + ", ".join(f"`{CHOSEN[change.leaf]}`" for change in kind.row.changes)
        leaves = leaves or {"remove_streamers": "hosts' absence", "spread_news": "trust"}.get(kind.row.acts or "", "")
        pulled = ", ".join(kind.row.pulled_by) or "nobody: a shock"
        lines.append(f"| [`{name}`](#{name}) | {kind.row.title} | {pulled} | {leaves} |")
    for kind in rows.values():
        lines += ["", *_section(kind)]
    lines += ["", *_leaves()]
    return "\n".join(lines) + "\n"


def _section(kind: Kind) -> Iterator[str]:
    row = kind.row
    yield f"## {kind.name}"
    yield ""
    yield f"*{row.title}.* {row.mechanism}"
    yield ""
    if row.parameters:
        yield "| parameter | default | unit | range | meaning | source |"
        yield "|---|---|---|---|---|---|"
        for name, value in row.parameters.items():
            of = kind.parameter(name)
            shown = "-" if value is None else f"{value:g}"
            yield f"| `{name}` | {shown} | {of.unit} | {of.low:g} to {of.high:g} | {of.meaning} | {of.source} |"
        yield ""
    for group in row.one_of:
        yield f"One of {', '.join(f'`{name}`' for name in group)} at a time."
        yield ""
    for change in row.changes:
        yield f"- {_change(change)}"
    if row.acts is not None and row.acts in VERB_LEAF:
        yield "- for a part of a day: the same, from hour to hour"
    elif row.acts == "remove_streamers":
        yield "- hosts in scope, the largest or those with the ranks named when it starts, have no shows until its end"
    elif row.acts == "spread_news":
        yield "- people hear of it and tell friends: trust moves at the level named and, a little, in general"
    elif row.acts is not None:
        yield f"- shows in scope: popularity seen by people and recommenders x `{row.acts_by}`"
    yield f"- scope: {scope_of(kind)}"
    yield f"- adoption: {row.adoption}" + (f"; uptake when offered {row.uptake:g}" if row.uptake < 1.0 else "")
    for line in row.costs:
        each = f"{line.payer.replace('_', ' ')}" + (f" and {line.times.replace('_', ' ')}" if line.times else "")
        yield (
            f"- cost ({line.purpose}), each {each} in scope: {line.setup_usd:,.0f} USD once, "
            f"{line.usd_per_day:,.0f} USD a day"
        )
    for number in range(len(row.costs)):
        sources = [kind.quantities[f"costs.{number}.{part}"].source for part in ("setup_usd", "usd_per_day")]
        yield f"  - sources: {'; '.join(sources)}"
    if row.not_separately_identified:
        yield f"- not separately identified from: {', '.join(row.not_separately_identified)}"
    if row.claims:
        yield f"- claims: {', '.join(row.claims)}"


def _change(change: Change) -> str:
    leaf = LEAVES[change.leaf]
    amount = f"`{change.by}`" if change.by is not None else f"{change.constant:g}"
    verb = {
        "set": f"is set to {amount}",
        "add": f"rises by {amount}",
        "subtract": f"falls by {amount}",
        "multiply": f"is multiplied by {amount}",
        "at_most": f"falls to {amount} where it is higher",
        "at_least": f"rises to {amount} where it is lower",
    }[change.operation]
    return f"`{change.leaf}`, {leaf.mode}, {verb} ({leaf.meaning})"


def scope_of(kind: Kind) -> str:
    """Which keys of a scope a row knows."""
    keys: dict[str, None] = {}
    for change in kind.row.changes:
        for axis in LEAVES[change.leaf].axes:
            keys.update(dict.fromkeys(KEYS_OF_AXIS[axis]))
        if LEAVES[change.leaf].mode == "cover":
            keys["adopters"] = None
    text = ", ".join(f"`{key}`" for key in keys)
    if kind.row.acts == "remove_streamers":
        return ", ".join(f"`{key}`" for axis in VERB_AXES["remove_streamers"] for key in KEYS_OF_AXIS[axis])
    if kind.row.acts == "spread_news":
        levels = (
            f"with `{level}` " + ", ".join(f"`{key}`" for axis in axes for key in KEYS_OF_AXIS[axis])
            for level, axes in NEWS_AXES.items()
        )
        return "; ".join(levels)
    if kind.row.acts == "promote_shows":
        text += "; for shows `countries`, `regions`, `platforms`, `categories`, `streamer_tiers`, `streamer_ranks`"
    return text + " (a key must fit every cause in use)"


def _leaves() -> Iterator[str]:
    yield "## The causes"
    yield ""
    yield "Every leaf of the rules. Those that no row above changes keep their baseline value."
    yield ""
    yield "| leaf | by | unit | range | strength | meaning |"
    yield "|---|---|---|---|---|---|"
    for path, leaf in LEAVES.items():
        high = "any" if leaf.high == float("inf") else f"{leaf.high:g}"
        meaning = leaf.meaning + (f"; nan: {leaf.nan_means}" if leaf.nan_means else "")
        axes = ", ".join(axis.replace("_", " ") for axis in leaf.axes)
        yield f"| `{path}` | {axes} | {leaf.unit} | {leaf.low:g} to {high} | {leaf.mode} | {meaning} |"


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` say whether it is current; 0 when it is."""
    text = page()
    if "--check" in arguments:
        current = PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text
        print(f"{PAGE.name} is {'current' if current else 'out of date: run python -m sim.interventions.document'}")
        return 0 if current else 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
