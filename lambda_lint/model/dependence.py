"""What a value depends on: data of the invocation, temporary credentials, a loop's item.

A dependence is carried through names, attributes, calls and returns. Inside a function it may be
on a parameter; that is settled at the call sites, where any caller counts: a helper that anybody
hands event data to is one whose result differs between invocations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lambda_lint.model.calls import CallGraph, Edge, bind_arguments
from lambda_lint.model.program import Binding, Class, Function, Scope
from lambda_lint.model.values import ClassValue, External, FunctionValue, InstanceValue
from lambda_lint.syntax import nodes

EVENT = "event"
"""Data of the current invocation."""

CREDENTIALS = "credentials"
"""Temporary credentials, for example of an assumed role."""

ITERATION = "iteration"
"""The item of a loop or comprehension."""

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

_MAX_DEPTH = 80
_MAX_CONTEXTS = 6


@dataclass(frozen=True, slots=True)
class OnParameter:
    """Depends on what a parameter gets; settled at the call sites."""

    function: Function
    name: str


Label = str | OnParameter
Labels = frozenset[Label]
_NOTHING: Labels = frozenset()


class Dependence:
    """Answers what expressions depend on. Everything is memoised; the project does not change."""

    def __init__(self, calls: CallGraph) -> None:
        """Take the finished call graph."""
        self.calls = calls
        self.evaluator = calls.evaluator
        #: Parameters of entry points: the function and name, to the label of what it gets.
        self.given: dict[tuple[Function, str], str] = {}
        self._memo: dict[tuple[nodes.Node, Scope], Labels] = {}
        self._bindings: dict[Binding, Labels] = {}
        self._returns: dict[Function, Labels] = {}
        self._parameters: dict[tuple[Function, str], frozenset[str]] = {}
        self._busy: set[object] = set()
        self._depth = 0

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
        """Return EVENT, CREDENTIALS and ITERATION, as far as the expression depends on them."""
        return self.settle(self._labels(node, scope)) - {_CONTEXT}

    def of_call(self, call: nodes.Call, scope: Scope) -> frozenset[str]:
        """Return what the result of a call depends on: its arguments and its receiver."""
        return self.settle(self._raw(call, scope)) - {_CONTEXT}

    def settle(self, labels: Iterable[Label]) -> frozenset[str]:
        """Replace dependences on parameters by what the call sites give them."""
        settled: set[str] = set()
        for label in labels:
            if isinstance(label, str):
                settled.add(label)
            else:
                settled |= self._parameter(label.function, label.name)
        return frozenset(settled)

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
        by_function: dict[Function, set[str]] = {}
        for one in labels:
            if isinstance(one, OnParameter):
                by_function.setdefault(one.function, set()).add(one.name)
        way: tuple[Edge, ...] = ()
        for owner, names in sorted(by_function.items(), key=lambda item: str(item[0])):
            found = self._constant_call(owner, sorted(names), runs, depth)
            if found is None:
                return None
            if owner is function:
                way = found
        return way

    def _constant_call(
        self, owner: Function, names: Sequence[str], runs: Callable[[Edge], bool], depth: int
    ) -> tuple[Edge, ...] | None:
        """Return a call of `owner` that gives constants for the named parameters."""
        if depth > _MAX_CONTEXTS or any((owner, name) in self.given for name in names):
            return None
        edges = [one for one in self.calls.into.get(owner, ()) if one.site is not None]
        for edge in edges:
            if edge.kind not in ("call", "method", "init") or not runs(edge):
                continue
            for site, skip_first in self.calls.argument_sites(owner):
                if site is not edge.site:
                    continue
                if any(one.star for one in site.node.arguments):
                    break
                arguments = bind_arguments(site.node, owner, skip_first)
                labels: set[Label] = set()
                for name in names:
                    if name in arguments:
                        labels |= self._labels(arguments[name], site.scope)
                outer = self._constant(frozenset(labels), edge.caller, runs, depth + 1)
                if outer is not None:
                    return (*outer, edge)
                break
        return None

    def _raw(self, call: nodes.Call, scope: Scope) -> Labels:
        labels: set[Label] = set()
        if isinstance(call.func, nodes.Attribute):
            labels |= self._labels(call.func.value, scope)
        for argument in call.arguments:
            labels |= self._labels(argument.value, scope)
        return frozenset(labels)

    def _parameter(self, function: Function, name: str) -> frozenset[str]:
        key = (function, name)
        found = self._parameters.get(key)
        if found is not None:
            return found
        self._parameters[key] = frozenset()
        given = self.given.get(key)
        labels: set[Label] = {given} if given is not None else set()
        parameter = function.parameter(name)
        for edge in self.calls.into.get(function, ()):
            if edge.site is None:
                continue
            if edge.kind in ("call", "method", "init") and parameter is not None:
                for site, skip_first in self.calls.argument_sites(function):
                    if site is not edge.site:
                        continue
                    if parameter.kind in ("variadic", "keywords"):
                        labels |= self._all_arguments(site.node, site.scope)
                    else:
                        value = bind_arguments(site.node, function, skip_first).get(name)
                        if value is not None:
                            labels |= self._labels(value, site.scope)
                        elif any(one.star for one in site.node.arguments):
                            labels |= self._starred(site.node, site.scope)
            elif edge.kind in ("callback", "runner", "wrapper"):
                labels |= self._all_arguments(edge.site.node, edge.site.scope)
        result = self.settle(labels)
        self._parameters[key] = result
        return result

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
        key = (node, scope)
        found = self._memo.get(key)
        if found is not None:
            return found
        if key in self._busy or self._depth > _MAX_DEPTH:
            return _NOTHING
        self._busy.add(key)
        self._depth += 1
        try:
            result = frozenset(self._find(node, scope))
        finally:
            self._depth -= 1
            self._busy.discard(key)
        self._memo[key] = result
        return result

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
        found: set[Label] = set()
        for child in nodes.children(node):
            if isinstance(child, nodes.Expression):
                found |= self._labels(child, scope)
            else:
                for inner in nodes.children(child):
                    if isinstance(inner, nodes.Expression):
                        found |= self._labels(inner, scope)
        return found

    def _name(self, name: str, scope: Scope) -> Iterable[Label]:
        found = scope.lookup(name)
        if found is None:
            return _NOTHING
        labels: set[Label] = set()
        for binding in found.bindings.get(name, ()):
            labels |= self._binding(binding)
        if found.kind == "function":
            for written, value, inner in found.function.contents:
                if written == name and inner.lookup(name) is found:
                    labels |= self._labels(value, inner) - {ITERATION}
        return labels

    def _binding(self, binding: Binding) -> Labels:
        found = self._bindings.get(binding)
        if found is not None:
            return found
        if binding in self._busy:
            return _NOTHING
        self._busy.add(binding)
        try:
            labels: set[Label] = set()
            if binding.kind == "parameter":
                function = binding.scope.function
                first = function.parameters[0] if function.parameters else None
                if not (_has_self(function) and binding.node is first):
                    labels.add(OnParameter(function, binding.name))
            elif binding.value is not None:
                labels |= self._labels(binding.value, binding.scope)
                if binding.kind == "iterate" and not binding.scope.function.is_module:
                    labels.add(ITERATION)
            result = frozenset(labels)
        finally:
            self._busy.discard(binding)
        self._bindings[binding] = result
        return result

    def _attribute(self, node: nodes.Attribute, scope: Scope) -> Iterable[Label]:
        if node.attr in _CURRENT:
            return (EVENT,)
        base = self._labels(node.value, scope)
        labels: set[Label] = set(base)
        if _CONTEXT in labels or self._is_context(node.value, scope):
            labels = {one for one in labels if isinstance(one, str) and one != _CONTEXT}
            if node.attr in _VARYING_CONTEXT:
                labels.add(EVENT)
            return labels
        for value in self.evaluator.evaluate(node.value, scope):
            if isinstance(value, InstanceValue):
                labels |= self._instance_attribute(value.class_, node.attr)
            elif isinstance(value, External) and value.name.startswith("flask.request"):
                labels.add(EVENT)
        return labels

    def _is_context(self, node: nodes.Expression, scope: Scope) -> bool:
        if not isinstance(node, nodes.Name):
            return False
        found = scope.lookup(node.id)
        return found is not None and self.given.get((found.function, node.id)) == _CONTEXT

    def _instance_attribute(self, class_: Class, attr: str) -> Labels:
        labels: set[Label] = set()
        for one in self.evaluator.lineage(class_)[0]:
            for binding in one.attributes.get(attr, ()):
                labels |= self._binding(binding)
            method = one.methods.get(attr)
            if method is not None and self.evaluator.is_property(method):
                labels |= self._returned(method)
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
        if any(isinstance(one, External) and one.name in _PLAIN for one in values):
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
        arguments = bind_arguments(call, function, bound)
        labels: set[Label] = set()
        for label in returned:
            if isinstance(label, OnParameter) and label.function is function:
                value = arguments.get(label.name)
                if value is not None:
                    labels |= self._labels(value, scope)
                else:
                    labels |= self._starred(call, scope)
            else:
                labels.add(label)
        return frozenset(labels)

    def _returned(self, function: Function) -> Labels:
        found = self._returns.get(function)
        if found is not None:
            return found
        if function in self._busy:
            return _NOTHING
        self._busy.add(function)
        try:
            labels: set[Label] = set()
            for value, scope in function.returns or function.yields:
                labels |= self._labels(value, scope)
            result = frozenset(labels - {ITERATION})
        finally:
            self._busy.discard(function)
        self._returns[function] = result
        return result


_PLAIN = frozenset({"builtins.len", "builtins.isinstance", "builtins.bool", "builtins.print"})
"""Calls whose result says too little of their arguments to choose a client by it."""


def _has_self(function: Function) -> bool:
    return function.is_method and not function.has_simple_decorator("staticmethod")
