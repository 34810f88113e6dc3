//! The programs that are expected to spill, from a committed file.

use std::collections::BTreeSet;

use crate::row::Row;

/// Whose spills are expected, and which.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expectations {
    /// The driver, with its version, of which the file tells: others spill elsewhere.
    pub driver: String,
    /// The families of which it tells.
    pub families: BTreeSet<String>,
    /// `family program`, as [`Row::key`] says.
    pub spilling: BTreeSet<String>,
}

impl Expectations {
    /// Reads a file. `#` begins a comment, the first line names the driver, the second the families, and each further
    /// one a program.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
        let mut lines = lines.by_ref().filter(|line| !line.is_empty());
        let driver =
            lines.next().and_then(|line| line.strip_prefix("driver ")).ok_or("its first line names no driver")?;
        let families = lines.next().and_then(|line| line.strip_prefix("families ")).ok_or("it names no families")?;
        let families = families.split_whitespace().map(str::to_owned).collect();
        let mut spilling = BTreeSet::new();
        for line in lines {
            if !spilling.insert(line.to_owned()) {
                return Err(format!("\"{line}\" stands there twice"));
            }
        }
        Ok(Self { driver: driver.to_owned(), families, spilling })
    }

    /// Returns whether the file tells of this program's driver and family.
    pub fn tells_of(&self, row: &Row) -> bool {
        row.driver == self.driver && self.families.contains(&row.family)
    }

    /// Everything about these programs that is not as the file says, a line each.
    pub fn complaints(&self, rows: &[Row]) -> Vec<String> {
        let told = rows.iter().filter(|row| self.tells_of(row));
        let mut complaints: Vec<_> = told
            .clone()
            .filter(|row| row.failure().is_none() && row.spills() != self.spilling.contains(&row.key()))
            .map(|row| match row.spills() {
                true => format!("{}: spills registers, which the list does not expect", row.key()),
                false => format!("{}: does not spill any more, so take it out of the list", row.key()),
            })
            .collect();
        let families: BTreeSet<_> = told.clone().map(|row| row.family.as_str()).collect();
        let asked: BTreeSet<_> = told.map(Row::key).collect();
        let of_those = |key: &&String| key.split(' ').next().is_some_and(|family| families.contains(family));
        let missing = self.spilling.iter().filter(of_those).filter(|&key| !asked.contains(key));
        complaints.extend(missing.map(|key| format!("{key}: listed, but no plan takes it")));
        complaints
    }
}
