//! The checks by name, in the order in which they run.

use std::boxed::Box;

use super::probe::{Checking, Probe};
use super::{
    alike, at_once, balance, cancel, clock, create, crowd, duel, fields, guard, load, races,
    remove, scale, scan, sequence, subject, sweep, update,
};

/// A check by name.
pub(super) type Named = (&'static str, fn(Probe) -> Checking<'static>);

macro_rules! checks {
    ($visibility:vis $table:ident: $($name:expr => $check:expr,)*) => {
        $visibility const $table: &[Named] = &[$(($name, |probe| Box::pin($check(probe)))),*];
    };
}

checks! { pub(super) ALONE:
    "an empty store holds nothing" => load::nothing,

    "create keeps every field" => fields::all,
    "create never replaces a session" => create::never_replaces,
    "an id that was freed can be created anew, with nothing of the former session" => create::anew,
    "ids are told apart to the last bit" => create::ids_told_apart,
    "subjects are kept whole" => fields::subjects,
    "profiles are kept whole" => fields::profiles,
    "epochs are kept in 64 bits, 0 apart from none" => fields::epochs,
    "ordinals are kept in 64 bits" => fields::ordinals,
    "what a session is about is kept whole, or absent" => fields::abouts,
    "secrets are kept to the last bit" => fields::secrets,
    "confirmations are kept to the second, or absent" => fields::confirmations,
    "versions and generations are kept past 32 and 53 bits" => fields::counts,
    "instants survive at the ends of the range" => create::ends_of_the_range,

    "load and list write nothing" => load::writes_nothing,
    "sessions of the past are kept and found like any other" => clock::keeps,
    "sessions of the past are updated like any other" => clock::updates,

    "update never creates a session" => update::never_creates,
    "update writes renewed_at" => |probe| update::one_field(probe, update::renewed_at),
    "update writes expires_at" => |probe| update::one_field(probe, update::expires_at),
    "update writes the secret" => |probe| update::one_field(probe, update::new_secret),
    "update writes the generation" => |probe| update::one_field(probe, update::generation),
    "update writes the confirmation" => |probe| update::one_field(probe, update::confirmed_at),
    "update adds 1 to the version though nothing else changes" =>
        |probe| update::one_field(probe, update::nothing_else),
    "update adds 1 to the version each time" => update::counts,
    "update changes that session only" => update::others,
    "update may shorten a session" => update::shortens,
    "update refuses another version" => guard::version,
    "update is refused at and after the stored cap" => guard::at_the_cap,
    "update never moves expires_at past the stored cap" => guard::past_the_cap,
    "update keeps the order of the instants" => guard::order,
    "update judges by its guard alone" => guard::judges_nothing,
    "update that is refused writes nothing" => update::refused_writes_nothing,
    "a rotation is not undone by a stale update" => update::rotates,

    "remove is idempotent" => remove::idempotent,
    "remove ends that session only" => remove::others,
    "a logout before an update wins" => remove::before_renewal,
    "a logout after an update wins" => remove::after_renewal,

    "the sweep is half-open" => sweep::half_open,
    "the sweep removes at most its limit" => sweep::limit,
    "the sweep tells whom it removed, as they were last" => sweep::tells_whom,
    "the sweep goes on until none is left" => sweep::resumes,
    "the sweep goes past what was renewed" => sweep::past_the_renewed,
    "the sweep tells sessions of one second apart" => sweep::in_one_second,
    "the sweep takes nothing that lives" => sweep::spares_the_living,
    "the sweep follows a renewal" => sweep::follows_renewals,
    "the sweep reaches the ends of the range" => sweep::ends_of_the_range,
    "the sweep goes by its instant, not by a clock" => clock::sweeps,

    "list returns every session of the subject, as load does" => subject::list,
    "list knows what became of a session" => subject::list_follows,
    "subjects that look alike are told apart" => alike::told_apart,
    "remove_all ends every session of the subject and no other" => subject::remove_all,
    "remove_all spares the excepted session" => subject::remove_all_except,
    "remove_all spares nothing where the excepted session is not there" => subject::unknown_except,
    "remove_all and list return while others create" => crowd::one_pass,

    "a store that says it never waits answers in the first poll" => at_once::in_one_poll,
    "any calls in any order answer as the contract says" => sequence::random,
    "raced creates of one id have one winner" => races::creates,
    "raced updates of one version have one winner" => races::updates,
    "a raced logout is never lost" => races::logout,
    "raced removals of one session have one winner" => races::removals,
    "a session is told as removed once, by whichever verb" => races::told_once,
    "a raced remove_all is never undone" => races::remove_all,
    "a raced sweep takes no renewed session" => races::sweep_and_renewals,
    "raced sweeps tell each session once" => races::sweeps,
    "a session is read whole while it is written" => races::reads,
    "a session is read whole among many writes" => crowd::whole_reads,
    "raced writes of one subject's sessions do not undo each other" => races::of_one_subject,
    "64 callers at once are all answered" => crowd::all_answered,
    "calls from many threads are all answered" => crowd::on_threads,
    "what many threads are told adds up" => balance::adds_up,
    "a session that was ended stays ended among many updates" => |probe: Probe| async move { duel::ended(&probe) },
    "a session that was renewed is there among many sweeps" => |probe: Probe| async move { duel::renewed(&probe) },

    "a call that is dropped is whole or absent, in every view" => cancel::alone,
    "a call that is dropped leaves no lock behind" => cancel::among_others,

    "as many sessions of one subject as there may be are listed and ended" => scale::one_subject,
    "as many subjects as there may be are told apart" => scale::subjects,
    "as many sessions as there may be are renewed and swept" => scale::swept,
}

