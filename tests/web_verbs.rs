//! Verbs of one request, one after the other and at once: who is signed in after them, what
//! is sent, and what is asked of the store.
#![cfg(all(feature = "jwt", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod web_store;

use std::num::NonZeroU32;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use chrono::TimeDelta;
use pollster::block_on;
use session_policy::web::{
    Active, Auth, Bearer, Carrier, Exchange, Reason, SessionCookie, WebSessions,
};
use session_policy::{Policies, SessionLimit, Sessions, SignIn, WhenFull};

use web_store::{App, KINDS, Kind, NAME, Store, cookie, policy};

fn request(app: &App, cookie: &str) -> (Exchange, Auth) {
    let exchange = app.exchange();
    let auth = exchange.auth([cookie.as_bytes()], []);
    (exchange, auth)
}

fn limited(kind: Kind, max: u32, when_full: WhenFull) -> App {
    let limit = SessionLimit::new(NonZeroU32::new(max).unwrap(), when_full);
    App::new(kind, Policies::new(policy()).with_limit("default", limit).unwrap())
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verb {
    In(&'static str),
    Out,
    Rotate,
    Active,
}

impl Verb {
    async fn run(self, auth: &Auth) -> Result<(), &'static str> {
        let done = match self {
            Self::In(subject) => auth.sign_in(subject).await.map(drop),
            Self::Out => auth.sign_out().await,
            Self::Rotate => auth.rotate().await.map(drop),
            Self::Active => auth.active().await.map(drop),
        };
        done.map_err(|refused| refused.as_str())
    }
}

/// Every sequence of three verbs, by a client that holds a session or none, with somebody to
/// run tasks or nobody: the last one decides, one session at most is left, and the cookie
/// opens it.
#[test]
fn of_several_verbs_the_last_one_decides_and_no_session_is_left_over() {
    let verbs = [Verb::In("ada"), Verb::In("grace"), Verb::Out, Verb::Rotate, Verb::Active];
    for kind in KINDS {
        for holds in [false, true] {
            for n in 0..250 {
                let verbs = [verbs[n % 5], verbs[n / 5 % 5], verbs[n / 25 % 5]];
                let app = App::of(kind);
                let app = if n < 125 { app.spawning() } else { app };
                let before = if holds { app.sign_in("ada") } else { String::new() };
                let (exchange, auth) = request(&app, &before);
                let mut signed_in = holds.then_some("ada");
                let mut sent = None;
                for verb in verbs {
                    let done = app.drive(verb.run(&auth));
                    let expected = match (verb, signed_in) {
                        (Verb::Rotate, _) if kind == Kind::Stateless => Err("failed"),
                        (Verb::Rotate | Verb::Active, None) => Err("no_session"),
                        _ => Ok(()),
                    };
                    assert_eq!(done, expected, "{kind:?} {holds} {verbs:?}");
                    match verb {
                        Verb::In(subject) => (signed_in, sent) = (Some(subject), Some(true)),
                        Verb::Out => (signed_in, sent) = (None, holds.then_some(false)),
                        Verb::Rotate if done.is_ok() => sent = Some(true),
                        Verb::Rotate | Verb::Active => {}
                    }
                }
                let reply = block_on(exchange.reply([])).unwrap();
                drop((exchange, auth));
                app.run();
                let answer = cookie(&reply);
                let sets = answer.as_ref().map(|pair| *pair != format!("{NAME}="));
                assert_eq!(sets, sent, "{kind:?} {holds} {verbs:?}");
                let opened = app.opens(answer.as_deref().unwrap_or(&before)).ok();
                assert_eq!(opened.as_deref(), signed_in, "{kind:?} {holds} {verbs:?}");
                if kind != Kind::Stateless {
                    assert_eq!(app.store.len(), usize::from(signed_in.is_some()), "{verbs:?}");
                }
            }
        }
    }
}

#[test]
fn a_request_is_one_load_and_one_bound_however_often_it_asks() {
    for (kind, asked) in [(Kind::Opaque, "load 1"), (Kind::Hybrid, "load 1"), (Kind::Stateless, "")]
    {
        let app = App::of(kind);
        let ada = app.sign_in("ada");
        // A hybrid token is confirmed when it first comes back.
        block_on(request(&app, &ada).1.active()).unwrap();
        for (cookie, bounds) in [(&*ada, 1), ("", 0)] {
            app.store.calls();
            app.directory.asked();
            let (_, auth) = request(&app, cookie);
            for _ in 0..3 {
                assert_eq!(block_on(auth.active()).is_ok(), bounds == 1);
                assert_eq!(block_on(auth.peeked()).is_ok(), bounds == 1);
            }
            let asked = if bounds == 1 { asked } else { "" };
            assert_eq!(
                (app.store.calls(), app.directory.asked()),
                (asked.into(), bounds),
                "{kind:?}"
            );
        }
    }
}

/// An end of what was found needs no second load.
#[test]
fn only_activity_after_a_look_asks_once_more() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        let app = App::of(kind);
        let ada = app.sign_in("ada");
        block_on(request(&app, &ada).1.active()).unwrap();
        app.store.calls();
        let (_, auth) = request(&app, &ada);
        for (verb, calls) in [("peek", "load 1"), ("peek", ""), ("out", "remove 1")] {
            match verb {
                "peek" => drop(block_on(auth.peeked()).unwrap()),
                _ => block_on(auth.sign_out()).unwrap(),
            }
            assert_eq!(app.store.calls(), calls, "{kind:?} {verb}");
        }
        let (_, auth) = request(&app, &app.sign_in("ada"));
        drop(block_on(auth.peeked()).unwrap());
        app.store.calls();
        drop(block_on(auth.active()).unwrap());
        assert!(app.store.calls().starts_with("load 1"), "{kind:?}");
    }
}

