r"""A timer, thread or process of one invocation goes on when the handler has returned.

Lambda freezes the environment when the handler has returned, with all its threads. They go on in
the middle of the next event, which has another deadline, other credentials and another log; or
they never do, and their work is lost. A timer that watches over the deadline fires for somebody
else. And they pile up, until no thread can be started.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html and
https://docs.python.org/3/library/threading.html#timer-objects

```python events
watch("threads")
for number in range(4):
    send({"id": number, "items": []})
```

```python bad
import threading

def warn():
    print("running out of time")

def work(event):
    return event["id"]

def handler(event, context):
    timer = threading.Timer(context.get_remaining_time_in_millis() / 1000 - 1, warn)  # LMB402
    timer.start()
    return work(event)
```

```python bad name="a thread that nobody waits for"
import threading
import time
from concurrent.futures import ThreadPoolExecutor

executor = ThreadPoolExecutor(max_workers=2)

def audit(event):
    time.sleep(30)
    print(event)

def handler(event, context):
    threading.Thread(target=audit, args=(event,)).start()  # LMB402
    executor.submit(audit, event)  # LMB402
    return {"statusCode": 202}
```

On some ways out, too:

```python bad name="not when there is nothing to do"
import threading

def handler(event, context):
    timer = threading.Timer(30, print)  # LMB402
    timer.start()
    if not event["items"]:
        return None
    total = sum(event["items"])
    timer.cancel()
    return total
```

```python events
watch("processes")
for number in range(4):
    send({"id": number})
```

```python bad name="processes"
import subprocess

def handler(event, context):
    subprocess.Popen(["sleep", "30"])  # LMB402
    return event["id"]
```

```python bad name="alarms, network threads"
import signal

import paho.mqtt.client as mqtt

client = mqtt.Client("publisher")

def handler(event, context):
    signal.alarm(20)  # LMB402
    client.connect("broker")
    client.loop_start()  # LMB402
    client.publish("orders", event["id"])
    client.disconnect()
```

Not run: it needs a broker.

```python events
watch("threads")
for number in range(6):
    send({"id": number, "items": [1, 2]})
```

```python good name="stopped, joined, waited for"
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

executor = ThreadPoolExecutor(max_workers=2)

def audit(event):
    print(event)

def handler(event, context):
    timer = threading.Timer(10, print)
    timer.start()
    signal.alarm(20)
    threads = [threading.Thread(target=audit, args=(one,)) for one in event["items"]]
    for thread in threads:
        thread.start()
    try:
        child = subprocess.Popen(["echo", str(event["id"])], stdout=subprocess.PIPE)
        output, _ = child.communicate(timeout=20)
        future = executor.submit(audit, event)
        with ThreadPoolExecutor() as pool:
            pool.submit(audit, event)
        return future.result()
    finally:
        signal.alarm(0)
        timer.cancel()
        for thread in threads:
            thread.join()
```

```python good name="a thread that ends with what it reads from"
import subprocess
import threading

def read(child, lines):
    lines.extend(child.stdout)

def handler(event, context):
    lines = []
    child = subprocess.Popen(["echo", str(event["id"])], stdout=subprocess.PIPE)
    try:
        thread = threading.Thread(target=read, args=(child, lines))
        thread.start()
        child.wait(timeout=20)
        thread.join(timeout=1)
    except subprocess.TimeoutExpired as error:
        print(error)
    finally:
        child.kill()
        child.wait()
    return len(lines)
```

Silent when the thread is joined, cancelled or asked for on every way out, when it is put into a
list or given to somebody who may do it, when the function waits for an event or a queue instead,
and for threads that are started once for the environment.

Limits: an exception that leaves the handler is no way out here, although a `finally` is the right
place; for a thread, which ends by itself, one that is handled is none either. Coroutines that
nobody awaits are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, ended_in_finally, rule


@rule("LMB402", category="leaked-listener-or-timer", severity=Severity.ERROR)
def timer_or_thread_not_stopped(call: Call, project: Project) -> Iterator[Report]:
    if call.phase is not Phase.INVOKE or not call.handlers or call.in_lifespan:
        return
    effect = call.effect
    if effect is not None and effect.kind in ("background", "alarm", "work"):
        if call.adds_up:
            yield _of_effect(call, effect.kind, effect.what, effect.remedy)
        return
    made = call.constructor
    if made is None or made.family != "thread" or not made.lingers:
        return
    if not call.is_started or call.is_signalled:
        return
    leak = call.leak
    if leak is None:
        return
    close = made.closes[0]
    where = "on some ways out" if leak.ever else "at all"
    yield Report.of_call(
        call,
        message=f"the {made.what} of `{call.shown}` is not ended {where} before the handler "
        "returns, and goes on in another invocation",
        help="use `subprocess.run`, which waits, or call `wait()` on it in a `finally`"
        if made.lingers == "process" and close != "join"
        else ended_in_finally(call, close),
        last=f"the {made.what} is made here",
        before_last=(leak.step,) if leak.step is not None else (),
    )


def _of_effect(call: Call, kind: str, what: str, remedy: str) -> Report:
    if kind == "work":
        return Report.of_call(
            call,
            message=f"nobody waits for the work that `{call.shown}` starts; it is frozen when the "
            "handler returns",
            help="keep the future and call `result()` on it before the handler returns",
            last="the future is thrown away here",
        )
    return Report.of_call(
        call,
        message=f"the {what} that `{call.shown}` starts is not stopped before the handler returns",
        help=f"call {remedy} in a `finally`",
        last=f"the {what} is started here",
    )