checks! { pub(super) OF_HANDLES:
    "two handles: a write through one is seen by every verb of the other" => sequence::each_pair,
    "two handles: any calls in any order answer as the contract says" => sequence::random,
    "two handles: raced creates of one id have one winner" => races::creates,
    "two handles: raced updates of one version have one winner" => races::updates,
    "two handles: a raced logout is never lost" => races::logout,
    "two handles: raced removals of one session have one winner" => races::removals,
    "two handles: a session is told as removed once, by whichever verb" => races::told_once,
    "two handles: a raced remove_all is never undone" => races::remove_all,
    "two handles: a raced sweep takes no renewed session" => races::sweep_and_renewals,
    "two handles: raced sweeps tell each session once" => races::sweeps,
    "two handles: a session is read whole while it is written" => races::reads,
    "two handles: a session is read whole among many writes" => crowd::whole_reads,
    "two handles: raced writes of one subject's sessions do not undo each other" =>
        races::of_one_subject,
    "two handles: calls from many threads are all answered" => crowd::on_threads,
    "two handles: what many threads are told adds up" => balance::adds_up,
    "two handles: a session that was ended stays ended among many updates" => |probe: Probe| async move { duel::ended(&probe) },
    "two handles: a session that was renewed is there among many sweeps" => |probe: Probe| async move { duel::renewed(&probe) },
    "two handles: a call that is dropped leaves no lock behind" => cancel::among_others,
}

checks! { pub(super) OF_SCANS:
    "a scan of an empty store ends" => scan::nothing,
    "a scan shows every session, whole" => scan::whole,
    "a scan goes on from any of its cursors" => scan::again,
    "a scan misses nothing that is there throughout" => scan::meanwhile,
    "a scan goes on where the last session of a page was removed" => scan::cut_off,
    "a scan shows as many sessions as there may be" => scan::large,
}

/// What is stored through a handle that is dropped, then looked for through another.
pub(super) const LEFT_BEHIND: &[[Named; 2]] = &[[
    ("two handles: one stores before it is dropped", |probe| Box::pin(sequence::stores(probe))),
    ("two handles: what one stored outlives it", |probe| Box::pin(sequence::outlives(probe))),
]];
