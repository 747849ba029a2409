"""Tests of how old a file is that can never be true, so that the file is never written anew.

A file was changed in the past: its time is not later than now plus the time that it may be kept.
Whoever asks for that has the test the wrong way round.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.model.phases import Phase, Phases
from lambda_lint.model.program import Scope
from lambda_lint.model.values import External
from lambda_lint.syntax import nodes


def impossible_tests(phases: Phases) -> Iterator[tuple[nodes.Comparison, Scope]]:
    """Yield comparisons on the way of an event that ask whether a file is from the future."""
    for function in phases.calls.functions():
        if not phases.handlers_of(function):
            continue
        for node, scope in function.operations:
            if not isinstance(node, nodes.Comparison) or len(node.operators) != 1:
                continue
            earlier, later = node.left, node.comparators[0]
            if node.operators[0] in ("<", "<="):
                earlier, later = later, earlier
            elif node.operators[0] not in (">", ">="):
                continue
            if (
                _is_time_of_file(earlier, scope, phases)
                and _is_later_than_now(later, scope, phases)
                and phases.of_node(node, scope) is Phase.INVOKE
            ):
                yield node, scope


def _is_time_of_file(node: nodes.Expression, scope: Scope, phases: Phases) -> bool:
    match node:
        case nodes.Attribute(attr="st_mtime" | "st_ctime"):
            return True
        case nodes.Call(func=func):
            return _names(func, scope, phases) <= _FILE_TIMES
    return False


def _is_later_than_now(node: nodes.Expression, scope: Scope, phases: Phases) -> bool:
    """Whether it is `time.time() + …`, of which the rest is no negative number."""
    if not isinstance(node, nodes.BinaryOperation) or node.operator != "+":
        return False
    sides = (node.left, node.right)
    now = [isinstance(one, nodes.Call) and _names(one.func, scope, phases) <= _NOW for one in sides]
    rest = sides[1] if now[0] else sides[0]
    return now.count(True) == 1 and not isinstance(rest, nodes.UnaryOperation)


def _names(func: nodes.Expression, scope: Scope, phases: Phases) -> frozenset[str]:
    """Return the names of what is called; a name of nothing for what is not known."""
    values = phases.calls.evaluator.evaluate(func, scope)
    return frozenset(one.name if isinstance(one, External) else "" for one in values) or _UNKNOWN


_UNKNOWN = frozenset({""})
_NOW = frozenset({"time.time"})
_FILE_TIMES = frozenset({"os.path.getmtime", "os.path.getctime"})
