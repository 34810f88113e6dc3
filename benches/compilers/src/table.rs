//! A run as a table for people.

use crate::child::Outcome;
use crate::row::Row;

/// One line per program, in columns.
pub fn table(rows: &[Row]) -> String {
    let heads = [
        "family",
        "program",
        "shape",
        "subgroup",
        "registers",
        "needed",
        "spills",
        "scratch",
        "waves",
        "code",
        "cycles",
    ];
    let mut lines = vec![heads.map(str::to_owned).to_vec()];
    for row in rows {
        let mut line = vec![row.family.clone(), row.question.name.clone(), row.question.shape.clone()];
        match &row.outcome {
            Outcome::Compiled(compilation) => {
                let known = |number: Option<u64>| number.map_or_else(|| "?".to_owned(), |number| number.to_string());
                line.push(compilation.subgroup.to_string());
                line.push(known(compilation.registers()));
                line.push(known(compilation.needed()));
                line.push(compilation.spills().to_string());
                line.push(compilation.scratch().to_string());
                line.push(known(compilation.waves()));
                line.push(known(compilation.code_bytes()));
                line.push(row.cycles().map_or_else(String::new, |cycles| cycles.to_string()));
            }
            _ => line.push(row.failure().unwrap_or_default()),
        }
        lines.push(line);
    }
    let width = |column: usize| {
        // The text of a failure runs on over the columns of numbers.
        let whole = lines.iter().filter(|line| line.len() == heads.len());
        whole.map(|line| line[column].len()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..heads.len()).map(width).collect();
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().enumerate().map(|(column, cell)| match column {
            0..3 => format!("{cell:<0$}", widths[column]),
            _ => format!("{cell:>0$}", widths[column]),
        });
        text += cells.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}
