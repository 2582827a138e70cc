//! Whose image a sidecar runs.

use super::pod;
use k8s_openapi::api::core::v1::Pod;

/// The repositories whose images are trusted, as they are written in pods.
#[derive(Debug)]
pub struct Trusted(Vec<String>);

impl Trusted {
    /// Those of `images`, whatever their tags and digests.
    pub fn new(images: &[String]) -> Self {
        let mut repositories: Vec<_> = images.iter().map(|image| repository(image).to_owned()).collect();
        repositories.dedup();
        Self(repositories)
    }

    /// Whether a pod is one whose sidecar is served: the label, who mounts the token, whose image it is, and who else could
    /// reach what it holds. If not, a sentence.
    pub fn judge(&self, pod: &Pod) -> Result<(), String> {
        pod::judge(pod, self)
    }

    pub(super) fn includes(&self, image: &str) -> bool {
        let repository = repository(image);
        self.0.iter().any(|trusted| trusted == repository)
    }

    /// All of them, for a sentence.
    pub(super) fn list(&self) -> String {
        self.0.join(", ")
    }
}

/// A reference without its digest and its tag: a `:` before the last `/` is that of a port.
fn repository(image: &str) -> &str {
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
            assert_eq!(trusted.includes(image), expected, "{image}");
        }
    }
}
