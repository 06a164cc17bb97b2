"""From files and a command line to a frozen `RunConfig`, or to one message that lists every fault.

Hydra composes the groups (`configs/config.yaml` names one file of each; `geography=NAME` picks another) and its grammar
reads the overrides. The values a scenario and the command line set are then laid over the composed tree here, because
Hydra accepts unknown keys after a `+` silently, drops a quantity's unit and range when its value is set, and knows no
nearest names.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sim.compilecache import kept_folder
from sim.config.folders import data_folder
from sim.config.quantity import Quantity, is_quantity, read_yaml, strip
from sim.config.run import RunConfig
from sim.errors import ConfigError, Fault, list_names, nearest, unknown_name

COMMAND_LINE = "command line"
AGENT_LIMIT = 2_000_000  # consumer-days; beyond it one Mesa agent at a time takes hours
CONFIG_FILE = "configs/config.yaml"
SCENARIO_WORDS = ("question", "compared_to")
DATES = ("days", "warmup_days", "start_date")
LONGEST = 120  # characters of what the user typed that a message repeats

type _Before = dict[str, tuple[Any, Any, Any]]
"""By changed key: what holds its node, under which name, and the node that stood there."""


@dataclass(slots=True)
class _Change:
    """One value laid over the composed tree: where it was written, its key, and whether a + or ~ stood before it."""

    where: str
    key: str
    value: Any
    sign: str = ""


@dataclass(slots=True)
class _Request:
    """What a scenario and a command line ask for, before anything is composed."""

    scenario: str
    choices: dict[str, tuple[str, str]] = field(default_factory=dict)  # group -> (option, where)
    changes: list[_Change] = field(default_factory=list)
    words: dict[str, Any] = field(default_factory=dict)  # the scenario's question and what it is compared to


def load(
    scenario: str = "baseline",
    overrides: Sequence[str] = (),
    scenario_dirs: Iterable[str | Path] = (),
    checks: Sequence[Callable[[RunConfig], object]] = (),
) -> RunConfig:
    """The complete configuration of one run.

    `scenario` names a file NAME.yaml in `scenario_dirs`, in ./scenarios or among the shipped ones, in this order;
    `overrides` are Hydra overrides (`days=90`, `geography=NAME`, `+interventions.cap.kind=commission_cap`,
    `~interventions.cap`); `scenario=NAME` among them wins. `checks` are called with the configuration and raise
    `ConfigError` for what only later layers know. Raises `ConfigError` with all faults at once.
    """
    configs = data_folder("configs")
    groups = _groups(configs)
    faults: list[Fault] = []
    request = _Request(scenario)
    command_line = _parse(overrides, groups, request, faults)
    known = list_scenarios(scenario_dirs)
    path = _named_scenario(request.scenario, known, COMMAND_LINE, "scenario")
    _read_scenario(path, groups, known, request, faults, seen=())
    for change in command_line:
        if change.key in groups:
            request.choices[change.key] = (str(change.value), COMMAND_LINE)
        else:
            request.changes.append(change)
    _check_choices(configs, request, groups, faults)
    tree = _compose(configs, {group: option for group, (option, _) in request.choices.items()})
    origin = {key: _shorten(str(configs / "config.yaml")) for key in tree}
    for group, default in groups.items():
        option = request.choices.get(group, (default, ""))[0]
        origin[group] = _shorten(str(configs / group / f"{option}.yaml"))
    origin["scenario"] = _shorten(str(path))
    before: _Before = {}
    for change in request.changes:
        _lay(tree, change, faults, origin, before)
    _name_row_files(tree, configs, origin)
    cfg = _validate(tree, request, tuple(overrides), origin, faults, before)
    undated = any(fault.key in DATES for fault in faults)
    for check in (_cross_check, *checks):
        try:
            if cfg is not None:
                check(cfg)
        except ConfigError as error:
            faults.extend(fault for fault in error.faults if not (undated and _is_dated(fault)))
    if faults or cfg is None:
        raise ConfigError(faults)
    return cfg


def describe(cfg: RunConfig) -> dict[str, Quantity]:
    """What every parameter of a configuration says about itself (unit, range, source, meaning), by dotted key."""
    return cfg.quantities()


def scenario_folders(scenario_dirs: Iterable[str | Path] = ()) -> list[Path]:
    """Where scenarios are looked for, first come first served. `ConfigError` when a named folder is missing."""
    folders = []
    for folder in scenario_dirs:
        if not str(folder).strip() or not os.path.isdir(folder):
            raise ConfigError(
                Fault(COMMAND_LINE, "--scenarios", f"there is no folder '{folder}'", "a folder of YAML files")
            )
        folders.append(Path(folder))
    local = Path.cwd() / "scenarios"
    shipped = data_folder("scenarios")
    if local.is_dir() and local.resolve() != shipped.resolve():
        folders.append(local)
    return [*folders, shipped]


def list_scenarios(scenario_dirs: Iterable[str | Path] = ()) -> dict[str, Path]:
    """Every scenario that can be named, with its file."""
    found: dict[str, Path] = {}
    for folder in scenario_folders(scenario_dirs):
        for path in sorted(folder.glob("[!.]*.yaml")):
            found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


def scenario_words(path: Path, known: Mapping[str, Path]) -> dict[str, Any]:
    """What a scenario's file says of itself: `question`, and `compared_to`, which is a scenario of `known` or null.

    `ConfigError` when the file is no scenario.
    """
    return _split_words(path, known)[0]


def _named_scenario(name: str, known: Mapping[str, Path], where: str, key: str) -> Path:
    if name in known:
        return known[name]
    fault = unknown_name(where, key, "scenario", name, known)
    stem = Path(name).name.removesuffix(".yaml").removesuffix(".yml")
    for folder in dict.fromkeys(path.parent for path in known.values()):
        if (folder / f"{stem}.yml").is_file() and stem not in known:
            problem = f"'{stem}.yml' in {_shorten(str(folder))} is not looked at"
            fault = Fault(where, key, problem, f"names that end in .yaml; call it {stem}.yaml")
    if stem in known:
        fault = Fault(where, key, f"'{name}' is a file, not a name", f"{key}={stem}; --scenarios DIR names its folder")
    raise ConfigError(fault)


def _split_words(path: Path, known: Mapping[str, Path]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The words of a scenario's file, and the rest of it. `ConfigError` when it is empty or its words are wrong."""
    where = _shorten(str(path))
    tree = read_yaml(Path(where))
    if not tree:
        raise ConfigError(Fault(where, "", "is empty", "a scenario with at least a `question`"))
    words = {word: tree.pop(word) for word in SCENARIO_WORDS if word in tree}
    if not isinstance(words.get("question", ""), str):
        raise ConfigError(Fault(where, "question", f"is {words['question']!r}", "a text"))
    compared_to = words.get("compared_to")
    if compared_to is not None and not isinstance(compared_to, str):
        raise ConfigError(Fault(where, "compared_to", f"is {compared_to!r}", "the name of a scenario, or null"))
    if compared_to is not None and compared_to not in known:
        raise ConfigError(unknown_name(where, "compared_to", "scenario", compared_to, known))
    return words, tree


