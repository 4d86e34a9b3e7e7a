//! A limit on sessions that refuses the next one.

use crate::support::{Harness, password_of, policies_with_limit};

#[tokio::test]
async fn a_sign_in_beyond_the_limit_is_told_so_and_takes_the_place_of_another_device() {
    let app = Harness::start_under(policies_with_limit(2)).await;
    let mut first = app.signed_in("ada").await;
    let mut second = app.signed_in("ada").await;
    let mut third = app.client();
    let refused = third.sign_in("ada", false).await;
    assert_eq!((refused.status, refused.set_cookie()), (409, None));
    assert!(refused.body.contains("as many devices as you may be"), "{}", refused.body);
    for client in [&first, &second] {
        assert!(refused.body.contains(client.session_id()));
    }

    let mut form = vec![("name", "ada"), ("password", "wrong"), ("next", "/devices")];
    let end = first.session_id().to_owned();
    form.push(("end", &end));
    assert_eq!(third.post("/sign-in", &form).await.status, 422);
    assert_eq!(first.get("/").await.status, 200, "the password was wrong");
    form[1].1 = password_of("ada");
    let signed_in = third.post("/sign-in", &form).await;
    assert_eq!((signed_in.status, signed_in.location()), (303, "/devices"));
    assert_eq!(first.get("/").await.status, 303);
    assert_eq!(second.get("/").await.status, 200);
    assert_eq!(third.get("/").await.status, 200);
}

#[tokio::test]
async fn nobody_ends_a_session_of_somebody_else_by_signing_in() {
    let app = Harness::start_under(policies_with_limit(2)).await;
    let mut grace = app.signed_in("grace").await;
    let end = grace.session_id().to_owned();
    let form = [("name", "ada"), ("password", password_of("ada")), ("next", "/"), ("end", &end)];
    assert_eq!(app.client().post("/sign-in", &form).await.status, 303);
    assert_eq!(grace.get("/").await.status, 200);
}
