//! The program itself: what it says, and how it ends.

#![cfg(test)]

use std::fs;
use std::process::{Command, Output};

fn pilotfish(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pilotfish"))
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

const BAD: &str = "apiVersion: pilotfish.dev/v1alpha1\nkind: VirtualKey\nmetadata: {name: a}\nspec:\n  secret: a\n";

#[test]
fn a_bad_directory_ends_with_its_problems_and_a_failure() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.yaml"), BAD).unwrap();
    let directory = folder.path().to_str().unwrap();
    let expected = "a.yaml:5: spec.secret: unknown field; known here: disabled, expiresAt, models, rotation, secretName\n\
                    a.yaml:4: spec.secretName: is required\n";
    for arguments in [["run", directory], ["compile", directory]] {
        let output = pilotfish(&arguments);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(text(&output.stderr), expected);
        assert_eq!(text(&output.stdout), "");
    }
}

#[test]
fn a_directory_that_is_not_there_is_told() {
    let output = pilotfish(&["run", "/nowhere/at/all"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stderr),
        "/nowhere/at/all: No such file or directory (os error 2)\n"
    );
}

#[test]
fn a_snapshot_goes_to_a_file_or_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let quickstart = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/quickstart");
    let file = folder.path().join("snapshot");
    let printed = pilotfish(&["compile", quickstart, "--namespace", "default", "--labels", "a=b"]);
    let written = pilotfish(&["compile", quickstart, "--labels", "a=b", "-o", file.to_str().unwrap()]);
    assert!(
        printed.status.success() && written.status.success(),
        "{printed:?} {written:?}"
    );
    assert_eq!(text(&printed.stdout), fs::read_to_string(file).unwrap());
    assert_eq!(text(&printed.stderr), "");
}

#[test]
fn what_cannot_be_is_told_with_what_it_is_about() {
    let quickstart = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/quickstart");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (arguments, said) in [
        (["compile", quickstart, "-o", "/nowhere/x"], "cannot write /nowhere/x\n"),
        (
            ["run", quickstart, "--namespace", "Bad_NS"],
            "invalid value 'Bad_NS' for '--namespace <NS>': must be lower-case letters",
        ),
        (
            ["run", quickstart, "--labels", "a=b,a=c"],
            "\"a=c\" gives a second value to one label",
        ),
        (
            ["run", quickstart, "--listen", &address],
            &format!("cannot listen on {address}\n"),
        ),
        (
            ["demo-provider", "openai", "--listen", &address],
            &format!("a demo provider cannot listen on {address}\n"),
        ),
    ] {
        let output = pilotfish(&arguments);
        let stderr = text(&output.stderr);
        assert!(
            !output.status.success() && stderr.contains(said),
            "{arguments:?}: {stderr}"
        );
    }
}
