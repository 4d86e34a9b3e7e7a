//! The companion crates; for Redis only what needs no server.

use session_policy::{SessionPolicy, Sessions, web::SessionCookie};

#[test]
fn actix_takes_the_session_as_an_argument() {
    use actix_web::{App, rt, test, web};
    use session_policy_actix::{Active, SessionMiddleware};

    async fn me(active: Active) -> String {
        active.session.subject().to_owned()
    }
    let sessions = SessionMiddleware::new(super::sessions(), SessionCookie::host("session"));
    rt::System::new().block_on(async {
        let app = App::new().route("/me", web::get().to(me)).wrap(sessions.unwrap());
        let app = test::init_service(app).await;
        let request = test::TestRequest::get().uri("/me").to_request();
        assert_eq!(test::call_service(&app, request).await.status(), 401);
    });
}

#[test]
fn redis_opens_a_store() {
    let client = redis::Client::open("redis://127.0.0.1/").unwrap();
    assert!(session_policy_redis::RedisStore::open(client, "myapp").is_ok());
}

#[tokio::test]
async fn sqlx_keeps_sessions() {
    use session_policy_sqlx::SqliteStore;

    let file = std::env::temp_dir().join(format!("consumer-{}.db", std::process::id()));
    let store = SqliteStore::connect(&format!("sqlite://{}", file.display())).await.unwrap();
    store.create_table().await.unwrap();
    let sessions = Sessions::new(store, SessionPolicy::WORKING_DAY);
    let started = sessions.start("ada").await.unwrap();
    assert!(sessions.authenticate(started.token.expose()).await.is_ok());
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn tower_sessions_gain_a_cap() {
    use session_policy_tower_sessions::v0_15::CappedStore;
    use tower_sessions::{MemoryStore, Session};

    let store = CappedStore::new(MemoryStore::default(), SessionPolicy::WORKING_DAY);
    let session = Session::new(None, std::sync::Arc::new(store.clone()), Some(store.expiry()));
    session.insert("user", 42).await.unwrap();
    session.save().await.unwrap();
    assert!(session.id().is_some());
}
