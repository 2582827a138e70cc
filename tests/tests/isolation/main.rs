//! Nothing of one tenant reaches another, and no key reaches anybody it was not meant for.

#![cfg(test)]

mod inbound_keys;
mod provider_keys;
mod sessions;
mod streams;
mod tenant;
mod trouble;
