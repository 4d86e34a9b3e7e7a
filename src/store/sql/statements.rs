/// What a store on one engine says to it: [`POSTGRES`], [`MARIADB`] or
/// [`SQLITE`].
///
/// Parameters are bound in the order given here, which is the same for each
/// engine. A row is the eleven columns `id, subject, profile, version, secret,
/// created_at, renewed_at, expires_at, absolute_expires_at, generation,
/// confirmed_at`, of which only `confirmed_at` may be null.
///
/// [`MARIADB`]: crate::store::sql::MARIADB
/// [`POSTGRES`]: crate::store::sql::POSTGRES
/// [`SQLITE`]: crate::store::sql::SQLITE
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Statements {
    /// Makes the table and its indexes where they are absent. To be run in this
    /// order, without parameters.
    pub schema: &'static [&'static str],
    /// Inserts a row. Parameters: the eleven columns. A violation of the primary
    /// key is [`StoreError::Conflict`](crate::store::StoreError::Conflict).
    pub create: &'static str,
    /// Selects the row of an id, if any. Parameter: `id`.
    pub load: &'static str,
    /// Updates one row where the guard holds; one row affected is `true`, none
    /// is `false`. Parameters: `id`, the expected `version`, the instant `at`,
    /// then the new `renewed_at`, `expires_at`, `generation` and `confirmed_at`.
    pub update: &'static str,
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
    pub(super) migration: Template,
}

/// A migration's text, with `{cap}` and `{max_age}` where the seconds go: a
/// trigger takes no parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Template {
    pub(super) applied: &'static str,
    pub(super) expand: &'static [&'static str],
    pub(super) batch_end: &'static str,
    pub(super) backfill: &'static str,
    pub(super) contract: &'static [&'static str],
    pub(super) finish: &'static [&'static str],
}
