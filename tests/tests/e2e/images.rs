//! Images by URL through the whole program: fetched from what is public, and from nothing else.
//!
//! The program never calls an address of one's own network, and has no switch by which it would. So the test makes an
//! internet: a network namespace in which a public address is this machine's, and names that the test chooses. Nothing
//! of it can be had by configuration.

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pilotfish_provider::{Fake, Ollama};
use pilotfish_tests::{Answer, Client, Dialect, Launch, Pilotfish, Policy};
use serde_json::json;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// Set for the test within the namespace: the file that is its `/etc/hosts`.
const HOSTS: &str = "PILOTFISH_TEST_HOSTS";

/// Of nobody's own network; nobody outside of the namespace is called.
const PUBLIC: &str = "198.20.7.7";
/// Of a network of one's own, and this machine's in the namespace.
const PRIVATE: &str = "10.20.30.40";

/// A picture of one pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

/// One byte more than is taken.
const TOO_LONG: usize = 5 * 1024 * 1024 + 1;

#[tokio::test]
async fn an_image_is_fetched_from_the_internet_and_from_nowhere_else() -> Result<()> {
    match std::env::var_os(HOSTS) {
        Some(hosts) => within(Path::new(&hosts)).await,
        None => in_a_namespace("images::an_image_is_fetched_from_the_internet_and_from_nowhere_else").await,
    }
}

/// Runs this very test where the addresses are this machine's.
async fn in_a_namespace(test: &str) -> Result<()> {
    let directory = tempfile::tempdir()?;
    let hosts = directory.path().join("hosts");
    std::fs::write(&hosts, "127.0.0.1 localhost\n")?;
    let script = format!(
        "ip link set lo up && ip address add {PUBLIC}/32 dev lo && ip address add {PRIVATE}/32 dev lo && \
         mount --bind \"${HOSTS}\" /etc/hosts && exec \"$@\""
    );
    let status = tokio::process::Command::new("unshare")
        .args(["--net", "--mount", "sh", "-euc", &script, "sh"])
        .arg(std::env::current_exe()?)
        .args(["--exact", test, "--nocapture"])
        .env(HOSTS, &hosts)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .context("it needs unshare, and root")?;
    ensure!(status.success(), "in the namespace: {status}");
    Ok(())
}

/// Which names lead where, from now on.
fn resolve(hosts: &Path, names: &[(&str, &str)]) -> Result<()> {
    let lines = names.iter().map(|(name, address)| format!("{address} {name}\n"));
    // It is mounted: the file itself must stay.
    std::fs::write(hosts, lines.collect::<String>())?;
    Ok(())
}

async fn within(hosts: &Path) -> Result<()> {
    let names = [
        ("localhost", "127.0.0.1"),
        ("img.example.com", PUBLIC),
        ("private.example.com", PRIVATE),
        ("own.example.com", "127.0.0.1"),
        ("both.example.com", PUBLIC),
        ("both.example.com", PRIVATE),
    ];
    resolve(hosts, &names)?;
    let (public, private, own) = (
        Host::start(PUBLIC).await?,
        Host::start(PRIVATE).await?,
        Host::start("127.0.0.1").await?,
    );
    let scene = Scene::start().await?;

    for path in ["/a.png", "/moved"] {
        let answer = scene.look(&format!("http://img.example.com{path}")).await?;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        assert_eq!(answer.header("x-pilotfish-loss"), None);
        let sent = scene.fake.received().last().context("it was asked")?.json()?;
        assert_eq!(sent["messages"][0]["images"], json!([PNG]), "{path}");
    }
    assert_eq!(public.asked(), ["/a.png", "/moved", "/a.png"]);

    let not_public = "its host has an address that is not public";
    for (url, why) in [
        ("http://img.example.com/private", not_public),
        ("http://private.example.com/a.png", not_public),
        ("http://own.example.com/a.png", not_public),
        ("http://both.example.com/a.png", not_public),
        (
            "http://img.example.com/elsewhere",
            "a host that the policy does not list",
        ),
        ("http://img.example.com/long", "it is longer than 5 MiB"),
        ("http://img.example.com/page", "it is not a GIF, JPEG, PNG or WebP"),
        ("http://img.example.com:8080/a.png", not_public),
    ] {
        scene.refused(url, why).await?;
    }
    // The name leads elsewhere now: what it was judged to be before counts for nothing.
    resolve(hosts, &[("localhost", "127.0.0.1"), ("img.example.com", PRIVATE)])?;
    scene.refused("http://img.example.com/a.png", not_public).await?;

    assert_eq!(scene.fake.received().len(), 2, "an image that is missing was sent");
    assert!(
        private.asked().is_empty() && own.asked().is_empty(),
        "what is not public was called"
    );
    scene.pilotfish.back_to_idle(&[&scene.fake]).await
}

