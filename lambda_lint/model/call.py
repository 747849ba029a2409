"""A call as rules see it: what it makes, when it runs, and what leads there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from lambda_lint.declaration import SNAPSTART
from lambda_lint.finding import Confidence, Span, Step
from lambda_lint.model import memos
from lambda_lint.model.call_effects import CallEffects
from lambda_lint.model.call_facts import CallFacts
from lambda_lint.model.calls import Edge
from lambda_lint.model.dependence import CREDENTIALS
from lambda_lint.model.entries import Handler
from lambda_lint.model.guards import Guard
from lambda_lint.model.knowledge import Constructor
from lambda_lint.model.loops import in_loop, is_conditional
from lambda_lint.model.memos import IneffectiveMemo
from lambda_lint.model.phases import Path, Phase
from lambda_lint.model.program import CallSite, Function, Scope
from lambda_lint.model.releases import Leak, find_leak
from lambda_lint.model.resources import Resource
from lambda_lint.model.values import External
from lambda_lint.syntax import nodes

if TYPE_CHECKING:
    from lambda_lint.model.project import Project


@dataclass(frozen=True, eq=False)
class Call(CallFacts, CallEffects):
    """A call of something outside of the project."""

    project: Project
    site: CallSite
    externals: tuple[External, ...]

    @property
    def path(self) -> str:
        """The file, relative to the project root."""
        return self.site.module.path

    @property
    def span(self) -> Span:
        """The place of the call."""
        return self.site.span

    @property
    def node(self) -> nodes.Call:
        """The call expression."""
        return self.site.node

    @property
    def function(self) -> Function:
        """The function whose execution performs the call."""
        return self.site.function

    @cached_property
    def name(self) -> str:
        """The dotted name of what is called; of several, the first that is known best."""
        for external in self.externals:
            if self.project.knowledge.constructor(external.name) is not None:
                return external.name
        return self.externals[0].name

    def calls(self, *names: str) -> bool:
        """Whether one of these canonical dotted names is called."""
        wanted = {self.project.knowledge.canonical(name) for name in names}
        return any(one.name in wanted for one in self.externals)

    @cached_property
    def constructor(self) -> Constructor | None:
        """What is known of the call as the making of a reusable object."""
        for external in self.externals:
            found = self.project.knowledge.constructor(external.name)
            if found is not None and self._fits(found):
                return found
        return None

    def _fits(self, constructor: Constructor) -> bool:
        given = {one.name for one in self.node.arguments if one.name}
        if given & set(constructor.unless_arguments):
            return False
        wanted = set(constructor.only_with_arguments)
        return not wanted or bool(given & wanted)

    @cached_property
    def resource(self) -> Resource | None:
        """What becomes of the object that the call makes, when it is known to make one."""
        found = self.constructor
        if found is None or self.makes_subclass:
            return None
        return self.project.resources.of(self.site, found)

    @property
    def makes_subclass(self) -> bool:
        """Whether it makes an object of a class of the project, which may do things of its own."""
        return self.site in self.project.call_graph.subclassed

    @cached_property
    def leak(self) -> Leak | None:
        """Where an object that is made for every event is lost without being closed."""
        resource = self.resource
        return find_leak(resource, self.project.resources) if resource is not None else None

    @cached_property
    def missing_timeout(self) -> str | None:
        """The argument without which the call may wait without end; None when it is limited."""
        for external in self.externals:
            limit = self.project.knowledge.timeout(external.name)
            if limit is not None:
                return self.project.resources.unlimited(self.site, external, limit)
        return None

    @property
    def source_text(self) -> str:
        """How the call is written."""
        return self.project.sources[self.path].slice(self.span)

    @property
    def twins(self) -> list[Call]:
        """The calls on the invocation path of the same file that are written alike, in order."""
        return self.project.calls_written(self.path, self.source_text)

    @cached_property
    def phase(self) -> Phase:
        """When the call runs."""
        phase = self.project.phases.of_node(self.node, self.site.scope)
        class_ = self.project.call_graph.subclassed.get(self.site)
        is_single = class_ is not None and self.project.phases.is_single(class_)
        return Phase.ONCE if is_single and phase is Phase.INVOKE else phase

    @cached_property
    def handlers(self) -> list[Handler]:
        """The handlers for which the call is made on every event, whatever memos others have.

        Where memos hold for all of them, these are the handlers that reach the call.
        """
        phases = self.project.phases
        return phases.handlers_at(self.node, self.site.scope) or phases.handlers_of(self.function)

    @property
    def snapstart(self) -> bool:
        """Whether some function that gets here is started from a snapshot."""
        return self.project.snapstart or any(SNAPSTART in one.flags for one in self.handlers)

    @cached_property
    def way(self) -> Path | None:
        """The way from a handler to the function of the call: shortest, or with constants."""
        phases = self.project.phases
        if self.constant_way:
            first = phases.path_to(self.constant_way[0].caller)
            if first is not None:
                return replace(first, edges=(*first.edges, *self.constant_way))
        return phases.path_to(self.function, self.handlers)

    @cached_property
    def constant_way(self) -> tuple[Edge, ...] | None:
        """Calls that lead here with arguments that are the same for every invocation."""
        phases = self.project.phases
        return self.project.dependence.constant_way(
            self.node, self.site.scope, phases.runs_each_time
        )

    def witness(self, last: str) -> tuple[Step, ...]:
        """Return the steps from the handler to here, the last one saying `last`."""
        way = self.way
        steps = self.project.phases.witness(way) if way is not None else ()
        return (*steps, Step(self.path, self.span, last))

    @cached_property
    def differs_elsewhere(self) -> bool:
        """Whether other callers bring event data, although the witness brings constants.

        Then the object may be kept only under a key, never alone.
        """
        return bool(self.project.dependence.of_call(self.node, self.site.scope))

    @cached_property
    def depends_on(self) -> frozenset[str]:
        """What the result depends on: `event`, `credentials`, `iteration`, or nothing of them."""
        found = set(self.project.dependence.of_call(self.node, self.site.scope))
        if found and self.constant_way is not None:
            found = set()
        # A session that gets a tenant's headers is that tenant's, whatever it was made from.
        for value, scope in self._changes:
            found |= self.project.dependence.of(value, scope)
        constructor = self.constructor
        if constructor is not None:
            for argument in self.node.arguments:
                given = argument.name in constructor.credential_arguments
                if given and not self.is_lasting(argument.value):
                    found.add(CREDENTIALS)
            positional = [one for one in self.node.arguments if not one.name and not one.star]
            for position in constructor.credential_positions:
                if position < len(positional) and not self.is_lasting(positional[position].value):
                    found.add(CREDENTIALS)
        return frozenset(found)

    @cached_property
    def local_name(self) -> str | None:
        """The plain local name that gets what the call makes, if one does."""
        statement = self.site.module.parents.get(self.node)
        if not isinstance(statement, nodes.Assign) or statement.value is not self.node:
            return None
        target = statement.targets[0]
        if len(statement.targets) != 1 or not isinstance(target, nodes.Name):
            return None
        return target.id if self.site.scope.owner(target.id).kind == "function" else None

    @cached_property
    def is_changed_later(self) -> bool:
        """Whether something is put into the made object, so that sharing it shares that, too."""
        return bool(self._changes) or (self._is_http and self._is_handed_on)

    @property
    def _is_http(self) -> bool:
        """Whether the object carries headers, cookies and authorisation from call to call."""
        return self.constructor is not None and self.constructor.family == "http"

    @property
    def _is_handed_on(self) -> bool:
        return self.local_name in self.project.usage.handed_on(self.function)

    @cached_property
    def _changes(self) -> list[tuple[nodes.Expression, Scope]]:
        """What is put into parts of the made object: `x.auth = v`, `x.headers.update(v)`."""
        if self.local_name is None:
            return []
        return self.project.usage.put_into_parts(self.function).get(self.local_name, [])

    @cached_property
    def is_conditional(self) -> bool:
        """Whether invocations may pass by: a branch, or a way out in front, is on the way."""
        places: list[tuple[nodes.Node, Scope]] = [(self.node, self.site.scope)]
        if self.way is not None:
            places += [(edge.node, edge.scope) for edge in self.way.edges]
        decisions = self.project.guards.decisions
        return any(
            is_conditional(node, scope, decide=partial(decisions.of, module=scope.module))
            for node, scope in places
        )

    def is_constant(self, value: nodes.Expression) -> bool:
        """Whether an expression is the same for the whole life of an environment."""
        match value:
            case nodes.Constant():
                return True
            case nodes.Name(id=name):
                found = self.site.scope.module.scope_of.get(value, self.site.scope).lookup(name)
                return found is not None and found.kind == "module"
            case nodes.Subscript(value=inner) | nodes.Attribute(value=inner):
                names = self.project.evaluator.evaluate(inner, self.site.scope)
                return any(isinstance(one, External) and one.name == "os.environ" for one in names)
            case nodes.Call(func=func):
                names = self.project.evaluator.evaluate(func, self.site.scope)
                return any(
                    isinstance(one, External) and one.name in ("os.getenv", "os.environ.get")
                    for one in names
                )
        return False

    @cached_property
    def only_makes_clients(self) -> bool:
        """Whether a session does nothing but make clients, which are calls of their own."""
        parents = self.site.module.parents
        parent = parents.get(self.node)
        if isinstance(parent, nodes.Attribute):
            return self._makes_client(parent)
        if self.local_name is not None:
            scope = self.site.scope
            uses = [
                node
                for node, where in self.project.usage.names_in(self.site.module).get(
                    self.local_name, ()
                )
                if not isinstance(parents.get(node), nodes.Assign)
                and where.lookup(node.id) is scope
            ]
            return bool(uses) and all(self._makes_client(parents.get(use)) for use in uses)
        statement = parents.get(self.node)
        if isinstance(statement, nodes.Assign) and len(statement.targets) == 1:
            target = statement.targets[0]
            class_ = self.function.class_
            if isinstance(target, nodes.Attribute) and class_ is not None:
                reads: list[nodes.Node] = [
                    node
                    for node in nodes.walk(class_.node)
                    if isinstance(node, nodes.Attribute)
                    and node.attr == target.attr
                    and node is not target
                ]
                return bool(reads) and all(self._makes_client(parents.get(one)) for one in reads)
        return False

    def _makes_client(self, node: nodes.Node | None) -> bool:
        if not isinstance(node, nodes.Attribute):
            return False
        call = self.site.module.parents.get(node)
        made = self.project.call_at(call) if isinstance(call, nodes.Call) else None
        return made is not None and made.node.func is node and made.constructor is not None

    @cached_property
    def is_only_result(self) -> bool:
        """Whether its function returns nothing but what this call makes, so it could be kept."""
        function = self.function
        if function.is_module or not function.returns or function.yields:
            return False
        if any(
            entry.function is function for one in self.project.handlers for entry in one.entries
        ):
            return False
        evaluate = self.project.evaluator.evaluate
        return all(
            (values := evaluate(value, scope))
            and all(isinstance(one, External) and one.origin is self.node for one in values)
            for value, scope in function.returns
        )

    @cached_property
    def ineffective_memo(self) -> IneffectiveMemo | None:
        """Why something that looks like a memo does not keep what the call makes."""
        project = self.project
        guard = self._failing_guard()
        found = None
        if guard is not None:
            way = self.way
            functions = [edge.caller for edge in way.edges] if way is not None else []
            found = memos.of_guard(
                guard,
                project.phases,
                [*functions, self.function],
                self.handlers,
                lambda site: (
                    bool(project.dependence.of_call(site.node, site.scope))
                    or not all(
                        project.constants.is_fixed(one.value, site.scope)
                        for one in site.node.arguments
                    )
                ),
            )
        return (
            found
            or memos.of_shadow(self.site, project.evaluator)
            or memos.of_session(self.site, project.evaluator, project.phases)
            or memos.of_container(self.site, project.usage)
        )

    @cached_property
    def emptied_memo(self) -> Guard | None:
        """The memo around the call that every invocation empties first, so that it holds for one.

        Who writes that wants a new object for each invocation, and no more than one.
        """
        phases = self.project.phases
        scope = self.site.scope
        guards = [*phases.guards.around(self.node, scope)]
        for edge in self.way.edges if self.way is not None else ():
            guards += phases.edge_guards(edge)
        return next((one for one in guards if phases.is_emptied(one, self.handlers)), None)

    def _failing_guard(self) -> Guard | None:
        phases = self.project.phases
        found = phases.failing(self.node, self.site.scope)
        if found is not None and not self._is_kept_by(found):
            return None
        if found is None and self.way is not None:
            for edge in reversed(self.way.edges):
                for guard in phases.edge_guards(edge):
                    if not phases.lasts(guard, self.handlers):
                        return guard if self._is_kept_by(guard) else None
        return found

    def _is_kept_by(self, guard: Guard) -> bool:
        return memos.keeps(guard, self.node, self.project.evaluator)

    @property
    def shown(self) -> str:
        """How messages show the call: what is called, and its first argument if it is constant."""
        class_ = self.project.call_graph.subclassed.get(self.site)
        if class_ is not None and class_ in self.project.call_graph.defining:
            return f"class {class_.name}"
        source = self.project.sources[self.path]
        callee = " ".join(source.slice(self.node.func.span).split())
        if len(callee) > 50:
            callee = f"\u2026{callee[-49:]}"
        arguments = self.node.arguments
        if not arguments:
            return f"{callee}()"
        first = arguments[0].value
        if isinstance(first, nodes.Constant) and isinstance(first.value, str):
            text = source.slice(first.span)
            if arguments[0].name is not None:
                text = f"{arguments[0].name}={text}"
            if len(text) <= 30 and "\n" not in text:
                return f"{callee}({text})" if len(arguments) == 1 else f"{callee}({text}, \u2026)"
        return f"{callee}(\u2026)"

    @cached_property
    def loop(self) -> Span | None:
        """The loop that repeats the call within an invocation, here or on the way here."""
        found = in_loop(self.node, self.site.scope)
        if found is None and self.way is not None:
            for edge in reversed(self.way.edges):
                around = self.loop_of(edge)
                found = around.span if around is not None else None
                if found is None and self._runs_for_items(edge):
                    found = edge.span
                if found is not None:
                    return found
        return found

    def _runs_for_items(self, edge: Edge) -> bool:
        """Whether a library runs the callee for each of many items: `map(load, keys)`."""
        if edge.site is None or edge.kind not in ("runner", "wrapper"):
            return False
        externals = self.project.call_graph.externals.get(edge.site, ())
        runners = (self.project.knowledge.runner(one.name) for one in externals)
        return any(one is not None and one.passes == "items" for one in runners)

    @property
    def confidence(self) -> Confidence:
        """How sure it is that a handler of Lambda reaches the call."""
        ranks = [one.confidence for one in self.handlers]
        return max(ranks, key=lambda one: one.rank) if ranks else Confidence.LOW

    @property
    def only_custom_resources(self) -> bool:
        """Whether nothing but custom resources of CloudFormation reach the call."""
        return bool(self.handlers) and all(one.custom_resource for one in self.handlers)
