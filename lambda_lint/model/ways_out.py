"""The ways out of a function, and in which state an object is on each of them.

One walk over the statements of a function with the set of states that the object can be in. What
cannot be decided is decided in favour of the code: a closing under a test that has nothing to do
with the object is taken to be made whenever it is needed.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from typing import Protocol

from lambda_lint.finding import Step
from lambda_lint.model.program import Function, Scope
from lambda_lint.syntax import nodes

UNMADE, OPEN, CLOSED, MAYBE = "unmade", "open", "closed", "maybe"
"""`maybe` is an object that only one branch made: later tests may fit that branch or not."""

States = frozenset[str]
_NONE: States = frozenset()


class Judge(Protocol):
    """What has to be resolved on the way."""

    def leaves(self, call: nodes.Call, scope: Scope) -> bool:
        """Whether a call ends the program."""

    def catches(self, handler: nodes.ExceptHandler, scope: Scope) -> bool:
        """Whether a handler is sure to catch what using the object may raise."""

    def suppresses(self, item: nodes.WithItem, scope: Scope) -> bool:
        """Whether leaving `with` swallows exceptions."""


@dataclass
class _Exits:
    """The states in which a block is left: by returning, by a loop's end, by raising."""

    returns: list[tuple[States, nodes.Node]] = field(default_factory=list)
    breaks: States = _NONE
    continues: States = _NONE
    raises: States = _NONE


