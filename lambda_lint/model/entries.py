"""What Lambda calls for an event: a handler, and the functions that run because of it."""

from __future__ import annotations

from dataclasses import dataclass

from lambda_lint.declaration import DURABLE, Declaration
from lambda_lint.finding import Confidence, Span, Step
from lambda_lint.model.program import Function
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Entry:
    """A function that runs for an event.

    `event` and `context` are positions among its parameters without `self`; with `event=None` all
    parameters hold event data. `step` says how the handler comes here, when it does not call it.
    `lifecycle`: it runs around the event, because the adapter starts and stops the application.
    `given` are the names of all parameters that get a value, None where that is not known.
    """

    function: Function
    event: int | None
    context: int | None
    step: Step | None = None
    lifecycle: bool = False
    given: frozenset[str] | None = None


@dataclass(frozen=True, eq=False, slots=True)
class Handler:
    """What Lambda is configured to call, as far as the code shows it."""

    path: str
    name: str
    span: Span
    evidence: tuple[str, ...]
    confidence: Confidence
    entries: tuple[Entry, ...]
    custom_resource: bool = False
    declarations: tuple[Declaration, ...] = ()
    configured: frozenset[str] = frozenset()

    @property
    def flags(self) -> frozenset[str]:
        """What is said of the functions that it is the handler of; see `declaration`.

        By descriptors, and for its file by the configuration.
        """
        declared = (flag for one in self.declarations for flag in one.flags)
        return self.configured.union(declared)

    @property
    def label(self) -> str:
        """How findings name it: `path:name`."""
        return f"{self.path}:{self.name}"

    @property
    def step(self) -> Step:
        """The first step of every witness."""
        return Step(self.path, self.span, f"`{self.name}` runs for every event")

    @property
    def is_durable(self) -> bool:
        """Whether it is run again from the start when it goes on: a durable function."""
        return DURABLE in self.flags or any(
            one.function.has_simple_decorator("durable_execution") for one in self.entries
        )

    @property
    def is_bare_coroutine(self) -> bool:
        """Whether it is a coroutine function with nothing around it that could run it."""
        for one in self.entries:
            node = one.function.node
            if one.step is None and isinstance(node, nodes.FunctionDef) and node.is_async:
                return node.name == self.name and not node.decorators
        return False
