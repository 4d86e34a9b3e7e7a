use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use chrono::TimeDelta;

use super::carrier_error::CarrierError;
use crate::config::Policies;
use crate::record::SessionToken;
use crate::rule::{MAX_COOKIE_AGE, Status};

/// What browsers take of a cookie: name and value together (RFC 6265bis section 5.6).
pub(super) const LONGEST: usize = 4_096;
/// An opaque token: id, full stop, secret.
const OPAQUE: usize = 22 + 1 + 43;

/// The cookie that carries a session's token.
///
/// It runs to the session's cap, at most 400 days, and is sent once: the record ends a
/// session, never its cookie (NIST SP 800-63B-4 section 5.1.1). So it may outlive a session
/// that the idle limit ended, where the same section recommends that it does not. Only where
/// the cap is longer than 400 days is it sent again, at every renewal.
///
/// | setting | if not set | source |
/// | --- | --- | --- |
/// | [`host`](Self::host) or [`loopback`](Self::loopback) | – | RFC 6265bis section 4.1.3.2 |
/// | [`same_site`](Self::same_site) | `Lax` | RFC 6265bis section 5.6.7 |
/// | [`domain`](Self::domain) | this host alone | RFC 6265bis section 4.1.2.3 |
/// | [`partitioned`](Self::partitioned) | not | CHIPS |
/// | [`until_closed`](Self::until_closed) | kept to the cap | RFC 6265bis section 4.1.2.2 |
///
/// `Path=/` and `HttpOnly` are fixed. Settings that a browser would refuse together are
/// errors where the cookie is put to use, in [`WebSessions::new`] or `SessionLayer::new`.
///
/// ```
/// use session_policy::web::{SameSite, SessionCookie};
///
/// let cookie = SessionCookie::host("session").same_site(SameSite::Strict);
/// # let _ = cookie;
/// ```
#[doc = include_str!("examples/cookie.md")]
///
/// [`WebSessions::new`]: super::WebSessions::new
#[derive(Clone, Debug)]
#[must_use]
pub struct SessionCookie {
    name: String,
    domain: Option<String>,
    secure: bool,
    same_site: SameSite,
    partitioned: bool,
    until_closed: Vec<String>,
}

/// Which requests of other sites a cookie goes with (RFC 6265bis section 5.6.7).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum SameSite {
    /// With links to this site, and not with forms and scripts of others.
    #[default]
    Lax,
    /// With all, such as in another site's frame. Needs HTTPS, and protection of its own
    /// against forged requests.
    None,
    /// With none: whoever follows a link to this site looks signed out at first.
    Strict,
}

impl SessionCookie {
    /// `__Host-` and this name: a browser takes it only from this host, over HTTPS, so no
    /// other host can plant one.
    pub fn host(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            domain: None,
            secure: true,
            same_site: SameSite::Lax,
            partitioned: false,
            until_closed: Vec::new(),
        }
    }

    /// This name as it is, without `Secure`: for development over plain HTTP on this
    /// machine, and nowhere else.
    pub fn loopback(name: impl Into<String>) -> Self {
        Self { secure: false, ..Self::host(name) }
    }

    /// Sent with the requests that this allows.
    pub fn same_site(self, same_site: SameSite) -> Self {
        Self { same_site, ..self }
    }

    /// For a domain and all its hosts, as `__Secure-` and the name. That gives up
    /// `__Host-`: each of these hosts reads the cookie, and can plant one.
    pub fn domain(self, domain: impl Into<String>) -> Self {
        Self { domain: Some(domain.into()), ..self }
    }

    /// Kept apart for each site that shows this one in a frame; goes with
    /// [`SameSite::None`].
    pub fn partitioned(self) -> Self {
        Self { partitioned: true, ..self }
    }

    /// Without `Max-Age` for sessions of this profile, so the browser drops it when it is
    /// closed; some restore it with their tabs. The session's limits are as they are.
    pub fn until_closed(mut self, profile: impl Into<String>) -> Self {
        self.until_closed.push(profile.into());
        self
    }

    pub(super) fn build(self, policies: &Policies) -> Result<Cookie, CarrierError> {
        let Self { name, domain, secure, same_site, partitioned, until_closed } = self;
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let prefix = match &domain {
            None if secure => "__Host-",
            Some(_) => "__Secure-",
            None => "",
        };
        let is_prefixed = name.get(..2) == Some("__");
        let length = prefix.len() + name.len() + OPAQUE;
        if name.is_empty() || !name.bytes().all(is_token) || is_prefixed || length > LONGEST {
            return Err(CarrierError::CookieName { name });
        }
        if let Some(domain) = domain.as_ref().filter(|domain| !is_domain(domain)) {
            return Err(CarrierError::Domain { domain: domain.to_owned() });
        }
        let demands = [
            (domain.is_some(), "Domain"),
            (same_site == SameSite::None, "SameSite=None"),
            (partitioned, "Partitioned"),
        ];
        if let Some((_, attribute)) = demands.into_iter().find(|(set, _)| *set && !secure) {
            return Err(CarrierError::NotSecure { attribute });
        }
        if partitioned && same_site != SameSite::None {
            return Err(CarrierError::NotCrossSite);
        }
        if let Some(profile) = until_closed.iter().find(|it| policies.get(it).is_none()) {
            return Err(CarrierError::UnknownProfile { profile: profile.clone() });
        }
        let default = (Policies::DEFAULT, policies.default_policy());
        for (profile, policy) in policies.profiles().chain([default]) {
            let is_kept = !until_closed.iter().any(|it| it == profile);
            if is_kept && policy.max_age() > MAX_COOKIE_AGE {
                let (profile, max_age) = (profile.to_owned(), policy.max_age());
                return Err(CarrierError::OutlivesCookies { profile, max_age });
            }
        }
        let mut attributes = String::from("; Path=/; HttpOnly");
        attributes += if secure { "; Secure" } else { "" };
        attributes += match same_site {
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
            SameSite::Strict => "; SameSite=Strict",
        };
        attributes += if partitioned { "; Partitioned" } else { "" };
        if let Some(domain) = &domain {
            attributes += "; Domain=";
            attributes += domain;
        }
        let pair = format!("{prefix}{name}=");
        Ok(Cookie { pair, attributes, until_closed })
    }
}

