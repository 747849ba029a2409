"""Context that an invocation sets for what it logs and reports, and that later ones still carry.

What every invocation sets anew harms nobody. It stays where only some of them do: under a test that
the event answers, or after a failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from lambda_lint.model.calls import Edge
from lambda_lint.model.constants import Constants
from lambda_lint.model.dependence import EVENT, Dependence
from lambda_lint.model.effects import Effects
from lambda_lint.model.facts import Effect
from lambda_lint.model.phases import Path
from lambda_lint.model.program import CallSite, Function, Scope
from lambda_lint.model.values import External
from lambda_lint.source import Source
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Sometimes:
    """What decides whether an invocation does something: `how` is if, unless, except or case."""

    how: str
    node: nodes.Node
    scope: Scope

    def describe(self, sources: Mapping[str, Source]) -> str:
        """Return it as the end of a sentence: "only if `test`"."""
        if self.how == "except":
            return "only after a failure"
        if self.how == "case":
            return "only in one case"
        text = " ".join(sources[self.scope.module.path].slice(self.node.span).split())
        short = f"`{text}`" if len(text) <= _MAX_TEXT else "something"
        return f"only if {short}" if self.how == "if" else f"not if {short}"


class Ambient:
    """Answers whether what a call sets is still there for an invocation that sets nothing."""

    def __init__(self, effects: Effects, constants: Constants, dependence: Dependence) -> None:
        """Take what calls leave behind, and what is the same for every event."""
        self.effects = effects
        self.calls = effects.calls
        self.phases = effects.phases
        self.constants = constants
        self.dependence = dependence

    def stays(
        self, site: CallSite, externals: Sequence[External], effect: Effect, way: Path
    ) -> Sometimes | None:
        """Return when it is set, if it stays although only some invocations set it."""
        if effect.in_context and self._has_own_context(site, way):
            return None
        if self._is_kept_apart(site, effect):
            return None
        if self._is_plain(site.node, site.scope) and self._always_runs(site.function):
            return None
        when = self._sometimes(site, way)
        if when is None or (effect.kind == "level" and not self._is_of_event(when)):
            return None
        if any(self._sets_same(site, other, externals) for other in self._others(site)):
            return None
        if any(self._is_told_by(one, site, externals, when) for one in site.function.calls):
            return None
        return when

    def _is_told_by(
        self, other: CallSite, site: CallSite, externals: Sequence[External], when: Sometimes
    ) -> bool:
        """Whether a call above sets more of the same under the same test."""
        if other.span >= site.span or _receiver(other.node) != _receiver(site.node):
            return False
        names = {one.name for one in self.calls.externals.get(other, ())}
        if not names & {one.name for one in externals}:
            return False
        above = next(self._deciding(other.node, other.scope), None)
        return above is not None and above.node is when.node

    def _has_own_context(self, site: CallSite, way: Path) -> bool:
        """Whether it runs in a task or thread, whose context ends with it."""
        functions = [site.function, way.entry.function, *(one.callee for one in way.edges)]
        if any(isinstance(one.node, nodes.FunctionDef) and one.node.is_async for one in functions):
            return True
        if any(self._is_elsewhere(one) for one in way.edges):
            return True
        # An ASGI adapter runs the application in a task.
        module = self.calls.modules.get(way.handler.path)
        return module is not None and any(
            one.module.startswith("mangum")
            for bindings in module.scope.bindings.values()
            for one in bindings
        )

    def _is_elsewhere(self, edge: Edge) -> bool:
        """Whether a library runs the callee in a thread, a process or a task of its own."""
        externals = self.calls.externals.get(edge.site, ()) if edge.site is not None else ()
        runners = [self.calls.evaluator.knowledge.runner(one.name) for one in externals]
        return any(
            one is not None and (one.where != "here" or one.loop or one.takes == "coroutine")
            for one in runners
        )

    def _is_kept_apart(self, site: CallSite, effect: Effect) -> bool:
        """Whether a decorator of the handler, or an integration, sees to it."""
        if effect.unless_calls and any(
            one.name in effect.unless_calls
            for externals in self.calls.externals.values()
            for one in externals
        ):
            return True
        if not effect.undo_arguments:
            return False
        functions = self.effects.reached_with(site.function)
        decorators = [
            decorator
            for function in functions
            for one in (function, *function.nested, *self.calls.wrappers(function))
            for decorator in one.decorators
        ]
        made = [other.node for function in functions for other in function.calls]
        around = {function.module for function in functions}
        made += [other.node for module in around for other in module.code.calls]
        return any(
            argument.name in effect.undo_arguments and _is_on(argument.value)
            for call in (*decorators, *made)
            if isinstance(call, nodes.Call)
            for argument in call.arguments
        )

    # Whether only some invocations do it.

    def _sometimes(self, site: CallSite, way: Path) -> Sometimes | None:
        places: list[tuple[nodes.Node, Scope]] = [(site.node, site.scope)]
        places += [(edge.node, edge.scope) for edge in reversed(way.edges)]
        for node, scope in places:
            found = next(self._deciding(node, scope), None)
            if found is not None:
                return found
        return None

    def _is_plain(self, node: nodes.Node, scope: Scope) -> bool:
        """Whether no test of its function decides about it."""
        return next(self._deciding(node, scope), None) is None

    def _always_runs(self, function: Function, depth: int = 0) -> bool:
        """Whether one of the ways to a helper is taken for every event, whatever others are."""
        if any(
            entry.function is function and not entry.lifecycle
            for handler in self.phases.handlers
            for entry in handler.entries
        ):
            return True
        return depth < _MAX_CALLS and any(
            self._is_plain(edge.node, edge.scope) and self._always_runs(edge.caller, depth + 1)
            for edge in self.calls.into.get(function, ())
            if not edge.caller.is_module
        )

    def _deciding(self, node: nodes.Node, scope: Scope) -> Iterator[Sometimes]:
        module = scope.module
        for child, parent in module.ancestors(node):
            match parent:
                case nodes.If(test=test) | nodes.Conditional(test=test) if child is not test:
                    if self._is_open(test, scope):
                        body = parent.body if isinstance(parent, nodes.If) else [parent.body]
                        yield Sometimes("if" if child in body else "unless", test, scope)
                case nodes.ExceptHandler():
                    yield Sometimes("except", parent, scope)
                case nodes.Case():
                    yield Sometimes("case", parent, scope)
                case nodes.Lambda() | nodes.FunctionDef() | nodes.ClassDef():
                    return

    def _is_open(self, test: nodes.Expression, scope: Scope) -> bool:
        """Whether a test may be answered differently for the next event."""
        if self.phases.guards.decisions.of(test, scope.module) is not None:
            return False
        return not self.constants.is_fixed(test, scope)

    def _complements(self, site: CallSite, other: CallSite) -> bool:
        """Whether another call is made whenever the test around the first one is the other way."""
        if site.module is not other.module:
            return False
        mine = {parent: child for child, parent in site.module.ancestors(site.node)}
        for child, parent in other.module.ancestors(other.node):
            match parent:
                case nodes.If(test=test) if child is not test:
                    if parent in mine:
                        branch = mine[parent]
                        return (branch in parent.body) != (child in parent.body)
                    if self._is_open(test, other.scope):
                        return False
                case nodes.ExceptHandler() | nodes.Case():
                    return False
        return False

    def _is_of_event(self, when: Sometimes) -> bool:
        test = when.node
        return isinstance(test, nodes.Expression) and EVENT in self.dependence.of(test, when.scope)

    # Whether somebody sets it for every event.

    def _others(self, site: CallSite) -> Iterator[CallSite]:
        for function in self.effects.reached_with(site.function):
            for other in function.calls:
                if other.node is not site.node:
                    yield other

    def _sets_same(self, site: CallSite, other: CallSite, externals: Sequence[External]) -> bool:
        """Whether another call sets the same on all ways, or on the other way of the test."""
        theirs = self.calls.externals.get(other, ())
        names = {one.name for one in externals}
        if not names & {one.name for one in theirs}:
            return False
        mine, others = _receiver(site.node), _receiver(other.node)
        if mine != others and site.function.module is other.function.module:
            return False
        if _is_empty(other.node):
            return True
        given, known = _keys(site.node), _keys(other.node)
        if given is not None and known is not None and not given <= known:
            return False
        if self._complements(site, other):
            return True
        way = self.phases.path_to(other.function)
        return way is not None and self._sometimes(other, way) is None


def _is_empty(call: nodes.Call) -> bool:
    """Whether a call sets nothing: `current.set(None)`, `set_user(None)`."""
    values = [one.value for one in call.arguments]
    return bool(values) and all(
        isinstance(one, nodes.Constant) and one.kind == "none" for one in values
    )


def _keys(call: nodes.Call) -> frozenset[str] | None:
    """Return the keys that a call sets; None when they are not all written out."""
    found: set[str] = set()
    for position, one in enumerate(call.arguments):
        if one.star:
            return None
        if one.name:
            found.add(one.name)
        elif position == 0 and len(call.arguments) > 1:
            if not (isinstance(one.value, nodes.Constant) and one.value.kind == "str"):
                return None
            found.add(str(one.value.value))
    return frozenset(found)


def _receiver(call: nodes.Call) -> str:
    """Return the last name of the object that a method is called on."""
    func = call.func
    if not isinstance(func, nodes.Attribute):
        return ""
    inner = func.value
    return inner.attr if isinstance(inner, nodes.Attribute) else getattr(inner, "id", "")


def _is_on(value: nodes.Expression) -> bool:
    return not (isinstance(value, nodes.Constant) and not value.value)


_MAX_CALLS = 4
"""How many calls above a helper are looked at."""

_MAX_TEXT = 60
"""Longer tests are not quoted in messages."""
