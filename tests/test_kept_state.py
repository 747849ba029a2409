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
    "what the project's own object calls the current event": """
class Holder:
    current_event = None
app = Holder()
def handler(event, context):
    if event.get("x"):
        app.current_event = event
    return app.current_event  # LMB201
""",
    "what a namespace calls the current event": """
from types import SimpleNamespace
app = SimpleNamespace(current_event=None)
def handler(event, context):
    if event.get("x"):
        app.current_event = event
    return app.current_event  # LMB201
""",
    "a setting of the environment that only some events ask for": """
import os
import tracing
OPTIONS = {"LOG_BODY": True}
def start(options):
    options["LEVEL"] = os.environ["DEBUG_LEVEL"]  # LMB204
def handler(event, context):
    if event.get("debug"):
        start(OPTIONS)
    return tracing.start(OPTIONS)
""",
    "a setting of the environment that an event has set": """
import os
import tracing
OPTIONS = {"LOG_BODY": True}
def handler(event, context):
    os.environ["TENANT"] = event["tenant"]
    if event["tenant"] == "none":
        return tracing.start(OPTIONS)
    OPTIONS["TENANT"] = os.environ["TENANT"]  # LMB204
    return tracing.start(OPTIONS)
""",
    "a setting of the environment behind a way out for some events": """
import os
import tracing
OPTIONS = {"LOG_BODY": True}
def handler(event, context):
    if not event.get("debug"):
        return tracing.start(OPTIONS)
    OPTIONS["LEVEL"] = os.environ["DEBUG_LEVEL"]  # LMB204
    return tracing.start(OPTIONS)
""",
    "a setting of the environment that is added again": """
import os
import tracing
OPTIONS = {"PATH": "/opt"}
def handler(event, context):
    OPTIONS["PATH"] = OPTIONS["PATH"] + os.environ["MORE"]  # LMB204
    return tracing.start(OPTIONS)
""",
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
    "emptied only after a failure of what sends it": """
class Batch:
    def __init__(self):
        self.reset()
    def reset(self):
        self.rows = []
    def flush(self, sink):
        for row in self.rows:
            sink.put(row)
        if sink.failed:
            self.reset()
batch = Batch()
def handler(event, context):
    batch.rows.append(event["row"])  # LMB203
    batch.flush(context.sink)
""",
    "a result that tells of something else": """
import boto3
from botocore.exceptions import ClientError
ec2 = boto3.client("ec2")
def create(event):
    global made
    if not event.get("subnet"):
        return "skipped"
    made = ec2.create_network_interface(SubnetId=event["subnet"])["NetworkInterface"]
    return "made"
def handler(event, context):
    result = create(event)
    if result == "failed":
        return None
    return ec2.delete_network_interface(NetworkInterfaceId=made["Id"])  # LMB201
""",
    "a running total that is returned as it is": """
import logging
log = logging.getLogger()
total = 0
def handler(event, context):
    global total
    before = total
    total += event["size"]  # LMB203
    log.info("%d more", total - before)
    return {"total": total}
""",
    "a loop over what has no age": """
import time
seen = {}
def handler(event, context):
    at = int(event["at"])
    at = int(at)
    for name, one in seen.items():
        if one["at"] != at:
            print(name)
    seen[event["id"]] = {"at": time.time()}  # LMB203
    return [name for name, one in seen.items() if one["at"]]
""",
    "a buffer that is sent when it is long enough": """
import store
buffer = []
def handler(event, context):
    buffer.append(event["id"])  # LMB203
    if len(buffer) >= 10:
        store.put(buffer)
        buffer.clear()
""",
    "a remainder of a text": """
text = ""
def handler(event, context):
    global text
    text += event["text"]  # LMB203
    return {"text": text % 3, "all": text % event["id"]}
""",
    "the most so far": """
best = 0
def handler(event, context):
    global best
    best = max(best, event["score"])  # LMB203
    return {"best": best}
""",
    "how many were read": """
count = 0
def handler(event, context):
    global count
    for one in event["items"]:
        count += 1  # LMB203
    return {"read": count}
""",
    "a result of another name": """
import store
from enum import Enum
class Result(Enum):
    OK = 1
    BAD = 2
    NONE = 3
token = None
def login(user):
    global token
    found = store.login(user)
    if found is None:
        return Result.NONE
    token = found
    return Result.OK
def handler(event, context):
    if login(event["user"]) is Result.BAD:
        return {"error": 1}
    return store.get(token, event["id"])  # LMB201
""",
}

