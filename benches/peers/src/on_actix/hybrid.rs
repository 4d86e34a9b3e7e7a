use std::sync::Arc;

use session_policy::jwt::{Algorithm, HybridSessions, KeyRing, SigningKey};
use session_policy::store::SessionStore;
use session_policy::{Clock, Event};

use crate::app::App;
use crate::record::random;
use crate::rule::POLICY;
use crate::traffic::Traffic;

/// `session-policy-actix` with signed tokens.
pub(super) fn app(
    store: impl SessionStore + 'static,
    traffic: Arc<Traffic>,
    clock: impl Clock + 'static,
) -> App {
    let key = SigningKey::secret("1", Algorithm::Hs256, random::<32>());
    let ring = key.and_then(KeyRing::new).unwrap_or_else(|error| unreachable!("{error}"));
    let sessions = HybridSessions::new(store, ring, POLICY);
    let sessions = sessions.unwrap_or_else(|error| unreachable!("{error}"));
    let log = |event: &Event<'_>| tracing::info!(target: "session", kind = ?event.kind);
    let sessions = sessions.with_clock(clock).with_observer(log);
    super::ours("session-policy, hybrid", traffic, sessions)
}
