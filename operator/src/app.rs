//! Configuration → tasks, wired by hand, joined. A task that ends unasked ends the process.

use crate::ack::Acks;
use crate::admission::Judge;
use crate::certs::{Authority, Keeper};
use crate::events::Recorder;
use crate::identity::{Identity, Trusted};
use crate::inject::{Resources, Settings};
use crate::installation;
use crate::keys;
use crate::lease::{Candidate, Standing};
use crate::metrics::Metrics;
use crate::push::{MOST_STRANGERS, Server, Timing, Views};
use crate::refused;
use crate::remember;
use crate::repositories::Memory;
use crate::status::{self, Sources};
use crate::telemetry::{self, Pending, Readiness, Shown};
use crate::watch::{Compilations, Installation};
use crate::{trust, webhook};
use anyhow::Context;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config as ClientConfig};
use rustls::ServerConfig;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// No single answer of the API server may take longer. A watch is many answers.
const API_TIMEOUT: Duration = Duration::from_secs(15);
/// How long the API server may say nothing on a connection that waits for it.
const SILENCE: Duration = Duration::from_secs(90);
/// How long what is being finished may take once the process is told to stop.
const DRAIN: Duration = Duration::from_secs(10);

/// Where the Service takes sidecars, whatever port a replica has.
const SIDECARS_PORT: u16 = 4443;

/// What an operator is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The namespace it runs in: its own Secrets and its Lease are there.
    pub namespace: String,
    /// Policies of this namespace may serve other namespaces.
    pub root_namespace: String,
    /// The name of this replica.
    pub name: String,
    /// Where sidecars are served.
    pub sidecars: SocketAddr,
    /// Where sidecars reach this very replica, as `host:port`; `None`: where it listens.
    pub advertise: Option<String>,
    /// The Service by which it is reached in its namespace.
    pub service: String,
    /// How long a root of its certificate authority lasts.
    pub ca_lifetime: Duration,
    /// Where the API server calls its webhooks.
    pub webhook: SocketAddr,
    /// Where it is scraped and probed.
    pub telemetry: SocketAddr,
    /// The image of sidecars.
    pub sidecar_image: String,
    /// Other images whose repositories are trusted as well.
    pub trusted_images: Vec<String>,
    /// What sidecars ask of their nodes.
    pub sidecar_resources: Resources,
    /// How to reach the API server; `None`: as a pod does.
    pub kubeconfig: Option<PathBuf>,
}

/// Runs an operator until SIGTERM or Ctrl-C, or until one of its tasks ends, which is an error.
pub async fn run_until_signal(config: Config) -> anyhow::Result<()> {
    let mut tasks = start(config).await?;
    tokio::select! {
        ended = tasks.first_to_end() => ended,
        signal = signal() => {
            tasks.stop().await;
            signal.context("signals cannot be waited for")
        }
    }
}

