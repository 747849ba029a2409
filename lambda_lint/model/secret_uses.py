"""What the code calls a secret that it keeps, and what it uses in its place.

Advice about a variable helps only where invocations use that variable. Often they use what was
made from it at import: a client, headers, an entry of `os.environ`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from lambda_lint.model.kept import Kept
from lambda_lint.model.program import Module, Scope
from lambda_lint.model.project import Project
from lambda_lint.model.values import ModuleValue
from lambda_lint.syntax import nodes


def written_as(kept: Kept, project: Project) -> str:
    """Return what the code writes where the value is kept: `self.token`, not `Client.token`."""
    if "." not in kept.shown:
        return kept.shown
    text = project.sources[kept.path].slice(kept.span)
    target = re.match(r"[A-Za-z_][\w.]*(?=\s*[:=][^=])", text)
    attr = kept.shown.rpartition(".")[2].partition("[")[0]
    return target[0] if target and target[0].endswith(f".{attr}") else kept.shown


def is_of_object(kept: Kept, project: Project) -> bool:
    """Whether it is an attribute that methods of an object give it."""
    return written_as(kept, project).startswith("self.")


def told_with(kept: Kept, project: Project) -> list[Kept]:
    """Return the secrets of one object that one function fetches, the one to tell of first."""
    if not is_of_object(kept, project):
        return [kept]
    found = [
        one
        for one in project.kept
        if one.kind == kept.kind
        and one.path == kept.path
        and one.handlers == kept.handlers
        and one.site.function is kept.site.function
        and is_of_object(one, project)
    ]
    return sorted(found, key=lambda one: (one.in_object, _NO_SECRET.search(one.shown) is not None))


def made_at_import(kept: Kept, project: Project) -> list[str]:
    """Return what is made from a variable at import and used instead of it; mostly nothing is.

    Each is given as the code writes it, in the order of the file.
    """
    module = project.call_graph.modules.get(kept.path)
    if module is None or kept.how != "variable" or not kept.shown.isidentifier():
        return []
    loads = _Loads(module, project)
    if loads.is_used(kept.shown):
        return []
    found: dict[str, None] = {}
    pending = deque([kept.shown])
    seen = {kept.shown}
    while pending:
        for target in loads.made_from(pending.popleft()):
            if not isinstance(target, nodes.Name):
                text = project.sources[kept.path].slice(target.span)
                if len(text) <= _LONGEST:
                    found[text] = None
            elif target.id not in seen:
                seen.add(target.id)
                if loads.is_used(target.id):
                    found[target.id] = None
                pending.append(target.id)
    return list(found)


def is_decorating(name: str, kept: Kept, project: Project) -> bool:
    """Whether functions of the module are registered on a variable: `@app.event("message")`."""
    module = project.call_graph.modules[kept.path]
    return any(
        isinstance(one, nodes.Name) and one.id == name
        for function in module.functions
        for decorator in function.decorators
        for one in nodes.walk(decorator)
    )


def says_no_secret(kept: Kept, project: Project) -> bool:
    """Whether a parameter has a constant name, and neither it nor what it is kept in says secret.

    Many decrypt all of their parameters, whatever is in them.
    """
    if not kept.issued.otherwise:
        return False
    asked = next(
        (one.value for one in kept.site.node.arguments if one.name in ("Name", "name")), None
    )
    text = project.constants.text(asked, kept.site.scope) if asked is not None else None
    if text is None:
        return False
    words = [text, kept.shown, *made_at_import(kept, project)]
    return not any(_SECRET.search(one) for one in words)


class _Loads:
    """Where one module reads its variables."""

    def __init__(self, module: Module, project: Project) -> None:
        self.module = module
        self.project = project
        self._by_name: dict[str, list[tuple[nodes.Name, Scope]]] = {}
        for node, scope in module.scope_of.items():
            if isinstance(node, nodes.Name) and scope.lookup(node.id) is module.scope:
                self._by_name.setdefault(node.id, []).append((node, scope))

    def is_used(self, name: str) -> bool:
        """Whether a function reads it, or another module may."""
        if any(not scope.function.is_module for _, scope in self._by_name.get(name, ())):
            return True
        evaluator = self.project.evaluator
        for other in self.project.call_graph.modules.values():
            if other is self.module:
                continue
            for bindings in other.scope.bindings.values():
                if any(
                    one.kind == "from"
                    and one.name == name
                    and evaluator.module_of_import(one) is self.module
                    for one in bindings
                ):
                    return True
            for function in (other.code, *other.functions):
                for node, scope in function.attribute_loads:
                    if node.attr == name and any(
                        isinstance(one, ModuleValue) and one.module is self.module
                        for one in evaluator.evaluate(node.value, scope)
                    ):
                        return True
        return False

    def made_from(self, name: str) -> Iterator[nodes.Expression]:
        """Yield the targets of the module's statements that read it."""
        for node, scope in self._by_name.get(name, ()):
            if not scope.function.is_module:
                continue
            match self.module.statement_of(node):
                case nodes.Assign(targets=targets, value=value) if _holds(value, node):
                    for target in targets:
                        yield from (
                            target.items if isinstance(target, nodes.Collection) else [target]
                        )
                case nodes.AnnotatedAssign(target=target, value=nodes.Expression() as value):
                    if _holds(value, node):
                        yield target
                case nodes.ExpressionStatement(
                    value=nodes.Call(func=nodes.Attribute(value=owner, attr=attr))
                ) if _SETTING.match(attr):
                    yield owner


def _holds(value: nodes.Expression, node: nodes.Node) -> bool:
    return any(one is node for one in nodes.walk(value))


_NO_SECRET = re.compile(r"(?:^|_|\.)(?:id|user|username|name|arn|url|host)$", re.IGNORECASE)
_SECRET = re.compile(
    r"secret|token|passw|pwd|key|cred|auth|private|sign|salt|cert|webhook|url|dsn|conn|database|db_"
    r"|pin$|hash|api",
    re.IGNORECASE,
)
_SETTING = re.compile(r"set|update|configure|init")
_LONGEST = 60
