//! The application's users, kept beside their sessions, so that a changed password
//! outlives the program as its sessions do.

mod table;

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, RwLock};

use session_policy::store::StoreError;
use session_policy::{Bound, Bounds};
use sqlx::{PgPool, SqlitePool};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, spawn_blocking};

use self::table::Table;

/// The users that exist at first: name, password, whether an administrator.
pub const DEMO_USERS: [(&str, &str, bool); 3] = [
    ("ada", "engine-notes-of-1843", false),
    ("grace", "nanoseconds-by-the-foot", false),
    ("root", "keys-to-the-machine-room", true),
];

/// NIST SP 800-63B-4 section 3.1.1.2: at least 15 characters where a password is
/// all there is.
pub const SHORTEST_PASSWORD: usize = 15;
const LONGEST_PASSWORD: usize = 128;

/// How many passwords are hashed at a time: each takes 19 MiB until it is done,
/// also where the client has hung up.
const HASHES_AT_ONCE: usize = 4;

/// The epoch of the passwords of [`DEMO_USERS`].
const PUBLISHED: u64 = 0;

/// The users by name, their passwords as Argon2id hashes.
#[derive(Clone, Debug)]
pub struct Users {
    table: Arc<Table>,
    /// What an unknown name's password is compared with.
    nobody: Arc<str>,
    hashing: Arc<Semaphore>,
}

#[derive(Clone)]
struct User {
    hash: Arc<str>,
    /// Changes with the password, and ends all that was started under another.
    epoch: u64,
    admin: bool,
}

impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("User").field("admin", &self.admin).finish_non_exhaustive()
    }
}

/// Why a password is not taken.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PasswordError {
    #[error("a new password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")]
    Length,
    #[error("the new password is the old one")]
    Same,
    #[error("the current password is wrong")]
    Wrong,
}

/// Why a password could not be checked or replaced.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UsersError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Task(#[from] JoinError),
}

impl Users {
    /// The users of [`DEMO_USERS`], in memory.
    #[must_use]
    pub fn demo() -> Self {
        let users = DEMO_USERS.map(|(name, password, admin)| (name.into(), user(password, admin)));
        Self::over(Table::Memory(RwLock::new(users.into())))
    }

    /// The users of a SQLite database, at first those of [`DEMO_USERS`].
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the table can neither be read nor made.
    pub async fn in_sqlite(pool: SqlitePool) -> Result<Self, StoreError> {
        Self::seeded(Table::Sqlite(pool)).await
    }

    /// The same in PostgreSQL.
    ///
    /// # Errors
    ///
    /// As for [`in_sqlite`](Self::in_sqlite).
    pub async fn in_postgres(pool: PgPool) -> Result<Self, StoreError> {
        Self::seeded(Table::Postgres(pool)).await
    }

    async fn seeded(table: Table) -> Result<Self, StoreError> {
        table.create().await?;
        for (name, password, admin) in DEMO_USERS {
            if table.find(name).await?.is_none() {
                table.add(name, user(password, admin)).await?;
            }
        }
        Ok(Self::over(table))
    }

    fn over(table: Table) -> Self {
        Self {
            table: Arc::new(table),
            nobody: user("nobody's password", false).hash,
            hashing: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
        }
    }

    pub(crate) async fn names(&self) -> Result<Vec<String>, StoreError> {
        self.table.names().await
    }

    pub(crate) async fn is_admin(&self, name: &str) -> Result<bool, StoreError> {
        Ok(self.table.find(name).await?.is_some_and(|user| user.admin))
    }

    /// The epoch of the user of this name, read together with the hash, if the password
    /// is theirs. An unknown name takes as long as a wrong password, so that names cannot
    /// be probed for.
    pub(crate) async fn verify(
        &self,
        name: &str,
        password: String,
    ) -> Result<Option<u64>, UsersError> {
        let permit = self.permit().await;
        let (hash, epoch) = match self.table.find(name).await? {
            Some(user) => (user.hash, Some(user.epoch)),
            None => (Arc::clone(&self.nobody), None),
        };
        let is_right = spawn_blocking(move || {
            let _permit = permit;
            password_auth::verify_password(password, &hash).is_ok()
        });
        let is_right = is_right.await?;
        Ok(epoch.filter(|_| is_right))
    }

    /// Whether a text may be a new password, in the place of the verified one.
    pub(crate) fn check(new: &str, current: &str) -> Result<(), PasswordError> {
        if !(SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&new.chars().count()) {
            Err(PasswordError::Length)
        } else if new == current {
            Err(PasswordError::Same)
        } else {
            Ok(())
        }
    }

    /// The hash of a new, [checked](Self::check) password.
    pub(crate) async fn hash(&self, password: String) -> Result<Arc<str>, JoinError> {
        let permit = self.permit().await;
        spawn_blocking(move || {
            let _permit = permit;
            password_auth::generate_hash(password).into()
        })
        .await
    }

    /// Gives a user another password, and another epoch, if that of the
    /// [verified](Self::verify) one is still theirs: of two changes at once, one is made.
    pub(crate) async fn replace(
        &self,
        name: &str,
        verified: u64,
        new: &str,
    ) -> Result<Option<u64>, StoreError> {
        // Never one that was used before: the hash has a random salt.
        let epoch = RandomState::new().hash_one(new);
        Ok(self.table.replace(name, verified, (new, epoch)).await?.then_some(epoch))
    }

    /// To be held by the work itself, which goes on where its request does not.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        // Never closed, so never an error.
        Arc::clone(&self.hashing).acquire_owned().await
    }
}

fn user(password: &str, admin: bool) -> User {
    User { hash: password_auth::generate_hash(password).into(), epoch: PUBLISHED, admin }
}

/// No session outlives the password that it was started under, nor its user.
impl Bounds for Users {
    async fn bound(&self, name: &str, _: &str) -> Result<Option<Bound>, StoreError> {
        let user = self.table.find(name).await?;
        Ok(user.map(|user| Bound::default().with_epoch(user.epoch)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn a_hash_counts_until_it_is_done_also_where_nobody_waits_for_it_any_more() {
        let runtime =
            tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async {
            let users = Users::demo();
            let (release, released) = mpsc::channel::<()>();
            let busy = spawn_blocking(move || released.recv());
            let context = &mut Context::from_waker(Waker::noop());
            {
                let verified = pin!(users.verify("ada", "any".into()));
                let hashed = pin!(users.hash("any".into()));
                assert!(verified.poll(context).is_pending() && hashed.poll(context).is_pending());
            }
            assert_eq!(users.hashing.available_permits(), HASHES_AT_ONCE - 2);
            release.send(()).unwrap();
            busy.await.unwrap().unwrap();
            let all = users.hashing.acquire_many(4).await.unwrap();
            assert_eq!(all.num_permits(), HASHES_AT_ONCE);
        });
    }
}
