"""Which functions Lambda calls for an event: entry points, with evidence and a confidence.

Evidence adds up: a decorator of a Lambda library, a typed or used context, a call that only a
handler makes, the names of parameters, the function's name, the file's name. Configuration
always wins. A helper that a handler calls is on the invocation path, but is no handler.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import replace

from lambda_lint.declaration import Declaration
from lambda_lint.finding import Confidence, Span, Step
from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.calls import CallGraph, Edge
from lambda_lint.model.custom_resources import answers_cloudformation
from lambda_lint.model.declared import declared_handlers
from lambda_lint.model.entries import Entry, Handler
from lambda_lint.model.evidence import ENOUGH, Evidence
from lambda_lint.model.program import Binding, Function, Module
from lambda_lint.model.reaching import final
from lambda_lint.model.registrations import Route
from lambda_lint.model.routes import Routes, is_only_called_test, is_test_path
from lambda_lint.model.values import External, FunctionValue, InstanceValue, Value
from lambda_lint.syntax import nodes

_CERTAIN = ("has the decorator", "uses `", "calls `", "takes an annotated Lambda context")
"""Evidence that only code for Lambda has, as opposed to names."""

_USUAL = ("lambda_handler", "handler")
"""Names that templates give. Other code may call such a function, and it stays a handler."""

_IN_PATH = re.compile(r"[{<](?:\w+(?:\([^)]*\))?:)?(\w+)[}>+:]")

_RUNS = frozenset({"call", "callback", "runner"})
"""Kinds of edges by which other code runs a plain function."""


class ConfiguredHandlerError(ValueError):
    """A handler of the configuration that the project does not have."""


def find_handlers(
    calls: CallGraph,
    configured: Sequence[str],
    is_named: Callable[[str, str], bool] = lambda path, name: False,
    declarations: Sequence[Declaration] = (),
    scripts: Set[str] = frozenset(),
) -> list[Handler]:
    """Return the handlers of the project in the order of paths and lines.

    `configured` are `path.py:name` entries; `is_named` says of a path and the name of a function
    whether the project names its handlers so; `declarations` are what descriptors say: they add
    handlers, and take none away; `scripts` are files that something else than Lambda runs, whose
    functions only look like handlers. Raises ConfiguredHandlerError for an entry that names
    nothing.
    """
    finder = Finder(calls, is_named, scripts)
    handlers = [finder.configured(one) for one in configured]
    seen = {(one.path, one.name) for one in handlers}
    declared = declared_handlers(finder, declarations)
    handlers += [one for one in declared if (one.path, one.name) not in seen]
    seen = {(one.path, one.name) for one in handlers}
    finder.named = frozenset(seen)
    applications: list[Handler] = []
    for path in sorted(calls.modules):
        module = calls.modules[path]
        if is_test_path(path):
            continue
        for handler in finder.in_module(module):
            is_known = (handler.path, handler.name) in seen
            if not is_known or handler in finder.alternatives:
                seen.add((handler.path, handler.name))
                whole = handler in finder.applications
                (applications if whole else handlers).append(handler)
    handlers += finder.called_by_nobody(applications, handlers)
    handlers = finder.without_kept(finder.without_helpers(handlers))
    handlers += finder.routes_without_handler(handlers)
    if not handlers:
        # Where there is no other, the function in `test.py` is what is deployed to try Lambda out.
        for path in filter(is_only_called_test, sorted(calls.modules)):
            tried = finder.in_module(calls.modules[path])
            handlers += [one for one in tried if one.name == "lambda_handler"]
    return sorted(handlers, key=lambda one: (one.path, one.span, one.name))


class Finder:
    """Looks for handlers in one module after the other; `declared` uses its parts."""

    def __init__(
        self,
        calls: CallGraph,
        is_named: Callable[[str, str], bool],
        scripts: Set[str] = frozenset(),
    ) -> None:
        """Take the finished call graph, and what says which names are those of handlers."""
        self.calls = calls
        self.scripts = scripts
        self.evaluator = calls.evaluator
        self.knowledge = calls.evaluator.knowledge
        self.is_named = is_named
        self.evidence = Evidence(calls)
        self.routes = Routes(calls)
        #: Handlers that are an application in a variable, which a function may stand in front of.
        self.applications: set[Handler] = set()
        #: Handlers of one name of which a branch decides which one is defined.
        self.alternatives: set[Handler] = set()
        #: The paths and names that the configuration gives.
        self.named: frozenset[tuple[str, str]] = frozenset()

    def configured(self, entry: str) -> Handler:
        """Return the handler of an entry of the configuration, or raise ConfiguredHandlerError."""
        path, _, name = entry.rpartition(":")
        module = self.calls.modules.get(path)
        if module is None:
            raise ConfiguredHandlerError(
                f"handler {entry!r}: the project has no analysed file {path!r}; give the path from "
                "the project root, as in `src/app.py:handler`"
            )
        evidence = ("named in the configuration",)
        for function in reversed(module.functions):
            if function.qualname == name:
                return self.handler(function, name, evidence, Confidence.HIGH, function.name_span)
        for binding in module.scope.bindings.get(name, ()):
            for handler in self.from_binding(module, name, binding, certain=True):
                return handler
        for value in self.evaluator.member(module, name):
            if isinstance(value, FunctionValue):
                span = value.function.name_span
                if value.function.module is not module:
                    span = module.scope.bindings[name][-1].node.span
                return self.handler(value.function, name, evidence, Confidence.HIGH, span, module)
        if name in module.scope.bindings:
            raise ConfiguredHandlerError(
                f"handler {entry!r}: what {path} keeps as {name!r} is not known, so nothing can be "
                "said of its events; write the name of the function that it calls"
            )
        raise ConfiguredHandlerError(
            f"handler {entry!r}: {path} defines no {name!r}; write the name of a function, "
            "`Class.method`, or a module variable that holds a callable"
        )

    def in_module(self, module: Module) -> Iterator[Handler]:
        """Yield the handlers that the module defines, as functions and as variables."""
        variables: list[Handler] = []
        wrapped: set[Function] = set()
        names: set[str] = set()
        for name in module.scope.bindings:
            for binding in final(module.scope, name):
                for handler in self.from_binding(module, name, binding, certain=False):
                    variables.append(handler)
                    if isinstance(binding.value, nodes.Call):
                        wrapped.update(self._wrapped_in(binding.value, module))
        for function in module.functions:
            route = self.routes.of(function)
            if route is not None and route.own:
                yield self.handler(
                    function,
                    function.name,
                    (route.evidence,),
                    Confidence.HIGH,
                    function.name_span,
                )
                continue
            if self.is_named(module.path, function.qualname):
                why = ("is named like the configured handlers",)
                yield self.handler(
                    function, function.qualname, why, Confidence.HIGH, function.name_span
                )
                continue
            scope = function.definition_scope
            if (
                scope is None
                or scope.kind != "module"
                or not isinstance(function.node, nodes.FunctionDef)
                or module.path in self.scripts
                or (route is not None and route.registry is None)
                or (function in wrapped and function.name not in _USUAL)
                or _is_replaced(function, module)
            ):
                continue
            points, evidence = self.evidence.score(function, function.name, skip=0)
            if points >= ENOUGH and not self._is_only_helper(function, evidence):
                confidence = Confidence.MEDIUM
                if any(one.startswith(_CERTAIN) for one in evidence):
                    confidence = Confidence.HIGH
                handler = self.handler(
                    function, function.name, evidence, confidence, function.name_span
                )
                if function.name in names and (module.path, function.name) not in self.named:
                    self.alternatives.add(handler)
                names.add(function.name)
                yield handler
        yield from variables

    def _wrapped_in(self, call: nodes.Call, module: Module) -> Iterator[Function]:
        """Yield the functions that are wrapped in `handler = traced(work)`."""
        for one in self.routes.below_wrapper(call, module.scope):
            if isinstance(one, FunctionValue):
                yield one.function
        for called in self.evaluator.evaluate(call.func, module.scope):
            if isinstance(called, External) and self.knowledge.handler_wrapper(called.name):
                for argument in call.arguments:
                    for one in self.evaluator.evaluate(argument.value, module.scope):
                        if isinstance(one, FunctionValue):
                            yield one.function

    def called_by_nobody(
        self, applications: Sequence[Handler], handlers: Sequence[Handler]
    ) -> Iterator[Handler]:
        """Yield the applications that no handler function hands its events to."""
        dispatching = [
            self.routes.imported_by(self.calls.modules[one.path])
            for one in handlers
            if any(
                self.routes.dispatches(entry.function) for entry in one.entries if not entry.step
            )
        ]
        paths = {one.path for one in handlers}
        for application in applications:
            unused = not application.entries and application.path in paths
            if not unused and not any(application.path in closure for closure in dispatching):
                yield application

    def without_helpers(self, handlers: Sequence[Handler]) -> list[Handler]:
        """Leave out functions that only look like handlers, and that a handler calls.

        The descriptor says which of the two Lambda calls: `guarded`, which calls `lambda_handler`.
        Where there is none, a handler of another module that hands its own event and context on is
        the one: `from get import handler as get_handler`.
        """
        direct = [(one, entry.function) for one in handlers for entry in one.entries]
        direct = [(one, function) for one, function in direct if function.name == one.name]
        declared = {function for one, function in direct if one.declarations}
        every = {function for _, function in direct}
        kept = []
        for one in handlers:
            function = one.entries[-1].function if one.entries else None
            if function is None or one.declarations or (one.path, one.name) in self.named:
                kept.append(one)
                continue
            route = self.routes.of(function)
            is_sure = self.is_named(one.path, function.qualname) or (
                route is not None and route.own
            )
            # A variable that holds the method of an object is not what others call.
            is_plain = (function.module.path, function.name) == (one.path, one.name)
            if is_sure or not any(
                edge.kind in (*_RUNS, "method")
                and edge.caller is not function
                and (
                    edge.caller in declared
                    or (is_plain and edge.caller in every and _is_handed_on(edge))
                )
                for edge in self.calls.into.get(function, ())
            ):
                kept.append(one)
        return kept

    def without_kept(self, handlers: Sequence[Handler]) -> list[Handler]:
        """Leave out functions that other handlers find in a registry of the project.

        One that no handler was seen to reach stays, because otherwise nothing would reach it.
        """
        served = {
            entry.function for one in handlers for entry in one.entries if entry.step is not None
        }
        kept = []
        for one in handlers:
            route = self.routes.of(one.entries[-1].function) if one.entries else None
            registered = route is not None and route.registry is not None
            if not registered or one.declarations or one.entries[-1].function not in served:
                kept.append(one)
        return kept

    def routes_without_handler(self, handlers: Sequence[Handler]) -> Iterator[Handler]:
        """Routes of objects that only live on Lambda, whose handler was not found, stand alone."""
        served = {entry.function for handler in handlers for entry in handler.entries}
        for route in self.routes.all():
            if route.on_lambda and route.function not in served:
                function = route.function
                yield Handler(
                    function.module.path,
                    function.name,
                    function.name_span,
                    (route.evidence,),
                    Confidence.MEDIUM,
                    self.entries(function, None, None),
                    answers_cloudformation(self.calls, function),
                )

    def from_binding(
        self, module: Module, name: str, binding: Binding, *, certain: bool
    ) -> Iterator[Handler]:
        """Yield the handler that a module variable holds: `handler = Mangum(app)`."""
        if binding.kind == "from" or isinstance(binding.value, nodes.Name):
            yield from self._renamed(module, name, binding)
        if binding.kind != "assign" or binding.value is None or binding.index is not None:
            return
        if binding.scope.kind != "module":
            return
        span = binding.node.span
        value = binding.value
        if isinstance(value, nodes.Call):
            for called in self.evaluator.evaluate(value.func, module.scope):
                if isinstance(called, External):
                    wrapper = self.knowledge.handler_wrapper(called.name)
                    if wrapper is not None and wrapper.platform == "lambda":
                        short = called.name.rpartition(".")[2]
                        yield self.served(module, name, span, f"made by `{short}`", value)
                        return
        held = self.evaluator.evaluate(value, module.scope)
        for one in held:
            framework = self.routes.framework_of(one)
            if framework is not None and framework.on_lambda and framework.callable:
                title = f"is a {framework.title} application"
                handler = self.served(module, name, span, title, None, one)
                self.applications.add(handler)
                yield handler
                return
            match one:
                case FunctionValue(function=function, receiver=receiver):
                    if isinstance(value, nodes.Name):
                        continue
                    bound = self._bound_by_partial(value, module)
                    skip = bound + (1 if receiver is not None else 0)
                    points, evidence = self.evidence.score(function, name, skip)
                    if points >= ENOUGH or certain:
                        evidence = (*evidence, "assigned to a module variable")
                        handler = self.handler(
                            function, name, evidence, Confidence.MEDIUM, span, module, bound
                        )
                        if isinstance(value, nodes.Call):
                            others = [
                                two.function for two in held if isinstance(two, FunctionValue)
                            ]
                            for inner in dict.fromkeys([*self._wrapped_in(value, module), *others]):
                                further = () if inner is function else self.entries(inner, 0, 1)
                                handler = replace(handler, entries=(*handler.entries, *further))
                        yield handler
                        return
                case InstanceValue(class_=class_):
                    for base in self.evaluator.lineage(class_)[0]:
                        call = base.methods.get("__call__")
                        if call is not None:
                            points, evidence = self.evidence.score(call, name, 1)
                            if points >= ENOUGH or certain:
                                yield self.handler(
                                    call, name, evidence, Confidence.MEDIUM, span, module
                                )
                                return

    def _bound_by_partial(self, value: nodes.Expression, module: Module) -> int:
        """Return how many parameters `functools.partial(run, settings)` gives in front."""
        if not isinstance(value, nodes.Call):
            return 0
        if External("functools.partial") not in self.evaluator.evaluate(value.func, module.scope):
            return 0
        return len([one for one in value.arguments if not one.name and not one.star]) - 1

    def _renamed(self, module: Module, name: str, binding: Binding) -> Iterator[Handler]:
        """`lambda_handler = process`, `from core import run as lambda_handler`."""
        if binding.scope.kind != "module" or not any(
            fnmatch.fnmatchcase(name, pattern)
            for one in self.knowledge.name_evidence
            for pattern in one.patterns
            if one.points > 0
        ):
            return
        for value in self.evaluator.binding(binding):
            if not isinstance(value, FunctionValue) or value.function.name == name:
                continue
            function, skip = value.function, 1 if value.receiver is not None else 0
            points, evidence = self.evidence.score(function, name, skip)
            # Under its own name it is found where it is defined.
            if points >= ENOUGH and self.evidence.score(function, function.name, skip)[0] < ENOUGH:
                evidence = (*evidence, "assigned to a module variable")
                span = binding.node.span
                yield self.handler(function, name, evidence, Confidence.MEDIUM, span, module)
                return

    def served(
        self,
        module: Module,
        name: str,
        span: Span,
        evidence: str,
        call: nodes.Call | None,
        application: Value | None = None,
    ) -> Handler:
        """A handler that dispatches to routes: those of every module that it imports."""
        entries: list[Entry] = []
        made_by: list[nodes.Call] = []
        custom_resource = False
        if isinstance(application, (External, InstanceValue)) and application.origin is not None:
            made_by.append(application.origin)
        if isinstance(application, External):
            custom_resource = application.name.startswith(("crhelper.", "cfn_custom_resource."))
        elif isinstance(application, InstanceValue):
            # A subclass of the project may do something of its own for each event.
            for base in self.evaluator.lineage(application.class_)[0]:
                if "__call__" in base.methods:
                    entries += self.entries(base.methods["__call__"], 0, 1)
                    break
        for route in self.routes.behind(module, made_by):
            entries += self._route_entries(route)
        if call is not None:
            for route in self.routes.lifespans(call, module.scope, module):
                entries += self._route_entries(route)
            for function in self._wrapped_in(call, module):
                entries += self.entries(function, 0, 1)
        return Handler(
            module.path,
            name,
            span,
            (evidence,) if evidence else (),
            Confidence.HIGH,
            tuple(entries),
            custom_resource,
        )

    def handler(
        self,
        function: Function,
        name: str,
        evidence: tuple[str, ...],
        confidence: Confidence,
        span: Span,
        module: Module | None = None,
        bound: int = 0,
    ) -> Handler:
        """Return a function as a handler, with the routes that it dispatches to."""
        # What a module variable holds may be defined elsewhere; the handler is the variable.
        module = module or function.module
        entries: list[Entry] = []
        if self.routes.dispatches(function):
            for route in self.routes.behind(module):
                entries += self._route_entries(route)
            for site in self.routes.adapters(function):
                for route in self.routes.lifespans(site.node, site.scope, module):
                    entries += self._route_entries(route)
        for route in self.routes.kept(function, module):
            if route.function is not function:
                entries += self._route_entries(route)
        if self.evidence.fits(function, bound + (1 if function.is_method else 0)):
            entries += self.entries(function, bound, bound + 1)
        else:
            # Called by its wrapper, which may have read what it hands on from the event.
            entries += self.entries(function, None, None)
        return Handler(
            module.path,
            name,
            span,
            evidence,
            confidence,
            tuple(entries),
            answers_cloudformation(self.calls, function),
        )

    def entries(
        self, function: Function, event: int | None, context: int | None, step: Step | None = None
    ) -> tuple[Entry, ...]:
        """Return a function and its wrappers as they are called; see `Entry`."""
        wrappers = self.calls.wrappers(function)
        return (
            *(Entry(one, None, None, step) for one in wrappers),
            Entry(function, event, context, step, given=_given(function, event, context)),
        )

    def _route_entries(self, route: Route) -> tuple[Entry, ...]:
        function = route.function
        step = Step(function.module.path, function.name_span, route.evidence)
        entries = self.entries(function, None, None, step)
        if route.lifecycle:
            return tuple(replace(one, lifecycle=True) for one in entries)
        if route.by_path:
            return tuple(
                replace(one, given=_given_by_path(function)) if one.function is function else one
                for one in entries
            )
        return entries

    def _is_only_helper(self, function: Function, evidence: tuple[str, ...]) -> bool:
        """Whether other code of the project calls it, and nothing says that Lambda does too."""
        if function.name in _USUAL or any(one.startswith("has the decorator") for one in evidence):
            return False
        return any(self._is_real_call(edge, function) for edge in self.calls.into.get(function, ()))

    def _is_real_call(self, edge: Edge, function: Function) -> bool:
        """Whether it is more than a test, a trial by hand, or the function calling itself."""
        caller = edge.caller
        if edge.kind not in _RUNS or is_test_path(caller.module.path) or self._below_main(edge):
            return False
        outer: Function | None = caller
        while outer is not None:
            if outer is function:
                return False
            scope = outer.definition_scope
            outer = scope.function if scope is not None else None
        if caller.is_module or self._only_for_trying(caller):
            return False
        if edge.site is None or edge.kind != "call":
            return True
        # A helper is given the context; who makes one up tries the handler out.
        bound = list(bind_arguments(edge.site.node, function, False).values())
        return len(bound) < 2 or not (
            isinstance(bound[1], nodes.Dict)
            or (isinstance(bound[1], nodes.Constant) and bound[1].kind == "none")
        )

    def _only_for_trying(self, function: Function) -> bool:
        """Whether nothing calls it, or only what stands at module level and in tests."""
        if function.definition_scope is None or function.definition_scope.kind != "module":
            return False
        if self.routes.of(function) is not None:
            return False
        if self.evidence.score(function, function.name, skip=0)[0] >= ENOUGH:
            return False
        return all(
            edge.caller.is_module or is_test_path(edge.caller.module.path)
            for edge in self.calls.into.get(function, ())
        )

    def _below_main(self, edge: Edge) -> bool:
        """Whether a call is for trying the file out by hand."""
        return any(
            isinstance(parent, nodes.If)
            and any(
                isinstance(one, nodes.Name) and one.id == "__name__"
                for one in nodes.walk(parent.test)
            )
            for _, parent in edge.caller.module.ancestors(edge.node)
        )


def _given(function: Function, event: int | None, context: int | None) -> frozenset[str] | None:
    """Return what Lambda gives a handler; a decorator of a library may give it more."""
    if event is None or context is None or function.is_method or function.decorators:
        return None
    return frozenset(one.name for one in function.parameters[event : context + 1])


def _given_by_path(function: Function) -> frozenset[str] | None:
    """Return what the paths of its decorators name, as `{id}` or `<int:id>`."""
    paths = [
        one.value.value
        for decorator in function.decorators
        if isinstance(decorator, nodes.Call)
        for one in decorator.arguments[:1]
        if isinstance(one.value, nodes.Constant) and isinstance(one.value.value, str)
    ]
    if len(paths) != len(function.decorators) or not paths:
        return None
    return frozenset(name for path in paths for name in _IN_PATH.findall(path))


def _is_handed_on(edge: Edge) -> bool:
    """Whether another module's function is called with the event and context that it was given."""
    if edge.site is None or edge.callee.module is edge.caller.module:
        return False
    own = [one.name for one in edge.caller.parameters[:2]]
    given = [one.value.id for one in edge.site.node.arguments if isinstance(one.value, nodes.Name)]
    return len(own) == 2 and given[:2] == own


def _is_replaced(function: Function, module: Module) -> bool:
    """Whether a later definition of the same name certainly takes the place of a function."""
    left = final(module.scope, function.name)
    return all(one.kind == "function" and one.function is not function for one in left)
