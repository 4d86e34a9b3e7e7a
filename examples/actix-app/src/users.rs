//! The users of the demonstration and their passwords.

/// Users by name, each with the hash (Argon2id) of a password.
#[derive(Clone, Debug)]
pub struct Users {
    users: Vec<(&'static str, String)>,
    /// Of no user: what an unknown name is compared with.
    nobody: String,
}

impl Users {
    /// Two users: `ada` with the password `correct horse`, and `bob` with
    /// `battery staple`.
    #[must_use]
    pub fn seeded() -> Self {
        let user = |(name, password)| (name, password_auth::generate_hash(password));
        Self {
            users: [("ada", "correct horse"), ("bob", "battery staple")].map(user).into(),
            nobody: password_auth::generate_hash("nobody's"),
        }
    }

    /// The user's name, if the password is theirs. An unknown name takes as long
    /// as a wrong password.
    #[must_use]
    pub fn verify(&self, name: &str, password: &str) -> Option<&'static str> {
        let user = self.users.iter().find(|user| user.0 == name);
        let hash = user.map_or(&self.nobody, |(_, hash)| hash);
        let right = password_auth::verify_password(password, hash).is_ok();
        user.filter(|_| right).map(|(name, _)| *name)
    }
}
