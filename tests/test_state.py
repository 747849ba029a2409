"""Which reads may see what an earlier invocation left: the ways through a function, one by one."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from lambda_lint import engine
from lambda_lint.finding import Finding
from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.rule import Rule
from lambda_lint.settings import Settings
from lambda_lint.source import Source

HEAD = """
import contextlib
import enum
import os
import sys
import store

item = None
other = None
ALWAYS = True
NEVER = False

class Kind(enum.StrEnum):
    UPLOAD = "upload"
    CARD = "card"

def emptying(function):
    def inner(event, context):
        global item
        item = None
        return function(event, context)
    return inner

def wanted(kind):
    return kind in [Kind.UPLOAD] and item

def set_if(event, really):
    global item
    if really:
        item = event["item"]

def fetch(event):
    return store.read(event["key"])

def set_always(event):
    global item
    item = event["item"]

def set_perhaps(event):
    global item
    if event.get("item"):
        item = event["item"]

def set_or_fail(event):
    global item
    if not event.get("item"):
        raise ValueError("no item")
    item = event["item"]

def fail():
    raise ValueError("stop")

def again(event, depth):
    global item
    if depth:
        again(event, depth - 1)
    item = event["item"]

@contextlib.contextmanager
def using(event):
    global item
    item = event["item"]
    yield
    item = None

def handler(event, context):
    global item, other
