"""What is state that one invocation leaves to the next, and what only looks like it.

The comment of a line says which rule speaks there; no rule of this category speaks elsewhere.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from lambda_lint import engine
from lambda_lint.finding import Severity
from lambda_lint.registry import BUILTIN, load_rules
from lambda_lint.rule import Rule
from lambda_lint.settings import Settings
from lambda_lint.source import Source

LEFT = {
    "a flag that a library's callback sets, and a loop waits for": """
import paho.mqtt.client as mqtt
connected = False
client = mqtt.Client("x")
def on_connect(client, userdata, flags, code):
    global connected
    connected = True
def handler(event, context):
    client.on_connect = on_connect
    client.connect("broker.example.org", 1883)
    client.loop_start()
    while not connected:  # LMB201
        pass
    client.publish("topic", event["text"])
    client.disconnect()
""",
    "a flag that is set back only when nothing fails": """
import store
is_outer = True
def handler(event, context):
    global is_outer
    if is_outer:  # LMB201
        store.begin(event)
        is_outer = False
    store.run(event)
    is_outer = True
""",
    "what another kind of event has set": """
import os
import boto3
cloudwatch = boto3.client("cloudwatch")
POLICY = ""
def alarm(event):
    cloudwatch.put_metric_alarm(AlarmName="x", AlarmActions=[POLICY])  # LMB201
def handler(event, context):
    global POLICY
    if event["httpMethod"] == "PATCH":
        POLICY = os.environ["POLICY"]
    alarm(event)
""",
    "a text that `except` adds to": """
import store
text = ""
def handler(event, context):
    global text
    try:
        store.write(event["a"])
        text = text + "written "  # LMB203
    except KeyError as error:
        text = text + f"failed: {error}"
    return text
""",
    "a reason that stays, beside a memo of the same name": """
import store
text = ""
def attempt(event):
    global text
    try:
        store.write(event["a"])
    except ValueError as error:
        text = f"failed: {error}"
    return text
def handler(event, context):
    global text
    text = attempt(event)
    if text == "" and not store.has(event["b"]):  # LMB201
        text = store.make()
        if "error" in text:
            return text
    text = store.finish(event["b"])
    return text
""",
    "the first event itself, behind an early return": """
import store
auth = None
def handler(event, context):
    global auth
    if auth:
        return auth["org"]
    auth = event["authorizer"]  # LMB207
    return store.read(auth["org"])
""",
    "a number under one key of a default": """
import store
def search(filters, counts={}):
    counts["calls"] = counts.get("calls", 0) + 1  # LMB205
    return store.find(counts, filters)
def handler(event, context):
    return search(event["filters"])
""",
    "a table whose items are completed once": """
import store
accounts = {}
def handler(event, context):
    for key in store.keys(event["bucket"]):
        accounts[key] = {"run": event["date"]}  # LMB203
    for key in store.older(event["bucket"]):
        if key in accounts and accounts[key].get("before") is None:
            accounts[key]["before"] = store.date(key)
    return [store.compare(key, one) for key, one in accounts.items()]
""",
    "a template that an alias stands for only afterwards": """
import json
import boto3
s3 = boto3.client("s3")
POLICY = {"Version": "2012-10-17", "Statement": []}
def handler(event, context):
    try:
        policy = s3.get_bucket_policy(Bucket=event["name"])
    except KeyError:
        policy = None
    try:
        if policy == "null" or policy is None:
            POLICY["Statement"].append({"Resource": event["name"]})  # LMB204
            policy = POLICY
        s3.put_bucket_policy(Bucket=event["name"], Policy=json.dumps(policy))
    except OSError:
        pass
""",
}

FINE = {
    "a flag of the callback that each invocation sets back": """
import paho.mqtt.client as mqtt
connected = False
client = mqtt.Client("x")
def on_connect(client, userdata, flags, code):
    global connected
    connected = True
def handler(event, context):
    global connected
    connected = False
    client.on_connect = on_connect
    client.connect("broker.example.org", 1883)
    client.loop_start()
    while not connected:
        pass
    client.publish("topic", event["text"])
    client.disconnect()
""",
    "a loop that keeps a cache small": """
import store
kept = {}
def handler(event, context):
    if event["id"] not in kept:
        kept[event["id"]] = store.read(event["id"])
    while kept and len(kept) > 100:
        kept.popitem()
    return kept[event["id"]]
""",
    "a flag that `finally` sets back": """
import store
is_outer = True
def handler(event, context):
    global is_outer
    if is_outer:
        store.begin(event)
    is_outer = False
    try:
        store.run(event)
    finally:
        is_outer = True
