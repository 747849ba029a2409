r"""A secret is fetched once and kept as long as the environment lives.

Secrets are rotated. A variable of the module, an attribute of a class or a cache without a lifetime
goes on using the old one until AWS ends the environment, which may take hours, so that requests
fail in some environments and not in others. AWS advises to cache secrets with a refresh: https://docs.aws.amazon.com/secretsmanager/latest/userguide/retrieving-secrets.html

```python events
secrets = aws("secretsmanager")
secrets.create_secret(Name="shop/key", SecretString="first")
see(send({}))
secrets.put_secret_value(SecretId="shop/key", SecretString="second")
later(hours=1)
see(send({}))
```

```python bad
import boto3

secrets = boto3.client("secretsmanager")
KEY = secrets.get_secret_value(SecretId="shop/key")["SecretString"]  # LMB501

def handler(event, context):
    return {"key": KEY}
```

```python good
import time

import boto3

secrets = boto3.client("secretsmanager")
_key = None
_fetched_at = 0.0

def key():
    global _key, _fetched_at
    if _key is None or time.time() - _fetched_at > 300:
        _key = secrets.get_secret_value(SecretId="shop/key")["SecretString"]
        _fetched_at = time.time()
    return _key

def handler(event, context):
    return {"key": key()}
```

With Powertools this is `parameters.get_secret("shop/key", max_age=300)`, called where the secret is
needed: a variable that keeps the result at import defeats the lifetime. The other ways to keep a
secret too long are memos and caching decorators:

```python bad name="a memo, and a cache around the function"
import functools
import json

import boto3

secrets = boto3.client("secretsmanager")
_kept = {}

def load(name):
    if name not in _kept:
        answer = secrets.get_secret_value(SecretId=name)
        _kept[name] = answer["SecretString"]  # LMB501
    return _kept[name]

@functools.lru_cache(maxsize=8)  # LMB501
def cached(name):
    return secrets.get_secret_value(SecretId=name)["SecretString"]

def handler(event, context):
    return {"key": load("shop/key"), "again": cached("shop/key")}
```

```python bad name="an object that fetches, and a variable that keeps"
import boto3

class Secrets:
    def __init__(self, name):
        self.name = name
        self.client = boto3.client("secretsmanager")

    def value(self, key=None):
        answer = self.client.get_secret_value(SecretId=self.name)
        self.parsed = {"key": answer["SecretString"]}
        return self.parsed[key] if key else self.parsed

secrets = Secrets("shop/key")
KEY = secrets.value("key")  # LMB501

def handler(event, context):
    return {"key": KEY}
```

```python events
ssm = aws("ssm")
ssm.put_parameter(Name="/shop/token", Value="first", Type="SecureString")
ssm.put_parameter(Name="/shop/limit", Value="5", Type="String")
see(send({}))
ssm.put_parameter(Name="/shop/token", Value="second", Type="SecureString", Overwrite=True)
later(hours=1)
see(send({}))
```

```python bad name="by way of a helper, which also reads what is no secret"
import boto3

def parameter(name, decrypt=False):
    ssm = boto3.client("ssm")
    return ssm.get_parameter(Name=name, WithDecryption=decrypt)["Parameter"]["Value"]

TOKEN = parameter("/shop/token", decrypt=True)  # LMB501
LIMIT = int(parameter("/shop/limit"))

def handler(event, context):
    return {"token": TOKEN, "limit": LIMIT}
```

```python bad name="both halves of an answer, behind a flag"
import time

import boto3

ssm = boto3.client("ssm")

def fetch():
    answer = ssm.get_parameter(Name="/shop/token", WithDecryption=True)
    return answer["Parameter"]["Value"], "shop"

class Shop:
    ready = False
    token = None
    user = None

    def __init__(self):
        if not Shop.ready:
            (Shop.token, Shop.user) = fetch()  # LMB501
            Shop.ready = True

class Team:
    def __init__(self):
        self.loaded_at = 0.0

    def shop(self):
        if time.time() - self.loaded_at < 2:
            return None
        self.loaded_at = time.time()
        return Shop()

def handler(event, context):
    return {"token": Team().shop().token}
```

```python bad name="on a class"
import boto3

class Shop:
    token = None

    def __init__(self):
        if not Shop.token:
            answer = boto3.client("ssm").get_parameter(Name="/shop/token", WithDecryption=True)
            Shop.token = answer["Parameter"]["Value"]  # LMB501

def handler(event, context):
    return {"token": Shop().token}
```

An extension, too, keeps a secret for some minutes, and the variable that keeps its answer for good:

```python events
see(send({}))
later(hours=1)
see(send({}))
# file: shop.py
import datetime

def load(address):
    return {"key": datetime.datetime.now().isoformat()}
# file: requests.py
import json

import shop

class Answer:
    def __init__(self, text):
        self.text = text

    def json(self):
        return json.loads(self.text)

def get(address, headers=None, timeout=None):
    return Answer(json.dumps({"SecretString": json.dumps(shop.load(address))}))
```

```python bad name="from the extension"
import json
import os

import requests

EXTENSION = "http://localhost:2773"

def fetch(name):
    address = f"{EXTENSION}/secretsmanager/get?secretId={name}"
    headers = {"X-Aws-Parameters-Secrets-Token": os.environ.get("AWS_SESSION_TOKEN")}
    answer = requests.get(address, headers=headers, timeout=5)
    return json.loads(answer.json()["SecretString"])

SECRET = fetch("shop")  # LMB501

def handler(event, context):
    return SECRET
```

```python good name="the extension is asked for every event"
import json

import requests

def handler(event, context):
    address = "http://localhost:2773/secretsmanager/get?secretId=shop"
    return json.loads(requests.get(address, timeout=5).json()["SecretString"])
```

Silent when a test in front looks at the time, when the cache has a lifetime or is cleared, when the
value is written again or forgotten after a failure, and for names, ARNs and settings:

```python events
secrets = aws("secretsmanager")
secrets.create_secret(Name="shop/key", SecretString="first")
see(send({}))
see(send({}))
```

```python good name="no secret, or not for long"
import boto3

secrets = boto3.client("secretsmanager")
ARN = secrets.get_secret_value(SecretId="shop/key")["ARN"]
_key = None

def forget():
    global _key
    _key = None

def key():
    global _key
    if _key is None:
        _key = secrets.get_secret_value(SecretId=ARN)["SecretString"]
    return _key

def handler(event, context):
    try:
        return {"key": key()}
    except PermissionError:
        forget()
        raise
```

A parameter that is decrypted like all others may hold no secret:

```python events
ssm = aws("ssm")
ssm.put_parameter(Name="/shop/url", Value="https://shop.example", Type="String")
see(send({}))
see(send({}))
```

```python good name="an address"
import functools

import boto3

ssm = boto3.client("ssm")

def parameter(name):
    return ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]

@functools.cache
def shop_url():
    return parameter("/shop/url")

def handler(event, context):
    return {"url": shop_url()}
```

A parameter with a constant name, where no name says secret, is information, shown with `--strict`.
Secrets that one object keeps are told of once:

```python events
secrets = aws("secretsmanager")
for name in ("id", "secret"):
    secrets.create_secret(Name=name, SecretString=f"first {name}")
see(send({}))
for name in ("id", "secret"):
    secrets.put_secret_value(SecretId=name, SecretString=f"second {name}")
see(send({}))
```

```python bad name="an object with two of them"
import functools

import boto3

class Shop:
    def __init__(self, client_id, client_secret):
        self.client_id = client_id
        self.client_secret = client_secret  # LMB501

    def login(self):
        return [self.client_id, self.client_secret]

def fetched(name):
    return boto3.client("secretsmanager").get_secret_value(SecretId=name)["SecretString"]

@functools.lru_cache
def shop():
    return Shop(fetched("id"), fetched("secret"))

def handler(event, context):
    return shop().login()
```

Nor is a secret kept when it is done with before the first event comes:

```python events
secrets = aws("secretsmanager")
secrets.create_secret(Name="shop/database", SecretString="postgresql://shop")
see(send({"region": "eu"}))
see(send({"region": "eu"}))
# file: psycopg2.py
class Connection:
    def close(self):
        pass

    def prices(self):
        return {"eu": 5}

def connect(address):
    return Connection()
```

```python good name="only for the import"
import boto3
import psycopg2

answer = boto3.client("secretsmanager").get_secret_value(SecretId="shop/database")
address = answer["SecretString"]
if address is None:
    raise RuntimeError("there is no address")
connection = psycopg2.connect(address)
PRICES = connection.prices()
connection.close()

def handler(event, context):
    return PRICES[event["region"]]
```

Limits: what an environment variable holds is not looked at, because changing one makes new
environments. Values are not followed through libraries other than those that parse them.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import (
    Kept,
    Project,
    Report,
    Severity,
    Step,
    made_at_import,
    rule,
    says_no_secret,
    secret_getter,
    told_with,
    written_as,
)


@rule("LMB501", category="secret-in-global", severity=Severity.WARNING)
def secret_without_ttl(kept: Kept, project: Project) -> Iterator[Report]:
    if kept.kind != "secret":
        return
    first, *others = told_with(kept, project)
    if first is not kept:
        return
    shown = written_as(kept, project)
    keeper = f"an object in `{shown}`" if kept.in_object else f"`{shown}`"
    made = made_at_import(kept, project)
    if made:
        keeper = f"`{made[0]}`, which is made from `{shown}`,"
    yield Report.of_kept(
        kept,
        message=f"{keeper} keeps a {kept.what} for the life of the environment, so "
        "that a rotation is not seen",
        help=secret_getter(kept, project),
        fetched=f"the {kept.what} is fetched here, once",
        last=f"`{shown}` keeps it, and nothing ends that",
        before_last=tuple(
            Step(one.path, one.span, f"`{written_as(one, project)}` keeps one, too")
            for one in others
        ),
        severity=Severity.INFO if says_no_secret(kept, project) else None,
    )
