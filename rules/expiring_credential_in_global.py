r"""Credentials that end after a time are kept as long as the environment lives.

The session of an assumed role lasts an hour unless told otherwise, a database token 15 minutes. An
environment lives longer: from then on every call fails with ExpiredToken, until AWS ends the
environment. https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

```python events
send({})
later(hours=2)
send({})
# file: clock.py
import datetime

import effects

def check(credentials):
    now = datetime.datetime.now(datetime.timezone.utc)
    effects.record("expired" if credentials["Expiration"] < now else "right")
```

```python bad
import boto3

import clock

sts = boto3.client("sts")
ROLE = "arn:aws:iam::123456789012:role/reports"
CREDENTIALS = sts.assume_role(RoleArn=ROLE, RoleSessionName="me")["Credentials"]  # LMB502

def handler(event, context):
    clock.check(CREDENTIALS)
```

```python good
import datetime

import boto3

import clock

sts = boto3.client("sts")
ROLE = "arn:aws:iam::123456789012:role/reports"
_credentials = None

def credentials():
    global _credentials
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=5)
    if _credentials is None or _credentials["Expiration"] < soon:
        _credentials = sts.assume_role(RoleArn=ROLE, RoleSessionName="me")["Credentials"]
    return _credentials

def handler(event, context):
    clock.check(credentials())
```

A cache around the function keeps them just as long, and so does a client that was made from them:

```python bad name="a cache"
import functools

import boto3

import clock

@functools.cache  # LMB502
def credentials():
    sts = boto3.client("sts")
    answer = sts.assume_role(
        RoleArn="arn:aws:iam::123456789012:role/reports", RoleSessionName="me"
    )
    return answer["Credentials"]

def handler(event, context):
    clock.check(credentials())
```

```python bad name="for each account, as long as there is no KeyError"
import boto3

import clock

sts = boto3.client("sts")
kept = {}

def handler(event, context):
    account = event.get("account", "123456789012")
    try:
        keys = globals()["kept"][account]
    except KeyError:
        role = f"arn:aws:iam::{account}:role/reports"
        answer = sts.assume_role(RoleArn=role, RoleSessionName="me")
        kept[account] = answer["Credentials"]  # LMB502
        keys = kept[account]
    clock.check(keys)
```

```python bad name="a client that was made from them"
import boto3

sts = boto3.client("sts")
ROLE = "arn:aws:iam::123456789012:role/reports"
keys = sts.assume_role(RoleArn=ROLE, RoleSessionName="me")["Credentials"]  # LMB502
s3 = boto3.client(
    "s3",
    aws_access_key_id=keys["AccessKeyId"],
    aws_secret_access_key=keys["SecretAccessKey"],
    aws_session_token=keys["SessionToken"],
)

def handler(event, context):
    return s3.list_buckets()
```

Not run: a client does not show when its credentials end, and moto takes any.

Silent when a test in front looks at the time or at `Expiration`, when they are fetched for every
event, when they are written again after a failure, and for credentials that refresh themselves.

```python events
see(send({"report": "a"}))
see(send({"report": "a"}))
```

```python good name="made again where it is used, when its time is nearly over"
import datetime

import boto3

sts = boto3.client("sts")
ROLE = "arn:aws:iam::123456789012:role/reports"

class Storage:
    kept = None

    def __new__(cls):
        if cls.kept is None:
            cls.kept = super().__new__(cls)
            cls.kept.ready = False
        return cls.kept

    def __init__(self):
        if not self.ready:
            self.ready = True
            self.s3, self.ends = self.connect()

    def connect(self):
        keys = sts.assume_role(RoleArn=ROLE, RoleSessionName="me")["Credentials"]
        client = boto3.client(
            "s3",
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        return client, keys["Expiration"]

    def region(self):
        if datetime.datetime.now(datetime.timezone.utc) > self.ends:
            self.s3, self.ends = self.connect()
        return self.s3.meta.region_name

def handler(event, context):
    return [event["report"], Storage().region()]
```

```python good name="a role that nobody gives where the client is kept"
import boto3

sts = boto3.client("sts")

class Connections:
    def client(self, service, role=None):
        arguments = {"region_name": "eu-central-1"}
        if role:
            keys = sts.assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
            arguments["aws_access_key_id"] = keys["AccessKeyId"]
            arguments["aws_secret_access_key"] = keys["SecretAccessKey"]
            arguments["aws_session_token"] = keys["SessionToken"]
        return boto3.client(service, **arguments)

class Reports:
    def __init__(self, role=None):
        self.s3 = Connections().client("s3", role=role)

ROLE = "arn:aws:iam::123456789012:role/reports"
connections = Connections()
lambdas = connections.client("lambda")
reports = Reports()

def count(report):
    iam = connections.client("iam", role=ROLE)
    return len(iam.list_users()["Users"])

def handler(event, context):
    return [count(event["report"]), lambdas.meta.region_name, reports.s3.meta.region_name]
```

Limits: whether environments of the function live longer than the credentials is not known.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Kept, Project, Report, Severity, rule


@rule("LMB502", category="secret-in-global", severity=Severity.ERROR)
def expiring_credential_in_global(kept: Kept, project: Project) -> Iterator[Report]:
    if kept.kind != "credentials":
        return
    where = "an object in " if kept.in_object else ""
    yield Report.of_kept(
        kept,
        message=f"{where}`{kept.shown}` keeps {kept.what} for the life of the environment; they "
        f"last {kept.issued.lifetime}",
        help="compare their expiration with the time before each use and fetch them again, fetch "
        "them for every event, or use botocore's `RefreshableCredentials`",
        fetched=f"the {kept.what} are fetched here, once",
        last=f"`{kept.shown}` keeps them, and nothing asks when they end",
    )
