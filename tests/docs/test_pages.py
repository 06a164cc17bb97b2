"""The pages in docs/ name what exists, link to what exists, and say what the code declares."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from analysis import odd
from sim.config import describe, load
from sim.rules import LEAVES

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
WRITTEN = [DOCS / name for name in ("model.md", "supply.md", "firms.md", "logistics.md")] + sorted(
    (DOCS / "decisions").glob("*.md")
)
GROUPS = ("population", "consumer", "graph", "firms", "supply", "economics", "logistics", "payments", "geography")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@cache
def keys() -> frozenset[str]:
    """Every parameter, and every group of parameters, by key."""
    parts = [key.split(".") for key in describe(load())]
    return frozenset(".".join(part[:length]) for part in parts for length in range(1, len(part) + 1))


@cache
def sources() -> str:
    files = [path for folder in ("sim", "analysis", "benchmarks") for path in sorted((ROOT / folder).rglob("*.py"))]
    files += sorted((ROOT / "configs").rglob("*.yaml"))
    return "\n".join(path.read_text(encoding="utf-8") for path in files)


def quoted(page: Path) -> list[str]:
    """What stands between single backticks, outside fenced blocks."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", text)


def public_functions(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")]


def slug(heading: str) -> str:
    """The anchor that a heading gets on GitHub."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


@cache
def anchors(page: Path) -> frozenset[str]:
    return frozenset(slug(line) for line in re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE))


# -- what is generated -------------------------------------------------------------------------------------------------
def test_generated_sections_are_current() -> None:
    text = odd.MODEL.read_text(encoding="utf-8")
    assert odd.model(text) == text, "run python -m analysis.odd"


def test_parameters_are_current() -> None:
    page = odd.parameters(describe(load()))
    assert odd.PARAMETERS.read_text(encoding="utf-8") == page, "run python -m analysis.odd"


def test_every_declaration_has_its_section() -> None:
    found = re.findall(r"<!-- generated: (\w+) -->", odd.MODEL.read_text(encoding="utf-8"))
    assert found == list(odd.SECTIONS)


@pytest.mark.parametrize(
    ("section", "row"),
    [
        ("entities", "| `Warehouse` |"), ("consumers", "| `trust` |"), ("merchants", "| `funded` |"),
        ("catalogue", "| `bulk_way` |"), ("leaves", "| `tryon.offered` |"), ("learnt", "| `Technology` |"),
        ("schedule", "`Fulfilment.release`"), ("schedule", "`Solvency.settle`"), ("schedule", "`Careers.move`"),
    ],
)  # fmt: skip
def test_an_entity_a_state_or_a_step_on_one_side_only_is_noticed(section: str, row: str) -> None:
    text = odd.MODEL.read_text(encoding="utf-8")
    line = next(line for line in odd.SECTIONS[section]().splitlines() if row in line)
    assert odd.model(text.replace(line + "\n", "")) == text, "missing on the page, there in the code"
    extra = text.replace(line, line + "\n| `Nobody.does` | this | | |")
    assert extra != text == odd.model(extra), "on the page, not in the code"


def test_every_verb_of_a_day_is_a_step() -> None:
    """Whatever the world says to one of its parts in `step`, seen without the generator's own parsing."""
    body = (ROOT / "sim" / "world.py").read_text(encoding="utf-8").split("    def step(self)")[1].split("    def ")[0]
    said = re.findall(r"self\.(?:\w+\.)?(\w+)\(", body)
    steps = odd.schedule()
    missing = [verb for verb in said if f".{verb}`" not in steps]
    assert len(said) > 15
    assert not missing


def test_generating_twice_changes_nothing_and_keeps_what_is_written_by_hand() -> None:
    text = (
        "before\n<!-- generated: moves -->\n<!-- end -->\nbetween\n<!-- generated: orders -->\nold\n<!-- end -->\nafter"
    )
    once = odd.model(text)
    assert odd.model(once) == once
    assert [line for line in once.splitlines() if line in ("before", "between", "after")] == [
        "before",
        "between",
        "after",
    ]
    assert "old" not in once.splitlines()


def test_cells_with_bars_stay_cells() -> None:
    assert odd.table(("a",), [("x | y",)]).splitlines()[-1] == r"| x \| y |"


# -- what the model page must name -------------------------------------------------------------------------------------
def test_every_behavioural_function_is_named() -> None:
    helpers = {"clip_unit"}  # written clip(x)
    named = set(re.findall(r"\b\w+\b", odd.MODEL.read_text(encoding="utf-8")))
    missing = set(public_functions(ROOT / "sim" / "kernels" / "behaviour.py")) - helpers - named
    assert not missing, f"docs/model.md says nothing of {sorted(missing)}"


def test_every_room_of_the_day_is_named() -> None:
    text = odd.MODEL.read_text(encoding="utf-8")
    rooms = [path for path in sorted((ROOT / "sim" / "day").glob("*.py")) if path.name != "__init__.py"]
    assert rooms
    missing = [name_of(path) for path in rooms if f"`{name_of(path)}`" not in text]
    assert not missing, f"docs/model.md says nothing of {missing}"


def test_the_seven_elements_of_odd_and_the_eleven_concepts_stand_in_order() -> None:
    text = odd.MODEL.read_text(encoding="utf-8")
    elements = (
        "1 Purpose and patterns", "2 Entities, state variables and scales", "3 Process overview and scheduling",
        "4 Design concepts", "5 Initialization", "6 Input data", "7 Submodels",
    )  # fmt: skip
    concepts = (
        "Basic principles", "Emergence", "Adaptation", "Objectives", "Learning", "Prediction", "Sensing", "Interaction",
        "Stochasticity", "Collectives", "Observation",
    )  # fmt: skip
    for marks in ([f"\n## {name}\n" for name in elements], [f"**{name}.**" for name in concepts]):
        places = [text.index(mark) for mark in marks]
        assert places == sorted(places)


# -- what pages name must exist ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_parameters_named_exist(page: Path) -> None:
    wrong = [
        word for word in quoted(page) if re.fullmatch(rf"({'|'.join(GROUPS)})\.[\w.]+", word) and word not in keys()
    ]
    assert not wrong, f"{name_of(page)} names parameters that do not exist: {wrong}"


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_leaves_named_exist(page: Path) -> None:
    groups = {path.split(".")[0] for path in LEAVES} - set(GROUPS)
    wrong = [
        word
        for word in quoted(page)
        if re.fullmatch(r"\w+\.\w+", word) and word.split(".")[0] in groups and word not in LEAVES
    ]
    assert not wrong, f"{name_of(page)} names leaves that do not exist: {wrong}"


@pytest.mark.parametrize("page", WRITTEN, ids=name_of)
def test_identifiers_named_exist(page: Path) -> None:
    words = {word for word in quoted(page) if re.fullmatch(r"[A-Za-z]\w*_\w+|_\w+", word)}
    text = sources()
    wrong = sorted(word for word in words if not re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE))
    assert not wrong, f"{name_of(page)} names what the code does not hold: {wrong}"


