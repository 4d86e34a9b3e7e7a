//! Arguments of axum's handlers.

use alloc::sync::Arc;
use core::ops::Deref;

use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use chrono::TimeDelta;
use http::request::Parts;

use super::auth::Auth;
use super::layer::{Slot, presented, slot, with_head};
use super::reason::Reason;
use super::refused::Refused;
use super::view::{Active, Peeked};
use crate::record::NoClaims;
use crate::sessions::Authenticated;

async fn ask<A: Clone + Send + Sync + 'static>(
    parts: &Parts,
    counts: bool,
) -> Result<Arc<Authenticated<A>>, Refused> {
    match slot(&parts.extensions) {
        Ok(Slot { exchange, .. }) => {
            let asked = exchange.ask(&presented(exchange, &parts.headers), counts).await;
            asked.map_err(|refused| of_parts::<A>(refused, parts))
        }
        Err(refused) => Err(of_parts::<A>(refused, parts)),
    }
}

fn of_parts<A: Clone + Send + Sync + 'static>(refused: Refused, parts: &Parts) -> Refused {
    let path = match slot::<A>(&parts.extensions) {
        Ok(slot) => slot.path.as_ref(),
        Err(_) => parts.uri.path_and_query(),
    };
    with_head(refused, &parts.method, path, &parts.headers)
}

macro_rules! extractor {
    ($name:ident, $counts:literal) => {
        impl<S: Sync, A: Clone + Send + Sync + 'static> FromRequestParts<S> for $name<A> {
            type Rejection = Refused;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
                ask(parts, $counts).await.map(Self::new)
            }
        }

        /// `None` without a session, or with one whose time is over.
        impl<S: Sync, A: Clone + Send + Sync + 'static> OptionalFromRequestParts<S> for $name<A> {
            type Rejection = Refused;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Refused> {
                match ask(parts, $counts).await {
                    Ok(served) => Ok(Some(Self::new(served))),
                    Err(refused) if refused.is_signed_out() => Ok(None),
                    Err(refused) => Err(refused),
                }
            }
        }
    };
}

extractor!(Active, true);
extractor!(Peeked, false);

/// [`Active`], and the sign-in is less than `SECS` seconds ago (RFC 9470): for changing a
/// password, or for paying. With 0 it refuses every request. A refused request counts as
/// activity, too.
///
/// ```
/// use session_policy::web::Fresh;
///
/// async fn pay(fresh: Fresh<900>) -> String {
///     fresh.session.subject().to_owned()
/// }
/// # let _ = pay;
/// ```
#[derive(Clone, Debug)]
pub struct Fresh<const SECS: u32, A = NoClaims>(Active<A>);

impl<const SECS: u32, A> Deref for Fresh<SECS, A> {
    type Target = Active<A>;

    fn deref(&self) -> &Active<A> {
        &self.0
    }
}

impl<S: Sync, const SECS: u32, A> FromRequestParts<S> for Fresh<SECS, A>
where
    A: Clone + Send + Sync + 'static,
{
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let within = TimeDelta::seconds(SECS.into());
        let asked = match slot::<A>(&parts.extensions) {
            Ok(Slot { exchange, .. }) => {
                exchange.fresh_of(&presented(exchange, &parts.headers), within).await
            }
            Err(refused) => Err(refused),
        };
        asked.map(Self).map_err(|refused| of_parts::<A>(refused, parts))
    }
}

impl<S: Sync, A: Clone + Send + Sync + 'static> FromRequestParts<S> for Auth<A> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let path = parts.uri.path_and_query();
        Self::of_parts(&parts.extensions, &parts.method, path, &parts.headers)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        // Without a layer there is nobody else to say what is wrong.
        let body = match self.reason() {
            Reason::Misuse(mistake) => Body::from(*mistake),
            _ => Body::empty(),
        };
        self.left_to_layer(body)
    }
}
