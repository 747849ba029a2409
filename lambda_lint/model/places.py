"""Places that outlive a call: module variables, attributes, items of containers.

A place is where a memo keeps its value. Whether it outlives the invocation, too, depends on its
kind, and for attributes of objects on how long the object lives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lambda_lint.model.arguments import bind_arguments
from lambda_lint.model.calls import CallGraph
from lambda_lint.model.program import Class, Function, Module, Scope
from lambda_lint.model.reaching import visible
from lambda_lint.model.values import (
    ClassValue,
    External,
    FunctionValue,
    InstanceValue,
    ModuleValue,
)
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is kept.

    `kind` is global, class, instance, function, closure, parameter, library or unknown; `owner`
    is the module, class or function that it belongs to. What a parameter gets lasts when its
    callers keep it.
    """

    kind: str
    owner: Module | Class | Function | None
    name: str
    #: The call that made the object of a library whose attribute or item it is.
    made: nodes.Call | None = None

    def describe(self) -> str:
        """Return how a message names the place."""
        if self.kind == "instance":
            return f"self.{self.name}"
        if self.kind == "class" and isinstance(self.owner, Class):
            return f"{self.owner.name}.{self.name}"
        return self.name


class Places:
    """Finds the place that an expression reads or writes."""

    def __init__(self, calls: CallGraph) -> None:
        """Take the finished call graph."""
        self.calls = calls
        self.evaluator = calls.evaluator
        self._stored: dict[tuple[Function, int, bool], frozenset[Place]] = {}
        self._busy: set[tuple[nodes.Node, Scope]] = set()
        self._parameters: dict[tuple[Function, str], Place] = {}

    def of(self, node: nodes.Expression, scope: Scope) -> Place | None:
        """Return the lasting place behind an expression, or None for a local or computed value.

        A local variable that was read from a place stands for that place: in
        `client = CACHE.get(key)`, `client` is `CACHE`.
        """
        if (node, scope) in self._busy:
            return None
        self._busy.add((node, scope))
        try:
            return self._find(node, scope)
        finally:
            self._busy.discard((node, scope))

    def _find(self, node: nodes.Expression, scope: Scope) -> Place | None:
        match node:
            case nodes.Name(id=name):
                return self._name(name, scope, node)
            case nodes.Attribute(value=value, attr=attr):
                return self._attribute(value, attr, scope)
            case nodes.Subscript(
                value=nodes.Call(func=nodes.Name(id="globals"), arguments=[]),
                index=nodes.Constant(kind="str", value=str(name)),
            ):
                return Place("global", scope.module, name)
            case nodes.Subscript(value=value):
                return self._inside(value, scope)
            case nodes.Walrus(value=value) | nodes.Await(value=value):
                return self.of(value, scope)
            case nodes.Call(func=nodes.Name(id="globals" | "vars")):
                return Place("global", scope.module, "globals()")
            case nodes.Call(
                func=nodes.Name(id="getattr" | "hasattr"), arguments=[first, second, *_]
            ):
                if isinstance(second.value, nodes.Constant) and isinstance(second.value.value, str):
                    return self._attribute(first.value, second.value.value, scope)
            case nodes.Call(
                func=nodes.Attribute(value=value, attr="get" | "setdefault" | "copy" | "ping")
            ):
                return self._inside(value, scope)
            case nodes.Call(func=nodes.Attribute(attr="getenv") | nodes.Name(id="getenv") as func):
                if External("os.getenv") in self.evaluator.evaluate(func, scope):
                    return Place("library", None, "os.environ")
        return None

    def _inside(self, container: nodes.Expression, scope: Scope) -> Place | None:
        """Return the place of a container whose item is meant; a parameter's content has none."""
        place = self.of(container, scope)
        return None if place is not None and place.kind == "parameter" else place

    def _name(self, name: str, scope: Scope, use: nodes.Name) -> Place | None:
        found = scope.lookup(name)
        if found is None:
            return None
        if found.kind == "module":
            return Place("global", found.module, name)
        if found.kind == "class":
            return Place("class", found.class_, name)
        inner = scope
        while inner.kind == "comprehension" and inner.parent is not None:
            inner = inner.parent
        if found.kind == "function" and found is not inner and inner.kind == "function":
            return Place("closure", found.function, name)
        if any(one.kind == "parameter" for one in found.bindings[name]):
            return self._parameter(found.function, name)
        for binding in visible(found, name, use, scope):
            if binding.kind == "assign" and binding.value is not None and binding.index is None:
                place = self.of(binding.value, binding.scope)
                if place is not None:
                    return place
        return None

    def parameter(self, name: str, scope: Scope) -> Place | None:
        """Return the place of what callers give for a name, None when it is no parameter."""
        found = scope.lookup(name)
        if found is None or found.kind != "function" or found.function.parameter(name) is None:
            return None
        return Place("parameter", found.function, name)

    def _parameter(self, function: Function, name: str) -> Place:
        """Return the place of a parameter: a mutable default and a caller's own place last.

        Every answer is kept: callers of callers are so many that they must not be asked twice. Of
        functions that call each other, the one that is asked about first finds the other unknown.
        """
        key = (function, name)
        if key not in self._parameters:
            self._parameters[key] = Place("parameter", function, name)
            self._parameters[key] = self._given(function, name)
        return self._parameters[key]

    def _given(self, function: Function, name: str) -> Place:
        parameter = function.parameter(name)
        sites = self.calls.argument_sites(function)
        given = [
            (bound[name], site.scope)
            for site, skip_first in sites
            if name in (bound := bind_arguments(site.node, function, skip_first))
        ]
        if parameter is not None and not given and _is_mutable(parameter.default):
            return Place("function", function, name)
        places = {self.of(value, scope) for value, scope in given}
        if len(places) == 1 and len(given) == len(sites):
            place = places.pop()
            if place is not None and place.kind in ("global", "class", "function"):
                return place
        return Place("parameter", function, name)

    def _attribute(self, value: nodes.Expression, attr: str, scope: Scope) -> Place | None:
        for one in self.evaluator.evaluate(value, scope):
            match one:
                case ModuleValue(module=module):
                    return Place("global", module, attr)
                case ClassValue(class_=class_):
                    return Place("class", self.definer(class_, attr), attr)
                case InstanceValue(class_=class_):
                    return self.of_instance(class_, attr)
                case FunctionValue(function=function):
                    return Place("function", function, attr)
                case External(name=name, origin=origin):
                    if not name.startswith("flask.g"):
                        return Place("library", None, f"{name}.{attr}", origin)
        base = self.of(value, scope)
        if base is not None and base.kind != "parameter":
            # `self.state.client`, `_local.client`: it lives as long as what it hangs on.
            return Place(base.kind, base.owner, f"{base.name}.{attr}")
        if isinstance(value, nodes.Name) and self._is_plain_local(value, scope):
            return None
        return Place("unknown", None, attr)

    def _is_plain_local(self, value: nodes.Name, scope: Scope) -> bool:
        found = scope.lookup(value.id)
        return found is not None and found.kind in ("function", "comprehension")

    def of_instance(self, class_: Class, attr: str) -> Place:
        """Return the place of an attribute of an object: its own, or one that all objects share."""
        lineage = self.evaluator.lineage(class_)[0]
        on_objects = self.evaluator.contents.on_objects
        assigned = any(attr in one.attributes or (one, attr) in on_objects for one in lineage)
        if not assigned and any(
            attr in one.scope.bindings and not self._is_field(one, attr) for one in lineage
        ):
            # `self._cache[key] = …` with `_cache = {}` in the class body: one for all instances.
            return Place("class", self.definer(class_, attr), attr)
        return Place("instance", self.definer(class_, attr), attr)

    def _is_field(self, class_: Class, attr: str) -> bool:
        """Whether every object gets its own of what the class body only declares."""
        annotated = [
            one.node.annotation
            for one in class_.scope.bindings[attr]
            if isinstance(one.node, nodes.AnnotatedAssign)
        ]
        if not annotated or any(_names(one, "ClassVar") for one in annotated):
            return False
        declared = any(
            _names(one, "dataclass", "define", "frozen", "mutable", "attrs", "s")
            for one in class_.node.decorators
        )
        libraries = self.evaluator.lineage(class_)[1]
        return declared or any(one.rpartition(".")[2] in _MODELS for one in libraries)

    def definer(self, class_: Class, attr: str) -> Class:
        """Return the class of the lineage that defines an attribute first."""
        for one in reversed(self.evaluator.lineage(class_)[0]):
            if attr in one.attributes or attr in one.scope.bindings:
                return one
        return class_

    def keys_asked(
        self, test: nodes.Expression, scope: Scope, place: Place
    ) -> frozenset[str] | None:
        """Return the keys that a test asks a container for; None for other questions.

        Keys are texts: of constants, and of plain names, which stand in angle brackets.
        """
        keys: set[str] = set()
        accounted: set[nodes.Node] = set()
        for node in _asked(test):
            if node in accounted or not isinstance(node, nodes.Expression):
                continue
            asked = _item(node)
            if asked is None:
                plain = isinstance(node, (nodes.Name, nodes.Attribute))
                if plain and self.of(node, scope) == place:
                    return None
                continue
            container, key = asked
            is_call = isinstance(node, nodes.Call)
            if self.of(node if is_call else container, scope) == place:
                text = _key(key)
                if text is None:
                    return None
                keys.add(text)
                accounted.add(container)
        return frozenset(keys) or None

    def keys_stored(
        self, statements: Sequence[nodes.Statement], scope: Scope, place: Place
    ) -> frozenset[str] | None:
        """Return the keys under which statements store, as above; None when others may be."""
        keys: set[str] = set()
        for statement in statements:
            for node in nodes.walk(statement):
                inner = scope.module.scope_of.get(node, scope)
                if not any(one == place for one, _ in self.written_by(node, inner)):
                    continue
                targets = node.targets if isinstance(node, nodes.Assign) else []
                for target in targets:
                    if self.written(target, inner) != place:
                        continue
                    text = _key(target.index) if isinstance(target, nodes.Subscript) else None
                    if text is None:
                        return None
                    keys.add(text)
                if not targets:
                    return None
        return frozenset(keys) or None

    def mentioned(self, node: nodes.Expression, scope: Scope) -> Iterator[Place]:
        """Yield every place that an expression reads, outermost first.

        What a project function reads counts as well, when the expression calls one:
        `if not is_connected(): …`.
        """
        for one in _asked(node):
            if isinstance(one, (nodes.Name, nodes.Attribute, nodes.Subscript, nodes.Call)):
                place = self.of(one, scope.module.scope_of.get(one, scope))
                if place is not None:
                    yield place
                if isinstance(one, nodes.Call):
                    yield from self._read_by_callee(one, scope)

    def _read_by_callee(self, call: nodes.Call, scope: Scope) -> Iterator[Place]:
        for value in self.evaluator.evaluate(call.func, scope):
            if isinstance(value, FunctionValue):
                for returned, inner in value.function.returns:
                    for one in nodes.walk(returned):
                        if isinstance(one, (nodes.Name, nodes.Attribute)):
                            place = self.of(one, inner)
                            if place is not None:
                                yield place

    def stored_by(self, function: Function) -> frozenset[Place]:
        """Return the places that calling a function may write, a few calls deep."""
        return self._written_by_function(function, _MAX_DEPTH, items=True)

    def rebound_by(self, function: Function) -> frozenset[Place]:
        """Return the same without the containers that it only puts items into."""
        return self._written_by_function(function, _MAX_DEPTH, items=False)

    def _written_by_function(
        self, function: Function, depth: int, *, items: bool
    ) -> frozenset[Place]:
        key = (function, depth, items)
        found = self._stored.get(key)
        if found is not None:
            return found
        places: set[Place] = set()
        for target, _, scope in function.stores:
            place = self.written(target, scope)
            if place is not None and (items or not isinstance(target, nodes.Subscript)):
                places.add(place)
        if items:
            for site in function.calls:
                places |= {place for place, _ in self.written_by(site.node, site.scope)}
        if depth > 0:
            for edge in self.calls.out.get(function, ()):
                if edge.kind in ("call", "method", "init"):
                    places |= self._written_by_function(edge.callee, depth - 1, items=items)
        result = frozenset(places)
        self._stored[key] = result
        return result

    def written_by(
        self, node: nodes.Node, scope: Scope
    ) -> Iterator[tuple[Place, nodes.Expression | None]]:
        """Yield the places that one node writes; with the value, where an item is put in."""
        targets: list[nodes.Expression] = []
        value: nodes.Expression | None = None
        match node:
            case nodes.Assign(targets=targets, value=value):
                pass
            case nodes.AnnotatedAssign(target=one, value=value):
                targets = [one]
            case nodes.AugmentedAssign(target=one, value=value):
                targets = [one]
            case nodes.Walrus(target=one, value=value):
                targets = [one]
            case nodes.Call(func=nodes.Name(id="setattr"), arguments=[first, second, *_]):
                if isinstance(second.value, nodes.Constant) and isinstance(second.value.value, str):
                    place = self._attribute(first.value, second.value.value, scope)
                    if place is not None:
                        yield place, None
            case nodes.Call(func=nodes.Attribute(value=inner, attr=attr), arguments=[*_, last]) if (
                attr in _WRITERS
            ):
                place = self.of(inner, scope)
                if place is not None:
                    yield place, last.value
        for target in targets:
            items = target.items if isinstance(target, nodes.Collection) else [target]
            for item in items:
                place = self.written(item, scope)
                if place is not None:
                    yield place, (value if isinstance(item, nodes.Subscript) else None)

    def written(self, target: nodes.Expression, scope: Scope) -> Place | None:
        """Return the place that assigning to `target` writes; a plain local name is none."""
        if isinstance(target, nodes.Name):
            owner = scope.owner(target.id)
            if owner.kind == "module":
                return Place("global", owner.module, target.id)
            if owner.kind == "class":
                return Place("class", owner.class_, target.id)
            if owner is not scope and owner.kind == "function":
                return Place("closure", owner.function, target.id)
            if any(one.kind == "parameter" for one in owner.bindings.get(target.id, ())):
                # Rebinding the name changes nothing for the caller, whatever it gave.
                return Place("parameter", owner.function, target.id)
            return None
        return self.of(target, scope)


