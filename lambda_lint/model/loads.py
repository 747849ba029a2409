"""Where names and attributes are read: an index over the project, built when it is first asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lambda_lint.model.lasting import Lasting
from lambda_lint.model.places import Place
from lambda_lint.model.program import Function, Module, Scope
from lambda_lint.syntax import nodes

Load = tuple[nodes.Expression, Scope]


class Loads:
    """Finds the expressions that read a lasting place, or a local name."""

    def __init__(self, lasting: Lasting, modules: Mapping[str, Module]) -> None:
        """Take what finds spots, and the modules by path."""
        self.lasting = lasting
        self.modules = modules
        self._by_name: dict[str, list[Load]] | None = None
        self._local: dict[Module, dict[tuple[Function, str], list[Load]]] = {}

    def of_place(self, place: Place) -> Iterator[Load]:
        """Yield what reads a place or a part of it, by path and place."""
        for node, scope in self._everywhere().get(place.name, ()):
            if not is_target(scope.module.parents.get(node), node):
                found = self.lasting.of(node, scope)
                if found is not None and found.root == place:
                    yield node, scope

    def of_local(self, name: str, scope: Scope) -> Iterator[Load]:
        """Yield where the function of a scope reads the name that the scope knows."""
        owner = scope.owner(name)
        index = self._local.get(scope.module)
        if index is None:
            index = {}
            for node, inner in scope.module.scope_of.items():
                if isinstance(node, nodes.Name):
                    index.setdefault((inner.function, node.id), []).append((node, inner))
            self._local[scope.module] = index
        for node, inner in index.get((scope.function, name), ()):
            if inner.lookup(name) is owner and not is_target(scope.module.parents.get(node), node):
                yield node, inner

    def named(self, name: str) -> list[Load]:
        """Return the names and attributes that are written so, or imported under another name."""
        return self._everywhere().get(name, [])

    def _everywhere(self) -> dict[str, list[Load]]:
        if self._by_name is None:
            self._by_name = {}
            for path in sorted(self.modules):
                module = self.modules[path]
                renamed = {
                    name: one.name
                    for name, bindings in module.scope.bindings.items()
                    for one in bindings
                    if one.kind == "from" and one.name != name
                }
                for node, scope in module.scope_of.items():
                    if isinstance(node, nodes.Name):
                        name = renamed.get(node.id, node.id)
                        self._by_name.setdefault(name, []).append((node, scope))
                    elif isinstance(node, nodes.Attribute):
                        self._by_name.setdefault(node.attr, []).append((node, scope))
        return self._by_name


def is_target(parent: nodes.Node | None, node: nodes.Node) -> bool:
    """Whether a statement only stores into an expression."""
    return node in getattr(parent, "targets", ()) or getattr(parent, "target", None) is node
