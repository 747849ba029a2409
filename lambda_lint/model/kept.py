"""Secrets, credentials and settings that a call hands out and that stay in the environment.

The value is followed from the call through what only takes it apart (keys, `json.loads`, texts),
through returns and arguments, to where it comes to rest: a variable of a module, an attribute of a
class or of a lasting object, the memory of a cache. It matters when nothing ends its life there: no
test that looks at the time, and nobody who empties or writes it again.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lambda_lint.finding import Span, Step
from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.calls import Edge
from lambda_lint.model.facts import Issued
from lambda_lint.model.guards import Guard
from lambda_lint.model.handlers import Handler
from lambda_lint.model.knowledge import Knowledge
from lambda_lint.model.lasting import Lasting
from lambda_lint.model.loads import Loads
from lambda_lint.model.phases import Path, Phase, Phases
from lambda_lint.model.places import Place
from lambda_lint.model.program import CallSite, Class, Function, Scope
from lambda_lint.model.questions import blocks, leaves
from lambda_lint.model.touches import CHANGE, CLEAR, DRAIN, WRITE, Touch, Touches
from lambda_lint.model.values import ClassValue, DisplayValue, External, FunctionValue
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Kept:
    """A value that stays; `shown` is how the code calls the place where it does.

    `how` is variable (made at import), memo (made when it is first needed) or decorator (a cache
    around the function). `path` and `span` are where it is put there, `kind` and `what` what it is.
    """

    site: CallSite
    issued: Issued
    kind: str
    what: str
    how: str
    shown: str
    path: str
    span: Span
    #: The way from a handler to where an invocation uses it.
    way: tuple[Step, ...]
    handlers: tuple[Handler, ...]
    #: Whether it went into an object that was made from it.
    in_object: bool


@dataclass(frozen=True, slots=True)
class _Value:
    """An expression that holds what was issued.

    `callers` are the calls by whose arguments it came into its function, `pending` the parameter
    on which it depends what it is, and `kind` what it is as far as that is known. `needed` are the
    parameters without which it is not fetched: `if role: … assume_role(RoleArn=role)`.
    """

    node: nodes.Expression
    scope: Scope
    kind: str
    pending: str = ""
    callers: tuple[tuple[nodes.Call, Scope], ...] = ()
    in_object: bool = False
    needed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Rest:
    """Where it comes to rest, before it is known whether anything ends that."""

    value: _Value
    how: str
    shown: str
    scope: Scope
    span: Span
    place: Place | None


class Keeping:
    """Finds such values."""

    def __init__(self, phases: Phases, lasting: Lasting, knowledge: Knowledge) -> None:
        """Take the finished phases, and what finds spots."""
        self.phases = phases
        self.calls = phases.calls
        self.evaluator = phases.calls.evaluator
        self.lasting = lasting
        self.knowledge = knowledge
        self.loads = Loads(lasting, phases.calls.modules)
        self._touches: dict[Place, list[tuple[Touch, Phase]]] | None = None

    def all(self) -> Iterator[Kept]:
        """Yield what is kept, by the place of the call; each place once for a kind."""
        seen: set[tuple[str, Span, str]] = set()
        for path in sorted(self.calls.modules):
            module = self.calls.modules[path]
            for function in (module.code, *module.functions):
                for site in function.calls:
                    issued = self._issued(site)
                    if issued is None:
                        continue
                    for one in self._kept(site, issued):
                        key = (one.path, one.span, one.kind)
                        if key not in seen:
                            seen.add(key)
                            yield one

    def _issued(self, site: CallSite) -> Issued | None:
        for one in self.calls.externals.get(site, ()):
            found = self.knowledge.issued(one.name)
            if found is not None:
                return found
        return None

    def _kept(self, site: CallSite, issued: Issued) -> Iterator[Kept]:
        if self.phases.guards.is_dead(site.node, site.scope.module):
            return
        start = _Value(
            site.node, site.scope, issued.kind, needed=self._needed(site.node, site.scope)
        )
        if issued.only_with:
            given = next((one for one in site.node.arguments if one.name == issued.only_with), None)
            start = self._decided(start, given.value if given is not None else None, site.scope)
        for rest in self._lasting_rests(start, issued):
            found = self._used(rest)
            if found is None:
                continue
            way, handlers = found
            kind = rest.value.kind
            what = issued.otherwise if kind == "setting" and issued.otherwise else issued.what
            yield Kept(
                site,
                issued,
                kind,
                what,
                rest.how,
                rest.shown,
                rest.scope.module.path,
                rest.span,
                way,
                handlers,
                rest.value.in_object,
            )

    # Where it goes.

    def _lasting_rests(self, start: _Value, issued: Issued) -> Iterator[_Rest]:
        """Yield where it stays for good, also in what was made from a session that is renewed."""
        for rest in self._rests(start, issued):
            if not self._ends(rest):
                yield rest
            elif rest.value.in_object and rest.place is not None and start.kind == "credentials":
                for node, scope in self.loads.of_place(rest.place):
                    again = replace(rest.value, node=node, scope=scope, callers=())
                    for other in self._rests(again, issued):
                        if other.place != rest.place and not self._ends(other):
                            yield other

    def _rests(self, start: _Value, issued: Issued) -> Iterator[_Rest]:
        pending = deque([start])
        seen: set[_Value] = set()
        while pending and len(seen) < _MAX_STEPS:
            value = pending.popleft()
            if value in seen:
                continue
            seen.add(value)
            for one in self._next(value, issued):
                if isinstance(one, _Rest):
                    yield one
                else:
                    pending.append(one)

    def _next(self, value: _Value, issued: Issued) -> Iterator[_Value | _Rest]:
        """Follow an expression outwards to the statement that it stands in."""
        module = value.scope.module
        scope = value.scope
        child: nodes.Node = value.node
        parent = module.parents.get(child)
        while parent is not None:
            match parent:
                case nodes.Subscript(value=inner, index=index) if inner is child:
                    if _text(index) in issued.plain:
                        return
                case nodes.Attribute(attr=attr):
                    call = module.parents.get(parent)
                    if isinstance(call, nodes.Call) and call.func is parent:
                        asked = call.arguments[0].value if call.arguments else None
                        derives = value.in_object and attr in _DERIVING
                        if not (derives or attr in _TAKING) or (
                            attr == "get" and _text(asked) in issued.plain
                        ):
                            return
                        child, parent = call, module.parents.get(call)
                        continue
                    if attr in issued.plain:
                        return
                case nodes.Argument():
                    call = module.parents.get(parent)
                    if not isinstance(call, nodes.Call):
                        return
                    if not self._is_taken_apart(call, scope):
                        yield from self._given(replace(value, scope=scope), parent, call)
                        return
                    child, parent = call, module.parents.get(call)
                    continue
                case nodes.Conditional(test=test) if test is child:
                    return
                case nodes.Comprehension() if child in parent.elements:
                    pass
                case nodes.Clause(target=nodes.Name(id=name), iterable=iterable) if (
                    iterable is child
                ):
                    inner_scope = module.scope_of.get(parent.target, scope)
                    for node, inside in self.loads.of_local(name, inner_scope):
                        yield replace(value, node=node, scope=inside)
                    return
                case nodes.Walrus(target=nodes.Name(id=name)):
                    for node, inside in self.loads.of_local(name, scope):
                        yield replace(value, node=node, scope=inside)
                case (
                    nodes.Await()
                    | nodes.Starred()
                    | nodes.FormattedString()
                    | nodes.Conditional()
                    | nodes.BooleanOperation()
                    | nodes.BinaryOperation(operator="+" | "%")
                    | nodes.Collection()
                    | nodes.Dict()
                ):
                    pass
                case nodes.DictItem(value=inner) if inner is child:
                    pass
                case nodes.Return():
                    yield from self._returned(value)
                    return
                case nodes.Assign(targets=targets):
                    for target in targets:
                        yield from self._stored(value, target, parent)
                    return
                case nodes.AnnotatedAssign(target=target):
                    yield from self._stored(value, target, parent)
                    return
                case nodes.WithItem(target=nodes.Name(id=name)):
                    for node, inside in self.loads.of_local(name, scope):
                        yield replace(value, node=node, scope=inside)
                    return
                case nodes.For(target=nodes.Name(id=name), iterable=iterable) if iterable is child:
                    for node, inside in self.loads.of_local(name, scope):
                        yield replace(value, node=node, scope=inside)
                    return
                case nodes.Parameter(name=name):
                    yield _Rest(value, "variable", name, scope, value.node.span, None)
                    return
                case _:
                    return
            child, parent = parent, module.parents.get(parent)

    def _is_taken_apart(self, call: nodes.Call, scope: Scope) -> bool:
        """Whether what a call returns is what it is given, in another form."""
        return any(
            isinstance(one, External) and one.name in _FORMS
            for one in self.evaluator.evaluate(call.func, scope)
        )

    def _given(
        self, value: _Value, argument: nodes.Argument, call: nodes.Call
    ) -> Iterator[_Value | _Rest]:
        """Follow an argument into a function of the project, or into the object that is made."""
        scope = value.scope
        for one in self.evaluator.evaluate(call.func, scope):
            match one:
                case FunctionValue(function=function):
                    yield from self._bound(value, argument, call, function, one.receiver)
                case ClassValue(class_=class_):
                    constructor = self._constructor(class_)
                    if constructor is not None:
                        yield from self._bound(value, argument, call, constructor, class_)
                case External(name=name):
                    if _REFRESHES.search(name):
                        return
                    made = self.knowledge.constructor(name)
                    if made.kind != "connecting" if made is not None else _is_class(name):
                        yield replace(value, node=call, in_object=True)
                        return

    def _constructor(self, class_: Class) -> Function | None:
        lineage = self.evaluator.lineage(class_)[0]
        return next((one.methods["__init__"] for one in lineage if "__init__" in one.methods), None)

    def _bound(
        self,
        value: _Value,
        argument: nodes.Argument,
        call: nodes.Call,
        function: Function,
        receiver: object,
    ) -> Iterator[_Value]:
        if len(value.callers) >= _MAX_CALLERS:
            return
        for name, given in bind_arguments(call, function, receiver is not None).items():
            if given is argument.value:
                for node, scope in self.loads.of_local(name, function.scope):
                    callers = (*value.callers, (call, value.scope))
                    yield replace(value, node=node, scope=scope, callers=callers)

    def _returned(self, value: _Value) -> Iterator[_Value | _Rest]:
        function = value.scope.function
        sites = self.calls.argument_sites(function)
        is_fresh = bool(sites) and all(self.phases.has_fresh_key(site) for site, _ in sites)
        for guard in self.phases.guards.carried(function):
            if is_fresh:
                # The key is an object of the invocation, so that it is fetched again.
                return
            if guard.kind == "decorator" and self.phases.lasts(guard):
                settled = self._settled_anyhow(value, function)
                shown = f"{function.name}()"
                if not self._forgets(guard, function):
                    yield _Rest(settled, "decorator", shown, function.scope, guard.span, None)
                return
        if value.callers:
            call, scope = value.callers[-1]
            yield replace(value, node=call, scope=scope, callers=value.callers[:-1])
            return
        for site, skip_first in self.calls.argument_sites(function):
            if not self._gives_all(value.needed, function, site, skip_first):
                continue
            given = bind_arguments(site.node, function, skip_first)
            passed_on = [
                one.id
                for name in value.needed
                if isinstance(one := given.get(name), nodes.Name)
                and site.function.parameter(one.id) is not None
            ]
            there = replace(
                value,
                node=site.node,
                scope=site.scope,
                needed=(*self._needed(site.node, site.scope), *passed_on),
            )
            yield self._at_call(there, function, site, skip_first)

    def _needed(self, node: nodes.Node, scope: Scope) -> tuple[str, ...]:
        """Return the parameters that have to be given for a node to run."""
        found: list[str] = []
        for child, parent in scope.module.ancestors(node):
            match parent:
                case nodes.If(test=test, body=body) if child in body:
                    pass
                case nodes.Conditional(test=test, body=body) if child is body:
                    pass
                case _:
                    continue
            operands = (
                test.operands
                if isinstance(test, nodes.BooleanOperation) and test.operator == "and"
                else [test]
            )
            for one in operands:
                match one:
                    case nodes.Comparison(
                        left=nodes.Name(id=name),
                        operators=["is not" | "!="],
                        comparators=[nodes.Constant(kind="none")],
                    ):
                        found.append(name)
                    case nodes.Name(id=name):
                        found.append(name)
        return tuple(
            name
            for name in dict.fromkeys(found)
            if scope.function.parameter(name) is not None
            and all(one.kind == "parameter" for one in scope.owner(name).bindings[name])
        )

    def _gives_all(
        self, needed: Sequence[str], function: Function, site: CallSite, skip_first: bool
    ) -> bool:
        """Whether a call gives everything without which the value is not fetched."""
        if any(one.star for one in site.node.arguments):
            return True
        given = bind_arguments(site.node, function, skip_first)
        for name in needed:
            parameter = function.parameter(name)
            value = given.get(name, parameter.default if parameter is not None else None)
            if isinstance(value, nodes.Constant) and not value.value:
                return False
        return True

    def _is_ever_needed(self, value: _Value) -> bool:
        """Whether any call gives what it takes to fetch the value that comes to rest here."""
        function = value.scope.function
        sites = self.calls.argument_sites(function)
        return not sites or any(
            self._gives_all(value.needed, function, site, skip_first) for site, skip_first in sites
        )

    def _at_call(
        self, value: _Value, function: Function, site: CallSite, skip_first: bool
    ) -> _Value:
        if not value.pending:
            return value
        given = bind_arguments(site.node, function, skip_first).get(value.pending)
        if given is None:
            parameter = function.parameter(value.pending)
            given = parameter.default if parameter is not None else None
        return self._decided(value, given, site.scope)

    def _decided(self, value: _Value, given: nodes.Expression | None, scope: Scope) -> _Value:
        """Say what a value is by the argument that makes it secret."""
        match given:
            case nodes.Constant(value=truth) if truth:
                return replace(value, kind="secret", pending="")
            case nodes.Name(id=name) if scope.function.parameter(name) is not None:
                return replace(value, kind="setting", pending=name)
            case nodes.Name(id=name):
                owner = scope.lookup(name)
                bindings = owner.bindings[name] if owner is not None else []
                if len(bindings) == 1 and isinstance(bindings[0].value, nodes.Constant):
                    return self._decided(value, bindings[0].value, scope)
        return replace(value, kind="setting", pending="")

    def _settled_anyhow(self, value: _Value, function: Function) -> _Value:
        """Say what a cache keeps: a secret, when any caller asks it for one."""
        if not value.pending:
            return value
        found = [
            self._at_call(value, function, site, skip_first)
            for site, skip_first in self.calls.argument_sites(function)
        ]
        return next((one for one in found if one.kind == "secret"), replace(value, pending=""))

    def _stored(
        self, value: _Value, target: nodes.Expression, statement: nodes.Node
    ) -> Iterator[_Value | _Rest]:
        scope = value.scope
        match target:
            case nodes.Collection(items=items):
                for item in items:
                    yield from self._stored(value, item, statement)
                return
            case nodes.Starred(value=inner):
                yield from self._stored(value, inner, statement)
                return
            case nodes.Name(id=name):
                owner = scope.owner(name)
                if owner.kind == "function" and owner.function is scope.function:
                    for node, inside in self.loads.of_local(name, scope):
                        yield replace(value, node=node, scope=inside)
                    return
                if owner.kind == "class" and owner.class_ is not None:
                    place = Place("class", owner.class_, name)
                    yield from self._at_rest(value, place, place.describe(), statement)
                    return
            case nodes.Subscript(value=nodes.Name(id=name)):
                owner = scope.owner(name)
                if owner.kind == "function" and owner.function is scope.function:
                    # A part of a local container: where that goes, it goes.
                    for node, inside in self.loads.of_local(name, scope):
                        if scope.module.statement_of(node) is not statement:
                            yield replace(value, node=node, scope=inside)
        spot = self.lasting.target(target, scope)
        if spot is not None and spot.root.kind not in ("parameter", "default"):
            yield from self._at_rest(value, spot.root, spot.describe(), statement)

    def _at_rest(
        self, value: _Value, place: Place, shown: str, statement: nodes.Node
    ) -> Iterator[_Rest]:
        scope = value.scope
        if place.kind == "instance" and not self._is_object_kept(place):
            return
        if value.needed and not self._is_ever_needed(value):
            return
        phase = self.phases.of_node(statement, scope)
        if phase in (Phase.INIT, Phase.ONCE):
            how = "variable" if phase is Phase.INIT else "memo"
            yield _Rest(value, how, shown, scope, statement.span, place)

    def _is_object_kept(self, place: Place) -> bool:
        """Whether an object with such an attribute is put where it stays; others go at once."""
        if not isinstance(place.owner, Class):
            return False
        for class_ in (place.owner, *self.calls.subclasses.get(place.owner, ())):
            if self.phases.is_single(class_):
                return True
            for site in self.calls.instantiations.get(class_, ()):
                statement = site.module.statement_of(site.node)
                targets = getattr(statement, "targets", [getattr(statement, "target", None)])
                if any(
                    isinstance(one, nodes.Expression)
                    and self.lasting.target(one, site.scope) is not None
                    for one in targets
                ):
                    return True
                if isinstance(statement, nodes.Return) and any(
                    one.kind == "decorator"
                    and self.phases.lasts(one)
                    and not self._forgets(one, site.function)
                    for one in self.phases.guards.carried(site.function)
                ):
                    return True
        return False

    # Whether anything ends its life there.

    def _forgets(self, guard: Guard, function: Function) -> bool:
        """Whether the cache around a function forgets after a time, or is told to."""
        decorator = next((one for one in function.decorators if one.span == guard.span), None)
        scope = function.definition_scope
        if decorator is None or scope is None:
            return True
        if any(_TIME.search(one.name) for one in function.parameters):
            # `get_secret(name, ttl_hash=None)`: the caller changes the key from time to time.
            return True
        called = decorator.func if isinstance(decorator, nodes.Call) else decorator
        arguments = decorator.arguments if isinstance(decorator, nodes.Call) else []
        for one in self.evaluator.evaluate(called, scope):
            if isinstance(one, External):
                memo = self.knowledge.cache_decorator(one.name)
                if memo is None or memo.store == "disk" or "ttl" in one.name:
                    return True
                if any(two.name in memo.ttl_arguments for two in arguments):
                    return True
                if memo.store == "argument" and not self._is_plain_store(arguments, scope):
                    return True
            elif isinstance(one, FunctionValue):
                if any(self._looks_at_time(two) for two in (one.function, *_within(one.function))):
                    return True
            else:
                return True
        return any(
            node.attr in ("cache_clear", "cache_pop", "cache_invalidate")
            and _last_name(node.value) == function.name
            for other in self.calls.functions()
            if self.phases.of_function(other) in (Phase.INVOKE, Phase.ONCE)
            for node, _ in other.attribute_loads
        )

    def _is_plain_store(self, arguments: Sequence[nodes.Argument], scope: Scope) -> bool:
        """Whether `@cached(cache={})` is given something that forgets nothing for its age."""
        given = next((one.value for one in arguments if one.name in ("cache", None)), None)
        values = self.evaluator.evaluate(given, scope) if given is not None else ()
        return bool(values) and all(
            isinstance(one, DisplayValue)
            or (isinstance(one, External) and one.name.endswith(("LRUCache()", ".Cache()")))
            for one in values
        )

    def _ends(self, rest: _Rest) -> bool:
        if rest.place is None:
            return False
        for touch, phase in self._changes_of(rest.place):
            function = touch.scope.function
            if function.is_module or _contains(rest.span, touch) or phase is Phase.NEVER:
                continue
            if phase is Phase.INVOKE:
                return True
            if rest.how == "variable" and phase is not Phase.INIT:
                return True
        if rest.how == "variable":
            return False
        writer = rest.scope.function
        if self._looks_at_time(writer):
            return True
        # Where the function has the memo itself, tests of its callers are about something else.
        is_inside = self.phases.of_function(writer) is Phase.INVOKE
        return not is_inside and self._is_asked_for_when_old(writer)

    def _is_asked_for_when_old(self, writer: Function) -> bool:
        """Whether a test of the time stands in front of a call that leads to the writer."""
        around = {writer}
        for _ in range(2):
            edges = [edge for one in around for edge in self.calls.into.get(one, ())]
            if any(self._comes_after_time(edge) for edge in edges):
                return True
            around |= {edge.caller for edge in edges}
        return False

    def _comes_after_time(self, edge: Edge) -> bool:
        for child, parent in edge.scope.module.ancestors(edge.node):
            test = getattr(parent, "test", None)
            if test is not None and child is not test and _speaks_of_time(test):
                return True
            if isinstance(parent, (nodes.Comparison, nodes.BooleanOperation)) and (
                _speaks_of_time(parent)
            ):
                return True
            for block in blocks(parent):
                if child in block and any(
                    isinstance(one, nodes.If) and leaves(one.body) and _speaks_of_time(one.test)
                    for one in block[: block.index(child)]
                ):
                    return True
        return False

    def _changes_of(self, place: Place) -> list[tuple[Touch, Phase]]:
        if self._touches is None:
            self._touches = {}
            touches = Touches(self.lasting)
            for function in self.calls.functions():
                found = [
                    one
                    for target, statement, scope in function.stores
                    for one in touches.of_store(target, statement, scope)
                ]
                found += [
                    one for site in function.calls for one in touches.of_call(site.node, site.scope)
                ]
                for one in found:
                    if one.kind in (WRITE, CHANGE, CLEAR, DRAIN):
                        phase = self.phases.of_node(one.node, one.scope)
                        self._touches.setdefault(one.spot.root, []).append((one, phase))
        return self._touches.get(place, [])

    def _looks_at_time(self, function: Function) -> bool:
        """Whether a test of the function speaks of time, age, or of being told to refresh."""
        for node in nodes.walk(function.node):
            match node:
                case nodes.If(test=test) | nodes.While(test=test) | nodes.Conditional(test=test):
                    if _speaks_of_time(test):
                        return True
                case nodes.Comparison() | nodes.BooleanOperation():
                    if _speaks_of_time(node):
                        return True
        return False

    # Who uses it.

    def _used(self, rest: _Rest) -> tuple[tuple[Step, ...], tuple[Handler, ...]] | None:
        users: list[Function] = []
        if rest.place is not None:
            users = [scope.function for _, scope in self.loads.of_place(rest.place)]
        elif rest.how == "decorator":
            users = [site.function for site, _ in self.calls.argument_sites(rest.scope.function)]
        if rest.how != "variable":
            users.append(rest.scope.function)
        paths = [(one, path) for one in users if (path := self.phases.path_to(one)) is not None]
        if not paths and rest.how != "variable":
            paths = self._callers(rest.scope.function)
        if paths:
            function, best = min(paths, key=lambda one: len(one[1].edges))
            return self.phases.witness(best), tuple(self.phases.handlers_of(function))
        if rest.how == "memo" or (rest.how == "decorator" and not users[:-1]):
            return None
        if rest.place is not None and self._is_done_with(rest.place):
            return None
        loading = [
            one
            for one in self.phases.handlers
            if rest.scope.module.path in self.phases.loaded_by(one)
        ]
        return ((loading[0].step,), tuple(loading)) if loading else None

    def _is_done_with(self, place: Place, depth: int = 3) -> bool:
        """Whether a variable is only asked for, or only connects something, and all at import."""
        loads = list(self.loads.of_place(place))
        return bool(loads) and all(
            scope.function.is_module and self._is_spent(node, scope, depth) for node, scope in loads
        )

    def _is_spent(self, node: nodes.Expression, scope: Scope, depth: int) -> bool:
        parent = scope.module.parents.get(node)
        while isinstance(parent, (nodes.Attribute, nodes.Subscript)) or (
            isinstance(parent, nodes.Call) and parent.func is node
        ):
            node, parent = parent, scope.module.parents.get(parent)
        match parent:
            case nodes.Comparison():
                return True
            case nodes.If(test=test) | nodes.UnaryOperation(operator="not", operand=test):
                return test is node
            case nodes.Assign(targets=[target]) | nodes.AnnotatedAssign(target=target):
                # A part of it is a variable of its own, of which the same is asked.
                spot = self.lasting.target(target, scope)
                return (
                    spot is not None
                    and not spot.path
                    and depth > 0
                    and self._is_done_with(spot.root, depth - 1)
                )
            case nodes.Argument():
                call = scope.module.parents.get(parent)
                made = [
                    self.knowledge.constructor(one.name)
                    for one in (
                        self.evaluator.evaluate(call.func, scope)
                        if isinstance(call, nodes.Call)
                        else ()
                    )
                    if isinstance(one, External)
                ]
                return bool(made) and all(
                    one is not None and one.kind == "connecting" for one in made
                )
        return False

    def _callers(self, function: Function) -> list[tuple[Function, Path]]:
        """Return the nearest functions that an invocation runs and that lead there."""
        pending = [function]
        seen = {function}
        while pending:
            above = [
                edge.caller
                for one in pending
                for edge in self.calls.into.get(one, ())
                if edge.caller not in seen
            ]
            seen.update(above)
            found = [(one, path) for one in above if (path := self.phases.path_to(one)) is not None]
            if found:
                return found
            pending = list(dict.fromkeys(above))
        return []


def _is_class(name: str) -> bool:
    """Whether a name of a library is that of a class, by its case."""
    return name.rpartition(".")[2][:1].isupper() and not name.endswith(("Error", "Exception"))


def _text(node: nodes.Expression | None) -> str:
    return str(node.value) if isinstance(node, nodes.Constant) and node.kind == "str" else ""


def _last_name(node: nodes.Expression) -> str:
    return node.attr if isinstance(node, nodes.Attribute) else getattr(node, "id", "")


def _within(function: Function) -> Iterator[Function]:
    for one in function.nested:
        yield one
        yield from _within(one)


def _contains(span: Span, touch: Touch) -> bool:
    inner = touch.node.span
    return (span.line, span.column) <= (inner.line, inner.column) and (
        inner.end_line,
        inner.end_column,
    ) <= (span.end_line, span.end_column)


def _speaks_of_time(test: nodes.Expression) -> bool:
    for one in nodes.walk(test):
        match one:
            case nodes.Name(id=name) | nodes.Attribute(attr=name):
                if _TIME.search(name):
                    return True
            case nodes.Constant(kind="str", value=str(text)):
                if _TIME.search(text):
                    return True
    return False


_TIME = re.compile(
    r"expir|ttl|max_?age|stale|refresh|rotat|fresh|timestamp|monotonic|utcnow|\bnow\b|^time$"
    r"|elapsed|_age\b|^age$|force|reload|renew|fetched_at|loaded_at|cached_at|last_|valid_until"
    r"|is_valid|still_valid|cache_valid|lifetime|until",
    re.IGNORECASE,
)
"""Names in tests and parameters by which values are told to be too old."""

_REFRESHES = re.compile(r"Refreshable|AssumeRoleCredentialFetcher|Provider\b")
"""Objects that fetch credentials anew by themselves:
https://botocore.amazonaws.com/v1/documentation/api/latest/reference/credentials.html"""

