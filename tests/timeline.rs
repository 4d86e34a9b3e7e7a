//! A session, played request by request.
#![cfg(feature = "review")]
#![allow(clippy::unwrap_used, reason = "tests")]

use chrono::TimeDelta;
use proptest::prelude::*;
use session_policy::review::{Happening, Timeline, TimelineEvent};
use session_policy::{RejectReason, SessionPolicy, Timestamp};

fn policy(max_age: i64, update_age: i64, absolute_cap: i64) -> SessionPolicy {
    SessionPolicy::new(
        TimeDelta::seconds(max_age),
        TimeDelta::seconds(update_age),
        TimeDelta::seconds(absolute_cap),
    )
    .unwrap()
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_unix_secs(secs)
}

fn play(policy: &SessionPolicy, requests: &[i64]) -> Timeline {
    Timeline::play(policy, at(0), requests.iter().copied().map(at))
}

/// Instant, what happened, and until when it holds.
fn terse(timeline: &Timeline) -> Vec<(i64, Happening, i64)> {
    let terse = |event: &TimelineEvent| {
        (event.at.as_unix_secs(), event.happening, event.until.as_unix_secs())
    };
    timeline.events().iter().map(terse).collect()
}

const CAP: RejectReason = RejectReason::AbsoluteCap;
const IDLE: RejectReason = RejectReason::Idle;

#[test]
fn an_active_session_is_renewed_also_once_pinned_and_ends_at_the_cap() {
    use Happening::{Ended, Kept, Refused, Renewed, SignedIn};

    let timeline = play(&policy(60, 20, 150), &[19, 20, 39, 75, 100, 149, 150, 151]);
    assert_eq!(
        terse(&timeline),
        [
            (0, SignedIn, 60),
            (19, Kept, 60),
            (20, Renewed, 80),
            (39, Kept, 80),
            (75, Renewed, 135),
            (100, Renewed, 150),
            (149, Renewed, 150),
            (150, Ended { reason: CAP }, 150),
            (150, Refused { reason: CAP, since: at(150) }, 150),
            (151, Refused { reason: CAP, since: at(150) }, 150),
        ],
    );
    assert_eq!((timeline.requests(), timeline.writes()), (8, 5));
    assert_eq!(timeline.policy(), &policy(60, 20, 150));
}

#[test]
fn an_idle_session_ends_before_the_request_that_finds_it() {
    use Happening::{Ended, Kept, Refused, SignedIn};

    let timeline = play(&policy(60, 20, 150), &[10, 90]);
    assert_eq!(
        terse(&timeline),
        [
            (0, SignedIn, 60),
            (10, Kept, 60),
            (60, Ended { reason: IDLE }, 60),
            (90, Refused { reason: IDLE, since: at(60) }, 60),
        ],
    );
}

#[test]
fn writes_cookies_and_tokens_come_with_the_events_that_cause_them() {
    let timeline = play(&policy(60, 20, 150), &[10, 20, 90]);
    let effects: Vec<_> = timeline
        .events()
        .iter()
        .map(|event| (event.cookie, event.token.map(Timestamp::as_unix_secs)))
        .collect();
    // The cookie runs to the cap, so a renewal need not send it again, and no refusal
    // clears it.
    let set = Some(TimeDelta::seconds(150));
    assert_eq!(
        effects,
        [(set, Some(60)), (None, None), (None, Some(80)), (None, None), (None, None)],
    );
    let lines: Vec<_> = timeline.events().iter().map(TimelineEvent::to_string).collect();
    let written = |word: &str| lines.iter().filter(|line| line.contains(word)).collect::<Vec<_>>();
    assert_eq!(written("; record created; "), [&lines[0]]);
    assert_eq!(written("; record written; "), [&lines[2]]);
    assert_eq!(timeline.writes(), 2);
}

