//! The record: one line per call, with a digest of each of its outputs.

use std::collections::BTreeMap;

use batchinv::{Error, InversesMut, Report, Scalar, Status};

use crate::families::{Element, Number};
use crate::testing;

/// The lines by their keys, which are unique.
#[derive(Default)]
pub struct Record(BTreeMap<String, String>);

impl Record {
    /// Adds a line. `key` names the call, `value` holds its digests.
    pub fn add(&mut self, key: String, value: String) {
        let earlier = self.0.insert(key.clone(), value);
        assert!(earlier.is_none(), "two calls share the key \"{key}\"");
    }

    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(key, value)| format!("{key} | {value}"))
    }
}

/// The key of a line. The order has leading zeros, so that lines sort by it.
pub fn key<T: Scalar>(engine: &str, program: &str, precision: &str, order: usize, family: &str, call: &str) -> String {
    format!("{engine} {program} {} {precision} {order:03} {family} {call}", T::KIND.name())
}

/// The kernel and the digests of a call that writes over `elements`, or `refused` if the engine does not take the work.
pub fn call<T: Element>(
    mut elements: Vec<T>,
    len: usize,
    rcond: bool,
    run: impl FnOnce(InversesMut<'_, T>) -> Result<Report, Error>,
) -> String {
    // The outputs hold guard values before the call, so that one that is not written shows.
    let mut statuses = vec![Status::NOT_FINITE; len];
    let mut rconds = vec![guard::<T::Real>(); if rcond { len } else { 0 }];
    let mut output = InversesMut::new(&mut elements, &mut statuses);
    if rcond {
        output = output.with_rconds(&mut rconds);
    }
    match run(output) {
        Ok(report) => {
            let kernel = testing::kernel_name(&report);
            format!("{kernel} {}", digests(&bytes(&elements), &status_bytes(&statuses), &bytes(&rconds)))
        }
        Err(Error::Unsupported { .. }) => "refused".to_owned(),
        Err(error) => panic!("the engine failed: {error}"),
    }
}

/// Fills memory before a call. No inverse and no reciprocal condition number has this value.
pub fn guard<T: Number>() -> T {
    T::new(12_345.0, -54_321.0)
}

/// The digests of inverses, statuses and reciprocal condition numbers, each given as bytes.
pub fn digests(inverses: &[u8], statuses: &[u8], rconds: &[u8]) -> String {
    [inverses, statuses, rconds].map(fnv1a).join(" ")
}

pub fn bytes<T: Number>(elements: &[T]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size_of_val(elements));
    elements.iter().for_each(|element| element.append_bytes(&mut bytes));
    bytes
}

pub fn status_bytes(statuses: &[Status]) -> Vec<u8> {
    statuses.iter().flat_map(|status| status.word().to_le_bytes()).collect()
}

/// The 64-bit hash FNV-1a in hexadecimal, or a dash if there is nothing to hash.
fn fnv1a(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "-".to_owned();
    }
    let step = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    format!("{:016x}", bytes.iter().fold(0xcbf2_9ce4_8422_2325, step))
}
