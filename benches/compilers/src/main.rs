//! Runs [`batchinv_compilers`], and is the child that it asks.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

use batchinv_compilers::arguments::Arguments;
use batchinv_compilers::child;
use batchinv_compilers::expectations::Expectations;
use batchinv_compilers::row::Row;
use batchinv_compilers::run::{Failure, run};
use batchinv_compilers::table::table;
use clap::Parser;

/// The driver is absent, or does not know the family.
const NO_DRIVER: u8 = 3;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(child::ARGUMENT) {
        return match child::answer() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => fail(1, &error),
        };
    }
    let arguments = Arguments::parse();
    let found = std::env::current_exe().map_err(|error| Failure::Other(format!("cannot find myself: {error}")));
    match found.and_then(|program| run(&program, &arguments)).and_then(|rows| report(&rows, &arguments)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(Failure::NoDriver(error)) => fail(NO_DRIVER, &format!("no driver to ask: {error}")),
        Err(Failure::Other(error)) => fail(1, &error),
    }
}

fn fail(status: u8, error: &str) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(status)
}

/// Writes and prints what was found, and returns whether all is well.
fn report(rows: &[Row], arguments: &Arguments) -> Result<bool, Failure> {
    if let Some(path) = &arguments.json {
        let lines = rows.iter().fold(String::new(), |mut text, row| {
            let _ = writeln!(text, "{}", row.json());
            text
        });
        write(path, &lines)?;
    }
    if let Some(folder) = &arguments.isa {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        for row in rows {
            if let Some(isa) = row.isa() {
                write(&folder.join(format!("{}.txt", row.key().replace(' ', "-"))), isa)?;
            }
        }
    }
    if arguments.table {
        print!("{}", table(rows));
    }
    let mut complaints: Vec<String> =
        rows.iter().filter_map(|row| Some(format!("{}: {}", row.key(), row.failure()?))).collect();
    let spilling: Vec<_> = rows.iter().filter(|row| row.spills()).collect();
    match &arguments.expected {
        None => complaints.extend(spilling.iter().map(|row| format!("{}: spills registers", row.key()))),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
            let expectations = Expectations::read(&text).map_err(|error| format!("{}: {error}", path.display()))?;
            complaints.extend(expectations.complaints(rows));
            let untold = rows.iter().filter(|row| !expectations.tells_of(row)).count();
            if untold > 0 {
                println!("SKIPPED: whether {untold} programs spill, since {} does not tell", path.display());
            }
        }
    }
    complaints.iter().for_each(|complaint| println!("{complaint}"));
    let driver = rows.first().map_or("", |row| &row.driver);
    println!("{driver}: {} programs, {} spill, {} complaints", rows.len(), spilling.len(), complaints.len());
    Ok(complaints.is_empty())
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
