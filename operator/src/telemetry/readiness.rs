//! Ready: everything that was to come before serving has come.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is still awaited. Each part says before it starts what it waits for; the process is ready once nothing is left.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Mutex<Vec<String>>>);

/// Something that is awaited. Dropping it without [`Pending::done`] leaves the process unready, as what failed is not
/// there.
#[derive(Debug)]
#[must_use = "what is never done keeps the process unready"]
pub struct Pending {
    readiness: Readiness,
    what: String,
}

impl Readiness {
    /// From now on waits for `what`, named for whoever reads the probe's answer.
    pub fn awaits(&self, what: impl Into<String>) -> Pending {
        let what = what.into();
        self.lock().push(what.clone());
        Pending {
            readiness: self.clone(),
            what,
        }
    }

    /// What has not come yet.
    pub fn pending(&self) -> Vec<String> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    /// It has come, for good.
    pub fn done(self) {
        let mut awaited = self.readiness.lock();
        if let Some(index) = awaited.iter().position(|what| *what == self.what) {
            awaited.remove(index);
        }
    }
}
