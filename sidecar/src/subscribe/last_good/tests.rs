use super::*;
use crate::meter::Meter;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

/// A key such as a credential's body holds.
const CANARY: &str = "sk-canary-of-a-key";

struct Scene {
    directory: TempDir,
    last_good: LastGood,
    configuration: Configuration,
}

impl Scene {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let series = OperatorSeries::register(&Meter::new(), &[], &[]);
        let credential = Resource::new(Kind::Credential, "shop/up/key", &serde_json::json!({"key": CANARY}));
        let resources = [((Kind::Credential, "shop/up/key".to_owned()), Arc::new(credential))];
        Self {
            last_good: LastGood::new(Some(directory.path().to_owned()), series),
            directory,
            configuration: Configuration {
                scope: [("pod".to_owned(), "web-1".to_owned())].into(),
                version: "v1".to_owned(),
                resources: resources.into(),
            },
        }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join(NAME)
    }

    fn write(&mut self) {
        self.last_good
            .write(&self.configuration, |_| None, Instant::now(), 1_800_000_000);
    }
}

#[tokio::test]
async fn what_was_written_is_found_and_is_nobody_elses_to_read() {
    let mut scene = Scene::new();
    assert!(scene.last_good.read().is_none(), "nothing was written yet");
    scene.write();
    assert!(!scene.file().exists(), "nothing has changed");
    scene.last_good.changed();
    scene.write();
    assert_eq!(fs::metadata(scene.file()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(scene.directory.path()).unwrap().count(), 1);
    assert_eq!(scene.last_good.series.last_good_written.get(), 1_800_000_000);
    let found = scene.last_good.read().unwrap();
    assert!(found.written > 1_700_000_000, "{}", found.written);
    let text = snapshot::write(&found.messages);
    assert!(text.contains(CANARY) && text.contains("web-1"), "{text}");
    assert_eq!(found.messages.len(), 4);
}

#[tokio::test]
async fn a_copy_with_a_damaged_or_missing_byte_is_told_and_not_used() {
    let mut scene = Scene::new();
    scene.last_good.changed();
    scene.write();
    let whole = fs::read_to_string(scene.file()).unwrap();
    for (ignored, (contents, sentence)) in (1..).zip([
        (whole.replace("web-1", "web-2"), "it was altered or damaged"),
        (whole.lines().next().unwrap().to_owned(), "it was cut short"),
        (String::new(), "it was cut short"),
    ]) {
        fs::write(scene.file(), contents).unwrap();
        let error = read(&scene.file()).unwrap_err().to_string();
        assert!(error.contains(sentence), "{error}");
        assert!(scene.last_good.read().is_none());
        assert_eq!(scene.last_good.series.last_good_ignored.get(), ignored);
    }
    fs::write(scene.file(), b"\xff").unwrap();
    assert!(scene.last_good.read().is_none());
}

#[tokio::test]
async fn a_failure_is_counted_and_the_file_before_it_stays() {
    let mut scene = Scene::new();
    scene.last_good.changed();
    scene.write();
    let before = fs::read_to_string(scene.file()).unwrap();
    // A directory in the file's place cannot be removed as a file, whoever tries.
    fs::create_dir(scene.directory.path().join(UNFINISHED)).unwrap();
    scene.configuration.version = "v2".to_owned();
    scene.last_good.changed();
    scene.write();
    assert_eq!(scene.last_good.series.last_good_unwritten.get(), 1);
    assert_eq!(fs::read_to_string(scene.file()).unwrap(), before);
    assert!(!scene.last_good.is_due(Instant::now()), "it is not tried again at once");
    fs::remove_dir(scene.directory.path().join(UNFINISHED)).unwrap();
    scene.write();
    assert!(fs::read_to_string(scene.file()).unwrap().contains("v2"));
}

#[tokio::test]
async fn what_a_killed_process_left_unfinished_is_in_nobodys_way() {
    let mut scene = Scene::new();
    fs::write(scene.directory.path().join(UNFINISHED), "half").unwrap();
    scene.last_good.changed();
    scene.write();
    assert!(scene.last_good.read().is_some());
}

#[tokio::test(start_paused = true)]
async fn changes_in_quick_succession_are_written_at_once_and_then_together() {
    let mut scene = Scene::new();
    scene.last_good.changed();
    assert!(scene.last_good.is_due(Instant::now()), "the first does not wait");
    scene.write();
    let written = Instant::now();
    for _ in 0..5 {
        scene.last_good.changed();
        assert!(!scene.last_good.is_due(Instant::now()));
        tokio::time::advance(Duration::from_millis(10)).await;
    }
    scene.last_good.due().await;
    assert_eq!(written.elapsed(), EVERY);
    assert!(scene.last_good.is_due(Instant::now()));
}

#[tokio::test]
async fn without_a_directory_nothing_is_kept() {
    let mut scene = Scene::new();
    scene.last_good.directory = None;
    scene.last_good.changed();
    scene.write();
    assert!(!scene.last_good.is_due(Instant::now()));
    assert!(scene.last_good.read().is_none());
}