#[test]
fn a_refusal_is_found_once_too() {
    let app = App::of(Kind::Opaque);
    let ada = app.sign_in("ada");
    app.store.fail(true);
    app.store.calls();
    let (_, auth) = request(&app, &ada);
    for _ in 0..3 {
        assert_eq!(block_on(auth.active()).unwrap_err().as_str(), "unavailable");
        assert_eq!(block_on(auth.peeked()).unwrap_err().as_str(), "unavailable");
        assert_eq!(block_on(auth.list()).unwrap_err().as_str(), "unavailable");
    }
    assert_eq!(app.store.calls(), "load 1");
}

#[test]
fn a_sign_in_replaces_what_the_client_holds_and_the_limit_does_not_count_it() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        for when_full in [WhenFull::Refuse, WhenFull::EndOldest] {
            let app = limited(kind, 2, when_full);
            let phone = app.sign_in("ada");
            let mut laptop = app.sign_in("ada");
            for _ in 0..3 {
                let (exchange, auth) = request(&app, &laptop);
                drop(block_on(auth.sign_in("ada")).unwrap());
                let next = cookie(&block_on(exchange.reply([])).unwrap()).unwrap();
                assert_eq!(app.opens(&laptop), Err("no_session"));
                assert_eq!(app.opens(&phone), Ok("ada".to_owned()), "{kind:?} {when_full:?}");
                laptop = next;
            }
            assert_eq!(app.store.len(), 2);
        }
    }
}

/// Of those that go, one that would count is the one that the limit leaves out.
#[test]
fn of_several_that_a_sign_in_ends_none_counts() {
    for order in [0, 1] {
        let app = limited(Kind::Opaque, 1, WhenFull::Refuse);
        let (ada, eve) = (app.sign_in("ada"), app.sign_in("eve"));
        let both = if order == 0 { format!("{ada}; {eve}") } else { format!("{eve}; {ada}") };
        drop(block_on(request(&app, &both).1.sign_in("ada")).unwrap());
        assert_eq!(app.store.len(), 1, "{order}");
    }
    // A guest's session is named, and the client holds one of its own.
    let app = limited(Kind::Opaque, 1, WhenFull::Refuse);
    let (ada, guest) = (app.sign_in("ada"), app.sign_in("guest-1"));
    let guest = block_on(request(&app, &guest).1.peeked()).unwrap().session.clone();
    let auth = request(&app, &ada).1;
    drop(block_on(auth.sign_in(SignIn::of("ada").replacing(&guest))).unwrap());
    assert_eq!(app.store.len(), 1);
}

