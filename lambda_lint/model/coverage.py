"""How much of what handlers call could be followed, and which calls stayed unknown.

A clean run means little when half of the calls led nowhere. Most calls that are not followed are
methods of data (`record.get("id")`), of which nothing needs to be known; the few that look like
code of the project are told one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lambda_lint.finding import Span, Step
from lambda_lint.model.calls import CallGraph
from lambda_lint.model.constants import Constants
from lambda_lint.model.entries import Handler
from lambda_lint.model.phases import Phase, Phases
from lambda_lint.model.program import Binding, CallSite, Scope
from lambda_lint.model.values import (
    ClassValue,
    External,
    FunctionValue,
    InstanceValue,
    ModuleValue,
    PackageValue,
)
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many calls on the way of a handler's events could be followed, each place once.

    `project` went into code of the project, `library` to something of a library or of Python that
    is known by name, `data` are methods that Python's own data types have, on objects of unknown
    type. `unresolved` are the others.
    """

    project: int
    library: int
    data: int
    unresolved: tuple[CallSite, ...]


@dataclass(frozen=True, eq=False, slots=True)
class UnresolvedCall:
    """A call on the invocation path that looks like code of the project and leads nowhere.

    `callee` is how it is written, `reason` a clause that says why it is not known.
    """

    path: str
    span: Span
    callee: str
    reason: str
    handlers: tuple[Handler, ...]
    witness: tuple[Step, ...]


