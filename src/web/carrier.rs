use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::carrier_error::CarrierError;
use super::cookie::{Cookie, LONGEST, SessionCookie};
use crate::config::Policies;
use crate::record::SessionToken;

/// How many cookies of the name are looked at.
const MOST: usize = 4;

/// How tokens travel: as a [`SessionCookie`], after [`Bearer`], or either way.
///
/// Either way, a request that has an `Authorization` header is decided by it alone,
/// whatever its scheme, and is answered without a cookie.
///
/// ```
/// use session_policy::web::{Bearer, Carrier, SessionCookie};
///
/// let carrier = Carrier::either(SessionCookie::host("session"), Bearer::new());
/// # let _ = carrier;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Carrier {
    cookie: Option<SessionCookie>,
    bearer: Option<Bearer>,
}

impl Carrier {
    /// A cookie for browsers, or `Authorization: Bearer` for other clients of the same
    /// routes.
    pub fn either(cookie: SessionCookie, bearer: Bearer) -> Self {
        Self { cookie: Some(cookie), bearer: Some(bearer) }
    }

    pub(super) fn build(self, policies: &Policies) -> Result<Built, CarrierError> {
        let Self { cookie, bearer } = self;
        if let Some(name) = bearer.as_ref().and_then(|bearer| bearer.reissued_in.as_ref()) {
            let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            let lower = name.to_ascii_lowercase();
            let is_taken = ["cache-control", "set-cookie", "www-authenticate"].contains(&&*lower)
                || lower.starts_with("content-");
            if name.is_empty() || !name.bytes().all(is_inner) || is_taken {
                return Err(CarrierError::HeaderName { name: name.clone() });
            }
        }
        let cookie = cookie.map(|cookie| cookie.build(policies)).transpose()?;
        Ok(Built { cookie, bearer })
    }
}

impl From<SessionCookie> for Carrier {
    fn from(cookie: SessionCookie) -> Self {
        Self { cookie: Some(cookie), bearer: None }
    }
}

impl From<Bearer> for Carrier {
    fn from(bearer: Bearer) -> Self {
        Self { cookie: None, bearer: Some(bearer) }
    }
}

/// Tokens in `Authorization: Bearer` (RFC 6750 section 2.1), for clients without cookies:
/// mobile applications, command lines, gRPC.
///
/// The token is in the result of the verb that made it, and the handler sends it as it
/// likes.
///
/// ```
/// use session_policy::web::Bearer;
///
/// let bearer = Bearer::new().reissued_in("x-session-token");
/// # let _ = bearer;
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Bearer {
    reissued_in: Option<String>,
}

impl Bearer {
    /// Without a header for tokens that are issued anew.
    pub fn new() -> Self {
        Self::default()
    }

    /// A token that a renewal issues anew, of hybrid and stateless sessions, is sent in
    /// this header. Without it, it is in the session that the handler is given.
    pub fn reissued_in(self, header: impl Into<String>) -> Self {
        Self { reissued_in: Some(header.into()) }
    }
}

/// A [`Carrier`] whose settings are good.
#[derive(Debug)]
pub(super) struct Built {
    cookie: Option<Cookie>,
    bearer: Option<Bearer>,
}

impl Built {
    /// The cookie, for an answer to a request that did not come with a bearer token.
    pub(super) fn cookie(&self, is_bearer: bool) -> Option<&Cookie> {
        self.cookie.as_ref().filter(|_| !is_bearer)
    }

    /// The `Set-Cookie` that clears the cookie that a request has presented. Where it has none,
    /// as one that another site forged, the browser's cookie stays: its session lives on.
    pub(super) fn clears(&self, presented: &Presented<'_>) -> Option<String> {
        let cookie = self.cookie(presented.is_bearer)?;
        (presented.count > 0).then(|| cookie.clear())
    }

    /// Whether a request is one of a bearer, given whether it has that header.
    fn is_bearer(&self, has_authorization: bool) -> bool {
        self.bearer.is_some() && (has_authorization || self.cookie.is_none())
    }

    /// Whether a `Set-Cookie` is of the session's name.
    pub(super) fn is_set_by(&self, header: &[u8]) -> bool {
        self.cookie.as_ref().is_some_and(|cookie| cookie.is_set_by(header))
    }

    pub(super) fn takes_bearer(&self) -> bool {
        self.bearer.is_some()
    }

    pub(super) fn reissued_in(&self) -> Option<&str> {
        self.bearer.as_ref()?.reissued_in.as_deref()
    }

    /// The longest token that travels; `None` if there is no such limit.
    pub(super) fn longest(&self) -> Option<usize> {
        self.cookie.as_ref().map(|cookie| LONGEST.saturating_sub(cookie.name().len()))
    }

    /// What a request presents, from its headers `Cookie` and `Authorization`.
    pub(super) fn presented<'a>(
        &self,
        cookies: impl IntoIterator<Item = &'a [u8]>,
        authorization: impl IntoIterator<Item = &'a [u8]>,
    ) -> Presented<'a> {
        let mut authorization = self.bearer.as_ref().map(|_| authorization.into_iter());
        let mut next = || authorization.as_mut()?.next();
        let header = next();
        let mut presented =
            Presented { tokens: [""; MOST], count: 0, is_bearer: self.is_bearer(header.is_some()) };
        if presented.is_bearer {
            // Two are none: a proxy and we might each believe another one.
            let alone = header.filter(|_| next().is_none());
            if let Some(token) = alone.and_then(after_bearer) {
                presented.add(token);
            }
        } else if let Some(cookie) = &self.cookie {
            for header in cookies {
                for token in cookie.values(header) {
                    presented.add(token);
                }
            }
        }
        presented
    }
}

fn after_bearer(header: &[u8]) -> Option<&str> {
    let (scheme, token) = header.trim_ascii_start().split_at_checked("bearer ".len())?;
    let token = str::from_utf8(token.trim_ascii()).ok()?;
    (scheme.eq_ignore_ascii_case(b"bearer ") && !token.is_empty()).then_some(token)
}

/// The tokens that a request presents: at most [`MOST`], each once.
#[derive(Clone, Copy)]
pub(super) struct Presented<'a> {
    tokens: [&'a str; MOST],
    count: usize,
    pub(super) is_bearer: bool,
}

impl<'a> Presented<'a> {
    pub(super) fn tokens(&self) -> &[&'a str] {
        &self.tokens[..self.count]
    }

    fn add(&mut self, token: &'a str) {
        if self.count < MOST && !self.tokens().contains(&token) {
            self.tokens[self.count] = token;
            self.count += 1;
        }
    }
}

/// [`Presented`], kept beyond the request's headers.
#[derive(Clone, Debug)]
pub(super) struct Credentials {
    tokens: Vec<SessionToken>,
    pub(super) is_bearer: bool,
}

impl Credentials {
    /// Those of a client without cookies that has no token yet.
    pub(super) const fn of_bearer() -> Self {
        Self { tokens: Vec::new(), is_bearer: true }
    }

    pub(super) fn presented(&self) -> Presented<'_> {
        let mut presented = Presented { tokens: [""; MOST], count: 0, is_bearer: self.is_bearer };
        self.tokens.iter().for_each(|token| presented.add(token.expose()));
        presented
    }
}

impl From<Presented<'_>> for Credentials {
    fn from(presented: Presented<'_>) -> Self {
        let tokens = presented.tokens().iter().map(|text| SessionToken::of_text(text.to_string()));
        Self { tokens: tokens.collect(), is_bearer: presented.is_bearer }
    }
}