/// Letters, digits and hyphens between full stops; a browser refuses a public suffix, and
/// one label alone is one.
fn is_domain(domain: &str) -> bool {
    let is_label = |label: &str| {
        let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty() && label.bytes().all(is_inner) && !label.starts_with('-')
    };
    domain.len() <= 253 && domain.contains('.') && domain.split('.').all(is_label)
}

/// A [`SessionCookie`] whose settings are good.
#[derive(Debug)]
pub(super) struct Cookie {
    /// The name and `=`.
    pair: String,
    attributes: String,
    until_closed: Vec<String>,
}

impl Cookie {
    pub(super) fn name(&self) -> &str {
        self.pair.trim_end_matches('=')
    }

    /// The `Set-Cookie` that hands a token to the browser.
    pub(super) fn set(&self, token: &SessionToken, profile: &str, status: &Status) -> String {
        let is_kept = !self.until_closed.iter().any(|it| it == profile);
        self.text(token.expose(), is_kept.then(|| status.cookie_max_age()))
    }

    /// The `Set-Cookie` that takes it back.
    pub(super) fn clear(&self) -> String {
        self.text("", Some(TimeDelta::zero()))
    }

    fn text(&self, value: &str, max_age: Option<TimeDelta>) -> String {
        let (pair, attributes) = (&self.pair, &self.attributes);
        match max_age.map(|max_age| max_age.num_seconds()) {
            Some(secs) => format!("{pair}{value}{attributes}; Max-Age={secs}"),
            None => format!("{pair}{value}{attributes}"),
        }
    }

    /// Whether a `Set-Cookie` is of this name.
    pub(super) fn is_set_by(&self, header: &[u8]) -> bool {
        let (name, _) = pair(header);
        name == self.name().as_bytes()
    }

    /// The values of this name in one `Cookie` header, whatever bytes stand beside them;
    /// those that are no text are none.
    pub(super) fn values<'a>(&self, header: &'a [u8]) -> Values<'_, 'a> {
        Values { pair: self.pair.as_bytes(), rest: header }
    }
}

pub(super) struct Values<'n, 'a> {
    pair: &'n [u8],
    rest: &'a [u8],
}

impl<'a> Iterator for Values<'_, 'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        while !self.rest.is_empty() {
            let rest = self.rest.trim_ascii_start();
            let value = rest.strip_prefix(self.pair);
            let from = value.unwrap_or(rest);
            let (found, after) = from.split_at(end(from));
            self.rest = after.get(1..).unwrap_or_default();
            let text = value.and_then(|_| str::from_utf8(found.trim_ascii_end()).ok());
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                return Some(text);
            }
        }
        None
    }
}

/// The name and the value of a `Set-Cookie`, without the blanks that a browser removes (RFC
/// 6265bis section 5.6).
pub(super) fn pair(header: &[u8]) -> (&[u8], &[u8]) {
    let (pair, _) = header.split_at(end(header));
    let (name, value) = pair.split_at(pair.iter().position(|byte| *byte == b'=').unwrap_or(0));
    (name.trim_ascii(), value.get(1..).unwrap_or_default().trim_ascii())
}

/// Where a cookie's pair ends. In blocks, which are compared at once: a byte at a time
/// takes three times as long.
#[expect(clippy::needless_bitwise_bool, reason = "a jump per byte is what it avoids")]
fn end(bytes: &[u8]) -> usize {
    let (blocks, _) = bytes.as_chunks::<16>();
    let ends = |block: &[u8; 16]| block.iter().fold(false, |any, byte| any | (*byte == b';'));
    let whole = 16 * blocks.iter().take_while(|block| !ends(block)).count();
    let rest = &bytes[whole..];
    whole + rest.iter().position(|byte| *byte == b';').unwrap_or(rest.len())
}
