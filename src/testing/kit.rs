use super::probe::{Probe, Verdict};
use super::report::Report;
use super::{create, load, race, remove, scale, subject, sweep, update};
use crate::store::SessionStore;

/// Checks a store against each point of the contract of [`SessionStore`].
///
/// The kit does no I/O and brings no runtime: its futures run in whatever polls
/// them, so a store that needs tokio is checked inside tokio. Raced checks poll
/// up to 32 calls of the store together.
///
/// Each check has a name that says what the store must do, and is given a store
/// of its own, which must be empty. The sessions it creates lie in the year 2100,
/// so that an engine that removes sessions by its own clock leaves them alone.
/// The longest check creates 10,000 sessions.
///
/// # Example
///
/// The whole test of an implementer:
///
/// ```no_run
/// # use session_policy::MemoryStore as MyStore;
/// # trait Empty { async fn connect_to_empty_table() -> Self; }
/// # impl Empty for MyStore { async fn connect_to_empty_table() -> Self { Self::new() } }
/// # fn main() { pollster::block_on(my_store_conforms()) }
/// use session_policy::testing::StoreKit;
///
/// // #[tokio::test]
/// async fn my_store_conforms() {
///     StoreKit::new().check(MyStore::connect_to_empty_table).await.assert_passed();
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct StoreKit {
    engine_expires: bool,
}

impl StoreKit {
    /// The kit for a store that keeps sessions until they are removed.
    #[must_use]
    pub const fn new() -> Self {
        Self { engine_expires: false }
    }

    /// The kit for a store whose engine drops sessions by itself once the
    /// engine's clock has passed their `expires_at`, as Redis does with a key's
    /// expiry: such sessions may be gone, or be there unchanged.
    #[must_use]
    pub const fn engine_expires(self) -> Self {
        Self { engine_expires: true }
    }

    /// Runs all checks; `empty` makes an empty store for each.
    pub async fn check<S: SessionStore>(&self, empty: impl AsyncFn() -> S) -> Report {
        let mut run = Run { kit: *self, empty: &empty, report: Report::new() };
        run.check("an empty store holds nothing", load::nothing).await;

        run.check("create keeps every field", create::keeps_every_field).await;
        run.check("create never replaces a session", create::never_replaces).await;
        run.check("raced creates of one id have one winner", race::creates).await;
        run.check("ids are told apart to the last bit", create::ids_told_apart).await;
        run.check("odd but legal texts are kept whole", create::odd_texts).await;
        run.check("instants survive at the ends of the range", create::ends_of_the_range).await;
        run.check("counts past 32 bits are kept whole", create::large_counts).await;

        run.check("load returns an expired session", load::expired).await;
        run.check("load writes nothing", load::writes_nothing).await;

        run.check("update never creates a session", update::never_creates).await;
        run.check("update writes both instants to the second", update::instants).await;
        run.check("update adds 1 to the version", update::counts).await;
        run.check("update writes the generation and the confirmation", update::generation).await;
        run.check(
            "update changes neither cap, creation, subject, profile nor secret",
            update::keeps,
        )
        .await;
        run.check("update changes that session only", update::others).await;
        run.check("update refuses another version", update::version).await;
        run.check("update is refused at and after the cap", update::at_the_cap).await;
        run.check("update never moves expires_at past the stored cap", update::past_the_cap).await;
        run.check("update keeps the order of the instants", update::order).await;
        run.check("update may shorten a session", update::shortens).await;
        run.check("raced renewals of one version have one winner", race::renewals).await;

        run.check("remove is idempotent", remove::idempotent).await;
        run.check("remove ends that session only", remove::others).await;
        run.check("a logout before a renewal wins", remove::before_renewal).await;
        run.check("a logout after a renewal wins", remove::after_renewal).await;
        run.check("a raced logout is never lost", race::logout).await;
        run.check("raced removals of one session have one winner", race::removals).await;

        run.check("the sweep is half-open", sweep::half_open).await;
        run.check("the sweep removes at most its limit", sweep::limit).await;
        run.check("the sweep goes on until none is left", sweep::resumes).await;
        run.check("the sweep takes nothing that lives", sweep::spares_the_living).await;
        run.check("the sweep follows a renewal", sweep::follows_renewals).await;
        run.check("the sweep reaches the ends of the range", sweep::ends_of_the_range).await;
        run.check("a raced sweep takes no renewed session", race::sweep_and_renewals).await;
        run.check("raced sweeps count each session once", race::sweeps).await;

        run.check("10,000 sessions are created, renewed and swept", scale::sessions).await;
        run.check("list returns every session of the subject, as load does", subject::list).await;
        run.check("list knows what became of a session", subject::list_follows).await;
        run.check("subjects that look alike are told apart", subject::told_apart).await;
        run.check("remove_all ends every session of the subject and no other", subject::remove_all)
            .await;
        run.check("remove_all spares the excepted session", subject::remove_all_except).await;
        run.check("a raced remove_all is never undone", race::remove_all).await;
        run.check("a session that is being rotated is listed", race::rotations_and_lists).await;
        run.check("remove_all ends the successors of rotations", race::rotations_and_remove_all)
            .await;
        run.check("10,000 sessions are listed and ended by subject", scale::subjects).await;
        run.report
    }
}

/// A run of the kit under way.
struct Run<'a, F> {
    kit: StoreKit,
    empty: &'a F,
    report: Report,
}

impl<F> Run<'_, F> {
    async fn check<S>(&mut self, name: &'static str, check: impl AsyncFnOnce(Probe<S>) -> Verdict)
    where
        F: AsyncFn() -> S,
    {
        let store = (self.empty)().await;
        let verdict = check(Probe::new(store, self.kit.engine_expires)).await;
        self.report.push(name, verdict);
    }
}