"""

STALE = {
    "a constant that the event chooses": "if event['a']:\n    item = 'x'\nreturn item",
    "a constant that says never": (
        "if NEVER:\n    item = None\nelif event['a']:\n    item = event['b']\nreturn item"
    ),
    "only some callers want it": (
        "if event['a']:\n    set_if(event, True)\nelse:\n    set_if(event, False)\nreturn item"
    ),
    "only where the project sets a variable": (
        "if 'STAGE' in os.environ:\n    item = event['b']\nreturn item"
    ),
    "only outside of Lambda": (
        "if not os.environ.get('AWS_LAMBDA_FUNCTION_NAME'):\n    item = event['b']\n"
        "elif event['c']:\n    item = event['c']\nreturn item"
    ),
    "a member of an enumeration that is asked for": (
        "name = Kind.UPLOAD.value\nfound = wanted(name)\nitem = event['b']\nreturn found"
    ),
    "one branch": "if event['a']:\n    item = event['b']\nreturn item",
    "the other branch": "if event['a']:\n    pass\nelse:\n    item = event['b']\nreturn item",
    "a helper that may not write it": "set_perhaps(event)\nreturn item",
    "a loop that may have nothing to do": "for one in event['x']:\n    item = one\nreturn item",
    "a loop that is left before": (
        "for one in event['x']:\n    if one['y']:\n        break\n    item = one\nreturn item"
    ),
    "while": "while event['n']:\n    item = event['n'].pop()\nreturn item",
    "a handled exception": (
        "try:\n    item = fetch(event)\nexcept KeyError:\n    pass\nreturn item"
    ),
    "only in `else`": (
        "try:\n    fetch(event)\nexcept KeyError:\n    pass\nelse:\n    item = event['a']\n"
        "return item"
    ),
    "read in `finally`": "try:\n    item = fetch(event)\nfinally:\n    store.write(item)",
    "after a failure of a call whose name sounds harmless": (
        "try:\n    store.add(event)\nexcept KeyError:\n    store.write(item)\nitem = event['a']"
    ),
    "a suppressed exception": (
        "with contextlib.suppress(KeyError):\n    item = fetch(event)\nreturn item"
    ),
    "one case of several": (
        "match event['kind']:\n    case 'a':\n        item = event['a']\n"
        "    case 'b':\n        pass\nreturn item"
    ),
    "a short circuit": "event['a'] and set_always(event)\nreturn item",
    "a conditional expression": "x = set_always(event) if event['a'] else None\nreturn item",
    "another test": (
        "if event['a']:\n    item = event['x']\nif event['b']:\n    return item\nreturn None"
    ),
    "a test whose name has changed": (
        "a = event['a']\nif a:\n    item = event['x']\na = event['b']\nif a:\n    return item\n"
        "return None"
    ),
    "read before it is written": "found = item\nitem = event['a']\nreturn found",
    "read by a helper's argument": "set_perhaps(event)\nreturn store.write(str(item))",
}

FRESH = {
    "a constant that says always": "if ALWAYS:\n    item = event['b']\nreturn item",
    "what every caller gives": "set_if(event, True)\nreturn item",
    "a variable that Lambda sets": (
        "set_if(event, 'LAMBDA_RUNTIME_DIR' in os.environ)\nreturn item"
    ),
    "the text of a variable that Lambda sets": (
        "if os.environ.get('AWS_LAMBDA_FUNCTION_NAME'):\n    item = event['b']\nreturn item"
    ),
    "the text is there": (
        "if os.getenv('LAMBDA_TASK_ROOT') is not None:\n    item = event['b']\nreturn item"
    ),
    "a member of an enumeration that nobody asks for": (
        "name = Kind.CARD.value\nfound = wanted(name)\nitem = event['b']\nreturn found"
    ),
    "both branches": "if event['a']:\n    item = event['b']\nelse:\n    item = None\nreturn item",
    "a branch that leaves": "if not event['a']:\n    return None\nitem = event['a']\nreturn item",
    "a helper": "set_always(event)\nreturn item",
    "a helper that fails instead": "set_or_fail(event)\nreturn item",
    "a helper that always fails": (
        "if event['a']:\n    item = event['a']\nelse:\n    fail()\nreturn item"
    ),
    "the end of the program": (
        "if event['a']:\n    item = event['a']\nelse:\n    sys.exit(1)\nreturn item"
    ),
    "records, of which there is one at least": (
        "for one in event['Records']:\n    item = one\nreturn item"
    ),
    "an exception that is not handled": (
        "try:\n    item = fetch(event)\nfinally:\n    print('done')\nreturn item"
    ),
    "every handler writes it": (
        "try:\n    item = fetch(event)\nexcept KeyError:\n    item = None\nreturn item"
    ),
    "a handler that leaves": (
        "try:\n    item = fetch(event)\nexcept KeyError:\n    return None\nreturn item"
    ),
    "a handler that raises": (
        "try:\n    item = fetch(event)\nexcept KeyError as error:\n    raise ValueError from error"
        "\nreturn item"
    ),
    "in `finally`": "try:\n    fetch(event)\nfinally:\n    item = event['a']\nreturn item",
    "every case": (
        "match event['kind']:\n    case 'a':\n        item = event['a']\n"
        "    case _:\n        item = None\nreturn item"
    ),
    "an endless loop with one way out": (
        "while True:\n    item = fetch(event)\n    if item:\n        break\nreturn item"
    ),
    "the same test again": (
        "if event['a']:\n    item = event['x']\nif event['a']:\n    return item\nreturn None"
    ),
    "a flag that says so": (
        "found = False\nfor one in event['x']:\n    if one:\n        item = one\n"
        "        found = True\nif found:\n    return item\nreturn None"
    ),
    "in `with`": "with store.lock():\n    item = event['a']\nreturn item",
    "for the time of a context manager": "with using(event):\n    return store.write(item)",
    "recursion": "again(event, 3)\nreturn item",
    "an assertion": "assert event['a']\nitem = event['a']\nreturn item",
    "emptied first": "item = None\nset_perhaps(event)\nreturn item",
    "emptied in the end": (
        "try:\n    set_perhaps(event)\n    store.write(item)\nfinally:\n    item = None"
    ),
    "the constant that is there": "if event['a']:\n    item = None\nreturn item",
    "a constant in every invocation that gets on": (
        "if not event['a']:\n    return None\nitem = 'x'\nreturn item"
    ),
    "a flag that is asked for": "if not item:\n    start()\n    item = True\nreturn None",
    "a flag that some events set and that is asked for": (
        "if event['a']:\n    if not item:\n        start()\n        item = True\nreturn item"
    ),
    "for logs only": "set_perhaps(event)\nprint('last item', item)\nreturn None",
    "a local variable": "other = event['a']\nlocal = other\nreturn local",
}


@pytest.mark.parametrize(
    "body",
    [
        "found = item\nset_perhaps(event)\nreturn found",
        "if event['a']:\n    found = item\n    set_perhaps(event)\n    return found",
        "try:\n    found = item\n    set_always(event)\n    return found\n"
        "except OSError:\n    pass",
    ],
    ids=["at once", "in a branch", "in `try`"],
)
def test_what_the_handlers_own_decorator_empties_is_new(body: str) -> None:
    assert findings(body), "missed alarm"
    assert findings(body, "@emptying\n") == [], "false alarm"


@functools.cache
def rules() -> tuple[Rule, ...]:
    return tuple(one for one in load_rules([BUILTIN]) if one.category == "mutable-global-state")


def findings(body: str, decorator: str = "") -> list[Finding]:
    head = HEAD.replace("def handler(", f"{decorator}def handler(")
    text = head + "".join(f"    {line}\n" for line in body.splitlines())
    sources = {"app.py": Source("app.py", text.encode())}
    result = engine.lint(sources, Settings(Path("/project")), rules())
    assert not result.errors
    return [one for one in result.findings if one.code == "LMB201"]


@pytest.mark.parametrize("body", STALE.values(), ids=STALE.keys())
def test_a_read_may_see_what_an_earlier_invocation_left(body: str) -> None:
    found = findings(body)
    assert found, "missed alarm"
    assert "`item`" in found[0].message


@pytest.mark.parametrize("body", FRESH.values(), ids=FRESH.keys())
def test_a_read_sees_what_this_invocation_wrote(body: str) -> None:
    assert [one.message for one in findings(body)] == [], "false alarm"


def test_the_witness_tells_of_two_invocations() -> None:
    (found,) = findings(STALE["a helper that may not write it"])
    told = [one.message for one in found.witness]
    assert told == [
        "`handler` runs for every event",
        "calls `set_perhaps`",
        'invocation 1 writes `item` here, only if `event.get("item")`',
        "invocation 2 may come here without writing `item`, and sees that of invocation 1",
    ]
    assert found.witness[-1].span == found.span


LEFT = {
    "always written": ('token = event["token"]\nreturn use()', "info"),
    "written by one branch": (
        'if event["v"]:\n    token = event["token"]\n    return use()',
        "warning",
    ),
    "written unless something fails": (
        'try:\n    token = event["token"]\n    return use()\nexcept KeyError:\n    return None',
        "info",
    ),
    "a client with that name": (
        'if event["v"]:\n    token = boto3.client("s3", aws_session_token=event["token"])\n'
        "    return use()",
        "info",
    ),
}


@pytest.mark.parametrize(("body", "severity"), LEFT.values(), ids=LEFT.keys())
def test_a_secret_that_is_not_always_written_is_a_warning(body: str, severity: str) -> None:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    text = (
        "import boto3\ntoken = None\n\ndef use():\n    return {'authorization': token}\n\n"
        f"def handler(event, context):\n    global token\n{lines}    return 1\n"
    )
    result = engine.lint(
        {"app.py": Source("app.py", text.encode())}, Settings(Path("/project")), rules()
    )
    assert [one.severity.value for one in result.findings if one.code == "LMB202"] == [severity]
