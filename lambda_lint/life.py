"""The life of a Lambda function in one execution environment, as plain data for the drawing of it.

`model/lives.py` finds out what is said here. Nothing in it is a judgement: that is what findings
are for.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple


class Moment(enum.Enum):
    """When something happens: at INIT, once in some invocation, or in each of them."""

    INIT = "init"
    ONCE = "once"
    EACH = "each"
    UNKNOWN = "unknown"


class Mark(NamedTuple):
    """A line of a file, counted from 1."""

    path: str
    line: int


@dataclass(frozen=True, slots=True)
class Thing:
    """What a function makes or keeps.

    `kind` is object (what a library is known to make), fetch (a request for settings or a secret),
    cache (what a memo fills), state (what invocations change) or value (a secret, credentials or a
    setting that stays). `born` says when it comes to be. `name` is what the code calls the place
    that keeps it beyond an invocation and `where` what kind of place that is; both are empty when
    no such place is known. `made` is how the making call is written and `what` what it makes, as
    far as known. `writes` and `reads` are the places where invocations do that.
    """

    kind: str
    born: Moment
    at: Mark
    name: str = ""
    where: str = ""
    made: str = ""
    what: str = ""
    writes: tuple[Mark, ...] = ()
    reads: tuple[Mark, ...] = ()

    @property
    def survives(self) -> bool:
        """Whether later invocations are known to find it again."""
        return bool(self.name)


class Deployed(NamedTuple):
    """A function of a deployment descriptor: what that calls it, and where it says so."""

    name: str
    at: Mark


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of one handler.

    `modules` counts the files of the project that its process can load. `flags` are those of
    `declaration.FLAGS`. `findings` pairs fingerprints with the moment in which each happens.
    """

    at: Mark
    name: str
    confidence: str
    evidence: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    deployed: tuple[Deployed, ...] = ()
    modules: int = 0
    things: tuple[Thing, ...] = ()
    findings: tuple[tuple[str, Moment], ...] = ()

    @property
    def label(self) -> str:
        """How findings name the handler: `path:name`."""
        return f"{self.at.path}:{self.name}"

    def moved(self, to: Callable[[Mark], Mark]) -> Life:
        """Return the same life with all of its places given by a function of them."""
        return replace(
            self,
            at=to(self.at),
            deployed=tuple(one._replace(at=to(one.at)) for one in self.deployed),
            things=tuple(
                replace(
                    one,
                    at=to(one.at),
                    writes=tuple(map(to, one.writes)),
                    reads=tuple(map(to, one.reads)),
                )
                for one in self.things
            ),
        )


def to_json(life: Life) -> list[Any]:
    """Return a life as JSON can hold it."""
    return [
        list(life.at),
        life.name,
        life.confidence,
        list(life.evidence),
        list(life.flags),
        [[one.name, list(one.at)] for one in life.deployed],
        life.modules,
        [_thing_to_json(one) for one in life.things],
        [[fingerprint, moment.value] for fingerprint, moment in life.findings],
    ]


def from_json(value: list[Any]) -> Life:
    """Return a kept life. Raises TypeError or ValueError for anything that is none."""
    at, name, confidence, evidence, flags, deployed, modules, things, findings = value
    return Life(
        Mark(*at),
        name,
        confidence,
        tuple(evidence),
        tuple(flags),
        tuple(Deployed(called, Mark(*place)) for called, place in deployed),
        modules,
        tuple(map(_thing_from_json, things)),
        tuple((fingerprint, Moment(moment)) for fingerprint, moment in findings),
    )


def _thing_to_json(one: Thing) -> list[Any]:
    return [
        one.kind,
        one.born.value,
        list(one.at),
        *(one.name, one.where, one.made, one.what),
        [list(mark) for mark in one.writes],
        [list(mark) for mark in one.reads],
    ]


def _thing_from_json(value: list[Any]) -> Thing:
    kind, born, at, name, where, made, what, writes, reads = value
    return Thing(
        kind,
        Moment(born),
        Mark(*at),
        name,
        where,
        made,
        what,
        tuple(Mark(*mark) for mark in writes),
        tuple(Mark(*mark) for mark in reads),
    )
