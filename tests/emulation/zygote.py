"""The process that execution environments are forked from; it is run as a script.

It has imported AWS's runtime interface client and the SDK once, so that a cold start costs a fork.
Each line that it reads is an `Order` as JSON, and it answers with the process id of a new
environment. Nothing of one environment reaches another: the zygote itself runs no handler.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import logging
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
import tracemalloc
import warnings
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypedDict

import boto3
import botocore.loaders
import time_machine

# The native part takes the address of the runtime API once, when AWS's client is imported; each
# environment has an address of its own, and imports it when it knows that.
sys.modules["runtime_client"] = None  # type: ignore[assignment]
from awslambdaric import bootstrap, lambda_runtime_client  # noqa: E402


class Order(TypedDict):
    """What is needed to start an environment.

    `task` is the directory with the code, `scratch` stands for `/tmp`, `notes` is a directory for
    what passes between the environment and the harness. `clock` is in seconds of Unix time.
    """

    handler: str
    environ: dict[str, str]
    task: str
    scratch: str
    notes: str
    clock: float
    memory: bool


def main() -> None:
    """Fork an environment for every line of standard input."""
    _keep_descriptions()
    # Environments are ended from outside, and nobody asks how they ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        order: Order = json.loads(line)
        pid = os.fork()
        if not pid:
            _become(order)
        _lead_a_group(pid)
        print(pid, flush=True)


def _keep_descriptions() -> None:
    """Read the SDK's descriptions of services once instead of in every environment.

    They are constants. Everything else of the SDK is made in the environments: sessions, clients.
    """
    read = cache(botocore.loaders.JSONFileLoader().load_file)
    botocore.loaders.JSONFileLoader.load_file = lambda self, path: read(path)
    session = boto3.Session("testing", "testing", region_name="us-east-1")
    for name in ("dynamodb", "s3", "secretsmanager", "sns", "sqs", "ssm", "sts"):
        session.client(name)


def _lead_a_group(pid: int) -> None:
    """Make a process the leader of a group, so that it ends with all that it started.

    Parent and child both do so, because either may be the first to run.
    """
    with suppress(PermissionError, ProcessLookupError):
        os.setpgid(pid, pid)


def _become(order: Order) -> None:
    """Be an environment until somebody ends it."""
    try:
        _lead_a_group(os.getpid())
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        notes = Path(order["notes"])
        for number, name in enumerate((os.devnull, "stdout", "stderr")):
            target = os.open(notes / name, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(target, number)
            os.close(target)
        os.environ.clear()
        os.environ.update(order["environ"])
        tempfile.tempdir = None
        os.chdir(order["task"])
        sys.path[0] = order["task"]
        sys.dont_write_bytecode = True
        sys.addaudithook(_stay_on_loopback)
        clock = _Clock(order["clock"])
        _load_native_part()
        sys.modules["effects"] = _effects(notes / "effects")
        if order["memory"]:
            # What was imported before is the same for all, and costs time in each collection.
            gc.freeze()
            tracemalloc.start(25)
        address = os.environ["AWS_LAMBDA_RUNTIME_API"]
        bootstrap.run(order["handler"], _Client(address, order, clock))
    except SystemExit:
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(1)


def _load_native_part() -> None:
    """Do what `awslambdaric.lambda_runtime_client` does when it is imported."""
    del sys.modules["runtime_client"]
    native = importlib.import_module("runtime_client")
    native.initialize_client(lambda_runtime_client._user_agent())
    lambda_runtime_client.runtime_client = native


def _effects(path: Path) -> ModuleType:
    """Return the module with which stand-ins of an example say what they were asked to do."""

    def record(*what: object) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(what, default=repr, sort_keys=True) + "\n")

    module = ModuleType("effects")
    module.record = record  # type: ignore[attr-defined]
    return module


class _Client(lambda_runtime_client.LambdaRuntimeClient):  # type: ignore[misc]
    """AWS's client, which leaves a note for the harness whenever it asks for an event."""

    def __init__(self, address: str, order: Order, clock: _Clock) -> None:
        super().__init__(address)
        self._order = order
        self._clock = clock

    def wait_next_invocation(self) -> Any:
        notes = Path(self._order["notes"])
        (notes / "probes").write_text(json.dumps(_probes(self._order)))
        request = super().wait_next_invocation()
        self._clock.move_to(*map(float, (notes / "clock").read_text().split()))
        return request


class _Clock:
    """The time of an environment: it stands still, and jumps between invocations.

    `time.monotonic` is no business of time-machine, and runs on between the jumps: what waits in
    real time is measured with it.
    """

    def __init__(self, now: float) -> None:
        self._start = now
        self._offset = 0.0
        self._monotonic = time.monotonic
        self._travel = time_machine.travel(now, tick=False).start()
        time.monotonic = self.monotonic
        time.monotonic_ns = lambda: int(self.monotonic() * 1e9)

    def monotonic(self) -> float:
        """Return seconds as `time.monotonic` does."""
        return self._monotonic() + self._offset

    def move_to(self, now: float, slept: float) -> None:
        """Make it the given Unix time, in seconds, of which the process slept some."""
        self._travel.move_to(now)
        self._offset = now - self._start - slept


def _probes(order: Order) -> dict[str, int]:
    """Return what can pile up in a process, each as a number; memory is in bytes."""
    loggers = [logging.getLogger()]
    for one in logging.Logger.manager.loggerDict.values():
        if isinstance(one, logging.Logger):
            loggers.append(one)
    probes = {
        "threads": threading.active_count(),
        "processes": _children(),
        "files": len(os.listdir("/proc/self/fd")),
        "logging_handlers": sum(len(one.handlers) for one in loggers),
        "logging_filters": sum(len(one.filters) for one in loggers),
        "exit_callbacks": atexit._ncallbacks(),
        "warning_filters": len(warnings.filters),
        "environ": len(os.environ),
        "sys_path": len(sys.path),
        "modules": len(sys.modules),
        "tmp_files": sum(len(files) for _, _, files in os.walk(order["scratch"])),
    }
    if tracemalloc.is_tracing():
        gc.collect()
        probes["memory"] = _kept(order["task"])
    return probes


def _kept(task: str) -> int:
    """Return the size of what was allocated while a line of the example ran, in bytes.

    What the interpreter and the client keep for themselves is noise. The raw traces are read
    because the objects that the module makes of them take ten times as long.
    """
    traces = tracemalloc.take_snapshot().traces._traces  # type: ignore[attr-defined]
    return sum(size for _, size, frames, _ in traces if any(task in name for name, _ in frames))


def _children() -> int:
    try:
        return len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())
    except OSError:
        return 0


def _stay_on_loopback(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse to look up or to connect to anything but this machine."""
    host: object = None
    if event == "socket.connect" and arguments[0].family != socket.AF_UNIX:
        host = arguments[1][0]
    elif event == "socket.getaddrinfo":
        host = arguments[0]
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if host not in (None, "localhost", "::1") and not str(host).startswith("127."):
        raise PermissionError(f"examples stay on this machine, and this one wants {host}")


if __name__ == "__main__":
    main()
