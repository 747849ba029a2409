"""What becomes of an object that a constructor call makes: where it is kept, what is done with it.

Every expression evaluates to `External(name, origin)`, and the origin is the call that made the
object. So the uses of an object are the expressions with its origin, wherever they stand: through
names, attributes, parameters and returns. What is made from it (a cursor, a session of an engine)
is followed in the same way. How an object that one invocation made ends is told by `releases.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from lambda_lint.finding import Span
from lambda_lint.model.addresses import surely_names
from lambda_lint.model.guards import Guard
from lambda_lint.model.knowledge import Constructor, Timeout
from lambda_lint.model.phases import Phase, Phases
from lambda_lint.model.places import Place
from lambda_lint.model.program import CallSite, Function, Scope
from lambda_lint.model.values import External, FunctionValue
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Use:
    """Something that is done with an object.

    `kind` is method (`x.name()`), attribute (`x.name` that is read), set (`x.name = value`), with,
    argument (`name(x)` of a library), call (`x()`) or part (a method of something inside of it).
    `certain` says that nothing else than this object can be meant.
    """

    kind: str
    name: str
    node: nodes.Node
    scope: Scope
    phase: Phase
    certain: bool

    @property
    def path(self) -> str:
        """The file, relative to the project root."""
        return self.scope.module.path

    @property
    def span(self) -> Span:
        """Where it is written."""
        return self.node.span

    @property
    def function(self) -> Function:
        """The function whose execution does it."""
        return self.scope.function

    @property
    def receiver(self) -> Span:
        """Where the object is named: the part before the dot, or what `with` stands on."""
        match self.node:
            case nodes.Call(func=nodes.Attribute(value=value)) | nodes.Attribute(value=value):
                return value.span
            case nodes.WithItem(expression=expression):
                return expression.span
        return self.node.span


@dataclass(frozen=True, slots=True)
class _Store:
    """An assignment; `values` are the calls that made what is assigned."""

    place: Place | None
    target: nodes.Expression
    statement: nodes.Node
    scope: Scope
    values: frozenset[nodes.Call]


class Resources:
    """Knows the uses of every object that a library call makes."""

    def __init__(self, phases: Phases) -> None:
        """Take the phases of the project; nothing is looked up before it is asked for."""
        self.phases = phases
        self.calls = phases.calls
        self.places = phases.guards.places
        self.evaluator = phases.calls.evaluator
        self._known: dict[nodes.Call, Resource] = {}
        self._made_names: dict[nodes.Call, frozenset[str]] = {}

    def of(self, site: CallSite, constructor: Constructor) -> Resource:
        """Return what becomes of the object that the call makes."""
        found = self._known.get(site.node)
        if found is None:
            found = self._known[site.node] = Resource(self, site, constructor)
        return found

    def uses(self, origin: nodes.Call) -> list[Use]:
        """Return the direct uses of what a call made, by file and place."""
        found = [
            Use(kind, name, node, scope, self.phases.of_node(node, scope), certain)
            for kind, name, node, scope, certain in self._index.get(origin, ())
        ]
        return sorted(found, key=lambda one: (one.path, one.span, one.kind))

    def made(self, value: object) -> nodes.Call | None:
        """Return the call that made the object which a value is, None for parts of objects."""
        if not isinstance(value, External) or value.origin is None:
            return None
        return value.origin if value.name in self._names_of(value.origin) else None

    def stores(self, place_names: frozenset[str]) -> list[_Store]:
        """Return the assignments to a variable or attribute of one of these last names."""
        return [one for name in sorted(place_names) for one in self._stores.get(name, ())]

    def stores_of(self, origin: nodes.Call) -> list[_Store]:
        """Return the assignments of what a call made."""
        return self._stores_by_origin.get(origin, [])

    @cached_property
    def _stores_by_origin(self) -> dict[nodes.Call, list[_Store]]:
        found: dict[nodes.Call, list[_Store]] = {}
        for named in self._stores.values():
            for store in named:
                for origin in store.values:
                    found.setdefault(origin, []).append(store)
        return found

    @cached_property
    def cache_clears(self) -> list[tuple[nodes.Attribute, Scope]]:
        """Every place that names `f.cache_clear`."""
        return [
            (node, scope)
            for function in self.calls.functions()
            for node, scope in function.attribute_loads
            if node.attr == "cache_clear"
        ]

    def leaves(self, call: nodes.Call, scope: Scope) -> bool:
        """Whether a call ends the program."""
        return any(
            isinstance(one, External) and one.name in _LEAVES
            for one in self.evaluator.evaluate(call.func, scope)
        )

    def unlimited(self, site: CallSite, called: External, limit: Timeout) -> str | None:
        """Return the argument that would keep a call from waiting without end, if it is missing."""
        arguments = site.node.arguments
        if any(one.star for one in arguments) or not limit.arguments:
            return None
        given = [one.value for one in arguments if one.name in limit.arguments]
        if limit.only_switched_off:
            return limit.arguments[0] if given and _is_none(given[0]) else None
        if given and not _is_none(given[0]):
            return None
        if limit.in_address and limit.in_address in self.address(site):
            return None
        if called.origin is not None:
            made = called.origin.arguments
            if any(one.star or one.name in limit.made_with for one in made):
                return None
            if any(
                one.kind == ("set" if one.name == "request" else "method")
                for one in self.uses(called.origin)
                if one.name in limit.undone_by
            ):
                return None
        return limit.arguments[0]

    def address(self, site: CallSite) -> str:
        """Return the constant text in the first argument of a call, names and helpers followed."""
        arguments = site.node.arguments
        if not arguments:
            return ""
        return " ".join(self._texts(arguments[0].value, site.scope, _MAX_TEXTS))

    def _texts(self, value: nodes.Expression, scope: Scope, depth: int) -> Iterator[str]:
        for node in nodes.walk(value):
            if isinstance(node, nodes.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, nodes.Name) and depth > 0:
                found = scope.module.scope_of.get(node, scope).lookup(node.id)
                for one in found.bindings[node.id] if found is not None else ():
                    if one.kind == "assign" and one.value is not None:
                        yield from self._texts(one.value, one.scope, depth - 1)
            elif isinstance(node, nodes.Call) and depth > 0:
                for called in self.evaluator.evaluate(node.func, scope):
                    if isinstance(called, FunctionValue):
                        for returned, inner in called.function.returns:
                            yield from self._texts(returned, inner, depth - 1)

    @cached_property
    def _sites(self) -> dict[nodes.Call, CallSite]:
        return {site.node: site for site in self.calls.externals}

    def _names_of(self, origin: nodes.Call) -> frozenset[str]:
        found = self._made_names.get(origin)
        if found is None:
            site = self._sites.get(origin)
            canonical = self.evaluator.knowledge.canonical
            externals = self.calls.externals.get(site, ()) if site is not None else ()
            found = frozenset(canonical(f"{one.name}()") for one in externals)
            self._made_names[origin] = found
        return found

    @cached_property
    def _index(
        self,
    ) -> dict[nodes.Call, list[tuple[str, str, nodes.Node, Scope, bool]]]:
        """All uses by the call that made the object, in one pass over the project."""
        found: dict[nodes.Call, list[tuple[str, str, nodes.Node, Scope, bool]]] = {}
        for function in self.calls.functions():
            for kind, name, node, scope, value in self._candidates(function):
                values = self.evaluator.evaluate(value, scope)
                origins = {one.origin for one in values if isinstance(one, External)} - {None}
                for one in values:
                    if not isinstance(one, External) or one.origin is None:
                        continue
                    is_object = one.name in self._names_of(one.origin)
                    if not is_object and kind in ("attribute", "set", "with"):
                        continue
                    how = kind if is_object or kind == "argument" else "part"
                    certain = len(origins) == 1 and len(values) == 1
                    found.setdefault(one.origin, []).append((how, name, node, scope, certain))
        return found

    def _candidates(
        self, function: Function
    ) -> Iterator[tuple[str, str, nodes.Node, Scope, nodes.Expression]]:
        """Yield what may be a use in a function: kind, name, place, scope, and what is used."""
        parents = function.module.parents
        for site in function.calls:
            func = site.node.func
            if isinstance(func, nodes.Attribute):
                yield "method", func.attr, site.node, site.scope, func.value
            else:
                yield "call", "", site.node, site.scope, func
            for external in self.calls.externals.get(site, ())[:1]:
                for one in site.node.arguments:
                    if _may_be_object(one.value):
                        yield "argument", external.name, site.node, site.scope, one.value
        for node, scope in function.attribute_loads:
            parent = parents.get(node)
            if isinstance(parent, nodes.Call) and parent.func is node:
                continue
            if _may_be_object(node.value):
                yield "attribute", node.attr, node, scope, node.value
        for target, _, scope in function.stores:
            if isinstance(target, nodes.Attribute):
                yield "set", target.attr, target, scope, target.value
        for statement, scope in function.withs:
            for item in statement.items:
                yield "with", "", item, scope, item.expression

    @cached_property
    def _stores(self) -> dict[str, list[_Store]]:
        found: dict[str, list[_Store]] = {}
        for function in self.calls.functions():
            for target, statement, scope in function.stores:
                if isinstance(target, nodes.Subscript):
                    continue
                name = target.attr if isinstance(target, nodes.Attribute) else None
                name = target.id if isinstance(target, nodes.Name) else name
                if name is None:
                    continue
                made: frozenset[nodes.Call] = frozenset()
                value = getattr(statement, "value", None)
                if isinstance(value, nodes.Expression) and _may_be_object(value):
                    values = self.evaluator.evaluate(value, scope)
                    made = frozenset(
                        origin for one in values if (origin := self.made(one)) is not None
                    )
                place = self.places.of(target, scope)
                found.setdefault(name, []).append(_Store(place, target, statement, scope, made))
        return found


class Resource:
    """One object that a call makes, and what becomes of it."""

    def __init__(self, resources: Resources, site: CallSite, constructor: Constructor) -> None:
        """Take the call and what is known about it."""
        self._resources = resources
        self.site = site
        self.constructor = constructor

    @cached_property
    def phase(self) -> Phase:
        """When it is made."""
        return self._resources.phases.of_node(self.site.node, self.site.scope)

    @property
    def is_shared(self) -> bool:
        """Whether it is made once and outlives the invocation."""
        return self.phase in (Phase.INIT, Phase.ONCE)

    @cached_property
    def uses(self) -> list[Use]:
        """What is done with the object itself, in code that runs."""
        return [one for one in self._resources.uses(self.site.node) if one.phase is not Phase.NEVER]

    @cached_property
    def invoked(self) -> list[Use]:
        """What every invocation does with the object, or with what was made from it."""
        return self._by_invocations(self._followed(self.site.node))

    @cached_property
    def handled(self) -> list[Use]:
        """What every invocation does with the object, or with an object that was made from it.

        Unlike in `invoked`, the answers of an AWS service are data: reading them shows nothing of
        the client that got them.
        """
        is_aws = self.constructor.family == "aws"
        return self._by_invocations(self._followed(self.site.node, answers=not is_aws))

    def _by_invocations(self, uses: Iterable[Use]) -> list[Use]:
        phases = self._resources.phases
        found = [one for one in uses if one.phase is Phase.INVOKE]
        return [one for one in found if phases.handlers_of(one.function)]

    def _followed(self, start: nodes.Call, *, answers: bool = True) -> Iterator[Use]:
        seen = {start}
        wave = [start]
        for _ in range(_MAX_DERIVED):
            following: list[nodes.Call] = []
            for origin in wave:
                for use in self._resources.uses(origin):
                    yield use
                    if not answers and not _makes_object(use):
                        continue
                    if isinstance(use.node, nodes.Call) and use.node not in seen:
                        seen.add(use.node)
                        following.append(use.node)
            wave = following

    @cached_property
    def kept(self) -> list[Place]:
        """The places that it is kept in: module variables, attributes."""
        return list(dict.fromkeys(one.place for one in self._stores if one.place is not None))

    @cached_property
    def is_in_sight(self) -> bool:
        """Whether it is known where it is kept: in a variable, an attribute, a cached function.

        Of an item of a container nobody can say whether it is the one that is replaced.
        """
        if self.kept:
            return True
        function = self.site.function
        callers = [edge.caller for edge in self._resources.calls.into.get(function, ())]
        return any(self._resources.phases.guards.carried(one) for one in (function, *callers))

    @cached_property
    def _stores(self) -> list[_Store]:
        return self._resources.stores_of(self.site.node)

    @cached_property
    def closings(self) -> list[Use]:
        """What closes it, in whatever phase."""
        return [one for one in self._resources.uses(self.site.node) if self.closes(one)]

    def closes(self, use: Use) -> bool:
        """Whether a use closes the object, or hands it to something that will."""
        if use.kind in ("method", "attribute"):
            return use.name in self.constructor.closes
        if use.kind == "with":
            return self.constructor.closes_on_exit is True
        return use.kind == "argument" and self._resources.evaluator.knowledge.closes(use.name)

    @cached_property
    def check(self) -> Use | Guard | nodes.Node | None:
        """What finds out that the object is still alive, or makes a new one when it is not."""
        constructor = self.constructor
        given = self.argument(*constructor.liveness)
        if given is not None:
            return given
        for use in self.uses:
            if use.name in constructor.liveness and use.kind in ("method", "attribute"):
                return use
            if use.kind == "attribute" and _in_test(use):
                return use
        guard = self._resources.phases.holding(self.site.node, self.site.scope)
        if guard is not None and guard.kind in ("liveness", "except"):
            return guard
        for use in self._followed(self.site.node):
            if isinstance(use.node, nodes.Call) and _says(use.node, _PROBE):
                return use
        return self.renewal

    @cached_property
    def renewal(self) -> nodes.Node | None:
        """The assignment or call that replaces or forgets the object after it was made."""
        places = set(self.kept)
        names = frozenset(place.name.rpartition(".")[2] for place in places)
        for store in self._resources.stores(names):
            if store.place in places and self._renews(store):
                return store.statement
        for node, scope in self._resources.cache_clears:
            if self._returned_by(node.value, scope):
                return node
        return None

    def _renews(self, store: _Store) -> bool:
        function = store.scope.function
        if function.is_module:
            return False
        in_handler = any(
            isinstance(parent, nodes.ExceptHandler)
            for _, parent in store.scope.module.ancestors(store.statement)
        )
        if self.site.node in store.values:
            # What fills a variable that is filled already makes it anew: `def reconnect(): …`.
            return in_handler or [one.place for one in self._stores].count(store.place) > 1
        if function.name in ("__init__", "__new__") and store.place is not None:
            return store.place.kind not in ("instance", "class")
        if in_handler:
            return True
        if _is_none(getattr(store.statement, "value", None)):
            return True
        phase = self._resources.phases.of_node(store.statement, store.scope)
        return phase is Phase.INVOKE

    def _returned_by(self, value: nodes.Expression, scope: Scope) -> bool:
        evaluator = self._resources.evaluator
        return any(
            isinstance(one, FunctionValue)
            and any(
                self._resources.made(made) is self.site.node
                for made in evaluator.returned(one.function)
            )
            for one in evaluator.evaluate(value, scope)
        )

    @cached_property
    def settled(self) -> Use | nodes.Node | None:
        """What ends a transaction that failed, or sees to it that there is none."""
        settles = self.constructor.settles
        given = self.argument(*settles)
        if given is not None:
            return given
        for use in self.uses:
            if use.kind == "with" or (use.name in settles and use.kind != "argument"):
                return use
            commits = use.kind == "method" and use.name == "commit"
            if commits and (_in_finally(use) or self._comes_first(use)):
                return use
        for use in self._followed(self.site.node):
            if isinstance(use.node, nodes.Call) and _says(use.node, _SETTLES):
                return use
        return None

    def _comes_first(self, commit: Use) -> bool:
        """Whether an invocation begins with the commit, which ends what the last one left."""
        same = [one.span for one in self.executions if one.function is commit.function]
        return bool(same) and commit.span < min(same)

    def ends_program(self, use: Use) -> bool:
        """Whether the program ends after the use, so that nothing comes after it."""
        module = use.scope.module
        for child, parent in module.ancestors(use.node):
            for block in (getattr(parent, name, None) for name in ("body", "orelse", "finalbody")):
                if not isinstance(block, list) or child not in block:
                    continue
                for later in block[block.index(child) + 1 :]:
                    call = later.value if isinstance(later, nodes.ExpressionStatement) else None
                    if isinstance(call, nodes.Call) and self._resources.leaves(call, use.scope):
                        return True
        return False

    @cached_property
    def executions(self) -> list[Use]:
        """What every invocation has the database do: calls of `execute` and its like."""
        return [one for one in self.invoked if one.name in _EXECUTES]

    def argument(self, *names: str) -> nodes.Expression | None:
        """Return the keyword argument of one of these names, unless it says no."""
        for one in self.site.node.arguments:
            if one.name in names and not _says_no(one.value):
                return one.value
        return None

    def given(self, name: str, position: int | None) -> nodes.Expression | None:
        """Return the argument of this name, or the one at this position."""
        arguments = self.site.node.arguments
        for one in arguments:
            if one.name == name:
                return one.value
        positional = [one.value for one in arguments if not one.name and not one.star]
        return positional[position] if position is not None and position < len(positional) else None

    @property
    def has_open_arguments(self) -> bool:
        """Whether it is not known which arguments it gets: `*args`, `**kwargs`."""
        return any(one.star for one in self.site.node.arguments)

    @cached_property
    def address(self) -> str:
        """The constant text in what it connects to."""
        return self._resources.address(self.site)

    def surely_names(self, words: Sequence[str]) -> bool:
        """Whether all that it may connect to has one of the words in its address."""
        arguments = self.site.node.arguments
        evaluator = self._resources.evaluator
        return bool(arguments) and surely_names(
            arguments[0].value, self.site.scope, words, evaluator
        )


def _may_be_object(value: nodes.Expression) -> bool:
    return isinstance(
        value,
        (
            *(nodes.Name, nodes.Attribute, nodes.Call, nodes.Await, nodes.Walrus),
            *(nodes.Conditional, nodes.BooleanOperation, nodes.Subscript),
        ),
    )


def _makes_object(use: Use) -> bool:
    """Tell whether what a call on an object of AWS's SDK returns is more than an answer."""
    return use.kind != "method" or use.name[:1].isupper() or use.name in _MAKE_OBJECTS


