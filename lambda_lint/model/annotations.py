"""What annotations say: the classes that they name, and what containers hold."""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.syntax import nodes

NO_CLASSES = ("builtins.", "typing.", "typing_extensions.", "collections.")
"""Annotations from here say nothing about which object it is."""


def class_names(annotation: nodes.Expression) -> Iterator[nodes.Expression]:
    """Yield the class names in `X`, `"X"`, `X | None`, `Optional[X]` and `Annotated[X, …]`."""
    match annotation:
        case nodes.Name() | nodes.Attribute() | nodes.Constant(kind="str"):
            yield annotation
        case nodes.BinaryOperation(left=left, operator="|", right=right):
            yield from class_names(left)
            yield from class_names(right)
        case nodes.Subscript(value=nodes.Name(id=name) | nodes.Attribute(attr=name), index=index):
            inner = index.items if isinstance(index, nodes.Collection) else [index]
            if name in ("Optional", "Union"):
                for one in inner:
                    yield from class_names(one)
            elif name in ("Annotated", "Final", "ClassVar") and inner:
                yield from class_names(inner[0])


def elements_of(annotation: nodes.Expression) -> nodes.Expression | None:
    """Return the annotation of the elements in `list[X]`, `dict[str, X]`, `Iterator[X]`."""
    match annotation:
        case nodes.Subscript(value=nodes.Name(id=name) | nodes.Attribute(attr=name), index=index):
            inner = index.items if isinstance(index, nodes.Collection) else [index]
            if name in _OF_ELEMENTS and inner:
                return inner[0]
            if name in _OF_VALUES and len(inner) == 2:
                return inner[1]
            if name == "Optional" and inner:
                return elements_of(inner[0])
        case nodes.BinaryOperation(left=left, operator="|", right=nodes.Constant(kind="none")):
            return elements_of(left)
    return None


_OF_ELEMENTS = frozenset(
    {"list", "List", "set", "Set", "frozenset", "FrozenSet", "tuple", "Tuple", "deque", "Deque"}
    | {"Iterable", "Iterator", "Sequence", "MutableSequence", "Collection", "AbstractSet"}
    | {"Generator", "AsyncIterator", "AsyncIterable", "AsyncGenerator"}
)
"""Generic classes whose first argument says what going through them gives."""

_OF_VALUES = frozenset(
    {"dict", "Dict", "Mapping", "MutableMapping", "defaultdict", "DefaultDict", "OrderedDict"}
)
"""Generic classes whose second argument says what they hold under a key."""
