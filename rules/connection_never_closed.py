r"""A connection that is opened for every event is not closed on every way out.

A connection that nobody closes stays open at the server until the garbage collector gets to it, a
timeout ends it, or the environment is thrown away; under load the database runs out of connections
first. Mostly one connection for the environment is better (client-in-handler says so); where each
invocation has its own, it has to close it, also when an error is handled.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html and
https://peps.python.org/pep-0249/#Connection.close

```python bad
import pymysql

def handler(event, context):
    connection = pymysql.connect(host="db")  # LMB101 LMB804
    with connection.cursor() as cursor:
        cursor.execute("insert into events values (%s)", (event["id"],))
    connection.commit()
```

```python bad name="not when an error is handled"
import pymysql

def handler(event, context):
    try:
        connection = pymysql.connect(host="db")  # LMB101 LMB804
        with connection.cursor() as cursor:
            cursor.execute("insert into events values (%s)", (event["id"],))
        connection.commit()
        connection.close()
    except Exception as error:
        return {"statusCode": 500, "body": str(error)}
    return {"statusCode": 200}
```

On connections of psycopg2 and pyodbc `with` ends the transaction, and leaves the connection open:

```python bad name="with does not close this one"
import psycopg2

def handler(event, context):
    with psycopg2.connect("dbname=shop") as connection:  # LMB101 LMB804
        with connection.cursor() as cursor:
            cursor.execute("insert into events values (%s)", (event["id"],))
```

A helper that opens it hands the duty to its callers:

```python bad name="a helper"
# file: app.py
from database import connect

def handler(event, context):
    connection = connect(event["tenant"])
    return connection.cursor().execute("select 1 from events")

# file: database.py
import pyodbc

def connect(tenant):
    return pyodbc.connect(f"DSN={tenant}")  # LMB804
```

An error in a `with` block comes out of the `yield` of its context manager, behind which nothing
runs unless it stands in a `finally`:

```python bad name="a context manager without finally"
from contextlib import contextmanager

import pymysql

@contextmanager
def database(name):
    connection = pymysql.connect(host="db", database=name)  # LMB804
    yield connection
    connection.close()

def handler(event, context):
    try:
        with database(event["tenant"]) as connection:
            connection.cursor().execute("select 1 from events")
    except Exception:
        return {"statusCode": 500}
    return {"statusCode": 200}
```

```python good name="a context manager with finally, or whose errors nobody handles"
from contextlib import contextmanager

import pymysql

@contextmanager
def database(name):
    connection = pymysql.connect(host="db", database=name)
    try:
        yield connection
    finally:
        connection.close()

@contextmanager
def archive(name):
    connection = pymysql.connect(host="archive", database=name)
    yield connection
    connection.close()

def handler(event, context):
    with archive(event["tenant"]) as connection:
        connection.cursor().execute("select 1 from events")
    try:
        with database(event["tenant"]) as connection:
            connection.cursor().execute("select 1 from events")
    except Exception:
        return {"statusCode": 500}
    return {"statusCode": 200}
```

```python good name="closed on every way out"
# file: app.py
import contextlib

import psycopg
import psycopg2

from database import connect, disconnect

def handler(event, context):
    with contextlib.closing(psycopg2.connect(event["dsn"])) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute("insert into events values (%s)", (event["id"],))
    with psycopg.connect(event["dsn"]) as connection:
        connection.execute("insert into events values (%s)", (event["id"],))
    connection = None
    try:
        connection = connect(event["tenant"])
        connection.cursor().execute("select 1 from events")
    except Exception:
        return {"statusCode": 500}
    finally:
        if connection:
            disconnect(connection)
    return {"statusCode": 200}

# file: database.py
import pyodbc

def connect(tenant):
    return pyodbc.connect(f"DSN={tenant}")

def disconnect(connection):
    connection.close()
```

Silent when the connection is handed to something that cannot be looked into, and when only an error
that leaves the handler keeps it from being closed.

Limits: a closing that stands under an unrelated test is taken to be made whenever it is needed.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, rule


@rule("LMB804", category="connection-hygiene", severity=Severity.WARNING)
def connection_never_closed(call: Call, project: Project) -> Iterator[Report]:
    made = call.constructor
    if made is None or not made.must_close or call.phase is not Phase.INVOKE:
        return
    leak = call.leak
    if leak is None:
        return
    where = "not closed on every way out" if leak.ever else "never closed"
    yield Report.of_call(
        call,
        message=f"the {made.what} of `{call.shown}` is opened on every invocation and {where}",
        help=_help(made.closes[0], entered=leak.entered, always=made.closes_on_exit is True),
        last=f"the {made.what} is opened here",
        before_last=(leak.step,) if leak.step is not None else (),
        # A plain socket is closed with the object, which only an error keeps from saying goodbye.
        severity=Severity.INFO if leak.ever and made.family == "mail" else None,
    )


def _help(close: str, *, entered: bool, always: bool) -> str:
    if entered:
        return (
            "`with` on this connection only ends the transaction: put "
            "`with contextlib.closing(...)` around it"
        )
    if always:
        return "open it in a `with` statement, which closes it on every way out"
    return f"call `{close}()` in a `finally`, or put `with contextlib.closing(...)` around it"
