//! What others cause is not written as often as they cause it.

use anyhow::Result;
use pilotfish_tests::{Operator, Strangers};

#[tokio::test]
async fn whoever_connects_in_vain_fills_no_disk() -> Result<()> {
    let (_cluster, operator) = Operator::shared().await?;
    let strangers = Strangers::hold(operator.sidecars(), 200, "GET / HTTP/1.1\r\n\r\n").await?;
    strangers.closed(200).await?;
    operator.logged("connection refused").await?;
    let log = operator.log();
    let lines = log.lines().filter(|line| line.contains("connection refused"));
    assert!(lines.count() <= 30);
    Ok(())
}
