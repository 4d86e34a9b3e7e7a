#!/usr/bin/env bash
# Requests per second of one route without a session, behind session-policy and
# behind tower-sessions, in one run: rounds in turn, and the median of each.
# Needs wrk and curl. SECONDS_EACH (3) and ROUNDS (5) bound it.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-3} rounds=${ROUNDS:-5} connections=32

cargo build --quiet --release --example load
log=$(mktemp)
"${CARGO_TARGET_DIR:-../../target}/release/examples/load" >"$log" &
server=$!
trap 'kill "$server"; rm -f "$log"' EXIT
for _ in $(seq 50); do [ -s "$log" ] && break; sleep 0.1; done
base=$(cat "$log")

cookie() { curl -sSi "$base/$1/sign-in" | tr -d '\r' | sed -n 's/^set-cookie: \([^;]*\).*/\1/ip'; }
ours=$(cookie session-policy) theirs=$(cookie tower-sessions)
measure() { # route, cookie
    wrk -t1 -c"$connections" -d"${seconds}s" -H "Cookie: $2" "$base/$1" >"$log.wrk"
    if grep -q 'Non-2xx' "$log.wrk"; then cat "$log.wrk"; exit 1; fi
    awk '/^Requests\/sec/ { print $2 }' "$log.wrk"
}
declare -A rates=([none]= [session-policy]= [tower-sessions]=)
for _ in $(seq "$rounds"); do
    rates[none]+="$(measure none "$ours") "
    rates[session-policy]+="$(measure session-policy "$ours") "
    rates[tower-sessions]+="$(measure tower-sessions "$theirs") "
done
rm -f "$log.wrk"
median() { tr ' ' '\n' <<<"$1" | sed '/^$/d' | sort -n | sed -n "$(((rounds + 1) / 2))p"; }
bare=$(median "${rates[none]}")
printf '%-16s %14s %8s\n' route 'median req/s' ratio
for route in none session-policy tower-sessions; do
    rate=$(median "${rates[$route]}")
    printf '%-16s %14.0f %8s\n' "$route" "$rate" "$(awk "BEGIN { printf \"%.2f\", $rate / $bare }")"
done