/// A model that wants an image's bytes, and a policy that has them fetched.
struct Scene {
    pilotfish: Pilotfish,
    client: Client,
    fake: Fake,
}

impl Scene {
    async fn start() -> Result<Self> {
        let fake = Ollama::builder().name("east").start().await?;
        let deployment = format!(
            "kind: ModelDeployment\napiVersion: pilotfish.dev/v1alpha1\nmetadata: {{name: east}}\nspec:\n  \
             provider: Ollama\n  model: qwen3\n  capabilities: {{refuses: []}}\n  endpoint: {{dialects: [{{name: Ollama, url: {:?}}}]}}\n",
            fake.url()
        );
        let fetches = "translation: {fetchImages: {hosts: [\"*.example.com\"]}}";
        let policy = Policy::named("chat").targets(["east"]).with(fetches);
        let pilotfish = Launch::run(&[deployment, policy.to_string()]).start().await?;
        let client = Client::new(&pilotfish)?;
        Ok(Self {
            pilotfish,
            client,
            fake,
        })
    }

    async fn look(&self, url: &str) -> Result<Answer> {
        let image = json!({"type": "image_url", "image_url": {"url": url}});
        let text = json!({"type": "text", "text": "What do you see?"});
        let request = json!({"model": "chat", "messages": [{"role": "user", "content": [text, image]}]});
        self.client.ask(Dialect::Chat, &request).await
    }

    async fn refused(&self, url: &str, why: &str) -> Result<()> {
        let answer = self.look(url).await?;
        let said = answer.error(Dialect::Chat)?.message;
        assert_eq!(answer.status, 400, "{url}: {said}");
        assert!(
            said.contains("messages[0].content[1]") && said.contains(why),
            "{url}: {said}"
        );
        Ok(())
    }
}

/// A web server at one of the addresses, and what it was asked for.
struct Host {
    asked: Arc<Mutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl Host {
    async fn start(address: &str) -> Result<Self> {
        let mut serving = JoinSet::new();
        let asked = Arc::<Mutex<Vec<String>>>::default();
        for port in [80, 8080] {
            let listener = TcpListener::bind((address, port)).await?;
            let asked = Arc::clone(&asked);
            serving.spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    // Whoever has heard enough hangs up.
                    drop(serve(stream, &asked).await);
                }
            });
        }
        Ok(Self {
            asked,
            _serving: serving,
        })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panics with it").clone()
    }
}

async fn serve(mut stream: TcpStream, asked: &Mutex<Vec<String>>) -> Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head)?;
    let path = head.split(' ').nth(1).context("it has a path")?;
    asked.lock().expect("nobody panics with it").push(path.to_owned());
    stream.write_all(&answer(path)?).await?;
    Ok(stream.shutdown().await?)
}

fn answer(path: &str) -> Result<Vec<u8>> {
    let moved = |to: &str| format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").into_bytes();
    let typed = |kind: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n\r\n");
        [head.as_bytes(), body].concat()
    };
    Ok(match path {
        "/a.png" => typed("image/png", &STANDARD.decode(PNG)?),
        "/moved" => moved("http://img.example.com/a.png"),
        "/private" => moved("http://private.example.com/a.png"),
        "/elsewhere" => moved("http://elsewhere.example.net/a.png"),
        "/long" => typed("image/png", &vec![0; TOO_LONG]),
        _ => typed("text/html", b"<p>"),
    })
}
