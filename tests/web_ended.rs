//! `Auth::ended`: when a long connection ends, and why.
#![cfg(all(feature = "jwt", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod web_store;

use std::cell::{Cell, RefCell};
use std::future::{poll_fn, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use chrono::TimeDelta;
use pollster::block_on;
use session_policy::web::Auth;
use session_policy::{Clock, Timestamp};

use web_store::{App, KINDS, Kind, cookie};

const START: i64 = 1_800_000_000;

fn secs(app: &App) -> i64 {
    app.clock.now().as_unix_secs() - START
}

/// Waits with `interval`; at each second of a sleep `happens` is told the time. Returns the
/// end and its reason.
fn ends(app: &App, auth: &Auth, interval: i64, happens: impl Fn(i64)) -> (i64, &'static str) {
    let happens = &happens;
    let sleep = |time: Duration| async move {
        for _ in 0..time.as_secs() {
            app.clock.advance(TimeDelta::seconds(1));
            happens(secs(app));
        }
    };
    let refused = block_on(auth.ended(TimeDelta::seconds(interval), sleep));
    (secs(app), refused.as_str())
}

fn stream(app: &App) -> Auth {
    let ada = app.sign_in("ada");
    let auth = app.exchange().auth([ada.as_bytes()], []);
    block_on(auth.active()).unwrap();
    auth
}

#[test]
fn it_ends_at_the_deadline_to_the_second() {
    for kind in KINDS {
        for interval in [-5, 0, 2, 3, 7, 30, 61, 1_799, 1_800, 1_801, 1_000_000] {
            let app = App::of(kind);
            let auth = stream(&app);
            assert_eq!(ends(&app, &auth, interval, |_| {}), (1_800, "idle"), "{kind:?} {interval}");
        }
    }
}

#[test]
fn activity_elsewhere_moves_the_deadline_up_to_the_cap() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        for interval in [2, 60, 1_000] {
            let app = App::of(kind);
            let mine = RefCell::new(app.sign_in("ada"));
            let auth = app.exchange().auth([mine.borrow().as_bytes()], []);
            // Another tab is active every 150 s, and a hybrid session's token is issued anew.
            let reissued = Cell::new(0);
            let other_tab = |now: i64| {
                if now % 150 == 0 && now < 28_800 {
                    let exchange = app.exchange();
                    let active = exchange.auth([mine.borrow().as_bytes()], []);
                    block_on(active.active()).unwrap();
                    if let Some(next) = cookie(&block_on(exchange.reply([])).unwrap()) {
                        reissued.set(reissued.get() + 1);
                        mine.replace(next);
                    }
                }
            };
            let ended = ends(&app, &auth, interval, other_tab);
            assert_eq!(ended, (28_800, "absolute_cap"), "{kind:?} {interval}");
            assert_eq!(reissued.get() > 50, kind == Kind::Hybrid);
        }
    }
}

/// A token is all that is known of it.
#[test]
fn of_a_stateless_session_the_wait_ends_with_the_token() {
    let app = App::of(Kind::Stateless);
    let ada = app.sign_in("ada");
    app.clock.advance(TimeDelta::seconds(500));
    // This request has a token issued anew.
    let auth = app.exchange().auth([ada.as_bytes()], []);
    block_on(auth.active()).unwrap();
    let looks = app.exchange().auth([ada.as_bytes()], []);
    assert_eq!(ends(&app, &looks, 60, |_| {}), (1_800, "idle"));
    assert_eq!(ends(&app, &auth, 60, |_| {}), (2_300, "idle"));
}

#[test]
fn it_ends_within_the_interval_after_a_sign_out_or_a_rotation_elsewhere() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        for rotates in [false, true] {
            for interval in [2, 5, 30, 61] {
                for at in [1, 2, 29, 100, 1_799] {
                    let app = App::of(kind);
                    let ada = app.sign_in("ada");
                    let auth = app.exchange().auth([ada.as_bytes()], []);
                    let other_tab = |now| {
                        let auth = app.exchange().auth([ada.as_bytes()], []);
                        if now == at && rotates {
                            drop(block_on(auth.rotate()).unwrap());
                        } else if now == at {
                            block_on(auth.sign_out()).unwrap();
                        }
                    };
                    let (end, reason) = ends(&app, &auth, interval, other_tab);
                    assert!((at..=at + interval).contains(&end), "{kind:?} {interval} {at}: {end}");
                    assert_eq!(reason, "no_session");
                }
            }
        }
    }
}

