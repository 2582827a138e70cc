//! The provider table: one row of data for each name that `spec.provider` may have.
//!
//! A row knows where a provider is, which dialects it speaks at which paths, and how it wants its key. Everything that
//! is compatible with OpenAI or Anthropic is a row and no code.

mod table;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use pilotfish_crds::ModelDeploymentSpec;
use pilotfish_crds::deployment::{BedrockMessages, Credentials, Dialect, DialectEndpoint, Endpoint};
use pilotfish_wire as wire;
use table::PROVIDERS;

/// A provider.
#[derive(Debug)]
pub struct Provider {
    /// What users write.
    pub name: &'static str,
    /// Its `gen_ai.provider.name`, from the OpenTelemetry conventions where they have one.
    pub slug: &'static str,
    /// Where it describes its API: what the rest of the row is taken from.
    pub source: &'static str,
    /// The address that all its URLs start with; `None` where it is the user's own.
    root: Option<&'static str>,
    /// What it speaks, the preferred first, and what the SDK of that dialect wants after the root.
    dialects: &'static [(Dialect, &'static str)],
    /// Of these, what it speaks only where it is asked for by name: it knows another one better.
    kept_back: &'static [Dialect],
    /// Where Gemini's models are below its base URL.
    gemini: &'static str,
    /// How it wants its key,
    key: KeyStyle,
    /// unless it wants it otherwise where it speaks one of these.
    keys: &'static [(Dialect, KeyStyle)],
    /// Whether nobody gets in without a key.
    pub needs_key: bool,
    /// Whose tokens it wants.
    tokens: Option<Tokens>,
    /// Which of its models are Claudes that it hosts in a form of its own.
    claude: Option<wire::Hosting>,
    /// How the names of the models begin whose older completions it serves where it speaks chat.
    completes: &'static [&'static str],
    /// Whether it ranks documents where it speaks chat.
    ranks: bool,
    /// What AWS calls it where calls are signed. It is in a region then, whose name stands for [`REGION`] in its root.
    aws_service: Option<&'static str>,
}

const REGION: &str = "{region}";

/// All but what no URL reserves.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

const AZURE: &str = "AzureOpenAI";

/// Who gives out tokens for keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tokens {
    Google,
    Ibm,
}

/// Where IBM Cloud exchanges API keys.
const IBM_TOKENS: &str = "https://iam.cloud.ibm.com/identity/token";

/// How a key is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum KeyStyle {
    Bearer,
    XApiKey,
    ApiKey,
    XGoogApiKey,
}

/// Why a deployment has no usable address: the field, below `spec`, and the sentence.
#[derive(Debug, PartialEq, Eq)]
pub struct NoEndpoint {
    /// The field, such as `endpoint.url`.
    pub field: String,
    /// What is wrong with it.
    pub sentence: String,
}

/// The row called `name`.
pub fn find(name: &str) -> Option<&'static Provider> {
    PROVIDERS.iter().find(|provider| provider.name == name)
}

/// The sentence for a name that is in no row.
pub fn unknown(name: &str) -> String {
    let known: Vec<&str> = PROVIDERS.iter().map(|provider| provider.name).collect();
    format!("unknown provider {name:?}; known: {}", known.join(", "))
}

impl KeyStyle {
    fn auth(self) -> wire::Auth {
        match self {
            Self::Bearer => wire::Auth::Bearer,
            Self::XApiKey | Self::ApiKey | Self::XGoogApiKey => wire::Auth::Header(self.header().to_owned()),
        }
    }

    /// The header that carries it, lower case.
    fn header(self) -> &'static str {
        match self {
            Self::Bearer => "authorization",
            Self::XApiKey => "x-api-key",
            Self::ApiKey => "api-key",
            Self::XGoogApiKey => "x-goog-api-key",
        }
    }
}

impl Provider {
    const fn with_x_api_key(self) -> Self {
        self.with_key(KeyStyle::XApiKey)
    }

    /// A key is presented so.
    const fn with_key(mut self, key: KeyStyle) -> Self {
        self.key = key;
        self
    }

    /// Otherwise where it speaks these.
    const fn with_keys(mut self, keys: &'static [(Dialect, KeyStyle)]) -> Self {
        self.keys = keys;
        self
    }

    const fn with_gemini_at(mut self, path: &'static str) -> Self {
        self.gemini = path;
        self
    }

