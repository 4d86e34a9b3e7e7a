//! The application's users. They live in memory, seeded at every start: sessions
//! are what this application is about.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, PoisonError, RwLock};

use session_policy::store::StoreError;
use session_policy::{Bound, Bounds};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::task::{JoinError, spawn_blocking};

/// The users that exist after a start: name, password, whether an administrator.
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

/// The epoch of the passwords of [`DEMO_USERS`], which come back at every start: so do
/// the sessions that were started under them, and no others.
const PUBLISHED: u64 = 0;

/// The users by name, their passwords as Argon2id hashes.
#[derive(Clone, Debug)]
pub struct Users {
    by_name: Arc<RwLock<BTreeMap<String, User>>>,
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
    #[error("the current password is wrong")]
    Wrong,
}

impl Users {
    /// The users of [`DEMO_USERS`].
    #[must_use]
    pub fn demo() -> Self {
        let user = |(name, password, admin): (&str, &str, _)| {
            let hash = password_auth::generate_hash(password).into();
            (name.to_owned(), User { hash, epoch: PUBLISHED, admin })
        };
        Self {
            by_name: Arc::new(RwLock::new(DEMO_USERS.map(user).into())),
            hashing: Arc::new(Semaphore::new(HASHES_AT_ONCE)),
        }
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    pub(crate) fn is_admin(&self, name: &str) -> bool {
        self.find(name).is_some_and(|user| user.admin)
    }

    /// The epoch of the user of this name, read together with the hash, if the password
    /// is theirs. An unknown name takes as long as a wrong password, so that names cannot
    /// be probed for.
    pub(crate) async fn verify(
        &self,
        name: &str,
        password: String,
    ) -> Result<Option<u64>, JoinError> {
        let permit = self.permit().await;
        let user = self.find(name);
        let epoch = user.as_ref().map(|user| user.epoch);
        let hash = user.or_else(|| self.find(DEMO_USERS[0].0)).map(|user| user.hash);
        spawn_blocking(move || {
            let _permit = permit;
            let is_right = |hash: &Arc<str>| password_auth::verify_password(password, hash).is_ok();
            hash.filter(is_right).and(epoch)
        })
        .await
    }

    /// Whether a text may be a new password.
    pub(crate) fn check(password: &str) -> Result<(), PasswordError> {
        if (SHORTEST_PASSWORD..=LONGEST_PASSWORD).contains(&password.chars().count()) {
            Ok(())
        } else {
            Err(PasswordError::Length)
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
    pub(crate) fn replace(&self, name: &str, verified: u64, new: Arc<str>) -> Option<u64> {
        let mut users = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        let user = users.get_mut(name).filter(|user| user.epoch == verified)?;
        // Never one that was used before: the hash has a random salt.
        user.epoch = RandomState::new().hash_one(&new);
        user.hash = new;
        Some(user.epoch)
    }

    /// To be held by the work itself, which goes on where its request does not.
    async fn permit(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        // Never closed, so never an error.
        Arc::clone(&self.hashing).acquire_owned().await
    }

    fn find(&self, name: &str) -> Option<User> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}

/// No session outlives the password that it was started under, nor its user.
impl Bounds for Users {
    async fn bound(&self, name: &str, _: &str) -> Result<Option<Bound>, StoreError> {
        Ok(self.find(name).map(|user| Bound::default().with_epoch(user.epoch)))
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