_TAKING = frozenset(
    {
        *("get", "decode", "encode", "strip", "rstrip", "lstrip", "split", "splitlines", "replace"),
        *("read", "json", "items", "values", "copy", "lower", "upper", "partition", "format"),
        *("join", "pop", "getvalue", "to_dict", "text"),
    }
)
"""Methods that give the value, or a part of it, in another form."""

_DERIVING = frozenset({"client", "resource"})
"""Methods of a session whose result keeps the credentials that the session had then."""

_FORMS = frozenset(
    {
        *("json.loads", "json.load", "base64.b64decode", "base64.b64encode", "ast.literal_eval"),
        *("base64.standard_b64decode", "base64.urlsafe_b64decode", "yaml.safe_load", "yaml.load"),
        *("simplejson.loads", "orjson.loads", "ujson.loads", "copy.copy", "copy.deepcopy"),
        *("builtins.str", "builtins.dict", "builtins.list", "builtins.bytes", "builtins.tuple"),
        *("builtins.set", "builtins.int", "builtins.next", "builtins.sorted", "builtins.zip"),
        *("types.SimpleNamespace", "typing.cast", "io.StringIO", "io.BytesIO"),
        *("configparser.ConfigParser().read_string", "dotenv.dotenv_values"),
    }
)
"""Functions whose result is what they are given, in another form."""

_MAX_STEPS = 400
"""How many expressions are looked at from one call."""

_MAX_CALLERS = 4
"""How deep a value is followed into functions that it is given to."""