/// The page: the limit is reached, and the user chooses which session goes.
#[test]
fn what_too_many_names_can_be_replaced() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        let app = limited(kind, 2, WhenFull::Refuse);
        let (phone, tablet) = (app.sign_in("ada"), app.sign_in("ada"));
        let (exchange, auth) = request(&app, "");
        let refused = block_on(auth.sign_in("ada")).unwrap_err();
        assert_eq!((refused.status(), refused.as_str()), (409, "too_many_sessions"));
        assert!(!refused.problem().contains("ada"));
        let Reason::TooMany { sessions, max_sessions } = refused.reason() else { panic!() };
        assert_eq!((sessions.len(), max_sessions.get()), (2, 2));
        let id = block_on(request(&app, &tablet).1.peeked()).unwrap().session.id();
        let chosen = sessions.iter().find(|session| session.id() == id).unwrap();
        drop(block_on(auth.sign_in(SignIn::of("ada").replacing(chosen))).unwrap());
        let laptop = cookie(&block_on(exchange.reply([])).unwrap()).unwrap();
        assert_eq!(app.opens(&phone), Ok("ada".to_owned()));
        assert_eq!(app.opens(&tablet), Err("no_session"));
        assert_eq!(app.opens(&laptop), Ok("ada".to_owned()));
    }
}

/// Whoever wants to leave may, whatever the directory says, and for good.
#[test]
fn a_sign_out_asks_no_bound_and_ends_what_is_not_served_just_now() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        for change in [0, 1, 2] {
            let app = App::of(kind);
            let ada = app.sign_in("ada");
            match change {
                0 => app.directory.go_away(true),
                1 => app.directory.suspend(true),
                _ => {
                    app.clock.advance(TimeDelta::seconds(1_800));
                }
            }
            app.directory.asked();
            let (exchange, auth) = request(&app, &ada);
            block_on(auth.sign_out()).unwrap();
            assert_eq!(app.directory.asked(), 0, "{kind:?} {change}");
            let cleared = cookie(&block_on(exchange.reply([])).unwrap());
            assert_eq!(cleared, Some(format!("{NAME}=")));
            assert_eq!(app.store.len(), 0, "{kind:?} {change}");
        }
    }
}

/// It might be served again, by another policy.
#[test]
fn a_sign_out_ends_what_another_cookie_holds_although_only_one_is_served() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        let app = App::of(kind);
        let eve = app.sign_in("eve");
        app.clock.advance(TimeDelta::seconds(1_000));
        let ada = app.sign_in("ada");
        app.clock.advance(TimeDelta::seconds(800));
        assert_eq!(app.opens(&eve), Err("idle"));
        let (_, auth) = request(&app, &format!("{eve}; {ada}"));
        assert_eq!(block_on(auth.active()).unwrap().session.subject(), "ada");
        block_on(auth.sign_out()).unwrap();
        assert_eq!(app.store.len(), 0, "{kind:?}");
    }
}

