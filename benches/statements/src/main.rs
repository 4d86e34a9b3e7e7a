//! Counts the statements of a sign-in, a request and a sign-out by the engine's own
//! counters, for session-policy's stores and for those of tower-sessions.
//!
//! It must be the engines' only client. `POSTGRES_URL`, `MARIADB_URL` and `REDIS_URL`
//! name them.

mod acts;
mod engines;

use anyhow::{Result, ensure};

use crate::acts::{ACTS, Act, Counted, Ours, Tower};
use crate::engines::{Engine, MariaDb, Postgres, Redis};

/// How often each act is counted.
const TIMES: u64 = 100;

#[tokio::main]
async fn main() -> Result<()> {
    println!("| engine | store | {} |", ACTS.map(|act| act.to_string()).join(" | "));
    println!("| --- | --- |{}", " --- |".repeat(ACTS.len()));
    compare(&Postgres::connect().await?).await?;
    compare(&MariaDb::at_its_url()?).await?;
    compare(&Redis::at_its_url()?).await
}

async fn compare(engine: &impl Engine) -> Result<()> {
    let ours = count(engine, &mut Ours::new(engine.ours().await?)).await?;
    row(engine.name(), "session-policy", &ours);
    let store = engine.tower().await?;
    let sliding = count(engine, &mut Tower::new(store.clone(), true)).await?;
    row(engine.name(), "tower-sessions, sliding", &sliding);
    let fixed = count(engine, &mut Tower::new(store, false)).await?;
    row(engine.name(), "tower-sessions, never extended", &fixed);
    // A request is one read; only a renewal writes.
    ensure!(total(&ours[1]) == 1, "{ours:?}");
    ensure!(total(&ours[1]) < total(&sliding[1]), "{sliding:?}");
    Ok(())
}

/// What each act costs, in the order of [`ACTS`].
async fn count(engine: &impl Engine, side: &mut impl Counted) -> Result<Vec<Vec<(String, u64)>>> {
    // Connections are made, and scripts are loaded.
    for act in ACTS {
        side.prepare(act).await?;
        side.act(act).await?;
    }
    let mut counted = Vec::new();
    for act in ACTS {
        let mut sums = std::collections::BTreeMap::new();
        for _ in 0..TIMES {
            side.prepare(act).await?;
            let before = engine.counters().await?;
            side.act(act).await?;
            for (verb, calls) in engine.counters().await? {
                let more = calls - before.get(&verb).copied().unwrap_or(0);
                if more > 0 {
                    *sums.entry(verb).or_insert(0) += more;
                }
            }
        }
        let each = |(verb, calls): (String, u64)| {
            ensure!(calls % TIMES == 0, "{act}: {verb} {calls} times of {TIMES}");
            Ok((verb, calls / TIMES))
        };
        counted.push(sums.into_iter().map(each).collect::<Result<_>>()?);
    }
    Ok(counted)
}

fn total(counted: &[(String, u64)]) -> u64 {
    counted.iter().map(|(_, calls)| calls).sum()
}

fn row(engine: &str, store: &str, counted: &[Vec<(String, u64)>]) {
    let cell = |counted: &Vec<(String, u64)>| {
        let verb = |(verb, calls): &(String, u64)| match calls {
            1 => verb.clone(),
            _ => format!("{calls} {verb}"),
        };
        let verbs: Vec<_> = counted.iter().map(verb).collect();
        format!("{}: {}", total(counted), verbs.join(", "))
    };
    let cells: Vec<_> = counted.iter().map(cell).collect();
    println!("| {engine} | {store} | {} |", cells.join(" | "));
}

impl std::fmt::Display for Act {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SignIn => "sign-in",
            Self::Request => "request",
            Self::Renewal => "request, renewal due",
            Self::SignOut => "sign-out",
        })
    }
}
