//! The life of the stream from the operator: connect, obey, acknowledge, move to the leader, come back.
//!
//! Nothing here is waited for by a request. While there is no operator the last good configuration serves, this
//! process's own or, after a restart, the copy of [`LastGood`].

use super::backoff::Backoff;
use super::connection::within;
use super::error::{ENDINGS, OperatorError, Outcome};
use super::identity::Identity;
use super::last_good::LastGood;
use super::stream::Stream;
use super::{Clock, Received, Said, Subscription};
use crate::meter::OperatorSeries;
use crate::pipeline::Shared;
use crate::policy::Configuration;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use pilotfish_wire::{Ack, Message, Report, scope};
use rustls::pki_types::ServerName;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// Where the operator is, and what is needed to be believed there.
#[derive(Clone, Debug)]
pub struct Operator {
    /// `host:port` of its service.
    pub address: String,
    /// The name that its certificate must be for, at whatever address.
    pub name: ServerName<'static>,
    /// A file with the pod's token for it, replaced from time to time.
    pub token: PathBuf,
    /// A file with the certificates that its own may be signed by, replaced from time to time.
    pub ca: PathBuf,
    /// A directory for what outlives this process; without one nothing does.
    pub state: Option<PathBuf>,
}

/// A fleet that learns of a new leader does not move there at one moment.
const MOVE_WITHIN: Duration = Duration::from_secs(2);
/// A leader that has not committed by then does not get the stream.
const MOVED_BY: Duration = Duration::from_secs(30);

/// What one operator's configuration has come to.
pub(super) struct Following {
    identity: Rc<Identity>,
    subscription: Subscription,
    received: Received,
    last_good: LastGood,
    series: OperatorSeries,
    address: String,
    backoff: Backoff,
    /// Why there is no stream, as it was last told.
    told: Option<String>,
}

/// The leader's stream, which has committed.
struct Moved {
    stream: Stream,
    received: Received,
    said: Said,
}

impl Following {
    pub(super) fn new(operator: Operator, shared: Arc<Shared>) -> anyhow::Result<Self> {
        let outcomes = Outcome::ALL.map(Outcome::label);
        let series = OperatorSeries::register(&shared.meter, &outcomes, &ENDINGS);
        Ok(Self {
            last_good: LastGood::new(operator.state.clone(), series.clone()),
            address: operator.address.clone(),
            identity: Rc::new(Identity::new(operator, series.clone())),
            subscription: Subscription::new(shared),
            received: Received::default(),
            series,
            backoff: Backoff::default(),
            told: None,
        })
    }

    /// Puts the copy of an earlier process in force, if there is a good one.
    pub(super) fn restore(&mut self) {
        let Some(found) = self.last_good.read() else {
            return;
        };
        let clock = Clock {
            unix_seconds: found.written,
            ..Clock::read()
        };
        for message in found.messages {
            if let Some(said) = self.received.receive(message) {
                // Nobody waits for this ack.
                self.subscription.obey(self.received.configuration(), said, clock);
            }
        }
        tracing::info!(
            written = found.written,
            "serving the last good configuration until the operator is reached"
        );
    }

    /// Follows the operator for ever.
    pub(super) async fn run(&mut self) -> ! {
        loop {
            let ended = match self.connect().await {
                Ok(stream) => {
                    let ended = self.follow(stream).await;
                    self.series.ended(ended.ending());
                    ended
                }
                Err(error) => error,
            };
            self.save();
            self.tell(&ended);
            tokio::time::sleep(self.backoff.next(fastrand::f64())).await;
        }
    }

    /// Writes what has not been written yet.
    pub(super) fn save(&mut self) {
        let Clock { now, unix_seconds } = Clock::read();
        let builder = &self.subscription.builder;
        let configuration = self.received.configuration();
        self.last_good
            .write(configuration, |id| builder.good(id), now, unix_seconds);
    }

    /// Any replica will do; one that does not lead says who does.
    async fn connect(&mut self) -> Result<(Stream, Option<String>), OperatorError> {
        self.received.reopen();
        let (stream, hello) = self.identity.stream(&self.address, &self.received.known()).await?;
        let of = |name| hello.scope.get(name).map_or("", String::as_str);
        tracing::info!(
            address = stream.address(),
            namespace = of(scope::NAMESPACE),
            pod = of(scope::POD),
            workload = of(scope::WORKLOAD),
            "connected to the operator"
        );
        let leader = hello.leader.clone();
        self.received.receive(Message::Hello(hello));
        Ok((stream, leader))
    }

