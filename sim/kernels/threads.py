"""Runs one compiled loop on several threads, and fetches memory ahead of it.

Loops over people are compiled without the interpreter lock and told which share of the blocks is theirs, so ordinary
threads do: compiling a loop for them takes a third of the time that numba's own parallel loops take.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

_crews: dict[tuple[int, int], ThreadPoolExecutor] = {}


def on_threads(threads: int, work: Callable[..., Any], *arguments: Any) -> None:
    """Calls `work(thread, threads, *arguments)` for each thread number; returns when all are done.

    The caller's own thread takes number 0. `work` must release the interpreter lock and write nothing that another
    thread number reads or writes. An exception in any of them is raised here.
    """
    if threads == 1:
        work(0, 1, *arguments)
        return
    place = (os.getpid(), threads)  # threads do not survive a fork
    if place not in _crews:
        _crews[place] = ThreadPoolExecutor(threads - 1, thread_name_prefix="consumers")
    others = [_crews[place].submit(work, thread, threads, *arguments) for thread in range(1, threads)]
    try:
        work(0, threads, *arguments)
    finally:
        for other in others:
            other.result()


LINE_BYTES = 64  # of a processor's cache


def _ask(context: Any, builder: Any, signature: Any, arguments: Any, lines: int) -> None:
    """Emits requests for the first cache lines of `array[row]`."""
    array_type, row_type = signature.args
    view = context.make_array(array_type)(context, builder, arguments[0])
    row_number = context.cast(builder, arguments[1], row_type, types.intp)
    zero = context.get_constant(types.intp, 0)
    place = [row_number] + [zero] * (array_type.ndim - 1)
    pointer = cgutils.get_item_pointer(context, builder, array_type, view, place, wraparound=False)
    byte_pointer = builder.bitcast(pointer, cgutils.voidptr_t)
    number = ir.IntType(32)
    ask = builder.module.declare_intrinsic(
        "llvm.prefetch",
        [cgutils.voidptr_t],
        ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number]),
    )
    for line in range(lines):
        at = builder.gep(byte_pointer, [ir.IntType(64)(line * LINE_BYTES)])
        builder.call(ask, [at, number(0), number(2), number(1)])


if vars(config)["DISABLE_JIT"]:

    def fetch(array: Any, row: Any) -> None:
        """Does nothing: only compiled code waits for memory."""

    fetch_record = fetch

else:

    @intrinsic
    def fetch(typing_context: Any, array: Any, row: Any) -> Any:
        """Asks for the memory of `array[row]` (its first element if there are more axes) ahead of its use.

        No effect but speed: people of a session lie scattered over their columns, and asking for all of them at once
        costs a tenth of waiting for one after the other. `row` must be a valid row.
        """

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _ask(context, builder, signature, arguments, 1)
            return context.get_dummy_value()

        return types.void(array, row), generate

    @intrinsic
    def fetch_record(typing_context: Any, array: Any, row: Any) -> Any:
        """Like `fetch`, for a record that fills two cache lines, as an order's does."""

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            _ask(context, builder, signature, arguments, 2)
            return context.get_dummy_value()

        return types.void(array, row), generate
