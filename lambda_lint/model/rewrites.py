"""Edits that make a call run once: hoist it to module level, or put it into a cached function."""

from __future__ import annotations

import builtins
import keyword
import re

from lambda_lint.finding import Edit, Fix, Span
from lambda_lint.model.program import Binding, Function, Module, Scope
from lambda_lint.model.project import Call
from lambda_lint.source import Source
from lambda_lint.syntax import nodes


def hoist(call: Call) -> Fix | None:
    """Move `name = call` from a function to module level, in front of that function.

    Only where nothing but the number of calls changes: a plain assignment directly in the body of
    a module-level function, arguments that exist above it, a name that is free, an object that
    does not connect when it is made. Returns None otherwise. It is safe only when no branch decides
    over the call.
    """
    statement = _plain_assignment(call)
    function = call.function
    if call.is_changed_later or call.makes_subclass:
        return None
    if statement is None or not isinstance(function.node, nodes.FunctionDef):
        return None
    if function.definition_scope is None or function.definition_scope.kind != "module":
        return None
    if statement not in function.node.body or len(function.node.body) < 2:
        return None
    target = statement.targets[0]
    if not isinstance(target, nodes.Name) or not _is_free(target.id, call):
        return None
    module = call.site.module
    source = call.project.sources[call.path]
    line = _first_line(function.node, source)
    if not _bound_above(call.node, call.site.scope, line):
        return None
    span = _whole_lines(statement.span, source)
    if span is None:
        return None
    start, end = span
    moved = _dedented(source.text[start:end], statement.span.column - 1)
    above = _blank_lines_above(line, source)
    newline = _newline(source)
    insertion = source.offset(line, 1)
    if not moved.endswith(("\n", "\r")):
        moved += newline
    if _is_last_in_block(statement, module):
        return None
    return Fix(
        f"Make `{target.id}` once, at module level",
        # What a branch leaves out today would be made for all.
        safe=not call.is_conditional,
        edits=(Edit(insertion, insertion, moved + newline * above), Edit(start, end, "")),
    )


def cached_getter(call: Call) -> Fix | None:
    """Make the object on first use and keep it, with `functools.cache`.

    A function that does nothing but return the call is decorated; otherwise the call moves to a
    new function. Not safe, because objects are shared then and tests that patch the library have
    to clear the cache. Returns None where the call needs anything that is local.
    """
    if call.is_changed_later or call.makes_subclass:
        return None
    if not _bound_anywhere(call.node, call.site.scope):
        function = call.function
        if not (_only_returns(call) and function.parameters and _has_few_keys(call)):
            return None
    function = call.function
    if function.is_module or not isinstance(function.node, nodes.FunctionDef):
        return None
    module = call.site.module
    source = call.project.sources[call.path]
    newline = _newline(source)
    decorator, import_edit = _imported(module, source, "functools", "cache")
    if decorator is None:
        return None
    edits: list[Edit] = [import_edit] if import_edit is not None else []
    if _only_returns(call) and not function.is_method and not function.decorators:
        at = source.offset(function.node.span.line, 1)
        indent = " " * (function.node.span.column - 1)
        edits.append(Edit(at, at, f"{indent}@{decorator}{newline}"))
        return Fix(f"Keep what `{function.name}` returns", safe=False, edits=tuple(sorted(edits)))
    if not _bound_anywhere(call.node, call.site.scope):
        return None
    # Equal calls share one function, named and placed for the first of them.
    first = next(
        (one for one in call.twins if not _only_returns(one) and not one.function.is_module), call
    )
    owner = _outermost(first.function)
    if owner is None:
        return None
    name = _getter_name(first, module)
    line = _first_line(owner, source)
    at = source.offset(line, 1)
    if import_edit is not None and at <= import_edit.start:
        return None
    start = source.offset(call.span.line, call.span.column)
    end = source.offset(call.span.end_line, call.span.end_column)
    text = source.text[start:end]
    if "\n" in text:
        return None
    body = f"@{decorator}{newline}def {name}():{newline}    return {text}{newline}"
    edits.append(Edit(at, at, body + newline * max(1, _blank_lines_above(line, source))))
    edits.append(Edit(start, end, f"{name}()"))
    return Fix(f"Make it once, in the cached `{name}`", safe=False, edits=tuple(sorted(edits)))


