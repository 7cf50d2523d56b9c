#!/usr/bin/env bash
# Puts Microsoft Presidio's analyzer into .tools/presidio (a virtual environment; run
# .tools/presidio/bin/python integration/presidio/analyzer.py PORT). Does nothing where
# the pinned versions are in.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly PINS=integration/presidio/requirements.txt
readonly PRESIDIO=.tools/presidio

fail() {
    echo "integration/presidio/setup.sh: $*" >&2
    exit 1
}

cmp -s "$PINS" "$PRESIDIO/installed.txt" && [[ -x $PRESIDIO/bin/python ]] && exit
command -v python3 >/dev/null || fail "python3 is missing: install Python 3.10 or later with pip and venv"
python3 -m venv --clear "$PRESIDIO" >/dev/null 2>&1 ||
    fail "python3 cannot make a virtual environment: install pip and venv (Debian: python3-pip python3-venv)"
"$PRESIDIO/bin/pip" install --quiet --disable-pip-version-check -r "$PINS" ||
    fail "pip could not install the analyzer"
cp "$PINS" "$PRESIDIO/installed.txt"
