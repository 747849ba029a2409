"""What a value depends on: data of the invocation, temporary credentials, a loop's item.

A dependence is carried through names, attributes, calls and returns. Inside a function it may be
on a parameter; that is settled at the call sites, where any caller counts: a helper that anybody
hands event data to is one whose result differs between invocations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.calls import CallGraph, Edge
from lambda_lint.model.fixpoint import Fixpoint
from lambda_lint.model.program import Binding, CallSite, Class, Function, Scope
from lambda_lint.model.values import (
    ClassValue,
    External,
    FunctionValue,
    InstanceValue,
    ModuleValue,
)
from lambda_lint.model.writes import Writes, environment_name
from lambda_lint.syntax import nodes

EVENT = "event"
"""Data of the current invocation."""

CREDENTIALS = "credentials"
"""Temporary credentials, for example of an assumed role."""

ITERATION = "iteration"
"""The item of a loop or comprehension."""

UNKNOWN = "unknown"
"""Something that cannot be followed, so that nothing may be said of it."""

_CONTEXT = "context"

_VARYING_CONTEXT = frozenset(
    {"aws_request_id", "client_context", "identity", "tenant_id", "epoch_deadline_time_in_ms"}
)
"""Attributes of the context that differ between invocations of one environment.

The others (name, version, memory, log group, ARN) stay as they are:
https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

_CURRENT = frozenset({"current_event", "current_request", "lambda_event"})
"""Attributes through which frameworks hand out the current event."""

_CREDENTIAL_CALLS = frozenset(
    {
        "assume_role",
        "assume_role_with_saml",
        "assume_role_with_web_identity",
        "get_session_token",
        "get_federation_token",
        "get_credentials_for_identity",
        "get_role_credentials",
        "generate_db_auth_token",
        "get_cluster_credentials",
    }
)
"""API calls that give out credentials that expire."""

_MAX_CONTEXTS = 6


@dataclass(frozen=True, slots=True)
class OnParameter:
    """Depends on what a parameter gets; settled at the call sites."""

    function: Function
    name: str


@dataclass(frozen=True, slots=True)
class OnSelf:
    """Depends on what the object of a method holds in an attribute; settled by who made it."""

    method: Function
    class_: Class
    attr: str


MODULE_NAMES = frozenset({"__file__", "__name__", "__package__", "__doc__", "__spec__", "__path__"})
"""Names that every module has: https://docs.python.org/3/reference/datamodel.html#modules"""

Label = str | OnParameter | OnSelf
Labels = frozenset[Label]
_NOTHING: Labels = frozenset()