async fn start(config: Config) -> anyhow::Result<Tasks> {
    let metrics = Metrics::new().context("the metrics could not be registered")?;
    let readiness = Readiness::default();
    let first_compilation = readiness.awaits("the first list of every kind");
    let first_certificate = readiness.awaits("the certificate authority");
    let mut tasks = Tasks::default();
    let (telemetry, sidecars) = (listen(config.telemetry).await?, listen(config.sidecars).await?);
    let (scraped, served) = (telemetry.local_addr()?, sidecars.local_addr()?);
    tracing::info!(sidecars = %served, telemetry = %scraped, namespace = config.namespace, "listening");
    let advertise = config.advertise.clone().unwrap_or_else(|| served.to_string());
    let shown = Shown {
        metrics: Arc::clone(&metrics),
        readiness: readiness.clone(),
    };
    tasks.spawn("telemetry", telemetry::serve(telemetry, shown));

    let server = api_server(config.kubeconfig.as_deref()).await?;
    let series = crate::watch::series(&metrics);
    let heard = crate::watch::client(server.clone(), Arc::clone(&series)).context(UNUSABLE)?;
    let client = Client::try_from(server).context(UNUSABLE)?;
    let images = [vec![config.sidecar_image.clone()], config.trusted_images.clone()].concat();
    let trusted = Arc::new(Trusted::new(&images));
    let judge = judge(&config, Arc::clone(&trusted));
    let (keys, kept) = installation::keys(&client, &config.namespace).await?;
    tasks.spawn("installation key", kept.run());
    let installation = Installation {
        root_namespace: config.root_namespace,
        key: keys.callers,
    };
    let (publish, compilations) = watch::channel(None);
    let repositories = Memory::new(
        client.clone(),
        &config.namespace,
        &config.sidecar_image,
        Arc::clone(&trusted),
    );
    repositories.begin(unix_seconds).await;
    tasks.spawn("images of sidecars", repositories.run(unix_seconds));
    let (stores, streams) = crate::watch::open(&heard, keys.seals, Arc::clone(&trusted));
    let watching = crate::watch::run(stores, streams, installation, Arc::clone(&metrics), series, publish);
    tasks.spawn("watch", watching);
    tasks.spawn("readiness", ready(compilations.clone(), first_compilation));

    let names = serving_names(&config.service, &config.namespace, &advertise);
    let authority = Authority::new(names, config.ca_lifetime, Arc::clone(&metrics));
    let keeper = Keeper::new(Arc::clone(&authority), client.clone(), &config.namespace);
    tasks.spawn("certificate authority", async move { keeper.run(unix_seconds).await });

    tasks.spawn("certificates", certified(authority.sidecars(), first_certificate));
    let webhook = listen(config.webhook).await?;
    tracing::info!(webhook = %webhook.local_addr()?, "listening for the API server");
    let tls = webhook::tls(authority.serving()).context("the webhooks cannot be served")?;
    let reviews = Arc::clone(&metrics);
    tasks.spawn_draining("webhooks", |stop| webhook::serve(webhook, tls, judge, reviews, stop));

    let candidate = Candidate::new(&config.name, advertise);
    let standing = Standing::new(client.clone(), &config.namespace, candidate, Arc::clone(&metrics));
    let leadership = standing.leadership();
    let listed = compilations.clone();
    tasks.spawn_draining("lease", |stop| async move {
        // Who has nothing to serve leads nobody.
        tokio::select! {
            () = first(listed) => standing.run(stop).await,
            () = stop.cancelled() => {}
        }
    });
    let recorder = Recorder::new(client.clone(), config.name, Arc::clone(&metrics));
    let (read, lead) = (compilations.clone(), leadership.clone());
    let scribe = remember::Scribe {
        key: keys.seals,
        namespace: config.namespace.clone(),
    };
    let keys = keys::Controller::new(client.clone(), read, lead, recorder.clone(), Arc::clone(&metrics));
    let (acks, views) = (Arc::<Acks>::default(), Arc::<Views>::default());
    let server = |stop| Server {
        authority: Arc::clone(&authority),
        identity: Arc::new(Identity::new(
            client.clone(),
            Arc::clone(&trusted),
            compilations.clone(),
            Arc::clone(&metrics),
        )),
        compilations: compilations.clone(),
        acks: Arc::clone(&acks),
        leadership: leadership.clone(),
        metrics: Arc::clone(&metrics),
        now: unix_seconds,
        stop,
        views: Arc::clone(&views),
        most_strangers: MOST_STRANGERS,
        timing: Timing::default(),
    };
    tasks.spawn_draining("sidecars", |stop| Arc::new(server(stop)).serve(sidecars));
    let sources = Sources {
        compilations: compilations.clone(),
        views,
        acks,
        troubles: keys.troubles(),
        leadership: leadership.clone(),
    };
    tasks.spawn("keys", keys.run());
    let (read, lead) = (compilations.clone(), leadership.clone());
    tasks.spawn(
        "refused pods",
        refused::run(read, lead, recorder.clone(), Arc::clone(&metrics)),
    );
    let told = (&recorder, &metrics);
    for (name, task) in trust::tasks(&client, &authority, &compilations, &leadership, &readiness, told) {
        tasks.spawn(name, task);
    }
    tasks.spawn(
        "status",
        status::Controller::new(client.clone(), sources, recorder.clone(), Arc::clone(&metrics)).run(),
    );
    tasks.spawn(
        "remember",
        remember::run(client, scribe, compilations, leadership, recorder, metrics),
    );
    Ok(tasks)
}

