//! Timer slack: Linux lets a sleep overrun by 50 µs unless told otherwise, half of what we measure.

use std::fs;

/// Makes this thread's sleeps, and those of threads it spawns from now on, end as exactly as the kernel can. Without the
/// right to do so the sleeps are coarser, for all who are measured alike.
pub(crate) fn remove() {
    let Ok(thread) = fs::read_link("/proc/thread-self") else {
        return;
    };
    let Some(id) = thread.file_name() else { return };
    // Best effort, as said above.
    drop(fs::write(
        std::path::Path::new("/proc").join(id).join("timerslack_ns"),
        "1",
    ));
}
