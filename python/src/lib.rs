//! The extension module behind `import batchinv`: the fast path, and the engines for everything else.
//!
//! `inverter` is what Python sees of it, `arrays` borrows NumPy's memory, `call` runs the work beside Python's own
//! threads and signals, and `pools` and `gpu` hold what a forked child must not take over. NumPy's rules for whatever
//! is not a plain array are in Python, in `batchinv/_rules.py`.

mod arrays;
mod call;
mod errors;
mod gpu;
mod info;
mod inverter;
mod options;
mod pools;
mod trusted;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _batchinv {
    #[pymodule_export]
    use super::info::info;
    #[pymodule_export]
    use super::inverter::{PyInverter, inv, inv_ex, inverse, inverse_ex};
    #[pymodule_export]
    use super::pools::{get_num_threads, set_num_threads};
}
