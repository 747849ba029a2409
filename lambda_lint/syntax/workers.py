"""Processes that parse files, so that a parser that crashes or never ends costs one file.

They are started with `subprocess` and talk through pipes. `multiprocessing` is not used: its start
methods other than `fork` begin with `python -c` in the working directory, which imports modules of
the project under analysis when they are named like modules of the standard library (`queue.py`,
`signal.py`), and `fork` is not safe in a process with threads. Daemonic processes, such as those of
flake8, may start these workers, too.

A worker ends when its parent does, because its standard input ends, and when a file takes longer
than the limit, by a watchdog that works while native code holds the interpreter lock.
"""

from __future__ import annotations

import atexit
import contextlib
import marshal
import os
import struct
import subprocess
import sys
import time
import warnings
from collections.abc import Generator, Sequence
from typing import IO, Any, NamedTuple

import lambda_lint
from lambda_lint.source import Failure, Source
from lambda_lint.syntax import nodes, scan, store
from lambda_lint.syntax.stack import with_deep_stack

TIME_LIMIT = 20.0
"""How many seconds one file may take. What the guard lets through takes five at most."""


class UnavailableError(Exception):
    """Worker processes cannot be started here."""


class Task(NamedTuple):
    """What a worker is to do with one file: `tree` makes its tree, `check` tells if it is Python.

    `max_bytes` is the size above which a file is refused.
    """

    kind: str
    path: str
    data: bytes
    max_bytes: int


class Reply(NamedTuple):
    """What came of a task: `tree` (a value for `store.load`), `check` (a boolean), or no result.

    Then it is `failure` (line, column, message), or `lost` (the message) when the worker died;
    the latter need not happen again.
    """

    kind: str
    value: Any


def run(tasks: Sequence[Task], *, jobs: int) -> Generator[Reply, None, None]:
    """Yield the replies to all tasks, in the order of the tasks, from up to `jobs` processes.

    The processes are kept for the next call; `stop` ends them. Raises `UnavailableError` when
    there cannot be any. When the caller is interrupted or closes the iterator, all are killed.
    """
    # Importing it takes 10 ms, which a run without workers need not spend.
    from concurrent.futures import ThreadPoolExecutor

    crew = _Crew()
    with ThreadPoolExecutor(max(1, min(jobs, len(tasks)))) as threads:
        finished = False
        try:
            yield from threads.map(crew.perform, tasks)
            finished = True
        finally:
            if not finished:
                crew.kill()
                threads.shutdown(wait=False, cancel_futures=True)


def stop() -> None:
    """End the processes that are waiting for work. The next `run` starts new ones."""
    while _idle:
        _idle.pop().stop()


def are_waiting() -> bool:
    """Whether there are processes that wait for work."""
    return bool(_idle)


def parse(source: Source, *, max_bytes: int = scan.MAX_BYTES) -> nodes.Module | Failure:
    """Call `lower.parse` in this process. It raises nothing, but may not survive the file."""
    # Importing LibCST takes a third of a second: only for those who need a tree.
    from lambda_lint.syntax import lower

    try:
        return lower.parse(source, max_bytes=max_bytes)
    except Exception as error:
        message = f"lambda-lint cannot read the file, please report this: {error!r}"
        return Failure(source.path, 1, 1, message[:500])


def reply_of(result: nodes.Module | Failure) -> Reply:
    """Say what `parse` has returned without objects."""
    if isinstance(result, Failure):
        return Reply("failure", [result.line, result.column, result.message])
    return Reply("tree", store.dump(result))


