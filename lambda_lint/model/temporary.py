"""Files that an invocation leaves below `/tmp`, under a name that the next one does not use again.

`/tmp` belongs to the environment and stays as it is from one invocation to the next:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from lambda_lint.model.constants import TEMPORARY, Constants
from lambda_lint.model.dependence import EVENT, ITERATION, Dependence
from lambda_lint.model.effects import Effects
from lambda_lint.model.entries import Handler
from lambda_lint.model.facts import Written
from lambda_lint.model.program import CallSite, Function, Scope
from lambda_lint.model.values import DisplayValue, External, FunctionValue
from lambda_lint.syntax import nodes


@dataclass(frozen=True, slots=True)
class Left:
    """A file that stays. `fresh` says that the call invents its name, `path` what it is named.

    `returned` says that its function gives the path to callers, who use the file after it.
    """

    fact: Written
    fresh: bool
    path: nodes.Expression | None
    returned: bool = False


@dataclass(frozen=True, slots=True)
class Packed:
    """A fixed folder that a call packs as a whole, and the call that adds another archive to it."""

    folder: str
    filling: CallSite


class Temporary:
    """Finds the files that nothing removes."""

    def __init__(self, effects: Effects, constants: Constants, dependence: Dependence) -> None:
        """Take the parts of the model that know who runs what, and what a path is made from."""
        self.effects = effects
        self.calls = effects.calls
        self.evaluator = effects.evaluator
        self.knowledge = effects.knowledge
        self.constants = constants
        self.dependence = dependence
        self._removing: dict[tuple[Handler, ...], bool] = {}

    def left_by(self, site: CallSite) -> Left | None:
        """Return the file that a call writes and that is there for ever; None when none is."""
        facts = {self.knowledge.written(one.name) for one in self.calls.externals.get(site, ())}
        fact = facts.pop() if len(facts) == 1 else None
        if fact is None or not self._writes(site, fact):
            return None
        if fact.fresh:
            if self._is_elsewhere(site) or self._is_removed(site.function):
                return None
            return Left(fact, True, None, self._is_returned(site, None))
        path = self._path(site, fact)
        if path is None or not self.is_below(path, site.scope):
            return None
        if not self._varies(path, site.scope) or self._is_removed(site.function):
            return None
        return Left(fact, False, path, self._is_returned(site, path))

    def packed_by(self, site: CallSite) -> Packed | None:
        """Return the folder that a call packs with what earlier invocations unpacked there."""
        if not any(one.name in _PACKING for one in self.calls.externals.get(site, ())):
            return None
        folder = self._packed_folder(site)
        if folder is None or self._is_removed(site.function):
            return None
        for function in self.effects.reached_with(site.function):
            for other in function.calls:
                facts = {
                    self.knowledge.written(one.name) for one in self.calls.externals.get(other, ())
                }
                fact = facts.pop() if len(facts) == 1 else None
                if fact is None or fact.what != "files" or fact.fresh:
                    continue
                path = self._path(other, fact)
                into = self.constants.text(path, other.scope) if path is not None else None
                if into is None or not _overlap(into, folder):
                    continue
                func = other.node.func
                archive = func.value if isinstance(func, nodes.Attribute) else func
                given = [one.value for one in other.node.arguments if one.value is not path]
                if any(self._varies(one, other.scope) for one in (archive, *given)):
                    return Packed(folder, other)
        return None

    def _packed_folder(self, site: CallSite) -> str | None:
        """Return what `make_archive(name, format, root, base)` packs, if it is below `/tmp`."""
        arguments = site.node.arguments
        if any(one.star for one in arguments):
            return None
        positional = [one.value for one in arguments if not one.name]
        names = ("base_name", "format", "root_dir", "base_dir")
        given = dict(zip(names, positional, strict=False))
        given.update({one.name: one.value for one in arguments if one.name})
        found = ""
        for name in ("root_dir", "base_dir"):
            if name in given:
                text = self.constants.text(given[name], site.scope)
                if text is None:
                    return None
                found = posixpath.normpath(posixpath.join(found, text))
        return found if _is_temporary(found) else None

    def _is_returned(self, site: CallSite, path: nodes.Expression | None) -> bool:
        """Whether callers in the project get the path of what the call writes."""
        function = site.function
        if function.is_module or not any(
            edge.kind in ("call", "method") for edge in self.calls.into.get(function, ())
        ):
            return False
        names = {path.id} if isinstance(path, nodes.Name) else set()
        parent = site.module.parents.get(site.node)
        if path is None:
            match parent:
                case nodes.Return():
                    return True
                case nodes.WithItem(target=target) if target is not None:
                    names |= _names_in(target)
                case nodes.Assign(targets=targets):
                    names |= {name for target in targets for name in _names_in(target)}
        for name, bindings in function.scope.bindings.items():
            if any(
                one.kind == "assign" and one.value is not None and _is_path_of(one.value, names)
                for one in bindings
            ):
                names.add(name)
        return any(_is_path_of(value, names) for value, _ in function.returns)

    def fixed_path(self, site: CallSite) -> str | None:
        """Return the path below `/tmp` that a call writes for every event; None if not certain.

        Nor where locks or renames show that somebody else may be writing it.
        """
        facts = {self.knowledge.written(one.name) for one in self.calls.externals.get(site, ())}
        fact = facts.pop() if len(facts) == 1 else None
        if fact is None or fact.fresh or not self._writes(site, fact):
            return None
        path = self._path(site, fact)
        text = self.constants.text(path, site.scope) if path is not None else None
        if text is None or not _is_temporary(text):
            return None
        for function in self.effects.reached_with(site.function):
            for one in function.calls:
                if any(
                    external.name in _ORDERING for external in self.calls.externals.get(one, ())
                ):
                    return None
        return text

    def _writes(self, site: CallSite, fact: Written) -> bool:
        arguments = site.node.arguments
        if fact.only_off:
            return any(
                one.name == fact.only_off
                and isinstance(one.value, nodes.Constant)
                and one.value.value is False
                for one in arguments
            )
        if fact.mode is None:
            return True
        positional = [one.value for one in arguments if not one.name and not one.star]
        named = [one.value for one in arguments if one.name == "mode"]
        given = named or positional[fact.mode : fact.mode + 1]
        text = self.constants.text(given[0], site.scope) if given else None
        return text is not None and any(letter in text for letter in "wax")

    def _path(self, site: CallSite, fact: Written) -> nodes.Expression | None:
        if fact.receiver:
            func = site.node.func
            return func.value if isinstance(func, nodes.Attribute) else None
        for one in site.node.arguments:
            if one.name == fact.argument:
                return one.value
        if any(one.star for one in site.node.arguments):
            return None
        positional = [one.value for one in site.node.arguments if not one.name]
        return positional[fact.position] if fact.position < len(positional) else None

    def _is_elsewhere(self, site: CallSite) -> bool:
        """Whether a new name is asked for in a folder that need not be `/tmp`."""
        given = [one.value for one in site.node.arguments if one.name == "dir"]
        return bool(given) and not self.is_below(given[0], site.scope)

    # Where it is.

    def is_below(self, node: nodes.Expression, scope: Scope, depth: int = 0) -> bool:
        """Whether a path begins with `/tmp`, on some way that it is put together."""
        if depth > _MAX_DEPTH:
            return False
        if _is_temporary(self.constants.beginning(node, scope)):
            return True
        match node:
            case nodes.FormattedString(parts=[first, *_]):
                return self.is_below(first, scope, depth + 1)
            case nodes.BinaryOperation(left=left):
                return self.is_below(left, scope, depth + 1)
            case nodes.Conditional(body=body, orelse=orelse):
                return self.is_below(body, scope, depth + 1) or self.is_below(
                    orelse, scope, depth + 1
                )
            case nodes.Call(func=func, arguments=arguments):
                return self._is_call_below(func, arguments, scope, depth)
            case nodes.Name(id=name):
                return any(
                    self.is_below(value, where, depth + 1)
                    for value, where in self._values(name, node, scope)
                )
            case nodes.Attribute():
                return any(
                    self.is_below(value, where, depth + 1)
                    for value, where in self.constants.attribute_values(node, scope)
                )
        return False

    def _is_call_below(
        self,
        func: nodes.Expression,
        arguments: list[nodes.Argument],
        scope: Scope,
        depth: int,
    ) -> bool:
        if isinstance(func, nodes.Attribute) and func.attr == "format":
            text = self.constants.text(func.value, scope)
            if text is not None and text.startswith("{") and arguments:
                return self.is_below(arguments[0].value, scope, depth + 1)
        for value in self.evaluator.evaluate(func, scope):
            if isinstance(value, External) and value.name in _PATHS and arguments:
                return self.is_below(arguments[0].value, scope, depth + 1)
            if isinstance(value, External) and value.name == "tempfile.gettempdir":
                return True
            if isinstance(value, FunctionValue) and any(
                self.is_below(returned, inner, depth + 1)
                for returned, inner in value.function.returns
            ):
                return True
        return False

    def _values(
        self, name: str, node: nodes.Name, scope: Scope
    ) -> Iterator[tuple[nodes.Expression, Scope]]:
        owner = scope.module.scope_of.get(node, scope).lookup(name)
        if owner is None:
            return
        for binding in owner.bindings[name]:
            if binding.kind == "assign" and binding.value is not None and binding.index is None:
                yield binding.value, binding.scope
        yield from self.constants.given(node, scope)

    # Whether it is another one each time.

    def _varies(self, path: nodes.Expression, scope: Scope) -> bool:
        labels = self.dependence.of(path, scope)
        if self._is_selected(path, scope):
            labels = frozenset()
        if EVENT in labels:
            return not self._is_of_few(path, scope)
        if ITERATION in labels and self._is_open_loop(path, scope):
            return True
        for node, where in self.constants.origins(path, scope):
            if isinstance(node, nodes.Call) and any(
                isinstance(one, External) and self.knowledge.is_unique(one.name)
                for one in self.evaluator.evaluate(node.func, where)
            ):
                return not where.function.is_module
        return False

    def _is_selected(
        self, node: nodes.Expression, scope: Scope, seen: frozenset[nodes.Node] = frozenset()
    ) -> bool:
        """Whether the event only says which entry of a table is taken: `FILES[event["kind"]]`."""
        # What leads back to itself, as a name that is used for two files, adds nothing.
        if not {EVENT, ITERATION} & self.dependence.of(node, scope) or node in seen:
            return True
        parts: list[tuple[nodes.Expression, Scope]] = []
        match node:
            case nodes.Subscript(value=value):
                parts = [(value, scope)]
            case nodes.FormattedString(parts=texts):
                parts = [(one, scope) for one in texts]
            case nodes.BinaryOperation(left=left, right=right):
                parts = [(left, scope), (right, scope)]
            case nodes.Call(func=nodes.Attribute(value=value, attr="read"), arguments=[]):
                parts = [(value, scope)]
            case nodes.Call(arguments=arguments) if self._is_form(node, scope):
                parts = [(one.value, scope) for one in arguments]
            case nodes.Name():
                parts = self.constants.sources(node, scope)
        seen = seen | {node}
        return (
            bool(parts)
            and len(seen) < _MAX_DEPTH
            and all(self._is_selected(one, where, seen) for one, where in parts)
        )

    def _is_form(self, node: nodes.Call, scope: Scope) -> bool:
        """Whether a call puts a path together, or reads a table from a file."""
        values = self.evaluator.evaluate(node.func, scope)
        return bool(values) and all(
            isinstance(one, External) and one.name in _PATHS | _READING for one in values
        )

    def _is_of_few(self, path: nodes.Expression, scope: Scope) -> bool:
        """Whether a part of a path is looked up first: `if language not in LANGUAGES: return`."""
        for node, where in self.constants.origins(path, scope):
            if not isinstance(node, nodes.Name):
                continue
            for one in nodes.walk(where.function.node):
                if (
                    isinstance(one, nodes.Comparison)
                    and one.operators in (["in"], ["not in"])
                    and isinstance(one.left, nodes.Name)
                    and one.left.id == node.id
                    and not isinstance(one.comparators[0], nodes.Constant)
                ):
                    return True
        return False

    def _is_open_loop(self, path: nodes.Expression, scope: Scope) -> bool:
        """Whether a part of a path is an item of something that is not written in the code."""
        for node, where in self.constants.origins(path, scope):
            if not isinstance(node, nodes.Name):
                continue
            owner = where.module.scope_of.get(node, where).lookup(node.id)
            for one in owner.bindings[node.id] if owner is not None else ():
                if one.kind != "iterate" or one.value is None or one.scope.function.is_module:
                    continue
                values = self.evaluator.evaluate(one.value, one.scope)
                written = any(isinstance(value, DisplayValue) for value in values)
                if not written and not self.constants.is_fixed(one.value, one.scope):
                    return True
        return False

    # Whether something removes it.

    def _is_removed(self, function: Function) -> bool:
        """Whether a handler that writes the file runs anything that removes files."""
        handlers = tuple(self.effects.phases.handlers_of(function))
        found = self._removing.get(handlers)
        if found is None:
            found = any(
                self._removes(site)
                for one in self.effects.reached_with(function)
                for site in one.calls
            )
            self._removing[handlers] = found
        return found

    def _removes(self, site: CallSite) -> bool:
        externals = self.calls.externals.get(site, ())
        if any(self.knowledge.removes(one.name) for one in externals):
            return True
        if any(self._is_removal(one.value, site.scope) for one in site.node.arguments):
            return True
        func = site.node.func
        if not externals and isinstance(func, nodes.Attribute) and func.attr in _REMOVING:
            return True
        # `subprocess.run(["rm", "-rf", folder])` and `os.system("rm -rf /tmp/*")`.
        return any(
            isinstance(one, nodes.Constant)
            and isinstance(one.value, str)
            and (one.value == "rm" or one.value.startswith("rm ") or " rm " in one.value)
            for argument in site.node.arguments
            for one in nodes.walk(argument.value)
        )

    def _is_removal(self, value: nodes.Expression, scope: Scope) -> bool:
        """Whether somebody is told to remove something: `stack.callback(shutil.rmtree, folder)`."""
        if not isinstance(value, (nodes.Name, nodes.Attribute)):
            return False
        return any(
            isinstance(one, External) and self.knowledge.removes(one.name)
            for one in self.evaluator.evaluate(value, scope)
        )


def _is_temporary(text: str) -> bool:
    return text == TEMPORARY or text.startswith(f"{TEMPORARY}/")


def _overlap(one: str, other: str) -> bool:
    """Whether one of two folders is the other or holds it."""
    first, second = (f"{posixpath.normpath(path)}/" for path in (one, other))
    return first.startswith(second) or second.startswith(first)


_PACKING = frozenset({"shutil.make_archive"})
_PATHS = frozenset(
    {"os.path.join", "os.path.abspath", "os.path.normpath", "pathlib.Path", "pathlib.PosixPath"}
    | {"builtins.str", "os.fspath", "os.path.realpath"}
)
_READING = frozenset(
    {"builtins.open", "json.load", "json.loads", "yaml.safe_load", "tomllib.load", "tomllib.loads"}
)
_ORDERING = frozenset(
    {"fcntl.flock", "fcntl.lockf", "os.replace", "os.rename", "filelock.FileLock"}
)
_REMOVING = frozenset({"unlink", "rmtree", "rmdir", "cleanup", "remove_file"})
_MAX_DEPTH = 12


def _names_in(target: nodes.Expression) -> set[str]:
    return {one.id for one in nodes.walk(target) if isinstance(one, nodes.Name)}


def _is_path_of(value: nodes.Expression, names: set[str]) -> bool:
    """Whether a value is one of the names, their `name`, or holds one of these."""
    match value:
        case nodes.Name(id=name):
            return name in names
        case nodes.Attribute(attr="name", value=nodes.Name(id=name)):
            return name in names
        case nodes.Collection(items=items):
            return any(_is_path_of(one, names) for one in items)
        case nodes.Call(func=nodes.Name(id="str" | "Path"), arguments=[argument]):
            return _is_path_of(argument.value, names)
    return False
