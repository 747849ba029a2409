"""What invocations change of what outlives them, and what memos are filled with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.calls import CallGraph
from lambda_lint.model.dependence import EVENT, Dependence
from lambda_lint.model.handlers import Handler
from lambda_lint.model.lasting import ANY, Lasting, Spot
from lambda_lint.model.phases import Path, Phase, Phases
from lambda_lint.model.places import Place
from lambda_lint.model.program import Binding, Function, Scope
from lambda_lint.model.touches import CHANGE, WRITE, Touch, Touches
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
        #: The places that a memo fills.
        self.memos: set[Place] = set()
        self._fills: list[Touch] = []
        self._compared: dict[tuple[Function, Scope], frozenset[Place]] = {}
        #: What invocations change.
        self.found = self._find()

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
            return False
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
        """Whether a test that asks the memo looks at the data of the invocation, too."""
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
            asked = [self._asked(two, scope) for two in nodes.walk(one.test)]
            roots = {two.root for two in asked if two is not None}
            if roots and EVENT in self._depends(one.test, scope):
                yield from roots

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
            for touch in self._changed_in(function):
                phase = self.phases.of_node(touch.node, touch.scope)
                if phase is Phase.ONCE or self._is_memo(touch):
                    self.memos.add(touch.spot.root)
                    self._fills.append(touch)
                    continue
                if phase is not Phase.INVOKE:
                    continue
                if touch.kind == WRITE and self._is_compared(touch):
                    # Made anew when the data is another: the memo's key is compared.
                    self.memos.add(touch.spot.root)
                    continue
                if touch.spot.root.kind == "parameter":
                    owner = touch.spot.root.owner
                    if isinstance(owner, Function) and (touch.kind == CHANGE or touch.spot.path):
                        on_parameters.setdefault((owner, touch.spot.root.name), []).append(touch)
                else:
                    found.append(self._change(touch, touch.spot))
        found += self._given(on_parameters)
        return found

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
            depends = self._depends(touch.value, touch.scope)
        return Change(touch, spot, depends, _is_literal(touch.value))

    def _depends(self, value: nodes.Expression, scope: Scope) -> frozenset[str]:
        """Return what a value depends on by way of locals, parameters, and the current request.

        What modules and objects hold may have come from anywhere, which says too little.
        """
        found: set[str] = set()
        for one in nodes.walk(value):
            if isinstance(one, nodes.Name):
                inner = scope.module.scope_of.get(one, scope)
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