""",
    "a flag that is set back after a failure that is handled": """
import store
is_outer = True
def handler(event, context):
    global is_outer
    if is_outer:
        print("outermost")
    is_outer = False
    try:
        store.run(event)
    except Exception:
        print("failed")
    is_outer = True
""",
    "a flag that says that something was done once": """
import store
is_first = True
def handler(event, context):
    global is_first
    if is_first:
        store.warm_up()
        is_first = False
    return store.read(event["id"])
""",
    "set by all kinds of events before it is used": """
import os
import boto3
cloudwatch = boto3.client("cloudwatch")
POLICY = ""
def alarm(event):
    cloudwatch.put_metric_alarm(AlarmName="x", AlarmActions=[POLICY])
def handler(event, context):
    global POLICY
    if event["httpMethod"] == "PATCH":
        POLICY = os.environ["POLICY"]
    else:
        POLICY = os.environ["OTHER_POLICY"]
    alarm(event)
""",
    "asked for before it is used": """
import os
import boto3
cloudwatch = boto3.client("cloudwatch")
POLICY = ""
def alarm(event):
    if POLICY:
        cloudwatch.put_metric_alarm(AlarmName="x", AlarmActions=[POLICY])
def handler(event, context):
    global POLICY
    if event["httpMethod"] == "PATCH":
        POLICY = os.environ["POLICY"]
    alarm(event)
""",
    "made again because what was kept failed": """
import store
session = None
def handler(event, context):
    global session
    try:
        return session.read(event["id"])
    except AttributeError:
        session = store.connect()
    return session.read(event["id"])
""",
    "the same item of a default, again and again": """
import store
def search(filters, sorts={}):
    sorts["score"] = sorts.get("score") or "desc"
    return store.find([{one: way} for one, way in sorts.items()], filters)
def handler(event, context):
    return search(event["filters"])
""",
    "what the context says of the function, once": """
import store
function = None
def handler(event, context):
    global function
    if function is None:
        function = context.function_name
    return store.read(function, event["id"])
""",
    "a table of the module that invocations bring up to date": """
import store
TABLE = {}
def refresh():
    for one in store.profiles():
        TABLE[one["id"]] = {"name": one["name"]}
    return [key for key, value in TABLE.items() if value["name"]]
refresh()
def handler(event, context):
    return refresh()
""",
    "made again when the event asks for something else": """
import store
kept = None
kept_for = None
def handler(event, context):
    global kept, kept_for
    if kept is None or kept_for != event["region"]:
        kept = store.connect(event["region"])
        kept_for = event["region"]
    return kept.read()
""",
    "a table with makers of its own, which is emptied first": """
from collections import defaultdict
COUNTS = defaultdict(lambda: 0)
def handler(event, context):
    COUNTS.clear()
    for one in event["rules"]:
        COUNTS[one] += 1
    return dict(COUNTS)
""",
    "a default whose key is a constant with a name": """
COLUMN = "score"
class Criteria:
    ORDER = "order"
def ask(send, sorts={}):
    sorts[COLUMN] = "desc"
    sorts[Criteria.ORDER] = "asc"
    return send(str(sorts))
def handler(event, context):
    return ask(context.send)
""",
}


@functools.cache
def rules() -> tuple[Rule, ...]:
    return tuple(one for one in load_rules([BUILTIN]) if one.category == "mutable-global-state")


def found_in(text: str) -> list[tuple[int, str]]:
    sources = {"app.py": Source("app.py", text.encode())}
    result = engine.lint(sources, Settings(Path("/project")), rules())
    assert not result.errors
    return [
        (one.span.line, one.code) for one in result.findings if one.severity is not Severity.INFO
    ]


@pytest.mark.parametrize("text", [*LEFT.values(), *FINE.values()], ids=[*LEFT, *FINE])
def test_what_is_left_to_the_next_invocation(text: str) -> None:
    expected = [
        (number, code)
        for number, line in enumerate(text.splitlines(), 1)
        for code in re.findall(r"# (LMB\d+)", line)
    ]
    assert found_in(text) == expected


def test_a_test_whose_branches_write_alike_is_not_what_decides() -> None:
    text = """
LEFT = {"message": None}
def handler(event, context):
    if event["kind"] == "cash":
        if not event.get("account"):
            LEFT["message"] = event["id"] + " opened"
        else:
            LEFT["message"] = "there is one"
    return LEFT
"""
    found = engine.lint({"app.py": Source("app.py", text.encode())}, Settings(Path()), rules())
    (one,) = [one for one in found.findings if one.code == "LMB201"]
    assert "kind" in one.message
    assert "account" not in one.message
