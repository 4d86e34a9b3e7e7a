//! Law 12 behind a carrier, with handlers that take their time: a browser whose session
//! lives holds a cookie that opens it, whichever answers are lost, late or reordered.
#![cfg(all(feature = "jwt", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod web_store;

use chrono::TimeDelta;
use pollster::block_on;
use session_policy::web::Exchange;
use session_policy::{ManualClock, Timestamp};

use web_store::{App, KINDS, Kind, cookie};

/// What a request takes at most, and its answer: less than the grace less the skew.
const TRANSIT: u64 = 29;

/// Draws, the same in every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_041);
        (self.0 >> 33) % bound
    }
}

enum Event {
    /// With the cookie that it was sent with.
    AtServer {
        cookie: String,
        handler: u64,
        back: u64,
        is_lost: bool,
    },
    HandlerIsDone {
        exchange: Exchange,
        back: u64,
        is_lost: bool,
    },
    AtBrowser(String),
}

struct World {
    app: App,
    now: u64,
    jar: String,
    under_way: Vec<(u64, Event)>,
    reissued: u32,
}

impl World {
    fn new(kind: Kind) -> Self {
        let app = App::of(kind);
        let jar = app.sign_in("ada");
        Self { app, now: 0, jar, under_way: Vec::new(), reissued: 0 }
    }

    fn send(&mut self, there: u64, handler: u64, back: u64, is_lost: bool) {
        let event = Event::AtServer { cookie: self.jar.clone(), handler, back, is_lost };
        self.under_way.push((self.now + there, event));
    }

    fn pass(&mut self, until: u64) {
        loop {
            let next = self.under_way.iter().map(|(at, _)| *at).filter(|at| *at <= until).min();
            let Some(next) = next else { break };
            let place = self.under_way.iter().position(|(at, _)| *at == next).unwrap();
            let (_, event) = self.under_way.remove(place);
            self.set(next);
            match event {
                Event::AtServer { cookie, handler, back, is_lost } => {
                    let exchange = self.app.exchange();
                    let auth = exchange.auth([cookie.as_bytes()], []);
                    // Refused is only who comes with a cookie of long ago.
                    let _ = block_on(auth.active());
                    let event = Event::HandlerIsDone { exchange, back, is_lost };
                    self.under_way.push((next + handler, event));
                }
                Event::HandlerIsDone { exchange, back, is_lost } => {
                    let set = cookie(&block_on(exchange.reply([])).unwrap());
                    if let Some(set) = set.filter(|_| !is_lost) {
                        self.reissued += 1;
                        self.under_way.push((next + back, Event::AtBrowser(set)));
                    }
                }
                Event::AtBrowser(set) => self.jar = set,
            }
        }
        self.set(until);
    }

    fn set(&mut self, now: u64) {
        self.now = now;
        let now = Timestamp::from_unix_secs(1_800_000_000 + i64::try_from(now).unwrap());
        let clock: &ManualClock = &self.app.clock;
        clock.set(now);
    }
}

#[test]
fn a_browser_whose_session_lives_holds_a_cookie_that_opens_it() {
    for kind in KINDS {
        let mut reissued = 0;
        for seed in 0..150 {
            let (mut draw, mut world) = (Draw(seed * 77 + 1), World::new(kind));
            for _ in 0..40 {
                let transit = |draw: &mut Draw| draw.below(TRANSIT + 1);
                let (there, back) = (transit(&mut draw), transit(&mut draw));
                // Without a row the next request makes it good, within the time that is left.
                let has_row = kind != Kind::Stateless;
                let slowest = if has_row { 5 } else { 3 };
                let handler = [0, 1, 40, 300, 1_200][usize::try_from(draw.below(slowest)).unwrap()];
                let is_lost = draw.below(4) == 0 && has_row;
                world.send(there, handler, back, is_lost);
                let gap = match draw.below(4) {
                    0 => 0,
                    1 => draw.below(20),
                    2 => 110 + draw.below(30),
                    _ => draw.below(300),
                };
                world.pass(world.now + gap);
                let opened = world.app.opens(&world.jar);
                assert_eq!(opened, Ok("ada".to_owned()), "{kind:?} {seed} at {}", world.now);
            }
            let now = world.now;
            world.pass(now + if kind == Kind::Stateless { 100 } else { 1_300 });
            assert_eq!(world.app.opens(&world.jar), Ok("ada".to_owned()), "{kind:?} {seed}");
            reissued += world.reissued;
        }
        assert_eq!(reissued > 100, kind != Kind::Opaque, "{kind:?} {reissued}");
    }
}

