//! Requests that another site has the browser send.

use reqwest::Method;

use crate::support::Harness;

#[tokio::test]
async fn a_post_from_another_origin_is_refused_and_changes_nothing() {
    let app = Harness::start().await;
    let own = app.base.clone();
    for (header, value, refused) in [
        ("sec-fetch-site", "cross-site", true),
        ("sec-fetch-site", "same-site", true),
        ("origin", "https://evil.example", true),
        ("origin", "null", true),
        ("sec-fetch-site", "same-origin", false),
        ("origin", &own, false),
    ] {
        for path in ["/sign-out", "/devices/end-others", "/password", "/session", "/sign-in"] {
            let mut client = app.signed_in("ada").await;
            let request =
                client.request(Method::POST, path).header(header, value).form(&[("", "")]);
            let answer = client.send(request).await;
            assert_eq!(answer.status == 403, refused, "{path} with {header}: {value}");
            if refused {
                assert_eq!(answer.set_cookie(), None);
                assert_eq!(client.get("/").await.status, 200);
            }
        }
    }
}

#[tokio::test]
async fn a_sign_in_leads_to_pages_of_this_application_only() {
    let app = Harness::start().await;
    for (next, expected) in [
        ("/devices", "/devices"),
        ("//evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/devices\r\nx: y", "/"),
    ] {
        let form =
            [("name", "ada"), ("password", crate::support::password_of("ada")), ("next", next)];
        assert_eq!(app.client().post("/sign-in", &form).await.location(), expected, "{next}");
    }
    let page = app.client().get("/sign-in?reason=<script>&next=\"><script>").await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("<script>"));
}
