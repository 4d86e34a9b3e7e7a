//! The statements of a store on an SQL engine, as text.
//!
//! Each verb of [`SessionStore`] and [`SubjectStore`] is one guarded statement,
//! so that no transaction is held and a pooled connection is enough. All name one
//! table, `sessions`; a team that needs another name copies the text.
//!
//! | column | kept as |
//! | --- | --- |
//! | `id`, `secret` | 16 and 32 bytes |
//! | `subject`, `profile` | texts compared byte by byte: no case, accent or trailing space is folded |
//! | `created_at`, `renewed_at`, `expires_at`, `absolute_expires_at`, `confirmed_at` | unix seconds in 64 bits, so that no calendar type rounds, clamps or shifts them |
//! | `version`, `generation` | 64 bits |
//!
//! `absolute_expires_at` is `NOT NULL` and `CHECK` keeps the order of the
//! instants, so no other program can write a session that outlives its cap.
//!
//! An existing table without a cap is given one by the [`Migration`] of its
//! engine.
//!
//! # Example
//!
//! ```
//! use session_policy::sql::POSTGRES;
//!
//! assert!(POSTGRES.load.ends_with("FROM sessions WHERE id = $1"));
//! ```
//!
//! [`SessionStore`]: crate::SessionStore
//! [`SubjectStore`]: crate::SubjectStore

mod mariadb;

mod migration;
mod postgres;
mod sqlite;

pub use self::mariadb::MARIADB;

pub use self::migration::Migration;
pub use self::postgres::POSTGRES;
pub use self::sqlite::SQLITE;

/// What a store on one engine says to it: [`POSTGRES`], [`MARIADB`] or
/// [`SQLITE`].
///
/// Parameters are bound in the order given here, which is the same for each
/// engine. A row is the eleven columns `id, subject, profile, version, secret,
/// created_at, renewed_at, expires_at, absolute_expires_at, generation,
/// confirmed_at`, of which only `confirmed_at` may be null.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Statements {
    /// Makes the table and its indexes where they are absent. To be run in this
    /// order, without parameters.
    pub schema: &'static [&'static str],
    /// Inserts a row. Parameters: the eleven columns. A violation of the primary
    /// key is [`StoreError::Conflict`](crate::StoreError::Conflict).
    pub create: &'static str,
    /// Selects the row of an id, if any. Parameter: `id`.
    pub load: &'static str,
    /// Updates one row where the guard holds; one row affected is `true`, none
    /// is `false`. Parameters: `id`, the expected `version`, the instant `at`,
    /// then the new `renewed_at`, `expires_at`, `generation` and `confirmed_at`.
    pub renew: &'static str,
    /// Deletes one row; one row affected is `true`. Parameter: `id`.
    pub remove: &'static str,
    /// Deletes expired rows, those longest expired first; the rows affected are
    /// the answer. Parameters: `now`, `limit`.
    ///
    /// On PostgreSQL and MariaDB it passes over rows that another statement is
    /// writing (`SKIP LOCKED`), so several sweepers do not wait for each other,
    /// nor does a request wait for them.
    pub remove_expired: &'static str,
    /// Selects the rows of a subject. Parameter: `subject`.
    pub list: &'static str,
    /// Deletes the rows of a subject but one; the rows affected are the answer. Run
    /// it again until [`list`](Self::list) finds none, where other statements may
    /// run beside it: a rotation can go by a single one.
    /// Parameters: `subject`, the excepted `id` or null.
    pub remove_all: &'static str,
    migration: migration::Template,
}
