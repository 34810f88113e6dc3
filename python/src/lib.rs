//! The extension module behind `import batchinv`: the fast path, and the engines for everything else.
//!
//! `inverse`, `solve`, `determinant` and `inverter` are what Python sees of it. `arrays` borrows NumPy's memory, `call`
//! runs the work beside Python's own threads and signals, `statuses` raises errors for strict calls, and `pools` and
//! `gpu` hold what a forked child must not take over. NumPy's rules for whatever is not a plain array are in Python, in
//! `batchinv/_rules.py` and the files beside it.

mod arrays;
mod call;
mod determinant;
mod errors;
mod gpu;
mod info;
mod inverse;
mod inverter;
mod options;
mod pools;
mod solve;
mod statuses;
mod trusted;

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _batchinv {
    #[pymodule_export]
    use super::determinant::{det, determinant, sign_and_log, slogdet};
    #[pymodule_export]
    use super::info::info;
    #[pymodule_export]
    use super::inverse::{inv, inv_ex, inverse, inverse_ex};
    #[pymodule_export]
    use super::options::PyInverter;
    #[pymodule_export]
    use super::pools::{get_num_threads, set_num_threads};
    #[pymodule_export]
    use super::solve::{solution_ex, solve, solve_ex};
    #[pymodule_export]
    use super::statuses::check_statuses;
}
