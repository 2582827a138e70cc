//! One ModelDeployment by itself.

use super::{Fault, Faults, is_lower_case_header};
use crate::providers;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pilotfish_crds::deployment::{AllowedFrom, AllowedNamespaces, Capabilities, Credentials, Endpoint, Header};
use pilotfish_crds::{ModelDeploymentSpec, rules};

/// What is wrong with it; nothing, if it may be admitted.
pub fn deployment(spec: &ModelDeploymentSpec) -> Vec<Fault> {
    let mut faults = Faults::default();
    if let Some(endpoint) = &spec.endpoint {
        check_endpoint(&mut faults, endpoint);
    }
    check_credentials(&mut faults, spec.credentials.as_ref());
    check_capabilities(&mut faults, spec.capabilities.as_ref());
    check_timeouts(&mut faults, spec);
    check_allowed_namespaces(&mut faults, &spec.allowed_namespaces);
    check_against_provider(&mut faults, spec);
    faults.0
}

fn check_endpoint(faults: &mut Faults, endpoint: &Endpoint) {
    let Endpoint {
        url,
        dialects,
        headers,
        ca_bundle,
    } = endpoint;
    check_url(faults, "spec.endpoint.url".to_owned(), url.as_deref());
    for (index, dialect) in dialects.iter().enumerate() {
        check_url(
            faults,
            format!("spec.endpoint.dialects[{index}].url"),
            dialect.url.as_deref(),
        );
    }
    for (index, header) in headers.iter().enumerate() {
        check_header(faults, &format!("spec.endpoint.headers[{index}]"), header);
    }
    let Some(bundle) = ca_bundle else { return };
    faults.check(
        holds_certificates(bundle),
        "spec.endpoint.caBundle",
        rules::CA_BUNDLE_IS_PEM,
    );
    let tls = url.as_ref().is_none_or(|url| url.starts_with("https://"));
    faults.check(tls, "spec.endpoint", rules::CA_BUNDLE_NEEDS_TLS);
}

fn check_url(faults: &mut Faults, path: String, url: Option<&str>) {
    faults.check(url.is_none_or(is_plain_url), path, rules::PLAIN_URL);
}

/// As the expression of [`rules::PLAIN_URL`], and stricter at a port that is none.
fn is_plain_url(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://")) else {
        return false;
    };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let (host, port) = match authority.rfind(':') {
        Some(colon) if !authority.ends_with(']') => authority.split_at(colon),
        _ => (authority, ""),
    };
    is_host(host) && is_port(port) && !path.contains(|c: char| c == '?' || c == '#' || c.is_ascii_whitespace())
}

fn is_host(host: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let address = |c: char| c.is_ascii_hexdigit() || ":.".contains(c);
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(host) => !host.is_empty() && host.chars().all(address),
        None => !host.is_empty() && host.chars().all(name),
    }
}

/// Of a port with its colon, or of nothing.
fn is_port(port: &str) -> bool {
    let digits = port.strip_prefix(':').unwrap_or("1");
    digits.len() <= 5 && digits.bytes().all(|byte| byte.is_ascii_digit()) && digits.parse::<u16>().is_ok()
}

fn check_header(faults: &mut Faults, path: &str, header: &Header) {
    let Header {
        name,
        value,
        value_from,
    } = header;
    let name_path = format!("{path}.name");
    faults.check(is_lower_case_header(name), &name_path, rules::HEADER_NAME_IN_LOWER_CASE);
    let framing = rules::FRAMING_HEADERS.contains(&name.as_str());
    faults.check(!framing, &name_path, rules::HEADER_IS_NOT_FRAMING);
    faults.check(value.is_some() != value_from.is_some(), path, rules::ONE_HEADER_SOURCE);
}

/// CEL sees that there is a certificate's first line; here its contents are looked at as well.
fn holds_certificates(bundle: &str) -> bool {
    let mut blocks = bundle.split("-----BEGIN CERTIFICATE-----").skip(1).peekable();
    blocks.peek().is_some() && blocks.all(is_certificate)
}

/// Whether what follows a certificate's first line is base64 of a DER sequence, up to its last line.
fn is_certificate(block: &str) -> bool {
    let Some((body, _)) = block.split_once("-----END CERTIFICATE-----") else {
        return false;
    };
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).is_ok_and(|der| der.first() == Some(&0x30))
}

