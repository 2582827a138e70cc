use super::{FetchError, Guard, Hosts, MOST_BYTES, Public, fetch};
use crate::dialect::Picture;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";

/// The host of these tests and nobody else: what no program can be told.
struct Only(SocketAddr);

impl Guard for Only {
    fn allows(&self, address: SocketAddr) -> bool {
        address == self.0
    }
}

/// A host that answers each path as it is told.
struct Host {
    address: SocketAddr,
    _serving: JoinSet<()>,
}

impl Host {
    async fn start(answer: impl Fn(&str) -> Vec<u8> + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut serving = JoinSet::new();
        serving.spawn_local(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap();
                assert!(!head.to_lowercase().contains("authorization"), "{head}");
                let path = head.split(' ').nth(1).unwrap();
                // Whoever has heard enough hangs up.
                drop(stream.write_all(&answer(path)).await);
            }
        });
        Self {
            address,
            _serving: serving,
        }
    }

    async fn get(&self, path: &str) -> Result<Picture, FetchError> {
        let url = format!("http://localhost:{}{path}", self.address.port());
        fetch(&url, &listed(), &Only(self.address)).await
    }
}

fn listed() -> Hosts {
    Hosts::new(["localhost", "127.0.0.1", "[::1]", "metadata.example"].map(str::to_owned))
}

fn ok(content_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn moved(location: &str) -> Vec<u8> {
    format!("HTTP/1.1 302 Found\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

/// Runs on a runtime of one thread, as workers do.
fn check(test: impl Future<Output = ()>) {
    crate::app::block_on(test).unwrap();
}

#[test]
fn a_picture_is_fetched_and_known_by_its_bytes() {
    check(async {
        let host = Host::start(|path| match path {
            "/a.png" => ok("image/png; x=y", PNG),
            "/jpeg" => ok("image/PNG", b"\xff\xd8\xff\xe0"),
            "/gif" => ok("image/gif", b"GIF89a"),
            "/webp" => [
                b"HTTP/1.1 200 OK\r\ncontent-type: image/webp\r\n\r\n".as_slice(),
                b"RIFF....WEBP",
            ]
            .concat(),
            "/moved" => moved("/a.png"),
            path => panic!("{path}"),
        })
        .await;
        for (path, media_type) in [
            ("/a.png", "image/png"),
            ("/jpeg", "image/jpeg"),
            ("/gif", "image/gif"),
            ("/webp", "image/webp"),
            ("/moved", "image/png"),
        ] {
            let picture = host.get(path).await.unwrap();
            assert_eq!(picture.media_type, media_type, "{path}");
        }
        assert_eq!(host.get("/a.png").await.unwrap().base64, "iVBORw0KGgpyZXN0");
    });
}

#[test]
fn what_is_no_picture_or_no_answer_is_refused() {
    check(async {
        let host = Host::start(|path| match path {
            "/page" => ok("text/html", PNG),
            "/untyped" => b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_vec(),
            "/lies" => ok("image/png", b"<svg/>"),
            "/svg" => ok("image/svg+xml", b"<svg/>"),
            "/none" => b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
            "/nowhere" => b"HTTP/1.1 302 Found\r\ncontent-length: 0\r\n\r\n".to_vec(),
            "/cut" => ok("image/png", PNG).into_iter().rev().skip(1).rev().collect(),
            "/silent" => Vec::new(),
            "/noise" => b"SSH-2.0-OpenSSH_9.9\r\n".to_vec(),
            "/head" => format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "x".repeat(64 * 1024)).into_bytes(),
            "/says" => format!(
                "HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: {}\r\n\r\n",
                MOST_BYTES + 1
            )
            .into(),
            "/long" => [
                b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\n\r\n".as_slice(),
                &vec![0; MOST_BYTES + 1],
            ]
            .concat(),
            path => panic!("{path}"),
        })
        .await;
        for (path, error) in [
            ("/page", FetchError::Type),
            ("/untyped", FetchError::Type),
            ("/lies", FetchError::Type),
            ("/svg", FetchError::Type),
            ("/none", FetchError::Status),
            ("/nowhere", FetchError::Status),
            ("/cut", FetchError::Unreachable),
            ("/silent", FetchError::Unreachable),
            ("/noise", FetchError::Unreachable),
            ("/head", FetchError::Unreachable),
            ("/says", FetchError::TooLong),
            ("/long", FetchError::TooLong),
        ] {
            assert_eq!(host.get(path).await, Err(error), "{path}");
        }
    });
}

#[test]
fn every_redirect_is_judged_anew() {
    check(async {
        let host = Host::start(|path| match path.rsplit_once('/') {
            Some(("/count", "0")) => ok("image/png", PNG),
            Some(("/count", n)) => moved(&format!("/count/{}", n.parse::<u32>().unwrap() - 1)),
            _ => match path {
                "/unlisted" => moved("http://elsewhere.example/a.png"),
                "/metadata" => moved("http://127.0.0.1/latest/meta-data"),
                "/mapped" => moved("http://[::1]/a.png"),
                "/user" => moved("http://localhost@elsewhere.example/"),
                "/file" => moved("file:///etc/passwd"),
                path => panic!("{path}"),
            },
        })
        .await;
        assert!(host.get("/count/3").await.is_ok());
        for (path, error) in [
            ("/count/4", FetchError::Redirects),
            ("/unlisted", FetchError::Host),
            // Listed, but not where the guard lets anybody go.
            ("/metadata", FetchError::Address),
            ("/mapped", FetchError::Host),
            ("/user", FetchError::Url),
            ("/file", FetchError::Url),
        ] {
            assert_eq!(host.get(path).await, Err(error), "{path}");
        }
    });
}

#[test]
fn a_program_never_calls_what_is_not_public() {
    check(async {
        let host = Host::start(|_| panic!("called")).await;
        let port = host.address.port();
        for url in [
            format!("http://localhost:{port}/"),
            format!("http://127.0.0.1:{port}/"),
            "http://localhost/".to_owned(),
            "http://127.0.0.1/".to_owned(),
        ] {
            assert_eq!(fetch(&url, &listed(), &Public).await, Err(FetchError::Address), "{url}");
        }
        // An address by other names is what it resolves to.
        for name in ["0x7f.1", "2130706433", "0177.0.0.1"] {
            let hosts = Hosts::new([name.to_owned()]);
            let fetched = fetch(&format!("http://{name}/"), &hosts, &Public).await;
            assert!(
                matches!(
                    fetched,
                    Err(FetchError::Address | FetchError::Unreachable | FetchError::Url)
                ),
                "{name}: {fetched:?}"
            );
        }
    });
}