class Followed:
    """Answers which calls were followed."""

    def __init__(self, calls: CallGraph, constants: Constants, phases: Phases) -> None:
        """Take the finished parts of the model."""
        self.calls = calls
        self.evaluator = calls.evaluator
        self.constants = constants
        self.phases = phases

    def coverage(self, handler: Handler) -> Coverage:
        """Count the calls of everything that the handler runs for an event."""
        project = library = data = 0
        unresolved: list[CallSite] = []
        for function in self.calls.functions():
            if handler not in self.phases.handlers_of(function):
                continue
            for site in function.calls:
                if self.phases.of_node(site.node, site.scope) is Phase.NEVER:
                    continue
                if self._reason(site) is not None:
                    unresolved.append(site)
                elif self._is_project_code(site):
                    project += 1
                elif self.calls.externals.get(site):
                    library += 1
                elif self._is_data_method(site):
                    data += 1
                else:
                    unresolved.append(site)
        return Coverage(project, library, data, tuple(unresolved))

    def unresolved(self) -> Iterator[UnresolvedCall]:
        """Yield the calls that look like code of the project, once for each function and callee."""
        for function in self.calls.functions():
            if self.phases.of_function(function) is not Phase.INVOKE:
                continue
            seen: set[str] = set()
            for site in function.calls:
                reason = self._reason(site)
                if reason is None or self.phases.of_node(site.node, site.scope) is Phase.NEVER:
                    continue
                callee = _written(site.node.func)
                if callee in seen:
                    continue
                seen.add(callee)
                way = self.phases.path_to(function)
                steps = self.phases.witness(way) if way is not None else ()
                yield UnresolvedCall(
                    site.module.path,
                    site.span,
                    callee,
                    reason,
                    tuple(self.phases.handlers_of(function)),
                    (*steps, Step(site.module.path, site.span, "it is not known what runs here")),
                )

    def _is_project_code(self, site: CallSite) -> bool:
        if any(edge.site is site for edge in self.calls.out.get(site.function, ())):
            return True
        return any(
            isinstance(one, (FunctionValue, ClassValue, InstanceValue))
            for one in self.evaluator.evaluate(site.node.func, site.scope)
        )

    def _is_data_method(self, site: CallSite) -> bool:
        func = site.node.func
        return isinstance(func, nodes.Attribute) and func.attr in _DATA_METHODS

    def _reason(self, site: CallSite) -> str | None:
        """Return why the callee is not known, None when it is, or when it need not be."""
        node, scope = site.node, site.scope
        values = self.evaluator.evaluate(node.func, scope)
        names = {one.name for one in values if isinstance(one, External)}
        if names & _CODE:
            return "runs code from a text"
        if names & _IMPORTS:
            return self._imported(node, scope)
        if values or self._is_project_code(site):
            return None
        return self._callee(node.func, scope, 0)

    def _imported(self, node: nodes.Call, scope: Scope) -> str | None:
        """A module that is imported by name: known when it is one of a library."""
        if not node.arguments:
            return None
        text = self.constants.text(node.arguments[0].value, scope)
        if text is None:
            # Of a name that is put together, the folder may be known.
            known = any(
                isinstance(one, ModuleValue) for one in self.evaluator.evaluate(node, scope)
            )
            return None if known else "imports a module whose name is computed"
        imports = self.evaluator.imports
        importer = scope.module.path
        if text.startswith(".") or imports.find(text, importer) is not None:
            return "imports a module of the project by its name"
        return None

    def _callee(self, func: nodes.Expression, scope: Scope, hops: int) -> str | None:
        match func:
            case nodes.Name():
                return self._name(func, scope, hops)
            case nodes.Attribute(value=value, attr=attr):
                for one in self.evaluator.evaluate(value, scope):
                    if isinstance(one, (ModuleValue, PackageValue)):
                        return f"has no `{attr}` that was found in the imported module"
            case nodes.Subscript(value=value):
                if isinstance(value, nodes.Call) and _written(value.func) in _NAMESPACES:
                    return "is looked up by a name in a namespace"
                return "comes from a container of which the content is not known"
            case nodes.Call(func=nodes.Name(id="getattr"), arguments=[owner, name, *_]):
                known = self.evaluator.evaluate(owner.value, scope)
                of_library = known and all(
                    isinstance(one, External) and one.name.removesuffix("()") not in _IMPORTS
                    for one in known
                )
                if not isinstance(name.value, nodes.Constant) and not of_library:
                    return "is an attribute whose name is computed"
        return None

    def _name(self, name: nodes.Name, scope: Scope, hops: int) -> str | None:
        owner = scope.module.scope_of.get(name, scope).lookup(name.id)
        if owner is None:
            unknown = [one for one in scope.module.stars if self._is_missing(one)]
            if unknown and not self.evaluator.name(name.id, scope):
                return f"may come from `from {_module(unknown[0])} import *`, which was not found"
            return None
        for binding in owner.bindings[name.id]:
            if binding.kind == "from" and self._is_of_project(binding):
                return f"was not found in `{_module(binding)}`"
            if binding.kind == "assign" and binding.value is not None and hops < _MAX_HOPS:
                value = binding.value
                if isinstance(value, nodes.Subscript) and binding.index is None:
                    # An item of data is called just as rarely as an item of a table often.
                    return self._callee(value, binding.scope, hops + 1)
                if isinstance(value, nodes.Call) and not self._is_known(value, binding.scope):
                    found = self._callee(value, binding.scope, hops + 1)
                    if found is None and _is_get(value):
                        found = "comes from a container of which the content is not known"
                    return found
        return None

    def _is_known(self, node: nodes.Call, scope: Scope) -> bool:
        return bool(self.evaluator.evaluate(node, scope))

    def _is_of_project(self, binding: Binding) -> bool:
        imports, importer = self.evaluator.imports, binding.scope.module.path
        return bool(binding.level) or imports.find(binding.module, importer) is not None

    def _is_missing(self, star: Binding) -> bool:
        return self.evaluator.module_of_import(star) is None


_CODE = frozenset({"builtins.exec", "builtins.eval", "runpy.run_path", "runpy.run_module"})
_IMPORTS = frozenset({"importlib.import_module", "builtins.__import__"})
_NAMESPACES = frozenset({"globals", "locals", "vars"})
_MAX_HOPS = 3

_DATA_METHODS = frozenset(
    name
    for kind in (str, bytes, dict, list, set, int, float, tuple)
    for name in dir(kind)
    if not name.startswith("_")
) | frozenset({"read", "readline", "readlines", "write", "close", "isoformat", "strftime"})
"""Methods of Python's own data types, files and dates."""


def _is_get(node: nodes.Call) -> bool:
    return isinstance(node.func, nodes.Attribute) and node.func.attr == "get"


def _module(binding: Binding) -> str:
    return "." * binding.level + binding.module


def _written(node: nodes.Expression) -> str:
    """Return how a callee is written, as far as that is short."""
    match node:
        case nodes.Name(id=name):
            return name
        case nodes.Attribute(value=value, attr=attr):
            return f"{_written(value)}.{attr}"
        case nodes.Call(func=func):
            return f"{_written(func)}(\u2026)"
        case nodes.Subscript(value=value):
            return f"{_written(value)}[\u2026]"
    return "\u2026"
