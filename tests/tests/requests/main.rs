//! Requests over real sockets: the program as a user starts it, between a client and providers that misbehave by script.

#![cfg(test)]

mod azure;
mod bad_input;
mod bedrock;
mod breaker;
mod cancelled;
mod capabilities;
mod cohere;
mod committed;
mod compressed;
mod connections;
mod failover;
mod foreign;
mod google_rest;
mod headers;
mod images;
mod kept_reasoning;
mod losses;
mod memory;
mod mistral;
mod ollama;
mod openais;
mod operations;
mod own_fault;
mod passed_reasoning;
mod retries;
mod routing;
mod scene;
mod sealed;
mod search;
mod stored_responses;
mod strict_servers;
mod surface;
mod threads;
mod timers;
mod tokens;
mod vertex;
mod whole_streams;
