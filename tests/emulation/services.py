"""AWS on loopback: one server of moto for all examples."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
from moto.server import ThreadedMotoServer


class Services:
    """The services of AWS; `endpoint` is the URL where all of them answer."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        # Loading the description of a service takes longer than an example.
        self._clients: dict[str, Any] = {}

    def client(self, name: str) -> Any:
        """Return an SDK client of a service, such as `s3`."""
        if name not in self._clients:
            self._clients[name] = boto3.client(
                name,
                region_name="us-east-1",
                endpoint_url=self.endpoint,
                aws_access_key_id="testing",
                aws_secret_access_key="testing",
            )
        return self._clients[name]

    def reset(self) -> None:
        """Forget all buckets, tables, secrets."""
        request = urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST")
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        opener.open(request, timeout=30).close()


@contextmanager
def services() -> Iterator[Services]:
    """Yield AWS services that live in a thread of this process."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield Services(f"http://{host}:{port}")
    finally:
        server.stop()
