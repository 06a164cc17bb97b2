"""The command line, `livecommerce` or `python -m sim`: reads arguments, calls, prints; no logic of its own.

Everything heavy is imported where it is used, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import errno
import io
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from sim.errors import EXIT_USER_ERROR, UserError, list_names, nearest, unknown_name

if TYPE_CHECKING:
    from sim.config import RunConfig
    from sim.sweep.plan import Plan

OVERRIDES = "key=value as in `livecommerce show`; group=NAME; +interventions.NAME.key=value; ~interventions.NAME"
DEMO_SCENARIOS = ("baseline", "tariff_reduction", "commission_cap")
DEMO_SETTINGS = ("population.consumers=20000", "days=120")
DEMO_SEEDS = 4
MAX_SEEDS, MOST_SEEDS = 256, 10_000


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one message, like every other mistake of the user."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{self.prog.removeprefix('livecommerce ')}: {message}; see `{self.prog} --help`")


def _parser(command: str, description: str) -> _Parser:
    return _Parser(prog=f"livecommerce {command}", description=description, allow_abbrev=False)


def _add_overrides(parser: _Parser) -> None:
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help=OVERRIDES)
    parser.add_argument("--scenarios", action="append", default=[], metavar="DIR", help="look for scenarios here first")


def _print_json(content: Any) -> None:
    print(json.dumps(content, indent=1, allow_nan=False))


# ---- commands ----------------------------------------------------------------------------------------------------


def run(arguments: Sequence[str]) -> int:
    """Simulate one scenario into a run folder and print its metrics."""
    parser = _parser("run", "Simulate one scenario into a run folder: scenario=NAME days=90 seed=7 ...")
    _add_overrides(parser)
    parser.add_argument("--out", metavar="DIR", help="the run's folder (default results/<scenario>-<hash>-s<seed>)")
    parser.add_argument("--json", action="store_true", help="print the metrics as one JSON object")
    options = parser.parse_intermixed_args(arguments)

    from sim.experiment import configure, notes, run_one
    from sim.progress import reporting

    cfg = configure(overrides=options.overrides, scenario_dirs=options.scenarios)
    for note in notes(cfg):
        _say(f"note: {note}")
    with reporting(f"{cfg.scenario.name}, seed {cfg.seed}") as report:
        outcome = run_one(cfg, options.out, report, starting=_say_if_cold)
    _say(f"{'already done' if outcome.already_done else 'done'}: {outcome.folder}")

    from analysis.metrics import metrics

    values = metrics(outcome.folder)
    if options.json:
        _print_json(values)
    else:
        _print_metrics([values] if isinstance(values, dict) else values)
    return 0


def _say_if_cold() -> None:
    from sim.compilecache import is_cold

    if is_cold():
        _say("note: compiling the model, once; this takes one to two minutes, later runs start at once")


def scenarios(arguments: Sequence[str]) -> int:
    """List the scenarios with their questions."""
    parser = _parser("scenarios", "List the scenarios with the question each asks.")
    parser.add_argument("--scenarios", action="append", default=[], metavar="DIR", help="look for scenarios here first")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    options = parser.parse_args(arguments)

    from sim.config import list_scenarios, scenario_words

    known = list_scenarios(options.scenarios)
    rows: list[dict[str, Any]] = []
    faulty = []
    for name, path in known.items():
        row = {"name": name, "question": "", "compared_to": None, "file": str(path)}
        try:
            row |= scenario_words(path, known)
        except UserError as error:
            row |= {"error": str(error)}
            faulty.append(error)
        rows.append(row)
    if options.json:
        _print_json(rows)
    else:
        width = max((len(name) for name in known), default=0)
        for row in rows:
            against = f" (against {row['compared_to']})" if row["compared_to"] else ""
            about = "cannot be used, see below" if "error" in row else f"{row['question']}{against}"
            print(f"{row['name']:<{width}}  {about}")
    for fault in faulty:
        _say(f"livecommerce: {fault}")
    return EXIT_USER_ERROR if faulty else 0


def interventions(arguments: Sequence[str]) -> int:
    """List the levers and shocks, or describe one."""
    parser = _parser("interventions", "List the levers and shocks, or describe one with its parameters.")
    parser.add_argument("name", nargs="?", metavar="NAME")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    options = parser.parse_args(arguments)

    from sim.experiment import levers

    kinds = levers()
    if options.name is not None and options.name not in kinds:
        raise UserError(str(unknown_name("interventions", "", "intervention", options.name, kinds)))
    chosen = kinds if options.name is None else {options.name: kinds[options.name]}
    if options.json:
        _print_json(list(chosen.values()))
    elif options.name is None:
        width = max((len(name) for name in kinds), default=0)
        for name, kind in kinds.items():
            print(f"{name:<{width}}  {kind['title']}")
    else:
        _print_kind(kinds[options.name])
    return 0


def _print_kind(kind: dict[str, Any]) -> None:
    print(f"{kind['name']}: {kind['title']}")
    print(f"  {' '.join(kind['mechanism'].split())}")
    for word in ("family", "adoption", "file"):
        print(f"  {word}: {kind[word]}")
    print(f"  pulled by: {', '.join(kind['pulled_by']) or 'nobody: a shock'}")
    if kind["changes"]:
        print(f"  changes: {', '.join(kind['changes'])}")
    print(f"  scope: {kind['scope']}")
    for name, about in kind["parameters"].items():
        print(f"  {name} = {json.dumps(about['value'])}  # {_comment(about)}")
    print(f"  use: livecommerce run scenario=baseline +interventions.mine.kind={kind['name']}")


def show(arguments: Sequence[str]) -> int:
    """Print the complete resolved configuration with units, ranges, sources and origins."""
    parser = _parser("show", "Print a scenario's complete configuration: value, unit, range, source, meaning.")
    _add_overrides(parser)
    parser.add_argument("--json", action="store_true", help="print as JSON, one entry a key")
    options = parser.parse_intermixed_args(arguments)

    from sim.experiment import configure

    cfg = configure(overrides=options.overrides, scenario_dirs=options.scenarios)
    entries = _entries(cfg)
    if options.json:
        _print_json(entries)
        return 0
    print(f"# scenario {cfg.scenario.name}, hash {cfg.model_hash()[:16]}")
    for key, entry in entries.items():
        comment = _comment(entry)
        print(f"{key}: {json.dumps(entry['value'], ensure_ascii=False)}" + (f"  # {comment}" if comment else ""))
    return 0


def _entries(cfg: RunConfig) -> dict[str, dict[str, Any]]:
    """Every key with its value and what is known about it."""
    from sim.experiment import quantity_words
    from sim.interventions import read

    quantities = cfg.quantities()
    found: dict[str, dict[str, Any]] = {}

    def visit(node: Any, key: str) -> None:
        if key in quantities:
            found[key] = quantity_words(quantities[key]) | {"value": node, "from": cfg.origin(key)}
        elif isinstance(node, dict) and node:
            for name, inner in node.items():
                visit(inner, f"{key}.{name}" if key else name)
        else:
            found[key] = {"value": node, "from": cfg.origin(key)}

    visit(json.loads(cfg.model_dump_json()), "")
    for one in read(cfg)[0]:
        for name, value in one.values.items():
            about = quantity_words(one.kind.parameter(name))
            key = f"interventions.{one.name}.{name}"
            origin = cfg.origin(key) if name in cfg.interventions[one.name] else str(one.kind.path)
            found[key] = about | {"value": value, "from": origin}
    return found


def _comment(entry: dict[str, Any]) -> str:
    words = [" ".join(str(entry.get(word, "")).split()) for word in ("meaning", "unit", "range", "source", "from")]
    labels = ("", "unit ", "range ", "source: ", "set in ")
    return "; ".join(label + word for label, word in zip(labels, words, strict=True) if word)


def metrics(arguments: Sequence[str]) -> int:
    """Print the metrics of a finished run."""
    parser = _parser("metrics", "Print the metrics of a finished run.")
    parser.add_argument("run_dir", metavar="RUN_DIR")
    parser.add_argument(
        "--by", default="", metavar="LIST", help="split by any of region,country,channel,category,group"
    )
    parser.add_argument("--from", dest="start", metavar="DATE|DAY", help="first day counted")
    parser.add_argument("--to", dest="end", metavar="DATE|DAY", help="last day counted")
    parser.add_argument("--json", action="store_true", help="one flat object of numbers and nulls; with --by a list")
    options = parser.parse_args(arguments)

    from analysis.metrics import metrics as compute

    by = _dimensions(options.by)
    values = compute(options.run_dir, by, options.start, options.end)
    if options.json:
        _print_json(values)
    else:
        _print_metrics([values] if isinstance(values, dict) else values, by)
    return 0


def _dimensions(text: str) -> list[str]:
    """The words of --by."""
    return [word.strip() for word in text.split(",") if word.strip()]


def _print_metrics(rows: Sequence[dict[str, Any]], by: Sequence[str] = ()) -> None:
    from analysis.metrics import METRICS

    width = max((len(name) for row in rows for name in row), default=0)
    for row in rows:
        if by:
            print("# " + ", ".join(f"{word} {row[word]}" for word in by))
        for name, value in row.items():
            if name in by:
                continue
            whole = name.removesuffix("_unscaled")
            unit = METRICS[whole].unit if whole in METRICS else "people" if name == "weight" else ""
            if whole != name:
                unit += " in the sample"
            print(f"{name:<{width}} {_number(value):>20}  {unit}".rstrip())


def _number(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, int | float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)


def compare(arguments: Sequence[str]) -> int:
    """Compare the scenarios of finished runs with a base, paired by seed."""
    parser = _parser("compare", "Differences between scenarios, paired by seed, with 95 % intervals.")
    parser.add_argument(
        "folders", nargs="+", metavar="[NAME=]DIR",
        help="run folders, or folders that hold them; NAME is used instead of the scenario's name",
    )  # fmt: skip
    parser.add_argument(
        "--base", metavar="NAME", help="what the others are compared to (default baseline; in a sweep, each its own)"
    )
    parser.add_argument(
        "--by", default="", metavar="LIST", help="split by any of region,country,channel,category,group"
    )
    parser.add_argument("--from", dest="start", metavar="DATE|DAY", help="first day counted")
    parser.add_argument("--to", dest="end", metavar="DATE|DAY", help="last day counted")
    parser.add_argument(
        "--precision", default="1%", metavar="P%%",
        help="count the seeds that an interval of +- P %% of the base value takes (default 1%%)",
    )  # fmt: skip
    parser.add_argument("--report", metavar="FILE", help="also write a stand-alone HTML report of the whole runs")
    parser.add_argument("--json", action="store_true", help="a list of objects, one per scenario, key and metric")
    options = parser.parse_args(arguments)

    from analysis.comparison import Study, parts_of
    from analysis.comparison import compare as differences

    by = _dimensions(options.by)
    precision = _share(options.precision, "--precision")
    if options.report is not None:
        from analysis.report import check_target, write_comparison

        check_target(options.report, "--report")
    parts = parts_of(options.folders, options.base)
    if options.report is not None and len(parts) > 1:
        raise UserError(f"--report: these runs have {len(parts)} bases; choose one with --base")
    entries: list[dict[str, Any]] = []
    tables = []
    for part in parts:
        with Study(part.folders, part.base, part.labels) as study:
            found = differences(study, by, options.start, options.end, precision=precision)
            entries += found
            if not (by or options.json):
                from analysis.report import terminal_table

                tables.append(terminal_table(study, found, options.precision))
    if options.json:
        _print_json(entries)
    elif by:
        _print_differences(entries, by)
    else:
        print("\n\n".join(tables))
    if options.report is not None:
        part = parts[0]
        _say(f"report: {write_comparison(part.folders, options.report, part.base, part.labels)[1]}")
    return 0


def _share(text: str, option: str) -> float:
    """A share above 0 from `1%`."""
    number = text.strip().removesuffix("%")
    try:
        share = float(number) / 100
    except ValueError:
        share = float("nan")
    if not (text.strip().endswith("%") and 0 < share < float("inf")):
        raise UserError(f"{option}: '{text}' is no precision; allowed: a percentage of the base value, such as 1%")
    return share


def _print_differences(entries: Sequence[dict[str, Any]], by: Sequence[str]) -> None:
    from analysis.metrics import LEAST_REST

    told = [entry for entry in entries if entry["difference"] is not None]
    places = [" ".join(str(entry[word]) for word in by) for entry in told]
    first = max((len(entry["scenario"]) for entry in told), default=0)
    second = max(map(len, places), default=0)
    for entry, place in zip(told, places, strict=True):
        bounds = f"  ({_number(entry['low'])} to {_number(entry['high'])})" if entry["low"] is not None else ""
        if entry["low"] is None and entry["seeds"] > 1:
            bounds = "  (every seed alike: no interval)"
        if entry["rests_on"] < LEAST_REST:
            bounds += f"  rests on {entry['rests_on']:.1%} of the period"
        where = f"{entry['scenario']:<{first}} {place:<{second}}"
        print(f"{where} {entry['metric']:<34} {_number(entry['difference']):>16}{bounds}")


def sweep(arguments: Sequence[str]) -> int:
    """Run many configurations into one folder, each once; go on where an earlier sweep stopped."""
    parser = _parser(
        "sweep", "Many runs in one folder: scenario=NAME interventions.cap.share=0.05,0.1 'seed=range(0,8)'"
    )
    _add_overrides(parser)
    parser.add_argument("--experiment", metavar="NAME", help="a file of configs/experiment, or the path of one")
    parser.add_argument("--out", metavar="DIR", help="the sweep's folder (default results/<experiment or scenario>)")
    parser.add_argument("--engine", default="local", metavar="NAME", help="inline, local (default), ray or dask")
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="processes; 0: one a core")
    parser.add_argument("--address", metavar="ADDRESS", help="of a Ray or Dask cluster that is there already")
    parser.add_argument("--time-limit", type=float, metavar="SECONDS", help="stop a run that takes longer")
    parser.add_argument("--no-base", action="store_true", help="leave out the baseline runs")
    parser.add_argument("--retry", action="store_true", help="run again what failed before")
    parser.add_argument(
        "--until", action="append", default=[], metavar="METRIC:WIDTH",
        help="add seeds until the interval of the difference is +- WIDTH (1%% of the base value, or a number)",
    )  # fmt: skip
    parser.add_argument("--max-seeds", type=int, default=MAX_SEEDS, metavar="N", help="with --until: at most so many")
    parser.add_argument("--dry-run", action="store_true", help="print the plan, its size and the time expected")
    parser.add_argument("--job", metavar="FILE", help="a job file, as the dashboard writes it, to keep up to date")
    parser.add_argument("--json", action="store_true", help="print plan or result as JSON")
    options = parser.parse_intermixed_args(arguments)

    if options.job is not None:
        from sim.sweep.jobfile import JobFile

        with JobFile(Path(options.job)).working() as job:
            return _sweep(options, job.progress)
    return _sweep(options)


def _sweep(options: argparse.Namespace, look_on: Callable[[Any], None] | None = None) -> int:
    from sim.engines import engine_of
    from sim.progress import reporting
    from sim.sweep.driver import Summary, Watcher, drive
    from sim.sweep.plan import key_of, plan_experiment, plan_sweep

    def planned(overrides: Sequence[str]) -> Plan:
        if options.experiment:
            return plan_experiment(options.experiment, overrides, options.scenarios, not options.no_base)
        return plan_sweep(overrides, options.scenarios, not options.no_base)

    goals = _goals(options)
    plan = planned(options.overrides)
    name = Path(options.experiment).stem if options.experiment else plan.points[-1].cfg.scenario.name
    if options.out is not None and not options.out.strip():
        raise UserError("--out: is empty; name a folder")
    out = Path(options.out or Path("results") / name).absolute()
    engine = engine_of(options.engine, options.workers, options.time_limit, options.address)
    if options.dry_run:
        return _print_plan(plan, out, options.workers, options.json)

    from analysis.summary import bring_up_to_date

    def computed(plan: Plan) -> Summary:
        with reporting(f"{len(plan.points)} runs") as report:
            summary = drive(plan, out, engine, options.retry, Watcher(report, look_on))
        if summary.computed + summary.there:
            bring_up_to_date(out)
        return summary

    _say_if_cold()
    reaches: list[Any] = []
    with engine:
        if goals:
            from analysis.sequential import add_seeds

            stages: list[Summary] = []
            fixed = [text for text in options.overrides if key_of(text) != "seed"]

            def compute(seeds: Sequence[int]) -> list[str]:
                _say(f"{len(seeds)} seeds")
                stage = planned([*fixed, "seed=" + ",".join(map(str, seeds))])
                stages.append(computed(stage))
                return [] if stages[-1].failures else [point.hash for point in stage.points]

            seeds = [point.cfg.seed for point in plan.points]
            reaches = add_seeds(out, goals, seeds, options.max_seeds, compute)
            last = stages[-1]
            fresh = sum(stage.computed for stage in stages)
            summary = Summary(last.runs, fresh, last.runs - fresh - len(last.failures), last.failures)
        else:
            summary = computed(plan)
    return _print_summary(summary, reaches, out, options.json)


def _goals(options: argparse.Namespace) -> list[Any]:
    """The goals of --until, checked."""
    if not options.until:
        return []
    from analysis.sequential import LEAST_SEEDS, read_goal

    goals = [read_goal(text) for text in options.until]
    if len({goal.metric for goal in goals}) < len(goals):
        raise UserError("--until: names a metric twice; give it one width")
    if options.no_base:
        raise UserError("--until: needs the baseline runs that --no-base leaves out; drop one of the two")
    if not LEAST_SEEDS <= options.max_seeds <= MOST_SEEDS:
        raise UserError(f"--max-seeds: {options.max_seeds} is out of range; allowed: {LEAST_SEEDS} to {MOST_SEEDS:,}")
    return goals


def _print_summary(summary: Any, reaches: Sequence[Any], out: Path, as_json: bool) -> int:
    """What became of a sweep; 1 when a run failed or an interval stayed wider than asked."""
    for row in summary.failures.items():
        _say(f"failed: {row[0]}: {row[1]}")
    if as_json:
        until = [
            {
                "metric": reach.metric, "scenario": reach.scenario, "base": reach.base, "seeds": reach.seeds,
                "half_width": reach.half_width, "target": reach.target, "reached": reach.reached,
            }
            for reach in reaches
        ]  # fmt: skip
        _print_json(
            {
                "folder": str(out), "runs": summary.runs, "computed": summary.computed, "there": summary.there,
                "failures": summary.failures, **({"until": until} if until else {}),
            }
        )  # fmt: skip
    else:
        for reach in reaches:
            word = "reached" if reach.reached else "not reached"
            print(f"{reach.scenario}: {reach.metric} +- {_number(reach.half_width)} with {reach.seeds} seeds,"
                  f" {_number(reach.target)} asked for: {word}")  # fmt: skip
        print(f"{summary.computed} computed, {summary.there} there already, {len(summary.failures)} failed: {out}")
    if summary.failures:
        _say(f"tracebacks are in {out / 'failures'}; --retry runs them again")
    short = [reach for reach in reaches if not reach.reached]
    if short:
        most = max(reach.needed for reach in short)
        _say(f"--until: not reached; about {most:,} seeds would do (--max-seeds)")
    return 1 if summary.failures or short else 0


def _print_plan(plan: Any, out: Path, workers: int, as_json: bool) -> int:
    from sim.sweep.driver import expected_seconds, state_of

    states = [state_of(out, point.hash) for point in plan.points]
    seconds = expected_seconds(plan, out, workers or os.cpu_count() or 1)
    counts = {label: sum(point.label == label for point in plan.points) for label in plan.labels}
    content = {
        "folder": str(out),
        "runs": len(plan.points),
        "waiting": sum(state != "done" for state in states),
        "consumer_days": plan.consumer_days,
        "seconds_expected": None if seconds is None else round(seconds),
        "labels": counts,
    }
    if as_json:
        _print_json(content)
        return 0
    for label, count in counts.items():
        print(f"{count:>6}  {label}")
    words = (
        "unknown: no run of this size was timed in this folder yet" if seconds is None else f"about {seconds:,.0f} s"
    )
    print(f"{content['runs']} runs, {content['waiting']} waiting, {plan.consumer_days:,} consumer-days; time: {words}")
    return 0


def sensitivity(arguments: Sequence[str]) -> int:
    """Tell which parameters of a sweep's design an outcome hangs on."""
    parser = _parser("sensitivity", "Morris or Sobol indices of a sweep's design, with intervals, and what is noise.")
    _add_outcome(parser)
    options = parser.parse_args(arguments)

    from analysis.sensitivity import sensitivity as indices
    from analysis.sensitivity import table

    found = indices(Path(options.folder), options.metric, options.of)
    if options.json:
        _print_json(found)
    else:
        print(table(found))
    return 0


