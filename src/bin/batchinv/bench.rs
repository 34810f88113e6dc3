//! `batchinv bench`: checks every answer, times the calls, and shows the figures.

pub mod args;
mod call;
mod engines;
mod judge;
mod machine;
mod measure;
mod memory;
mod operation;
mod peak;
mod peers;
mod plot;
mod progress;
mod row;
mod table;
mod validate;

use std::io::{self, Write};

use batchinv::ScalarKind;

use crate::bench::args::{Args, Configuration};
use crate::bench::engines::{Engine, Engines};
use crate::bench::machine::Machine;
use crate::bench::progress::Progress;
use crate::bench::row::Row;
use crate::bench::table::Table;
use crate::exit::{Failure, say};
use crate::files::{Content, Outputs};
use crate::place::is_stdout;
use crate::stdio::stdout_for_text;

pub fn run(args: &Args) -> Result<(), Failure> {
    let peers = peers::read(&args.with, args.op, args.columns())?;
    let outputs = Outputs::open(args.outputs())?;
    outputs.refuse_stdout("the table")?;
    let machine = Machine::look();
    let engines = Engines::open(args)?;
    let chosen = choose(args, &engines)?;

    let mut table = Table::new(stream(args)?);
    table.head(&machine, &engines)?;
    let progress = Progress::new(chosen.len(), args.quiet);
    let mut rows: Vec<Row> = Vec::with_capacity(chosen.len());
    for (configuration, engine) in chosen {
        progress.begin(configuration, engine);
        let row = time(configuration, engine, args, &machine)?;
        progress.hidden(|| table.add(&row))?;
        progress.end();
        rows.push(row);
    }
    progress.clear();
    table.foot(&rows, &peers)?;

    let json = row::list(&rows)?;
    let svg = plot::svg(&rows, &peers)?;
    // In the order of `Args::outputs`.
    let texts = [args.json.as_ref().map(|_| json), args.plot.as_ref().map(|_| svg)];
    let contents = texts.iter().flatten().map(|text| Content { header: text.as_bytes(), elements: &[] });
    outputs.write(&contents.collect::<Vec<_>>())
}

/// Every requested configuration with each engine that takes it. Prints one line per reason for those that an engine
/// refuses; if none is left, fails with the first reason.
fn choose<'a>(args: &Args, engines: &'a Engines) -> Result<Vec<(Configuration, &'a Engine)>, Failure> {
    let mut chosen = Vec::new();
    let mut first = engines.missing.clone();
    if let Some(refusal) = &engines.missing {
        tell(args, &format!("only the cpu engine is timed: {refusal}"));
    }
    for &scalar in &args.scalar {
        for engine in engines.iter() {
            let mut refusals: Vec<(String, Vec<String>)> = Vec::new();
            for configuration in args.configurations(scalar) {
                match engine.takes(configuration.work()) {
                    Ok(()) => chosen.push((configuration, engine)),
                    Err(refusal) => {
                        let (refusal, order) = (refusal.to_string(), configuration.order.to_string());
                        match refusals.iter_mut().find(|(other, _)| *other == refusal) {
                            Some((_, orders)) => orders.push(order),
                            None => refusals.push((refusal, vec![order])),
                        }
                    }
                }
            }
            for (refusal, orders) in refusals {
                let orders = orders.join(", ");
                let line = format!("skipped {engine} for {scalar}, order {orders}: {refusal}", engine = engine.name());
                first.get_or_insert(refusal);
                // A single configuration has its reason in the failure instead.
                if args.scalar.len() * args.order.len() > 1 || args.engine.is_none() {
                    tell(args, &line);
                }
            }
        }
    }
    match (chosen.is_empty(), first) {
        (true, refusal) => Err(Failure::engine(refusal.unwrap_or_else(|| "no engine takes any of this".to_owned()))),
        (false, _) => Ok(chosen),
    }
}

fn time(configuration: Configuration, engine: &Engine, args: &Args, machine: &Machine) -> Result<Row, Failure> {
    let time = match configuration.scalar {
        ScalarKind::Float32 => measure::row::<f32>,
        ScalarKind::Float64 => measure::row::<f64>,
        ScalarKind::Complex64 => measure::row::<batchinv::Complex<f32>>,
        ScalarKind::Complex128 => measure::row::<batchinv::Complex<f64>>,
    };
    time(configuration, engine, args.repeats, machine)
}

/// The stream for the table: stdout, or stderr if an output takes stdout.
fn stream(args: &Args) -> Result<Box<dyn Write>, Failure> {
    Ok(match args.outputs().any(is_stdout) {
        true if args.quiet => Box::new(io::sink()),
        true => Box::new(io::stderr()),
        false => stdout_for_text()?,
    })
}

fn tell(args: &Args, line: &str) {
    if !args.quiet {
        say(line);
    }
}
