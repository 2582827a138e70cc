//! Requests over real sockets: the program as a user starts it, between a client and providers that misbehave by script.

#![cfg(test)]

mod breaker;
mod cancelled;
mod committed;
mod connections;
mod failover;
mod own_fault;
mod retries;
mod routing;
mod timers;
