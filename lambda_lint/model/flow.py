"""The ways through a function: blocks of what is evaluated, in order, with the edges between them.

Every expression is taken apart into atoms in the order in which Python evaluates them: short
circuits, branches, loops that may run zero times, `try` with all its clauses, `with`, `match`, and
the ways out by `return`, `raise`, `break` and `continue`. A call may raise. `finally` is laid out
once for each way through it, so that what holds on one way is not mixed with another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from lambda_lint.model.program import Function
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Atom:
    """One thing that happens: `kind` is load, call, store, enter, leave, iterate or result.

    A result is what `return` hands out, or the end of the body, which returns None. For a store
    `node` is the target and `place` the statement; otherwise both are the same.
    """

    kind: str
    node: nodes.Node
    place: nodes.Node


@dataclass(frozen=True, slots=True)
class Way:
    """An edge to a block, taken when `test` (if there is one) has the truth value `truth`."""

    to: Block
    test: nodes.Expression | None = None
    truth: bool = True


@dataclass(eq=False, slots=True)
class Block:
    """What is evaluated without a branch; an exception in it goes to `raises`."""

    number: int
    raises: Block | None = None
    atoms: list[Atom] = field(default_factory=list)
    ways: list[Way] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Flow:
    """A function's blocks, in the order in which they were laid out."""

    entry: Block
    #: Where the function ends by returning, and where an exception leaves it.
    end: Block
    failed: Block
    blocks: tuple[Block, ...]


def flow_of(function: Function) -> Flow | None:
    """Lay out a function. None for module code, and for one that is too large to be followed."""
    try:
        return _Layout().of(function)
    except _TooLargeError:
        return None


def may_raise(atom: Atom) -> bool:
    """Whether an exception is to be expected: from calls, apart from those that hardly fail."""
    if atom.kind in ("enter", "raise"):
        return True
    if atom.kind == "load":
        return isinstance(atom.node, nodes.Subscript)
    if isinstance(atom.node, nodes.Call):
        return call_may_raise(atom.node)
    return atom.kind == "call"


def call_may_raise(call: nodes.Call) -> bool:
    """Whether an exception is to be expected from a call, by the name of what is called."""
    match call.func:
        case nodes.Name(id=name) | nodes.Attribute(attr=name):
            return name not in _HARMLESS
    return True


def runs_at_least_once(iterable: nodes.Expression) -> bool:
    """Whether a loop certainly has something to do: a display, or the records of an event.

    Lambda does not invoke a function with an empty batch:
    https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
    """
    match iterable:
        case nodes.Collection(items=items):
            return bool(items)
        case nodes.Dict(items=pairs):
            return bool(pairs)
        case nodes.Constant(kind="str", value=value):
            return bool(value)
        case nodes.Subscript(index=nodes.Constant(value="Records")):
            return True
        case nodes.Attribute(attr="records"):
            return True
        case nodes.Call(func=nodes.Name(id="enumerate" | "list" | "sorted"), arguments=[first, *_]):
            return runs_at_least_once(first.value)
        case nodes.Call(
            func=nodes.Attribute(attr="get"),
            arguments=[nodes.Argument(value=nodes.Constant(value="Records")), *_],
        ):
            return True
    return False


class _TooLargeError(Exception):
    """The function has more ways than are worth following."""


@dataclass(frozen=True, slots=True)
class _Exits:
    """Where the statements of a block leave to. They are made when they are needed."""

    returns: Callable[[], Block]
    raises: Block
    breaks: Callable[[], Block] | None = None
    continues: Callable[[], Block] | None = None


