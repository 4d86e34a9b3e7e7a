//! tower-sessions' own tests, run on the adapter: those of its memory store and
//! of its routes (`route_tests!`), under their names.

mod memory_store {
    use crate::adapter::CappedStore;
    use crate::tower_sessions::session::{Id, Record};
    use crate::tower_sessions::{MemoryStore, SessionStore};
    use time::{Duration, OffsetDateTime};

    use super::super::common::POLICY;

    fn store() -> CappedStore<MemoryStore> {
        CappedStore::new(MemoryStore::default(), POLICY)
    }

    fn record() -> Record {
        let expiry_date = OffsetDateTime::now_utc() + Duration::minutes(30);
        Record { id: Id::default(), data: [].into(), expiry_date }
    }

    #[tokio::test]
    async fn test_create() {
        assert!(store().create(&mut record()).await.is_ok());
    }

    /// The one difference. The original saves a record that was never created,
    /// and expects it to be stored: that is how a request brings back a session
    /// that was signed out.
    #[tokio::test]
    async fn test_save() {
        let (store, mut record) = (store(), record());
        assert!(store.save(&record).await.is_err());
        store.create(&mut record).await.unwrap();
        assert!(store.save(&record).await.is_ok());
    }

    #[tokio::test]
    async fn test_load() {
        let (store, mut record) = (store(), record());
        store.create(&mut record).await.unwrap();
        let loaded_record = store.load(&record.id).await.unwrap();
        assert_eq!(Some(record), loaded_record);
    }

    #[tokio::test]
    async fn test_delete() {
        let (store, mut record) = (store(), record());
        store.create(&mut record).await.unwrap();
        assert!(store.delete(&record.id).await.is_ok());
        assert_eq!(None, store.load(&record.id).await.unwrap());
    }

    #[tokio::test]
    async fn test_create_id_collision() {
        let (store, mut record1, mut record2) = (store(), record(), record());
        store.create(&mut record1).await.unwrap();
        record2.id = record1.id;
        store.create(&mut record2).await.unwrap();
        assert_ne!(record1.id, record2.id);
        assert_eq!(Some(record2.clone()), store.load(&record2.id).await.unwrap());
    }
}