/// A request that has its token issued anew, and is not answered yet.
fn reissuing(app: &App) -> (String, Exchange) {
    let first = app.sign_in("ada");
    block_on(app.exchange().auth([first.as_bytes()], []).active()).unwrap();
    app.clock.advance(TimeDelta::seconds(200));
    let exchange = app.exchange();
    block_on(exchange.auth([first.as_bytes()], []).active()).unwrap();
    (first, exchange)
}

fn answer(exchange: &Exchange) -> Option<String> {
    cookie(&block_on(exchange.reply([])).unwrap())
}

fn active(app: &App, cookie: &str) -> Option<String> {
    let exchange = app.exchange();
    block_on(exchange.auth([cookie.as_bytes()], []).active()).unwrap();
    answer(&exchange)
}

#[test]
fn a_reissue_of_a_session_that_ended_or_was_rotated_meanwhile_is_not_sent() {
    for rotates in [false, true] {
        let app = App::of(Kind::Hybrid);
        let (first, late) = reissuing(&app);
        let auth = app.exchange().auth([first.as_bytes()], []);
        if rotates {
            drop(block_on(auth.rotate()).unwrap());
        } else {
            block_on(auth.sign_out()).unwrap();
        }
        assert_eq!(answer(&late), None);
    }
    let app = App::of(Kind::Hybrid);
    let (_, late) = reissuing(&app);
    assert!(answer(&late).is_some());
}

/// The other tab was given the same generation, has confirmed it, and is given the next one.
#[test]
fn a_reissue_that_another_request_went_beyond_is_not_sent() {
    let app = App::of(Kind::Hybrid);
    let (first, late) = reissuing(&app);
    let second = active(&app, &first).unwrap();
    assert_eq!(active(&app, &second), None);
    app.clock.advance(TimeDelta::seconds(200));
    let third = active(&app, &second).unwrap();
    assert_eq!(answer(&late), None);
    // Nor would it be good: it ends the session once the third has been in use for long.
    assert_eq!(active(&app, &third), None);
    app.clock.advance(TimeDelta::seconds(100));
    assert_eq!(app.opens(&third), Ok("ada".to_owned()));
    assert_eq!(app.opens(&second), Err("no_session"));
}

/// Where it is confirmed the client has it, and may be given the next one at any time.
#[test]
fn a_reissue_that_the_client_was_given_otherwise_is_not_sent() {
    let app = App::of(Kind::Hybrid);
    let (first, late) = reissuing(&app);
    let second = active(&app, &first).unwrap();
    assert_eq!(active(&app, &second), None);
    assert_eq!(answer(&late), None);
}

#[test]
fn a_reissue_that_cannot_be_looked_at_is_not_sent_and_made_good_later() {
    let app = App::of(Kind::Hybrid);
    let (first, late) = reissuing(&app);
    app.store.fail(true);
    assert_eq!(answer(&late), None);
    app.store.fail(false);
    assert!(active(&app, &first).is_some());
}

/// Beyond 400 days a cookie is sent at every renewal, and no time is looked at twice.
#[test]
fn without_a_reissue_there_is_no_second_look() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        let app = App::of(kind);
        let ada = app.sign_in("ada");
        active(&app, &ada);
        app.store.calls();
        active(&app, &ada);
        assert_eq!(app.store.calls(), "load 1", "{kind:?}");
    }
}