class Dependence:
    """Answers what expressions depend on. Everything is memoised; the project does not change."""

    def __init__(self, calls: CallGraph) -> None:
        """Take the finished call graph."""
        self.calls = calls
        self.evaluator = calls.evaluator
        self.writes = Writes(calls)
        #: Whether a call may ever be made; set when phases are known.
        self.is_reached: Callable[[CallSite], bool] = lambda site: True
        #: Parameters of entry points: the function and name, to the label of what it gets.
        self.given: dict[tuple[Function, str], str] = {}
        #: The calls in the methods of a class that set attributes by names only the run knows.
        self._setting: dict[Class, list[CallSite]] = {}
        self._solved: Fixpoint[Label] = Fixpoint(frozenset({UNKNOWN}))
        self._settled: Fixpoint[str] = Fixpoint(frozenset({UNKNOWN}))
        #: The ways through which something is constant, by everything that the search depends on:
        #: without it a function with many callers is asked once for each path to it.
        self._ways: dict[tuple[object, ...], tuple[Edge, ...] | None] = {}

    def enters_at(self, function: Function, *, event: int | None, context: int | None) -> None:
        """Declare an entry point: which of its parameters are the event and the context.

        Positions count the parameters without `self`. With `event=None` all of them are event data.
        """
        parameters = function.parameters[1 if _has_self(function) else 0 :]
        for position, parameter in enumerate(parameters):
            if position == context:
                self.given[function, parameter.name] = _CONTEXT
            elif event is None or position == event or context is None:
                self.given[function, parameter.name] = EVENT

    def of(self, node: nodes.Expression, scope: Scope) -> frozenset[str]:
        """Return EVENT, CREDENTIALS, ITERATION and UNKNOWN, as far as it depends on them."""
        return self.settle(self._labels(node, scope)) - {_CONTEXT}

    def is_request(self, node: nodes.Attribute, scope: Scope) -> bool:
        """Whether an attribute is what a framework calls the current event or request."""
        return node.attr in _CURRENT or any(
            isinstance(one, External) and one.name.startswith("flask.request")
            for one in self.evaluator.evaluate(node.value, scope)
        )

    def of_call(self, call: nodes.Call, scope: Scope) -> frozenset[str]:
        """Return what the result of a call depends on: its arguments and its receiver."""
        return self.settle(self._raw(call, scope)) - {_CONTEXT}

    def settle(self, labels: Iterable[Label]) -> frozenset[str]:
        """Replace dependences on parameters by what the call sites give them."""
        settled: set[str] = set()
        for label in labels:
            match label:
                case str():
                    settled.add(label)
                case OnSelf(class_=class_, attr=attr):
                    settled |= self._of_any_object(class_, attr)
                case OnParameter(function=function, name=name):
                    settled |= self._parameter(function, name)
        return frozenset(settled)

    def _of_any_object(self, class_: Class, attr: str) -> frozenset[str]:
        return self._settled.solve(
            (class_, attr), lambda: self.settle(self._instance_attribute(class_, attr))
        )

    def constant_way(
        self, call: nodes.Call, scope: Scope, runs: Callable[[Edge], bool]
    ) -> tuple[Edge, ...] | None:
        """Return calls through which the result is the same for every invocation.

        A helper may be called with event data in one place and with constants in another; the
        constants make it build the same thing again and again. The edges lead to the function of
        `call`, outermost first; None means that no such way was found. `runs` says whether an edge
        is taken on every invocation.
        """
        return self._constant(self._raw(call, scope), scope.function, runs, 0)

    def _constant(
        self, labels: Labels, function: Function, runs: Callable[[Edge], bool], depth: int
    ) -> tuple[Edge, ...] | None:
        if any(isinstance(one, str) and one != _CONTEXT for one in labels):
            return None
        by_function: dict[Function, list[OnParameter | OnSelf]] = {}
        for one in labels:
            if isinstance(one, OnParameter):
                by_function.setdefault(one.function, []).append(one)
            elif isinstance(one, OnSelf) and self.settle([one]) - {_CONTEXT}:
                by_function.setdefault(one.method, []).append(one)
        way: tuple[Edge, ...] = ()
        for owner, about in sorted(by_function.items(), key=lambda item: str(item[0])):
            key = (runs, owner, frozenset(about), depth)
            if key not in self._ways:
                self._ways[key] = self._constant_call(owner, about, runs, depth)
            found = self._ways[key]
            if found is None:
                return None
            if owner is function:
                way = found
        return way

    def _constant_call(
        self,
        owner: Function,
        about: Sequence[OnParameter | OnSelf],
        runs: Callable[[Edge], bool],
        depth: int,
    ) -> tuple[Edge, ...] | None:
        """Return a call of `owner` that gives constants for the parameters, on such an object."""
        names = sorted({one.name for one in about if isinstance(one, OnParameter)})
        attributes = [one for one in about if isinstance(one, OnSelf)]
        if depth > _MAX_CONTEXTS or any((owner, name) in self.given for name in names):
            return None
        if owner in self.calls.partials:
            return None
        for edge in self.calls.into.get(owner, ()):
            is_read = edge.kind == "property" and not names
            if (not is_read and edge.kind not in ("call", "method", "init")) or not runs(edge):
                continue
            labels: set[Label] | None = set() if is_read else None
            bound = self.calls.bound_at(owner, edge.site) if edge.site is not None else ()
            if edge.site is not None and bound:
                labels = set()
                for name in names:
                    labels |= self._given_at(edge.site, owner, bound[0], name)
            if labels is None:
                continue
            for one in attributes:
                labels |= self._held_by_receiver(edge, one)
            outer = self._constant(frozenset(labels), edge.caller, runs, depth + 1)
            if outer is not None:
                return (*outer, edge)
        return None

    def _held_by_receiver(self, edge: Edge, about: OnSelf) -> Labels:
        """Return what the attribute depends on in the object whose method an edge runs."""
        called = edge.node.func if isinstance(edge.node, nodes.Call) else edge.node
        if edge.kind == "init" or not isinstance(called, nodes.Attribute):
            return self._instance_attribute(about.class_, about.attr)
        receiver = called.value
        own = self._own_object(receiver, edge.scope)
        if own is not None:
            return frozenset({OnSelf(own, about.class_, about.attr)})
        labels: set[Label] = set()
        for value in self.evaluator.evaluate(receiver, edge.scope):
            if not isinstance(value, InstanceValue):
                continue
            site = self._made_at(value)
            if site is None:
                labels |= self._instance_attribute(about.class_, about.attr)
            elif self.is_reached(site):
                labels |= self._attribute_of_one(value.class_, about.attr, site, frozenset())
        return frozenset(labels)

    def _made_at(self, value: InstanceValue) -> CallSite | None:
        for site in self.calls.instantiations.get(value.class_, ()):
            if site.node is value.origin:
                return site
        return None

    def _attribute_of_one(
        self, class_: Class, attr: str, site: CallSite, asked: frozenset[str]
    ) -> Labels:
        """Return what an attribute depends on in the object that one constructor call makes."""
        lineage, _ = self.evaluator.lineage(class_)
        constructor = next(
            (one.methods["__init__"] for one in lineage if "__init__" in one.methods), None
        )
        labels: set[Label] = set()
        is_known = False
        for one in lineage:
            for binding in (*one.attributes.get(attr, ()), *one.scope.bindings.get(attr, ())):
                is_known = True
                for label in self._binding(binding):
                    match label:
                        case OnParameter(function=function, name=name) if function is constructor:
                            labels |= self._given_at(site, function, True, name)
                        case OnParameter(function=function) if function.name == "__init__":
                            labels |= self.settle([label])
                        case OnSelf(attr=inner) if inner not in asked:
                            labels |= self._attribute_of_one(class_, inner, site, asked | {attr})
                        case _:
                            labels.add(label)
                if isinstance(binding.node, nodes.AnnotatedAssign):
                    labels |= self._field([class_], one, attr, site)
            method = one.methods.get(attr)
            if method is not None:
                return self._instance_attribute(class_, attr)
            labels |= self._set_dynamically(one)
        labels |= self._written_outside(attr, lineage)
        return frozenset(labels) if is_known else frozenset({*labels, UNKNOWN})

    def _written_outside(self, attr: str, family: Sequence[Class]) -> Labels:
        labels: set[Label] = set()
        for owner, written in self.writes.named(attr):
            if self._own_object(owner, written[1]) is None and any(
                isinstance(value, InstanceValue) and value.class_ in family
                for value in self.evaluator.evaluate(owner, written[1])
            ):
                labels |= self._all_of([written])
        return frozenset(labels)

    def _own_object(self, node: nodes.Expression, scope: Scope) -> Function | None:
        """Return the method whose own object an expression is: `self`."""
        if not isinstance(node, nodes.Name):
            return None
        owner = scope.module.scope_of.get(node, scope).lookup(node.id)
        if owner is None or owner.kind != "function" or not _is_self(owner.function, node.id):
            return None
        method = owner.function
        plain = len(owner.bindings[node.id]) == 1 and not method.has_simple_decorator("classmethod")
        return method if plain and method.name != "__new__" else None

    def _given_at(self, site: CallSite, function: Function, skip_first: bool, name: str) -> Labels:
        """Return what one call site gives a parameter; a default, when it gives nothing."""
        parameter = function.parameter(name)
        if parameter is None:
            return _NOTHING
        if parameter.kind in ("variadic", "keywords"):
            return self._all_arguments(site.node, site.scope)
        value = bind_arguments(site.node, function, skip_first).get(name)
        if value is not None:
            return self._labels(value, site.scope)
        labels: set[Label] = set(self._starred(site.node, site.scope))
        if parameter.default is not None and function.definition_scope is not None:
            labels |= self._labels(parameter.default, function.definition_scope)
        elif function in self.calls.partials:
            # What the call leaves out, `functools.partial` gave before.
            return frozenset(labels)
        elif not labels and not any(one.star for one in site.node.arguments):
            labels.add(UNKNOWN)
        return frozenset(labels)

    def _parameter(self, function: Function, name: str) -> frozenset[str]:
        return self._settled.solve((function, name), lambda: self._find_parameter(function, name))

    def _find_parameter(self, function: Function, name: str) -> frozenset[str]:
        given = self.given.get((function, name))
        labels: set[Label] = {given} if given is not None else set()
        is_given = given is not None
        for edge in self.calls.into.get(function, ()):
            if edge.site is None:
                continue
            if edge.kind in ("call", "method", "init"):
                for skip_first in self.calls.bound_at(function, edge.site):
                    is_given = True
                    labels |= self._given_at(edge.site, function, skip_first, name)
            elif edge.kind in ("callback", "runner", "wrapper"):
                is_given = True
                labels |= self._all_arguments(edge.site.node, edge.site.scope)
        for site in self.calls.partials.get(function, ()):
            is_given = True
            rest = nodes.Call(site.span, site.node.func, site.node.arguments[1:])
            value = bind_arguments(rest, function, False).get(name)
            if value is not None:
                labels |= self._labels(value, site.scope)
        parameter = function.parameter(name)
        if not is_given and parameter is not None:
            if parameter.default is not None and function.definition_scope is not None:
                labels |= self._labels(parameter.default, function.definition_scope)
            else:
                labels.add(UNKNOWN)
        return self.settle(labels)

    def _raw(self, call: nodes.Call, scope: Scope) -> Labels:
        labels: set[Label] = set()
        if isinstance(call.func, nodes.Attribute):
            labels |= self._labels(call.func.value, scope)
        return frozenset(labels) | self._all_arguments(call, scope)

    def _all_arguments(self, call: nodes.Call, scope: Scope) -> Labels:
        found: set[Label] = set()
        for argument in call.arguments:
            found |= self._labels(argument.value, scope)
        return frozenset(found)

    def _starred(self, call: nodes.Call, scope: Scope) -> Labels:
        found: set[Label] = set()
        for argument in call.arguments:
            if argument.star:
                found |= self._labels(argument.value, scope)
        return frozenset(found)

    def _labels(self, node: nodes.Expression, scope: Scope) -> Labels:
        found = self._solved.solve((node, scope), lambda: frozenset(self._find(node, scope)))
        # Whatever the code of a module computes, it does so once.
        return found - {UNKNOWN} if scope.function.is_module else found

    def _find(self, node: nodes.Expression, scope: Scope) -> Iterable[Label]:
        match node:
            case nodes.Constant() | nodes.Lambda():
                return _NOTHING
            case nodes.Name(id=name):
                return self._name(name, scope.module.scope_of.get(node, scope))
            case nodes.Attribute():
                return self._attribute(node, scope)
            case nodes.Call():
                return self._call(node, scope)
            case nodes.Subscript(value=value):
                variable = environment_name(node, self._external_names(value, scope))
                if variable is not None:
                    return self._all_of(self.writes.to_variable(variable))
        found: set[Label] = set()
        for child in nodes.children(node):
            if isinstance(child, nodes.Expression):
                found |= self._labels(child, scope)
            else:
                for inner in nodes.children(child):
                    if isinstance(inner, nodes.Expression):
                        found |= self._labels(inner, scope)
        return found

    def _all_of(self, written: Iterable[tuple[nodes.Expression, Scope]]) -> Labels:
        found: set[Label] = set()
        for value, scope in written:
            found |= self._labels(value, scope) - {ITERATION}
        return frozenset(found)

    def _external_names(self, node: nodes.Expression, scope: Scope) -> list[str]:
        return [
            one.name for one in self.evaluator.evaluate(node, scope) if isinstance(one, External)
        ]

    def _name(self, name: str, scope: Scope) -> Iterable[Label]:
        found = scope.lookup(name)
        if found is None:
            known = name in MODULE_NAMES or self.evaluator.name(name, scope)
            return _NOTHING if known else (UNKNOWN,)
        return self._bound(found, name)

    def _bound(self, scope: Scope, name: str) -> Labels:
        labels: set[Label] = set()
        for binding in scope.bindings.get(name, ()):
            labels |= self._binding(binding)
        if scope.kind == "function" and not _is_self(scope.function, name):
            for written, value, inner in scope.function.contents:
                if written == name and inner.lookup(name) is scope:
                    labels |= self._labels(value, inner) - {ITERATION}
        elif scope.kind == "module":
            labels |= self._all_of(self.writes.into_module_name(scope.module, name))
            module, original = self.writes.origin(scope.module, name)
            if module is not scope.module:
                labels |= self._bound(module.scope, original)
        return frozenset(labels)

    def _binding(self, binding: Binding) -> Labels:
        return self._solved.solve(binding, lambda: frozenset(self._find_binding(binding)))

    def _find_binding(self, binding: Binding) -> Iterable[Label]:
        if binding.kind == "parameter":
            function = binding.scope.function
            first = function.parameters[0] if function.parameters else None
            if _has_self(function) and binding.node is first:
                return _NOTHING
            return (OnParameter(function, binding.name),)
        if binding.value is None:
            return _NOTHING
        labels = set(self._labels(binding.value, binding.scope))
        if binding.kind == "iterate" and not binding.scope.function.is_module:
            labels.add(ITERATION)
        return labels

    def _attribute(self, node: nodes.Attribute, scope: Scope) -> Iterable[Label]:
        if node.attr in _CURRENT:
            return (EVENT,)
        labels: set[Label] = set(self._labels(node.value, scope))
        if _CONTEXT in labels or self._is_context(node.value, scope):
            labels = {one for one in labels if isinstance(one, str) and one != _CONTEXT}
            if node.attr in _VARYING_CONTEXT:
                labels.add(EVENT)
            return labels
        for value in self.evaluator.evaluate(node.value, scope):
            if isinstance(value, InstanceValue):
                own = self._own_object(node.value, scope)
                if own is not None:
                    labels.add(OnSelf(own, value.class_, node.attr))
                else:
                    labels |= self._instance_attribute(value.class_, node.attr)
            elif isinstance(value, ModuleValue):
                labels |= self._bound(value.module.scope, node.attr)
                labels |= self._all_of(self.writes.to_attribute(value.module, node.attr))
            elif isinstance(value, External) and value.name.startswith("flask.request"):
                labels.add(EVENT)
        return labels

    def _is_context(self, node: nodes.Expression, scope: Scope) -> bool:
        if not isinstance(node, nodes.Name):
            return False
        found = scope.lookup(node.id)
        return found is not None and self.given.get((found.function, node.id)) == _CONTEXT

    def _instance_attribute(self, class_: Class, attr: str) -> Labels:
        """Return what an attribute of an instance depends on, wherever it was written."""
        return self._solved.solve(
            (class_, attr), lambda: frozenset(self._find_instance_attribute(class_, attr))
        )

    def _find_instance_attribute(self, class_: Class, attr: str) -> Iterable[Label]:
        lineage, _ = self.evaluator.lineage(class_)
        family = [*lineage, *self.calls.subclasses.get(class_, ())]
        labels: set[Label] = set()
        is_known = False
        for one in family:
            for binding in (*one.attributes.get(attr, ()), *one.scope.bindings.get(attr, ())):
                is_known = True
                labels |= self._binding(binding)
                if isinstance(binding.node, nodes.AnnotatedAssign) and one in lineage:
                    labels |= self._field(family, one, attr)
            method = one.methods.get(attr)
            if method is not None and self.evaluator.is_property(method):
                labels |= self._returned(method)
            labels |= self._set_dynamically(one)
        for one in dict.fromkeys(family):
            written = self.writes.to_attribute(one, attr)
            is_known = is_known or bool(written)
            labels |= self._all_of(written)
        return labels if is_known or labels else (UNKNOWN,)

    def _field(
        self, family: Sequence[Class], class_: Class, attr: str, only: CallSite | None = None
    ) -> Labels:
        """Return what constructor calls, or `only` one, give a declared field of a dataclass."""
        if "__init__" in class_.methods:
            return _NOTHING
        fields = [
            one.target.id
            for one in class_.node.body
            if isinstance(one, nodes.AnnotatedAssign) and isinstance(one.target, nodes.Name)
        ]
        labels: set[Label] = set()
        for one in family:
            for site in self.calls.instantiations.get(one, ()) if only is None else (only,):
                position = 0
                for argument in site.node.arguments:
                    is_it = argument.name == attr or bool(argument.star)
                    if argument.name is None and not argument.star:
                        is_it = position < len(fields) and fields[position] == attr
                        position += 1
                    if is_it:
                        labels |= self._labels(argument.value, site.scope)
        return frozenset(labels)

    def _set_dynamically(self, class_: Class) -> Labels:
        """Return what `setattr(self, name, value)` and `self.__dict__.update(…)` bring in."""
        sites = self._setting.get(class_)
        if sites is None:
            sites = [
                site
                for method in class_.methods.values()
                for site in method.calls
                if _sets_dynamically(site.node)
            ]
            self._setting[class_] = sites
        labels: set[Label] = set()
        for site in sites:
            if isinstance(site.node.func, nodes.Name):
                labels |= self._labels(site.node.arguments[2].value, site.scope) - {ITERATION}
            else:
                labels |= self._all_arguments(site.node, site.scope)
        return frozenset(labels)

    def _call(self, node: nodes.Call, scope: Scope) -> Iterable[Label]:
        values = self.evaluator.evaluate(node.func, scope)
        labels: set[Label] = set()
        if isinstance(node.func, nodes.Attribute):
            if node.func.attr in _CREDENTIAL_CALLS:
                labels.add(CREDENTIALS)
            labels |= self._labels(node.func.value, scope)
        functions = [one for one in values if isinstance(one, FunctionValue)]
        if functions and len(functions) == len(values):
            for value in functions:
                bound = value.receiver is not None
                labels |= self._substituted(value.function, node, scope, bound)
            return labels
        names = [one.name for one in values if isinstance(one, External)]
        variable = environment_name(node, names)
        if variable is not None:
            return labels | self._all_of(self.writes.to_variable(variable))
        if any(name in _PLAIN for name in names):
            return labels
        if not any(isinstance(one, ClassValue) for one in values):
            labels |= self._labels(node.func, scope)
        return labels | self._all_arguments(node, scope)

    def _substituted(
        self, function: Function, call: nodes.Call, scope: Scope, bound: bool
    ) -> Labels:
        """Return what a call's result depends on, with the arguments of this very call."""
        returned = self._returned(function)
        if not returned:
            return _NOTHING
        site = CallSite(call, scope, scope.function)
        labels: set[Label] = set()
        for label in returned:
            if isinstance(label, OnParameter) and label.function is function:
                labels |= self._given_at(site, function, bound, label.name) - {UNKNOWN}
            else:
                labels.add(label)
        return frozenset(labels)

    def _returned(self, function: Function) -> Labels:
        return self._solved.solve(
            ("returned", function), lambda: frozenset(self._find_returned(function))
        )

    def _find_returned(self, function: Function) -> Iterable[Label]:
        labels: set[Label] = set()
        for value, scope in function.returns or function.yields:
            labels |= self._labels(value, scope)
        return labels - {ITERATION}


_PLAIN = frozenset({"builtins.len", "builtins.isinstance", "builtins.bool", "builtins.print"})
"""Calls whose result says too little of their arguments to choose a client by it."""


def _sets_dynamically(call: nodes.Call) -> bool:
    match call:
        case nodes.Call(func=nodes.Name(id="setattr"), arguments=[_, name, _]):
            return not isinstance(name.value, nodes.Constant)
        case nodes.Call(
            func=nodes.Attribute(value=nodes.Attribute(attr="__dict__"), attr="update")
        ):
            return True
    return False


def _is_self(function: Function, name: str) -> bool:
    """Whether the name is a method's own object, whose attributes are followed one by one."""
    return _has_self(function) and bool(function.parameters) and function.parameters[0].name == name


def _has_self(function: Function) -> bool:
    if not function.parameters:
        return False
    return function.is_method and not function.has_simple_decorator("staticmethod")
