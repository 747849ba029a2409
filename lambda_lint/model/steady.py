"""Changes that each invocation makes in the same way, so that none can tell another one's.

`options["STAGE"] = os.environ["STAGE"]`, whatever the event is: what an earlier invocation left is
what this one writes. Where anything may keep an invocation from it, the answer is no.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.model.constants import Constants
from lambda_lint.model.dependence import EVENT, Dependence
from lambda_lint.model.phases import Phase, Phases
from lambda_lint.model.program import Function, Scope
from lambda_lint.model.questions import blocks
from lambda_lint.model.touches import WRITE, Touch
from lambda_lint.syntax import nodes


class Steady:
    """Finds such changes."""

    def __init__(self, phases: Phases, dependence: Dependence, constants: Constants) -> None:
        """Take the finished phases and dependences, and what is the same for every event."""
        self.phases = phases
        self.calls = phases.calls
        self.dependence = dependence
        self.constants = constants
        self._always: dict[Function, bool] = {}

    def is_steady(self, touch: Touch) -> bool:
        """Whether all invocations write the same, which is no literal, and nothing decides it.

        A literal in place of another one is there to be seen: `answer["statusCode"] = 500`.
        """
        value = touch.value
        if touch.kind != WRITE or touch.how == "own" or value is None:
            return False
        if all(not isinstance(one, _VARIABLE) for one in nodes.walk(value)):
            return False
        return (
            self.constants.is_fixed(value, touch.scope)
            and EVENT not in self.dependence.of(value, touch.scope)
            and self._is_always_reached(touch.node, touch.scope)
            and self._is_always_run(touch.function)
        )

    def _is_always_run(self, function: Function) -> bool:
        """Whether every way to a function leads there for each event. Recursion does not."""
        if function not in self._always:
            self._always[function] = False
            self._always[function] = self._find_always_run(function)
        return self._always[function]

    def _find_always_run(self, function: Function) -> bool:
        for handler in self.phases.handlers_of(function):
            entries = [one.function for one in handler.entries if not one.lifecycle]
            if len(entries) > 1 and function in entries:
                # Of several routes, one runs for an event.
                return False
        edges = [
            one
            for one in self.calls.into.get(function, ())
            if self.phases.of_function(one.caller) is Phase.INVOKE
        ]
        return all(
            one.kind in ("call", "method", "init")
            and self._is_always_reached(one.node, one.scope)
            and self._is_always_run(one.caller)
            for one in edges
        )

    def _is_always_reached(self, node: nodes.Node, scope: Scope) -> bool:
        """Whether a function comes to a node, unless something fails whatever the event is."""
        for child, parent in scope.module.ancestors(node):
            if isinstance(parent, _DECIDING) and child is not getattr(parent, "test", None):
                return False
            if isinstance(parent, nodes.For) and child is not parent.iterable:
                return False
            is_tried = isinstance(parent, nodes.Try) and bool(parent.handlers)
            for before in _before(child, parent):
                for one in nodes.walk(before):
                    if isinstance(one, _LEAVING):
                        return False
                    if is_tried and isinstance(one, nodes.Call):
                        inner = scope.module.scope_of.get(one, scope)
                        if EVENT in self.dependence.of(one, inner):
                            return False
        return True


def _before(child: nodes.Node, parent: nodes.Node) -> Iterator[nodes.Node]:
    """Yield the statements of its block that stand before one, and a `try` before its `else`."""
    for block in blocks(parent):
        if child in block:
            yield from block[: block.index(child)]
            if isinstance(parent, nodes.Try) and block is parent.orelse:
                yield from parent.body


_DECIDING = (
    *(nodes.If, nodes.While, nodes.Case, nodes.ExceptHandler, nodes.Conditional, nodes.Lambda),
    *(nodes.BooleanOperation, nodes.Comprehension),
)
"""What decides whether its parts are run."""

_LEAVING = (nodes.Return, nodes.Raise, nodes.Simple)
"""Statements that may lead past what follows; `pass` does not, and hardly stands there."""

_VARIABLE = (nodes.Name, nodes.Attribute, nodes.Call)
