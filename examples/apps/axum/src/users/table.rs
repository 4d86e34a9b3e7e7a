//! Where the users are kept.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use session_policy::store::StoreError;
use sqlx::{PgPool, SqlitePool};

use super::User;

const CREATE: &str = "CREATE TABLE IF NOT EXISTS app_users \
    (name TEXT PRIMARY KEY, hash TEXT NOT NULL, epoch BIGINT NOT NULL, admin BIGINT NOT NULL)";
const ADD: &str = "INSERT INTO app_users (name, hash, epoch, admin) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const FIND: &str = "SELECT hash, epoch, admin FROM app_users WHERE name = $1";
const NAMES: &str = "SELECT name FROM app_users ORDER BY name";
const REPLACE: &str = "UPDATE app_users SET hash = $1, epoch = $2 WHERE name = $3 AND epoch = $4";

#[derive(Debug)]
pub(super) enum Table {
    Memory(RwLock<BTreeMap<String, User>>),
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

type Row = (String, i64, i64);

/// The same statement for either engine.
macro_rules! with_pool {
    ($table:expr, $memory:pat => $in_memory:expr, $pool:ident => $in_sql:expr) => {
        match $table {
            $memory => $in_memory,
            Self::Postgres($pool) => $in_sql.map_err(StoreError::unavailable)?,
            Self::Sqlite($pool) => $in_sql.map_err(StoreError::unavailable)?,
        }
    };
}

impl Table {
    pub(super) async fn create(&self) -> Result<(), StoreError> {
        with_pool!(self, Self::Memory(_) => (), pool => {
            sqlx::query(CREATE).execute(pool).await.map(drop)
        });
        Ok(())
    }

    /// Adds a user of a new name.
    pub(super) async fn add(&self, name: &str, user: User) -> Result<(), StoreError> {
        with_pool!(self,
            Self::Memory(users) => {
                let mut users = users.write().unwrap_or_else(PoisonError::into_inner);
                users.entry(name.to_owned()).or_insert(user);
            },
            pool => {
                let add = sqlx::query(ADD).bind(name).bind(&*user.hash);
                let add = add.bind(user.epoch.cast_signed()).bind(i64::from(user.admin));
                add.execute(pool).await.map(drop)
            }
        );
        Ok(())
    }

    pub(super) async fn find(&self, name: &str) -> Result<Option<User>, StoreError> {
        Ok(with_pool!(self,
            Self::Memory(users) => {
                users.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
            },
            pool => sqlx::query_as(FIND).bind(name).fetch_optional(pool).await.map(|row| {
                row.map(|(hash, epoch, admin): Row| User {
                    hash: hash.into(),
                    epoch: epoch.cast_unsigned(),
                    admin: admin != 0,
                })
            })
        ))
    }

    pub(super) async fn names(&self) -> Result<Vec<String>, StoreError> {
        Ok(with_pool!(self,
            Self::Memory(users) => {
                users.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
            },
            pool => sqlx::query_scalar(NAMES).fetch_all(pool).await
        ))
    }

    /// Replaces hash and epoch where the epoch is the expected one; whether it was.
    pub(super) async fn replace(
        &self,
        name: &str,
        expected: u64,
        (hash, epoch): (&str, u64),
    ) -> Result<bool, StoreError> {
        Ok(with_pool!(self,
            Self::Memory(users) => {
                let mut users = users.write().unwrap_or_else(PoisonError::into_inner);
                let user = users.get_mut(name).filter(|user| user.epoch == expected);
                user.map(|user| {
                    user.hash = hash.into();
                    user.epoch = epoch;
                })
                .is_some()
            },
            pool => {
                let replace = sqlx::query(REPLACE).bind(hash).bind(epoch.cast_signed());
                let replace = replace.bind(name).bind(expected.cast_signed());
                replace.execute(pool).await.map(|done| done.rows_affected() == 1)
            }
        ))
    }
}
