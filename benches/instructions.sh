#!/usr/bin/env bash
# Instructions per call, counted by callgrind: the same for the same binary, whatever
# else the machine is doing. Prints the table of benches/README.md; with --check,
# compares it.
set -eu
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR=never
command -v valgrind >/dev/null || { echo "needs valgrind" >&2; exit 1; }

binary=$(cargo bench --locked --quiet --features jwt,review --bench instructions --no-run --message-format=json |
    sed -n 's/.*"name":"instructions".*"executable":"\([^"]*\)".*/\1/p')
[ -x "$binary" ] || { echo "no binary to count"; exit 1; }

count() { # the work: instructions per call
    local output
    output=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        --toggle-collect='instructions::measured*' "$binary" "$1" 2>&1)
    awk -v name="$1" '
        /^[0-9]+$/ { calls = $1 }
        /Collected/ { counted = $NF }
        END {
            if (!calls || !counted) { print "nothing counted for " name > "/dev/stderr"; exit 1 }
            printf "| %s | %.0f |\n", name, counted / calls
        }' <<<"$output"
}

table=$(
    echo '| work | instructions per call |'
    echo '| --- | --- |'
    "$binary" --list | while read -r name; do count "$name"; done
)
echo "$table"
[ "${1:-}" = --check ] || exit 0

# A count moves by a few in a hundred with the compiler, and with the string
# functions that the C library picks for the processor; where a signature is made or
# verified, by more, as its code is picked for the processor too. What goes further is
# a change of ours.
written=$(sed -n '/<!-- instructions -->/,/<!-- end -->/p' benches/README.md | grep '^|')
paste -d '\n' <(echo "$written") <(echo "$table") | awk -F ' *[|] *' '
    NR % 2 { name = $2; written = $3; next }
    name != $2 { print "the table has `" name "` in the place of `" $2 "`"; failed = 1; next }
    NR > 4 {
        counts[name] = $3
        leeway = name ~ /^(JWT|jsonwebtoken)/ ? 0.15 : 0.03
        if ($3 < written * (1 - leeway) || $3 > written * (1 + leeway)) {
            print name ": " $3 " instructions, and benches/README.md says " written
            failed = 1
        }
    }
    function at_most(name, limit) {
        if (!(name in counts) || counts[name] > limit) {
            print name ": " counts[name] " instructions, and at most " limit " are allowed"
            failed = 1
        }
    }
    END {
        at_most("evaluate, nine in ten kept", 75)
        at_most("JWT authenticate", 0.65 * counts["jsonwebtoken::decode"])
        at_most("JWT re-issue", counts["JWT authenticate"] + counts["jsonwebtoken::encode"])
        exit failed
    }'