class WaysOut:
    """The walk for one object and one local name."""

    def __init__(
        self,
        function: Function,
        name: str,
        made: nodes.Expression,
        ends: Set[nodes.Node],
        judge: Judge,
        *,
        ends_by_itself: bool = False,
    ) -> None:
        """`made` makes the object, `ends` are reads of the name that close it or hand it on.

        With `ends_by_itself` handled exceptions are no ways out.
        """
        self.function = function
        self.name = name
        self.made = made
        self.ends = ends
        self.judge = judge
        self.ends_by_itself = ends_by_itself
        self._may_raise = _may_raise

    def left_by_error_at_yield(self) -> bool:
        """Whether an error that comes in through a `yield` leaves the object open.

        The error of a `with` block is raised there in the generator of a context manager:
        https://docs.python.org/3/library/contextlib.html#contextlib.contextmanager
        """
        body = self.function.node.body if isinstance(self.function.node, nodes.FunctionDef) else []
        exits = _Exits()
        self._may_raise = lambda node: isinstance(node, nodes.Yield)
        self._block(body, frozenset({UNMADE}), exits)
        self._may_raise = _may_raise
        return OPEN in exits.raises

    def left_open(self) -> Step | None:
        """Return the first way out on which the object is open; None when there is none."""
        body = self.function.node.body if isinstance(self.function.node, nodes.FunctionDef) else []
        exits = _Exits()
        after = self._block(body, frozenset({UNMADE}), exits)
        path = self.function.module.path
        for states, node in sorted(exits.returns, key=lambda one: one[1].span):
            if OPEN in states:
                return Step(path, node.span, "returns without closing it")
        if OPEN in after:
            return Step(
                path, self.function.name_span, f"`{self.function.name}` can end without closing it"
            )
        return None

    def _block(self, body: list[nodes.Statement], states: States, exits: _Exits) -> States:
        for statement in body:
            if not states:
                break
            states = self._statement(statement, states, exits)
        return states

    def _statement(self, node: nodes.Statement, states: States, exits: _Exits) -> States:
        match node:
            case nodes.FunctionDef() | nodes.ClassDef():
                return states
            case nodes.If():
                return self._if(node, states, exits)
            case nodes.While():
                return self._while(node, states, exits)
            case nodes.For():
                states = self._event(node.iterable, states, exits)
                return self._loop(node.body, node.orelse, states, exits, may_skip=True)
            case nodes.Try():
                return self._try(node, states, exits)
            case nodes.With():
                return self._with(node, states, exits)
            case nodes.Match():
                return self._match(node, states, exits)
            case nodes.Return():
                states = self._event(node, states, exits)
                exits.returns.append((states, node))
                return _NONE
            case nodes.Raise():
                exits.raises |= states
                return _NONE
            case nodes.Simple(keyword="break"):
                exits.breaks |= states
                return _NONE
            case nodes.Simple(keyword="continue"):
                exits.continues |= states
                return _NONE
            case nodes.ExpressionStatement(value=nodes.Call() as call):
                states = self._event(node, states, exits)
                scope = self.function.module.scope_of.get(call, self.function.scope)
                return _NONE if self.judge.leaves(call, scope) else states
        return self._event(node, states, exits)

    def _event(self, node: nodes.Node, states: States, exits: _Exits) -> States:
        """What one expression or simple statement does to the object."""
        inner = list(nodes.walk(node))
        ends = any(one in self.ends for one in inner)
        if any(map(self._may_raise, inner)):
            exits.raises |= _closed(states) if ends else states
        if any(one is self.made for one in inner):
            return frozenset({OPEN}) if states else _NONE
        targets = getattr(node, "targets", ())
        if ends or any(isinstance(one, nodes.Name) and one.id == self.name for one in targets):
            return _closed(states)
        return states

    def _if(self, node: nodes.If, states: States, exits: _Exits) -> States:
        states = self._event(node.test, states, exits)
        true, false = self._narrowed(node.test, states)
        one = self._block(node.body, true, exits)
        other = self._block(node.orelse, false, exits)
        return _joined(states, one, other)

    def _match(self, node: nodes.Match, states: States, exits: _Exits) -> States:
        states = self._event(node.subject, states, exits)
        after = states
        for case in node.cases:
            after = _joined(states, after, self._block(case.body, states, exits))
        return after

    def _while(self, node: nodes.While, states: States, exits: _Exits) -> States:
        states = self._event(node.test, states, exits)
        endless = isinstance(node.test, nodes.Constant) and bool(node.test.value)
        true, _ = self._narrowed(node.test, states)
        return self._loop(node.body, node.orelse, true, exits, may_skip=not endless)

    def _loop(
        self,
        body: list[nodes.Statement],
        orelse: list[nodes.Statement],
        states: States,
        exits: _Exits,
        *,
        may_skip: bool,
    ) -> States:
        inner = _Exits()
        once = self._block(body, states, inner)
        again = states | once | inner.continues
        twice = self._block(body, again, inner)
        exits.returns += inner.returns
        exits.raises |= inner.raises
        if not may_skip:
            return inner.breaks
        ended = self._block(orelse, _joined(states, states, twice | inner.continues), exits)
        return _joined(states, ended, inner.breaks)

    def _try(self, node: nodes.Try, states: States, exits: _Exits) -> States:
        inner = _Exits()
        after = self._block(node.body, states, inner)
        raised, inner.raises = inner.raises, _NONE
        after = self._block(node.orelse, after, inner)
        scope = self.function.scope
        left = raised
        for handler in () if self.ends_by_itself else node.handlers:
            if raised and self.judge.catches(handler, scope):
                left = _NONE
                after |= self._block(handler.body, raised, inner)
        inner.raises |= left
        return self._finally(node.finalbody, after, inner, exits)

    def _finally(
        self, body: list[nodes.Statement], after: States, inner: _Exits, exits: _Exits
    ) -> States:
        def finished(states: States) -> States:
            return self._block(body, states, exits) if body else states

        exits.returns += [(finished(states), node) for states, node in inner.returns]
        exits.breaks |= finished(inner.breaks)
        exits.continues |= finished(inner.continues)
        exits.raises |= finished(inner.raises)
        return finished(after)

    def _with(self, node: nodes.With, states: States, exits: _Exits) -> States:
        closes = False
        suppresses = False
        for item in node.items:
            if any(one in self.ends for one in nodes.walk(item.expression)):
                closes = True
            else:
                states = self._event(item.expression, states, exits)
            suppresses = suppresses or self.judge.suppresses(item, self.function.scope)
        inner = _Exits()
        after = self._block(node.body, states, inner)
        if suppresses:
            after |= inner.raises
        if closes:
            after = _closed(after)
            inner.returns = [(_closed(one), place) for one, place in inner.returns]
            inner.breaks, inner.continues = _closed(inner.breaks), _closed(inner.continues)
            inner.raises = _closed(inner.raises)
        return self._finally([], after, inner, exits)

    def _narrowed(self, test: nodes.Expression, states: States) -> tuple[States, States]:
        """The states in which a test is true, and those in which it is false."""
        true, false = self._means(test)
        return states - true, states - false

    def _means(self, test: nodes.Expression) -> tuple[States, States]:
        """The states that cannot be where a test is true, and where it is false."""
        gone, here = frozenset({UNMADE}), frozenset({OPEN})
        match test:
            case nodes.Name(id=self.name):
                return gone, here
            case nodes.UnaryOperation(operator="not", operand=operand):
                true, false = self._means(operand)
                return false, true
            case nodes.Comparison(
                left=nodes.Name(id=self.name), operators=[how], comparators=[nodes.Constant()]
            ):
                return (gone, here) if how in ("is not", "!=") else (here, gone)
            case nodes.Comparison(
                left=nodes.Constant(value=self.name), operators=[how], comparators=[nodes.Call()]
            ):
                return (gone, here) if how == "in" else (here, gone)
            case nodes.Call(func=nodes.Attribute() as asked) | (nodes.Attribute() as asked):
                if isinstance(asked.value, nodes.Name) and asked.value.id == self.name:
                    return (here, _NONE) if "clos" in asked.attr else (gone, here)
            case nodes.BooleanOperation(operator=operator, operands=operands):
                found = [self._means(one) for one in operands]
                trues, falses = [one[0] for one in found], [one[1] for one in found]
                if operator == "and":
                    return _NONE.union(*trues), frozenset.intersection(*falses)
                return frozenset.intersection(*trues), _NONE.union(*falses)
        return _NONE, _NONE


def _joined(before: States, one: States, other: States) -> States:
    """Join two branches, of which only one is taken, by a test that is not understood."""
    if not one or not other:
        return one | other
    both = one | other
    if OPEN in both and not (OPEN in one and OPEN in other):
        if OPEN in before:
            return both - {OPEN}
        return (both - {OPEN}) | {MAYBE}
    return both


def _closed(states: States) -> States:
    return frozenset(CLOSED if one in (OPEN, MAYBE) else one for one in states)


def _may_raise(node: nodes.Node) -> bool:
    match node:
        case nodes.Call(func=nodes.Name(id=name)):
            return name not in _HARMLESS
        case nodes.Call(func=nodes.Attribute(attr=attr)):
            return attr not in _HARMLESS
        case nodes.Call() | nodes.Await() | nodes.Yield() | nodes.Assert():
            return True
    return False


_HARMLESS = frozenset(
    {
        *("print", "str", "len", "dict", "list", "int", "repr", "isinstance", "locals", "type"),
        *("info", "debug", "warning", "warn", "error", "exception", "critical", "log"),
        *("append", "extend", "get", "items", "keys", "values", "format", "join", "strip"),
        *("split", "replace", "lower", "upper", "startswith", "endswith", "update", "time"),
    }
)
"""Calls that hardly ever fail, so that no way out begins there."""
