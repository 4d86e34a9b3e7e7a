//! The users of the demonstration and their passwords.

use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// How many passwords are verified at a time, each in 19 MiB of memory.
pub const AT_A_TIME: usize = 4;

/// Users by name, each with the hash (Argon2id) of a password.
#[derive(Clone, Debug)]
pub struct Users {
    known: Vec<(&'static str, String)>,
    /// Of no user: what an unknown name is compared with.
    nobody: String,
    turns: Arc<Semaphore>,
}

impl Users {
    /// Two users: `ada` with the password `correct horse`, and `bob` with
    /// `battery staple`.
    #[must_use]
    pub fn seeded() -> Self {
        let user = |(name, password)| (name, password_auth::generate_hash(password));
        Self {
            known: [("ada", "correct horse"), ("bob", "battery staple")].map(user).into(),
            nobody: password_auth::generate_hash("nobody's"),
            turns: Arc::new(Semaphore::new(AT_A_TIME)),
        }
    }

    /// Waits until fewer than [`AT_A_TIME`] passwords are being verified. The turn
    /// ends when it is dropped, so it belongs where the work is done: a client that
    /// hangs up does not end the work.
    ///
    /// # Errors
    ///
    /// None, as the semaphore is never closed.
    pub async fn turn(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.turns.clone().acquire_owned().await
    }

    /// The user's name, if the password is theirs. An unknown name takes as long
    /// as a wrong password.
    #[must_use]
    pub fn verify(&self, name: &str, password: &str) -> Option<&'static str> {
        let user = self.known.iter().find(|user| user.0 == name);
        let hash = user.map_or(&self.nobody, |(_, hash)| hash);
        let right = password_auth::verify_password(password, hash).is_ok();
        user.filter(|_| right).map(|(name, _)| *name)
    }
}
