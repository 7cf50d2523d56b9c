#!/usr/bin/env bash
# Runs the built gateway before two simulated engines, prints how to ask it, and
# stays in the foreground: Ctrl-C ends all of it. `make run` builds first.
# CONFIG names another configuration than tollgate.yaml.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
readonly CONFIG=${CONFIG:-tollgate.yaml}
readonly BINARIES=target/release
readonly LOGS=target/run
readonly ENGINES=(127.0.0.1:9001 127.0.0.1:9002)
readonly STOP_SECONDS=15

fail() {
    echo "run: $*" >&2
    exit 1
}

# tollgate first, so that it drains while the engines still answer. What does
# not end in time is ended: a second run must find the ports free.
engines=()
tollgate=
stop() {
    trap - EXIT INT TERM
    trap '' INT
    end_within "$STOP_SECONDS" $tollgate
    end_within 2 "${engines[@]}"
}

end_within() {
    local seconds=$1 pid tries
    shift
    for pid in "$@"; do
        kill -TERM "$pid" 2>/dev/null || continue
        for ((tries = seconds * 10; tries > 0; tries--)); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

start_engines() {
    local address model
    model=$(sed -n 's/^    model: *\([^ #]*\).*/\1/p' "$CONFIG" | head -n 1)
    for address in "${ENGINES[@]}"; do
        "$BINARIES/engine" --listen "$address" --model "${model:-tiny}" --ttft 150ms \
            --token-interval 20ms --tokens 60 >"$LOGS/engine-${address##*:}.log" 2>&1 &
        engines+=($!)
    done
    sleep 0.3
    for address in "${!engines[@]}"; do
        kill -0 "${engines[$address]}" 2>/dev/null ||
            fail "no engine on ${ENGINES[$address]}: $(tail -n 1 "$LOGS/engine-${ENGINES[$address]##*:}.log")"
    done
}

# Its lines come to us through a pipe, because one of them says that it is ready.
start_tollgate() {
    local pipe=$LOGS/tollgate.pipe
    rm -f "$pipe"
    mkfifo "$pipe"
    "$BINARIES/tollgate" up -c "$CONFIG" >"$pipe" &
    tollgate=$!
    exec 3<"$pipe"
    rm -f "$pipe"
}

url_when_ready() {
    local line
    while IFS= read -r line <&3; do
        echo "$line"
        [[ $line != "ready: "* ]] || { url=${line#ready: } && return; }
    done
    fail "tollgate did not get ready"
}

key_of() {
    python3 -c 'import json, sys; print(json.load(sys.stdin)["key"])'
}

print_how_to_ask() {
    local key model
    key=$("$BINARIES/tollgate" keys create -c "$CONFIG" --tenant demo --name demo --format json | key_of) ||
        fail "no demo key could be made"
    model=$(first_model "$key") || fail "the gateway does not list its models"
    cat <<END

  URL   $url/v1
  key   $key
  try   curl $url/v1/chat/completions -H 'authorization: Bearer $key' \\
          -H 'content-type: application/json' \\
          -d '{"model":"$model","stream":true,"messages":[{"role":"user","content":"Hello"}]}'

Ctrl-C ends it.
END
}

first_model() {
    KEY=$1 URL=$url python3 - <<'END'
import json, os, urllib.request
request = urllib.request.Request(os.environ["URL"] + "/v1/models")
request.add_header("authorization", "Bearer " + os.environ["KEY"])
with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as answer:
    print(json.load(answer)["data"][0]["id"])
END
}

[[ -f $CONFIG ]] || fail "$CONFIG is missing"
for program in tollgate engine; do
    [[ -x $BINARIES/$program ]] || fail "$BINARIES/$program is missing: run 'make run'"
done
mkdir -p "$LOGS"
trap stop EXIT
trap 'exit 0' INT TERM
start_engines
start_tollgate
url_when_ready
print_how_to_ask
while IFS= read -r line <&3; do echo "$line"; done
wait "$tollgate"
