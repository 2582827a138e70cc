//! The server, over real sockets, with compilations by hand.

mod api;
mod lasting;
mod proving;
mod scene;
mod sidecar;
mod slow;
mod strangers;
