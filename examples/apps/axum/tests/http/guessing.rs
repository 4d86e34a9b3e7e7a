//! A limit on guessing passwords.

use reqwest::Method;
use session_policy_axum_app::App;

use crate::support::{Client, Harness, password_of};

async fn guess(client: &mut Client, name: &str, password: &str) -> (u16, String) {
    let form = [("name", name), ("password", password), ("next", "/")];
    let answer = client.post("/sign-in", &form).await;
    (answer.status, answer.header("retry-after").to_owned())
}

#[tokio::test]
async fn after_ten_wrong_passwords_an_account_takes_one_a_minute() {
    let app = Harness::start().await;
    let mut thief = app.client();
    for _ in 0..10 {
        assert_eq!(guess(&mut thief, "ada", "wrong").await, (422, String::new()));
    }
    assert_eq!(guess(&mut thief, "ada", "wrong").await, (429, "60".into()));
    // The right one neither, or it would tell itself.
    assert_eq!(guess(&mut thief, "ada", password_of("ada")).await, (429, "60".into()));
    let form = [("name", "ada"), ("password", "wrong"), ("remember", "yes"), ("next", "/")];
    let page = thief.post("/sign-in", &form).await.body;
    assert!(page.contains("Too many wrong passwords. Try again in 60 seconds."), "{page}");
    assert!(page.contains("value=\"ada\"") && page.contains("checked"), "{page}");
    assert_eq!(guess(&mut thief, "grace", password_of("grace")).await.0, 303);
    app.advance(60);
    assert_eq!(guess(&mut app.client(), "ada", password_of("ada")).await.0, 303);
    assert_eq!(guess(&mut app.client(), "ada", "wrong").await.0, 422);
}

#[tokio::test]
async fn the_current_password_cannot_be_guessed_in_a_stolen_session_either() {
    let app = Harness::start().await;
    let mut ada = app.signed_in("ada").await;
    let form = [("current", "wrong"), ("new", "difference-engine-2")];
    for _ in 0..10 {
        assert_eq!(ada.post("/password", &form).await.status, 422);
    }
    let answer = ada.post("/password", &form).await;
    assert_eq!((answer.status, answer.header("retry-after")), (429, "60"));
    assert!(answer.body.contains("Not changed: too many wrong passwords"), "{}", answer.body);
    assert!(answer.body.contains("<nav "));
}

#[tokio::test]
async fn behind_a_proxy_guesses_are_counted_by_the_address_that_it_saw() {
    let app = Harness::start_with(App::behind_proxy).await;
    let client = app.client();
    let guess = async |name: &str, forwarded: &str| {
        let form = [("name", name), ("password", "wrong"), ("next", "/")];
        let request = client.request(Method::POST, "/sign-in").form(&form);
        let request = request.header("sec-fetch-site", "same-origin");
        client.clone().send(request.header("x-forwarded-for", forwarded)).await.status
    };
    for user in 0..30 {
        // What the client claims stands before it, and changes nothing.
        let status = guess(&format!("user-{user}"), &format!("10.0.0.{user}, 192.0.2.1")).await;
        assert_eq!(status, 422);
    }
    assert_eq!(guess("user-30", "10.9.9.9, 192.0.2.1").await, 429);
    assert_eq!(guess("user-30", "192.0.2.2").await, 422);
}
