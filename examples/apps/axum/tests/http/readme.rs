//! The README names the routes and the users that there are.

use crate::support::Harness;

const README: &str = include_str!("../../README.md");

/// The first cells of a table's rows, without their backticks.
fn first_cells(head: &str) -> Vec<&'static str> {
    let rows = README.split_once(head).unwrap().1.lines().skip(2);
    let rows = rows.take_while(|row| row.starts_with('|'));
    rows.map(|row| row.split('`').nth(1).unwrap()).collect()
}

#[tokio::test]
async fn its_users_sign_in_and_its_routes_answer() {
    let app = Harness::start().await;
    let users = first_cells("| user | password |");
    assert_eq!(users.len(), session_policy_axum_app::DEMO_USERS.len());
    for (user, password, _) in session_policy_axum_app::DEMO_USERS {
        assert!(README.contains(&format!("| `{password}` |")) && users.contains(&user), "{user}");
    }
    let routes = first_cells("| route | who may | what |");
    assert_eq!(routes.len(), 8);
    let mut root = app.signed_in("root").await;
    for route in routes.into_iter().filter(|route| *route != "/session/events") {
        assert_eq!(root.get(route).await.status, 200, "{route}");
    }
}
