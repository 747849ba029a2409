"""Which event loop drives the code that uses a shared object."""

from __future__ import annotations

from lambda_lint.finding import Step
from lambda_lint.model.program import Scope
from lambda_lint.model.resources import Resource, Resources, Use
from lambda_lint.model.values import External
from lambda_lint.syntax import nodes


def used_in_new_loop(resource: Resource, resources: Resources) -> tuple[Use, Step] | None:
    """Return a use of the object in a loop that each invocation makes, and where it makes it."""
    phases = resources.phases
    for use in resource.invoked:
        path = phases.path_to(use.function)
        for edge in path.edges if path is not None else ():
            call = _driver(edge.node, edge.scope, resources)
            if call is not None:
                made = "every invocation makes an event loop of its own here"
                return use, Step(edge.caller.module.path, call.span, made)
    return None


def _driver(node: nodes.Node, scope: Scope, resources: Resources) -> nodes.Call | None:
    """Return the call that drives a coroutine, which stands in it, in a new loop."""
    argument = scope.module.parents.get(node)
    call = scope.module.parents.get(argument) if isinstance(argument, nodes.Argument) else None
    if not isinstance(call, nodes.Call):
        return None
    for value in resources.evaluator.evaluate(call.func, scope):
        if isinstance(value, External):
            runner = resources.evaluator.knowledge.runner(value.name)
            if runner is not None and runner.loop == "new":
                return call
    return None