#[test]
fn a_request_before_the_sign_in_is_refused_and_its_cookie_kept() {
    let timeline = play(&policy(60, 20, 150), &[-61, -60]);
    let [_, early, tolerated, end] = timeline.events() else { panic!("{timeline}") };
    let reason = RejectReason::NotYetValid;
    assert_eq!(early.happening, Happening::Refused { reason, since: at(-60) });
    assert_eq!(early.cookie, None);
    assert_eq!(
        early.to_string(),
        "1969-12-31T23:58:59Z  refused until 1969-12-31T23:59:00Z: not yet valid",
    );
    assert_eq!(tolerated.happening, Happening::Kept);
    assert_eq!(end.happening, Happening::Ended { reason: IDLE });
}

#[test]
fn a_warning_comes_once_an_end_and_only_where_nobody_is_active() {
    let warnings = |requests: &[i64], before| {
        let timeline =
            play(&policy(60, 20, 150), requests).with_warning(TimeDelta::seconds(before));
        let warned = timeline.events().iter().filter(|e| e.happening == Happening::Warned);
        warned
            .map(|event| (event.at.as_unix_secs(), event.until.as_unix_secs()))
            .collect::<Vec<_>>()
    };
    assert_eq!(warnings(&[], 20), [(40, 60)]);
    assert_eq!(warnings(&[30], 20), [(70, 90)]); // Renewed before the warning.
    assert_eq!(warnings(&[50], 20), [(40, 60), (90, 110)]); // Renewed by it.
    assert_eq!(warnings(&[5, 19], 58), [(2, 60)]); // Not again for the same end.
    assert_eq!(warnings(&[19], 1), [(59, 60)]);
    assert_eq!(warnings(&[], 0), []);
    // A clock that stepped back for one request, which is refused: a quiet session.
    assert_eq!(warnings(&[-61], 20), [(40, 60)]);
    // A clock that stepped back over the end: nothing is left to warn of.
    assert_eq!(warnings(&[100, 30, 200], 0), []);
    assert_eq!(warnings(&[40, 80, 100, 140], 20), [(130, 150)]); // Pinned: once.
}

#[test]
fn a_warning_writes_and_sends_nothing() {
    let timeline = play(&policy(60, 20, 150), &[]).with_warning(TimeDelta::seconds(20));
    let [signed_in, warned, _] = timeline.events() else { panic!("{timeline}") };
    assert!(signed_in.cookie.is_some() && signed_in.token.is_some());
    assert_eq!(warned.happening, Happening::Warned);
    assert_eq!((warned.cookie, warned.token), (None, None));
    assert_eq!(timeline.writes(), 1); // The sign-in's.
}

#[test]
fn a_timeline_prints_a_line_an_event() {
    let timeline = play(&policy(60, 20, 150), &[10, 20, 75, 100, 149, 151]);
    assert_eq!(
        timeline.with_warning(TimeDelta::seconds(20)).to_string(),
        "\
1970-01-01T00:00:00Z  signed in, until 1970-01-01T00:01:00Z; record created; cookie for 2m 30s; token until 1970-01-01T00:01:00Z
1970-01-01T00:00:10Z  kept, until 1970-01-01T00:01:00Z
1970-01-01T00:00:20Z  renewed, until 1970-01-01T00:01:20Z; record written; token until 1970-01-01T00:01:20Z
1970-01-01T00:01:00Z  warned, 20s before the end
1970-01-01T00:01:15Z  renewed, until 1970-01-01T00:02:15Z; record written; token until 1970-01-01T00:02:15Z
1970-01-01T00:01:40Z  renewed, until 1970-01-01T00:02:30Z; record written; token until 1970-01-01T00:02:30Z
1970-01-01T00:02:10Z  warned, 20s before the end
1970-01-01T00:02:29Z  renewed, until 1970-01-01T00:02:30Z; record written; token until 1970-01-01T00:02:30Z
1970-01-01T00:02:30Z  ended: the absolute cap is reached
1970-01-01T00:02:31Z  refused since 1970-01-01T00:02:30Z: the absolute cap is reached",
    );
}

/// F2: a browser keeps no cookie for longer than 400 days.
mod day_400 {
    use super::*;

    const D: i64 = 86_400;

