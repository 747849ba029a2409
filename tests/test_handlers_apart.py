"""Handlers are functions of Lambda of their own: what one does is no finding of another."""

from __future__ import annotations

from pathlib import Path

from lambda_lint.engine import lint
from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.settings import Settings
from lambda_lint.source import Source

TWO_HANDLERS = """\
import boto3

class Store:
    def __init__(self):
        self._client = None

    def client(self):
        if self._client is None:
            self._client = boto3.client("s3")
        return self._client

store = Store()

def lambda_handler(event, context):
    return store.client().list_buckets()

def cron_handler(event, context):
    own = Store()
    return own.client().list_buckets()
"""


def test_a_memo_fails_for_the_handler_that_makes_its_own_object() -> None:
    source = Source("app.py", TWO_HANDLERS.encode())
    result = lint({"app.py": source}, Settings(root=Path()), load_rules([BUILTIN]))
    (found,) = [one for one in result.findings if one.code == "LMB106"]
    assert found.span.line == 9
    assert found.handlers == ("app.py:cron_handler",)
    assert [step.span.line for step in found.witness] == [17, 19, 18, 9]