class _Layout:
    def __init__(self) -> None:
        self.blocks: list[Block] = []
        #: Where the next atom goes; None after something that leaves.
        self.current: Block | None = None

    def of(self, function: Function) -> Flow | None:
        if isinstance(function.node, nodes.Module):
            return None
        end, failed = self.new(None), self.new(None)
        entry = self.new(failed)
        self.current = entry
        exits = _Exits(lambda: end, failed)
        if isinstance(function.node, nodes.Lambda):
            self.evaluate(function.node.body, exits)
        else:
            self.statements(function.node.body, exits)
            self.atom("result", nodes.Return(function.node.span))
        self.go(end)
        return Flow(entry, end, failed, tuple(self.blocks))

    # Blocks.

    def new(self, raises: Block | None) -> Block:
        if len(self.blocks) >= _MAX_BLOCKS:
            raise _TooLargeError
        block = Block(len(self.blocks), raises)
        self.blocks.append(block)
        return block

    def go(self, to: Block, test: nodes.Expression | None = None, truth: bool = True) -> None:
        if self.current is not None:
            self.current.ways.append(Way(to, test, truth))

    def start(self, block: Block) -> None:
        self.current = block

    def atom(self, kind: str, node: nodes.Node, place: nodes.Node | None = None) -> None:
        if self.current is not None:
            self.current.atoms.append(Atom(kind, node, node if place is None else place))

    # Statements.

    def statements(self, body: Sequence[nodes.Statement], exits: _Exits) -> None:
        for statement in body:
            if self.current is None:
                return
            self.statement(statement, exits)

    def statement(self, node: nodes.Statement, exits: _Exits) -> None:
        match node:
            case nodes.If():
                self.if_(node, exits)
            case nodes.While():
                self.while_(node, exits)
            case nodes.For():
                self.for_(node, exits)
            case nodes.Try():
                self.try_(node, exits)
            case nodes.With():
                self.with_(node, exits, 0)
            case nodes.Match():
                self.match_(node, exits)
            case nodes.Return():
                self.evaluate(node.value, exits)
                self.atom("result", node)
                self.leave(exits.returns())
            case nodes.Raise():
                self.evaluate(node.exception, exits)
                self.evaluate(node.cause, exits)
                self.leave(exits.raises)
            case nodes.Simple(keyword="break"):
                self.leave(exits.breaks() if exits.breaks else exits.returns())
            case nodes.Simple(keyword="continue"):
                self.leave(exits.continues() if exits.continues else exits.returns())
            case nodes.Assert():
                passed, refused = self.new(exits.raises), self.new(exits.raises)
                self.branch(node.test, passed, refused, exits)
                self.start(refused)
                self.leave(exits.raises)
                self.start(passed)
            case _:
                self.simple(node, exits)

    def leave(self, to: Block) -> None:
        self.go(to)
        self.current = None

    def simple(self, node: nodes.Statement, exits: _Exits) -> None:
        match node:
            case nodes.ExpressionStatement(value=value):
                self.evaluate(value, exits)
            case nodes.Assign(targets=targets, value=value):
                self.evaluate(value, exits)
                for target in targets:
                    self.store(target, node, exits)
            case nodes.AnnotatedAssign(target=target, value=assigned):
                if assigned is not None:
                    self.evaluate(assigned, exits)
                    self.store(target, node, exits)
            case nodes.AugmentedAssign(target=target, value=value):
                self.evaluate(target, exits)
                self.evaluate(value, exits)
                self.store(target, node, exits)
            case nodes.Delete(targets=targets):
                for target in targets:
                    self.store(target, node, exits)
            case nodes.FunctionDef(decorators=decorators, parameters=parameters):
                for one in (*decorators, *(two.default for two in parameters)):
                    self.evaluate(one, exits)
            case nodes.ClassDef(body=body):
                self.statements(body, exits)

    def store(self, target: nodes.Expression, place: nodes.Node, exits: _Exits) -> None:
        match target:
            case nodes.Collection(items=items):
                for item in items:
                    self.store(item, place, exits)
            case nodes.Starred(value=value):
                self.store(value, place, exits)
            case nodes.Attribute(value=value):
                self.evaluate(value, exits)
                self.atom("store", target, place)
            case nodes.Subscript(value=value, index=index):
                self.evaluate(value, exits)
                self.evaluate(index, exits)
                self.atom("store", target, place)
            case nodes.Name():
                self.atom("store", target, place)

    def if_(self, node: nodes.If, exits: _Exits) -> None:
        after = self.new(exits.raises)
        body, orelse = self.new(exits.raises), self.new(exits.raises)
        self.branch(node.test, body, orelse, exits)
        self.start(body)
        self.statements(node.body, exits)
        self.go(after)
        self.start(orelse)
        self.statements(node.orelse, exits)
        self.go(after)
        self.start(after)

    def while_(self, node: nodes.While, exits: _Exits) -> None:
        head, body = self.new(exits.raises), self.new(exits.raises)
        orelse, after = self.new(exits.raises), self.new(exits.raises)
        self.go(head)
        self.start(head)
        self.branch(node.test, body, orelse, exits)
        self.start(body)
        inner = replace(exits, breaks=lambda: after, continues=lambda: head)
        self.statements(node.body, inner)
        self.go(head)
        self.start(orelse)
        self.statements(node.orelse, exits)
        self.go(after)
        self.start(after)

    def for_(self, node: nodes.For, exits: _Exits) -> None:
        self.evaluate(node.iterable, exits)
        self.atom("iterate", node)
        head, body = self.new(exits.raises), self.new(exits.raises)
        orelse, after = self.new(exits.raises), self.new(exits.raises)
        self.go(body if runs_at_least_once(node.iterable) else head)
        self.start(head)
        self.go(body)
        self.go(orelse)
        self.start(body)
        self.store(node.target, node, exits)
        inner = replace(exits, breaks=lambda: after, continues=lambda: head)
        self.statements(node.body, inner)
        self.go(head)
        self.start(orelse)
        self.statements(node.orelse, exits)
        self.go(after)
        self.start(after)

    def try_(self, node: nodes.Try, exits: _Exits) -> None:
        outer = exits
        if node.finalbody:
            exits = self.through(exits, lambda inner: self.statements(node.finalbody, inner))
        after = self.new(outer.raises)
        dispatch = self.new(exits.raises)
        body = self.new(dispatch)
        before = self.current
        self.go(body)
        self.start(body)
        self.statements(node.body, replace(exits, raises=dispatch))
        laid_out = self.blocks[body.number :]
        if before is not None and not any(may_raise(two) for one in laid_out for two in one.atoms):
            # Whoever handles a failure has seen one, be it of a call whose name sounds harmless.
            before.ways.append(Way(dispatch))
        if self.current is not None:
            orelse = self.new(exits.raises)
            self.go(orelse)
            self.start(orelse)
            self.statements(node.orelse, exits)
        ends = [self.current]
        for handler in node.handlers:
            block = self.new(exits.raises)
            dispatch.ways.append(Way(block))
            self.start(block)
            self.statements(handler.body, exits)
            ends.append(self.current)
        if not any(map(_catches_everything, node.handlers)):
            dispatch.ways.append(Way(exits.raises))
        reached = [one for one in ends if one is not None]
        final = self.new(outer.raises)
        for one in reached:
            one.ways.append(Way(final))
        self.current = final if reached else None
        self.statements(node.finalbody, outer)
        self.go(after)
        self.current = after if self.current is not None else None

    def through(self, exits: _Exits, pass_by: Callable[[_Exits], None]) -> _Exits:
        """Return exits that run something first, once for each place that they lead to."""
        made: dict[Block, Block] = {}

        def by_way_of(to: Block) -> Block:
            if to not in made:
                before = self.current
                made[to] = self.new(exits.raises)
                self.start(made[to])
                pass_by(exits)
                self.go(to)
                self.current = before
            return made[to]

        breaks, continues = exits.breaks, exits.continues
        return _Exits(
            lambda: by_way_of(exits.returns()),
            by_way_of(exits.raises),
            (lambda: by_way_of(breaks())) if breaks is not None else None,
            (lambda: by_way_of(continues())) if continues is not None else None,
        )

    def with_(self, node: nodes.With, exits: _Exits, position: int) -> None:
        if position == len(node.items):
            self.statements(node.body, exits)
            return
        item = node.items[position]
        self.evaluate(item.expression, exits)
        self.atom("enter", item)
        if item.target is not None:
            self.store(item.target, item, exits)
        inner = self.through(exits, lambda _: self.atom("leave", item))
        after = self.new(exits.raises)
        if _suppresses(item.expression):
            swallowed = self.new(exits.raises)
            swallowed.ways += [Way(after), Way(exits.raises)]
            inner = replace(inner, raises=swallowed)
        body = self.new(inner.raises)
        self.go(body)
        self.start(body)
        self.with_(node, inner, position + 1)
        if self.current is not None:
            last = self.new(exits.raises)
            self.go(last)
            self.start(last)
            self.atom("leave", item)
        self.go(after)
        reached = self.current is not None or _suppresses(item.expression)
        self.current = after if reached else None

    def match_(self, node: nodes.Match, exits: _Exits) -> None:
        self.evaluate(node.subject, exits)
        after = self.new(exits.raises)
        for case in node.cases:
            body, following = self.new(exits.raises), self.new(exits.raises)
            self.go(body)
            always = not case.values and case.guard is None and len(case.bindings) <= 1
            if not always:
                self.go(following)
            self.start(body)
            if case.guard is not None:
                accepted = self.new(exits.raises)
                self.branch(case.guard, accepted, following, exits)
                self.start(accepted)
            self.statements(case.body, exits)
            self.go(after)
            self.current = None if always else following
            if always:
                break
        self.go(after)
        self.start(after)

    # Expressions.

    def branch(self, test: nodes.Expression, true: Block, false: Block, exits: _Exits) -> None:
        """Evaluate a test and go on in one of two blocks."""
        match test:
            case nodes.UnaryOperation(operator="not", operand=operand):
                self.branch(operand, false, true, exits)
            case nodes.BooleanOperation(operator=operator, operands=operands):
                for operand in operands[:-1]:
                    following = self.new(exits.raises)
                    if operator == "and":
                        self.branch(operand, following, false, exits)
                    else:
                        self.branch(operand, true, following, exits)
                    self.start(following)
                self.branch(operands[-1], true, false, exits)
            case nodes.Constant(kind="bool" | "int" | "none", value=value):
                self.go(true if value else false)
                self.current = None
            case _:
                self.evaluate(test, exits)
                self.go(true, test, True)
                self.go(false, test, False)
                self.current = None

    def evaluate(self, node: nodes.Expression | None, exits: _Exits) -> None:
        if node is None or self.current is None:
            return
        match node:
            case nodes.Name() | nodes.Constant():
                self.load(node)
            case nodes.BooleanOperation(operator=operator, operands=[first, *rest]):
                self.evaluate(first, exits)
                after = self.new(exits.raises)
                for before, operand in zip((first, *rest), rest, strict=False):
                    self.go(after, before, operator == "or")
                    following = self.new(exits.raises)
                    self.go(following, before, operator == "and")
                    self.start(following)
                    self.evaluate(operand, exits)
                self.go(after)
                self.start(after)
            case nodes.Conditional(test=test, body=body, orelse=orelse):
                after = self.new(exits.raises)
                true, false = self.new(exits.raises), self.new(exits.raises)
                self.branch(test, true, false, exits)
                for block, value in ((true, body), (false, orelse)):
                    self.start(block)
                    self.evaluate(value, exits)
                    self.go(after)
                self.start(after)
            case nodes.Comprehension(elements=elements, clauses=clauses):
                self.comprehension(elements, clauses, exits)
            case nodes.Lambda():
                return
            case nodes.Walrus(target=target, value=value):
                self.evaluate(value, exits)
                self.store(target, node, exits)
            case _:
                self.parts(node, exits)
                if isinstance(node, nodes.Call):
                    self.atom("call", node)
                else:
                    self.load(node)

    def parts(self, node: nodes.Node, exits: _Exits) -> None:
        for child in nodes.children(node):
            if isinstance(child, nodes.Expression):
                self.evaluate(child, exits)
            else:
                self.parts(child, exits)

    def load(self, node: nodes.Expression) -> None:
        if isinstance(node, (nodes.Name, nodes.Attribute, nodes.Subscript)):
            self.atom("load", node)
        elif isinstance(node, (nodes.Comparison, nodes.BinaryOperation)):
            self.atom("operation", node)

    def comprehension(
        self, elements: list[nodes.Expression], clauses: list[nodes.Clause], exits: _Exits
    ) -> None:
        after = self.new(exits.raises)
        for position, clause in enumerate(clauses):
            self.evaluate(clause.iterable, exits)
            self.atom("iterate", clause)
            if position or not runs_at_least_once(clause.iterable):
                self.go(after)
            inner = self.new(exits.raises)
            self.go(inner)
            self.start(inner)
            self.store(clause.target, clause, exits)
            for condition in clause.conditions:
                passed = self.new(exits.raises)
                self.branch(condition, passed, after, exits)
                self.start(passed)
        for element in elements:
            self.evaluate(element, exits)
        self.go(after)
        self.start(after)


