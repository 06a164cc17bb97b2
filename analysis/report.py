"""A comparison as one stand-alone page, and as a table in the terminal.

The page carries plotly.js once and nothing from the network; it opens from a folder, a mail or a stick.
"""

from __future__ import annotations

import contextlib
import html
import io
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from string import Template
from typing import Any, Final, Literal

from plotly.offline import get_plotlyjs
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analysis.comparison import Part, Study, compare
from analysis.figures import Panel, colours, effects, funnel, over_time, places, plot_config, wide
from analysis.figures_goods import delivery, fullness, lanes, stages, warehouses
from analysis.figures_money import incidence, money_flows, waterfall
from analysis.figures_network import concentration, friends, opinion
from analysis.inference import BOOTSTRAP_SEEDS
from analysis.look import ENGLISH, METRIC_LABELS, Look, percent
from analysis.metrics import LEAST_REST, METRICS
from analysis.summary import bring_up_to_date
from analysis.sweeppanels import report_panels
from analysis.sweepview import sweep_points
from analysis.wording import (
    HEADLINE,
    NOTHING,
    changes,
    clearest,
    doubt_words,
    doubtful,
    interval_words,
    scant,
    sentence,
    span_words,
    summary,
    unit_of,
    verdict,
    written,
)
from sim.errors import RunFolderError
from sim.runfolder import refuse_parents
from sim.sweep.driver import MANIFEST, read_manifest

TERMINAL_WIDTH: Final = 118
MOST_WATERFALLS: Final = 3
MANY: Final = 12  # scenarios, of more only some are drawn
MOST_DRAWN: Final = 4
PLOTLY_FILE: Final = "plotly.min.js"
Sizes = Literal["full", "small"]


_PARTS: Final = {"concentration": "Network", "parallel": "Explore a sweep"}  # what starts with a figure


def panels(study: Study, look: Look = ENGLISH, sweep: Path | None = None) -> list[Panel]:
    """The figures of a report, in reading order; time series only where days were recorded, friends where they were.

    Args:
        sweep: folder of the sweep these runs are of: what was varied in it is shown as a whole.
    """
    made = [effects(study, look), incidence(study, look)]
    made += [
        replace(waterfall(study, look, name), name=f"waterfall{number}" if number else "waterfall",
                title=f"{look.t('From group to group')}: {look.scenario(name)}")
        for number, name in enumerate(study.scenarios[1 : 1 + MOST_WATERFALLS])
    ]  # fmt: skip
    made += [
        money_flows(study, look), funnel(study, look), delivery(study, look), stages(study, look),
        places(study, look=look), lanes(study, look),
    ]  # fmt: skip
    if study.store.has("daily_warehouses"):
        made += [warehouses(study, look), fullness(study, look)]
    if study.store.has("daily_channel"):
        made.append(over_time(study, look))
    made.append(concentration(study, look))
    if study.store.has("daily_people"):
        made.append(opinion(study, look))
    if study.store.has("network_days") and study.store.has("network"):
        made.append(friends(study, look))
    if sweep is not None and (sweep / MANIFEST).is_file():
        made += report_panels(sweep, sweep_points(read_manifest(sweep), bring_up_to_date(sweep)), look)
    return made