def _groups(configs: Path) -> dict[str, str]:
    """Group -> default option, from the defaults list of config.yaml."""
    groups: dict[str, str] = {}
    for entry in read_yaml(configs / "config.yaml").get("defaults", []):
        if isinstance(entry, Mapping):
            groups.update({str(group): str(option) for group, option in entry.items()})
    return groups


def _parse(
    overrides: Sequence[str], groups: Mapping[str, str], request: _Request, faults: list[Fault]
) -> list[_Change]:
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.core.override_parser.types import OverrideType
    from hydra.errors import HydraException

    parser = OverridesParser.create()
    signs = {OverrideType.ADD: "+", OverrideType.FORCE_ADD: "+", OverrideType.DEL: "~"}
    changes = []
    for text in overrides:
        try:
            parsed = parser.parse_override(text)
            parsed.value()
        except (HydraException, ValueError, TypeError) as error:  # the latter two: a false cast, a huge number
            faults.append(_unreadable(text, error))
            continue
        except RecursionError:
            faults.append(Fault(COMMAND_LINE, _cut(text), "is nested too deeply", "key=value"))
            continue
        key, sign = parsed.key_or_group.replace("/", "."), signs.get(parsed.type, "")
        if not key:
            faults.append(Fault(COMMAND_LINE, text, "has no key", "key=value"))
        elif key == "hydra" or key.startswith("hydra."):
            faults.append(
                Fault(COMMAND_LINE, key, "Hydra itself is not configured here", "keys that `livecommerce show` lists")
            )
        elif parsed.package:
            faults.append(Fault(COMMAND_LINE, text, "moves a group to another place", "group=option"))
        elif parsed.is_sweep_override():
            faults.append(Fault(COMMAND_LINE, key, "has several values; one run takes one", f"{key}=VALUE"))
        elif key == "scenario":
            name = parsed.value()
            if sign or not isinstance(name, str):
                faults.append(Fault(COMMAND_LINE, text, "names no scenario", "scenario=NAME"))
            else:
                request.scenario = name
        elif key in groups and (sign or not isinstance(parsed.value(), str)):
            faults.append(Fault(COMMAND_LINE, text, "a group takes the name of one of its files", f"{key}=NAME"))
        else:
            changes.append(_Change(COMMAND_LINE, key, _plain(parsed.value()), sign))
    return changes


