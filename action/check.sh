#!/usr/bin/env bash
# Run the linter as the inputs say. They come by the environment and are quoted wherever they are
# used: anybody who may open a pull request may choose the name of a branch.
set -euo pipefail
unset PYTHONPATH PYTHONHOME PYTHONSTARTUP

main() {
    local status=0
    cd "$INPUT_WORKING_DIRECTORY" || unable "the working-directory does not exist"
    refuse_what_cannot_be_meant
    linter=$(installed_linter)
    # Python ends with 1 when it cannot even begin, which would look like findings.
    "$linter" --version >/dev/null || unable "the linter does not start"
    options=()
    paths=()
    read_inputs

    run "--output-format=$INPUT_OUTPUT_FORMAT" || status=$?
    if [ -n "$INPUT_SARIF_FILE" ] && [ "$status" -lt 2 ]; then
        # Nothing has changed since, so this comes out of the cache.
        run --output-format sarif "--output-file=$INPUT_SARIF_FILE" --exit-zero || status=$?
        output sarif "$(in_workspace "$INPUT_SARIF_FILE")"
    fi
    output exit-code "$status"
    if [ "$status" -ge 2 ]; then
        echo "::error title=lambda-lint::the linter could not do its job; the log of this step says why"
    fi

    case $status:$INPUT_FAIL_ON in
        0:* | 1:never) ;;
        1:errors)
            # Only the code counts; a file that the options name keeps the report that is in it.
            run --output-format concise --severity error \
                "--output-file=$RUNNER_TEMP/lambda-lint-errors.txt" || exit $?
            ;;
        *) exit "$status" ;;
    esac
}

refuse_what_cannot_be_meant() {
    case $INPUT_FAIL_ON in
        findings | errors | never) ;;
        *) unable "fail-on is findings, errors or never" ;;
    esac
    case $INPUT_SARIF_FILE$INPUT_WORKING_DIRECTORY in
        # Each line of the file behind GITHUB_OUTPUT is an output of its own.
        *$'\n'* | *$'\r'*) unable "sarif-file or working-directory has a line break" ;;
        *) ;;
    esac
    if [ "${GITHUB_EVENT_NAME-}" = pull_request_target ]; then
        unable "pull_request_target runs with the rights of the repository, and a configuration" \
            "may name rules, which are run: use the event pull_request"
    fi
}

installed_linter() {
    local place=$RUNNER_TEMP/lambda-lint
    if [ -x "$place/bin/lambda-lint" ]; then
        printf '%s\n' "$place/bin/lambda-lint"
    else
        # On Windows.
        printf '%s\n' "$place/Scripts/lambda-lint.exe"
    fi
}

# Fill `options` and `paths` with what all runs have in common.
read_inputs() {
    local base line words
    base=$(base_revision)
    # With `=`, so that a value that begins with a hyphen is not taken for an option.
    [ -z "$base" ] || options+=("--diff-base=$base")
    [ -z "$INPUT_BASELINE" ] || options+=("--baseline=$INPUT_BASELINE")
    [ -z "$INPUT_CONFIG" ] || options+=("--config=$INPUT_CONFIG")
    while IFS= read -r line; do
        # Splits at blanks and does nothing else.
        read -r -a words <<<"$line" || true
        options+=(${words[@]+"${words[@]}"})
    done <<<"$INPUT_ARGS"
    while IFS= read -r line; do
        line=${line%$'\r'}
        [ -z "$line" ] || paths+=("$line")
    done <<<"$INPUT_PATHS"
}

# Print the revision that the branch left, or nothing if all is to be reported.
base_revision() {
    local branch=${GITHUB_BASE_REF-}
    if [ "$INPUT_DIFF_BASE" = none ]; then
        return
    elif [ -n "$INPUT_DIFF_BASE" ]; then
        printf '%s\n' "$INPUT_DIFF_BASE"
    elif [ -n "$branch" ] && knows "refs/remotes/origin/$branch"; then
        # Not the commit that the event names: it may be older than the one that was merged with,
        # and what others changed in between would count as changed here.
        printf 'refs/remotes/origin/%s\n' "$branch"
    elif [ -n "$EVENT_BASE" ]; then
        printf '%s\n' "$EVENT_BASE"
    elif [ -n "$branch" ]; then
        printf 'origin/%s\n' "$branch"
    fi
}

knows() {
    git rev-parse --verify --quiet --end-of-options "$1^{commit}" >/dev/null 2>&1
}

# Run the linter with some more options, which stand last because the last one of a kind counts.
run() {
    # Old versions of Bash take an empty array for one that was not set.
    "$linter" check ${options[@]+"${options[@]}"} "$@" -- ${paths[@]+"${paths[@]}"}
}

output() {
    printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}

# Print a path below the working directory as seen from the workspace.
in_workspace() {
    case $1 in
        /* | [A-Za-z]:*) printf '%s\n' "$1" ;;
        *) printf '%s\n' "${INPUT_WORKING_DIRECTORY%/}/${1#./}" | sed 's|^\./||' ;;
    esac
}

unable() {
    output exit-code 2
    echo "::error title=lambda-lint::$*"
    exit 2
}

main
