//! The life of a resource: `kubectl apply`, and the next request obeys.

#![cfg(test)]

mod absence;
mod apply;
mod examples;
mod scene;
mod versions;
