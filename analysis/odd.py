"""The parts of docs/model.md that the code declares, and docs/parameters.md, written from the declarations.

    python -m analysis.odd            # writes both pages
    python -m analysis.odd --check    # exit status 1 when a page is not what would be written

Everything between `<!-- generated: NAME -->` and `<!-- end -->` in docs/model.md belongs to this module; the rest of
that page is written by hand.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from inspect import getsource
from pathlib import Path

from sim import kinds
from sim.agents.merchant import MERCHANT_COLUMNS
from sim.agents.streamer import STREAMER_COLUMNS
from sim.config import describe, load
from sim.config.quantity import Quantity
from sim.record.schema import MoneyPurpose
from sim.rules import LEAVES
from sim.state.catalogue import Air, Catalogue
from sim.state.consumers import COLUMNS as CONSUMER_COLUMNS
from sim.state.ledger import Account, Ledger
from sim.state.orders import COLUMNS as ORDER_COLUMNS
from sim.state.orders import MONEY_MOVES, ORDER, STATUS_MOVES
from sim.state.table import Column

ROOT = Path(__file__).resolve().parents[1]
MODEL = ROOT / "docs" / "model.md"
PARAMETERS = ROOT / "docs" / "parameters.md"

_SECTION = re.compile(r"(<!-- generated: (\w+) -->\n)(?:.*?\n)??(<!-- end -->)", re.DOTALL)
_FIELD = re.compile(r"^    (\w+): \w+  # (.*)$")
_SHAPE = re.compile(r"(\([^)]*\)) ?(.*)$")
_MEMBER = re.compile(r"^    (\w+) = \d+(?:  # (.*))?$")
_GROUPS = (
    ("", "The run itself", "`configs/config.yaml`"),
    ("population", "Population", "`configs/population`"),
    ("consumer", "Consumers", "`configs/consumer`; equations in [model.md](model.md#7-submodels)"),
    ("graph", "Friends and first popularity", "`configs/graph`"),
    ("firms", "Merchants, streamers, agencies", "`configs/firms`"),
    ("supply", "How firms decide", "`configs/supply`; equations in [supply.md](supply.md)"),
    ("economics", "Prices, costs, shares", "`configs/economics`; closed in [unit_economics.md](unit_economics.md)"),
    ("logistics", "Logistics", "`configs/logistics`; equations in [logistics.md](logistics.md)"),
    ("payments", "Payment", "`configs/payments`; told in [money.md](money.md)"),
    ("rules", "Baseline of the rules", "`configs/rules`"),
    ("growth", "Growth of live shopping and of the internet", "`configs/growth`; told in [growth.md](growth.md)"),
    ("geography", "Countries and times", "`configs/geography`; set side by side in [geography.md](geography.md)"),
)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; bars inside cells are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _columns(columns: Sequence[Column]) -> str:
    rows = []
    for column in columns:
        kind = str(column.dtype) + (f" x {column.width}" if column.width else "")
        kind += f", fixed point / {column.scale:g}" if column.scale != 1.0 else ""
        rows.append((f"`{column.name}`", kind, column.unit, column.range_text, column.owner, column.meaning))
    total = sum(column.row_bytes for column in columns)
    return table(("column", "type", "unit", "range", "written by", "meaning"), rows) + f"\n\n{total} bytes a row."


def consumers() -> str:
    """Columns of the consumers."""
    return _columns(CONSUMER_COLUMNS)


def streamers() -> str:
    """Columns of the streamers."""
    return _columns(STREAMER_COLUMNS)


def merchants() -> str:
    """Columns of the merchants."""
    return _columns(MERCHANT_COLUMNS)


def orders() -> str:
    """Columns of an order."""
    rows = [(f"`{column.name}`", column.dtype, column.unit, column.writer, column.meaning) for column in ORDER_COLUMNS]
    return table(("column", "type", "unit", "written by", "meaning"), rows) + f"\n\n{ORDER.itemsize} bytes an order."


def moves() -> str:
    """Allowed moves of an order's goods and of its money."""
    rows = []
    for what, allowed in (("goods", STATUS_MOVES), ("money", MONEY_MOVES)):
        for source, targets in allowed.items():
            rows.append((what, f"`{source.name}`", ", ".join(f"`{target.name}`" for target in targets)))
    return table(("of", "from", "to"), rows)


def _commented_fields(kind: type) -> list[tuple[str, str, str]]:
    """Name, shape and comment of a dataclass's fields; each is commented in the line that declares it."""
    assert is_dataclass(kind)
    names = {field.name for field in fields(kind)}
    found = []
    for line in getsource(kind).splitlines():
        match = _FIELD.match(line)
        if match and match[1] in names:
            shape = _SHAPE.match(match[2])
            assert shape is not None, f"{kind.__name__}.{match[1]} begins its comment without a shape"
            found.append((match[1], shape[1], shape[2]))
    return found