    fn days(days: impl IntoIterator<Item = i64>) -> Vec<i64> {
        days.into_iter().map(|day| day * D).collect()
    }

    fn happened(timeline: &Timeline, happening: Happening) -> Vec<i64> {
        let events = timeline.events().iter().filter(|event| event.happening == happening);
        events.map(|event| event.at.as_unix_secs() / D).collect()
    }

    fn cookies(timeline: &Timeline) -> Vec<(i64, i64)> {
        let events = timeline.events().iter();
        events
            .filter_map(|event| {
                Some((event.at.as_unix_secs() / D, event.cookie?.num_seconds() / D))
            })
            .collect()
    }

    #[test]
    fn a_cookie_of_a_longer_cap_is_sent_again_at_each_renewal() {
        for cap in [401, 800, 3_653] {
            let timeline = play(&policy(365 * D, D, cap * D), &days(1..cap + 10));
            assert!(happened(&timeline, Happening::CookieLapsed).is_empty());
            let sent: Vec<_> = (0..cap).map(|day| (day, (cap - day).min(400))).collect();
            assert_eq!(cookies(&timeline), sent);
            let reason = RejectReason::AbsoluteCap;
            assert_eq!(happened(&timeline, Happening::Ended { reason }), [cap]);
        }
    }

    #[test]
    fn a_cookie_of_a_shorter_cap_is_sent_once() {
        for cap in [1, 399, 400] {
            let timeline = play(&policy(cap * D, 0, cap * D), &days(1..cap + 10));
            assert_eq!(cookies(&timeline), [(0, cap)]);
            assert!(happened(&timeline, Happening::CookieLapsed).is_empty());
        }
    }

    #[test]
    fn a_session_may_outlive_its_cookie_only_by_a_longer_max_age() {
        let timeline = play(&policy(800 * D, D, 3_653 * D), &days([10, 409, 900]));
        assert_eq!(cookies(&timeline), [(0, 400), (10, 400), (409, 400)]);
        assert_eq!(happened(&timeline, Happening::CookieLapsed), [809]);
        assert_eq!(happened(&timeline, Happening::WithoutCookie), [900]);
        let reason = RejectReason::Idle;
        assert_eq!(happened(&timeline, Happening::Ended { reason }), [1_209]);
        let text = timeline.to_string();
        let lines: Vec<_> = text.lines().skip(3).collect();
        assert_eq!(
            lines,
            [
                "1972-03-20T00:00:00Z  the browser drops the cookie; the session lives until \
                 1973-04-24T00:00:00Z",
                "1972-06-19T00:00:00Z  came without a cookie",
                "1973-04-24T00:00:00Z  ended: idle for too long",
            ],
        );
        // Nobody came: the cookie is dropped all the same.
        let timeline = play(&policy(401 * D, D, 3_653 * D), &[]);
        assert_eq!(happened(&timeline, Happening::CookieLapsed), [400]);
        assert_eq!(happened(&timeline, Happening::Ended { reason }), [401]);
    }
}

#[test]
fn gaps_are_the_pauses_longer_than_the_threshold() {
    let timeline = play(&policy(60, 20, 150), &[10, 31, 90, 400]);
    let gaps: Vec<_> = timeline.gaps(TimeDelta::seconds(21)).collect();
    assert_eq!(gaps, [(at(31), at(90)), (at(90), at(400))]);
}

#[cfg(feature = "serde")]
#[test]
fn a_timeline_serialises_as_its_policy_and_events() {
    let json = serde_json::to_value(play(&policy(60, 20, 150), &[90])).unwrap();
    assert_eq!(
        json["events"],
        serde_json::json!([
            {
                "at": 0, "happening": "signed_in", "until": 60,
                "cookie": 150, "token": 60,
            },
            {
                "at": 60, "happening": "ended", "reason": "idle", "until": 60,
                "cookie": null, "token": null,
            },
            {
                "at": 90, "happening": "refused", "reason": "idle", "since": 60, "until": 60,
                "cookie": null, "token": null,
            },
        ]),
    );
    assert_eq!(
        json["policy"]["max_age"],
        if cfg!(feature = "std") { "1m".into() } else { serde_json::json!(60) }
    );
}

