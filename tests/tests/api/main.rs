//! Our kinds on a real API server: what it takes and refuses, and how they read there.

#![cfg(test)]

mod chart;
mod columns;
mod control_plane;
mod explain;
mod fixtures;
