//! What only pods on a node can show. `make e2e` builds what they run and runs this.

#![cfg(test)]

mod images;
mod injected;
mod installed;
mod lifecycle;
mod node;
mod readme;
