"""What forgets: places that running a block empties, whatever else happens in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lambda_lint.model.places import Place, Places
from lambda_lint.model.program import Function, Scope
from lambda_lint.model.questions import always_leaves, is_empty
from lambda_lint.model.values import FunctionValue
from lambda_lint.syntax import nodes

_MAX_CALLS = 4
"""How many calls deep a reset counts as made by a call."""


class Resets:
    """Finds the places that certainly are emptied."""

    def __init__(self, places: Places, remembers: Callable[[Function], Iterator[Place]]) -> None:
        """Take the places, and what says where a memoised function keeps its results."""
        self.places = places
        self.evaluator = places.evaluator
        self._remembers = remembers
        #: What running a function empties, by how many calls deep it is.
        self._by_function: dict[tuple[Function, int], tuple[Place, ...]] = {}

    def by(self, functions: Sequence[Function]) -> frozenset[Place]:
        """Return the places that each run of these functions empties, whatever happens in it."""
        return frozenset(
            place
            for function in functions
            if isinstance(function.node, nodes.FunctionDef)
            for place in self.in_block(function.node.body, function.scope, 0)
        )

    def in_block(
        self, block: Sequence[nodes.Statement], scope: Scope, depth: int = 0
    ) -> Iterator[Place]:
        """Yield the places that running the statements empties, by calls as well."""
        for statement in block:
            match statement:
                case nodes.Assign() if is_empty(statement.value):
                    yield from self._rebound(statement.targets, scope)
                case nodes.AnnotatedAssign() if is_empty(statement.value):
                    yield from self._rebound([statement.target], scope)
                case nodes.Delete(targets=targets):
                    yield from self._rebound(targets, scope)
                case nodes.ExpressionStatement(value=nodes.Call() as call):
                    yield from self._by_call(call, scope, depth)
                case nodes.With(body=body):
                    yield from self.in_block(body, scope, depth)
                case nodes.Try(body=body, finalbody=final):
                    yield from self.in_block(body, scope, depth)
                    yield from self.in_block(final, scope, depth)
                case _ if always_leaves(statement):
                    return

    def _rebound(self, targets: Sequence[nodes.Expression], scope: Scope) -> Iterator[Place]:
        for target in targets:
            if not isinstance(target, nodes.Subscript):
                place = self.places.written(target, scope)
                if place is not None:
                    yield place

    def _by_call(self, call: nodes.Call, scope: Scope, depth: int) -> Iterator[Place]:
        if isinstance(call.func, nodes.Attribute) and not call.arguments:
            if call.func.attr == "cache_clear":
                for value in self.evaluator.evaluate(call.func.value, scope):
                    if isinstance(value, FunctionValue):
                        yield from self._remembers(value.function)
            elif call.func.attr == "clear":
                place = self.places.of(call.func.value, scope)
                if place is not None:
                    yield place
        values = self.evaluator.evaluate(call.func, scope)
        if depth < _MAX_CALLS and len(values) == 1 and isinstance(values[0], FunctionValue):
            function = values[0].function
            if isinstance(function.node, nodes.FunctionDef):
                yield from self._by_running(function, function.node.body, depth + 1)

    def _by_running(
        self, function: Function, body: Sequence[nodes.Statement], depth: int
    ) -> tuple[Place, ...]:
        key = (function, depth)
        if key not in self._by_function:
            found = dict.fromkeys(self.in_block(body, function.scope, depth))
            self._by_function[key] = tuple(found)
        return self._by_function[key]