def _unreadable(text: str, error: Exception) -> Fault:
    """What Hydra's grammar objects to, without the words of its parser where they are known."""
    reason = str(error).splitlines() or [type(error).__name__]
    hint = reason[1] if len(reason) > 1 and "mismatched" not in reason[1] else reason[0]
    shown = _cut(text.replace("\n", " "))
    at = hint.partition("token recognition error at: ")[2]
    if "missing EQUAL" in hint:
        return Fault(COMMAND_LINE, shown, "has no '='", "key=value")
    if at:
        quoted = "key=value; a value with other signs than letters, digits and _ . - / in quotes: 'key=\"...\"'"
        return Fault(COMMAND_LINE, shown, f"cannot be read from {_cut(at)} on", quoted)
    return Fault(COMMAND_LINE, shown, f"cannot be read ({_cut(hint.strip())})", "key=value")


def _plain(value: Any) -> Any:
    """Hydra's quoted strings inside lists and mappings as plain strings."""
    if isinstance(value, Mapping):
        return {str(getattr(k, "text", k)): _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value.text if hasattr(value, "text") and hasattr(value, "quote") else value


def _cut(text: str) -> str:
    """A text short enough for a message."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def _read_scenario(
    path: Path,
    groups: Mapping[str, str],
    known: Mapping[str, Path],
    request: _Request,
    faults: list[Fault],
    seen: tuple[Path, ...],
) -> None:
    """Add a scenario's choices and values to the request, those of the scenarios it builds on first."""
    if path in seen:
        raise ConfigError(
            Fault(str(path), "defaults", "builds on itself: " + " > ".join(p.stem for p in (*seen, path)))
        )
    words, tree = _split_words(path, known)
    where = _shorten(str(path))
    entries = tree.pop("defaults", [])
    if not isinstance(entries, list):
        raise ConfigError(Fault(where, "defaults", f"is {entries!r}", "a list: [SCENARIO, GROUP: OPTION]"))
    for entry in entries:
        if isinstance(entry, str):
            if entry != "_self_":
                base = _named_scenario(entry, known, where, "defaults")
                _read_scenario(base, groups, known, request, faults, (*seen, path))
        elif isinstance(entry, Mapping):
            for group, option in entry.items():
                name = str(group).removeprefix("override").strip().lstrip("/")
                if name in groups:
                    request.choices[name] = (str(option), where)
                else:
                    faults.append(unknown_name(where, f"defaults.{name}", "group", name, groups))
        else:
            faults.append(Fault(where, "defaults", f"holds {entry!r}", "names of scenarios, and GROUP: OPTION"))
    request.words.update(words)
    request.changes.extend(_Change(where, key, value) for key, value in tree.items())


def _check_choices(configs: Path, request: _Request, groups: Mapping[str, str], faults: list[Fault]) -> None:
    for group, (option, where) in list(request.choices.items()):
        known = [path.stem for path in (configs / group).glob("*.yaml")]
        if option not in known:
            faults.append(unknown_name(where, group, "option", option, known))
            del request.choices[group]


_COMPOSING = threading.Lock()  # Hydra's state is the process's, and a server's threads may ask at one time


def _compose(configs: Path, choices: Mapping[str, str]) -> dict[str, Any]:
    """The tree Hydra composes from config.yaml with these files of the groups; the caller's own copy."""
    newest = max(path.stat().st_mtime_ns for path in configs.rglob("*.yaml"))
    with _COMPOSING:
        return copy.deepcopy(_composed(configs, tuple(sorted(choices.items())), newest))


@functools.lru_cache(maxsize=8)
def _composed(configs: Path, choices: tuple[tuple[str, str], ...], newest: int) -> dict[str, Any]:
    """What Hydra composes, from an earlier process where the same was composed from the same files.

    Composing takes a second, more than the rest of a command. `newest` tells edited files within a process.
    """
    folder = kept_folder("configs", _fingerprint(configs, choices))
    kept = None if folder is None else Path(folder, "tree.json")
    if kept is not None:
        try:
            tree = json.loads(kept.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            pass
        else:
            if isinstance(tree, dict):
                return tree
    tree = _hydra(configs, choices)
    text = json.dumps(tree, default=str)
    if kept is not None and json.loads(text) == tree:  # nothing was lost on the way
        try:
            beside = kept.with_name(f"{os.getpid()}.part")
            beside.write_text(text, encoding="utf-8")
            beside.replace(kept)
        except OSError:
            pass
    return tree


def _fingerprint(configs: Path, choices: tuple[tuple[str, str], ...]) -> str:
    """Sixteen hex digits that change with any file of the configuration, the choices of groups, and the composers."""
    digest = hashlib.sha256(repr((choices, [version(name) for name in ("hydra-core", "omegaconf")])).encode())
    for path in sorted(configs.rglob("*.yaml")):
        text = path.read_bytes()
        digest.update(f"\n{path.relative_to(configs)} {len(text)}\n".encode())
        digest.update(text)
    return digest.hexdigest()[:16]


def _hydra(configs: Path, choices: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """The tree as Hydra composes it."""
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException
    from yaml import YAMLError

    GlobalHydra.instance().clear()  # Hydra keeps one composition per process and refuses a second
    try:
        with initialize_config_dir(str(configs.resolve()), version_base="1.3"):
            composed = compose("config", overrides=[f"{group}={option}" for group, option in choices])
        tree = OmegaConf.to_container(composed, resolve=True)
    except (HydraException, OmegaConfBaseException, YAMLError) as error:
        raise ConfigError(Fault(str(configs), "", "cannot be composed: " + " ".join(str(error).split()))) from None
    assert isinstance(tree, dict)
    return {str(key): value for key, value in tree.items()}


def _keys(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Every dotted key that can be set."""
    for key, node in tree.items():
        name = f"{prefix}{key}"
        if is_quantity(node) or not isinstance(node, Mapping):
            yield name
        elif name != "interventions":
            yield from _keys(node, f"{name}.")


def _names_in(node: object) -> list[str]:
    if isinstance(node, Mapping):
        return [str(key) for key in node]
    return [str(index) for index in range(len(node))] if isinstance(node, list) else []


def _lay(tree: dict[str, Any], change: _Change, faults: list[Fault], origin: dict[str, str], before: _Before) -> None:
    """Lay one change over the tree, and note in `before` what stood there; a mapping is laid key by key."""
    if change.key.split(".")[0] == "interventions":
        _lay_intervention(tree, change, faults, origin)
        return
    if change.sign:
        what = "cannot be added" if change.sign == "+" else "cannot be taken away"
        close = _nearest_key(change.key, tree)
        allowed = f"{change.sign}interventions.NAME"
        faults.append(Fault(_where(change, origin), change.sign + change.key, what, allowed, close))
        return
    holder: Any = None
    node: Any = tree
    parts = change.key.split(".")
    for part in parts:
        inside = node["value"] if is_quantity(node) else node
        if isinstance(inside, Mapping) and part in inside:
            holder, node = inside, inside[part]
        elif isinstance(inside, list) and part.isdigit() and int(part) < len(inside):
            holder, node = inside, inside[int(part)]
        else:
            names = _names_in(inside)
            close = nearest(part, names) if is_quantity(node) else _nearest_key(change.key, tree)
            if not names:  # a value, in which there are no keys
                close = change.key.removesuffix(f".{part}")
            where = _where(change, origin)
            faults.append(Fault(where, change.key, f"unknown key '{part}'", list_names(names) or "none", close))
            return
    last: Any = int(parts[-1]) if isinstance(holder, list) else parts[-1]
    target = node["value"] if is_quantity(node) else node
    if isinstance(target, Mapping) and isinstance(change.value, Mapping):
        value = change.value["value"] if is_quantity(node) and is_quantity(change.value) else change.value
        for key, inner in value.items():
            _lay(tree, _Change(change.where, f"{change.key}.{key}", inner), faults, origin, before)
        if target and not value:
            keys = f"{change.key}.KEY, KEY one of {list_names(_names_in(target))}"
            faults.append(Fault(_where(change, origin), change.key, "is an empty mapping, which sets nothing", keys))
        return
    if isinstance(target, Mapping):
        what = f"is a group of keys and cannot be {_cut(repr(change.value))}"
        faults.append(
            Fault(change.where, change.key, what, f"{change.key}.KEY, KEY one of {list_names(_names_in(target))}")
        )
        return
    if isinstance(change.value, Mapping) and is_quantity(node):
        wrong = [key for key, given in change.value.items() if key != "value" and given != node.get(key)]
        if wrong or "value" not in change.value:
            what = f"is a mapping with {list_names(change.value) or 'nothing'}; only a value can be set"
            faults.append(Fault(_where(change, origin), change.key, what, f"{change.key}: VALUE"))
            return
    value = change.value["value"] if is_quantity(node) and isinstance(change.value, Mapping) else change.value
    before.setdefault(change.key, (holder, last, node))
    if is_quantity(node):
        holder[last] = {**node, "value": value}
    else:
        holder[last] = value
    origin[change.key] = _where(change, origin)


def _name_row_files(tree: Mapping[str, Any], configs: Path, origin: dict[str, str]) -> None:
    """Let what the command line set of an intervention also name the file of its kind."""
    for name, row in (tree.get("interventions") or {}).items():
        file = configs / "interventions" / f"{row.get('kind')}.yaml"
        over = _shorten(str(file if file.is_file() else file.parent))
        for key, where in origin.items():
            if where == COMMAND_LINE and f"{key}.".startswith(f"interventions.{name}."):
                origin[key] = f"{COMMAND_LINE} (over {over})"


def _where(change: _Change, origin: Mapping[str, str]) -> str:
    """Where a change was written; one of the command line also names the file that declares the key."""
    if change.where != COMMAND_LINE:
        return change.where
    under = origin.get(change.key.split(".")[0], CONFIG_FILE)
    return under if under.startswith(COMMAND_LINE) else f"{COMMAND_LINE} (over {_shorten(under)})"


def _shorten(file: str) -> str:
    """A path as seen from the current folder, where it is inside it."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def _lay_intervention(tree: dict[str, Any], change: _Change, faults: list[Fault], origin: dict[str, str]) -> None:
    rows = tree.setdefault("interventions", {})
    _, *path = change.key.split(".")
    if change.where != COMMAND_LINE and not path:  # a scenario's own rows
        if not isinstance(change.value, Mapping):
            faults.append(Fault(change.where, change.key, f"is {change.value!r}", "a mapping from names to rows"))
            return
        for name, row in change.value.items():
            if not isinstance(row, Mapping):
                faults.append(Fault(change.where, f"{change.key}.{name}", f"is {row!r}", "a row: {kind: NAME, ...}"))
                continue
            rows[name] = {**rows.get(name, {}), **row}
            origin[f"interventions.{name}"] = change.where
        return
    if not path:
        faults.append(Fault(change.where, change.key, "cannot be set as a whole", "interventions.NAME.KEY=VALUE"))
        return
    name, *rest = path
    if change.sign == "~":
        if rest or name not in rows:
            faults.append(unknown_name(change.where, f"~{change.key}", "intervention", ".".join(path), rows))
        else:
            del rows[name]
        return
    if change.sign != "+" and name not in rows:
        known = list_names(rows) or "none in this scenario"
        add = f"{known}; to add one: +interventions.{name}.kind=KIND"
        faults.append(
            Fault(change.where, change.key, f"this scenario has no intervention '{name}'", add, nearest(name, rows))
        )
        return
    if not rest:
        if not isinstance(change.value, Mapping):
            faults.append(Fault(change.where, change.key, f"is {change.value!r}", "a row: {kind: NAME, ...}"))
            return
        rows[name] = {**rows.get(name, {}), **change.value}
    else:
        node = rows.setdefault(name, {})
        for part in rest[:-1]:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                faults.append(Fault(change.where, change.key, f"'{part}' holds a value, not keys"))
                return
        node[rest[-1]] = change.value
    origin[".".join(["interventions", *path])] = change.where
    origin.setdefault(f"interventions.{name}", change.where)


def _nearest_key(key: str, tree: Mapping[str, Any]) -> str:
    """The key that can be set and looks most like `key`; one that misses only its group is found by its last part."""
    known = list(_keys(tree))
    last = key.rpartition(".")[2]
    same_leaf = [k for k in known if k.rpartition(".")[2] == last]
    return same_leaf[0] if len(same_leaf) == 1 else nearest(key, known)


def _relocate(fault: Fault, origin: Mapping[str, str]) -> Fault:
    """The fault with the file (or command line) that gave the key, or else the last key inside it, its value."""
    key = fault.key
    inside = [where for other, where in origin.items() if other.startswith(f"{key}.")]
    if inside:
        return Fault(inside[-1], key, fault.problem, fault.allowed, fault.nearest)
    while key:
        if key in origin:
            return Fault(origin[key], fault.key, fault.problem, fault.allowed, fault.nearest)
        key = key.rpartition(".")[0]
    return fault


def _validate(
    tree: dict[str, Any],
    request: _Request,
    overrides: tuple[str, ...],
    origin: dict[str, str],
    faults: list[Fault],
    before: _Before,
) -> RunConfig | None:
    """The configuration, if one can be made; faults are added to `faults`.

    What is out of range or of a wrong type is told once and then put back to what stood there before, so that later
    checks can look at the rest.
    """
    rows = tree.pop("interventions", None) or {}
    cfg = None
    while cfg is None:
        found: dict[str, Quantity] = {}
        wrong: list[Fault] = []
        plain: dict[str, Any] = {key: strip(node, origin[key], key, wrong, found) for key, node in tree.items()}
        plain["interventions"] = strip(rows, "interventions", "interventions", wrong, {})
        plain["scenario"] = {"name": request.scenario, **request.words}
        if not wrong:
            try:
                cfg = RunConfig.from_plain(plain, str(data_folder("configs")))
            except ConfigError as error:
                wrong.extend(error.faults)
            else:
                cfg.remember(found, origin, overrides)
        faults.extend(_relocate(fault, origin) for fault in wrong)
        if wrong and not _put_back(wrong, before):
            break
    return cfg


def _put_back(faults: Sequence[Fault], before: _Before) -> bool:
    """Undo the changes of keys with a fault; whether there were any."""
    keys = [key for key in before if any(f"{fault.key}.".startswith(f"{key}.") for fault in faults)]
    for key in keys:
        holder, last, node = before.pop(key)
        holder[last] = node
    return bool(keys)


def _is_dated(fault: Fault) -> bool:
    """Whether a fault is about when, which means nothing while the run's own dates are wrong."""
    return fault.key in ("start_date", "engine") or fault.key.rpartition(".")[2] in ("start", "end")


def _cross_check(cfg: RunConfig) -> None:
    """What no single key can show. Raises `ConfigError`."""
    faults = []
    consumer_days = cfg.population.consumers * (cfg.days + cfg.warmup_days)
    if cfg.engine == "agents" and consumer_days > AGENT_LIMIT:
        faults.append(
            Fault(
                cfg.origin("engine"),
                "engine",
                f"'agents' would take {consumer_days:,} consumer-days (consumers x (days + warmup_days))",
                f"at most {AGENT_LIMIT:,}, or engine=kernels",
            )
        )
    if cfg.out is not None and not cfg.out.strip():
        faults.append(Fault(cfg.origin("out"), "out", "is empty", "a folder, or null"))
    if cfg.scenario.compared_to == cfg.scenario.name and cfg.scenario.name != "baseline":
        faults.append(Fault(cfg.origin("scenario"), "compared_to", "a scenario cannot be compared to itself"))
    if faults:
        raise ConfigError(faults)
