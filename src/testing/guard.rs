//! The guard of an update.

use super::differ::expect;
use super::fixture::{at, full, renewal, renewal_at, secret, session, with, with_lifetime};
use super::probe::Probe;
use super::report::Verdict;
use super::update::must_win;
use crate::record::Session;
use crate::rule::Lifetime;
use crate::store::Update;
use crate::time::Timestamp;

async fn must_lose(probe: &Probe, what: &str, update: &Update, held: &Session) -> Verdict {
    let update = update.with_secret(secret(13)).with_generation(99, None);
    expect(what, &false, &probe.update(&update).await?)?;
    probe.holds("the session, unchanged by a refused update", held).await
}

pub(super) async fn version(probe: Probe) -> Verdict {
    let held = with(&session(0), |parts| parts.version = 5);
    probe.create(&held).await?;
    for version in [0, 4, 6, 5 + (1 << 8), 5 + (1 << 16), 5 + (1 << 32), (1 << 62) + 5] {
        let other = with(&held, |parts| parts.version = version);
        must_lose(&probe, "an update of another version", &renewal(&other, at(60), at(961)), &held)
            .await?;
    }
    let update = renewal(&held, at(60), at(961));
    let held = must_win(&probe, &update, &held).await?;
    expect("the very same update again", &false, &probe.update(&update).await?)?;
    must_lose(&probe, "another update of the former version", &update, &held).await
}

pub(super) async fn at_the_cap(probe: Probe) -> Verdict {
    let held = session(0);
    probe.create(&held).await?;
    for late in [at(3_607), at(3_608), at(1_000_000), Timestamp::MAX] {
        let update = renewal_at(&held, late, at(60), at(961));
        must_lose(&probe, "an update at or after the cap", &update, &held).await?;
        // Made from a record whose cap is later than the stored one's.
        let forged = with_lifetime(&held, Lifetime::ordered(at(0), at(0), at(901), Timestamp::MAX));
        let update = renewal_at(&forged, late, at(60), at(961));
        must_lose(&probe, "an update at or after the stored cap", &update, &held).await?;
    }
    let last = renewal_at(&held, at(3_606), at(3_606), at(3_607));
    must_win(&probe, &last, &held).await?;
    // A cap that is also the expiry.
    let short = with_lifetime(&session(1), Lifetime::ordered(at(0), at(0), at(50), at(50)));
    probe.create(&short).await?;
    must_lose(&probe, "an update at the cap", &renewal_at(&short, at(50), at(1), at(50)), &short)
        .await?;
    must_win(&probe, &renewal_at(&short, at(49), at(49), at(50)), &short).await.map(drop)
}

pub(super) async fn past_the_cap(probe: Probe) -> Verdict {
    let held = full(0);
    probe.create(&held).await?;
    // Made from a record whose cap is later than the stored one's.
    let forged = with(&held, |parts| {
        parts.lifetime = Lifetime::ordered(at(1), at(62), at(903), at(9_999));
    });
    for expires_at in [3_605, 9_999] {
        let update = renewal(&forged, at(70), at(expires_at));
        must_lose(&probe, "an update past the stored cap", &update, &held).await?;
    }
    must_win(&probe, &renewal(&forged, at(70), at(3_604)), &held).await.map(drop)
}

pub(super) async fn order(probe: Probe) -> Verdict {
    let lifetime = Lifetime::ordered(at(0), at(100), at(901), at(3_607));
    let held = with_lifetime(&session(0), lifetime);
    probe.create(&held).await?;
    for back in [99, 50, 0, -5] {
        let back = renewal_at(&held, at(200), at(back), at(961));
        must_lose(&probe, "an update that takes renewed_at back", &back, &held).await?;
    }
    // `Update::new` clamps expires_at to the cap, and so before renewed_at.
    let crossed = renewal_at(&held, at(60), at(3_608), at(3_700));
    must_lose(&probe, "an update that renews after the cap", &crossed, &held).await?;
    let early_cap = with_lifetime(&held, Lifetime::ordered(at(0), at(100), at(120), at(150)));
    let crossed = renewal_at(&early_cap, at(60), at(200), at(300));
    must_lose(&probe, "an update that expires before it renews", &crossed, &held).await?;
    let held = must_win(&probe, &renewal(&held, at(100), at(100)), &held).await?;
    must_win(&probe, &renewal(&held, at(3_606), at(3_607)), &held).await?;
    let held = with_lifetime(&session(1), lifetime);
    probe.create(&held).await?;
    must_win(&probe, &renewal_at(&held, at(200), at(3_607), at(3_607)), &held).await.map(drop)
}

/// The guard knows the cap, the version and the order, and nothing more.
pub(super) async fn judges_nothing(probe: Probe) -> Verdict {
    let held = session(0);
    probe.create(&held).await?;
    // After its idle limit, and by clocks that are behind.
    let held = must_win(&probe, &renewal_at(&held, at(2_000), at(2_000), at(2_901)), &held).await?;
    let early = renewal_at(&held, at(1_000), at(2_000), at(2_902));
    let held = must_win(&probe, &early, &held).await?;
    let first = renewal_at(&held, Timestamp::MIN, at(2_000), at(2_903));
    let held = must_win(&probe, &first, &held).await?;
    let last = renewal_at(&held, at(3_606), at(2_100), at(2_101));
    let held = must_win(&probe, &last, &held).await?;
    must_win(&probe, &renewal_at(&held, at(3_605), at(2_100), at(2_100)), &held).await.map(drop)
}
