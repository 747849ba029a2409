"""Handlers that a deployment descriptor declares: any callable of a module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lambda_lint.declaration import CUSTOM_RESOURCE, Declaration
from lambda_lint.finding import Confidence
from lambda_lint.model.kinds import FunctionValue, InstanceValue
from lambda_lint.model.program import Binding, Module
from lambda_lint.model.reaching import final
from lambda_lint.syntax import nodes

if TYPE_CHECKING:
    from lambda_lint.model.handlers import Finder, Handler


@dataclass(frozen=True, slots=True)
class MissingHandler:
    """A function whose handler the project does not have.

    `nearest` is what the module or the code root has instead: an attribute of the module, or a
    module of the code root; empty when nothing is near. `module_found` says which of them.
    """

    declaration: Declaration
    module_found: bool
    nearest: str


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
            elif declaration not in known.declarations:
                found[key] = _as_declared(known, declaration, first=False)
    return list(found.values())


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
