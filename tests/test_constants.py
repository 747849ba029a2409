"""What is certainly the same for every event, and which text or host an expression has."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambda_lint import engine
from lambda_lint.model.project import Call
from lambda_lint.settings import Settings
from lambda_lint.source import Source

HEAD = """
import datetime, json, os, pathlib, re, tempfile
from urllib.parse import urljoin
import boto3, requests
HERE = pathlib.Path(__file__).parent
HOST = "https://api.example.com"
MARKS = {"a": 1}
s3 = boto3.client("s3")
probe = requests.get
started = datetime.datetime.now()

def given(name):
    return os.path.join("/opt", name)

def two(name):
    return probe(name)

class Settings:
    region = "eu-west-1"
    def __init__(self):
        self.base = HOST + "/v1"
        self.made = s3.list_buckets()

def handler(event, context):
    settings = Settings()
    local = "model.bin"
    with open("schema.json") as file:
        text = file.read()
    two("a")
    two("b")
    for item in event["items"]:
        pass
    changed = 1
    changed = event["n"]
"""


def call_of(expression: str) -> Call:
    """Return the call of `requests.get` that is given the expression in a handler."""
    text = HEAD + f"    requests.get({expression})\n"
    result = engine.lint({"app.py": Source("app.py", text.encode())}, Settings(root=Path()), ())
    line = text.count("\n")
    (found,) = [
        one
        for one in result.project.calls()
        if one.span.line == line and one.name == "requests.get"
    ]
    return found


@pytest.mark.parametrize(
    ("expression", "fixed"),
    [
        pytest.param("'a'", True, id="literal"),
        pytest.param("f'{HOST}/{local}'", True, id="put together from constants"),
        pytest.param("HERE / 'a.json'", True, id="beside the module"),
        pytest.param("json.load(open('a.json'))", True, id="a deployed file"),
        pytest.param(
            "json.loads((HERE / 'a').read_text())", True, id="a deployed file by its path"
        ),
        pytest.param("text", True, id="read in a with block"),
        pytest.param("os.environ['A']", True, id="the environment"),
        pytest.param("os.getenv('A', 'b').lower()", True, id="the environment, as a call"),
        pytest.param("given('x')", True, id="a function of the project"),
        pytest.param("settings.base", True, id="an attribute"),
        pytest.param("settings.region", True, id="an attribute of the class"),
        pytest.param("started", True, id="made at import, whatever it is"),
        pytest.param("list[int]", True, id="a type"),
        pytest.param("MARKS['a']", True, id="an item of a constant table"),
        pytest.param("event['a']", False, id="the event"),
        pytest.param("open('/tmp/a').read()", False, id="a temporary file"),
        pytest.param("os.path.join('/tmp', 'a')", False, id="a temporary path"),
        pytest.param("s3.list_buckets()", False, id="what a service answers"),
        pytest.param("settings.made", False, id="what a service answered, in an attribute"),
        pytest.param("datetime.datetime.now()", False, id="the clock"),
        pytest.param("given(event['a'])", False, id="a function of the project, with the event"),
        pytest.param("item", False, id="an item of a loop"),
        pytest.param("changed", False, id="assigned twice"),
        pytest.param("unheard_of", False, id="unknown"),
    ],
)
def test_what_is_fixed(expression: str, fixed: bool) -> None:
    found = call_of(expression)
    assert found.is_fixed(found.node.arguments[0].value) is fixed


@pytest.mark.parametrize(
    ("expression", "beginning", "fixed", "depends"),
    [
        pytest.param("HOST + '/a'", "https://api.example.com/a", True, False, id="constant"),
        pytest.param("f'{HOST}/{event}'", "https://api.example.com/", True, False, id="base"),
        pytest.param("urljoin(HOST, event)", "https://api.example.com", True, False, id="joined"),
        pytest.param("f'{os.environ[0]}/{event}'", "", True, False, id="of the environment"),
        pytest.param("f'https://{event}/a'", "https://", False, True, id="host of the event"),
        pytest.param("event['url']", "", False, True, id="of the event"),
        pytest.param(
            "f'https://{os.environ[0]}/a'", "https://", True, False, id="host by variable"
        ),
        pytest.param("s3.list_buckets()['url']", "", False, False, id="not known"),
        pytest.param("'http://' + os.environ['AWS_LAMBDA_RUNTIME_API']", "http://", True, False),
    ],
)
def test_hosts(expression: str, beginning: str, fixed: bool, depends: bool) -> None:
    found = call_of(expression)
    address = found.address_of(found.node.arguments[0].value)
    assert address.beginning == beginning
    assert address.is_fixed is fixed
    assert bool(address.depends_on) is depends