#[test]
fn a_page_of_devices_ends_one_or_all_others_and_nobody_elses() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        let app = App::of(kind);
        let [phone, laptop, tablet] = [(); 3].map(|()| app.sign_in("ada"));
        let eve = app.sign_in("eve");
        let id_of = |cookie: &str| block_on(request(&app, cookie).1.peeked()).unwrap().session.id();
        let end = |id| block_on(request(&app, &phone).1.end(&id));
        let (phones, laptops, eves) = (id_of(&phone), id_of(&laptop), id_of(&eve));
        let listed = block_on(request(&app, &phone).1.list()).unwrap();
        assert_eq!(listed.len(), 3);
        assert!(listed.iter().all(|session| session.subject() == "ada"));

        assert!(!end(eves).unwrap(), "{kind:?}");
        assert!(end(laptops).unwrap() && !end(laptops).unwrap(), "{kind:?}");
        assert_eq!(app.opens(&laptop), Err("no_session"));
        drop(app.sign_in("ada"));
        assert_eq!(block_on(request(&app, &phone).1.end_others()).unwrap(), 2);
        assert_eq!(block_on(request(&app, &phone).1.end_others()).unwrap(), 0);
        assert_eq!(app.opens(&tablet), Err("no_session"));
        assert_eq!(app.opens(&phone), Ok("ada".to_owned()));

        // Its own: the cookie goes, too.
        let (exchange, auth) = request(&app, &phone);
        assert!(block_on(auth.end(&phones)).unwrap());
        assert_eq!(cookie(&block_on(exchange.reply([])).unwrap()), Some(format!("{NAME}=")));
        assert_eq!(app.opens(&eve), Ok("eve".to_owned()));
        assert_eq!(app.store.len(), 1, "{kind:?}");
    }
}

#[test]
fn a_carrier_of_cookies_alone_starts_no_session_of_a_bearer() {
    let app = App::of(Kind::Opaque);
    let refused = block_on(request(&app, "").1.sign_in_bearer("ada")).unwrap_err();
    assert!(matches!(refused.reason(), Reason::Misuse(_)));
    assert_eq!(app.store.len(), 0);
}

#[test]
fn a_forged_token_signs_nobody_out() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        let app = App::of(kind);
        let ada = app.sign_in("ada");
        let last = if ada.ends_with('A') { "B" } else { "A" };
        let (middle, _) = ada.split_at(ada.len() - 10);
        let forged = format!("{middle}{}{last}", &ada[ada.len() - 10..ada.len() - 1]);
        block_on(request(&app, &forged).1.sign_out()).unwrap();
        drop(block_on(request(&app, &forged).1.sign_in("eve")).unwrap());
        assert_eq!(app.opens(&ada), Ok("ada".to_owned()), "{kind:?}");
    }
}

#[test]
fn a_verb_after_the_answer_is_refused_before_the_store_is_touched() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        let app = App::of(kind);
        let ada = app.sign_in("ada");
        let (exchange, auth) = request(&app, &ada);
        block_on(exchange.reply([]));
        app.store.calls();
        for verb in [Verb::In("ada"), Verb::Out, Verb::Rotate] {
            assert_eq!(block_on(verb.run(&auth)), Err("failed"), "{verb:?}");
            assert_eq!(app.store.calls(), "", "{verb:?}");
        }
        assert_eq!(app.opens(&ada), Ok("ada".to_owned()));
    }
}

/// Another task began it in time.
#[test]
fn a_verb_that_is_done_after_the_answer_leaves_no_session() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        // Without somebody to run tasks the verb itself ends it.
        let app = App::of(kind);
        app.store.wait(true);
        let (exchange, auth) = request(&app, "");
        {
            let mut verb = pin!(auth.sign_in("ada"));
            let mut context = Context::from_waker(Waker::noop());
            assert!(verb.as_mut().poll(&mut context).is_pending());
            assert_eq!(block_on(exchange.reply([])).unwrap().set_cookie, None);
            assert!(app.drive(verb).is_err());
        }
        assert_eq!(app.store.len(), 0, "{kind:?}");

        let app = App::of(kind).spawning();
        app.store.wait(true);
        let (exchange, auth) = request(&app, "");
        let mut verb = pin!(auth.sign_in("ada"));
        let mut context = Context::from_waker(Waker::noop());
        assert!(verb.as_mut().poll(&mut context).is_pending());
        let reply = block_on(exchange.reply([])).unwrap();
        assert_eq!(reply.set_cookie, None);
        app.run();
        let Poll::Ready(Err(refused)) = verb.as_mut().poll(&mut context) else { panic!() };
        assert!(matches!(refused.reason(), Reason::Misuse(_)));
        app.run();
        assert_eq!(app.store.len(), 0, "{kind:?}");
    }
}

