"""Which invocations use a value that is kept."""

from __future__ import annotations

from lambda_lint.finding import Step
from lambda_lint.model.entries import Handler
from lambda_lint.model.knowledge import Knowledge
from lambda_lint.model.lasting import Lasting
from lambda_lint.model.loads import Loads
from lambda_lint.model.phases import Path, Phases
from lambda_lint.model.places import Place
from lambda_lint.model.program import Function, Scope
from lambda_lint.model.values import External
from lambda_lint.syntax import nodes


class Uses:
    """Finds them."""

    def __init__(
        self, phases: Phases, lasting: Lasting, knowledge: Knowledge, loads: Loads
    ) -> None:
        """Take the finished phases, what finds spots, and the index of what reads them."""
        self.phases = phases
        self.calls = phases.calls
        self.evaluator = phases.calls.evaluator
        self.lasting = lasting
        self.knowledge = knowledge
        self.loads = loads

    def of(
        self, place: Place | None, how: str, scope: Scope
    ) -> tuple[tuple[Step, ...], tuple[Handler, ...]] | None:
        """Return the way from a handler to a use, and all handlers; None when no event sees it.

        `scope` is where it is put there, `how` as in `Kept`.
        """
        users: list[Function] = []
        if place is not None:
            users = [inner.function for _, inner in self.loads.of_place(place)]
        elif how == "decorator":
            users = [site.function for site, _ in self.calls.argument_sites(scope.function)]
        if how != "variable":
            users.append(scope.function)
        paths = [(one, path) for one in users if (path := self.phases.path_to(one)) is not None]
        if not paths and how != "variable":
            paths = self._callers(scope.function)
        if paths:
            function, best = min(paths, key=lambda one: len(one[1].edges))
            return self.phases.witness(best), tuple(self.phases.handlers_of(function))
        if how == "memo" or (how == "decorator" and not users[:-1]):
            return None
        if place is not None and (place.kind == "instance" or self._is_done_with(place)):
            # What an object holds for itself, and reads at import only, is seen by no event.
            return None
        loading = [
            one for one in self.phases.handlers if scope.module.path in self.phases.loaded_by(one)
        ]
        return ((loading[0].step,), tuple(loading)) if loading else None

    def _is_done_with(self, place: Place, depth: int = 3) -> bool:
        """Whether a variable is only asked for, or only connects something, and all at import."""
        loads = list(self.loads.of_place(place))
        return bool(loads) and all(
            scope.function.is_module and self._is_spent(node, scope, depth) for node, scope in loads
        )

    def _is_spent(self, node: nodes.Expression, scope: Scope, depth: int) -> bool:
        parent = scope.module.parents.get(node)
        while isinstance(parent, (nodes.Attribute, nodes.Subscript)) or (
            isinstance(parent, nodes.Call) and parent.func is node
        ):
            node, parent = parent, scope.module.parents.get(parent)
        match parent:
            case nodes.Comparison():
                return True
            case nodes.If(test=test) | nodes.UnaryOperation(operator="not", operand=test):
                return test is node
            case nodes.Assign(targets=[target]) | nodes.AnnotatedAssign(target=target):
                # A part of it is a variable of its own, of which the same is asked.
                spot = self.lasting.target(target, scope)
                return (
                    spot is not None
                    and not spot.path
                    and depth > 0
                    and self._is_done_with(spot.root, depth - 1)
                )
            case nodes.Argument():
                call = scope.module.parents.get(parent)
                made = [
                    self.knowledge.constructor(one.name)
                    for one in (
                        self.evaluator.evaluate(call.func, scope)
                        if isinstance(call, nodes.Call)
                        else ()
                    )
                    if isinstance(one, External)
                ]
                return bool(made) and all(
                    # What connects by itself again needs it again.
                    one is not None and one.kind == "connecting" and one.reconnects is False
                    for one in made
                )
        return False

    def _callers(self, function: Function) -> list[tuple[Function, Path]]:
        """Return the nearest functions that an invocation runs and that lead there."""
        pending = [function]
        seen = {function}
        while pending:
            above = [
                edge.caller
                for one in pending
                for edge in self.calls.into.get(one, ())
                if edge.caller not in seen
            ]
            seen.update(above)
            found = [(one, path) for one in above if (path := self.phases.path_to(one)) is not None]
            if found:
                return found
            pending = list(dict.fromkeys(above))
        return []
