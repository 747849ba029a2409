"""What a deployment descriptor says of one function, as plain data. `descriptors/` reads them."""

from __future__ import annotations

from dataclasses import dataclass

from lambda_lint.finding import Confidence, Span

SNAPSTART = "snapstart"
MANAGED_INSTANCES = "managed-instances"
WEB_ADAPTER = "web-adapter"
TENANT_ISOLATION = "tenant-isolation"
SCHEDULE = "schedule"
CUSTOM_RESOURCE = "custom-resource"
TELEMETRY = "telemetry-layer"
DURABLE = "durable"
EDGE = "edge"
WEB_FUNCTION = "web-function"
"""Said by the configuration only: one process serves many requests at a time."""

FLAGS = (
    SNAPSTART,
    MANAGED_INSTANCES,
    WEB_ADAPTER,
    TENANT_ISOLATION,
    SCHEDULE,
    CUSTOM_RESOURCE,
    TELEMETRY,
    DURABLE,
    EDGE,
)
"""What a descriptor can say that changes what is right in the code of a function.

`web-adapter`: a web server runs in the execution environment, and stays there between events.
"""


@dataclass(frozen=True, slots=True)
class Declaration:
    """A function as it is deployed.

    `name` is what the descriptor calls it; `path` and `span` say where its handler is written, or
    else where the function is. `handler` is what the runtime is told, after wrappers of
    observability tools were looked through: `package/module.attribute`, and `module:attribute` for
    a web server. `root` is the folder of the project that is the code root, None when it could not
    be told; `layers` are folders of the project that are on the import path too. `module` is the
    file of the project that the runtime imports, None when the project has no such file, and
    `attribute` what it takes from it. `code_root` is the folder that the descriptor names, whether
    or not the module was found there. `is_complete` says whether that folder is deployed as it lies
    before us, so that a file which is not there will not be there.
    """

    name: str
    source: str
    path: str
    span: Span
    handler: str
    root: str | None = None
    code_root: str | None = None
    layers: tuple[str, ...] = ()
    module: str | None = None
    attribute: str = ""
    flags: frozenset[str] = frozenset()
    confidence: Confidence = Confidence.HIGH
    is_complete: bool = False

    @property
    def evidence(self) -> str:
        """What this says for a handler, beginning with a verb."""
        return f"is declared in {self.path}:{self.span.line} as `{self.name}`"
