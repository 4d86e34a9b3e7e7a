//! Reference stores of `session-policy` on SQL engines, through `sqlx`.
//!
//! One module per engine, on two that all share: `row` reads what an engine answers, `value`
//! has what the statements are given. The statements are those of
//! [`session_policy::store::sql`]; pooling, timeouts and reconnection are sqlx's.
//!
//! | engine | feature | store |
//! | --- | --- | --- |
//! | MariaDB | `mariadb` | [`MariaDbStore`] |
//! | PostgreSQL | `postgres` | [`PostgresStore`] |
//! | SQLite | `sqlite` | [`SqliteStore`] |

#[cfg(feature = "mariadb")]
mod mariadb;
mod migrate;
#[cfg(feature = "postgres")]
mod postgres;
mod row;
#[cfg(feature = "sqlite")]
mod sqlite;
mod value;

#[cfg(feature = "mariadb")]
pub use crate::mariadb::MariaDbStore;
pub use crate::migrate::{Migrated, Plan};
#[cfg(feature = "mariadb")]
pub use crate::migrate::{contract_mariadb, fill_mariadb, finish_mariadb};
#[cfg(feature = "postgres")]
pub use crate::migrate::{contract_postgres, fill_postgres, finish_postgres};
#[cfg(feature = "sqlite")]
pub use crate::migrate::{contract_sqlite, fill_sqlite, finish_sqlite};
#[cfg(feature = "postgres")]
pub use crate::postgres::PostgresStore;
#[cfg(feature = "sqlite")]
pub use crate::sqlite::SqliteStore;

/// Compiles the README's program as a doc test.
#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../README.md")]
struct ReadmeDoctests;
