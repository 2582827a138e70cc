//! AWS's signature, version 4, by AWS's own crate: made anew for each call, over its method, path, host and body.

use super::OutBody;
use super::credential::HeaderError;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use pilotfish_wire::{AwsKeys, ProviderKey};
use ring::digest::{Context, SHA256};
use std::fmt::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Signs the calls to one endpoint. Has no `Debug`: it holds keys.
pub(super) struct Signer {
    keys: AwsKeys,
    region: String,
    service: String,
}

/// A call that cannot be signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The signer refuses the request.
    #[error("the call cannot be signed: {0}")]
    Refused(#[from] aws_sigv4::http_request::SigningError),
    /// A part of the signature cannot be a header, such as a session token with a line break.
    #[error("the call's signature cannot be a header; look at the keys")]
    Header,
}

impl Signer {
    pub(super) fn new(credential: &ProviderKey, region: &str, service: &str) -> Result<Self, HeaderError> {
        Ok(Self {
            keys: AwsKeys::of(credential).ok_or(HeaderError::NotAws)?,
            region: region.to_owned(),
            service: service.to_owned(),
        })
    }

    /// What must not be seen: the secret key and the session token.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &[u8]> {
        let token = self.keys.session_token.iter();
        std::iter::once(&self.keys.secret_access_key)
            .chain(token)
            .map(|key| key.expose().as_bytes())
    }

    /// Adds the signature's headers to a call to `authority`.
    pub(super) fn sign(
        &self,
        request: &mut http::Request<OutBody>,
        authority: &str,
        now_unix_seconds: i64,
    ) -> Result<(), SignError> {
        let AwsKeys {
            access_key_id,
            secret_access_key,
            session_token,
        } = &self.keys;
        let token = session_token.as_ref().map(|token| token.expose().to_owned());
        let secret = secret_access_key.expose();
        let identity = Credentials::new(access_key_id, secret, token, None, "pilotfish").into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(&self.service)
            .time(time(now_unix_seconds))
            .settings(SigningSettings::default())
            .build()
            .expect("all that the builder demands is set above")
            .into();
        let uri = format!("https://{authority}{}", request.uri());
        let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        // Few headers: what is signed must arrive as it was, and a proxy of one's own may change the others.
        let headers = [("host", Some(authority)), (CONTENT_TYPE.as_str(), kind)];
        let headers = headers.into_iter().filter_map(|(name, value)| Some((name, value?)));
        // Only its hash: the crate logs what it is given.
        let body = SignableBody::Precomputed(hash(request.body()));
        let signable = SignableRequest::new(request.method().as_str(), uri, headers, body)?;
        let (instructions, _signature) = sign(signable, &params)?.into_parts();
        for (name, value) in instructions.headers() {
            let name = HeaderName::try_from(name).map_err(|_| SignError::Header)?;
            let mut value = HeaderValue::try_from(value).map_err(|_| SignError::Header)?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        Ok(())
    }
}

fn time(unix_seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(unix_seconds).unwrap_or(0))
}

/// SHA-256 in hex.
fn hash(body: &OutBody) -> String {
    let mut context = Context::new(&SHA256);
    body.segments().for_each(|segment| context.update(segment));
    let mut hex = String::with_capacity(64);
    for byte in context.finish().as_ref() {
        write!(hex, "{byte:02x}").expect("a String takes all characters");
    }
    hex
}
