//! The command line as a whole. Each command owns its arguments.

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};

use crate::bench;
use crate::det;
use crate::exit::{self, Failure};
use crate::info;
use crate::inv;
use crate::solve;

/// np.linalg.inv for stacks of small matrices, on any GPU and on all cores, with a verdict for each matrix.
#[derive(Debug, Parser)]
#[command(name = "batchinv", version, arg_required_else_help = false, after_help = exit::HELP)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Inv(inv::args::Args),
    Solve(solve::args::Args),
    Det(det::args::Args),
    Bench(bench::args::Args),
    Info(info::Args),
}

/// The command, or `None` if only `--help` or `--version` was asked for, which is then already printed.
pub fn parse() -> Result<Option<Command>, Failure> {
    let command = match Program::try_parse() {
        Ok(program) => program.command,
        Err(error) => return explain(&error),
    };
    match &command {
        Command::Inv(args) => args.check()?,
        Command::Solve(args) => args.check()?,
        Command::Det(args) => args.check()?,
        Command::Bench(args) => args.check()?,
        Command::Info(_) => {}
    }
    Ok(Some(command))
}

/// Prints help to stdout. Reduces an error to one line: clap's text up to the blank line before its usage.
fn explain(error: &clap::Error) -> Result<Option<Command>, Failure> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match error.print() {
            Ok(()) => Ok(None),
            Err(error) => Err(Failure::io(format!("cannot write standard output: {error}"))),
        };
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let lines: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).map(str::trim).collect();
    Err(Failure::input(format!("{}; see batchinv --help", lines.join(" "))))
}
