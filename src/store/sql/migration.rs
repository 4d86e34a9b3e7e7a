use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::statements::{Statements, Template};
use crate::rule::SessionPolicy;

/// Gives an existing table its cap while it is in use: from
/// [`Statements::migration`].
///
/// The old table has the columns `id`, `subject`, `secret`, `created_at` and
/// `expires_at` of the types in [`Statements::schema`], the instants in unix seconds, and
/// any further ones that may be null. (SQLite rebuilds the table, so further columns and
/// foreign keys would be lost: [`check`](Self::check) refuses them. Move what they hold to a
/// table of your own, and drop them.) Each row becomes what [`SessionPolicy::adopt`] makes of it:
/// `absolute_expires_at` is `absolute_cap` after `created_at`, `renewed_at` is `max_age` before
/// `expires_at` but not before `created_at`, and `expires_at` is clamped to the cap. So give a
/// policy with the `max_age` that the rows were written under and the cap that they are to have.
/// The session has no epoch and no `about`, and its `ordinal` is 0.
///
/// The old program serves its sessions throughout, unchanged: triggers give
/// each row that it writes a cap at once, and clamp what it extends. The steps:
///
/// 1. If [`applied`](Self::applied) selects a row, go on with step 5.
/// 2. Ask [`check`](Self::check) and [`check_rows`](Self::check_rows), and stop
///    if one selects a row: the table is not as above, and nothing has been changed.
///    Else run [`expand`](Self::expand).
/// 3. Fill the rows in batches: select [`batch_end`](Self::batch_end), starting
///    after the empty id, and run [`backfill`](Self::backfill) up to it, until
///    there is none. Each batch is one short transaction.
/// 4. Run [`contract`](Self::contract), which fails rather than leave a row
///    without a cap or lose one. (On SQLite, stop the old program first.)
/// 5. Start the new program beside the old one, and stop the old.
/// 6. Run [`finish`](Self::finish). Then all is done.
///
/// Stop at the first error, and roll back what it leaves open. An interrupted
/// migration is resumed by starting over, since these may be run again:
///
/// | statements | may be run again |
/// | --- | --- |
/// | `applied`, `batch_end`, `check`, `check_rows` | always: they only read |
/// | `expand`, `backfill` | until `applied` selects a row; rows that are filled stay as they are |
/// | `contract` | always; on SQLite it fails, and changes nothing, once `applied` selects a row |
/// | `finish` | always, from step 6 on |
///
/// No table lock is held longer than its change of the catalogue takes. To *get*
/// that lock a statement may have to wait for a running transaction, and requests
/// then wait behind it: set a `lock_timeout` (PostgreSQL) or `lock_wait_timeout`
/// (MariaDB) of a second or two, and try again after it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Migration {
    /// Selects a row once [`contract`](Self::contract) is done. No parameters.
    pub applied: &'static str,
    /// That of the [`Statements`], to be asked with the parameter 5.
    pub check: &'static str,
    /// Selects what is wrong with a row that cannot become a session, as a text, or no row:
    /// an id or a secret of another length, a subject that is empty, too long or has a NUL,
    /// or an instant that cannot be in unix seconds (a `created_at` that is more than a day
    /// ahead of the engine's clock is one of milliseconds, and so is an `expires_at` that is
    /// more than 100 years ahead). Reads the whole table. No
    /// parameters; only if [`check`](Self::check) selects nothing.
    pub check_rows: &'static str,
    /// Adds the columns, and the triggers that fill them. To be run in this
    /// order, outside a transaction, without parameters.
    pub expand: Vec<String>,
    /// Selects the last id of the next batch, or no row. Parameters: the last id
    /// of the batch before (at first the empty one), and how many rows.
    pub batch_end: &'static str,
    /// Fills the rows of a batch. Parameters: the two ids, the first exclusive.
    pub backfill: String,
    /// Adds the indexes and the constraints. As [`expand`](Self::expand); a text of
    /// several statements is for one connection.
    pub contract: Vec<String>,
    /// Drops what only the migration needed: the triggers, and on SQLite the old table. As
    /// [`expand`](Self::expand).
    pub finish: &'static [&'static str],
}

impl Statements {
    /// The migration that gives each row the `absolute_cap` of `policy`, and counts its last
    /// renewal as `max_age` before its end. Pass a policy with the `max_age` that the rows
    /// were written under and the cap that they are to have; its other settings are not read.
    /// For a table of another name call it on the answer of [`for_table`](Self::for_table).
    ///
    /// ```
    /// use session_policy::SessionPolicy;
    /// use session_policy::store::sql::SQLITE;
    ///
    /// let migration = SQLITE.migration(&SessionPolicy::SLIDING_MONTH);
    /// assert!(migration.backfill.contains("created_at + 3888000"));
    /// ```
    #[must_use]
    pub fn migration(&self, policy: &SessionPolicy) -> Migration {
        let Template { applied, check_rows, expand, batch_end, backfill, contract, finish } =
            self.migration;
        let cap = format!("{}", policy.absolute_cap().num_seconds());
        let max_age = format!("{}", policy.max_age().num_seconds());
        let fill = |text: &&str| text.replace("{cap}", &cap).replace("{max_age}", &max_age);
        Migration {
            applied,
            check: self.check,
            check_rows,
            expand: expand.iter().map(fill).collect(),
            batch_end,
            backfill: fill(&backfill),
            contract: contract.iter().map(fill).collect(),
            finish,
        }
    }
}