def is_python(source: Source, *, max_bytes: int = scan.MAX_BYTES) -> bool:
    """Whether the Python that runs this can read a file and the guard would let LibCST read it.

    True is certain. For False `lower.parse` says what is wrong, or that nothing is: it reads the
    syntax of later Pythons, too.
    """
    if isinstance(source.decoded, Failure):
        return False
    text = source.decoded.text
    if scan.check(text, max_bytes=max_bytes) is not None:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            compile(text, "<source>", "exec", _ONLY_AST, dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False
    return True


_ONLY_AST = 0x400
"""`ast.PyCF_ONLY_AST`; importing `ast` takes longer than checking most files."""


class _Crew:
    """The workers of one `run`."""

    def __init__(self) -> None:
        self.time_limit = TIME_LIMIT
        self.busy: set[_Worker] = set()
        self.killed = False

    def perform(self, task: Task) -> Reply:
        """Let a worker do a task; called in several threads."""
        request = marshal.dumps((*task, self.time_limit))
        for _ in range(2):
            worker = _idle_worker() or _Worker()
            self.busy.add(worker)
            if self.killed:
                worker.stop()
                break
            began = time.monotonic()
            answer = worker.ask(request)
            self.busy.discard(worker)
            if answer is not None:
                _idle.append(worker)
                return Reply(*answer)
            worker.stop()
            if time.monotonic() - began > 0.9 * self.time_limit:
                return Reply("lost", f"reading the file took longer than {self.time_limit:g} s")
            # It may have been the fault of what the worker read before, or of somebody who ended
            # it to have its memory; a new one tells.
        return Reply("lost", "the parser did not survive this file")

    def kill(self) -> None:
        """End all workers of this run; whoever waits for their answers gets none."""
        self.killed = True
        for worker in list(self.busy):
            worker.process.kill()
        stop()


class _Worker:
    """One process. Raises `UnavailableError` when it does not come up."""

    def __init__(self) -> None:
        if not sys.executable or getattr(sys, "frozen", False):
            raise UnavailableError("there is no interpreter to start")
        paths = [path for path in sys.path if os.path.isabs(path)]
        code = BOOT.format(paths=paths, package=os.path.abspath(lambda_lint.__file__))
        try:
            self.process = subprocess.Popen(
                # Isolated: neither the working directory nor the environment name modules.
                [sys.executable, "-I", *(["-B"] if sys.dont_write_bytecode else []), "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            raise UnavailableError(str(error)) from None
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.requests: IO[bytes] = self.process.stdin
        self.answers: IO[bytes] = self.process.stdout
        if _read(self.answers) != _READY:
            self.stop()
            raise UnavailableError("the process does not come up")

    def ask(self, request: bytes) -> tuple[str, Any] | None:
        """Return the answer, None when the process has died."""
        try:
            _write(self.requests, request)
            answer = _read(self.answers)
            return None if answer is None else marshal.loads(answer)
        except (OSError, EOFError, ValueError, TypeError):
            return None

    def stop(self) -> None:
        """End the process: it ends by itself when there are no more requests."""
        for stream in (self.requests, self.answers):
            with contextlib.suppress(OSError):
                stream.close()
        try:
            self.process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


_idle: list[_Worker] = []
atexit.register(stop)
if hasattr(os, "register_at_fork"):
    # The pipes of a fork are those of its parent.
    os.register_at_fork(after_in_child=_idle.clear)

_READY = b"ready"
_LENGTH = struct.Struct("<I")

BOOT = """
import importlib.util, sys
sys.path += [path for path in {paths!r} if path not in sys.path]
spec = importlib.util.spec_from_file_location("lambda_lint", {package!r})
sys.modules["lambda_lint"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(sys.modules["lambda_lint"])
from lambda_lint.syntax import workers
workers.serve()
"""
"""The program of a worker: the same files of the linter, whatever else is installed."""


def serve() -> None:
    """Be a worker: answer requests until there are no more. Only for the program `BOOT`."""
    import gc
    import signal

    # The terminal sends an interrupt to all processes; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    # Nothing that is printed may get between the answers.
    os.dup2(2, 1)
    with_deep_stack(_serve, requests, answers)


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    import faulthandler

    with open(os.devnull, "w") as nowhere:
        _write(answers, _READY)
        while (request := _read(requests)) is not None:
            *task, time_limit = marshal.loads(request)
            faulthandler.dump_traceback_later(time_limit, exit=True, file=nowhere)
            reply = _perform(Task(*task))
            faulthandler.cancel_dump_traceback_later()
            _write(answers, marshal.dumps(tuple(reply)))


def _perform(task: Task) -> Reply:
    source = Source(task.path, task.data)
    if task.kind == "check":
        return Reply("check", is_python(source, max_bytes=task.max_bytes))
    return reply_of(parse(source, max_bytes=task.max_bytes))


def _idle_worker() -> _Worker | None:
    with contextlib.suppress(IndexError):
        return _idle.pop()
    return None


def _write(stream: IO[bytes], data: bytes) -> None:
    stream.write(_LENGTH.pack(len(data)) + data)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes | None:
    """Return the next message, None at the end."""
    header = stream.read(_LENGTH.size)
    if len(header) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(header)
    data = stream.read(length)
    return data if len(data) == length else None
