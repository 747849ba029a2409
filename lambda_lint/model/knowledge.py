"""What is known about libraries: the tables under `lambda_lint/data/`, ready to be asked.

The tables are data, so that a fact can be added, corrected and sourced without touching code;
`data/README.md` describes them. Names are dotted, and `()` after a name means an object made by
calling it: `boto3.session.Session().client`. `Knowledge` knows nothing of anybody's code.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from lambda_lint.model.extras import (
    KINDS,
    RULES,
    KnowledgeError,
    extra_constructors_as_json,
    extra_effects_as_json,
)
from lambda_lint.model.facts import (
    Asking,
    CacheDecorator,
    Change,
    Constructor,
    Container,
    Effect,
    Evidence,
    Fact,
    Framework,
    Issued,
    Lifetime,
    Momentary,
    NameEvidence,
    ParameterEvidence,
    Registering,
    Request,
    Runner,
    Stored,
    Taker,
    Timeout,
    Written,
)

T = TypeVar("T")

DATA = Path(__file__).resolve().parent.parent / "data"
"""The folder with the tables."""


@dataclass(frozen=True, slots=True)
class _Table(Generic[T]):
    """Facts by name: a dictionary for the plain names, one pattern for those with a star."""

    exact: dict[str, T]
    wild: re.Pattern[str] | None
    values: tuple[T, ...]

    def find(self, name: str) -> T | None:
        """Return the fact about `name`; a plain name wins over a pattern."""
        found = self.exact.get(name)
        if found is not None or self.wild is None:
            return found
        match = self.wild.fullmatch(name)
        return (
            None if match is None or match.lastindex is None else self.values[match.lastindex - 1]
        )


@dataclass(frozen=True, slots=True)
class Knowledge:
    """All tables. Make one with `Knowledge.load`; it is shared and never changes."""

    _names: _Names
    _constructors: _Table[Constructor]
    _cache_decorators: _Table[CacheDecorator]
    _lifetimes: _Table[Lifetime]
    _containers: _Table[Container]
    _runners: _Table[Runner]
    _registering: _Table[Registering]
    _handler_decorators: _Table[Evidence]
    _handler_attributes: dict[str, Evidence]
    _handler_wrappers: _Table[Evidence]
    _handler_bodies: _Table[Evidence]
    _annotations: _Table[Evidence]
    _context_attributes: dict[str, Evidence]
    _platform_modules: _Table[Evidence]
    _frameworks: _Table[Framework]
    _pure: _Table[Fact]
    _pure_methods: dict[str, Fact]
    _momentary: _Table[Momentary]
    _stopping: _Table[Fact]
    _issued: _Table[Issued]
    _asking: _Table[Asking]
    #: Parts of addresses, and what a request to such a one hands out; the first that fits counts.
    issuing_addresses: tuple[tuple[str, Issued], ...]
    _requests: _Table[Request]
    _fetches: _Table[Stored]
    _stores: _Table[Stored]
    _openings: _Table[Fact]
    _takers: _Table[Taker]
    _timeouts: _Table[Timeout]
    _effects: _Table[Effect]
    _process_wide: _Table[Fact]
    _signals: _Table[Fact]
    _written: _Table[Written]
    _removals: _Table[Fact]
    _unique: _Table[Fact]
    _changes: _Table[Change]
    _primitives: _Table[Fact]
    _endings: _Table[Fact]
    name_evidence: tuple[NameEvidence, ...]
    parameter_evidence: tuple[ParameterEvidence, ...]
    file_evidence: tuple[NameEvidence, ...]
    #: Words of which one stands in every file that says of itself that it holds a handler, those
    #: that most such files have first.
    handler_words: tuple[str, ...]

    @staticmethod
    def load(
        extra_constructors: Iterable[object] = (),
        extra_effects: Iterable[object] = (),
        *,
        key: str = "reusable-constructors",
    ) -> Knowledge:
        """Return the packaged knowledge with `extra_constructors` and `extra_effects`, which win.

        Each extra is a dotted name, or a table (or a dataclass) with the keys of a constructor, of
        which only `names` is needed. `key` is the name of the setting in error texts. Raises
        KnowledgeError for an entry that cannot be used. The result is shared between calls.
        """
        extras = extra_constructors_as_json(extra_constructors, key)
        return _load(extras, extra_effects_as_json(extra_effects))

    @property
    def libraries(self) -> frozenset[str]:
        """The top-level packages of everything known: a copy in a project is not project code."""
        tables = (self._constructors, self._frameworks, self._cache_decorators, self._runners)
        names = {name for table in tables for name in table.exact}
        return self._names.roots | {_SEGMENT.split(name, maxsplit=1)[0] for name in names}

    def canonical(self, name: str) -> str:
        """Return the one spelling of a dotted name: aliases and results of calls resolved.

        `boto3.Session` is `boto3.session.Session`; `requests.session().get` is
        `requests.sessions.Session().get`, because `session()` makes a `Session`. Awaiting a call
        and entering it with `with` are not written: the name of `await asyncpg.connect()` is that
        of `asyncpg.connect()`.
        """
        return self._names.canonical(name)

    def constructor(self, name: str) -> Constructor | None:
        """Return what is known about calling `name`, when its result should be reused."""
        return self._constructors.find(self._names.canonical(name))

    def closes(self, name: str) -> bool:
        """Whether calling `name` with an object sees to it that the object is closed."""
        found = self._takers.find(self._names.canonical(name))
        return found is not None and found.takes == "closes"

    def borrows(self, name: str) -> bool:
        """Whether calling `name` with an object only uses the object."""
        found = self._takers.find(self._names.canonical(name))
        return found is not None and found.takes == "borrows"

    def timeout(self, name: str) -> Timeout | None:
        """Return how calling `name` is kept from waiting without end."""
        return self._timeouts.find(self._names.canonical(name))

    def effect(self, name: str) -> Effect | None:
        """Return what calling `name` leaves in the process."""
        return self._effects.find(self._names.canonical(name))

    def is_process_wide(self, name: str) -> bool:
        """Whether calling `name` hands out an object of the whole process, and makes none."""
        return self._process_wide.find(self._names.canonical(name)) is not None

    def signals(self, name: str) -> bool:
        """Whether calling `name` waits for a thread, or tells one that it may end."""
        return self._signals.find(self._names.canonical(name)) is not None

    def written(self, name: str) -> Written | None:
        """Return what is known of a call that writes a file."""
        return self._written.find(self._names.canonical(name))

    def removes(self, name: str) -> bool:
        """Whether calling `name` takes a file or a folder away."""
        return self._removals.find(self._names.canonical(name)) is not None

    def is_unique(self, name: str) -> bool:
        """Whether calling `name` gives something else each time, fit for a new name."""
        return self._unique.find(self._names.canonical(name)) is not None

    def change(self, name: str) -> Change | None:
        """Return what is known of a call that changes a setting of the process."""
        return self._changes.find(self._names.canonical(name))

    def needs_shared_memory(self, name: str) -> bool:
        """Whether calling `name` makes a lock or a queue between processes."""
        return self._primitives.find(self._names.canonical(name)) is not None

    def waits_for_end(self, name: str) -> bool:
        """Whether calling `name` registers something that runs when the process ends."""
        return self._endings.find(self._names.canonical(name)) is not None

    def returns(self, name: str) -> str | None:
        """Return the class of what calling `name` yields, when it has another name."""
        return self._names.returns.get(self._names.canonical(name))

    def cache_decorator(self, name: str) -> CacheDecorator | None:
        """Return what is known about a decorator that memoises."""
        return self._cache_decorators.find(self._names.canonical(name))

    def lifetime(self, name: str) -> Lifetime | None:
        """Return what is known of making a cache that forgets by age."""
        return self._lifetimes.find(self._names.canonical(name))

    def container(self, name: str) -> Container | None:
        """Return what is known about a dependency-injection singleton."""
        return self._containers.find(self._names.canonical(name))

    def runner(self, name: str) -> Runner | None:
        """Return which argument of calling `name` is run, and when."""
        return self._runners.find(self._names.canonical(name))

    def registers_only(self, name: str) -> bool:
        """Whether a decorator only registers its function, for something other than an event."""
        return self._registering.find(self._names.canonical(name)) is not None

    def is_pure(self, name: str) -> bool:
        """Whether calling `name` gives the same whenever the arguments are the same."""
        return self._pure.find(self._names.canonical(name)) is not None

    def momentary(self, name: str) -> Momentary | None:
        """Return what is known of calling `name`, when the result is for one moment or use."""
        return self._momentary.find(self._names.canonical(name))

    def stops_when_frozen(self, name: str) -> bool:
        """Whether calling `name` reads a clock that a frozen environment may stop."""
        return self._stopping.find(self._names.canonical(name)) is not None

    def issued(self, name: str) -> Issued | None:
        """Return what is known of a call that hands out a secret, credentials or a setting."""
        return self._issued.find(self._names.canonical(name))

    def asking(self, name: str) -> Asking | None:
        """Return what is known of a request whose address may be that of a secret."""
        return self._asking.find(self._names.canonical(name))

    def is_pure_method(self, name: str) -> bool:
        """Whether a method of that name does, on a file, a path, a text or a dictionary."""
        return name in self._pure_methods

    def request(self, name: str) -> Request | None:
        """Return what is known of a call that opens a connection for one request."""
        return self._requests.find(self._names.canonical(name))

    def fetch(self, name: str) -> Stored | None:
        """Return what is known of a call that reads configuration or a secret."""
        return self._fetches.find(self._names.canonical(name))

    def store(self, name: str) -> Stored | None:
        """Return what is known of a call that writes what `fetch` calls read."""
        return self._stores.find(self._names.canonical(name))

    def opens_connection(self, name: str) -> bool:
        """Whether a call connects an object that was made before."""
        return self._openings.find(self._names.canonical(name)) is not None

    def framework(self, name: str) -> Framework | None:
        """Return what is known about a class that dispatches to registered functions."""
        return self._frameworks.find(self._names.canonical(name))

    def handler_decorator(self, name: str) -> Evidence | None:
        """Return how much a decorator says about the function below it.

        `name` is the resolved decorator without a call. When nothing is known of it, its last
        segment may still say something: a logger comes from another module as often as not.
        """
        name = self._names.canonical(name)
        found = self._handler_decorators.find(name)
        return found or self._handler_attributes.get(name.rpartition(".")[2])

    def handler_wrapper(self, name: str) -> Evidence | None:
        """Return how much it says that a module variable holds the result of calling `name`."""
        return self._handler_wrappers.find(self._names.canonical(name))

    def handler_body(self, name: str) -> Evidence | None:
        """Return how much it says that a function calls `name` with its event and context."""
        return self._handler_bodies.find(self._names.canonical(name))

    def annotation(self, name: str) -> Evidence | None:
        """Return how much it says that a parameter is annotated with `name`.

        A project's own stand-in for a class of a library (`LambdaContext`) counts like it.
        """
        found = self._annotations.find(self._names.canonical(name))
        return found or self._annotations.find(name.rpartition(".")[2])

    def context_attribute(self, attribute: str) -> Evidence | None:
        """Return how much it says that this attribute is read from a parameter."""
        return self._context_attributes.get(attribute)

    def platform_module(self, module: str) -> Evidence | None:
        """Return how much importing `module` says about where the file runs."""
        return self._platform_modules.find(module)


@dataclass(frozen=True, slots=True)
class _Names:
    """The spellings: aliases of dotted names, and what calls return."""

    aliases: dict[str, str]
    wild: re.Pattern[str] | None
    targets: tuple[str, ...]
    returns: dict[str, str]
    roots: frozenset[str]
    memo: dict[str, str] = field(default_factory=dict, compare=False)

    def canonical(self, name: str) -> str:
        """As `Knowledge.canonical`."""
        found = self.memo.get(name)
        if found is None:
            found = name
            # A chain of aliases is short; the bound only keeps a circle in the data from hanging.
            for _ in range(_MAX_ALIAS_STEPS):
                replaced = self._step(found)
                if replaced is None:
                    break
                found = replaced
            self.memo[name] = found
        return found

    def _step(self, name: str) -> str | None:
        """Replace the longest known prefix of `name`; None when there is none."""
        if self.wild is not None:
            match = self.wild.match(name)
            if match is not None and match.lastindex is not None:
                return self.targets[match.lastindex - 1] + name[match.end() :]
        end = len(name)
        if _SEGMENT.split(name, maxsplit=1)[0] not in self.roots:
            return None
        while end > 0:
            prefix = name[:end]
            if prefix.endswith("()"):
                target = self.returns.get(prefix[:-2])
                if target is not None:
                    return target + name[end - 2 :]
            else:
                target = self.aliases.get(prefix)
                if target is not None:
                    return target + name[end:]
            end = max(name.rfind(".", 0, end), name.rfind("()", 0, end))
        return None


_MAX_ALIAS_STEPS = 16
_SEGMENT = re.compile(r"[.(]")
_BOUNDARY = r"(?=[.(]|\Z)"


@functools.lru_cache(maxsize=8)
def _load(extras: str, extra_effects: str) -> Knowledge:
    """Return the knowledge with extra entries, which come as JSON so that they hash."""
    names = _names(_read("aliases"), _read("returns"))
    constructors = [
        entry
        for path in sorted((DATA / "constructors").glob("*.toml"))
        for entry in _entries(_read(f"constructors/{path.stem}")["constructor"], Constructor)
    ]
    extra = _entries(json.loads(extras), Constructor)
    caches = _read("caches")
    runners = _read("runners")
    handlers = _read("handlers")
    constants = _read("constants")
    network = _read("network")
    secrets = _read("secrets")
    resources = _read("resources")
    effects = _read("effects")

    def table(entries: Iterable[tuple[str, T]]) -> _Table[T]:
        return _table(entries, names)

    return Knowledge(
        _names=names,
        _constructors=table([*extra, *constructors]),
        _cache_decorators=table(_entries(caches["decorator"], CacheDecorator)),
        _lifetimes=table(_entries(caches["lifetime"], Lifetime)),
        _containers=table(_entries(caches["container"], Container)),
        _runners=table(_entries(runners["runner"], Runner)),
        _registering=table(_entries(runners["registering"], Registering)),
        _handler_decorators=table(_entries(handlers["decorator"], Evidence)),
        _handler_attributes=dict(_entries(handlers["attribute"], Evidence)),
        _handler_wrappers=table(_entries(handlers["wrapper"], Evidence)),
        _handler_bodies=table(_entries(handlers["body"], Evidence)),
        _annotations=table(_entries(handlers["annotation"], Evidence)),
        _context_attributes=dict(_entries(handlers["context"], Evidence)),
        _platform_modules=_table(_entries(handlers["module"], Evidence), None),
        _frameworks=table(_entries(_read("frameworks")["framework"], Framework)),
        _pure=table(_entries(constants["pure"], Fact)),
        _pure_methods=dict(_entries(constants["method"], Fact)),
        _momentary=table(_entries(constants["momentary"], Momentary)),
        _stopping=table(_entries(constants["stopping"], Fact)),
        _issued=table(_entries(secrets["issued"], Issued)),
        _asking=table(_entries(secrets["asking"], Asking)),
        issuing_addresses=tuple(_entries(secrets["address"], Issued)),
        _requests=table(_entries(network["request"], Request)),
        _fetches=table(_entries(network["fetch"], Stored)),
        _stores=table(_entries(network["store"], Stored)),
        _openings=table(_entries(network["opening"], Fact)),
        _takers=table(_entries(resources["taker"], Taker)),
        _timeouts=table(_entries(resources["timeout"], Timeout)),
        _effects=table(
            [*_entries(json.loads(extra_effects), Effect), *_entries(effects["effect"], Effect)]
        ),
        _process_wide=table(_entries(effects["shared"], Fact)),
        _signals=table(_entries(effects["signal"], Fact)),
        _written=table(_entries(effects["file"], Written)),
        _removals=table(_entries(effects["removal"], Fact)),
        _unique=table(_entries(effects["unique"], Fact)),
        _changes=table(_entries(effects["change"], Change)),
        _primitives=table(_entries(effects["primitive"], Fact)),
        _endings=table(_entries(effects["ending"], Fact)),
        name_evidence=_records(handlers["name"], NameEvidence),
        parameter_evidence=_records(handlers["parameters"], ParameterEvidence),
        file_evidence=_records(handlers["file"], NameEvidence),
        handler_words=_handler_words(handlers, _read("frameworks")["framework"]),
    )


def _handler_words(
    handlers: Mapping[str, Any], frameworks: Iterable[Mapping[str, Any]]
) -> tuple[str, ...]:
    """Return what a file has in its text when anything of the tables speaks for a handler.

    Of a dotted name that is the last segment, or the package when the segment is a word that
    any code may use. A library is named where it is imported, an attribute where it is read.
    """
    words: set[str] = set()
    for kind in ("decorator", "attribute", "wrapper", "body", "annotation", "context"):
        for entry in handlers[kind]:
            if entry["points"] > 0 and entry.get("platform", "lambda") == "lambda":
                words.update(map(_telling_word, entry["names"]))
    for entry in frameworks:
        if entry.get("on_lambda"):
            words.update(map(_telling_word, entry["names"]))
    for entry in handlers["parameters"]:
        if entry["points"] > 0:
            words.update(name for name in entry["second"] if len(name) > 2)
    for entry in handlers["name"]:
        if entry["points"] > 0:
            words.update(name.strip("*_") for name in entry["patterns"])
    words -= _COMMON_WORDS
    # A word within another one is found wherever the other is.
    shortest = [one for one in words if not any(two in one for two in words - {one})]
    return tuple(sorted(shortest, key=lambda one: (one not in _USUAL_WORDS, one)))


def _telling_word(name: str) -> str:
    segments = [one for one in _SEGMENT.split(name.replace(")", "")) if one]
    last = segments[-1]
    is_telling = len(last) >= (_TELLING_CLASS if last[:1].isupper() else _TELLING)
    is_telling = is_telling and "*" not in last and last not in _COMMON_WORDS
    return last if is_telling or len(segments) == 1 else segments[0]


_TELLING = 11
"""A function's name of fewer letters stands in too much code to say anything of a file."""