def discover(arguments: Sequence[str]) -> int:
    """Find the settings at which an outcome is bad."""
    parser = _parser("discover", "Where does this policy backfire? Boxes of settings with a bad outcome.")
    _add_outcome(parser)
    parser.add_argument("--bad", nargs=2, required=True, metavar=("SIDE", "X"), help="below X, or above X")
    parser.add_argument("--method", default="prim", metavar="NAME", help="prim (default) or cart")
    options = parser.parse_args(arguments)
    side, limit = options.bad
    if side not in ("below", "above"):
        raise UserError(f"--bad: '{side}' is no side; allowed: below X, above X, X a value of the metric")

    from analysis.discovery import describe
    from analysis.discovery import discover as boxes_of

    threshold = _finite(limit, "--bad")
    found = boxes_of(Path(options.folder), options.metric, side, threshold, options.of, options.method)
    if options.json:
        _print_json(found)
    else:
        print(describe(found))
    return 0


def robust(arguments: Sequence[str]) -> int:
    """Compare policies over the futures of a sweep: regret, worst and typical outcomes."""
    parser = _parser("robust", "Which policy holds in most futures? Regret, worst and typical outcomes by policy.")
    _add_outcome(parser)
    parser.add_argument("--better", choices=("more", "less"), default="more", help="which way is better (default more)")
    parser.add_argument("--enough", metavar="X", help="also the share of futures with an outcome at least as good")
    options = parser.parse_args(arguments)

    from analysis.discovery import robustness

    enough = None if options.enough is None else _finite(options.enough, "--enough")
    rows = robustness(Path(options.folder), options.metric, options.better, enough, options.of or "value")
    if options.json:
        _print_json(rows)
        return 0
    for row in rows:
        print(row["policy"])
        print("  " + "  ".join(f"{name} {_number(value)}" for name, value in row.items() if name != "policy"))
    return 0


