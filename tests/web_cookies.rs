//! Which cookie of a request decides, and whose cookie an answer sets.
#![cfg(all(feature = "jwt", feature = "memory"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod web_store;

use pollster::block_on;
use session_policy::web::Auth;

use web_store::{App, KINDS, Kind, NAME, cookie};

const FORGED: &str = "AAAAAAAAAAAAAAAAAAAAAA.AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

fn auth(app: &App, headers: &[&[u8]]) -> Auth {
    app.exchange().auth(headers.iter().copied(), [])
}

/// Who is served, by a request that counts as activity.
fn served(app: &App, headers: &[&[u8]]) -> Result<String, &'static str> {
    match block_on(auth(app, headers).active()) {
        Ok(active) => Ok(active.session.subject().to_owned()),
        Err(refused) => Err(refused.as_str()),
    }
}

#[test]
fn the_cookie_is_found_whatever_stands_beside_it() {
    for kind in KINDS {
        let app = App::of(kind);
        let ada = app.sign_in("ada");
        let ada = ada.as_bytes();
        let long = [b'x'; 100];
        let junk: &[&[u8]] = &[
            b"",
            b" ",
            b"a",
            b"=",
            b"a=",
            b"=a",
            b"a=b",
            b"\xff\x00=\x80",
            b"x__Host-session=y",
            b"__Host-session",
            b"__Host-session2=y",
            b"__host-session=y",
            b"__Host-session =y",
            b"a=__Host-session=y",
            b"\"__Host-session=y\"",
            b"__Host-session=\xff",
            &long,
            b"__Host-session=",
            b"__Host-session= ",
        ];
        for before in junk {
            for (between, after) in
                [(&b"; "[..], &b""[..]), (b";", b";"), (b" ; ", b" \t"), (b";;", b"; a=b")]
            {
                let header = [before, between, ada, after].concat();
                assert_eq!(served(&app, &[&header]), Ok("ada".to_owned()), "{header:?}");
            }
            let header = [ada, &b";"[..], before].concat();
            assert_eq!(served(&app, &[&header]), Ok("ada".to_owned()), "{header:?}");
            assert_eq!(served(&app, &[before, ada]), Ok("ada".to_owned()), "{before:?}");
            assert_eq!(served(&app, &[before]), Err("no_session"), "{before:?}");
        }
    }
}

/// A cookie is taken as it was set: nothing is unquoted, decoded or cut.
#[test]
fn another_spelling_of_a_token_opens_nothing() {
    for kind in KINDS {
        let app = App::of(kind);
        let ada = app.sign_in("ada");
        let token = ada.strip_prefix(NAME).unwrap().strip_prefix('=').unwrap();
        for value in [
            format!("\"{token}\""),
            format!("{token}="),
            format!("{token} x"),
            format!("{token},x"),
            format!("={token}"),
            token[1..].to_owned(),
            token.replace('.', "%2E"),
        ] {
            let header = format!("{NAME}={value}");
            assert_eq!(served(&app, &[header.as_bytes()]), Err("no_session"), "{value}");
        }
    }
}

#[test]
fn of_several_cookies_the_one_that_opens_is_used_wherever_it_stands() {
    for kind in KINDS {
        let app = App::of(kind);
        let ada = app.sign_in("ada");
        let stale: Vec<_> = (0..3).map(|n| format!("{NAME}={}{n}", &FORGED[..65])).collect();
        for place in 0..4 {
            let mut all: Vec<&str> = stale.iter().map(String::as_str).collect();
            all.insert(place, &ada);
            assert_eq!(served(&app, &[all.join("; ").as_bytes()]), Ok("ada".to_owned()), "{place}");
            // HTTP/2 may send each alone.
            let alone: Vec<_> = all.iter().map(|pair| pair.as_bytes()).collect();
            assert_eq!(served(&app, &alone), Ok("ada".to_owned()), "{place}");
        }
        // The same value again is no other cookie, and the first four are looked at.
        let again = [&*stale[0], &stale[0], &stale[1], &stale[1], &stale[2], &ada, &ada].join("; ");
        assert_eq!(served(&app, &[again.as_bytes()]), Ok("ada".to_owned()));
        let fifth = format!("{NAME}={}9", &FORGED[..65]);
        let five = [&*stale[0], &stale[1], &stale[2], &fifth, &ada].join("; ");
        app.store.calls();
        assert_eq!(served(&app, &[five.as_bytes()]), Err("no_session"));
        let looks = if kind == Kind::Opaque { "load 4" } else { "" };
        assert_eq!(app.store.calls(), looks, "{kind:?}");
    }
}