def _item(node: nodes.Expression) -> tuple[nodes.Expression, nodes.Expression] | None:
    """Return the container and the key of an expression that asks for one item."""
    match node:
        case nodes.Subscript(value=container, index=key):
            return container, key
        case nodes.Call(func=nodes.Attribute(value=container, attr="get"), arguments=[first, *_]):
            return container, first.value
        case nodes.Call(
            func=nodes.Attribute(attr="getenv") | nodes.Name(id="getenv") as container,
            arguments=[first, *_],
        ):
            return container, first.value
        case nodes.Comparison(left=key, operators=["in" | "not in"], comparators=[container]):
            return container, key
    return None


def _key(index: nodes.Expression) -> str | None:
    match index:
        case nodes.Constant(value=value):
            return str(value)
        case nodes.Name(id=name):
            return f"<{name}>"
    return None


def _names(expression: nodes.Expression, *names: str) -> bool:
    """Whether a decorator or annotation is one of these, whatever it is called or indexed with."""
    match expression:
        case nodes.Call(func=inner) | nodes.Subscript(value=inner):
            return _names(inner, *names)
        case nodes.Attribute(attr=name) | nodes.Name(id=name):
            return name in names
    return False


def _asked(test: nodes.Expression) -> Iterator[nodes.Node]:
    """Yield the nodes of a test, without comparisons that say nothing of presence.

    `mode != "test"` compares what is there with a constant; it does not ask whether it is there.
    """
    stack: list[nodes.Node] = [test]
    while stack:
        node = stack.pop()
        if isinstance(node, nodes.Comparison) and node.operators == ["!="]:
            other = node.comparators[0]
            if isinstance(other, nodes.Constant) and other.kind == "str" and other.value:
                continue
        yield node
        stack.extend(reversed(list(nodes.children(node))))


def _is_mutable(value: nodes.Expression | None) -> bool:
    if isinstance(value, nodes.Call):
        return isinstance(value.func, nodes.Name) and value.func.id in ("dict", "list", "set")
    return isinstance(value, nodes.Dict) or (
        isinstance(value, nodes.Collection) and value.kind != "tuple"
    )


_MAX_DEPTH = 3
"""How many calls deep a store counts as made by a call."""

_MODELS = frozenset({"BaseModel", "BaseSettings", "NamedTuple", "SQLModel"})
"""Base classes whose annotated attributes are fields of each object, as with a dataclass:
https://docs.pydantic.dev/latest/concepts/fields/
"""

_WRITERS = frozenset({"update", "setdefault", "append", "add", "insert", "put", "set", "extend"})
"""Methods that keep their argument in the object."""
