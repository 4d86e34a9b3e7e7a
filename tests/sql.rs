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

/// Every text of an engine's statements and its migration.
fn texts(sql: &Statements) -> Vec<String> {
    let migration = sql.migration(&SessionPolicy::SLIDING_MONTH);
    let verbs = [
        sql.check,
        sql.create,
        sql.list,
        sql.load,
        sql.remove,
        sql.remove_all,
        sql.remove_expired,
        sql.scan,
        sql.update,
        migration.applied,
        migration.batch_end,
        migration.check_rows,
    ];
    let mut texts: Vec<_> = verbs.into_iter().map(str::to_owned).collect();
    texts.extend(sql.schema.iter().chain(migration.finish).map(|text| (*text).to_owned()));
    texts.extend([migration.expand, migration.contract].concat());
    texts.push(migration.backfill);
    texts
}

#[test]
fn a_table_of_another_name_is_named_in_every_text() {
    for (engine, sql) in ENGINES {
        let renamed = texts(&sql.for_table("visits").unwrap());
        for (text, renamed) in texts(&sql).into_iter().zip(renamed) {
            assert!(text.contains("sessions"), "{engine}: {text}");
            assert_eq!(text.replace("sessions", "visits"), renamed, "{engine}");
        }
        assert_eq!(texts(&sql.for_table("sessions").unwrap()), texts(&sql));
    }
}

#[test]
fn a_name_is_letters_digits_and_underscores() {
    let longest = "a".repeat(63);
    for name in ["_", "a", "A1", "app_sessions", "sessions_2", &longest] {
        assert!(POSTGRES.for_table(name).is_ok(), "{name}");
    }
    let too_long = "a".repeat(64);
    for name in ["", "1a", "a b", "a-b", "a.b", "a;", "\"a\"", "`a`", "Zoë", "a\0", &too_long] {
        assert!(POSTGRES.for_table(name).is_err(), "{name}");
    }
}

#[test]
fn what_is_named_after_a_table_is_told_apart_within_63_bytes() {
    let names: Vec<_> = ["x", "y"].map(|end| format!("{}{end}", "long_".repeat(12))).into();
    for (engine, sql) in [("MariaDB", MARIADB), ("PostgreSQL", POSTGRES)] {
        let [one, other] = [0, 1].map(|n| texts(&sql.for_table(&names[n]).unwrap()).join(" "));
        let words = |text: &str| -> Vec<String> {
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            words.filter(|word| word.starts_with("long_")).map(str::to_owned).collect()
        };
        let (one, other) = (words(&one), words(&other));
        assert!(one.iter().any(|word| word.ends_with("_by_subject")), "{engine}: {one:?}");
        for word in &one {
            assert!(word.len() <= 63 && !other.contains(word), "{engine}: {word}");
        }
    }
}
