"""What functions and modules do with plain names, by the name, read once for all who ask."""

from __future__ import annotations

from collections.abc import Mapping

from lambda_lint.model.program import FILLING, Function, Module, Scope
from lambda_lint.syntax import nodes


class Usage:
    """Remembers what was read of each function and module."""

    def __init__(self) -> None:
        """Start without having read anything."""
        self._parts: dict[Function, dict[str, list[tuple[nodes.Expression, Scope]]]] = {}
        self._names: dict[str, dict[str, list[tuple[nodes.Name, Scope]]]] = {}
        self._renamed: dict[Function, dict[str, list[nodes.Expression]]] = {}
        self._handed_on: dict[Function, frozenset[str]] = {}

    def names_in(self, module: Module) -> Mapping[str, list[tuple[nodes.Name, Scope]]]:
        """Return where each plain name stands in a module, and the scope that it is seen from."""
        found = self._names.get(module.path)
        if found is None:
            found = self._names[module.path] = {}
            for node, scope in module.scope_of.items():
                if isinstance(node, nodes.Name):
                    found.setdefault(node.id, []).append((node, scope))
        return found

    def put_into_parts(
        self, function: Function
    ) -> Mapping[str, list[tuple[nodes.Expression, Scope]]]:
        """Return what is put into parts of the object behind a name, by that name.

        `x.auth = v`, `x.headers.update(v)`.
        """
        found = self._parts.get(function)
        if found is None:
            found = self._parts[function] = {}
            for target, place, scope in function.stores:
                value = getattr(place, "value", None)
                name = _whole_of(target)
                if isinstance(value, nodes.Expression) and name is not None:
                    found.setdefault(name, []).append((value, scope))
            for site in function.calls:
                match site.node.func:
                    case nodes.Attribute(value=nodes.Attribute() as inner, attr=attr) if (
                        attr in FILLING
                    ):
                        name = _whole_of(inner)
                        if name is not None:
                            given = [(one.value, site.scope) for one in site.node.arguments]
                            found.setdefault(name, []).extend(given)
        return found

    def renamed(self, function: Function) -> Mapping[str, list[nodes.Expression]]:
        """Return the targets that plain names are assigned to, by the name: `y = x`."""
        found = self._renamed.get(function)
        if found is None:
            found = self._renamed[function] = {}
            for target, place, _ in function.stores:
                value = place.value if isinstance(place, nodes.Assign) else None
                if isinstance(value, nodes.Name):
                    found.setdefault(value.id, []).append(target)
        return found

    def handed_on(self, function: Function) -> frozenset[str]:
        """Return the plain names that are arguments of a call in the function."""
        found = self._handed_on.get(function)
        if found is None:
            found = self._handed_on[function] = frozenset(
                argument.value.id
                for site in function.calls
                for argument in site.node.arguments
                if isinstance(argument.value, nodes.Name)
            )
        return found


def _whole_of(target: nodes.Expression) -> str | None:
    """Return the plain name whose object has the attribute or item."""
    inner = target
    while isinstance(inner, (nodes.Attribute, nodes.Subscript)):
        inner = inner.value
    return inner.id if inner is not target and isinstance(inner, nodes.Name) else None
