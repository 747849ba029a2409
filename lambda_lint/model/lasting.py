"""Which part of what outlives an invocation an expression means.

A spot is a place (a module variable, an attribute of a class or of a lasting object, the result of
a memoised function) and the way from there into what it holds: keys and attributes. A local name
that only stands for a part of it (`headers = RESPONSE["headers"]`) is the same spot, a copy is not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from lambda_lint.finding import Span
from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.constants import Constants
from lambda_lint.model.guards import Guard
from lambda_lint.model.phases import Phase, Phases
from lambda_lint.model.places import Place
from lambda_lint.model.program import Binding, Class, Function, Module, Scope
from lambda_lint.model.values import (
    ClassValue,
    ContainerValue,
    DisplayValue,
    External,
    FunctionValue,
    InstanceValue,
    ModuleValue,
    Value,
)
from lambda_lint.model.writes import Writes
from lambda_lint.syntax import nodes

if TYPE_CHECKING:
    from lambda_lint.model.loads import Loads

ANY = "[*]"
"""An item whose key is not a constant."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place, and the keys (`['a']`, `[*]`) and attributes (`.a`) from there on."""

    root: Place
    path: tuple[str, ...] = ()
    # Sets of spots are met at every join of a function, and asking a place for its hash is slow.
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hash", hash((self.root, self.path)))

    def __hash__(self) -> int:
        return self._hash

    def part(self, step: str) -> Spot:
        """Return what one more key or attribute leads to."""
        return Spot(self.root, (*self.path, step))

    def covers(self, other: Spot) -> bool:
        """Whether assigning to this spot certainly replaces the other one."""
        length = len(self.path)
        return self.root == other.root and self.path == other.path[:length] and ANY not in self.path

    def meets(self, other: Spot) -> bool:
        """Whether a change of one can be seen through the other."""
        return self.root == other.root and all(
            one == two or ANY in (one, two) for one, two in zip(self.path, other.path, strict=False)
        )

    def describe(self) -> str:
        """Return how a message writes it."""
        path = "".join("[…]" if one == ANY else one for one in self.path)
        root, owner = self.root.describe(), self.root.owner
        if self.root.kind == "instance" and isinstance(owner, Class):
            # It may be read far from the class, where `self` is another object.
            root = f"{owner.name}.{self.root.name}"
        return f"{root}{path}"


