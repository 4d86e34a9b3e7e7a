use std::num::NonZeroU32;
use std::sync::Arc;

use session_policy::store::SessionStore;
use session_policy::{
    ManualClock, Policies, SessionLimit, SessionPolicy, Sessions, StartError, Timestamp, WhenFull,
};

/// What came of sign-ins that raced under a limit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct SignIns {
    /// Sign-ins that succeeded.
    pub succeeded: usize,
    /// Sign-ins that the limit refused or displaced, or that withdrew.
    pub refused: usize,
    /// The subject's sessions in the store afterwards.
    pub left: usize,
}

/// Has `racers` sign-ins of `subject`, which has no session yet, race for
/// `max_sessions` places.
///
/// # Panics
///
/// If the store fails.
#[expect(clippy::expect_used, reason = "a harness for tests")]
pub async fn race_sign_ins<S>(
    store: Arc<S>,
    subject: &str,
    racers: usize,
    max_sessions: NonZeroU32,
    when_full: WhenFull,
) -> SignIns
where
    S: SessionStore + 'static,
{
    let policies = Policies::new(SessionPolicy::WORKING_DAY)
        .with_limit(Policies::DEFAULT, SessionLimit::new(max_sessions, when_full))
        .expect("the default policy is in the set");
    let clock = ManualClock::new(Timestamp::from_unix_secs(1_800_000_000));
    let sessions = Sessions::new(store, policies).with_clock(clock);
    let racing: Vec<_> = (0..racers)
        .map(|_| {
            let sessions = sessions.clone();
            let subject = subject.to_owned();
            tokio::spawn(async move { sessions.start(subject).await.map(drop) })
        })
        .collect();
    let mut succeeded = 0;
    let mut refused = 0;
    for sign_in in racing {
        match sign_in.await.expect("no sign-in panics") {
            Ok(()) => succeeded += 1,
            Err(StartError::Displaced | StartError::Raced | StartError::TooMany { .. }) => {
                refused += 1;
            }
            Err(error) => panic!("{error}"),
        }
    }
    let left = sessions.list(subject).await.expect("the store lists").len();
    SignIns { succeeded, refused, left }
}
