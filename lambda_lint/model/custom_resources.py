"""Whether a handler answers CloudFormation, which calls it only when somebody changes a stack."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from lambda_lint.model.calls import CallGraph
from lambda_lint.model.program import Function
from lambda_lint.model.values import External
from lambda_lint.syntax import nodes

ASKING = frozenset({"RequestType", "ResponseURL"})
"""What a request says it wants, and where it wants the answer.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html
"""

FURTHER = frozenset({"PhysicalResourceId", "LogicalResourceId", "ResourceProperties"})
"""Keys of a request that answers of the SDK have too, so that they count for the event alone."""

_ANSWERING = (
    "crhelper.",
    "cfnresponse.",
    "cfn_resource.",
    "cfn_resource_provider.",
    "cfn_custom_resource.",
)
"""Libraries that answer such requests."""


def answers_cloudformation(calls: CallGraph, function: Function) -> bool:
    """Whether a handler, or what it calls in its own module, reads a request to a custom resource.

    Methods that a class of that module inherits are its own, wherever they stand. What it calls
    elsewhere counts only when that knows where to send the answer: code that is shared by many
    handlers may serve a custom resource among others.
    """
    if _reads(function, ASKING | FURTHER, first_only=True) or _is_annotated(calls, function):
        return True
    inherited = {
        base for one in function.module.classes for base in calls.evaluator.lineage(one)[0][1:]
    }
    seen = {function}
    stack = [function, *function.nested]
    while stack:
        one = stack.pop()
        at_home = one.module is function.module or one.class_ in inherited
        if _reads(one, ASKING if at_home else frozenset({"ResponseURL"})):
            return True
        if not at_home:
            continue
        for site in one.calls:
            if any(
                external.name.startswith(_ANSWERING) for external in calls.externals.get(site, ())
            ):
                return True
        for edge in calls.out.get(one, ()):
            if posixpath.basename(edge.callee.module.path) == "cfnresponse.py":
                return True
            if edge.callee not in seen:
                seen.add(edge.callee)
                stack.append(edge.callee)
    return False


def _is_annotated(calls: CallGraph, function: Function) -> bool:
    scope = function.definition_scope
    return scope is not None and any(
        isinstance(value, External) and "CloudFormationCustomResource" in value.name
        for parameter in function.parameters
        if parameter.annotation is not None
        for value in calls.evaluator.evaluate(parameter.annotation, scope)
    )


def _reads(function: Function, keys: frozenset[str], *, first_only: bool = False) -> bool:
    """Whether it asks a parameter, its own or that of a function around it, for one of the keys.

    A method may also ask what its object keeps, for what no other event has: where to answer.
    """
    parameters = _parameters(function, first_only=first_only)
    own = function.parameters[0].name if function.is_method and function.parameters else None
    for asked, key in _keys_read(function.node):
        match asked:
            case nodes.Name(id=name):
                if name in parameters and key in keys:
                    return True
            case nodes.Attribute(value=nodes.Name(id=name)):
                if name == own and key == "ResponseURL" and key in keys:
                    return True
    return False


def _parameters(function: Function, *, first_only: bool) -> frozenset[str]:
    own = [one.name for one in function.parameters[1 if function.is_method else 0 :]]
    if first_only:
        return frozenset(own[:1])
    names = set(own)
    scope = function.definition_scope
    while scope is not None and not scope.function.is_module:
        names.update(one.name for one in scope.function.parameters)
        scope = scope.function.definition_scope
    return frozenset(names)


def _keys_read(node: nodes.Node) -> Iterator[tuple[nodes.Expression, object]]:
    """Yield what is asked and the key of `x["key"]`, `x.get("key")` and `"key" in x`."""
    for one in nodes.walk(node):
        match one:
            case nodes.Subscript(value=asked, index=nodes.Constant(value=key)):
                yield asked, key
            case nodes.Call(
                func=nodes.Attribute(value=asked, attr="get"),
                arguments=[nodes.Argument(value=nodes.Constant(value=key)), *_],
            ):
                yield asked, key
            case nodes.Comparison(left=nodes.Constant(value=key), comparators=[asked]):
                yield asked, key
