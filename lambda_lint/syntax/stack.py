"""What trees of real code need of the interpreter: a deep stack, and no search for garbage."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

STACK_BYTES = (256 << 20, 64 << 20, 16 << 20)
"""The stack sizes to try, the first that the system grants is taken. Memory that is not used
is never touched."""

RECURSION_LIMIT = 20_000
"""Enough for what `scan.check` lets through, with a few Python frames for each level."""

_here = threading.local()
_starting = threading.Lock()


def with_deep_stack(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function in a thread with a large stack; return or raise what it does.

    LibCST's native parser needs 40 kB of stack for each bracket, and a thread of Windows or
    macOS has less than a megabyte. Within such a call a further one is made directly.
    """
    if is_deep():
        return function(*args, **kwargs)
    results: list[R] = []
    errors: list[BaseException] = []

    def run() -> None:
        _here.deep = True
        try:
            results.append(function(*args, **kwargs))
        except BaseException as error:  # It is raised again in the calling thread.
            errors.append(error)

    # The limit is one for all threads on Python 3.11 and older, and is therefore left as it is
    # afterwards: another thread may be in such a call.
    if sys.getrecursionlimit() < RECURSION_LIMIT:
        sys.setrecursionlimit(RECURSION_LIMIT)
    _start(run).join()
    if errors:
        raise errors[0]
    return results[0]


@contextmanager
def without_collecting() -> Iterator[None]:
    """Let no garbage be looked for within the block.

    Millions of nodes, scopes and values arise that live to the end of the run. Looking through
    them for garbage again and again triples the time of parsing, and takes a third of the model's.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def is_deep() -> bool:
    """Whether the current thread was started by `with_deep_stack`."""
    return getattr(_here, "deep", False)


def _start(run: Callable[[], None]) -> threading.Thread:
    """Start a thread with the largest stack of `STACK_BYTES` that can be had."""
    for size in STACK_BYTES:
        with _starting:
            before = threading.stack_size(size)
            try:
                # A daemon, so that an interrupted run ends although a parse goes on.
                thread = threading.Thread(target=run, name="deep stack", daemon=True)
                thread.start()
                return thread
            except RuntimeError:
                if size == STACK_BYTES[-1]:
                    raise
            finally:
                threading.stack_size(before)
    raise AssertionError("the last size either starts a thread or raises")
