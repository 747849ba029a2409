"""What a call of a library goes to, what it is given, and how often: the part of `Call` that asks
for certainty."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

from lambda_lint.finding import Step
from lambda_lint.model.addresses import Address, address_of
from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.calls import Edge
from lambda_lint.model.event_loops import used_in_new_loop
from lambda_lint.model.knowledge import Request, Stored
from lambda_lint.model.loops import (
    Loop,
    calls_once,
    is_conditional,
    loop_around,
    serves_all_items,
)
from lambda_lint.model.phases import Path
from lambda_lint.model.program import CallSite, Function, Scope
from lambda_lint.model.resources import Resource, Use
from lambda_lint.model.values import ClassValue, External, InstanceValue, ModuleValue
from lambda_lint.syntax import nodes

if TYPE_CHECKING:
    from lambda_lint.model.project import Project


class CallFacts:
    """Questions to a call; `Call` has the rest, and is what rules see."""

    if TYPE_CHECKING:
        project: Project
        site: CallSite
        externals: tuple[External, ...]

        @property
        def path(self) -> str:
            """As in `Call`."""

        @property
        def node(self) -> nodes.Call:
            """As in `Call`."""

        @property
        def function(self) -> Function:
            """As in `Call`."""

        @cached_property
        def way(self) -> Path | None:
            """As in `Call`."""

        @cached_property
        def resource(self) -> Resource | None:
            """As in `Call`."""

        def is_constant(self, value: nodes.Expression) -> bool:
            """As in `Call`."""

        @cached_property
        def constant_way(self) -> tuple[Edge, ...] | None:
            """As in `Call`."""

    @cached_property
    def request(self) -> Request | None:
        """What is known of the call as a request with a connection of its own."""
        knowledge = self.project.knowledge
        return next(
            (found for one in self.externals if (found := knowledge.request(one.name))), None
        )

    @cached_property
    def fetch(self) -> Stored | None:
        """What is known of the call as reading configuration or a secret."""
        knowledge = self.project.knowledge
        return next((found for one in self.externals if (found := knowledge.fetch(one.name))), None)

    @cached_property
    def uses_network(self) -> bool:
        """Whether the call certainly goes to the network, or to a service of AWS."""
        knowledge = self.project.knowledge
        return bool(self.request or self.fetch) or any(
            knowledge.opens_connection(one.name) or _is_api_call(one.name) for one in self.externals
        )

    @property
    def only_tells_region(self) -> bool:
        """Whether nothing but the region is asked of a session, which is made for that alone."""
        parent = self.site.module.parents.get(self.node)
        return isinstance(parent, nodes.Attribute) and parent.attr == "region_name"

    def argument(self, name: str, position: int | None = None) -> nodes.Expression | None:
        """Return the argument with a name, or else the one at a position (counted from 0)."""
        for one in self.node.arguments:
            if one.name == name:
                return one.value
        positional = [one for one in self.node.arguments if not one.name]
        if position is None or any(one.star for one in positional[: position + 1]):
            return None
        return positional[position].value if position < len(positional) else None

    def is_fixed(self, value: nodes.Expression) -> bool:
        """Whether it is certain that an argument is the same for every event.

        Deployed files are the same, files below /tmp are not. See `is_constant` for less. A
        parameter is also fixed when the call of the witness gives it something fixed.
        """
        constants = self.project.constants
        if constants.is_fixed(value, self.site.scope):
            return True
        if not isinstance(value, nodes.Name) or not self.constant_way:
            return False
        edge = self.constant_way[-1]
        for site, skip_first in self.project.call_graph.argument_sites(self.function):
            if site is edge.site:
                given = bind_arguments(site.node, self.function, skip_first).get(value.id)
                return given is not None and constants.is_fixed(given, site.scope)
        return False

    def is_lasting(self, value: nodes.Expression) -> bool:
        """Whether an argument is the same as long as the environment lives, whatever it is.

        Beside what is constant or fixed these are attributes of modules, of classes, and of objects
        that are made at import, unless a function assigns them.
        """
        if self.is_constant(value) or self.is_fixed(value):
            return True
        scope = self.site.scope
        if not isinstance(value, nodes.Attribute) or self.project.dependence.of(value, scope):
            return False
        owners = self.project.evaluator.evaluate(value.value, scope)
        for owner in owners:
            if isinstance(owner, InstanceValue) and not self._is_made_at_import(owner):
                return False
            if not isinstance(owner, (ModuleValue, ClassValue, InstanceValue)):
                return False
        return bool(owners) and not any(
            one.attr == value.attr
            for function in self.project.call_graph.functions()
            if not function.is_module and function.name != "__init__"
            for one, _, _ in function.stores
            if isinstance(one, nodes.Attribute)
        )

    def _is_made_at_import(self, made: InstanceValue) -> bool:
        sites = self.project.call_graph.instantiations.get(made.class_, ())
        return any(one.node is made.origin and one.function.is_module for one in sites)

    def address_of(self, url: nodes.Expression) -> Address:
        """Return what is known of the host that an argument names."""
        project = self.project
        return address_of(url, self.site.scope, project.constants, project.dependence)

    def is_written_by_project(self, name: nodes.Expression) -> bool:
        """Whether the project writes the parameter or secret of that name, or may well do so."""
        text = self.project.constants.text(name, self.site.scope)
        for path, other in self.project.stored_names:
            if other is None:
                if path == self.path:
                    return True
            elif text is None or other == text:
                return True
        return False

    @cached_property
    def content_depends_on(self) -> frozenset[str]:
        """What the content of the files and buffers depends on that the arguments name."""
        return self.project.filled.depend_on(self.site)

    @cached_property
    def loop_use(self) -> tuple[Use, Step] | None:
        """A use of the made object in an event loop of one invocation, and where that is made."""
        resource = self.resource
        if resource is None or not resource.is_shared or not resource.is_in_sight:
            return None
        return used_in_new_loop(resource, self.project.resources)

    @cached_property
    def in_lifespan(self) -> bool:
        """Whether the call only runs where an adapter starts and stops the application."""
        if not self.project.has_lifespans:
            return False
        way = self.project.phases.path_to(self.function)
        return way is not None and way.entry.lifecycle

    @cached_property
    def in_worker_thread(self) -> bool:
        """Whether every way from a handler to the call leads through a thread that it starts."""
        phases = self.project.phases
        entries = {entry.function for one in self.project.handlers for entry in one.entries}
        seen = {self.function}
        stack = [self.function]
        threads = False
        while stack:
            function = stack.pop()
            if function in entries or function.is_module:
                return False
            for edge in self.project.call_graph.into.get(function, ()):
                if edge.caller in seen or not phases.runs_each_time(edge):
                    continue
                if self._starts_thread(edge):
                    threads = True
                else:
                    seen.add(edge.caller)
                    stack.append(edge.caller)
        return threads

    def _starts_thread(self, edge: Edge) -> bool:
        """Whether the callee is run by a thread of its own: `pool.submit(work)`."""
        if edge.site is None or edge.kind not in ("runner", "wrapper"):
            return False
        names = [one.name for one in self.project.call_graph.externals.get(edge.site, ())]
        runners = [self.project.knowledge.runner(name) for name in names]
        return any(one is not None and one.where == "thread" for one in runners) or any(
            name.endswith("Thread().start") for name in names
        )

    @cached_property
    def repeated_for_items(self) -> bool:
        """Whether a loop over data certainly repeats the call: here, or around the call of here.

        Attempts, polling, searches, and what happens only to some of the items are none of that.
        """
        found = loop_around(self.node, self.site.scope)
        if found is not None:
            return serves_all_items(found, self.node, self.site.scope, self.project.evaluator)
        if self.way is None or not self.way.edges:
            return False
        edge = self.way.edges[-1]
        found = self.loop_of(edge)
        return (
            found is not None
            and edge.kind in ("call", "method")
            and not is_conditional(self.node, self.site.scope)
            and serves_all_items(found, edge.node, edge.scope, self.project.evaluator)
        )

    def loop_of(self, edge: Edge) -> Loop | None:
        """Return the innermost loop that repeats a call of the way for the same callee."""
        found = loop_around(edge.node, edge.scope)
        while (
            found is not None
            and edge.site is not None
            and calls_once(
                found, edge.site.node.func, edge.callee, edge.scope, self.project.evaluator
            )
        ):
            found = loop_around(found, edge.scope)
        return found

    @cached_property
    def only_some_items(self) -> bool:
        """Whether a branch decides, for each round of the loop that repeats it, over the call."""
        places: list[tuple[nodes.Node, Scope, Loop | None]] = [
            (self.node, self.site.scope, loop_around(self.node, self.site.scope))
        ]
        edges = () if self.way is None else tuple(reversed(self.way.edges))
        places += [(edge.node, edge.scope, self.loop_of(edge)) for edge in edges]
        for (node, scope, loop), entered_by in zip(places, (*edges, None), strict=True):
            items = frozenset[str]() if entered_by is None else self._items_given(entered_by)
            if is_conditional(node, scope, loop, partial(self._decided, scope, items)):
                return True
            if loop is not None:
                return False
        return False

    def _decided(self, scope: Scope, items: frozenset[str], test: nodes.Expression) -> bool | None:
        """Return what a test says; of a parameter, that callers give none, since one does.

        That is not the one on this way if it gives an item of its loop: `items` are parameters.
        """
        match test:
            case nodes.Name(id=name):
                owner = scope.lookup(name)
                if owner is not None and owner.kind == "function":
                    is_given = owner.function is scope.function and name in items
                    none_given = owner.function.parameter(name) is not None and not is_given
                    return False if none_given else None
            case nodes.UnaryOperation(operator="not", operand=nodes.Name() as asked):
                return None if self._decided(scope, items, asked) is None else True
            case nodes.Comparison(
                left=nodes.Name() as asked,
                operators=["is" | "is not" as operator],
                comparators=[nodes.Constant(kind="none")],
            ) if self._decided(scope, items, asked) is not None:
                return operator == "is"
        return self.project.guards.decisions.of(test, scope.module)

    def _items_given(self, edge: Edge) -> frozenset[str]:
        """Return the parameters to which a call in a loop gives the item of the round."""
        loop = loop_around(edge.node, edge.scope)
        if edge.site is None or loop is None or isinstance(loop, nodes.While):
            return frozenset()
        targets = [loop] if isinstance(loop, nodes.For) else loop.clauses
        inside = (inner for one in targets for inner in nodes.walk(one.target))
        items = {one.id for one in inside if isinstance(one, nodes.Name)}
        return frozenset(
            name
            for skip_first in self.project.call_graph.bound_at(edge.callee, edge.site)
            for name, value in bind_arguments(edge.site.node, edge.callee, skip_first).items()
            if isinstance(value, nodes.Name) and value.id in items
        )


_LOCAL_METHODS = frozenset(
    {"generate_presigned_url", "generate_presigned_post", "get_paginator", "get_waiter"}
    | {"can_paginate", "close", "exceptions", "meta"}
)
"""What clients of boto3 have that sends no request:
https://docs.aws.amazon.com/boto3/latest/guide/clients.html
"""


def _is_api_call(name: str) -> bool:
    client, _, method = name.rpartition(".")
    return client == "botocore.client.BaseClient()" and method not in _LOCAL_METHODS
