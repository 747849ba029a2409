"""Which bindings of a name a use of it can see.

The code of a module, class or function runs from top to bottom, so what is bound there without a
condition replaces what was bound above it: of two functions with one name, only the second can be
called later. A use inside the same code sees what was bound before it; a use in a function that
is called later sees what the whole module left behind. Two things are taken as they mostly are: a
function that is called while its module is being imported sees the final bindings too, and what
`global` binds may have happened at any time.
"""

from __future__ import annotations

from collections.abc import Sequence

from lambda_lint.model.program import Binding, Scope
from lambda_lint.syntax import nodes


def final(owner: Scope, name: str) -> Sequence[Binding]:
    """Return the bindings of `name` that are left when the code of its scope has run."""
    bindings = owner.bindings.get(name, ())
    if len(bindings) < 2 or owner.kind not in ("module", "class"):
        return bindings
    return _after_last(bindings, owner)


def visible(owner: Scope, name: str, use: nodes.Node, scope: Scope) -> Sequence[Binding]:
    """Return the bindings of `name` in `owner` that `use`, which stands in `scope`, may see."""
    bindings = owner.bindings.get(name, ())
    if len(bindings) < 2 or owner.kind == "comprehension":
        return bindings
    if scope.function is not owner.function:
        # Whatever is called may be called at any time while a function still runs.
        return final(owner, name)
    here = _statement(use, owner)
    if here is None:
        return bindings
    before = [one for one in bindings if _may_come_before(one, here, use, owner)]
    return _after_last(before, owner) if before else bindings


def _after_last(bindings: Sequence[Binding], owner: Scope) -> Sequence[Binding]:
    """Leave out what the last certain binding replaced."""
    for position in range(len(bindings) - 1, 0, -1):
        if _is_certain(bindings[position], owner):
            elsewhere = [
                one for one in bindings[:position] if one.scope.function is not owner.function
            ]
            return [*elsewhere, *bindings[position:]]
    return bindings


def _may_come_before(binding: Binding, here: nodes.Node, use: nodes.Node, owner: Scope) -> bool:
    if binding.scope.function is not owner.function:
        return True
    there = _statement(binding.node, owner)
    if there is None:
        return True
    if there is here:
        # `x = f(x)` reads before it binds; what a loop binds below is there when it comes again.
        is_below = binding.node.span > use.span
        return binding.node is not here and not (is_below and not _share_loop(binding, use, here))
    return (there.span.line, there.span.column) < (here.span.line, here.span.column)


def _share_loop(binding: Binding, use: nodes.Node, here: nodes.Node) -> bool:
    """Whether a loop of the statement `here` runs both the binding and the use."""
    parents = binding.scope.module.parents
    loops: list[set[nodes.Node]] = []
    for node in (binding.node, use):
        found: set[nodes.Node] = set()
        current: nodes.Node | None = node
        while current is not None:
            if isinstance(current, (nodes.For, nodes.While)):
                found.add(current)
            current = None if current is here else parents.get(current)
        loops.append(found)
    return bool(loops[0] & loops[1])


def _is_certain(binding: Binding, owner: Scope) -> bool:
    """Whether running the code of `owner` always makes this binding."""
    if binding.scope is not owner or binding.kind not in _REPLACING:
        return False
    if binding.kind == "assign" and binding.value is None and binding.index is None:
        # `name: int` binds nothing.
        return False
    node: nodes.Node | None = binding.node
    code = _code(owner)
    while node is not None and node is not code:
        if isinstance(node, _BRANCHING):
            return False
        node = owner.module.parents.get(node)
    return True


def _statement(node: nodes.Node, owner: Scope) -> nodes.Node | None:
    """Return the node directly below the code of `owner` that holds the node."""
    parents = owner.module.parents
    code = _code(owner)
    current: nodes.Node | None = node
    while current is not None:
        parent = parents.get(current)
        if parent is code:
            return current
        current = parent
    return None


def _code(owner: Scope) -> nodes.Node:
    return owner.class_.node if owner.kind == "class" and owner.class_ else owner.function.node


_REPLACING = frozenset({"assign", "import", "from", "function", "class", "enter", "parameter"})

_BRANCHING = (
    nodes.If,
    nodes.For,
    nodes.While,
    nodes.Try,
    nodes.Match,
    nodes.Walrus,
    nodes.Comprehension,
)
"""What may leave out what stands in it, or do it later than what follows."""
