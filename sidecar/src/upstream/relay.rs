//! The waker of a connection that is driven by whoever takes its answer.
//!
//! To take a piece of an answer tells the connection that it has room for the next one. The task that takes and the task
//! that drives are the same one, so it would wake itself, and be polled a second time for each chunk of a stream. A relay
//! passes on what comes from outside, and of what the task told itself only what it has not heard.

use futures::task::AtomicWaker;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

/// Between one connection and the task that waits for it.
pub(super) struct Relay {
    line: Arc<Line>,
    waker: Waker,
}

#[derive(Default)]
struct Line {
    task: AtomicWaker,
    /// The task is being polled: what is said now is said by itself.
    engaged: AtomicBool,
    told: AtomicBool,
}

impl Relay {
    pub(super) fn new() -> Self {
        let line = Arc::<Line>::default();
        let waker = Arc::clone(&line).into();
        Self { line, waker }
    }

    /// Polls with a waker that wakes the task of `cx`, but not for what `poll` itself does: a task that has been given
    /// something comes again anyway, and only one that has to wait must not miss it.
    pub(super) fn poll<T>(&self, cx: &mut Context<'_>, poll: impl FnOnce(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
        let Line { task, engaged, told } = &*self.line;
        task.register(cx.waker());
        told.store(false, Ordering::Relaxed);
        engaged.store(true, Ordering::Relaxed);
        let polled = poll(&mut Context::from_waker(&self.waker));
        engaged.store(false, Ordering::Relaxed);
        if polled.is_ready() {
            // An idle connection must not keep its last task in memory.
            drop(task.take());
        } else if told.load(Ordering::Relaxed) {
            cx.waker().wake_by_ref();
        }
        polled
    }
}

impl Wake for Line {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.engaged.load(Ordering::Relaxed) {
            self.told.store(true, Ordering::Relaxed);
        } else {
            self.task.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Relay;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::{Context, Poll, Wake, Waker};

    #[derive(Default)]
    struct Count(AtomicU32);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What `told_inside` and then `told_outside` amount to when the poll comes to `outcome`.
    fn wakes(told_inside: bool, outcome: Poll<()>, told_outside: bool) -> u32 {
        let (count, relay) = (Arc::<Count>::default(), Relay::new());
        let task = Waker::from(Arc::clone(&count));
        let mut kept = None;
        let polled = relay.poll(&mut Context::from_waker(&task), |cx| {
            if told_inside {
                cx.waker().wake_by_ref();
            }
            kept = Some(cx.waker().clone());
            outcome
        });
        assert_eq!(polled, outcome);
        if told_outside {
            kept.unwrap().wake();
        }
        count.0.load(Ordering::Relaxed)
    }

    #[test]
    fn a_task_is_woken_by_others_and_by_itself_only_if_it_waits() {
        for (told_inside, outcome, told_outside, expected) in [
            (false, Poll::Pending, false, 0),
            (false, Poll::Pending, true, 1),
            (true, Poll::Pending, false, 1),
            (true, Poll::Ready(()), false, 0),
            (false, Poll::Ready(()), true, 0),
        ] {
            assert_eq!(
                wakes(told_inside, outcome, told_outside),
                expected,
                "{told_inside} {outcome:?}"
            );
        }
    }

    #[test]
    fn a_task_that_is_gone_is_not_kept() {
        let (count, relay) = (Arc::<Count>::default(), Relay::new());
        let task = Waker::from(Arc::clone(&count));
        assert_eq!(
            relay.poll(&mut Context::from_waker(&task), |_| Poll::Ready(())),
            Poll::Ready(())
        );
        drop(task);
        assert_eq!(Arc::strong_count(&count), 1);
    }
}
