//! Google's two ways: a service account's key signs for a token, and in Google's own cluster a pod is simply asked who it
//! is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pilotfish_wire::ProviderKey;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::RSA_PKCS1_SHA256;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};

/// What all of Vertex AI is opened by.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How long an assertion is good for, seconds: the most that Google takes.
const LIFETIME: i64 = 3600;
/// Where the machines of Google's cloud ask who they are; Google's own libraries look at the variable, too.
const METADATA_HOST: &str = "metadata.google.internal";
const METADATA_VARIABLE: &str = "GCE_METADATA_HOST";
const METADATA_PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

/// Signs for a service account. Has no `Debug`: it holds its key.
pub(super) struct ServiceAccount {
    pub(super) token_uri: String,
    email: String,
    key_id: Option<String>,
    key: KeyPair,
}

/// The file that Google gives out, as far as it is needed here.
#[derive(Deserialize)]
struct KeyFile {
    r#type: String,
    client_email: String,
    private_key: ProviderKey,
    private_key_id: Option<String>,
    token_uri: String,
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    kid: Option<&'a str>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    scope: &'static str,
    aud: &'a str,
    iat: i64,
    exp: i64,
}

impl ServiceAccount {
    /// Nothing where the text is no key file, or its key none that can sign.
    pub(super) fn read(credential: &ProviderKey) -> Option<Self> {
        let file: KeyFile = serde_json::from_str(credential.expose()).ok()?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(file.private_key.expose().as_bytes()).ok()?;
        let key = KeyPair::from_pkcs8(der.secret_pkcs8_der()).ok()?;
        (file.r#type == "service_account").then_some(Self {
            token_uri: file.token_uri,
            email: file.client_email,
            key_id: file.private_key_id,
            key,
        })
    }

    /// What is posted for a token.
    pub(super) fn form(&self, now: i64) -> Option<String> {
        let assertion = self.assertion(now)?;
        Some(format!(
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion={assertion}"
        ))
    }

    /// A signed claim to be the service account: a JWT, whose characters a form takes as they are.
    fn assertion(&self, now: i64) -> Option<String> {
        let header = Header {
            alg: "RS256",
            typ: "JWT",
            kid: self.key_id.as_deref(),
        };
        let claims = Claims {
            iss: &self.email,
            scope: SCOPE,
            aud: &self.token_uri,
            iat: now,
            exp: now + LIFETIME,
        };
        let part = |json: Vec<u8>| URL_SAFE_NO_PAD.encode(json);
        let said = [serde_json::to_vec(&header).ok()?, serde_json::to_vec(&claims).ok()?].map(part);
        let said = said.join(".");
        let mut signature = vec![0; self.key.public().modulus_len()];
        let random = SystemRandom::new();
        self.key
            .sign(&RSA_PKCS1_SHA256, &random, said.as_bytes(), &mut signature)
            .ok()?;
        Some(format!("{said}.{}", part(signature)))
    }
}

/// Where a pod's own token is.
pub(super) fn metadata_url() -> String {
    let host = std::env::var(METADATA_VARIABLE).ok().filter(|host| !host.is_empty());
    format!("http://{}{METADATA_PATH}", host.as_deref().unwrap_or(METADATA_HOST))
}
