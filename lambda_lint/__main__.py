"""`python -m lambda_lint`: the command line without its script."""

from __future__ import annotations

import sys

from lambda_lint.cli import main

if __name__ == "__main__":
    sys.exit(main())
