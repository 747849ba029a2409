"""Code to write in the place of what is reported, in the words of the code that is there.

A library is used where the project asks for it or imports it already; otherwise it is the least
that works. The text is one sentence, and indented lines below it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from lambda_lint.model.caches import Caching
from lambda_lint.model.kept import Kept
from lambda_lint.model.program import Scope
from lambda_lint.model.project import Call, Project
from lambda_lint.model.secret_uses import is_decorating, is_of_object, made_at_import, written_as
from lambda_lint.syntax import nodes


def secret_getter(kept: Kept, project: Project) -> str:
    """Return how to keep a secret or a setting for some minutes only."""
    asked = _asked(kept, project)
    if is_of_object(kept, project):
        return (
            f"have the object fetch `{written_as(kept, project)}` where it uses it, by a getter "
            "that remembers it for some minutes, or make the object anew after that time"
        )
    made = made_at_import(kept, project)
    if made:
        if is_decorating(made[0], kept, project):
            # Its functions are registered at import, so that it cannot be made again.
            return (
                f"`{made[0]}` keeps what it was made from: give it a function that fetches the "
                "value and keeps it for some minutes, where the library takes one"
            )
        return _made_anew(kept, made)
    if project.has_library("aws-lambda-powertools") and asked is not None:
        call = _of_powertools(kept, asked)
        return _code(
            f"call this where it is needed, instead of `{kept.shown}`; it is kept for five minutes",
            f"from aws_lambda_powertools.utilities import parameters\n\n{call}",
        )
    if kept.how == "decorator":
        if project.has_library("cachetools"):
            return _code(
                "use a cache with a lifetime instead of the decorator",
                "@cachetools.cached(cachetools.TTLCache(maxsize=8, ttl=300, timer=time.time))",
            )
        name = kept.shown.removesuffix("()")
        return _code(
            "have the decorator keep it for five minutes, by an argument that changes then",
            f"@functools.lru_cache(maxsize=8)\n"
            f"def {name}(…, ttl_slot): ...\n\n"
            f"{name}(…, ttl_slot=time.time() // 300)",
        )
    name = kept.shown.rpartition(".")[2].partition("[")[0]
    if kept.how == "memo" or not name.isidentifier():
        return _code(
            f"remember beside `{kept.shown}` when it was fetched, and fetch it again after that",
            f"if {kept.shown} is None or time.time() - fetched_at > 300:\n"
            f"    {kept.shown} = …\n"
            "    fetched_at = time.time()",
        )
    getter = name.lower().lstrip("_")
    since = f"_{getter}_fetched_at"
    getter = f"get_{getter}" if getter == name else getter
    return _code(
        f"fetch it where it is needed, by a getter that keeps `{name}` for five minutes",
        f"{name} = None\n"
        f"{since} = 0.0\n\n"
        f"def {getter}():\n"
        f"    global {name}, {since}\n"
        f"    if {name} is None or time.time() - {since} > 300:\n"
        f"{textwrap.indent(f'{name} = {_value(kept, project)}', ' ' * 8)}\n"
        f"        {since} = time.time()\n"
        f"    return {name}",
    )


def _made_anew(kept: Kept, made: Sequence[str]) -> str:
    """Return how to keep for some minutes what was made from a secret at import."""
    rest = f", and so with `{'`, `'.join(made[1:])}`" if len(made) > 1 else ""
    sentence = f"invocations use `{made[0]}`: make it from a fresh value every five minutes"
    if not made[0].isidentifier():
        return f"{sentence} where it is used, instead of at import{rest}"
    name = made[0]
    since = f"_{name.lower().lstrip('_')}_made_at"
    return _code(
        f"{sentence}, by a getter{rest}",
        f"{name} = None\n"
        f"{since} = 0.0\n\n"
        f"def get_{name.lower().lstrip('_')}():\n"
        f"    global {name}, {since}\n"
        f"    if {name} is None or time.time() - {since} > 300:\n"
        f"        {name} = …  # from a new `{kept.shown}`\n"
        f"        {since} = time.time()\n"
        f"    return {name}",
    )


def bounded_cache(caching: Caching, project: Project) -> str:
    """Return how to give a cache a size, and a lifetime where there is a library for it."""
    has_library = project.has_library("cachetools")
    if caching.is_decorator:
        also = (
            ", or `cachetools.TTLCache(maxsize=128, ttl=300, timer=time.time)` for what changes"
            if has_library
            else ""
        )
        return _code(f"give it a bound{also}", "@functools.lru_cache(maxsize=128)")
    if has_library and caching.shown.isidentifier():
        return _code(
            "give it a bound and a lifetime",
            f"{caching.shown} = cachetools.TTLCache(maxsize=128, ttl=300, timer=time.time)",
        )
    target = project.sources[caching.path].slice(caching.span)
    container = target.rpartition("[")[0] if target.endswith("]") else caching.shown
    if caching.keeps_locks:
        # To take one out by its age would let a second one in beside who holds it.
        return _code(
            "keep only the locks that somebody holds or waits for, each in a variable before it "
            "goes in, because this alone does not hold it",
            f"{container} = weakref.WeakValueDictionary()",
        )
    return _code(
        "take out the oldest entry when it is full",
        f"if len({container}) >= 128:\n    {container}.pop(next(iter({container})))",
    )


def ended_in_finally(call: Call, ending: str) -> str:
    """Return how to end what a call makes on every way out; `ending` is the method, as `join`."""
    name = _bound_to(call.node, call.site.scope)
    if name is None:
        return f"keep it in a variable, and call `{ending}()` on it in a `finally`"
    return _code(
        f"end `{name}` on every way out",
        f"{name}.start()\ntry:\n    …\nfinally:\n    {name}.{ending}()",
    )


def _code(sentence: str, code: str) -> str:
    return f"{sentence}:\n\n{textwrap.indent(code, ' ' * 4)}"


def _asked(kept: Kept, project: Project) -> str | None:
    """Return how the code writes which secret it asks for; None when that is not simple."""
    source = project.sources[kept.site.module.path]
    for one in kept.site.node.arguments:
        is_named = one.name in ("SecretId", "Name", "name")
        if not one.star and (is_named or (one.name is None and "get_" in _called(kept))):
            simple = isinstance(one.value, (nodes.Constant, nodes.Name, nodes.Subscript))
            return source.slice(one.value.span) if simple else None
    return None


def _called(kept: Kept) -> str:
    func = kept.site.node.func
    return getattr(func, "attr", "") or getattr(func, "id", "")


def _of_powertools(kept: Kept, asked: str) -> str:
    if "parameter" not in kept.what:
        return f"parameters.get_secret({asked}, max_age=300)"
    decrypt = ", decrypt=True" if kept.kind == "secret" else ""
    return f"parameters.get_parameter({asked}{decrypt}, max_age=300)"


def _value(kept: Kept, project: Project) -> str:
    """Return what the code gives the variable today."""
    module = kept.site.module
    if kept.path != module.path:
        return "…"
    statement = module.statement_of(kept.site.node)
    value = getattr(statement, "value", None)
    if not isinstance(value, nodes.Expression) or statement is None or statement.span != kept.span:
        return "…"
    first, *more = project.sources[module.path].slice(value.span).splitlines()
    if len(more) > _MAX_LINES or len(first) > _MAX_LENGTH:
        return "…"
    return "\n".join([first, *textwrap.dedent("\n".join(more)).splitlines()])


def _bound_to(node: nodes.Call, scope: Scope) -> str | None:
    match scope.module.parents.get(node):
        case nodes.Assign(targets=[nodes.Name(id=name)]):
            return name
        case nodes.AnnotatedAssign(target=nodes.Name(id=name)):
            return name
    return None


_MAX_LINES = 6
"""How many further lines of an expression are shown."""

_MAX_LENGTH = 200
"""How many characters of its first line are."""
