//! The `pilotfish` command.

use anyhow::Context;
use clap::Parser;
use pilotfish_cli::arguments::{Arguments, Command, CompileArguments};
use pilotfish_cli::load::Directory;
use pilotfish_cli::{demo, generate, run, snapshot};
use std::io::Write;
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    match Arguments::parse().command {
        Command::Run(arguments) => run::run(arguments),
        Command::Compile(arguments) => compile(arguments),
        Command::Generate(arguments) => generate::write(&arguments.directory).map(|()| ExitCode::SUCCESS),
        Command::DemoProvider(arguments) => demo::provider(&arguments).map(|()| ExitCode::SUCCESS),
    }
}

fn compile(arguments: CompileArguments) -> anyhow::Result<ExitCode> {
    let snapshot = match snapshot::of(&Directory::new(arguments.directory), &arguments.scope.into()) {
        Ok(snapshot) => snapshot,
        Err(problems) => return Ok(run::refused(&problems)),
    };
    for notice in &snapshot.notices {
        eprintln!("{notice}");
    }
    match arguments.output {
        Some(path) => {
            std::fs::write(&path, snapshot.text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        None => std::io::stdout().write_all(snapshot.text.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}
