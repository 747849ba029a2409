"""The code that help shows, by what the project asks for and what its code says today."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from lambda_lint import engine
from lambda_lint.descriptors.requirements import libraries
from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.settings import Settings
from lambda_lint.source import Source

SECRET = """
import boto3

secrets = boto3.client("secretsmanager")
{kept}

def handler(event, context):
    return {used}
"""
VARIABLE = 'KEY = secrets.get_secret_value(SecretId="shop/key")["SecretString"]'
PARAMETER = """
ssm = boto3.client("ssm")
TOKEN = ssm.get_parameter(Name=NAME, WithDecryption=True)["Parameter"]["Value"]"""
DECORATED = """
import functools

@functools.cache
def key():
    return secrets.get_secret_value(SecretId="shop/key")["SecretString"]"""
MEMO = """
_key = None

def key():
    global _key
    if _key is None:
        _key = secrets.get_secret_value(SecretId="shop/key")["SecretString"]
    return _key"""
CACHE = """
_orders = {{}}

def order(key):
    if key not in _orders:
        _orders[key] = {{"key": key}}
    return _orders[key]

def handler(event, context):
    return order(event["order"])
"""
TIMER = """
import threading

def handler(event, context):
    warning = threading.Timer(10, print)
    warning.start()
    return event["order"]
"""
POWERTOOLS = "aws-lambda-powertools==3.4.0\n"

HELP = [
    (
        "a getter of one's own, with the expression that is there",
        "LMB501",
        SECRET.format(kept=VARIABLE, used="KEY"),
        "",
        """
        KEY = None
        _key_fetched_at = 0.0

        def key():
            global KEY, _key_fetched_at
            if KEY is None or time.time() - _key_fetched_at > 300:
                KEY = secrets.get_secret_value(SecretId="shop/key")["SecretString"]
                _key_fetched_at = time.time()
            return KEY
        """,
    ),
    (
        "the same of several lines",
        "LMB501",
        SECRET.format(
            kept='key = secrets.get_secret_value(\n    SecretId="shop/key"\n)["SecretString"]',
            used="key",
        ),
        "",
        """
        def get_key():
            global key, _key_fetched_at
            if key is None or time.time() - _key_fetched_at > 300:
                key = secrets.get_secret_value(
                    SecretId="shop/key"
                )["SecretString"]
        """,
    ),
    (
        "Powertools is in the requirements, and knows the secret's name",
        "LMB501",
        SECRET.format(kept=VARIABLE, used="KEY"),
        POWERTOOLS,
        """
        from aws_lambda_powertools.utilities import parameters

        parameters.get_secret("shop/key", max_age=300)
        """,
    ),
    (
        "Powertools for a parameter, which has to be decrypted",
        "LMB501",
        SECRET.format(kept='NAME = "/shop"' + PARAMETER, used="TOKEN"),
        POWERTOOLS,
        "parameters.get_parameter(NAME, decrypt=True, max_age=300)",
    ),
    (
        "Powertools is not in the requirements, and imported",
        "LMB501",
        "from aws_lambda_powertools import Logger\n" + SECRET.format(kept=VARIABLE, used="KEY"),
        "",
        'parameters.get_secret("shop/key", max_age=300)',
    ),
    (
        "a comment asks for nothing",
        "LMB501",
        SECRET.format(kept=VARIABLE, used="KEY"),
        "boto3  # aws-lambda-powertools is too large\n",
        "_key_fetched_at = time.time()",
    ),
    (
        "what invocations use was made from it at import",
        "LMB501",
        SECRET.format(
            kept='ANSWER = secrets.get_secret_value(SecretId="shop/key")\n'
            'KEY = ANSWER["SecretString"]\n'
            'HEADERS = {"Authorization": KEY}',
            used="HEADERS",
        ),
        POWERTOOLS,
        """
        HEADERS = None
        _headers_made_at = 0.0

        def get_headers():
            global HEADERS, _headers_made_at
            if HEADERS is None or time.time() - _headers_made_at > 300:
                HEADERS = …  # from a new `ANSWER`
                _headers_made_at = time.time()
            return HEADERS
        """,
    ),
    (
        "an argument that changes, because the decorator knows no time",
        "LMB501",
        SECRET.format(kept=DECORATED, used="key()"),
        "",
        """
        @functools.lru_cache(maxsize=8)
        def key(…, ttl_slot): ...

        key(…, ttl_slot=time.time() // 300)
        """,
    ),
    (
        "another decorator, where there is a library that has one",
        "LMB501",
        SECRET.format(kept=DECORATED, used="key()"),
        "cachetools>=5\n",
        "@cachetools.cached(cachetools.TTLCache(maxsize=8, ttl=300, timer=time.time))",
    ),
    (
        "the test of the memo asks for the time as well",
        "LMB501",
        SECRET.format(kept=MEMO, used="key()"),
        "",
        """
        if _key is None or time.time() - fetched_at > 300:
            _key = …
            fetched_at = time.time()
        """,
    ),
    (
        "the oldest entry goes",
        "LMB301",
        CACHE.format(),
        "",
        """
        if len(_orders) >= 128:
            _orders.pop(next(iter(_orders)))
        """,
    ),
    (
        "a cache of the library, with size, lifetime and a clock that goes on in the freezer",
        "LMB301",
        CACHE.format(),
        "cachetools\n",
        "_orders = cachetools.TTLCache(maxsize=128, ttl=300, timer=time.time)",
    ),
    (
        "the variable that the code has",
        "LMB402",
        TIMER,
        "",
        """
        warning.start()
        try:
            …
        finally:
            warning.cancel()
        """,
    ),
]


@pytest.mark.parametrize(
    ("code", "text", "requirements", "wanted"),
    [case[1:] for case in HELP],
    ids=[case[0] for case in HELP],
)
def test_help_shows_the_code_to_write(code: str, text: str, requirements: str, wanted: str) -> None:
    rules = [one for one in load_rules([BUILTIN]) if one.code == code]
    result = engine.lint(
        {"app.py": Source("app.py", text.encode())},
        Settings(root=Path()),
        rules,
        descriptors={"requirements.txt": Source("requirements.txt", requirements.encode())},
    )
    assert [one.code for one in result.findings] == [code]
    shown = textwrap.indent(textwrap.dedent(wanted).strip("\n"), " " * 4)
    assert shown in result.findings[0].help


REQUIREMENTS = [
    ("requirements.txt", "aws-lambda-powertools[tracer]==3.0", {"aws-lambda-powertools"}),
    ("src/requirements-dev.in", "AWS_Lambda_Powertools", {"aws-lambda-powertools"}),
    ("pyproject.toml", 'dependencies = ["cachetools>=5"]', {"cachetools"}),
    ("Pipfile", 'cachetools = "*"', {"cachetools"}),
    ("requirements.txt", "types-cachetools", set()),
    ("requirements.txt", "# cachetools", set()),
    ("notes.txt", "cachetools", set()),
]


@pytest.mark.parametrize(("path", "text", "wanted"), REQUIREMENTS)
def test_libraries_are_read_from_what_installers_read(
    path: str, text: str, wanted: set[str]
) -> None:
    assert libraries({path: Source(path, text.encode())}) == wanted
