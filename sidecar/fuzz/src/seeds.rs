//! Writes the goldens into `corpus/`, where each target looks for its seeds.

#[path = "../../tests/hostile/laws.rs"]
mod laws;
#[path = "../../tests/event_stream/message.rs"]
mod message;
#[path = "../../tests/hostile/seeds.rs"]
mod seeds;

use std::path::Path;

fn main() -> std::io::Result<()> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sidecar = fuzz.parent().expect("it lies in the sidecar's folder");
    for (name, target) in laws::Target::all() {
        let folder = fuzz.join("corpus").join(&name);
        std::fs::create_dir_all(&folder)?;
        for (number, seed) in seeds::of(target, sidecar).iter().enumerate() {
            std::fs::write(folder.join(format!("golden-{number}")), seed)?;
        }
        println!("{name}");
    }
    Ok(())
}
