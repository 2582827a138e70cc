//! Hundreds of streams at once, each with words that no other has said, over connections that they share.

use crate::tenant::{self, Tenant};
use anyhow::{Context, Result, ensure};
use pilotfish_provider::{Fake, Gate, Pause, Point, Step};
use pilotfish_tests::{Client, Deployment, Dialect, Launch, Pilotfish, Policy};
use std::collections::{BTreeMap, BTreeSet};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Streams at once, and in one wave.
const AT_ONCE: usize = 216;
/// The first wave waits until it is all there; the others follow on the connections that it left.
const WAVES: usize = 3;
/// What every canary begins with, and nothing else.
const CANARY: &str = "canary-";
/// Models, each served by two deployments, and what those speak.
const MODELS: [(&str, Dialect); 2] = [("chat", Dialect::Chat), ("claude", Dialect::Messages)];

/// One stream.
#[derive(Clone, Debug)]
struct Talk {
    tenant: Tenant,
    client: Dialect,
    model: &'static str,
    canary: String,
    prompt: String,
    /// Leaves once it has read so many pieces.
    leaves_after: Option<usize>,
}

/// What came of it.
struct Heard {
    talk: Talk,
    head: String,
    body: String,
    deployment: String,
    left: bool,
}

impl Talk {
    fn all(tenants: &[Tenant], random: &mut fastrand::Rng) -> Vec<Self> {
        (0..AT_ONCE * WAVES)
            .map(|number| {
                let canary = format!("{CANARY}{number:04}-{:08x}", random.u32(..));
                let words: Vec<String> = (0..random.usize(2..25))
                    .map(|word| format!("{canary} w{word}"))
                    .collect();
                Self {
                    tenant: tenants[number % tenants.len()].clone(),
                    client: Dialect::BOTH[random.usize(..2)],
                    model: MODELS[random.usize(..2)].0,
                    prompt: words.join(" "),
                    canary,
                    leaves_after: (random.u8(..4) == 0).then(|| random.usize(1..4)),
                }
            })
            .collect()
    }

    /// Asks, waits with its first piece in hand until it may go on, and reads to the end or leaves.
    async fn hold(self, http: reqwest::Client, url: String, mut released: watch::Receiver<bool>) -> Result<Heard> {
        let request = http
            .post(format!("{url}{}", self.client.path()))
            .header("authorization", self.tenant.authorization())
            .header("content-type", "application/json");
        let body = self.client.stream_request(self.model, &self.prompt).to_string();
        let mut response = request.body(body).send().await?;
        let head = format!("{} {:?}", response.status(), response.headers());
        ensure!(response.status() == 200, "{head} {}", response.text().await?);
        let deployment = response
            .headers()
            .get("x-pilotfish-deployment")
            .context("no deployment")?;
        let deployment = deployment.to_str()?.to_owned();
        let (mut body, mut pieces, mut left) = (Vec::new(), 0, false);
        while let Some(piece) = response.chunk().await? {
            body.extend_from_slice(&piece);
            pieces += 1;
            released.wait_for(|released| *released).await?;
            left = self.leaves_after.is_some_and(|most| pieces >= most);
            if left {
                break;
            }
        }
        let body = String::from_utf8(body).context("a client that leaves does so between pieces")?;
        Ok(Heard {
            talk: self,
            head,
            body,
            deployment,
            left,
        })
    }
}

impl Heard {
    /// All that was said was said to it.
    fn check(&self) {
        let Talk {
            canary, prompt, client, ..
        } = &self.talk;
        let said = format!("{} {}", self.head, self.body);
        assert_eq!(
            said.matches(CANARY).count(),
            said.matches(canary).count(),
            "{:?}: {said}",
            self.talk
        );
        let provider = self.deployment.trim_start_matches("default/");
        let expected = format!("Echo from {provider}: {prompt}");
        let text = self.text();
        if self.left {
            assert!(expected.starts_with(&text), "{:?}: {text}", self.talk);
        } else {
            assert_eq!(text, expected, "{:?}", self.talk);
            assert!(
                self.body.contains(client.terminator()),
                "{:?}: {}",
                self.talk,
                self.body
            );
        }
    }

    /// The text of the events that came whole.
    fn text(&self) -> String {
        let whole = self.body.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
        let data = whole.lines().filter_map(|line| line.strip_prefix("data: {"));
        let events = data.map(|rest| serde_json::from_str(&format!("{{{rest}")).expect("a whole event is JSON"));
        events
            .filter_map(|event| self.talk.client.delta(&event).map(str::to_owned))
            .collect()
    }
}

