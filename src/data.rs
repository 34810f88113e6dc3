//! The ground floor: numbers, shapes, stacks, statuses, errors and results. It imports nothing above itself.

pub mod arithmetic;
pub mod clock;
pub mod columns;
pub mod condition;
pub mod determinant;
pub mod engine;
pub mod equilibrated;
pub mod error;
pub mod layout;
pub mod on_failure;
pub mod operand;
pub mod outcome;
pub mod output;
pub mod reason;
pub mod refusal;
pub mod report;
pub mod scalar;
pub mod scaling;
pub mod shape;
pub mod stack;
pub mod status;
pub mod system_shape;
