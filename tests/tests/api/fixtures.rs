//! The table of good and bad documents, judged by the API server. `pilotfish run` judges the same table in `cli/tests`.

use anyhow::{Result, ensure};
use futures::{StreamExt, stream};
use pilotfish_tests::Cluster;
use pilotfish_tests::fixtures::{Case, cases};
use tokio::sync::OnceCell;

/// kubectl asks for each document on its own, so that each has an answer of its own; more at once are no quicker.
const AT_ONCE: usize = 4;

/// Who refuses a bad document, and with what in its answer.
enum Verdict {
    /// The schema or its rules.
    Refused(String),
    /// Neither of them can tell.
    LeftToTheWebhook,
}

fn verdict(case: &Case) -> Result<Verdict> {
    match case.comments.get("judge").map(String::as_str) {
        Some("webhook") => Ok(Verdict::LeftToTheWebhook),
        Some(other) => anyhow::bail!("no judge is called {other:?}, in {}", case.document),
        None => {
            let sentence = case
                .comments
                .get("server says")
                .map_or_else(|| case.comment("says"), |text| Ok(text))?;
            Ok(Verdict::Refused(sentence.to_owned()))
        }
    }
}

/// What the API server says to a document that it is asked to judge and not to keep: nothing, if it would take it.
async fn answer(cluster: &Cluster, document: &str) -> Result<Option<String>> {
    let create = ["create", "--dry-run=server", "--validate=strict", "-f", "-"];
    let outcome = cluster.kubectl_with(create, document).await?;
    Ok((!outcome.status.success()).then_some(outcome.stderr))
}

async fn judge(cluster: &Cluster, case: &Case) -> Result<()> {
    let answer = answer(cluster, &case.document).await?;
    match (verdict(case)?, answer) {
        (Verdict::Refused(sentence), Some(answer)) => ensure!(
            answer.contains(&sentence),
            "should have said {sentence:?}\nbut said {answer}\nto {}",
            case.document
        ),
        (Verdict::Refused(sentence), None) => {
            anyhow::bail!("should have said {sentence:?}\nbut takes {}", case.document)
        }
        // Nobody asks our webhook here; the tests of injection do.
        (Verdict::LeftToTheWebhook, None) => {}
        (Verdict::LeftToTheWebhook, Some(answer)) => {
            anyhow::bail!(
                "is no case for the webhook, for the schema says {answer}\nto {}",
                case.document
            )
        }
    }
    Ok(())
}

/// That of policies for the whole fleet.
async fn make_root_namespace(cluster: &Cluster) -> Result<()> {
    static MADE: OnceCell<()> = OnceCell::const_new();
    let manifest = "{apiVersion: v1, kind: Namespace, metadata: {name: pilotfish-system}}";
    MADE.get_or_try_init(|| cluster.apply(manifest)).await.map(drop)
}

#[tokio::test]
async fn a_good_document_is_taken() -> Result<()> {
    let cluster = Cluster::shared().await?;
    make_root_namespace(cluster).await?;
    let good = cases("good.yaml")?;
    assert!(good.len() >= 9, "only {} good documents", good.len());
    for case in &good {
        assert_eq!(answer(cluster, &case.document).await?, None, "{}", case.document);
    }
    Ok(())
}

#[tokio::test]
async fn a_bad_document_is_refused_with_its_sentence() -> Result<()> {
    let cluster = Cluster::shared().await?;
    make_root_namespace(cluster).await?;
    let bad = cases("bad.yaml")?;
    assert!(bad.len() >= 90, "only {} bad documents", bad.len());
    let judged: Vec<Result<()>> = stream::iter(&bad)
        .map(|case| judge(cluster, case))
        .buffered(AT_ONCE)
        .collect()
        .await;
    let wrong: Vec<String> = judged
        .into_iter()
        .filter_map(Result::err)
        .map(|error| format!("{error:#}"))
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n\n"));
    Ok(())
}