/// Who answers the API server. Sidecars find the operator by its Service, and are reached over the family of addresses
/// that the operator is.
fn judge(config: &Config, trusted: Arc<Trusted>) -> Judge {
    let operator_name = format!("{}.{}.svc", config.service, config.namespace);
    let telemetry_host = if config.telemetry.is_ipv6() { "[::]" } else { "0.0.0.0" };
    Judge {
        settings: Settings {
            image: config.sidecar_image.clone(),
            operator: format!("{operator_name}:{SIDECARS_PORT}"),
            operator_name,
            operator_namespace: config.namespace.clone(),
            telemetry_host: telemetry_host.to_owned(),
            resources: config.sidecar_resources.clone(),
        },
        trusted,
        root_namespace: config.root_namespace.clone(),
    }
}

/// What the serving certificate is for: the Service by all its names, and this replica's own address.
fn serving_names(service: &str, namespace: &str, advertise: &str) -> Vec<String> {
    let own = advertise.rsplit_once(':').map_or(advertise, |(host, _)| host);
    let own = own.trim_start_matches('[').trim_end_matches(']');
    let service = [
        service.to_owned(),
        format!("{service}.{namespace}"),
        format!("{service}.{namespace}.svc"),
    ];
    let mut names: Vec<String> = service
        .into_iter()
        .chain(["localhost", "127.0.0.1", own].map(str::to_owned))
        .collect();
    names.sort();
    names.dedup();
    names
}

/// Seconds since the Unix epoch, read at the edge and passed on as a value.
fn unix_seconds() -> i64 {
    jiff::Timestamp::now().as_second()
}

/// There is something to serve once everything was listed.
async fn ready(compilations: Compilations, pending: Pending) {
    first(compilations).await;
    pending.done();
    std::future::pending().await
}

/// Returns once there is a compilation.
async fn first(mut compilations: Compilations) {
    if compilations.wait_for(Option::is_some).await.is_err() {
        // The watch has ended, which ends the process.
        std::future::pending().await
    }
}

/// Sidecars can be told who serves them.
async fn certified(mut config: watch::Receiver<Option<Arc<ServerConfig>>>, pending: Pending) {
    if config.wait_for(Option::is_some).await.is_ok() {
        pending.done();
        std::future::pending().await
    }
}

/// The tasks of the process, by name.
#[derive(Default)]
struct Tasks {
    running: JoinSet<&'static str>,
    stop: CancellationToken,
}

impl Tasks {
    /// One that ends, at whatever await it is, when the process is told to stop.
    fn spawn(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.spawn_draining(name, |stop| async move {
            tokio::select! {
                () = task => {}
                () = stop.cancelled() => {}
            }
        });
    }

    /// One that has something to finish when the process is told to stop.
    fn spawn_draining<F>(&mut self, name: &'static str, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let task = task(self.stop.clone());
        drop(self.running.spawn(async move {
            task.await;
            name
        }));
    }

    async fn first_to_end(&mut self) -> anyhow::Result<()> {
        match self.running.join_next().await {
            Some(Ok(name)) => Err(anyhow::anyhow!("the task {name} ended unasked")),
            Some(Err(error)) => Err(anyhow::Error::new(error).context("a task failed")),
            None => Ok(()),
        }
    }

    async fn stop(mut self) {
        self.stop.cancel();
        let all = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(DRAIN, all).await.is_err() {
            tracing::warn!("not everything was finished when the time to stop was up");
        }
    }
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("cannot listen on {address}"))
}

/// Said of an API server that no client can be made for.
const UNUSABLE: &str = "the API server's address or certificate cannot be used";

/// How the API server is called. An ambient `KUBECONFIG` is somebody's own and not read.
async fn api_server(kubeconfig: Option<&Path>) -> anyhow::Result<ClientConfig> {
    let mut config = match kubeconfig {
        None => ClientConfig::incluster().context("this is no pod with a ServiceAccount; name a --kubeconfig")?,
        Some(path) => {
            let named = || format!("kubeconfig {}", path.display());
            let kubeconfig = Kubeconfig::read_from(path).with_context(named)?;
            let options = KubeConfigOptions::default();
            ClientConfig::from_custom_kubeconfig(kubeconfig, &options)
                .await
                .with_context(named)?
        }
    };
    config.connect_timeout = Some(API_TIMEOUT);
    config.write_timeout = Some(API_TIMEOUT);
    // A connection that died without a word is noticed by its silence; one of which there is nothing to say is opened anew.
    config.read_timeout = Some(SILENCE);
    Ok(config)
}

async fn signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
