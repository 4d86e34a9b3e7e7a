//! What a session takes in each engine, and how many calls a second one answered, as
//! `tests/README.md` of the repository says under "Bytes and rates of the engines".

use super::usage::{Load, as_f64};

/// How long a subject was, in bytes.
const SUBJECT: u64 = 36;
/// Redis keeps a hash compactly unless a value is longer (`hash-max-listpack-value`).
const COMPACT: u64 = 64;

/// One engine, measured on two cores which its 32 clients shared.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) name: &'static str,
    /// A row with its indexes, when each had been updated once.
    bytes: f64,
    /// More for each byte of a longer subject.
    subject: f64,
    /// More where a subject is longer than [`COMPACT`].
    loose: f64,
    /// Calls a second of `create`, `load`, `update` and `remove`.
    calls: [f64; 4],
    /// Rows a second.
    sweep: f64,
}

#[rustfmt::skip]
pub(super) const ENGINES: [Engine; 5] = [
    Engine {
        name: "memory", bytes: 625.0, subject: 3.8, loose: 0.0,
        calls: [240_000.0, 740_000.0, 600_000.0, 220_000.0], sweep: 360_000.0,
    },
    Engine {
        name: "MariaDB", bytes: 475.0, subject: 2.4, loose: 0.0,
        calls: [2_450.0, 5_110.0, 1_850.0, 3_030.0], sweep: 15_000.0,
    },
    Engine {
        name: "PostgreSQL", bytes: 420.0, subject: 2.8, loose: 0.0,
        calls: [2_330.0, 10_060.0, 1_800.0, 2_510.0], sweep: 39_000.0,
    },
    Engine {
        name: "Redis", bytes: 845.0, subject: 2.2, loose: 820.0,
        calls: [11_400.0, 66_500.0, 32_300.0, 23_300.0], sweep: 16_900.0,
    },
    Engine {
        name: "SQLite", bytes: 244.0, subject: 2.4, loose: 0.0,
        calls: [7_820.0, 21_250.0, 7_620.0, 9_130.0], sweep: 3_330.0,
    },
];

impl Engine {
    pub(super) fn bytes_a_row(&self, subject: u64) -> f64 {
        let loose = if subject > COMPACT { self.loose } else { 0.0 };
        let longer = as_f64(subject) - as_f64(SUBJECT);
        self.bytes + self.subject * longer + loose
    }

    /// How many machines such as the measured one the load keeps busy.
    pub(super) fn machines(&self, load: &Load) -> f64 {
        let [create, read, update, remove] = self.calls;
        load.reads() / read
            + load.sign_ins / create
            + load.renewals / update
            + load.sign_outs / remove
            + load.expired() / self.sweep
    }
}

/// What `session-policy-redis` puts into the slots of a Redis Cluster.
#[derive(Debug)]
pub(super) struct Slots {
    /// Sessions, and subjects with the notes of theirs.
    pub(super) keys: f64,
    /// Notes in each key of the index by expiry, of which there are [`Slots::INDEX`].
    pub(super) notes: f64,
    /// Calls a second on each of those.
    pub(super) calls: f64,
}

impl Slots {
    pub(super) const ALL: u64 = 16_384;
    pub(super) const INDEX: u64 = 16;
    /// Bytes a note takes, measured.
    pub(super) const NOTE: f64 = 136.0;

    pub(super) fn of(load: &Load, rows: f64, max_age: f64) -> Self {
        let index = as_f64(Self::INDEX);
        // A sign-in notes twice, an end drops the note; a sweep moves the note of a session
        // that was renewed, once in `max_age`.
        let calls = 2.0 * load.sign_ins + load.sign_outs + load.expired() + load.live / max_age;
        Self { keys: 2.0 * rows / as_f64(Self::ALL), notes: rows / index, calls: calls / index }
    }
}
