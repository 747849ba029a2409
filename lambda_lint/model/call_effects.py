"""What a call leaves behind, and what keeps it from doing so: the part of `Call` that rules about
leaks ask."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from lambda_lint.declaration import MANAGED_INSTANCES
from lambda_lint.model.ambient import Sometimes
from lambda_lint.model.calls import Edge
from lambda_lint.model.dependence import CREDENTIALS, EVENT, ITERATION
from lambda_lint.model.entries import Handler
from lambda_lint.model.facts import Constructor, Effect
from lambda_lint.model.phases import Path, Phase
from lambda_lint.model.program import CallSite, Function, Scope
from lambda_lint.model.resources import Resource
from lambda_lint.model.temporary import Left, Packed
from lambda_lint.model.values import External
from lambda_lint.syntax import nodes

if TYPE_CHECKING:
    from lambda_lint.model.project import Project


class CallEffects:
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
        def phase(self) -> Phase:
            """As in `Call`."""

        @cached_property
        def handlers(self) -> list[Handler]:
            """As in `Call`."""

        @cached_property
        def way(self) -> Path | None:
            """As in `Call`."""

        @cached_property
        def constructor(self) -> Constructor | None:
            """As in `Call`."""

        @cached_property
        def resource(self) -> Resource | None:
            """As in `Call`."""

    @cached_property
    def effect(self) -> Effect | None:
        """What the call is known to leave in the process when it returns."""
        return self.project.effects.found(self.site, self.externals)

    @property
    def remedy(self) -> str:
        """What is to be done about the effect, in the names of the code; empty without one."""
        written = self.effect.remedy if self.effect is not None else ""
        return _NAMED.sub(lambda match: self._named(match[1]) or match[2], written)

    @property
    def follows_its_like(self) -> bool:
        """Whether its function has a call above this one with the same effect, for one cause."""
        effects = self.project.effects
        externals = self.project.call_graph.externals
        return any(
            one.node.span.line < self.node.span.line
            and effects.found(one, externals.get(one, ())) is self.effect
            for one in self.function.calls
        )

    @property
    def helper(self) -> Edge | None:
        """The call of a small function around this call that could as well be made at import.

        It gets nothing of the event and runs nothing else of the project; constructors are none.
        """
        edge = self.way.edges[-1] if self.way is not None and self.way.edges else None
        if edge is None or edge.site is None or edge.kind != "call":
            return None
        function = edge.callee
        if function is not self.function or function.class_ is not None or function.yields:
            return None
        depends = self.project.dependence
        labels = depends.of_call(self.node, self.site.scope)
        for one in edge.site.node.arguments:
            labels |= depends.of(one.value, edge.scope)
        if labels & {EVENT, ITERATION, CREDENTIALS}:
            return None
        body = [one for one in nodes.walk(function.node) if isinstance(one, nodes.Statement)]
        runs_others = bool(self.project.call_graph.out.get(function))
        return None if runs_others or len(body) > _MOST_STATEMENTS else edge

    def _named(self, role: str) -> str:
        """Return what the code calls the object of the call, or what gets its result."""
        found: nodes.Node | None
        if role == "receiver":
            func = self.node.func
            found = func.value if isinstance(func, nodes.Attribute) else None
            if isinstance(found, nodes.Attribute) and found.attr in _PARTS_OF_LOGGERS:
                found = found.value
        else:
            found = self.site.module.parents.get(self.node)
            if isinstance(found, nodes.Assign) and len(found.targets) == 1:
                found = found.targets[0]
            if isinstance(found, nodes.Collection) and found.items:
                found = found.items[0]
        if not isinstance(found, (nodes.Name, nodes.Attribute)):
            return ""
        text = self.project.sources[self.path].slice(found.span)
        return text if len(text) <= _LONGEST_NAME and _DOTTED.fullmatch(text) else ""

    @cached_property
    def adds_up(self) -> bool:
        """Whether each invocation that gets to the call leaves one more of its effect."""
        return self.effect is not None and self.project.effects.adds_up(
            self.site, self.externals, self.effect
        )

    @cached_property
    def stays_ambient(self) -> Sometimes | None:
        """When the call sets what later invocations log or report along with, and is not undone."""
        if self.phase is not Phase.INVOKE or self.way is None:
            return None
        if self.effect is None or self.effect.kind not in ("context", "level") or not self.adds_up:
            return None
        return self.project.ambient.stays(self.site, self.externals, self.effect, self.way)

    @cached_property
    def left_file(self) -> Left | None:
        """The file or folder below /tmp that the call makes and nothing removes."""
        if self.phase is not Phase.INVOKE or not self.handlers:
            return None
        return self.project.temporary.left_by(self.site)

    @cached_property
    def packed(self) -> Packed | None:
        """The folder below /tmp that the call packs with what other invocations left there."""
        if self.phase is not Phase.INVOKE or not self.handlers:
            return None
        return self.project.temporary.packed_by(self.site)

    @cached_property
    def needs_shared_memory(self) -> bool:
        """Whether it makes a lock, a queue or a pool between processes."""
        return any(self.project.knowledge.needs_shared_memory(one.name) for one in self.externals)

    @cached_property
    def waits_for_end(self) -> bool:
        """Whether it registers something that is to run when the process ends."""
        return any(self.project.knowledge.waits_for_end(one.name) for one in self.externals)

    @cached_property
    def serves_handlers(self) -> bool:
        """Whether it runs when a handler's module is loaded, or on the way of its events."""
        return bool(self.handlers) or bool(self.loading)

    @cached_property
    def loading(self) -> list[Handler]:
        """The handlers whose process loads the module of the call."""
        phases = self.project.phases
        return [one for one in self.project.handlers if self.path in phases.loaded_by(one)]

    @cached_property
    def importing(self) -> list[Handler]:
        """The handlers whose process runs the call when it imports its modules."""
        calls, phases = self.project.call_graph, self.project.phases
        pending = [self.function]
        seen = {self.function}
        while pending:
            for edge in calls.into.get(pending.pop(), ()):
                if edge.caller not in seen and phases.of_node(edge.node, edge.scope) is Phase.INIT:
                    seen.add(edge.caller)
                    pending.append(edge.caller)
        starts = {one.module.path for one in seen if one.is_module}
        return [one for one in self.project.handlers if starts & phases.loaded_by(one)]

    @cached_property
    def asks_network(self) -> bool:
        """Whether it sends a request, or fetches a secret, credentials or a setting."""
        knowledge = self.project.knowledge
        return any(
            knowledge.request(one.name) is not None
            or knowledge.fetch(one.name) is not None
            or (knowledge.issued(one.name) is not None and not _LOCAL.search(one.name))
            for one in self.externals
        )

    @property
    def receiver_text(self) -> str:
        """How the object is written that the method is called on; empty for a plain call."""
        func = self.node.func
        if not isinstance(func, nodes.Attribute):
            return ""
        return " ".join(self.project.sources[self.path].slice(func.value.span).split())

    def reads_nearby(self, attribute: str) -> bool:
        """Whether the module of the call reads an attribute of that name anywhere."""
        return any(
            node.attr == attribute
            for function in (self.site.module.code, *self.site.module.functions)
            for node, _ in function.attribute_loads
        )

    def is_caught(self, *exceptions: str) -> bool:
        """Whether an exception of one of these names is handled, here or on the way here."""
        places: list[tuple[nodes.Node, Scope]] = [(self.node, self.site.scope)]
        if self.way is not None:
            places += [(edge.node, edge.scope) for edge in self.way.edges]
        return any(
            self._catches(handler, scope, exceptions)
            for node, scope in places
            for child, parent in scope.module.ancestors(node)
            if isinstance(parent, nodes.Try) and child in parent.body
            for handler in parent.handlers
        )

    def _catches(
        self, handler: nodes.ExceptHandler, scope: Scope, exceptions: Sequence[str]
    ) -> bool:
        if handler.exception is None:
            return True
        kinds = [handler.exception]
        if isinstance(handler.exception, nodes.Collection):
            kinds = handler.exception.items
        return any(
            isinstance(value, External) and value.name in exceptions
            for kind in kinds
            for value in self.project.evaluator.evaluate(kind, scope)
        )

    @cached_property
    def fixed_file(self) -> str | None:
        """The path below /tmp that the call writes, when it is the same for every event."""
        if self.phase is not Phase.INVOKE or not self.handlers:
            return None
        return self.project.temporary.fixed_path(self.site)

    @cached_property
    def on_managed_instances(self) -> bool:
        """Whether a function that gets here runs in many processes of one environment."""
        return self.on_managed_instances_by(self.function)

    def on_managed_instances_by(self, function: Function) -> bool:
        """The same for a function of the project that uses what the call makes."""
        return self.project.managed_instances or any(
            MANAGED_INSTANCES in one.flags for one in self.project.phases.handlers_of(function)
        )

    @cached_property
    def is_signalled(self) -> bool:
        """Whether its function waits for threads, or tells them to end, by other means."""
        return self.project.effects.is_told_to_end(self.site)

    @cached_property
    def is_started(self) -> bool:
        """Whether the object that the call makes is set going: at once, or by a method."""
        made = self.constructor
        if made is None or self.resource is None:
            return False
        return not made.starts or any(
            one.kind == "method" and one.name in made.starts
            for one in self.project.resources.uses(self.node)
        )


_LOCAL = re.compile(r"\.generate_(presigned|db_)\w*$|\.Session\(\)\.get_credentials$|getenv")
"""What is signed or looked up on the machine itself:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html"""

_NAMED = re.compile(r"\{(receiver|result):(\w+)\}")
"""What stands in a remedy for a name of the code, with the word where it has no short one."""
_PARTS_OF_LOGGERS = frozenset({"handlers", "filters"})
_DOTTED = re.compile(r"[\w.]+")
_LONGEST_NAME = 40
_MOST_STATEMENTS = 25
"""What is longer than this does more than to set something up."""
