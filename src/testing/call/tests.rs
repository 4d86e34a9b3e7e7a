use super::super::fixture::{at, full, id, with};
use super::*;

#[test]
fn of_many_calls_the_first_six_are_told() {
    let (call, answer) = (Call::Load(id(1)), Answer::Found(None));
    for (count, told, rest) in [(1, 1, None), (7, 7, None), (8, 6, Some("2 more calls"))] {
        let calls: Vec<_> = (0..count).map(|_| (&call, &answer)).collect();
        let text = format!("{:?}", unexplained(id(1), None, &calls, None));
        assert_eq!(text.matches("load said").count(), told, "{text}");
        assert_eq!(text.contains("more calls"), rest.is_some(), "{text}");
        assert!(rest.is_none_or(|rest| text.contains(rest)), "{text}");
    }
}

#[test]
fn a_race_names_whom_it_is_about_and_whether_it_sweeps() {
    let of = |n, subject: &str| with(&full(n), |parts| parts.subject = subject.into());
    let race = |calls: Vec<Call>| Race { before: [of(1, "ada")].into(), calls };
    let calls = [
        (Call::Create(of(2, "bob")), Some("bob")),
        (Call::List("cy".into()), Some("cy")),
        (Call::RemoveAll("dan".into(), None), Some("dan")),
        (Call::Load(id(1)), None),
        (Call::Sweep(at(0), 1), None),
    ];
    for (call, subject) in calls {
        let (verb, sweeps) = (name(&call), matches!(call, Call::Sweep(..)));
        let race = race([call].into());
        let expected = ["ada"].into_iter().chain(subject).map(String::from).collect();
        assert_eq!(race.subjects(), expected, "{verb}");
        assert_eq!(race.sweeps(), sweeps, "{verb}");
    }
}
