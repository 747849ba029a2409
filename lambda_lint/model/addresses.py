"""Where a request goes: whether the host is the same each time, and what decides over it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lambda_lint.model.constants import Constants
from lambda_lint.model.dependence import Dependence
from lambda_lint.model.program import Scope
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
