//! Whose image a sidecar runs.

use super::pod::{self, Shown};
use k8s_openapi::api::core::v1::Pod;
use std::collections::BTreeMap;
use tokio::sync::watch;

/// Repositories, and until when sidecars were injected from them, in seconds since the Unix epoch.
pub(crate) type Injected = BTreeMap<String, i64>;

/// The repositories whose images are trusted, as they are written in pods.
///
/// Those that are named are trusted in every pod, those that were named when sidecars were injected from them only in pods
/// that are as old as that: who moves to another registry cuts off no pod that runs, and who holds the former one gets
/// into none that is made later.
#[derive(Debug)]
pub struct Trusted {
    named: Vec<String>,
    injected: watch::Sender<Injected>,
}

impl Trusted {
    /// Those of `images`, whatever their tags and digests.
    pub fn new(images: &[String]) -> Self {
        let mut named: Vec<_> = images.iter().map(|image| repository(image).to_owned()).collect();
        named.dedup();
        Self {
            named,
            injected: watch::Sender::default(),
        }
    }

    /// Whether a pod is one whose sidecar is served: the label, who mounts the token, whose image it is, and who else could
    /// reach what it holds. If not, a sentence.
    pub fn judge(&self, pod: &Pod) -> Result<(), String> {
        self.judge_shown(&pod::shown(pod))
    }

    /// The same of a pod that was looked at before: whom it trusts may have changed since.
    pub(crate) fn judge_shown(&self, pod: &Shown) -> Result<(), String> {
        if let Some(fault) = &pod.fault {
            return Err(fault.to_string());
        }
        match self.injected_until(&pod.image) {
            _ if self.is_named(&pod.image) => Ok(()),
            Some(until) if pod.created <= until => Ok(()),
            _ => Err(self.distrusts(pod)),
        }
    }

    /// The same of a pod that is being created. Anything that it says about how it is doing is a guess yet.
    pub(crate) fn judge_new(&self, pod: &Pod) -> Result<(), String> {
        let pod = pod::new(pod);
        if let Some(fault) = &pod.fault {
            return Err(fault.to_string());
        }
        // Another replica may inject from another repository while it is replaced.
        let is_trusted = self.is_named(&pod.image) || self.injected_until(&pod.image).is_some();
        is_trusted.then_some(()).ok_or_else(|| self.distrusts(&pod))
    }

    /// Sidecars were injected from these.
    pub(crate) fn remember(&self, injected: Injected) {
        self.injected.send_if_modified(|before| {
            let is_news = *before != injected;
            *before = injected;
            is_news
        });
    }

    /// Says when what is remembered changes.
    pub(crate) fn changed(&self) -> watch::Receiver<Injected> {
        self.injected.subscribe()
    }

    fn is_named(&self, image: &str) -> bool {
        let repository = repository(image);
        self.named.iter().any(|trusted| trusted == repository)
    }

    fn injected_until(&self, image: &str) -> Option<i64> {
        self.injected.borrow().get(repository(image)).copied()
    }

    fn distrusts(&self, pod: &Shown) -> String {
        let Shown { name, image, .. } = pod;
        let older = match self.injected_until(image) {
            Some(_) => ", and a former one is trusted in older pods alone",
            None => "",
        };
        format!(
            "container pilotfish of {name} runs {image}, which is of no trusted repository ({}){older}",
            self.named.join(", ")
        )
    }
}

/// A reference without its digest and its tag: a `:` before the last `/` is that of a port.
pub(crate) fn repository(image: &str) -> &str {
    let named = image.split_once('@').map_or(image, |(named, _digest)| named);
    match named.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => named,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_trusted_by_its_repository() {
        let trusted = Trusted::new(&["registry.example:5000/pilotfish/sidecar:1.0".to_owned()]);
        for (image, expected) in [
            ("registry.example:5000/pilotfish/sidecar:1.0", true),
            ("registry.example:5000/pilotfish/sidecar:2.0", true),
            ("registry.example:5000/pilotfish/sidecar", true),
            ("registry.example:5000/pilotfish/sidecar@sha256:abc", true),
            ("registry.example:5000/pilotfish/sidecar:2.0@sha256:abc", true),
            ("registry.example:5000/pilotfish/sidecar-debug:1.0", false),
            ("registry.example:5000/pilotfish/sidecar/x:1.0", false),
            ("registry.example/pilotfish/sidecar:1.0", false),
            ("evil.example/registry.example:5000/pilotfish/sidecar", false),
            ("evil.example/x@registry.example:5000/pilotfish/sidecar", false),
            ("registry.example:5000/pilotfish/sidecar:1.0/x", false),
            ("registry.example", false),
            ("", false),
        ] {
            assert_eq!(trusted.is_named(image), expected, "{image}");
        }
    }

    #[test]
    fn a_former_repository_is_trusted_in_pods_that_are_as_old_as_its_time() {
        let trusted = Trusted::new(&["new/sidecar:2".to_owned()]);
        let judged = |image: &str, created| {
            trusted.judge_shown(&Shown {
                name: "pod shop/web".to_owned(),
                fault: None,
                has_sidecar: true,
                image: image.to_owned(),
                created,
            })
        };
        let mut news = trusted.changed();
        assert!(judged("old/sidecar:1", 5).is_err(), "nothing is remembered yet");
        trusted.remember(Injected::from([("old/sidecar".to_owned(), 100)]));
        assert!(news.has_changed().unwrap());
        news.mark_unchanged();
        trusted.remember(Injected::from([("old/sidecar".to_owned(), 100)]));
        assert!(!news.has_changed().unwrap(), "it is no news");

        assert_eq!(judged("old/sidecar:1", 5), Ok(()));
        assert_eq!(judged("old/sidecar:1", 100), Ok(()));
        assert_eq!(judged("new/sidecar:1", 101), Ok(()));
        assert!(judged("older/sidecar:1", 5).is_err());
        let said = "container pilotfish of pod shop/web runs old/sidecar:9, which is of no trusted repository (new/sidecar), \
                    and a former one is trusted in older pods alone";
        assert_eq!(judged("old/sidecar:9", 101), Err(said.to_owned()));
        trusted.remember(Injected::new());
        assert!(judged("old/sidecar:1", 5).is_err(), "it was taken back");
    }
}