#[test]
fn a_store_that_fails_or_hangs_ends_it_after_the_interval_and_not_before() {
    for hangs in [false, true] {
        for interval in [2, 10, 60] {
            for back in [None, Some(interval / 2), Some(interval * 2)] {
                let app = App::of(Kind::Opaque);
                let auth = stream(&app);
                let goes = 100;
                let store = |now: i64| {
                    let is_away = now >= goes && back.is_none_or(|back| now < goes + back);
                    if hangs { app.store.hang(is_away) } else { app.store.fail(is_away) }
                };
                let (end, reason) = ends(&app, &auth, interval, store);
                let comes_back = back.is_some_and(|back| back < interval);
                if comes_back && !hangs {
                    assert_eq!((end, reason), (1_800, "idle"), "{interval} {back:?}");
                } else if !comes_back {
                    assert_eq!(reason, "unavailable", "{hangs} {interval} {back:?}");
                    assert!((goes..=goes + interval).contains(&end), "{interval} {back:?}: {end}");
                }
            }
        }
    }
}

/// A look that hangs after others that failed gets no more time for it.
#[test]
fn an_outage_of_two_kinds_ends_it_within_the_interval() {
    for interval in [2, 3, 10, 30] {
        for hangs_after in 0..=interval {
            let app = App::of(Kind::Opaque);
            let auth = stream(&app);
            let store = |now: i64| {
                app.store.fail((100..100 + hangs_after).contains(&now));
                app.store.hang(now >= 100 + hangs_after);
            };
            let (end, reason) = ends(&app, &auth, interval, store);
            assert_eq!(reason, "unavailable", "{interval} {hangs_after}");
            assert!(end <= 100 + interval, "{interval} {hangs_after}: {end}");
        }
    }
}

/// An observer wakes those that wait in the same process.
#[test]
fn woken_early_it_looks_at_once() {
    let app = App::of(Kind::Opaque);
    let ada = app.sign_in("ada");
    let auth = app.exchange().auth([ada.as_bytes()], []);
    let (app, ada) = (&app, &ada);
    let sleep = |time: Duration| async move {
        let whole = i64::try_from(time.as_secs()).unwrap();
        let now = secs(app);
        let early = if now < 100 { (100 - now).min(whole) } else { whole };
        app.clock.advance(TimeDelta::seconds(early));
        if secs(app) == 100 {
            block_on(app.exchange().auth([ada.as_bytes()], []).sign_out()).unwrap();
        }
    };
    let refused = block_on(auth.ended(TimeDelta::hours(2), sleep));
    assert_eq!((secs(app), refused.as_str()), (100, "no_session"));
}

/// Begun at any instant of a second, with a timer that is late, and a store that takes its
/// time: before the deadline there is always a second for an answer.
#[test]
fn an_interval_of_two_seconds_keeps_a_live_session_open() {
    for begun_at in [0, 10, 300, 700, 900, 960, 999] {
        for late in [0, 50, 300] {
            for answer in [0, 50, 600, 990] {
                let app = App::of(Kind::Opaque);
                let auth = stream(&app);
                // A look is over when it is polled for the third time.
                app.store.wait(true);
                let (app, millis, sleeps) = (&app, &Cell::new(begun_at), Cell::new(0));
                // The clock of the application shows whole seconds only.
                let pass = move |until: i64| {
                    millis.set(millis.get().max(until));
                    app.clock.advance(TimeDelta::seconds(millis.get() / 1_000 - secs(app)));
                };
                let sleep = |time: Duration| {
                    let due = millis.get() + i64::try_from(time.as_millis()).unwrap() + late;
                    let answered_at = millis.get() + answer;
                    // Every other sleep bounds a look.
                    let mut polls = 2 * (sleeps.replace(sleeps.get() + 1) % 2);
                    poll_fn(move |context| {
                        if polls > 0 && answered_at < due {
                            pass(answered_at);
                            polls -= 1;
                            context.waker().wake_by_ref();
                            return Poll::Pending;
                        }
                        pass(due);
                        Poll::Ready(())
                    })
                };
                let refused = block_on(auth.ended(TimeDelta::seconds(2), sleep));
                assert_eq!(refused.as_str(), "idle", "{begun_at} {late} {answer}");
            }
        }
    }
}

/// A timer that is always early is no reason to keep the thread.
#[test]
fn woken_again_and_again_it_leaves_others_their_turn() {
    let app = App::of(Kind::Opaque);
    let auth = stream(&app);
    let looks = Cell::new(0);
    let sleep = |_| {
        looks.set(looks.get() + 1);
        assert!(looks.get() < 100, "it leaves nobody a turn");
        ready(())
    };
    let mut ended = pin!(auth.ended(TimeDelta::hours(1), sleep));
    for polls in 1..10 {
        let polled = ended.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending() && looks.get() <= 2 * polls, "{polls}: {}", looks.get());
    }
}

