//! Claims of the application's, behind the layer, and what a missing layer says.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use axum::Router;
use axum::routing::get;
use session_policy::jwt::{HybridSessions, JwtSessions};
use session_policy::web::{
    Active, Auth, Fresh, Peeked, SessionCookie, SessionLayer, Strategy, require,
};
use session_policy::{MemoryStore, SessionPolicy, SignIn};

use support::{Client, cookies, kinds, pair, ring, text};

#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
struct Role {
    role: String,
}

fn role(role: &str) -> Role {
    Role { role: role.to_owned() }
}

fn app(sessions: impl Strategy<Claims = Role>) -> Router {
    let layer = SessionLayer::new(sessions, SessionCookie::host("session")).unwrap();
    Router::new()
        .route("/group", get(async |active: Active<Role>| active.claims.role.clone()))
        .route_layer(require().with_claims::<Role>())
        .route(
            "/in",
            get(async |auth: Auth<Role>| {
                auth.sign_in(SignIn::of("ada").claims(role("user"))).await.map(drop)
            }),
        )
        .route("/me", get(async |active: Active<Role>| active.claims.role.clone()))
        .route("/peeked", get(async |peeked: Peeked<Role>| peeked.claims.role.clone()))
        .route("/fresh", get(async |fresh: Fresh<900, Role>| fresh.claims.role.clone()))
        .route("/maybe", get(async |active: Option<Active<Role>>| active.is_some().to_string()))
        .route(
            "/promote",
            get(async |auth: Auth<Role>| auth.rotate_to(role("admin")).await.map(drop)),
        )
        .route("/rotate", get(async |auth: Auth<Role>| auth.rotate().await.map(drop)))
        .route("/without", get(async |_: Active| "never"))
        .route("/group-without", get(async || "never").route_layer(require()))
        .layer(layer)
}

#[tokio::test]
async fn claims_go_with_the_token_and_change_by_a_rotation() {
    let policy = SessionPolicy::WORKING_DAY;
    let hybrid = HybridSessions::new(MemoryStore::new(), ring(), policy).unwrap();
    let apps = [app(hybrid.with_claims()), app(JwtSessions::new(ring(), policy).with_claims())];
    for (app, rotates) in apps.iter().zip([true, false]) {
        let client = Client::new(app);
        let mut mine = pair(&client.get("/in").await);
        let mut says = "user";
        for change in ["/none", "/promote", "/rotate"] {
            let answer = client.with(&mine).get(change).await;
            if change != "/none" && rotates {
                (mine, says) = (pair(&answer), "admin");
            } else if change != "/none" {
                assert_eq!((answer.status().as_u16(), cookies(&answer).len()), (500, 0));
                let problem = text(answer).await;
                assert!(problem.contains("stateless sessions have no such verb"), "{problem}");
            }
            for path in ["/group", "/me", "/peeked", "/fresh"] {
                let answer = client.with(&mine).get(path).await;
                assert_eq!((answer.status().as_u16(), text(answer).await), (200, says.to_owned()));
                assert_eq!(client.get(path).await.status(), 401, "{path}");
            }
            assert_eq!(text(client.with(&mine).get("/maybe").await).await, "true");
            assert_eq!(text(client.get("/maybe").await).await, "false");
        }
        // A mistake of the application's, which does not pass for "signed out".
        for path in ["/without", "/group-without"] {
            let answer = client.with(&mine).get(path).await;
            assert_eq!(answer.status(), 500, "{path}");
            let problem = text(answer).await;
            assert!(problem.contains("there is no `SessionLayer` around this route"), "{problem}");
        }
    }
}

#[tokio::test]
async fn a_missing_layer_is_500_that_says_so() {
    let app = support::routes();
    let client = Client::new(&app);
    for path in ["/me", "/peeked", "/maybe", "/fresh", "/in", "/out", "/rotate", "/group"] {
        let answer = client.get(path).await;
        assert_eq!(answer.status(), 500, "{path}");
        // `require()` answers with a body of any kind, so with an empty one.
        let says = text(answer).await;
        let expected = "there is no `SessionLayer` around this route, or one with other claims (in axum, \
            `.layer` goes around the routes that were added before it)";
        assert_eq!(says, if ["/me", "/group"].contains(&path) { "" } else { expected }, "{path}");
    }
}

#[tokio::test]
async fn stateless_sessions_have_no_verbs_of_rows() {
    for kind in kinds() {
        let client = Client::new(&kind.app);
        let mine = pair(&client.get("/in").await);
        for (path, says) in [("/list", "1"), ("/end-others", "0"), ("/end-own", "true")] {
            let answer = client.with(&mine).get(path).await;
            if kind.name == "stateless" {
                assert_eq!((answer.status().as_u16(), cookies(&answer).len()), (500, 0), "{path}");
                assert!(text(answer).await.contains("stateless sessions have no such verb"));
                assert_eq!(client.with(&mine).get("/me").await.status(), 200);
            } else {
                let clears = path == "/end-own";
                assert_eq!(cookies(&answer).len(), usize::from(clears), "{path}");
                assert_eq!(text(answer).await, says, "{} {path}", kind.name);
                let status = if clears { 401 } else { 200 };
                assert_eq!(client.with(&mine).get("/me").await.status(), status);
            }
        }
    }
}
