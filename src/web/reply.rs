//! What an answer is to have.

use alloc::string::String;
use core::fmt;

/// What to put on the answer to a request that asked for a session.
#[derive(Eq, PartialEq)]
#[non_exhaustive]
pub struct Reply {
    /// A header `Set-Cookie` to add; it holds a secret.
    pub set_cookie: Option<String>,
    /// A header to set, name and value, with a token that was issued anew for a bearer; it
    /// holds a secret.
    pub reissued: Option<(String, String)>,
}

/// Without the secrets.
impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (set_cookie, reissued) = (self.set_cookie.is_some(), self.reissued.is_some());
        f.debug_struct("Reply")
            .field("set_cookie", &set_cookie)
            .field("reissued", &reissued)
            .finish()
    }
}
