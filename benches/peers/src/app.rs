//! A web application in this process, and what every one of them must answer.

use std::sync::Arc;

use crate::traffic::Traffic;

/// Whose session the protected route greets.
pub const SUBJECT: &str = "ada";
const GREETING: &[u8] = b"Hello, ada\n";

/// What the protected route of every application says to the user.
#[must_use]
pub fn greet(subject: &str) -> String {
    format!("Hello, {subject}\n")
}

/// Whose request it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Caller {
    /// Somebody who brings a cookie that nobody was given.
    Forger,
    /// The user who signed in.
    SignedIn,
    /// Somebody without a cookie.
    Stranger,
}

/// An answer as far as it is compared.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
    /// How many `Set-Cookie` headers.
    pub cookies: usize,
}

/// An application with a protected route and a user who has signed in.
#[expect(missing_debug_implementations, reason = "a router has none to show")]
pub struct App {
    /// What protects its route.
    pub name: &'static str,
    /// What went to its store.
    pub traffic: Arc<Traffic>,
    request: Box<dyn FnMut(Caller) -> Answer>,
}

impl App {
    /// An application by what answers its requests.
    pub fn new(
        name: &'static str,
        traffic: Arc<Traffic>,
        request: impl FnMut(Caller) -> Answer + 'static,
    ) -> Self {
        Self { name, traffic, request: Box::new(request) }
    }

    /// The user's request; how many cookies the answer sets.
    ///
    /// # Panics
    ///
    /// If the user is not served.
    pub fn serve(&mut self) -> usize {
        let answer = (self.request)(Caller::SignedIn);
        assert_eq!((answer.status, &*answer.body), (200, GREETING), "{}", self.name);
        answer.cookies
    }

    /// Somebody else's request.
    ///
    /// # Panics
    ///
    /// If it is served.
    pub fn refuse(&mut self, caller: Caller) {
        let answer = (self.request)(caller);
        assert!((300..500).contains(&answer.status), "{} answers {}", self.name, answer.status);
        assert_ne!(answer.body, GREETING, "{}", self.name);
    }
}

/// Cookies of the same form that nobody was given.
pub(crate) fn forged(cookies: &str) -> String {
    let forge = |cookie: &str| {
        let mut bytes = cookie.as_bytes().to_vec();
        if let Some(at) = bytes.len().checked_sub(10).filter(|_| bytes.len() > 20) {
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        }
        String::from_utf8_lossy(&bytes).into_owned()
    };
    cookies.split("; ").map(forge).collect::<Vec<_>>().join("; ")
}