def _in_test(use: Use) -> bool:
    """Whether a branch or a loop depends on the use."""
    for child, parent in use.scope.module.ancestors(use.node):
        if isinstance(parent, (nodes.If, nodes.While, nodes.Conditional, nodes.Assert)):
            return child is parent.test
        if isinstance(parent, nodes.Statement):
            return False
    return False


def _in_finally(use: Use) -> bool:
    return any(
        isinstance(parent, nodes.Try) and child in parent.finalbody
        for child, parent in use.scope.module.ancestors(use.node)
    )


def _says(call: nodes.Call, what: re.Pattern[str]) -> bool:
    """Whether the call runs a statement that begins with a text like this."""
    first = call.arguments[0].value if call.arguments else None
    for node in nodes.walk(first) if first is not None else ():
        if isinstance(node, nodes.Constant) and isinstance(node.value, str):
            return what.match(node.value) is not None
    return False


def _says_no(value: nodes.Expression) -> bool:
    return isinstance(value, nodes.Constant) and (value.kind == "none" or value.value is False)


def _is_none(value: object) -> bool:
    return isinstance(value, nodes.Constant) and value.kind == "none"


_PROBE = re.compile(r"\s*select\s+(1|now\(\)|'?x'?|version\(\)|1\s+from\s+dual)\s*;?\s*$", re.I)
"""Statements that only ask whether anybody answers."""

_SETTLES = re.compile(r"\s*(rollback|set\s+(session\s+|@@session\.)?autocommit)\b", re.I)
_LEAVES = frozenset({"sys.exit", "builtins.exit", "builtins.quit", "os._exit", "os.abort"})
_EXECUTES = frozenset({"execute", "executemany", "executescript", "callproc", "query", "run"})
_MAKE_OBJECTS = frozenset(
    {"client", "resource", "create_client", "get_paginator", "get_waiter", "get_queue_by_name"}
)
_MAX_DERIVED = 4
_MAX_TEXTS = 3
