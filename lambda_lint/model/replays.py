"""What a durable function reads between its steps, and finds changed when it is replayed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lambda_lint.finding import Step
from lambda_lint.model.entries import Handler
from lambda_lint.model.lasting import Lasting
from lambda_lint.model.phases import Path, Phases
from lambda_lint.model.program import Function, Scope
from lambda_lint.model.sightings import Sighting
from lambda_lint.model.state import State
from lambda_lint.model.state_uses import PRINTED
from lambda_lint.model.touches import CHANGE, Touch
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Replayed(Sighting):
    """Such a read: `shown` is what is read, `use` what for, `changed` where a run changes it."""

    shown: str
    use: str
    changed: Step


class Replays:
    """Finds them, each place once."""

    def __init__(self, phases: Phases, lasting: Lasting) -> None:
        """Take the finished phases, and what finds spots."""
        self.phases = phases
        self.loads = lasting.loads

    def of_states(self, states: Sequence[State]) -> Iterator[Replayed]:
        """Yield reads of what earlier runs changed."""
        for state in states:
            for stale in state.stale:
                if state.is_cache or stale.use in ("", PRINTED) or not stale.handler.is_durable:
                    continue
                change = next(
                    (
                        one.touch
                        for one in state.changes
                        if stale.handler in state.reached_by(one.touch.function)
                    ),
                    None,
                )
                if change is not None and not _is_in_step(stale.read.function, stale.path):
                    node, scope = stale.read.node, stale.read.scope
                    yield self._found(node, scope, stale.handler, stale.path, stale.use, change)
                    break

    def of_marks(self, marks: Sequence[Touch]) -> Iterator[Replayed]:
        """Yield tests whether something was seen before, by an earlier run of the same event."""
        for mark in marks:
            path = self.phases.path_to(mark.function)
            if mark.kind != CHANGE or mark.how != "add" or path is None:
                continue
            if not path.handler.is_durable or _is_in_step(mark.function, path):
                continue
            for node, scope in self.loads.of_place(mark.spot.root):
                tested = scope.module.parents.get(node)
                if scope.function is mark.function and isinstance(tested, nodes.Comparison):
                    use = "decides what is done"
                    yield self._found(node, scope, path.handler, path, use, mark)
                    break

    def _found(
        self,
        node: nodes.Node,
        scope: Scope,
        handler: Handler,
        path: Path,
        use: str,
        change: Touch,
    ) -> Replayed:
        module = change.function.module
        shown = change.spot.describe()
        return Replayed(
            *(scope.module.path, node.span, self.phases.witness(path), (handler,)),
            shown=shown,
            use=use,
            changed=Step(module.path, change.node.span, f"one run changes `{shown}`"),
        )


def _is_in_step(function: Function, path: Path) -> bool:
    """Whether a durable operation runs a function, so that its result is replayed."""
    return any(map(_is_step, (function, *(edge.callee for edge in path.edges))))


def _is_step(function: Function) -> bool:
    if function.has_simple_decorator("durable_step"):
        return True
    child: nodes.Node = function.node
    parent = function.module.parents.get(child)
    if isinstance(parent, nodes.Argument):
        child, parent = parent, function.module.parents.get(parent)
    match parent:
        case nodes.Call(func=nodes.Attribute(attr=attr)) if child is not parent.func:
            return attr in _OPERATIONS
    return False


_OPERATIONS = ("step", "run_in_child_context", "map", "parallel", "wait_for_condition")
"""Methods of a durable context that run a function and remember its result."""