class Lasting:
    """Finds spots. Everything is memoised; what is not known to outlive an invocation has none."""

    def __init__(self, phases: Phases, writes: Writes, constants: Constants) -> None:
        """Take the finished phases, the index of stores, and what knows texts."""
        self.phases = phases
        self.calls = phases.calls
        self.evaluator = phases.calls.evaluator
        self.places = phases.guards.places
        self.writes = writes
        self.constants = constants
        self._found: dict[tuple[nodes.Node, Scope], Spot | None] = {}
        self._lasts: dict[Place, bool] = {}

    @cached_property
    def loads(self) -> Loads:
        """Where spots and names are read: one index for all who ask."""
        # It asks for spots in its turn.
        from lambda_lint.model.loads import Loads

        return Loads(self, self.calls.modules)

    def of(self, node: nodes.Expression, scope: Scope) -> Spot | None:
        """Return the spot that an expression reads, or None."""
        key = (node, scope)
        if key not in self._found:
            self._found[key] = None
            self._found[key] = self._find(node, scope)
        return self._found[key]

    def target(self, node: nodes.Expression, scope: Scope) -> Spot | None:
        """Return the spot that assigning to an expression rebinds."""
        if isinstance(node, nodes.Name):
            owner = scope.owner(node.id)
            if owner.kind == "module":
                return Spot(Place("global", owner.module, node.id))
            if owner.kind == "function" and owner.function is not scope.function:
                return self._lasting(Place("closure", owner.function, node.id))
            return None
        return self._find(node, scope)

    def attributes(self, node: nodes.Expression, scope: Scope) -> list[str]:
        """Return the names of what methods assign to an object of the project."""
        values = self.evaluator.evaluate(node, scope)
        if len(values) != 1 or not isinstance(values[0], InstanceValue):
            return []
        lineage = self.evaluator.lineage(values[0].class_)[0]
        return sorted({name for one in lineage for name in one.attributes})

    def _find(self, node: nodes.Expression, scope: Scope) -> Spot | None:
        match node:
            case nodes.Name(id=name):
                return self._name(name, scope.module.scope_of.get(node, scope))
            case nodes.Attribute(value=value, attr=attr):
                return self._attribute(value, attr, scope)
            case nodes.Subscript(
                value=nodes.Call(func=nodes.Name(id="globals"), arguments=[]),
                index=nodes.Constant(kind="str", value=str(name)),
            ):
                return self.of_module(scope.module, name)
            case nodes.Subscript(value=value, index=index):
                return self._item(value, index, scope)
            case nodes.Call(func=nodes.Name(id="getattr"), arguments=[first, second, *_]):
                if isinstance(second.value, nodes.Constant) and second.value.kind == "str":
                    return self._attribute(first.value, str(second.value.value), scope)
            case nodes.Call(
                func=nodes.Attribute(value=value, attr="get" | "setdefault"), arguments=[first, *_]
            ) if not isinstance(value, nodes.Call) and self.may_be_container(value, scope):
                return self._item(value, first.value, scope)
            case nodes.Call(func=func):
                return self._returned(func, scope)
            case nodes.Await(value=value) | nodes.Walrus(value=value):
                return self.of(value, scope)
        return None

    def may_be_container(self, node: nodes.Expression, scope: Scope) -> bool:
        """Whether the object can be one whose methods concern just itself: no client, no table."""
        return all(
            # A function is what a `defaultdict` is given to make its items with.
            isinstance(one, (DisplayValue, ContainerValue, FunctionValue))
            or (isinstance(one, External) and one.name.startswith(_CONTAINERS))
            for one in self.evaluator.evaluate(node, scope)
        )

    def _item(self, value: nodes.Expression, index: nodes.Expression, scope: Scope) -> Spot | None:
        base = self.of(value, scope)
        if base is None or isinstance(index, nodes.Slice) or len(base.path) >= _MAX_DEPTH:
            return None
        if isinstance(index, nodes.Constant) and index.kind in ("str", "int"):
            return base.part(f"[{index.value!r}]")
        text = None
        if isinstance(index, (nodes.Name, nodes.Attribute)):
            text = self.constants.text(index, scope)
        return base.part(ANY if text is None else f"[{text!r}]")

    def _name(self, name: str, scope: Scope) -> Spot | None:
        found = scope.lookup(name)
        if found is None or found.kind == "class":
            return None
        if found.kind == "module":
            return self.of_module(found.module, name)
        if found.kind == "function" and found.function is not scope.function:
            return self._lasting(Place("closure", found.function, name))
        bindings = found.bindings[name]
        if len(bindings) != 1:
            return self._part(bindings)
        binding = bindings[0]
        if binding.kind == "parameter":
            kind = "default" if self._keeps_default(found.function, name) else "parameter"
            return Spot(Place(kind, found.function, name))
        if binding.value is None or binding.index is not None:
            return None
        if binding.kind == "iterate":
            base = self.of(binding.value, binding.scope)
            return base.part(ANY) if base is not None and len(base.path) < _MAX_DEPTH else None
        return self.of(binding.value, binding.scope) if binding.kind == "assign" else None

    def _part(self, bindings: Sequence[Binding]) -> Spot | None:
        """Return the part that a name means after `part = ALL.get(key)` and, if there is none yet,
        `part = ALL[key] = {}`."""
        found: set[Spot | None] = set()
        for one in bindings:
            if one.kind != "assign" or one.value is None or one.index is not None:
                return None
            spot = self.of(one.value, one.scope)
            if spot is None:
                statement = one.scope.module.statement_of(one.value)
                spots = [
                    self.target(target, one.scope)
                    for target in getattr(statement, "targets", ())
                    if isinstance(target, nodes.Subscript)
                ]
                spot = spots[0] if spots else None
            found.add(spot)
        return found.pop() if len(found) == 1 else None

    def _keeps_default(self, function: Function, name: str) -> bool:
        """Whether some invocation relies on a default that is made once and can be changed."""
        parameter = function.parameter(name)
        if parameter is None or not isinstance(parameter.default, (nodes.Dict, nodes.Collection)):
            return False
        if getattr(parameter.default, "kind", "") == "tuple":
            return False
        if any(
            entry.function is function and entry.given is not None and name not in entry.given
            for handler in self.phases.handlers
            for entry in handler.entries
        ):
            return True
        return any(
            name not in bind_arguments(site.node, function, skip_first)
            and not any(one.star for one in site.node.arguments)
            and self.phases.of_node(site.node, site.scope) is Phase.INVOKE
            for site, skip_first in self.calls.argument_sites(function)
        )

    def of_module(self, module: Module, name: str) -> Spot | None:
        """Return the spot of a module variable; imported names are those of their module."""
        module, name = self.writes.origin(module, name)
        bindings = module.scope.bindings.get(name, ())
        if not bindings or any(
            one.kind in ("import", "from", "function", "class") for one in bindings
        ):
            return None
        return Spot(Place("global", module, name))

    def _attribute(self, value: nodes.Expression, attr: str, scope: Scope) -> Spot | None:
        values = self.evaluator.evaluate(value, scope)
        if len(values) == 1:
            match values[0]:
                case ModuleValue(module=module):
                    return self.of_module(module, attr)
                case ClassValue(class_=class_):
                    return self._of_class(class_, attr)
                case InstanceValue(class_=class_):
                    return self._of_instance(class_, attr)
                case FunctionValue(function=function):
                    return self._lasting(Place("function", function, attr))
        if _is_of_event(values, attr):
            return None
        base = self.of(value, scope)
        if base is None or len(base.path) >= _MAX_DEPTH:
            return None
        return base.part(f".{attr}")

    def _of_class(self, class_: Class, attr: str) -> Spot | None:
        if self.evaluator.is_enum(class_):
            return None
        if any(attr in one.methods for one in self.evaluator.lineage(class_)[0]):
            return None
        lineage = self.evaluator.lineage(class_)[0]
        written = self.evaluator.contents.attributes
        if not any(attr in one.scope.bindings or (one, attr) in written for one in lineage):
            # What a library's class brings along is no state of the project.
            return None
        return self._lasting(Place("class", self.places.definer(class_, attr), attr))

    def _of_instance(self, class_: Class, attr: str) -> Spot | None:
        if any(attr in one.methods for one in self.evaluator.lineage(class_)[0]):
            return None
        return self._lasting(self.places.of_instance(class_, attr))

    def _returned(self, func: nodes.Expression, scope: Scope) -> Spot | None:
        """Return what a call hands out that lasts: a module's object, or a memoised result."""
        values = self.evaluator.evaluate(func, scope)
        if len(values) != 1 or not isinstance(values[0], FunctionValue):
            return None
        function = values[0].function
        for guard in self.phases.guards.carried(function):
            if guard.kind == "decorator" and self.phases.lasts(guard):
                return Spot(Place("memo", function, f"{function.name}()"))
        if len(function.returns) == 1:
            returned, inner = function.returns[0]
            if isinstance(returned, (nodes.Name, nodes.Attribute)):
                spot = self.of(returned, inner)
                if spot is not None and spot.root.kind in ("global", "class"):
                    return spot
        return None

    def _lasting(self, place: Place) -> Spot | None:
        found = self._lasts.get(place)
        if found is None:
            found = self._find_lasting(place)
            self._lasts[place] = found
        return Spot(place) if found else None

    def _find_lasting(self, place: Place) -> bool:
        if place.kind == "instance" and isinstance(place.owner, Class):
            # Who makes the object must be seen, or it may be made for every event.
            family = [place.owner, *self.calls.subclasses.get(place.owner, ())]
            if self.phases.guards.shares_instances(place.owner):
                return True
            if self.evaluator.lineage(place.owner)[1]:
                # A library may make its own objects of it: a model, a form, a node.
                return False
            if not any(self._is_made_early(one) for one in family):
                return False
        return self.phases.lasts(Guard(place, "", Span(1, 1, 1, 1), "test"))

    def _is_made_early(self, class_: Class) -> bool:
        return any(
            self.phases.of_node(site.node, site.scope) in (Phase.INIT, Phase.ONCE)
            for site in self.calls.instantiations.get(class_, ())
        )


def owner_of(place: Place) -> Module | None:
    """Return the module that a place stands in."""
    if isinstance(place.owner, (Class, Function)):
        return place.owner.module
    return place.owner


def _is_of_event(values: Sequence[Value], attr: str) -> bool:
    """Whether an attribute of a framework's application is made anew, or emptied, for each event.

    https://docs.aws.amazon.com/powertools/python/latest/core/event_handler/api_gateway/ and
    https://aws.github.io/chalice/api.html#Chalice.current_request
    """
    return any(
        isinstance(one, External) and one.name.startswith(prefix) and attr in attributes
        for one in values
        for prefix, attributes in _OF_EVENT.items()
    )


_OF_EVENT = {
    "aws_lambda_powertools.event_handler.": frozenset(
        {"current_event", "lambda_context", "context"}
    ),
    "chalice.": frozenset({"current_request", "lambda_context"}),
}
"""What frameworks hand out of an event, by where their applications come from."""

_CONTAINERS = (
    *("builtins.", "collections.", "io.", "queue.", "array.", "prettytable.", "pandas.", "csv."),
    *("openpyxl.", "email.", "multidict."),
)
"""Where the containers of libraries come from."""

_MAX_DEPTH = 4
"""How many keys and attributes deep a spot goes."""
