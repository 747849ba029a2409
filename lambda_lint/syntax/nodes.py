"""The tree that the model works on: what the code says, without how it is laid out.

LibCST keeps every blank and comma, which exact edits need and the model does not. `lower.py`
turns a LibCST module into these nodes once; they are small, picklable, can be stored as JSON,
and mean the same on every version of Python that runs the linter. Every node knows its span.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields

from lambda_lint.finding import Span


@dataclass(slots=True, eq=False)
class Node:
    """Anything that has a place in the file."""

    span: Span


# Expressions.


@dataclass(slots=True, eq=False)
class Expression(Node):
    """Something that has a value."""


@dataclass(slots=True, eq=False)
class Name(Expression):
    """An identifier, NFKC-normalised as Python itself compares it."""

    id: str


@dataclass(slots=True, eq=False)
class Attribute(Expression):
    """`value.attr`."""

    value: Expression
    attr: str


@dataclass(slots=True, eq=False)
class Argument(Node):
    """One argument of a call: `value`, `name=value`, `*value` or `**value`."""

    value: Expression
    name: str | None = None
    star: str = ""


@dataclass(slots=True, eq=False)
class Call(Expression):
    """`func(arguments)`; also a base class list item is never one."""

    func: Expression
    arguments: list[Argument]


@dataclass(slots=True, eq=False)
class Constant(Expression):
    """A literal. `kind` is str, bytes, int, float, complex, bool, none or ellipsis.

    `value` is the evaluated string, integer, float or boolean; for bytes and complex numbers the
    source text; None for the other kinds.
    """

    kind: str
    value: str | int | float | bool | None = None


@dataclass(slots=True, eq=False)
class FormattedString(Expression):
    """An f-string or t-string: literal parts are string constants, the others expressions."""

    parts: list[Expression]


@dataclass(slots=True, eq=False)
class Subscript(Expression):
    """`value[index]`; several indices make a tuple `Collection`."""

    value: Expression
    index: Expression


@dataclass(slots=True, eq=False)
class Slice(Expression):
    """`lower:upper:step` inside a subscript."""

    lower: Expression | None = None
    upper: Expression | None = None
    step: Expression | None = None


@dataclass(slots=True, eq=False)
class Collection(Expression):
    """A list, tuple or set display (`kind`)."""

    kind: str
    items: list[Expression]


@dataclass(slots=True, eq=False)
class DictItem(Node):
    """`key: value`; a key of None is `**value`."""

    key: Expression | None
    value: Expression


@dataclass(slots=True, eq=False)
class Dict(Expression):
    """A dictionary display."""

    items: list[DictItem]


@dataclass(slots=True, eq=False)
class BinaryOperation(Expression):
    """`left operator right`, the operator as it is written."""

    left: Expression
    operator: str
    right: Expression


@dataclass(slots=True, eq=False)
class BooleanOperation(Expression):
    """`a and b and c`: a chain of one operator is one node with all its operands."""

    operator: str
    operands: list[Expression]


@dataclass(slots=True, eq=False)
class Comparison(Expression):
    """`left op a op b`; operators as written, with one space (`is not`, `not in`)."""

    left: Expression
    operators: list[str]
    comparators: list[Expression]


@dataclass(slots=True, eq=False)
class UnaryOperation(Expression):
    """`not x`, `-x`, `+x`, `~x`."""

    operator: str
    operand: Expression


@dataclass(slots=True, eq=False)
class Conditional(Expression):
    """`body if test else orelse`."""

    test: Expression
    body: Expression
    orelse: Expression


@dataclass(slots=True, eq=False)
class Parameter(Node):
    """One parameter of a function.

    `kind` is positional-only, positional, keyword-only, variadic (`*args`) or keywords
    (`**kwargs`).
    """

    name: str
    kind: str
    default: Expression | None = None
    annotation: Expression | None = None


@dataclass(slots=True, eq=False)
class Lambda(Expression):
    """`lambda parameters: body`."""

    parameters: list[Parameter]
    body: Expression


@dataclass(slots=True, eq=False)
class Clause(Node):
    """`for target in iterable if conditions` of a comprehension."""

    target: Expression
    iterable: Expression
    conditions: list[Expression]
    is_async: bool = False


@dataclass(slots=True, eq=False)
class Comprehension(Expression):
    """A comprehension (`kind`: list, set, dict or generator).

    A dictionary comprehension has two `elements`, key and value; the others one.
    """

    kind: str
    elements: list[Expression]
    clauses: list[Clause]


@dataclass(slots=True, eq=False)
class Await(Expression):
    """`await value`."""

    value: Expression


@dataclass(slots=True, eq=False)
class Yield(Expression):
    """`yield value` or `yield from value`."""

    value: Expression | None = None
    is_from: bool = False


@dataclass(slots=True, eq=False)
class Starred(Expression):
    """`*value` in a display or an assignment target."""

    value: Expression


@dataclass(slots=True, eq=False)
class Walrus(Expression):
    """`target := value`."""

    target: Expression
    value: Expression


# Statements.


@dataclass(slots=True, eq=False)
class Statement(Node):
    """Something that is executed. The span of a compound statement covers its whole body."""


@dataclass(slots=True, eq=False)
class ExpressionStatement(Statement):
    """An expression for its effect."""

    value: Expression


@dataclass(slots=True, eq=False)
class Assign(Statement):
    """`a = b = value`."""

    targets: list[Expression]
    value: Expression


@dataclass(slots=True, eq=False)
class AnnotatedAssign(Statement):
    """`target: annotation = value`."""

    target: Expression
    annotation: Expression
    value: Expression | None = None


@dataclass(slots=True, eq=False)
class AugmentedAssign(Statement):
    """`target operator= value`; `operator` without the equals sign."""

    target: Expression
    operator: str
    value: Expression


@dataclass(slots=True, eq=False)
class Return(Statement):
    """`return value`."""

    value: Expression | None = None


@dataclass(slots=True, eq=False)
class Raise(Statement):
    """`raise exception from cause`."""

    exception: Expression | None = None
    cause: Expression | None = None


@dataclass(slots=True, eq=False)
class Delete(Statement):
    """`del targets`."""

    targets: list[Expression]


@dataclass(slots=True, eq=False)
class Assert(Statement):
    """`assert test, message`."""

    test: Expression
    message: Expression | None = None


@dataclass(slots=True, eq=False)
class Global(Statement):
    """`global names`."""

    names: list[str]


@dataclass(slots=True, eq=False)
class Nonlocal(Statement):
    """`nonlocal names`."""

    names: list[str]


@dataclass(slots=True, eq=False)
class Alias(Node):
    """`name as asname` of an import; `name` may be dotted; `*` for a star import."""

    name: str
    asname: str | None = None


@dataclass(slots=True, eq=False)
class Import(Statement):
    """`import names`."""

    names: list[Alias]


@dataclass(slots=True, eq=False)
class ImportFrom(Statement):
    """`from module import names`; `level` counts the leading dots."""

    module: str
    level: int
    names: list[Alias]


@dataclass(slots=True, eq=False)
class Simple(Statement):
    """`pass`, `break` or `continue` (`keyword`)."""

    keyword: str


@dataclass(slots=True, eq=False)
class If(Statement):
    """`if test: body else: orelse`; an `elif` is an `If` alone in `orelse`."""

    test: Expression
    body: list[Statement]
    orelse: list[Statement]


@dataclass(slots=True, eq=False)
class For(Statement):
    """`for target in iterable: body else: orelse`."""

    target: Expression
    iterable: Expression
    body: list[Statement]
    orelse: list[Statement]
    is_async: bool = False


@dataclass(slots=True, eq=False)
class While(Statement):
    """`while test: body else: orelse`."""

    test: Expression
    body: list[Statement]
    orelse: list[Statement]


@dataclass(slots=True, eq=False)
class ExceptHandler(Node):
    """`except exception as name: body`."""

    exception: Expression | None
    name: str | None
    body: list[Statement]


@dataclass(slots=True, eq=False)
class Try(Statement):
    """`try … except … else … finally`; `is_star` for `except*`."""

    body: list[Statement]
    handlers: list[ExceptHandler]
    orelse: list[Statement]
    finalbody: list[Statement]
    is_star: bool = False


@dataclass(slots=True, eq=False)
class WithItem(Node):
    """`expression as target`."""

    expression: Expression
    target: Expression | None = None


@dataclass(slots=True, eq=False)
class With(Statement):
    """`with items: body`."""

    items: list[WithItem]
    body: list[Statement]
    is_async: bool = False


@dataclass(slots=True, eq=False)
class Case(Node):
    """`case pattern if guard: body`.

    `bindings` are the names that the pattern binds, in order; `values` the expressions that it
    compares with (literals, dotted names, classes).
    """

    bindings: list[str]
    values: list[Expression]
    guard: Expression | None
    body: list[Statement]


@dataclass(slots=True, eq=False)
class Match(Statement):
    """`match subject: cases`."""

    subject: Expression
    cases: list[Case]


@dataclass(slots=True, eq=False)
class TypeAlias(Statement):
    """`type name = value`."""

    name: str
    value: Expression


@dataclass(slots=True, eq=False)
class FunctionDef(Statement):
    """A function. `span` starts at `def` or `async`, not at a decorator."""

    name: str
    name_span: Span
    parameters: list[Parameter]
    body: list[Statement]
    decorators: list[Expression]
    returns: Expression | None = None
    is_async: bool = False


@dataclass(slots=True, eq=False)
class ClassDef(Statement):
    """A class. `span` starts at `class`; `arguments` are its bases and keywords."""

    name: str
    name_span: Span
    arguments: list[Argument]
    body: list[Statement]
    decorators: list[Expression]


@dataclass(slots=True, eq=False)
class Module(Node):
    """A whole file."""

    body: list[Statement] = field(default_factory=list)


def children(node: Node) -> Iterator[Node]:
    """Yield the direct child nodes in the order of their fields."""
    for name in _CHILD_FIELDS[type(node)]:
        value = getattr(node, name)
        if isinstance(value, list):
            for item in value:
                if isinstance(item, Node):
                    yield item
        elif isinstance(value, Node):
            yield value


def walk(node: Node) -> Iterator[Node]:
    """Yield `node` and everything below it, parents first, in source order as fields have it."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(list(children(current))))


#: Every node type by its name, for the stored form.
NODE_TYPES: dict[str, type[Node]] = {
    name: kind
    for name, kind in list(globals().items())
    if isinstance(kind, type) and issubclass(kind, Node)
}

#: The fields of each node type that can hold nodes.
_CHILD_FIELDS: dict[type[Node], tuple[str, ...]] = {
    kind: tuple(
        one.name
        for one in fields(kind)
        if any(word in str(one.type) for word in ("Expression", "Statement", "list[", "Node"))
        and "str]" not in str(one.type)
    )
    for kind in NODE_TYPES.values()
}


def dotted(node: Expression | None) -> str | None:
    """Return `a.b.c` for plain names and attributes, None for anything else."""
    parts: list[str] = []
    while isinstance(node, Attribute):
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, Name):
        return None
    return ".".join([node.id, *reversed(parts)])
