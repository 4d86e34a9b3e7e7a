//! For people who decide: what a policy means, by itself and against a standard.
//!
//! Nothing here decides: it only reads what does.
//!
//! | question | answer |
//! | --- | --- |
//! | Does the policy keep a standard? | [`SessionPolicy::check`], see [`standards`] |
//! | What does a change mean? | [`PolicyChange`] |
//! | For how many sessions? | [`Impact`] |
//! | Why was I signed out? | [`SessionPolicy::explain`] |
//! | What would these requests do? | [`Timeline`] |
//!
//! [`SessionPolicy::check`]: crate::SessionPolicy::check
//! [`SessionPolicy::explain`]: crate::SessionPolicy::explain

mod change;
mod explain;
mod impact;
mod scenario;
mod setting;
pub mod standards;
mod timeline;
mod timeline_event;

pub use self::change::PolicyChange;
pub use self::explain::{Deadline, Explanation, Origin};
pub use self::impact::{Impact, Spread};
pub use self::setting::Setting;
pub use self::timeline::Timeline;
pub use self::timeline_event::{Happening, TimelineEvent};
