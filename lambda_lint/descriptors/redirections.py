"""Handlers that observability tools put in front of the function's own handler.

Their layers replace the handler by one of theirs, which finds the real one in a variable.
"""

from __future__ import annotations

from collections.abc import Mapping

_REDIRECTIONS = (
    # https://docs.datadoghq.com/serverless/aws_lambda/installation/python/
    ("datadog_lambda.handler.handler", "DD_LAMBDA_HANDLER"),
    # https://github.com/newrelic/newrelic-lambda-layers
    ("newrelic_lambda_wrapper.handler", "NEW_RELIC_LAMBDA_HANDLER"),
    # https://docs.sentry.io/platforms/python/integrations/aws-lambda/manual-layer/
    (
        "sentry_sdk.integrations.init_serverless_sdk.sentry_lambda_handler",
        "SENTRY_INITIAL_HANDLER",
    ),
    # https://docs.lumigo.io/docs/manual-instrumentation
    ("lumigo_tracer._handler", "LUMIGO_ORIGINAL_HANDLER"),
    # https://www.ibm.com/docs/en/instana-observability/current?topic=lambda-aws-native-tracing-python
    ("instana.lambda_handler", "LAMBDA_HANDLER"),
)

TELEMETRY_LAYERS = (
    "datadog-extension",
    "newrelic",
    "opentelemetry",
    "otel",
    "adot",
    "lumigo",
    "sentryserverless",
    "dynatrace",
    "lambdainsights",
    "instana",
    "elastic-apm",
    "coralogix",
)
"""What the names of layers have in them, in lower case, that send telemetry on their own."""


def redirected(handler: str, environment: Mapping[str, str]) -> str:
    """Return the function's own handler, where the one that is configured is a tool's."""
    configured = handler.replace("/opt/python/", "").replace("/", ".")
    for wrapper, variable in _REDIRECTIONS:
        if configured == wrapper and environment.get(variable):
            return environment[variable]
    return handler


def sends_telemetry(layer: str) -> bool:
    """Whether a layer, by its name or ARN, brings an extension that sends telemetry."""
    lower = layer.lower()
    return any(one in lower for one in TELEMETRY_LAYERS)
