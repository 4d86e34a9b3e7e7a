//! Law 17 behind a carrier: a client that goes away at any await, before or after its verb.
#![cfg(all(feature = "jwt", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod web_store;

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use pollster::block_on;
use session_policy::web::Auth;
use session_policy::{Policies, SessionLimit, WhenFull};

use web_store::{App, Kind, cookie, policy};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verb {
    In,
    InTwice,
    InThenRotate,
    Out,
    Rotate,
    RotateTwice,
}

const VERBS: [Verb; 6] =
    [Verb::In, Verb::InTwice, Verb::InThenRotate, Verb::Out, Verb::Rotate, Verb::RotateTwice];

impl Verb {
    async fn run(self, auth: &Auth) {
        let done = match self {
            Self::In => auth.sign_in("ada").await.map(drop),
            Self::InTwice => {
                drop(auth.sign_in("ada").await);
                auth.sign_in("ada").await.map(drop)
            }
            Self::InThenRotate => {
                drop(auth.sign_in("ada").await);
                auth.rotate().await.map(drop)
            }
            Self::Out => auth.sign_out().await,
            Self::Rotate => auth.rotate().await.map(drop),
            Self::RotateTwice => {
                drop(auth.rotate().await);
                auth.rotate().await.map(drop)
            }
        };
        assert!(done.is_ok(), "{self:?} {done:?}");
    }
}

/// When the client hangs up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum HangsUp {
    /// After so many polls of the handler.
    At(u32),
    /// Once the verb is done, and before the answer is made.
    BeforeTheAnswer,
}

struct Left {
    /// Sessions that no cookie opens.
    ghosts: usize,
    /// Whether the verb was done before the client hung up.
    is_done: bool,
}

/// `tasks_first`: what is spawned goes on between the polls, and not only afterwards.
fn hang_up(kind: Kind, verb: Verb, when: HangsUp, spawns: bool, tasks_first: bool) -> Left {
    let three = SessionLimit::new(std::num::NonZeroU32::new(9).unwrap(), WhenFull::Refuse);
    let app = App::new(kind, Policies::new(policy()).with_limit("default", three).unwrap());
    let app = if spawns { app.spawning() } else { app };
    let others = [app.sign_in("ada"), app.sign_in("eve")];
    let mine = app.sign_in("ada");
    app.store.wait(true);
    let exchange = app.exchange();
    let auth = exchange.auth([mine.as_bytes()], []);
    let is_done = {
        let mut future = pin!(verb.run(&auth));
        let mut polls = 0;
        loop {
            if when == HangsUp::At(polls) {
                break false;
            }
            polls += 1;
            let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            if polled.is_ready() {
                break true;
            }
            if tasks_first || when == HangsUp::BeforeTheAnswer || polls % 64 == 0 {
                app.step();
            }
        }
    };
    drop((exchange, auth));
    app.run();
    app.store.wait(false);
    for other in &others {
        assert!(app.opens(other).is_ok(), "{kind:?} {verb:?} {when:?}: somebody else's has ended");
    }
    let opened = usize::from(app.opens(&mine).is_ok());
    Left { ghosts: app.store.len() - others.len() - opened, is_done }
}

#[test]
fn with_somebody_to_run_tasks_nothing_is_left_whenever_the_client_hangs_up() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        for verb in VERBS {
            for tasks_first in [true, false] {
                let mut cuts = 0;
                loop {
                    let when = HangsUp::At(cuts);
                    let left = hang_up(kind, verb, when, true, tasks_first);
                    assert_eq!(left.ghosts, 0, "{kind:?} {verb:?} {when:?} {tasks_first}");
                    if left.is_done {
                        break;
                    }
                    cuts += 1;
                }
                assert!(cuts > 2, "{kind:?} {verb:?}: {cuts}");
            }
            let left = hang_up(kind, verb, HangsUp::BeforeTheAnswer, true, true);
            assert_eq!(left.ghosts, 0, "{kind:?} {verb:?}");
        }
    }
}

/// The law's exception: a session whose sign-in or rotation was dropped after its write, or
/// whose answer was not sent.
#[test]
fn without_it_at_most_the_new_sessions_are_left() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        for verb in VERBS {
            let mut most = 0;
            for cut in 0.. {
                let left = hang_up(kind, verb, HangsUp::At(cut), false, true);
                most = most.max(left.ghosts);
                if left.is_done {
                    break;
                }
            }
            let begun = match verb {
                Verb::Out => 0,
                Verb::InTwice => 2,
                _ => 1,
            };
            assert_eq!(most, begun, "{kind:?} {verb:?}");
        }
    }
}

#[test]
fn a_sign_out_is_carried_out_although_the_client_hangs_up() {
    // Whether the handler has asked for the session before, or the verb looks it up.
    for asked in [true, false] {
        let app = App::of(Kind::Opaque).spawning();
        let ada = app.sign_in("ada");
        let auth = app.exchange().auth([ada.as_bytes()], []);
        if asked {
            block_on(auth.active()).unwrap();
        }
        app.store.wait(true);
        {
            let mut future = pin!(auth.sign_out());
            assert!(future.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        drop(auth);
        app.run();
        assert_eq!(app.store.len(), 0, "asked: {asked}");
    }
}

#[test]
fn once_the_answer_is_made_the_session_stands() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        for verb in [Verb::In, Verb::InTwice, Verb::InThenRotate, Verb::Rotate, Verb::RotateTwice] {
            let app = App::of(kind).spawning();
            let mine = app.sign_in("ada");
            let exchange = app.exchange();
            let auth = exchange.auth([mine.as_bytes()], []);
            app.drive(verb.run(&auth));
            let set = cookie(&block_on(exchange.reply([])).unwrap()).unwrap();
            drop((exchange, auth));
            app.run();
            assert!(app.opens(&set).is_ok(), "{kind:?} {verb:?}");
            assert_eq!(app.store.len(), 1);
        }
    }
}

/// A task that is dropped, as at a shutdown, is an error and no wait for ever.
#[test]
fn a_task_that_never_runs_is_an_error() {
    let app = App::of(Kind::Opaque);
    let (store, web) = (app.store.clone(), app.web.spawn_with(drop));
    let auth = web.exchange().auth([], []);
    let mut future = pin!(auth.sign_in("ada"));
    let Poll::Ready(Err(refused)) = future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    else {
        panic!()
    };
    assert_eq!(refused.to_string(), "refused: the task was aborted");
    assert_eq!(store.len(), 0);
}

/// It hangs up while a re-issued token is looked at again: the next request makes it good.
#[test]
fn a_reissue_that_is_dropped_at_any_await_costs_nothing() {
    for kind in [Kind::Hybrid, Kind::Stateless] {
        for cut in 0..20 {
            let app = App::of(kind);
            let ada = app.sign_in("ada");
            block_on(app.exchange().auth([ada.as_bytes()], []).active()).unwrap();
            app.clock.advance(chrono::TimeDelta::seconds(200));
            app.store.wait(true);
            {
                let exchange = app.exchange();
                let auth = exchange.auth([ada.as_bytes()], []);
                let mut request = pin!(async {
                    auth.active().await.unwrap();
                    exchange.reply([]).await
                });
                for _ in 0..cut {
                    if request.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready() {
                        break;
                    }
                }
            }
            app.store.wait(false);
            let exchange = app.exchange();
            block_on(exchange.auth([ada.as_bytes()], []).active()).unwrap();
            let again = cookie(&block_on(exchange.reply([])).unwrap()).unwrap();
            assert_eq!(app.opens(&again), Ok("ada".to_owned()), "{kind:?} {cut}");
        }
    }
}