    /// It serves the older completions of models whose names begin so.
    const fn completing(mut self, models: &'static [&'static str]) -> Self {
        self.completes = models;
        self
    }

    /// It ranks documents at `/rerank`.
    const fn keeping_back(mut self, dialects: &'static [Dialect]) -> Self {
        self.kept_back = dialects;
        self
    }

    const fn ranking(mut self) -> Self {
        self.ranks = true;
        self
    }

    /// It is called with tokens instead of keys.
    const fn with_tokens_of(mut self, tokens: Tokens) -> Self {
        self.tokens = Some(tokens);
        self
    }

    const fn hosting_claude(mut self, hosting: wire::Hosting) -> Self {
        self.claude = Some(hosting);
        self
    }

    const fn signed_for(mut self, service: &'static str) -> Self {
        self.aws_service = Some(service);
        self
    }

    /// It has paths with a version of the API in their query.
    pub fn is_azure(&self) -> bool {
        self.name == AZURE
    }

    /// It takes tokens of Google's, and knows pods of Google's clusters.
    pub fn is_of_google(&self) -> bool {
        self.tokens == Some(Tokens::Google)
    }

    /// It takes tokens of IBM Cloud's.
    pub fn is_of_ibm(&self) -> bool {
        self.tokens == Some(Tokens::Ibm)
    }

    /// It is in a region of AWS, and calls may be signed.
    pub fn is_of_aws(&self) -> bool {
        self.aws_service.is_some()
    }

    /// The headers in which a key is presented to it, lower case.
    pub fn key_headers(&self) -> impl Iterator<Item = &'static str> {
        let others = self.keys.iter().map(|(_, style)| style);
        std::iter::once(&self.key).chain(others).map(|style| style.header())
    }

    fn key_style(&self, dialect: Dialect) -> KeyStyle {
        let other = self.keys.iter().find(|(name, _)| *name == dialect);
        other.map_or(self.key, |(_, style)| *style)
    }

    /// Where a deployment of it is called: one endpoint for each dialect, the preferred first.
    pub fn endpoints(&self, spec: &ModelDeploymentSpec) -> Result<Vec<wire::Endpoint>, NoEndpoint> {
        let endpoint = spec.endpoint.clone().unwrap_or_default();
        let region = spec.bedrock.as_ref().map(|bedrock| bedrock.region.as_str());
        let auth = |dialect| self.auth(spec, region, dialect);
        let one = |(index, wanted): (usize, &DialectEndpoint)| {
            Ok(wire::Endpoint {
                dialect: on_the_wire(wanted.name),
                url: self
                    .url_of(index, wanted, spec, &endpoint)?
                    .replace(REGION, region.unwrap_or_default()),
                auth: auth(wanted.name),
                lacks: self.lacks(wanted.name, &spec.model),
                query: spec
                    .azure
                    .as_ref()
                    .map(|azure| format!("api-version={}", azure.api_version)),
                hosting: self.hosting(wanted.name, spec),
            })
        };
        self.spoken_at(spec, &endpoint).iter().enumerate().map(one).collect()
    }

    /// What others of this dialect do with such a model, and it does not.
    fn lacks(&self, dialect: Dialect, model: &str) -> Vec<wire::Service> {
        let completes = self.completes.iter().any(|begin| model.starts_with(begin));
        let served = [
            (completes, wire::Service::Completions),
            (self.ranks, wire::Service::Rerank),
        ];
        let lacked = served.into_iter().filter(|(does, _)| dialect == Dialect::Chat && !does);
        lacked.map(|(_, service)| service).collect()
    }

    fn auth(&self, spec: &ModelDeploymentSpec, region: Option<&str>, dialect: Dialect) -> wire::Auth {
        let Some(Credentials {
            secret_key_ref,
            secret_ref,
            workload_identity,
            none: _,
        }) = &spec.credentials
        else {
            return wire::Auth::None;
        };
        match (secret_key_ref, secret_ref, self.aws_service, self.tokens) {
            (Some(_), _, _, Some(Tokens::Ibm)) => wire::Auth::Token(ibm(spec)),
            (Some(_), ..) => self.key_style(dialect).auth(),
            (None, Some(_), Some(service), _) => wire::Auth::SigV4 {
                region: region.unwrap_or_default().to_owned(),
                service: service.to_owned(),
            },
            (None, Some(_), None, Some(Tokens::Google)) => wire::Auth::Token(wire::TokenGrant::GoogleServiceAccount),
            (None, None, _, Some(Tokens::Google)) if workload_identity.is_some() => {
                wire::Auth::Token(wire::TokenGrant::GoogleMetadata)
            }
            (None, ..) => wire::Auth::None,
        }
    }

    /// The dialects the user listed, or else the provider's.
    fn spoken_at(&self, spec: &ModelDeploymentSpec, endpoint: &Endpoint) -> Vec<DialectEndpoint> {
        if !endpoint.dialects.is_empty() {
            return endpoint.dialects.clone();
        }
        let own = |&(name, _): &(Dialect, &str)| DialectEndpoint { name, url: None };
        let offered = self.dialects.iter().filter(|(name, _)| !self.kept_back.contains(name));
        let spoken = offered.filter(|(name, _)| self.speaks(*name, spec));
        spoken.map(own).collect()
    }

    /// Whether such a model speaks this dialect of the provider's.
    fn speaks(&self, dialect: Dialect, spec: &ModelDeploymentSpec) -> bool {
        match (self.claude, dialect) {
            (Some(_), Dialect::Messages) => is_claude(&spec.model),
            (Some(wire::Hosting::VertexPredict), _) => !is_claude(&spec.model),
            // Azure's older paths name deployments, and Responses has none of those.
            _ => spec.azure.is_none() || dialect == Dialect::Chat,
        }
    }

    fn hosting(&self, dialect: Dialect, spec: &ModelDeploymentSpec) -> Option<wire::Hosting> {
        self.claude.filter(|_| dialect == Dialect::Messages && !is_native(spec))
    }

    fn url_of(
        &self,
        index: usize,
        wanted: &DialectEndpoint,
        spec: &ModelDeploymentSpec,
        endpoint: &Endpoint,
    ) -> Result<String, NoEndpoint> {
        let url = match &wanted.url {
            Some(url) => trimmed(url).to_owned(),
            None => self.derived_url(index, wanted.name, endpoint)?,
        };
        Ok(match wanted.name {
            Dialect::Gemini => url + self.gemini,
            Dialect::Messages => match self.claude {
                Some(wire::Hosting::VertexPredict) => url + "/publishers/anthropic",
                Some(wire::Hosting::BedrockInvoke) if is_native(spec) => url + "/anthropic",
                Some(wire::Hosting::BedrockInvoke) | None => url,
            },
            Dialect::Chat if spec.azure.is_some() => {
                let model = utf8_percent_encode(&spec.model, IN_PATH);
                format!("{url}/openai/deployments/{model}")
            }
            Dialect::Chat | Dialect::Responses | Dialect::Ollama | Dialect::Cohere | Dialect::Converse => url,
        })
    }

    /// The root is what is left of the URL for the first dialect without that dialect's suffix.
    fn derived_url(&self, index: usize, dialect: Dialect, endpoint: &Endpoint) -> Result<String, NoEndpoint> {
        let Some(&(_, suffix)) = self.dialects.iter().find(|(name, _)| *name == dialect) else {
            let sentence = format!(
                "provider {} does not speak {dialect:?} unless its url is given",
                self.name
            );
            return Err(no_endpoint(format!("endpoint.dialects[{index}].url"), sentence));
        };
        let (first, first_suffix) = self.dialects[0];
        let root = match (&endpoint.url, self.root) {
            // What is at the same place needs no derivation.
            (Some(url), _) if first == dialect || first_suffix == suffix => return Ok(trimmed(url).to_owned()),
            (Some(url), _) => trimmed(url)
                .strip_suffix(first_suffix)
                .ok_or_else(|| self.underivable(dialect))?,
            (None, Some(root)) => root,
            (None, None) => {
                return Err(no_endpoint(
                    "endpoint.url",
                    format!("provider {} needs a URL; which one, says {}", self.name, self.source),
                ));
            }
        };
        Ok(format!("{root}{suffix}"))
    }

    fn underivable(&self, dialect: Dialect) -> NoEndpoint {
        let (first, suffix) = self.dialects[0];
        let sentence = format!(
            "the URL for {dialect:?} cannot be derived from one that does not end in {suffix:?}; \
             list the dialects in endpoint.dialects, at least {first:?}"
        );
        no_endpoint("endpoint.url", sentence)
    }
}

