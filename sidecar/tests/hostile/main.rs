//! A short run of what the fuzzer does at length: every decoder reads damaged goldens, the same ones each time.

mod laws;
#[path = "../event_stream/message.rs"]
mod message;
mod mutate;
mod seeds;

use laws::Target;
use std::path::Path;

/// Damaged inputs for each decoder.
const ROUNDS: u64 = 200;

/// Most memory that all of it may take, bytes: the goldens are small, so what grows is a decoder.
#[cfg(target_os = "linux")]
const MOST_MEMORY: u64 = 128 * 1024 * 1024;

fn crate_folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn survives(is_meant: impl Fn(Target) -> bool) {
    let meant: Vec<_> = Target::all()
        .into_iter()
        .filter(|(_, target)| is_meant(*target))
        .collect();
    assert!(!meant.is_empty());
    for (name, target) in meant {
        let seeds = seeds::of(target, crate_folder());
        assert!(!seeds.is_empty(), "{name} has no seeds");
        seeds.iter().for_each(|seed| target.hold(seed));
        for round in 0..ROUNDS {
            let bytes = mutate::mutate(&mut fastrand::Rng::with_seed(round), &seeds);
            let held = std::panic::catch_unwind(|| target.hold(&bytes));
            assert!(
                held.is_ok(),
                "{name}, round {round}: {:?}",
                String::from_utf8_lossy(&bytes)
            );
        }
    }
    #[cfg(target_os = "linux")]
    assert!(
        peak_memory() < MOST_MEMORY,
        "{} bytes were in use at once",
        peak_memory()
    );
}

#[test]
fn request_decoders_survive_damaged_goldens() {
    survives(|target| matches!(target, Target::Request(_) | Target::RequestOf(_)));
}

#[test]
fn answer_decoders_survive_damaged_goldens() {
    survives(|target| matches!(target, Target::Answer(_) | Target::AnswerOf(_) | Target::Error));
}

#[test]
fn stream_decoders_survive_damaged_goldens() {
    survives(|target| matches!(target, Target::Stream(_) | Target::StreamOfCompletions));
}

#[test]
fn framers_and_the_path_reader_survive_damaged_goldens() {
    survives(|target| matches!(target, Target::Frames(_) | Target::Path));
}

/// The most that was resident at once, bytes.
#[cfg(target_os = "linux")]
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux says it");
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .expect("Linux says it");
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().expect("it is a number");
    kibibytes * 1024
}

#[test]
fn the_fuzzer_knows_every_decoder() {
    let manifest = std::fs::read_to_string(crate_folder().join("fuzz/Cargo.toml")).unwrap();
    for (name, _) in Target::all() {
        assert!(
            manifest.contains(&format!("name = \"{name}\"")),
            "{name} has no target in fuzz/Cargo.toml"
        );
    }
}

#[test]
#[ignore = "writes the corpora of `make fuzz`"]
fn the_seeds_are_written() {
    for (name, target) in Target::all() {
        let folder = crate_folder().join("fuzz/corpus").join(&name);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, seed) in seeds::of(target, crate_folder()).iter().enumerate() {
            std::fs::write(folder.join(format!("golden-{number}")), seed).unwrap();
        }
    }
}
