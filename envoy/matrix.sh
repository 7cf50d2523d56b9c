#!/usr/bin/env bash
# Runs the end-to-end tests once before each Envoy that Tollgate supports, and
# prints a table. `make test-matrix` builds first. MATRIX names other versions;
# arguments go to the tests.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly VERSIONS=${MATRIX:-1.36.4 1.37.0 1.39.3 1.40.0}
readonly LOGS=target/matrix
# A suite that hangs is a failure too.
readonly SECONDS_MAX=1200

mkdir -p "$LOGS"
table=() failed=0

# VERSION ARGUMENTS...: a row of the table; 1 where a test fails.
try() {
    local version=$1 log=$LOGS/$1.log begun=$SECONDS envoy word=failed
    shift
    envoy=$(envoy/fetch.sh "$version") || { table+=("$version not fetched") && return 1; }
    if ENVOY=$envoy timeout "$SECONDS_MAX" \
        cargo test --package integration --test e2e -- "$@" >"$log" 2>&1; then
        word=passed
    fi
    table+=("$(printf '%-8s %-7s %6s %6s %6ss  %s' "$version" "$word" "$(count ok "$log")" \
        "$(count FAILED "$log")" $((SECONDS - begun)) "$log")")
    [[ $word == passed ]]
}

# WORD LOG: how many tests ended so.
count() {
    grep -c "^test .* \.\.\. $1\$" "$2" || true
}

for version in $VERSIONS; do
    echo "matrix: Envoy $version"
    if ! try "$version" "$@"; then
        failed=1
        grep '^test .* \.\.\. FAILED$' "$LOGS/$version.log" 2>/dev/null || tail -n 20 "$LOGS/$version.log" || true
    fi
done
printf '%-8s %-7s %6s %6s %7s  %s\n' ENVOY "" passed failed time log
printf '%s\n' "${table[@]}"
exit "$failed"