fn ibm(spec: &ModelDeploymentSpec) -> wire::TokenGrant {
    let url = spec.watsonx.as_ref().map(|watsonx| watsonx.token_url.as_str());
    wire::TokenGrant::Ibm {
        url: url.unwrap_or(IBM_TOKENS).to_owned(),
    }
}

/// A name of Anthropic's, whatever the host puts around it.
fn is_claude(model: &str) -> bool {
    model.contains("claude")
}

/// Anthropic's own path is wished for.
fn is_native(spec: &ModelDeploymentSpec) -> bool {
    let bedrock = spec.bedrock.as_ref();
    bedrock.is_some_and(|bedrock| bedrock.messages == BedrockMessages::Native)
}

fn no_endpoint(field: impl Into<String>, sentence: String) -> NoEndpoint {
    NoEndpoint {
        field: field.into(),
        sentence,
    }
}

fn trimmed(url: &str) -> &str {
    url.trim_end_matches('/')
}

fn on_the_wire(dialect: Dialect) -> wire::Dialect {
    match dialect {
        Dialect::Chat => wire::Dialect::Chat,
        Dialect::Messages => wire::Dialect::Messages,
        Dialect::Responses => wire::Dialect::Responses,
        Dialect::Converse => wire::Dialect::Converse,
        Dialect::Ollama => wire::Dialect::Ollama,
        Dialect::Cohere => wire::Dialect::Cohere,
        Dialect::Gemini => wire::Dialect::Gemini,
    }
}

#[cfg(test)]
mod tests;
