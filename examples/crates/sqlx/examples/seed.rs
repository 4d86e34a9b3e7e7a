//! How do I get a table with sessions of all ages to look at?
//!
//! Fills a store with demo sessions through the public API, so that every row
//! has its cap. May be run twice: a user who has sessions is left alone.
//!
//! ```sh
//! DATABASE_URL=sqlite://demo.db cargo run -p session-policy-sqlx --example seed
//! ```
//!
//! `DATABASE_URL` is that of a PostgreSQL, MariaDB or SQLite database; if it is
//! not set, the example seeds `demo.db` in the current folder.

use std::error::Error;

use chrono::TimeDelta;
use session_policy::store::{SessionStore, StoreError};
use session_policy::{
    Clock, ManualClock, Policies, RenewalOutcome, SessionPolicy, Sessions, SignIn, SystemClock,
};
use session_policy_sqlx::{MariaDbStore, PostgresStore, SqliteStore};

/// Who, under which profile, signed in how many hours ago, and was last seen how
/// many hours ago.
const DEMO: &[(&str, &str, i64, i64)] = &[
    ("demo-alice", "default", 0, 0),
    ("demo-alice", "default", 24 * 7, 3),
    ("demo-alice", "default", 24 * 44, 1),
    ("demo-bob", "default", 24 * 31, 24 * 31),
    ("demo-bob", "default", 24 * 46, 24 * 2),
    ("demo-root", "admin", 1, 0),
    ("demo-root", "admin", 9, 2),
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("DATABASE_URL").unwrap_or_else(|_| "sqlite://demo.db".into());
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("mariadb" | "mysql") => {
            let store = MariaDbStore::connect(&url).await?;
            store.create_table().await?;
            seed(store).await
        }
        Some("postgres" | "postgresql") => {
            let store = PostgresStore::connect(&url).await?;
            store.create_table().await?;
            seed(store).await
        }
        Some("sqlite") => {
            let store = SqliteStore::connect(&url).await?;
            store.create_table().await?;
            seed(store).await
        }
        _ => Err("DATABASE_URL is none of mysql://, postgres:// and sqlite://".into()),
    }
}

async fn seed(store: impl SessionStore) -> Result<(), Box<dyn Error>> {
    let now = SystemClock.now();
    let clock = ManualClock::new(now);
    let policies = Policies::new(SessionPolicy::SLIDING_MONTH)
        .with_profile("admin", SessionPolicy::WORKING_DAY)?;
    let sessions = Sessions::new(store, policies).with_clock(clock.clone());
    let seeded = already_seeded(&sessions).await?;
    for (subject, profile, signed_in, last_seen) in DEMO {
        if seeded.contains(subject) {
            println!("{subject} has sessions, and is left alone");
            continue;
        }
        clock.set(now.saturating_sub(TimeDelta::hours(*signed_in)));
        let started = sessions.start(SignIn::of(*subject).profile(*profile)).await?;
        let last_seen = now.saturating_sub(TimeDelta::hours(*last_seen));
        let mut renewals = 0;
        while clock.now() < last_seen {
            clock.advance(TimeDelta::hours(24));
            clock.set(clock.now().min(last_seen));
            match sessions.authenticate(started.token.expose()).await {
                Ok(seen) if matches!(seen.renewal, RenewalOutcome::Renewed) => renewals += 1,
                Ok(_) => {}
                Err(error) => {
                    println!("{subject} at {}: {error}", clock.now());
                    break;
                }
            }
        }
        let held = sessions.store().load(&started.session.id()).await?;
        let lifetime = *held.ok_or("the seeded session is gone")?.lifetime();
        println!(
            "{subject} ({profile}) signed in {}, {renewals} renewals, expires {}, ends {}",
            lifetime.created_at(),
            lifetime.expires_at(),
            lifetime.absolute_expires_at(),
        );
        clock.set(now);
        if sessions.peek(started.token.expose()).await.is_ok() {
            println!("  token {}", started.token.expose());
        }
    }
    Ok(())
}

async fn already_seeded<S: SessionStore>(
    sessions: &Sessions<S>,
) -> Result<Vec<&'static str>, StoreError> {
    let mut seeded = Vec::new();
    for (subject, ..) in DEMO {
        if !sessions.store().list(subject).await?.is_empty() {
            seeded.push(*subject);
        }
    }
    Ok(seeded)
}
