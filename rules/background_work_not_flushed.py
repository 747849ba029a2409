r"""What the event sends is put into a buffer, and nothing waits until it is sent.

A producer or an analytics client puts messages into a queue, which a thread of its own sends a
little later, in one batch. When the handler has returned, the environment is frozen with what is
still in the queue: it is sent with the next event, minutes later, or never. A test on a developer's
machine waits, and sees nothing of it.
https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html and
https://kafka-python.readthedocs.io/en/master/apidoc/KafkaProducer.html

```python events
send({"id": "1"})
send({"id": "2"})
# file: kafka.py
import effects

class KafkaProducer:
    def __init__(self, bootstrap_servers):
        self.waiting = []

    def send(self, topic, message):
        # The thread that sends wakes up in the next invocation, or is waited for.
        self.flush()
        self.waiting.append(f"{topic}: {message.decode()}")
        return self

    def flush(self, timeout=None):
        for message in self.waiting:
            effects.record("sent", message)
        self.waiting = []

    get = flush
```

```python bad
from kafka import KafkaProducer

producer = KafkaProducer(bootstrap_servers="broker:9092")

def handler(event, context):
    producer.send("orders", event["id"].encode())  # LMB403
    return {"statusCode": 202}
```

```python events
send({"user": "alice", "id": "1"})
send({"user": "bob", "id": "2"})
# file: posthog.py
import effects

class Posthog:
    def __init__(self, key, sync_mode=False):
        self.sync_mode = sync_mode
        self.waiting = []

    def capture(self, user, what):
        # The thread that sends wakes up in the next invocation.
        self.flush()
        self.waiting.append(f"{user}: {what}")
        if self.sync_mode:
            self.flush()

    def flush(self):
        for message in self.waiting:
            effects.record("sent", message)
        self.waiting = []
# file: kafka.py
import effects

class KafkaProducer:
    def __init__(self, bootstrap_servers):
        self.waiting = []

    def send(self, topic, message):
        # The thread that sends wakes up in the next invocation, or is waited for.
        self.flush()
        self.waiting.append(f"{topic}: {message.decode()}")
        return self

    def flush(self, timeout=None):
        for message in self.waiting:
            effects.record("sent", message)
        self.waiting = []

    get = flush
```

```python bad name="in a helper"
from posthog import Posthog

posthog = Posthog("key")

def track(event):
    posthog.capture(event["user"], "order")  # LMB403

def handler(event, context):
    track(event)
    return {"statusCode": 202}
```

```python good name="flushed before the handler returns, or waited for"
from kafka import KafkaProducer
from posthog import Posthog

producer = KafkaProducer(bootstrap_servers="broker:9092")
posthog = Posthog("key", sync_mode=True)

def handler(event, context):
    posthog.capture(event["user"], "order")
    producer.send("audit", b"order").get(timeout=5)
    try:
        producer.send("orders", event["id"].encode())
    finally:
        producer.flush(timeout=5)
    return {"statusCode": 202}
```

Silent when the result is kept or waited for, when something that the handler runs flushes or closes
such a client, and when the client was made to send at once.

Limits: exporters of traces are not looked at, because a layer may flush them.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import Call, Phase, Project, Report, Severity, rule


@rule("LMB403", category="leaked-listener-or-timer", severity=Severity.WARNING)
def background_work_not_flushed(call: Call, project: Project) -> Iterator[Report]:
    effect = call.effect
    if effect is None or effect.kind != "buffer" or call.phase is not Phase.INVOKE:
        return
    if not call.handlers or not call.adds_up:
        return
    owner = call.receiver_text
    yield Report.of_call(
        call,
        message=f"`{call.shown}` only puts {effect.what} into a buffer, and nothing flushes it "
        "before the handler returns",
        help=f"call `{owner}.{effect.remedy}` in a `finally` before the handler returns"
        if effect.remedy == "flush()"
        else f"keep what `{call.shown}` returns, and call `{effect.remedy}` on it",
        last="it is put into the buffer here",
    )