prop_compose! {
    fn any_play()(
        max_age in 1..9_i64,
        update in 0..9_i64,
        more in 0..9_i64,
        steps in prop::collection::vec(-2..5_i64, 0..24),
    ) -> (SessionPolicy, Vec<i64>) {
        let requests = steps.iter().scan(0, |now, step| { *now += step; Some(*now) });
        (policy(max_age, update % max_age, max_age + more), requests.collect())
    }
}

proptest! {
    #[test]
    fn no_event_holds_past_the_cap((policy, requests) in any_play()) {
        for event in play(&policy, &requests).events() {
            prop_assert!(event.until <= at(0).saturating_add(policy.absolute_cap()));
        }
    }

    #[test]
    fn a_timeline_ends_exactly_once((policy, requests) in any_play()) {
        let timeline = play(&policy, &requests).with_warning(TimeDelta::seconds(2));
        let ended = |event: &&TimelineEvent| matches!(event.happening, Happening::Ended { .. });
        prop_assert_eq!(timeline.events().iter().filter(ended).count(), 1);
        prop_assert_eq!(timeline.requests(), requests.len());
    }
}

/// The timeline says what [`session_policy::Sessions`] does over a real store.
#[cfg(feature = "memory")]
mod against_sessions {
    use session_policy::{AuthenticateError, ManualClock, MemoryStore, RenewalOutcome, Sessions};

    use super::*;

    proptest! {
        #[test]
        fn a_timeline_tells_what_sessions_do((policy, requests) in any_play()) {
            let timeline = play(&policy, &requests);
            let mut events = timeline.events().iter().filter(|event| event.is_request());
            let clock = ManualClock::new(at(0));
            let sessions = Sessions::new(MemoryStore::new(), policy).with_clock(clock.clone());
            let started = pollster::block_on(sessions.start("u")).unwrap();
            let signed_in = timeline.events()[0];
            prop_assert_eq!(signed_in.cookie, Some(started.status.cookie_max_age()));
            for request in requests {
                clock.set(at(request));
                let event = events.next().unwrap();
                prop_assert_eq!(event.at, at(request));
                let outcome = pollster::block_on(sessions.authenticate(started.token.expose()));
                let sent = outcome.as_ref().ok().and_then(|served| {
                    served.token.as_ref().map(|_| served.status.cookie_max_age())
                });
                prop_assert_eq!(event.cookie, sent);
                match (event.happening, outcome) {
                    (Happening::Kept, Ok(authenticated)) => {
                        prop_assert!(matches!(authenticated.renewal, RenewalOutcome::NotDue));
                    }
                    (Happening::Renewed, Ok(authenticated)) => {
                        prop_assert!(matches!(authenticated.renewal, RenewalOutcome::Renewed));
                        prop_assert_eq!(event.until, authenticated.status.idle_expires_at);
                    }
                    (
                        Happening::Refused { reason, since },
                        Err(AuthenticateError::Rejected { reason: told, since: at }),
                    ) => prop_assert_eq!((reason, since), (told, at)),
                    (told, outcome) => prop_assert!(false, "{told:?} is not {outcome:?}"),
                }
            }
        }
    }
}

/// What `JwtSessions` and `HybridSessions` do beyond a timeline, and up to where it
/// is the same.
#[cfg(all(feature = "jwt", feature = "memory"))]
mod against_tokens {
    use session_policy::jwt::{Algorithm, HybridSessions, JwtSessions, KeyRing, SigningKey};
    use session_policy::store::SessionStore;
    use session_policy::{ManualClock, MemoryStore, Sessions};

    use super::*;

    fn ring() -> KeyRing {
        KeyRing::new(SigningKey::secret("k", Algorithm::Hs256, [7; 32]).unwrap()).unwrap()
    }

