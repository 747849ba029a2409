"""Which loop repeats a call within an invocation: items do, further attempts do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_lint import engine
from lambda_lint.settings import Settings
from lambda_lint.source import Source

HEAD = """
import boto3
from concurrent.futures import ThreadPoolExecutor

def load(key):
    return boto3.client("s3").get_object(Bucket="b", Key=key)

def make():
    return boto3.client("s3")

def attempts():
    for attempt in range(3):
        try:
            return boto3.client("s3")
        except OSError:
            continue

def lambda_handler(event, context):
    keys = event["keys"]
"""

REPEATED = {
    "for": "for key in keys:\n    boto3.client('s3')",
    "a helper in a loop": "for key in keys:\n    load(key)",
    "a comprehension": "[load(key) for key in keys]",
    "map with a function": "list(map(load, keys))",
    "map with a lambda": "list(map(lambda key: boto3.client('s3').x(key), keys))",
    "workers for each item": "with ThreadPoolExecutor() as pool:\n    list(pool.map(load, keys))",
    "a table that has it twice": "for name, check in [('a', load), ('b', load)]:\n    check(name)",
    "a table for each item": (
        "for key in keys:\n    for check in (load, print):\n        check(key)"
    ),
    "a table that grows": (
        "checks = [load]\nchecks.append(load)\nfor check in checks:\n    check(1)"
    ),
    "a search": "for key in keys:\n    client = make()\n    if client.head(key):\n        break",
    "attempts for each item": (
        "for key in keys:\n    while True:\n        client = make()\n        break"
    ),
}

ONCE = {
    "no loop": "load('x')",
    "attempts that return": "attempts()",
    "attempts that break": (
        "while True:\n    try:\n        client = make()\n        break\n"
        "    except OSError:\n        pass"
    ),
    "attempts that break in `else`": (
        "for attempt in range(3):\n    try:\n        client = make()\n"
        "    except OSError:\n        continue\n    else:\n        break"
    ),
    "return after its use": (
        "while True:\n    try:\n        client = make()\n        client.list()\n"
        "        return client\n    except OSError:\n        pass"
    ),
    "a table of what is called": (
        "for name, check in {'load': load, 'print': print}.items():\n    check('x')"
    ),
    "a table of pairs": "for name, check in [('a', load), ('b', attempts)]:\n    check('x')",
    "a table in a name": "checks = (load, print)\n[check('x') for check in checks]",
    "over what it gives": "for page in load('x'):\n    print(page)",
}


def is_repeated(body: str) -> bool:
    """Return whether some call of `boto3.client` that the handler reaches is in a loop."""
    text = HEAD + "".join(f"    {line}\n" for line in body.splitlines())
    result = engine.lint({"app.py": Source("app.py", text.encode())}, Settings(root=Path()), ())
    made = [one for one in result.project.calls() if one.name == "boto3.client" and one.handlers]
    assert made, "nothing reaches a client"
    return any(one.loop is not None for one in made)


@pytest.mark.parametrize("body", REPEATED.values(), ids=REPEATED)
def test_repeated_for_items(body: str) -> None:
    assert is_repeated(body)


@pytest.mark.parametrize("body", ONCE.values(), ids=ONCE)
def test_not_repeated(body: str) -> None:
    assert not is_repeated(body)