def terminal_table(study: Study, entries: Sequence[Mapping[str, Any]], precision: str = "1%") -> str:
    """The headline differences as plain text of a fixed width; below it, how sure they are."""
    table = Table(
        title=f"Differences against {study.base}, paired by seed ({len(study.seeds)} seeds), 95 % intervals",
        title_justify="left", pad_edge=False,
    )  # fmt: skip
    table.add_column("metric", no_wrap=True)
    table.add_column(study.base, justify="right", no_wrap=True)
    for scenario in study.scenarios[1:]:
        table.add_column(scenario, justify="right")
    found = {(entry["metric"], entry["scenario"]): entry for entry in entries}
    marks = {"good": " \u25b2", "bad": " \u25bc", "moved": " \u25c6", "calm": "  "}
    for name in HEADLINE:
        own = [found[name, scenario] for scenario in study.scenarios[1:]]
        base_value = next((entry["base_value"] for entry in own if entry["base_value"] is not None), None)
        unit = unit_of(name)
        table.add_row(
            METRIC_LABELS[name] + (f", {unit}" if unit else ""),
            written(name, base_value),
            *(
                Text(_difference_text(entry) + marks[verdict(entry)] + ("?" if doubtful(entry) else " "))
                for entry in own
            ),
        )
    buffer = io.StringIO()
    console = Console(file=buffer, width=TERMINAL_WIDTH, force_terminal=False, color_system=None)
    console.print(table)
    console.print("\u25b2 better  \u25bc worse  \u25c6 changed; without a mark: cannot be told from zero")
    if any(entry["base_value"] is None for entry in entries if entry["metric"] in HEADLINE):
        console.print(
            "\u2013: no value, because these orders are too young or there are none; docs/metrics.md tells how old"
            " orders must be",
            soft_wrap=True,
        )
    few = {entry["metric"]: entry["rests_on"] for entry in entries if entry["difference"] is not None and scant(entry)}
    for share in sorted(set(few.values())):
        names = ", ".join(METRIC_LABELS[name].lower() for name in HEADLINE if few.get(name) == share)
        if names:
            console.print(
                f"without a mark, as it rests on {percent(share)} of the period (marked from {percent(LEAST_REST)}"
                f" on): {names}", soft_wrap=True,
            )  # fmt: skip
    console.print(doubt_words(entries), soft_wrap=True)
    console.print(_method_words(len(study.seeds)), soft_wrap=True)
    for scenario in study.scenarios[1:]:
        console.print(_seeds_words(scenario, [found[name, scenario] for name in HEADLINE], precision), soft_wrap=True)
    return buffer.getvalue().rstrip()


def _method_words(seeds: int) -> str:
    if seeds < BOOTSTRAP_SEEDS:
        return f"intervals: Student's t; the bootstrap needs {BOOTSTRAP_SEEDS} seeds, there are {seeds}"
    return "intervals: Student's t; --json has those of the bootstrap beside them"


def _seeds_words(scenario: str, entries: Sequence[Mapping[str, Any]], precision: str) -> str:
    """What pairing saved, and how many seeds more precision takes."""
    ratios = sorted(entry["variance_ratio"] for entry in entries if entry["variance_ratio"] is not None)
    needed = sorted(entry["seeds_needed"] for entry in entries if entry["seeds_needed"] is not None)
    words = []
    if ratios:
        words.append(f"pairing divides the variance by {ratios[len(ratios) // 2]:,.3g} (median metric)")
    if needed:
        words.append(f"+- {precision} of the base value takes {needed[len(needed) // 2]:,} seeds (median metric)")
    return f"{scenario}: " + ("; ".join(words) or "nothing differs from seed to seed")


def _difference_text(entry: Mapping[str, Any]) -> str:
    name = entry["metric"]
    if entry["difference"] is None:
        return "\u2013"
    text = written(name, entry["difference"], signed=True)
    if entry["low"] is not None or entry["seeds"] > 1:
        text += f" ({interval_words(entry)})"
    return text


