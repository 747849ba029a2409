"""What requests do to each other when one process serves several of them at the same time.

Lambda gives an environment one event at a time, except to web functions, and to a server behind the
web adapter on managed instances.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from lambda_lint.model.dependence import EVENT
from lambda_lint.model.entries import Handler
from lambda_lint.model.lasting import ANY
from lambda_lint.model.phases import Path, Phase, Phases
from lambda_lint.model.program import CallSite, Function, Scope
from lambda_lint.model.sightings import Sighting
from lambda_lint.model.state import State
from lambda_lint.model.touches import WRITE, Touch
from lambda_lint.model.values import External
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Race(Sighting):
    """`kind` is data (of one request, where others see it) or memo (filled by two at a time)."""

    kind: str
    shown: str


class Races:
    """Finds them."""

    def __init__(self, phases: Phases, serves: Callable[[Sequence[Handler]], bool]) -> None:
        """Take the phases; `serves` says whether handlers have several requests at a time."""
        self.phases = phases
        self.evaluator = phases.calls.evaluator
        self.serves = serves

    def of_states(self, states: Iterable[State]) -> Iterator[Race]:
        """Yield variables that hold data of a request while others are served."""
        for state in states:
            if not state.is_read or state.is_cache or self._is_local(state):
                continue
            for change in state.changes:
                touch = change.touch
                if touch.kind != WRITE or EVENT not in change.depends_on or ANY in touch.spot.path:
                    continue
                found = self._found(touch.node, touch.scope, "data", touch.spot.describe())
                if found is not None and self._may_be_seen(touch):
                    yield found
                    break

    def of_clients(self, made: Iterable[tuple[CallSite, str]]) -> Iterator[Race]:
        """Yield memos that make a client, whose making must not happen twice at a time."""
        for site, shown in made:
            if self.phases.of_node(site.node, site.scope) is not Phase.ONCE:
                continue
            guard = self.phases.holding(site.node, site.scope)
            if guard is None or guard.kind == "decorator":
                continue
            found = self._found(site.node, site.scope, "memo", shown)
            path = self.phases.path_to(site.function)
            if found is not None and path is not None and not _is_async(path.entry.function):
                yield found

    def _found(self, node: nodes.Node, scope: Scope, kind: str, shown: str) -> Race | None:
        path = self.phases.path_to(scope.function)
        if path is None or self._is_locked(node, scope, path):
            return None
        handlers = tuple(self.phases.handlers_of(scope.function))
        if not self.serves(handlers):
            return None
        way = self.phases.witness(path)
        return Race(scope.module.path, node.span, way, handlers, kind, shown)

    def _may_be_seen(self, touch: Touch) -> bool:
        """Whether another request can run before this one is done: in a thread, or at an await."""
        path = self.phases.path_to(touch.function)
        if path is None or not _is_async(path.entry.function):
            return True
        functions = [path.entry.function, touch.function, *(one.callee for one in path.edges)]
        return any(
            isinstance(one, nodes.Await) for each in functions for one in nodes.walk(each.node)
        )

    def _is_locked(self, node: nodes.Node, scope: Scope, path: Path) -> bool:
        places = [(node, scope), *((edge.node, edge.scope) for edge in path.edges)]
        return any(
            self._is_lock(item.expression, where)
            for place, where in places
            for _, parent in where.module.ancestors(place)
            if isinstance(parent, nodes.With)
            for item in parent.items
        )

    def _is_lock(self, value: nodes.Expression, scope: Scope) -> bool:
        named = value.attr if isinstance(value, nodes.Attribute) else getattr(value, "id", "")
        return "lock" in named.lower() or any(
            isinstance(one, External) and one.name.endswith(("Lock()", "Semaphore()"))
            for one in self.evaluator.evaluate(value, scope)
        )

    def _is_local(self, state: State) -> bool:
        """Whether each thread or task has its own: `threading.local()`."""
        return any(
            isinstance(one, External) and one.name in _LOCAL
            for binding in state.initial
            if binding.value is not None
            for one in self.evaluator.evaluate(binding.value, binding.scope)
        )


def _is_async(function: Function) -> bool:
    return isinstance(function.node, nodes.FunctionDef) and function.node.is_async


_LOCAL = ("threading.local()", "contextvars.ContextVar()", "asgiref.local.Local()")
