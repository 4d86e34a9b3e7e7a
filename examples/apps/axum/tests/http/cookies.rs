//! The cookie, to the letter.

use reqwest::Method;
use reqwest::header::{COOKIE, HeaderValue};

use crate::support::{Harness, START};

/// `Set-Cookie` of this token, as it must be.
fn expected(token: &str, max_age: i64) -> String {
    format!("__Host-session={token}; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age={max_age}")
}

#[tokio::test]
async fn a_sign_in_sets_a_host_cookie_for_as_long_as_the_row_lives() {
    let app = Harness::start().await;
    for (name, remember, max_age) in [
        ("ada", false, 1_800),
        ("ada", true, 2_592_000),
        ("root", false, 28_800),
        ("root", true, 28_800), // Administrators are never remembered.
    ] {
        let mut client = app.client();
        let answer = client.sign_in(name, remember).await;
        assert_eq!(answer.set_cookie(), Some(&*expected(client.token(), max_age)), "{name}");
        assert_eq!(answer.header("cache-control"), "no-store");
        let status = client.get_json("/session").await.json();
        assert_eq!(status["idle_expires_at"], START + max_age, "{name}, remembered: {remember}");
    }
}

#[tokio::test]
async fn a_renewal_re_sends_the_same_token_with_the_rows_new_end_and_at_most_once_a_minute() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    let token = client.token().to_owned();
    for (at, renewed) in [(59, false), (60, true), (61, false), (119, false), (120, true)] {
        app.clock.set(session_policy::Timestamp::from_unix_secs(START + at));
        let answer = client.get("/").await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), "no-store");
        let cookie = renewed.then(|| expected(&token, 1_800));
        assert_eq!(answer.set_cookie(), cookie.as_deref(), "at {at} s");
        let status = client.get_json("/session").await.json();
        let row_ends = START + if at < 60 { 0 } else { at / 60 * 60 } + 1_800;
        assert_eq!(status["idle_expires_at"], row_ends, "at {at} s");
    }
}

#[tokio::test]
async fn a_renewal_near_the_cap_sets_the_cookie_to_end_with_the_cap() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    for _ in 0..24 {
        app.advance(1_100);
        assert!(client.get("/").await.set_cookie().unwrap().ends_with("; Max-Age=1800"));
    }
    app.advance(1_100);
    let last = client.get("/").await;
    assert_eq!(last.set_cookie(), Some(&*expected(client.token(), 28_800 - 27_500)));
    // Pinned at the cap there is nothing more to gain, but the activity is written.
    app.advance(1_100);
    let pinned = client.get("/").await;
    assert_eq!(pinned.set_cookie(), Some(&*expected(client.token(), 28_800 - 28_600)));
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
    assert_eq!((stolen.status, stolen.location()), (303, "/sign-in?reason=ended&next=/"));
    assert_eq!(thief.get_json("/session").await.status, 401);
    assert_eq!(app.store.held(), 0);
}

#[tokio::test]
async fn a_session_that_reached_a_limit_clears_the_cookie_and_one_that_is_unknown_does_not() {
    let app = Harness::start().await;
    let mut client = app.signed_in("ada").await;
    let mut other = app.signed_in("grace").await;
    other.clone().post("/sign-out", &[]).await;
    app.advance(1_800);
    assert_eq!(client.get("/").await.set_cookie(), Some(&*expected("", 0)));
    assert_eq!(other.get("/").await.set_cookie(), None);
}

#[tokio::test]
async fn over_plain_http_the_cookie_has_neither_secure_nor_the_prefix_and_every_page_says_so() {
    let app = Harness::start_with(session_policy_axum_app::App::for_plain_http).await;
    let mut client = app.client();
    let answer = client.sign_in("ada", false).await;
    let token = client.token();
    let cookie = format!("session={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age=1800");
    assert_eq!(answer.set_cookie(), Some(&*cookie));
    for page in ["/", "/devices", "/password", "/sign-in"] {
        assert!(client.get(page).await.body.contains("plain HTTP on loopback"), "{page}");
    }
    let secure = Harness::start().await;
    assert!(!secure.client().get("/sign-in").await.body.contains("plain HTTP"));
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
