"""The drawing of a handler's life: rows along a time line, with the findings where they happen.

The time line has four columns: INIT, the first invocation, the time in which the environment is
frozen, and all later invocations. A thing is a row, and a bar in it says how long the thing lives.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lambda_lint.finding import Finding, Step
from lambda_lint.life import Life, Mark, Moment, Thing

ROWS = 8
"""So many rows of a group are drawn; the rest is listed below."""

PLACES = 3
"""So many lines are named in a cell."""

BADGES = 4
"""So many findings are linked from a cell."""


@dataclass(frozen=True, slots=True)
class Badge:
    """A finding in a cell. `again` says that it stands in an earlier cell of the row, too."""

    anchor: str
    finding: Finding
    again: bool = False


@dataclass(slots=True)
class Cell:
    """What happens in one column. `bar` is start, mid, on (to the end) or whole; or empty."""

    column: str
    bar: str = ""
    text: str = ""
    places: str = ""
    badges: list[Badge] = field(default_factory=list)
    more: int = 0

    def add(self, badge: Badge) -> None:
        """Place a finding, or count it when there is no room."""
        if any(one.anchor == badge.anchor for one in self.badges):
            return
        if len(self.badges) < BADGES:
            self.badges.append(badge)
        else:
            self.more += 1


@dataclass(slots=True)
class Row:
    """One thing, or the findings of one rule that belong to none."""

    name: str
    what: str
    place: str
    short: str
    cells: dict[str, Cell]
    anchors: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind: `kind` is init, once, each or other."""

    kind: str
    title: str
    says: str
    rows: Sequence[Row]
    rest: Sequence[Row]


def groups(life: Life, findings: Mapping[str, Badge]) -> list[Group]:
    """Return the rows of the drawing; `findings` has those that are shown, by fingerprint."""
    drawn = [(thing, _row(thing)) for thing in life.things]
    others: dict[tuple[str, str], Row] = {}
    for fingerprint, moment in life.findings:
        badge = findings.get(fingerprint)
        if badge is None:
            continue
        found = _thing_of(badge.finding, drawn)
        if found is None:
            key = (badge.finding.code, badge.finding.rule)
            row = others.setdefault(key, Row(*key, "", "", _cells()))
        else:
            thing, row = found
            if thing.born is Moment.ONCE and moment is Moment.INIT:
                # A decorator runs at import; what it remembers comes later.
                moment = Moment.ONCE
        _place(row, badge, moment)
    kinds: dict[str, list[Row]] = {kind: [] for kind in _GROUPS}
    for thing, row in drawn:
        kinds[thing.born.value].append(row)
    kinds["other"] = list(others.values())
    return [_group(kind, rows) for kind, rows in kinds.items() if rows]


_GROUPS = {
    "init": ("Made in INIT", "once for each environment, before the first event"),
    "once": ("Made once, when first needed", "by whichever invocation comes first"),
    "each": ("Made anew by every invocation", "and gone, or left behind, when it ends"),
    "other": ("What else happens", "findings that belong to nothing above"),
}

COLUMNS = ("init", "first", "pause", "later")


def story(steps: Sequence[Step]) -> tuple[list[int], list[int]] | None:
    """Return the steps (counted from 1) of invocation 1 and of invocation 2, None for no story.

    Rules write into the steps of such a witness which invocation they tell of; the steps before
    lead there, and the first one is the handler, which begins both.
    """
    lanes: tuple[list[int], list[int]] = ([], [])
    waiting: list[int] = []
    for number, step in enumerate(steps, 1):
        waiting.append(number)
        said = _invocations(step.message)
        for index, lane in enumerate(lanes, 1):
            if index in said:
                lane += waiting
        if said:
            waiting = []
    if not all(lanes):
        return None
    return tuple([1, *(one for one in lane if one != 1)] for lane in lanes)  # type: ignore[return-value]


def _invocations(message: str) -> set[int]:
    """Return which of two invocations a step tells of: the first that it speaks of decides."""
    found = re.search(r"\binvocations? (1 and 2|1|2)\b", message)
    if found is None:
        return set()
    if found[1] == "1 and 2":
        return {1, 2}
    if message.endswith("in invocation 2"):
        # "what invocation 1 changed is returned in invocation 2"
        return {2}
    # "invocation 1 leaves it here, and invocation 2 sends it" tells of both.
    goes_on = message.startswith("invocation 1 ") and "invocation 2" in message
    return {1, 2} if goes_on else {int(found[1])}


