"""The project as rules see it: an inert, fully resolved object. Rules ask; they never walk."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import cached_property

from lambda_lint.declaration import (
    MANAGED_INSTANCES,
    SNAPSTART,
    TENANT_ISOLATION,
    WEB_ADAPTER,
    WEB_FUNCTION,
    Declaration,
)
from lambda_lint.model.ages import impossible_tests
from lambda_lint.model.ambient import Ambient
from lambda_lint.model.caches import Caches, Caching
from lambda_lint.model.call import Call
from lambda_lint.model.calls import CallGraph
from lambda_lint.model.constants import Constants
from lambda_lint.model.coverage import Coverage, Followed, UnresolvedCall
from lambda_lint.model.decisions import Decisions
from lambda_lint.model.declared import MissingHandler, missing_handlers
from lambda_lint.model.dependence import Dependence
from lambda_lint.model.effects import Effects
from lambda_lint.model.entries import Handler
from lambda_lint.model.filled import Filled
from lambda_lint.model.guards import Guard, Guards
from lambda_lint.model.handlers import find_handlers
from lambda_lint.model.import_clock import Frozen, ImportClock
from lambda_lint.model.imports import ImportMap
from lambda_lint.model.kept import Keeping, Kept
from lambda_lint.model.knowledge import Knowledge
from lambda_lint.model.lifetimes import Aging, Lifetimes
from lambda_lint.model.phases import Phase, Phases
from lambda_lint.model.places import Place, Places
from lambda_lint.model.process_state import ProcessState, StateChange
from lambda_lint.model.program import Function, Module, Scope
from lambda_lint.model.races import Race, Races
from lambda_lint.model.releases import Leak
from lambda_lint.model.replays import Replayed, Replays
from lambda_lint.model.resources import Resource, Resources, Use
from lambda_lint.model.routes import is_test_path
from lambda_lint.model.snapshots import Captured, Snapshots
from lambda_lint.model.state import State, States
from lambda_lint.model.state_changes import Fill
from lambda_lint.model.temporary import Temporary
from lambda_lint.model.touches import Touch
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
        scripts: Set[str] = frozenset(),
        snapstart: bool = False,
        managed_instances: bool = False,
        web_functions: bool = False,
        flags_of: Callable[[str], frozenset[str]] = lambda path: frozenset(),
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
        found = find_handlers(
            self.call_graph, configured_handlers, is_handler_by_name, declarations, scripts
        )
        # What the configuration says of single files, as descriptors do of single functions.
        self.handlers = [replace(one, configured=flags_of(one.path)) for one in found]
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

    @property
    def filling(self) -> Sequence[Touch]:
        """What fills memos, whatever with."""
        return self._states.filling

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
            WEB_FUNCTION in one.flags
            or (
                WEB_ADAPTER in one.flags
                and (self.managed_instances or MANAGED_INSTANCES in one.flags)
            )
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
        return States(self.phases, self.dependence, self.constants)

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
