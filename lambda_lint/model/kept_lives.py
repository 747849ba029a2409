"""Whether anything ends the life of a value that is kept: a time, a refresh, somebody who forgets.

A test that speaks of time in front of where it is kept, a store by another invocation, a cache with
a lifetime. Each of these is recognised by how it is written, and a doubt speaks for the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from lambda_lint.finding import Span
from lambda_lint.model.calls import Edge
from lambda_lint.model.guards import Guard
from lambda_lint.model.knowledge import Knowledge
from lambda_lint.model.lasting import Lasting
from lambda_lint.model.phases import Phase, Phases
from lambda_lint.model.places import Place
from lambda_lint.model.program import Function, Scope
from lambda_lint.model.questions import blocks, leaves
from lambda_lint.model.touches import CHANGE, CLEAR, DRAIN, WRITE, Touch, Touches
from lambda_lint.model.values import DisplayValue, External, FunctionValue
from lambda_lint.syntax import nodes


class Lives:
    """Answers how long what is kept stays where it is."""

    def __init__(self, phases: Phases, lasting: Lasting, knowledge: Knowledge) -> None:
        """Take the finished phases, and what finds spots."""
        self.phases = phases
        self.calls = phases.calls
        self.evaluator = phases.calls.evaluator
        self.lasting = lasting
        self.knowledge = knowledge
        self._touches: dict[Place, list[tuple[Touch, Phase]]] | None = None

    def ends(self, place: Place | None, how: str, scope: Scope, span: Span) -> bool:
        """Whether anybody takes a value away again, or looks how old it is.

        `span` is the statement that puts it there, `how` as in `Kept`.
        """
        if place is None:
            return False
        for touch, phase in self._changes_of(place):
            function = touch.scope.function
            if function.is_module or _contains(span, touch) or phase is Phase.NEVER:
                continue
            if phase is Phase.INVOKE:
                return True
            if how == "variable" and phase is not Phase.INIT:
                return True
            if function is not scope.function and self._looks_at_time(function):
                # Fetched again where it is used: `if now() > self.expires: self.client = …`.
                return True
        if how == "variable":
            return False
        writer = scope.function
        if self._looks_at_time(writer):
            return True
        # Where the function has the memo itself, tests of its callers are about something else.
        is_inside = self.phases.of_function(writer) is Phase.INVOKE
        return not is_inside and self._is_asked_for_when_old(writer)

    def _is_asked_for_when_old(self, writer: Function) -> bool:
        """Whether a test of the time stands in front of a call that leads to the writer."""
        around = {writer}
        for _ in range(2):
            edges = [edge for one in around for edge in self.calls.into.get(one, ())]
            if any(self._comes_after_time(edge) for edge in edges):
                return True
            around |= {edge.caller for edge in edges}
        return False

    def _comes_after_time(self, edge: Edge) -> bool:
        for child, parent in edge.scope.module.ancestors(edge.node):
            test = getattr(parent, "test", None)
            if test is not None and child is not test and _speaks_of_time(test):
                return True
            if isinstance(parent, (nodes.Comparison, nodes.BooleanOperation)) and (
                _speaks_of_time(parent)
            ):
                return True
            for block in blocks(parent):
                if child in block and any(
                    isinstance(one, nodes.If) and leaves(one.body) and _speaks_of_time(one.test)
                    for one in block[: block.index(child)]
                ):
                    return True
        return False

    def _changes_of(self, place: Place) -> list[tuple[Touch, Phase]]:
        if self._touches is None:
            self._touches = {}
            touches = Touches(self.lasting)
            for function in self.calls.functions():
                found = [
                    one
                    for target, statement, scope in function.stores
                    for one in touches.of_store(target, statement, scope)
                ]
                found += [
                    one for site in function.calls for one in touches.of_call(site.node, site.scope)
                ]
                for one in found:
                    if one.kind in (WRITE, CHANGE, CLEAR, DRAIN):
                        phase = self.phases.of_node(one.node, one.scope)
                        self._touches.setdefault(one.spot.root, []).append((one, phase))
        return self._touches.get(place, [])

    def _looks_at_time(self, function: Function) -> bool:
        """Whether a test of the function speaks of time, age, or of being told to refresh."""
        for node in nodes.walk(function.node):
            match node:
                case nodes.If(test=test) | nodes.While(test=test) | nodes.Conditional(test=test):
                    if _speaks_of_time(test):
                        return True
                case nodes.Comparison() | nodes.BooleanOperation():
                    if _speaks_of_time(node):
                        return True
        return False

    def forgets(self, guard: Guard, function: Function) -> bool:
        """Whether the cache around a function forgets after a time, or is told to."""
        decorator = next((one for one in function.decorators if one.span == guard.span), None)
        scope = function.definition_scope
        if decorator is None or scope is None:
            return True
        if any(_TIME.search(one.name) for one in function.parameters):
            # `get_secret(name, ttl_hash=None)`: the caller changes the key from time to time.
            return True
        called = decorator.func if isinstance(decorator, nodes.Call) else decorator
        arguments = decorator.arguments if isinstance(decorator, nodes.Call) else []
        for one in self.evaluator.evaluate(called, scope):
            if isinstance(one, External):
                memo = self.knowledge.cache_decorator(one.name)
                if memo is None or memo.store == "disk" or "ttl" in one.name:
                    return True
                if any(two.name in memo.ttl_arguments for two in arguments):
                    return True
                if memo.store == "argument" and not self._is_plain_store(arguments, scope):
                    return True
            elif isinstance(one, FunctionValue):
                if any(self._looks_at_time(two) for two in (one.function, *_within(one.function))):
                    return True
            else:
                return True
        return any(
            node.attr in ("cache_clear", "cache_pop", "cache_invalidate")
            and _last_name(node.value) == function.name
            for other in self.calls.functions()
            if self.phases.of_function(other) in (Phase.INVOKE, Phase.ONCE)
            for node, _ in other.attribute_loads
        )

    def _is_plain_store(self, arguments: Sequence[nodes.Argument], scope: Scope) -> bool:
        """Whether `@cached(cache={})` is given something that forgets nothing for its age."""
        given = next((one.value for one in arguments if one.name in ("cache", None)), None)
        values = self.evaluator.evaluate(given, scope) if given is not None else ()
        return bool(values) and all(
            isinstance(one, DisplayValue)
            or (isinstance(one, External) and one.name.endswith(("LRUCache()", ".Cache()")))
            for one in values
        )


def _speaks_of_time(test: nodes.Expression) -> bool:
    for one in nodes.walk(test):
        match one:
            case nodes.Name(id=name) | nodes.Attribute(attr=name):
                if _TIME.search(name):
                    return True
            case nodes.Constant(kind="str", value=str(text)):
                if _TIME.search(text):
                    return True
    return False


def _last_name(node: nodes.Expression) -> str:
    return node.attr if isinstance(node, nodes.Attribute) else getattr(node, "id", "")


def _within(function: Function) -> Iterator[Function]:
    for one in function.nested:
        yield one
        yield from _within(one)


def _contains(span: Span, touch: Touch) -> bool:
    inner = touch.node.span
    return (span.line, span.column) <= (inner.line, inner.column) and (
        inner.end_line,
        inner.end_column,
    ) <= (span.end_line, span.end_column)


_TIME = re.compile(
    r"expir|ttl|max_?age|stale|refresh|rotat|fresh|timestamp|monotonic|utcnow|\bnow\b|^time$"
    r"|elapsed|_age\b|^age$|force|reload|renew|fetched_at|loaded_at|cached_at|last_|valid_until"
    r"|is_valid|still_valid|cache_valid|lifetime|until",
    re.IGNORECASE,
)
"""Names in tests and parameters by which values are told to be too old."""
