//! The cookie, to the letter.

use std::sync::atomic::Ordering::SeqCst;

use reqwest::Method;
use reqwest::header::{COOKIE, HeaderValue};

use crate::support::{Harness, START, policies_of_ten_years};

const DAY: i64 = 86_400;

/// `Set-Cookie` of this token, as it must be.
fn expected(token: &str, max_age: i64) -> String {
    format!("__Host-session={token}; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age={max_age}")
}

#[tokio::test]
async fn a_sign_in_sets_a_host_cookie_that_runs_to_the_cap() {
    let app = Harness::start().await;
    for (name, remember, idle, cap) in [
        ("ada", false, 1_800, 28_800),
        ("ada", true, 30 * DAY, 45 * DAY),
        ("root", false, 28_800, 28_800),
        ("root", true, 28_800, 28_800), // Administrators are never remembered.
    ] {
        let mut client = app.client();
        let answer = client.sign_in(name, remember).await;
        assert_eq!(answer.set_cookie(), Some(&*expected(client.token(), cap)), "{name}");
        assert_eq!(answer.header("cache-control"), "no-store");
        let status = client.get_json("/session").await.json();
        assert_eq!(status["idle_expires_at"], START + idle, "{name}, remembered: {remember}");
        assert_eq!(status["absolute_expires_at"], START + cap, "{name}, remembered: {remember}");
    }
}

#[tokio::test]
async fn a_renewal_extends_the_row_at_most_once_a_minute_and_sends_nothing() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    for (at, renewals) in [(59, 0), (60, 1), (61, 1), (119, 1), (120, 2)] {
        app.clock.set(session_policy::Timestamp::from_unix_secs(START + at));
        let answer = client.get("/").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.set_cookie(), None, "at {at} s");
        assert_eq!(app.store.renewals.load(SeqCst), renewals, "at {at} s");
        let status = client.get_json("/session").await.json();
        let row_ends = START + if at < 60 { 0 } else { at / 60 * 60 } + 1_800;
        assert_eq!(status["idle_expires_at"], row_ends, "at {at} s");
    }
}

#[tokio::test]
async fn an_answer_that_is_lost_costs_nothing() {
    let app = Harness::start().await;
    let mut client = app.client();
    let signed_in = client.sign_in("ada", false).await;
    assert!(signed_in.set_cookie().unwrap().ends_with("; Max-Age=28800"));
    app.advance(1_790);
    assert_eq!(client.clone().get("/").await.status, 200); // This one is lost.
    for (secs, status) in [(5, 200), (1_794, 200), (1_799, 200), (1_800, 303)] {
        app.advance(secs);
        let answer = client.get("/").await;
        assert_eq!((answer.status, answer.set_cookie()), (status, None), "at {}", app.now());
    }
}

