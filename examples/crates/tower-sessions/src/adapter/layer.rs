use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::stamp::{KEY, Stamp};
use super::tower_sessions::{Expiry, Session};
use http::Request;
use session_policy::{Clock, Decision, Lifetime, SessionPolicy, Timestamp};
use time::Duration;
use tower_layer::Layer;
use tower_service::Service;

/// Counts each request as activity of its session, and gives the cookie the
/// `Max-Age` of the record. From [`CappedStore::layer`](super::CappedStore::layer).
///
/// Leave routes out that are not the user's: a health check, or the polling
/// behind a countdown.
#[derive(Clone, Debug)]
pub struct CappedLayer<C> {
    policy: SessionPolicy,
    clock: C,
}

impl<C> CappedLayer<C> {
    pub(crate) fn new(policy: SessionPolicy, clock: C) -> Self {
        Self { policy, clock }
    }
}

impl<C: Clock + Clone, S> Layer<S> for CappedLayer<C> {
    type Service = Capped<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        Capped { inner, layer: self.clone() }
    }
}

/// The service of a [`CappedLayer`].
#[derive(Clone, Debug)]
pub struct Capped<S, C> {
    inner: S,
    layer: CappedLayer<C>,
}

impl<S, C, Body> Service<Request<Body>> for Capped<S, C>
where
    S: Service<Request<Body>> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Send,
    C: Clock + Clone + 'static,
    Body: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let layer = self.layer.clone();
        let ready = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, ready);
        Box::pin(async move {
            let Some(session) = request.extensions().get::<Session>().cloned() else {
                return inner.call(request).await;
            };
            // Loads the record, so that a cookie without a session is forgotten
            // before a handler writes under its id. An error is the handler's.
            if session.id().is_some() {
                let _ = session.get_value(KEY).await;
            }
            let response = inner.call(request).await?;
            layer.after(&session).await;
            Ok(response)
        })
    }
}

impl<C: Clock> CappedLayer<C> {
    async fn after(&self, session: &Session) {
        if session.is_empty().await {
            return;
        }
        let now = self.clock.now();
        let Ok(stamp) = session.get::<Stamp>(KEY).await else {
            return; // The store cannot tell, or a handler overwrote the key.
        };
        let end = match stamp {
            None => self.end(&self.policy.start(now), now),
            Some(stamp) => match self.policy.evaluate(&stamp.lifetime, now) {
                Decision::Keep { until } => until,
                Decision::Reject { .. } => return,
                Decision::Renew { lifetime } => {
                    let end = self.end(&stamp.lifetime, now);
                    if lifetime.expires_at() > end {
                        // Has tower-sessions save the record, and the store renew
                        // it. No error: the record is loaded.
                        let _ = session.insert(KEY, Stamp { touched: true, ..stamp }).await;
                    }
                    end.max(lifetime.expires_at())
                }
            },
        };
        // Only a record that is saved sends a cookie, and `set_expiry` has it
        // saved. Without an expiry the cookie has no `Max-Age`, which is kept.
        let dated =
            matches!(session.expiry(), Some(Expiry::AtDateTime(_) | Expiry::OnInactivity(_)));
        if dated && session.is_modified() {
            let left = Duration::seconds(end.since(now).num_seconds());
            let asked = whole_seconds_up(session.expiry_age());
            session.set_expiry(Some(Expiry::OnInactivity(left.min(asked))));
        }
    }

    fn end(&self, lifetime: &Lifetime, now: Timestamp) -> Timestamp {
        self.policy.status(lifetime, now).idle_expires_at
    }
}

fn whole_seconds_up(duration: Duration) -> Duration {
    Duration::seconds(duration.whole_seconds() + i64::from(duration.subsec_nanoseconds() > 0))
}
