//! What `--help` of each command says after its options. Examples run in examples/data.

macro_rules! sessions {
    () => {
        "\
Sessions are CSV with a header, a table with tabs, a JSON array or JSON lines, as sqlite3,
psql and mariadb export `SELECT * FROM sessions`.

Columns or keys:
  created_at, renewed_at, expires_at, absolute_expires_at
                       in unix seconds or RFC 3339, required; keys may stand under
                       `lifetime`
  subject              whose session it is
  profile              which policy judges it; `default` without it
  any other            left alone, such as id and secret, in bytes, hex or text

A session under a profile that a policy file does not have is judged by its `default`, as
an application judges it. A warning on standard error names the profile and counts its
sessions; the exit status stays the same.
"
    };
}

macro_rules! policy {
    () => {
        "\
A policy file has a policy under `default`, and others under `profiles.NAME`:
  max_age, update_age, absolute_cap
                       durations with a unit, such as 30m or 1h 30m, required
  clock_skew           60s without it
  max_sessions, when_full
                       a limit on a user's sessions, both or neither
"
    };
}

pub(crate) const CAPACITY: &str = concat!(
    policy!(),
    "
How users come and go:
  --visits-per-day     the time away between two visits varies without memory: it ends at
                       every instant with the same chance (a Poisson process)
  --visit              a visit, too, ends after each request with the same chance; the
                       sign-out is the last request of its visit
  without either       every user is active all the time

All rates are averages over the day: multiply them by the peak of your own.

The bytes and the machines are measured, not promised. `machines` is how many of the
machine on which they were measured would be busy all the time: two cores, which the
engine shared with its 32 clients and other programs. For memory it is processes. The
README of session-policy-cli says how far the numbers can be trusted.

Examples:
  session-policy capacity after.toml --users 100000 --every 30s
  session-policy capacity working-day.toml --users 1000000 --every 30s --visits-per-day 3

Exit status: 0 computed, 2 bad input."
);

pub(crate) const CHECK: &str = concat!(
    policy!(),
    "
Examples:
  session-policy check after.toml --standard nist-aal2 --profile admin
  session-policy check after.toml -s nist-aal1 -s asvs-5 --shall-only
  session-policy check after.toml -s pci-dss-4 --broken

Exit status: 0 no clause is broken, 1 at least one is, 2 bad input."
);

pub(crate) const DIFF: &str = concat!(
    policy!(),
    "
Examples:
  session-policy diff before.toml after.toml
  session-policy diff before.toml after.toml --looser-only

With --looser-only the exit status is that of a gate: 1 if max_age, absolute_cap,
clock_skew or max_sessions gets longer or higher for a profile, or a limit on sessions
goes.

Exit status: 0 nothing changes, 1 something does, 2 bad input."
);

pub(crate) const EXPLAIN: &str = concat!(
    sessions!(),
    "
Examples:
  session-policy explain after.toml sessions.csv
  session-policy explain after.toml sessions.csv --now 2026-11-24T09:00:00Z --json

Exit status: 0 every session lives, 1 at least one has ended, 2 bad input."
);

pub(crate) const IMPACT: &str = concat!(
    sessions!(),
    "
Example:
  session-policy impact before.toml after.toml sessions.csv --now 2026-11-24T09:00:00Z

What a longer max_age gives sessions at their next renewal, and what another max_sessions
ends at the next sign-in, is not counted; `diff` says both.

Exit status: 0 no session ends sooner, 1 at least one does, 2 bad input."
);

pub(crate) const SAMPLE: &str = "\
Columns that it prints, in unix seconds:
  created_at, renewed_at, expires_at, absolute_expires_at

Example:
  session-policy sample before.toml --sessions 10 --now 1800000000

Exit status: 0 printed, 2 bad input.";

pub(crate) const SCHEMA: &str = "\
Example:
  session-policy schema

Exit status: 0 printed.";

pub(crate) const TIMELINE: &str = "\
Columns of a line, separated by spaces:
  instant              unix seconds or RFC 3339
  kind                 sign-in (the first line), request or poll; may be missing
  any other            a note, left alone; `#` starts a comment

Example:
  session-policy timeline working-day.toml working-day.log --warn 5m

Exit status: 0 played, 2 bad input.";

pub(crate) const WHY: &str = "\
A line is an event as `Event` serialises it, or a line of tracing's JSON, with the event
as a text under `event`, or under the target `session` with its kind as the message.

Columns (keys of a line):
  at, or timestamp     when, in unix seconds or RFC 3339
  event, or message    ended, expired, forgiven, reissued, rejected, renewal_deferred,
                       renewed, reuse_detected, rotated or started
  session              the id, as 22 base64url characters
  subject, profile     whose it is, and under which profile; where a line has neither, as
                       that of a sign-out, another line of the session names them
  unproven             true if the token may be a forgery: such a line is left out
  cause                of ended: end, end_all, end_others, limit, replaced or revoked
  reason               of expired and rejected: absolute_cap, idle, ...
  expires_at, absolute_expires_at
                       of started, renewed and reissued: the deadlines

Several files are read in any order, such as those of several nodes.

Example:
  session-policy why ada --on 2026-11-24 events.jsonl
  session-policy why ada --on 2026-11-24+01:00 events.jsonl

Exit status: 0 no session ended, 1 at least one did, 2 bad input. A bad line is named on
standard error with its number, and what the others say is printed nonetheless. Events of
an unknown kind are counted there, which changes no exit status.";
