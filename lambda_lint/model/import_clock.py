"""Times and identifiers that are made once, at import, and used by every invocation.

A call that reads the clock is followed through what the module makes of it: arithmetic, methods,
other variables, also of other modules. It matters where an invocation uses it for more than logs
and more than the time that went by.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lambda_lint.finding import Step
from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.facts import Momentary
from lambda_lint.model.knowledge import Knowledge
from lambda_lint.model.lasting import Lasting, Spot
from lambda_lint.model.phases import Path, Phase, Phases
from lambda_lint.model.places import Place
from lambda_lint.model.program import CallSite, Class, Function, Scope
from lambda_lint.model.snapshots import restored_places
from lambda_lint.model.state import State
from lambda_lint.model.state_uses import PRINTED, Uses
from lambda_lint.model.values import ClassValue, External
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Frozen:
    """A value made at import that invocations use; `shown` is how it is called there.

    `kind` is variable, default (of a parameter) or field (of a class). `use` says what the
    invocation does with it, `path` is the way there from a handler, and `read` where it is.
    """

    site: CallSite
    what: Momentary
    kind: str
    shown: str
    use: str
    path: Path
    read: Step
    #: The function of an invocation that uses it.
    function: Function
    #: Whether its name says that it is that of the environment.
    of_environment: bool = False
    #: Whether some call on the way of an invocation relies on the default.
    is_left_out: bool = True
    #: Whether a hook that runs when a snapshot is restored makes it anew.
    restored: bool = False
    #: What it has to do with the call: it `is` that, `holds` it, `is made from`
    #: it, or `is chosen by` it.
    relation: str = "is"
    #: The argument of a field that has the call in it, and the one that takes a function instead.
    argument: nodes.Argument | None = None
    factory: str = ""


class ImportClock:
    """Finds such values."""

    def __init__(self, phases: Phases, lasting: Lasting, knowledge: Knowledge) -> None:
        """Take the finished phases, and what finds spots."""
        self.phases = phases
        self.calls = phases.calls
        self.evaluator = phases.calls.evaluator
        self.lasting = lasting
        self.knowledge = knowledge
        self.uses = Uses(lasting)
        self.loads = lasting.loads
        self.restored = restored_places(lasting)
        self._inserting: dict[Class, list[_Made]] | None = None
        self._stored: frozenset[Place] | None = None

    def all(self, states: list[State]) -> Iterator[Frozen]:
        """Yield what is used after it was made at import; nothing that invocations renew."""
        renewed = {one.place for one in states}
        for path in sorted(self.calls.modules):
            module = self.calls.modules[path]
            for site in module.code.calls:
                what = self._momentary(site)
                if what is None or self.phases.of_node(site.node, site.scope) is not Phase.INIT:
                    continue
                found = self._frozen(site, what, renewed)
                if found is not None:
                    yield found

    def _momentary(self, site: CallSite) -> Momentary | None:
        for one in self.calls.externals.get(site, ()):
            found = self.knowledge.momentary(one.name)
            if found is not None and not (one.name == "time.gmtime" and site.node.arguments):
                return found
        return None

    def _frozen(self, site: CallSite, what: Momentary, renewed: set[Place]) -> Frozen | None:
        module = site.module
        for child, parent in module.ancestors(site.node):
            match parent:
                case nodes.Parameter():
                    return self._default(site, what, parent)
                case nodes.Argument(name=str(name)) if name and site.scope.kind == "class":
                    maker = module.parents.get(parent)
                    if name in _FILLED_IN and isinstance(maker, nodes.Call):
                        return self._field(site, what, parent, maker)
                    if isinstance(maker, nodes.Call) and self._is_of_library(maker, site.scope):
                        # What a library's field does with it is not known.
                        return None
                case nodes.Lambda():
                    return None
                case nodes.Assign() | nodes.AnnotatedAssign() if child is parent.value:
                    return self._assigned(site, what, parent, renewed)
                case nodes.Statement():
                    return None
        return None

    # A variable of a module or a class.

    def _assigned(
        self,
        site: CallSite,
        what: Momentary,
        statement: nodes.Assign | nodes.AnnotatedAssign,
        renewed: set[Place],
    ) -> Frozen | None:
        relation = _relation(site)
        pending = [(one, relation) for one in self._names(statement, site.scope)]
        seen: set[Place] = set()
        best: Frozen | None = None
        while pending:
            spot, relation = pending.pop(0)
            if spot.root in seen or spot.root in renewed or len(seen) > _MAX_NAMES:
                continue
            seen.add(spot.root)
            if any(word in spot.root.name.upper() for word in _OF_THE_START):
                continue
            if self._is_renewed_when_past(spot.root):
                continue
            for node, scope in self.loads.of_place(spot.root):
                if scope.function.is_module:
                    further = "is made from" if relation == "is" else relation
                    pending += [(one, further) for one in self._derived(node, scope)]
                    continue
                if self.phases.of_node(node, scope) is not Phase.INVOKE:
                    continue
                found = self._used(site, what, spot, node, scope)
                if found is not None and (best is None or _length(found) < _length(best)):
                    best = replace(found, relation=relation)
        return best

    def _used(
        self, site: CallSite, what: Momentary, spot: Spot, node: nodes.Expression, scope: Scope
    ) -> Frozen | None:
        if self._is_elapsed(node, scope):
            return None
        use = self.uses.of(node, scope, spot)
        path = self.phases.path_to(scope.function)
        if not use or use == PRINTED or path is None:
            return None
        shown = spot.describe()
        read = Step(scope.module.path, node.span, f"`{shown}` {use}")
        of_environment = what.what == "identifier" and _is_of_environment(spot.root.name)
        restored = spot.root in self.restored
        return Frozen(
            *(site, what, "variable", shown, use, path, read, scope.function),
            of_environment=of_environment,
            restored=restored,
        )

    def _is_renewed_when_past(self, place: Place) -> bool:
        """Whether invocations ask if the time has come, and set another one: `if DUE < now:`."""
        if self._stored is None:
            self._stored = frozenset(self._stored_later())
        return place in self._stored and any(
            isinstance(parent, nodes.Comparison) and self.uses.is_now(parent, scope)
            for node, scope in self.loads.of_place(place)
            if not scope.function.is_module
            for parent in _expressions_around(node, scope)
        )

    def _stored_later(self) -> Iterator[Place]:
        """Yield the variables that functions rebind which an invocation may run."""
        for function in self.calls.functions():
            if self.phases.of_function(function) not in (Phase.INVOKE, Phase.ONCE):
                continue
            for target, _, scope in function.stores:
                if isinstance(target, (nodes.Name, nodes.Attribute)):
                    spot = self.lasting.target(target, scope)
                    if spot is not None and not spot.path:
                        yield spot.root

    def _names(
        self, statement: nodes.Assign | nodes.AnnotatedAssign, scope: Scope
    ) -> Iterator[Spot]:
        targets = statement.targets if isinstance(statement, nodes.Assign) else [statement.target]
        for target in targets:
            if not isinstance(target, nodes.Name):
                continue
            if scope.kind == "class" and scope.class_ is not None:
                yield Spot(Place("class", scope.class_, target.id))
            else:
                spot = self.lasting.of_module(scope.module, target.id)
                if spot is not None:
                    yield spot

    def _derived(self, node: nodes.Expression, scope: Scope) -> Iterator[Spot]:
        """Yield the variables that module code makes from a load."""
        if self._is_elapsed(node, scope):
            return
        for child, parent in scope.module.ancestors(node):
            match parent:
                case nodes.Assign() | nodes.AnnotatedAssign() if child is parent.value:
                    yield from self._names(parent, scope)
                    return
                case nodes.Statement() | nodes.Lambda():
                    return

    def _is_elapsed(self, node: nodes.Expression, scope: Scope) -> bool:
        """Whether it is only subtracted from the time that is now: `time.time() - START`."""
        for child, parent in scope.module.ancestors(node):
            match parent:
                case nodes.BinaryOperation(operator="-", left=left, right=right) if child is right:
                    if self.uses.is_now(left, scope):
                        return True
            if isinstance(parent, nodes.Statement):
                return False
        return False

    # A default.

    def _default(
        self, site: CallSite, what: Momentary, parameter: nodes.Parameter
    ) -> Frozen | None:
        node = site.module.parents.get(parameter)
        function = site.module.function_of.get(node) if node is not None else None
        path = self.phases.path_to(function) if function is not None else None
        if function is None or path is None:
            return None
        spot = Spot(Place("parameter", function, parameter.name))
        if not any(self.loads.of_local(parameter.name, function.scope)):
            return None
        # A wrong time in a log is wrong as well, where the caller is meant to give the right one.
        use = self.uses.of_name(parameter.name, function.scope, spot) or "is logged"
        is_left_out = self._is_left_out(function, parameter.name)
        told = "without `{}`, it takes the default"
        if not is_left_out:
            told = "every call gives `{}` so far"
        read = Step(site.module.path, function.name_span, told.format(parameter.name))
        return Frozen(
            *(site, what, "default", parameter.name, use, path, read, function),
            is_left_out=is_left_out,
        )

    def _is_left_out(self, function: Function, name: str) -> bool:
        """Whether some call on the way of an invocation relies on the default."""
        sites = [
            (site, skip_first)
            for site, skip_first in self.calls.argument_sites(function)
            if self.phases.of_node(site.node, site.scope) is Phase.INVOKE
        ]
        return any(
            name not in bind_arguments(site.node, function, skip_first)
            and not any(one.star for one in site.node.arguments)
            for site, skip_first in sites
        )

    # A field.

    def _field(
        self, site: CallSite, what: Momentary, argument: nodes.Argument, maker: nodes.Call
    ) -> Frozen | None:
        class_ = site.scope.class_
        if class_ is None:
            return None
        name = _target_name(site.module.statement_of(site.node))
        made = list(self._made(class_))
        if argument.name == "onupdate":
            made = [replace(one, gives=frozenset()) for one in made]
        left_out = [one for one in made if not {name, _ANYTHING} & one.gives]
        for one in left_out or made:
            path = self.phases.path_to(one.function)
            if path is not None:
                told = f"`{one.name}` is made here without `{name}`"
                if argument.name == "onupdate":
                    told = f"`{one.name}` is made here, and gets it with each later change"
                elif not left_out:
                    told = f"what is put in here may have its own `{name}`"
                read = Step(one.function.module.path, one.node.span, told)
                return Frozen(
                    *(site, what, "field", f"{class_.name}.{name}", "is stored", path, read),
                    one.function,
                    is_left_out=bool(left_out),
                    argument=argument,
                    factory=self._factory(argument.name or "", maker, site.scope),
                )
        return None

    def _is_of_library(self, call: nodes.Call, scope: Scope) -> bool:
        return any(isinstance(one, External) for one in self.evaluator.evaluate(call.func, scope))

    def _factory(self, name: str, maker: nodes.Call, scope: Scope) -> str:
        """Return which argument takes a function, where it is not the same."""
        for one in self.evaluator.evaluate(maker.func, scope):
            if isinstance(one, External):
                if one.name.startswith(("dataclasses.", "pydantic", "msgspec.", "sqlmodel.")):
                    return "default_factory"
                if one.name.startswith(("attr.", "attrs.")):
                    return "factory"
        return name

    def _made(self, class_: Class) -> Iterator[_Made]:
        """Yield where invocations make objects of a class, or of one that inherits its fields.

        A query makes none: it takes what the table holds.
        """
        family = [class_]
        for one in family:
            family += [two for two in self.calls.subclasses.get(one, ()) if two not in family]
        for one in family:
            for site in self.calls.instantiations.get(one, ()):
                if self.phases.of_node(site.node, site.scope) is Phase.INVOKE:
                    yield _Made(one.name, site.node, site.scope.function, _given(site.node))
            yield from self._inserted().get(one, ())

    def _inserted(self) -> dict[Class, list[_Made]]:
        """Return the calls of invocations that put in what a class describes.

        `Note.create(…)`, `Note.objects.create(…)`, `session.execute(insert(Note))`.
        """
        if self._inserting is None:
            self._inserting = {}
            for function in self.calls.functions():
                for site in function.calls:
                    for held in self._described_by(site):
                        self._inserting.setdefault(held, []).append(
                            _Made(held.name, site.node, function, _given(site.node))
                        )
        return self._inserting

    def _described_by(self, site: CallSite) -> Iterator[Class]:
        func = site.node.func
        name = func.attr if isinstance(func, nodes.Attribute) else getattr(func, "id", "")
        if name not in _INSERTING or self.phases.of_node(site.node, site.scope) is not Phase.INVOKE:
            return
        asked = [one.value for one in site.node.arguments]
        while isinstance(func, nodes.Attribute):
            func = func.value
            asked.append(func)
        for node in asked:
            for held in self.evaluator.evaluate(node, site.scope):
                if isinstance(held, ClassValue):
                    yield held.class_


@dataclass(frozen=True, slots=True)
class _Made:
    """A call that makes an object of a class, and the fields that it gives."""

    name: str
    node: nodes.Call
    function: Function
    gives: frozenset[str]


def _given(call: nodes.Call) -> frozenset[str]:
    """Return the fields that a call gives."""
    names = {one.name for one in call.arguments if one.name}
    func = call.func.attr if isinstance(call.func, nodes.Attribute) else ""
    if func in _OF_ROWS or any(one.star == "**" for one in call.arguments):
        names.add(_ANYTHING)
    return frozenset(names)


def _expressions_around(node: nodes.Expression, scope: Scope) -> Iterator[nodes.Node]:
    for _, parent in scope.module.ancestors(node):
        if isinstance(parent, nodes.Statement):
            return
        yield parent


def _relation(site: CallSite) -> str:
    """Return what the value that a statement keeps has to do with a call in it."""
    for child, parent in site.module.ancestors(site.node):
        match parent:
            case nodes.Subscript(index=index) if index is child:
                return "is chosen by"
            case nodes.Conditional(test=test) if test is child:
                return "is chosen by"
            case nodes.Comparison():
                return "is chosen by"
            case nodes.Dict() | nodes.Collection():
                return "holds"
            case nodes.Statement():
                break
    return "is"


def steps(found: Frozen, phases: Phases, made: str) -> tuple[Step, ...]:
    """Return the witness: how an invocation comes to use it, and where it was made."""
    last = Step(found.site.module.path, found.site.span, made)
    return (*phases.witness(found.path), found.read, last)


def _length(found: Frozen) -> tuple[int, str, int]:
    return len(found.path.edges), found.read.path, found.read.span.line


def _target_name(statement: nodes.Statement | None) -> str:
    match statement:
        case nodes.Assign(targets=[nodes.Name(id=name), *_]):
            return name
        case nodes.AnnotatedAssign(target=nodes.Name(id=name)):
            return name
    return "field"


def _is_of_environment(name: str) -> bool:
    """Whether a name says that the identifier is that of the execution environment."""
    return any(word in name.upper() for word in _OF_ENVIRONMENT)


_OF_THE_START = ("COLD", "BOOT", "INIT", "LOADED", "IMPORTED", "UPTIME", "DEPLOY", "BUILD")
"""Parts of names that say that the time is that of the start, and meant to be."""

_FILLED_IN = frozenset(
    {"default", "insert_default", "onupdate", "missing", "load_default", "dump_default"}
)
"""Arguments of fields with what an object gets that is made without a value."""

_INSERTING = frozenset(
    {"create", "insert", "insert_many", "get_or_create", "update_or_create", "bulk_create"}
    | {"acreate", "save", "bulk_insert_mappings", "bulk_save_objects", "model_validate"}
    | {"parse_obj", "from_orm", "aget_or_create", "on_duplicate_key_update"}
)
"""Calls that make objects, or rows that get what their columns have for a default."""

_OF_ENVIRONMENT = ("INSTANCE", "CONTAINER", "ENV", "WORKER", "PROCESS", "SANDBOX", "NODE", "BOOT")

_OF_ROWS = frozenset({"bulk_insert_mappings", "insert_many", "bulk_create", "bulk_save_objects"})
"""Calls that are given rows, or objects that were made elsewhere."""

_ANYTHING = "**"
"""Among the fields that are given: nobody knows which."""

_MAX_NAMES = 20
"""How many variables that were made from one call are followed."""