def add_argument(call: Call, text: str, *, title: str) -> Fix | None:
    """Add a keyword argument, on a line of its own where the others have one. Safe.

    Returns None for a call without arguments, and where one is written with a star at the end.
    """
    arguments = call.node.arguments
    if not arguments or any(one.star for one in arguments):
        return None
    source = call.project.sources[call.path]
    last = arguments[-1].span
    at = source.offset(last.end_line, last.end_column)
    start = source.offset(last.line, last.column)
    line_start = source.offset(last.line, 1)
    indent = source.text[line_start:start]
    separator = f",{_newline(source)}{indent}" if not indent.strip() and len(indent) else ", "
    return Fix(title, safe=True, edits=(Edit(at, at, f"{separator}{text}"),))


def name_clock(call: Call) -> Fix | None:
    """Let a cache measure its ages by `time.time`, with `timer=`. Safe."""
    module = call.site.module
    clock, import_edit = _imported(module, call.project.sources[call.path], "time", "time")
    if clock is None:
        return None
    fix = add_argument(call, f"timer={clock}", title=f"Measure ages by `{clock}`")
    if fix is None or import_edit is None:
        return fix
    if fix.edits[0].start <= import_edit.start:
        return None
    return Fix(fix.title, safe=True, edits=(import_edit, *fix.edits))


def needs_only_module_names(call: Call) -> bool:
    """Whether the call could stand at module level as it is written."""
    return _bound_anywhere(call.node, call.site.scope)


def _plain_assignment(call: Call) -> nodes.Assign | None:
    statement = call.site.module.statement_of(call.node)
    if not isinstance(statement, nodes.Assign) or statement.value is not call.node:
        return None
    return statement if len(statement.targets) == 1 else None


def _is_free(name: str, call: Call) -> bool:
    """Whether the name can mean the same thing in the whole module."""
    scope = call.function.scope
    if name in scope.declared or len(scope.bindings.get(name, ())) != 1:
        return False
    if hasattr(builtins, name):
        return False
    module = call.site.module
    if name in module.scope.bindings or module.stars:
        return False
    # A function that uses the same name for something of its own is left alone, a reader is not.
    return name not in module.declared_global


def _bound_above(node: nodes.Node, scope: Scope, line: int) -> bool:
    """Whether everything that the expression needs is bound at module level above a line."""
    return all(
        binding is None or binding.node.span.line < line for binding in _needed(node, scope)
    ) and _bound_anywhere(node, scope)


def _bound_anywhere(node: nodes.Node, scope: Scope) -> bool:
    """Whether the expression needs nothing but module variables and builtins."""
    for one in nodes.walk(node):
        if isinstance(one, (nodes.Lambda, nodes.Comprehension, nodes.Await, nodes.Walrus)):
            return False
        if isinstance(one, nodes.Name):
            found = scope.lookup(one.id)
            if found is None:
                if not hasattr(builtins, one.id):
                    return False
            elif found.kind != "module" or len(found.bindings[one.id]) != 1:
                return False
    return True


def _needed(node: nodes.Node, scope: Scope) -> list[Binding | None]:
    needed: list[Binding | None] = []
    for one in nodes.walk(node):
        if isinstance(one, nodes.Name):
            found = scope.lookup(one.id)
            if found is not None:
                needed += found.bindings[one.id]
    return needed


def _only_returns(call: Call) -> bool:
    """Whether the function consists of `return call`, after a docstring."""
    node = call.function.node
    if not isinstance(node, nodes.FunctionDef) or node.is_async or len(node.body) > 2:
        return False
    body = [one for one in node.body if not _is_docstring(one)]
    return len(body) == 1 and isinstance(body[0], nodes.Return) and body[0].value is call.node


def _has_few_keys(call: Call) -> bool:
    """Whether the parameters are plain, so that they can be the key of a cache."""
    return all(
        one.kind in ("positional-only", "positional", "keyword-only")
        for one in call.function.parameters
    )


