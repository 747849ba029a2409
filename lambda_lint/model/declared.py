"""Handlers that a deployment descriptor declares: any callable of a module."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lambda_lint.declaration import CUSTOM_RESOURCE, Declaration
from lambda_lint.finding import Confidence, Span
from lambda_lint.model.kinds import FunctionValue, InstanceValue
from lambda_lint.model.program import Binding, Module
from lambda_lint.model.reaching import final
from lambda_lint.syntax import nodes

if TYPE_CHECKING:
    from lambda_lint.model.calls import CallGraph
    from lambda_lint.model.entries import Handler
    from lambda_lint.model.handlers import Finder


_USUAL = frozenset({"index", "app", "main", "handler", "lambda_function"})
"""Names of modules that templates give; one of them elsewhere is another function's."""


@dataclass(frozen=True, slots=True)
class MissingHandler:
    """A function whose handler the project does not have.

    `nearest` is the handler that was likely meant, as the descriptor would write it; empty when
    nothing is near. `module_path` is the file that lacks the attribute, None when there is no file.
    """

    declaration: Declaration
    module_path: str | None
    nearest: str

    @property
    def path(self) -> str:
        """The descriptor."""
        return self.declaration.path

    @property
    def span(self) -> Span:
        """Where the descriptor names the handler."""
        return self.declaration.span


def declared_handlers(finder: Finder, declarations: Sequence[Declaration]) -> list[Handler]:
    """Return the handlers that the declarations name, each with all that declare it.

    A declaration whose module is no analysed file, or does not define the attribute, gives none.
    """
    found: dict[tuple[str, str], Handler] = {}
    for declaration in declarations:
        module = finder.calls.modules.get(declaration.module or "")
        if module is None:
            continue
        for handler in _handlers(finder, module, declaration):
            key = (handler.path, handler.name)
            known = found.get(key)
            if known is None:
                found[key] = _as_declared(handler, declaration, first=True)
                continue
            # A branch decides which definition the name has, and any of them may be the handler.
            further = tuple(one for one in handler.entries if one not in known.entries)
            if further:
                known = replace(known, entries=(*known.entries, *further))
            if declaration not in known.declarations:
                known = _as_declared(known, declaration, first=False)
            found[key] = known
    return list(found.values())


def missing_handlers(
    calls: CallGraph, declarations: Sequence[Declaration], handlers: Sequence[Handler]
) -> Iterator[MissingHandler]:
    """Yield the declarations that certainly name nothing: the runtime would fail to import it.

    Where a build step, a layer or code that defines names as it runs may bring what is missing,
    nothing is known.
    """
    found = {one for handler in handlers for one in handler.declarations}
    for one in declarations:
        if one in found or not one.attribute:
            continue
        module = calls.modules.get(one.module or "")
        if module is not None:
            if _lacks(calls, module, one.attribute):
                near = _near(one.attribute, _callables(module))
                prefix = one.handler[: -len(one.attribute)]
                yield MissingHandler(one, module.path, f"{prefix}{near}" if near else "")
        elif one.module is None and one.is_complete and not one.layers:
            yield from _without_module(calls, one)


def _lacks(calls: CallGraph, module: Module, name: str) -> bool:
    if name in module.scope.bindings or calls.evaluator.has_dynamic_members(module):
        return False
    if any(calls.evaluator.module_of_import(star) is None for star in module.stars):
        return False
    dynamic = ("globals", "setattr", "exec", "vars", "locals", "__import__")
    called = {
        site.node.func.id for site in module.code.calls if isinstance(site.node.func, nodes.Name)
    }
    return not called.intersection(dynamic) and not calls.evaluator.member(module, name)


def _callables(module: Module) -> list[str]:
    named = [
        name
        for name, bindings in module.scope.bindings.items()
        if any(one.kind in ("function", "assign") for one in bindings)
    ]
    likely = [one for one in named if "handler" in one.lower() or one in ("main", "handle", "app")]
    return [*likely, *(one for one in named if one not in likely)]


def _near(name: str, candidates: Sequence[str]) -> str:
    """Return the candidate that is spelt alike, or else the only one that sounds like a handler."""
    close = difflib.get_close_matches(name, candidates, n=1, cutoff=0.6)
    if close:
        return close[0]
    likely = [one for one in candidates if "handler" in one.lower()]
    return likely[0] if len(likely) == 1 else ""


