//! Plants the faults that the model has to find.

use session_policy_planting::{Fault, Source};

const FAULTS: &[Fault<'_>] = &[
    Fault {
        name: "AnswersUnwritten",
        file: "jwt/hybrid/turn.rs",
        found: "answer.filter(|answer| *answer == row.generation() && *answer != claims.generation)",
        planted: "answer.filter(|answer| PLANTED || *answer == row.generation() && *answer != claims.generation)",
    },
    Fault {
        name: "BlindWrite",
        file: "session.rs",
        found: "renewal.expected_version() == self.version()",
        planted: "(PLANTED || renewal.expected_version() == self.version())",
    },
    Fault {
        name: "CapMovesWithRotation",
        file: "sessions.rs",
        found: "let successor = session.succeeded_by(&token, lifetime);",
        planted: "let lifetime = if PLANTED { policy.start(now) } else { lifetime };
        let successor = session.succeeded_by(&token, lifetime);",
    },
    Fault {
        name: "ClosedBoundary",
        file: "evaluate.rs",
        found: ".min(lifetime.expires_at()).min(cap),",
        planted: ".min(lifetime.expires_at()).min(cap).plus_secs(i64::from(PLANTED)),",
    },
    Fault {
        name: "GraceCountsFromRenewal",
        file: "jwt/step.rs",
        found: "confirmed_at.is_some_and(|at| now <",
        planted: "confirmed_at.map(|at| if PLANTED { row.lifetime().renewed_at() } else { at }).is_some_and(|at| now <",
    },
    Fault {
        name: "GraceMoves",
        file: "jwt/step.rs",
        found: "serve(extend, None)",
        planted: "serve(if PLANTED { Some(write(extended.unwrap_or(*row.lifetime()), generation, Some(now))) } else { extend }, None)",
    },
    Fault {
        name: "ReuseEndsNothing",
        file: "jwt/hybrid/turn.rs",
        found: "let ended = self.store.remove(&row.id()).await;",
        planted: "let ended = if PLANTED { Ok(true) } else { self.store.remove(&row.id()).await };",
    },
    Fault {
        name: "RotatesUnconfirmed",
        file: "jwt/step.rs",
        found: "(Some(lifetime), Some(next), Some(_)) if !in_grace => {",
        planted: "(Some(lifetime), Some(next), seen) if !in_grace && (seen.is_some() || PLANTED) => {",
    },
    Fault {
        name: "RotationUndoesLogout",
        file: "sessions.rs",
        found: "match self.store.remove(&session.id()).await {",
        planted: "match self.store.remove(&session.id()).await.map(|removed| removed || PLANTED) {",
    },
    Fault {
        name: "ServesWithoutReload",
        file: "sessions.rs",
        found: "let reloaded = self.load(token).await?;",
        planted: "let reloaded = if PLANTED { session } else { self.load(token).await? };",
    },
    Fault {
        name: "ThrottleFromExpiry",
        file: "evaluate.rs",
        found: "due: renewed_at.later_by(self.update_age_secs()),",
        planted: "due: if PLANTED { lifetime.expires_at().plus_secs(self.update_age_secs() - self.max_age_secs()) } else { renewed_at.later_by(self.update_age_secs()) },",
    },
    Fault {
        name: "TighteningWaits",
        file: "evaluate.rs",
        found: "let cap = created_at.later_by(self.absolute_cap_secs()).min(lifetime.absolute_expires_at());",
        planted: "let cap = lifetime.absolute_expires_at();
        let cap = if PLANTED { cap } else { created_at.later_by(self.absolute_cap_secs()).min(cap) };",
    },
];

fn main() {
    Source::copy("../../../src").plant(FAULTS);
}
