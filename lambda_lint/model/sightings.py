"""What most findings of the model have in common: a place, and how an invocation gets there."""

from __future__ import annotations

from dataclasses import dataclass

from lambda_lint.finding import Span, Step
from lambda_lint.model.entries import Handler
from lambda_lint.model.phases import Phases
from lambda_lint.model.program import Function


@dataclass(frozen=True, slots=True)
class Sighting:
    """Something at a place that an invocation comes to, or relies on.

    `way` is the chain from a handler to the code that does, `handlers` all that get there.
    """

    path: str
    span: Span
    way: tuple[Step, ...]
    handlers: tuple[Handler, ...]


def arrival(
    function: Function, phases: Phases
) -> tuple[tuple[Step, ...], tuple[Handler, ...]] | None:
    """Return how invocations come to a function, as `way` and `handlers`; None when none does.

    Behind a memo it is reached through the nearest caller that is.
    """
    pending = [function]
    seen = {function}
    while pending:
        for one in pending:
            path = phases.path_to(one)
            if path is not None:
                return phases.witness(path), tuple(phases.handlers_of(one))
        above = {
            edge.caller: None
            for one in pending
            for edge in phases.calls.into.get(one, ())
            if edge.caller not in seen and not edge.caller.is_module
        }
        seen.update(above)
        pending = list(above)
    return None
