//! The API over a real socket, by a clock that the test moves.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::sync::atomic::Ordering;
use std::time::Duration;

use common::{CAP, GRACE, START, log, site, site_over};
use reqwest::Method;
use serde_json::json;
use session_policy::web::SessionCookie;
use session_policy_actix_app::server::{self, TOKEN_HEADER};
use session_policy_actix_app::users::AT_A_TIME;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// How long the sweep leaves what has ended.
const RETENTION: i64 = 86_400;
const ATTRIBUTES: &str = "; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=";

#[actix_web::test]
async fn a_sign_in_sets_the_cookie_to_the_letter() {
    let site = site();
    let answer = site.login("ada", "correct horse", "").await;
    let pair = answer.pair();
    assert!(pair.starts_with("__Host-session=ey"), "{pair}");
    assert_eq!(answer.set_cookie().unwrap(), format!("{pair}{ATTRIBUTES}28800"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let status = json!({
        "now": START,
        "idle_expires_at": START + 1_800,
        "absolute_expires_at": START + CAP,
        "extendable": true,
    });
    assert_eq!(answer.json["status"], status);
    let me = site.get("/me", &pair).await;
    assert_eq!((me.status.as_u16(), me.set_cookie()), (200, None));
    assert_eq!(me.json, answer.json);

    let body = json!({ "user": "bob", "password": "battery staple", "remember": true });
    let remembered = site.send(Method::POST, "/login", "", &[], Some(body)).await;
    assert!(remembered.set_cookie().unwrap().ends_with(&format!("{ATTRIBUTES}3888000")));
    assert_eq!(remembered.json["profile"], "remember-me");
}

#[actix_web::test]
async fn over_plain_http_on_loopback_the_cookie_is_another_and_not_secure() {
    let site = site_over(SessionCookie::loopback("session"), "session");
    let answer = site.login("ada", "correct horse", "").await;
    let pair = answer.pair();
    let expected = format!("{pair}; Path=/; HttpOnly; SameSite=Lax; Max-Age=28800");
    assert_eq!(answer.set_cookie().unwrap(), expected);
    assert!(pair.starts_with("session="));
    assert_eq!(site.get("/me", &pair).await.status, 200);
    let renamed = pair.replace("session=", "__Host-session=");
    assert_eq!(site.get("/me", &renamed).await.problem(), (401, "no_session"));
}

/// What the program says on its way out when it is started like this.
fn refused(arguments: &[&str], workers: &str) -> String {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_session-policy-actix-app"))
        .args(arguments)
        .env("WORKERS", workers)
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn plain_http_on_another_address_is_refused() {
    let error = refused(&["--plain-http", "--listen", "0.0.0.0:0"], "2");
    assert!(error.contains("--plain-http and --listen `0.0.0.0:0`"), "{error}");
}

#[test]
fn a_start_without_workers_is_refused() {
    for error in [refused(&[], "0"), refused(&["--workers", "0"], "2")] {
        assert!(error.contains("invalid value '0' for '--workers <WORKERS>'"), "{error}");
    }
}

#[test]
fn an_address_in_use_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let error = refused(&["--listen", &address], "2");
    assert!(error.contains(&format!("cannot listen on `{address}`: ")), "{error}");
}

#[actix_web::test]
async fn constant_activity_slides_with_a_new_token_per_renewal_until_the_cap() {
    let site = site();
    let mut cookie = site.ada().await;
    for at in (60..CAP).step_by(60) {
        site.at(at);
        let answer = site.get("/me", &cookie).await;
        assert_eq!(answer.status, 200, "at {at} s");
        if let Some(set) = answer.set_cookie() {
            assert!(set.ends_with(&format!("{ATTRIBUTES}{}", CAP - at)), "at {at} s: {set}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            cookie = answer.pair();
        }
        // Also where the end is pinned at the cap: the token still rotates.
        assert_eq!(answer.set_cookie().is_some(), at % 300 == 0, "at {at} s");
    }
    site.at(CAP - 1);
    assert_eq!(site.get("/me", &cookie).await.status, 200);
    site.at(CAP);
    let ended = site.get("/me", &cookie).await;
    assert_eq!(ended.problem(), (401, "absolute_cap"));
    assert_eq!(ended.header("www-authenticate"), None, "that is for bearers");
    assert_eq!(ended.set_cookie(), None, "only a sign-out clears it");
}

#[actix_web::test]
async fn an_idle_session_ends_to_the_second_and_polling_does_not_keep_it() {
    let site = site();
    let cookie = site.ada().await;
    for at in (60..1_800).step_by(60) {
        site.at(at);
        let status = site.get("/session/status", &cookie).await;
        assert_eq!(status.json["idle_expires_at"], START + 1_800, "at {at} s");
        assert_eq!((status.json["now"].clone(), status.set_cookie()), ((START + at).into(), None));
        assert_eq!(status.header("cache-control"), Some("no-store"));
    }
    assert_eq!(site.store.renewals.load(Ordering::SeqCst), 0);
    site.at(1_799);
    assert_eq!(site.get("/session/status", &cookie).await.status, 200);
    site.at(1_800);
    for path in ["/session/status", "/me"] {
        let ended = site.get(path, &cookie).await;
        assert_eq!(ended.problem(), (401, "idle"));
        assert_eq!(ended.set_cookie(), None, "only a sign-out clears it");
    }
}

#[actix_web::test]
async fn a_burst_at_the_renewal_instant_writes_once_and_signs_nobody_out() {
    let site = std::rc::Rc::new(site());
    let cookie = site.ada().await;
    site.at(300);
    let requests: Vec<_> = (0..100)
        .map(|_| {
            let (site, cookie) = (site.clone(), cookie.clone());
            actix_web::rt::spawn(async move { site.get("/me", &cookie).await })
        })
        .collect();
    let mut set = Vec::new();
    for request in requests {
        let answer = request.await.unwrap();
        assert_eq!(answer.status, 200);
        set.extend(answer.set_cookie().is_some().then(|| answer.pair()));
    }
    assert_eq!(site.store.renewals.load(Ordering::SeqCst), 1);
    assert!(!set.is_empty(), "the winner has a new token");
    // Whichever answer came last, the browser goes on: with the new token, or
    // with the one that it replaces.
    for cookie in set.iter().chain([&cookie]) {
        assert_eq!(site.get("/me", cookie).await.status, 200);
    }
    // But not once the new one is long in use.
    site.at(300 + GRACE);
    let stolen = site.get("/me", &cookie).await;
    assert_eq!(stolen.problem(), (401, "no_session"));
    assert_eq!(site.get("/me", &set[0]).await.problem(), (401, "no_session"), "ended for both");
}

#[actix_web::test]
async fn a_stolen_token_is_refused_after_sign_out_and_so_is_a_request_in_flight() {
    let site = site();
    let cookie = site.ada().await;
    let other = site.ada().await;
    let answer = site.post("/logout", &cookie).await;
    assert_eq!(answer.status, 204);
    assert_eq!(answer.set_cookie().unwrap(), format!("__Host-session={ATTRIBUTES}0"));
    site.at(300); // Due, which a sign-out is not undone by.
    for path in ["/me", "/session/status", "/sessions"] {
        let answer = site.get(path, &cookie).await;
        assert_eq!((answer.problem(), answer.set_cookie()), ((401, "no_session"), None));
    }
    let again = site.post("/logout", &cookie).await;
    assert_eq!((again.status.as_u16(), again.set_cookie()), (204, answer.set_cookie()));
    assert_eq!(site.get("/me", &other).await.status, 200, "only that session");
}

#[actix_web::test]
async fn users_see_and_end_their_own_sessions_only() {
    let site = site();
    let (ada, phone, tablet) = (site.ada().await, site.ada().await, site.ada().await);
    let bob = site.login("bob", "battery staple", "").await;
    let listed = site.get("/sessions", &ada).await.json;
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.len(), 3);
    assert_eq!(listed.iter().filter(|device| device["current"] == true).count(), 1);
    let id = |me: &common::Answer| me.json["session"].as_str().unwrap().to_owned();

    let bobs = format!("/sessions/{}", id(&bob));
    for path in [&*bobs, "/sessions/AAAAAAAAAAAAAAAAAAAAAA", "/sessions/not-an-id", "/nowhere"] {
        assert_eq!(site.delete(path, &ada).await.problem(), (404, "not_found"), "{path}");
    }
    assert_eq!(site.get("/me", &bob.pair()).await.status, 200);
    assert_eq!(site.delete("/sessions", "").await.problem(), (401, "no_session"));

    let phones = format!("/sessions/{}", id(&site.get("/me", &phone).await));
    let answer = site.delete(&phones, &ada).await;
    assert_eq!((answer.status.as_u16(), answer.set_cookie()), (204, None));
    assert_eq!(site.get("/me", &phone).await.problem(), (401, "no_session"));
    assert_eq!(site.delete("/sessions", &ada).await.json, json!({ "ended": 1 }));
    assert_eq!(site.get("/me", &tablet).await.problem(), (401, "no_session"));

    let own = format!("/sessions/{}", id(&site.get("/me", &ada).await));
    assert!(site.delete(&own, &ada).await.set_cookie().unwrap().ends_with("Max-Age=0"));
    assert_eq!(site.get("/me", &ada).await.problem(), (401, "no_session"));
}

#[actix_web::test]
async fn an_answer_that_is_lost_costs_nothing() {
    let site = site();
    let signed_in = site.login("ada", "correct horse", "").await;
    assert!(signed_in.set_cookie().unwrap().ends_with("; Max-Age=28800"));
    let cookie = signed_in.pair();
    site.at(1_790);
    assert!(site.get("/me", &cookie).await.set_cookie().is_some()); // This one is lost.
    site.at(1_795);
    let again = site.get("/me", &cookie).await;
    assert_eq!(again.status, 200);
    assert!(again.set_cookie().unwrap().ends_with(&format!("; Max-Age={}", CAP - 1_795)));
    // It was lost, too, and all the while the session goes on.
    site.at(1_790 + 1_799);
    let next = site.get("/me", &cookie).await;
    assert_eq!(next.status, 200);
    assert_eq!(site.get("/me", &next.pair()).await.status, 200);
}

#[actix_web::test]
async fn of_two_requests_at_the_idle_end_the_refused_one_leaves_the_cookie_of_the_other() {
    let site = std::rc::Rc::new(site());
    let cookie = site.ada().await;
    site.at(1_799);
    site.store.updates.hold(true);
    let renewing = actix_web::rt::spawn({
        let (site, cookie) = (site.clone(), cookie.clone());
        async move { site.get("/me", &cookie).await }
    });
    site.store.updates.until_one_is_held().await;
    site.at(1_800);
    let refused = site.get("/me", &cookie).await;
    assert_eq!((refused.problem(), refused.set_cookie()), ((401, "idle"), None));
    site.store.updates.hold(false);
    assert_eq!(renewing.await.unwrap().status, 200);
    assert_eq!(site.get("/me", &cookie).await.status, 200);
}

#[actix_web::test]
async fn a_late_refusal_leaves_the_cookie_of_the_next_sign_in() {
    let site = std::rc::Rc::new(site());
    let before = site.ada().await;
    site.at(1_800);
    site.store.loads.hold(true);
    let late = actix_web::rt::spawn({
        let (site, before) = (site.clone(), before.clone());
        async move { site.get("/me", &before).await }
    });
    site.store.loads.until_one_is_held().await;
    let after = site.ada().await;
    site.store.loads.hold(false);
    let late = late.await.unwrap();
    assert_eq!((late.problem(), late.set_cookie()), ((401, "idle"), None));
    assert_eq!(site.get("/me", &after).await.status, 200);
}

#[actix_web::test]
async fn a_sign_in_ends_the_session_that_the_client_had() {
    let site = site();
    let first = site.ada().await;
    let second = site.login("ada", "correct horse", &first).await.pair();
    assert_eq!(site.get("/me", &first).await.problem(), (401, "no_session"));
    assert_eq!(site.get("/me", &second).await.status, 200);
}

#[actix_web::test]
async fn no_response_is_to_be_stored() {
    let site = site();
    let (cookie, other) = (site.ada().await, site.ada().await);
    let others = site.get("/me", &other).await.json["session"].as_str().unwrap().to_owned();
    for (method, path, cookie, status) in [
        (Method::GET, "/me", &*cookie, 200),
        (Method::GET, "/session/status", &cookie, 200),
        (Method::GET, "/sessions", &cookie, 200),
        (Method::GET, "/health", "", 200),
        (Method::GET, "/nowhere", "", 404),
        (Method::GET, "/me", "", 401),
        (Method::DELETE, &format!("/sessions/{others}"), &cookie, 204),
        (Method::DELETE, "/sessions", &cookie, 200),
        (Method::POST, "/logout", &cookie, 204),
    ] {
        let answer = site.send(method, path, cookie, &[], None).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.headers.get_all("cache-control").iter().count(), 1, "{path}");
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[actix_web::test]
async fn a_late_answer_does_not_oust_the_cookie_of_a_new_sign_in() {
    let site = std::rc::Rc::new(site());
    let before = site.ada().await;
    site.at(300);
    site.store.lists.hold(true);
    let late = actix_web::rt::spawn({
        let (site, before) = (site.clone(), before.clone());
        async move { site.get("/sessions", &before).await }
    });
    site.store.lists.until_one_is_held().await;
    assert_eq!(site.store.renewals.load(Ordering::SeqCst), 1, "it has a token to send");
    let after = site.login("ada", "correct horse", &before).await.pair();
    site.store.lists.hold(false);
    let late = late.await.unwrap();
    assert_eq!((late.status.as_u16(), late.set_cookie()), (200, None));
    assert_eq!(site.get("/me", &after).await.status, 200);
}

#[actix_web::test]
async fn a_bearer_signs_in_for_a_token_and_is_sent_the_next_one_in_a_header() {
    let site = site();
    let body = json!({ "user": "ada", "password": "correct horse", "bearer": true });
    let signed_in = site.send(Method::POST, "/login", "", &[], Some(body)).await;
    assert_eq!((signed_in.status.as_u16(), signed_in.set_cookie()), (200, None));
    assert_eq!(signed_in.header("cache-control"), Some("no-store"));
    let token = signed_in.json["token"].as_str().unwrap();
    let me = site.get_as_bearer("/me", token, "").await;
    assert_eq!((me.status.as_u16(), me.header(TOKEN_HEADER)), (200, None));
    assert_eq!(me.json["session"], signed_in.json["session"]);

    site.at(300);
    let renewed = site.get_as_bearer("/me", token, "").await;
    assert_eq!((renewed.status.as_u16(), renewed.set_cookie()), (200, None));
    let next = renewed.header(TOKEN_HEADER).unwrap();
    site.at(300 + 1_799);
    assert_eq!(site.get_as_bearer("/session/status", next, "").await.status, 200);
    site.at(300 + 1_800);
    let ended = site.get_as_bearer("/me", next, "").await;
    assert_eq!(ended.problem(), (401, "idle"));
    let challenge = r#"Bearer error="invalid_token""#;
    assert_eq!(ended.header("www-authenticate"), Some(challenge));
}

#[actix_web::test]
async fn an_authorization_header_decides_alone() {
    let site = site();
    let (cookie, bearers) = (site.ada().await, site.ada().await);
    let token = bearers.split_once('=').unwrap().1;
    let me = site.get_as_bearer("/me", token, &cookie).await;
    assert_eq!(me.json, site.get("/me", &bearers).await.json, "not the cookie's");
    let refused = site.get_as_bearer("/me", "x", &cookie).await;
    assert_eq!(refused.problem(), (401, "no_session"));
    assert!(refused.header("www-authenticate").unwrap().starts_with("Bearer"));
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", &*bearer)];
    let out = site.send(Method::POST, "/logout", &cookie, &headers, None).await;
    assert_eq!((out.status.as_u16(), out.set_cookie()), (204, None));
    assert_eq!(site.get_as_bearer("/me", token, "").await.problem(), (401, "no_session"));
    assert_eq!(site.get("/me", &cookie).await.status, 200);
}

#[actix_web::test]
async fn a_renewal_that_the_store_cannot_vouch_for_is_left_to_the_next_request() {
    let site = std::rc::Rc::new(site());
    let cookie = site.ada().await;
    site.at(300);
    site.store.lists.hold(true);
    let late = actix_web::rt::spawn({
        let (site, cookie) = (site.clone(), cookie.clone());
        async move { site.get("/sessions", &cookie).await }
    });
    site.store.lists.until_one_is_held().await;
    assert_eq!(site.store.renewals.load(Ordering::SeqCst), 1, "it has a token to send");
    site.store.go_away(true);
    site.store.lists.hold(false);
    let late = late.await.unwrap();
    assert_eq!((late.status.as_u16(), late.set_cookie()), (200, None));
    site.store.go_away(false);
    site.at(300 + GRACE);
    let next = site.get("/me", &cookie).await;
    assert_eq!(next.status, 200);
    assert_eq!(site.get("/me", &next.pair()).await.status, 200);
}

#[actix_web::test]
async fn an_unknown_user_is_a_wrong_password() {
    let site = site();
    let mut bodies = Vec::new();
    for user in ["ada", "nobody"] {
        let answer = site.login(user, "wrong", "").await;
        assert_eq!(answer.problem(), (401, "credentials"));
        assert_eq!(answer.set_cookie(), None);
        bodies.push(answer.json);
    }
    assert_eq!(bodies[0], bodies[1]);
}

#[actix_web::test]
async fn sign_ins_take_turns_and_nothing_else_waits_for_them() {
    let site = std::rc::Rc::new(site());
    let cookie = site.ada().await;
    let mut turns = Vec::new();
    for _ in 0..AT_A_TIME {
        turns.push(site.users.turn().await.unwrap());
    }
    let waiting = actix_web::rt::spawn({
        let site = site.clone();
        async move { site.login("ada", "correct horse", "").await }
    });
    let refused = actix_web::rt::spawn({
        let site = site.clone();
        async move { site.login("nobody", "wrong", "").await }
    });
    // Longer than it takes to verify a password.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(site.get("/me", &cookie).await.status, 200);
    assert!(!waiting.is_finished() && !refused.is_finished());
    turns.pop();
    assert_eq!(waiting.await.unwrap().status, 200);
    assert_eq!(refused.await.unwrap().problem(), (401, "credentials"));
}

#[actix_web::test]
async fn malformed_and_forged_tokens_are_one_problem_and_no_panic() {
    let site = site();
    let cookie = site.ada().await;
    let (signed, signature) = cookie.rsplit_once('.').unwrap();
    let other = site.ada().await;
    let none = "eyJhbGciOiJub25lIn0.e30.";
    let long = |bytes| site.cookie(&"A".repeat(bytes));
    for cookie in [
        String::new(),
        "theme=dark".into(),
        ";;;=;".into(),
        site.cookie(""),
        site.cookie("%00%ff"),
        site.cookie("a.b.c"),
        site.cookie(none),
        format!("{signed}."),
        format!("{signed}.{}", "A".repeat(signature.len())),
        format!("{signed}.{}", other.rsplit_once('.').unwrap().1),
        long(8_192),
        long(8_193),
        long(60_000),
    ] {
        for path in ["/me", "/session/status", "/sessions"] {
            let answer = site.get(path, &cookie).await;
            assert_eq!(answer.problem(), (401, "no_session"), "{cookie:.80}");
            assert_eq!(answer.set_cookie(), None, "a good cookie may have just been set");
        }
    }
    assert_eq!(site.get("/me", &cookie).await.status, 200, "nothing of this ended a session");
}

#[actix_web::test]
async fn other_cookies_do_not_hide_the_session() {
    let site = site();
    let cookie = site.ada().await;
    let value = cookie.split_once('=').unwrap().1;
    for cookies in [
        format!("name=José; {cookie}"),
        format!("{cookie}; name=José"),
        format!("José; =; {cookie}"),
        format!("__Host-session2=x;__Host-sessio=x; x__Host-session=x; __Host-session; {cookie}"),
        format!(" \t__Host-session={value} ;a=b"),
        format!("__Host-session=José; {cookie}"),
    ] {
        assert_eq!(site.get("/me", &cookies).await.status, 200, "{cookies}");
    }
    for cookies in [format!("__Host-session = {value}"), cookie.replace('=', "")] {
        assert_eq!(site.get("/me", &cookies).await.problem(), (401, "no_session"), "{cookies}");
    }
    assert_eq!(site.post("/logout", &format!("name=José; {cookie}")).await.status, 204);
    assert_eq!(site.get("/me", &cookie).await.problem(), (401, "no_session"));
}

#[actix_web::test]
async fn bytes_that_are_no_request_end_their_connection_only() {
    let site = site();
    let cookie = site.ada().await;
    let huge = format!("GET /me HTTP/1.1\r\nhost: a\r\ncookie: a={}\r\n\r\n", "A".repeat(300_000));
    let raw = b"GET /me HTTP/1.1\r\nhost: a\r\ncookie: __Host-session=\xff\xfe\r\n\r\n";
    for (bytes, statuses) in [
        (&b"\x16\x03\x01\x02\x00"[..], &["400"][..]),
        (huge.as_bytes(), &["400", "431"]),
        (raw, &["401"]),
    ] {
        let mut stream = tokio::net::TcpStream::connect(site.address).await.unwrap();
        // The server may answer and close before it has read all of it.
        let _ = stream.write_all(bytes).await;
        let mut answer = vec![0; 12];
        let read = stream.read_exact(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        let known = statuses.iter().any(|status| answer == format!("HTTP/1.1 {status}"));
        assert!(known || (read.is_err() && bytes.len() > 100_000), "{answer}");
    }
    assert_eq!(site.get("/me", &cookie).await.status, 200);
}

#[actix_web::test]
async fn a_client_that_hangs_up_during_a_sign_in_leaves_no_session() {
    let site = site();
    site.store.creates.hold(true);
    let body = r#"{"user":"ada","password":"correct horse"}"#;
    let head = "POST /login HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    let request = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
    let mut stream = tokio::net::TcpStream::connect(site.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    site.store.creates.until_one_is_held().await;
    drop(stream);
    tokio::time::sleep(Duration::from_millis(100)).await;
    site.store.creates.hold(false);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(site.sessions.list("ada").await.unwrap().len(), 0);
}

#[actix_web::test]
async fn malformed_bodies_are_a_problem_of_their_own() {
    let site = site();
    for body in [
        json!({}),
        json!([]),
        json!({"user": 1, "password": "x"}),
        json!({"user": "ada",
        "password": "correct horse", "profile": "admin"}),
        json!("A".repeat(3_000_000)),
    ] {
        let answer = site.send(Method::POST, "/login", "", &[], Some(body)).await;
        assert_eq!(answer.problem(), (400, "malformed"));
    }
    let text = [("content-type", "text/plain")];
    let answer = site.send(Method::POST, "/login", "", &text, None).await;
    assert_eq!(answer.problem(), (400, "malformed"));
}

#[actix_web::test]
async fn a_change_must_come_from_this_origin() {
    let site = site();
    let cookie = site.ada().await;
    let own = format!("https://{}", site.address);
    for (headers, is_served) in [
        (&[("sec-fetch-site", "cross-site")][..], false),
        (&[("sec-fetch-site", "same-site")], false),
        (&[("sec-fetch-site", "cross-site"), ("origin", &*own)], false),
        (&[("origin", "https://evil.example")], false),
        (&[("origin", "null")], false),
        (&[("origin", "")], false),
        (&[("sec-fetch-site", "same-origin")], true),
        (&[("sec-fetch-site", "none")], true),
        (&[("origin", &*own)], true),
        (&[], true),
    ] {
        let answer = site.send(Method::DELETE, "/sessions", &cookie, headers, None).await;
        assert_eq!(answer.status == 200, is_served, "{headers:?}");
        if !is_served {
            assert_eq!(answer.problem(), (403, "cross_origin"));
        }
        let read = site.send(Method::GET, "/me", &cookie, headers, None).await;
        assert_eq!(read.status, 200, "reading is not changing");
    }
}

#[actix_web::test]
async fn while_the_store_is_away_it_is_a_503_and_then_it_goes_on() {
    let site = site();
    let cookie = site.ada().await;
    site.store.go_away(true);
    for path in ["/me", "/session/status", "/sessions"] {
        let answer = site.get(path, &cookie).await;
        assert_eq!(answer.problem(), (503, "unavailable"));
        assert_eq!(answer.header("retry-after"), Some("5"));
        assert_eq!(answer.set_cookie(), None, "the session may be well");
    }
    assert_eq!(site.login("ada", "correct horse", "").await.problem(), (503, "unavailable"));
    let out = site.post("/logout", &cookie).await;
    assert_eq!((out.problem(), out.set_cookie()), ((503, "unavailable"), None));
    let health = site.get("/health", &cookie).await;
    assert_eq!((health.status.as_u16(), health.json), (200, json!({ "status": "ok" })));
    site.store.go_away(false);
    assert_eq!(site.get("/me", &cookie).await.status, 200);
    assert_eq!(site.post("/logout", &cookie).await.status, 204);
}

#[actix_web::test]
async fn the_sweep_goes_on_after_an_error() {
    let site = site();
    let cookie = site.ada().await;
    site.store.go_away(true);
    let sweep = server::sweep(site.sessions.clone(), Duration::from_millis(5));
    let sweep = actix_web::rt::spawn(sweep);
    while site.store.sweeps.load(Ordering::SeqCst) < 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    site.at(1_800 + RETENTION);
    site.store.go_away(false);
    let at = site.store.sweeps.load(Ordering::SeqCst);
    while site.store.sweeps.load(Ordering::SeqCst) < at + 3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    sweep.abort();
    site.at(0);
    assert_eq!(site.get("/me", &cookie).await.problem(), (401, "no_session"), "swept");
}

#[actix_web::test]
async fn one_round_of_the_sweep_removes_all_that_have_expired() {
    let site = site();
    for _ in 0..2_500 {
        let _ = site.sessions.start("ada").await.unwrap();
    }
    site.at(1_800 + RETENTION);
    let alive = site.ada().await;
    let sweep = server::sweep(site.sessions.clone(), Duration::from_secs(3_600));
    let sweep = actix_web::rt::spawn(sweep);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(30);
    while site.store.swept.load(Ordering::SeqCst) < 2_500 {
        let swept = &site.store.swept;
        assert!(tokio::time::Instant::now() < deadline, "stopped at {swept:?}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    sweep.abort();
    assert_eq!(site.store.sweeps.load(Ordering::SeqCst), 3, "1,000 at a time");
    assert_eq!(site.get("/me", &alive).await.status, 200);
}

#[actix_web::test]
async fn the_log_tells_the_lifecycle_and_no_secret() {
    let site = site();
    let first = site.ada().await;
    site.at(300);
    let second = site.get("/me", &first).await.pair();
    site.get("/me", &site.cookie("a-token-that-is-none")).await;
    site.login("ada", "a wrong password", "").await;
    site.get("/me", &second).await;
    site.at(400);
    site.get("/me", &first).await; // Reuse.
    let log = String::from_utf8(log().lock().unwrap().clone()).unwrap();
    for word in ["started", "reissued", "rejected", "reuse_detected"] {
        assert!(log.contains(&format!(r#"\"event\":\"{word}\""#)), "no {word} in the log");
    }
    for cookie in [&first, &second] {
        let token = cookie.split_once('=').unwrap().1;
        for part in [token, token.rsplit_once('.').unwrap().1, token.split('.').nth(1).unwrap()] {
            assert!(!log.contains(part), "a token is in the log");
        }
    }
    for secret in ["correct horse", "a wrong password", "a-token-that-is-none", "argon2id"] {
        assert!(!log.contains(secret), "`{secret}` is in the log");
    }
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()));
}

#[actix_web::test]
async fn a_stop_finishes_the_requests_that_run() {
    let site = std::rc::Rc::new(site());
    let cookie = site.ada().await;
    site.store.loads.hold(true);
    let running = actix_web::rt::spawn({
        let (site, cookie) = (site.clone(), cookie.clone());
        async move { site.get("/me", &cookie).await }
    });
    site.store.loads.until_one_is_held().await;
    let stop = actix_web::rt::spawn(site.handle.stop(true));
    while tokio::net::TcpStream::connect(site.address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert!(!stop.is_finished(), "it waits for the request");
    site.store.loads.hold(false);
    assert_eq!(running.await.unwrap().status, 200);
    stop.await.unwrap();
}
