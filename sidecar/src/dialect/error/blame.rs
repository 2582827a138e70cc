//! Whose fault a 401, a 403 or a 404 is, by the words of its sentence. The deployment's, and others are tried: its key,
//! its account, its model. The client's: something that it names or sends, so that the deployment is as good as before.

use super::quoted::{Ends, without_quotes};
use crate::dialect::Class;

/// Sentences, in lower case, of a filter that a request has run into.
const FLAGGED: &[&str] = &[
    "flagged",
    "moderation",
    "content policy",
    "content filter",
    "content management policy",
    "content safety",
    "usage guidelines",
    "usage policies",
    "guardrail",
];

/// The same of an account that was found out, which no other request there gets around.
const SUSPENDED: &[&str] = &["account was", "account has been", "account is", "organization has been"];

/// What one request wants and the model's routers have at nobody: OpenRouter's.
const UNROUTABLE: &[&str] = &["no endpoints found that support", "no endpoints found that can handle"];

/// The scopes without which a key is of no use at all; a restricted one may lack others.
const NEEDED_SCOPES: &[&str] = &["model.request", "api.model", "api.responses", "api.embeddings"];

/// What a request may name of its provider's store.
const STORED: &[&str] = &[
    "batch",
    "cache",
    "cached",
    "cachedcontent",
    "cachedcontents",
    "container",
    "containers",
    "conversation",
    "conversations",
    "file",
    "files",
    "item",
    "items",
    "prompt",
    "prompts",
    "response",
    "responses",
    "skill",
    "skills",
    "thread",
    "threads",
    "vector",
];

/// The same under 403, where a sentence about the key may well name a response or a prompt.
const GUARDED: &[&str] = &[
    "cachedcontent",
    "cachedcontents",
    "container",
    "conversation",
    "file",
    "files",
    "item",
    "logprobs",
    "thread",
    "vector",
];

/// What the deployment names, and no client can.
const CONFIGURED: &[&str] = &[
    "account",
    "deployment",
    "deployments",
    "endpoint",
    "endpoints",
    "engine",
    "engines",
    "function",
    "model",
    "models",
    "project",
    "publisher",
    "region",
    "route",
    "tunedmodel",
    "tunedmodels",
    "url",
];

/// What says that nothing is named: the address itself is wrong.
const EMPTY: &[&str] = &[
    "404",
    "be",
    "can",
    "cannot",
    "could",
    "does",
    "entity",
    "error",
    "exist",
    "found",
    "not",
    "page",
    "path",
    "post",
    "requested",
    "resource",
    "the",
    "was",
];

/// The credential, and whose it is.
const CALLER: &[&str] = &[
    "access",
    "account",
    "apikey",
    "authentication",
    "authenticate",
    "authorization",
    "authorized",
    "billing",
    "blocked",
    "country",
    "credential",
    "credentials",
    "denied",
    "disabled",
    "forbidden",
    "ip",
    "key",
    "keys",
    "location",
    "organisation",
    "organization",
    "permission",
    "permissions",
    "plan",
    "policy",
    "project",
    "region",
    "role",
    "signature",
    "subscription",
    "suspended",
    "team",
    "tenant",
    "token",
    "unauthorised",
    "unauthorized",
    "workspace",
];

/// What the sentence of an error says, as far as blame goes.
pub(super) struct Sentence {
    /// In lower case, without its quotations.
    plain: String,
    /// The error's own names, likewise.
    names: String,
}

impl Sentence {
    pub(super) fn of<'a>(message: &str, names: impl Iterator<Item = &'a str>) -> Self {
        Self {
            plain: without_quotes(&message.to_lowercase(), Ends::Furthest),
            names: names.collect::<Vec<_>>().join(" ").to_lowercase(),
        }
    }

    pub(super) fn has(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.plain.contains(phrase))
    }

    pub(super) fn begins_with(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.plain.starts_with(phrase))
    }

    /// A filter has refused what the client says.
    pub(super) fn is_flagged(&self) -> bool {
        self.has(FLAGGED) && !self.has(SUSPENDED)
    }

    /// Under 401: the key is refused, or it lacks what one operation wants.
    pub(super) fn of_401(&self) -> Class {
        let of_one_operation = self.plain.contains("missing scopes") && !self.has(NEEDED_SCOPES);
        match of_one_operation {
            true => Class::Client,
            false => Class::Unauthorised,
        }
    }

    /// Under 403.
    pub(super) fn of_403(&self) -> Class {
        if self.is_flagged() || self.words().any(|word| GUARDED.contains(&word)) {
            return Class::Client;
        }
        // Google says so of a tuned model, which is the deployment's.
        if self.words().any(|word| matches!(word, "tunedmodels" | "tuned")) {
            return Class::ModelNotFound;
        }
        let names = words(&self.names);
        if self.words().chain(names).any(|word| CALLER.contains(&word)) {
            return Class::Unauthorised;
        }
        match self.words().any(|word| CONFIGURED.contains(&word)) {
            true => Class::ModelNotFound,
            false => Class::Client,
        }
    }

    /// Under 404: the first word that tells.
    pub(super) fn of_404(&self) -> Class {
        if self.has(UNROUTABLE) {
            return Class::Client;
        }
        let telling = self.words().find_map(|word| {
            let is_configured = CONFIGURED.contains(&word);
            (is_configured || STORED.contains(&word)).then_some(is_configured)
        });
        match telling.unwrap_or_else(|| self.words().all(|word| EMPTY.contains(&word))) {
            true => Class::ModelNotFound,
            false => Class::Client,
        }
    }

    fn words(&self) -> impl Iterator<Item = &str> {
        words(&self.plain)
    }
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|letter: char| !letter.is_alphanumeric())
        .filter(|word| !word.is_empty())
}
