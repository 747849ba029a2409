r"""The handler ends the process instead of the invocation.

The runtime catches exceptions of the handler, but not `SystemExit`: the process dies, the event
fails with `Runtime.ExitError` whatever the exit status, and the environment is thrown away with
everything that was kept in it, so that the next event pays for a cold start. An asynchronous event
is tried again. `os._exit` does the same without even flushing the log.
https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html and
https://docs.python.org/3/library/sys.html#sys.exit

```python bad
import sys

def handler(event, context):
    if "id" not in event:
        print("nothing to do")
        sys.exit(0)  # LMB705
    return event["id"]
```

Not run: the invocation fails on a fresh environment as well.

```python bad name="in a helper"
import os

def check(event):
    if "id" not in event:
        exit(1)  # LMB705
    if event["id"] == "stop":
        os._exit(1)  # LMB705

def handler(event, context):
    check(event)
    return event["id"]
```

Not run: the invocation fails on a fresh environment as well.

```python events
send({"id": "a"})
send({"id": ""})
```

```python good name="raise, return, or only as a script"
import sys

def main():
    try:
        sys.exit(handler({"id": 1}, None))
    except SystemExit as error:
        return error.code

def parse(text):
    try:
        if not text:
            sys.exit("usage: tool TEXT")
        return text
    except SystemExit:
        return None

def handler(event, context):
    if "id" not in event:
        raise ValueError("the event has no id")
    return parse(event["id"])

if __name__ == "__main__":
    sys.exit(main())
```

Silent when an `except SystemExit`, `except BaseException` or a bare `except` is around it or around
a call on the way to it, below `__main__`, and in code that no handler runs.

It is a note, shown with `--strict` or when it is selected.

Limits: `raise SystemExit` is not looked at, nor are parsers of arguments, which end the program
themselves.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, rule


@rule("LMB705", category="tmp-or-env-leak", severity=Severity.INFO)
def sys_exit_in_handler(call: Call, project: Project) -> Iterator[Report]:
    if call.phase is not Phase.INVOKE or not call.handlers:
        return
    if not call.calls("sys.exit", "builtins.exit", "builtins.quit", "os._exit", "os.abort"):
        return
    if call.is_caught("builtins.SystemExit", "builtins.BaseException"):
        return
    yield Report.of_call(
        call,
        message=f"`{call.shown}` ends the process: the invocation fails, and its environment is "
        "lost",
        help="return a response, or raise an exception that says what is wrong",
        last="the process ends here",
    )
