r"""The key of a cache is an object that every invocation makes anew.

A client, a session or an object of a class without `__eq__` is equal only to itself. A cache with
such a key never finds what it holds, and what it holds keeps every one of these objects alive: all
of them without a bound, and with one as many as it allows.
https://docs.python.org/3/faq/programming.html#how-do-i-cache-method-calls

```python events
watch("memory")
for number in range(30):
    send({})
```

```python bad
import functools

class Session:
    def __init__(self):
        self.rows = [str(number) for number in range(50)]

@functools.cache  # LMB302
def rows(session):
    return len(session.rows)

def handler(event, context):
    return rows(Session())
```

```python good
import functools

class Session:
    def __init__(self):
        self.rows = [str(number) for number in range(50)]

session = Session()

@functools.cache
def rows(session):
    return len(session.rows)

def handler(event, context):
    return rows(session)
```

A session of the SDK is the usual one:

```python bad name="a session of the SDK"
import functools

import boto3

@functools.lru_cache(maxsize=None)  # LMB302
def secret(session, name):
    client = session.client("secretsmanager")  # LMB101
    return client.get_secret_value(SecretId=name)["SecretString"]

def handler(event, context):
    session = boto3.Session()  # LMB101
    return len(secret(session, "shop/key"))
```

Not run: making a hundred sessions takes longer than a test may.

```python bad name="a client of the SDK"
import functools

import boto3

@functools.cache  # LMB302
def certificate(iam, name):
    answer = iam.get_server_certificate(ServerCertificateName=name)
    return answer["ServerCertificate"]["CertificateBody"]

def handler(event, context):
    iam = boto3.client("iam")  # LMB101
    return len(certificate(iam, "shop"))
```

Not run: making a hundred clients takes longer than a test may.

The `id()` of an object is a key of that kind, and worse: when the object is gone another one gets
its number, and with it what the cache holds for the first one.

```python bad name="the id of an object"
_kept = {}

class Options:
    def __init__(self, given):
        self.size = [str(number) for number in range(given["size"])]

    @classmethod
    def of(cls, given):
        key = id(given)
        if key not in _kept:
            _kept[key] = cls(given)  # LMB302
        return _kept[key]

def handler(event, context):
    return len(Options.of({"size": 50, "old": dict(_kept)}).size)
```

Not run: which numbers come again is left to chance.

Silent when the object is made once, when its class says when two are equal, and when the decorator
chooses the key (`key=`).

Limits: `self` of a method is not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Caching, Project, Report, Severity, rule


@rule("LMB302", category="unbounded-cache", severity=Severity.ERROR)
def cache_key_per_invocation_object(caching: Caching, project: Project) -> Iterator[Report]:
    if caching.problem != "fresh":
        return
    if caching.key.startswith("id("):
        yield Report.of_cache(
            caching,
            project,
            message=f"the key of `{caching.shown}` is `{caching.key}`: when that object is gone, "
            "another one has the same number and finds what is not its own",
            help="take as the key what the object holds, for example "
            "`json.dumps(options, sort_keys=True)`, with a bound, or do without the cache",
            last=f"`{caching.shown}` keeps an entry under the number of an object",
        )
        return
    yield Report.of_cache(
        caching,
        project,
        message=f"the key of `{caching.shown}` is `{caching.key}`, an object of this invocation: "
        "it is never found again, and stays",
        help=f"make `{caching.key}` once, at module level, or leave it out of the arguments and "
        "take it from the module",
        last=f"`{caching.shown}` keeps one more object under a key that never comes again",
    )
