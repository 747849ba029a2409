"""Objects that callers may give: what is made instead is made only for callers that give none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lambda_lint.model.places import Place, Places
from lambda_lint.model.program import Scope
from lambda_lint.model.questions import handed_on, leaves, missing_instead, rebound
from lambda_lint.syntax import nodes

_Test = tuple[int, list[nodes.Expression], list[nodes.Statement], nodes.If]
"""The position of a test in its block, what is missing after it, what leaves, the statement."""


class Given:
    """Finds the parameters whose presence decides that something is not made."""

    def __init__(self, places: Places) -> None:
        """Take the places of the project."""
        self.places = places
        self._tests: dict[tuple[int, Scope], list[_Test]] = {}

    def instead(
        self, missing: Iterable[nodes.Expression], used: Iterable[nodes.Expression], scope: Scope
    ) -> Iterator[Place]:
        """Yield the parameters for which something else is made: `client or make()`.

        `missing` is what is not there when it is made, and `used` what is taken when it is. A flag
        that is only asked is no object that is given.
        """
        names = {one.id for one in used if isinstance(one, nodes.Name)}
        for asked in missing:
            if isinstance(asked, nodes.Name) and asked.id in names:
                place = self.places.parameter(asked.id, scope)
                if place is not None:
                    yield place

    def early(
        self, block: Sequence[nodes.Statement], position: int, scope: Scope, made: nodes.Node
    ) -> Iterator[tuple[Place, nodes.Node]]:
        """Yield the same for `if client: return client` in front of a statement of a block.

        `made` is what that statement has in it and what is asked about.
        """
        for number, missing, leaving, where in self._leaving(block, scope):
            if number >= position:
                return
            taken = [*handed_on(leaving), *given_to_same_call(leaving, made)]
            for place in self.instead(missing, [*taken, *rebound(block[position:])], scope):
                yield place, where

    def _leaving(self, block: Sequence[nodes.Statement], scope: Scope) -> list[_Test]:
        """Return what leaves a block because a parameter was given; few blocks have any."""
        found = self._tests.get((id(block), scope))
        if found is None:
            found = self._tests[id(block), scope] = []
            for number, earlier in enumerate(block if scope.function.parameters else ()):
                if not isinstance(earlier, nodes.If):
                    continue
                # What follows runs as if it stood in the branch that does not leave.
                in_body = not leaves(earlier.body)
                if in_body and not leaves(earlier.orelse):
                    continue
                missing: list[nodes.Expression] = [
                    one
                    for one in missing_instead(earlier.test, in_body)
                    if isinstance(one, nodes.Name) and self.places.parameter(one.id, scope)
                ]
                if missing:
                    leaving = earlier.orelse if in_body else earlier.body
                    found.append((number, missing, leaving, earlier))
        return found


def given_to_same_call(other: Sequence[nodes.Node], made: nodes.Node) -> Iterator[nodes.Expression]:
    """Yield the arguments of the call that another branch makes in the place of a call.

    Of `client("s3", region)` and `client("s3")` one runs, and a region that all callers give says
    which. A call that the other branch does not have is open: its test may be of anything.
    """
    if not isinstance(made, nodes.Call):
        return
    name = nodes.dotted(made.func)
    for one in other if name is not None else ():
        for inner in nodes.walk(one):
            if isinstance(inner, nodes.Call) and nodes.dotted(inner.func) == name:
                yield from (argument.value for argument in inner.arguments)
