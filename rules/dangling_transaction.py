r"""An invocation that fails leaves its transaction open on a connection that the next one uses.

A DB-API connection begins a transaction with the first statement, and only `commit` or `rollback`
ends it. When a statement fails, or anything else between it and the commit, the environment keeps
the connection as it is. With PostgreSQL all later invocations then fail with "current transaction
is aborted"; with MySQL they commit what the failed one wrote, or keep reading the snapshot that was
taken when the transaction began. https://peps.python.org/pep-0249/#commit and
https://www.psycopg.org/docs/usage.html#transactions-control

```python bad
import psycopg2

connection = psycopg2.connect("dbname=shop")  # LMB803

def handler(event, context):
    if connection.closed:
        raise RuntimeError("no database")
    with connection.cursor() as cursor:
        cursor.execute("insert into orders values (%s)", (event["id"],))
    connection.commit()
```

```python good name="every statement, or every invocation, ends what it began"
import psycopg2
import pymysql

shop = psycopg2.connect("dbname=shop")
log = pymysql.connect(host="db", autocommit=True)
stock = pymysql.connect(host="db")

def handler(event, context):
    if shop.closed:
        raise RuntimeError("no database")
    log.ping(reconnect=True)
    stock.ping(reconnect=True)
    with shop, shop.cursor() as cursor:
        cursor.execute("insert into orders values (%s)", (event["id"],))
    with log.cursor() as cursor:
        cursor.execute("insert into lines values (%s)", (event["id"],))
    try:
        with stock.cursor() as cursor:
            cursor.execute("update stock set n = n - 1 where id = %s", (event["id"],))
        stock.commit()
    except Exception:
        stock.rollback()
        raise
```

Only reading does not make it right: what is read stays one snapshot, or an error stays.

```python bad name="a reader"
import pymysql

connection = pymysql.connect(host="db")  # LMB803

def handler(event, context):
    connection.ping(reconnect=True)
    with connection.cursor() as cursor:
        cursor.execute("select name from items where id = %s", (event["id"],))
        return cursor.fetchone()
```

Silent when autocommit is on, when anything rolls the connection back, when `with` stands on it or
on a transaction of it, when a `finally` commits, and when the invocation closes or replaces it.

Limits: whether a rollback is on every way is not looked at. Sessions of an ORM are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, rule


@rule("LMB803", category="connection-hygiene", severity=Severity.WARNING)
def dangling_transaction(call: Call, project: Project) -> Iterator[Report]:
    made = call.constructor
    if made is None or not made.implicit_transaction or made.kind == "loop-bound":
        return
    resource = call.resource
    if resource is None or not resource.is_shared or not resource.is_in_sight:
        return
    if resource.has_open_arguments:
        return
    if resource.settled is not None or resource.renewal is not None:
        return
    if any(one.phase is not Phase.INIT for one in resource.closings):
        return
    used = resource.executions
    if not used:
        return
    yield Report.of_use(
        call,
        used[0],
        message=(
            "a statement that fails leaves a transaction open on the kept connection of "
            f"`{call.shown}`"
        ),
        help=(
            "roll back in `except` before the error leaves the handler, or connect with autocommit "
            "where every statement stands for itself"
        ),
        used="begins a transaction, which an error here leaves to the next invocation",
        made=f"the {made.what} is made here, once for many invocations",
        others=used,
    )
