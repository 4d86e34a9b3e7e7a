use std::error::Error;
use std::fmt;
use std::ops::Deref;

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use session_policy::store::StoreError;
use session_policy::web;

use crate::request::head;

/// A request that is refused, or a verb that could not be carried out: an error for `?` in
/// handlers. It derefs to [`web::Refused`], which says why, and has a table of the answers.
///
/// As a response it is problem details (RFC 9457), or what
/// [`SessionMiddleware::on_refusal`](crate::SessionMiddleware::on_refusal) makes of it, also
/// where an error of the application's answers with its
/// [`error_response`](ResponseError::error_response).
///
/// ```
/// use actix_web::HttpResponse;
/// use session_policy_actix::{Auth, Refused};
///
/// async fn sign_out(auth: Auth) -> Result<HttpResponse, Refused> {
///     auth.sign_out().await?;
///     Ok(HttpResponse::NoContent().finish())
/// }
/// # let _ = sign_out;
/// ```
#[derive(Clone, Debug)]
pub struct Refused(web::Refused);

impl Refused {
    /// The refusal of this request.
    #[cold]
    pub(crate) fn of(refused: web::Refused, request: &HttpRequest) -> Self {
        Self(refused.of(head(request)))
    }
}

impl Deref for Refused {
    type Target = web::Refused;

    fn deref(&self) -> &web::Refused {
        &self.0
    }
}

impl From<web::Refused> for Refused {
    fn from(refused: web::Refused) -> Self {
        Self(refused)
    }
}

/// As of [`web::Refused`]: of a verb that a handler calls by the sessions themselves.
impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

/// For a log: it says more than the answer to the client does; `{:#}` adds the causes.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Refused {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response =
            HttpResponse::with_body(self.status_code(), self.problem()).map_into_boxed_body();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(Ok(challenge)) = self.www_authenticate().map(HeaderValue::try_from) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        // The middleware may have another answer to it.
        response.extensions_mut().insert(self.clone());
        response
    }
}
