#!/usr/bin/env bash
# Installs sovereign, an Envoy control plane in Python, for the comparison.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../../../.."
readonly WHEEL=sovereign==0.32.12
readonly VENV=.tools/sovereign

[[ -x $VENV/bin/sovereign ]] && exit
python3 -m venv --clear "$VENV" && "$VENV/bin/pip" install --quiet --disable-pip-version-check "$WHEEL" || {
    echo "sovereign/setup.sh: $WHEEL cannot be installed here; the comparison is left out" >&2
    rm -rf "$VENV"
}
