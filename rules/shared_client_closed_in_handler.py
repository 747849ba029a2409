r"""A client or connection that outlives the invocation is closed by it.

The module keeps it for the next event, which then gets something closed: "Cannot use MongoClient
after close", "the connection is closed". The first event of each environment works, and so does
every test. Sources: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
and https://pymongo.readthedocs.io/en/stable/api/pymongo/mongo_client.html

```python bad
import os

from pymongo import MongoClient

client = MongoClient(os.environ["MONGO"])

def handler(event, context):
    try:
        return client.shop.items.find_one({"id": event["id"]})
    finally:
        client.close()  # LMB802
```

```python good
import os

from pymongo import MongoClient

client = MongoClient(os.environ["MONGO"])

def handler(event, context):
    return client.shop.items.find_one({"id": event["id"]})
```

`with` closes most connections as well. What it should stand on is the cursor, the transaction or
the session.

```python bad name="with"
import httpx
import pymysql

connection = pymysql.connect(host="db")
http = httpx.Client()

def handler(event, context):
    with connection:  # LMB802
        with connection.cursor() as cursor:
            cursor.execute("insert into events values (%s)", (event["id"],))
        connection.commit()
    with http:  # LMB802
        http.post("https://hooks.internal", json=event)
```

```python good name="what can be used again, and what is made again"
import psycopg2
import pymysql
import requests

session = requests.Session()
warehouse = psycopg2.connect("dbname=warehouse")
_connection = None

def connection():
    global _connection
    if _connection is None:
        _connection = pymysql.connect(host="db")
    return _connection

def disconnect():
    global _connection
    if _connection is not None:
        _connection.close()
        _connection = None

def handler(event, context):
    try:
        if warehouse.closed == 0:
            with warehouse, warehouse.cursor() as cursor:
                cursor.execute("insert into events values (%s)", (event["id"],))
        with connection().cursor() as cursor:
            cursor.execute("select 1 from events")
        with session:
            session.post("https://hooks.internal", json=event)
    finally:
        disconnect()
```

Silent when it opens itself again after it was closed (sessions of requests, Redis clients, HTTP
connections of the standard library, engines after `dispose()`), when `with` only ends a transaction
on it (psycopg2, pyodbc), and when the variable is filled or emptied elsewhere.

Limits: an object that can be this one or another is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, rule


@rule("LMB802", category="connection-hygiene", severity=Severity.ERROR)
def shared_client_closed_in_handler(call: Call, project: Project) -> Iterator[Report]:
    made = call.constructor
    if made is None or not made.closes_for_good or made.kind == "loop-bound":
        return
    resource = call.resource
    if resource is None or not resource.is_shared or not resource.is_in_sight:
        return
    if resource.check is not None:
        return
    for use in resource.closings:
        if use.phase is not Phase.INVOKE or not use.certain or use not in resource.invoked:
            continue
        if use.kind not in ("method", "with") or resource.ends_program(use):
            continue
        if not any(one.node is not use.node for one in resource.invoked):
            continue
        place = " ".join(project.sources[use.path].slice(use.receiver).split())
        how = "leaving `with` closes" if use.kind == "with" else "closes"
        yield Report.of_use(
            call,
            use,
            at_use=True,
            message=f"{how} the {made.what} `{place}`, which the next invocation uses again",
            help=f"leave `{place}` open; it ends with the environment",
            made=f"the {made.what} is made here, once for many invocations",
            used="every invocation closes it here",
        )