# --- the page ---------------------------------------------------------------------------------------------------------
_PAGE: Final = Template("""<!doctype html>
<html lang="$lang" data-theme="$theme">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<link rel="icon" href="data:,">
<style>
:root { --ink: #1f2933; --quiet: #5b6773; --line: #dde2e7; --paper: #ffffff; --wash: #f5f7f9; --good: #00734f;
  --bad: #a84300; --accent: #0072b2; --moved: #0072b2; color-scheme: light; }
:root[data-theme="dark"] { --ink: #e6ebf0; --quiet: #a5b1bd; --line: #2f3a46; --paper: #161c23; --wash: #1e2630;
  --good: #2fc79a; --bad: #f0793a; --accent: #6cc0f0; --moved: #6cc0f0; color-scheme: dark; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 17px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 0 24px 72px; }
header { border-top: 6px solid var(--accent); padding: 40px 0 8px; }
.kicker { color: var(--quiet); font-size: 14px; letter-spacing: .06em; text-transform: uppercase; margin: 0 0 10px; }
h1, h2 { font-family: Charter, "Bitstream Charter", "Sitka Text", Cambria, Georgia, serif; line-height: 1.2;
  font-weight: 700; text-wrap: balance; }
h1 { font-size: clamp(28px, 4.2vw, 40px); margin: 0 0 20px; max-width: 860px; }
h2 { font-size: 27px; margin: 0 0 8px; }
section { padding-top: 52px; }
p { margin: 0 0 12px; max-width: 68ch; }
.reading { font-size: 18px; }
.note { color: var(--quiet); font-size: 14px; max-width: 720px; }
.questions { list-style: none; margin: 0 0 22px; padding: 0; }
.questions li { border-left: 4px solid var(--swatch); padding: 2px 0 2px 14px; margin: 0 0 10px; max-width: 72ch; }
.questions strong, .questions .note { display: block; }
dl.facts { display: grid; grid-template-columns: repeat(3, 1fr); gap: 1px; margin: 26px 0 0;
  background: var(--line); border: 1px solid var(--line); }
dl.facts div { background: var(--paper); padding: 12px 16px; }
dt { color: var(--quiet); font-size: 13px; }
dd { margin: 2px 0 0; font-weight: 600; font-variant-numeric: tabular-nums; }
.scroll { overflow-x: auto; margin: 18px 0 8px; }
table { border-collapse: collapse; width: 100%; font-size: 15px; font-variant-numeric: tabular-nums; }
th { font-weight: 600; }
thead th { text-align: right; vertical-align: bottom; padding: 6px 12px; border-bottom: 2px solid var(--ink); }
thead th:first-child, tbody th { text-align: left; padding-left: 0; }
tbody th, tbody td { padding: 7px 12px; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody th { font-weight: 400; padding-left: 0; }
tbody td { text-align: right; white-space: nowrap; }
tbody tr:hover { background: var(--wash); }
td .range { display: block; color: var(--quiet); font-size: 13px; }
td .unit, th .unit { color: var(--quiet); font-size: 13px; }
td.good b { color: var(--good); } td.bad b { color: var(--bad); } td.moved b { color: var(--moved); }
td.calm b { font-weight: 400; }
td.good b::after { content: " \\25B2"; font-size: 11px; } td.bad b::after { content: " \\25BC"; font-size: 11px; }
td.moved b::after { content: " \\25C6"; font-size: 11px; }
td.good.doubt b::after { content: " \\25B2 ?"; } td.bad.doubt b::after { content: " \\25BC ?"; }
td.moved.doubt b::after { content: " \\25C6 ?"; }
.box { overflow-x: auto; } .figure { margin: 12px 0 4px; width: 100%; }
.part { color: var(--accent); font-weight: 700; margin: 0 0 6px; }
details { margin-top: 14px; } summary { cursor: pointer; color: var(--accent); }
.method { background: var(--wash); padding: 24px 28px; margin-top: 60px; }
.method h2 { font-size: 22px; } .method p, .method li { font-size: 15px; }
.method ul { padding-left: 20px; margin: 0 0 12px; max-width: 76ch; }
code { font: 13.5px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere; }
@media (max-width: 640px) { dl.facts { grid-template-columns: repeat(2, 1fr); }
  main { padding: 0 16px 48px; } body { font-size: 16px; } .method { padding: 18px 16px; }
  .scroll { margin-right: -16px; } .box.wide > div { min-width: 620px; } }
@media print { section { break-inside: avoid; } details { display: none; } }
</style>
$plotlyjs
</head>
<body>
<main>
<header>
<p class="kicker">$kicker</p>
<h1>$heading</h1>
<ul class="questions">$questions</ul>
<dl class="facts">$facts</dl>
</header>
<section id="headline">
<h2>$differences</h2>
<p class="reading">$summary</p>
$lines
$headline
<p class="note">$cells</p>
<details><summary>$all_metrics</summary>$everything</details>
</section>
$figures
<section class="method">
<h2>$made</h2>
$method
</section>
</main>
<script>
for (const item of $payload) {
  const layout = item.figure.layout;
  if (window.matchMedia("(max-width: 640px)").matches) {
    const shared = layout.template.layout;
    shared.font.size = 11;
    for (const axis of [shared.xaxis, shared.yaxis]) { axis.title.font.size = 11; axis.tickfont.size = 11; }
    for (const note of layout.annotations || []) {
      if (note.font && note.font.size > 12) { note.font.size = 12; }
    }
  }
  document.getElementById(item.name).style.height = (layout.height || 450) + "px";
  Plotly.newPlot(item.name, {data: item.figure.data, layout: layout, frames: item.figure.frames,
    config: Object.assign($config, {displayModeBar: "hover",
      modeBarButtonsToRemove: ["lasso2d", "select2d", "autoScale2d"],
      toImageButtonOptions: {format: "svg", filename: item.name}})});
}
</script>
</body>
</html>
""")


