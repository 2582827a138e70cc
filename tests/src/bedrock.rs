//! Deployments in Amazon Bedrock, which no application speaks to by itself.

use pilotfish_provider::{Bedrock, Builder, Fake};

/// A Claude in Bedrock.
pub const CLAUDE: &str = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";

/// The pair that signs.
const KEY_ID: &str = "AKIDEXAMPLE";
/// Its secret half.
pub const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

/// How the calls of a deployment are authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// By a signature.
    Signed,
    /// By an API key.
    Keyed,
}

/// A fake that takes the pair and the API key `sk-up-<name>`, and nothing else.
pub fn provider(name: &str) -> Builder {
    let pair = format!("{KEY_ID}:{SECRET_KEY}");
    Bedrock::builder().name(name).keys([format!("sk-up-{name}"), pair])
}

/// A ModelDeployment that calls `fake`, and its Secret.
pub fn deployment(name: &str, fake: &Fake, calls: Calls) -> String {
    let (data, credentials) = match calls {
        Calls::Signed => (
            format!("AWS_ACCESS_KEY_ID: {KEY_ID}, AWS_SECRET_ACCESS_KEY: {SECRET_KEY}"),
            format!("secretRef: {{name: {name}}}"),
        ),
        Calls::Keyed => (
            format!("api-key: sk-up-{name}"),
            format!("secretKeyRef: {{name: {name}, key: api-key}}"),
        ),
    };
    format!(
        "kind: Secret\napiVersion: v1\nmetadata: {{name: {name}}}\nstringData: {{{data}}}\n---\n\
         kind: ModelDeployment\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {{name: {name}}}\nspec:\n  \
         provider: Bedrock\n  model: {CLAUDE:?}\n  bedrock: {{region: us-east-1}}\n  endpoint: {{url: {url:?}}}\n  \
         credentials: {{{credentials}}}\n  capabilities: {{features: [Tools, Vision, ReasoningBudget]}}\n",
        url = fake.url()
    )
}