_TELLING_CLASS = 6
"""The same for the name of a class."""

_USUAL_WORDS = ("handler", "context")

_COMMON_WORDS = frozenset(
    {"main", "handle", "identity", "tenant_id", "function_version", "Router", "Resource"}
)
"""Words that are worth too little alone; a handler that has them has another one as well."""


def _read(stem: str) -> dict[str, Any]:
    """Read one packaged table."""
    # Imported here because most runs on an unchanged project ask for no fact at all.
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    found: dict[str, Any] = tomllib.loads((DATA / f"{stem}.toml").read_text(encoding="utf-8"))
    return found


def _entries(entries: Iterable[Mapping[str, Any]], kind: type[T]) -> list[tuple[str, T]]:
    """Return each name of each entry with its fact."""
    return [(name, _record(entry, kind)) for entry in entries for name in entry["names"]]


def _records(entries: Iterable[Mapping[str, Any]], kind: type[T]) -> tuple[T, ...]:
    """Return the facts of entries that have no names."""
    return tuple(_record(entry, kind) for entry in entries)


def _record(entry: Mapping[str, Any], kind: type[T]) -> T:
    """Return one entry as its class; lists become tuples."""
    return kind(
        **{
            name: tuple(value) if isinstance(value, list) else value
            for name, value in entry.items()
            if name != "names"
        }
    )


