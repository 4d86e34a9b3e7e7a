//! The application's users. They live in memory, seeded at every start: sessions
//! are what this application is about.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::Semaphore;
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

/// How many passwords are hashed at a time: each takes 19 MiB for its while.
const HASHES_AT_ONCE: usize = 4;

/// The users by name, their passwords as Argon2id hashes.
#[derive(Clone, Debug)]
pub struct Users {
    by_name: Arc<RwLock<BTreeMap<String, User>>>,
    hashing: Arc<Semaphore>,
}

#[derive(Clone)]
struct User {
    hash: Arc<str>,
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
            (name.to_owned(), User { hash, admin })
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

    /// Whether this is the password of a user of this name. An unknown name takes
    /// as long as a wrong password, so that names cannot be probed for.
    pub(crate) async fn verify(&self, name: &str, password: String) -> Result<bool, JoinError> {
        let user = self.find(name);
        let known = user.is_some();
        let hash = user.or_else(|| self.find(DEMO_USERS[0].0)).map(|user| user.hash);
        // Never closed, so never an error.
        let _permit = self.hashing.acquire().await;
        spawn_blocking(move || {
            let matches = |hash: &str| password_auth::verify_password(password, hash).is_ok();
            hash.is_some_and(|hash| matches(&hash)) && known
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

    /// Gives a user another, [checked](Self::check) password.
    pub(crate) async fn set_password(&self, name: &str, password: String) -> Result<(), JoinError> {
        let _permit = self.hashing.acquire().await;
        let hash = spawn_blocking(move || password_auth::generate_hash(password)).await?;
        let mut users = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(user) = users.get_mut(name) {
            user.hash = hash.into();
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Option<User> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }
}