fn check_credentials(faults: &mut Faults, credentials: Option<&Credentials>) {
    let Some(Credentials {
        secret_key_ref,
        secret_ref,
        workload_identity,
        none,
    }) = credentials
    else {
        return;
    };
    let given = [
        secret_key_ref.is_some(),
        secret_ref.is_some(),
        workload_identity.is_some(),
        none.is_some(),
    ];
    faults.check(
        given.into_iter().filter(|given| *given).count() == 1,
        "spec.credentials",
        rules::ONE_CREDENTIAL,
    );
}

fn check_capabilities(faults: &mut Faults, capabilities: Option<&Capabilities>) {
    let Some(capabilities) = capabilities else { return };
    let fits = match (capabilities.context_tokens, capabilities.max_output_tokens) {
        (Some(context), Some(output)) => output <= context,
        _ => true,
    };
    faults.check(fits, "spec.capabilities", rules::OUTPUT_FITS_CONTEXT);
}

fn check_timeouts(faults: &mut Faults, spec: &ModelDeploymentSpec) {
    let Some(timeouts) = &spec.timeouts else { return };
    let fields = [
        ("connect", &timeouts.connect),
        ("firstToken", &timeouts.first_token),
        ("idle", &timeouts.idle),
        ("attempt", &timeouts.attempt),
    ];
    faults.durations("spec.timeouts", &fields);
}

fn check_allowed_namespaces(faults: &mut Faults, allowed: &AllowedNamespaces) {
    let path = "spec.allowedNamespaces";
    let by_selector = allowed.from == AllowedFrom::Selector;
    faults.check(
        allowed.selector.is_some() == by_selector,
        path,
        rules::SELECTOR_WITH_FROM_SELECTOR,
    );
    if let Some(selector) = &allowed.selector {
        faults.selector(&format!("{path}.selector"), selector);
    }
}

/// What only the provider table knows.
fn check_against_provider(faults: &mut Faults, spec: &ModelDeploymentSpec) {
    let Some(provider) = providers::find(&spec.provider) else {
        faults.push("spec.provider", providers::unknown(&spec.provider));
        return;
    };
    if let Err(error) = provider.endpoints(spec) {
        faults.push(format!("spec.{}", error.field), error.sentence);
    }
    check_aws(faults, spec, provider.is_of_aws(), provider.name);
    check_tokens(faults, spec, provider);
    if spec.azure.is_some() && !provider.is_azure() {
        faults.push("spec.azure", format!("provider {} is not Azure OpenAI", provider.name));
    }
    let Some(credentials) = &spec.credentials else {
        if provider.needs_key {
            let name = provider.name;
            faults.push(
                "spec.credentials",
                format!("provider {name} needs a key; say none: {{}} if yours does not"),
            );
        }
        return;
    };
    let headers = spec
        .endpoint
        .iter()
        .flat_map(|endpoint| endpoint.headers.iter().enumerate());
    for (index, header) in headers {
        if credentials.none.is_none() && provider.key_headers().any(|name| name == header.name) {
            let path = format!("spec.endpoint.headers[{index}].name");
            faults.push(
                path,
                format!("{} is where the key of spec.credentials is sent", header.name),
            );
        }
    }
}

/// What providers of AWS need, and no other can use.
fn check_aws(faults: &mut Faults, spec: &ModelDeploymentSpec, is_of_aws: bool, provider: &str) {
    match (is_of_aws, spec.bedrock.is_some()) {
        (true, false) => faults.push(
            "spec.bedrock",
            format!("provider {provider} needs bedrock: {{region: …}}"),
        ),
        (false, true) => faults.push("spec.bedrock", format!("provider {provider} is not in Amazon Bedrock")),
        (true, true) | (false, false) => {}
    }
}

/// Who takes a Secret as a whole, or no Secret at all.
fn check_tokens(faults: &mut Faults, spec: &ModelDeploymentSpec, provider: &providers::Provider) {
    let name = provider.name;
    if let Some(credentials) = &spec.credentials {
        if credentials.secret_ref.is_some() && !provider.is_of_aws() && !provider.is_of_google() {
            let sentence = format!(
                "provider {name} takes no keys of an AWS account and no key file of Google's; name its key in secretKeyRef"
            );
            faults.push("spec.credentials.secretRef", sentence);
        }
        if credentials.workload_identity.is_some() && !provider.is_of_google() {
            let sentence =
                format!("provider {name} does not know pods by their identity; name its key in secretKeyRef");
            faults.push("spec.credentials.workloadIdentity", sentence);
        }
    }
    if spec.watsonx.is_some() && !provider.is_of_ibm() {
        faults.push("spec.watsonx", format!("provider {name} is not watsonx"));
    }
}