def catalogue() -> str:
    """Columns of lines, offers, stock and terms; those of merchants stand in their own table."""
    own = {column.name for column in MERCHANT_COLUMNS}
    rows = []
    for name, shape, comment in _commented_fields(Catalogue):
        meaning, _, writer = comment.rpartition("; ")
        if name not in own:
            rows.append((f"`{name}`", shape, writer, meaning))
    return table(("column", "shape", "written by", "meaning"), rows)


def shows() -> str:
    """Columns of the shows of a day."""
    rows = [(f"`{name}`", shape, comment) for name, shape, comment in _commented_fields(Air)]
    return table(("column", "shape", "meaning"), rows)


def accounts() -> str:
    """Classes of accounts, with their number in the baseline."""
    firms = load().firms
    ledger = Ledger(firms.merchants.count, firms.streamers.count, firms.agencies.count)
    comments = {match[1]: match[2] or "" for line in getsource(Account).splitlines() if (match := _MEMBER.match(line))}
    rows = [(f"`{kind.name.lower()}`", str(ledger.size[kind]), comments[kind.name]) for kind in Account]
    purposes = ", ".join(f"`{purpose.name.lower()}`" for purpose in MoneyPurpose)
    return table(("class", "accounts", "which"), rows) + f"\n\nPurposes of postings: {purposes}."


def leaves() -> str:
    """Leaves of the rules, and whether any module reads them."""
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for path in sorted((ROOT / "sim").rglob("*.py"))
        if path.name != "rules.py" and path.parent.name != "interventions"
    )
    rows = []
    for path, leaf in LEAVES.items():
        used = re.search(rf"(?:rules|_seen)\.{re.escape(path)}\b", text)
        rows.append(
            (f"`{path}`", leaf.unit, " x ".join(leaf.axes), leaf.mode, leaf.meaning, "yes" if used else "**no**")
        )
    return table(("leaf", "unit", "by", "strength", "meaning", "read"), rows)


def enumerations() -> str:
    """The fixed vocabularies."""
    rows = [
        ("regions", len(kinds.REGIONS), ", ".join(kinds.REGIONS)),
        ("countries", kinds.N_COUNTRIES, ", ".join(kinds.COUNTRIES)),
        ("categories", kinds.N_CATEGORIES, ", ".join(kinds.CATEGORIES)),
        ("channels", kinds.N_CHANNELS, ", ".join(kinds.CHANNELS)),
        ("payment methods", kinds.N_METHODS, ", ".join(kinds.PAYMENT_METHODS)),
        ("tiers of a line", kinds.N_TIERS, "steps of its price-quality ladder"),
        ("warehouses", kinds.N_WAREHOUSES, f"{kinds.N_ORIGIN_WAREHOUSES} in China, one in each country"),
        ("last-mile carriers", kinds.N_CARRIERS, "two in each country"),
        ("line-haul modes", len(kinds.MODES), ", ".join(kinds.MODES)),
        ("seller classes", len(kinds.SELLER_CLASSES), ", ".join(kinds.SELLER_CLASSES)),
        ("types of streamer", len(kinds.STREAMER_TYPES), ", ".join(kinds.STREAMER_TYPES)),
        ("tiers of streamer", len(kinds.STREAMER_TIERS), ", ".join(kinds.STREAMER_TIERS)),
    ]
    return table(("what", "number", "which"), [(what, str(number), which) for what, number, which in rows])


def _first_sentence(node: ast.AST) -> str:
    """The first sentence of a docstring, or nothing."""
    assert isinstance(node, ast.ClassDef | ast.FunctionDef)
    text = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
    return re.split(r"(?<=[.:;])\s", text)[0].rstrip(".:;")


def _classes(folder: str) -> Iterator[tuple[Path, ast.ClassDef]]:
    for path in sorted((ROOT / folder).glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                yield path, node


def entities() -> str:
    """The classes of Mesa agents."""
    rows = []
    for path, node in _classes("sim/agents"):
        bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
        if bases & {"Agent", "ColumnAgent"} and node.name != "ColumnAgent":
            kind = "view on a row" if "ColumnAgent" in bases else "object"
            rows.append((f"`{node.name}`", kind, f"`{path.relative_to(ROOT).as_posix()}`", _first_sentence(node)))
    return table(("entity", "as", "code", "what it is"), rows)


def learnt() -> str:
    """What deciders keep from one day to the next besides the columns: the keys of their `arrays`."""
    rows = []
    for path, node in _classes("sim/firms"):
        made = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "arrays"]
        if not made:
            continue
        text = ast.get_docstring(made[0], clean=False)
        names = [
            part.value
            for part in ast.walk(made[0])
            if isinstance(part, ast.Constant)
            and isinstance(part.value, str)
            and part.value.strip()
            and part.value != text
        ]
        shown = ", ".join(f"`{name.strip()}`" for name in dict.fromkeys(names))
        rows.append((f"`{node.name}`", f"`{path.relative_to(ROOT).as_posix()}`", shown))
    return table(("decider", "code", "state"), rows)


