"""Where a request goes: whether the host is the same each time, and what decides over it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lambda_lint.model.constants import Constants
from lambda_lint.model.dependence import Dependence
from lambda_lint.model.program import Scope
from lambda_lint.model.values import Evaluator, FunctionValue
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Address:
    """The host of an address, as far as it is known.

    `beginning` is the text that the address certainly begins with. `is_fixed` says whether the host
    is certainly the same for every event; `depends_on` is what decides over it.
    """

    beginning: str
    is_fixed: bool
    depends_on: frozenset[str]


def address_of(
    url: nodes.Expression, scope: Scope, constants: Constants, dependence: Dependence
) -> Address:
    """Return what is known of the host in a text, or in a request object that is made from one."""
    base, where = constants.first_part(url, scope)
    beginning = constants.beginning(url, scope) or constants.beginning(base, where)
    if _HOST.match(beginning):
        return Address(beginning, True, frozenset())
    if any(
        isinstance(node, nodes.Constant) and node.value == _RUNTIME
        for node, _ in constants.origins(base, where)
    ):
        return Address("http://localhost", True, frozenset())
    if "://" in beginning:
        # The scheme alone says nothing: the host is put together from what follows.
        base, where = url, scope
    return Address(beginning, constants.is_fixed(base, where), dependence.of(base, where))


_HOST = re.compile(r"[a-z]+://[^/{}%\s]+(?:/|\Z)")
"""A scheme and a whole host: what follows must begin with a slash, or nothing follows."""

_RUNTIME = "AWS_LAMBDA_RUNTIME_API"
"""The variable with the host of the runtime and extensions API, on the same machine:
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""


def surely_names(
    value: nodes.Node,
    scope: Scope,
    words: Sequence[str],
    evaluator: Evaluator,
    seen: frozenset[str] = frozenset(),
) -> bool:
    """Whether each address that an expression can be has one of the words in it.

    What stands in for a missing setting is one address among others. `seen` are the names and
    functions that lead here; `url = url.replace(…)` names what it named before.
    """

    def surely(one: nodes.Node) -> bool:
        return surely_names(one, scope, words, evaluator, seen)

    match value:
        case nodes.Constant(value=str() as text):
            return any(word in text for word in words)
        case nodes.BooleanOperation(operands=operands):
            return all(map(surely, operands))
        case nodes.Conditional(body=body, orelse=orelse):
            return surely(body) and surely(orelse)
        case nodes.Name(id=name) if name in seen:
            return True
        case nodes.Name(id=name):
            found = scope.module.scope_of.get(value, scope).lookup(name)
            bindings = found.bindings.get(name, ()) if found is not None else ()
            if len(seen) == _MAX_STEPS or not bindings:
                return False
            inner = seen | {name}
            return all(
                one.kind == "assign"
                and one.value is not None
                and surely_names(one.value, one.scope, words, evaluator, inner)
                for one in bindings
            )
        case nodes.Call(func=func, arguments=arguments):
            called = getattr(func, "attr", None) or getattr(func, "id", "")
            given = [one.value for one in arguments if one.name != "default"]
            if called in _WITH_DEFAULT:
                del given[1:]
            if any(map(surely, (func, *given))):
                return True
            mark = f"{called}()"
            if mark in seen or len(seen) == _MAX_STEPS:
                return mark in seen
            returned = [
                (one, inside)
                for function in evaluator.evaluate(func, scope)
                if isinstance(function, FunctionValue)
                for one, inside in function.function.returns
            ]
            return bool(returned) and all(
                surely_names(one, inside, words, evaluator, seen | {mark})
                for one, inside in returned
            )
    return any(map(surely, nodes.children(value)))


_WITH_DEFAULT = frozenset({"get", "getenv", "pop", "setdefault", "config"})
"""What looks something up by its first argument and gives the second where there is none."""

_MAX_STEPS = 4
