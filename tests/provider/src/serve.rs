//! One fake provider: its listener, its connections, and the exchange that every protocol drives in the same steps.

use crate::answer::{Answer, Body};
use crate::plan::{Piece, Plan, plan};
use crate::received::Received;
use crate::record::{Head, Outcome, Record};
use crate::script::{Facts, Script};
use crate::step::{Point, Refusal, Reply, Step, Style};
use crate::stream::Stream;
use crate::tls::Identity;
use crate::{http1, http2};
use bytes::Bytes;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// What makes a fake OpenAI's or Anthropic's.
pub(crate) trait Provider: Send + Sync {
    /// What the request deserves.
    fn answer(&self, request: &Received, style: Style) -> Answer;
    /// A refusal that the script wants.
    fn refuse(&self, request: &Received, refusal: Refusal) -> Answer;
    /// The event that tells of an error after the head said 200.
    fn error_event(&self, request: &Received, status: u16) -> Bytes;
}

/// What the connections of one fake share.
pub(crate) struct Server {
    pub(crate) provider: Box<dyn Provider>,
    pub(crate) script: Script,
    pub(crate) record: Record,
    /// HTTP/2: streams at once on a connection.
    pub(crate) max_streams: Option<u32>,
    idle_closed: watch::Sender<()>,
}

impl Server {
    pub(crate) fn new(provider: Box<dyn Provider>, max_streams: Option<u32>) -> Server {
        let (script, record) = (Script::default(), Record::new());
        Server {
            provider,
            script,
            record,
            max_streams,
            idle_closed: watch::Sender::new(()),
        }
    }

    pub(crate) fn close_idle_connections(&self) {
        self.idle_closed.send_replace(());
    }

    /// Returns when the test next closes the idle connections.
    pub(crate) async fn idle_connections_close(&self) {
        let mut closed = self.idle_closed.subscribe();
        closed.changed().await.expect("the server holds the sender");
    }
}

/// Accepts until it is dropped; its connections end with it.
pub(crate) async fn accept(listener: TcpListener, server: Arc<Server>, identity: Option<Arc<Identity>>) {
    let acceptor = identity.map(|identity| identity.acceptor());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => {
                    let open = Open::new(Arc::clone(&server));
                    connections.spawn(serve(socket, acceptor.clone(), open));
                }
                // What fails here is one connection (it was reset while it waited), never the listener.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

/// A connection that counts as open.
struct Open {
    server: Arc<Server>,
    number: usize,
}

impl Open {
    fn new(server: Arc<Server>) -> Open {
        let number = server.record.accepted();
        Open { server, number }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.server.record.closed();
    }
}

async fn serve(socket: TcpStream, acceptor: Option<TlsAcceptor>, open: Open) {
    // An event is a packet: what a test splits must not be put together again. It fails only on a dead connection.
    drop(socket.set_nodelay(true));
    let Some(acceptor) = acceptor else {
        return http1::serve(Stream::Plain(socket), &open.server, open.number).await;
    };
    // A client that does not trust us ends here.
    let Ok(stream) = acceptor.accept(socket).await else {
        return;
    };
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let stream = Stream::Tls(Box::new(stream));
    match http2 {
        true => http2::serve(stream, Arc::clone(&open.server), open.number).await,
        false => http1::serve(stream, &open.server, open.number).await,
    }
}

/// The address a listener got.
pub(crate) async fn listen(address: SocketAddr) -> std::io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// An answer that nobody will see, for which no model ran.
fn unseen() -> Answer {
    Answer {
        status: 500,
        headers: Vec::new(),
        body: Body::Whole(Bytes::new()),
        bill: None,
    }
}

/// One request and its answer. The protocols call, in this order: `begin`, `early`, `body`, `plan`, `head_sent`, `piece_sent`…, `end`.
pub(crate) struct Exchange<'a> {
    server: &'a Server,
    number: usize,
    path: String,
    reused: bool,
    body: Option<Bytes>,
}

impl<'a> Exchange<'a> {
    pub(crate) fn begin(server: &'a Server, head: Head) -> Exchange<'a> {
        let path = head.target.split('?').next().unwrap_or_default().to_owned();
        let reused = head.on_connection > 0;
        let number = server.record.arrived(head);
        Exchange {
            server,
            number,
            path,
            reused,
            body: None,
        }
    }

    /// The plan of a step that does not wait for the request's body.
    pub(crate) fn early(&self) -> Option<Plan> {
        let step = self.server.script.take_early(&self.facts())?;
        Some(self.plan_of(&step))
    }

    pub(crate) fn body(&mut self, body: Bytes, complete: bool) {
        self.server.record.body(self.number, body.clone(), complete);
        self.body = Some(body);
        if !complete {
            self.end(Outcome::ClientGone);
        }
    }

    /// The plan for a request that has been read.
    pub(crate) fn plan(&self) -> Plan {
        let step = self.server.script.take(&self.facts());
        self.plan_of(&step)
    }

    pub(crate) fn head_sent(&self, plan: &Plan) {
        self.server.record.head_sent(self.number, plan.status, &plan.headers);
    }

    pub(crate) fn piece_sent(&self, piece: &Piece) {
        self.server.record.piece_sent(self.number, &piece.bytes, piece.tokens);
    }

    pub(crate) fn end(&self, outcome: Outcome) {
        self.server.record.ended(self.number, outcome);
    }

    fn facts(&self) -> Facts<'_> {
        Facts {
            path: &self.path,
            reused: self.reused,
            body: self.body.as_deref(),
        }
    }

    fn plan_of(&self, step: &Step) -> Plan {
        let request = self.server.record.taken(self.number);
        let answer = self.answer(&request, step);
        if let Some(bill) = &answer.bill {
            self.server.record.bill(bill.clone());
        }
        plan(answer, step, |status| {
            self.server.provider.error_event(&request, status)
        })
    }

    fn answer(&self, request: &Received, step: &Step) -> Answer {
        if matches!(step.delivery.hang_up, Some((Point::BeforeBody, _))) {
            return unseen();
        }
        match &step.reply {
            Reply::Normal => self.server.provider.answer(request, step.style),
            Reply::Refusal(refusal) => self.server.provider.refuse(request, *refusal),
            Reply::Wire(_) => unseen(),
            Reply::Raw {
                status,
                content_type,
                body,
            } => Answer {
                status: *status,
                headers: vec![("content-type".to_owned(), content_type.clone())],
                body: Body::Whole(body.clone()),
                bill: None,
            },
        }
    }
}
