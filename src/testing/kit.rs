use core::time::Duration;
use std::eprintln;
use std::sync::Arc;
use std::vec::Vec;

use super::checks::{ALONE, LEFT_BEHIND, Named, OF_HANDLES, OF_SCANS};
use super::place::needs_no_runtime;
use super::probe::{Probe, Scans};
use super::report::{Failure, Report};
use super::settings::Settings;
use super::watch::{in_place, on_a_thread};
use crate::store::{AnyStore, ScanStore, SessionStore};

/// Checks a store against each point of the contract of [`SessionStore`].
///
/// Each check has a sentence as its name, which is printed as it starts, and is
/// given a store of its own, which must be empty. A panic or a call that hangs fails
/// its check, and the kit goes on.
///
/// | it checks | how |
/// | --- | --- |
/// | fields, texts, counts, instants, subjects, ids | at their limits, through every verb |
/// | the guard of an update, and each field of one alone | one second and one version off |
/// | a store without a clock | sessions that ended in 2001, and others that end in 2100 |
/// | races | each pair of verbs, polled in every order; on threads where the store needs no runtime |
/// | [`NEVER_WAITS`](SessionStore::NEVER_WAITS) | where the store says so: `load`, `update` and `remove` polled once, alone and once another call has begun |
/// | dropped calls | each verb after 0, 1, 2... polls; then every verb must agree |
/// | two handles ([`check_with_handles`](Self::check_with_handles)) | a write through one, each verb through the other; the races once more |
/// | scans ([`check_scan`](Self::check_scan)) | with writes between the pages |
/// | size | 10,240 sessions ([`large`](Self::large)) |
///
/// The kit prints, does no other I/O and brings no runtime: it polls the store where
/// the caller awaits, inside tokio or outside. A store that never waits for anything
/// outside is also called from threads of the kit's own.
///
/// It takes about 20 seconds of processor time for a store in memory, twice that with two
/// handles, and about 50,000 calls for one on a server. What depends on an engine's
/// isolation, a restart, a failover or hours of load it cannot find; the load harness of this
/// repository (`tests/store-harness`) can find some.
///
/// # Example
///
/// The whole test of an implementer. The second handle is what another process has: a
/// second connection to the same table, or the same file opened again. A clone is for what no
/// other process can open, since it would hide a cache.
///
/// ```no_run
/// # use std::sync::Arc;
/// # type MyStore = Arc<session_policy::MemoryStore>;
/// # async fn connect_to_empty_table() -> MyStore { Arc::default() }
/// # async fn connect_to_the_same_table(store: &MyStore) -> MyStore { store.clone() }
/// # fn main() { pollster::block_on(my_store_conforms()) }
/// use session_policy::testing::StoreKit;
///
/// // #[tokio::test]
/// async fn my_store_conforms() {
///     let kit = StoreKit::new();
///     let report = kit.check_with_handles(connect_to_empty_table, connect_to_the_same_table);
///     report.await.assert_passed();
///     kit.check_scan(connect_to_empty_table).await.assert_passed();
/// }
/// ```
///
#[doc = include_str!("examples/kit.md")]
#[derive(Clone, Copy, Debug)]
pub struct StoreKit {
    settings: Settings,
}

impl StoreKit {
    /// The kit for a store that keeps sessions until they are removed.
    #[must_use]
    pub const fn new() -> Self {
        Self { settings: Settings::DEFAULT }
    }

    /// The kit for a store whose engine drops sessions by itself once the
    /// engine's clock has passed their `expires_at`, as Redis does with a key's
    /// expiry: such sessions may be gone, or be there unchanged.
    #[must_use]
    pub const fn engine_expires(self) -> Self {
        Self { settings: Settings { engine_expires: true, ..self.settings } }
    }

    /// How many sessions the large checks create: 10,240 unless set, to show an
    /// eviction or a page at 10,000. A store that is slow to write can set less.
    #[must_use]
    pub const fn large(self, sessions: u32) -> Self {
        Self { settings: Settings { large: sessions, ..self.settings } }
    }

