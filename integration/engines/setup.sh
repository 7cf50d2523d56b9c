#!/usr/bin/env bash
# Puts llama.cpp's server into .tools/engines (a virtual environment with xllamacpp, which
# carries it built) and a tiny model beside it. Does nothing where both are as pinned.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly HERE=integration/engines
readonly ENGINES=.tools/engines

fail() {
    echo "integration/engines/setup.sh: $*" >&2
    exit 1
}

# What both are made from.
made_from() {
    cat "$HERE/requirements.txt" "$HERE/model.py"
}

made_from | cmp -s - "$ENGINES/made-from.txt" && [[ -x $ENGINES/bin/python ]] && exit
command -v python3 >/dev/null || fail "python3 is missing: install Python 3.11 or later with pip and venv"
python3 -m venv --clear "$ENGINES" >/dev/null 2>&1 ||
    fail "python3 cannot make a virtual environment: install pip and venv (Debian: python3-pip python3-venv)"
"$ENGINES/bin/pip" install --quiet --disable-pip-version-check --only-binary=:all: \
    -r "$HERE/requirements.txt" || fail "pip could not install the engine"
"$ENGINES/bin/python" "$HERE/model.py" "$ENGINES/tiny.gguf" || fail "the model could not be made"
made_from >"$ENGINES/made-from.txt"
