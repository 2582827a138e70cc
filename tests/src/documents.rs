//! The YAML that a user writes, in the usual shapes. What a test is about is added as YAML with `with`.

use crate::Dialect;
use pilotfish_provider::Fake;
use std::fmt;

/// In a cluster only Secrets with this label are read.
const CREDENTIALS: &str = r#"{pilotfish.dev/credentials: "true"}"#;

/// A ModelDeployment and the Secret it reads its key from.
#[derive(Clone, Debug)]
pub struct Deployment {
    name: String,
    provider: &'static str,
    model: String,
    url: String,
    speaks: Option<String>,
    authority: Option<String>,
    more: Vec<String>,
}

impl Deployment {
    /// Calls `fake`, which [`Dialect::provider`] made under the same name.
    pub fn of(dialect: Dialect, name: &str, fake: &Fake) -> Self {
        Self {
            authority: fake.authority_pem().map(str::to_owned),
            ..Self::at(dialect, name, &fake.url())
        }
    }

    /// Calls whatever is, or is not, at `url`.
    pub fn at(dialect: Dialect, name: &str, url: &str) -> Self {
        Self {
            name: name.to_owned(),
            provider: dialect.provider_name(),
            model: dialect.model().to_owned(),
            url: url.to_owned(),
            speaks: None,
            authority: None,
            more: Vec::new(),
        }
    }

    /// Another provider than the dialect's usual one.
    pub fn provider(mut self, provider: &'static str) -> Self {
        self.provider = provider;
        self
    }

    /// Another model than the dialect's usual one.
    pub fn model(mut self, model: &str) -> Self {
        model.clone_into(&mut self.model);
        self
    }

    /// Of what its provider speaks only this dialect, spelt as in a document.
    pub fn speaking(mut self, dialect: &str) -> Self {
        self.speaks = Some(dialect.to_owned());
        self
    }

    /// Adds a line to its `spec`, such as `timeouts: {attempt: 1s}`.
    pub fn with(mut self, line: &str) -> Self {
        self.more.push(line.to_owned());
        self
    }
}

impl fmt::Display for Deployment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            provider,
            model,
            url,
            speaks,
            authority,
            more,
        } = self;
        writeln!(
            f,
            "kind: Secret\napiVersion: v1\nmetadata: {{name: {name}, labels: {CREDENTIALS}}}"
        )?;
        writeln!(f, "stringData: {{api-key: sk-up-{name}}}\n---")?;
        head(f, "ModelDeployment", name)?;
        writeln!(f, "  provider: {provider}\n  model: {model}")?;
        writeln!(f, "  endpoint:\n    url: {url:?}")?;
        if let Some(dialect) = speaks {
            writeln!(f, "    dialects: [{{name: {dialect}}}]")?;
        }
        if let Some(pem) = authority {
            writeln!(f, "    caBundle: {pem:?}")?;
        }
        writeln!(f, "  credentials: {{secretKeyRef: {{name: {name}, key: api-key}}}}")?;
        more.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// A RoutingPolicy.
#[derive(Clone, Debug)]
pub struct Policy {
    name: String,
    models: Vec<String>,
    rules: Vec<String>,
    more: Vec<String>,
}

impl Policy {
    /// A policy that answers for the model of its own name.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            models: vec![name.to_owned()],
            rules: Vec::new(),
            more: Vec::new(),
        }
    }

    /// Answers for these models instead.
    pub fn models<'a>(mut self, models: impl IntoIterator<Item = &'a str>) -> Self {
        self.models = models.into_iter().map(str::to_owned).collect();
        self
    }

    /// Adds a rule: its `when` as YAML, and the deployments that share its requests equally.
    pub fn rule<'a>(self, name: &str, when: &str, targets: impl IntoIterator<Item = &'a str>) -> Self {
        let targets: Vec<String> = targets.into_iter().map(|target| one(target, "")).collect();
        self.raw_rule(&format!(
            "{{name: {name}, when: {when}, targets: [{}]}}",
            targets.join(", ")
        ))
    }

    /// The last rule: these deployments share its requests equally.
    pub fn targets<'a>(self, targets: impl IntoIterator<Item = &'a str>) -> Self {
        let targets: Vec<String> = targets.into_iter().map(|target| one(target, "")).collect();
        self.raw_rule(&format!("{{name: default, targets: [{}]}}", targets.join(", ")))
    }

    /// The last rule: each of these deployments stands in for those before it.
    pub fn in_order<'a>(self, targets: impl IntoIterator<Item = &'a str>) -> Self {
        let targets = targets.into_iter().enumerate();
        let targets: Vec<String> = targets
            .map(|(tier, target)| one(target, &format!(", tier: {tier}")))
            .collect();
        self.raw_rule(&format!("{{name: default, targets: [{}]}}", targets.join(", ")))
    }

    /// The last rule: deployments with their weights.
    pub fn weighted<'a>(self, targets: impl IntoIterator<Item = (&'a str, u32)>) -> Self {
        let targets: Vec<String> = targets
            .into_iter()
            .map(|(target, weight)| one(target, &format!(", weight: {weight}")))
            .collect();
        self.raw_rule(&format!("{{name: default, targets: [{}]}}", targets.join(", ")))
    }

    /// Adds a rule as YAML.
    pub fn raw_rule(mut self, rule: &str) -> Self {
        self.rules.push(rule.to_owned());
        self
    }

    /// Adds a line to its `spec`, such as `retry: {attempts: 2}`.
    pub fn with(mut self, line: &str) -> Self {
        self.more.push(line.to_owned());
        self
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            models,
            rules,
            more,
        } = self;
        head(f, "RoutingPolicy", name)?;
        writeln!(f, "  models: {models:?}\n  rules:")?;
        rules.iter().try_for_each(|rule| writeln!(f, "  - {rule}"))?;
        more.iter().try_for_each(|line| writeln!(f, "  {line}"))
    }
}

/// A VirtualKey and the Secret that holds `key`. `more` is added to its `spec`, as the inside of a YAML flow mapping:
/// `disabled: true`, or nothing.
pub fn virtual_key(name: &str, key: &str, more: &str) -> String {
    let separator = if more.is_empty() { "" } else { ", " };
    format!(
        "kind: Secret\napiVersion: v1\nmetadata: {{name: {name}, labels: {CREDENTIALS}}}\nstringData: {{api-key: {key}}}\n---\n\
         kind: VirtualKey\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {{name: {name}}}\n\
         spec: {{secretName: {name}{separator}{more}}}\n"
    )
}

fn head(f: &mut fmt::Formatter<'_>, kind: &str, name: &str) -> fmt::Result {
    writeln!(
        f,
        "kind: {kind}\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {{name: {name}}}\nspec:"
    )
}

fn one(target: &str, more: &str) -> String {
    format!("{{deploymentRef: {{name: {target}}}{more}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_the_yaml_that_a_user_writes() {
        let policy = Policy::named("chat")
            .rule("long", "{minInputTokens: 10}", ["big"])
            .in_order(["east", "west"])
            .with("retry: {attempts: 2}");
        let expected = "\
kind: RoutingPolicy
apiVersion: pilotfish.dev/v1alpha1
metadata: {name: chat}
spec:
  models: [\"chat\"]
  rules:
  - {name: long, when: {minInputTokens: 10}, targets: [{deploymentRef: {name: big}}]}
  - {name: default, targets: [{deploymentRef: {name: east}, tier: 0}, {deploymentRef: {name: west}, tier: 1}]}
  retry: {attempts: 2}
";
        assert_eq!(policy.to_string(), expected);
    }
}
