//! Keeps the bench's event loops from sleeping while a proxy is saturated.
//!
//! To wake a sleeping thread on another core costs whoever sends to it several microseconds. A proxy that keeps the bench
//! busy is spared that, a slower one pays it with every message: the slower it is, the slower it would seem. So nobody
//! sleeps while CPU time at saturation is measured, whichever proxy is.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use tokio::sync::Notify;

/// Shared by the event loops that are to stay awake together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Awake(Arc<State>);

#[derive(Debug, Default)]
struct State {
    wanted: AtomicBool,
    changed: Notify,
}

impl Awake {
    /// Until the guard is dropped.
    pub(crate) fn hold(&self) -> Guard {
        self.0.wanted.store(true, Ordering::Relaxed);
        self.0.changed.notify_one();
        Guard(self.clone())
    }

    /// Runs beside an event loop's other tasks. The core is offered to the other threads on each turn.
    pub(crate) async fn keep(self) -> Infallible {
        loop {
            while self.0.wanted.load(Ordering::Relaxed) {
                thread::yield_now();
                tokio::task::yield_now().await;
            }
            self.0.changed.notified().await;
        }
    }
}

/// Lets the event loops sleep again when it is dropped.
pub(crate) struct Guard(Awake);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.0.wanted.store(false, Ordering::Relaxed);
    }
}
