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
from lambda_lint.model.addresses import surely_names
from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.entries import Handler
from lambda_lint.model.facts import Issued
from lambda_lint.model.kept_lives import Lives
from lambda_lint.model.kept_uses import Uses
from lambda_lint.model.knowledge import Knowledge
from lambda_lint.model.lasting import Lasting
from lambda_lint.model.phases import Phase, Phases
from lambda_lint.model.places import Place
from lambda_lint.model.program import CallSite, Class, Function, Scope
from lambda_lint.model.values import ClassValue, External, FunctionValue
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
        self.loads = lasting.loads
        self.lives = Lives(phases, lasting, knowledge)
        self.uses = Uses(phases, lasting, knowledge, self.loads)

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
            found = self.knowledge.issued(one.name) or self._asked_by_address(site, one.name)
            if found is not None:
                return found
        return None

    def _asked_by_address(self, site: CallSite, name: str) -> Issued | None:
        """Return what a request hands out whose address is that of an extension."""
        asking = self.knowledge.asking(name)
        if asking is None:
            return None
        positional = [one.value for one in site.node.arguments if not one.name]
        named = [one.value for one in site.node.arguments if one.name == "url"]
        for address in named or positional[asking.url : asking.url + 1]:
            for words, issued in self.knowledge.issuing_addresses:
                if surely_names(address, site.scope, (words,), self.evaluator):
                    return issued
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
            found = self.uses.of(rest.place, rest.how, rest.scope)
            if found is None:
                continue
            way, handlers = found
            kind = rest.value.kind
            if kind == "secret" and issued.otherwise and _names_no_secret(rest.shown):
                kind = "setting"
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

    def _ends(self, rest: _Rest) -> bool:
        return self.lives.ends(rest.place, rest.how, rest.scope, rest.span)

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
                    # What connects once and for all has no more use for it.
                    spends = made is not None and (
                        made.kind == "connecting" and made.reconnects is False
                    )
                    if not spends and (made is not None or _is_class(name)):
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
                if not self.lives.forgets(guard, function):
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
            case nodes.Attribute(value=nodes.Name(id=owner_name), attr=attr):
                # `self.answer = fetch()`, and further on `return self.answer`.
                for node, inside in scope.function.attribute_loads:
                    if (
                        node.attr == attr
                        and getattr(node.value, "id", "") == owner_name
                        and node.span > target.span
                    ):
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
                    and not self.lives.forgets(one, site.function)
                    for one in self.phases.guards.carried(site.function)
                ):
                    return True
        return False


def _names_no_secret(shown: str) -> bool:
    """Whether a parameter that is decrypted anyway holds an address or a name, by what keeps it.

    Addresses of databases and webhooks have their passwords in them.
    """
    return _ADDRESS.search(shown) is not None and _SECRET_ADDRESS.search(shown) is None


def _is_class(name: str) -> bool:
    """Whether a name of a library is that of a class, by its case."""
    return name.rpartition(".")[2][:1].isupper() and not name.endswith(("Error", "Exception"))


def _text(node: nodes.Expression | None) -> str:
    return str(node.value) if isinstance(node, nodes.Constant) and node.kind == "str" else ""


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

_ADDRESS = re.compile(
    r"(?:^|_|\.)(?:[a-z]*_?(?:url|uri|endpoint|host|hostname|domain|port|region|bucket|arn|table"
    r"|tenant|username|user|email|version|account_id|client_id))(?:\(\))?$",
    re.IGNORECASE,
)
"""Names of variables and functions that hold no secret."""

_SECRET_ADDRESS = re.compile(
    r"database|db|postgres|mysql|mongo|redis|sql|amqp|broker|rabbit|hook|slack|dsn|connection"
    r"|presigned|signed|secret|token|key|password|credential|auth",
    re.IGNORECASE,
)
"""Words beside these that say that it may be one after all."""

_MAX_STEPS = 400
"""How many expressions are looked at from one call."""

_MAX_CALLERS = 4
"""How deep a value is followed into functions that it is given to."""
