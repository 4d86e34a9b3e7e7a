//! The verb that gives a request's session another secret.

use alloc::sync::Arc;

use super::auth::Auth;
use super::refused::Refused;
use super::shared::Unsent;
use super::view::Active;

impl<A: Clone + Send + Sync + 'static> Auth<A> {
    /// Gives the session of the request another secret, for a change of privilege or a
    /// [new password](crate::guide::reauthentication); see
    /// [`Sessions::rotate`](crate::Sessions::rotate).
    ///
    /// # Errors
    ///
    /// [`Refused`] as of [`RotateError`](crate::RotateError), if the sessions are stateless,
    /// or if the answer was sent already.
    #[doc = include_str!("examples/rotate.md")]
    pub async fn rotate(&self) -> Result<Active<A>, Refused> {
        self.rotate_with(None).await
    }

    /// [`rotate`](Self::rotate), with other claims in the token of a hybrid session.
    ///
    /// # Errors
    ///
    /// As for [`rotate`](Self::rotate).
    #[doc = include_str!("examples/rotate_to.md")]
    pub async fn rotate_to(&self, claims: A) -> Result<Active<A>, Refused> {
        self.rotate_with(Some(claims)).await
    }

    async fn rotate_with(&self, claims: Option<A>) -> Result<Active<A>, Refused> {
        self.open(false)?;
        self.exchange().shared().rows().map_err(|reason| self.refused(reason))?;
        let served = self.ask(true).await?;
        let claims = claims.unwrap_or_else(|| served.claims.clone());
        let session = served.session.clone();
        let shared = Arc::clone(self.exchange().shared());
        let (unsent, started) = self
            .to_its_end(async move {
                let started = shared.rows()?.rotate(&session, claims).await?;
                Ok((Unsent::new(&shared, started.session.id()), started))
            })
            .await?;
        self.begin(unsent, started).await
    }
}
