//! Pods and our own kinds as they pass the operator's webhooks, on a real API server.

#![cfg(test)]

mod absence;
mod healing;
mod late;
mod pods;
mod reinvoked;
mod scene;
mod validation;
