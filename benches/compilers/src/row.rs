//! The result of a run for one program, also as JSON.

use serde_json::{Value, json};

use crate::child::Outcome;
use crate::executed::executed;
use crate::family::simd_lanes;
use crate::isa::Instructions;
use crate::questions::Question;

/// A program on a family and what became of it.
#[derive(Clone, Debug)]
pub struct Row {
    pub family: String,
    pub driver: String,
    pub question: Question,
    pub outcome: Outcome,
    /// True if the program leaves out what only few matrices go through.
    pub usual: bool,
}

impl Row {
    /// What the committed file calls it.
    pub fn key(&self) -> String {
        format!("{} {}", self.family, self.question.name)
    }

    /// Returns whether it keeps in memory what belongs in registers: spilled ones, or an array.
    pub fn spills(&self) -> bool {
        match &self.outcome {
            Outcome::Compiled(compilation) => compilation.spills() > 0 || compilation.scratch() > 0,
            _ => false,
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

    /// The instructions that a subgroup executes, if the program is one whose loops all go round equally often.
    pub fn executed(&self) -> Option<Instructions> {
        let size = self.question.size.filter(|_| self.usual)?;
        Some(executed(self.isa()?, size.rounds))
    }

    /// Cycles in which a SIMD unit issues vector instructions, for one matrix. A subgroup of twice the unit's lanes
    /// takes two for each.
    pub fn cycles(&self) -> Option<u64> {
        let size = self.question.size?;
        Some(self.executed()?.vector() * u64::from(size.invocations) / u64::from(simd_lanes(&self.family)))
    }

    /// One line of JSON.
    pub fn json(&self) -> Value {
        let Question { name, shape, entry, .. } = &self.question;
        let mut row = json!({
            "family": self.family, "driver": self.driver, "program": name, "shape": shape, "entry": entry,
            "usual_path_only": self.usual, "outcome": self.failure().unwrap_or_else(|| "compiled".to_owned()),
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
            row["executed"] = json!(self.executed());
            row["vector_cycles_per_matrix"] = json!(self.cycles());
            row["statistics"] = json!(compilation.statistics);
        }
        row
    }
}