def search(arguments: Sequence[str]) -> int:
    """Search for the mixes of policies that are beaten in no objective; go on where an earlier search stopped."""
    parser = _parser("search", "Which mixes of policies are beaten by none? A search for several objectives at once.")
    _add_overrides(parser)
    parser.add_argument("--experiment", metavar="NAME", help="a file of configs/experiment with a `search`")
    parser.add_argument(
        "--vary",
        action="append",
        default=[],
        metavar="KEY[:LOW:HIGH]",
        help="what is searched, over its declared range or this one",
    )
    parser.add_argument(
        "--objective", action="append", default=[], metavar="METRIC:WAY",
        help="difference to the base of the same seed; WAY says which is better, more or less",
    )  # fmt: skip
    parser.add_argument("--points", type=int, metavar="N", help="points in all (default 64)")
    parser.add_argument("--batch", type=int, metavar="N", help="points asked for at a time (default 8)")
    parser.add_argument("--sampler-seed", type=int, metavar="N", help="other points (default 0)")
    parser.add_argument("--out", metavar="DIR", help="the sweep's folder (default results/<experiment> or search)")
    parser.add_argument("--engine", default="local", metavar="NAME", help="inline, local (default), ray or dask")
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="processes; 0: one a core")
    parser.add_argument("--address", metavar="ADDRESS", help="of a Ray or Dask cluster that is there already")
    parser.add_argument("--time-limit", type=float, metavar="SECONDS", help="stop a run that takes longer")
    parser.add_argument("--retry", action="store_true", help="run again what failed before")
    parser.add_argument("--json", action="store_true", help="print what search.json says")
    options = parser.parse_intermixed_args(arguments)

    from analysis.search import describe, evaluation, read_search, run_search
    from sim.engines import engine_of
    from sim.progress import reporting
    from sim.sweep.driver import Summary, Watcher, drive

    asked = read_search(
        options.experiment, options.overrides, options.vary, options.objective, options.scenarios,
        points=options.points, batch=options.batch, seed=options.sampler_seed,
    )  # fmt: skip
    if options.out is not None and not options.out.strip():
        raise UserError("--out: is empty; name a folder")
    out = Path(options.out or Path("results") / Path(options.experiment or "search").stem).absolute()
    failures: dict[str, str] = {}

    def computed(plan: Plan) -> Summary:
        with reporting(f"{len(plan.points)} runs") as report:
            summary = drive(plan, out, engine, options.retry, Watcher(report))
        failures.update(summary.failures)
        return summary

    _say_if_cold()
    with engine_of(options.engine, options.workers, options.time_limit, options.address) as engine:
        found = run_search(asked, out, evaluation(out, list(asked.of.objectives), computed))
    for name, error in failures.items():
        _say(f"failed: {name}: {error}")
    if options.json:
        _print_json(found)
    else:
        print(describe(found))
    return 1 if failures else 0