    /// When `JwtSessions` re-issued a token, and its `exp`.
    fn reissued(policy: SessionPolicy, requests: &[i64]) -> Vec<(Timestamp, Timestamp)> {
        let clock = ManualClock::new(at(0));
        let sessions = JwtSessions::new(ring(), policy).with_clock(clock.clone());
        let started = pollster::block_on(sessions.start("u")).unwrap();
        let mut token = started.token;
        let mut reissued = Vec::new();
        for request in requests {
            clock.set(at(*request));
            let outcome = pollster::block_on(sessions.authenticate(token.expose()));
            if let Ok(served) = outcome
                && let Some(reissue) = served.token
            {
                reissued.push((at(*request), served.session.lifetime().expires_at()));
                token = reissue;
            }
        }
        reissued
    }

    /// When `HybridSessions` re-issued a token, and how often the row was written.
    fn reissued_by_hybrid(policy: SessionPolicy, requests: &[i64]) -> (Vec<Timestamp>, u64) {
        let clock = ManualClock::new(at(0));
        let sessions = HybridSessions::new(MemoryStore::new(), ring(), policy).unwrap();
        let sessions = sessions.with_clock(clock.clone());
        let started = pollster::block_on(sessions.start("u")).unwrap();
        let mut token = started.token;
        let mut reissued = Vec::new();
        for request in requests {
            clock.set(at(*request));
            let served = pollster::block_on(sessions.authenticate(token.expose())).unwrap();
            if let Some(reissue) = served.token {
                reissued.push(at(*request));
                token = reissue;
            }
        }
        let row = pollster::block_on(sessions.store().load(&started.session.id())).unwrap();
        (reissued, row.unwrap().version())
    }

    /// How often `Sessions` wrote the row after its creation.
    fn written(policy: SessionPolicy, requests: &[i64]) -> u64 {
        let clock = ManualClock::new(at(0));
        let sessions = Sessions::new(MemoryStore::new(), policy).with_clock(clock.clone());
        let started = pollster::block_on(sessions.start("u")).unwrap();
        for request in requests {
            clock.set(at(*request));
            pollster::block_on(sessions.authenticate(started.token.expose())).unwrap();
        }
        let row = pollster::block_on(sessions.store().load(&started.session.id())).unwrap();
        row.unwrap().version()
    }

    fn renewed(timeline: &Timeline) -> Vec<(Timestamp, Timestamp)> {
        let renewed = timeline.events().iter().filter(|e| e.happening == Happening::Renewed);
        renewed.map(|event| (event.at, event.token.unwrap())).collect()
    }

    #[test]
    fn what_is_written_and_reissued_is_the_schedule_up_to_the_end() {
        const M: i64 = 60;
        let (day, sliding) = (SessionPolicy::WORKING_DAY, policy(30 * M, 5 * M, 480 * M));
        for (policy, renewals) in [(day, 31), (sliding, 95)] {
            let step = usize::try_from(policy.update_age().num_seconds()).unwrap();
            let requests: Vec<_> = (0..policy.absolute_cap().num_seconds()).step_by(step).collect();
            let timeline = play(&policy, &requests);
            let schedule: Vec<_> = policy.renewal_schedule(&policy.start(at(0))).collect();
            assert_eq!(schedule.len(), renewals);

            assert_eq!(timeline.writes(), renewals + 1);
            assert_eq!(written(policy, &requests), renewals as u64);
            let instants = renewed(&timeline).into_iter().map(|(at, _)| at);
            assert_eq!(instants.collect::<Vec<_>>(), schedule);

            assert_eq!(reissued(policy, &requests), renewed(&timeline));
            // Every second renewal confirms what the one before has issued.
            let (by_hybrid, hybrid_writes) = reissued_by_hybrid(policy, &requests);
            assert_eq!(by_hybrid, schedule.iter().copied().step_by(2).collect::<Vec<_>>());
            assert_eq!(hybrid_writes, renewals as u64);
        }
    }

    proptest! {
        #[test]
        fn a_token_is_reissued_where_a_timeline_renews((policy, requests) in any_play()) {
            prop_assert_eq!(reissued(policy, &requests), renewed(&play(&policy, &requests)));
        }
    }
}
