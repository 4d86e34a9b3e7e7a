use core::num::NonZeroU32;

use session_policy::{Policies, SessionLimit, WhenFull};

use super::PROFILES;
use super::model::Profile;
use crate::input::Input;
use crate::policy::{policy_of, settings};

/// What is in force from now on: a default policy, perhaps an "admin" profile, perhaps
/// a limit, and how long a sweep keeps what has ended. Profile "retired" is never in the
/// set.
pub(super) fn deployed(input: &mut Input<'_>) -> (Policies, Vec<Profile>, i64) {
    let shape = input.byte();
    let mut profiles = vec![Profile { name: PROFILES[0], settings: settings(input), limit: None }];
    let mut policies = Policies::new(policy_of(&profiles[0].settings));
    if shape & 3 != 0 {
        let admin = Profile { name: PROFILES[1], settings: settings(input), limit: None };
        policies =
            policies.with_profile(admin.name, policy_of(&admin.settings)).expect("a profile");
        profiles.push(admin);
    }
    if shape >= 128 {
        let max_sessions = NonZeroU32::new(1 + u32::from(input.byte() % 3)).expect("not 0");
        let when_full =
            input.one_of(&[WhenFull::EndOldest, WhenFull::Refuse, WhenFull::EndLeastRecent]);
        let limited = profiles.last_mut().expect("the default policy");
        let limit = SessionLimit::new(max_sessions, when_full);
        policies = policies.with_limit(limited.name, limit).expect("a limit");
        limited.limit = Some((max_sessions.get() as usize, when_full));
    }
    let retention = [0, 60, 900, 86_400][usize::from(shape >> 2 & 3)];
    (policies, profiles, retention)
}