#[tokio::test]
async fn under_a_cap_of_more_than_400_days_each_renewal_sends_the_same_token_again() {
    let app = Harness::start_under(policies_of_ten_years()).await;
    let mut client = app.client();
    let signed_in = client.sign_in("ada", false).await;
    let token = client.token().to_owned();
    assert_eq!(signed_in.set_cookie(), Some(&*expected(&token, 400 * DAY)));
    for day in [1, 2, 366, 730, 1_094, 1_458, 1_822, 2_186, 2_550, 2_914, 3_253, 3_254, 3_600] {
        app.clock.set(session_policy::Timestamp::from_unix_secs(START + day * DAY - 1));
        if day < 366 {
            assert_eq!(client.get("/").await.set_cookie(), None, "day {day}");
        }
        app.advance(1);
        let answer = client.get("/").await;
        let left = 400.min(3_653 - day) * DAY;
        assert_eq!(answer.set_cookie(), Some(&*expected(&token, left)), "day {day}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn a_sign_out_clears_the_cookie_and_a_copy_of_it_is_refused() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    let mut thief = client.clone();
    assert_eq!(thief.get("/").await.status, 200);
    let answer = client.post("/sign-out", &[]).await;
    assert_eq!(answer.set_cookie(), Some(&*expected("", 0)));
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.location(), "/sign-in?reason=signed_out&next=/");
    let stolen = thief.get("/").await;
    assert_eq!((stolen.status, stolen.location()), (303, "/sign-in?next=/"));
    assert!(thief.get("/sign-in").await.body.contains("data-reason=\"ended\""));
    assert_eq!(thief.get_json("/session").await.status, 401);
    assert_eq!(app.store.held(), 0);
}

#[tokio::test]
async fn no_refusal_clears_the_cookie() {
    let app = Harness::start().await;
    let mut idle = app.signed_in("ada").await;
    let mut ended = app.signed_in("grace").await;
    ended.clone().post("/sign-out", &[]).await;
    let mut capped = app.signed_in("root").await;
    app.advance(28_799);
    assert_eq!(capped.get("/").await.status, 200);
    app.advance(1);
    for (client, reason) in
        [(&mut idle, "reason=idle&"), (&mut ended, ""), (&mut capped, "reason=absolute_cap&")]
    {
        let page = client.get("/").await;
        assert_eq!(page.location(), format!("/sign-in?{reason}next=/"));
        assert_eq!(page.set_cookie(), None, "{reason}");
        let polled = client.get_json("/session").await;
        assert_eq!((polled.status, polled.set_cookie()), (401, None), "{reason}");
    }
}

#[tokio::test]
async fn over_plain_http_the_cookie_has_neither_secure_nor_the_prefix_and_every_page_says_so() {
    let app = Harness::start_with(session_policy_axum_app::App::for_plain_http).await;
    let mut client = app.client();
    let answer = client.sign_in("ada", false).await;
    let token = client.token();
    let cookie = format!("session={token}; Path=/; HttpOnly; SameSite=Lax; Max-Age=28800");
    assert_eq!(answer.set_cookie(), Some(&*cookie));
    for page in ["/", "/devices", "/password", "/sign-in"] {
        assert!(client.get(page).await.body.contains("Plain HTTP on loopback"), "{page}");
    }
    let secure = Harness::start().await;
    assert!(!secure.client().get("/sign-in").await.body.contains("Plain HTTP"));
}

#[tokio::test]
async fn cookies_that_are_no_token_are_no_session_and_do_no_harm() {
    let app = Harness::start().await;
    let mut signed_in = app.signed_in("ada").await;
    let token = signed_in.token().to_owned();
    let id = signed_in.session_id().to_owned();
    let forged = format!("{id}.{}", "A".repeat(43));
    for value in [
        "",
        ".",
        "=;=",
        "\u{fffd}\u{1f36a}",
        "AAAA.AAAA",
        &id,
        &token[..token.len() - 1],
        &format!("{token}A"),
        &format!("{token}="),
        &forged,
        &"A".repeat(60_000),
        &";".repeat(5_000),
    ] {
        let mut client = app.client();
        client.cookie = Some(format!("__Host-session={value}"));
        let page = client.get("/").await;
        assert_eq!(page.status, 303, "{value:.80}");
        assert!(page.location().starts_with("/sign-in?"), "{value:.80}");
        assert_eq!(client.get_json("/session").await.status, 401, "{value:.80}");
    }
    for name in ["session", "__Secure-session", "__host-session"] {
        let mut client = app.client();
        client.cookie = Some(format!("{name}={token}"));
        assert_eq!(client.get("/").await.status, 303, "{name}");
    }
    let mut oversized = app.client();
    oversized.cookie = Some(format!("__Host-session={}", "A".repeat(1_000_000)));
    assert_eq!(oversized.get("/").await.status, 431);
    assert_eq!(signed_in.get("/").await.status, 200);
}

#[tokio::test]
async fn a_cookie_of_any_bytes_beside_it_hides_no_token() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    let own = client.cookie.clone().unwrap();
    for beside in [&b"caf\xc3\xa9=\xf0\x9f\x8d\xaa"[..], b"latin=caf\xe9", b"\xff", b"\xff=\xfe"] {
        for parts in [[beside, own.as_bytes()], [own.as_bytes(), beside]] {
            let cookies = HeaderValue::from_bytes(&parts.join(&b"; "[..])).unwrap();
            client.cookie = None;
            let request = client.request(Method::GET, "/").header(COOKIE, cookies);
            assert_eq!(client.send(request).await.status, 200, "{}", beside.escape_ascii());
        }
    }
    let cookies = [b"latin=caf\xe9; ", own.as_bytes()].concat();
    let request = client.request(Method::POST, "/sign-out").header("sec-fetch-site", "same-origin");
    let request = request.header(COOKIE, HeaderValue::from_bytes(&cookies).unwrap());
    assert_eq!(client.send(request).await.location(), "/sign-in?reason=signed_out&next=/");
    assert_eq!(app.store.held(), 0);
}
