use alloc::string::String;

use chrono::TimeDelta;

use crate::time::Human;

/// Why settings carry no token.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CarrierError {
    /// The name is empty, too long, has other characters than a cookie's name, or begins
    /// with two underscores: a prefix such as `__Host-` is added, not given.
    #[error("`{}` is no name of a cookie, which is given without a prefix", name.escape_debug())]
    CookieName {
        /// The refused name.
        name: String,
    },
    /// The domain is not two labels or more, of letters, digits and hyphens.
    #[error("`{}` is no domain for a cookie", domain.escape_debug())]
    Domain {
        /// The refused domain.
        domain: String,
    },
    /// The header for re-issued tokens is no name of a header, or one with a meaning of its
    /// own, such as `Set-Cookie`.
    #[error("`{}` is no name of a header for tokens", name.escape_debug())]
    HeaderName {
        /// The refused name.
        name: String,
    },
    /// A partitioned cookie is for another site's frames, so it needs `SameSite=None`.
    #[error("a partitioned cookie needs SameSite=None")]
    NotCrossSite,
    /// A browser takes this attribute over HTTPS only, and a loopback cookie is for plain
    /// HTTP.
    #[error("a loopback cookie cannot have {attribute}, which needs HTTPS")]
    NotSecure {
        /// The attribute.
        attribute: &'static str,
    },
    /// The idle limit is longer than a browser keeps a cookie (RFC 6265bis section 5.6.2),
    /// so a session would be lost before its time. Shorten it, or have the cookie
    /// [dropped when the browser is closed](super::SessionCookie::until_closed).
    #[error(
        "max_age `{}` of profile `{profile}` is longer than the 400 days that a browser keeps a cookie",
        Human(*max_age)
    )]
    OutlivesCookies {
        /// The profile.
        profile: String,
        /// Its idle limit.
        max_age: TimeDelta,
    },
    /// No policy has this name.
    #[error("there is no profile `{}`", profile.escape_debug())]
    UnknownProfile {
        /// The refused name.
        profile: String,
    },
}
