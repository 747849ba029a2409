"""What can be said of a name: one class for each kind of entry in the tables under `data/`.

`data/README.md` says what the keys mean; `note` and `source` say why an entry is there.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constructor:
    """A call whose result is meant to be made once and used by many invocations."""

    kind: str
    what: str = "reusable object"
    rule: str = "client"
    family: str = "other"
    info: bool = False
    unless_arguments: tuple[str, ...] = ()
    only_with_arguments: tuple[str, ...] = ()
    constant_argument: bool = False
    loop_only: bool = False
    credential_arguments: tuple[str, ...] = ()
    credential_positions: tuple[int, ...] = ()
    closes: tuple[str, ...] = ()
    closes_on_exit: bool | None = None
    reconnects: bool | None = None
    liveness: tuple[str, ...] = ()
    closes_for_good: bool = False
    per_thread: bool = False
    must_close: bool = False
    implicit_transaction: bool = False
    settles: tuple[str, ...] = ()
    pool_argument: str = ""
    pool_position: int | None = None
    pool_default: int | None = None
    unless_address: tuple[str, ...] = ()
    lingers: str = ""
    starts: tuple[str, ...] = ()
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """A call that leaves something in the process, and what takes it back."""

    kind: str
    what: str
    keeper: str = "receiver"
    undo: tuple[str, ...] = ()
    undo_own: tuple[str, ...] = ()
    undo_calls: tuple[str, ...] = ()
    undo_arguments: tuple[str, ...] = ()
    unless_calls: tuple[str, ...] = ()
    in_context: bool = False
    holders: tuple[str, ...] = ()
    equal_once: bool = False
    argument: int = 0
    unless_arguments: tuple[str, ...] = ()
    unless_made_with: tuple[str, ...] = ()
    only_off: str = ""
    fires_once: bool = False
    replaces: bool = False
    dropped: bool = False
    remedy: str = ""
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A call that writes a file: where its path is, or that it invents one."""

    what: str
    argument: str = ""
    position: int = 0
    receiver: bool = False
    mode: int | None = None
    fresh: bool = False
    only_off: str = ""
    remedy: str = ""
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """A call that changes a setting of the whole process."""

    what: str
    position: int = 0
    adds: bool = False
    relative: bool = False
    undo_calls: tuple[str, ...] = ()
    remedy: str = ""
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Taker:
    """What a call does with an object that it is given as an argument."""

    takes: str
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Timeout:
    """A call that waits without end unless it is told otherwise."""

    arguments: tuple[str, ...]
    made_with: tuple[str, ...] = ()
    undone_by: tuple[str, ...] = ()
    in_address: str = ""
    only_switched_off: bool = False
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class CacheDecorator:
    """A decorator (or a decorator factory) that remembers results of what it decorates."""

    per: str = "function"
    keyed: bool = True
    called: str = "either"
    bound: int | None = None
    bound_arguments: tuple[str, ...] = ()
    ttl_arguments: tuple[str, ...] = ()
    clock: str = ""
    store: str = "memory"
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """A cache of a library that forgets by age, and the argument that names its clock.

    `clock` is the one that it uses unless told otherwise.
    """

    clock: str
    timer: str
    timer_position: int
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Container:
    """A dependency-injection provider that makes one object and hands it out again."""

    factory_argument: int | None = None
    form: str = "call"
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Runner:
    """A call that runs a callable it is given."""

    when: str
    position: int | None = None
    keyword: str = ""
    rest: bool = False
    takes: str = "callable"
    passes: str = ""
    loop: str = ""
    where: str = "here"
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Registering:
    """A decorator that only registers the function, for something other than an event."""

    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is true of a name, with no more to say of it."""

    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """A call that opens a connection for one request. `url` is the position of the address."""

    url: int
    remedy: str
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Stored:
    """A call that reads or writes configuration or a secret; `argument` names which one."""

    argument: str
    what: str = ""
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Issued:
    """A call that hands out what changes or ends while an environment lives.

    `kind` is secret, setting or credentials; `only_with` an argument that has to be true for it to
    be that, and `otherwise` says what it is without, a setting. `plain` are the parts of the answer
    that are none of that.
    """

    kind: str
    what: str
    only_with: str = ""
    otherwise: str = ""
    lifetime: str = ""
    plain: tuple[str, ...] = ()
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Asking:
    """A request that may ask for a secret. `url` is the position of the address."""

    url: int
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that speaks for a handler (positive points) or against it (negative ones)."""

    points: int
    event: int | None = None
    context: int | None = None
    argument: int | None = None
    takes: str = "nothing"
    platform: str = "lambda"
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Momentary:
    """A call whose result belongs to one moment or one use: `what` is a time or an identifier."""

    what: str
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class NameEvidence:
    """How much the name of a function says; `parameters` is what it must take for that."""

    patterns: tuple[str, ...]
    points: int
    parameters: str = "any"
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class ParameterEvidence:
    """How much the names of the first two positional parameters say."""

    first: tuple[str, ...]
    second: tuple[str, ...]
    points: int
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Framework:
    """A class whose objects dispatch to functions that are registered on them."""

    title: str
    kind: str = "app"
    on_lambda: bool = False
    #: It gives a function what the path names, so that all else has its default.
    by_path: bool = False
    routes: tuple[str, ...] = ()
    handlers: tuple[str, ...] = ()
    lifecycle: tuple[str, ...] = ()
    registers: tuple[str, ...] = ()
    includes: tuple[str, ...] = ()
    dispatch: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    inherited: tuple[str, ...] = ()
    callable: bool = False
    adapters: tuple[str, ...] = ()
    note: str = ""
    source: str = ""