def _table(study: Study, entries: Sequence[Mapping[str, Any]], names: Sequence[str], look: Look) -> str:
    """An HTML table of differences: a row per metric, a column per scenario."""
    found = {(entry["metric"], entry["scenario"]): entry for entry in entries}
    head = "".join(f'<th scope="col">{html.escape(look.scenario(name))}</th>' for name in study.scenarios)
    rows = []
    for name in names:
        own = [found[name, scenario] for scenario in study.scenarios[1:]]
        base_value = next((entry["base_value"] for entry in own if entry["base_value"] is not None), None)
        unit = unit_of(name, look)
        label = html.escape(look.metric(name)) + (f' <span class="unit">{html.escape(unit)}</span>' if unit else "")
        cells = "".join(_cell(entry, look) for entry in own)
        title = html.escape(METRICS[name].formula, quote=True)
        value = written(name, base_value, look=look)
        rows.append(f'<tr><th scope="row" title="{title}">{label}</th><td>{value}</td>{cells}</tr>')
    return (
        f'<div class="scroll"><table><thead><tr><th scope="col">{look.t("Metric")}</th>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(entry: Mapping[str, Any], look: Look) -> str:
    name = entry["metric"]
    if entry["difference"] is None:
        return f'<td class="calm">{NOTHING}</td>'
    relative = ""
    if METRICS[name].unit != "share" and entry["relative"] is not None:
        relative = f' <span class="unit">{percent(entry["relative"], True)}</span>'
    return (
        f'<td class="{verdict(entry)}{" doubt" if doubtful(entry) else ""}">'
        f"<b>{written(name, entry['difference'], True, look)}</b>{relative}"
        f'<span class="range">{span_words(entry, look)}</span></td>'
    )


def _summary(study: Study, entries: Sequence[Mapping[str, Any]], look: Look) -> str:
    """One sentence per scenario: its clearest changes among the headline metrics."""
    return " ".join(
        f"<strong>{html.escape(look.scenario(scenario))}</strong> {html.escape(summary(entries, scenario, look))}"
        for scenario in study.scenarios[1:]
    )


def _sentences(study: Study, entries: Sequence[Mapping[str, Any]], look: Look, most: int = 5) -> str:
    """The clearest effects of each scenario, a line of plain language each."""
    lines = [
        f"<li>{html.escape(sentence(entry, look))}</li>"
        for scenario in study.scenarios[1:]
        for entry in clearest(entries, scenario)[:most]
    ]
    return f"<ul>{''.join(lines)}</ul>" if lines else ""


def _fact(label: str, value: str) -> str:
    return f"<div><dt>{html.escape(label)}</dt><dd>{html.escape(value)}</dd></div>"


def _provenance(study: Study) -> dict[str, str]:
    """What run.json of the first run says about code and versions; empty where there is none."""
    path = study.runs[0].folder / "run.json"
    if not path.is_file():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    versions = content.get("versions") or {}
    git = content.get("git") or {}
    facts = {
        "Code": str(content.get("code_hash", ""))[:16],
        "Revision": str(git.get("revision") or git.get("commit") or "")[:12]
        + (" (changed)" if git.get("dirty") else ""),
        "Versions": ", ".join(f"{name} {version}" for name, version in sorted(versions.items())),
    }
    return {label: value for label, value in facts.items() if value.strip()}


def _method(study: Study, look: Look) -> str:
    facts = study.runs[0].facts
    points = [
        look.t(
            "An agent-based simulation: consumers on a social graph watch live rooms or use the shelf, buy, pay, "
            "receive, keep or return; streamers, agencies, merchants, platforms, warehouses and carriers decide; every "
            "cent is booked twice. An intervention changes a cause (a rate, a cap, a capacity); what follows is the "
            "agents\u2019 doing."
        ),
        look.t(
            "Every scenario was run with the same {seeds} seeds. Runs of one seed share their chance draws, so "
            "differences are taken seed by seed; the interval is Student\u2019s t over these differences. It says how "
            "far chance in the sample moves the answer, not whether the model is right.",
            seeds=len(study.seeds),
        ),
        look.t(
            "{consumers} simulated consumers stand for the online adults of 20 countries, {weight} each (W). {warmup} "
            "days of warm-up before the first reported day count nowhere.",
            consumers=f"{facts['consumers']:,}", weight=f"{float(facts['weight']):,.0f}", warmup=facts["warmup_days"],
        ),
        look.t("Rates that need time (late, returned, disputed, bought again) use orders old enough at the end of the "
               "run."),
        look.t("Sales, orders and their rates are those of live rooms; profits, surplus, revenue and emissions "
               "count all "
               "channels."),
    ]  # fmt: skip
    listed = "".join(f"<li>{html.escape(point)}</li>" for point in points)
    seed = study.seeds[0]
    first = {name: study.runs[study.position[name, seed]].facts["model_hash"] for name in study.scenarios}
    hashes = "".join(
        f"<li>{html.escape(look.scenario(name))}: {look.t('configuration')} "
        f"<code>{html.escape(str(value)[:16])}</code> "
        f"({look.t('seed {seed}', seed=seed)})</li>"
        for name, value in first.items()
    )
    more = "".join(
        f"<li>{look.t(label)}: <code>{html.escape(value)}</code></li>" for label, value in _provenance(study).items()
    )
    return f"<ul>{listed}</ul><p>{look.t('Provenance')}</p><ul>{hashes}{more}</ul>"


def page(
    study: Study, entries: Sequence[Mapping[str, Any]], shown: Sequence[Panel], look: Look = ENGLISH,
    size: Sizes = "full",
) -> str:  # fmt: skip
    """The stand-alone page; a small one looks for plotly.js in a file `PLOTLY_FILE` beside it."""
    facts = study.runs[0].facts
    others = study.scenarios[1:]
    names = [look.scenario(name) for name in others]
    listed = names[0] if len(names) == 1 else look.t("{many} or {last}", many=look.t(", ").join(names[:-1]),
                                                     last=look.inside(others[-1])) if names else ""  # fmt: skip
    base = look.inside(study.base)
    heading = (
        look.t("{scenarios} against {base}: what changes, and for whom?", scenarios=listed, base=base)
        if names else look.scenario(study.base)
    )  # fmt: skip
    tint = colours(study, look)
    questions = ""
    for name in study.scenarios:
        question, lang = look.question(study.question(name))
        questions += (
            f'<li style="--swatch:{tint[name]}"><strong>{html.escape(look.scenario(name))}</strong>'
            f'<span lang="{lang}">{html.escape(question)}</span>'
            f'<span class="note">{html.escape(changes(study.overrides(name), look))}</span></li>'
        )
    seeds = ", ".join(map(str, study.seeds[:8])) + (", ..." if len(study.seeds) > 8 else "")
    stated = "".join((
        _fact(look.t("Seeds, paired"), f"{len(study.seeds)} ({seeds})"),
        _fact(look.t("Simulated consumers"), f"{facts['consumers']:,}"),
        _fact(look.t("Each stands for (W)"), look.t("{people} people", people=f"{float(facts['weight']):,.0f}")),
        _fact(look.t("Reported days"), look.t("{days} from {date}", days=facts["days"], date=facts["start_date"])),
        _fact(look.t("Warm-up"), look.t("{days} days", days=facts["warmup_days"])),
        _fact(look.t("Written"), datetime.now(UTC).strftime("%Y-%m-%d")),
    ))  # fmt: skip
    sections = "".join(
        f'<section id="section-{panel.name}">{_part(panel, look)}<h2>{html.escape(panel.title)}</h2>'
        f'<p class="reading">{html.escape(panel.reading)}</p>'
        f'<div class="box{" wide" if wide(panel.figure) else ""}"><div class="figure" id="{panel.name}" role="img" '
        f'aria-label="{html.escape(panel.title, quote=True)}"></div></div>'
        f'<p class="note">{html.escape(panel.note)}</p></section>'
        for panel in shown
    )
    payload = ",".join(f'{{"name":"{panel.name}","figure":{panel.figure.to_json()}}}' for panel in shown)
    script = f"<script>{get_plotlyjs()}</script>" if size == "full" else f'<script src="{PLOTLY_FILE}"></script>'
    cells = look.t(
        "Each cell: mean paired difference against {base}, with its 95 % interval below. Coloured and marked \u25b2 "
        "better or \u25bc worse where the interval leaves out zero and one direction is better in itself; \u25c6 "
        "changed, where that depends on whom you ask. Amounts are for the real population over the reported days. pp: "
        "percentage points.", base=base,
    )  # fmt: skip
    cells += " " + doubt_words(entries, look)
    if any(map(scant, entries)):
        cells += " " + look.t(
            "What rests on less than {share} of the period is shown without a mark, for most orders were too young.",
            share=percent(LEAST_REST),
        )  # fmt: skip
    return _PAGE.substitute(
        lang={"en": "en", "zh": "zh-Hans"}[look.lang], theme="dark" if look.dark else "light",
        config=json.dumps(plot_config(look)), title=html.escape(heading), heading=html.escape(heading),
        kicker=html.escape(look.t("Cross-border live commerce \u00b7 comparison of scenarios")), questions=questions,
        facts=stated, summary=_summary(study, entries, look), lines=_sentences(study, entries, look),
        differences=look.t("The differences"), all_metrics=look.t("All metrics"), made=look.t("How this was made"),
        cells=html.escape(cells), headline=_table(study, entries, HEADLINE, look),
        everything=_table(study, entries, tuple(METRICS), look), figures=sections, method=_method(study, look),
        plotlyjs=script, payload="[" + payload.replace("</", "<\\/") + "]",
    )  # fmt: skip


def _part(panel: Panel, look: Look) -> str:
    """The name of the part of the report that starts with a figure."""
    return f'<p class="part">{html.escape(look.t(_PARTS[panel.name]))}</p>' if panel.name in _PARTS else ""


def check_target(out: Path | str, option: str = "--out") -> Path:
    """The file a page will be written to, told before the work. RunFolderError when it cannot be a file.

    Folders it lies in are made when it is written. `option`: what named it.
    """
    target = Path(out)
    if not str(out).strip():
        raise RunFolderError(f"{option}: is empty; name a file, such as report.html")
    if os.path.isdir(target):
        raise RunFolderError(f"{option} {target}: is a folder; name a file, such as {target / 'report.html'}")
    try:
        refuse_parents(target, option)
    except OSError as error:
        raise RunFolderError(f"{option} {target}: cannot be used ({error.strerror})") from None
    return target


def drawn(part: Part) -> tuple[Part, int]:
    """Of a sweep over values, the runs of the first points only, and how many points it has.

    A figure of dozens is none; what a point does beside the others is shown by the figures of the sweep.
    """
    names = sorted({part.labels[run.resolve()] for run in part.folders if run.resolve() in part.labels} - {part.base})
    if len(names) <= MANY:
        return part, len(names)
    kept = {part.base, *names[:MOST_DRAWN]}
    folders = [run for run in part.folders if part.labels.get(run.resolve(), part.base) in kept]
    return Part(folders, part.base, part.labels), len(names)


def write_comparison(
    folders: Sequence[Path | str],
    out: Path | str,
    base: str = "baseline",
    labels: Mapping[Path, str] | None = None,
    look: Look = ENGLISH,
    size: Sizes = "full",
    sweep: Path | None = None,
) -> tuple[str, Path]:
    """Compare finished runs and write the page.

    Args:
        folders: run folders of the base and of the scenarios, the same seeds for each.
        out: the HTML file.
        base: scenario the others are compared to.
        labels: as `analysis.comparison.Study`.
        look: the page's language and ground.
        size: `full` carries plotly.js inside; `small` reads it from a file beside the page, written when it is not
            there, which many pages can share.
        sweep: as `panels`.

    Returns:
        The headline table as text for a terminal, and the file written.

    Raises:
        UserError: as `analysis.comparison.Study`. RunFolderError: the file cannot be written.
    """
    target = check_target(out)
    with Study(folders, base, labels) as study:
        entries = compare(study)
        text = terminal_table(study, entries)
        content = page(study, entries, panels(study, look, sweep), look, size)
    shared = target.with_name(PLOTLY_FILE)
    script = get_plotlyjs()
    if size == "small" and not (shared.is_file() and shared.stat().st_size == len(script.encode())):
        _write(shared, script)
    _write(target, content)
    return text, target


def _write(target: Path, content: str) -> None:
    part = target.with_name(f".{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(content, encoding="utf-8")
        part.replace(target)
    except OSError as problem:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise RunFolderError(f"{target}: cannot be written ({problem.strerror})") from None
