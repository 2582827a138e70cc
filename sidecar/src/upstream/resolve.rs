//! Names to addresses. Lookups block a thread each, so those for one endpoint share one, and its answer for a while.

use super::error::{ConnectError, ConnectFailure};
use futures::FutureExt;
use futures::future::{LocalBoxFuture, Shared};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// Long enough for a burst of connections, short enough that a moved service is found again.
const FRESH: Duration = Duration::from_secs(5);

/// The addresses of one name, as far as known.
#[derive(Default)]
pub(super) struct Resolver {
    state: RefCell<State>,
}

type Found = Result<Rc<[SocketAddr]>, ConnectError>;
type Lookup = Shared<LocalBoxFuture<'static, Found>>;

#[derive(Default)]
enum State {
    #[default]
    Unknown,
    /// Kept although all who wait may have given up: a lookup that hangs would otherwise be joined by another thread
    /// with every request.
    Looking(Lookup),
    Known(Rc<[SocketAddr]>, Instant),
}

impl Resolver {
    /// The addresses, the two families taking turns. The caller has the deadline.
    pub(super) async fn addresses(&self, name: &str, port: u16) -> Found {
        let lookup = match &*self.state.borrow() {
            State::Known(addresses, until) if Instant::now() < *until => return Ok(Rc::clone(addresses)),
            State::Looking(lookup) => Some(lookup.clone()),
            State::Known(..) | State::Unknown => None,
        };
        let lookup = lookup.unwrap_or_else(|| self.start(name, port));
        let found = lookup.await;
        self.remember(&found);
        found
    }

    /// None of them answered: ask again.
    pub(super) fn forget(&self) {
        if matches!(&*self.state.borrow(), State::Looking(_)) {
            return;
        }
        self.state.replace(State::Unknown);
    }

    fn start(&self, name: &str, port: u16) -> Lookup {
        let lookup = look_up(name.to_owned(), port).boxed_local().shared();
        self.state.replace(State::Looking(lookup.clone()));
        lookup
    }

    fn remember(&self, found: &Found) {
        let state = match found {
            Ok(addresses) => State::Known(Rc::clone(addresses), Instant::now() + FRESH),
            Err(_) => State::Unknown,
        };
        self.state.replace(state);
    }
}

async fn look_up(name: String, port: u16) -> Found {
    let failed = |sentence| ConnectError {
        failure: ConnectFailure::Dns,
        sentence,
    };
    let addresses = tokio::net::lookup_host((name.as_str(), port))
        .await
        .map_err(|error| failed(format!("the name {name} could not be resolved: {error}")))?;
    let addresses = alternating(addresses);
    if addresses.is_empty() {
        return Err(failed(format!("the name {name} has no address")));
    }
    Ok(addresses)
}

/// The resolver's order within each family, its first choice first, and then the families in turn: one whose packets
/// vanish costs one wait, not one for each of its addresses.
fn alternating(addresses: impl Iterator<Item = SocketAddr>) -> Rc<[SocketAddr]> {
    let mut addresses = addresses.peekable();
    let first_is_v6 = addresses.peek().is_some_and(SocketAddr::is_ipv6);
    let (preferred, other): (Vec<_>, Vec<_>) = addresses.partition(|address| address.is_ipv6() == first_is_v6);
    let longest = preferred.len().max(other.len());
    let pairs = (0..longest).flat_map(|index| [preferred.get(index), other.get(index)]);
    pairs.flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_take_turns_and_the_resolvers_first_choice_stays_first() {
        let parse = |list: &[&str]| {
            list.iter()
                .map(|text| text.parse().unwrap())
                .collect::<Vec<SocketAddr>>()
        };
        let resolved = parse(&["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1"]);
        let expected = parse(&["[::1]:1", "10.0.0.1:1", "[::2]:1", "[::3]:1"]);
        assert_eq!(*alternating(resolved.into_iter()), *expected);
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_told_apart_and_asked_for_again() {
        let resolver = Resolver::default();
        for _ in 0..2 {
            let error = resolver.addresses("", 80).await.unwrap_err();
            assert_eq!(error.failure, ConnectFailure::Dns);
            assert!(
                error.sentence.starts_with("the name  could not be resolved: "),
                "{}",
                error.sentence
            );
        }
        assert!(!resolver.addresses("localhost", 80).await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn lookups_at_the_same_time_are_one() {
        let resolver = Resolver::default();
        let (one, two) = tokio::join!(resolver.addresses("localhost", 80), resolver.addresses("localhost", 80));
        let (one, two, three) = (
            one.unwrap(),
            two.unwrap(),
            resolver.addresses("localhost", 80).await.unwrap(),
        );
        assert!(Rc::ptr_eq(&one, &two) && Rc::ptr_eq(&two, &three));
    }
}
