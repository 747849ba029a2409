#!/usr/bin/env bash
# Install the linter of this very checkout into an environment of its own, apart from the job's.
set -euo pipefail

# What pip starts to build the linter does not have the `-I` of pip itself.
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP

python=${INPUT_PYTHON:-python3}
place=$RUNNER_TEMP/lambda-lint

# `-I`: what lies in the workspace, or in PYTHONPATH, is to be read and never to be imported.
if ! "$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "::error title=lambda-lint::$python is missing or older than 3.10: set the input python-version"
    exit 2
fi
"$python" -I -m venv --clear "$place"
if [ -x "$place/bin/python" ]; then
    python=$place/bin/python
else
    # On Windows.
    python=$place/Scripts/python.exe
fi
"$python" -I -m pip install --quiet --disable-pip-version-check --no-input \
    "${GITHUB_ACTION_PATH}[terraform]"
