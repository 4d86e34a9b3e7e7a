//! What a page says of the step before it, carried in the query of a redirect. Anybody can
//! write such a link, so there are only these sentences.

use std::fmt;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use axum::response::Redirect;
use serde::Deserialize;

/// What was done.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Notice {
    /// The device had signed out by itself.
    DeviceGone,
    DeviceSignedOut,
    OthersSignedOut,
    PasswordChanged,
    UserSignedOut,
}

/// A notice, if there is one. A query that nobody of ours wrote is as good as none.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Told {
    notice: Option<Notice>,
    count: Option<u64>,
}

impl<S: Sync> FromRequestParts<S> for Told {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Query::try_from_uri(&parts.uri).map(|Query(told)| told).unwrap_or_default())
    }
}

impl Notice {
    /// The way to a page that says so; `count` is how many sessions were ended, if known.
    pub(crate) fn on(self, page: &str, count: Option<u64>) -> Redirect {
        let count = count.map(|count| format!("&count={count}")).unwrap_or_default();
        Redirect::to(&format!("{page}?notice={self}{count}"))
    }
}

/// As in the query.
impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DeviceGone => "device-gone",
            Self::DeviceSignedOut => "device-signed-out",
            Self::OthersSignedOut => "others-signed-out",
            Self::PasswordChanged => "password-changed",
            Self::UserSignedOut => "user-signed-out",
        })
    }
}

impl Told {
    pub(crate) fn sentence(self) -> Option<String> {
        let others = match self.count {
            Some(0) => "You were signed in nowhere else.".to_owned(),
            Some(1) => "One other device was signed out.".to_owned(),
            Some(count) => format!("{count} other devices were signed out."),
            None => "All your other devices were signed out.".to_owned(),
        };
        Some(match self.notice? {
            Notice::DeviceGone => "That device had already signed out.".to_owned(),
            Notice::DeviceSignedOut => "The device was signed out.".to_owned(),
            Notice::OthersSignedOut => others,
            Notice::PasswordChanged => format!("Your password is changed. {others}"),
            Notice::UserSignedOut => match self.count {
                Some(1) => "One session was ended.".to_owned(),
                Some(count) => format!("{count} sessions were ended."),
                None => "The sessions were ended.".to_owned(),
            },
        })
    }
}
