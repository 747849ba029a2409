"""What an example does on fresh environments, and on one that is reused.

The script that sends the events is Python, and may call:

- `send(event)`: one invocation; returns its response, or None if it failed
- `aws(name)`: an SDK client of a service, to prepare what the example expects, to change it between
  two events, or to look what became of it
- `see(value)`: this value belongs to the results that are compared
- `later(hours=1)`: the clock moves by that `timedelta`, also for the SDK and `time.monotonic`
- `frozen(hours=1)`: the same, except that `time.monotonic` stands still as the environment does
- `watch(probe)`: nothing is compared; this number must grow with the events (`bad`), or not

Stand-ins for modules that the example imports may call `effects.record(*what)`: what they are asked
to do is compared like a response.
"""

from __future__ import annotations

import ast
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePosixPath
from types import CodeType
from typing import Any

import time_machine

from lambda_lint.testing.pages import Events

from .environment import Environment, Invocation, Zygote
from .services import Services

PROBES = (
    "environ",
    "exit_callbacks",
    "files",
    "logging_filters",
    "logging_handlers",
    "memory",
    "modules",
    "processes",
    "sys_path",
    "threads",
    "tmp_files",
    "warning_filters",
)


@dataclass(frozen=True)
class Step:
    """Something that is compared: what an invocation gave, or a value that was looked at."""

    what: str
    value: str
    failed: bool = False


@dataclass(frozen=True)
class Run:
    """All steps of one run of the script, and all invocations with their probes and output."""

    steps: tuple[Step, ...]
    invocations: tuple[Invocation, ...]


@dataclass(frozen=True)
class Demonstration:
    """What came of an example: `warm` on one environment, `cold` on a fresh one per event.

    `watched` are the probes that were asked for; then there is no cold run.
    """

    warm: Run
    cold: Run | None
    watched: tuple[str, ...]

    def difference(self) -> str:
        """Say in what the reused environment misbehaves; an empty text if it does not."""
        lines = [_growth(probe, self.warm) for probe in self.watched]
        if self.cold is not None:
            lines += [
                f"{warm.what}: a reused environment gives {warm.value}, a fresh one {cold.value}"
                for warm, cold in zip(self.warm.steps, self.cold.steps, strict=True)
                if warm != cold
            ]
        return "\n".join(filter(None, lines))

    def problems(self, kind: str) -> list[str]:
        """Say why this is no demonstration of a `bad` example, or of a right one."""
        difference = self.difference()
        problems = []
        for run, name in ((self.cold, "a fresh"), (self.warm, "a reused")):
            steps = run.steps if run is not None else ()
            # To fail may be right where a reused environment goes on with what it remembers, and
            # a reused one may fail by mistake; but the first event is to meet working code.
            problems += [
                f"{step.what} fails on {name} environment: {step.value}"
                for step in (steps[:1] if kind == "bad" else steps)
                if step.failed
            ]
        if kind != "bad":
            return [*problems, *([f"a right example misbehaves:\n{difference}"] * bool(difference))]
        if not difference:
            problems.append(f"the mistake does not show: {self._likeness()}")
        elif self.cold is not None and self.warm.steps[:1] != self.cold.steps[:1]:
            problems.append(
                f"the first invocation differs too, so reuse is no cause:\n{difference}"
            )
        return problems

    def _likeness(self) -> str:
        if self.watched:
            return "; ".join(f"{one}: {_shown(_series(one, self.warm))}" for one in self.watched)
        return "; ".join(f"{step.what} gives {step.value}" for step in self.warm.steps)


class Stage:
    """Where examples are run: one zygote and one set of services for all of them."""

    def __init__(self, zygote: Zygote, services: Services) -> None:
        self._zygote = zygote
        self._services = services
        self._now = float(int(time.time()))

    def demonstrate(
        self, files: Mapping[str, str], events: Events, page: str = "events"
    ) -> Demonstration:
        """Run an example; `page` is the file that its script is from, for tracebacks.

        Raises SyntaxError or whatever the script raises, ValueError if it is of no use (nothing
        sent, an unknown probe, no handler), and TimeoutError if an answer is not given in time.
        """
        handler = events.handler or find_handler(files)
        files = {**_packages(events.files), **files, **events.files}
        script = compile("\n" * events.line + events.script, page, "exec")
        warm, watched = self._run(files, handler, script, reuse=True)
        cold = None
        if not watched:
            cold, _ = self._run(files, handler, script, reuse=False)
        return Demonstration(warm, cold, watched)

    def _run(
        self, files: Mapping[str, str], handler: str, script: CodeType, *, reuse: bool
    ) -> tuple[Run, tuple[str, ...]]:
        self._services.reset()
        with _Player(self._zygote, self._services, files, handler, self._now, reuse) as player:
            names: dict[str, Callable[..., Any]] = {
                "send": player.send,
                "aws": self._services.client,
                "see": player.see,
                "later": player.later,
                "frozen": player.frozen,
                "watch": player.watch,
            }
            exec(script, {**names, "json": json})
        if len(player.invocations) < 2:
            raise ValueError("send at least two events: one environment is to be used twice")
        return Run(tuple(player.steps), tuple(player.invocations)), tuple(player.watched)


