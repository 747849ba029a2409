"""What the fixes of client-in-handler write, and where they keep their hands off."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_lint.engine import lint
from lambda_lint.fixes import fix_to_fixpoint
from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.settings import Settings
from lambda_lint.source import Source

RULES = load_rules([BUILTIN])

WRITTEN = {
    "hoisted with its comment and its lines": (
        """\
import boto3
from botocore.config import Config


def handler(event, context):
    s3 = boto3.client(
        "s3",
        config=Config(retries={"mode": "adaptive"}),
    )  # retries, because the bucket is busy
    return s3.get_object(Bucket="b", Key=event["key"])
""",
        """\
import boto3
from botocore.config import Config


s3 = boto3.client(
    "s3",
    config=Config(retries={"mode": "adaptive"}),
)  # retries, because the bucket is busy


def handler(event, context):
    return s3.get_object(Bucket="b", Key=event["key"])
""",
    ),
    "a name that the module has already": (
        """\
import boto3

client = "somebody"

def handler(event, context):
    client = boto3.client("s3")
    return client.list_buckets()
""",
        """\
import functools
import boto3

client = "somebody"

@functools.cache
def _client():
    return boto3.client("s3")

def handler(event, context):
    client = _client()
    return client.list_buckets()
""",
    ),
    "equal calls share one function": (
        """\
import boto3


def one():
    if True:
        s3 = boto3.client("s3")
        return s3.list_buckets()


def two():
    if True:
        s3 = boto3.client("s3")
        return s3.list_buckets()


def handler(event, context):
    return one(), two()
""",
        """\
import functools
import boto3


@functools.cache
def _s3():
    return boto3.client("s3")


def one():
    if True:
        s3 = _s3()
        return s3.list_buckets()


def two():
    if True:
        s3 = _s3()
        return s3.list_buckets()


def handler(event, context):
    return one(), two()
""",
    ),
    "a class inside a class": (
        """\
from functools import cache
import boto3


class Outer:
    class Inner:
        def __init__(self):
            self.s3 = boto3.client("s3")


def handler(event, context):
    return Outer.Inner().s3.list_buckets()
""",
        """\
from functools import cache
import boto3


@cache
def _s3_client():
    return boto3.client("s3")


class Outer:
    class Inner:
        def __init__(self):
            self.s3 = _s3_client()


def handler(event, context):
    return Outer.Inner().s3.list_buckets()
""",
    ),
}

LEFT_ALONE = {
    "a session that gets the tenant's headers": """\
import requests

def handler(event, context):
    session = requests.Session()
    session.headers["Authorization"] = event["token"]
    return session.get("https://example.org").text
""",
    "a session that a helper may fill": """\
import requests

def sign(session, event):
    session.auth = (event["user"], event["password"])

def handler(event, context):
    session = requests.Session()
    sign(session, event)
    return session.get("https://example.org").text
""",
    "a connection": """\
import pymysql

def handler(event, context):
    connection = pymysql.connect(host="db")
    return connection.cursor().execute("select 1")
""",
    "arguments that are local": """\
import boto3
from settings import read

def handler(event, context):
    region = read("region")
    s3 = boto3.client("s3", region_name=region)
    return s3.list_buckets()
""",
}


def fixed(text: str) -> str:
    source = Source("app.py", text.encode())
    settings = Settings(root=Path("/project"))
    done = fix_to_fixpoint(
        lambda sources: lint(sources, settings, RULES).findings, {"app.py": source}, unsafe=True
    )
    assert done.converged
    return done.sources["app.py"].text


@pytest.mark.parametrize(("before", "after"), WRITTEN.values(), ids=WRITTEN)
def test_fix_is_written(before: str, after: str) -> None:
    assert fixed(before) == after
    assert fixed(after) == after


@pytest.mark.parametrize("text", LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_code_is_left_alone(text: str) -> None:
    assert fixed(text) == text


def test_hoist_is_safe_unless_tests_replace_the_sdk() -> None:
    text = (
        "import boto3\n\ndef handler(event, context):\n"
        '    s3 = boto3.client("s3")\n    return s3.list_buckets()\n'
    )
    app = Source("app.py", text.encode())
    tests = Source("tests/test_app.py", b"from moto import mock_aws\n")
    settings = Settings(root=Path("/project"))

    def safety(*sources: Source) -> list[bool]:
        found = lint({one.path: one for one in sources}, settings, RULES).findings
        return [one.fix.safe for one in found if one.fix is not None]

    assert safety(app) == [True]
    assert safety(app, tests) == [False]


def test_a_wrapper_around_a_driver_is_not_told_to_ping() -> None:
    """https://github.com/aws/aws-advanced-python-wrapper/pull/1245: its dialect has no ping."""
    settings = Settings(root=Path("/project"))
    fixes = {}
    for driver in ("psycopg", "aws_wrapper_psycopg"):
        text = (
            "from sqlalchemy import create_engine, text\n"
            f'engine = create_engine("postgresql+{driver}://shop@db/shop")\n'
            "def lambda_handler(event, context):\n"
            "    with engine.connect() as connection:\n"
            '        return connection.execute(text("select n from items")).scalar()\n'
        )
        found = lint({"app.py": Source("app.py", text.encode())}, settings, RULES).findings
        [one] = [one for one in found if one.code == "LMB801"]
        fixes[driver] = one.fix is not None
    assert fixes == {"psycopg": True, "aws_wrapper_psycopg": False}
