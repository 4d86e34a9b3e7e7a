use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// The name of a rule in [`Report::violations`].
pub const NO_CAP_MOVED: &str = "no cap moved";
/// The name of a rule in [`Report::violations`].
pub const NO_LEAK: &str = "no leak";
/// The name of a rule in [`Report::violations`].
pub const NO_LOST_LOGOUT: &str = "no lost logout";
/// The name of a rule in [`Report::violations`].
pub const NO_RESURRECTION: &str = "no resurrection";
/// The name of a rule in [`Report::violations`].
pub const NO_SESSION_LOST: &str = "no session lost";
/// The name of a rule in [`Report::violations`].
pub const NO_TAKEOVER: &str = "no takeover";
/// The name of a rule in [`Report::violations`].
pub const NO_TORN_READ: &str = "no torn read";
/// The name of a rule in [`Report::violations`].
pub const NO_WRITE_LOST: &str = "no write lost";
/// The name of a rule in [`Report::violations`].
pub const ONE_WINNER: &str = "one winner";

/// What a load did and what the oracle found.
#[derive(Clone, Debug, Default)]
#[must_use = "a report says nothing until it is asserted or printed"]
#[non_exhaustive]
pub struct Report {
    /// Steps of clients in all.
    pub operations: u64,
    /// Requests that were served.
    pub served: u64,
    /// Of these, with a renewal that was written.
    pub renewed: u64,
    /// Of these, with a renewal that another request had written first.
    pub superseded: u64,
    /// Of these, with a renewal that the store could not write.
    pub deferred: u64,
    /// Requests that were refused: the session had ended or reached a limit.
    pub refused: u64,
    /// Sessions that were started.
    pub started: u64,
    /// Ids that several tried to create a session under.
    pub claimed: u64,
    /// Sessions that were rotated.
    pub rotated: u64,
    /// Sessions that were logged out.
    pub ended: u64,
    /// Logouts everywhere.
    pub ended_all: u64,
    /// Expired sessions that were swept.
    pub swept: u64,
    /// Calls that failed, as the store said.
    pub errors: u64,
    /// The first of these.
    pub first_error: Option<String>,
    /// The rules that were broken, and how often.
    pub violations: BTreeMap<&'static str, u64>,
    /// The first of each rule, each a sentence.
    pub examples: Vec<String>,
    /// How long it took.
    pub elapsed: Duration,
}

impl Report {
    /// Panics unless no rule was broken.
    ///
    /// # Panics
    ///
    /// If the oracle found a violation; the message has the report.
    #[track_caller]
    pub fn assert_sound(&self) {
        assert!(self.violations.is_empty(), "the store broke its contract under load:\n{self}");
    }

    /// Panics unless no rule was broken and no call failed.
    ///
    /// # Panics
    ///
    /// If a call failed or the oracle found a violation.
    #[track_caller]
    pub fn assert_clean(&self) {
        self.assert_sound();
        assert!(self.errors == 0, "calls failed under load:\n{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} operations in {:.1} s: {} served ({} renewed, {} superseded, {} deferred), {} \
             refused, {} started, {} claimed, {} rotated, {} ended, {} ended everywhere, {} swept; \
             {} errors, {} violations",
            self.operations,
            self.elapsed.as_secs_f64(),
            self.served,
            self.renewed,
            self.superseded,
            self.deferred,
            self.refused,
            self.started,
            self.claimed,
            self.rotated,
            self.ended,
            self.ended_all,
            self.swept,
            self.errors,
            self.violations.values().sum::<u64>(),
        )?;
        for (rule, times) in &self.violations {
            writeln!(f, "  {rule}: {times}")?;
        }
        for line in self.examples.iter().chain(&self.first_error) {
            writeln!(f, "  {line}")?;
        }
        Ok(())
    }
}

/// Counts while the load runs.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) operations: AtomicU64,
    pub(crate) served: AtomicU64,
    pub(crate) renewed: AtomicU64,
    pub(crate) superseded: AtomicU64,
    pub(crate) deferred: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) started: AtomicU64,
    pub(crate) claimed: AtomicU64,
    pub(crate) rotated: AtomicU64,
    pub(crate) ended: AtomicU64,
    pub(crate) ended_all: AtomicU64,
    pub(crate) swept: AtomicU64,
    errors: AtomicU64,
    first_error: Mutex<Option<String>>,
    violations: Mutex<BTreeMap<&'static str, (u64, String)>>,
}

impl Tally {
    pub(crate) fn error(&self, verb: &str, error: &dyn std::error::Error) {
        if self.errors.fetch_add(1, Relaxed) == 0 {
            let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
            *lock(&self.first_error) = Some(format!("{verb}: {error}{cause}"));
        }
    }

    pub(crate) fn errors(&self) -> u64 {
        self.errors.load(Relaxed)
    }

    /// A rule that was broken, by its name in the crate's documentation.
    pub(crate) fn violation(&self, rule: &'static str, sentence: impl FnOnce() -> String) {
        lock(&self.violations).entry(rule).or_insert_with(|| (0, sentence())).0 += 1;
    }

    pub(crate) fn report(&self, elapsed: Duration) -> Report {
        let violations = lock(&self.violations);
        Report {
            operations: self.operations.load(Relaxed),
            served: self.served.load(Relaxed),
            renewed: self.renewed.load(Relaxed),
            superseded: self.superseded.load(Relaxed),
            deferred: self.deferred.load(Relaxed),
            refused: self.refused.load(Relaxed),
            started: self.started.load(Relaxed),
            claimed: self.claimed.load(Relaxed),
            rotated: self.rotated.load(Relaxed),
            ended: self.ended.load(Relaxed),
            ended_all: self.ended_all.load(Relaxed),
            swept: self.swept.load(Relaxed),
            errors: self.errors(),
            first_error: lock(&self.first_error).clone(),
            violations: violations.iter().map(|(&rule, &(times, _))| (rule, times)).collect(),
            examples: violations.values().map(|(_, example)| example.clone()).collect(),
            elapsed,
        }
    }
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// The lock of a mutex whose holder may have panicked: the run fails anyway.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
