//! Whose reasoning an encrypted item of Responses is, and who has refused whose.
//!
//! Only the account that encrypted what its model thought can read it; another one answers 400, after a failover as in
//! any conversation that moves. Who made an item is remembered when the item passes. What a deployment has refused once,
//! by its maker or, where nobody knows that (it came before a restart), by itself, it is not sent again.

use crate::halves::{Halves, Place};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Most items whose maker is remembered, and most refusals.
const MOST: usize = 16 * 1024;

/// Where an item may be read: a deployment with the credential of its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Maker {
    /// `namespace/name`.
    pub deployment: Arc<str>,
    /// Its endpoint and its credential.
    pub revision: u64,
    /// No provider reads what another one has encrypted.
    pub provider: Arc<str>,
}

impl Maker {
    fn name(&self) -> String {
        format!("{} {}", self.deployment, self.revision)
    }
}

/// The memory. While nothing is remembered, asking costs one atomic load.
#[derive(Debug)]
pub(crate) struct Sealed {
    any: AtomicBool,
    makers: Halves<Maker>,
    refused: Halves<()>,
}

impl Default for Sealed {
    fn default() -> Self {
        Self {
            any: AtomicBool::new(false),
            makers: Halves::of(MOST),
            refused: Halves::of(MOST),
        }
    }
}

impl Sealed {
    pub(crate) fn is_empty(&self) -> bool {
        !self.any.load(Ordering::Relaxed)
    }

    /// Remembers who made the item of this content.
    pub(crate) fn made(&self, tenant: &str, content: &str, maker: Maker) {
        self.makers.keep(Place::of(tenant, &[content]), maker);
        self.any.store(true, Ordering::Relaxed);
    }

    /// `reader` has refused a request with these contents: all that is not its own is known for foreign from here on, and
    /// where everything was its own, that.
    pub(crate) fn refused<'c>(&self, tenant: &str, contents: impl Iterator<Item = &'c str> + Clone, reader: &Maker) {
        let maker = |content: &str| self.maker(tenant, content);
        let is_own = |content: &&str| maker(content).as_ref() == Some(reader);
        let all = contents.clone().all(|content| is_own(&content));
        for content in contents.filter(|content| all || !is_own(content)) {
            let whose = maker(content).filter(|_| !all).map(|maker| maker.name());
            self.refused
                .keep(refusal(tenant, reader, whose.as_deref().unwrap_or(content)), ());
        }
        self.any.store(true, Ordering::Relaxed);
    }

    /// `reader` cannot read it, as far as is known.
    pub(crate) fn is_foreign(&self, tenant: &str, content: &str, reader: &Maker) -> bool {
        let has_refused = |whose: &str| self.refused.get(&refusal(tenant, reader, whose)).is_some();
        let of_another = |maker: Maker| maker.provider != reader.provider || has_refused(&maker.name());
        has_refused(content) || self.maker(tenant, content).is_some_and(of_another)
    }

    fn maker(&self, tenant: &str, content: &str) -> Option<Maker> {
        self.makers.get(&Place::of(tenant, &[content]))
    }
}

fn refusal(tenant: &str, reader: &Maker, whose: &str) -> Place {
    Place::of(tenant, &[&reader.name(), whose])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maker(deployment: &str, revision: u64, provider: &str) -> Maker {
        Maker {
            deployment: deployment.into(),
            revision,
            provider: provider.into(),
        }
    }

    #[test]
    fn what_one_refused_of_another_it_is_not_sent_again() {
        let (east, west) = (maker("a/east", 1, "openai"), maker("a/west", 1, "openai"));
        let sealed = Sealed::default();
        assert!(sealed.is_empty());
        sealed.made("t", "e1", east.clone());
        sealed.made("t", "e2", east.clone());
        sealed.made("t", "w1", west.clone());
        // Perhaps they are one account.
        assert!(!sealed.is_foreign("t", "e1", &west));
        sealed.refused("t", ["e1", "w1", "old"].into_iter(), &west);
        for (content, foreign) in [("e1", true), ("e2", true), ("old", true), ("w1", false), ("new", false)] {
            assert_eq!(sealed.is_foreign("t", content, &west), foreign, "{content}");
            assert!(!sealed.is_foreign("t", content, &east), "{content}");
            assert!(!sealed.is_foreign("another", content, &west), "{content}");
        }
    }

    #[test]
    fn no_provider_reads_what_another_one_encrypted() {
        let sealed = Sealed::default();
        sealed.made("t", "e1", maker("a/east", 1, "openai"));
        assert!(sealed.is_foreign("t", "e1", &maker("a/grok", 1, "x_ai")));
        assert!(!sealed.is_foreign("t", "e1", &maker("a/west", 1, "openai")));
    }

    #[test]
    fn what_one_refuses_of_its_own_it_is_not_sent_again_either() {
        let east = maker("a/east", 1, "openai");
        let sealed = Sealed::default();
        sealed.made("t", "e1", east.clone());
        sealed.refused("t", ["e1"].into_iter(), &east);
        assert!(sealed.is_foreign("t", "e1", &east));
        sealed.made("t", "e2", east.clone());
        assert!(!sealed.is_foreign("t", "e2", &east));
        // With another key it is another reader.
        sealed.refused("t", ["e2"].into_iter(), &maker("a/east", 2, "openai"));
        assert!(sealed.is_foreign("t", "e2", &maker("a/east", 2, "openai")));
        assert!(!sealed.is_foreign("t", "e2", &east));
    }
}
