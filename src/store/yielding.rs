use core::future::poll_fn;
use core::task::Poll;

/// Lets other tasks run: pending once, and woken at once. For work on many sessions
/// without a wait in it, which would hold a thread of the runtime.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
