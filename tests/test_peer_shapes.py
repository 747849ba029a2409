"""What the neighbouring tools look for is found here too, and what they get wrong is not repeated.

The shapes are those of pythaw's rules PW001 to PW009 and of SonarPython's S6243, with the false
alarms that are known of both.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_lint.engine import lint
from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.settings import Settings
from lambda_lint.source import Source

RULES = load_rules([BUILTIN])

FOUND = {
    "PW001 boto3.client": ("import boto3", 'boto3.client("s3")'),
    "PW002 boto3.resource": ("import boto3", 'boto3.resource("s3")'),
    "PW003 boto3.Session": ("import boto3", "boto3.Session()"),
    "PW004 pymysql.connect": ("import pymysql", 'pymysql.connect(host="db")'),
    "PW005 psycopg2.connect": ("import psycopg2", 'psycopg2.connect("host=db")'),
    "PW006 redis.Redis": ("import redis", 'redis.Redis(host="cache")'),
    "PW007 redis.StrictRedis": ("import redis", 'redis.StrictRedis(host="cache")'),
    "PW008 httpx.Client": ("import httpx", "httpx.Client()"),
    "PW009 requests.Session": ("import requests", "requests.Session()"),
    "S6243 boto3.session.Session": ("import boto3", "boto3.session.Session()"),
    "S6243 mysql.connector": ("import mysql.connector", 'mysql.connector.connect(host="db")'),
    "S6243 pymongo": ("import pymongo", 'pymongo.MongoClient("mongodb://db")'),
    "S6243 peewee Postgres": ("import peewee", 'peewee.PostgresqlDatabase("shop")'),
    "S6243 peewee MySQL": ("import peewee", 'peewee.MySQLDatabase("shop")'),
    "S6243 mongoengine": ("import mongoengine", 'mongoengine.connect("shop")'),
    "missed by pythaw: module alias": ("import boto3 as b3", 'b3.client("s3")'),
    "missed by pythaw: imported function": ("from boto3 import client", 'client("s3")'),
    "missed by pythaw: imported class": (
        "from boto3.session import Session as S",
        "S()",
    ),
    "missed by pythaw: redis.from_url": ("import redis", 'redis.from_url("redis://cache")'),
    "missed by pythaw: redis.client.Redis": ("import redis.client", "redis.client.Redis()"),
    "missed by pythaw: psycopg 3": ("import psycopg", 'psycopg.connect("host=db")'),
    "missed by pythaw: SQLAlchemy": (
        "from sqlalchemy import create_engine",
        'create_engine("postgresql://db")',
    ),
}

INFORMATION = {
    "S6243 sqlalchemy sessionmaker": ("import sqlalchemy.orm", "sqlalchemy.orm.sessionmaker()"),
    "S6243 sqlite3": ("import sqlite3", 'sqlite3.connect("/tmp/x.db")'),
    "S6243 peewee Sqlite": ("import peewee", 'peewee.SqliteDatabase("/tmp/x.db")'),
}
"""Found as well, but cheap enough per invocation to be information only."""

QUIET = {
    "global None guard": """
import boto3
_c = None
def lambda_handler(event, context):
    global _c
    if _c is None:
        _c = boto3.client("s3")
    return _c.list_buckets()
""",
    "lru_cache factory": """
import functools
import boto3
@functools.lru_cache
def client():
    return boto3.client("s3")
def lambda_handler(event, context):
    return client().list_buckets()
""",
    "dictionary of clients by region": """
import boto3
_cache = {}
def client(r):
    if r not in _cache:
        _cache[r] = boto3.client("s3", region_name=r)
    return _cache[r]
def lambda_handler(event, context):
    return client("eu-west-1").list_buckets()
""",
    "client of the event's region": """
import boto3
def lambda_handler(event, context):
    return boto3.client("s3", region_name=event["region"]).list_buckets()
""",
    "client with assumed credentials": """
import boto3
sts = boto3.client("sts")
def lambda_handler(event, context):
    c = sts.assume_role(RoleArn="arn", RoleSessionName="x")["Credentials"]
    s3 = boto3.client("s3", aws_access_key_id=c["AccessKeyId"],
                      aws_secret_access_key=c["SecretAccessKey"],
                      aws_session_token=c["SessionToken"])
    return s3.list_buckets()
""",
    "parameter of the library's name": """
def lambda_handler(event, boto3):
    return boto3.client("s3")
""",
    "error handler of a web framework": """
import boto3
def error_handler(request):
    return boto3.client("s3")
""",
    "nested function that nobody calls": """
import boto3
def lambda_handler(event, context):
    def unused():
        return boto3.client("s3")
    return event
""",
    "arguments from the event (S6243's own fixture)": """
import boto3
def lambda_handler(event, context):
    bucket = event["Records"][0]["awsRegion"]
    client = boto3.client("s3", bucket)
    return client.list_buckets()
""",
}


def findings(text: str) -> list[tuple[str, int, str]]:
    source = Source("lambda_function.py", text.encode())
    result = lint({source.path: source}, Settings(root=Path("/project")), RULES)
    assert result.errors == ()
    return [(one.code, one.span.line, one.severity.value) for one in result.findings]


def handler(imports: str, call: str) -> str:
    return (
        f"{imports}\n\ndef lambda_handler(event, context):\n    made = {call}\n    return made.x\n"
    )


@pytest.mark.parametrize(("imports", "call"), FOUND.values(), ids=FOUND)
def test_shape_is_found(imports: str, call: str) -> None:
    found = findings(handler(imports, call))
    assert [one for one in found if one[0].startswith("LMB1")] == [("LMB101", 4, "warning")]


@pytest.mark.parametrize(("imports", "call"), INFORMATION.values(), ids=INFORMATION)
def test_cheap_shape_is_information(imports: str, call: str) -> None:
    assert findings(handler(imports, call)) == [("LMB101", 4, "info")]


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_known_false_alarm_is_quiet(text: str) -> None:
    assert [one for one in findings(text) if one[2] != "info"] == []


def test_two_handlers_sharing_a_helper_give_one_finding() -> None:
    text = """
import boto3
def helper():
    return boto3.client("s3")
def lambda_handler(event, context):
    return helper()
def other_handler(event, context):
    return helper()
"""
    source = Source("app.py", text.encode())
    result = lint({"app.py": source}, Settings(root=Path("/project")), RULES)
    assert [(one.span.line, one.handlers) for one in result.findings] == [
        (4, ("app.py:lambda_handler", "app.py:other_handler"))
    ]
