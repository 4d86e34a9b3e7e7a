//! The SQL statements as text; the engines run them in the packages under
//! `examples/`.
#![allow(clippy::unwrap_used, reason = "a test that fails is to panic")]

use session_policy::SessionPolicy;
use session_policy::store::sql::{MARIADB, POSTGRES, SQLITE, Statements};

const ENGINES: [(&str, Statements); 3] =
    [("MariaDB", MARIADB), ("PostgreSQL", POSTGRES), ("SQLite", SQLITE)];

#[test]
fn no_statement_but_a_deletion_or_an_update_changes_a_row() {
    for (engine, sql) in ENGINES {
        for (text, verb) in [
            (sql.create, "INSERT"),
            (sql.list, "SELECT"),
            (sql.load, "SELECT"),
            (sql.remove, "DELETE"),
            (sql.remove_all, "DELETE"),
            (sql.scan, "SELECT"),
            (sql.update, "UPDATE"),
        ] {
            assert!(text.starts_with(verb), "{engine}: {text}");
            let verbs = ["INSERT", "UPDATE", "DELETE", "REPLACE", "ON CONFLICT"];
            let writes = verbs.iter().filter(|verb| text.contains(*verb)).count();
            assert_eq!(writes, usize::from(verb != "SELECT"), "{engine}: {text}");
        }
    }
}

#[test]
fn an_update_names_no_column_that_never_changes() {
    for (engine, sql) in ENGINES {
        let set = sql.update.split("SET").nth(1).unwrap().split("WHERE").next().unwrap();
        let never = ["absolute_expires_at", "created_at", "subject", "profile"];
        for column in never.into_iter().chain(["about", "epoch", "ordinal"]) {
            assert!(!set.contains(column), "{engine} sets {column}");
        }
    }
}

#[test]
fn a_migration_has_its_policys_seconds_in_every_place() {
    let policy = SessionPolicy::SLIDING_MONTH;
    let [cap, max_age] =
        [policy.absolute_cap(), policy.max_age()].map(|age| age.num_seconds().to_string());
    for (engine, sql) in ENGINES {
        let migration = sql.migration(&policy);
        let mut text = migration.expand.join("\n");
        text.push_str(&migration.backfill);
        text.push_str(&migration.contract.join("\n"));
        assert!(!text.contains('{'), "{engine}: {text}");
        assert!(text.contains(&cap) && text.contains(&max_age), "{engine}: {text}");
    }
}

#[test]
fn sqlites_migrated_table_is_the_one_of_its_schema() {
    let expand = SQLITE.migration(&SessionPolicy::SLIDING_MONTH).expand;
    for (laid, schema) in expand.iter().zip(SQLITE.schema) {
        let laid = laid
            .replace("EXISTS sessions_capped (", "EXISTS sessions (")
            .replace("ON sessions_capped (", "ON sessions (");
        assert_eq!(laid, *schema);
    }
}

#[test]
fn no_step_of_a_migration_but_the_last_drops_a_table() {
    for (engine, sql) in ENGINES {
        let migration = sql.migration(&SessionPolicy::SLIDING_MONTH);
        let mut steps = migration.expand;
        steps.push(migration.backfill);
        steps.extend(migration.contract);
        for text in steps {
            for dropped in text.split("DROP TABLE ").skip(1) {
                let name = dropped.trim_start_matches("IF EXISTS ");
                assert!(name.starts_with("temp."), "{engine} drops {name}");
            }
        }
    }
}
