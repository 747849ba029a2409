"""One execution environment: a process, and the runtime API that it asks for events.

Source of the protocol: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import http.client
import io
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

_API = "/2018-06-01/runtime"
_FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:example"
# More than an example needs, and less than anybody waits.
_TIMEOUT = 15.0


@dataclass(frozen=True)
class Invocation:
    """What came of one event.

    `response` is the decoded JSON of the answer, or None where `error` says what was raised.
    `effects` are the calls of `effects.record` by stand-ins, each as JSON. `output` is what the
    environment wrote to stdout and stderr meanwhile. `probes` says what was there after the
    invocation (see `zygote`), and is empty if the process has ended.
    """

    response: Any
    error: str
    effects: tuple[str, ...]
    output: str
    probes: Mapping[str, int] = field(default_factory=dict)


class Zygote:
    """The process that environments are forked from; a context manager."""

    def __enter__(self) -> Zygote:
        """Start it; it is ready as soon as it has answered to its first order."""
        # Strings hash alike in all environments, so that the order of a set is no difference.
        environ = {"PATH": os.environ["PATH"], "PYTHONHASHSEED": "0", "LANG": "C.UTF-8"}
        self._process = subprocess.Popen(
            [sys.executable, "-B", str(Path(__file__).with_name("zygote.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environ,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it."""
        self._process.communicate()

    def fork(self, order: Mapping[str, object]) -> int:
        """Start an environment, and return the id of its process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the process that environments are forked from has ended")
        return int(answer)


class Environment:
    """An execution environment of the function `handler` with the given files.

    Between two invocations its process is stopped, as Lambda freezes it. What the files call
    `/tmp` is a directory of its own. `ended` is true as soon as the process is gone.
    """

    def __init__(
        self,
        zygote: Zygote,
        files: Mapping[str, str],
        handler: str,
        *,
        clock: float,
        environ: Mapping[str, str],
        memory: bool = False,
    ) -> None:
        """Start the process; its module is imported while it waits for the first event."""
        self.ended = False
        self._root = Path(tempfile.mkdtemp(prefix="lambda-"))
        task, scratch, self._notes = (self._root / name for name in ("task", "scratch", "notes"))
        for directory in (task, scratch, self._notes):
            directory.mkdir()
        for path, text in files.items():
            (task / path).parent.mkdir(parents=True, exist_ok=True)
            (task / path).write_text(_with_tmp(text, scratch), encoding="utf-8")
        self._read: dict[str, int] = {}
        self._connections: list[socket.socket] = []
        self._waiting: socket.socket | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._pid = zygote.fork(
            {
                "handler": handler,
                "environ": {**_environ(task, scratch, handler), **environ}
                | {"AWS_LAMBDA_RUNTIME_API": address},
                "task": str(task),
                "scratch": str(scratch),
                "notes": str(self._notes),
                "clock": clock,
                "memory": memory,
            }
        )
        try:
            self._life: int | None = os.pidfd_open(self._pid)
        except ProcessLookupError:
            self._life = None

    def invoke(
        self, event: object, *, request_id: str, clock: float, slept: float = 0.0
    ) -> Invocation:
        """Send one event at the Unix time `clock`, and return what came of it.

        Of the time before, `time.monotonic` has not seen `slept` seconds.
        """
        deadline = time.monotonic() + _TIMEOUT
        answer: tuple[Any, str] | None = None
        if self._waiting is None:
            answer = self._serve(deadline)
        if answer is None and self._waiting is not None:
            (self._notes / "clock").write_text(f"{clock!r} {slept!r}")
            os.killpg(self._pid, signal.SIGCONT)
            _answer(self._waiting, 200, json.dumps(event).encode(), _headers(request_id, clock))
            self._waiting = None
            answer = self._serve(deadline)
            # The answer is there; what the process does until it asks again belongs to it.
            if not self.ended:
                self._serve(deadline)
        output = self._output("stdout") + self._output("stderr")
        if answer is None:
            answer = None, "Runtime.ExitError: the process ended without an answer"
        probes = {} if self.ended else json.loads((self._notes / "probes").read_text())
        if not self.ended:
            os.killpg(self._pid, signal.SIGSTOP)
        response, error = answer
        effects = tuple(self._output("effects").splitlines())
        return Invocation(response, error, effects, output, probes)

    def close(self) -> None:
        """End the process and all that it started, at once, as Lambda does."""
        self._end()
        for one in (self._listener, *self._connections):
            one.close()
        if self._life is not None:
            os.close(self._life)
        shutil.rmtree(self._root, ignore_errors=True)

    def _serve(self, deadline: float) -> tuple[Any, str] | None:
        """Serve the process until it answers, or waits for an event, or ends."""
        while True:
            ready = self._ready(deadline)
            if ready is None:
                return None
            request = _request(ready)
            if request is None:
                self._connections.remove(ready)
                ready.close()
                continue
            method, path, body = request
            if (method, path) == ("GET", f"{_API}/invocation/next"):
                self._waiting = ready
                return None
            _answer(ready, 202, b'{"status":"OK"}', {})
            if path.endswith("/response"):
                return json.loads(body), ""
            if path.endswith("/error"):
                error = json.loads(body)
                if path == f"{_API}/init/error":
                    self._end()
                return None, f"{error['errorType']}: {error['errorMessage']}"

    def _ready(self, deadline: float) -> socket.socket | None:
        """Return a connection with something to read, or None if the process has ended."""
        while self._life is not None:
            readers: list[Any] = [self._listener, *self._connections, self._life]
            ready, _, _ = select.select(readers, [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                self._end()
                raise TimeoutError(f"no answer within {_TIMEOUT:.0f} seconds")
            for one in ready:
                if one is self._listener:
                    connection, _ = self._listener.accept()
                    connection.settimeout(_TIMEOUT)
                    self._connections.append(connection)
                elif isinstance(one, socket.socket):
                    return one
            if ready == [self._life]:
                break
        self._end()
        return None

    def _end(self) -> None:
        if not self.ended:
            self.ended = True
            with suppress(ProcessLookupError):
                os.killpg(self._pid, signal.SIGKILL)

    def _output(self, name: str) -> str:
        try:
            data = (self._notes / name).read_bytes()
        except FileNotFoundError:
            return ""
        start, self._read[name] = self._read.get(name, 0), len(data)
        return data[start:].decode("utf-8", "replace")


@contextmanager
def environment(*args: Any, **keywords: Any) -> Iterator[Environment]:
    """Yield an `Environment`, and end it."""
    one = Environment(*args, **keywords)
    try:
        yield one
    finally:
        one.close()


def _request(connection: socket.socket) -> tuple[str, str, bytes] | None:
    """Read one request: method, path and body; None if the other side is gone."""
    try:
        with connection.makefile("rb", buffering=0) as raw:
            # Unbuffered, because the next request of this connection is for the next call.
            stream = io.BufferedReader(raw, 1)
            line = stream.readline()
            if not line:
                return None
            method, path, _ = line.decode("ascii").split()
            headers = http.client.parse_headers(stream)
            if headers.get("Transfer-Encoding", "").lower() == "chunked":
                body = b""
                while size := int(stream.readline(), 16):
                    body += stream.read(size)
                    stream.readline()
                stream.readline()
            else:
                body = stream.read(int(headers.get("Content-Length", "0")))
            stream.detach()
            return method, path, body
    except ConnectionError:
        return None


def _answer(
    connection: socket.socket, status: int, body: bytes, headers: Mapping[str, str]
) -> None:
    """Send a response with a JSON body."""
    lines = [
        f"HTTP/1.1 {status} {http.client.responses[status]}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + body)


def _headers(request_id: str, clock: float) -> dict[str, str]:
    """Return what comes with an event; without a trace the client's native part crashes."""
    return {
        "Lambda-Runtime-Aws-Request-Id": request_id,
        "Lambda-Runtime-Deadline-Ms": str(int((clock + 3) * 1000)),
        "Lambda-Runtime-Invoked-Function-Arn": _FUNCTION,
        "Lambda-Runtime-Trace-Id": "Root=1-00000000-000000000000000000000000;Sampled=0",
    }


def _environ(task: Path, scratch: Path, handler: str) -> dict[str, str]:
    """Return the variables that Lambda sets, and what keeps the SDK on this machine.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
    """
    version = ".".join(map(str, sys.version_info[:2]))
    return {
        "PATH": os.environ["PATH"],
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "TMPDIR": str(scratch),
        "LAMBDA_TASK_ROOT": str(task),
        "_HANDLER": handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{version}",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_FUNCTION_NAME": "example",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/example",
        "AWS_LAMBDA_LOG_STREAM_NAME": "stream",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    }


def _with_tmp(text: str, scratch: Path) -> str:
    """Lead what the code writes to `/tmp` to a directory of its own."""
    return re.sub(r"""(?<=["'])/tmp(?=[/"'])""", str(scratch), text)
