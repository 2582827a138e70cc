//! The variables by which SDKs find the sidecar without a change to the application.

use k8s_openapi::api::core::v1::Container;

/// A variable that is set where a container does not set it itself.
pub(super) struct Variable {
    pub(super) name: &'static str,
    pub(super) value: &'static str,
    /// Others that mean the same to the SDK. Where one of them is set this one would contradict it, and win.
    instead: &'static [&'static str],
}

/// What SDKs that refuse to start without a key are given. It has not our keys' prefix, so it means "no key".
const PLACEHOLDER: &str = "pilotfish";

/// OpenAI's SDKs want the version in the base URL; Anthropic's and Google's add theirs.
const VARIABLES: [Variable; 7] = [
    variable("PILOTFISH_URL", "http://127.0.0.1:4000", &[]),
    variable("OPENAI_BASE_URL", "http://127.0.0.1:4000/v1", &[]),
    variable("OPENAI_API_KEY", PLACEHOLDER, &[]),
    variable("ANTHROPIC_BASE_URL", "http://127.0.0.1:4000", &[]),
    variable("ANTHROPIC_API_KEY", PLACEHOLDER, &["ANTHROPIC_AUTH_TOKEN"]),
    variable("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:4000", &[]),
    variable("GEMINI_API_KEY", PLACEHOLDER, &["GOOGLE_API_KEY"]),
];

const fn variable(name: &'static str, value: &'static str, instead: &'static [&'static str]) -> Variable {
    Variable { name, value, instead }
}

/// What injection does to the variables of one container.
pub(super) struct Environment {
    /// Those it sets.
    pub(super) set: Vec<&'static str>,
    /// Those that the container sets itself, whatever to.
    pub(super) kept: Vec<&'static str>,
}

impl Environment {
    /// Of `container`.
    pub(super) fn of(container: &Container) -> Self {
        let is_set = |name: &str| container.env.iter().flatten().any(|variable| variable.name == name);
        let stays = |variable: &&Variable| is_set(variable.name) || variable.instead.iter().any(|name| is_set(name));
        let (kept, set): (Vec<_>, Vec<_>) = VARIABLES.iter().partition(stays);
        let names = |variables: Vec<&Variable>| variables.into_iter().map(|variable| variable.name).collect();
        Self {
            set: names(set),
            kept: names(kept),
        }
    }

    /// The variables that are to be set, in their order.
    pub(super) fn variables(&self) -> impl DoubleEndedIterator<Item = &'static Variable> {
        VARIABLES.iter().filter(|variable| self.set.contains(&variable.name))
    }
}
