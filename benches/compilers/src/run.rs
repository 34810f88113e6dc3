//! A run over families and programs.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::arguments::Arguments;
use crate::child::{Driver, Request};
use crate::family;
use crate::questions::{Question, questions};
use crate::row::Row;
use crate::spirv;

/// Why a run ended early.
#[derive(Debug)]
pub enum Failure {
    /// There is no driver to ask.
    NoDriver(String),
    Other(String),
}

impl From<String> for Failure {
    fn from(error: String) -> Self {
        Self::Other(error)
    }
}

/// Asks about every program that the arguments name. `program` is this program, which is started again for each.
pub fn run(program: &Path, arguments: &Arguments) -> Result<Vec<Row>, Failure> {
    if !arguments.driver.exists() {
        return Err(Failure::NoDriver(format!("there is no {}", arguments.driver.display())));
    }
    let all = arguments.family == ["all"];
    let families: Vec<String> = if all { family::ALL.map(str::to_owned).to_vec() } else { arguments.family.clone() };
    let mut work = Vec::new();
    for family in families {
        let driver = Driver { program: program.to_owned(), file: arguments.driver.clone(), family: family.clone() };
        let facts = match driver.facts() {
            Ok(facts) => facts,
            Err(_) if all => continue,
            Err(error) => return Err(Failure::NoDriver(format!("{family}: {error}"))),
        };
        let questions = match &arguments.wgsl {
            Some(path) => entries(path)?,
            None => {
                let Arguments { scalar, order, kernel, plain, .. } = arguments;
                questions(&facts.limits.into(), scalar, order, *kernel, *plain)
            }
        };
        work.extend(questions.into_iter().map(|question| (driver.clone(), facts.driver.clone(), question)));
    }
    if work.is_empty() {
        return Err(Failure::Other("no program to compile".to_owned()));
    }

    // The text takes as long as everything else together.
    let isa = arguments.json.is_some() || arguments.isa.is_some();
    let (next, rows) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let worker = || -> Result<(), String> {
        while let Some((driver, version, question)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            let words = spirv::words(&question.source, &question.entry)?;
            let request = Request::Compile { words, entry: question.entry.clone(), isa };
            let outcome = driver.compile(&request)?;
            let (family, driver, question) = (driver.family.clone(), version.clone(), question.clone());
            let row = Row { family, driver, question, outcome };
            rows.lock().unwrap_or_else(PoisonError::into_inner).push(row);
        }
        Ok(())
    };
    std::thread::scope(|scope| -> Result<(), String> {
        let workers: Vec<_> = (0..arguments.threads.max(1)).map(|_| scope.spawn(worker)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Err("a worker panicked".to_owned())))
    })?;
    let mut rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    let place = |row: &Row| {
        let own = |(driver, _, question): &(Driver, String, Question)| {
            driver.family == row.family && question.name == row.question.name
        };
        work.iter().position(own)
    };
    rows.sort_by_cached_key(place);
    Ok(rows)
}

/// The entry points of a WGSL file.
fn entries(path: &Path) -> Result<Vec<Question>, String> {
    let source = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let question = |entry: String| Question {
        name: format!("{name} {entry}"),
        shape: "as written".to_owned(),
        source: source.clone(),
        entry,
    };
    Ok(spirv::entries(&source)?.into_iter().map(question).collect())
}
