"""The project as rules see it: an inert, fully resolved object. Rules ask; they never walk."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property, partial

from lambda_lint.declaration import (
    MANAGED_INSTANCES,
    SNAPSTART,
    TENANT_ISOLATION,
    WEB_ADAPTER,
    Declaration,
)
from lambda_lint.finding import Confidence, Span, Step
from lambda_lint.model import memos
from lambda_lint.model.ages import impossible_tests
from lambda_lint.model.ambient import Ambient
from lambda_lint.model.caches import Caches, Caching
from lambda_lint.model.call_effects import CallEffects
from lambda_lint.model.call_facts import CallFacts
from lambda_lint.model.calls import CallGraph, Edge
from lambda_lint.model.constants import Constants
from lambda_lint.model.coverage import Coverage, Followed, UnresolvedCall
from lambda_lint.model.decisions import Decisions
from lambda_lint.model.declared import MissingHandler, missing_handlers
from lambda_lint.model.dependence import CREDENTIALS, Dependence
from lambda_lint.model.effects import Effects
from lambda_lint.model.filled import Filled
from lambda_lint.model.guards import Guard, Guards
from lambda_lint.model.handlers import Handler, find_handlers
from lambda_lint.model.import_clock import Frozen, ImportClock
from lambda_lint.model.imports import ImportMap
from lambda_lint.model.kept import Keeping, Kept
from lambda_lint.model.knowledge import Constructor, Knowledge
from lambda_lint.model.lifetimes import Aging, Lifetimes
from lambda_lint.model.loops import in_loop, is_conditional
from lambda_lint.model.memos import IneffectiveMemo
from lambda_lint.model.phases import Path, Phase, Phases
from lambda_lint.model.places import Place, Places
from lambda_lint.model.process_state import ProcessState, StateChange
from lambda_lint.model.program import CallSite, Function, Module, Scope
from lambda_lint.model.races import Race, Races
from lambda_lint.model.releases import Leak, find_leak
from lambda_lint.model.replays import Replayed, Replays
from lambda_lint.model.resources import Resource, Resources, Use
from lambda_lint.model.routes import is_test_path
from lambda_lint.model.snapshots import Captured, Snapshots
from lambda_lint.model.state import State, States
from lambda_lint.model.state_changes import Fill
from lambda_lint.model.temporary import Temporary
from lambda_lint.model.usage import Usage
from lambda_lint.model.values import Evaluator, External
from lambda_lint.source import Source
from lambda_lint.syntax import nodes


class Project:
    """Everything that is known about the analysed files."""

    def __init__(
        self,
        modules: Mapping[str, Module],
        sources: Mapping[str, Source],
        imports: ImportMap,
        knowledge: Knowledge,
        *,
        configured_handlers: Sequence[str] = (),
        is_handler_by_name: Callable[[str, str], bool] = lambda path, name: False,
        declarations: Sequence[Declaration] = (),
        libraries: Set[str] = frozenset(),
        snapstart: bool = False,
        managed_instances: bool = False,
        web_functions: bool = False,
    ) -> None:
        """Resolve the indexed modules. Raises ConfiguredHandlerError for an unknown handler."""
        self.modules = modules
        self.sources = sources
        self.knowledge = knowledge
        #: Whether the configuration says that all functions are started from snapshots, in which
        #: no connection survives; `Handler.flags` has what descriptors say of single functions.
        self.snapstart = snapstart
        #: Whether all functions run on Lambda Managed Instances: many processes, one `/tmp`.
        self.managed_instances = managed_instances
        #: Whether all functions are web functions: one process, many requests at a time.
        self.web_functions = web_functions
        self.evaluator = Evaluator(modules, imports, knowledge)
        self.call_graph = CallGraph(modules, self.evaluator)
        self.constants = Constants(self.call_graph)
        self.places = Places(self.call_graph)
        #: What the deployment descriptors of the project declare.
        self.declarations = tuple(declarations)
        self._libraries = frozenset(libraries)
        self.handlers = find_handlers(
            self.call_graph, configured_handlers, is_handler_by_name, declarations
        )
        entries = [entry.function for one in self.handlers for entry in one.entries]
        self.guards = Guards(self.places, Decisions(self.call_graph, entries))
        self.dependence = Dependence(self.call_graph)
        for handler in self.handlers:
            for entry in handler.entries:
                self.dependence.enters_at(entry.function, event=entry.event, context=entry.context)
        self.phases = Phases(self.call_graph, self.guards, self.handlers, self.dependence)
        self.dependence.is_reached = lambda site: (
            self.phases.of_node(site.node, site.scope) is not Phase.NEVER
        )
        self.resources = Resources(self.phases)
        self.effects = Effects(self.resources)
        self.ambient = Ambient(self.effects, self.constants, self.dependence)
        self.temporary = Temporary(self.effects, self.constants, self.dependence)
        self.process_state = ProcessState(self.effects, self.constants, self.dependence)
        self.filled = Filled(self.call_graph, self.constants, self.dependence)
        self.usage = Usage()
        self._followed = Followed(self.call_graph, self.constants, self.phases)

    def has_library(self, name: str) -> bool:
        """Whether the project asks for a library, such as `cachetools`, or imports it already."""
        package = name.replace("-", "_")
        return name in self._libraries or any(
            one.level == 0 and one.module.partition(".")[0] == package
            for module in self.modules.values()
            for one in module.imports
        )

    def calls(self) -> Iterator[Call]:
        """Yield every call of something outside of the project, by path and place."""
        yield from self._calls.values()

    def unresolved_calls(self) -> Iterator[UnresolvedCall]:
        """Yield calls on the invocation path that lead to code which could not be found."""
        yield from self._followed.unresolved()

    def missing_handlers(self) -> Iterator[MissingHandler]:
        """Yield what descriptors declare and the project certainly does not have."""
        yield from missing_handlers(self.call_graph, self.declarations, self.handlers)

    def state_changes(self) -> Iterator[StateChange]:
        """Yield what invocations change of the process and leave changed."""
        yield from self.process_state.changes()

    def impossible_ages(self) -> Iterator[StateChange]:
        """Yield tests on the way of an event that ask whether a file is from the future."""
        for node, scope in impossible_tests(self.phases):
            remedy = "ask whether the time of the file, plus what it may be kept, is before now"
            yield StateChange("the age of a file", "never", remedy, node, scope)

    def coverage(self, handler: Handler) -> Coverage:
        """Return how many of the calls that a handler's events run could be followed."""
        return self._followed.coverage(handler)

    @cached_property
    def states(self) -> list[State]:
        """The places that outlive invocations and that invocations change, by path and place."""
        return self._states.all()

    @cached_property
    def fills(self) -> list[Fill]:
        """The memos without a key that keep what the data of one invocation made."""
        return list(self._states.fills())

    @cached_property
    def frozen(self) -> list[Frozen]:
        """The times and identifiers that are made at import and used by invocations."""
        clock = ImportClock(self.phases, self._states.lasting, self.knowledge)
        return list(clock.all(self.states))

    def starts_from_snapshot(self, found: Frozen) -> bool:
        """Whether a function that uses what was made at import is started from a snapshot."""
        return self._starts_from_snapshot(self.phases.handlers_of(found.function))

    def _starts_from_snapshot(self, handlers: Sequence[Handler]) -> bool:
        return self.snapstart or any(SNAPSTART in one.flags for one in handlers)

    def serves_one_tenant(self, function: Function) -> bool:
        """Whether each environment that runs a function is one tenant's only.

        https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation.html : what an invocation
        leaves is then seen by later ones of the same tenant.
        """
        handlers = self.phases.handlers_of(function)
        return bool(handlers) and all(TENANT_ISOLATION in one.flags for one in handlers)

    @cached_property
    def replayed(self) -> list[Replayed]:
        """What durable functions read between their steps, and find changed in a replay."""
        if not any(one.is_durable for one in self.handlers):
            return []
        replays = Replays(self.phases, self._states.lasting)
        return [*replays.of_states(self.states), *replays.of_marks(self._states.filling)]

    def _serves_concurrently(self, handlers: Sequence[Handler]) -> bool:
        """Whether one process has several requests of these handlers at the same time."""
        return self.web_functions or any(
            WEB_ADAPTER in one.flags and (self.managed_instances or MANAGED_INSTANCES in one.flags)
            for one in handlers
        )

    @cached_property
    def races(self) -> list[Race]:
        """What requests do to each other that one process serves at the same time."""
        if not self._serves_concurrently(self.handlers):
            return []
        races = Races(self.phases, self._serves_concurrently)
        made = [
            (one.site, one.shown)
            for one in self.calls()
            if one.constructor is not None and one.constructor.family == "aws"
        ]
        return [*races.of_states(self.states), *races.of_clients(made)]

    @cached_property
    def captured(self) -> list[Captured]:
        """The connections and fetched values that a snapshot takes along."""
        if not self._starts_from_snapshot(self.handlers):
            return []
        made = [
            (one.site, one.shown, one.constructor.what, one.resource)
            for one in self.calls()
            if one.constructor is not None
            and one.constructor.kind == "connecting"
            and not one.constructor.reconnects
            and one.resource is not None
            and not one.resource.surely_names(one.constructor.unless_address)
        ]
        snapshots = Snapshots(self.phases, self._states.lasting, self._starts_from_snapshot)
        return [*snapshots.connections(made), *snapshots.fetched(self.kept)]

    @cached_property
    def caches(self) -> list[Caching]:
        """The caches that grow without end, and those whose keys never come again."""
        lasting = self._states.lasting
        return list(Caches(self.phases, lasting, self.dependence, self.knowledge).all())

    @cached_property
    def agings(self) -> list[Aging]:
        """The caches that outlive invocations and age by a clock that stops with them."""
        return list(Lifetimes(self.phases, self._states.lasting, self.knowledge).all())

    @cached_property
    def kept(self) -> list[Kept]:
        """The secrets, credentials and settings that are fetched once and kept for good."""
        return list(Keeping(self.phases, self._states.lasting, self.knowledge).all())

    @cached_property
    def _states(self) -> States:
        return States(self.phases, self.dependence)

    def call_at(self, node: nodes.Node) -> Call | None:
        """Return the call of something outside of the project that this expression is."""
        return self._calls.get(node)

    @cached_property
    def _calls(self) -> dict[nodes.Node, Call]:
        found: dict[nodes.Node, Call] = {}
        for path in sorted(self.modules):
            module = self.modules[path]
            for function in [module.code, *module.functions]:
                definitions = (self.call_graph.defining.get(one) for one in function.classes)
                for site in (*function.calls, *(one for one in definitions if one is not None)):
                    externals = self.call_graph.externals.get(site)
                    if externals:
                        found[site.node] = Call(self, site, externals)
        return found

    def is_made_object(self, value: nodes.Expression, scope: Scope) -> bool:
        """Whether an expression holds nothing but objects that known calls make: a client."""
        values = self.evaluator.evaluate(value, scope)
        calls = [
            self.call_at(one.origin)
            for one in values
            if isinstance(one, External) and one.origin is not None
        ]
        return len(calls) == len(values) > 0 and all(
            one is not None and one.constructor is not None for one in calls
        )

    def calls_written(self, path: str, text: str) -> list[Call]:
        """Return the calls on the invocation path of a file that are written as `text`."""
        return self._written.get((path, text), [])

    @cached_property
    def _written(self) -> dict[tuple[str, str], list[Call]]:
        found: dict[tuple[str, str], list[Call]] = {}
        for call in self._calls.values():
            if call.constructor is not None and call.phase is Phase.INVOKE:
                found.setdefault((call.path, call.source_text), []).append(call)
        for calls in found.values():
            calls.sort(key=lambda one: one.span)
        return found

    def phase_at(self, path: str, line: int) -> str | None:
        """Return the phase of the first call (or else statement) that starts on a line."""
        module = self.modules.get(path)
        if module is None:
            return None
        found: tuple[int, nodes.Node] | None = None
        for node in module.parents:
            if node.span.line == line and isinstance(node, (nodes.Call, nodes.Statement)):
                rank = 0 if isinstance(node, nodes.Call) else 1
                if found is None or (rank, node.span.column) < (found[0], found[1].span.column):
                    found = (rank, node)
        if found is None:
            return None
        node = found[1]
        scope = module.scope_of.get(node)
        if scope is None:
            for child, parent in module.ancestors(node):
                if isinstance(parent, (nodes.FunctionDef, nodes.Lambda)) and child is not parent:
                    scope = module.function_of[parent].scope
            scope = scope or module.scope
        return self.phases.of_node(node, scope).value

    def has_placeholder(self, path: str, line: int) -> bool:
        """Whether a line (1-based) holds what a template engine would replace."""
        source = self.sources.get(path)
        if source is None or not 1 <= line <= len(source.lines):
            return False
        text = source.lines[line - 1]
        return "{{" in text or "{%" in text

    @cached_property
    def tests_patch_sdk(self) -> bool:
        """Whether tests replace the SDK, so that clients must not be made at import.

        A mock has to start before the client is made: https://docs.getmoto.org/en/latest/docs/getting_started.html
        """
        return any(
            is_test_path(path) and _PATCHES_SDK.search(source.data)
            for path, source in self.sources.items()
        )

    @cached_property
    def has_lifespans(self) -> bool:
        """Whether some handler starts and stops an application around each event."""
        return any(entry.lifecycle for one in self.handlers for entry in one.entries)

    @cached_property
    def stored_names(self) -> list[tuple[str, str | None]]:
        """Where parameters and secrets are written, and their names; None for unknown ones."""
        found: list[tuple[str, str | None]] = []
        for call in self.calls():
            for one in call.externals:
                store = self.knowledge.store(one.name)
                if store is not None:
                    name = call.argument(store.argument)
                    text = self.constants.text(name, call.site.scope) if name is not None else None
                    found.append((call.path, text))
        return found

    def reached_modules(self, handler: Handler) -> list[str]:
        """Return the paths of the modules whose functions the handler runs for an event."""
        found = {handler.path}
        for function in self.call_graph.functions():
            if handler in self.phases.handlers_of(function):
                found.add(function.module.path)
        return sorted(found)


_PATCHES_SDK = re.compile(
    rb"\bmoto\b|\bStubber\b|patch\(\s*[\"'][\w.]*boto"
    rb"|sys\.modules\[\s*[\"'][\w.]*boto|patch\.dict\(\s*[\"']?sys\.modules"
)
"""What test files have in their bytes when they replace the SDK."""


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
                lambda site: bool(project.dependence.of_call(site.node, site.scope)),
            )
        return (
            found
            or memos.of_shadow(self.site, project.evaluator)
            or memos.of_session(self.site, project.evaluator, project.phases)
            or memos.of_container(self.site, project.usage)
        )

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


__all__ = [
    "Call",
    "Guard",
    "Handler",
    "Leak",
    "Phase",
    "Place",
    "Project",
    "Resource",
    "StateChange",
    "UnresolvedCall",
    "Use",
]