/// Two sign-ins of one request, step by step in every order that two allow.
#[test]
fn of_verbs_that_run_at_once_one_session_is_left() {
    for second in [Verb::In("grace"), Verb::Out] {
        for order in 0..1_u32 << 10 {
            let app = App::of(Kind::Opaque).spawning();
            let ada = app.sign_in("ada");
            app.store.wait(true);
            let (exchange, auth) = request(&app, &ada);
            let mut one = pin!(Verb::In("ada").run(&auth));
            let mut two = pin!(second.run(&auth));
            let (mut one_done, mut two_done) = (false, false);
            let mut context = Context::from_waker(Waker::noop());
            let mut step = 0;
            while !(one_done && two_done) {
                app.step();
                let first = step >= 10 && !one_done || order >> step.min(9) & 1 == 0;
                step += 1;
                if first && !one_done {
                    one_done = one.as_mut().poll(&mut context).is_ready();
                } else if !two_done {
                    two_done = two.as_mut().poll(&mut context).is_ready();
                }
            }
            app.store.wait(false);
            let set = cookie(&block_on(exchange.reply([])).unwrap()).unwrap();
            app.run();
            let left = usize::from(set.len() > NAME.len() + 1);
            assert_eq!(app.store.len(), left, "{second:?} {order:b}");
            assert_eq!(app.opens(&set).is_ok(), left == 1, "{second:?} {order:b}");
        }
    }
}

/// A look that another task began must not undo what a verb says.
#[test]
fn a_verb_has_the_last_word_over_a_look_under_way() {
    let app = App::of(Kind::Opaque).spawning();
    let ada = app.sign_in("ada");
    let (_, auth) = request(&app, &ada);
    app.store.wait(true);
    let mut look = pin!(auth.active());
    let mut context = Context::from_waker(Waker::noop());
    // It has loaded the session, and not gone on.
    for _ in 0..2 {
        assert!(look.as_mut().poll(&mut context).is_pending());
    }
    app.store.wait(false);
    app.drive(auth.sign_out()).unwrap();
    let Poll::Ready(Err(refused)) = look.as_mut().poll(&mut context) else { panic!() };
    assert_eq!(refused.as_str(), "no_session");
    assert!(block_on(auth.active()).is_err());
}

#[test]
fn a_bearer_is_never_sent_a_cookie_and_leaves_those_of_a_page_alone() {
    let store = Store::default();
    let sessions = Sessions::new(store.clone(), policy());
    let either = Carrier::either(SessionCookie::host("session"), Bearer::new());
    let web = WebSessions::new(sessions, either).unwrap();
    let exchange = web.exchange();
    drop(block_on(exchange.auth([], []).sign_in("ada")).unwrap());
    let ada = cookie(&block_on(exchange.reply([])).unwrap()).unwrap();
    // A page hands out a token for a command line.
    let exchange = web.exchange();
    let auth = exchange.auth([ada.as_bytes()], []);
    let subject = block_on(auth.active()).unwrap().session.subject().to_owned();
    let started = block_on(auth.sign_in_bearer(subject)).unwrap();
    assert_eq!(block_on(exchange.reply([])).unwrap().set_cookie, None);
    let page = web.exchange().auth([ada.as_bytes()], []);
    assert!(block_on(page.active()).is_ok());
    assert_eq!(store.len(), 2);
    // It rotates, and signs out.
    let header = format!("Bearer {}", started.token.as_ref().unwrap().expose());
    let exchange = web.exchange();
    let rotated = block_on(exchange.auth([], [header.as_bytes()]).rotate()).unwrap();
    assert_eq!(block_on(exchange.reply([])).unwrap().set_cookie, None);
    let header = format!("bearer  {} ", rotated.token.as_ref().unwrap().expose());
    let exchange = web.exchange();
    let auth = exchange.auth([ada.as_bytes()], [header.as_bytes()]);
    block_on(auth.sign_out()).unwrap();
    assert_eq!(block_on(exchange.reply([])).unwrap().set_cookie, None);
    assert_eq!(store.len(), 1);
    assert!(block_on(page.active()).is_ok());
}

