//! The `pilotfish` command.

use clap::Parser;
use pilotfish_cli::arguments::{Arguments, Command, CompileArguments};
use pilotfish_cli::load::{Directory, Problem};
use pilotfish_cli::{generate, snapshot};
use std::io::Write;
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Run(_) => Ok(ExitCode::FAILURE),
        Command::Compile(arguments) => compile(arguments),
        Command::Generate(arguments) => generate::write(&arguments.directory).map(|()| ExitCode::SUCCESS),
    }
}

fn compile(arguments: CompileArguments) -> anyhow::Result<ExitCode> {
    let snapshot = match snapshot::of(&Directory::new(arguments.directory), &arguments.scope.into()) {
        Ok(snapshot) => snapshot,
        Err(problems) => return Ok(refused(&problems)),
    };
    for notice in &snapshot.notices {
        eprintln!("{notice}");
    }
    match arguments.output {
        Some(path) => std::fs::write(path, snapshot.text)?,
        None => std::io::stdout().write_all(snapshot.text.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Says every problem, one a line.
fn refused(problems: &[Problem]) -> ExitCode {
    for problem in problems {
        eprintln!("{problem}");
    }
    ExitCode::FAILURE
}
