use std::sync::Arc;

use session_policy::store::SessionStore;
use session_policy::{Clock, Sessions};

use crate::app::App;
use crate::log::SessionLog;
use crate::rule::POLICY;
use crate::traffic::Traffic;

/// `session-policy-actix` with opaque tokens.
pub(super) fn app(
    store: impl SessionStore + 'static,
    traffic: Arc<Traffic>,
    clock: impl Clock + 'static,
) -> App {
    let sessions = Sessions::new(store, POLICY).with_clock(clock).with_observer(SessionLog);
    super::ours("session-policy, opaque", traffic, sessions)
}
