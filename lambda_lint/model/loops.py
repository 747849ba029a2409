"""Loops around a place: whether it is repeated, and whether that is done for each of many items."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lambda_lint.finding import Span
from lambda_lint.model.program import Function, Scope
from lambda_lint.model.questions import blocks
from lambda_lint.model.values import (
    ClassValue,
    DisplayValue,
    Evaluator,
    FunctionValue,
    InstanceValue,
)
from lambda_lint.syntax import nodes

Loop = nodes.For | nodes.While | nodes.Comprehension


def in_loop(node: nodes.Node, scope: Scope) -> Span | None:
    """Return the place of the loop around a node within its function, None without one."""
    found = loop_around(node, scope)
    return found.span if found is not None else None


def loop_around(node: nodes.Node, scope: Scope) -> Loop | None:
    """Return the innermost loop that repeats a node within its function."""
    breaks = False
    for child, parent in scope.module.ancestors(node):
        left_by = _left_by(child, parent)
        if isinstance(child, (nodes.Return, nodes.Raise)) or left_by == "return":
            # What leaves the loop is not repeated by it.
            return None
        breaks = breaks or left_by == "break"
        if isinstance(parent, (nodes.For, nodes.While)) and child in parent.body:
            if not breaks:
                return parent
            # Another attempt at most; what is around this loop repeats it all the same.
            breaks = False
        if isinstance(parent, nodes.Comprehension) and child in parent.elements:
            return parent
    return None


def serves_all_items(loop: Loop, node: nodes.Node, scope: Scope, evaluator: Evaluator) -> bool:
    """Whether a loop goes over data and does for every item what `node` does, which it holds.

    SNS and S3 give one record with each event, although they come as a list:
    https://docs.aws.amazon.com/sns/latest/dg/sns-lambda-as-subscriber.html
    """
    if isinstance(loop, nodes.While) or is_conditional(node, scope, loop):
        return False
    body: list[nodes.Node] = []
    if isinstance(loop, nodes.For):
        iterables, body = [loop.iterable], [*loop.body]
    else:
        iterables, body = [one.iterable for one in loop.clauses], [*loop.elements]
    for iterable in iterables:
        for one in (iterable, *_first_argument(iterable)):
            if isinstance(one, nodes.Call) and _called(one) in ("range", "count"):
                return False
            values = evaluator.evaluate(one, scope)
            if any(isinstance(value, DisplayValue) for value in values):
                return False
    return not any(_ends_or_is_single(inner) for one in body for inner in nodes.walk(one))


def calls_once(
    loop: Loop, func: nodes.Expression, callee: Function, scope: Scope, evaluator: Evaluator
) -> bool:
    """Whether a loop goes over a table of what it calls, in which `callee` is written once.

    `for name, check in {"db": check_db, "queue": check_queue}.items(): check()` calls each once.
    """
    targets = [loop] if isinstance(loop, nodes.For) else getattr(loop, "clauses", [])
    root = func
    while isinstance(root, nodes.Attribute):
        root = root.value
    for one in targets:
        names = [each.id for each in nodes.walk(one.target) if isinstance(each, nodes.Name)]
        if isinstance(root, nodes.Name) and root.id in names:
            tables = _tables(one.iterable, scope, evaluator)
            return bool(tables) and all(
                sum(_is_or_has(each, callee, table.scope, evaluator) for each in written) == 1
                for table in tables
                for written in [_written_in(table.node)]
            )
    return False


def _tables(
    iterable: nodes.Expression, scope: Scope, evaluator: Evaluator
) -> tuple[DisplayValue, ...]:
    """Return the displays that a loop goes over; none where it may go over something else."""
    match iterable:
        case nodes.Call(func=nodes.Attribute(value=inner, attr="items" | "values"), arguments=[]):
            return _tables(inner, scope, evaluator)
        case nodes.Call(
            func=nodes.Name(id="enumerate" | "list" | "tuple" | "sorted"), arguments=[first, *_]
        ):
            return _tables(first.value, scope, evaluator)
    values = evaluator.evaluate(iterable, scope)
    tables = tuple(one for one in values if isinstance(one, DisplayValue))
    is_written = all(
        isinstance(one.node, (nodes.Collection, nodes.Dict))
        and not evaluator.contents.puts.get(one.node)
        for one in tables
    )
    return tables if is_written and len(tables) == len(values) else ()


def _written_in(table: nodes.Expression) -> Iterator[nodes.Expression]:
    """Yield the items of a table, and the parts of those that are tuples."""
    match table:
        case nodes.Dict(items=pairs):
            for pair in pairs:
                yield from _written_in(pair.value)
        case nodes.Collection(items=items):
            for item in items:
                yield from _written_in(item)
        case _:
            yield table


def _is_or_has(
    item: nodes.Expression, callee: Function, scope: Scope, evaluator: Evaluator
) -> bool:
    """Whether an item of a table is a function, or an object or class whose method it is."""
    for value in evaluator.evaluate(item, scope):
        match value:
            case FunctionValue(function=function) if function is callee:
                return True
            case InstanceValue(class_=class_) | ClassValue(class_=class_):
                if callee.class_ in evaluator.lineage(class_)[0]:
                    return True
    return False


def is_conditional(
    node: nodes.Node,
    scope: Scope,
    within: nodes.Node | None = None,
    decide: Callable[[nodes.Expression], bool | None] = lambda test: None,
) -> bool:
    """Whether a branch decides over a node, below `within` or else in its whole function.

    A way out before it in one of its blocks is such a branch, too. `decide` says what a test
    always says, and None for a test that is open.
    """
    for child, parent in scope.module.ancestors(node):
        for block in _blocks(parent):
            if child in block:
                before = block[: next(i for i, one in enumerate(block) if one is child)]
                if any(_may_leave(one, decide, within is not None) for one in before):
                    return True
        if parent is within:
            return False
        match parent:
            case nodes.If(test=test) | nodes.Conditional(test=test):
                body = parent.body if isinstance(parent, nodes.If) else [parent.body]
                if child is not test and decide(test) is not (child in body):
                    return True
            case nodes.ExceptHandler() | nodes.Case():
                return True
            case nodes.BooleanOperation(operands=operands):
                position = next(i for i, one in enumerate(operands) if one is child)
                if any(decide(one) is None for one in operands[:position]):
                    return True
    return False


def _blocks(parent: nodes.Node) -> Iterator[list[nodes.Statement]]:
    if isinstance(parent, (nodes.ExceptHandler, nodes.Case)):
        yield parent.body
    else:
        yield from blocks(parent)


def _may_leave(
    node: nodes.Node,
    decide: Callable[[nodes.Expression], bool | None],
    in_loop: bool,
    below: bool = False,
) -> bool:
    """Whether a statement may keep what follows it in its block from running.

    That an exception is handled by leaving says only that something failed. With `in_loop` only
    the item of a loop is meant, which an exception does not skip but ends the loop for all;
    `below` is set inside of a loop of the statement's own.
    """
    match node:
        case nodes.Return():
            return True
        case nodes.Raise():
            return not in_loop
        case nodes.Simple(keyword="continue" | "break"):
            return not below
        case nodes.FunctionDef() | nodes.ClassDef() | nodes.ExceptHandler():
            return False
        case nodes.If(test=test, body=body, orelse=orelse):
            decided = decide(test)
            branches = [*body, *orelse] if decided is None else body if decided else orelse
            return any(_may_leave(one, decide, in_loop, below) for one in branches)
    below = below or isinstance(node, (nodes.For, nodes.While))
    return any(
        _may_leave(one, decide, in_loop, below)
        for one in nodes.children(node)
        if isinstance(one, (nodes.Statement, nodes.Case, nodes.ExceptHandler))
    )


def _first_argument(call: nodes.Expression) -> list[nodes.Expression]:
    """Return what `enumerate(items)` and the like go over."""
    if isinstance(call, nodes.Call) and isinstance(call.func, nodes.Name):
        return [one.value for one in call.arguments[:1]]
    return []


def _called(call: nodes.Call) -> str:
    return call.func.id if isinstance(call.func, nodes.Name) else ""


def _ends_or_is_single(node: nodes.Node) -> bool:
    match node:
        case nodes.Return() | nodes.Simple(keyword="break"):
            return True
        case nodes.Constant(value="Sns" | "s3") | nodes.Attribute(attr="sns" | "s3"):
            return True
    return False


def _left_by(child: nodes.Node, parent: nodes.Node) -> str:
    """Return how the statement's own block leaves the loop after it: return, break or not.

    `try: client = make() … else: break` leaves after what `try` holds, too.
    """
    for name in ("body", "orelse"):
        block = getattr(parent, name, None)
        if isinstance(block, list) and child in block:
            found = _end_of(block)
            if not found and name == "body" and isinstance(parent, nodes.Try):
                found = _end_of(parent.orelse)
            return found
    return ""


def _end_of(block: list[nodes.Statement]) -> str:
    match block[-1:]:
        case [nodes.Return() | nodes.Raise()]:
            return "return"
        case [nodes.Simple(keyword="break")]:
            return "break"
        case [nodes.With(body=body)]:
            return _end_of(body)
    return ""
