#!/usr/bin/env bash
# Puts the OpenAI SDKs into .tools/: sdk-python (a virtual environment; run
# .tools/sdk-python/bin/python integration/sdk/python/chat.py) and sdk-node (run
# node .tools/sdk-node/chat.mjs). Does nothing where the pinned versions are in.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly NODE_MAJOR_MIN=18
readonly PYTHON=.tools/sdk-python
readonly NODE=.tools/sdk-node

fail() {
    echo "integration/sdk/setup.sh: $*" >&2
    exit 1
}

# The stamp is the file of pins that was installed, written after the fact.
set_up_python() {
    local pins=integration/sdk/python/requirements.txt
    cmp -s "$pins" "$PYTHON/installed.txt" && [[ -x $PYTHON/bin/python ]] && return
    command -v python3 >/dev/null || fail "python3 is missing: install Python 3.10 or later with pip and venv"
    python3 -m venv --clear "$PYTHON" >/dev/null 2>&1 ||
        fail "python3 cannot make a virtual environment: install pip and venv (Debian: python3-pip python3-venv)"
    "$PYTHON/bin/pip" install --quiet --disable-pip-version-check -r "$pins" ||
        fail "pip could not install the OpenAI SDK"
    cp "$pins" "$PYTHON/installed.txt"
}

node_is_recent() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        (($(node --version | sed 's/^v\([0-9]*\).*/\1/') >= NODE_MAJOR_MIN))
}

set_up_node() {
    local from=integration/sdk/node
    node_is_recent || fail "node is missing or too old: install Node $NODE_MAJOR_MIN or later with npm"
    mkdir -p "$NODE"
    cp "$from/chat.mjs" "$NODE/"
    cmp -s "$from/package-lock.json" "$NODE/installed.json" && [[ -d $NODE/node_modules/openai ]] && return
    cp "$from/package.json" "$from/package-lock.json" "$from/.npmrc" "$NODE/"
    (cd "$NODE" && npm ci --silent) || fail "npm could not install the OpenAI SDK"
    cp "$from/package-lock.json" "$NODE/installed.json"
}

set_up_python
set_up_node
echo "integration/sdk/setup.sh: OpenAI SDKs are in $PYTHON and $NODE"