def _catches_everything(handler: nodes.ExceptHandler) -> bool:
    """Whether no ordinary exception passes the handler."""
    caught = handler.exception
    if caught is None:
        return True
    return isinstance(caught, nodes.Name) and caught.id in ("Exception", "BaseException")


def _suppresses(manager: nodes.Expression) -> bool:
    """Whether leaving `with` swallows exceptions: `contextlib.suppress(…)`."""
    match manager:
        case nodes.Call(func=nodes.Name(id="suppress") | nodes.Attribute(attr="suppress")):
            return True
    return False


_MAX_BLOCKS = 4000
"""A function with more blocks than this is not followed; hand-written ones have hundreds."""

_HARMLESS = frozenset(
    {
        *(
            "print",
            "str",
            "len",
            "dict",
            "list",
            "set",
            "int",
            "repr",
            "isinstance",
            "type",
            "bool",
        ),
        *("info", "debug", "warning", "warn", "error", "exception", "critical", "log"),
        *("append", "extend", "get", "items", "keys", "values", "format", "join", "strip", "add"),
        *("split", "replace", "lower", "upper", "startswith", "endswith", "update", "time"),
        *("now", "utcnow", "clear", "copy", "range", "enumerate", "getenv", "sorted", "max", "min"),
    }
)
"""Calls that hardly ever fail, so that no way out begins there."""
