//! A run over families and programs.

use std::collections::HashSet;
use std::path::Path;

use crate::arguments::Arguments;
use crate::child::{Driver, Request};
use crate::executed::usual;
use crate::family;
use crate::parallel::each;
use crate::questions::{Numbers, Question, TASKS, questions};
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
                let Arguments { scalar, arithmetic, op, order, kernel, plain, .. } = arguments;
                let numbers = Numbers::of(scalar, arithmetic);
                let tasks: Vec<_> = TASKS.into_iter().filter(|task| op.contains(&task.0)).collect();
                let mut questions = questions(&facts.limits.into(), &numbers, &tasks, order, *kernel, *plain);
                if arguments.usual {
                    questions.retain_mut(|question| match usual(&question.source) {
                        Some(source) => {
                            question.source = source;
                            true
                        }
                        None => false,
                    });
                }
                questions
            }
        };
        work.extend(
            compiled(questions, arguments.threads)?
                .into_iter()
                .map(|asked| (driver.clone(), facts.driver.clone(), asked)),
        );
    }
    if work.is_empty() {
        return Err(Failure::Other("no program to compile".to_owned()));
    }
    // The text takes long.
    let isa = arguments.json.is_some() || arguments.isa.is_some() || arguments.usual;
    let rows = each(arguments.threads, &work, |(driver, version, (question, words))| {
        let request = Request::Compile { words: words.clone(), entry: question.entry.clone(), isa };
        let outcome = driver.compile(&request)?;
        let (family, driver, question) = (driver.family.clone(), version.clone(), question.clone());
        Ok(Row { family, driver, question, outcome, usual: arguments.usual })
    })?;
    Ok(rows)
}

/// The programs with their SPIR-V, each of them once: what is the same program in place and apart, or with and without
/// rcond, is asked about under its first name.
fn compiled(questions: Vec<Question>, threads: usize) -> Result<Vec<(Question, Vec<u32>)>, String> {
    let words = each(threads, &questions, |question| spirv::words(&question.source, &question.entry))?;
    let mut seen = HashSet::new();
    let new = |(_, words): &(Question, Vec<u32>)| seen.insert(words.clone());
    Ok(questions.into_iter().zip(words).filter(new).collect())
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
        size: None,
    };
    Ok(spirv::entries(&source)?.into_iter().map(question).collect())
}
