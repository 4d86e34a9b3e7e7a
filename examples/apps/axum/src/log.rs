use session_policy::{Event, EventKind, Observer};
use tracing::field::display;

/// Logs the life of each session, one structured line a step (OWASP ASVS 5.0
/// 16.2). An event holds no secret, and an id opens nothing.
#[derive(Clone, Copy, Debug)]
pub struct SessionLog;

impl Observer for SessionLog {
    fn observe(&self, event: &Event<'_>) {
        let session = event.session.map(display);
        let Event { subject, profile, unproven, .. } = *event;
        macro_rules! log {
            ($level:ident, $what:literal $(, $field:ident = $value:expr)*) => {
                tracing::$level!(target: "session", session, subject, profile, unproven, $($field = $value,)* $what)
            };
        }
        match event.kind {
            EventKind::Ended { cause } => log!(info, "ended", cause = cause),
            EventKind::Expired { reason } => {
                log!(info, "expired", at = display(event.at), reason = reason.as_str());
            }
            EventKind::Forgiven { generation } => log!(warn, "forgiven", generation = generation),
            EventKind::Reissued { expires_at } => {
                log!(info, "reissued", expires_at = display(expires_at));
            }
            EventKind::Rejected { reason } => log!(warn, "rejected", reason = reason),
            EventKind::RenewalDeferred => log!(warn, "renewal deferred"),
            EventKind::Renewed { expires_at } => {
                log!(info, "renewed", expires_at = display(expires_at));
            }
            EventKind::ReuseDetected { presented, current } => {
                log!(warn, "reuse detected", presented = presented, current = current);
            }
            EventKind::Rotated { .. } => log!(info, "rotated"),
            EventKind::Started { absolute_expires_at, expires_at } => log!(
                info,
                "started",
                expires_at = display(expires_at),
                absolute_expires_at = display(absolute_expires_at)
            ),
            ref unknown => log!(warn, "unknown", kind = tracing::field::debug(unknown)),
        }
    }
}