def export(arguments: Sequence[str]) -> int:
    """Write a sweep's metrics for other programs: CSV, Parquet or NetCDF."""
    parser = _parser("export", "A sweep's runs and metrics as CSV, Parquet, or one NetCDF file for xarray.")
    parser.add_argument("folder", metavar="DIR", help="a sweep's folder")
    parser.add_argument("--format", default="csv", metavar="NAME", help="csv (default), parquet or netcdf")
    parser.add_argument("--out", metavar="DIR", help="where to (default DIR/export)")
    options = parser.parse_args(arguments)

    from analysis.export import export as write

    for path in write(Path(options.folder), options.format, None if options.out is None else Path(options.out)):
        print(path)
    return 0


def _add_outcome(parser: _Parser) -> None:
    parser.add_argument("folder", metavar="DIR", help="a sweep's folder")
    parser.add_argument("--metric", required=True, metavar="NAME", help="as `livecommerce metrics` lists them")
    parser.add_argument(
        "--of", metavar="WHAT",
        help="difference (to the base of the same seed; default where there is one), relative, or value",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print as JSON")


def _finite(text: str, option: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if number - number != 0:
        raise UserError(f"{option}: '{text}' is no number; allowed: a finite number in the metric's unit, such as 0.5")
    return number


def status(arguments: Sequence[str]) -> int:
    """Tell how far a sweep is, and what failed."""
    parser = _parser("status", "How far a sweep is: runs by state, failures with the file of their traceback.")
    parser.add_argument("folder", metavar="DIR")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    options = parser.parse_args(arguments)

    from sim.sweep.driver import status as read_status

    found = read_status(Path(options.folder))
    if options.json:
        _print_json(found)
        return 0
    width = max(len(label) for label in found["labels"])
    for label, counts in found["labels"].items():
        print(f"{label:<{width}}  " + ", ".join(f"{count} {state}" for state, count in counts.items()))
    for failure in found["failures"]:
        print(f"failed: {failure['label']}, seed {failure['seed']}: {failure['error']} ({failure['file']})")
    print(f"{found['runs']} runs: {found['done']} done, {found['failed']} failed, {found['waiting']} waiting")
    return 0


def verify(arguments: Sequence[str]) -> int:
    """Find damaged, foreign or missing runs in a folder."""
    parser = _parser("verify", "Read every table of every run and compare its checksums; tell what is damaged.")
    parser.add_argument("folder", metavar="DIR", help="a run, or a folder of runs")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    options = parser.parse_args(arguments)

    from sim.sweep.verify import verify as check

    runs, faults = check(Path(options.folder))
    if options.json:
        _print_json({"runs": runs, "faults": faults})
    else:
        for fault in faults:
            print(f"{fault['run']}: {fault['problem']}")
        if faults:
            print("remove the folders of these runs and start the sweep again: it computes what is not there")
        print(f"runs: {runs}, faults: {len(faults)}")
    return 1 if faults else 0


def rerun(arguments: Sequence[str]) -> int:
    """Repeat a stored run and check that it gives the same tables, bit for bit."""
    parser = _parser("rerun", "Repeat a stored run from its run.json; the same tables are expected, byte for byte.")
    parser.add_argument("run_dir", metavar="RUN_DIR")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    options = parser.parse_args(arguments)

    from sim.progress import reporting
    from sim.sweep.verify import rerun as repeat

    with reporting("again") as report:
        found = repeat(Path(options.run_dir), report)
    if options.json:
        _print_json(found)
    else:
        for note in found["notes"]:
            print(f"note: {note}")
        print("the same, bit for bit" if found["same"] else "differs: " + ", ".join(found["differing"]))
    return 0 if found["same"] else 1


def demo(arguments: Sequence[str]) -> int:
    """Compare a tariff cut and a commission cap with the baseline, paired by seed, and write a report."""
    parser = _parser("demo", "Baseline against a tariff cut against a commission cap, paired by seed, with a report.")
    _add_overrides(parser)
    parser.add_argument("--out", default="results/demo", metavar="DIR", help="where runs and report go")
    parser.add_argument("--seeds", type=int, default=DEMO_SEEDS, metavar="N", help="seeds of each scenario")
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="processes; 0: one a core")
    options = parser.parse_intermixed_args(arguments)
    for option, given, low, high in (("--seeds", options.seeds, 1, 1000), ("--workers", options.workers, 0, 1024)):
        if not low <= given <= high:
            raise UserError(f"{option}: {given} is out of range; allowed: {low} to {high}")
    if not options.out.strip():
        raise UserError("--out: is empty; name a folder")

    from sim.sweep.driver import RUNS, complete

    out = Path(options.out).absolute()
    plan = _demo_plan(options.overrides, options.scenarios, options.seeds)
    _say_if_cold()
    folder = complete(plan, out, options.workers)

    from analysis.report import write_comparison

    runs = [folder / RUNS / point.hash for point in plan.points]
    table, report_file = write_comparison(runs, out / "report.html")
    print(table)
    print(f"runs: {folder}")
    print(f"report: {report_file}")
    return 0


def report(arguments: Sequence[str]) -> int:
    """Write a comparison of finished runs as one page that opens offline."""
    parser = _parser("report", "Figures and text of a comparison as one HTML page that needs no network.")
    parser.add_argument("folders", nargs="+", metavar="[NAME=]DIR", help="as for `livecommerce compare`")
    parser.add_argument("--out", metavar="FILE", help="the page (default report.html in the first folder)")
    parser.add_argument("--base", metavar="NAME", help="what the others are compared to (default baseline)")
    parser.add_argument("--lang", choices=("en", "zh"), default="en", help="language of the page")
    parser.add_argument("--theme", choices=("light", "dark"), default="light", help="ground of the page")
    parser.add_argument(
        "--size", choices=("full", "small"), default="full",
        help="small: plotly.js in a file beside the page, which many pages share",
    )  # fmt: skip
    options = parser.parse_args(arguments)

    from analysis.comparison import parts_of
    from analysis.look import Look
    from analysis.report import check_target, drawn, write_comparison

    parts = parts_of(options.folders, options.base)
    if len(parts) > 1:
        raise UserError(f"report: these runs have {len(parts)} bases; choose one with --base")
    first = options.folders[0].rpartition("=")[2] if not os.path.isdir(options.folders[0]) else options.folders[0]
    out = check_target(options.out if options.out is not None else Path(first) / "report.html")
    part, points = drawn(parts[0])
    if len(part.folders) < len(parts[0].folders):
        _say(f"note: this sweep has {points} points; the first are compared one by one, all of them as a sweep")
    look = Look(options.lang, options.theme == "dark")
    sweep = Path(first) if len(options.folders) == 1 else None
    table, file = write_comparison(part.folders, out, part.base, part.labels, look, options.size, sweep)
    print(table)
    print(f"report: {file}")
    return 0


def dashboard(arguments: Sequence[str]) -> int:
    """Serve pages over a results folder, and start runs from one of them."""
    parser = _parser("dashboard", "Pages over the finished runs of a folder, in a browser; one of them starts runs.")
    parser.add_argument("folder", metavar="DIR", help="a sweep, or a folder that holds sweeps and runs")
    parser.add_argument("--port", type=int, default=8050, metavar="N", help="0: any that is free (default 8050)")
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="default 127.0.0.1: this machine only")
    parser.add_argument("--token", default="", metavar="TEXT", help="a word a browser must show before it is answered")
    options = parser.parse_args(arguments)
    if not 0 <= options.port <= 65_535:
        raise UserError(f"--port: {options.port} is out of range; allowed: 0 to 65535")

    try:
        from analysis.dashboard.app import serve
    except ImportError as error:
        raise UserError(
            f"the dashboard needs the package {error.name}; pip install 'livecommerce[dashboard]'"
        ) from None
    serve(Path(options.folder), options.host, options.port, options.token, _say)
    return 0