#[test]
fn a_planted_live_cookie_is_ambiguous_and_signing_in_or_out_ends_both() {
    for kind in [Kind::Opaque, Kind::Hybrid] {
        for signs_in in [false, true] {
            let app = App::of(kind);
            let (ada, eve) = (app.sign_in("ada"), app.sign_in("eve"));
            let both = format!("{eve}; {ada}");
            let refused = block_on(auth(&app, &[both.as_bytes()]).active()).unwrap_err();
            assert_eq!((refused.status(), refused.as_str()), (401, "ambiguous"));
            assert!(!refused.is_signed_out());
            assert_eq!((app.opens(&ada), app.opens(&eve)), (Ok("ada".into()), Ok("eve".into())));
            let exchange = app.exchange();
            let auth = exchange.auth([both.as_bytes()], []);
            if signs_in {
                drop(block_on(auth.sign_in("ada")).unwrap());
            } else {
                block_on(auth.sign_out()).unwrap();
            }
            let reply = block_on(exchange.reply([])).unwrap();
            assert_eq!(app.opens(&ada), Err("no_session"), "{kind:?}");
            assert_eq!(app.opens(&eve), Err("no_session"), "{kind:?}");
            assert_eq!(app.opens(&cookie(&reply).unwrap()).is_ok(), signs_in);
            assert_eq!(app.store.len(), usize::from(signs_in));
        }
    }
}

/// A browser may hold a cookie of a former path beside the one of now.
#[test]
fn an_old_generation_beside_the_new_one_is_no_reuse() {
    let app = App::of(Kind::Hybrid);
    let first = app.sign_in("ada");
    let mut cookies = vec![first];
    for _ in 0..3 {
        app.clock.advance(chrono::TimeDelta::seconds(200));
        let exchange = app.exchange();
        let header = cookies.join("; ");
        block_on(exchange.auth([header.as_bytes()], []).active()).unwrap();
        let next = cookie(&block_on(exchange.reply([])).unwrap()).unwrap();
        cookies.insert(0, next);
        assert_eq!(served(&app, &[cookies.join("; ").as_bytes()]), Ok("ada".to_owned()));
        cookies.reverse();
        assert_eq!(served(&app, &[cookies.join("; ").as_bytes()]), Ok("ada".to_owned()));
        cookies.reverse();
    }
    assert_eq!(app.store.len(), 1);
}

/// A look ends nothing, so what counts as activity asks again.
#[test]
fn a_superseded_token_ends_its_session_although_it_was_looked_at_before() {
    let app = App::of(Kind::Hybrid);
    let first = app.sign_in("ada");
    let mut current = first.clone();
    for _ in 0..2 {
        served(&app, &[current.as_bytes()]).unwrap();
        app.clock.advance(chrono::TimeDelta::seconds(200));
        let exchange = app.exchange();
        block_on(exchange.auth([current.as_bytes()], []).active()).unwrap();
        current = cookie(&block_on(exchange.reply([])).unwrap()).unwrap();
    }
    let stolen = auth(&app, &[first.as_bytes()]);
    assert!(block_on(stolen.peeked()).is_err());
    assert_eq!(app.opens(&current), Ok("ada".to_owned()));
    assert!(block_on(stolen.active()).is_err());
    assert_eq!(app.opens(&current), Err("no_session"));
    assert_eq!(app.store.len(), 0);
}

/// What a handler's own `Set-Cookie` makes of a sign-in's.
#[test]
fn a_handlers_own_cookie_wins_and_the_session_lives_if_its_token_is_in_it() {
    let lives = |own: &dyn Fn(&str) -> Vec<String>| {
        let app = App::of(Kind::Opaque).spawning();
        let exchange = app.exchange();
        let started = app.drive(exchange.auth([], []).sign_in("ada"));
        let own = own(started.unwrap().token.as_ref().unwrap().expose());
        let reply = block_on(exchange.reply(own.iter().map(String::as_bytes))).unwrap();
        app.run();
        (reply.set_cookie.is_some(), app.store.len() == 1)
    };
    let one = |text: &str| {
        let text = text.to_owned();
        lives(&move |token| vec![text.replace("TOKEN", token)])
    };
    assert_eq!(lives(&|_| Vec::new()), (true, true));
    // Of another name.
    for other in ["session=x", "__Host-session2=x", "x__Host-session=x", "__host-session=x", "a"] {
        assert_eq!(one(other), (true, true), "{other}");
    }
    for same in [
        "__Host-session=TOKEN",
        "__Host-session=TOKEN; Path=/; Secure; HttpOnly; Max-Age=60",
        " __Host-session = TOKEN ;Path=/",
    ] {
        assert_eq!(one(same), (false, true), "{same}");
    }
    for differs in [
        "__Host-session=x; Path=/; Secure",
        "__Host-session=; Max-Age=0",
        "__Host-session =x",
        "\t__Host-session\t=x",
        "__Host-session=\"TOKEN\"",
        "__Host-session=TOKENx",
    ] {
        assert_eq!(one(differs), (false, false), "{differs}");
    }
    // A browser keeps the last.
    let pair = |value: &str| format!("{NAME}={value}");
    assert_eq!(lives(&|token| vec![pair("x"), pair(token)]), (false, true));
    assert_eq!(lives(&|token| vec![pair(token), "a=b".into(), pair("x")]), (false, false));
}