class _Player:
    """Runs one script once; a context manager that ends the last environment."""

    def __init__(
        self,
        zygote: Zygote,
        services: Services,
        files: Mapping[str, str],
        handler: str,
        now: float,
        reuse: bool,
    ) -> None:
        self.steps: list[Step] = []
        self.invocations: list[Invocation] = []
        self.watched: list[str] = []
        self._start = (zygote, files, handler)
        self._environ = {"AWS_ENDPOINT_URL": services.endpoint}
        self._now = now
        self._slept = 0.0
        self._travel = time_machine.travel(now, tick=False)
        self._reuse = reuse
        self._deadline = time.monotonic() + _LIMIT
        self._environment: Environment | None = None

    def __enter__(self) -> _Player:
        # The services live in this process, and what they hand out ends by its clock.
        self._travel.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._travel.stop()
        self._close()

    def send(self, event: object) -> Any:
        """Invoke the function, on a new environment if the last one is not to be reused."""
        if self._environment is None:
            self._slept = 0.0
            self._environment = Environment(
                *self._start,
                clock=self._now,
                environ=self._environ,
                memory="memory" in self.watched,
            )
        number = len(self.invocations) + 1
        # A request has the same id in both runs, so that code may well answer with it.
        done = self._environment.invoke(
            event,
            request_id=f"00000000-0000-4000-8000-{number:012}",
            clock=self._now,
            slept=self._slept,
        )
        if time.monotonic() > self._deadline:
            raise TimeoutError(f"{number} events took more than {_LIMIT:.0f} seconds")
        self.invocations.append(done)
        value = done.error or json.dumps(done.response, sort_keys=True)
        if done.effects:
            value += f", having done {', '.join(done.effects)}"
        self.steps.append(Step(f"event {number}", value, bool(done.error)))
        if not self._reuse or self._environment.ended:
            self._close()
        return done.response

    def see(self, value: object) -> None:
        """Add a value to what is compared."""
        self.steps.append(Step(f"what is seen after event {len(self.invocations)}", repr(value)))

    def later(self, **duration: float) -> None:
        """Move the clock by `timedelta(**duration)`."""
        self._now += timedelta(**duration).total_seconds()
        self._travel.stop()
        self._travel = time_machine.travel(self._now, tick=False)
        self._travel.start()

    def frozen(self, **duration: float) -> None:
        """Move the clock on while the environment, and with it `time.monotonic`, stands still.

        That is `CLOCK_MONOTONIC`, which "does not count time that the system is suspended":
        https://man7.org/linux/man-pages/man2/clock_gettime.2.html
        """
        self._slept += timedelta(**duration).total_seconds()
        self.later(**duration)

    def watch(self, probe: str) -> None:
        """Compare the values of a probe instead of the results."""
        if probe not in PROBES:
            raise ValueError(f"no probe {probe!r}; there are: {', '.join(PROBES)}")
        if self.invocations:
            raise ValueError("watch before the first event is sent")
        self.watched.append(probe)

    def _close(self) -> None:
        if self._environment is not None:
            self._environment.close()
            self._environment = None


def _packages(files: Mapping[str, str]) -> dict[str, str]:
    """Return an empty `__init__.py` for each directory of these files.

    Without one a stand-in such as `selenium/webdriver` would be a namespace package, and the real
    library would be imported wherever it is installed.
    """
    directories = {str(one) for path in files for one in PurePosixPath(path).parents}
    return {f"{one}/__init__.py": "" for one in sorted(directories - {"."})}


def find_handler(files: Mapping[str, str]) -> str:
    """Return the one handler of an example, as `module.name`; ValueError if it has none or many.

    A function or a variable of a module called `handler` or `lambda_handler` is one.
    """
    found = []
    for path, text in files.items():
        if path.endswith(".py"):
            for node in ast.parse(text, path).body:
                if isinstance(node, ast.FunctionDef):
                    names = [node.name]
                elif isinstance(node, ast.Assign):
                    names = [one.id for one in node.targets if isinstance(one, ast.Name)]
                else:
                    continue
                module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
                found += [f"{module}.{one}" for one in names if one in _HANDLERS]
    if len(set(found)) != 1:
        raise ValueError(f"say handler=module.name behind `events`; found: {sorted(set(found))}")
    return found[0]


_HANDLERS = ("handler", "lambda_handler")
# The seconds that all events of one run may take together, on a slow machine too.
_LIMIT = 60.0


def _series(probe: str, run: Run) -> list[int]:
    return [one.probes[probe] for one in run.invocations if probe in one.probes]


def _growth(probe: str, run: Run) -> str:
    """Say that a probe grows for as long as events come, or nothing.

    The first half of the events may fill what has a bound, so that only the second one counts.
    """
    series = _series(probe, run)
    if len(series) < 4:
        raise ValueError("watching needs four events or more that leave the process alive")
    half = len(series) // 2
    if series[-1] - series[half - 1] < (len(series) - half) * _LEAST.get(probe, 0.5):
        return ""
    return f"{probe} grows with every event: {_shown(series)}"


# What an event must add on average. An entry of a dictionary is more than 32 bytes, and the noise
# of an interpreter is less.
_LEAST = {"memory": 32.0}


def _shown(series: Sequence[int]) -> str:
    if len(series) > 12:
        return ", ".join(map(str, series[:6])) + " ... " + ", ".join(map(str, series[-6:]))
    return ", ".join(map(str, series))
