"""What tests and blocks say: whether something must be there, be missing, or is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lambda_lint.syntax import nodes


def blocks(node: nodes.Node) -> Iterator[list[nodes.Statement]]:
    """Yield the blocks of a compound statement, without those of `except` and `case`."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block


def leaves(block: list[nodes.Statement]) -> bool:
    """Whether the block ends by leaving: return, raise, continue or break."""
    if not block:
        return False
    last = block[-1]
    if isinstance(last, nodes.Simple):
        return last.keyword in ("continue", "break")
    if isinstance(last, nodes.With):
        return leaves(last.body)
    return isinstance(last, (nodes.Return, nodes.Raise))


def always_leaves(
    statement: nodes.Statement,
    decide: Callable[[nodes.Expression], bool | None] = lambda test: None,
) -> bool:
    """Whether nothing after the statement in its block ever runs.

    `decide` says what a test always says, and None for a test that is open.
    """

    def left(block: list[nodes.Statement]) -> bool:
        return any(always_leaves(one, decide) for one in block)

    match statement:
        case nodes.Return() | nodes.Raise():
            return True
        case nodes.Simple(keyword=keyword):
            return keyword in ("continue", "break")
        case nodes.If(test=test, body=body, orelse=orelse):
            decided = decide(test)
            if decided is not None:
                return left(body if decided else orelse)
            return left(body) and left(orelse)
    return False


def asked_for_presence(test: nodes.Expression, in_body: bool) -> nodes.Expression | None:
    """Return what must be there for the branch to be entered, when the test says only that."""
    match test:
        case nodes.Comparison(
            left=left, operators=[operator], comparators=[nodes.Constant(kind="none")]
        ):
            return left if in_body == (operator in ("is not", "!=")) else None
        case nodes.Name() | nodes.Attribute():
            return test if in_body else None
        case nodes.UnaryOperation(operator="not", operand=operand):
            return asked_for_presence(operand, not in_body)
    return None


def missing_instead(test: nodes.Expression, in_body: bool) -> Iterator[nodes.Expression]:
    """Yield what is certainly not there when the branch is entered: `client is None and …`."""
    match test:
        case nodes.BooleanOperation(operator=operator, operands=operands):
            if in_body == (operator == "and"):
                for one in operands:
                    yield from missing_instead(one, in_body)
        case _:
            asked = asked_for_presence(test, not in_body)
            if asked is not None:
                yield asked


def asks_for_item(test: nodes.Expression, in_body: bool) -> bool:
    """Whether the branch is entered just when an item is there: `key in kept`, `kept.get(key)`."""
    match test:
        case nodes.UnaryOperation(operator="not", operand=operand):
            return asks_for_item(operand, not in_body)
        case nodes.Comparison(operators=["in" | "not in" as operator]):
            return in_body == (operator == "in")
        case nodes.Subscript() | nodes.Call(func=nodes.Attribute(attr="get" | "getenv")):
            return in_body
        case nodes.Call(func=nodes.Name(id="getenv")):
            return in_body
    return False


def rebound(block: Sequence[nodes.Statement]) -> Iterator[nodes.Expression]:
    """Yield the targets that the statements assign to, inner blocks included."""
    for statement in block:
        for node in nodes.walk(statement):
            match node:
                case nodes.Assign(targets=targets):
                    yield from targets
                case nodes.AnnotatedAssign(target=target):
                    yield target


def handed_on(block: Sequence[nodes.Statement]) -> Iterator[nodes.Expression]:
    """Yield what the statements return or assign as it is."""
    for statement in block:
        match statement:
            case nodes.Return(value=value) | nodes.Assign(value=value):
                if value is not None:
                    yield value


def asks_for_absence(test: nodes.Expression, in_body: bool) -> bool:
    """Whether entering the branch means that something was not there yet."""
    match test:
        case nodes.UnaryOperation(operator="not"):
            return in_body
        case nodes.Comparison(operators=["is" | "not in" | "=="]):
            return in_body
        case nodes.Comparison(operators=["is not" | "in" | "!="]):
            return not in_body
        case nodes.BooleanOperation(operands=operands):
            return any(asks_for_absence(one, in_body) for one in operands)
        case nodes.Name() | nodes.Attribute():
            return not in_body
    return False


def asks_for_life(test: nodes.Expression) -> bool:
    """Whether the branch runs only when something is found dead: `if not is_running(): start()`."""
    if isinstance(test, nodes.BooleanOperation):
        return any(asks_for_life(one) for one in test.operands)
    if not isinstance(test, nodes.UnaryOperation) or test.operator != "not":
        return False
    asked = test.operand.func if isinstance(test.operand, nodes.Call) else test.operand
    name = asked.attr if isinstance(asked, nodes.Attribute) else ""
    if isinstance(asked, nodes.Name) and isinstance(test.operand, nodes.Call):
        name = asked.id
    return any(word in name.lower() for word in _LIFE)


_MAX_HOPS = 4
"""How many names or calls are followed to what they stand for."""


def looked_for(test: nodes.Expression, in_body: bool) -> nodes.Expression | None:
    """Return the path whose absence from the disk leads into the branch."""
    match test:
        case nodes.UnaryOperation(operator="not", operand=operand):
            return looked_for(operand, not in_body)
        case nodes.Call(func=nodes.Attribute(attr="exists" | "isfile" | "isdir"), arguments=[path]):
            return None if in_body else path.value
        case nodes.Call(
            func=nodes.Attribute(value=path, attr="exists" | "is_file" | "is_dir"), arguments=[]
        ):
            return None if in_body else path
    return None


def is_empty(value: nodes.Expression | None) -> bool:
    """Whether storing the value forgets what was there: None, False, an empty container."""
    match value:
        case nodes.Constant(kind="none") | nodes.Constant(kind="bool", value=False):
            return True
        case nodes.Dict(items=[]) | nodes.Collection(items=[]):
            return True
        case nodes.Call(func=nodes.Name(id="dict" | "list" | "set"), arguments=[]):
            return True
    return False


def empty_if(test: nodes.Expression, truth: bool) -> nodes.Expression | None:
    """Return what certainly is none, zero or empty when a test has come out like that."""
    match test:
        case nodes.UnaryOperation(operator="not", operand=operand):
            return empty_if(operand, not truth)
        case nodes.Name() | nodes.Attribute() | nodes.Subscript():
            return None if truth else test
        case nodes.Call(func=nodes.Name(id="len" | "bool" | "any"), arguments=[one]):
            return None if truth else one.value
        case nodes.Comparison(left=left, operators=[operator], comparators=[right]):
            of_size = isinstance(left, nodes.Call)
            is_nothing = is_empty(right) or (
                isinstance(right, nodes.Constant)
                and right.kind in ("str", "int")
                and not right.value
            )
            if is_nothing and operator in ("is", "==", "is not", "!="):
                holds = truth is (operator in ("is", "=="))
                return empty_if(left, False) if of_size and holds else left if holds else None
            if of_size and isinstance(right, nodes.Constant):
                if (operator, right.value) in ((">", 0), (">=", 1)):
                    return empty_if(left, truth)
                if (operator, right.value) in (("<", 1), ("<=", 0)):
                    return empty_if(left, not truth)
    return None


_LIFE = ("alive", "running", "connected", "ping", "is_open", "healthy")
"""What functions and attributes that look whether something still works are called."""