def _table(entries: Iterable[tuple[str, T]], names: _Names | None) -> _Table[T]:
    """Index facts by canonical name. Of two facts about one name the first one counts."""
    exact: dict[str, T] = {}
    patterns: list[str] = []
    values: list[T] = []
    for name, value in entries:
        if "*" in name:
            patterns.append(f"({_pattern(name)})")
            values.append(value)
        else:
            exact.setdefault(names.canonical(name) if names else name, value)
    wild = re.compile("|".join(patterns)) if patterns else None
    return _Table(exact, wild, tuple(values))


def _names(aliases: Mapping[str, Any], returns: Mapping[str, Any]) -> _Names:
    """Index the spellings."""
    plain: dict[str, str] = {}
    patterns: list[str] = []
    targets: list[str] = []
    for name, target in aliases["aliases"].items():
        if "*" in name:
            patterns.append(f"({_pattern(name)}){_BOUNDARY}")
            targets.append(target)
        else:
            plain[name] = target
    results: dict[str, str] = dict(returns["returns"])
    roots = frozenset(_SEGMENT.split(name, maxsplit=1)[0] for name in (*plain, *results))
    wild = re.compile("|".join(patterns)) if patterns else None
    return _Names(plain, wild, tuple(targets), results, roots)


def _pattern(name: str) -> str:
    """Return a name with stars as a regular expression: `**` spans segments, `*` does not."""
    return re.escape(name).replace(r"\*\*", "[^()]*").replace(r"\*", "[^.()]*")


__all__ = [
    "DATA",
    "KINDS",
    "RULES",
    "CacheDecorator",
    "Change",
    "Constructor",
    "Container",
    "Effect",
    "Evidence",
    "Fact",
    "Framework",
    "Issued",
    "Knowledge",
    "KnowledgeError",
    "Lifetime",
    "Momentary",
    "NameEvidence",
    "ParameterEvidence",
    "Registering",
    "Request",
    "Runner",
    "Stored",
    "Taker",
    "Timeout",
    "Written",
]
