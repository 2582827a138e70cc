//! From the API server's answer until the next request obeys, all sidecars have acknowledged, and status says so.

use crate::cluster::{Policies, acks, name, until};
use crate::figures::{Figure, Samples};
use anyhow::Result;
use pilotfish_crds::status::{ConditionStatus, condition};
use pilotfish_tests::{Client, Dialect, Launch, Operator, Pilotfish, Pod};
use tokio::time::Instant;

const SIDECARS: usize = 20;
const POLICIES: usize = 50;

/// Of `edits` edits.
pub(crate) async fn measure(edits: usize) -> Result<Vec<Figure>> {
    let (cluster, operator) = Operator::with_cluster().await?;
    let shop = cluster.namespace("shop").await?;
    let client = cluster.client().await?;
    let policies = Policies::apply(&client, &shop, POLICIES).await?;
    let mut sidecars: Vec<Pilotfish> = Vec::new();
    for number in 0..SIDECARS {
        let pod = Pod::create(&shop, &format!("web-{number}"), "{app: web}").await?;
        sidecars.push(Launch::sidecar(&operator, &pod).await?.start().await?);
    }
    let (mut obeyed, mut acknowledged, mut told) = (Samples::default(), Samples::default(), Samples::default());
    for edit in 0..edits {
        let (policy, target) = (
            edit % POLICIES,
            if (edit / POLICIES).is_multiple_of(2) {
                "west"
            } else {
                "east"
            },
        );
        let before = acks(&operator).await?;
        let generation = policies.turn(policy, target).await?;
        let answered = Instant::now();
        let asker = Client::new(&sidecars[edit % SIDECARS])?;
        let wanted = format!("{}/{target}", shop.name());
        let request = Dialect::Chat.request(&name(policy), "Hello");
        let obeys = until(answered, "the edit is obeyed", async || {
            let answer = asker.ask(Dialect::Chat, &request).await?;
            Ok(answer.header("x-pilotfish-deployment") == Some(&wanted))
        });
        let acked = until(answered, "all have acknowledged", async || {
            Ok(acks(&operator).await? >= before + f64::from(u32::try_from(SIDECARS)?))
        });
        let says_so = until(answered, "status says so", async || {
            let status = policies.api.get(&name(policy)).await?.status.unwrap_or_default();
            let programmed = status.conditions.iter().any(|one| {
                one.type_ == condition::PROGRAMMED
                    && one.status == ConditionStatus::True
                    && one.observed_generation == generation
            });
            Ok(programmed && status.observed_generation == Some(generation))
        });
        let (obeys, acked, says_so) = tokio::try_join!(obeys, acked, says_so)?;
        obeyed.add(obeys);
        acknowledged.add(acked);
        told.add(says_so);
    }
    Ok(vec![
        Figure::new(
            "edit until the first request obeys, p50",
            obeyed.percentile(50),
            "ms",
            None,
        ),
        Figure::new(
            "edit until the first request obeys, p99",
            obeyed.percentile(99),
            "ms",
            Some(300.0),
        ),
        Figure::new(
            "edit until the last of 20 sidecars acknowledged, p50",
            acknowledged.percentile(50),
            "ms",
            None,
        ),
        Figure::new(
            "edit until the last of 20 sidecars acknowledged, p99",
            acknowledged.percentile(99),
            "ms",
            Some(500.0),
        ),
        Figure::new("edit until status says so, p50", told.percentile(50), "ms", None),
        Figure::new(
            "edit until status says so, p99",
            told.percentile(99),
            "ms",
            Some(1500.0),
        ),
    ])
}
