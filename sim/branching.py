"""Lets a copy of this process go on with what it holds: several futures of one past, none of which touches another.

A copy has no threads of its parent but the one that made it, so what it holds must not need them.
"""

from __future__ import annotations

import os
import pickle
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from multiprocessing.util import Finalize

POSSIBLE = sys.platform.startswith("linux")  # elsewhere libraries of the system do not bear a fork
PARENT_SECONDS = 0.5  # between two looks whether the parent is there


class BranchFailedError(RuntimeError):
    """A copy raised something or died: `str(error)` says what in one line, `trace` is its traceback, if any."""

    def __init__(self, message: str, trace: str = "") -> None:
        super().__init__(message)
        self.trace = trace


def in_a_line(error: BaseException) -> str:
    """What was raised, in one line: `ZeroDivisionError: division by zero`."""
    words = str(error).strip().splitlines()
    return f"{type(error).__name__}: {words[0]}" if words else type(error).__name__


def in_a_copy[Found](
    work: Callable[[], Found], seconds: float | None = None, stopped: Callable[[int], object] = lambda process: None
) -> Found:
    """What `work` returns when a copy of this process does it.

    Args:
        work: returns something that can be pickled.
        seconds: time it may take.
        stopped: called with the number of a copy that was killed or died, to clear away what it left.

    Raises:
        TimeoutError: it took longer and was killed.
        BranchFailedError: it raised, or died.
    """
    receive, send = Pipe(duplex=False)
    parent = os.getpid()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # about threads, which the copy does without
        child = os.fork()
    if child == 0:
        _answer(work, send, parent)
    send.close()

    def end() -> None:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        stopped(child)

    ending = Finalize(None, end, exitpriority=1)  # where a pool stops this process meanwhile
    try:
        if not receive.poll(seconds):
            raise TimeoutError
        well, found = pickle.loads(receive.recv_bytes())
    except EOFError:
        ending.cancel()
        _, status = os.waitpid(child, 0)
        stopped(child)
        raise BranchFailedError(f"its process died ({_why(status)})") from None
    except BaseException:
        ending()
        raise
    finally:
        receive.close()
    ending.cancel()
    os.waitpid(child, 0)
    if not well:
        raise BranchFailedError(*found)
    answer: Found = found
    return answer


def _answer(work: Callable[[], object], send: Connection, parent: int) -> None:
    """What a copy does; it ends here."""
    try:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
        try:
            answer = pickle.dumps((True, work()))
        except BaseException as error:
            answer = pickle.dumps((False, (in_a_line(error), traceback.format_exc())))
        send.send_bytes(answer)
    finally:
        os._exit(0)


def _end_with(parent: int) -> None:
    """End this process when its parent is gone."""
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os._exit(1)


def _why(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}, {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit status {os.WEXITSTATUS(status)}"
