use std::collections::BTreeSet;

use super::super::call::name;
use super::*;

#[test]
fn a_crowd_calls_each_verb_about_each_session_and_subject() {
    let mut random = Random(1);
    let mut seen = BTreeSet::new();
    for _ in 0..20_000 {
        let call = any(&mut random);
        let about = match &call {
            Call::Create(new) => {
                let n = (0..IDS).find(|n| id(*n) == new.id()).unwrap();
                assert_eq!(new.subject(), ["crowd-0", "crowd-1"][n as usize % 2]);
                format!("{n}")
            }
            Call::Update(update) => {
                let n = (0..IDS).find(|n| id(*n) == update.id()).unwrap();
                assert_eq!(update.secret(), &secret(1_000_001 + n));
                format!("{n} {}", update.expected_version())
            }
            Call::Load(of) | Call::Remove(of) => {
                format!("{}", (0..IDS).find(|n| id(*n) == *of).unwrap())
            }
            Call::List(subject) => subject.clone(),
            Call::RemoveAll(subject, except) => {
                assert!(except.is_none_or(|except| except == id(0) && subject == "crowd-0"));
                format!("{subject} {}", except.is_some())
            }
            Call::Sweep(before, limit) => format!("{before} {limit}"),
        };
        seen.insert(format!("{} {about}", name(&call)));
    }
    let of_ids = |verb: &str| (0..IDS).map(|n| format!("{verb} {n}")).collect::<BTreeSet<_>>();
    let mut expected: BTreeSet<_> =
        ["create", "load", "remove"].into_iter().flat_map(of_ids).collect();
    expected.extend((0..IDS).flat_map(|n| [13, 14, 15].map(|v| format!("update {n} {v}"))));
    expected.extend(["list crowd-0", "list crowd-1"].map(String::from));
    expected.extend(
        ["remove_all crowd-0 false", "remove_all crowd-0 true", "remove_all crowd-1 false"]
            .map(String::from),
    );
    expected.insert(format!("remove_expired {} 2", at(904)));
    assert_eq!(seen, expected);
}

#[test]
fn each_field_tells_the_version() {
    let fields = |n| {
        let session = at_version(n);
        let ends = session.lifetime().expires_at();
        (session.version(), session.generation(), session.confirmed_at(), ends)
    };
    assert_eq!(fields(0), (0, 7, None, at(901)));
    assert_eq!(fields(3), (3, 10, Some(at(3)), at(904)));
    assert_eq!(fields(5), (5, 12, None, at(906)));
    let lifetime = *at_version(3).lifetime();
    assert_eq!((lifetime.created_at(), lifetime.renewed_at()), (at(-1), at(3)));
    assert_ne!(at_version(3).secret(), at_version(4).secret());
}