def _cells() -> dict[str, Cell]:
    return {column: Cell(column) for column in COLUMNS}


def _row(thing: Thing) -> Row:
    cells = _cells()
    own = f"{thing.at.path}:{thing.at.line}"
    row = Row(
        thing.name or thing.made,
        " · ".join(one for one in (thing.what, _through(thing), thing.where) if one),
        own,
        f"{'/'.join(thing.at.path.split('/')[-2:])}:{thing.at.line}",
        cells,
    )
    for column, bar in _bars(thing).items():
        cells[column].bar = bar
    if thing.born is Moment.EACH:
        cells["first"].text, cells["later"].text = "made", "made again"
        return row
    start = cells["init" if thing.born is Moment.INIT else "first"]
    start.text = _STARTS.get(thing.kind, "made")
    first, later = cells["first"], cells["later"]
    if thing.writes:
        first.text = "changed" if thing.born is Moment.INIT else "set"
        first.places = _places(thing.writes, thing.at)
        later.text = "read" if thing.reads else "as it was left"
        later.places = _places(thing.reads, thing.at)
    elif thing.survives or thing.reads:
        later.text = _LATER.get(thing.kind, "the same one")
        if thing.reads:
            first.text = "used" if thing.born is Moment.INIT else "made, used"
            first.places = _places(thing.reads, thing.at)
    return row


_STARTS = {"fetch": "fetched", "value": "fetched", "cache": "filled", "state": "set"}
_LATER = {"value": "the same value", "cache": "found again", "state": "as it was left"}


def _through(thing: Thing) -> str:
    return thing.made if thing.name else ""


def _bars(thing: Thing) -> dict[str, str]:
    if thing.born is Moment.EACH:
        return {"first": "whole", "later": "whole"}
    lasts = thing.survives or bool(thing.reads)
    if thing.born is Moment.INIT:
        if not lasts:
            return {"init": "whole"}
        return {"init": "start", "first": "mid", "pause": "mid", "later": "on"}
    return {"first": "start", "pause": "mid", "later": "on"} if lasts else {"first": "whole"}


def _places(marks: Sequence[Mark], own: Mark) -> str:
    """Return lines in short: with the name of the file where it is another one."""
    shown = [
        f":{mark.line}" if mark.path == own.path else short(mark.path, mark.line)
        for mark in marks[:PLACES]
    ]
    more = len(marks) - len(shown)
    return " ".join([*shown, f"+{more}"] if more else shown)


def short(path: str, line: int) -> str:
    """Return a place without its folders."""
    return f"{posixpath.basename(path)}:{line}"


def _thing_of(finding: Finding, drawn: Iterable[tuple[Thing, Row]]) -> tuple[Thing, Row] | None:
    """Return the thing that a finding is about, at its place or on its way, with its row."""
    own = Mark(finding.path, finding.span.line)
    # The first step is the handler, which may be an object that somebody makes: `Mangum(app)`.
    steps = {Mark(step.path, step.span.line) for step in finding.witness[1:]}
    best: tuple[int, tuple[Thing, Row]] | None = None
    for thing, row in drawn:
        if thing.at == own:
            rank = 0
        elif own in thing.writes:
            rank = 1
        elif own in thing.reads and (thing.at in steps or thing.kind != "object"):
            # Much happens where a client is used that is not the client's.
            rank = 2
        elif thing.at in steps or steps.intersection(thing.writes):
            rank = 3
        else:
            continue
        if best is None or rank < best[0]:
            best = (rank, (thing, row))
    return best[1] if best is not None else None


def _place(row: Row, badge: Badge, moment: Moment) -> None:
    row.anchors.add(badge.anchor)
    again = Badge(badge.anchor, badge.finding, again=True)
    if story(badge.finding.witness) is not None or moment is Moment.EACH:
        row.cells["first"].add(badge)
        row.cells["later"].add(again)
    elif moment is Moment.INIT:
        row.cells["init"].add(badge)
    elif moment is Moment.ONCE:
        row.cells["first"].add(badge)
    else:
        # When it happens is not known, and it is known that an invocation gets there.
        row.cells["later"].add(badge)


def _group(kind: str, rows: list[Row]) -> Group:
    title, says = _GROUPS[kind]
    # What there is something to say about is never among those that are only listed.
    rows = sorted(rows, key=lambda row: not row.anchors)
    return Group(kind, title, says, rows[:ROWS], rows[ROWS:])
