//! Providers that compress their answers, although they were asked not to.

use anyhow::Result;
use pilotfish_provider::Step;
use pilotfish_tests::{Pair, in_all};

/// The first bytes of any gzip member.
const GZIP: &[u8] = &[0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 3];

#[tokio::test]
async fn a_compressed_answer_is_its_provider_s_fault() -> Result<()> {
    in_all(async |client, provider| {
        let pair = Pair::across(client, provider).await?;
        for coding in ["gzip", "br", "identity, deflate"] {
            for (stream, kind) in [(false, "application/json"), (true, "text/event-stream")] {
                pair.east
                    .script([Step::raw(200, kind, GZIP).header("content-encoding", coding)]);
                let answer = pair.ask_for(stream).await?;
                assert_eq!(answer.status, 200, "{}", answer.text());
                assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/west"));
                // In between a success, or the breaker would have its say.
                assert_eq!(pair.ask().await?.header("x-pilotfish-deployment"), Some("default/east"));
            }
        }
        assert_eq!(pair.attempts("east", "malformed").await?, 6.0);
        pair.at_rest().await
    })
    .await
}

#[tokio::test]
async fn where_all_compress_the_client_reads_why() -> Result<()> {
    in_all(async |client, provider| {
        let pair = Pair::across(client, provider).await?;
        for fake in [&pair.east, &pair.west] {
            fake.always(Step::raw(200, "application/json", GZIP).header("content-encoding", "gzip"));
        }
        let answer = pair.ask().await?;
        assert_eq!((answer.status, answer.header("content-encoding")), (502, None));
        let error = answer.error(client)?;
        assert!(error.message.contains("compressed (gzip)"), "{}", error.message);
        pair.at_rest().await
    })
    .await
}

/// An error that says that it is compressed and is not, or is, would be a broken connection to every SDK.
#[tokio::test]
async fn a_compressed_error_is_told_in_plain_words() -> Result<()> {
    in_all(async |client, provider| {
        let pair = Pair::across(client, provider).await?;
        pair.east
            .always(Step::raw(400, "application/json", GZIP).header("content-encoding", "gzip"));
        for stream in [false, true] {
            let answer = pair.ask_for(stream).await?;
            assert_eq!((answer.status, answer.header("content-encoding")), (400, None));
            let error = answer.error(client)?;
            assert!(error.message.contains("compressed (gzip)"), "{}", error.message);
        }
        pair.at_rest().await
    })
    .await
}

/// `identity` is none, and says nothing that the client needs.
#[tokio::test]
async fn what_says_that_it_is_not_compressed_is_read() -> Result<()> {
    in_all(async |client, provider| {
        let pair = Pair::across(client, provider).await?;
        pair.east.always(Step::normal().header("content-encoding", "identity"));
        for stream in [false, true] {
            let answer = pair.ask_for(stream).await?;
            assert_eq!((answer.status, answer.header("content-encoding")), (200, None));
            assert_eq!(answer.header("x-pilotfish-deployment"), Some("default/east"));
        }
        pair.at_rest().await
    })
    .await
}