def _demo_plan(overrides: Sequence[str], scenario_dirs: Sequence[str], seeds: int) -> Plan:
    """The runs of the demo; what is overridden holds for the baseline too."""
    from sim.experiment import configure
    from sim.sweep.plan import is_policy, key_of, plan_points

    base = configure(overrides=[*DEMO_SETTINGS, *overrides], scenario_dirs=scenario_dirs)
    if base.scenario.name != "baseline" or base.out is not None:
        named = "out=" if base.out is not None else "scenario="
        raise UserError(f"demo: {named} cannot be set; it runs {', '.join(DEMO_SCENARIOS)} into --out")
    given = [text for text in overrides if key_of(text) not in ("seed", "scenario")]
    keys = {key_of(text) for text in given}
    settings = [*(text for text in DEMO_SETTINGS if key_of(text) not in keys), *given]
    rows = [
        [*settings, f"scenario={name}", f"seed={seed}"]
        for name in DEMO_SCENARIOS
        for seed in range(base.seed, base.seed + seeds)
    ]
    return plan_points(rows, set(), scenario_dirs, with_base=not any(is_policy(text) for text in given))


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "run": run,
    "scenarios": scenarios,
    "interventions": interventions,
    "show": show,
    "metrics": metrics,
    "compare": compare,
    "sweep": sweep,
    "sensitivity": sensitivity,
    "discover": discover,
    "robust": robust,
    "search": search,
    "export": export,
    "status": status,
    "verify": verify,
    "rerun": rerun,
    "demo": demo,
    "report": report,
    "dashboard": dashboard,
}


