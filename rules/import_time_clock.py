r"""The time of the import is used as if it were now.

What stands at module level, in a class body or in a default argument is evaluated once for an
environment, which then serves events for hours. Yesterday's partition is read, tomorrow's report is
dated today, and every record bears the time of the first event:
https://github.com/aws/aws-sdk-pandas/issues/2185 and
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html

```python bad
from datetime import date

import boto3

TODAY = date.today().isoformat()  # LMB601
s3 = boto3.client("s3")

def handler(event, context):
    return s3.get_object(Bucket="lake", Key=f"day={TODAY}/part.json")["Body"].read()
```

```python good
from datetime import date

import boto3

s3 = boto3.client("s3")

def handler(event, context):
    today = date.today().isoformat()
    return s3.get_object(Bucket="lake", Key=f"day={today}/part.json")["Body"].read()
```

Default arguments and defaults of fields are evaluated when the function or class is defined:

```python bad name="a default argument"
from datetime import datetime, timedelta, timezone

import boto3

logs = boto3.client("logs")

def query(end=datetime.now(timezone.utc)):  # LMB601
    start = end - timedelta(hours=1)
    return logs.start_query(startTime=int(start.timestamp()), endTime=int(end.timestamp()))

def handler(event, context):
    return query()
```

A default that all calls give so far waits for the first that does not:

```python bad name="a default that is given"
from datetime import datetime, timezone

import boto3

table = boto3.resource("dynamodb").Table("events")

def record(text, at=datetime.now(timezone.utc).isoformat()):  # LMB601
    table.put_item(Item={"text": text, "at": at})

def handler(event, context):
    record(event["text"], at=datetime.now(timezone.utc).isoformat())
```

Not run: it misbehaves when somebody relies on the default.

```python bad name="a default of a field, and an identifier"
# file: models.py
import datetime

from peewee import DateTimeField, Model

class Quote(Model):
    created_at = DateTimeField(default=datetime.date.today())  # LMB601

# file: app.py
import uuid

import boto3
from models import Quote

REQUEST = str(uuid.uuid4())  # LMB601
table = boto3.resource("dynamodb").Table("t")

def handler(event, context):
    Quote.create(text=event["text"])
    table.put_item(Item={"id": REQUEST, "text": event["text"]})
```

The columns that models take from a class beside them are theirs as well:

```python bad name="a column of a mixin"
import os
from datetime import datetime

from sqlalchemy import Column, DateTime, Integer, create_engine
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()

class Dated:
    created = Column(DateTime, default=datetime.utcnow())  # LMB601
    modified = Column(DateTime, onupdate=datetime.utcnow())  # LMB601

class Note(Dated, Base):
    __tablename__ = "notes"
    id = Column(Integer, primary_key=True)

engine = create_engine(os.environ["DSN"], pool_pre_ping=True)

def handler(event, context):
    with Session(engine) as session:
        session.add(Note(id=event["id"]))
        session.commit()
```

A query puts nothing in, and takes from a column no time:

```python good name="a column that is only asked for"
import os
from datetime import datetime, timedelta

from sqlalchemy import Column, DateTime, Integer, create_engine
from sqlalchemy.orm import Session, declarative_base

Base = declarative_base()

class Note(Base):
    __tablename__ = "notes"
    id = Column(Integer, primary_key=True)
    created = Column(DateTime, default=datetime.utcnow())

engine = create_engine(os.environ["DSN"], pool_pre_ping=True)

def handler(event, context):
    with Session(engine) as session:
        since = datetime.utcnow() - timedelta(hours=1)
        return session.query(Note).filter(Note.created >= since).group_by(Note.id).count()
```

```python good name="the time that went by, the start itself, and factories"
import datetime
import time
import uuid
from dataclasses import dataclass, field

from peewee import DateTimeField, Model

STARTED = time.time()
COLD_START_AT = datetime.datetime.now()
INSTANCE_ID = uuid.uuid4().hex
_loaded_at = time.time()
_settings = {}

class Quote(Model):
    created_at = DateTimeField(default=datetime.date.today)

@dataclass
class Note:
    at: datetime.datetime = field(default_factory=datetime.datetime.now)

def settings():
    global _loaded_at, _settings
    if time.time() - _loaded_at > 300:
        _settings = {"read": True}
        _loaded_at = time.time()
    return _settings

def until(end=None):
    return end or datetime.datetime.now()

def handler(event, context):
    print("up for", time.time() - STARTED, "since", COLD_START_AT)
    Quote.create(text=event["text"])
    return {"environment": INSTANCE_ID, "settings": settings(), "until": until(), "note": Note()}
```

A time that is renewed whenever it is past is never taken for now, wherever it is kept:

```python good name="renewed whenever it is past"
# file: connections.py
from datetime import datetime, timedelta

import boto3

client = boto3.client("rds")

def token():
    return client.generate_db_auth_token(DBHostname="db", Port=5432, DBUsername="app")

class Connection:
    token = None
    refresh = datetime.now() - timedelta(minutes=1)

    def __init__(self):
        now = datetime.now()
        if Connection.refresh < now:
            Connection.refresh = now + timedelta(minutes=10)
            Connection.token = token()

class Reader:
    token = None
    refresh = datetime.now() - timedelta(minutes=1)

    @classmethod
    def get(cls):
        if cls.refresh < datetime.now():
            cls.renew()
        return cls.token

    @classmethod
    def renew(cls):
        cls.refresh = datetime.now() + timedelta(minutes=10)
        cls.token = token()

# file: app.py
from datetime import datetime, timedelta

import connections

kept = None
due = datetime.now()

def handler(event, context):
    global due, kept
    if due <= datetime.now():
        due = datetime.now() + timedelta(minutes=10)
        kept = connections.token()
    return [kept, connections.Connection().token, connections.Reader.get()]
```

```python bad name="asked, and never renewed"
from datetime import datetime, timedelta

import boto3

sns = boto3.client("sns")
due = datetime.now() + timedelta(minutes=10)  # LMB601

def handler(event, context):
    if due < datetime.now():
        sns.publish(TopicArn=event["topic"], Message="ten minutes went by")
```

Silent when no object is made of the class with the field, when only the time that went by is taken
from it, when only logs see it, when its name says that it is that of the start or of the
environment, and when an invocation renews it, be it only when it is past.

Limits: what a project function makes of it at import is followed into the variable that gets the
result.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Frozen, Project, Report, Severity, rule


@rule("LMB601", category="stale-init-value", severity=Severity.WARNING)
def import_time_clock(found: Frozen, project: Project) -> Iterator[Report]:
    if found.of_environment or (
        found.what.what == "identifier" and project.starts_from_snapshot(found)
    ):
        return
    what = f"the {found.what.what} of the import"
    match found.kind:
        case "default":
            message = (
                f"the default of `{found.shown}` is {what} and {found.use} in every invocation"
            )
            if not found.is_left_out:
                message = f"the default of `{found.shown}` is {what}, for every call without it"
            help = f"take None as the default of `{found.shown}` and make the value in the body"
        case "field":
            message = f"`{found.shown}` is {what} in every object that is made without it"
            if found.factory == "onupdate":
                message = f"`{found.shown}` becomes {what} whenever an object is changed"
            help = f"{_instead(found, project)}: it is called for each object"
        case _:
            message = f"`{found.shown}` {found.relation} {what} and {found.use} in every invocation"
            help = "make it in the handler, or in the function that uses it"
    yield Report.of_frozen(
        found, project, message=message, help=help, made="this is evaluated once, at import"
    )


def _instead(found: Frozen, project: Project) -> str:
    """Return the argument that takes a function, with the one that is called here."""
    argument, call = found.argument, found.site.node
    if argument is None:
        return "give the function itself"
    source = project.sources[found.site.module.path]
    if argument.value is call and not call.arguments:
        name = source.slice(call.func.span)
        return f"give the function itself, without parentheses, `{found.factory}={name}`"
    made = " ".join(source.slice(argument.value.span).split())
    return f"give a function, `{found.factory}=lambda: {made}`"