/// A request that opens a stream has looked already.
#[test]
fn it_waits_before_it_looks_again() {
    let app = App::of(Kind::Opaque);
    let auth = stream(&app);
    app.store.calls();
    let first = Cell::new(true);
    let looks = |_| {
        if first.take() {
            assert_eq!(app.store.calls(), "");
        }
    };
    ends(&app, &auth, 60, looks);
    assert!(!first.get() && app.store.calls().starts_with("load"));
}

/// Each look takes half the interval, so the next one is due at once.
#[test]
fn a_store_that_is_slow_keeps_it_open() {
    let app = App::of(Kind::Opaque);
    let auth = stream(&app);
    // A look is over when it is polled for the third time.
    app.store.wait(true);
    app.store.calls();
    let sleep = |time: Duration| {
        let (app, mut left) = (&app, time.as_secs());
        poll_fn(move |context| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            app.clock.advance(TimeDelta::seconds(1));
            context.waker().wake_by_ref();
            Poll::Pending
        })
    };
    let refused = block_on(auth.ended(TimeDelta::seconds(4), sleep));
    assert_eq!((secs(&app), refused.as_str()), (1_800, "idle"));
    assert_eq!(app.store.calls(), "load 899");
}

/// Also one that was looked at long before it begins to wait.
#[test]
fn a_handler_that_took_its_time_looks_before_it_waits() {
    for kind in KINDS {
        for (gone, interval) in [(1, 2), (30, 10), (700, 10), (700, 2_000)] {
            let app = App::of(kind);
            let auth = stream(&app);
            app.clock.advance(TimeDelta::seconds(gone));
            assert_eq!(ends(&app, &auth, interval, |_| {}), (1_800, "idle"), "{kind:?} {gone}");
            if kind == Kind::Stateless {
                continue;
            }
            let app = App::of(kind);
            let ada = app.sign_in("ada");
            let auth = app.exchange().auth([ada.as_bytes()], []);
            block_on(auth.active()).unwrap();
            app.clock.advance(TimeDelta::seconds(gone));
            block_on(app.exchange().auth([ada.as_bytes()], []).sign_out()).unwrap();
            assert_eq!(ends(&app, &auth, interval, |_| {}), (gone, "no_session"), "{kind:?}");
        }
    }
}

#[test]
fn without_a_session_there_is_nothing_to_wait_for() {
    let app = App::of(Kind::Opaque);
    let auth = app.exchange().auth([], []);
    assert_eq!(ends(&app, &auth, 30, |_| {}), (0, "no_session"));
    assert_eq!(app.clock.now(), Timestamp::from_unix_secs(START));
}

/// What a request refuses once its answer is sent, the wait of a stream is not.
#[test]
fn it_waits_in_a_body_that_streams() {
    for kind in KINDS {
        let app = App::of(kind);
        let ada = app.sign_in("ada");
        let exchange = app.exchange();
        let auth = exchange.auth([ada.as_bytes()], []);
        block_on(auth.active()).unwrap();
        block_on(exchange.reply([])).unwrap();
        assert_eq!(ends(&app, &auth, 30, |_| {}), (1_800, "idle"), "{kind:?}");
    }
}

/// The look may have seen what was before.
#[test]
fn a_wake_during_a_look_is_not_lost() {
    let app = App::of(Kind::Opaque);
    let ada = app.sign_in("ada");
    let auth = app.exchange().auth([ada.as_bytes()], []);
    block_on(auth.active()).unwrap();
    let (app, ada, naps) = (&app, &ada, &Cell::new(0));
    let sleep = |time: Duration| async move {
        naps.set(naps.get() + 1);
        match naps.get() {
            // It is woken after 5 s, and looks.
            1 => {
                app.clock.advance(TimeDelta::seconds(5));
                app.store.wait(true);
            }
            // Meanwhile another tab signs out, and it is woken again.
            2 => {
                app.store.wait(false);
                block_on(app.exchange().auth([ada.as_bytes()], []).sign_out()).unwrap();
            }
            _ => app.clock.advance(TimeDelta::from_std(time).unwrap()),
        }
    };
    let refused = app.drive(auth.ended(TimeDelta::seconds(60), sleep));
    assert_eq!((secs(app), refused.as_str()), (5, "no_session"));
}
