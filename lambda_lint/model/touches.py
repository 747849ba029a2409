"""What one atom of a function does to what outlives the invocation: reads, writes, changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lambda_lint.model.flow import Atom
from lambda_lint.model.lasting import ANY, Lasting, Spot
from lambda_lint.model.program import Function, Scope
from lambda_lint.model.questions import is_empty
from lambda_lint.syntax import nodes

READ, WRITE, CLEAR, CHANGE, DRAIN = "read", "write", "clear", "change", "drain"
"""`write` replaces what was there, `clear` empties it, `change` adds to it, `drain` takes away."""


@dataclass(frozen=True, slots=True)
class Touch:
    """One read or change of a spot.

    `how` says more of a change: `add` (append and the like), `keyed` (an item under a key that is
    no constant), `counted` (`x[key] += 1`), `merge` (`update`); and of a read: `keyed`, `size`,
    `own` (only to make the new value from it), `alias` (a local name stands for it now), `changed`
    (it is added to here) or `whole`. `value` is what is written.
    """

    kind: str
    spot: Spot
    node: nodes.Node
    scope: Scope
    how: str = ""
    value: nodes.Expression | None = None

    @property
    def function(self) -> Function:
        """The function whose execution has the touch."""
        return self.scope.function


class Touches:
    """Answers what atoms do."""

    def __init__(self, lasting: Lasting) -> None:
        """Take what finds spots."""
        self.lasting = lasting

    def of(self, atom: Atom, function: Function) -> Iterator[Touch]:
        """Yield what an atom of a function reads and changes."""
        scope = function.module.scope_of.get(atom.node, function.scope)
        match atom.kind:
            case "store" if isinstance(atom.node, nodes.Expression):
                yield from self.of_store(atom.node, atom.place, scope)
            case "call" if isinstance(atom.node, nodes.Call):
                yield from self.of_call(atom.node, scope)
            case "load" if isinstance(atom.node, nodes.Expression):
                yield from self._of_load(atom.node, scope)

    def of_store(
        self, target: nodes.Expression, place: nodes.Node, scope: Scope
    ) -> Iterator[Touch]:
        """Yield what assigning to a target, or deleting it, does. `place` is the statement."""
        value = getattr(place, "value", None)
        emptied = isinstance(place, nodes.Delete) or (
            isinstance(place, (nodes.Assign, nodes.AnnotatedAssign))
            and target in getattr(place, "targets", [target])
            and self._resets(target, value, scope)
        )
        kind = CLEAR if emptied else WRITE
        how = "own" if isinstance(place, nodes.AugmentedAssign) else ""
        if not how and not emptied and value is not None and self._makes_own(target, value, scope):
            how = "own"
        match target:
            case nodes.Subscript(value=inner, index=index):
                base = self.lasting.of(inner, scope)
                if base is None:
                    return
                if isinstance(index, nodes.Slice):
                    if index.lower is None and index.upper is None:
                        yield Touch(kind, base, target, scope, how, value)
                    elif isinstance(place, nodes.Delete):
                        yield Touch(DRAIN, base, target, scope)
                    return
                if how == "own" and _is_thinned(value):
                    yield Touch(DRAIN, base, target, scope)
                spot = self.lasting.target(target, scope)
                if spot is not None and spot.path and spot.path[-1] != ANY:
                    yield Touch(kind, spot, target, scope, how, value)
                elif isinstance(place, nodes.Delete):
                    yield Touch(DRAIN, base, target, scope)
                else:
                    yield Touch(CHANGE, base, target, scope, "counted" if how else "keyed", value)
            case _:
                spot = self.lasting.target(target, scope)
                if spot is not None:
                    if how == "own" and _is_thinned(value):
                        yield Touch(DRAIN, spot, target, scope)
                    yield Touch(kind, spot, target, scope, how, value)

    def _makes_own(self, target: nodes.Expression, value: nodes.Expression, scope: Scope) -> bool:
        """Whether the new value is made from the old one: `x = x + 1`."""
        written = self.lasting.target(target, scope)
        if written is None:
            return False
        for one in nodes.walk(value):
            if isinstance(one, (nodes.Name, nodes.Attribute, nodes.Subscript, nodes.Call)):
                read = self.lasting.of(one, scope.module.scope_of.get(one, scope))
                if read == written:
                    return True
        return False

    def _resets(
        self, target: nodes.Expression, value: nodes.Expression | None, scope: Scope
    ) -> bool:
        """Whether a value is none, empty, or what the module gives the variable at first."""
        owner = scope.owner(target.id) if isinstance(target, nodes.Name) else None
        initial: list[nodes.Constant] = []
        if isinstance(target, nodes.Name) and owner is not None and owner.kind == "module":
            found = (one.value for one in owner.bindings.get(target.id, ()) if one.scope is owner)
            initial = [one for one in found if isinstance(one, nodes.Constant)]
        if isinstance(value, nodes.Constant):
            if any((one.kind, one.value) == (value.kind, value.value) for one in initial):
                return True
            if value.kind == "bool" and any(one.kind == "bool" for one in initial):
                # Of what begins as True, False is the other value and not its absence.
                return False
        return is_blank(value)

    def of_call(self, call: nodes.Call, scope: Scope) -> Iterator[Touch]:
        """Yield what a method of a container, or a function that changes its argument, does."""
        match call:
            case nodes.Call(func=nodes.Attribute(value=inner, attr="clear" | "update" as attr)) if (
                held := attributes_of(inner)
            ) is not None:
                yield from self._of_all(call, held, attr, scope)
            case nodes.Call(func=nodes.Attribute(value=inner, attr=attr)) if attr in _METHODS:
                spot = self.lasting.of(inner, scope)
                if spot is None or not self.lasting.may_be_container(inner, scope):
                    return
                value = call.arguments[-1].value if call.arguments else None
                kind, how = _METHODS[attr]
                if attr == "setdefault" and isinstance(
                    call.arguments[0].value if call.arguments else None, nodes.Constant
                ):
                    return
                yield Touch(kind, spot, call, scope, how, value)
            case nodes.Call(func=nodes.Name(id="setattr"), arguments=[first, second, third]):
                for name in self._texts(second.value, scope):
                    target = nodes.Attribute(call.span, first.value, name)
                    spot = self.lasting.target(target, scope)
                    if spot is not None:
                        kind = CLEAR if is_empty(third.value) else WRITE
                        yield Touch(kind, spot, call, scope, "", third.value)
            case nodes.Call(
                func=nodes.Name(id="heappush") | nodes.Attribute(attr="heappush"),
                arguments=[first, second],
            ):
                spot = self.lasting.of(first.value, scope)
                if spot is not None:
                    yield Touch(CHANGE, spot, call, scope, "add", second.value)

    def _texts(self, node: nodes.Expression, scope: Scope) -> list[str]:
        """Return a literal, or those that a name is looped over: `for name in ("a", "b")`."""
        if isinstance(node, nodes.Constant):
            return [str(node.value)]
        owner = scope.lookup(node.id) if isinstance(node, nodes.Name) else None
        bindings = owner.bindings[node.id] if owner is not None else []  # type: ignore[attr-defined]
        found: list[str] = []
        for one in bindings:
            if one.kind != "iterate" or not isinstance(one.value, nodes.Collection):
                return []
            if not all(isinstance(item, nodes.Constant) for item in one.value.items):
                return []
            found += [
                str(item.value) for item in one.value.items if isinstance(item, nodes.Constant)
            ]
        return found

    def _of_all(
        self, call: nodes.Call, holder: nodes.Expression, attr: str, scope: Scope
    ) -> Iterator[Touch]:
        """Yield what `vars(self).clear()` and `self.__dict__.update(…)` do to the attributes."""
        given = {one.name: one.value for one in call.arguments if one.name}
        for one in call.arguments:
            if isinstance(one.value, nodes.Dict) and not one.star:
                for pair in one.value.items:
                    if isinstance(pair.key, nodes.Constant):
                        given[str(pair.key.value)] = pair.value
        for name in self.lasting.attributes(holder, scope) if attr == "clear" else given:
            target = nodes.Attribute(call.span, holder, name)
            spot = self.lasting.target(target, scope)
            if spot is not None:
                value = given.get(name)
                is_clear = attr == "clear" or is_blank(value)
                yield Touch(CLEAR if is_clear else WRITE, spot, call, scope, "", value)

    def _of_load(self, node: nodes.Expression, scope: Scope) -> Iterator[Touch]:
        spot = self.lasting.of(node, scope)
        if spot is None:
            return
        parents = scope.module.parents
        parent = parents.get(node)
        match parent:
            case nodes.Call(func=func) if func is node:
                return
            case nodes.Attribute():
                call = parents.get(parent)
                if isinstance(call, nodes.Call) and call.func is parent:
                    yield from self._of_method(spot, node, parent.attr, call, scope)
                    return
                if self.lasting.of(parent, scope) is not None:
                    return
            case nodes.Subscript(value=value, index=index) if value is node:
                part = self.lasting.of(parent, scope)
                if part is not None and part.path[-1:] != (ANY,):
                    return
                how = "whole" if isinstance(index, nodes.Slice) else "keyed"
                holder = parents.get(parent)
                if parent in getattr(holder, "targets", ()):
                    return
                if isinstance(holder, nodes.AugmentedAssign) and holder.target is parent:
                    how = "own"
                yield Touch(READ, spot, node, scope, how)
                return
            case nodes.AugmentedAssign(target=target) if target is node:
                yield Touch(READ, spot, node, scope, "own")
                return
            case nodes.Comparison(operators=operators, comparators=comparators) if (
                node in comparators and operators[comparators.index(node)] in ("in", "not in")
            ):
                yield Touch(READ, spot, node, scope, "keyed")
                return
            case nodes.Assign(targets=[nodes.Name() as name]) if (
                parent.value is node and self.lasting.of(name, scope) == spot
            ):
                # The local name stands for it, also when another value takes its place.
                yield Touch(READ, spot, node, scope, "alias")
                return
        how = "keyed" if ANY in spot.path else "whole"
        yield Touch(READ, spot, node, scope, how)

    def _of_method(
        self, spot: Spot, node: nodes.Expression, attr: str, call: nodes.Call, scope: Scope
    ) -> Iterator[Touch]:
        if attr in ("get", "setdefault") and call.arguments:
            part = self.lasting.of(call, scope)
            if part is not None and part.path[-1:] != (ANY,):
                yield Touch(READ, part, call, scope, "keyed" if ANY in part.path else "whole")
            else:
                yield Touch(READ, spot, call, scope, "keyed")
        elif attr not in _METHODS and attr not in _COPIES:
            yield Touch(READ, spot, node, scope, "keyed" if ANY in spot.path else "whole")
        elif attr in _COPIES:
            holder = scope.module.parents.get(call)
            is_asked = attr == "keys" and isinstance(holder, nodes.Comparison)
            yield Touch(
                READ, spot, call, scope, "keyed" if is_asked or ANY in spot.path else "whole"
            )


def attributes_of(node: nodes.Expression) -> nodes.Expression | None:
    """Return whose attributes a dictionary holds: `vars(x)`, `x.__dict__`."""
    match node:
        case nodes.Call(func=nodes.Name(id="vars"), arguments=[one]):
            return one.value
        case nodes.Attribute(value=value, attr="__dict__"):
            return value
    return None


def _is_thinned(value: nodes.Expression | None) -> bool:
    """Whether a new value holds less of the old one, or never more than a limit.

    `x = [one for one in x if new(one)]`, `x = x[-20:]`, `x = min(10, x + 1)`, `x = (x + 1) % n`.
    """
    match value:
        case nodes.Comprehension(clauses=clauses):
            return any(one.conditions for one in clauses)
        case nodes.Subscript(index=nodes.Slice()):
            return True
        case nodes.Call(func=nodes.Name(id="filter")):
            return True
        case nodes.Call(func=nodes.Name(id="min"), arguments=arguments):
            return any(_is_limit(one.value) for one in arguments)
        case nodes.Call(func=nodes.Name(id="list" | "set" | "dict" | "tuple"), arguments=[one]):
            return _is_thinned(one.value)
        case nodes.BinaryOperation(operator="%", right=right):
            return _is_limit(right)
    return False


def _is_limit(node: nodes.Expression) -> bool:
    match node:
        case nodes.Constant(kind="int" | "float") | nodes.Call(func=nodes.Name(id="len")):
            return True
        case nodes.Name(id=name) | nodes.Attribute(attr=name):
            return name.isupper()
    return False


def is_blank(value: nodes.Expression | None) -> bool:
    """Whether a value is none, false, zero or empty, or a display of nothing else."""
    if is_empty(value):
        return True
    match value:
        case nodes.Constant(kind="str" | "int" | "float", value=found):
            return not found
        case nodes.Call(func=nodes.Name(id="str" | "bytearray"), arguments=[]):
            return True
        case nodes.Collection(items=items):
            return all(is_blank(one) or isinstance(one, nodes.Constant) for one in items)
    return False


_COPIES = frozenset({"items", "keys", "values", "copy", "getvalue", "most_common", "elements"})
"""Methods whose result holds what is in the container."""

_METHODS: dict[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("append", "add", "extend", "insert", "appendleft", "extendleft", "add_row", "write"),
        (CHANGE, "add"),
    ),
    **dict.fromkeys(("writelines", "writerow", "writerows", "add_rows"), (CHANGE, "add")),
    "update": (CHANGE, "merge"),
    "setdefault": (CHANGE, "keyed"),
    "clear": (CLEAR, ""),
    "clear_rows": (CLEAR, ""),
    "truncate": (CLEAR, ""),
    "cache_clear": (CLEAR, ""),
    **dict.fromkeys(
        ("pop", "popleft", "popitem", "remove", "discard", "get_nowait", "difference_update"),
        (DRAIN, ""),
    ),
}
"""What methods do to the object that they are called on."""
