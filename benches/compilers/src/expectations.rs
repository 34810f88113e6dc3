//! The programs that are expected to spill, from a committed file.

use std::collections::BTreeSet;

use crate::row::Row;

/// Whose spills are expected, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    /// The driver, with its version, of which the file tells.
    pub driver: String,
    /// `family program`, as [`Row::key`] says.
    pub spilling: BTreeSet<String>,
}

impl Expectations {
    /// Reads a file: `#` begins a comment, the first line is the driver, each further one a program.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        let mut lines = lines.by_ref().filter(|line| !line.is_empty());
        let driver = lines.next().and_then(|line| line.strip_prefix("driver ")).ok_or("its first line names no driver")?;
        let mut spilling = BTreeSet::new();
        for line in lines {
            if !spilling.insert(line.to_owned()) {
                return Err(format!("\"{line}\" stands there twice"));
            }
        }
        Ok(Self { driver: driver.to_owned(), spilling })
    }

    /// Everything about these programs that is not as it should be, a line each.
    pub fn complaints(&self, rows: &[Row]) -> Vec<String> {
        let mut complaints = Vec::new();
        for row in rows {
            let (key, spills) = (row.key(), row.spills());
            if let Some(failure) = row.failure() {
                complaints.push(format!("{key}: {failure}"));
            } else if row.driver == self.driver && (spills > 0) != self.spilling.contains(&key) {
                complaints.push(match spills {
                    0 => format!("{key}: expected to spill, but does not: take it out of the list"),
                    _ => format!("{key}: spills {spills} registers, and the list does not expect it"),
                });
            }
        }
        complaints
    }
}
