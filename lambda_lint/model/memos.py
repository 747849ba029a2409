"""Memos that look right and remember nothing: why a call runs on every invocation all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lambda_lint.finding import Step
from lambda_lint.model.entries import Handler
from lambda_lint.model.guards import Guard
from lambda_lint.model.phases import Phase, Phases
from lambda_lint.model.program import CallSite, Class, Function, Scope
from lambda_lint.model.usage import Usage
from lambda_lint.model.values import (
    Evaluator,
    External,
    FunctionValue,
    InstanceValue,
    Value,
    Values,
)
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class IneffectiveMemo:
    """Why a memo does not work: a clause for the message, the remedy, and the place it shows in."""

    reason: str
    remedy: str
    step: Step


def of_guard(
    guard: Guard,
    phases: Phases,
    on_the_way: Sequence[Function],
    handlers: Sequence[Handler],
    depends: Callable[[CallSite], bool],
) -> IneffectiveMemo | None:
    """Explain a guard whose place does not outlive the invocation.

    `on_the_way` are the functions of the witness, where the making of the object is looked for
    first, and `handlers` those whose invocations count; `depends` says whether what a call makes
    differs between invocations.
    """
    place = guard.place
    shown = place.describe()
    if place.kind == "instance" and isinstance(place.owner, Class):
        site = phases.made_on(place.owner, on_the_way, handlers)
        if site is None:
            return None
        name = place.owner.name
        remedy = f"keep the value in a module variable instead of `{shown}`"
        if not depends(site):
            remedy = f"keep one `{name}` at module level, or {remedy}"
        return IneffectiveMemo(
            f"the memo `{shown}` starts empty in every new `{name}`",
            remedy,
            Step(site.module.path, site.span, f"every invocation makes its own `{name}` here"),
        )
    if place.kind == "closure":
        return IneffectiveMemo(
            f"the memo `{shown}` belongs to a function that every invocation calls anew",
            f"keep `{shown}` in a module variable",
            Step(guard.path, guard.span, f"`{shown}` is empty again in every invocation"),
        )
    return None


def keeps(guard: Guard, made: nodes.Call, evaluator: Evaluator) -> bool:
    """Whether a memo is meant for what `made` makes, and not for data that was fetched with it.

    Data may be somebody's own, so that nothing may be said of keeping it for longer.
    """
    place = guard.place
    if place.kind != "instance" or not isinstance(place.owner, Class):
        return True
    values: Values = (InstanceValue(place.owner),)
    for attr in place.name.split("."):
        values = evaluator.attribute(values, attr)
    found: list[Value] = []
    for value in values:
        if isinstance(value, FunctionValue):
            found += evaluator.returned(value.function)
        else:
            found.append(value)
    return any(_holds(one, made, evaluator) for one in found)


def _holds(value: Value, made: nodes.Call, evaluator: Evaluator) -> bool:
    if not isinstance(value, External):
        return True
    name = value.name.removesuffix("()")
    if value.origin is made or evaluator.knowledge.constructor(name) is not None:
        return True
    # `resource.Table("orders")` is an object, `client.get_item()` is data.
    return name.rpartition(".")[2][:1].isupper()


def of_session(site: CallSite, evaluator: Evaluator, phases: Phases) -> IneffectiveMemo | None:
    """A session is kept, and the client is made from it each time: the client is what costs."""
    func = site.node.func
    if not isinstance(func, nodes.Attribute) or func.attr not in ("client", "resource"):
        return None
    for value in evaluator.evaluate(func.value, site.scope):
        if isinstance(value, External) and value.name == "boto3.session.Session()":
            origin = value.origin
            if origin is None:
                return None
            scope = phases.scope_of_call(origin, site)
            if scope is None or phases.of_node(origin, scope) not in (Phase.INIT, Phase.ONCE):
                return None
            return IneffectiveMemo(
                "the session is kept, but not the client that is made from it",
                "keep the client beside the session; the session alone saves little",
                Step(scope.module.path, origin.span, "the session is made once"),
            )
    return None


def of_shadow(site: CallSite, evaluator: Evaluator) -> IneffectiveMemo | None:
    """A local variable hides the module's own client of the same name."""
    for name in _assigned_names(site):
        owner = site.scope.owner(name)
        if owner.kind != "function" or any(
            one.kind == "parameter" for one in owner.bindings.get(name, ())
        ):
            continue
        for binding in site.module.scope.bindings.get(name, ()):
            first = binding.value
            if isinstance(first, nodes.Call) and _same_arguments(first, site.node):
                made = set(_called(first, binding.scope, evaluator))
                if made & set(_called(site.node, site.scope, evaluator)):
                    return IneffectiveMemo(
                        f"the local `{name}` hides the module's own `{name}`",
                        f"delete this line and use the `{name}` of the module",
                        Step(site.module.path, binding.node.span, f"`{name}` exists here already"),
                    )
    return None


