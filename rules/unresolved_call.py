r"""A call on the invocation path leads to code that could not be found.

What is behind it was not checked: a client made there is not reported, and a clean run says nothing
of it. Only calls that look like code of the project are told: a name that its module does not
define, a callable from a table that is filled elsewhere, an attribute whose name is computed, code
from a text. `lambda-lint handlers --coverage` sums up how much of each handler was followed.

```python bad
import importlib

from helpers import publish

HANDLERS = {}

def handler(event, context):
    publish(event)  # LMB903
    HANDLERS[event["action"]](event)  # LMB903
    plugin = importlib.import_module(f"plugins.{event['plugin']}")  # LMB903
    return getattr(plugin, event["method"])(event)  # LMB903

# file: helpers.py
globals()["publish"] = print
```

```python good
import json

from helpers import publish

ACTIONS = {"publish": publish, "print": print}

def handler(event, context):
    for record in event["Records"]:
        body = json.loads(record["body"].strip())
        ACTIONS[body.get("action")](body)

# file: helpers.py
def publish(body):
    return body
```

Silent when the method belongs to an object of unknown type, which is mostly data, and for
libraries, which are known by name. One finding for each function and callee.

It is a note, shown with `--strict` or when it is selected. To let the linter see the code, import
it by name, write the table out in one place, or name the functions under `handlers`.

Limits: a parameter that is called is followed from its callers, and is not told where it has none.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Project, Report, Severity, UnresolvedCall, rule


@rule("LMB903", category="lint", severity=Severity.INFO)
def unresolved_call(call: UnresolvedCall, project: Project) -> Iterator[Report]:
    ranks = [one.confidence for one in call.handlers]
    yield Report(
        path=call.path,
        span=call.span,
        message=f"not followed: `{call.callee}` {call.reason}",
        help="what it runs was not checked; call it by a name that the project defines, or name "
        "the function under `handlers` in the configuration",
        witness=call.witness,
        handlers=tuple(one.label for one in call.handlers),
        confidence=max(ranks, key=lambda one: one.rank),
    )
