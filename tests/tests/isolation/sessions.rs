//! A session's id is a tenant's own.

use crate::tenant::{self, Tenant};
use anyhow::{Context, Result};
use pilotfish_tests::{Client, Deployment, Dialect, Launch, Policy};
use std::collections::BTreeMap;

const SESSION: &str = "conversation-1";

#[tokio::test]
async fn one_session_id_is_another_session_for_every_tenant() -> Result<()> {
    let tenants = Tenant::several(12);
    let (east, west) = (
        Dialect::Chat.provider("east").start().await?,
        Dialect::Chat.provider("west").start().await?,
    );
    let documents: Vec<String> = [
        Deployment::of(Dialect::Chat, "east", &east).to_string(),
        Deployment::of(Dialect::Chat, "west", &west).to_string(),
        Policy::named("chat").targets(["east", "west"]).to_string(),
    ]
    .into_iter()
    .chain(tenant::documents(&tenants))
    .collect();
    let pilotfish = Launch::run(&documents).start().await?;
    let client = Client::new(&pilotfish)?
        .header("x-pilotfish-session-id", SESSION)
        .header("x-pilotfish-explain", "1");

    let mut homes: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for tenant in tenants.iter().chain(&tenants) {
        let client = client.header("authorization", &tenant.authorization());
        let answer = client
            .ask(Dialect::Chat, &Dialect::Chat.request("chat", "Hello"))
            .await?;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let explained = answer.header("x-pilotfish-explain").context("no explanation")?;
        assert!(explained.contains("session=header"), "{explained}");
        let deployment = answer.header("x-pilotfish-deployment").context("no deployment")?;
        homes.entry(&tenant.name).or_default().push(deployment.to_owned());
    }
    for (tenant, deployments) in &homes {
        assert_eq!(deployments[0], deployments[1], "{tenant} moved");
    }
    let chosen: std::collections::BTreeSet<&String> = homes.values().flatten().collect();
    assert_eq!(chosen.len(), 2, "every tenant's session went the same way: {homes:?}");
    pilotfish.back_to_idle(&[&east, &west]).await
}