def of_container(site: CallSite, usage: Usage) -> IneffectiveMemo | None:
    """A dictionary of the module is filled and never asked."""
    for target in _stored_in(site, usage):
        if not isinstance(target, nodes.Subscript) or not isinstance(target.value, nodes.Name):
            continue
        name = target.value.id
        owner = site.scope.lookup(name)
        if owner is None or owner.kind != "module" or not owner.bindings[name]:
            continue
        if any(not _is_written(one, site) for one, _ in usage.names_in(site.module).get(name, ())):
            continue
        binding = owner.bindings[name][0]
        return IneffectiveMemo(
            f"`{name}` is filled and never read",
            f"look in `{name}` first, and make the value only when it is not there",
            Step(site.module.path, binding.node.span, f"`{name}` is meant to keep it"),
        )
    return None


def _assigned_names(site: CallSite) -> list[str]:
    """Return the plain names that get the call's result as it is."""
    statement = site.module.statement_of(site.node)
    if isinstance(statement, nodes.Assign) and statement.value is site.node:
        return [one.id for one in statement.targets if isinstance(one, nodes.Name)]
    if isinstance(statement, nodes.AnnotatedAssign) and statement.value is site.node:
        return [statement.target.id] if isinstance(statement.target, nodes.Name) else []
    return []


def _stored_in(site: CallSite, usage: Usage) -> list[nodes.Expression]:
    """Return the targets that the result goes to, directly or by way of a local name."""
    statement = site.module.statement_of(site.node)
    targets: list[nodes.Expression] = []
    if isinstance(statement, nodes.Assign) and statement.value is site.node:
        targets += statement.targets
    renamed = usage.renamed(site.function)
    return targets + [one for name in _assigned_names(site) for one in renamed.get(name, ())]


def _called(call: nodes.Call, scope: Scope, evaluator: Evaluator) -> list[str]:
    return [one.name for one in evaluator.evaluate(call.func, scope) if isinstance(one, External)]


def _is_written(name: nodes.Name, site: CallSite) -> bool:
    """Whether this use of the name only stores into it, or defines it."""
    parents = site.module.parents
    parent = parents.get(name)
    if isinstance(parent, nodes.Subscript) and parent.value is name:
        holder = parents.get(parent)
        return isinstance(holder, nodes.Assign) and parent in holder.targets
    if isinstance(parent, nodes.Assign):
        return name in parent.targets
    return isinstance(parent, nodes.AnnotatedAssign) and parent.target is name


def _same_arguments(first: nodes.Call | None, second: nodes.Call) -> bool:
    """Whether two calls are written with the same arguments, as far as constants tell."""
    if first is None or len(first.arguments) != len(second.arguments):
        return False
    for one, other in zip(first.arguments, second.arguments, strict=True):
        if one.name != other.name or not _same(one.value, other.value):
            return False
    return True


def _same(one: nodes.Expression, other: nodes.Expression) -> bool:
    match one, other:
        case nodes.Constant(value=first), nodes.Constant(value=second):
            return first == second
        case nodes.Name(id=first), nodes.Name(id=second):
            return first == second
        case nodes.Attribute(), nodes.Attribute():
            return one.attr == other.attr and _same(one.value, other.value)
        case nodes.Subscript(), nodes.Subscript():
            return _same(one.value, other.value) and _same(one.index, other.index)
    return False