/// `$layer` is whether the routes have the adapter's layer.
macro_rules! route_tests {
    ($name:ident, $layer:expr) => {
        mod $name {
            use crate::adapter::CappedStore;
            use crate::tower_sessions::{Expiry, MemoryStore, Session, SessionManagerLayer};
            use axum::Router;
            use axum::body::{Body, to_bytes};
            use axum::http::{Request, Response, StatusCode, header};
            use axum::routing::get;
            use chrono::TimeDelta;
            use cookie::{Cookie, SameSite};
            use session_policy::SessionPolicy;
            use time::{Duration, OffsetDateTime};
            use tower::ServiceExt;

            /// As long as any of the tests asks for.
            fn app(max_age: Option<Duration>, domain: Option<&'static str>) -> Router {
                let month = TimeDelta::days(30);
                let policy = SessionPolicy::new(month, TimeDelta::zero(), month).unwrap();
                let store = CappedStore::new(MemoryStore::default(), policy);
                let mut manager = SessionManagerLayer::new(store.clone()).with_secure(true);
                if let Some(max_age) = max_age {
                    manager = manager.with_expiry(Expiry::OnInactivity(max_age));
                }
                if let Some(domain) = domain {
                    manager = manager.with_domain(domain);
                }
                let routes = routes();
                let routes = if $layer { routes.layer(store.layer()) } else { routes };
                routes.layer(manager)
            }

            fn routes() -> Router {
                Router::new()
                    .route("/", get(|_: Session| async { "Hello, world!" }))
                    .route(
                        "/insert",
                        get(|session: Session| async move {
                            session.insert("foo", 42).await.unwrap();
                        }),
                    )
                    .route(
                        "/get",
                        get(|session: Session| async move {
                            session.get::<usize>("foo").await.unwrap().unwrap().to_string()
                        }),
                    )
                    .route(
                        "/get_value",
                        get(|session: Session| async move {
                            format!("{:?}", session.get_value("foo").await.unwrap())
                        }),
                    )
                    .route(
                        "/remove_value",
                        get(|session: Session| async move {
                            session.remove_value("foo").await.unwrap();
                        }),
                    )
                    .route(
                        "/cycle_id",
                        get(|session: Session| async move {
                            session.cycle_id().await.unwrap();
                        }),
                    )
                    .route(
                        "/flush",
                        get(|session: Session| async move {
                            session.flush().await.unwrap();
                        }),
                    )
                    .route(
                        "/set_expiry",
                        get(|session: Session| async move {
                            let day = OffsetDateTime::now_utc() + Duration::days(1);
                            session.set_expiry(Some(Expiry::AtDateTime(day)));
                        }),
                    )
                    .route(
                        "/remove_expiry",
                        get(|session: Session| async move {
                            session.set_expiry(Some(Expiry::OnSessionEnd));
                        }),
                    )
            }

            async fn call(app: &Router, path: &str, cookie: Option<&Cookie<'_>>) -> Response<Body> {
                let mut request = Request::builder().uri(path);
                if let Some(cookie) = cookie {
                    request = request.header(header::COOKIE, cookie.encoded().to_string());
                }
                app.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
            }

            fn set_cookie(response: &Response<Body>) -> Option<Cookie<'static>> {
                let header = response.headers().get(header::SET_COOKIE)?;
                Some(Cookie::parse_encoded(header.to_str().unwrap().to_owned()).unwrap())
            }

            async fn body(response: Response<Body>) -> String {
                let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
                String::from_utf8(bytes.to_vec()).unwrap()
            }

            fn hour() -> Option<Duration> {
                Some(Duration::hours(1))
            }

            fn is_about(cookie: &Cookie<'_>, expected: Duration) -> bool {
                (cookie.max_age().unwrap() - expected).abs() <= Duration::seconds(1)
            }

            #[tokio::test]
            async fn no_session_set() {
                assert_eq!(set_cookie(&call(&app(hour(), None), "/", None).await), None);
            }

            #[tokio::test]
            async fn bogus_session_cookie() {
                let bogus = Cookie::new("id", "AAAAAAAAAAAAAAAAAAAAAA");
                let response = call(&app(hour(), None), "/insert", Some(&bogus)).await;
                assert_eq!(response.status(), StatusCode::OK);
                assert_ne!(set_cookie(&response).unwrap().value(), bogus.value());
            }

            #[tokio::test]
            async fn malformed_session_cookie() {
                let malformed = Cookie::new("id", "malformed");
                let response = call(&app(hour(), None), "/", Some(&malformed)).await;
                assert_eq!(response.status(), StatusCode::OK);
                assert_ne!(set_cookie(&response).unwrap().value(), "malformed");
            }

            #[tokio::test]
            async fn insert_session() {
                let response = call(&app(hour(), None), "/insert", None).await;
                let cookie = set_cookie(&response).unwrap();
                assert_eq!(cookie.name(), "id");
                assert_eq!(cookie.http_only(), Some(true));
                assert_eq!(cookie.same_site(), Some(SameSite::Strict));
                assert!(cookie.max_age().is_some_and(|age| age <= Duration::hours(1)));
                assert_eq!(cookie.secure(), Some(true));
                assert_eq!(cookie.path(), Some("/"));
            }

            #[tokio::test]
            async fn session_max_age() {
                let response = call(&app(None, None), "/insert", None).await;
                let cookie = set_cookie(&response).unwrap();
                assert_eq!(cookie.name(), "id");
                assert_eq!(cookie.max_age(), None);
                assert_eq!(cookie.http_only(), Some(true));
                assert_eq!(cookie.same_site(), Some(SameSite::Strict));
                assert_eq!(cookie.secure(), Some(true));
                assert_eq!(cookie.path(), Some("/"));
            }

            #[tokio::test]
            async fn get_session() {
                let app = app(hour(), None);
                let cookie = set_cookie(&call(&app, "/insert", None).await).unwrap();
                let response = call(&app, "/get", Some(&cookie)).await;
                assert_eq!(response.status(), StatusCode::OK);
                assert_eq!(body(response).await, "42");
            }

            #[tokio::test]
            async fn get_no_value() {
                assert_eq!(body(call(&app(hour(), None), "/get_value", None).await).await, "None");
            }

            #[tokio::test]
            async fn remove_last_value() {
                let app = app(hour(), None);
                let cookie = set_cookie(&call(&app, "/insert", None).await).unwrap();
                call(&app, "/remove_value", Some(&cookie)).await;
                assert_eq!(body(call(&app, "/get_value", Some(&cookie)).await).await, "None");
            }

            #[tokio::test]
            async fn cycle_session_id() {
                let app = app(hour(), None);
                let first = set_cookie(&call(&app, "/insert", None).await).unwrap();
                let second = set_cookie(&call(&app, "/cycle_id", Some(&first)).await).unwrap();
                assert_ne!(first.value(), second.value());
                assert_eq!(body(call(&app, "/get", Some(&second)).await).await, "42");
            }

            #[tokio::test]
            async fn flush_session() {
                let app = app(hour(), None);
                let cookie = set_cookie(&call(&app, "/insert", None).await).unwrap();
                let cleared = set_cookie(&call(&app, "/flush", Some(&cookie)).await).unwrap();
                assert_eq!(cleared.value(), "");
                assert_eq!(cleared.max_age(), Some(Duration::ZERO));
                assert_eq!(cleared.path(), Some("/"));
            }

            #[tokio::test]
            async fn set_expiry() {
                let app = app(hour(), Some("localhost"));
                let cookie = set_cookie(&call(&app, "/insert", None).await).unwrap();
                assert!(is_about(&cookie, Duration::hours(1)));
                let later = set_cookie(&call(&app, "/set_expiry", Some(&cookie)).await).unwrap();
                assert!(is_about(&later, Duration::days(1)), "{later}");
            }

            #[tokio::test]
            async fn change_expiry_type() {
                let without = app(None, Some("localhost"));
                let cookie = set_cookie(&call(&without, "/insert", None).await).unwrap();
                assert_eq!(cookie.max_age(), None);
                let dated = call(&without, "/set_expiry", Some(&cookie)).await;
                assert!(is_about(&set_cookie(&dated).unwrap(), Duration::days(1)));

                let with = app(hour(), Some("localhost"));
                let cookie = set_cookie(&call(&with, "/insert", None).await).unwrap();
                assert!(is_about(&cookie, Duration::hours(1)));
                let undated = call(&with, "/remove_expiry", Some(&cookie)).await;
                assert_eq!(set_cookie(&undated).unwrap().max_age(), None);
            }

            #[tokio::test]
            async fn flush_with_domain() {
                let app = app(hour(), Some("localhost"));
                let cookie = set_cookie(&call(&app, "/insert", None).await).unwrap();
                let cleared = set_cookie(&call(&app, "/flush", Some(&cookie)).await).unwrap();
                assert_eq!(cleared.value(), "");
                assert_eq!(cleared.max_age(), Some(Duration::ZERO));
                assert_eq!(cleared.domain(), Some("localhost"));
                assert_eq!(cleared.path(), Some("/"));
            }
        }
    };
}

route_tests!(the_store_alone, false);
route_tests!(the_store_and_the_layer, true);
