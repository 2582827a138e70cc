//! Feeds the decoder that this program is named after.
#![no_main]

#[path = "../../tests/hostile/laws.rs"]
mod laws;
#[path = "../../tests/event_stream/message.rs"]
mod message;

use laws::Target;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let all = Target::all().into_iter();
    all.filter(|(name, _)| name == env!("CARGO_BIN_NAME")).map(|(_, target)| target).next().expect("it is named after one")
});

fuzz_target!(|bytes: &[u8]| TARGET.hold(bytes));
