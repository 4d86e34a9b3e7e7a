/// What a store on one engine says to it: [`POSTGRES`], [`MARIADB`] or
/// [`SQLITE`].
///
/// Parameters are bound in the order given here, which is the same for each
/// engine. A row is the fourteen columns `id, subject, profile, epoch, ordinal, about,
/// version, secret, created_at, renewed_at, expires_at, absolute_expires_at,
/// generation, confirmed_at`, of which only `epoch`, `about` and `confirmed_at` may be
/// null. The columns `epoch` and `ordinal` hold the 64 bits of a `u64`.
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
    /// Selects, one text per row, why a table of this name cannot be the store's, such as
    /// `no column subject` or `created_at as timestamp with time zone, not as bigint`;
    /// no row if there is no table yet. Ask before [`schema`](Self::schema), which takes
    /// any table of the name for its own. Parameter: how many of the columns must be
    /// there, 14. (A [`Migration`](super::Migration) asks with 5, where no others may be lost.)
    pub check: &'static str,
    /// Inserts a row. Parameters: the fourteen columns. A violation of the primary
    /// key is [`StoreError::Conflict`](crate::store::StoreError::Conflict).
    pub create: &'static str,
    /// Selects the row of an id, if any. Parameter: `id`.
    pub load: &'static str,
    /// Updates one row if the guard holds, and returns its `id`; MariaDB cannot: there one
    /// affected row is `true`, none `false`. Parameters: `id`, the
    /// expected `version`, the instant `at`, then the new `renewed_at`, `expires_at`,
    /// `secret`, `generation` and `confirmed_at`.
    ///
    /// Believe only a row with the `id`: behind a pooler that hands out connections by
    /// the transaction, PostgreSQL may have run another client's statement.
    pub update: &'static str,
    /// Deletes one row and returns its `id`, to be believed as that of
    /// [`update`](Self::update). Parameter: `id`.
    pub remove: &'static str,
    /// Deletes expired rows, those longest expired first, and returns `id, subject,
    /// profile, expires_at, absolute_expires_at` of each. Parameters: `before`, `limit`.
    ///
    /// On PostgreSQL it passes over rows that another statement is writing (`SKIP
    /// LOCKED`), so several sweepers do not wait for each other. The other engines have
    /// no such deletion that says what it deleted: sweepers take turns there.
    pub remove_expired: &'static str,
    /// Selects the rows of a subject. Parameter: `subject`.
    pub list: &'static str,
    /// Deletes the rows of a subject but one, and returns the `id` of each.
    /// Parameters: `subject`, the excepted `id` or null.
    pub remove_all: &'static str,
    /// Selects the rows after an id, in the order of ids. Parameters: `id` (empty bytes
    /// to begin with), the greatest number of rows.
    pub scan: &'static str,
    pub(super) migration: Template,
}

/// A migration's text, with `{cap}` and `{max_age}` where the seconds go: a
/// trigger takes no parameters.
#[derive(Clone, Copy, Debug)]
pub(super) struct Template {
    pub(super) applied: &'static str,
    pub(super) check_rows: &'static str,
    pub(super) expand: &'static [&'static str],
    pub(super) batch_end: &'static str,
    pub(super) backfill: &'static str,
    pub(super) contract: &'static [&'static str],
    pub(super) finish: &'static [&'static str],
}
