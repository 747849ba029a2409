r"""A model, a template, a schema or an application is built again on every invocation.

Such objects cost computing time instead of connections: a model is read and deserialised, which
may take seconds and most of the memory; a template or a schema is compiled; an application collects
its routes. They are the same for every event, so they belong into the initialisation, as AWS's
best practices say (https://docs.aws.amazon.com/lambda/latest/dg/best-practices.html).

```python bad
import joblib

def handler(event, context):
    model = joblib.load("model.joblib")  # LMB104
    return model.predict([event["features"]]).tolist()
```

```python fixed
import functools
import joblib

@functools.cache
def _model():
    return joblib.load("model.joblib")

def handler(event, context):
    model = _model()
    return model.predict([event["features"]]).tolist()
```

At module level it is loaded before the first event, which suits small models. Initialisation has a
limit of ten seconds, so that a cached function is the better place for large ones.

```python bad name="templates and validators"
import json

from jinja2 import Environment, PackageLoader, Template
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

GREETING = "Hello {{ name }}"

def handler(event, context):
    with open("schema.json") as file:
        schema = json.load(file)  # LMB104
    Draft202012Validator(schema).validate(event)  # LMB104
    names = TypeAdapter(list[str]).validate_python(event["names"])  # LMB104
    letters = Environment(loader=PackageLoader("shop"))  # LMB104
    text = Template(GREETING).render(name=names[0])  # LMB104
    return letters.get_template("letter.html").render(text=text)
```

```python good name="at module level, on first use, and in a file that stays"
import functools
import os

import boto3
import torch
from jinja2 import Template

GREETING = Template("Hello {{ name }}")
MODEL = "/tmp/model.pt"
s3 = boto3.client("s3")

@functools.cache
def model():
    if not os.path.exists(MODEL):
        s3.download_file("models", "model.pt", MODEL)
    return torch.load(MODEL)

def handler(event, context):
    return GREETING.render(name=model()(event["name"]))
```

A file that is downloaded again for each event is no better, if it is the same file:

```python bad name="downloaded and loaded for each event"
import os

import boto3
import joblib

s3 = boto3.client("s3")

def handler(event, context):
    s3.download_file(os.environ["BUCKET"], "model.joblib", "/tmp/model.joblib")
    return joblib.load("/tmp/model.joblib").predict([event["row"]])  # LMB104
```

```python good name="what the event chooses"
import pickle
import tempfile

import boto3
import joblib
from jinja2 import Template

s3 = boto3.client("s3")

def handler(event, context):
    s3.download_file("models", event["model"], "/tmp/model.joblib")
    rows = pickle.load(s3.get_object(Bucket="rows", Key="latest")["Body"])
    with tempfile.NamedTemporaryFile() as file:
        s3.download_fileobj("models", event["scaler"], file)
        scaler = joblib.load(file)
    greeting = Template(event["template"]).render(rows=rows)
    return joblib.load("/tmp/model.joblib").predict(scaler.transform(rows)), greeting
```

```python good name="a validator of the project's own, which keeps the time"
import datetime

import cerberus

class FormValidator(cerberus.Validator):
    def __init__(self):
        self.now = datetime.datetime.now()
        super().__init__()

def lambda_handler(event, context):
    return FormValidator().validate(event["form"], {"date": {"type": "string"}})
```

Silent when the object depends on the event, or on a file whose content is not known; behind a memo;
and for objects of which each event needs its own. What costs little is a note, shown with
`--strict`: small data files, validators of a type, loggers of Powertools, adapters, and in a loop
patterns, because `re` remembers them.

Limits: data that a library downloads by itself counts as the same each time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lambda_lint.rule import (
    Call,
    Fix,
    Phase,
    Project,
    Report,
    Severity,
    cached_getter,
    hoist,
    needs_only_module_names,
    rule,
)


@rule("LMB104", category="client-per-invocation", severity=Severity.WARNING)
def heavy_object_in_handler(call: Call, project: Project) -> Iterator[Report]:
    made = call.constructor
    if made is None or made.rule != "heavy" or (made.loop_only and not call.loop):
        return
    if call.phase is not Phase.INVOKE or call.in_lifespan or call.depends_on:
        return
    arguments = call.node.arguments
    if made.constant_argument and arguments and not call.is_fixed(arguments[0].value):
        return
    if call.content_depends_on:
        return
    severity = Severity.ERROR if made.family == "model" else Severity.WARNING
    memo = call.ineffective_memo if not made.info else None
    often = "each time an invocation gets here" if call.is_conditional else "on every invocation"
    emptied = call.emptied_memo
    if emptied is not None:
        often = f"on every invocation, which empties `{emptied.place.describe()}` first"
        severity = Severity.INFO
    elif call.repeated_for_items:
        often = "for every item of a loop"
    yield Report.of_call(
        call,
        message=f"`{call.shown}` builds the same {made.what} {often}"
        + (f": {memo.reason}" if memo is not None else ""),
        help=memo.remedy if memo is not None else _help(call),
        last=f"the {made.what} is built here",
        before_last=(memo.step,) if memo is not None else (),
        severity=Severity.INFO if made.info else severity,
        fix=_fix(call, made.family),
    )


def _fix(call: Call, family: str) -> Fix | None:
    """Keep it; not safe, because whoever changes the object changes it for all events then."""
    if call.emptied_memo is not None:
        return None
    if call.differs_elsewhere or not all(call.is_fixed(one.value) for one in call.node.arguments):
        return None
    if family != "model" and not call.snapstart:
        moved = hoist(call)
        if moved is not None:
            return replace(moved, safe=False)
    return cached_getter(call)


def _help(call: Call) -> str:
    if call.emptied_memo is not None:
        return "do not empty the memo, if an object of an earlier invocation would do as well"
    written = " ".join(call.source_text.split())
    if len(written) <= 70 and needs_only_module_names(call):
        return f"build it once, at module level or in a cached function: `{written}`"
    return "build it once, at module level or in a function with `@functools.cache`, and use that"
