//! One call of an operation, and its answer.

use batchinv::{
    Columns, Determinant, Determinants, Error, Inverses, InversesMut, Inverter, Report, Scalar, Solutions,
    SolutionsMut, Stack, Status,
};

use crate::bench::operation::Operation;

/// The input of a call.
#[derive(Clone, Copy)]
pub struct Input<'a, T> {
    pub op: Operation,
    pub a: Stack<'a, T>,
    /// Without columns, unless systems are solved.
    pub b: Columns<'a, T>,
}

/// Memory for an answer.
pub struct Room<'a, T: Scalar> {
    pub elements: &'a mut [T],
    pub statuses: &'a mut [Status],
    /// Empty, unless they are what is computed.
    pub determinants: &'a mut [Determinant<T>],
}

/// The output of a call.
#[derive(Clone, Copy)]
pub enum Answer<'a, T: Scalar> {
    Inverses(&'a [T], &'a [Status]),
    Solutions(&'a [T], &'a [Status]),
    Determinants(&'a [Determinant<T>]),
}

/// An answer in memory that the call allocated.
pub enum Fresh<T: Scalar> {
    Inverses(Inverses<T>),
    Solutions(Solutions<T>),
    Determinants(Determinants<T>),
}

impl<T: Scalar> Input<'_, T> {
    /// Calls into memory that is there.
    pub fn into(self, inverter: &Inverter, room: &mut Room<'_, T>) -> Result<Report, Error> {
        let Self { op, a, b } = self;
        let Room { elements, statuses, determinants } = room;
        match op {
            Operation::Inverse => inverter.invert_into(a, InversesMut::new(elements, statuses)),
            Operation::Solve => inverter.solve_into(a, b, SolutionsMut::new(elements, statuses)),
            Operation::Det => inverter.determinants_into(a, determinants),
        }
    }

    /// Calls into memory that the call allocates.
    pub fn fresh(self, inverter: &Inverter) -> Result<Fresh<T>, Error> {
        let Self { op, a, b } = self;
        Ok(match op {
            Operation::Inverse => Fresh::Inverses(inverter.invert(a)?),
            Operation::Solve => Fresh::Solutions(inverter.solve(a, b)?),
            Operation::Det => Fresh::Determinants(inverter.determinants(a)?),
        })
    }
}

impl<T: Scalar> Room<'_, T> {
    /// What a call of this operation has left there.
    pub fn answer(&self, op: Operation) -> Answer<'_, T> {
        match op {
            Operation::Inverse => Answer::Inverses(self.elements, self.statuses),
            Operation::Solve => Answer::Solutions(self.elements, self.statuses),
            Operation::Det => Answer::Determinants(self.determinants),
        }
    }
}

impl<T: Scalar> Fresh<T> {
    pub fn report(&self) -> &Report {
        match self {
            Self::Inverses(inverses) => &inverses.report,
            Self::Solutions(solutions) => &solutions.report,
            Self::Determinants(determinants) => &determinants.report,
        }
    }

    pub fn answer(&self) -> Answer<'_, T> {
        match self {
            Self::Inverses(inverses) => Answer::Inverses(inverses.values.elements(), &inverses.statuses),
            Self::Solutions(solutions) => Answer::Solutions(solutions.values.elements(), &solutions.statuses),
            Self::Determinants(determinants) => Answer::Determinants(&determinants.values),
        }
    }
}

impl<T: Scalar> Answer<'_, T> {
    /// Returns whether matrix `at` is said to have no inverse.
    pub fn is_doubted(&self, at: usize) -> bool {
        match self {
            Self::Inverses(_, statuses) | Self::Solutions(_, statuses) => !statuses[at].is_inverted(),
            Self::Determinants(determinants) => {
                let mantissa = determinants[at].mantissa();
                mantissa == T::ZERO || !mantissa.finite()
            }
        }
    }
}