FINE = {
    "the current event of Powertools, which is made for each": """
import json
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
app = APIGatewayRestResolver()
@app.post("/users")
def create():
    details = app.current_event.json_body
    details["tenant"] = app.current_event.request_context.authorizer.raw_event["tenant"]
    return {"body": json.dumps(details)}
@app.get("/users")
def read():
    headers = app.current_event.headers
    if app.current_event.body:
        headers["size"] = len(app.current_event.body)
    return {"body": json.dumps(headers)}
def handler(event, context):
    return app.resolve(event, context)
""",
    "what Powertools empties after each event": """
import store
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
app = APIGatewayHttpResolver()
@app.get("/users")
def read():
    if app.current_event.body:
        app.context["user"] = app.current_event.body
        app.lambda_context.user = app.current_event.body
    return store.read(app.context.get("user"), app.lambda_context.user)
def handler(event, context):
    return app.resolve(event, context)
""",
    "the current request of Chalice": """
import store
from chalice import Chalice
app = Chalice(app_name="x")
@app.route("/users", methods=["POST"])
def create():
    details = app.current_request.json_body
    if details.get("tenant"):
        details["by"] = app.current_request.context["user"]
    return store.write(details, app)
def handler(event, context):
    return app(event, context)
""",
    "a setting of the environment, the same each time": """
import os
import tracing
OPTIONS = {"LOG_BODY": True}
def start(options):
    try:
        options["APPLICATION_ID"] = os.environ["APPLICATION_ID"]
        tracing.start(options)
    except KeyError as error:
        print(error)
def handler(event, context):
    start(OPTIONS)
    return {"statusCode": 200}
""",
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
    "the same item of a default that some give": """
SCORE = "score"
def search(send, sorts={}):
    sorts[SCORE] = sorts.get(SCORE) or "desc"
    return send([one for one in sorts.items()])
def handler(event, context):
    if event.get("sorts"):
        return search(context.send, event["sorts"])
    return search(context.send)
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
    "emptied by a method that makes its attributes anew": """
import json
from collections import defaultdict
from urllib.request import urlopen
class Base:
    def initialize(self):
        self.counts = defaultdict(lambda: defaultdict(int))
    def __init__(self):
        self.initialize()
class Stats(Base):
    def increment(self, metric, tag):
        self.counts[metric][tag] += 1
    def flush(self):
        series = [dict(values) for values in self.counts.values()]
        self.initialize()
        urlopen("https://example.com", json.dumps(series).encode(), timeout=3)
stats = Stats()
def handler(event, context):
    for record in event["Records"]:
        stats.increment("records", record["kind"])
    stats.flush()
""",
    "emptied by __init__, by vars, and by __dict__": """
class One:
    def __init__(self):
        self.rows = []
    def close(self):
        found = list(self.rows)
        self.__init__()
        return found
class Two:
    def __init__(self):
        self.rows = []
    def close(self):
        found = list(self.rows)
        vars(self).clear()
        return found
class Three:
    def __init__(self):
        self.rows = []
    def close(self):
        found = list(self.rows)
        self.__dict__.update(rows=[])
        return found
one, two, three = One(), Two(), Three()
def handler(event, context):
    for kept in (one, two, three):
        pass
    one.rows.append(event["id"])
    two.rows.append(event["id"])
    three.rows.append(event["id"])
    return [one.close(), two.close(), three.close()]
""",
    "emptied where there is something in it": """
rows = []
def flush(sink):
    global rows
    if not rows:
        return
    sink.put(rows)
    rows = []
def handler(event, context):
    for record in event["items"]:
        rows.append(record)
    flush(context.sink)
""",
    "emptied when its length says so": """
rows = []
def flush(sink):
    if len(rows) == 0:
        return
    sink.put(rows)
    rows.clear()
def handler(event, context):
    for record in event["items"]:
        rows.append(record)
    flush(context.sink)
""",
    "replaced by what a new object holds": """
class Batch:
    def __init__(self):
        self.rows = []
batch = Batch()
def handler(event, context):
    global batch
    batch = Batch()
    batch.rows.append(event["id"])
    return batch.rows
""",
    "a helper that says by its result that it has not written": """
import boto3
from botocore.exceptions import ClientError
ec2 = boto3.client("ec2")
def create(subnet):
    global eni
    try:
        eni = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["Id"]
    except ClientError as error:
        print("no interface:", error)
        return "false"
    return "true"
def handler(event, context):
    err = create(event["subnet"])
    if err == "false":
        return None
    return ec2.attach_network_interface(NetworkInterfaceId=eni, InstanceId=event["instance"])
""",
    "results that are asked right away, handed on, in a tuple, or a flag": """
import boto3
from botocore.exceptions import ClientError
ec2 = boto3.client("ec2")
def create(subnet):
    global a
    try:
        a = ec2.create_network_interface(SubnetId=subnet)
    except ClientError:
        return
    return a
def told(subnet):
    return create(subnet)
def pair(subnet):
    global b
    done = False
    try:
        b = ec2.create_network_interface(SubnetId=subnet)
        done = True
    except ClientError:
        pass
    return done, "text"
def flag(subnet):
    global c
    done = False
    try:
        c = ec2.create_network_interface(SubnetId=subnet)
        done = True
    except ClientError:
        pass
    return done
def handler(event, context):
    if told(event["subnet"]) is None:
        raise ValueError("no a")
    ok, text = pair(event["subnet"])
    if not ok:
        return text
    if not (done := flag(event["subnet"])):
        return done
    return ec2.delete_network_interface(NetworkInterfaceId=a["Id"] + b["Id"] + c["Id"])
""",
    "the difference of two readings of one invocation": """
import logging
log = logging.getLogger()
class Stats:
    def __init__(self):
        self.hits = self.misses = 0
    def snapshot(self):
        return self.hits, self.misses
stats = Stats()
class Profiler:
    def __init__(self):
        self.start = stats.snapshot()
    def report(self):
        hits, misses = stats.snapshot()
        log.info("%d hits, %d misses", hits - self.start[0], misses - self.start[1])
def get(key):
    stats.misses += 1
    return key
def handler(event, context):
    before = stats.misses
    profiler = Profiler()
    value = get(event["key"])
    profiler.report()
    return {"value": value, "misses": stats.misses - before}
""",
    "a registry whose entries are asked for their age": """
import time
health = {}
def record(name, status):
    health[name] = {"status": status, "as_of": time.time()}
def snapshot():
    now = time.time()
    found = {}
    for name, one in health.items():
        if now - one["as_of"] > 3600:
            found[name] = "unknown"
        else:
            found[name] = one["status"]
    return found
def handler(event, context):
    record("mail", event["status"])
    return snapshot()
""",
    "emptied by what wraps the handler, afterwards": """
import functools
import json
rows = []
def flushed(function):
    @functools.wraps(function)
    def inner(event, context):
        try:
            return function(event, context)
        finally:
            print(json.dumps(rows))
            rows.clear()
    return inner
@flushed
def handler(event, context):
    rows.append(event["id"])
    return {"rows": list(rows)}
""",
    "emptied by what wraps the handler, before": """
import functools
rows = []
def fresh(function):
    @functools.wraps(function)
    def inner(event, context):
        rows.clear()
        return function(event, context)
    return inner
@fresh
def handler(event, context):
    rows.append(event["id"])
    return {"rows": list(rows)}
""",
    "emptied before each request": """
from flask import Flask
import serverless_wsgi
app = Flask(__name__)
rows = []
@app.before_request
def reset():
    rows.clear()
@app.route("/a")
def a():
    rows.append(1)
    return {"rows": rows}
def handler(event, context):
    return serverless_wsgi.handle_request(app, event, context)
""",
    "emptied after each request": """
from flask import Flask
import serverless_wsgi
app = Flask(__name__)
rows = []
@app.teardown_request
def reset(error):
    rows.clear()
@app.route("/a")
def a():
    rows.append(1)
    return {"rows": rows}
def handler(event, context):
    return serverless_wsgi.handle_request(app, event, context)
""",
    "a circuit breaker that closes again": """
import store
failures = 0
def handler(event, context):
    global failures
    if failures > 5:
        raise RuntimeError("open")
    try:
        store.call(event)
        failures = 0
    except OSError:
        failures += 1
        raise
""",
    "every hundredth time": """
import store
calls = 0
def handler(event, context):
    global calls
    calls += 1
    if calls % 100 == 0:
        store.sweep()
    return store.get(event["id"])
""",
    "emptied when a context is entered": """
import store
rows = []
class Batch:
    def __enter__(self):
        rows.clear()
        return rows
    def __exit__(self, *args):
        store.put(rows)
def handler(event, context):
    with Batch() as batch:
        batch.append(event["id"])
        rows.append(event["b"])
""",
    "filled by threads, after it was emptied": """
from concurrent.futures import ThreadPoolExecutor
import store
rows = []
def work(one):
    rows.append(store.get(one))
def handler(event, context):
    rows.clear()
    with ThreadPoolExecutor() as pool:
        pool.map(work, event["ids"])
    return rows
""",
    "an object that another one takes the place of": """
class Report:
    def __init__(self):
        self.rows = []
    def add(self, row):
        self.rows.append(row)
report = Report()
def note(row):
    report.add(row)
def handler(event, context):
    global report
    note(event["row"])
    found = report.rows
    report = Report()
    return found
""",
    "attributes that are set by their names": """
class App:
    def __init__(self):
        self.rows = []
        self.seen = []
    def reset(self):
        for name in ("rows", "seen"):
            setattr(self, name, [])
app = App()
def handler(event, context):
    app.reset()
    app.rows.append(event["id"])
    app.seen.append(event["id"])
    return app.rows + app.seen
""",
    "completed by a copy of the defaults": """
import copy
DEFAULT = {"rows": []}
state = copy.deepcopy(DEFAULT)
def handler(event, context):
    state.update(copy.deepcopy(DEFAULT))
    state["rows"].append(event["id"])
    return state
""",
    "a queue that is worked off": """
import store
from collections import deque
todo = deque()
def handler(event, context):
    todo.extend(event["ids"])
    while todo:
        store.put(todo.popleft())
""",
    "what was seen before": """
import store
ids = set()
def handler(event, context):
    for one in event["Records"]:
        if one["id"] in ids:
            continue
        ids.add(one["id"])
        store.put(one)
""",
    "a buffer that `finally` empties": """
import store
buffer = []
def flush():
    if not buffer:
        return
    try:
        store.put(list(buffer))
    except OSError as error:
        print("lost", error)
    finally:
        buffer.clear()
def handler(event, context):
    try:
        buffer.append(event["id"])
        return {"ok": True}
    finally:
        flush()
""",
    "sent in parts, and the rest": """
import store
buffer = []
def handler(event, context):
    for one in event["Records"]:
        buffer.append(one["body"])
        if len(buffer) >= 25:
            store.put(buffer)
            buffer.clear()
    if buffer:
        store.put(buffer)
        buffer.clear()
""",
    "a limit for each address, whose times are thinned out": """
import time
from collections import defaultdict
hits = defaultdict(list)
def allowed(ip):
    now = time.time()
    hits[ip] = [one for one in hits[ip] if now - one < 60]
    if len(hits[ip]) >= 10:
        return False
    hits[ip].append(now)
    return True
def handler(event, context):
    if not allowed(event["ip"]):
        return {"statusCode": 429}
    return {"statusCode": 200}
""",
    "a limit for all, whose times are thinned out": """
import time
hits = []
def allowed():
    global hits
    now = time.time()
    hits = [one for one in hits if now - one < 60]
    if len(hits) >= 10:
        return False
    hits.append(now)
    return True
def handler(event, context):
    if not allowed():
        return {"statusCode": 429}
    return {"statusCode": 200}
""",
    "the number of a request": """
import json
import requests
session = requests.Session()
class Client:
    def __init__(self):
        self.request_id = 0
    def call(self, method, params):
        self.request_id += 1
        body = {"jsonrpc": "2.0", "id": self.request_id, "method": method, "params": params}
        return session.post("https://example.com", json=body, timeout=3).json()
client = Client()
def handler(event, context):
    return client.call("get", event["params"])
""",
    "a bucket of tokens": """
import time
tokens = 10.0
last = time.monotonic()
def take():
    global tokens, last
    now = time.monotonic()
    tokens = min(10.0, tokens + (now - last) * 2)
    last = now
    if tokens < 1:
        time.sleep((1 - tokens) / 2)
    tokens -= 1
def handler(event, context):
    take()
    return event["id"]
""",
    "a circuit breaker of its own": """
import time
import store
class Breaker:
    def __init__(self):
        self.failures = 0
        self.opened_at = 0.0
    def allow(self):
        return self.failures < 5 or time.time() - self.opened_at > 30
    def success(self):
        self.failures = 0
    def failure(self):
        self.failures += 1
        if self.failures >= 5:
            self.opened_at = time.time()
breaker = Breaker()
def handler(event, context):
    if not breaker.allow():
        return {"statusCode": 503}
    try:
        found = store.get(event["id"])
    except OSError:
        breaker.failure()
        return {"statusCode": 502}
    breaker.success()
    return {"statusCode": 200, "body": found}
""",
    "one key after the other": """
import store
KEYS = ["a", "b", "c"]
turn = 0
def key():
    global turn
    turn = (turn + 1) % len(KEYS)
    return KEYS[turn]
def handler(event, context):
    return store.get(key(), event["id"])
""",
    "how often it was invoked": """
import time
started = time.time()
invocations = 0
def handler(event, context):
    global invocations
    invocations += 1
    return {"ok": True, "meta": {"cold": invocations == 1, "uptime": time.time() - started}}
""",
    "the last ones": """
history = []
def handler(event, context):
    history.append(event["text"])
    del history[:-20]
    return {"last": history}
""",
    "a result with a name": """
import store
token = None
ERROR = -1
def login(user):
    global token
    found = store.login(user)
    if found is None:
        return ERROR
    token = found
    return 0
def handler(event, context):
    code = login(event["user"])
    if code == ERROR:
        return {"code": code}
    return store.get(token, event["id"])
""",
    "a result of an enumeration": """
import store
from enum import Enum
class Result(Enum):
    OK = 1
    BAD = 2
token = None
def login(user):
    global token
    found = store.login(user)
    if found is None:
        return Result.BAD
    token = found
    return Result.OK
def handler(event, context):
    if login(event["user"]) is Result.BAD:
        return {"error": 1}
    return store.get(token, event["id"])
""",
    "a result below zero": """
import store
token = None
def login(user):
    global token
    found = store.login(user)
    if found is None:
        return -1
    token = found
    return 0
def handler(event, context):
    code = login(event["user"])
    if code < 0:
        return {"code": code}
    return store.get(token, event["id"])
""",
    "a result that is the answer": """
import store
token = None
def login(user):
    global token
    found = store.login(user)
    if found is None:
        return {"statusCode": 401}
    token = found
    return None
def handler(event, context):
    error = login(event["user"])
    if error:
        return error
    return store.get(token, event["id"])
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
