//! SDKs as judges of the fakes: they speak to them with nothing in between, and must find nothing amiss. What the sidecar
//! is tested against is then what the providers' own programs take for real.

use super::program;
use anyhow::{Result, ensure};
use bytes::Bytes;
use pilotfish_provider::{Cohere, Fake, Step};
use pilotfish_tests::bedrock;
use std::time::Duration;

async fn judge(fake: &Fake, program: &str, model: &str) -> Result<()> {
    program::run(program, &[&fake.url(), model]).await?;
    ensure!(fake.violations().is_empty(), "{:?}", fake.violations());
    ensure!(fake.steps_left() == 0, "{} steps left", fake.steps_left());
    Ok(())
}

/// AWS's example of a message without headers and payload, but for its last bit.
const CHANGED: [u8; 16] = [0, 0, 0, 16, 0, 0, 0, 0, 0x05, 0xc2, 0x48, 0xeb, 0x7d, 0x98, 0xc8, 0xfe];

#[tokio::test]
async fn the_sdk_of_aws_reads_what_the_fake_bedrock_frames() -> Result<()> {
    let fake = bedrock::provider("upstream").start().await?;
    // Whole, and cut into pieces.
    for piece in [1 << 20, 5] {
        let normal = || Step::normal().split(piece);
        let fails = |kind: &str, status| normal().error_event(2, status).for_body(kind);
        let changed = normal().insert(2, Bytes::from_static(&CHANGED));
        fake.script([
            fails("throttlingException", 429),
            fails("serviceUnavailableException", 503),
            fails("internalServerException", 500),
            changed.for_body("changed on the way"),
            Step::rate_limited(Duration::from_secs(1)).for_body("limited for a moment"),
            Step::context_overflow().for_body("too long for it"),
            Step::status(503).for_body("not to be had"),
        ]);
        fake.always(normal());
        judge(&fake, "boto3_converse.py", bedrock::CLAUDE).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_cohere_sdk_reads_what_the_fake_cohere_says() -> Result<()> {
    let fake = Cohere::builder()
        .name("upstream")
        .keys(["sk-up-upstream"])
        .start()
        .await?;
    fake.script([
        Step::rate_limited(Duration::from_secs(1)).for_body("limited for a moment"),
        Step::status(500).for_body("broken"),
        Step::normal().error_event(2, 500).for_body("fails in the middle"),
    ]);
    judge(&fake, "cohere_chat.py", "command-a-03-2025").await
}
