"""Memos that look right and remember nothing: why a call runs on every invocation all the same."""

from __future__ import annotations

from dataclasses import dataclass

from lambda_lint.finding import Step
from lambda_lint.model.program import CallSite, Class, Scope
from lambda_lint.model.phases import Phases
from lambda_lint.model.guards import Guard
from lambda_lint.model.values import External, Evaluator
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class IneffectiveMemo:
    """Why a memo does not work: a clause for the message, the remedy, and the place it shows in."""

    reason: str
    remedy: str
    step: Step


def of_guard(guard: Guard, phases: Phases) -> IneffectiveMemo | None:
    """Explain a guard whose place does not outlive the invocation."""
    place = guard.place
    shown = place.describe()
    if place.kind == "instance" and isinstance(place.owner, Class):
        site = phases.lifetime_of(place.owner)
        if site is None:
            return None
        name = place.owner.name
        return IneffectiveMemo(
            f"the memo `{shown}` starts empty in every new `{name}`",
            f"keep one `{name}` at module level, or keep the value in a module variable instead of "
            f"`{shown}`",
            Step(site.module.path, site.span, f"every invocation makes its own `{name}` here"),
        )
    if place.kind == "closure":
        return IneffectiveMemo(
            f"the memo `{shown}` belongs to a function that every invocation calls anew",
            f"keep `{shown}` in a module variable",
            Step(guard.path, guard.span, f"`{shown}` is empty again in every invocation"),
        )
    return None


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
            scope = _scope_of(origin, site, phases)
            if scope is None or phases.of_node(origin, scope).value == "INVOKE":
                return None
            return IneffectiveMemo(
                "the session is kept, but not the client that is made from it",
                "keep the client beside the session; the session alone saves little",
                Step(scope.module.path, origin.span, "the session is made once"),
            )
    return None


def of_shadow(site: CallSite, name: str, evaluator: Evaluator) -> IneffectiveMemo | None:
    """A local variable hides the module's own client of the same name."""
    statement = site.module.statement_of(site.node)
    if not isinstance(statement, nodes.Assign) or statement.value is not site.node:
        return None
    for target in statement.targets:
        if not isinstance(target, nodes.Name) or site.scope.owner(target.id).kind != "function":
            continue
        outer = site.module.scope
        for binding in outer.bindings.get(target.id, ()):
            for value in evaluator.binding(binding):
                if isinstance(value, External) and value.name.removesuffix("()") == name:
                    if not _same_arguments(value.origin, site.node):
                        continue
                    return IneffectiveMemo(
                        f"the local `{target.id}` hides the module's own `{target.id}`",
                        f"delete this line and use the `{target.id}` of the module",
                        Step(
                            site.module.path,
                            binding.node.span,
                            f"`{target.id}` exists here already",
                        ),
                    )
    return None


def of_container(site: CallSite) -> IneffectiveMemo | None:
    """A dictionary of the module is filled and never asked."""
    statement = site.module.statement_of(site.node)
    if not isinstance(statement, nodes.Assign) or statement.value is not site.node:
        return None
    for target in statement.targets:
        if not isinstance(target, nodes.Subscript) or not isinstance(target.value, nodes.Name):
            continue
        name = target.value.id
        owner = site.scope.lookup(name)
        if owner is None or owner.kind != "module":
            continue
        if any(
            isinstance(one, nodes.Name) and one.id == name and not _is_written(one, site)
            for one in site.module.parents
        ):
            continue
        binding = owner.bindings[name][0]
        return IneffectiveMemo(
            f"`{name}` is filled and never read",
            f"look in `{name}` first, and make the value only when it is not there",
            Step(site.module.path, binding.node.span, f"`{name}` is meant to keep it"),
        )
    return None


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


def _scope_of(origin: nodes.Call, site: CallSite, phases: Phases) -> Scope | None:
    scope = site.module.scope_of.get(origin)
    if scope is not None:
        return scope
    for module in phases.calls.modules.values():
        scope = module.scope_of.get(origin)
        if scope is not None:
            return scope
    return None