/// Two providers of each dialect, one of them by HTTP/2.
async fn providers() -> Result<Vec<(&'static str, Dialect, Fake)>> {
    let mut providers = Vec::new();
    for (name, dialect, multiplexed) in [
        ("east", Dialect::Chat, false),
        ("west", Dialect::Chat, true),
        ("north", Dialect::Messages, false),
        ("south", Dialect::Messages, true),
    ] {
        let builder = dialect.provider(name);
        let builder = if multiplexed { builder.tls() } else { builder };
        providers.push((name, dialect, builder.start().await?));
    }
    Ok(providers)
}

fn documents(providers: &[(&'static str, Dialect, Fake)], tenants: &[Tenant]) -> Vec<String> {
    let deployments = providers
        .iter()
        .map(|(name, dialect, fake)| Deployment::of(*dialect, name, fake).to_string());
    let policies = MODELS.iter().map(|(model, served)| {
        let targets = providers.iter().filter(|(_, dialect, _)| dialect == served);
        Policy::named(model)
            .targets(targets.map(|(name, ..)| *name))
            .to_string()
    });
    deployments.chain(policies).chain(tenant::documents(tenants)).collect()
}

/// Starts a wave; with `gate` none of it goes on before all of it is there.
async fn wave(talks: &[Talk], http: &reqwest::Client, pilotfish: &Pilotfish, gate: Option<&Gate>) -> Result<()> {
    let (release, released) = watch::channel(gate.is_none());
    let mut streams = JoinSet::new();
    for talk in talks {
        streams.spawn(talk.clone().hold(http.clone(), pilotfish.url(), released.clone()));
    }
    if let Some(gate) = gate {
        gate.reached(talks.len()).await;
        let metrics = pilotfish.metrics().await?;
        assert_eq!(metrics.sum("pilotfish_requests_in_flight", &[]), talks.len() as f64);
        gate.open();
        release.send(true)?;
    }
    while let Some(heard) = streams.join_next().await {
        heard??.check();
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_byte_of_one_stream_shows_up_in_another() -> Result<()> {
    let (tenants, providers) = (Tenant::several(11), providers().await?);
    let pilotfish = Launch::run(&documents(&providers, &tenants)).start().await?;
    // The harness' client sets TLS up for the process; this one keeps connections, and all tenants share them.
    drop(Client::new(&pilotfish)?);
    let http = reqwest::Client::builder().no_proxy().build()?;
    let talks = Talk::all(&tenants, &mut fastrand::Rng::with_seed(6));

    let gate = Gate::new();
    for (.., fake) in &providers {
        fake.always(Step::normal().pause(Point::Content(1), Pause::Until(gate.clone())));
    }
    for (number, talks) in talks.chunks(AT_ONCE).enumerate() {
        wave(talks, &http, &pilotfish, (number == 0).then_some(&gate)).await?;
    }
    drop(http);

    check_providers(&providers, &talks);
    let fakes: Vec<&Fake> = providers.iter().map(|(.., fake)| fake).collect();
    pilotfish.back_to_idle(&fakes).await
}

/// Each got every request whole and unmixed, and on connections that tenants shared.
fn check_providers(providers: &[(&'static str, Dialect, Fake)], talks: &[Talk]) {
    let tenants: BTreeMap<&str, &str> = talks
        .iter()
        .map(|talk| (talk.canary.as_str(), talk.tenant.name.as_str()))
        .collect();
    let mut seen = BTreeSet::new();
    for (name, _, fake) in providers {
        assert_eq!(fake.violations(), Vec::<String>::new(), "{name}");
        let mut sharing: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
        for received in fake.received() {
            let body = String::from_utf8_lossy(&received.body).into_owned();
            let canaries: BTreeSet<&str> = tenants.keys().copied().filter(|canary| body.contains(canary)).collect();
            let [canary] = canaries.iter().copied().collect::<Vec<_>>()[..] else {
                panic!("{name} was sent the words of {canaries:?} at once: {body}");
            };
            assert_eq!(
                body.matches(CANARY).count(),
                body.matches(canary).count(),
                "{name}: {body}"
            );
            assert!(seen.insert(canary), "{canary} was sent twice");
            sharing.entry(received.connection).or_default().insert(tenants[canary]);
        }
        assert!(
            sharing.values().any(|tenants| tenants.len() > 1),
            "{name}: no connection was shared"
        );
    }
    assert_eq!(seen.len(), talks.len());
}
