//! Requests that change something must come from this origin.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HOST, HeaderMap, HeaderName, ORIGIN};
use actix_web::middleware::Next;

use crate::problem::Problem;

/// A middleware that refuses state-changing requests of other origins (OWASP
/// ASVS 5.0 3.5.1), beside the cookie's `SameSite`.
///
/// A browser says where a request comes from in `Sec-Fetch-Site`, or, if it is an
/// older one, in `Origin`; the other sites of a domain count as others. A client
/// that sends neither is no browser, and nobody else's cookies are with it.
///
/// # Errors
///
/// [`Problem::CrossOrigin`], and those of the service.
pub async fn same_origin(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if request.method().is_safe() || is_same_origin(request.headers()) {
        next.call(request).await
    } else {
        tracing::warn!(path = request.path(), "refused a request of another origin");
        Err(Problem::CrossOrigin.into())
    }
}

fn is_same_origin(headers: &HeaderMap) -> bool {
    let site = HeaderName::from_static("sec-fetch-site");
    if let Some(site) = headers.get(site) {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let (Ok(origin), Some(Ok(host))) =
        (origin.to_str(), headers.get(HOST).map(|host| host.to_str()))
    else {
        return false;
    };
    origin.split_once("://").is_some_and(|(_, authority)| authority == host)
}
