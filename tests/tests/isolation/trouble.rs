//! What one tenant brings upon itself is not another's trouble.

use crate::tenant::{self, Tenant};
use anyhow::{Context, Result};
use pilotfish_provider::{Fake, HangUp, Point, Step};
use pilotfish_tests::{Client, Deployment, Dialect, Launch, Policy};
use std::time::Duration;

/// A way to make a deployment unfit for one tenant.
struct Way {
    /// The model, whose first deployment is `east-<name>`.
    name: &'static str,
    /// What the provider does to the unlucky.
    step: fn() -> Step,
    /// How often it takes.
    times: usize,
}

const WAYS: [Way; 4] = [
    Way {
        name: "failing",
        step: || Step::status(500),
        times: 3,
    },
    Way {
        name: "limited",
        step: || Step::rate_limited(Duration::from_secs(60)),
        times: 1,
    },
    Way {
        name: "unauthorised",
        step: || Step::status(401),
        times: 1,
    },
    Way {
        name: "reset",
        step: || Step::normal().hang_up(Point::BeforeHead, HangUp::Reset),
        times: 3,
    },
];

const UNLUCKY: &str = "unlucky";

async fn deployment_of(client: &Client, model: &str, text: &str) -> Result<(u16, String, String)> {
    let answer = client.ask(Dialect::Chat, &Dialect::Chat.request(model, text)).await?;
    let header = |name| answer.header(name).unwrap_or_default().to_owned();
    Ok((
        answer.status,
        header("x-pilotfish-deployment"),
        header("x-pilotfish-explain"),
    ))
}

async fn check(way: &Way, client: &Client, tenants: &[Tenant], east: &Fake) -> Result<()> {
    let (unlucky, others) = tenants.split_first().context("nobody")?;
    let of = |tenant: &Tenant| client.header("authorization", &tenant.authorization());
    let (home, away) = (format!("default/east-{}", way.name), "default/west");

    east.always((way.step)().for_body(UNLUCKY));
    for _ in 0..way.times {
        let (_, deployment, _) = deployment_of(&of(unlucky), way.name, UNLUCKY).await?;
        assert_ne!(deployment, home, "{}", way.name);
    }
    east.recover();
    let (status, deployment, explained) = deployment_of(&of(unlucky), way.name, "Hello").await?;
    assert_eq!((status, deployment.as_str()), (200, away), "{}", way.name);
    assert!(
        explained.contains(&format!("excluded=[{home}: ")),
        "{}: {explained}",
        way.name
    );
    for other in others {
        let (status, deployment, explained) = deployment_of(&of(other), way.name, "Hello").await?;
        assert_eq!((status, &deployment), (200, &home), "{}: {explained}", way.name);
        assert!(!explained.contains("excluded"), "{}: {explained}", way.name);
    }
    Ok(())
}

#[tokio::test]
async fn a_breaker_that_one_tenant_closed_is_open_to_the_others() -> Result<()> {
    let (east, west) = (
        Dialect::Chat.provider("east").start().await?,
        Dialect::Chat.provider("west").start().await?,
    );
    // Whoever is unlucky first, whether it has a key or not.
    let tenants = [Tenant::named("one"), Tenant::named("other"), Tenant::pod()];
    for first in 0..tenants.len() {
        let mut tenants = tenants.clone();
        tenants.rotate_left(first);
        let mut documents = vec![Deployment::of(Dialect::Chat, "west", &west).to_string()];
        for way in &WAYS {
            let home = format!("east-{}", way.name);
            let deployment = Deployment::of(Dialect::Chat, &home, &east).to_string();
            // All of them are one provider, with one key.
            documents.push(deployment.replace(&format!("sk-up-{home}"), "sk-up-east"));
            documents.push(Policy::named(way.name).in_order([home.as_str(), "west"]).to_string());
        }
        documents.extend(tenant::documents(&tenants));
        let pilotfish = Launch::run(&documents).start().await?;
        let client = Client::new(&pilotfish)?.header("x-pilotfish-explain", "1");
        for way in &WAYS {
            check(way, &client, &tenants, &east).await?;
        }
        pilotfish.back_to_idle(&[&east, &west]).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_clients_own_impatience_closes_nothing() -> Result<()> {
    let east = Dialect::Chat.provider("east").start().await?;
    let documents = [
        Deployment::of(Dialect::Chat, "east", &east).to_string(),
        Policy::named("chat").in_order(["east"]).to_string(),
    ];
    let pilotfish = Launch::run(&documents).start().await?;
    let client = Client::new(&pilotfish)?;
    east.always(Step::never().for_body(UNLUCKY));
    let impatient = client.header("x-pilotfish-timeout", "100ms");
    for _ in 0..4 {
        let (status, _, _) = deployment_of(&impatient, "chat", UNLUCKY).await?;
        assert_eq!(status, 504);
    }
    let (status, deployment, _) = deployment_of(&client, "chat", "Hello").await?;
    assert_eq!((status, deployment.as_str()), (200, "default/east"));
    pilotfish.back_to_idle(&[&east]).await
}