def _is_docstring(statement: nodes.Statement) -> bool:
    return isinstance(statement, nodes.ExpressionStatement) and isinstance(
        statement.value, nodes.Constant
    )


def _outermost(function: Function) -> nodes.FunctionDef | nodes.ClassDef | None:
    """Return the definition at module level that the function stands in."""
    node: nodes.Node | None = function.node
    parents = function.module.parents
    best: nodes.FunctionDef | nodes.ClassDef | None = None
    while node is not None:
        if isinstance(node, (nodes.FunctionDef, nodes.ClassDef)):
            best = node
        node = parents.get(node)
    return best if best is not None and best.span.column == 1 else None


def _first_line(node: nodes.FunctionDef | nodes.ClassDef, source: Source) -> int:
    """Return the line in front of which something can be put: above decorators and comments."""
    line = min([node.span.line, *(one.span.line for one in node.decorators)])
    while line > 1 and source.lines[line - 2].startswith("#"):
        line -= 1
    return line


def _blank_lines_above(line: int, source: Source) -> int:
    count = 0
    while line - count > 1 and not source.lines[line - count - 2].strip():
        count += 1
    return min(count, 2)


def _whole_lines(span: Span, source: Source) -> tuple[int, int] | None:
    """Return the offsets of the lines of a statement, None when something else stands on them."""
    first = source.lines[span.line - 1]
    last = source.lines[span.end_line - 1]
    if first[: span.column - 1].strip():
        return None
    rest = last[span.end_column - 1 :].strip()
    if rest and not rest.startswith("#"):
        return None
    start = source.offset(span.line, 1)
    return start, source.offset(span.end_line, 1) + len(last)


def _dedented(text: str, columns: int) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(line[columns:] if not line[:columns].strip() else line for line in lines)


def _is_last_in_block(statement: nodes.Statement, module: Module) -> bool:
    parent = module.parents.get(statement)
    body = getattr(parent, "body", None)
    return isinstance(body, list) and len(body) == 1


def _newline(source: Source) -> str:
    match = re.search(r"\r\n|\n|\r", source.text)
    return match.group() if match else "\n"


def _imported(
    module: Module, source: Source, package: str, wanted: str
) -> tuple[str | None, Edit | None]:
    """Return how `wanted` of a package is written here, and the import that it needs."""
    for name, bindings in module.scope.bindings.items():
        for binding in bindings:
            if binding.kind == "import" and binding.module == package:
                return f"{name}.{wanted}", None
            if binding.kind == "from" and (binding.module, binding.name) == (package, wanted):
                return name, None
    if package in module.scope.bindings or module.stars:
        return None, None
    first = next(
        (
            one
            for one in module.tree.body
            if isinstance(one, (nodes.Import, nodes.ImportFrom)) and not _is_future(one)
        ),
        None,
    )
    if first is None or first.span.column != 1:
        return None, None
    at = source.offset(first.span.line, 1)
    return f"{package}.{wanted}", Edit(at, at, f"import {package}{_newline(source)}")


def _is_future(statement: nodes.Statement) -> bool:
    return isinstance(statement, nodes.ImportFrom) and statement.module == "__future__"


def _getter_name(call: Call, module: Module) -> str:
    """Return a free name for the new function, from the variable or the service."""
    base = call.local_name or ""
    arguments = call.node.arguments
    if not base and arguments and arguments[0].name is None:
        first = arguments[0].value
        if isinstance(first, nodes.Constant) and isinstance(first.value, str):
            func = call.node.func
            made = func.attr if isinstance(func, nodes.Attribute) else "client"
            base = f"{first.value}_{made}"
    if not base and call.constructor is not None:
        base = call.constructor.what.split()[-1]
    base = re.sub(r"\W+", "_", base, flags=re.ASCII).strip("_").lower() or "client"
    name = f"_{base}"
    number = 2
    while name in module.scope.bindings or keyword.iskeyword(name):
        name = f"_{base}_{number}"
        number += 1
    return name
