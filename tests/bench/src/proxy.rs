//! What stands between the load generator and the fake upstream.

use crate::process::Process;
use anyhow::Result;
use std::net::SocketAddr;

/// A proxy that is up.
pub(crate) struct Proxy {
    /// Where it takes requests.
    pub(crate) address: SocketAddr,
    /// The process it is.
    pub(crate) process: Process,
}

/// The two that are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// nginx.
    Reference,
    /// The sidecar.
    Subject,
}

/// One value of each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair<T> {
    /// Of the reference.
    pub(crate) reference: T,
    /// Of the subject.
    pub(crate) subject: T,
}

impl<T> Pair<T> {
    /// The one in that role.
    pub(crate) fn of(&self, role: Role) -> &T {
        match role {
            Role::Reference => &self.reference,
            Role::Subject => &self.subject,
        }
    }

    /// The one in that role, to be replaced.
    pub(crate) fn of_mut(&mut self, role: Role) -> &mut T {
        match role {
            Role::Reference => &mut self.reference,
            Role::Subject => &mut self.subject,
        }
    }

    /// What `f` makes of each.
    pub(crate) fn map<U>(&self, f: impl Fn(&T) -> Result<U>) -> Result<Pair<U>> {
        Ok(Pair {
            reference: f(&self.reference)?,
            subject: f(&self.subject)?,
        })
    }
}
