r"""`logging.basicConfig` does nothing, because the root logger has a handler already.

The runtime of Lambda puts a handler on the root logger before it imports the code, and
`basicConfig` returns at once when there is one: level and format stay as they are, messages of
`info` are lost, and then somebody adds a second handler.
https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html and
https://docs.python.org/3/library/logging.html#logging.basicConfig

```python bad
import logging

logging.basicConfig(level=logging.INFO)  # LMB407

def handler(event, context):
    logging.info("order %s", event["id"])
```

Not run: the level is the wrong one from the first event on.

```python events
send({"id": 1})
send({"id": 2})
```

```python good name="the level of the root logger, or with force"
import logging

logging.getLogger().setLevel(logging.INFO)
logging.basicConfig(format="%(message)s", force=True)

def handler(event, context):
    logging.info("order %s", event["id"])
```

```python good name="only without a handler, or after taking them off"
import logging

root = logging.getLogger()
if root.handlers:
    root.setLevel(logging.INFO)
else:
    logging.basicConfig(level=logging.INFO)

def handler(event, context):
    logging.info("order %s", event["id"])
```

Silent when there is `force=True`, when the module looks at or takes off the handlers of a logger,
and when no handler loads the module.

It is a note, shown with `--strict` or when it is selected.

Limits: a custom runtime may start without a handler.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, Step, rule


@rule("LMB407", category="leaked-listener-or-timer", severity=Severity.INFO)
def logging_basicconfig_noop(call: Call, project: Project) -> Iterator[Report]:
    if not call.calls("logging.basicConfig") or call.phase is Phase.NEVER:
        return
    if not call.serves_handlers or call.argument("force") is not None:
        return
    if any(one.star for one in call.node.arguments) or call.reads_nearby("handlers"):
        return
    yield Report(
        path=call.path,
        span=call.span,
        message=f"`{call.shown}` does nothing: the root logger of Lambda has a handler already",
        help="set the level with `logging.getLogger().setLevel(...)`",
        witness=(Step(call.path, call.span, "returns without doing anything"),),
    )
