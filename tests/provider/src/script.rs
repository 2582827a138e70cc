//! What a test, or a demo, makes a fake do: a queue of steps, one for each request, and a standing step for the rest.
//!
//! Steps are taken in order by the requests they fit; a request that fits none is answered as a provider in good health
//! would answer it.

use crate::step::{Fits, Step};
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a step can know of a request.
pub(crate) struct Facts<'a> {
    pub(crate) path: &'a str,
    pub(crate) reused: bool,
    /// `None` before it is read.
    pub(crate) body: Option<&'a [u8]>,
}

impl Fits {
    fn fit(&self, facts: &Facts<'_>) -> bool {
        let path = self.path.as_deref().is_none_or(|path| path == facts.path);
        let connection = self.reused.is_none_or(|reused| reused == facts.reused);
        path && connection
            && self
                .body
                .as_deref()
                .is_none_or(|part| facts.body.is_some_and(|body| holds(body, part)))
    }
}

fn holds(body: &[u8], part: &str) -> bool {
    part.is_empty() || body.windows(part.len()).any(|window| window == part.as_bytes())
}

/// The steps that are still to come.
#[derive(Debug, Default)]
pub(crate) struct Script {
    steps: Mutex<Steps>,
}

#[derive(Debug, Default)]
struct Steps {
    queue: VecDeque<Step>,
    standing: Option<Step>,
}

impl Script {
    pub(crate) fn extend(&self, steps: impl IntoIterator<Item = Step>) {
        self.lock().queue.extend(steps);
    }

    pub(crate) fn stand(&self, step: Option<Step>) {
        self.lock().standing = step;
    }

    pub(crate) fn clear(&self) {
        *self.lock() = Steps::default();
    }

    pub(crate) fn left(&self) -> usize {
        self.lock().queue.iter().map(|step| step.times).sum()
    }

    /// The step for a request whose head alone is known, if it is one that acts on the head alone.
    pub(crate) fn take_early(&self, facts: &Facts<'_>) -> Option<Step> {
        self.lock().take(facts, Step::is_early)
    }

    /// The step for a request that has been read.
    pub(crate) fn take(&self, facts: &Facts<'_>) -> Step {
        self.lock().take(facts, |_| true).unwrap_or_else(Step::normal)
    }

    fn lock(&self) -> MutexGuard<'_, Steps> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Steps {
    /// The first step that fits, if `wanted` agrees; a step that fits and is not wanted keeps its place.
    fn take(&mut self, facts: &Facts<'_>, wanted: impl Fn(&Step) -> bool) -> Option<Step> {
        let Some(index) = self
            .queue
            .iter()
            .position(|step| step.times > 0 && step.fits.fit(facts))
        else {
            return self
                .standing
                .clone()
                .filter(|step| step.fits.fit(facts) && wanted(step));
        };
        let step = self.queue.get_mut(index).filter(|step| wanted(step))?;
        step.times -= 1;
        let taken = step.clone();
        if step.times == 0 {
            self.queue.remove(index);
        }
        Some(taken)
    }
}