def _parts_of(world: ast.ClassDef) -> dict[str, str]:
    """The class of what the world holds, by attribute: from `self.x = Class(...)` and `self.x: Class = ...`."""
    found: dict[str, str] = {}
    for node in ast.walk(world):
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if not isinstance(node, ast.Assign | ast.AnnAssign) or not isinstance(target, ast.Attribute):
            continue
        value = node.value.body if isinstance(node.value, ast.IfExp) else node.value
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id[0].isupper():
            found[target.attr] = value.func.id
        elif isinstance(node, ast.AnnAssign) and isinstance(node.annotation, ast.Name):
            found[target.attr] = node.annotation.id
    return found


def _methods() -> dict[tuple[str, str], ast.FunctionDef]:
    """Every method below sim/ by class and name."""
    found = {}
    for path in sorted((ROOT / "sim").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                found.update({(node.name, part.name): part for part in node.body if isinstance(part, ast.FunctionDef)})
    return found


def _called(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Calls of `self.part.verb()` and `self.verb()` (then the part is empty) in the order in which they stand."""
    calls = []
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "self":
                calls.append((node.lineno, node.col_offset, "", node.func.attr))
            elif isinstance(owner, ast.Attribute) and isinstance(owner.value, ast.Name) and owner.value.id == "self":
                calls.append((node.lineno, node.col_offset, owner.attr, node.func.attr))
    for _, _, part, verb in sorted(calls):
        yield part, verb


def schedule() -> str:
    """Every step of a day as `World.step` takes it, and of the evening's decisions as `Decisions.decide` takes them."""
    parts: dict[str, dict[str, str]] = {}
    methods = _methods()
    for name in ("World", "Decisions"):
        for path, node in (*_classes("sim"), *_classes("sim/day")):
            if node.name == name:
                assert path.exists()
                parts[name] = _parts_of(node)
    known = {"_careers": "Careers", "careers": "Careers", "agencies": "Agencies", "platforms": "Platforms"}
    known |= {"audits": "Audits", "prices": "Prices", "interventions": "InterventionBook", "calendar": "Calendar"}
    rows: list[tuple[str, str, str]] = []

    def expand(owner: str, name: str, number: str) -> None:
        step = 0
        for part, verb in _called(methods[owner, name]):
            if part == "" and (owner, verb) in methods and verb != name:
                step += 1
                rows.append((f"{number}{step}", f"`{owner}.{verb}`", _first_sentence(methods[owner, verb])))
                expand(owner, verb, f"{number}{step}.")
                continue
            kind = parts.get(owner, known).get(part) or known.get(part)
            if kind is None or (kind, verb) not in methods:
                continue
            step += 1
            rows.append((f"{number}{step}", f"`{kind}.{verb}`", _first_sentence(methods[kind, verb])))
            if (kind, verb) == ("Decisions", "decide"):
                expand(kind, verb, f"{number}{step}.")

    expand("World", "step", "")
    return table(("step", "code", "what"), rows)


SECTIONS: dict[str, Callable[[], str]] = {
    maker.__name__: maker
    for maker in (
        entities,
        enumerations,
        consumers,
        streamers,
        merchants,
        catalogue,
        shows,
        orders,
        moves,
        accounts,
        leaves,
        learnt,
        schedule,
    )
}


def model(text: str) -> str:
    """docs/model.md with every generated section made anew. Raises KeyError for a section nobody makes."""
    return _SECTION.sub(lambda match: f"{match[1]}{SECTIONS[match[2]]()}\n{match[3]}", text)


def parameters(quantities: dict[str, Quantity]) -> str:
    """docs/parameters.md: key, unit and meaning of every parameter, without values."""
    lines = [
        "# Parameters",
        "",
        "<!-- written by `python -m analysis.odd` from configs/; do not edit -->",
        "",
        "Every parameter by its key, as on the command line. Values, ranges and sources stand in the files named;",
        "`livecommerce show scenario=NAME` prints them as resolved for a scenario.",
        "",
    ]
    for group, title, where in _GROUPS:
        lines += [f"## {title}", "", f"{where}.", ""]
        rows = [
            (f"`{key}`", one.unit, one.meaning)
            for key, one in quantities.items()
            if (key.split(".")[0] if "." in key else "") == group
        ]
        lines += [table(("key", "unit", "meaning"), rows), ""]
    return "\n".join(lines)


def pages() -> dict[Path, str]:
    """Both pages as they should be."""
    return {MODEL: model(MODEL.read_text(encoding="utf-8")), PARAMETERS: parameters(describe(load()))}


def main(arguments: Sequence[str]) -> int:
    """Writes the pages, or with --check says which are not current."""
    stale = 0
    for path, text in pages().items():
        current = path.read_text(encoding="utf-8") if path.exists() else ""
        if current == text:
            continue
        if "--check" in arguments:
            print(f"{path.relative_to(ROOT)} is not current: run python -m analysis.odd")
            stale = 1
        else:
            path.write_text(text, encoding="utf-8")
    return stale


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
