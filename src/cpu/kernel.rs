//! The eliminations: no memory, no scaling, no statuses.

pub mod blocked;
pub mod column_pivot;
pub mod lanes;
pub mod order2;
pub mod pieces;
pub mod pivots;
pub mod product;
pub mod registers;
pub mod rows;
