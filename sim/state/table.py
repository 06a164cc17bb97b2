"""Columns that are declared once, and the tables that hold them.

A `Column` says what a number is: type, unit, range, who writes it and what it means. A `Table` holds one array per
column; kernels take the arrays, people read the declarations, the daily check compares the two.

Values in [0, 1] that every consumer has many of (trust, bonds) are stored in 16-bit fixed point with `scale=65535`:
half the memory of float32, and a step of 1.5e-5. How they are rounded matters and is described at
`sim.kernels.maths.to_fixed` (nearest) and `to_fixed_keyed` (with odds that keep the mean exact, for changes smaller
than a step). 8 bits would not do: with a step of 1/255 a bond that grows by 0.001 a visit would never move.

Columns that are read together, for few rows at a time, may lie in one record per row (`record`): who looks at one
person then waits for one or two cache lines instead of one per column. The columns stay what they are, as strided
views; what is read for all rows at once should stay a column of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FIXED = 65535.0
CACHE_LINE = 64  # bytes


class RangeError(RuntimeError):
    """A column holds a value outside its declared range: a defect of the model, not of the user's input."""


def _aligned(rows: int, fields: list[Any]) -> NDArray[Any]:
    """A structured array that begins with a cache line, not filled."""
    dtype = np.dtype(fields, align=True)
    memory = np.empty(rows * dtype.itemsize + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + rows * dtype.itemsize].view(dtype)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    `low` and `high` bound the values in the declared unit (after division by `scale`); None leaves an end open. `owner`
    is the one module that writes the column after it is built. `width` > 0 makes it a matrix with that many slots a
    row. `default` is the initial value in the declared unit. A float column with both ends open may hold NaN, others
    may not. `record` names the record that the column lies in, in the order of declaration; none by default.
    """

    name: str
    dtype: Any
    unit: str
    low: float | None
    high: float | None
    owner: str
    meaning: str
    width: int = 0
    scale: float = 1.0
    default: float = 0.0
    record: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError for a declaration that cannot hold."""
        object.__setattr__(self, "dtype", np.dtype(self.dtype))
        if not self.name.isidentifier() or self.name.startswith("_"):
            raise ValueError(f"column name '{self.name}' must be a plain identifier")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"column {self.name}: low {self.low} is above high {self.high}")
        if self.dtype.kind in "iu":
            limits = np.iinfo(self.dtype)
            for end in (self.low, self.high, self.default):
                if end is not None and not limits.min <= end * self.scale <= limits.max:
                    raise ValueError(f"column {self.name}: {end} {self.unit} does not fit in {self.dtype}")

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return int(self.dtype.itemsize) * max(self.width, 1)

    @property
    def range_text(self) -> str:
        """The range as people read it."""
        low = "-" if self.low is None else f"{self.low:g}"
        high = "-" if self.high is None else f"{self.high:g}"
        return f"{low} .. {high}"

    def stored(self, values: ArrayLike) -> NDArray[Any]:
        """Values in the declared unit as the column stores them (fixed point: rounded to nearest)."""
        if self.scale == 1.0:
            return np.asarray(values, dtype=self.dtype)
        return np.rint(np.asarray(values, dtype=np.float64) * self.scale).astype(self.dtype)

    def real(self, stored: NDArray[Any]) -> NDArray[Any]:
        """Stored values in the declared unit: the array itself without a scale, else float32."""
        return stored if self.scale == 1.0 else stored.astype(np.float32) / np.float32(self.scale)