    /// Obeys a stream until it ends, and says why it did.
    async fn follow(&mut self, (mut stream, leader): (Stream, Option<String>)) -> OperatorError {
        self.told = None;
        let _connected = Connected::new(&self.series);
        let identity = Rc::clone(&self.identity);
        let mut renewing = std::pin::pin!(identity.keep_renewed());
        let mut moving = self.moving(leader, &stream);
        loop {
            tokio::select! {
                message = stream.next() => match message {
                    Ok(Message::Hello(hello)) => {
                        moving = self.moving(hello.leader.clone(), &stream);
                        self.received.receive(Message::Hello(hello));
                    }
                    Ok(message) => self.take(message, &stream),
                    Err(error) => return error,
                },
                moved = &mut moving => {
                    moving = self.moving(None, &moved.stream);
                    // The stream before it is dropped only here: until now it was obeyed.
                    stream = moved.stream;
                    self.adopt(moved.received, moved.said, &stream);
                }
                () = self.last_good.due() => self.save(),
                never = &mut renewing => never,
            }
        }
    }

    /// Obeys the leader's stream from its first commit on.
    fn adopt(&mut self, received: Received, said: Said, stream: &Stream) {
        tracing::info!(address = stream.address(), "moved to the operator's leader");
        // It was compared with what was in force when its stream was opened.
        let is_change = !received.configuration().same_as(self.received.configuration());
        self.received = received;
        self.obey(said.compared(is_change), stream);
    }

    fn take(&mut self, message: Message, stream: &Stream) {
        if let Some(said) = self.received.receive(message) {
            self.obey(said, stream);
        }
    }

    fn obey(&mut self, said: Said, stream: &Stream) {
        self.backoff.reset();
        self.subscription.count(&said);
        if said.is_change() {
            self.last_good.changed();
        }
        let clock = Clock::read();
        let ack: Option<Ack> = self.subscription.obey(self.received.configuration(), said, clock);
        // Before the ack: what the operator counts as programmed survives a restart.
        if self.last_good.is_due(clock.now) {
            self.save();
        }
        if let Some(ack) = ack {
            stream.say(Report::Ack(ack));
        }
    }

    /// The way to the leader, unless it is where the stream is: then, no end of waiting.
    fn moving(&self, leader: Option<String>, stream: &Stream) -> LocalBoxFuture<'static, Moved> {
        match elsewhere(leader, stream.address()) {
            None => std::future::pending().boxed_local(),
            Some(leader) => {
                let configuration = self.received.configuration().clone();
                move_to(Rc::clone(&self.identity), leader, configuration).boxed_local()
            }
        }
    }

    /// Once for each reason: an operator may be away for days.
    fn tell(&mut self, error: &OperatorError) {
        let sentence = error.to_string();
        if let OperatorError::Ended = error {
            tracing::info!(reason = sentence, "no stream from the operator, coming back");
        } else if self.told.as_ref() == Some(&sentence) {
            tracing::debug!(reason = sentence, "no stream from the operator yet");
        } else if self.subscription.shared.in_force.load().is_ready() {
            tracing::warn!(
                reason = sentence,
                "no stream from the operator, the last good configuration stays in force"
            );
        } else {
            tracing::warn!(
                reason = sentence,
                "no stream from the operator, and nothing to serve yet"
            );
        }
        self.told = Some(sentence);
    }
}

/// A stream is open.
struct Connected(OperatorSeries);

impl Connected {
    fn new(series: &OperatorSeries) -> Self {
        series.connected.set(1);
        Self(series.clone())
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.connected.set(0);
    }
}

/// The leader, unless the stream is with it already.
fn elsewhere(leader: Option<String>, here: &str) -> Option<String> {
    leader.filter(|leader| leader != here)
}

/// Goes on trying: the stream that there is stays, and says so when somebody else leads.
async fn move_to(identity: Rc<Identity>, leader: String, from: Configuration) -> Moved {
    tokio::time::sleep(MOVE_WITHIN.mul_f64(fastrand::f64())).await;
    let mut backoff = Backoff::default();
    loop {
        let committed = Box::pin(committed_by(&identity, &leader, from.clone()));
        match within(MOVED_BY, &leader, "to commit", committed).await {
            Ok(moved) => return moved,
            Err(error) => tracing::debug!(%error, leader, "the stream stays where it is"),
        }
        tokio::time::sleep(backoff.next(fastrand::f64())).await;
    }
}

/// Reads the leader's stream beside the one that is obeyed, up to its first commit.
async fn committed_by(identity: &Identity, leader: &str, from: Configuration) -> Result<Moved, OperatorError> {
    let mut received = Received::after(from);
    let (mut stream, hello) = identity.stream(leader, &received.known()).await?;
    if hello.leader.is_some() {
        return Err(OperatorError::NoLeader);
    }
    received.receive(Message::Hello(hello));
    loop {
        let said = received.receive(stream.next().await?);
        if let Some(said @ Said::Batch { .. }) = said {
            return Ok(Moved { stream, received, said });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::elsewhere;

    #[test]
    fn a_leader_that_has_the_stream_already_is_nowhere_else() {
        let leader = || Some("10.0.0.2:4443".to_owned());
        assert_eq!(
            elsewhere(leader(), "pilotfish-operator.pilotfish-system.svc:4443"),
            leader()
        );
        assert_eq!(elsewhere(leader(), "10.0.0.2:4443"), None);
        assert_eq!(elsewhere(None, "10.0.0.2:4443"), None);
    }
}