def _usage() -> str:
    lines = [
        "usage: livecommerce COMMAND ...",
        "",
        "An agent-based laboratory for cross-border live commerce.",
        "",
        "commands:",
        *(f"  {name:<14} {(command.__doc__ or '').splitlines()[0]}" for name, command in COMMANDS.items()),
        "",
        "examples:",
        "  livecommerce run scenario=tariff_reduction population.consumers=20000 days=90 seed=7 --out my-run",
        "  livecommerce metrics my-run --by region",
        "  livecommerce sweep scenario=commission_cap interventions.cap.share=0.05,0.1 'seed=range(0,8)' --out caps",
        "  livecommerce compare caps",
        "  livecommerce show scenario=baseline | grep consumer.trust",
        "",
        "`livecommerce COMMAND --help` tells more.",
    ]
    return "\n".join(lines)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status: 0 done, 1 a run failed, 2 the user's mistake, 130 interrupted."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if arguments is None:
        _meet_the_shell()
    if not words or words[0] in ("-h", "--help", "help"):
        print(_usage())
        return 0
    if words[0] == "--version":
        from importlib.metadata import version

        print(f"livecommerce {version('livecommerce')}")
        return 0
    try:
        _stand_somewhere()
        if words[0] not in COMMANDS:
            close = nearest(words[0], COMMANDS)
            hint = f"; did you mean '{close}'?" if close else ""
            raise UserError(f"unknown command '{words[0]}'; allowed: {list_names(COMMANDS)}{hint}")
        status = COMMANDS[words[0]](words[1:])
        if sys.stdout is not None:  # else it was closed from the start
            sys.stdout.flush()
    except UserError as error:
        _say(f"livecommerce: {error}")
        return error.exit_status
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:  # the reader, for example `head`, has seen enough
        _print_no_more()
        return 0
    except Exception as error:
        if _stopped_by:  # the compiler swallows an interrupt and fails later
            return _interrupted()
        if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:
            _print_no_more()
            _say(f"livecommerce: the output cannot be written ({error.strerror})")
            return EXIT_USER_ERROR
        raise
    return status


def _print_no_more() -> None:
    """Let the interpreter's last flush of standard output go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _meet_the_shell() -> None:
    """Print what the terminal's encoding lacks as escapes; let a polite kill clean up as an interrupt does."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    told = sys.unraisablehook
    sys.unraisablehook = lambda unraisable: None if _stopped_by else told(unraisable)


_stopped_by: list[int] = []  # signals that asked this process to stop


def _stop(number: int, frame: object) -> NoReturn:
    _stopped_by.append(number)
    raise KeyboardInterrupt


def _interrupted() -> int:
    _say("livecommerce: interrupted; nothing half-written was kept")
    return 128 + (_stopped_by[0] if _stopped_by else signal.SIGINT)


def _stand_somewhere() -> None:
    try:
        os.getcwd()
    except OSError:
        raise UserError("the current folder no longer exists; change to another one") from None


if __name__ == "__main__":
    sys.exit(main())