#[test]
fn a_bearer_that_signs_in_again_leaves_no_session_behind() {
    let store = Store::default();
    let either = Carrier::either(SessionCookie::host("session"), Bearer::new());
    let web = WebSessions::new(Sessions::new(store.clone(), policy()), either).unwrap();
    let token = |active: &Active| active.token.as_ref().unwrap().expose().to_owned();
    let first = token(&block_on(web.exchange().auth([], []).sign_in_bearer("ada")).unwrap());
    let header = format!("Bearer {first}");
    let auth = web.exchange().auth([], [header.as_bytes()]);
    let second = token(&block_on(auth.sign_in_bearer("ada")).unwrap());
    assert_eq!(store.len(), 1);
    for (token, opens) in [(first, false), (second, true)] {
        let header = format!("Bearer {token}");
        let auth = web.exchange().auth([], [header.as_bytes()]);
        assert_eq!(block_on(auth.active()).is_ok(), opens);
    }
}

/// `SameSite=Lax` keeps the cookie from another site's form, and the browser would still take
/// the answer's `Set-Cookie`: the user would be signed out, and the session live on.
#[test]
fn a_sign_out_without_the_cookie_clears_none() {
    for kind in KINDS {
        let app = App::of(kind);
        let ada = app.sign_in("ada");
        let exchange = app.exchange();
        block_on(exchange.auth([], []).sign_out()).unwrap();
        assert_eq!(block_on(exchange.reply([])).unwrap().set_cookie, None);
        assert_eq!(app.opens(&ada), Ok("ada".to_owned()));
        // One that opens nothing is cleared.
        let (exchange, auth) = request(&app, &format!("{NAME}=junk"));
        block_on(auth.sign_out()).unwrap();
        assert_eq!(cookie(&block_on(exchange.reply([])).unwrap()).unwrap(), format!("{NAME}="));
    }
}

#[test]
fn of_two_authorization_headers_none_counts() {
    let web = WebSessions::new(Sessions::new(Store::default(), policy()), Bearer::new()).unwrap();
    let started = block_on(web.exchange().auth([], []).sign_in("ada")).unwrap();
    let good = format!("Bearer {}", started.token.as_ref().unwrap().expose());
    let served = |headers: &[&str]| {
        let headers = headers.iter().map(|header| header.as_bytes());
        block_on(web.exchange().auth([], headers).active()).is_ok()
    };
    assert!(served(&[&good]));
    for headers in [&[&*good, "Bearer x"][..], &["Bearer x", &good], &[&good, &good], &["", &good]]
    {
        assert!(!served(headers), "{headers:?}");
    }
    let token = started.token.as_ref().unwrap().expose();
    for header in ["", "Bearer", "Bearer ", token, "Basic x"] {
        assert!(!served(&[header]), "{header}");
    }
    for header in
        [format!("Bearer{token}"), format!("Bearer:{token}"), format!("Bearer \"{token}\"")]
    {
        assert!(!served(&[&header]), "{header}");
    }
}

#[test]
fn what_the_store_could_not_do_is_no_sign_out() {
    let app = App::of(Kind::Opaque).spawning();
    let ada = app.sign_in("ada");
    let (exchange, auth) = request(&app, &ada);
    block_on(auth.active()).unwrap();
    app.store.fail(true);
    assert_eq!(app.drive(auth.sign_out()).unwrap_err().status(), 503);
    assert_eq!(app.drive(auth.sign_in("grace")).unwrap_err().status(), 503);
    app.store.fail(false);
    assert_eq!(block_on(exchange.reply([])).unwrap().set_cookie, None);
    assert_eq!(app.opens(&ada), Ok("ada".to_owned()));
}
