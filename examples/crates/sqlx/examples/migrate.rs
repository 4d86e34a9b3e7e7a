//! How do I give the sessions I have a cap, without an outage?
//!
//! Runs a step of the migration of a table without a cap, under the policy of
//! `SESSION_MAX_AGE`, `SESSION_UPDATE_AGE` and `SESSION_ABSOLUTE_LIFETIME_DAYS`. The table
//! is `sessions`, or as `SESSION_TABLE` says. A table that cannot become the store's is
//! refused with the reason, and nothing is changed.
//!
//! ```sh
//! export DATABASE_URL=postgres://root@127.0.0.1/app
//! export SESSION_MAX_AGE=30d SESSION_UPDATE_AGE=5m SESSION_ABSOLUTE_LIFETIME_DAYS=45
//! migrate() { cargo run -p session-policy-sqlx --example migrate -- "$1"; }
//! migrate fill      # while the program of before serves; may be interrupted
//! migrate contract  # likewise (SQLite: once it has stopped writing)
//! migrate finish    # once the new program has taken over
//! ```
//!
//! Connect to the engine itself, not to a pooler. Stop at the first that fails. Wherever
//! it was interrupted, run the three again.

use std::error::Error;
use std::process::ExitCode;

use session_policy::SessionPolicy;
use session_policy_sqlx as stores;

const BATCH: u32 = 1_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let step = std::env::args().nth(1).unwrap_or_default();
    let url = std::env::var("DATABASE_URL").map_err(|_| "DATABASE_URL is not set")?;
    let policy = SessionPolicy::from_vars(|name: &str| {
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    })?;
    let table = std::env::var("SESSION_TABLE").unwrap_or_else(|_| "sessions".into());
    let plan = stores::Plan::for_table(&table, &policy);
    let scheme = url.split(':').next().unwrap_or_default();
    let migrated = match (scheme, step.as_str()) {
        #[cfg(feature = "mariadb")]
        ("mariadb" | "mysql", "contract") => stores::contract_mariadb(&url, plan).await?,
        #[cfg(feature = "mariadb")]
        ("mariadb" | "mysql", "fill") => stores::fill_mariadb(&url, plan, BATCH).await?,
        #[cfg(feature = "mariadb")]
        ("mariadb" | "mysql", "finish") => {
            return Ok(stores::finish_mariadb(&url, plan).await?);
        }
        #[cfg(feature = "postgres")]
        ("postgres" | "postgresql", "contract") => stores::contract_postgres(&url, plan).await?,
        #[cfg(feature = "postgres")]
        ("postgres" | "postgresql", "fill") => stores::fill_postgres(&url, plan, BATCH).await?,
        #[cfg(feature = "postgres")]
        ("postgres" | "postgresql", "finish") => {
            return Ok(stores::finish_postgres(&url, plan).await?);
        }
        #[cfg(feature = "sqlite")]
        ("sqlite", "contract") => stores::contract_sqlite(&url, plan).await?,
        #[cfg(feature = "sqlite")]
        ("sqlite", "fill") => stores::fill_sqlite(&url, plan, BATCH).await?,
        #[cfg(feature = "sqlite")]
        ("sqlite", "finish") => return Ok(stores::finish_sqlite(&url, plan).await?),
        (_, "contract" | "fill" | "finish") => {
            return Err("DATABASE_URL is none of mysql://, postgres:// and sqlite://".into());
        }
        _ => return Err("the step is none of fill, contract and finish".into()),
    };
    println!(
        "{} rows in {} batches, the longest {:?}; the longest other statement {:?}",
        migrated.rows, migrated.batches, migrated.longest_batch, migrated.longest_change,
    );
    Ok(())
}
