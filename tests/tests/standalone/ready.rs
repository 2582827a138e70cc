//! `/readyz`: not before there is a configuration.

use crate::program::Program;
use anyhow::{Context, Result};
use pilotfish_tests::{Dialect, Strangers, http};
use pilotfish_wire::{Begin, Hello, Message, REVISION, snapshot};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::time::Duration;
use tokio::time::timeout;

/// A kubelet waits no longer.
const PROBED_WITHIN: Duration = Duration::from_secs(5);
/// The telemetry port has room for so many connections.
const ROOM: usize = 64;

async fn get(url: &str) -> Result<(u16, String)> {
    let answer = http()?.get(url).send().await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

async fn start(messages: &[Message]) -> Result<Program> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), snapshot::write(messages))?;
    let arguments = [OsStr::new("--snapshot"), file.path().as_os_str()];
    // It has read the file by the time it listens.
    Program::start("pilotfish-sidecar", &arguments, &[]).await
}

#[tokio::test]
async fn a_sidecar_is_not_ready_before_a_configuration_is_in_force() -> Result<()> {
    // A batch that never ends is never in force.
    let hello = Hello {
        revision: REVISION,
        ..Hello::default()
    };
    let waiting = start(&[Message::Hello(hello), Message::Begin(Begin { nonce: 1 })]).await?;
    let (status, sentence) = get(&waiting.telemetry("/readyz")).await?;
    assert_eq!((status, sentence.as_str()), (503, "no configuration received yet\n"));
    assert_eq!(get(&waiting.telemetry("/livez")).await?.0, 200);
    assert_eq!(get(&waiting.telemetry("/metrics")).await?.0, 200);
    for dialect in Dialect::BOTH {
        let url = format!("http://{}{}", waiting.address, dialect.path());
        let request = dialect.request("chat", "Hello").to_string();
        let answer = http()?.post(url).body(request).send().await?;
        assert_eq!(
            (answer.status().as_u16(), answer.headers()["retry-after"].as_bytes()),
            (503, &b"1"[..])
        );
        let said = dialect.error(&serde_json::from_slice(&answer.bytes().await?)?)?;
        assert_eq!(said.code.as_deref(), Some("not_configured"));
    }
    Ok(())
}

#[tokio::test]
async fn an_empty_configuration_is_one() -> Result<()> {
    let sidecar = start(&snapshot::batch(BTreeMap::new(), &[])).await?;
    // The port may be open a moment before the batch is applied, and says so.
    while get(&sidecar.telemetry("/readyz")).await?.0 != 200 {
        tokio::task::yield_now().await;
    }
    let (status, models) = get(&format!("http://{}/v1/models", sidecar.address)).await?;
    assert_eq!((status, models.as_str()), (200, r#"{"object":"list","data":[]}"#));
    Ok(())
}

#[tokio::test]
async fn the_telemetry_port_shows_three_pages_and_takes_no_orders() -> Result<()> {
    let sidecar = start(&snapshot::batch(BTreeMap::new(), &[])).await?;
    for path in ["/", "/config", "/debug", "/quit", "/v1/models", "/metrics/"] {
        assert_eq!(get(&sidecar.telemetry(path)).await?.0, 404, "{path}");
    }
    let answer = http()?.post(sidecar.telemetry("/metrics")).send().await?;
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["allow"].as_bytes()),
        (405, &b"GET, HEAD"[..])
    );
    Ok(())
}

#[tokio::test]
async fn a_stranger_holds_few_connections_to_the_telemetry_port_and_hinders_no_probe() -> Result<()> {
    let sidecar = start(&snapshot::batch(BTreeMap::new(), &[])).await?;
    let unread = "GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n".repeat(3);
    for words in ["", "GET /livez HTTP/1.1\r\nhost: a\r\n\r\n", &unread] {
        let strangers = Strangers::hold(sidecar.telemetry, 3 * ROOM, words).await?;
        for path in ["/livez", "/metrics"] {
            let url = sidecar.telemetry(path);
            let answer = timeout(PROBED_WITHIN, get(&url)).await;
            let (status, _) = answer.with_context(|| format!("{path} beside {words:?}"))??;
            assert_eq!(status, 200, "{path}");
        }
        strangers.closed(2 * ROOM).await?;
    }
    let silent = Strangers::hold(sidecar.telemetry, 1, "").await?;
    silent.closed(1).await
}
