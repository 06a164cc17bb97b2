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

CACHE_LINE = 64  # bytes

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


if vars(config)["DISABLE_JIT"]:

    def fetch(array: Any, row: Any) -> None:
        """Does nothing: only compiled code waits for memory."""

else:

    @intrinsic
    def fetch(typing_context: Any, array: Any, row: Any) -> Any:
        """Asks for the memory of `array[row]` (its first element if there are more axes) ahead of its use.

        Of a record all cache lines are asked for.

        No effect but speed: people of a session lie scattered over their columns, and asking for all of them at once
        costs a tenth of waiting for one after the other. `row` must be a valid row.
        """

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array_type, row_type = signature.args
            view = context.make_array(array_type)(context, builder, arguments[0])
            row_number = context.cast(builder, arguments[1], row_type, types.intp)
            zero = context.get_constant(types.intp, 0)
            place = [row_number] + [zero] * (array_type.ndim - 1)
            pointer = cgutils.get_item_pointer(context, builder, array_type, view, place, wraparound=False)
            first_byte = builder.ptrtoint(pointer, ir.IntType(64))
            last = array_type.dtype.size - 1 if isinstance(array_type.dtype, types.Record) else 0
            number = ir.IntType(32)
            ask = builder.module.declare_intrinsic(
                "llvm.prefetch",
                [cgutils.voidptr_t],
                ir.FunctionType(ir.VoidType(), [cgutils.voidptr_t, number, number, number]),
            )
            for offset in [*range(0, last, CACHE_LINE), last]:
                there = builder.inttoptr(builder.add(first_byte, ir.IntType(64)(offset)), cgutils.voidptr_t)
                builder.call(ask, [there, number(0), number(2), number(1)])
            return context.get_dummy_value()

        return types.void(array, row), generate
