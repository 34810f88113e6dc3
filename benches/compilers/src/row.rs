//! What a run finds out about one program, and how it reads as JSON.

use serde_json::{Value, json};

use crate::compilation::Outcome;
use crate::isa::Instructions;
use crate::questions::Question;

/// A program on a family and what became of it.
#[derive(Clone, Debug)]
pub struct Row {
    pub family: String,
    pub driver: String,
    pub question: Question,
    pub outcome: Outcome,
}

impl Row {
    /// What the committed file calls it.
    pub fn key(&self) -> String {
        format!("{} {}", self.family, self.question.name)
    }

    /// Vector registers that it keeps in memory.
    pub fn spills(&self) -> u64 {
        match &self.outcome {
            Outcome::Compiled(compilation) => compilation.spills(),
            _ => 0,
        }
    }

    /// Why it fails, if the driver did not compile it.
    pub fn failure(&self) -> Option<String> {
        match &self.outcome {
            Outcome::Compiled(_) => None,
            Outcome::Refused(error) => Some(format!("does not compile: {error}")),
            Outcome::Died(death) => Some(death.to_string()),
        }
    }

    /// The text of its instructions, if the driver gave it.
    pub fn isa(&self) -> Option<&str> {
        match &self.outcome {
            Outcome::Compiled(compilation) => compilation.isa.as_deref(),
            _ => None,
        }
    }

    /// One line of JSON.
    pub fn json(&self) -> Value {
        let Question { name, shape, entry, .. } = &self.question;
        let mut row = json!({
            "family": self.family, "driver": self.driver, "program": name, "shape": shape, "entry": entry,
            "outcome": self.failure().unwrap_or_else(|| "compiled".to_owned()),
        });
        if let Outcome::Compiled(compilation) = &self.outcome {
            row["seconds"] = json!(compilation.seconds);
            row["subgroup"] = json!(compilation.subgroup);
            row["registers"] = json!(compilation.registers());
            row["needed_registers"] = json!(compilation.needed());
            row["spills"] = json!(compilation.spills());
            row["scratch_bytes"] = json!(compilation.scratch());
            row["waves"] = json!(compilation.waves());
            row["code_bytes"] = json!(compilation.code_bytes());
            row["instructions"] = json!(self.isa().map(Instructions::of));
            row["statistics"] = json!(compilation.statistics);
        }
        row
    }
}
