//! Every answer is a page of the application.

use reqwest::Method;

use crate::support::{Client, Harness};

async fn send(client: &mut Client, method: Method, path: &str, body: &str) -> (u16, String) {
    let request = client
        .request(method, path)
        .header("sec-fetch-site", "same-origin")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.to_owned());
    let answer = client.send(request).await;
    assert!(answer.header("content-type").starts_with("text/html"), "{path}: {}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    (answer.status, answer.body)
}

#[tokio::test]
async fn whatever_goes_wrong_is_a_page_with_navigation_that_says_what_to_do() {
    let app = Harness::start().await;
    let mut ada = app.signed_in("ada").await;
    let large = format!("id={}", "x".repeat(20_000));
    for (method, path, body, status, title) in [
        (Method::GET, "/nowhere", "", 404, "There is no such page"),
        (Method::DELETE, "/devices", "", 405, "That cannot be done here"),
        (Method::GET, "/sign-out", "", 405, "That cannot be done here"),
        (Method::POST, "/devices/end", "", 422, "The form could not be read"),
        (Method::POST, "/devices/end", "id=1&id=2", 422, "The form could not be read"),
        (Method::POST, "/devices/end", &large, 413, "That is too much"),
        (Method::GET, "/devices/end", "", 400, "The form could not be read"),
        (Method::POST, "/sign-in", "name=ada", 422, "The form could not be read"),
    ] {
        let (got, page) = send(&mut ada, method.clone(), path, body).await;
        assert_eq!(got, status, "{method} {path}: {page}");
        assert!(page.contains(&format!("<h1>{title}</h1>")), "{method} {path}: {page}");
        assert!(page.contains("<nav ") && page.contains("href=\"/devices\""), "{method} {path}");
    }
    let (status, page) = send(&mut app.client(), Method::GET, "/nowhere", "").await;
    assert_eq!(status, 404);
    assert!(!page.contains("<nav ") && page.contains("href=\"/\""), "{page}");
}

#[tokio::test]
async fn a_form_of_another_site_is_refused_with_a_page() {
    let app = Harness::start().await;
    let mut ada = app.signed_in("ada").await;
    let request = ada.request(Method::POST, "/sign-out").header("origin", "https://evil.example");
    let answer = ada.send(request).await;
    assert_eq!((answer.status, answer.set_cookie()), (403, None));
    assert!(answer.body.contains("<h1>Not from another site</h1>"), "{}", answer.body);
    assert!(answer.body.contains("<nav "));
    assert_eq!(ada.get("/").await.status, 200);
}

#[tokio::test]
async fn a_script_gets_problem_details() {
    let app = Harness::start().await;
    let missing = app.client().get_json("/nowhere").await;
    assert_eq!(missing.header("content-type"), "application/problem+json");
    assert_eq!((missing.status, &missing.json()["title"]), (404, &"Not Found".into()));
    let refused = app.client().get_json("/devices").await;
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!((refused.status, &refused.json()["reason"]), (401, &"no_session".into()));
}
