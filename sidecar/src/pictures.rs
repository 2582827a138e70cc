//! Pictures by URL, fetched for providers that want their bytes: only from hosts that the policy lists, and only from
//! addresses that are public.
//!
//! A URL comes from a request, so whoever writes a prompt chooses it. It is followed no further than this: `http` or
//! `https` on their own ports; a host of the policy's list; an address that [`Public`] allows, which is the very address
//! that is then dialled; all of it again after each redirect. Nothing of the request or of the deployment goes along, and
//! what comes back is a picture, or nothing. Time, redirects and bytes are bounded.

mod exchange;
mod guard;
mod hosts;
mod place;

pub(crate) use guard::{Guard, Public};
pub(crate) use hosts::Hosts;

use crate::dialect::Picture;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use exchange::Answered;
use place::Place;
use std::time::Duration;

/// Longest picture, bytes. No provider takes a longer one.
pub(crate) const MOST_BYTES: usize = 5 * 1024 * 1024;
/// Most pictures of one request.
pub(crate) const MOST: usize = 20;
/// What one picture may take, redirects included.
const PATIENCE: Duration = Duration::from_secs(10);
/// Most redirects.
const MOST_REDIRECTS: usize = 3;

/// Why there is no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FetchError {
    Url,
    Host,
    Address,
    Unreachable,
    Status,
    Redirects,
    TooLong,
    Type,
    Late,
    /// The request has more of them than are fetched.
    TooMany,
}

impl FetchError {
    /// The sentence for the report of what was lost.
    #[deny(clippy::wildcard_enum_match_arm)]
    pub(crate) fn why(self) -> &'static str {
        match self {
            Self::Url => "the image cannot be fetched: its URL leads to one that is not followed",
            Self::Host => "the image cannot be fetched: its URL leads to a host that the policy does not list",
            Self::Address => "the image cannot be fetched: its host has an address that is not public",
            Self::Unreachable => "the image cannot be fetched: its host cannot be reached",
            Self::Status => "the image cannot be fetched: its host does not have it",
            Self::Redirects => "the image cannot be fetched: its URL leads on more than three times",
            Self::TooLong => "the image cannot be fetched: it is longer than 5 MiB",
            Self::Type => "the image cannot be fetched: it is not a GIF, JPEG, PNG or WebP",
            Self::Late => "the image cannot be fetched: it did not come within ten seconds",
            Self::TooMany => "the image cannot be fetched: at most 20 of a request are",
        }
    }
}

/// Whether the policy lets this URL be fetched at all; otherwise the provider's own refusal stands.
pub(crate) fn is_listed(url: &str, hosts: &Hosts) -> bool {
    Place::parse(url).is_ok_and(|place| hosts.list(&place.host))
}

/// Fetches one picture. The caller gives the guard: a program has [`Public`] and nothing else.
pub(crate) async fn fetch(url: &str, hosts: &Hosts, guard: &impl Guard) -> Result<Picture, FetchError> {
    let followed = tokio::time::timeout(PATIENCE, follow(url, hosts, guard)).await;
    followed.map_err(|_| FetchError::Late)?
}

async fn follow(url: &str, hosts: &Hosts, guard: &impl Guard) -> Result<Picture, FetchError> {
    let mut place = Place::parse(url)?;
    for _ in 0..=MOST_REDIRECTS {
        if !hosts.list(&place.host) {
            return Err(FetchError::Host);
        }
        match exchange::get(&place, guard).await? {
            Answered::Moved(location) => place = place.leads_to(&location)?,
            Answered::Bytes(bytes) => return picture(&bytes),
        }
    }
    Err(FetchError::Redirects)
}

/// What the bytes are counts; what a server calls them was judged with its answer's head.
fn picture(bytes: &[u8]) -> Result<Picture, FetchError> {
    let media_type = match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        _ => return Err(FetchError::Type),
    };
    let base64 = STANDARD.encode(bytes);
    Ok(Picture { media_type, base64 })
}

#[cfg(test)]
mod tests;
