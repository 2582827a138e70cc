//! A place where a scripted answer waits until the test lets it go on.

use std::sync::Arc;
use tokio::sync::watch;

/// Both sides of the wait: the answer says when it got there, the test says when it may pass.
#[derive(Clone, Debug)]
pub struct Gate {
    state: Arc<watch::Sender<State>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    waiting: usize,
    open: bool,
}

impl Default for Gate {
    fn default() -> Self {
        Gate::new()
    }
}

impl Gate {
    /// A closed gate.
    pub fn new() -> Gate {
        Gate {
            state: Arc::new(watch::Sender::new(State::default())),
        }
    }

    /// Lets through whoever waits and whoever comes later.
    pub fn open(&self) {
        self.state.send_modify(|state| state.open = true);
    }

    /// Returns once `answers` answers in all have come to the gate.
    pub async fn reached(&self, answers: usize) {
        self.until(|state| state.waiting >= answers).await;
    }

    /// What the answer does at the gate.
    pub(crate) async fn pass(&self) {
        self.state.send_modify(|state| state.waiting += 1);
        self.until(|state| state.open).await;
    }

    async fn until(&self, holds: impl FnMut(&State) -> bool) {
        let mut watcher = self.state.subscribe();
        watcher
            .wait_for(holds)
            .await
            .map(drop)
            .expect("the gate outlives who waits at it");
    }
}
