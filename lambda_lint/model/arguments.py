"""Which argument of a call a parameter of a function of the project gets."""

from __future__ import annotations

from lambda_lint.model.program import Function
from lambda_lint.syntax import nodes


def bind_arguments(
    call: nodes.Call, function: Function, skip_first: bool
) -> dict[str, nodes.Expression]:
    """Return which argument each parameter of `function` gets from `call`.

    `skip_first` says that the first parameter is bound already (`self`, `cls`). After a starred
    argument positions are unknown, so the rest is left out.
    """
    parameters = function.parameters
    if skip_first:
        parameters = parameters[1:]
    positional = [one for one in parameters if one.kind in ("positional-only", "positional")]
    by_name = {one.name: one for one in parameters}
    bound: dict[str, nodes.Expression] = {}
    position = 0
    starred = False
    for argument in call.arguments:
        if argument.star:
            starred = starred or argument.star == "*"
        elif argument.name is not None:
            if argument.name in by_name:
                bound[argument.name] = argument.value
        elif not starred:
            if position < len(positional):
                bound[positional[position].name] = argument.value
            position += 1
    return bound


def further_arguments(
    call: nodes.Call, function: Function, skip_first: bool
) -> list[nodes.Expression]:
    """Return the positional arguments that `*names` collects; none where there may be others."""
    taken = sum(one.kind in ("positional-only", "positional") for one in function.parameters)
    given = [one for one in call.arguments if one.name is None and one.star != "**"]
    if any(one.star for one in given):
        return []
    return [one.value for one in given[taken - (1 if skip_first else 0) :]]
