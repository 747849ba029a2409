"""What invocations change of what outlives them, and what memos are filled with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.calls import CallGraph
from lambda_lint.model.dependence import EVENT, Dependence
from lambda_lint.model.entries import Handler
from lambda_lint.model.flow import call_may_raise
from lambda_lint.model.lasting import ANY, Lasting, Spot
from lambda_lint.model.phases import Path, Phase, Phases
from lambda_lint.model.places import Place
from lambda_lint.model.program import Binding, Function, Scope
from lambda_lint.model.steady import Steady
from lambda_lint.model.touches import CHANGE, CLEAR, WRITE, Touch, Touches
from lambda_lint.model.values import External
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Change:
    """Something that an invocation writes into a place, and what that depends on.

    `touch` stands in the function that does it; `spot` is what it changes there, which for a
    parameter is what the caller gave.
    """

    touch: Touch
    spot: Spot
    depends_on: frozenset[str]
    #: Whether the value is a literal.
    is_constant: bool
    #: Whether a test of the event's data decides whether it is made.
    is_chosen: bool = False
    #: Whether the same function takes it back at the end, unless something fails in between.
    is_taken_back: bool = False
    #: Whether each invocation writes the same there, a setting of the environment for example.
    is_steady: bool = False


@dataclass(frozen=True, slots=True)
class Fill:
    """A memo that is filled from data of the invocation that happens to come first."""

    touch: Touch
    spot: Spot
    path: Path
    handlers: tuple[Handler, ...]


class Changes:
    """Finds the changes of a project, once."""

    def __init__(
        self, phases: Phases, dependence: Dependence, lasting: Lasting, touches: Touches
    ) -> None:
        """Take the finished phases and dependences, and what finds spots and touches."""
        self.phases = phases
        self.calls: CallGraph = phases.calls
        self.dependence = dependence
        self.lasting = lasting
        self.touches = touches
        self._steady = Steady(phases, dependence, lasting.constants)
        #: What memos fill.
        self.memos: set[Spot] = set()
        self._fills: list[Touch] = []
        self._compared: dict[tuple[Function, Scope], frozenset[Place]] = {}
        #: What invocations change.
        self.found = self._find()

    @property
    def filling(self) -> tuple[Touch, ...]:
        """What fills memos."""
        return tuple(self._fills)

    def fills(self) -> Iterator[Fill]:
        """Yield memos without a key that keep what one invocation's own data made."""
        for touch in self._fills:
            if touch.spot.root.kind == "parameter" or touch.value is None:
                continue
            if touch.kind != WRITE or ANY in touch.spot.path or touch.how == "own":
                continue
            if not self._is_of_event(touch.value, touch.scope):
                continue
            path = self.phases.path_to(touch.function)
            if path is not None and not self._is_compared(touch):
                handlers = tuple(self.phases.handlers_of(touch.function))
                yield Fill(touch, touch.spot, path, handlers)

    def _is_of_event(self, value: nodes.Expression, scope: Scope) -> bool:
        """Whether a library's object, or what is kept, is made right from the event."""
        if not isinstance(value, nodes.Call):
            while isinstance(value, (nodes.Subscript, nodes.Attribute)):
                value = value.value
            return isinstance(value, nodes.Name) and (
                self.dependence.given.get((scope.function, value.id)) == EVENT
            )
        names = self.calls.evaluator.evaluate(value.func, scope)
        knowledge = self.calls.evaluator.knowledge
        if any(isinstance(one, External) and knowledge.constructor(one.name) for one in names):
            return any(EVENT in self._depends(one.value, scope) for one in value.arguments)
        return any(
            self.dependence.given.get((scope.function, one.id)) == EVENT
            for argument in value.arguments
            for one in nodes.walk(argument.value)
            if isinstance(one, nodes.Name)
        )

    def _is_compared(self, touch: Touch) -> bool:
        """Whether a test that asks the memo compares what is kept with the invocation's data."""
        key = (touch.function, touch.scope)
        found = self._compared.get(key)
        if found is None:
            found = self._compared[key] = frozenset(self._compared_in(touch.function, touch.scope))
        return touch.spot.root in found

    def _compared_in(self, function: Function, scope: Scope) -> Iterator[Place]:
        """Yield what is asked in the tests of a function that look at the data, too."""
        for one in nodes.walk(function.node):
            if not isinstance(one, (nodes.If, nodes.While, nodes.Conditional)):
                continue
            asked = self._asked_in(one.test, scope)
            if not asked:
                continue
            for two in nodes.walk(one.test):
                if self._compares(two, scope):
                    comparison = isinstance(two, nodes.Comparison)
                    yield from asked if comparison else self._asked_in(two, scope)

    def _asked_in(self, test: nodes.Node, scope: Scope) -> set[Place]:
        found = (self._asked(one, scope) for one in nodes.walk(test))
        return {one.root for one in found if one is not None}

    def _compares(self, node: nodes.Node, scope: Scope) -> bool:
        """Whether data of the event is compared with more than a text of the program."""
        if isinstance(node, nodes.Call):
            return EVENT in self._depends(node, scope)
        if not isinstance(node, nodes.Comparison):
            return False
        sides = (node.left, *node.comparators)
        if any(isinstance(one, nodes.Constant) for one in sides):
            return False
        return any(EVENT in self._depends(one, scope) for one in sides)

    def _asked(self, node: nodes.Node, scope: Scope) -> Spot | None:
        if not isinstance(node, (nodes.Name, nodes.Attribute, nodes.Subscript)):
            return None
        return self.lasting.of(node, scope)

    def _find(self) -> list[Change]:
        found: list[Change] = []
        on_parameters: dict[tuple[Function, str], list[Touch]] = {}
        for function in self.calls.functions():
            if self.phases.of_function(function) is not Phase.INVOKE:
                continue
            taken_back = self._taken_back_in(function)
            for touch in self._changed_in(function):
                if touch.node in taken_back:
                    found.append(replace(self._change(touch, touch.spot), is_taken_back=True))
                    continue
                phase = self.phases.of_node(touch.node, touch.scope)
                if self._is_told_anew(touch):
                    phase = Phase.INVOKE
                elif phase is Phase.ONCE or self._is_memo(touch):
                    self.memos.add(touch.spot)
                    self._fills.append(touch)
                    continue
                if phase is not Phase.INVOKE:
                    continue
                if self._is_table_of_import(touch):
                    continue
                if touch.kind == WRITE and self._is_compared(touch):
                    # Made anew when the data is another: the memo's key is compared.
                    self.memos.add(touch.spot)
                    continue
                if touch.spot.root.kind == "parameter":
                    owner = touch.spot.root.owner
                    if isinstance(owner, Function) and (touch.kind == CHANGE or touch.spot.path):
                        on_parameters.setdefault((owner, touch.spot.root.name), []).append(touch)
                else:
                    found.append(self._change(touch, touch.spot))
        found += self._given(on_parameters)
        return found

    def _taken_back_in(self, function: Function) -> frozenset[nodes.Node]:
        """Return where a flag is set that the function sets back, but not after a failure.

        `busy = True`, calls, `busy = False`, and no `finally`.
        """
        flags = [
            touch
            for target, place, scope in function.stores
            if isinstance(getattr(place, "value", None), nodes.Constant)
            for touch in self.touches.of_store(target, place, scope)
            if not touch.spot.path and touch.spot.root.kind in ("global", "class", "instance")
        ]
        found: set[nodes.Node] = set()
        for one in flags:
            back = [two for two in flags if two.spot == one.spot and two.kind == CLEAR]
            if one.kind != WRITE or not back or not all(map(self._is_plainly_made, back)):
                continue
            last = max(two.node.span for two in back)
            if any(
                one.node.span < site.node.span < last
                and call_may_raise(site.node)
                and self._leaves_failing(site.node, site.scope)
                for site in function.calls
            ):
                found.add(one.node)
        return frozenset(found)

    def _leaves_failing(self, node: nodes.Node, scope: Scope) -> bool:
        """Whether an exception that a call raises is not handled in its function."""
        for child, parent in scope.module.ancestors(node):
            if isinstance(parent, nodes.Try) and parent.handlers and child in parent.body:
                return False
        return True

    def _is_plainly_made(self, touch: Touch) -> bool:
        """Whether an exception leaves something out: it stands in no `finally` nor `except`."""
        for child, parent in touch.scope.module.ancestors(touch.node):
            if isinstance(parent, nodes.ExceptHandler):
                return False
            if isinstance(parent, nodes.Try) and (child in parent.finalbody or parent.handlers):
                return False
        return True

    def _changed_in(self, function: Function) -> Iterator[Touch]:
        for target, place, scope in function.stores:
            if isinstance(place, (nodes.For, nodes.Clause, nodes.WithItem)) and isinstance(
                target, nodes.Name
            ):
                continue
            for touch in self.touches.of_store(target, place, scope):
                if touch.kind in (WRITE, CHANGE):
                    yield touch
        for site in function.calls:
            for touch in self.touches.of_call(site.node, site.scope):
                if touch.kind in (WRITE, CHANGE):
                    yield touch

    def _given(self, on_parameters: dict[tuple[Function, str], list[Touch]]) -> Iterator[Change]:
        """Yield what helpers change in what they are given."""
        pending = list(on_parameters.items())
        seen = set(on_parameters)
        while pending:
            (function, name), touches = pending.pop()
            for site, skip_first in self.calls.argument_sites(function):
                if self.phases.of_node(site.node, site.scope) is not Phase.INVOKE:
                    continue
                given = bind_arguments(site.node, function, skip_first).get(name)
                spot = self.lasting.of(given, site.scope) if given is not None else None
                if spot is None:
                    continue
                owner = spot.root.owner
                if spot.root.kind == "parameter" and isinstance(owner, Function):
                    if (owner, spot.root.name) not in seen and not spot.path:
                        seen.add((owner, spot.root.name))
                        pending.append(((owner, spot.root.name), touches))
                    continue
                for touch in touches:
                    whole = Spot(spot.root, (*spot.path, *touch.spot.path)[:4])
                    yield self._change(touch, whole)

    def _change(self, touch: Touch, spot: Spot) -> Change:
        depends: frozenset[str] = frozenset()
        if touch.value is not None:
            # What was there before makes no difference by itself.
            depends = self._depends(touch.value, touch.scope, but=touch.spot.root)
        return Change(
            *(touch, spot, depends, _is_literal(touch.value), self._is_chosen(touch)),
            is_steady=bool(spot.path) and self._steady.is_steady(touch),
        )

    def _is_chosen(self, touch: Touch) -> bool:
        return any(
            EVENT in self._depends(parent.test, touch.scope)
            for child, parent in touch.scope.module.ancestors(touch.node)
            if isinstance(parent, nodes.If) and child is not parent.test
        )

    def _depends(
        self, value: nodes.Expression, scope: Scope, but: Place | None = None
    ) -> frozenset[str]:
        """Return what a value depends on by way of locals, parameters, and the current request.

        What modules and objects hold may have come from anywhere, which says too little.
        """
        found: set[str] = set()
        for one in nodes.walk(value):
            if isinstance(one, nodes.Name):
                inner = scope.module.scope_of.get(one, scope)
                own = self.lasting.of(one, inner) if but is not None else None
                if own is not None and own.root == but:
                    continue
                owner = inner.lookup(one.id)
                if owner is None or owner.kind not in ("function", "comprehension"):
                    continue
                if not any(self._is_variable(two) for two in owner.bindings[one.id]):
                    found |= self.dependence.of(one, inner)
            elif isinstance(one, nodes.Attribute) and self.dependence.is_request(one, scope):
                found.add(EVENT)
        return frozenset(found)

    def _is_variable(self, binding: Binding) -> bool:
        """Whether a local name holds a variable of the environment."""
        value = binding.value
        called = value.func if isinstance(value, nodes.Call) else value
        if isinstance(called, nodes.Subscript):
            called = called.value
        return isinstance(called, (nodes.Name, nodes.Attribute)) and any(
            isinstance(one, External) and one.name.startswith(("os.environ", "os.getenv"))
            for one in self.calls.evaluator.evaluate(called, binding.scope)
        )

    def _is_table_of_import(self, touch: Touch) -> bool:
        """Whether the module itself fills a table with the same code, from nothing of an event.

        The invocation brings it up to date.
        """
        if touch.kind != CHANGE or touch.how != "keyed" or touch.value is None:
            return False
        into = self.calls.into.get(touch.function, ())
        key = touch.node.index if isinstance(touch.node, nodes.Subscript) else touch.value
        return any(one.caller.is_module for one in into) and not any(
            EVENT in self._depends(one, touch.scope) for one in (touch.value, key)
        )

    def _is_told_anew(self, touch: Touch) -> bool:
        """Whether a handler of an exception tells of it, or adds to what is there.

        Elsewhere, what `except` writes is what was kept, made again because it failed.
        """
        if touch.kind != WRITE or not (touch.how == "own" or holds_exception(touch)):
            return False
        guards = self.phases.guards.around(touch.node, touch.scope)
        return bool(guards) and all(one.kind == "except" for one in guards)

    def _is_memo(self, touch: Touch) -> bool:
        """Whether what is written was made behind a memo: `x = x or make()`."""
        if touch.value is None:
            return False
        if self.phases.of_node(touch.value, touch.scope) is Phase.ONCE:
            return True
        for one in nodes.walk(touch.value):
            if isinstance(one, nodes.Call):
                scope = touch.scope.module.scope_of.get(one, touch.scope)
                if self.phases.of_node(one, scope) is Phase.ONCE:
                    return True
        return False


def holds_exception(touch: Touch) -> bool:
    """Whether what is written tells of an exception: `f"failed: {error}"`."""
    for one in nodes.walk(touch.value) if touch.value is not None else ():
        if isinstance(one, nodes.Name):
            owner = touch.scope.lookup(one.id)
            if owner is not None and any(
                two.kind == "exception" for two in owner.bindings.get(one.id, ())
            ):
                return True
    return False


def _is_literal(value: nodes.Expression | None) -> bool:
    match value:
        case nodes.Constant():
            return True
        case nodes.UnaryOperation(operand=operand):
            return _is_literal(operand)
        case nodes.Collection(items=items):
            return all(map(_is_literal, items))
        case nodes.Dict(items=pairs):
            return all(_is_literal(one.value) for one in pairs)
    return False