def expanded(pattern: str) -> Iterator[str]:
    """a/{b,c}.py -> a/b.py, a/c.py."""
    match = re.search(r"\{([^{}]*)\}", pattern)
    if match is None:
        yield pattern
        return
    for part in match[1].split(","):
        yield from expanded(pattern[: match.start()] + part.strip() + pattern[match.end() :])


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_files_named_exist(page: Path) -> None:
    path = re.compile(r"(sim|analysis|configs|scenarios|benchmarks|docs|tests|tools)/[\w/.{}, *-]*")
    named = [name for word in quoted(page) if path.fullmatch(word) for name in expanded(word)]
    named = [name for name in named if "NAME" not in name]  # what a reader makes
    wrong = [name for name in named if not any(ROOT.glob(name.rstrip("/")))]
    assert not wrong, f"{name_of(page)} names files that do not exist: {wrong}"


# -- links and commands ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_resolve(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    wrong = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        if name.startswith("docs/img/"):  # pictures are made from runs
            continue
        if not there.exists() or (anchor and (there.suffix != ".md" or anchor not in anchors(there))):
            wrong.append(target)
    assert not wrong, f"{name_of(page)} links to nothing: {wrong}"


def commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        blocks = re.findall(
            r"^```(sh|bash|console)\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
        )
        for number, (kind, body) in enumerate(blocks):
            if kind == "console":
                body = "\n".join(line[2:] for line in body.splitlines() if line.startswith("$ "))
            found.append((f"{name_of(page)}:{number}", body))
    return found


@pytest.mark.parametrize(("where", "script"), commands(), ids=[where for where, _ in commands()])
def test_shell_commands_parse(where: str, script: str) -> None:
    done = subprocess.run(["bash", "-n"], input=script, text=True, capture_output=True, timeout=20, check=False)
    assert done.returncode == 0, f"{where}: {done.stderr}"


# -- the index and the records -----------------------------------------------------------------------------------------
def test_the_index_lists_every_page() -> None:
    text = (DOCS / "README.md").read_text(encoding="utf-8")
    missing = [
        page.relative_to(DOCS).as_posix() for page in PAGES if page.is_relative_to(DOCS) and page.name != "README.md"
    ]
    missing = [name for name in missing if f"({name})" not in text]
    assert not missing, f"docs/README.md does not list {missing}"


def test_records_of_decisions_are_numbered_and_whole() -> None:
    records = sorted((DOCS / "decisions").glob("*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    for record in records:
        text = record.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(record.name[:4])}. ")
        for part in ("**Status**", "## Context", "## Decision", "## Consequences"):
            assert part in text, f"{record.name} has no {part}"
