r"""A database connection is kept between invocations, and nothing looks whether it is alive.

Between two events an environment is frozen for minutes. Meanwhile the server closes idle
connections, fails over, or restarts, and a frozen client neither notices nor answers. The next
event gets the dead connection, and so do all that follow in this environment, until Lambda throws
it away. AWS's best practices warn of it: idle connections are purged over time, and using one
"will result in a connection error" (https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html).

```python bad
import psycopg2

connection = psycopg2.connect("dbname=shop")  # LMB801
connection.autocommit = True

def handler(event, context):
    with connection.cursor() as cursor:
        cursor.execute("select name from items where id = %s", (event["id"],))
        return cursor.fetchone()
```

An engine of SQLAlchemy keeps a pool, which hands out dead connections as well unless it is told to
look first. That costs one round trip when a connection is taken from the pool.

```python bad name="a pool that does not look"
from sqlalchemy import create_engine, text

engine = create_engine("postgresql+psycopg://shop@db/shop")  # LMB801

def handler(event, context):
    with engine.connect() as connection:
        return connection.execute(text("select 1 from items")).scalar()
```

```python fixed
from sqlalchemy import create_engine, text

engine = create_engine("postgresql+psycopg://shop@db/shop", pool_pre_ping=True)

def handler(event, context):
    with engine.connect() as connection:
        return connection.execute(text("select 1 from items")).scalar()
```

SQLite is a file and has nothing to lose, but where it only stands in for a missing setting, what is
deployed has the setting:

```python bad name="a file only where there is no setting"
import os

from sqlalchemy import create_engine, text

orders = create_engine(os.getenv("ORDERS_URL") or "sqlite:///orders.db")  # LMB801
items = create_engine(os.environ.get("ITEMS_URL", "sqlite:///items.db"))  # LMB801
rates = create_engine("sqlite:////opt/rates.db")

def handler(event, context):
    with orders.connect() as order, items.connect() as item, rates.connect() as rate:
        order.execute(text("select 1 from orders"))
        item.execute(text("select 1 from items"))
        return rate.execute(text("select rate from rates")).scalar()
```

A memo that only asks whether there is a connection does not ask whether it works:

```python bad name="a memo"
import pymysql

_connection = None

def connect():
    global _connection
    if _connection is None:
        _connection = pymysql.connect(host="db", autocommit=True)  # LMB801
    return _connection

def handler(event, context):
    with connect().cursor() as cursor:
        cursor.execute("update items set seen = seen + 1 where id = %s", (event["id"],))
```

```python good name="a check, or a new connection when the old one failed"
import psycopg2
import pymysql

_orders = None
_stock = pymysql.connect(host="db", autocommit=True)
_log = psycopg2.connect("dbname=log")
_log.autocommit = True

def orders():
    global _orders
    if _orders is None or _orders.closed:
        _orders = psycopg2.connect("dbname=shop")
        _orders.autocommit = True
    return _orders

def write(line):
    global _log
    try:
        _log.cursor().execute("insert into lines values (%s)", (line,))
    except psycopg2.OperationalError:
        _log = psycopg2.connect("dbname=log")
        _log.autocommit = True

def handler(event, context):
    _stock.ping(reconnect=True)
    with _stock.cursor() as cursor, orders().cursor() as other:
        cursor.execute("select 1 from stock")
        other.execute("select 1 from orders")
    write("done")
```

Silent when nothing can be lost: with clients of Redis, MongoDB and AWS and query services over
HTTP, which connect again by themselves, and with files (SQLite, DuckDB). Silent, too, for an
engine with `pool_pre_ping`, `pool_recycle`, a pool class or a creator of its own, and for a
connection that is only used while the environment starts.

```python good name="nothing to lose"
import sqlite3

import redis
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

cache = redis.Redis(host="cache")
rates = sqlite3.connect("/opt/rates.db")
engine = create_engine("postgresql+psycopg://shop@db/shop", poolclass=NullPool)

def handler(event, context):
    with engine.connect() as connection:
        connection.exec_driver_sql("select 1 from items")
    return cache.get("rate") or rates.execute("select rate from rates").fetchone()
```

Limits: that a check is on the way of this very use is not looked at; any check of the connection
counts. A proxy in front of the database closes idle connections, too.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import (
    Call,
    Fix,
    Project,
    Report,
    Resource,
    Severity,
    add_argument,
    rule,
)


@rule("LMB801", category="connection-hygiene", severity=Severity.WARNING)
def stale_db_connection(call: Call, project: Project) -> Iterator[Report]:
    made = call.constructor
    if made is None or made.info or made.reconnects is not False:
        return
    is_engine = "pool_pre_ping" in made.liveness
    if not is_engine and made.kind != "connecting":
        return
    if made.family not in ("database", "document", "orm"):
        return
    resource = call.resource
    if resource is None or not resource.is_shared or not resource.is_in_sight:
        return
    if resource.has_open_arguments:
        return
    used = [one for one in resource.invoked if not resource.closes(one)]
    if not used or resource.check is not None or resource.closings:
        return
    if resource.surely_names(made.unless_address):
        return
    yield Report.of_use(
        call,
        used[0],
        message=f"`{call.shown}` is kept, and nothing looks whether a connection is still alive",
        help=_help(made.liveness, is_engine=is_engine),
        used="every invocation uses it as it is",
        made=f"the {made.what} is made here, once for many invocations",
        others=used,
        fix=_fix(call, resource) if is_engine else None,
    )


def _help(liveness: tuple[str, ...], *, is_engine: bool) -> str:
    if is_engine:
        return (
            "add `pool_pre_ping=True`, so that the pool replaces a dead connection before handing "
            "it out, or `poolclass=NullPool` behind a proxy that pools"
        )
    checks = {
        "ping": "call `ping(reconnect=True)` on it at the start of every invocation",
        "is_connected": "call `ping(reconnect=True)` on it at the start of every invocation",
        "is_healthy": "ask `is_healthy()` before using it and connect again when it is not",
    }
    for name in liveness:
        if name in checks:
            return checks[name]
    return (
        "get it from a function that looks at it and connects again when it is closed, and drop "
        "it when a statement fails with a connection error"
    )


def _fix(call: Call, resource: Resource) -> Fix | None:
    """A wrapper around a driver may not know how to ping."""
    if "wrapper" in resource.address or "aws_advanced" in resource.address:
        return None
    if any(one.name == "pool_pre_ping" for one in call.node.arguments):
        return None
    return add_argument(call, "pool_pre_ping=True", title="Look whether a connection is alive")
