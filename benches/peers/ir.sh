#!/usr/bin/env bash
# Instructions a call by callgrind: the same to the instruction in every run of
# the same build. Needs valgrind, which hides the processor's SHA instructions.
set -euo pipefail
cd "$(dirname "$0")"
cargo build --quiet --locked --release --bin ir
ir=${CARGO_TARGET_DIR:-target}/release/ir times=1000 last=
printf '%-34s %9s %9s\n' '' Ir net
while IFS=$'\t' read -r group task is_net what name; do
    [ "$what" = "$last" ] || { printf '\n%s\n' "$what"; last=$what frame=0; }
    collected=$(valgrind --tool=callgrind --collect-atstart=no --toggle-collect='*run_measured*' \
        --callgrind-out-file=/dev/null "$ir" "$group" "$task" 2>&1 |
        sed -n 's/.*Collected : \([0-9]*\).*/\1/p')
    ir_each=$((collected / times))
    if [ "$is_net" = true ] && [ "$task" = 0 ]; then frame=$ir_each; fi
    printf '%-34s %9d %9d\n' "$name" "$ir_each" $((ir_each - frame))
done < <("$ir")
