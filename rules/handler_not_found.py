r"""A deployment descriptor names a handler that the project does not have.

Lambda imports the handler by its name when an execution environment starts, and every event then
fails with `Runtime.ImportModuleError` or `Runtime.HandlerNotFound`:
https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html . To the linter it means that
nothing which this function runs was checked.

The last dot parts the function from its module; dots and slashes before it are folders below the
code root (`CodeUri`, the folder of an archive, the task root of an image).

```python bad
def lambda_handler(event, context):
    return event["id"]

# file: template.yaml
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      CodeUri: .
      Handler: app.lambda_handlr  # LMB901
  Reports:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      CodeUri: .
      Handler: apps.lambda_handler  # LMB901
```

```python good
from orders import *
from shop.reports import lambda_handler as report

# file: orders.py
def handle(event, context):
    return event["id"]

# file: template.yaml
Resources:
  Orders:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      CodeUri: .
      Handler: app.handle
  Reports:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.13
      CodeUri: .
      Handler: app.report
  Elsewhere:
    Type: AWS::Lambda::Function
    Properties:
      Runtime: python3.13
      Code: {S3Bucket: builds, S3Key: elsewhere.zip}
      Handler: elsewhere.handler
```

A module of Terraform gets its code from who uses it, relative to the folder that does:

```python good name="the code of who uses a module"
# file: handlers/index.py
def handler(event, context):
    return event["id"]

# file: use/main.tf
module "bot" {
  source      = ".."
  source_path = "../handlers"
}

# file: main.tf
variable "source_path" { default = "" }

data "archive_file" "custom" {
  type        = "zip"
  source_dir  = var.source_path
  output_path = "${path.module}/custom.zip"
}

resource "aws_lambda_function" "bot" {
  filename = var.source_path == "" ? "bot.zip" : data.archive_file.custom.output_path
  handler  = "index.handler"
  runtime  = "python3.12"
}
```

Silent when the code comes from an archive or a build step that the descriptor does not show, when
a layer may bring the module, and when the module defines names as it runs.

Limits: a value that only the deployment knows (a parameter without a default) is not followed.
"""

from __future__ import annotations

from collections.abc import Iterator

from lambda_lint.rule import MissingHandler, Project, Report, Severity, rule


@rule("LMB901", category="lint", severity=Severity.WARNING)
def handler_not_found(missing: MissingHandler, project: Project) -> Iterator[Report]:
    declared = missing.declaration
    if missing.module_path is not None:
        message = f"`{declared.name}` has the handler `{declared.handler}`, but "
        message += f"{missing.module_path} defines no `{declared.attribute}`"
    else:
        where = f"`{declared.code_root}`" if declared.code_root else "the project's root"
        message = f"`{declared.name}` has the handler `{declared.handler}`, but its code root, "
        message += f"{where}, has no such module"
    help_ = "correct the handler, or the code root that it is looked for in"
    if missing.nearest:
        help_ = f"perhaps `{missing.nearest}` is meant; else {help_}"
    yield Report(
        path=missing.path,
        span=missing.span,
        message=message,
        help=help_,
        witness=(),
        confidence=declared.confidence,
    )
