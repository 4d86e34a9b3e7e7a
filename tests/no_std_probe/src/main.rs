//! Uses the rule, the records and what a store is asked without the standard library.

#![no_std]
#![no_main]

extern crate alloc;

use core::alloc::{GlobalAlloc, Layout};
use core::panic::PanicInfo;

use session_policy::store::Update;
use session_policy::{Decision, ManualClock, Policies, Session, SessionPolicy};

/// What std would define as well: the duplicate is the point.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

struct NoMemory;

unsafe impl GlobalAlloc for NoMemory {
    unsafe fn alloc(&self, _: Layout) -> *mut u8 {
        core::ptr::null_mut()
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: NoMemory = NoMemory;

pub fn request(
    policies: &Policies,
    session: &Session,
    clock: &ManualClock,
) -> Option<Result<Update, ()>> {
    use session_policy::Clock;

    let now = clock.now();
    match policies.policy_for(session.profile()).evaluate(session.lifetime(), now) {
        Decision::Keep { .. } => None,
        Decision::Reject { .. } => Some(Err(())),
        Decision::Renew { lifetime } => Some(Ok(Update::new(session, now, &lifetime))),
    }
}

pub const POLICY: SessionPolicy = SessionPolicy::WORKING_DAY;
