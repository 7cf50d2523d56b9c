#!/usr/bin/env bash
# Puts the gateways that Tollgate is measured beside into .tools/peers: sglang-router and
# LiteLLM (a virtual environment each) and Portkey's (a Node package). Does nothing where the
# pinned versions are in.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly FROM=integration/peers
readonly TO=.tools/peers
readonly NODE_MAJOR_MIN=18

fail() {
    echo "integration/peers/setup.sh: $*" >&2
    exit 1
}

# NAME PROGRAM: the stamp is the file of pins that was installed, written after the fact.
set_up_python() {
    local pins=$FROM/$1/requirements.txt to=$TO/$1
    cmp -s "$pins" "$to/installed.txt" && [[ -x $to/bin/$2 ]] && return
    command -v python3 >/dev/null || fail "python3 is missing: install Python 3.10 or later with pip and venv"
    echo "integration/peers/setup.sh: installing $1" >&2
    python3 -m venv --clear "$to" >/dev/null 2>&1 ||
        fail "python3 cannot make a virtual environment: install pip and venv (Debian: python3-pip python3-venv)"
    "$to/bin/pip" install --quiet --disable-pip-version-check -r "$pins" ||
        fail "pip could not install $1"
    cp "$pins" "$to/installed.txt"
}

node_is_recent() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        (($(node --version | sed 's/^v\([0-9]*\).*/\1/') >= NODE_MAJOR_MIN))
}

set_up_portkey() {
    local from=$FROM/portkey to=$TO/portkey
    node_is_recent || fail "node is missing or too old: install Node $NODE_MAJOR_MIN or later with npm"
    cmp -s "$from/package-lock.json" "$to/installed.json" && [[ -d $to/node_modules ]] && return
    echo "integration/peers/setup.sh: installing portkey" >&2
    mkdir -p "$to"
    cp "$from/package.json" "$from/package-lock.json" "$from/.npmrc" "$to/"
    (cd "$to" && npm ci --silent) || fail "npm could not install Portkey's gateway"
    cp "$from/package-lock.json" "$to/installed.json"
}

set_up_python sglang sglang-router
set_up_python litellm litellm
set_up_portkey
