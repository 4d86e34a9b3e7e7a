use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::statements::{Statements, Template};

/// The table that the statements name as they are written.
const SESSIONS: &str = "sessions";

/// `PostgreSQL` cuts longer names off.
const LONGEST: usize = 63;

/// The longest end of a name that is made of the table's, `_by_subject`.
const LONGEST_END: usize = 11;

/// Why a text is no name for the table.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "the name of a table is a letter or `_`, and then at most 62 letters, digits or `_`, all ASCII"
)]
#[non_exhaustive]
pub struct TableNameError {}

impl Statements {
    /// The same statements on a table of another name, with indexes, constraints and
    /// triggers that are named after it.
    ///
    /// The name is used as it is, without quotes: `PostgreSQL` folds it to lower case,
    /// and the engine refuses a word that SQL keeps for itself, such as `order`. The
    /// texts live as long as the program, so ask once per table.
    ///
    /// ```
    /// use session_policy::store::sql::POSTGRES;
    ///
    /// let sql = POSTGRES.for_table("app_sessions")?;
    /// assert!(sql.load.ends_with("FROM app_sessions WHERE id = $1"));
    ///
    /// let refused = POSTGRES.for_table("sessions; DROP TABLE users").unwrap_err();
    /// assert!(refused.to_string().starts_with("the name of a table is a letter or `_`"));
    /// # Ok::<(), session_policy::store::sql::TableNameError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`TableNameError`] unless the name is `[A-Za-z_][A-Za-z0-9_]{0,62}`.
    pub fn for_table(&self, name: &str) -> Result<Self, TableNameError> {
        let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let starts = name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
        if !starts || name.len() > LONGEST || !name.bytes().all(is_word) {
            return Err(TableNameError {});
        }
        if name == SESSIONS {
            return Ok(*self);
        }
        let stem = stem(name);
        let text = |text: &'static str| -> &'static str { renamed(text, name, &stem).leak() };
        let texts = |texts: &'static [&'static str]| -> &'static [&'static str] {
            texts.iter().copied().map(text).collect::<Vec<_>>().leak()
        };
        let migration = self.migration;
        Ok(Self {
            schema: texts(self.schema),
            check: text(self.check),
            create: text(self.create),
            load: text(self.load),
            update: text(self.update),
            remove: text(self.remove),
            remove_expired: text(self.remove_expired),
            list: text(self.list),
            remove_all: text(self.remove_all),
            scan: text(self.scan),
            migration: Template {
                applied: text(migration.applied),
                check_rows: text(migration.check_rows),
                expand: texts(migration.expand),
                batch_end: text(migration.batch_end),
                backfill: text(migration.backfill),
                contract: texts(migration.contract),
                finish: texts(migration.finish),
            },
        })
    }
}

/// The text with another name for the table, and `stem` where its name goes on.
fn renamed(text: &str, name: &str, stem: &str) -> String {
    let mut parts = text.split(SESSIONS);
    let mut renamed = String::from(parts.next().unwrap_or_default());
    for part in parts {
        renamed.push_str(if part.starts_with('_') { stem } else { name });
        renamed.push_str(part);
    }
    renamed
}

/// What names of indexes begin with: of a name that is too long for that, its
/// beginning and a hash of it (FNV-1a), so that no two tables share an index's name.
fn stem(name: &str) -> String {
    if name.len() + LONGEST_END <= LONGEST {
        return name.into();
    }
    let hash = name.bytes().fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0193)
    });
    format!("{}_{hash:08x}", &name[..LONGEST - LONGEST_END - 9])
}