def _without_module(calls: CallGraph, one: Declaration) -> Iterator[MissingHandler]:
    root = one.code_root
    if root is None:
        return
    separator = ":" if ":" in one.handler else "."
    name = one.handler[: -len(one.attribute) - 1].replace("/", ".")
    imports = calls.evaluator.imports
    top = name.partition(".")[0]
    if not top.isidentifier() or top in imports.libraries:
        return
    tail = name.replace(".", "/")
    if tail not in _USUAL and any(
        path.endswith((f"/{tail}.py", f"/{tail}/__init__.py")) for path in imports.paths
    ):
        # It lies elsewhere, and some step of the build may bring it.
        return
    prefix = f"{root}/" if root else ""
    below = [
        path[len(prefix) : -3].removesuffix("/__init__").replace("/", ".")
        for path in sorted(imports.paths)
        if path.startswith(prefix) and path.endswith(".py")
    ]
    if any(one.partition(".")[0] == top for one in below) and "." not in name:
        return
    near = _near(name, [one for one in below if one.count(".") <= name.count(".") + 1])
    yield MissingHandler(one, None, f"{near}{separator}{one.attribute}" if near else "")


def _as_declared(handler: Handler, declaration: Declaration, *, first: bool) -> Handler:
    before = handler.evidence if first else handler.evidence[: len(handler.declarations)]
    after = () if first else handler.evidence[len(handler.declarations) :]
    evidence = (declaration.evidence, *before) if first else (*before, declaration.evidence, *after)
    confidence = handler.confidence
    if first or declaration.confidence.rank > confidence.rank:
        confidence = declaration.confidence
    return replace(
        handler,
        evidence=evidence,
        confidence=confidence,
        custom_resource=handler.custom_resource or CUSTOM_RESOURCE in declaration.flags,
        declarations=(*handler.declarations, declaration),
    )


def _handlers(finder: Finder, module: Module, declaration: Declaration) -> Iterator[Handler]:
    serves = ":" in declaration.handler
    if not declaration.attribute:
        yield from _applications(finder, module)
        return
    name = declaration.attribute
    found = False
    for binding in final(module.scope, name):
        for handler in _bound(finder, module, name, binding, serves=serves):
            found = True
            yield handler
    if not found:
        yield from _imported(finder, module, name, serves=serves)


def _applications(finder: Finder, module: Module) -> Iterator[Handler]:
    """Yield the applications in the variables of a module that is run as a program."""
    for name in module.scope.bindings:
        for binding in final(module.scope, name):
            for value in finder.evaluator.binding(binding):
                if finder.routes.framework_of(value) is not None:
                    yield finder.served(module, name, binding.node.span, "", None, value)
                    break


def _bound(
    finder: Finder, module: Module, name: str, binding: Binding, *, serves: bool
) -> Iterator[Handler]:
    """Yield the handler that a definition or an assignment at module level makes."""
    function = binding.function
    if binding.kind == "function" and function is not None:
        if serves:
            # A factory: what it returns is called by the web server.
            yield finder.served(module, name, function.name_span, "", None)
            return
        _, evidence = finder.evidence.score(function, name)
        yield finder.handler(function, name, evidence, Confidence.HIGH, function.name_span)
        return
    if binding.kind == "class":
        return
    found = list(finder.from_binding(module, name, binding, certain=True))
    if found and not serves:
        yield from found
        return
    yield from _held(finder, module, name, binding, serves=serves)


def _held(
    finder: Finder, module: Module, name: str, binding: Binding, *, serves: bool
) -> Iterator[Handler]:
    """Yield the handler that a variable or an imported name holds."""
    span = binding.node.span
    for value in finder.evaluator.binding(binding):
        if finder.routes.framework_of(value) is not None:
            yield finder.served(module, name, span, "", None, value)
            return
        match value:
            case FunctionValue(function=function):
                yield finder.handler(function, name, (), Confidence.HIGH, span, module)
                return
            case InstanceValue(class_=class_):
                for base in finder.evaluator.lineage(class_)[0]:
                    if "__call__" in base.methods:
                        call = base.methods["__call__"]
                        yield finder.handler(call, name, (), Confidence.HIGH, span, module)
                        return
    value_node = binding.value
    if not isinstance(value_node, nodes.Call):
        if serves:
            yield finder.served(module, name, span, "", None)
        return
    # A wrapper that is not known: what is handed to it runs for events.
    handler = finder.served(module, name, span, "", value_node)
    for argument in value_node.arguments:
        for value in finder.evaluator.evaluate(argument.value, module.scope):
            if isinstance(value, FunctionValue):
                further = finder.entries(value.function, 0, 1)
                handler = replace(handler, entries=(*handler.entries, *further))
    yield handler


def _imported(finder: Finder, module: Module, name: str, *, serves: bool) -> Iterator[Handler]:
    """Yield the handler that a star import brings, or another module puts there."""
    for value in finder.evaluator.member(module, name):
        span = module.tree.span
        if isinstance(value, FunctionValue) and not serves:
            function = value.function
            yield finder.handler(function, function.name, (), Confidence.HIGH, function.name_span)
            return
        if finder.routes.framework_of(value) is not None:
            yield finder.served(module, name, span, "", None, value)
            return
