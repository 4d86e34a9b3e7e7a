#!/usr/bin/env bash
# Requests per second of one route without a session, behind session-policy and
# behind tower-sessions, on the same store, in one run: rounds in turn, and the
# median of each. Once with sessions in memory, once in a SQLite file, and in each engine
# that POSTGRES_URL and REDIS_URL name.
# Needs wrk and curl. SECONDS_EACH (3) and ROUNDS (5) bound it; LOAD names the
# program if it is built already.
set -euo pipefail
cd "$(dirname "$0")/../../../.."
seconds=${SECONDS_EACH:-3} rounds=${ROUNDS:-5} connections=32
routes=(none session-policy tower-sessions tower-sessions-sliding)

if [ -z "${LOAD:-}" ]; then
    cargo build --quiet --release -p session-policy-axum-app --example load
    LOAD=$(realpath "${CARGO_TARGET_DIR:-target}")/release/examples/load
fi
home=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$home"' EXIT
median() { tr ' ' '\n' <<<"$1" | sed '/^$/d' | sort -n | sed -n "$(((rounds + 1) / 2))p"; }
measure() { # route, cookie
    wrk -t1 -c"$connections" -d"${seconds}s" -H "Cookie: $2" "$base/$1" >"$home/wrk"
    if grep -q 'Non-2xx' "$home/wrk"; then cat "$home/wrk"; exit 1; fi
    awk '/^Requests\/sec/ { print $2 }' "$home/wrk"
}
compare() { # arguments of the server
    local -A rates=() cookies=()
    rm -f "$home/log"
    "$LOAD" "$@" >"$home/log" &
    server=$!
    for _ in $(seq 50); do [ -s "$home/log" ] && break; sleep 0.1; done
    base=$(cat "$home/log")
    for route in "${routes[@]:1}"; do
        cookies[$route]=$(curl -sSi "$base/$route/sign-in" | tr -d '\r' |
            sed -n 's/^set-cookie: \([^;]*\).*/\1/ip')
    done
    cookies[none]=${cookies[session-policy]}
    for _ in $(seq "$rounds"); do
        for route in "${routes[@]}"; do
            rates[$route]+="$(measure "$route" "${cookies[$route]}") "
        done
    done
    kill "$server"
    server=
    printf '%-24s %14s %8s\n' "sessions in ${1:-memory}" 'median req/s' ratio
    for route in "${routes[@]}"; do
        rate=$(median "${rates[$route]}")
        printf '%-24s %14.0f %8s\n' "$route" "$rate" \
            "$(awk "BEGIN { printf \"%.2f\", $rate / $(median "${rates[none]}") }")"
    done
}
compare
cd "$home"
compare sqlite:sessions.db
for url in "${POSTGRES_URL:-}" "${REDIS_URL:-}"; do
    [ -z "$url" ] || compare "$url"
done