class Table:
    """One array per declared column, as attributes: `table.trust` is the array itself (stored values, no copy).

    `table.records[name]` is the structured array behind the columns declared with that `record`, one element a row.

    Arrays are written in place (`table.trust[rows] = ...`); binding a column to another array raises AttributeError,
    because views and kernels hold on to it.
    """

    def __init__(self, columns: Iterable[Column], rows: int, name: str = "table", **values: ArrayLike) -> None:
        """Allocates every column with its default, or with the given initial values in the declared unit.

        Raises ValueError for a column declared twice, an initial value for an unknown column, or one of the wrong
        length.
        """
        columns = tuple(columns)
        declared = {column.name: column for column in columns}
        if len(declared) != len(columns):
            raise ValueError(f"{name}: a column is declared twice")
        if unknown := sorted(set(values) - set(declared)):
            raise ValueError(f"{name}: no column {', '.join(unknown)}")
        taken = sorted(set(declared) & {"columns", "name", "rows", "records", *dir(type(self))})
        if taken:
            raise ValueError(f"{name}: {', '.join(taken)} is the name of a part of Table")
        records = {
            record: _aligned(
                int(rows),
                [
                    (column.name, column.dtype, (column.width,)) if column.width else (column.name, column.dtype)
                    for column in columns
                    if column.record == record
                ],
            )
            for record in dict.fromkeys(column.record for column in columns if column.record)
        }
        self.__dict__.update(columns=declared, name=name, rows=int(rows), records=records)
        for column in columns:
            shape = (int(rows), column.width) if column.width else (int(rows),)
            array = records[column.record][column.name] if column.record else np.empty(shape, dtype=column.dtype)
            array[...] = column.stored(values.get(column.name, column.default))
            self.__dict__[column.name] = array

    if TYPE_CHECKING:
        columns: dict[str, Column]
        name: str
        rows: int
        records: dict[str, NDArray[Any]]

        def __getattr__(self, name: str) -> NDArray[Any]: ...

    def __setattr__(self, name: str, value: object) -> None:
        if name in self.columns and value is not self.__dict__[name]:  # `table.trust += 1` ends in such an assignment
            raise AttributeError(f"write {self.name}.{name}[:] in place; the array itself is not to be replaced")
        self.__dict__[name] = value

    def __len__(self) -> int:
        return self.rows

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns.values())

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __getitem__(self, name: str) -> NDArray[Any]:
        """The stored array of a column by name. Raises KeyError for an unknown one."""
        array: NDArray[Any] = self.__dict__[self.columns[name].name]
        return array

    def real(self, name: str) -> NDArray[Any]:
        """A column in its declared unit (fixed point divided by its scale)."""
        return self.columns[name].real(self[name])

    def real_mean(self, name: str) -> float:
        """Mean of a whole-number or fixed-point column in its declared unit, from an exact integer sum."""
        stored = self[name]
        if stored.dtype.kind not in "iub":
            raise TypeError(f"{self.name}.{name} is {stored.dtype}: only whole numbers have an exact sum")
        return int(stored.sum(dtype=np.int64)) / (max(stored.size, 1) * self.columns[name].scale)

    @property
    def nbytes(self) -> int:
        """Bytes of all columns."""
        return sum(self[name].nbytes for name in self.columns)

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return sum(column.row_bytes for column in self)

    def check(self, names: Iterable[str] | None = None) -> None:
        """Compares the columns (all, or those named) with their declared ranges.

        Raises RangeError with the table, column, first offending row, its value and the range.
        """
        for column in self if names is None else (self.columns[name] for name in names):
            array = self[column.name]
            if array.size == 0 or (column.low is None and column.high is None):
                continue
            # not (inside) instead of outside, so that NaN is caught too
            low_ok = column.low is None or bool(array.min() >= column.low * column.scale)
            high_ok = column.high is None or bool(array.max() <= column.high * column.scale)
            if low_ok and high_ok:
                continue
            inside = np.ones(array.shape, dtype=bool)
            if column.low is not None:
                inside &= array >= column.low * column.scale
            if column.high is not None:
                inside &= array <= column.high * column.scale
            row = int(np.argwhere(~inside)[0][0])
            raise RangeError(
                f"{self.name}.{column.name}[{row}] = {column.real(array[row : row + 1])[0]} {column.unit} is outside "
                f"{column.range_text}; written by {column.owner}"
            )

    def document(self) -> str:
        """The declarations as a Markdown table, for the docs."""
        lines = [
            "| column | type | unit | range | written by | meaning |",
            "|---|---|---|---|---|---|",
        ]
        for column in self:
            kind = str(column.dtype) + (f" x {column.width}" if column.width else "")
            kind += f", fixed point / {column.scale:g}" if column.scale != 1.0 else ""
            lines.append(
                f"| {column.name} | {kind} | {column.unit} | {column.range_text} | {column.owner} | {column.meaning} |"
            )
        return "\n".join([*lines, "", f"{self.row_bytes} bytes a row.", ""])
