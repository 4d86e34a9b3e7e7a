//! The statements of a store on an SQL engine, as text.
//!
//! Each verb of [`SessionStore`] and [`ScanStore`] is one statement, so that no
//! transaction is held and a pooled connection is enough. All name one table,
//! `sessions`; [`Statements::for_table`] gives them for another name, and
//! [`Statements::check`] says what is wrong with a table that is there already.
//!
//! | column | kept as |
//! | --- | --- |
//! | `id` | 16 bytes |
//! | `secret` | 32 bytes: the SHA-256 of the secret's text, its 43 characters in base64url |
//! | `subject`, `profile` | texts compared byte by byte: no case, accent or trailing space is folded |
//! | `created_at`, `renewed_at`, `expires_at`, `absolute_expires_at`, `confirmed_at` | unix seconds in 64 bits, so that no calendar type rounds, clamps or shifts them |
//! | `epoch`, `ordinal`, `version`, `generation` | 64 bits |
//! | `about` | a text of at most 1,024 bytes, or null |
//!
//! `absolute_expires_at` is `NOT NULL` and `CHECK` keeps the order of the
//! instants, so no other program can write a session that outlives its cap.
//!
//! | constant | engine |
//! | --- | --- |
//! | [`MARIADB`] | MariaDB 10.6 and later; MySQL 8 is not supported: it has no `DELETE … RETURNING` |
//! | [`POSTGRES`] | PostgreSQL 14 and later |
//! | [`SQLITE`] | SQLite 3.37 and later |
//!
//! An existing table without a cap is given one by the [`Migration`] of its
//! engine.
//!
//! # Example
//!
//! ```
//! use session_policy::store::sql::POSTGRES;
//!
//! assert!(POSTGRES.load.ends_with("FROM sessions WHERE id = $1"));
//! ```
//!
//! [`ScanStore`]: super::ScanStore
//! [`SessionStore`]: super::SessionStore

mod mariadb;
mod migration;
mod postgres;
mod sqlite;
mod statements;
mod table;

pub use self::mariadb::MARIADB;
pub use self::migration::Migration;
pub use self::postgres::POSTGRES;
pub use self::sqlite::SQLITE;
pub use self::statements::Statements;
pub use self::table::TableNameError;