    /// Runs only the checks whose name contains `name`, to go on from one that
    /// failed: of those that the call is to run, which for `check` and `check_scan` are others.
    /// If there is none, [`Report::assert_passed`](super::Report::assert_passed) panics.
    #[must_use]
    pub const fn only(self, name: &'static str) -> Self {
        Self { settings: Settings { only: name, ..self.settings } }
    }

    /// How long the store may go without an answer until its check counts as
    /// hanging: 30 seconds unless set, and less after the first that hangs.
    #[must_use]
    pub const fn time_limit(self, time_limit: Duration) -> Self {
        Self { settings: Settings { time_limit, ..self.settings } }
    }

    /// Runs all checks of one handle; `empty` makes an empty store for each.
    pub async fn check<S: SessionStore + 'static>(&self, empty: impl AsyncFn() -> S) -> Report {
        let mut run = Run::new(self.settings);
        run.begin(empty().await).await;
        for check in run.meant(ALONE) {
            run.one(*check, run.probe(empty().await)).await;
        }
        run.report
    }

    /// Runs all checks of one handle, then those of two; `another` makes a second
    /// handle on the store of the first, as another process would have it.
    pub async fn check_with_handles<S: SessionStore + 'static>(
        &self,
        empty: impl AsyncFn() -> S,
        another: impl AsyncFn(&S) -> S,
    ) -> Report {
        let mut run = Run::new(self.settings);
        run.begin(empty().await).await;
        for check in run.meant(ALONE) {
            run.one(*check, run.probe(empty().await)).await;
        }
        for check in run.meant(OF_HANDLES) {
            let first = empty().await;
            let second = another(&first).await;
            let other = AnyStore::new(second);
            run.one(*check, Probe { other, ..run.probe(first) }).await;
        }
        for [stores, outlives] in LEFT_BEHIND {
            if !run.is_meant(stores) && !run.is_meant(outlives) {
                continue;
            }
            let first = empty().await;
            let second = another(&first).await;
            if run.one(*stores, run.probe(first)).await {
                run.one(*outlives, run.probe(second)).await;
            }
        }
        run.report
    }

    /// Runs the checks of scans alone.
    pub async fn check_scan<S: ScanStore + 'static>(&self, empty: impl AsyncFn() -> S) -> Report {
        let mut run = Run::new(self.settings);
        run.begin(empty().await).await;
        for check in run.meant(OF_SCANS) {
            let store = Arc::new(empty().await);
            let scans = Some(store.clone() as Arc<dyn Scans>);
            run.one(*check, Probe { scans, ..run.probe(store) }).await;
        }
        run.report
    }
}

impl Default for StoreKit {
    fn default() -> Self {
        Self::new()
    }
}

/// A run of the kit under way.
struct Run {
    settings: Settings,
    on_threads: bool,
    /// How many checks hung.
    hung: u32,
    report: Report,
}

impl Run {
    const fn new(settings: Settings) -> Self {
        Self { settings, on_threads: false, hung: 0, report: Report::new() }
    }

    /// Finds out where the checks run.
    async fn begin(&mut self, store: impl SessionStore + 'static) {
        self.on_threads = needs_no_runtime(&self.probe(store)).await;
    }

    fn probe(&self, store: impl SessionStore + 'static) -> Probe {
        Probe::new(store, self.settings, self.on_threads)
    }

    fn is_meant(&self, (name, _): &Named) -> bool {
        name.contains(self.settings.only)
    }

    fn meant(&self, checks: &'static [Named]) -> Vec<&'static Named> {
        checks.iter().filter(|check| self.is_meant(check)).collect()
    }

    /// Whether it passes.
    async fn one(&mut self, (name, check): Named, probe: Probe) -> bool {
        eprintln!("checking that {name}");
        // Who has hung once may hang in every check.
        let limit = self.settings.time_limit / 4_u32.pow(self.hung.min(3));
        let verdict = if self.on_threads {
            on_a_thread(name, check, probe, limit).await
        } else {
            in_place(name, check, probe, limit).await
        };
        let passed = verdict.is_ok();
        self.hung += u32::from(verdict.as_ref().is_err_and(Failure::is_a_hang));
        self.report.push(name, verdict);
        passed
    }
}
